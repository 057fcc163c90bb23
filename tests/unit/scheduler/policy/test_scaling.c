#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/scaling.h"

#define S BERTH_NS_PER_S

static void test_out_if_any_says_so_and_the_largest_wins(void **state)
{
    (void)state;
    const struct scaling_vote votes[] = {
        {SCALING_IN, 2, true, 0}, {SCALING_OUT, 6, true, 0}, {SCALING_OUT, 8, true, 0}};
    assert_int_equal(scaling_choose(votes, 3), 2);
    assert_int_equal(scaling_choose(votes, 2), 1);
}

static void test_in_only_if_all_say_so_and_the_largest_wins(void **state)
{
    (void)state;
    struct scaling_vote votes[] = {
        {SCALING_IN, 2, true, 0}, {SCALING_IN, 4, true, 0}, {SCALING_NONE, 0, true, 0}};
    assert_int_equal(scaling_choose(votes, 2), 1);
    assert_int_equal(scaling_choose(votes, 3), 3);
    votes[2].may_scale_in = false; /* DisableScaleIn: it has no say */
    assert_int_equal(scaling_choose(votes, 3), 1);
    assert_int_equal(scaling_choose(votes, 0), 0);
}

/* First +2, then a step says +3: +1. */
static void test_within_a_cooldown_only_the_difference(void **state)
{
    (void)state;
    struct scaling_cooldown cooldown = {.out_base = 0};
    assert_int_equal(scaling_cool(&cooldown, 10 * S, SCALING_OUT, 10, 10, 12), 12);
    scaling_changed(&cooldown, 10 * S, SCALING_OUT, 10, 12, 300 * S);
    assert_int_equal(scaling_cool(&cooldown, 70 * S, SCALING_OUT, 12, 10, 12), 12);
    assert_int_equal(scaling_cool(&cooldown, 70 * S, SCALING_OUT, 12, 10, 13), 13);
    /* The two have started by now: the same step is no larger, the larger one adds one. */
    assert_int_equal(scaling_cool(&cooldown, 130 * S, SCALING_OUT, 12, 12, 14), 12);
    assert_int_equal(scaling_cool(&cooldown, 130 * S, SCALING_OUT, 12, 12, 15), 13);
    assert_int_equal(scaling_cool(&cooldown, 310 * S, SCALING_OUT, 12, 12, 14), 14);
}

static void test_cooldowns_block_scaling_in(void **state)
{
    (void)state;
    struct scaling_cooldown cooldown = {.out_base = 0};
    scaling_changed(&cooldown, 0, SCALING_IN, 10, 8, 300 * S);
    assert_int_equal(scaling_cool(&cooldown, 299 * S, SCALING_IN, 8, 8, 6), 8);
    assert_int_equal(scaling_cool(&cooldown, 300 * S, SCALING_IN, 8, 8, 6), 6);
    scaling_changed(&cooldown, 400 * S, SCALING_OUT, 6, 7, 300 * S);
    assert_int_equal(scaling_cool(&cooldown, 500 * S, SCALING_IN, 7, 7, 6), 7);
}

static void test_a_scale_out_ends_the_cooldown_of_a_scale_in(void **state)
{
    (void)state;
    struct scaling_cooldown cooldown = {.out_base = 0};
    scaling_changed(&cooldown, 0, SCALING_IN, 10, 8, 1000 * S);
    assert_int_equal(scaling_cool(&cooldown, 60 * S, SCALING_OUT, 8, 8, 9), 9);
    scaling_changed(&cooldown, 60 * S, SCALING_OUT, 8, 9, 300 * S);
    assert_int_equal(scaling_cool(&cooldown, 360 * S, SCALING_IN, 9, 9, 7), 7);
}

static void test_capacity_stays_between_min_and_max(void **state)
{
    (void)state;
    assert_int_equal(scaling_bound(SCALING_OUT, 4, 20, 2, 10), 10);
    assert_int_equal(scaling_bound(SCALING_IN, 4, 0, 2, 10), 2);
    /* Below Min: out lifts to Min, in does nothing. */
    assert_int_equal(scaling_bound(SCALING_OUT, 1, 2, 5, 10), 5);
    assert_int_equal(scaling_bound(SCALING_IN, 1, 0, 5, 10), 1);
    /* Above Max: in comes down to Max, out does nothing. */
    assert_int_equal(scaling_bound(SCALING_IN, 14, 13, 5, 10), 10);
    assert_int_equal(scaling_bound(SCALING_OUT, 14, 20, 5, 10), 14);
}

/* Neither direction ever moves the other way. */
static void test_a_direction_is_kept(void **state)
{
    (void)state;
    assert_int_equal(scaling_bound(SCALING_OUT, 8, 6, 2, 10), 8);
    assert_int_equal(scaling_bound(SCALING_IN, 6, 8, 2, 10), 6);
    struct scaling_cooldown none = {.out_base = 0};
    assert_int_equal(scaling_cool(&none, 0, SCALING_OUT, 8, 4, 6), 8);
    assert_int_equal(scaling_cool(&none, 0, SCALING_IN, 6, 9, 8), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_if_any_says_so_and_the_largest_wins),
        cmocka_unit_test(test_in_only_if_all_say_so_and_the_largest_wins),
        cmocka_unit_test(test_within_a_cooldown_only_the_difference),
        cmocka_unit_test(test_cooldowns_block_scaling_in),
        cmocka_unit_test(test_a_scale_out_ends_the_cooldown_of_a_scale_in),
        cmocka_unit_test(test_capacity_stays_between_min_and_max),
        cmocka_unit_test(test_a_direction_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
