/*
 * queue.c -- an implicit 4-ary heap of keys; the events stay where they are.
 *
 * A key is (time, sequence) as one 128-bit number, so that two keys are compared without a branch
 * and never are equal. Four keys fill a cache line; the first group is placed so that the children
 * of any key share one line (LaMarca and Ladner, "The influence of caches on the performance of
 * heaps", 1996): a level costs one miss, and there are half as many levels as in a binary heap.
 *
 *     index   3 | 4 5 6 7 | 8 9 10 11 | 12 ...       children of i: 4(i-2) .. 4(i-2)+3
 *           root  its four    of 4        of 5       parent of j:   j/4 + 2
 *
 * Taking walks the hole at the root down to the bottom along the smallest children and lets the
 * last key rise from there: it nearly always belongs near the bottom, and the walk needs no
 * comparison with it. A calendar or ladder queue would be O(1), but depends on the spread of times,
 * which a scenario may choose to be anything.
 */
#include "sim/engine/queue.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/mem.h"

__extension__ typedef unsigned __int128 queue_key;

enum { ROOT = 3, LINE_BYTES = 64 };
#define SLOT_NONE UINT32_MAX

struct sim_queue {
    queue_key *keys; /* line-aligned, within key_memory */
    uint32_t *slots; /* slots[i]: where the event of keys[i] is */
    struct sim_event *events;
    void *key_memory;
    uint64_t sequence; /* of the next event put in */
    uint32_t end;      /* one past the last key; ROOT when empty */
    uint32_t capacity; /* of keys and slots */
    uint32_t event_count, event_capacity;
    uint32_t free_slot; /* chained through sim_event.a */
};

/* The sign bit is flipped so that the order of the unsigned keys is that of the signed times. */
static queue_key key_of(berth_ns at_ns, uint64_t sequence)
{
    return (queue_key)((uint64_t)at_ns ^ UINT64_C(1) << 63) << 64 | sequence;
}

static berth_ns time_of(queue_key key)
{
    return (berth_ns)((uint64_t)(key >> 64) ^ UINT64_C(1) << 63);
}

/* realloc does not keep an alignment, so the keys move by hand. */
static void grow(struct sim_queue *queue)
{
    uint32_t capacity = queue->capacity == 0 ? 256 : queue->capacity * 2;
    assert(capacity > queue->capacity);
    char *memory =
        mem_resize(NULL, (size_t)capacity + LINE_BYTES / sizeof(queue_key), sizeof(queue_key));
    size_t skip = (LINE_BYTES - (uintptr_t)memory % LINE_BYTES) % LINE_BYTES;
    queue_key *keys = (queue_key *)(void *)(memory + skip);
    if (queue->capacity > 0)
        memcpy(keys, queue->keys, (size_t)queue->end * sizeof *keys);
    mem_free(queue->key_memory);
    queue->key_memory = memory;
    queue->keys = keys;
    queue->slots = mem_resize(queue->slots, capacity, sizeof *queue->slots);
    queue->capacity = capacity;
}

static uint32_t take_slot(struct sim_queue *queue)
{
    uint32_t slot = queue->free_slot;
    if (slot != SLOT_NONE) {
        queue->free_slot = queue->events[slot].a;
        return slot;
    }
    if (queue->event_count == queue->event_capacity) {
        queue->event_capacity = queue->event_capacity == 0 ? 256 : queue->event_capacity * 2;
        queue->events = mem_resize(queue->events, queue->event_capacity, sizeof *queue->events);
    }
    return queue->event_count++;
}

struct sim_queue *sim_queue_create(void)
{
    struct sim_queue *queue = mem_alloc(sizeof *queue);
    queue->end = ROOT;
    queue->free_slot = SLOT_NONE;
    return queue;
}

void sim_queue_destroy(struct sim_queue *queue)
{
    if (queue == NULL)
        return;
    mem_free(queue->key_memory);
    mem_free(queue->slots);
    mem_free(queue->events);
    mem_free(queue);
}

/* Let `key` rise from the hole `at`. */
static void rise(struct sim_queue *queue, uint32_t at, queue_key key, uint32_t slot)
{
    queue_key *keys = queue->keys;
    uint32_t *slots = queue->slots;
    while (at > ROOT) {
        uint32_t parent = at / 4 + 2;
        if (keys[parent] < key)
            break;
        keys[at] = keys[parent];
        slots[at] = slots[parent];
        at = parent;
    }
    keys[at] = key;
    slots[at] = slot;
}

void sim_queue_put(struct sim_queue *queue, berth_ns at_ns, struct sim_event event)
{
    if (queue->end >= queue->capacity)
        grow(queue);
    uint32_t slot = take_slot(queue);
    queue->events[slot] = event;
    rise(queue, queue->end++, key_of(at_ns, queue->sequence++), slot);
}

bool sim_queue_peek(const struct sim_queue *queue, berth_ns *at_ns)
{
    if (queue->end == ROOT)
        return false;
    *at_ns = time_of(queue->keys[ROOT]);
    return true;
}

/* The smallest of a whole group of four: two halves at once, without a branch to mispredict. */
static uint32_t least_of_four(const queue_key *keys, uint32_t first)
{
    uint32_t left = first + (keys[first + 1] < keys[first]);
    uint32_t right = first + 2 + (keys[first + 3] < keys[first + 2]);
    return keys[right] < keys[left] ? right : left;
}

/* Move the hole at the root down to where it has no children; returns where that is. */
static uint32_t sink_hole(struct sim_queue *queue)
{
    queue_key *keys = queue->keys;
    uint32_t *slots = queue->slots;
    uint32_t hole = ROOT, end = queue->end;
    for (;;) {
        uint64_t first = 4 * ((uint64_t)hole - 2);
        if (first >= end)
            return hole;
        /*
         * Ask for the sixteen keys two levels down. Without a branch nothing is guessed, so a
         * line's address is known only when the line above is there; on heaps beyond the caches
         * this halves the time. (A function that only prefetches is removed by gcc as having no
         * effect.)
         */
        uint64_t below = 4 * (first - 2);
        if (below + 16 <= end) {
            for (uint64_t line = below; line < below + 16; line += 4)
                __builtin_prefetch(&keys[line]);
            __builtin_prefetch(&slots[below]);
        }
        uint32_t least = (uint32_t)first;
        if (first + 4 <= end) {
            least = least_of_four(keys, least);
        } else {
            for (uint32_t child = least + 1; child < end; child++)
                if (keys[child] < keys[least])
                    least = child;
        }
        keys[hole] = keys[least];
        slots[hole] = slots[least];
        hole = least;
    }
}

bool sim_queue_take(struct sim_queue *queue, berth_ns *at_ns, struct sim_event *event)
{
    if (queue->end == ROOT)
        return false;
    uint32_t slot = queue->slots[ROOT];
    *at_ns = time_of(queue->keys[ROOT]);
    *event = queue->events[slot];
    queue->events[slot].a = queue->free_slot;
    queue->free_slot = slot;
    queue->end--;
    if (queue->end > ROOT) {
        queue_key last = queue->keys[queue->end];
        uint32_t last_slot = queue->slots[queue->end];
        rise(queue, sink_hole(queue), last, last_slot);
    }
    return true;
}

uint64_t sim_queue_count(const struct sim_queue *queue)
{
    return queue->end - ROOT;
}
