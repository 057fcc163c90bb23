/*
 * firstFit -- the candidate with the smallest instance id (Johnson 1973), to compare with.
 *
 *     score = number of the instance, which ascends with its id
 *
 * Scale-in: the task on the largest id.
 */
#include "scheduler/placement/strategy.h"

static int64_t score(const struct strategy_view *view, instance_id id)
{
    (void)view;
    return id;
}

const struct strategy strategy_first_fit = {
    .name = "firstFit",
    .score = score,
    .order = ORDER_ID,
};
