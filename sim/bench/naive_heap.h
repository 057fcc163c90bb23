/*
 * naive_heap.h -- the event queue as everyone writes it first: a binary heap, and a good one.
 *
 * Sixteen bytes an entry (time, insertion, where the event lies), holes instead of swaps. The same
 * total order as sim/engine/queue.h, which is measured against it.
 */
#ifndef BERTH_SIM_BENCH_NAIVE_HEAP_H
#define BERTH_SIM_BENCH_NAIVE_HEAP_H

#include "scheduler/base/mem.h"
#include "sim/engine/queue.h"

struct naive_heap_entry {
    berth_ns at_ns;
    uint32_t sequence, slot;
};

/* Zero-initialised is a valid empty heap. */
struct naive_heap {
    VEC(struct naive_heap_entry) entries;
    VEC(struct sim_event) events;
    VEC(uint32_t) free_slots;
    uint32_t sequence;
};

void naive_heap_free(struct naive_heap *heap);
void naive_heap_put(struct naive_heap *heap, berth_ns at_ns, struct sim_event event);
bool naive_heap_take(struct naive_heap *heap, berth_ns *at_ns, struct sim_event *event);

#endif
