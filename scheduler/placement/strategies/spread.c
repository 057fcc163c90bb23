/*
 * spread -- where the fewest tasks of the same group stand (semantics 1.5).
 *
 *     score = tasks of the group on all instances with this one's value of the field
 *
 * Tasks count by desiredStatus RUNNING (U2), on every instance that has the value, be it a
 * candidate or not; an instance without the attribute has the empty value (U3). Values that no
 * candidate has play no part. Scale-in: the task at the value with the most.
 */
#include "scheduler/placement/strategy.h"

static int64_t score(const struct strategy_view *view, instance_id id)
{
    if (view->field == FIELD_INSTANCE)
        return cluster_group_tasks_on(view->cluster, view->group, id);
    if (view->tracked != TRACKED_NONE)
        return cluster_tasks_at(view->cluster, view->group, view->tracked,
                                cluster_value_of(view->cluster, view->tracked, id));
    symbol value = cluster_spread_value(view->cluster, id, view->attribute);
    uint32_t tasks = map_get(view->tasks_by_value, value);
    return tasks == MAP_ABSENT ? 0 : tasks;
}

const struct strategy strategy_spread = {
    .name = "spread",
    .fields = FIELD_INSTANCE | FIELD_ATTRIBUTE,
    .score = score,
    .order = ORDER_GROUP,
};
