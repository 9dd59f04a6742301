// Writes the target's seeds when the environment says where: honest streams, made from the structures themselves.
#include <stdio.h>
#include <stdlib.h>

#include <string>
#include <vector>

std::vector<std::string> seeds();

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  const char *directory = getenv("MOSRUN_FUZZ_SEEDS");
  if (!directory) return 0;
  int number = 0;
  for (const std::string &seed : seeds()) {
    std::string path = std::string(directory) + "/seed-" + std::to_string(number++);
    FILE *file = fopen(path.c_str(), "w");
    if (!file || fwrite(seed.data(), 1, seed.size(), file) != seed.size() || fclose(file)) {
      perror(path.c_str());
      exit(1);
    }
  }
  exit(0);
}
