/*
 * queue.h -- the pending events of a simulation, in a total order.
 *
 * Ordered by (time, insertion): equal times leave in the order in which they were put in, so a run
 * never depends on how the queue keeps them. A pending event takes 32 bytes: its time and 24 of
 * the caller's. Putting and taking cost O(1), whatever the delays are. A time before that of the
 * last event taken is kept in order too, but is searched for among the next ones: no simulation
 * does that.
 */
#ifndef BERTH_SIM_ENGINE_QUEUE_H
#define BERTH_SIM_ENGINE_QUEUE_H

#include <stdbool.h>

#include "scheduler/base/units.h"

/* What happens, to the driver: a kind and what it concerns. */
struct sim_event {
    uint32_t kind;
    uint32_t a; /* host, source, timeline entry ... */
    uint64_t b; /* task, token, generation ... */
    uint64_t c;
};

/* As it is pending: the key rises with the time. */
struct sim_entry {
    uint64_t key;
    struct sim_event event;
};

struct sim_queue;

struct sim_queue *sim_queue_create(void);
void sim_queue_destroy(struct sim_queue *queue);
void sim_queue_put(struct sim_queue *queue, berth_ns at_ns, struct sim_event event);
bool sim_queue_peek(struct sim_queue *queue, berth_ns *at_ns); /* false when empty */
bool sim_queue_take(struct sim_queue *queue, berth_ns *at_ns, struct sim_event *event);
uint64_t sim_queue_count(const struct sim_queue *queue);

/*
 * Events that will be taken soon, in order, and how many; the others lie farther away. Only a hint,
 * to prefetch what they will touch: events put meanwhile may come before them. Lent until the queue
 * is next changed.
 */
const struct sim_entry *sim_queue_ahead(const struct sim_queue *queue, uint32_t *count);

#endif
