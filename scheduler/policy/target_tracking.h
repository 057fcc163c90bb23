/*
 * target_tracking.h -- how large a service should be for its metric to meet a target.
 *
 * A pair of alarms over one-minute datapoints says when (semantics 6.3): high, the metric above the
 * target for 3 of 3, and low, below 0.9 of it for 15 of 15. Sizes are computed from the *running*
 * count, not from the desired one (6.1).
 */
#ifndef BERTH_SCHEDULER_POLICY_TARGET_TRACKING_H
#define BERTH_SCHEDULER_POLICY_TARGET_TRACKING_H

#include "scheduler/policy/datapoints.h"

#define TRACKING_HIGH_DATAPOINTS 3
#define TRACKING_LOW_DATAPOINTS 15

/*
 * With none running, one datapoint that shows demand is enough: out by the smallest amount.
 * `target_milli` is above 0.
 */
bool tracking_is_high(const struct datapoints *points, int64_t target_milli, uint32_t running);
bool tracking_is_low(const struct datapoints *points, int64_t target_milli);

/* ceil(running x metric / target); 1 from none. Not cut to any bounds. */
uint32_t tracking_out(uint32_t running, int64_t metric_milli, int64_t target_milli);

/*
 * U22: ceil(running x metric / target), but `running` when removing one task alone would bring the
 * metric back to the target or above it.
 */
uint32_t tracking_in(uint32_t running, int64_t metric_milli, int64_t target_milli);

#endif
