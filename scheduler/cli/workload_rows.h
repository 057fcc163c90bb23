/* workload_rows.h -- every row of a workload CSV, read and held against the scenario. */
#ifndef BERTH_SCHEDULER_CLI_WORKLOAD_ROWS_H
#define BERTH_SCHEDULER_CLI_WORKLOAD_ROWS_H

#include "scheduler/base/error.h"
#include "sim/scenario/scenario.h"

struct workload_rows {
    uint64_t count;
    uint64_t misfit_count;             /* rows that fit on no instance, were all of them empty */
    char misfit[BERTH_ERROR_TEXT_MAX]; /* the first of them: FILE:LINE: why */
};

/*
 * Adds the rows of the arrival's CSV to `rows`. A row that a run would refuse (an unknown task
 * definition, an expression that does not parse) fails with its place; one that fits nowhere is
 * counted. Stops early when command_stop is set.
 */
enum berth_err workload_rows_check(const struct scenario *scenario,
                                   const struct scenario_arrival *arrival,
                                   struct workload_rows *rows,
                                   struct berth_error *err) BERTH_MUST_CHECK;

#endif
