/*
 * held.h -- effects that wait for their commit: deep copies of actions, first in, first out.
 */
#ifndef BERTH_SCHEDULER_CORE_HELD_H
#define BERTH_SCHEDULER_CORE_HELD_H

#include "scheduler/core/action.h"

struct held {
    uint64_t batch; /* goes out when this batch is durable */
    struct step_time decided;
    struct action action; /* owns all it points to that is lent for a step */
};

struct held_queue {
    struct held *items; /* owned */
    size_t count;       /* with those already taken */
    size_t capacity;
    size_t head; /* index of the first that is not taken */
};

void held_push(struct held_queue *queue, uint64_t batch, struct step_time decided,
               const struct action *action);
/* The oldest, if its batch is at most `durable_batch`, else NULL; lent until dropped. */
const struct held *held_first(const struct held_queue *queue, uint64_t durable_batch);
void held_drop_first(struct held_queue *queue);
void held_clear(struct held_queue *queue); /* drops all, frees the memory */

#endif
