/*
 * bench_queue.c -- the event queue under the hold model, against a plain binary heap.
 *
 * Hold: a queue of steady size; take the first event, put one back a random time later (Jones
 * 1986). The plain heap holds whole events and compares (time, sequence) field by field. Both must
 * give the same order of events, which is checked by a sum over it.
 */
#include <stdio.h>
#include <time.h>

#include "scheduler/base/mem.h"
#include "sim/engine/queue.h"

struct entry {
    berth_ns at;
    uint64_t sequence;
    struct sim_event event;
};

struct heap {
    struct entry *entries;
    size_t count, capacity;
    uint64_t sequence;
};

static int is_before(const struct entry *a, const struct entry *b)
{
    return a->at < b->at || (a->at == b->at && a->sequence < b->sequence);
}

static void heap_put(struct heap *heap, berth_ns at, struct sim_event event)
{
    if (heap->count == heap->capacity)
        heap->entries =
            mem_grow(heap->entries, &heap->capacity, heap->count + 1, sizeof *heap->entries);
    struct entry entry = {at, heap->sequence++, event};
    size_t i = heap->count++;
    for (; i > 0 && is_before(&entry, &heap->entries[(i - 1) / 2]); i = (i - 1) / 2)
        heap->entries[i] = heap->entries[(i - 1) / 2];
    heap->entries[i] = entry;
}

static void heap_take(struct heap *heap, berth_ns *at, struct sim_event *event)
{
    *at = heap->entries[0].at;
    *event = heap->entries[0].event;
    struct entry last = heap->entries[--heap->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < heap->count; i = child) {
        if (child + 1 < heap->count && is_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (is_before(&last, &heap->entries[child]))
            break;
        heap->entries[i] = heap->entries[child];
    }
    heap->entries[i] = last;
}

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* A cheap generator, so that what is measured is the queue. */
static uint64_t step(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

enum { HOLDS = 2000000 };

static double hold_queue(size_t size, uint64_t *check)
{
    struct sim_queue *queue = sim_queue_create();
    uint64_t state = 1;
    for (size_t i = 0; i < size; i++)
        sim_queue_put(queue, (berth_ns)(step(&state) % 1000000), (struct sim_event){1, 2, i, 3});
    double begin = cpu_seconds();
    for (int i = 0; i < HOLDS; i++) {
        berth_ns at;
        struct sim_event event;
        (void)sim_queue_take(queue, &at, &event);
        *check = *check * 31 + event.b;
        sim_queue_put(queue, at + (berth_ns)(step(&state) % 1000000), event);
    }
    double seconds = cpu_seconds() - begin;
    sim_queue_destroy(queue);
    return seconds;
}

static double hold_heap(size_t size, uint64_t *check)
{
    struct heap heap = {NULL, 0, 0, 0};
    uint64_t state = 1;
    for (size_t i = 0; i < size; i++)
        heap_put(&heap, (berth_ns)(step(&state) % 1000000), (struct sim_event){1, 2, i, 3});
    double begin = cpu_seconds();
    for (int i = 0; i < HOLDS; i++) {
        berth_ns at;
        struct sim_event event;
        heap_take(&heap, &at, &event);
        *check = *check * 31 + event.b;
        heap_put(&heap, at + (berth_ns)(step(&state) % 1000000), event);
    }
    double seconds = cpu_seconds() - begin;
    mem_free(heap.entries);
    return seconds;
}

int main(void)
{
    static const size_t sizes[] = {100, 1000, 10000, 100000, 1000000};
    printf("event queue, hold model (one take and one put), CPU time\n");
    printf("%10s %12s %12s %8s\n", "pending", "queue Mop/s", "binary heap", "ratio");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t check[2] = {0, 0};
        double queue = hold_queue(sizes[i], &check[0]), heap = hold_heap(sizes[i], &check[1]);
        if (check[0] != check[1]) {
            printf("the two give different orders\n");
            return 1;
        }
        /* an operation is a take or a put */
        printf("%10zu %12.1f %12.1f %8.2f\n", sizes[i], 2 * HOLDS / queue * 1e-6,
               2 * HOLDS / heap * 1e-6, heap / queue);
    }
    printf("checked: both leave in the same total order\n");
    return 0;
}
