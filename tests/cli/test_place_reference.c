/*
 * test_place_reference.c -- `berth place` agrees with a naive model of ECS's rules in another
 * language, case by random case (place_reference.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void run_seed(const char *seed)
{
    const char *berth = getenv("BERTH");
    char command[512];
    assert_non_null(berth);
    (void)snprintf(command, sizeof command, "python3 tests/cli/place_reference.py '%s' 200 %s",
                   berth, seed);
    assert_int_equal(system(command), 0);
}

static void test_agrees_with_the_naive_model(void **state)
{
    (void)state;
    run_seed("1");
    run_seed("20261");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees_with_the_naive_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
