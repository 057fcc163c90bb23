/* runs.h -- within sim/bench: one replication of a scenario that is given as text. */
#ifndef BERTH_SIM_BENCH_RUNS_H
#define BERTH_SIM_BENCH_RUNS_H

#include "scheduler/base/text.h"
#include "sim/bench/bench.h"
#include "sim/run/run.h"

struct bench_run {
    struct scenario_set *set;
    struct run_result result;
    uint64_t live, stopped; /* tasks at the end; stopped: those that are still described */
    double load_s, run_s;   /* CPU seconds: the scenario is read, the replication is run */
    double requested, placed, ended;
};

/*
 * Reads the scenario (paths are relative to `folder`) and runs it. False when that failed; the
 * round says why. At the end everything is audited and the tasks are counted, which is not timed.
 */
bool bench_run(const struct text *json, const char *folder, const struct bench_setting *setting,
               struct bench_round *round, struct bench_run *run);
void bench_run_free(struct bench_run *run);

/* Placed = asked for; and, when no description has lapsed, ended = described as STOPPED. */
void bench_run_check_books(const struct bench_run *run, struct bench_round *round);

#endif
