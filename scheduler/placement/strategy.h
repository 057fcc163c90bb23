/*
 * strategy.h -- what a placement strategy is. To add one: write strategies/NAME.c like the others
 * (a score and its description), and add a row to the list below. Nothing else.
 *
 * A chain is narrowed step by step: of the candidates that the steps before left, a step keeps
 * those with the lowest score. A step that draws first takes `draws` different candidates from its
 * stream and scores only these. Scale-in turns the score round: of the tasks that may go, a step
 * keeps those whose instance would score highest, were the task (whose resources then count as
 * returned) to be placed there again. So placing and stopping follow from one function.
 *
 * Scores are integers and depend on one instance alone, not on which others are candidates.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_STRATEGY_H
#define BERTH_SCHEDULER_PLACEMENT_STRATEGY_H

#include "scheduler/base/map.h"
#include "scheduler/model/values.h"

#define STRATEGY_LIST(ROW)         \
    ROW(binpack, "binpack")        \
    ROW(spread, "spread")          \
    ROW(random, "random")          \
    ROW(first_fit, "firstFit")     \
    ROW(best_fit, "bestFit")       \
    ROW(worst_fit, "worstFit")     \
    ROW(dot_product, "dotProduct") \
    ROW(two_choices, "twoChoices")

/* Fields a strategy may be given; a strategy names its own as a sum. */
enum strategy_field {
    FIELD_NONE = 0,
    FIELD_CPU = 1,       /* "cpu", any case */
    FIELD_MEMORY = 2,    /* "memory", any case */
    FIELD_INSTANCE = 4,  /* "instanceId" or "host" */
    FIELD_ATTRIBUTE = 8, /* "attribute:NAME" */
    FIELD_IGNORED = 16,  /* whatever is given has no effect, as ECS has it for random */
};

/* One step of a chain at one choice: all that a score may look at. */
struct strategy_view {
    const struct cluster *cluster;
    const struct demand *demand; /* of the task to be placed, or of the one to be stopped */
    group_id group;
    enum strategy_field field;
    symbol attribute;                 /* FIELD_ATTRIBUTE */
    bool is_scale_in;                 /* the demand is still charged; count it as returned */
    tracked_id tracked;               /* the attribute's counters, or TRACKED_NONE: */
    const struct map *tasks_by_value; /* the group's tasks by value's symbol */
};

/* The order in which the index can serve candidates best first (index.h). */
enum strategy_order {
    ORDER_NONE = 0, /* no fast way: scan */
    ORDER_ID,       /* the lowest id wins outright */
    ORDER_AMOUNT,   /* by remaining CPU or memory, as the field says: that is the score */
    ORDER_SHARES,   /* by free CPU and memory together, ascending */
    ORDER_SHARES_DESCENDING,
    ORDER_GROUP,   /* by tasks of the group on the instance, when the field is the instance */
    ORDER_ALIGNED, /* by the product with the demand: bounded by free CPU and memory together */
};

struct strategy {
    const char *name;
    unsigned fields; /* the ones it takes; 0: none */
    unsigned draws;  /* 0: scores all */
    int64_t (*score)(const struct strategy_view *view, instance_id id); /* NULL: all equal */
    enum strategy_order order;
};

/* One compiled step of a plan. */
struct strategy_step {
    const struct strategy *strategy;
    enum strategy_field field;
    symbol attribute;
};

#define STRATEGY_DECLARE(id, type) extern const struct strategy strategy_##id;
STRATEGY_LIST(STRATEGY_DECLARE)
#undef STRATEGY_DECLARE

const struct strategy *strategy_find(const char *name); /* NULL when there is none */

/* What would be left for the demand: while scaling in, with its own part returned. */
static inline int64_t view_cpu_remaining(const struct strategy_view *view, instance_id id)
{
    return (int64_t)cluster_instance(view->cluster, id)->cpu_remaining +
           (view->is_scale_in ? view->demand->cpu_units : 0);
}

static inline int64_t view_mem_remaining(const struct strategy_view *view, instance_id id)
{
    return (int64_t)cluster_instance(view->cluster, id)->mem_remaining +
           (view->is_scale_in ? view->demand->mem_mib : 0);
}

#endif
