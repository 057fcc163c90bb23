/* plan.h -- a compiled chain with its constraints, as the files of placement see it. */
#ifndef BERTH_SCHEDULER_PLACEMENT_PLAN_H
#define BERTH_SCHEDULER_PLACEMENT_PLAN_H

#include "scheduler/placement/expression.h"
#include "scheduler/placement/placement.h"
#include "scheduler/placement/strategy.h"

struct required_attribute {
    symbol name;
    symbol value; /* SYMBOL_NONE: any */
};

struct placement_plan {
    struct strategy_step steps[PLACEMENT_STRATEGIES_MAX];
    size_t step_count; /* >= 1: defaults are filled in */
    bool is_distinct_instance;
    struct required_attribute *required; /* owned */
    size_t required_count;
    symbol required_filter; /* the same for plans that require the same */
    struct expression *expressions[PLACEMENT_CONSTRAINTS_MAX]; /* owned; all must hold */
    bool is_dynamic[PLACEMENT_CONSTRAINTS_MAX]; /* not told by ids and attributes alone */
    size_t expression_count, dynamic_count;
    symbol member_filter; /* the same for plans whose other expressions are the same */
};

/* "spread(attribute:rack)", for people; cut when longer than the room. */
void strategy_step_format(const struct symbols *symbols, const struct strategy_step *step,
                          char *out, size_t out_bytes);

#endif
