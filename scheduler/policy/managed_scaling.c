#include "scheduler/policy/managed_scaling.h"

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* M, with N > 0. */
static uint64_t needed(const struct scaling_counts *counts, const struct scaling_bounds *bounds)
{
    if (!counts->waits)
        return counts->busy;
    return (uint64_t)counts->in_service + clamp(counts->need, bounds->step_min, bounds->step_max);
}

uint64_t scaling_reservation_milli(const struct scaling_counts *counts,
                                   const struct scaling_bounds *bounds)
{
    if (counts->in_service == 0)
        return counts->waits ? 200000 : 100000;
    return needed(counts, bounds) * 100000 / counts->in_service;
}

/* From M itself: N x CPR would round twice. */
uint32_t scaling_desired(const struct scaling_counts *counts, const struct scaling_bounds *bounds)
{
    if (counts->in_service == 0)
        return counts->waits ? SCALING_FIRST_INSTANCES : 0;
    uint64_t desired =
        (needed(counts, bounds) * 100 + bounds->target_percent - 1) / bounds->target_percent;
    return desired > UINT32_MAX ? UINT32_MAX : (uint32_t)desired;
}

uint32_t scaling_removals(uint32_t in_service, uint32_t desired)
{
    if (desired >= in_service)
        return 0;
    uint32_t half = in_service / 2 > 0 ? in_service / 2 : 1;
    return in_service - desired < half ? in_service - desired : half;
}

static bool fits(const struct scaling_size *each, const struct scaling_size *machine)
{
    return each->cpu_units <= machine->cpu_units && each->mem_mib <= machine->mem_mib &&
           each->gpu_milli <= machine->gpu_milli &&
           (each->interfaces == 0 || machine->interfaces == 0 ||
            each->interfaces <= machine->interfaces);
}

static uint64_t at_most(uint64_t count, int64_t each, int64_t there)
{
    uint64_t room = each > 0 ? (uint64_t)(there / each) : count;
    return room < count ? room : count;
}

uint32_t scaling_need(const struct scaling_group *group, const struct scaling_size *smallest,
                      const struct scaling_size *largest)
{
    if (group->count == 0 || !fits(&group->each, smallest))
        return 0;
    uint64_t per_machine = group->one_each ? 1 : UINT32_MAX;
    per_machine = at_most(per_machine, group->each.cpu_units, largest->cpu_units);
    per_machine = at_most(per_machine, group->each.mem_mib, largest->mem_mib);
    per_machine = at_most(per_machine, group->each.gpu_milli, largest->gpu_milli);
    if (largest->interfaces > 0)
        per_machine = at_most(per_machine, group->each.interfaces, largest->interfaces);
    return per_machine == 0 ? 0 : (uint32_t)((group->count + per_machine - 1) / per_machine);
}
