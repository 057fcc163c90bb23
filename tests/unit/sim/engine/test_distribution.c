#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/engine/distribution.h"

static struct distribution make(enum distribution_kind kind, double p, double q)
{
    return (struct distribution){.kind = kind, .p = {p, q}, .max = DBL_MAX};
}

static struct distribution make_empirical(void)
{
    struct distribution distribution = make(DISTRIBUTION_EMPIRICAL, 0, 0);
    distribution.value_count = 3;
    distribution.values = mem_resize(NULL, 3, sizeof(double));
    distribution.cumulative = mem_resize(NULL, 3, sizeof(double));
    memcpy(distribution.values, (double[]){2, 10, 100}, 3 * sizeof(double));
    memcpy(distribution.cumulative, (double[]){0.5, 0.75, 1}, 3 * sizeof(double));
    return distribution;
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(distribution_names[DISTRIBUTION_ERLANG], "erlang");
    for (int i = 0; i < DISTRIBUTION_KIND_COUNT; i++)
        assert_non_null(distribution_names[i]);
    assert_null(distribution_names[DISTRIBUTION_KIND_COUNT]);
}

static void test_zeroed_is_the_constant_zero(void **state)
{
    (void)state;
    struct distribution zero = {0};
    struct rng rng = {.key = 1};
    assert_true(distribution_draw(&zero, &rng) == 0);
    assert_int_equal(distribution_draw_ns(&zero, &rng), 0);
    assert_true(distribution_mean(&zero) == 0);
    assert_int_equal(rng.counter, 0); /* a constant draws nothing */
    distribution_free(&zero);
}

/* The wrapped stream is the stream: GSL's numbers are rng_next's, and the counter moves along. */
static void test_wrapper_forwards(void **state)
{
    (void)state;
    struct rng stream = {.key = 42}, twin = {.key = 42};
    struct rng_gsl wrapper;
    const gsl_rng *rng = rng_gsl_wrap(&wrapper, &stream);
    for (int i = 0; i < 10; i++)
        assert_true(gsl_rng_get(rng) == rng_next(&twin));
    assert_true(gsl_rng_uniform(rng) == (double)(rng_next(&twin) >> 11) * 0x1p-53);
    assert_int_equal(stream.counter, twin.counter);
    assert_string_equal(gsl_rng_name(rng), "philox2x64");
    gsl_rng *own = gsl_rng_alloc(rng_gsl_philox2x64);
    gsl_rng_set(own, 42);
    twin = (struct rng){.key = 42};
    assert_true(gsl_rng_get(own) == rng_next(&twin));
    gsl_rng_free(own);
}

static double cdf(const struct distribution *d, double x)
{
    switch (d->kind) {
    case DISTRIBUTION_UNIFORM:
        return gsl_cdf_flat_P(x, d->p[0], d->p[1]);
    case DISTRIBUTION_EXPONENTIAL:
        return gsl_cdf_exponential_P(x, d->p[0]);
    case DISTRIBUTION_NORMAL:
        return gsl_cdf_gaussian_P(x - d->p[0], d->p[1]);
    case DISTRIBUTION_LOGNORMAL:
        return gsl_cdf_gaussian_P(log(x / d->p[0]), d->p[1]);
    case DISTRIBUTION_WEIBULL:
        return 1 - exp(-pow(x / d->p[0], d->p[1]));
    case DISTRIBUTION_PARETO:
        return 1 - pow(d->p[1] / x, d->p[0]);
    case DISTRIBUTION_GAMMA:
        return gsl_cdf_gamma_P(x, d->p[0], d->p[1]);
    case DISTRIBUTION_ERLANG:
        return gsl_cdf_gamma_P(x, d->p[0], d->p[1] / d->p[0]);
    default:
        return NAN;
    }
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/*
 * Kolmogorov-Smirnov against the distribution function, which fixes the meaning of the parameters
 * too: sqrt(n) D stays below 1.95 with probability 0.999 (its limit law), and the seed is fixed.
 */
static void test_draws_follow_their_law(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static double values[COUNT];
    const struct distribution cases[] = {
        make(DISTRIBUTION_UNIFORM, 2, 5),    make(DISTRIBUTION_EXPONENTIAL, 3, 0),
        make(DISTRIBUTION_NORMAL, 100, 5),   make(DISTRIBUTION_LOGNORMAL, 30, 1.2),
        make(DISTRIBUTION_WEIBULL, 10, 0.7), make(DISTRIBUTION_PARETO, 1.5, 4),
        make(DISTRIBUTION_GAMMA, 2.5, 3),    make(DISTRIBUTION_GAMMA, 0.5, 3),
        make(DISTRIBUTION_ERLANG, 4, 20),
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct rng rng = {.key = 1000 + c};
        for (int i = 0; i < COUNT; i++)
            values[i] = distribution_draw(&cases[c], &rng);
        qsort(values, COUNT, sizeof values[0], ascending);
        double distance = 0;
        for (int i = 0; i < COUNT; i++) {
            double p = cdf(&cases[c], values[i]);
            distance = fmax(distance, fmax(p - i / (double)COUNT, (i + 1) / (double)COUNT - p));
        }
        if (!(distance * sqrt(COUNT) < 1.95))
            fail_msg("%s: D = %g", distribution_names[cases[c].kind], distance);
    }
}

static void test_empirical(void **state)
{
    (void)state;
    struct distribution distribution = make_empirical();
    struct rng rng = {.key = 5};
    int seen[3] = {0};
    for (int i = 0; i < 40000; i++) {
        double value = distribution_draw(&distribution, &rng);
        seen[value == 2 ? 0 : value == 10 ? 1 : 2]++;
        assert_true(value == 2 || value == 10 || value == 100);
    }
    assert_int_equal(rng.counter, 40000);
    assert_true(abs(seen[0] - 20000) < 400); /* 4 standard deviations of 100 */
    assert_true(abs(seen[1] - 10000) < 350 && abs(seen[2] - 10000) < 350);
    assert_true(distribution_mean(&distribution) == 0.5 * 2 + 0.25 * 10 + 0.25 * 100);
    distribution.max = 50; /* 100 counts as 50 */
    assert_true(distribution_mean(&distribution) == 0.5 * 2 + 0.25 * 10 + 0.25 * 50);
    distribution_free(&distribution);
    assert_null(distribution.values);
}

static void test_cuts(void **state)
{
    (void)state;
    struct distribution distribution = make(DISTRIBUTION_NORMAL, 1, 5);
    struct rng rng = {.key = 6};
    for (int i = 0; i < 1000; i++)
        assert_true(distribution_draw(&distribution, &rng) >= 0);
    distribution.min = 2;
    distribution.max = 3;
    bool on_low = false, on_high = false;
    for (int i = 0; i < 1000; i++) {
        double value = distribution_draw(&distribution, &rng);
        assert_true(value >= 2 && value <= 3);
        on_low |= value == 2;
        on_high |= value == 3;
    }
    assert_true(on_low && on_high);
}

static void test_nanoseconds(void **state)
{
    (void)state;
    struct rng rng = {.key = 7};
    static const struct {
        double seconds;
        berth_ns ns;
    } cases[] = {
        {0, 0},
        {1.5, 1500000000},
        {1e-9, 1},
        {0.4e-9, 0},
        {0.6e-9, 1},
        {12902960, INT64_C(12902960000000000)},
        {1e300, DISTRIBUTION_NS_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct distribution constant = make(DISTRIBUTION_CONSTANT, cases[i].seconds, 0);
        assert_int_equal(distribution_draw_ns(&constant, &rng), cases[i].ns);
    }
    /* shape 0.01: half of all draws are beyond any double of seconds that fits */
    struct distribution wild = make(DISTRIBUTION_PARETO, 0.001, 1);
    for (int i = 0; i < 1000; i++) {
        berth_ns ns = distribution_draw_ns(&wild, &rng);
        assert_true(ns >= 0 && ns <= DISTRIBUTION_NS_MAX);
    }
}

/* Means, with and without cuts, against closed forms. */
static void test_means(void **state)
{
    (void)state;
    struct {
        enum distribution_kind kind;
        double p, q, min, max, mean;
    } cases[] = {
        {DISTRIBUTION_UNIFORM, 2, 6, 0, DBL_MAX, 4},
        /* uniform on [0, 4] cut to [1, 3]: 1/4 x 1 + 1/2 x 2 + 1/4 x 3 */
        {DISTRIBUTION_UNIFORM, 0, 4, 1, 3, 2},
        {DISTRIBUTION_EXPONENTIAL, 3, 0, 0, DBL_MAX, 3},
        /* E min(X, 5) = m (1 - e^(-5/m)); E max(X, 5) = 5 + m e^(-5/m) */
        {DISTRIBUTION_EXPONENTIAL, 3, 0, 0, 5, 3 * (1 - exp(-5.0 / 3))},
        {DISTRIBUTION_EXPONENTIAL, 3, 0, 5, DBL_MAX, 5 + 3 * exp(-5.0 / 3)},
        {DISTRIBUTION_EXPONENTIAL, 3, 0, 0, 1e300, 3},
        {DISTRIBUTION_EXPONENTIAL, 0, 0, 0, 7, 0},
        /* E max(0, N(0, 1)) = 1 / sqrt(2 pi) */
        {DISTRIBUTION_NORMAL, 0, 1, 0, DBL_MAX, 0.39894228040143268},
        {DISTRIBUTION_NORMAL, 100, 1, 0, DBL_MAX, 100},
        {DISTRIBUTION_NORMAL, 100, 1, 0, 1e9, 100},
        {DISTRIBUTION_NORMAL, 7, 0, 0, DBL_MAX, 7},
        {DISTRIBUTION_LOGNORMAL, 2, 1, 0, DBL_MAX, 2 * exp(0.5)},
        {DISTRIBUTION_LOGNORMAL, 2, 1, 0, 1e200, 2 * exp(0.5)},
        {DISTRIBUTION_WEIBULL, 5, 1, 0, DBL_MAX, 5},
        {DISTRIBUTION_WEIBULL, 5, 2, 0, DBL_MAX, 5 * sqrt(acos(-1)) / 2},
        {DISTRIBUTION_PARETO, 3, 4, 0, DBL_MAX, 6},
        {DISTRIBUTION_PARETO, 1, 4, 0, DBL_MAX, HUGE_VAL},
        /* shape 1 cut at 40: 4 + 4 ln(10) */
        {DISTRIBUTION_PARETO, 1, 4, 0, 40, 4 + 4 * log(10)},
        {DISTRIBUTION_GAMMA, 2.5, 4, 0, DBL_MAX, 10},
        {DISTRIBUTION_GAMMA, 1, 3, 0, 5, 3 * (1 - exp(-5.0 / 3))},
        {DISTRIBUTION_ERLANG, 3, 12, 0, DBL_MAX, 12},
        {DISTRIBUTION_CONSTANT, 9, 0, 0, 5, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct distribution d = make(cases[i].kind, cases[i].p, cases[i].q);
        d.min = cases[i].min;
        d.max = cases[i].max;
        double mean = distribution_mean(&d);
        if (!(mean == cases[i].mean || fabs(mean - cases[i].mean) <= 1e-8 * (1 + cases[i].mean)))
            fail_msg("case %zu: %.12g, not %.12g", i, mean, cases[i].mean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_zeroed_is_the_constant_zero),
        cmocka_unit_test(test_wrapper_forwards),
        cmocka_unit_test(test_draws_follow_their_law),
        cmocka_unit_test(test_empirical),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_nanoseconds),
        cmocka_unit_test(test_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
