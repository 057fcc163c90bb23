/*
 * heap.h -- deadlines of numbered things: a binary heap that can move and remove by handle.
 *
 * A handle is a small dense number (an instance's, a service's); it has at most one key. The order
 * is total: by key, then by handle. Zero-initialised is a valid empty heap. Setting, moving and
 * removing cost O(log n), reading the first O(1).
 */
#ifndef BERTH_SCHEDULER_BASE_HEAP_H
#define BERTH_SCHEDULER_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/mem.h"

struct heap_item {
    int64_t key;
    uint32_t handle;
};

struct heap {
    VEC(struct heap_item) items; /* owned; items[0] is the least */
    VEC(uint32_t) place_of;      /* owned; by handle: index into items + 1, 0 = not there */
};

void heap_free(struct heap *heap);
void heap_set(struct heap *heap, uint32_t handle, int64_t key); /* adds or moves */
void heap_remove(struct heap *heap, uint32_t handle);           /* calm when it is not there */
bool heap_has(const struct heap *heap, uint32_t handle);
bool heap_first(const struct heap *heap, struct heap_item *out); /* false when empty */

/* The least key, or INT64_MAX (BERTH_NS_NEVER): asked for after every step. */
static inline int64_t heap_first_key(const struct heap *heap)
{
    return heap->items.count == 0 ? INT64_MAX : heap->items.items[0].key;
}

void heap_clear(struct heap *heap); /* keeps the memory */

#endif
