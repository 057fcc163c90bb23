/*
 * made.h -- an experiment whose numbers the test makes up, for what stands above the simulator.
 */
#ifndef BERTH_TESTS_SUPPORT_MADE_H
#define BERTH_TESTS_SUPPORT_MADE_H

#include "sim/experiment/experiment.h"

struct made {
    struct scenario_set *set;
    struct scenario *scenarios; /* by variant, to be patched before made_conclude */
    struct experiment *experiment;
};

/*
 * `names`: of the variants, ending with NULL; the first is the baseline. Every metric of every
 * replication is 0 until made_value. One hour, four samples, no waits, no heat.
 */
void made_open(struct made *made, const char *const *names, uint32_t replications);
void made_value(struct made *made, uint32_t variant, uint32_t replication, enum metric metric,
                double value);
/* The same `base` plus 0, 1, 2, ... times `step` for the replications. */
void made_series(struct made *made, uint32_t variant, enum metric metric, double base, double step);
void made_conclude(struct made *made);
void made_close(struct made *made);

#endif
