/* gate_bench.h -- the half of `berth gate` that compares two files of `berth bench --json`. */
#ifndef BERTH_SCHEDULER_CLI_GATE_BENCH_H
#define BERTH_SCHEDULER_CLI_GATE_BENCH_H

#include <stdbool.h>

#include "scheduler/base/error.h"

struct gate_tolerance { /* --tolerance NAME=N% */
    char name[64];      /* "": of all */
    double ratio;
};

bool gate_bench_is(const char *path);

/* Prints each ratio that moved. BERTH_ERR_FAILED when one is worse. */
enum berth_err gate_bench(const char *baseline, const char *result,
                          const struct gate_tolerance *tolerances, int tolerance_count, bool brief,
                          struct berth_error *err) BERTH_MUST_CHECK;

#endif
