// The tests of mosgate as a whole: a function each, listed once in gate.cc.
#pragma once
#include <stdio.h>

#include "harness.h"

extern int checks_failed;         // of the test that runs
extern const char *current;
extern uint64_t next_session;
extern pid_t gate;

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    if (!(condition) && checks_failed++ < 5) printf("# %s: line %d: %s\n", current, __LINE__, #condition); \
  } while (0)

void shuts_the_sandbox();
void filters_calls();
void shifts_clocks();
void ends_with_home();
void leaves_nothing();
void ends_with_its_keeper();
void watches_children();
void ends_unclaimed_children();
void outlives_mosgate();
void uses_a_control_group();
void expires();
void refuses_strangers();
void opens_only_its_own();
void bears_slow_strangers();
void stands_back();
void keeps_tokens_to_itself();
void seals_sessions();
void refuses_wrong_keys();
void confines_mosseal();
void bears_slow_handshakes();
void passes_channels();
