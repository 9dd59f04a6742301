// The least of all programs.
int main(void) { return 0; }
