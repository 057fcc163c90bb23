/*
 * replace.h -- the arithmetic of replacing unhealthy tasks (semantics 4.5, 4.3 step b).
 *
 *     a replacement fits under U    started first: one more task than desired until it is healthy;
 *                                   then, or when it is unhealthy too, one unhealthy task goes
 *     it does not                   one unhealthy task goes, and its room is the replacement's
 *
 * Which task stands in for which is not kept: of the PRIMARY deployment, those above the desired
 * count that are on their way to health stand in for as many unhealthy ones. An unhealthy task of
 * an older deployment goes as soon as the floor holds without it, like any old task; until then
 * its own revision makes up what the floor lacks, if PRIMARY does not.
 *
 * "Not below L" is read as ECS's API words it: so many tasks must remain RUNNING. Stopping an
 * unhealthy task never lowers the number of healthy ones.
 */
#ifndef BERTH_SCHEDULER_POLICY_REPLACE_H
#define BERTH_SCHEDULER_POLICY_REPLACE_H

#include "scheduler/policy/rollout.h"

/* Kept tasks above the desired count that stand in for unhealthy ones: no surplus to scale in. */
uint32_t replace_standing(const struct rollout_counts *counts);

/* So many kept unhealthy ones may go: their replacements are known to be healthy, or not to be. */
uint32_t replace_over(const struct rollout_counts *counts);

/* How many replacements may start beside what the desired count lacks, which comes first. */
uint32_t replace_starts(const struct rollout_counts *counts, struct rollout_bounds bounds);

/* How many tasks may start of old revisions whose tasks are unhealthy, after all of the above. */
uint32_t replace_own_starts(const struct rollout_counts *counts, struct rollout_bounds bounds);

/* How many of the old tasks that are not RUNNING yet are such: they are not stopped. */
uint32_t replace_own_standing(const struct rollout_counts *counts, struct rollout_bounds bounds);

/* Whose tasks lack a replacement that cannot start before one of them is stopped. */
struct replace_first {
    bool kept, outgoing;
};

/* One unhealthy task of those named may go now; none while anything is on its way. */
struct replace_first replace_stops_first(const struct rollout_counts *counts,
                                         struct rollout_bounds bounds);

/* One would have to go, but the floor does not allow it, and nothing is on its way. */
bool replace_is_stuck(const struct rollout_counts *counts, struct rollout_bounds bounds);

#endif
