/*
 * share.h -- which capacity provider of a strategy takes the next task, and which gives one back.
 *
 * Rules: semantics 5.1 and U14. The base is filled first; then the provider that is furthest behind
 * its weight is next. Shrinking takes from the one that is furthest above its share, so that
 * growing and shrinking by the same number leaves the ratio where it was.
 */
#ifndef BERTH_SCHEDULER_POLICY_SHARE_H
#define BERTH_SCHEDULER_POLICY_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARES_MAX 20 /* providers of a strategy, and of a cluster */
#define SHARE_WEIGHT_MAX 1000
#define SHARE_BASE_MAX 100000

struct share {
    uint32_t weight; /* 0..1000 */
    uint32_t base;   /* at most one item has one */
    uint32_t count;  /* tasks that it has */
};

/* NULL when the strategy is sound, else what is wrong with it and how to mend it. */
const char *share_check(const struct share *shares, size_t count);

/* The item for one task more: the one with a base not filled, else the least count per weight. */
size_t share_choose(const struct share *shares, size_t count);

/* True when the item that share_choose gave takes the task for its base. */
bool share_is_for_base(const struct share *share);

/* The item to take a task from, among those that have one; SIZE_MAX: none has. */
size_t share_shrink(const struct share *shares, size_t count);

#endif
