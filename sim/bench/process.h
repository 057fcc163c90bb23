/* process.h -- within sim/bench: `berth run` as a user starts it, and what it wrote. */
#ifndef BERTH_SIM_BENCH_PROCESS_H
#define BERTH_SIM_BENCH_PROCESS_H

#include "sim/bench/bench.h"
#include "sim/experiment/summary.h"

struct bench_process {
    double cpu_s, clock_s;   /* from start to exit */
    struct summary *summary; /* owned: the caller destroys it */
    char *folder;            /* owned: of the results */
};

/* In `folder`, on the scenario FOLDER/file, without plots. False when it failed: the round says. */
bool bench_berth_run(const char *folder, const char *file, struct bench_round *round,
                     struct bench_process *out);
void bench_process_free(struct bench_process *process);

/* A mean of the only variant; a cell of the last row of timeline.csv (NaN when there is none). */
double bench_process_metric(const struct bench_process *process, enum metric metric);
double bench_process_last(const struct bench_process *process, const char *column);

#endif
