/*
 * rebalance.h -- the arithmetic of availability zone rebalancing (semantics 4.10, U19).
 *
 * `tasks` are a service's tasks by zone, one entry for each zone that counts. One task is moved at
 * a time, from the fullest zone to the emptiest that takes it, and only where that makes the two
 * more even. Each move lowers the sum of squares, so moving ends, and a balanced service is left
 * alone.
 */
#ifndef BERTH_SCHEDULER_POLICY_REBALANCE_H
#define BERTH_SCHEDULER_POLICY_REBALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every zone has floor(D/Z) or ceil(D/Z) tasks. */
bool rebalance_is_balanced(const uint32_t *tasks, size_t zone_count);

/* The zone that gives a task: the fullest, the first of equals. There must be a zone. */
size_t rebalance_from(const uint32_t *tasks, size_t zone_count);

/*
 * The zone that gets one: the emptiest, the first of equals, that is not `is_full` and has at least
 * two tasks fewer than the fullest; SIZE_MAX when there is none.
 */
size_t rebalance_to(const uint32_t *tasks, const bool *is_full, size_t zone_count);

#endif
