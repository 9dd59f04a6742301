// mostestload: uses CPU time and memory in a known amount. Counts the CPU time of each thread in small steps, since the CPU-time clocks
// of a process that moves tell of one node alone: a step in which it moved shows as a jump, and is not counted.
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "command-texts.h"

namespace {

constexpr double kLongestStep = 1;   // seconds; one pass over a mebibyte takes less than a millisecond
constexpr size_t kStepBytes = 1 << 20;
constexpr unsigned long kMostThreads = 4096;

struct Load {
  double cpu_seconds = 10;
  size_t memory = 1 << 20;
  unsigned long threads = 1;
  bool still = false, progress = false;
} load;

std::atomic<uint64_t> used_nanoseconds, running;
std::atomic<uint64_t> checksum;   // keeps the compiler from leaving the work out

[[noreturn]] void Wrong(const char *what, const char *value) {
  fprintf(stderr, "mosrun: %s: %s: see mostestload --help\n", what, value);
  exit(2);
}

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Bytes, or with K, M, G, T and an optional iB or B (powers of 1024).
size_t Size(const char *text) {
  char *end;
  errno = 0;
  const unsigned long long number = strtoull(text, &end, 10);
  const char *units = "KMGT", *unit = *end ? strchr(units, *end) : nullptr;
  const unsigned shift = unit ? 10 * static_cast<unsigned>(unit - units + 1) : 0;
  const char *rest = unit ? end + 1 : end;
  const bool tail = !*rest || !strcmp(rest, "iB") || !strcmp(rest, "B");
  if (end == text || *text == '-' || !tail || errno || number > (SIZE_MAX >> shift)) Wrong("an amount like 64M is wanted", text);
  return static_cast<size_t>(number) << shift;
}

uint64_t Pass(uint64_t *words, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; i++) words[i] = seed = seed * 6364136223846793005u + words[i] + 1442695040888963407u;
  return seed;
}

void *Work(void *part) {
  auto *words = static_cast<uint64_t *>(part);
  const size_t count = load.memory / load.threads / sizeof *words, step = kStepBytes / sizeof *words;
  uint64_t seed = 1;
  double used = 0;
  bool over = false;   // the first time through all of it, for one that is to be still then
  for (size_t at = 0; load.cpu_seconds == 0 || used < load.cpu_seconds; at = at + step < count && !over ? at + step : 0) {
    const double before = Seconds(CLOCK_THREAD_CPUTIME_ID);
    seed = Pass(words + at, count - at < step ? count - at : step, seed);
    const double passed = Seconds(CLOCK_THREAD_CPUTIME_ID) - before;
    over = over || (load.still && at + step >= count);
    if (passed < 0 || passed > kLongestStep) continue;
    used += passed;
    used_nanoseconds += static_cast<uint64_t>(passed * 1e9);
  }
  checksum += seed;
  running--;
  return nullptr;
}

void ReadOptions(int argc, char **argv) {
  option words[kMostestload.option_count + 1] = {};
  char letters[2 * (sizeof kMostestloadOptions / sizeof *kMostestloadOptions) + 1] = {}, *letter = letters;
  for (size_t i = 0; i < kMostestload.option_count; i++) {
    const Option &known = kMostestload.options[i];
    words[i] = {known.word, known.value == Value::required ? required_argument : no_argument, nullptr, 256 + static_cast<int>(i)};
    if (!known.letter) continue;
    *letter++ = known.letter;
    if (known.value == Value::required) *letter++ = ':';
    words[i].val = known.letter;
  }
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv, letters, words, nullptr)) != -1;) {
    char *end = nullptr;
    const char *word = found >= 256 ? kMostestload.options[found - 256].word : "";
    if (!strcmp(word, "help") || !strcmp(word, "version")) {
      fputs(*word == 'h' ? kMostestload.help : kMostestload.version, stdout);
      exit(0);
    }
    switch (found) {
      case 'c':
        load.cpu_seconds = strtod(optarg, &end);
        if (end == optarg || *end || !(load.cpu_seconds >= 0)) Wrong("a number of seconds is wanted", optarg);
        break;
      case 'm': load.memory = Size(optarg); break;
      case 't':
        load.threads = strtoul(optarg, &end, 10);
        if (end == optarg || *end || load.threads < 1 || load.threads > kMostThreads) Wrong("a number of threads from 1 to 4096 is wanted", optarg);
        break;
      case 's': load.still = true; break;
      case 'p': load.progress = true; break;
      default: Wrong("unknown option, or one without its value", argv[optind - 1]);
    }
  }
  if (optind < argc) Wrong("this is too much", argv[optind]);
}

double UsedSeconds() { return static_cast<double>(used_nanoseconds) / 1e9; }

}  // namespace

int main(int argc, char **argv) {
  ReadOptions(argc, argv);
  if (load.memory < load.threads * kStepBytes / 256) load.memory = load.threads * kStepBytes / 256;
  void *memory = mmap(nullptr, load.memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fprintf(stderr, "mosrun: there is no memory of %zu bytes: %s: ask for less\n", load.memory, strerror(errno));
    return 1;
  }
  const double began = Seconds(CLOCK_MONOTONIC);
  running = load.threads;
  for (unsigned long i = 0; i < load.threads; i++) {
    pthread_t thread;
    char *part = static_cast<char *>(memory) + i * (load.memory / load.threads / sizeof(uint64_t) * sizeof(uint64_t));
    if (int error = pthread_create(&thread, nullptr, Work, part)) {
      fprintf(stderr, "mosrun: thread %lu cannot be made: %s: ask for fewer\n", i + 1, strerror(error));
      return 1;
    }
  }
  for (double told = began; running > 0;) {
    usleep(20000);
    if (!load.progress || Seconds(CLOCK_MONOTONIC) - told < 1) continue;
    told += 1;
    printf("%.1f\n", UsedSeconds());
    fflush(stdout);
  }
  printf("used %.2f s of CPU time in %.2f s\n", UsedSeconds(), Seconds(CLOCK_MONOTONIC) - began);
  return 0;
}
