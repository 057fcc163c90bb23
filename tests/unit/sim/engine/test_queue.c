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

static int by_key(const void *left, const void *right)
{
    const struct reference *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Random puts and takes against a sorted array; few distinct times, so that ties abound. */
static void test_against_sorted_array(void **state)
{
    (void)state;
    enum { ROUNDS = 60 };
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct rng rng = {.key = seed};
        struct sim_queue *queue = sim_queue_create();
        struct reference model[2048];
        size_t count = 0;
        uint64_t order = 0;
        for (int step = 0; step < 3000; step++) {
            bool puts = rng_below(&rng, 100) < (step / 500 % 2 == 0 ? 70 : 30);
            if (puts && count < 2048) {
                berth_ns at = (berth_ns)rng_below(&rng, 40) - 20;
                sim_queue_put(queue, at, (struct sim_event){1, 0, order, ~order});
                model[count++] = (struct reference){at, order++};
                continue;
            }
            berth_ns at;
            struct sim_event event;
            bool took = sim_queue_take(queue, &at, &event);
            assert_int_equal(took, count > 0);
            if (!took)
                continue;
            qsort(model, count, sizeof model[0], by_key);
            if (at != model[0].at || event.b != model[0].order || event.c != ~event.b)
                fail_msg("seed %llu, step %d", (unsigned long long)seed, step);
            model[0] = model[--count];
            assert_int_equal(sim_queue_count(queue), count);
        }
        sim_queue_destroy(queue);
    }
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
        cmocka_unit_test(test_against_sorted_array),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
