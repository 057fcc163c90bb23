/*
 * what_if.h -- questions to a cluster as it stands: where would this task go, where would the tasks
 * of this instance go, and why not elsewhere?
 *
 * Asked on the live state under its journal, never on a copy: when an answer is there, every
 * instance, counter and random stream is again as it was. What is asked is what is done in earnest
 * (placement_choose), so the answer is what would happen. A question costs its placements, and a
 * refusal one look at every instance's figures to count the causes.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_WHAT_IF_H
#define BERTH_SCHEDULER_PLACEMENT_WHAT_IF_H

#include "scheduler/placement/placement.h"

struct what_if_answer {
    instance_id to; /* INSTANCE_NONE: no instance takes it, and: */
    instance_id closest;
    enum placement_verdict closest_why;
    /* Instances by the first check that fails; those at PLACEMENT_FITS could take it. */
    uint32_t causes[PLACEMENT_VERDICT_COUNT];
};

/* Where one task would go, and how many instances refuse it for which cause. */
struct what_if_answer what_if_place(struct cluster *cluster,
                                    const struct placement_request *request);

struct what_if_mover {
    struct placement_request request; /* requests of one group lend one stream */
    uint32_t leaves; /* tasks of its group on the instance that are told to stop before it */
};

/*
 * `leaving` is set to DRAINING, then each mover is placed in turn: tasks that stand there keep what
 * they hold until their replacements run. Causes and the closest instance are those of refusals
 * only. `verdicts`, when not NULL, gets one verdict per instance for the first one refused.
 */
void what_if_drain(struct cluster *cluster, instance_id leaving, const struct what_if_mover *movers,
                   size_t mover_count, struct what_if_answer *answers,
                   enum placement_verdict *verdicts);

#endif
