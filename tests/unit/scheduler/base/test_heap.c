#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/base/heap.h"
#include "scheduler/base/rng.h"

enum { HANDLES = 97 };

static void test_order_is_by_key_then_handle(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_item first;
    assert_false(heap_first(&heap, &first));
    heap_set(&heap, 3, 10);
    heap_set(&heap, 1, 10);
    heap_set(&heap, 2, 5);
    assert_true(heap_first(&heap, &first));
    assert_int_equal(first.handle, 2);
    heap_remove(&heap, 2);
    heap_remove(&heap, 2);
    assert_true(heap_first(&heap, &first));
    assert_int_equal(first.handle, 1);
    heap_set(&heap, 1, 11);
    assert_true(heap_first(&heap, &first));
    assert_int_equal(first.handle, 3);
    heap_clear(&heap);
    assert_false(heap_has(&heap, 3));
    assert_false(heap_first(&heap, &first));
    heap_free(&heap);
}

/* Against a plain table of keys: every operation, the least found by scanning. */
static void test_equals_a_scan(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct rng rng = {rng_key(1, "heap", 0), 0};
    int64_t keys[HANDLES];
    for (uint32_t i = 0; i < HANDLES; i++)
        keys[i] = INT64_MAX;
    for (int step = 0; step < 20000; step++) {
        uint32_t handle = (uint32_t)rng_below(&rng, HANDLES);
        if (rng_below(&rng, 3) == 0) {
            keys[handle] = INT64_MAX;
            heap_remove(&heap, handle);
        } else {
            keys[handle] = (int64_t)rng_below(&rng, 50);
            heap_set(&heap, handle, keys[handle]);
        }
        uint32_t least = HANDLES;
        for (uint32_t i = 0; i < HANDLES; i++) {
            assert_int_equal(heap_has(&heap, i), keys[i] != INT64_MAX);
            if (keys[i] != INT64_MAX && (least == HANDLES || keys[i] < keys[least]))
                least = i;
        }
        struct heap_item first;
        assert_int_equal(heap_first(&heap, &first), least != HANDLES);
        if (least != HANDLES) {
            assert_int_equal(first.handle, least);
            assert_int_equal(first.key, keys[least]);
        }
    }
    heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_by_key_then_handle),
        cmocka_unit_test(test_equals_a_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
