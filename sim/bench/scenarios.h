/* scenarios.h -- within sim/bench: the scenarios of whole runs, as the text of a scenario file. */
#ifndef BERTH_SIM_BENCH_SCENARIOS_H
#define BERTH_SIM_BENCH_SCENARIOS_H

#include "scheduler/base/text.h"

/* Standalone tasks that come at a steady rate and live for exponential times; binpack(memory). */
struct churn {
    uint32_t instances;
    uint32_t fill_percent; /* of the fleet's memory, by Little's law */
    uint32_t life_s, duration_s;
};
double scenario_churn_tasks(const struct churn *churn); /* that live at a time, in the mean */
void scenario_write_churn(const struct churn *churn, struct text *json);

/* Services whose tasks live for exponential times, fall ill and are replaced; deployments. */
struct service_churn {
    uint32_t instances, services, copies;
    uint32_t deployed; /* of the services, in the middle of the run */
    uint32_t life_s, duration_s;
};
void scenario_write_services(const struct service_churn *churn, struct text *json);

/* Services whose tasks stay, started on an empty fleet: images are pulled, starts take time. */
struct start_up {
    uint32_t instances, services, copies;
    uint32_t duration_s;
};
void scenario_write_start_up(const struct start_up *start_up, struct text *json);

/* Machines like virtual ones, from `csv`, on hosts of 64 vCPU and 256 GiB. */
void scenario_write_machines(uint32_t instances, const char *csv, uint32_t duration_s,
                             struct text *json);

/* Tasks of one size, spread over the instances: some from the start on, others come all the time.
 */
struct population {
    uint32_t instances;
    uint32_t at_once, at_once_life_s;
    double per_hour;
    uint32_t life_s;
    uint32_t copies; /* of one service; its tasks live an hour */
    uint32_t duration_s;
};
void scenario_write_population(const struct population *population, struct text *json);

/* Groups, task definitions and services of one each, so many, and a fifth as many events. */
void scenario_write_large(uint32_t count, struct text *json);

#endif
