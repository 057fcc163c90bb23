#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/base/pack.h"
#include "scheduler/base/rng.h"

enum { COUNT = 10 };

static size_t check(const uint64_t *numbers)
{
    unsigned char bytes[PACK_BYTES_MAX(COUNT)];
    uint64_t back[COUNT];
    size_t size_bytes = pack_numbers(numbers, COUNT, bytes);
    assert_true(size_bytes + PACK_SLACK <= sizeof bytes);
    back[0] = ~numbers[0];
    assert_int_equal(unpack_numbers(bytes, back, 2), size_bytes);
    assert_true(back[0] == numbers[0]);
    assert_int_equal(unpack_numbers(bytes, back, COUNT), size_bytes);
    for (int i = 0; i < COUNT; i++)
        assert_true(back[i] == numbers[i]);
    return size_bytes;
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(check((uint64_t[COUNT]){0}), 1);
    assert_int_equal(check((uint64_t[COUNT]){1}), 3);
    assert_int_equal(check((uint64_t[COUNT]){255, 256}), 5);
    assert_int_equal(check((uint64_t[COUNT]){0, 0, 0, 7}), 4);
    assert_int_equal(check((uint64_t[COUNT]){[8] = UINT64_MAX}), 1 + 5 + 8);
}

static void test_any_numbers(void **state)
{
    struct rng rng = {3, 0};
    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint64_t numbers[COUNT];
        for (int i = 0; i < COUNT; i++)
            numbers[i] = rng_below(&rng, 4) == 0 ? 0 : rng_next(&rng) >> rng_below(&rng, 64);
        (void)check(numbers);
    }
    (void)check((uint64_t[COUNT]){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                  UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX});
}

static void test_differences(void **state)
{
    static const uint64_t values[] = {
        0, 1, 5, UINT64_MAX, UINT64_MAX - 1, INT64_MAX, UINT32_MAX, (uint64_t)INT64_MAX + 1};
    (void)state;
    assert_int_equal(pack_difference(7, 7), 0);
    assert_int_equal(pack_difference(6, 7), 1);
    assert_int_equal(pack_difference(8, 7), 2);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
            assert_true(unpack_difference(pack_difference(values[i], values[j]), values[j]) ==
                        values[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_any_numbers),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
