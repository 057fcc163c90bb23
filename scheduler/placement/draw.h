/* draw.h -- a uniform draw from a set of instances that is costly to count. */
#ifndef BERTH_SCHEDULER_PLACEMENT_DRAW_H
#define BERTH_SCHEDULER_PLACEMENT_DRAW_H

#include "scheduler/base/rng.h"
#include "scheduler/model/cluster.h"

struct draw_set {
    void *context;
    uint32_t number_count; /* members are among the numbers below this */
    bool (*contains)(void *context, instance_id id);
    /* All members, ascending; lent until the next call. */
    size_t (*list)(void *context, const instance_id **ids);
};

/*
 * A member other than `exclude` (INSTANCE_NONE: any), each equally likely; INSTANCE_NONE when there
 * is none. What is drawn from the stream depends on the set's members and number_count alone.
 */
instance_id draw_member(const struct draw_set *set, instance_id exclude, struct rng *stream);

#endif
