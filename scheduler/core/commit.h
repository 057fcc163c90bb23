/*
 * commit.h -- one step's changes as a batch of store writes.
 *
 * A record that changed several times in the step is written once, as it is after the step: what
 * the changes say in between was never to be seen.
 */
#ifndef BERTH_SCHEDULER_CORE_COMMIT_H
#define BERTH_SCHEDULER_CORE_COMMIT_H

#include "scheduler/core/controller.h"
#include "scheduler/store/store.h"

struct commit {
    struct store_write *items; /* owned; in the order of each record's last change */
    size_t count;
    size_t capacity;
    struct text bytes;            /* keys and values, each with its NUL */
    struct commit_entry *entries; /* owned; one per change */
    size_t entry_capacity;
};

/* Fills `commit` from the changes among `actions`. What it points to is lent until the next call.
 */
void commit_encode(struct commit *commit, const struct controller *controller,
                   const struct action_list *actions);
void commit_free(struct commit *commit);

#endif
