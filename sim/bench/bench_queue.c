/*
 * bench_queue.c -- the event queue under the hold model (Jones 1986): a queue of steady size; take
 * the first event, put one back some time later.
 *
 * The delays are those of a simulated cluster: messages, starts and stops, lifetimes, timers of one
 * length, and some that are due at once, so that many times are equal. They are drawn before, and
 * the same for the queue and the binary heap. What is pending at first is what is pending after
 * hours: an event is met there in proportion to its delay, somewhere on its way.
 */
#include "sim/bench/lines.h"

#include "scheduler/base/mem.h"
#include "sim/bench/naive_heap.h"

enum { DELAYS = 1 << 16 };

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
    berth_ns *first;                  /* of the pending events */
    berth_ns *delays;                 /* DELAYS, taken in turn */
    uint32_t pending, warm_up, count; /* holds before, and in, what is timed */
};

/* Seconds; *order sums up which event left when. */
static double hold_queue(const struct hold *hold, uint64_t *order)
{
    struct sim_queue *queue = sim_queue_create();
    for (uint32_t i = 0; i < hold->pending; i++)
        sim_queue_put(queue, hold->first[i], (struct sim_event){1, 2, i, 3});
    double begin = 0;
    for (uint32_t i = 0; i < hold->warm_up + hold->count; i++) {
        berth_ns at = 0;
        struct sim_event event;
        if (i == hold->warm_up)
            begin = bench_cpu_s();
        (void)sim_queue_take(queue, &at, &event);
        *order = *order * 31 + event.b;
        sim_queue_put(queue, at + hold->delays[i % DELAYS], event);
    }
    double spent = bench_cpu_s() - begin;
    sim_queue_destroy(queue);
    return spent;
}

static double hold_heap(const struct hold *hold, uint64_t *order)
{
    struct naive_heap heap = {.sequence = 0};
    for (uint32_t i = 0; i < hold->pending; i++)
        naive_heap_put(&heap, hold->first[i], (struct sim_event){1, 2, i, 3});
    double begin = 0;
    for (uint32_t i = 0; i < hold->warm_up + hold->count; i++) {
        berth_ns at = 0;
        struct sim_event event;
        if (i == hold->warm_up)
            begin = bench_cpu_s();
        (void)naive_heap_take(&heap, &at, &event);
        *order = *order * 31 + event.b;
        naive_heap_put(&heap, at + hold->delays[i % DELAYS], event);
    }
    double spent = bench_cpu_s() - begin;
    naive_heap_free(&heap);
    return spent;
}

/* Everything is drawn from `seed`. */
static struct hold hold_open(uint64_t seed, uint32_t pending, uint32_t count)
{
    struct bench_dice dice = {seed};
    struct hold hold = {.first = mem_alloc(pending * sizeof *hold.first),
                        .delays = mem_alloc(DELAYS * sizeof *hold.delays),
                        .pending = pending,
                        .warm_up = pending,
                        .count = count};
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

static void measure(const struct bench_setting *setting, struct bench_round *round,
                    uint32_t pending)
{
    struct hold hold = hold_open(setting->seed, pending, setting->is_quick ? 1000000 : 3000000);
    uint64_t orders[2] = {0, 0};
    double queue = hold_queue(&hold, &orders[0]), heap = hold_heap(&hold, &orders[1]);
    bench_describe(round, "hold model, %u pending, mixed delays; a hold is a take and a put",
                   (unsigned)pending);
    round->values[0] = hold.count / queue * 1e-6;
    round->ratios[0] = heap / queue;
    (void)bench_check(round, orders[0] == orders[1],
                      "%u events left in the same total order as from the heap",
                      (unsigned)(hold.warm_up + hold.count));
    hold_close(&hold);
}

void bench_set_yardstick(struct bench_round *round, double per_second)
{
    uint64_t order = 0;
    struct hold hold = hold_open(1, 100000, 1000000);
    round->ratios[0] = per_second * hold_heap(&hold, &order) / hold.count;
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
