#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "sim/experiment/number.h"

static void check(double number)
{
    char expected[NUMBER_BYTES], found[NUMBER_BYTES];
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(expected, sizeof expected, "%.*g", precision, number);
        if (strtod(expected, NULL) == number)
            break;
    }
    number_format(number, found);
    if (strcmp(expected, found) != 0)
        fail_msg("%a is %s, not %s", number, expected, found);
}

static void check_around(double number)
{
    double up = number, down = number;
    for (int i = 0; i < 5; i++) {
        check(up);
        check(-down);
        up = nextafter(up, HUGE_VAL);
        down = nextafter(down, -HUGE_VAL);
    }
}

static void test_plain(void **state)
{
    (void)state;
    static const char *const rows[] = {"0",
                                       "1",
                                       "10",
                                       "0.1",
                                       "0.25",
                                       "-2.5",
                                       "1234567.125",
                                       "0.001",
                                       "99999",
                                       "28.95",
                                       "0.30000000000000004",
                                       "1e+15"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char found[NUMBER_BYTES];
        number_format(strtod(rows[i], NULL), found);
        assert_string_equal(found, rows[i]);
    }
}

/* Where digits are carried, where the form changes, and the ends of the range. */
static void test_edges(void **state)
{
    (void)state;
    for (int i = -8; i <= 18; i++)
        for (int k = 1; k < 10; k++)
            check_around(k * pow(10, i));
    for (int i = -60; i <= 64; i++)
        for (int k = 1; k < 8; k++)
            check_around(ldexp(k, i));
    check_around(9007199254740992.0);
    check_around(900719925474099.2);
    check(DBL_MAX);
    check(DBL_MIN);
    check(DBL_TRUE_MIN);
}

static void test_random(void **state)
{
    (void)state;
    struct rng rng = {.key = 17};
    for (int i = 0; i < 300000; i++) {
        double share = (double)(rng_next(&rng) >> 11) * 0x1p-53;
        double whole = (double)rng_below(&rng, 1000000), part = 1 + (double)rng_below(&rng, 1000);
        check(share);
        check(whole / part);                                 /* means */
        check(share * pow(10, (double)rng_below(&rng, 18))); /* amounts */
        check(whole / 1024);                                 /* few binary digits: ties */
        check(ldexp((double)(rng_next(&rng) >> 11), -(int)rng_below(&rng, 70)));
        check(round(share * 1e6) / 1e4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
