#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/target_tracking.h"

static struct datapoints points_of(uint32_t count, int64_t milli)
{
    struct datapoints points = {.count = 0};
    for (uint32_t i = 0; i < count; i++)
        datapoints_add(&points, i * DATAPOINTS_PERIOD_NS, milli);
    return points;
}

static void test_high_is_above_the_target_three_times(void **state)
{
    (void)state;
    struct datapoints two = points_of(2, 80000), three = points_of(3, 80000);
    struct datapoints level = points_of(15, 70000);
    assert_false(tracking_is_high(&two, 70000, 4));
    assert_true(tracking_is_high(&three, 70000, 4));
    assert_false(tracking_is_high(&level, 70000, 4)); /* only above */
}

/* Observed on ECS: target 70, low alarm at 63. */
static void test_low_is_below_nine_tenths_fifteen_times(void **state)
{
    (void)state;
    struct datapoints fourteen = points_of(14, 62999), fifteen = points_of(15, 62999);
    struct datapoints edge = points_of(15, 63000);
    assert_false(tracking_is_low(&fourteen, 70000));
    assert_true(tracking_is_low(&fifteen, 70000));
    assert_false(tracking_is_low(&edge, 70000));
    datapoints_add(&fifteen, 15 * DATAPOINTS_PERIOD_NS, 64000);
    assert_false(tracking_is_low(&fifteen, 70000));
}

static void test_no_data_is_no_reason(void **state)
{
    (void)state;
    struct datapoints none = {.count = 0};
    assert_false(tracking_is_high(&none, 70000, 4));
    assert_false(tracking_is_high(&none, 70000, 0));
    assert_false(tracking_is_low(&none, 70000));
}

static void test_from_none_one_datapoint_is_enough(void **state)
{
    (void)state;
    struct datapoints one = points_of(1, 1), zero = points_of(3, 0);
    assert_true(tracking_is_high(&one, 70000, 0));
    assert_false(tracking_is_high(&zero, 70000, 0));
    assert_int_equal(tracking_out(0, 900000, 70000), 1);
}

static void test_out_is_in_proportion_and_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(tracking_out(10, 90000, 60000), 15);
    assert_int_equal(tracking_out(4, 75000, 70000), 5);
    assert_int_equal(tracking_out(1, 100001, 50000), 3);
    assert_int_equal(tracking_out(1000000, DATAPOINT_MILLI_MAX, 1), UINT32_MAX);
}

static void test_in_is_guarded_against_coming_back(void **state)
{
    (void)state;
    assert_int_equal(tracking_in(10, 30000, 60000), 5);
    assert_int_equal(tracking_in(10, 31000, 60000), 6);
    /* 9 left would run at 59.9 of 60: yes; at 60.0: no. */
    assert_int_equal(tracking_in(10, 53910, 60000), 9);
    assert_int_equal(tracking_in(10, 54000, 60000), 10);
    assert_int_equal(tracking_in(2, 30000, 60000), 2);
    assert_int_equal(tracking_in(2, 29999, 60000), 1);
}

/* Zero is reached by real zeros only. */
static void test_in_to_none(void **state)
{
    (void)state;
    assert_int_equal(tracking_in(1, 1, 60000), 1);
    assert_int_equal(tracking_in(1, 0, 60000), 0);
    assert_int_equal(tracking_in(5, 0, 60000), 0);
    assert_int_equal(tracking_in(0, 0, 60000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_high_is_above_the_target_three_times),
        cmocka_unit_test(test_low_is_below_nine_tenths_fifteen_times),
        cmocka_unit_test(test_no_data_is_no_reason),
        cmocka_unit_test(test_from_none_one_datapoint_is_enough),
        cmocka_unit_test(test_out_is_in_proportion_and_rounded_up),
        cmocka_unit_test(test_in_is_guarded_against_coming_back),
        cmocka_unit_test(test_in_to_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
