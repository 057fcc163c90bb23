#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/datapoints.h"

#define MINUTE DATAPOINTS_PERIOD_NS

static void add(struct datapoints *points, int64_t minute, int64_t milli)
{
    datapoints_add(points, minute * MINUTE, milli);
}

static void test_the_last_fifteen_are_kept(void **state)
{
    (void)state;
    struct datapoints points = {.count = 0};
    for (int64_t i = 0; i < 20; i++)
        add(&points, i, i * 1000);
    assert_int_equal(points.count, DATAPOINTS_MAX);
    assert_int_equal(points.milli[0], 5000);
    assert_int_equal(points.milli[14], 19000);
}

static void test_a_missed_minute_forgets_what_was_before(void **state)
{
    (void)state;
    struct datapoints points = {.count = 0};
    add(&points, 1, 90000);
    add(&points, 2, 90000);
    assert_true(datapoints_are_fresh(&points, 2 * MINUTE));
    assert_false(datapoints_are_fresh(&points, 3 * MINUTE));
    add(&points, 4, 90000);
    assert_int_equal(points.count, 1);
    assert_false(datapoints_breach(&points, COMPARE_GREATER, 70000, 3, 3));
    add(&points, 5, 90000);
    add(&points, 6, 90000);
    assert_true(datapoints_breach(&points, COMPARE_GREATER, 70000, 3, 3));
}

static void test_m_of_n(void **state)
{
    (void)state;
    struct datapoints points = {.count = 0};
    static const int64_t values[] = {80000, 60000, 80000, 60000, 60000};
    for (int64_t i = 0; i < 5; i++)
        add(&points, i, values[i]);
    assert_true(datapoints_breach(&points, COMPARE_GREATER, 70000, 2, 5));
    assert_false(datapoints_breach(&points, COMPARE_GREATER, 70000, 3, 5));
    assert_false(datapoints_breach(&points, COMPARE_GREATER, 70000, 2, 3));
    assert_true(datapoints_breach(&points, COMPARE_LESS_OR_EQUAL, 60000, 2, 2));
}

static void test_operators(void **state)
{
    (void)state;
    assert_true(comparison_holds(COMPARE_GREATER, 2, 1));
    assert_false(comparison_holds(COMPARE_GREATER, 1, 1));
    assert_true(comparison_holds(COMPARE_GREATER_OR_EQUAL, 1, 1));
    assert_true(comparison_holds(COMPARE_LESS, 0, 1));
    assert_false(comparison_holds(COMPARE_LESS, 1, 1));
    assert_true(comparison_holds(COMPARE_LESS_OR_EQUAL, 1, 1));
    assert_string_equal(comparison_names[COMPARE_LESS], "LessThanThreshold");
}

static void test_what_is_told_is_cut(void **state)
{
    (void)state;
    struct datapoints points = {.count = 0};
    add(&points, 0, INT64_MAX);
    add(&points, 1, -5);
    assert_int_equal(points.milli[0], DATAPOINT_MILLI_MAX);
    assert_int_equal(points.milli[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_fifteen_are_kept),
        cmocka_unit_test(test_a_missed_minute_forgets_what_was_before),
        cmocka_unit_test(test_m_of_n),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_what_is_told_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
