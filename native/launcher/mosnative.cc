#include "command-texts.h"
#include "launcher.h"

int main(int argc, char **argv) { return Launch(kMosnative, argc, argv); }
