#include "sim/run/mser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"

/* The plain reading: for each cut, the variance of what remains over its count squared. */
static size_t naive_cut(const double *values, size_t count)
{
    size_t batches = count / 5, best = 0;
    double best_error = 0;
    for (size_t cut = 0; cut <= batches / 2 && cut < batches; cut++) {
        size_t left = batches - cut;
        double mean = 0, squares = 0;
        for (size_t b = cut; b < batches; b++)
            for (size_t i = 0; i < 5; i++)
                mean += values[b * 5 + i] / 5 / (double)left;
        for (size_t b = cut; b < batches; b++) {
            double value = 0;
            for (size_t i = 0; i < 5; i++)
                value += values[b * 5 + i] / 5;
            squares += (value - mean) * (value - mean);
        }
        double error = squares / ((double)left * (double)left);
        if (cut == 0 || error < best_error) {
            best_error = error;
            best = cut;
        }
    }
    return best * 5;
}

static void test_a_ramp_is_cut_off(void **state)
{
    (void)state;
    double values[200];
    for (size_t i = 0; i < 200; i++)
        values[i] = (i < 40 ? (double)i / 40 : 1) * 100 + (double)(i * 7 % 5);
    assert_int_equal(mser5_cut(values, 200), 40);
}

static void test_equals_the_naive_reading(void **state)
{
    (void)state;
    struct rng stream = {.key = 11};
    for (int round = 0; round < 200; round++) {
        double values[103];
        size_t count = 5 + rng_below(&stream, 99), ramp = rng_below(&stream, count);
        for (size_t i = 0; i < count; i++)
            values[i] = (double)rng_below(&stream, 1000) + (i < ramp ? 0 : 500);
        assert_int_equal(mser5_cut(values, count), naive_cut(values, count));
    }
}

static void test_short_series_are_kept(void **state)
{
    (void)state;
    const double values[9] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    for (size_t count = 0; count <= 9; count++)
        assert_int_equal(mser5_cut(values, count), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ramp_is_cut_off),
        cmocka_unit_test(test_equals_the_naive_reading),
        cmocka_unit_test(test_short_series_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
