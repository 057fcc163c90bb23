/*
 * binpack -- least remaining of one resource that still fits (semantics 1.5).
 *
 *     score = remaining(cpu | memory)
 *
 * Before placing or after makes no difference to the order: the demand is the same everywhere.
 * Scale-in: the task whose instance has the most left once it is gone.
 */
#include "scheduler/placement/strategy.h"

static int64_t score(const struct strategy_view *view, instance_id id)
{
    return view->field == FIELD_CPU ? view_cpu_remaining(view, id) : view_mem_remaining(view, id);
}

const struct strategy strategy_binpack = {
    .name = "binpack",
    .fields = FIELD_CPU | FIELD_MEMORY,
    .score = score,
    .order = ORDER_AMOUNT,
};
