/*
 * twoChoices -- draw two different candidates, keep the less reserved (Azar et al. 1994;
 * Mitzenmacher 1996): nearly as even as looking at all, for two looks.
 *
 *     score = - (cpu remaining / cpu registered + memory remaining / memory registered)
 *
 * Equals are settled by the tie-break of all placement. Scale-in: of two tasks drawn, the one on
 * the more reserved instance.
 */
#include "scheduler/placement/shares.h"
#include "scheduler/placement/strategy.h"

static int64_t score(const struct strategy_view *view, instance_id id)
{
    const struct instance *instance = cluster_instance(view->cluster, id);
    return -shares_sum(view_cpu_remaining(view, id), instance->cpu_registered,
                       view_mem_remaining(view, id), instance->mem_registered);
}

const struct strategy strategy_two_choices = {
    .name = "twoChoices",
    .draws = 2,
    .score = score,
};
