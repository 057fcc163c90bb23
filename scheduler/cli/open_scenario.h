/* open_scenario.h -- load a scenario and check what only the layers above it know. */
#ifndef BERTH_SCHEDULER_CLI_OPEN_SCENARIO_H
#define BERTH_SCHEDULER_CLI_OPEN_SCENARIO_H

#include "sim/scenario/scenario.h"

/* scenario_load, with the names of metrics checked too. */
enum berth_err open_scenario(const char *path, struct scenario_set **out,
                             struct berth_error *err) BERTH_MUST_CHECK;

#endif
