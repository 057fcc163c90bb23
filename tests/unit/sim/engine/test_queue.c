#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "sim/engine/queue.h"

static void test_empty(void **state)
{
    (void)state;
    struct sim_queue *queue = sim_queue_create();
    berth_ns at = 77;
    struct sim_event event = {1, 2, 3, 4};
    assert_false(sim_queue_peek(queue, &at));
    assert_false(sim_queue_take(queue, &at, &event));
    assert_int_equal(at, 77);
    assert_int_equal(event.kind, 1);
    assert_int_equal(sim_queue_count(queue), 0);
    sim_queue_destroy(queue);
    sim_queue_destroy(NULL);
}

/* Equal times leave in the order of insertion, also when others came between and left. */
static void test_ties_keep_insertion_order(void **state)
{
    (void)state;
    struct sim_queue *queue = sim_queue_create();
    berth_ns at;
    struct sim_event event;
    for (uint32_t i = 0; i < 1000; i++) {
        sim_queue_put(queue, 50, (struct sim_event){7, i, 2 * i, 3 * i});
        sim_queue_put(queue, 10, (struct sim_event){8, i, 0, 0});
        assert_true(sim_queue_take(queue, &at, &event));
        assert_int_equal(at, 10);
        assert_int_equal(event.a, i);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(sim_queue_take(queue, &at, &event));
        assert_int_equal(at, 50);
        assert_int_equal(event.kind, 7);
        assert_int_equal(event.a, i);
        assert_int_equal(event.b, 2 * i);
        assert_int_equal(event.c, 3 * i);
    }
    sim_queue_destroy(queue);
}

static void test_times_at_the_ends_of_the_range(void **state)
{
    (void)state;
    static const berth_ns times[] = {INT64_MAX, 0, INT64_MIN, -1, 1, INT64_MAX - 1, INT64_MIN + 1};
    static const berth_ns sorted[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    struct sim_queue *queue = sim_queue_create();
    for (uint32_t i = 0; i < 7; i++)
        sim_queue_put(queue, times[i], (struct sim_event){0, 0, 0, 0});
    for (uint32_t i = 0; i < 7; i++) {
        berth_ns peeked, at;
        struct sim_event event;
        assert_true(sim_queue_peek(queue, &peeked));
        assert_true(sim_queue_take(queue, &at, &event));
        assert_true(peeked == sorted[i] && at == sorted[i]);
    }
    sim_queue_destroy(queue);
}

struct reference {
    berth_ns at;
    uint64_t order;
};

/* The naive queue: a sorted list, the first at the end. */
struct list {
    struct reference items[4096];
    size_t count;
    uint64_t order;
};

static void list_put(struct list *list, berth_ns at)
{
    size_t i = list->count++;
    assert_true(list->count <= 4096);
    for (; i > 0 && list->items[i - 1].at <= at; i--)
        list->items[i] = list->items[i - 1];
    list->items[i] = (struct reference){at, list->order++};
}

/* Ways to draw the time of the next event; any of them must be kept in order. */
static berth_ns draw_at(struct rng *rng, int mix, berth_ns now, uint64_t step)
{
    uint64_t room = (uint64_t)INT64_MAX - (uint64_t)now;
    uint64_t delay = 0;
    switch (mix) {
    case 0: /* all at once */
        break;
    case 1: /* any length, all as likely */
        delay = rng_next(rng) >> rng_below(rng, 64);
        break;
    case 2: /* messages, starts, lifetimes */
        delay = 1000000 + rng_below(rng, 10000000);
        if (rng_below(rng, 4) == 0)
            delay *= 1000;
        if (rng_below(rng, 10) == 0)
            delay *= 100;
        break;
    case 3: /* a fixed delay */
        delay = 60000000000;
        break;
    case 4: /* each before those that wait, down to now */
        delay = 1000000 / (step % 500 + 1);
        break;
    case 5: /* few distinct times, close by */
        delay = rng_below(rng, 40);
        break;
    case 6: /* in bursts, near the borders of digits */
        delay = (UINT64_C(1) << rng_below(rng, 63)) - (uint64_t)now % 256 - rng_below(rng, 2);
        break;
    case 7: /* never, nearly */
        return rng_below(rng, 2) == 0 ? INT64_MAX - (berth_ns)rng_below(rng, 300) : now;
    default: /* the past as well */
        return (berth_ns)rng_below(rng, 1000) - 500;
    }
    return delay > room ? INT64_MAX : now + (berth_ns)delay;
}

static bool take_both(struct sim_queue *queue, struct list *list, berth_ns *now)
{
    berth_ns at, peeked = 0;
    struct sim_event event;
    if (list->order % 3 == 0)
        assert_int_equal(sim_queue_peek(queue, &peeked), list->count > 0);
    bool took = sim_queue_take(queue, &at, &event);
    assert_int_equal(took, list->count > 0);
    if (!took)
        return true;
    const struct reference *first = &list->items[--list->count];
    *now = at;
    return at == first->at && event.b == first->order && event.c == ~event.b &&
           (list->order % 3 != 0 || peeked == at) && sim_queue_count(queue) == list->count;
}

/* Random histories of every mix, which may change on the way, against the sorted list. */
static void test_against_sorted_list(void **state)
{
    (void)state;
    enum { SEEDS = 400, STEPS = 6000, MIXES = 9 };
    static struct list list;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = {.key = seed};
        struct sim_queue *queue = sim_queue_create();
        list.count = list.order = 0;
        berth_ns now = seed % 3 == 0 ? -1000000 : 0;
        int mix = (int)(seed % MIXES);
        for (uint64_t step = 0; step < STEPS; step++) {
            if (seed % 2 == 0 && step % 400 == 0)
                mix = (int)rng_below(&rng, MIXES - (seed % 4 == 0));
            bool puts = rng_below(&rng, 100) < (step / 700 % 2 == 0 ? 75 : 30);
            if (puts && list.count < 4096) {
                berth_ns at = draw_at(&rng, mix, now, step);
                sim_queue_put(queue, at, (struct sim_event){1, 0, list.order, ~list.order});
                list_put(&list, at);
            } else if (!take_both(queue, &list, &now)) {
                fail_msg("seed %llu, step %llu, mix %d", (unsigned long long)seed,
                         (unsigned long long)step, mix);
            }
        }
        while (list.count > 0)
            assert_true(take_both(queue, &list, &now));
        assert_true(take_both(queue, &list, &now));
        sim_queue_destroy(queue);
    }
}

/* While nothing is put in between, what is ahead is what comes, as far as the front reaches. */
static void test_what_is_ahead(void **state)
{
    (void)state;
    enum { COUNT = 5000, LOOKS = 3 };
    static const uint32_t skips[LOOKS] = {0, 1, 3};
    struct sim_queue *queue = sim_queue_create();
    struct rng rng = {.key = 4};
    uint64_t expected[LOOKS][COUNT + 8] = {{0}}, right[LOOKS] = {0};
    uint32_t count;
    (void)sim_queue_ahead(queue, &count);
    assert_int_equal(count, 0);
    for (uint64_t i = 0; i < COUNT; i++)
        sim_queue_put(queue, (berth_ns)rng_below(&rng, 1u << 30), (struct sim_event){0, 0, i, 0});
    for (uint32_t i = 0; i < COUNT; i++) {
        berth_ns at;
        struct sim_event event;
        assert_true(sim_queue_take(queue, &at, &event));
        for (uint32_t look = 0; look < LOOKS; look++)
            right[look] += i > skips[look] && expected[look][i] == event.b;
        const struct sim_entry *ahead = sim_queue_ahead(queue, &count);
        for (uint32_t look = 0; look < LOOKS; look++)
            expected[look][i + skips[look] + 1] =
                skips[look] < count ? ahead[skips[look]].event.b : COUNT;
    }
    for (uint32_t look = 0; look < LOOKS; look++)
        assert_true(right[look] > COUNT / 2); /* a hint, but a good one */
    (void)sim_queue_ahead(queue, &count);
    assert_int_equal(count, 0);
    sim_queue_destroy(queue);
}

/* Growth over many doublings keeps every event. */
static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 300000 };
    struct sim_queue *queue = sim_queue_create();
    struct rng rng = {.key = 9};
    uint64_t sum = 0;
    for (uint64_t i = 0; i < COUNT; i++)
        sim_queue_put(queue, (berth_ns)rng_below(&rng, 1u << 30), (struct sim_event){0, 0, i, 0});
    berth_ns before = -1, at;
    struct sim_event event;
    while (sim_queue_take(queue, &at, &event)) {
        assert_true(at >= before);
        before = at;
        sum += event.b;
    }
    assert_int_equal(sum, (uint64_t)COUNT * (COUNT - 1) / 2);
    sim_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_ties_keep_insertion_order),
        cmocka_unit_test(test_times_at_the_ends_of_the_range),
        cmocka_unit_test(test_against_sorted_list),
        cmocka_unit_test(test_what_is_ahead),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
