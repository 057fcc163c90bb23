#include "scheduler/policy/replace.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t surplus_of(const struct rollout_counts *counts)
{
    return counts->kept > counts->desired ? counts->kept - counts->desired : 0;
}

/* Kept ones that are above the desired count and on their way to health. */
static uint32_t hopeful(const struct rollout_counts *counts)
{
    return least(surplus_of(counts), counts->kept - counts->kept_healthy - counts->kept_unhealthy);
}

static uint32_t alive(const struct rollout_counts *counts)
{
    return counts->kept + counts->outgoing_pending + counts->outgoing_young +
           counts->outgoing_healthy;
}

/* How many tasks the floor lacks when every one that is not unhealthy becomes healthy. */
static uint32_t lacking(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    uint32_t good = alive(counts) - counts->kept_unhealthy - counts->outgoing_unhealthy;
    return good < bounds.lower ? bounds.lower - good : 0;
}

uint32_t replace_standing(const struct rollout_counts *counts)
{
    return least(hopeful(counts), counts->kept_unhealthy);
}

uint32_t replace_over(const struct rollout_counts *counts)
{
    return least(counts->kept_unhealthy, surplus_of(counts) - hopeful(counts));
}

uint32_t replace_starts(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    uint32_t lacks = counts->kept < counts->desired ? counts->desired - counts->kept : 0;
    uint32_t room = counts->counted < bounds.upper ? bounds.upper - counts->counted : 0;
    uint32_t wanted = counts->kept_unhealthy - least(counts->kept_unhealthy, surplus_of(counts));
    return least(wanted, room - least(room, lacks));
}

uint32_t replace_own_starts(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    uint32_t room = counts->counted < bounds.upper ? bounds.upper - counts->counted : 0;
    return least(room, least(counts->old_unhealthy, lacking(counts, bounds)));
}

uint32_t replace_own_standing(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    if (counts->kept_healthy + counts->outgoing_healthy >= bounds.lower)
        return 0;
    return least(counts->outgoing_pending, counts->old_unhealthy);
}

/* Whose unhealthy tasks lack a replacement while the ceiling is reached and everything stands. */
static struct replace_first replaceless(const struct rollout_counts *counts,
                                        struct rollout_bounds bounds)
{
    struct replace_first first = {false, false};
    if (counts->desired == 0 || counts->counted < bounds.upper ||
        counts->counted != alive(counts) || counts->kept_pending + counts->outgoing_pending > 0)
        return first;
    first.kept = counts->kept_unhealthy > replace_standing(counts);
    first.outgoing = counts->outgoing_unhealthy > 0 && lacking(counts, bounds) > 0;
    return first;
}

struct replace_first replace_stops_first(const struct rollout_counts *counts,
                                         struct rollout_bounds bounds)
{
    if (alive(counts) <= bounds.lower) /* all of them are RUNNING */
        return (struct replace_first){false, false};
    return replaceless(counts, bounds);
}

bool replace_is_stuck(const struct rollout_counts *counts, struct rollout_bounds bounds)
{
    struct replace_first first = replaceless(counts, bounds);
    return alive(counts) <= bounds.lower && (first.kept || first.outgoing);
}
