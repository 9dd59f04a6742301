// Exceptions through many frames, destructors, containers, a thread that throws into a future, std::filesystem.  exceptions DIRECTORY ROUNDS
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

long alive = 0;

struct Guard {
  Guard() { ++alive; }
  ~Guard() { --alive; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
};

long descend(long depth, long seed) {
  const Guard guard;
  auto owned = std::make_unique<std::vector<long>>(16, seed);
  if (depth == 0) {
    if (seed % 3 == 0) throw std::out_of_range("seed " + std::to_string(seed));
    if (seed % 3 == 1) throw seed;
    return (*owned).at(3);
  }
  try {
    return descend(depth - 1, seed) + depth;
  } catch (const std::out_of_range&) {
    if (depth % 10 == 0) std::throw_with_nested(std::runtime_error("at depth " + std::to_string(depth)));
    throw;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  std::filesystem::current_path(argv[1]);
  std::map<std::string, long> caught;
  const long rounds = std::stol(argv[2]);
  for (long round = 0; round < rounds; ++round) {
    for (long i = 0; i < 100; ++i) {
      try {
        caught["returned"] += descend(25, round * 100 + i) % 7;
      } catch (const std::exception& error) {
        try {
          std::rethrow_if_nested(error);
        } catch (const std::exception& inner) {
          caught[std::string(error.what()) + (std::string(inner.what()).empty() ? "" : " nested")] += 1;
        }
      } catch (long value) {
        caught["long"] += value % 5;
      }
    }
    if (round % 50 != 0) continue;
    auto failing = std::async(std::launch::async, [round]() -> long { throw std::logic_error("in a thread, round " + std::to_string(round)); });
    try {
      failing.get();
    } catch (const std::logic_error& error) {
      std::cout << error.what() << ", alive " << alive << std::endl;
    }
    std::ofstream("round-" + std::to_string(round)) << caught["long"] << '\n';
  }
  for (const auto& [what, times] : caught) std::cout << what << ": " << times << '\n';
  long files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(".")) files += entry.is_regular_file();
  std::cout << files << " files" << std::endl;
  try {
    std::ifstream file;
    file.exceptions(std::ios::failbit);
    file.open("absent/file");
  } catch (const std::ios_base::failure& error) {
    std::cerr << "as expected: " << std::error_code(error.code()).category().name() << '\n';
  }
  return 6;
}
