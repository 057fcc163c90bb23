/* Steps of linear and canary deployments, in tenths of a percent. */
#include "scheduler/policy/shift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_all_at_once_is_one_step(void **state)
{
    (void)state;
    assert_int_equal(shift_permille(SHIFT_ALL_AT_ONCE, 0, 0), 1000);
    assert_int_equal(shift_permille(SHIFT_ALL_AT_ONCE, 100, 0), 1000);
    assert_int_equal(shift_bake_ns(SHIFT_ALL_AT_ONCE, true, 5), 0);
}

static void test_linear_steps_end_at_all(void **state)
{
    (void)state;
    for (uint32_t step = 0; step < 9; step++)
        assert_int_equal(shift_permille(SHIFT_LINEAR, 0, step), 100 * (step + 1));
    assert_int_equal(shift_permille(SHIFT_LINEAR, 0, 9), 1000);
    /* 33.4 percent: the last step is the smaller one. */
    assert_int_equal(shift_permille(SHIFT_LINEAR, 334, 0), 334);
    assert_int_equal(shift_permille(SHIFT_LINEAR, 334, 1), 668);
    assert_int_equal(shift_permille(SHIFT_LINEAR, 334, 2), 1000);
    assert_int_equal(shift_permille(SHIFT_LINEAR, 1000, 0), 1000);
    assert_true(shift_bake_ns(SHIFT_LINEAR, false, 0) == 360 * BERTH_NS_PER_S);
    assert_true(shift_bake_ns(SHIFT_LINEAR, true, 0) == 0);
}

static void test_a_canary_is_followed_by_the_rest(void **state)
{
    (void)state;
    assert_int_equal(shift_permille(SHIFT_CANARY, 0, 0), 50);
    assert_int_equal(shift_permille(SHIFT_CANARY, 1, 0), 1);
    assert_int_equal(shift_permille(SHIFT_CANARY, 1, 1), 1000);
    assert_true(shift_bake_ns(SHIFT_CANARY, false, 0) == 600 * BERTH_NS_PER_S);
    assert_true(shift_bake_ns(SHIFT_CANARY, true, 7) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_at_once_is_one_step),
        cmocka_unit_test(test_linear_steps_end_at_all),
        cmocka_unit_test(test_a_canary_is_followed_by_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
