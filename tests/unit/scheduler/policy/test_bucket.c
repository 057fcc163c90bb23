#include "scheduler/policy/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND BERTH_NS_PER_S

static const struct bucket_rule service_modify = {50, 5, SECOND};
static const struct bucket_rule launches = {500, 500, 60 * SECOND};

static void test_a_zeroed_bucket_is_full(void **state)
{
    struct bucket bucket = {0, 0};
    (void)state;
    assert_int_equal(bucket_left(&bucket, service_modify, 1000 * SECOND), 50);
    assert_true(bucket_next_ns(&bucket, service_modify, 0) == BERTH_NS_NEVER);
}

static void test_refills_once_per_period(void **state)
{
    struct bucket bucket = {0, 0};
    (void)state;
    bucket_take(&bucket, service_modify, 7, 50);
    assert_int_equal(bucket_left(&bucket, service_modify, 7 + SECOND - 1), 0);
    assert_true(bucket_next_ns(&bucket, service_modify, 8) == 7 + SECOND);
    assert_int_equal(bucket_left(&bucket, service_modify, 7 + SECOND), 5);
    assert_int_equal(bucket_left(&bucket, service_modify, 7 + 3 * SECOND + 1), 15);
    assert_int_equal(bucket_left(&bucket, service_modify, 7 + 10 * SECOND), 50);
    assert_int_equal(bucket_left(&bucket, service_modify, 7 + 1000 * SECOND), 50);
}

static void test_the_period_goes_on_while_tokens_are_out(void **state)
{
    struct bucket bucket = {0, 0};
    (void)state;
    bucket_take(&bucket, service_modify, 0, 10);
    bucket_take(&bucket, service_modify, SECOND + SECOND / 2, 5); /* 5 came back at 1 s */
    assert_int_equal(bucket.taken, 10);
    assert_true(bucket_next_ns(&bucket, service_modify, SECOND + SECOND / 2) == 2 * SECOND);
}

static void test_launches_never_exceed_the_minute(void **state)
{
    struct bucket bucket = {0, 0};
    uint32_t taken = 0;
    (void)state;
    for (berth_ns now_ns = 3; now_ns < 60 * SECOND; now_ns += SECOND) {
        uint32_t left = bucket_left(&bucket, launches, now_ns);
        uint32_t count = left < 20 ? left : 20;
        bucket_take(&bucket, launches, now_ns, count);
        taken += count;
    }
    assert_int_equal(taken, 500);
    assert_true(bucket_next_ns(&bucket, launches, 59 * SECOND) == 60 * SECOND + 3);
    assert_int_equal(bucket_left(&bucket, launches, 60 * SECOND + 3), 500);
}

static void test_a_lower_burst_is_borne(void **state)
{
    struct bucket bucket = {0, 0};
    (void)state;
    bucket_take(&bucket, launches, 0, 400);
    struct bucket_rule less = {100, 100, 60 * SECOND};
    assert_int_equal(bucket_left(&bucket, less, 0), 0);
    assert_int_equal(bucket_left(&bucket, less, 240 * SECOND), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_zeroed_bucket_is_full),
        cmocka_unit_test(test_refills_once_per_period),
        cmocka_unit_test(test_the_period_goes_on_while_tokens_are_out),
        cmocka_unit_test(test_launches_never_exceed_the_minute),
        cmocka_unit_test(test_a_lower_burst_is_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
