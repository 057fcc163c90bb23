/* first.h -- the first process of a host; runs in its namespaces and never returns. */
#ifndef BERTH_SCHEDULER_LAB_FIRST_H
#define BERTH_SCHEDULER_LAB_FIRST_H

#include "scheduler/lab/plan.h"

/* Starts when a byte comes from `go`, and ends when `go` does without one. */
void lab_first_process(const struct lab_plan *plan, int engine, int go) __attribute__((noreturn));

#endif
