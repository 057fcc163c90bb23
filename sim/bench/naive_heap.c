#include "sim/bench/naive_heap.h"

void naive_heap_free(struct naive_heap *heap)
{
    vec_free(&heap->entries);
    vec_free(&heap->events);
    vec_free(&heap->free_slots);
}

static bool is_before(const struct naive_heap_entry *a, const struct naive_heap_entry *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->sequence < b->sequence);
}

static uint32_t take_slot(struct naive_heap *heap)
{
    if (heap->free_slots.count > 0)
        return heap->free_slots.items[--heap->free_slots.count];
    (void)vec_push(&heap->events);
    return (uint32_t)heap->events.count - 1;
}

void naive_heap_put(struct naive_heap *heap, berth_ns at_ns, struct sim_event event)
{
    struct naive_heap_entry entry = {at_ns, heap->sequence++, take_slot(heap)};
    heap->events.items[entry.slot] = event;
    (void)vec_push(&heap->entries);
    struct naive_heap_entry *entries = heap->entries.items;
    size_t at = heap->entries.count - 1;
    for (; at > 0 && is_before(&entry, &entries[(at - 1) / 2]); at = (at - 1) / 2)
        entries[at] = entries[(at - 1) / 2];
    entries[at] = entry;
}

bool naive_heap_take(struct naive_heap *heap, berth_ns *at_ns, struct sim_event *event)
{
    if (heap->entries.count == 0)
        return false;
    struct naive_heap_entry *entries = heap->entries.items;
    *at_ns = entries[0].at_ns;
    *event = heap->events.items[entries[0].slot];
    *vec_push(&heap->free_slots) = entries[0].slot;
    size_t count = --heap->entries.count, at = 0;
    struct naive_heap_entry last = entries[count];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_before(&entries[child + 1], &entries[child]))
            child++;
        if (is_before(&last, &entries[child]))
            break;
        entries[at] = entries[child];
    }
    entries[at] = last;
    return true;
}
