// What the launchers share; their texts and options are generated from the table of commands.
#pragma once

#include <stddef.h>

enum class Value { none, optional, required };

struct Option {
  char letter;   // 0: none
  const char *word;
  Value value;
};

struct Command {
  const char *name;
  const Option *options;
  size_t option_count;
  const char *help, *version;
};

/// Comes back only with the exit status of --help and --version.
int Launch(const Command &which, int argc, char **argv);
