/*
 * random -- one candidate, drawn uniformly from the stream of the service or task group.
 *
 * ECS says that the field is not used for random, so one may be given and has no effect.
 * Scale-in: one task, drawn uniformly.
 */
#include "scheduler/placement/strategy.h"

const struct strategy strategy_random = {
    .name = "random",
    .fields = FIELD_IGNORED,
    .draws = 1,
};
