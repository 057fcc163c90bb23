/*
 * rollout.h -- the arithmetic of one pass over a REPLICA service: how many to stop, how many to
 * start.
 *
 * Pure functions of counts, so that AWS's worked examples can be checked as they are printed.
 * Rules: semantics 4.3 (bounds, pass algorithm), 4.15 (a draining instance's tasks are outgoing,
 * like those of an old deployment), U7 (everything not STOPPED counts against the ceiling), U8
 * (stops first).
 */
#ifndef BERTH_SCHEDULER_POLICY_ROLLOUT_H
#define BERTH_SCHEDULER_POLICY_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/units.h"

/* A task counts towards the floor when it has been RUNNING for so long (no load balancer: 4.2). */
#define ROLLOUT_HEALTHY_AFTER_NS (40 * BERTH_NS_PER_S)
/* How long a deployment with alarms bakes when it is not said (U12). */
#define ALARM_BAKE_NS (300 * BERTH_NS_PER_S)
/* How often a service that is not steady is looked at even if nothing happens (U9). */
#define ROLLOUT_PERIOD_NS (10 * BERTH_NS_PER_S)
/* The launch throttle begins with this many starts failed in a row (U10). */
#define THROTTLE_FAILURES 3
#define THROTTLE_FIRST_NS (10 * BERTH_NS_PER_S)
#define THROTTLE_MAX_NS (1620 * BERTH_NS_PER_S)
/* An event is not repeated before its cause clears or so much time has passed (4.8). */
#define EVENT_REPEAT_NS (6 * 3600 * BERTH_NS_PER_S)

struct rollout_bounds {
    uint32_t lower; /* L = ceil(D * minimumHealthyPercent / 100): healthy tasks */
    uint32_t upper; /* U = floor(D * maximumPercent / 100): tasks not STOPPED */
};

struct rollout_bounds rollout_bounds(uint32_t desired, uint32_t minimum_percent,
                                     uint32_t maximum_percent);

/* Tasks by what they are to the rollout; only those with desiredStatus RUNNING, but `counted`. */
struct rollout_counts {
    uint32_t desired;
    uint32_t kept; /* of the PRIMARY deployment, and not on a draining instance */
    uint32_t kept_healthy, kept_pending, kept_unhealthy; /* parts of `kept` */
    uint32_t outgoing_pending;                           /* old or draining, not RUNNING yet */
    uint32_t outgoing_young;                             /* RUNNING, but not counted as healthy */
    uint32_t outgoing_unhealthy;                         /* part of `outgoing_young` */
    uint32_t outgoing_healthy;
    uint32_t old_unhealthy; /* part of `outgoing_unhealthy`: of older deployments */
    uint32_t counted;       /* all that are not STOPPED, those told to stop included (U7) */
};

struct rollout_stops {
    uint32_t surplus; /* kept ones above the desired count, but for replacements (replace.h) */
    bool pending;     /* every outgoing one that is not RUNNING: costs no budget */
    bool young;       /* every outgoing one that does not count as healthy */
    uint32_t healthy; /* so many outgoing healthy ones */
};

struct rollout_stops rollout_stops(const struct rollout_counts *counts,
                                   struct rollout_bounds bounds);

/* All that is wanted is there and stays, and nothing else: nobody is to stop, start or give way. */
static inline bool rollout_is_complete(const struct rollout_counts *counts)
{
    return counts->kept == counts->desired && counts->kept_unhealthy == 0 &&
           counts->outgoing_pending + counts->outgoing_young + counts->outgoing_healthy == 0;
}

/* Likewise when PRIMARY has failed and nothing takes its place: only what exceeds the ceiling goes,
   what failed first. */
struct rollout_stops rollout_stops_stalled(const struct rollout_counts *counts,
                                           struct rollout_bounds bounds);

/* How many tasks of the PRIMARY deployment may start now, `counts` being as after the stops. */
uint32_t rollout_starts(const struct rollout_counts *counts, struct rollout_bounds bounds);

/*
 * True when neither floor nor ceiling lets anything move and nothing is on its way that could
 * change it: no task pending, stopping or young.
 */
bool rollout_is_deadlocked(const struct rollout_counts *counts, struct rollout_bounds bounds);

/* Time to wait after the `failures`-th failed start in a row; 0 for the first ones (U10). */
berth_ns throttle_delay_ns(uint32_t failures);

#endif
