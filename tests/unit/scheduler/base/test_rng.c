#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/rng.h"

/* Known answers of the Random123 distribution (kat_vectors, philox2x64 10). */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t in[2], key, out[2];
    } cases[] = {
        {{0, 0}, 0, {UINT64_C(0xca00a0459843d731), UINT64_C(0x66c24222c9a845b5)}},
        {{UINT64_MAX, UINT64_MAX},
         UINT64_MAX,
         {UINT64_C(0x65b021d60cd8310f), UINT64_C(0x4d02f3222f86df20)}},
        {{UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)},
         UINT64_C(0xa4093822299f31d0),
         {UINT64_C(0x0a5e742c2997341c), UINT64_C(0xb0f883d38000de5d)}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t out[2];
        rng_philox(cases[i].key, cases[i].in, out);
        assert_true(out[0] == cases[i].out[0] && out[1] == cases[i].out[1]);
        memcpy(out, cases[i].in, sizeof out); /* in place, as rng_next does */
        rng_philox(cases[i].key, out, out);
        assert_true(out[0] == cases[i].out[0] && out[1] == cases[i].out[1]);
    }
}

/* A stream is its key and counter: draw n is block n, and a copy goes on as the original would. */
static void test_stream_is_counter(void **state)
{
    (void)state;
    struct rng rng = {.key = 77};
    for (uint64_t n = 0; n < 100; n++) {
        uint64_t in[2] = {n, 0}, out[2];
        rng_philox(77, in, out);
        assert_int_equal(rng.counter, n);
        assert_true(rng_next(&rng) == out[0]);
    }
    struct rng copy = rng, jump = {.key = 77, .counter = 100};
    uint64_t next = rng_next(&rng);
    assert_true(rng_next(&copy) == next && rng_next(&jump) == next);
}

/* Answers of an independent program (Python) for the same definition; pins keys for ever. */
static void test_key_known_answers(void **state)
{
    (void)state;
    assert_true(rng_key(1, "lifetime", 7) == UINT64_C(0x9590c5bbc6580b40));
    assert_true(rng_key(0, "", 0) == UINT64_C(0x531e9793a1ec5543));
    assert_true(rng_key_for(1, rng_purpose("lifetime"), 7) == rng_key(1, "lifetime", 7));
}

/* 100,000 keys of neighbouring parents, purposes and numbers: none twice. */
static int ascending(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void test_keys_differ(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static const char *const purposes[] = {"pull", "lifetime", "lifetimf", "",         "a",
                                           "b",    "ab",       "ba",       "interval", "thinning"};
    static uint64_t keys[COUNT];
    size_t at = 0;
    for (uint64_t parent = 0; parent < 10; parent++)
        for (size_t purpose = 0; purpose < 10; purpose++)
            for (uint64_t entity = 0; entity < 1000; entity++)
                keys[at++] = rng_key(parent, purposes[purpose], entity);
    qsort(keys, COUNT, sizeof keys[0], ascending);
    for (size_t i = 1; i < COUNT; i++)
        assert_true(keys[i] != keys[i - 1]);
}

/* P(chi-square of `degrees` >= the statistic): a fair stream is below 1e-4 once in 10,000 seeds. */
static void assert_uniform(const uint64_t *counts, size_t cells, double expected)
{
    double statistic = 0;
    for (size_t i = 0; i < cells; i++)
        statistic += pow((double)counts[i] - expected, 2) / expected;
    double p = gsl_cdf_chisq_Q(statistic, (double)cells - 1);
    if (!(p > 1e-4 && p < 1 - 1e-4))
        fail_msg("chi-square %g over %zu cells: p = %g", statistic, cells, p);
}

/* Every byte of the draws of one stream, and the first draw of many streams. */
static void test_bytes_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 256000 };
    for (int many = 0; many < 2; many++) {
        static uint64_t counts[8][256];
        memset(counts, 0, sizeof counts);
        struct rng rng = {.key = 5};
        for (uint64_t n = 0; n < DRAWS; n++) {
            if (many)
                rng = (struct rng){.key = rng_key(5, "many", n)};
            uint64_t value = rng_next(&rng);
            for (int byte = 0; byte < 8; byte++)
                counts[byte][value >> (8 * byte) & 255]++;
        }
        for (int byte = 0; byte < 8; byte++)
            assert_uniform(counts[byte], 256, DRAWS / 256.0);
    }
}

/* Pairs (stream, next stream) of equal position fill the square evenly and do not correlate. */
static void test_streams_are_independent(void **state)
{
    (void)state;
    enum { DRAWS = 64000 };
    static double x[DRAWS], y[DRAWS];
    for (uint64_t pair = 0; pair < 6; pair++) {
        uint64_t counts[256] = {0};
        /* neighbouring raw keys, and keys of neighbouring entities */
        struct rng a = {.key = pair < 3 ? pair : rng_key(1, "x", pair)};
        struct rng b = {.key = pair < 3 ? pair + 1 : rng_key(1, "x", pair + 1)};
        for (size_t i = 0; i < DRAWS; i++) {
            uint64_t left = rng_next(&a), right = rng_next(&b);
            counts[(left >> 60) * 16 + (right >> 60)]++;
            x[i] = (double)left;
            y[i] = (double)right;
        }
        assert_uniform(counts, 256, DRAWS / 256.0);
        double r = gsl_stats_correlation(x, 1, y, 1, DRAWS);
        assert_true(fabs(r) < 4 / sqrt(DRAWS));
    }
}

/* Within a stream: draws one and two apart. */
static void test_draws_do_not_correlate(void **state)
{
    (void)state;
    enum { DRAWS = 100000 };
    static double x[DRAWS + 2];
    struct rng rng = {.key = 31};
    for (size_t i = 0; i < DRAWS + 2; i++)
        x[i] = (double)rng_next(&rng);
    assert_true(fabs(gsl_stats_correlation(x, 1, x + 1, 1, DRAWS)) < 4 / sqrt(DRAWS));
    assert_true(fabs(gsl_stats_correlation(x, 1, x + 2, 1, DRAWS)) < 4 / sqrt(DRAWS));
}

static void test_below(void **state)
{
    (void)state;
    static const uint64_t limits[] = {1, 2, 3, 7, 100, 256};
    struct rng rng = {.key = 8};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        uint64_t counts[256] = {0};
        for (int n = 0; n < 100000; n++) {
            uint64_t value = rng_below(&rng, limits[i]);
            assert_true(value < limits[i]);
            counts[value]++;
        }
        if (limits[i] > 1)
            assert_uniform(counts, limits[i], 100000.0 / (double)limits[i]);
    }
    /* 3 x 2^62: without rejection the first two thirds would come twice as often as the last */
    uint64_t thirds[3] = {0};
    for (int n = 0; n < 90000; n++)
        thirds[rng_below(&rng, UINT64_C(3) << 62) >> 62]++;
    assert_uniform(thirds, 3, 30000);
    assert_true(rng_below(&rng, UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_stream_is_counter),
        cmocka_unit_test(test_key_known_answers),
        cmocka_unit_test(test_keys_differ),
        cmocka_unit_test(test_bytes_are_uniform),
        cmocka_unit_test(test_streams_are_independent),
        cmocka_unit_test(test_draws_do_not_correlate),
        cmocka_unit_test(test_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
