/*
 * One pass, from counts alone:
 *
 *              floor L                      ceiling U
 *     0 ---------|--------------|--------------|------> tasks
 *                   healthy        not STOPPED
 *                <- budget ->      <- room ---->
 *
 * What is outgoing may be stopped as long as the healthy tasks that remain do not fall below L;
 * what the PRIMARY deployment lacks may be started as long as everything that still holds resources
 * stays within U. Stops come before starts (U8), which is how 50/200 uses its budget before its
 * room.
 */
#include "scheduler/policy/rollout.h"

#include "scheduler/policy/replace.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

struct rollout_bounds rollout_bounds(uint32_t desired, uint32_t minimum_percent,
                                     uint32_t maximum_percent)
{
    uint64_t lower = ((uint64_t)desired * minimum_percent + 99) / 100;
    uint64_t upper = (uint64_t)desired * maximum_percent / 100;
    return (struct rollout_bounds){(uint32_t)lower,
                                   upper > UINT32_MAX ? UINT32_MAX : (uint32_t)upper};
}

struct rollout_stops rollout_stops(const struct rollout_counts *counts,
                                   struct rollout_bounds bounds)
{
    struct rollout_stops stops = {0};
    uint32_t healthy = counts->kept_healthy + counts->outgoing_healthy;
    if (counts->kept > counts->desired)
        stops.surplus = counts->kept - counts->desired - replace_standing(counts);
    /* Scale-in chooses by its own order (1.6): any kept healthy task may be among the surplus. */
    healthy -= least(stops.surplus, counts->kept_healthy);
    stops.pending = counts->outgoing_pending > 0;
    stops.young = counts->outgoing_young > 0 && healthy >= bounds.lower;
    if (healthy > bounds.lower)
        stops.healthy = least(healthy - bounds.lower, counts->outgoing_healthy);
    return stops;
}

struct rollout_stops rollout_stops_stalled(const struct rollout_counts *counts,
                                           struct rollout_bounds bounds)
{
    struct rollout_stops stops = {0};
    uint32_t alive =
        counts->kept + counts->outgoing_pending + counts->outgoing_young + counts->outgoing_healthy;
    uint32_t excess = alive > bounds.upper ? alive - bounds.upper : 0;
    stops.surplus = least(excess, counts->kept);
    excess -= stops.surplus;
    stops.healthy = least(excess, counts->outgoing_healthy);
    stops.pending = stops.young = excess > stops.healthy;
    return stops;
}

uint32_t rollout_starts(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    if (counts->kept >= counts->desired || counts->counted >= bounds.upper)
        return 0;
    return least(counts->desired - counts->kept, bounds.upper - counts->counted);
}

bool rollout_is_deadlocked(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    uint32_t outgoing = counts->outgoing_healthy;
    uint32_t healthy = counts->kept_healthy + outgoing;
    bool in_transit = counts->counted != healthy;
    return counts->desired > 0 && outgoing > 0 && !in_transit && counts->counted >= bounds.upper &&
           healthy <= bounds.lower;
}

berth_ns throttle_delay_ns(uint32_t failures)
{
    berth_ns delay_ns = THROTTLE_FIRST_NS;
    if (failures < THROTTLE_FAILURES)
        return 0;
    for (uint32_t k = THROTTLE_FAILURES; k < failures && delay_ns < THROTTLE_MAX_NS; k++)
        delay_ns *= 2;
    return delay_ns < THROTTLE_MAX_NS ? delay_ns : THROTTLE_MAX_NS;
}
