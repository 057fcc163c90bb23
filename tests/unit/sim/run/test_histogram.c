#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <math.h>

#include "scheduler/base/rng.h"
#include "sim/run/histogram.h"

static void test_empty(void **state)
{
    (void)state;
    struct histogram *histogram = histogram_create();
    assert_int_equal(histogram_count(histogram), 0);
    assert_int_equal(histogram_max(histogram), 0);
    assert_int_equal(histogram_bucket_count(histogram), 0);
    assert_true(isnan(histogram_mean(histogram)));
    assert_true(isnan(histogram_quantile(histogram, 0.5)));
    histogram_destroy(histogram);
}

/* 0..127 have a bucket each: quantiles are exact. */
static void test_small_values_are_exact(void **state)
{
    (void)state;
    struct histogram *histogram = histogram_create();
    for (int64_t value = 0; value < 100; value++)
        histogram_add(histogram, value);
    assert_true(histogram_quantile(histogram, 0) == 0);
    assert_true(histogram_quantile(histogram, 0.01) == 0);
    assert_true(histogram_quantile(histogram, 0.5) == 49); /* 50 values, 0..49, at or below it */
    assert_true(histogram_quantile(histogram, 0.95) == 94);
    assert_true(histogram_quantile(histogram, 1) == 99);
    assert_true(histogram_mean(histogram) == 49.5);
    assert_int_equal(histogram_bucket_count(histogram), 100);
    histogram_destroy(histogram);
}

/* A value alone: its bucket holds it, and its bound is less than 1/64 above. */
static void test_bounds(void **state)
{
    (void)state;
    struct rng rng = {.key = 4};
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 63)));
        if (i < 4)
            value = (const int64_t[]){0, INT64_MAX, 127, 128}[i];
        struct histogram *histogram = histogram_create();
        int64_t upper;
        uint64_t count;
        histogram_add(histogram, value);
        histogram_bucket(histogram, 0, &upper, &count);
        assert_int_equal(count, 1);
        assert_true(upper >= value);
        assert_true((uint64_t)(upper - value) <= (uint64_t)value / 64);
        assert_true(histogram_quantile(histogram, 0.5) == (double)value); /* never above the max */
        histogram_destroy(histogram);
    }
}

static int ascending(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void test_quantiles_against_sorting(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static int64_t values[COUNT];
    static const double shares[] = {0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
    struct rng rng = {.key = 12};
    struct histogram *histogram = histogram_create();
    for (int i = 0; i < COUNT; i++) {
        values[i] = (int64_t)(rng_next(&rng) >> (4 + rng_below(&rng, 50)));
        histogram_add(histogram, values[i]);
    }
    qsort(values, COUNT, sizeof values[0], ascending);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        double exact = (double)values[(int)ceil(shares[i] * COUNT) - 1];
        double got = histogram_quantile(histogram, shares[i]);
        assert_true(got >= exact && got <= exact * (1 + 1.0 / 64));
    }
    assert_int_equal(histogram_max(histogram), values[COUNT - 1]);
    histogram_destroy(histogram);
}

static void assert_same(const struct histogram *a, const struct histogram *b)
{
    assert_int_equal(histogram_count(a), histogram_count(b));
    assert_int_equal(histogram_max(a), histogram_max(b));
    assert_true(histogram_sum(a) == histogram_sum(b));
    assert_int_equal(histogram_bucket_count(a), histogram_bucket_count(b));
    for (uint32_t i = 0; i < histogram_bucket_count(a); i++) {
        int64_t upper[2];
        uint64_t count[2];
        histogram_bucket(a, i, &upper[0], &count[0]);
        histogram_bucket(b, i, &upper[1], &count[1]);
        assert_int_equal(upper[0], upper[1]);
        assert_int_equal(count[0], count[1]);
    }
}

/* Parts merged in any order, and a copy restored from its buckets, equal the whole. */
static void test_merge_and_restore(void **state)
{
    (void)state;
    struct histogram *whole = histogram_create(), *forth = histogram_create();
    struct histogram *back = histogram_create(), *restored = histogram_create();
    struct histogram *parts[5];
    struct rng rng = {.key = 3};
    for (int i = 0; i < 5; i++)
        parts[i] = histogram_create();
    for (int i = 0; i < 4000; i++) {
        int64_t value = (int64_t)(rng_next(&rng) >> (24 + rng_below(&rng, 40)));
        histogram_add(whole, value);
        histogram_add(parts[i % 5], value);
    }
    for (int i = 0; i < 5; i++) {
        histogram_merge(forth, parts[i]);
        histogram_merge(back, parts[4 - i]);
    }
    for (uint32_t i = 0; i < histogram_bucket_count(whole); i++) {
        int64_t upper;
        uint64_t count;
        histogram_bucket(whole, i, &upper, &count);
        histogram_restore(restored, upper, count);
    }
    histogram_restore_sum(restored, histogram_sum(whole), histogram_max(whole));
    assert_same(whole, forth);
    assert_same(whole, back);
    assert_same(whole, restored);
    for (int i = 0; i < 5; i++)
        histogram_destroy(parts[i]);
    histogram_destroy(whole);
    histogram_destroy(forth);
    histogram_destroy(back);
    histogram_destroy(restored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_quantiles_against_sorting),
        cmocka_unit_test(test_merge_and_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
