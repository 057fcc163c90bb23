/*
 * bench_queue.c -- the event queue under the hold model (Jones 1986): a queue of steady size; take
 * the first event, put one back some time later.
 *
 * The delays are those of a simulated cluster: messages, starts and stops, lifetimes, timers of one
 * length, and some that are due at once, so that many times are equal. They are drawn before, and
 * the same for the queue and the binary heap. What is pending at first is what is pending after
 * hours: an event is met there in proportion to its delay, somewhere on its way.
 */
#include <math.h>

#include "sim/bench/lines.h"

#include "scheduler/base/mem.h"
#include "sim/bench/naive_heap.h"

enum { DELAYS = 1 << 16, SLICES = 10 };

static berth_ns draw_delay(struct bench_dice *dice)
{
    uint32_t kind = bench_roll(dice, 100);
    if (kind < 40) /* messages: 1 to 50 ms */
        return (1 + bench_roll(dice, 50000)) * (BERTH_NS_PER_MS / 1000);
    if (kind < 65) /* pulls, starts, stops: up to a minute */
        return bench_roll(dice, 60000) * BERTH_NS_PER_MS;
    if (kind < 85) /* lifetimes: up to twenty minutes */
        return bench_roll(dice, 1200000) * BERTH_NS_PER_MS;
    return kind < 95 ? 30 * BERTH_NS_PER_S : 0; /* timers of one length, and at once */
}

static berth_ns draw_remaining(struct bench_dice *dice)
{
    const uint32_t longest_ms = 1200000;
    uint32_t delay_ms;
    do
        delay_ms = (uint32_t)(draw_delay(dice) / BERTH_NS_PER_MS);
    while (bench_roll(dice, longest_ms) >= delay_ms);
    return bench_roll(dice, delay_ms) * BERTH_NS_PER_MS;
}

struct hold {
    berth_ns *first;  /* of the pending events */
    berth_ns *delays; /* DELAYS, taken in turn */
    uint32_t pending;
};

/* Everything is drawn from `seed`. */
static struct hold hold_open(uint64_t seed, uint32_t pending)
{
    struct bench_dice dice = {seed};
    struct hold hold = {.first = mem_alloc(pending * sizeof *hold.first),
                        .delays = mem_alloc(DELAYS * sizeof *hold.delays),
                        .pending = pending};
    for (uint32_t i = 0; i < pending; i++)
        hold.first[i] = draw_remaining(&dice);
    for (uint32_t i = 0; i < DELAYS; i++)
        hold.delays[i] = draw_delay(&dice);
    return hold;
}

static void hold_close(struct hold *hold)
{
    mem_free(hold->first);
    mem_free(hold->delays);
}

/* The queue, or the heap, and how far it is. */
struct held {
    struct sim_queue *queue;
    struct naive_heap heap;
    uint32_t done;
    uint64_t order; /* sums up which event left when */
};

static struct held hold_queue(const struct hold *hold)
{
    struct held held = {.queue = sim_queue_create()};
    for (uint32_t i = 0; i < hold->pending; i++)
        sim_queue_put(held.queue, hold->first[i], (struct sim_event){1, 2, i, 3});
    return held;
}

static struct held hold_heap(const struct hold *hold)
{
    struct held held = {.queue = NULL};
    for (uint32_t i = 0; i < hold->pending; i++)
        naive_heap_put(&held.heap, hold->first[i], (struct sim_event){1, 2, i, 3});
    return held;
}

static void let_go(struct held *held)
{
    sim_queue_destroy(held->queue);
    naive_heap_free(&held->heap);
}

/* Both return seconds. */
static double turn_queue(const struct hold *hold, struct held *held, uint32_t count)
{
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < count; i++) {
        berth_ns at = 0;
        struct sim_event event = {0, 0, 0, 0};
        (void)sim_queue_take(held->queue, &at, &event);
        held->order = held->order * 31 + event.b;
        sim_queue_put(held->queue, at + hold->delays[held->done++ % DELAYS], event);
    }
    return bench_cpu_s() - begin;
}

static double turn_heap(const struct hold *hold, struct held *held, uint32_t count)
{
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < count; i++) {
        berth_ns at = 0;
        struct sim_event event;
        (void)naive_heap_take(&held->heap, &at, &event);
        held->order = held->order * 31 + event.b;
        naive_heap_put(&held->heap, at + hold->delays[held->done++ % DELAYS], event);
    }
    return bench_cpu_s() - begin;
}

/*
 * Slices of the one and of the other in turn, so that both meet the same machine; the ratio is that
 * of their best. What begins is not timed: as many holds as there are events.
 */
static void measure(const struct bench_setting *setting, struct bench_round *round,
                    uint32_t pending)
{
    const uint32_t slice = setting->is_quick ? 100000 : 300000;
    struct hold hold = hold_open(setting->seed, pending);
    struct held queue = hold_queue(&hold), heap = hold_heap(&hold);
    double spent = 0, best_queue = HUGE_VAL, best_heap = HUGE_VAL;
    (void)turn_queue(&hold, &queue, pending);
    (void)turn_heap(&hold, &heap, pending);
    for (uint32_t i = 0; i < SLICES; i++) {
        double queue_s = turn_queue(&hold, &queue, slice);
        double heap_s = turn_heap(&hold, &heap, slice);
        spent += queue_s;
        best_queue = fmin(best_queue, queue_s);
        best_heap = fmin(best_heap, heap_s);
    }
    bench_describe(round, "hold model, %u pending, mixed delays; a hold is a take and a put",
                   (unsigned)pending);
    round->values[0] = SLICES * slice / spent * 1e-6;
    round->ratios[0] = best_heap / best_queue;
    (void)bench_check(round, queue.order == heap.order,
                      "%u events left in the same total order as from the heap",
                      (unsigned)queue.done);
    let_go(&queue);
    let_go(&heap);
    hold_close(&hold);
}

void bench_set_yardstick(struct bench_round *round, double per_second)
{
    const uint32_t slice = 200000;
    struct hold hold = hold_open(1, 100000);
    struct held heap = hold_heap(&hold);
    double best = HUGE_VAL;
    for (uint32_t i = 0; i < SLICES; i++)
        best = fmin(best, turn_heap(&hold, &heap, slice));
    round->ratios[0] = per_second * best / slice;
    let_go(&heap);
    hold_close(&hold);
}

void bench_e1(const struct bench_setting *setting, struct bench_round *round)
{
    measure(setting, round, 100000);
}

void bench_e2(const struct bench_setting *setting, struct bench_round *round)
{
    measure(setting, round, 1000000);
}
