/* The table that AWS prints, and the edges of the three kinds of threshold. */
#include "scheduler/policy/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_the_printed_table(void **state)
{
    (void)state;
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 0, 1), 3);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 0, 25), 13);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 0, 400), 200);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 0, 800), 200);
}

static void test_bounded_stays_in_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 50, 0), 3);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 50, 6), 3);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 50, 7), 4);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 1, 100), 3);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 100, 199), 199);
    assert_int_equal(breaker_trips_at(BREAKER_BOUNDED_PERCENT, 100, 1000000), 200);
}

static void test_unbounded_and_count(void **state)
{
    (void)state;
    assert_int_equal(breaker_trips_at(BREAKER_UNBOUNDED_PERCENT, 0, 1), 1);
    assert_int_equal(breaker_trips_at(BREAKER_UNBOUNDED_PERCENT, 10, 11), 2);
    assert_int_equal(breaker_trips_at(BREAKER_UNBOUNDED_PERCENT, 50, 800), 400);
    assert_int_equal(breaker_trips_at(BREAKER_UNBOUNDED_PERCENT, 100, 0), 1);
    assert_int_equal(breaker_trips_at(BREAKER_TASK_COUNT, 7, 1), 7);
    assert_int_equal(breaker_trips_at(BREAKER_TASK_COUNT, 500, 1), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_printed_table),
        cmocka_unit_test(test_bounded_stays_in_its_bounds),
        cmocka_unit_test(test_unbounded_and_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
