/*
 * worstFit -- most left over both CPU and memory after placing, as shares of the instance: bestFit
 * turned round.
 *
 *     score = - ((cpu remaining - demand) / cpu registered + (memory remaining - demand) /
 * registered)
 *
 * Scale-in: the task whose instance is the fullest.
 */
#include "scheduler/placement/shares.h"
#include "scheduler/placement/strategy.h"

static int64_t score(const struct strategy_view *view, instance_id id)
{
    const struct instance *instance = cluster_instance(view->cluster, id);
    return -shares_sum(
        view_cpu_remaining(view, id) - view->demand->cpu_units, instance->cpu_registered,
        view_mem_remaining(view, id) - view->demand->mem_mib, instance->mem_registered);
}

const struct strategy strategy_worst_fit = {
    .name = "worstFit",
    .score = score,
    .order = ORDER_SHARES_DESCENDING,
};
