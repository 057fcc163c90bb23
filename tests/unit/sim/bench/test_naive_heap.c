/* test_naive_heap.c -- the yardstick of the event queue is right, and right in the same way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "sim/bench/naive_heap.h"

static void test_empty(void **state)
{
    (void)state;
    struct naive_heap heap = {.sequence = 0};
    berth_ns at = 77;
    struct sim_event event = {1, 2, 3, 4};
    assert_false(naive_heap_take(&heap, &at, &event));
    assert_int_equal(at, 77);
    naive_heap_free(&heap);
}

/* Random puts and takes, with many equal times: the same events leave as from the queue. */
static void test_same_order_as_the_queue(void **state)
{
    (void)state;
    struct naive_heap heap = {.sequence = 0};
    struct sim_queue *queue = sim_queue_create();
    struct rng dice = {3, 0};
    berth_ns now = 0, at = 0, expected_at = 0;
    struct sim_event event = {0, 0, 0, 0}, expected = {0, 0, 0, 0};
    for (uint32_t i = 0; i < 20000; i++) {
        if (rng_below(&dice, 100) < 55) {
            struct sim_event put = {1, i, 2 * (uint64_t)i, 0};
            berth_ns due = now + (berth_ns)rng_below(&dice, 40) * 10;
            naive_heap_put(&heap, due, put);
            sim_queue_put(queue, due, put);
            continue;
        }
        bool has_one = naive_heap_take(&heap, &at, &event);
        assert_int_equal(has_one, sim_queue_take(queue, &expected_at, &expected));
        if (!has_one)
            continue;
        assert_int_equal(at, expected_at);
        assert_int_equal(event.a, expected.a);
        assert_int_equal(event.b, expected.b);
        now = at;
    }
    assert_int_equal(heap.entries.count, sim_queue_count(queue));
    sim_queue_destroy(queue);
    naive_heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_same_order_as_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
