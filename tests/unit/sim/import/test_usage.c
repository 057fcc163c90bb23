#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/base/rng.h"
#include "sim/import/usage.h"

static void add(struct usage *usage, int64_t at_ms, int64_t end_ms, int64_t milli)
{
    const int64_t amounts[USAGE_KINDS] = {1000, milli, 0, 0, -0};
    usage_add(usage, at_ms, end_ms, amounts);
}

/*
 *   0    2    5    10 s       one of 1.5 from 0 to 5, one of 2 from 2 to 10, one of 3 from 5 on
 *   |1.5------|               what leaves at 5 goes before what comes at 5: the peak is 5
 *        |2---------|...
 *             |3----|...      what comes and goes at 5 is never there
 */
static void test_worked_example(void **state)
{
    (void)state;
    char text[48];
    struct usage *usage = usage_create();
    add(usage, 0, 5000, 1500);
    add(usage, 2000, 12000, 2000);
    add(usage, 5000, 5000, 100000);
    add(usage, 5000, USAGE_ENDLESS, 3000);
    usage_finish(usage, 10000);
    assert_true(usage_area(usage, 1) == (1500 * 5 + 2000 * 8 + 3000 * 5) * 1000);
    assert_string_equal(usage_mean(usage, 1, 4, text), "3.85");
    assert_string_equal(usage_mean(usage, 0, 1, text), "1.8"); /* (5 + 8 + 5) / 10 */
    assert_string_equal(usage_peak(usage, 1, 2, text), "5");
    assert_int_equal(usage_peak_milli(usage, 0), 2000);
    assert_string_equal(usage_mean(usage, 2, 4, text), "0");
    usage_destroy(usage);
    usage_destroy(NULL);
}

static void test_decimal(void **state)
{
    (void)state;
    static const struct {
        int64_t numerator, denominator;
        int places;
        const char *text;
    } cases[] = {
        {0, 7, 4, "0"},
        {0, 0, 4, "0"},
        {1, 3, 4, "0.3333"},
        {2, 3, 4, "0.6667"},
        {1, 8, 2, "0.13"}, /* half up */
        {5, 2, 0, "3"},
        {100, 1, 0, "100"},
        {1200, 1, 3, "1200"},
        {778516, 1000, 2, "778.52"},
        {22549996, 1000, 4, "22549.996"},
        {INT64_MAX, 1, 0, "9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[48];
        assert_string_equal(
            usage_decimal(cases[i].numerator, cases[i].denominator, cases[i].places, text),
            cases[i].text);
    }
}

/* Random intervals on few time points, against counting each point on its own. */
static void test_against_counting(void **state)
{
    (void)state;
    enum { POINTS = 40, ITEMS = 60 };
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng = {.key = seed};
        struct usage *usage = usage_create();
        int64_t level[POINTS + 1] = {0}, at = 0, area = 0, peak = 0;
        for (int i = 0; i < ITEMS; i++) {
            at += (int64_t)rng_below(&rng, 3) / 2;
            if (at >= POINTS)
                break;
            int64_t milli = (int64_t)rng_below(&rng, 5000);
            int64_t end = at + (int64_t)rng_below(&rng, 12);
            for (int64_t point = at; point < end && point < POINTS; point++)
                level[point] += milli;
            add(usage, at * 1000,
                rng_below(&rng, 20) == 0 && end > POINTS ? USAGE_ENDLESS : end * 1000, milli);
        }
        usage_finish(usage, POINTS * 1000);
        for (int point = 0; point < POINTS; point++) {
            area += level[point] * 1000;
            peak = level[point] > peak ? level[point] : peak;
        }
        if (usage_area(usage, 1) != area || usage_peak_milli(usage, 1) != peak)
            fail_msg("seed %llu", (unsigned long long)seed);
        usage_destroy(usage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_against_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
