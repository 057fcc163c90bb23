#include "scheduler/policy/rebalance.h"

#include <assert.h>

size_t rebalance_from(const uint32_t *tasks, size_t zone_count)
{
    size_t from = 0;
    assert(zone_count > 0);
    for (size_t i = 1; i < zone_count; i++)
        if (tasks[i] > tasks[from])
            from = i;
    return from;
}

size_t rebalance_to(const uint32_t *tasks, const bool *is_full, size_t zone_count)
{
    size_t from = rebalance_from(tasks, zone_count), to = SIZE_MAX;
    for (size_t i = 0; i < zone_count; i++)
        if (!is_full[i] && tasks[i] + 2 <= tasks[from] && (to == SIZE_MAX || tasks[i] < tasks[to]))
            to = i;
    return to;
}

/* Floor and ceiling of D/Z differ by one at most, and counts that do are those two. */
bool rebalance_is_balanced(const uint32_t *tasks, size_t zone_count)
{
    for (size_t i = 0; i < zone_count; i++)
        if (tasks[i] + 2 <= tasks[rebalance_from(tasks, zone_count)])
            return false;
    return true;
}
