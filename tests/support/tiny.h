/* tiny.h -- a real scenario that takes a millisecond: a fleet, a service, jobs, two strategies. */
#ifndef BERTH_TESTS_SUPPORT_TINY_H
#define BERTH_TESTS_SUPPORT_TINY_H

#include "sim/scenario/scenario.h"

/* The scenario's text; `run` is put into "run" (",\"seed\":3") and may be "". */
const char *tiny_text(const char *run);

/* Loaded, as from memory; fails the test when it cannot be. */
struct scenario_set *tiny_load(const char *run);

#endif
