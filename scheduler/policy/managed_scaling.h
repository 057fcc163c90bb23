/*
 * managed_scaling.h -- how many instances a capacity provider's group should have.
 *
 * Rules: semantics 5.2, U15, U21. CapacityProviderReservation is M / N x 100, once a minute, N the
 * group's instances in service and M those that are needed:
 *
 *     N = 0, nothing waits      100          N > 0, nothing waits     busy / N
 *     N = 0, tasks wait         200          N > 0, tasks wait        (N + step) / N
 *
 * and the group is led to N x CPR / target, rounded up. Pure functions of counts: the times at
 * which they are asked, and what was decided before, are the caller's.
 */
#ifndef BERTH_SCHEDULER_POLICY_MANAGED_SCALING_H
#define BERTH_SCHEDULER_POLICY_MANAGED_SCALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/units.h"

#define SCALING_PERIOD_NS (60 * BERTH_NS_PER_S)
#define SCALING_LOW_POINTS 15 /* below the target in a row, before a scale-in */
/* No scale-in for so long after a scale-out. */
#define SCALING_AFTER_OUT_NS (900 * BERTH_NS_PER_S)
/* An instance that drains is terminated after so long at the latest. */
#define SCALING_DRAIN_MAX_NS (48 * 3600 * BERTH_NS_PER_S)
#define SCALING_FIRST_INSTANCES 2 /* an empty group begins with so many */
#define PROVISIONING_TASKS_MAX 500

struct scaling_bounds {
    uint32_t target_percent; /* 1..100 */
    uint32_t step_min, step_max;
};

struct scaling_counts {
    uint32_t in_service; /* N: those that stay */
    uint32_t busy;       /* of them, with a task that is not a daemon's */
    bool waits;          /* tasks in PROVISIONING that a new instance could take */
    uint32_t need;       /* new instances that they ask for: scaling_need */
};

/* M x 100 / N in thousandths of a percent; rounded down. */
uint64_t scaling_reservation_milli(const struct scaling_counts *counts,
                                   const struct scaling_bounds *bounds);

/* Instances that the group should have: ceil(N x CPR / target). */
uint32_t scaling_desired(const struct scaling_counts *counts, const struct scaling_bounds *bounds);

/* Of `excess` instances above the desired number, how many go in this minute (U21). */
uint32_t scaling_removals(uint32_t in_service, uint32_t desired);

/* A machine or what a task asks of one. Zero: nothing, or without a limit (interfaces). */
struct scaling_size {
    int64_t cpu_units, mem_mib, gpu_milli;
    uint32_t interfaces;
};

/* Waiting tasks with the same requirements. */
struct scaling_group {
    struct scaling_size each;
    uint32_t count;
    bool one_each; /* distinctInstance, or a static host port: one task an instance */
};

/*
 * New instances that a group of equal tasks needs if all were of the largest type: a lower bound,
 * corrected by later rounds. 0 when a task does not fit on the smallest type.
 */
uint32_t scaling_need(const struct scaling_group *group, const struct scaling_size *smallest,
                      const struct scaling_size *largest);

#endif
