#include "scheduler/base/heap.h"

void heap_free(struct heap *heap)
{
    vec_free(&heap->items);
    vec_free(&heap->place_of);
}

void heap_clear(struct heap *heap)
{
    for (size_t i = 0; i < heap->items.count; i++)
        heap->place_of.items[heap->items.items[i].handle] = 0;
    vec_clear(&heap->items);
}

static bool is_before(struct heap_item a, struct heap_item b)
{
    return a.key != b.key ? a.key < b.key : a.handle < b.handle;
}

static void put(struct heap *heap, size_t at, struct heap_item item)
{
    heap->items.items[at] = item;
    heap->place_of.items[item.handle] = (uint32_t)at + 1;
}

static size_t sift_up(struct heap *heap, size_t at, struct heap_item item)
{
    while (at > 0 && is_before(item, heap->items.items[(at - 1) / 2])) {
        put(heap, at, heap->items.items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return at;
}

static size_t sift_down(struct heap *heap, size_t at, struct heap_item item)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->items.count)
            return at;
        if (child + 1 < heap->items.count &&
            is_before(heap->items.items[child + 1], heap->items.items[child]))
            child++;
        if (!is_before(heap->items.items[child], item))
            return at;
        put(heap, at, heap->items.items[child]);
        at = child;
    }
}

bool heap_has(const struct heap *heap, uint32_t handle)
{
    return handle < heap->place_of.count && heap->place_of.items[handle] != 0;
}

void heap_set(struct heap *heap, uint32_t handle, int64_t key)
{
    struct heap_item item = {key, handle};
    size_t at;
    while (heap->place_of.count <= handle)
        *vec_push(&heap->place_of) = 0;
    if (heap->place_of.items[handle] != 0) {
        at = heap->place_of.items[handle] - 1;
        if (heap->items.items[at].key == key)
            return;
    } else {
        at = heap->items.count;
        (void)vec_push(&heap->items);
    }
    heap->items.items[at] = item;
    at = sift_up(heap, at, item);
    put(heap, sift_down(heap, at, item), item);
}

void heap_remove(struct heap *heap, uint32_t handle)
{
    if (!heap_has(heap, handle))
        return;
    size_t at = heap->place_of.items[handle] - 1;
    heap->place_of.items[handle] = 0;
    struct heap_item last = heap->items.items[--heap->items.count];
    if (last.handle == handle)
        return;
    at = sift_up(heap, at, last);
    put(heap, sift_down(heap, at, last), last);
}

bool heap_first(const struct heap *heap, struct heap_item *out)
{
    if (heap->items.count == 0)
        return false;
    *out = heap->items.items[0];
    return true;
}
