/*
 * history.h -- what happened, for people to read: service events, changes of tasks and instances.
 *
 * A log beside the records, bounded, written in the transaction of the batch it belongs to: a line
 * is there if and only if what it tells is durable. Nothing is ever decided by it.
 */
#ifndef BERTH_SCHEDULER_STORE_HISTORY_H
#define BERTH_SCHEDULER_STORE_HISTORY_H

#include <stdint.h>

struct store_note {
    int64_t wall_ns;
    const char *kind;    /* "service", "task", ...: what kind of thing `subject` is */
    const char *subject; /* its name or number */
    const char *text;    /* one line */
};

struct history_line {
    uint64_t seq; /* rises by one, never again used */
    uint64_t batch;
    struct store_note note;
};

#endif
