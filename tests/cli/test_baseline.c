/*
 * test_baseline.c -- the committed baseline holds: the commit that made packing, recovery or
 * availability of the first scenario worse fails here. When a change is meant, results/README.md
 * says how the baseline is renewed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/berth.h"
#include "tests/support/scratch.h"

static void test_first_look_is_no_worse(void **state)
{
    (void)state;
    const char *out = scratch_path("r");
    struct berth_answer run =
        berth_run(NULL, "run --no-plots --quiet --out '%s' scenarios/first-look.json", out);
    assert_int_equal(run.status, 0);
    struct berth_answer gate =
        berth_run(NULL, "gate --brief results/baselines/first-look.json '%s'", out);
    if (gate.status != 0)
        print_error("%s%s", gate.out, gate.err);
    assert_int_equal(gate.status, 0);
    berth_answer_free(&run);
    berth_answer_free(&gate);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_look_is_no_worse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
