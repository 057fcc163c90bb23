/* chain.h -- narrowing a list of candidates by the steps of a plan. */
#ifndef BERTH_SCHEDULER_PLACEMENT_CHAIN_H
#define BERTH_SCHEDULER_PLACEMENT_CHAIN_H

#include "scheduler/placement/draw.h"
#include "scheduler/placement/plan.h"

struct candidates {
    instance_id *ids; /* ascending */
    size_t count;
};

/*
 * What a step's scores look at. With `tracked` false an attribute's counts are summed from the
 * instances, O(instances), as the plain reading does; view_end releases them.
 */
struct strategy_view view_begin(const struct cluster *cluster, const struct strategy_step *step,
                                const struct demand *demand, group_id group, bool may_track,
                                struct map *sums);

int64_t view_score(const struct strategy_view *view, const struct strategy_step *step,
                   instance_id id);

/* Keep what the step keeps. */
void chain_narrow(const struct strategy_view *view, const struct strategy_step *step,
                  struct rng *stream, struct candidates *candidates);

/* Draw what a drawing step draws from `set` and keep the best; INSTANCE_NONE when set is empty. */
instance_id chain_draw(const struct strategy_view *view, const struct strategy_step *step,
                       struct rng *stream, const struct draw_set *set);

/* U1: the fewest tasks of the group, then the smallest id. Needs one candidate at least. */
instance_id chain_tie_break(const struct cluster *cluster, group_id group,
                            const struct candidates *candidates);

#endif
