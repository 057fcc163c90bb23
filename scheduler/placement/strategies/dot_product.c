/*
 * dotProduct -- the instance whose free resources point the way the demand points (the alignment
 * score of Grandl et al., SIGCOMM 2014), over CPU, memory and GPU.
 *
 *     score = - sum over r of (demand_r / registered_r) * (remaining_r / registered_r)
 *
 * A CPU-heavy task thus goes where CPU abounds and leaves memory to others. Every factor is at most
 * 1024 whole instances (shares_of), so the sum of three products stays below 2^62.
 * Scale-in: the task whose instance would attract it least.
 */
#include "scheduler/base/units.h"
#include "scheduler/placement/shares.h"
#include "scheduler/placement/strategy.h"

static int64_t product(int64_t demand, int64_t remaining, int32_t registered)
{
    return shares_of(demand, registered) * shares_of(remaining, registered);
}

static int64_t gpu_product(const struct strategy_view *view, const struct instance *instance)
{
    int64_t demand_milli = demand_gpu_milli(view->demand);
    int64_t free_milli = view->is_scale_in ? demand_milli : 0;
    if (demand_milli == 0)
        return 0;
    for (uint16_t device = 0; device < instance->gpu_count; device++)
        free_milli += instance->gpu_free_milli[device];
    return product(demand_milli, free_milli, instance->gpu_count * BERTH_GPU_MILLI);
}

static int64_t score(const struct strategy_view *view, instance_id id)
{
    const struct instance *instance = cluster_instance(view->cluster, id);
    return -(
        product(view->demand->cpu_units, view_cpu_remaining(view, id), instance->cpu_registered) +
        product(view->demand->mem_mib, view_mem_remaining(view, id), instance->mem_registered) +
        gpu_product(view, instance));
}

const struct strategy strategy_dot_product = {
    .name = "dotProduct",
    .score = score,
    .order = ORDER_ALIGNED,
};
