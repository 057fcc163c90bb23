/* pool.h -- the farm of this machine: at most `jobs` workers (worker.h) at a time. */
#ifndef BERTH_SIM_EXPERIMENT_POOL_H
#define BERTH_SIM_EXPERIMENT_POOL_H

#include "sim/experiment/farm.h"

enum berth_err pool_run(const struct farm_work *work, struct farm_failure *failure,
                        struct berth_error *err) BERTH_MUST_CHECK;

extern const struct farm pool_farm;

uint32_t pool_core_count(void);

#endif
