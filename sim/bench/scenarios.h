/* scenarios.h -- within sim/bench: the scenarios of whole runs, as the text of a scenario file. */
#ifndef BERTH_SIM_BENCH_SCENARIOS_H
#define BERTH_SIM_BENCH_SCENARIOS_H

#include "scheduler/base/text.h"

#define SCENARIO_SHAPES 40

/* Standalone tasks that come at a steady rate and live for exponential times. */
struct churn {
    uint32_t instances;
    uint32_t fill_percent; /* of the fleet's memory, by Little's law */
    uint32_t life_s, duration_s;
};
double scenario_churn_tasks(const struct churn *churn); /* that live at a time, in the mean */
void scenario_write_churn(const struct churn *churn, struct text *json);

#endif
