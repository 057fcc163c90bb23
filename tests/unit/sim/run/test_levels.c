#include "sim/run/levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_integrals_of_window_and_sample(void **state)
{
    (void)state;
    struct levels levels;
    levels_init(&levels, 2);
    level_add(&levels, 0, 0, 3);
    level_add(&levels, 0, 10, -2); /* 30 so far */
    level_add(&levels, 1, 5, 7);
    levels_begin_window(&levels, 20); /* 40 */
    levels_begin_sample(&levels, 20);
    assert_int_equal(levels.items[0].max, 1); /* maxima are of the window, its start included */
    level_add(&levels, 0, 25, 4);
    levels_begin_sample(&levels, 30); /* 40 + 5 + 25 */
    level_add(&levels, 0, 32, -5);
    assert_true(level_in_window(&levels, 0, 40) == 5 + 25 + 10);
    assert_true(level_in_sample(&levels, 0, 40) == 10);
    assert_true(level_in_window(&levels, 1, 40) == 140);
    assert_int_equal(levels.items[0].max, 5);
    levels_free(&levels);
}

static void test_sums_beyond_64_bits_are_exact(void **state)
{
    (void)state;
    struct levels levels;
    levels_init(&levels, 1);
    level_add(&levels, 0, 0, INT64_C(1) << 40);
    level_add(&levels, 0, INT64_C(1) << 60, 0);
    assert_true(levels.items[0].total == (level_integral)1 << 100);
    assert_true(level_in_window(&levels, 0, INT64_C(1) << 60) == 0x1p100);
    levels_free(&levels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integrals_of_window_and_sample),
        cmocka_unit_test(test_sums_beyond_64_bits_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
