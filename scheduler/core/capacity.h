/*
 * capacity.h -- capacity providers: where tasks with a capacityProviderStrategy find machines.
 *
 *     GROUP          an instance group (Auto Scaling group): its instances register with its name;
 *                    a task that finds no room there waits in PROVISIONING; managed scaling makes
 *                    the group follow (policy/managed_scaling.h)
 *     FARGATE        a machine for every task, asked for when the task is made
 *     FARGATE_SPOT   the same, but it may be taken back with a notice of two minutes
 *
 * Rules: semantics 5. A strategy is all groups or all Fargate. No provider stands in for another.
 */
#ifndef BERTH_SCHEDULER_CORE_CAPACITY_H
#define BERTH_SCHEDULER_CORE_CAPACITY_H

#include "scheduler/base/symbols.h"
#include "scheduler/core/outside.h"

#define PROVIDER_ZONES_MAX 16 /* subnets of one awsvpcConfiguration */

enum provider_kind {
    PROVIDER_GROUP = 0,
    PROVIDER_FARGATE,
    PROVIDER_FARGATE_SPOT,
    PROVIDER_KIND_COUNT
};

extern const char *const provider_kind_names[PROVIDER_KIND_COUNT]; /* "GROUP", "FARGATE", ... */

struct capacity_provider_settings {
    enum provider_kind kind;
    bool is_managed;          /* GROUP: managedScaling.status ENABLED */
    uint32_t target_percent;  /* targetCapacity, 1..100; 0: its default, 100 */
    uint32_t step_min;        /* minimumScalingStepSize, 1..10000; 0: 1 */
    uint32_t step_max;        /* maximumScalingStepSize, 1..10000; 0: 10000 */
    int32_t warm_up_s;        /* instanceWarmupPeriod, 0..10000; OVERRIDE_NONE: 300 */
    bool protects;            /* managedTerminationProtection: only empty instances go */
    bool drains;              /* managedDraining: DRAINING before termination */
    const char *const *zones; /* FARGATE: where machines may stand; at least one */
    uint16_t zone_count;
};

/* One item of a capacityProviderStrategy (semantics 5.1). */
struct provider_share {
    const char *provider;
    uint32_t weight; /* 0..1000 */
    uint32_t base;   /* 0..100000 */
};

/* A provider as it is after a change, by value. */
struct provider_view {
    symbol name;
    enum provider_kind kind;
    uint32_t in_service, launching; /* of the group, as it told last */
    uint32_t busy;                  /* instances with a task that is not a daemon's */
    uint32_t leaving;               /* instances on their way out */
    uint32_t waiting;               /* tasks in PROVISIONING for it */
    uint32_t wanted;                /* of a resize that was not answered yet; 0: none */
    uint64_t reservation_milli;     /* CapacityProviderReservation, last seen; thousandths */
};

#endif
