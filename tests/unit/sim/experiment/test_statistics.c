#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/experiment/statistics.h"

/* Hours of sleep gained under two drugs by the same ten patients (Student 1908). */
static const double dextro[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
static const double laevo[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

static void assert_near(double value, double wanted, double within)
{
    if (!(fabs(value - wanted) <= within))
        fail_msg("%.17g is not %.17g within %g", value, wanted, within);
}

static void test_summary_of_student(void **state)
{
    (void)state;
    struct statistics_summary summary = statistics_summarize(laevo, 10);
    assert_int_equal(summary.count, 10);
    assert_near(summary.mean, 2.33, 1e-12);
    assert_near(summary.sd, 2.0022487, 1e-6);
    assert_near(summary.low, 2.33 - 2.2621572 * 2.0022487 / sqrt(10), 1e-6);
    assert_near(summary.high, 2.33 + 2.2621572 * 2.0022487 / sqrt(10), 1e-6);
}

static void test_summary_of_little(void **state)
{
    (void)state;
    struct statistics_summary none = statistics_summarize(NULL, 0);
    assert_int_equal(none.count, 0);
    assert_true(isnan(none.mean) && isnan(none.sd) && isnan(none.low) && isnan(none.high));
    double one[] = {NAN, 7};
    struct statistics_summary single = statistics_summarize(one, 2);
    assert_int_equal(single.count, 1);
    assert_near(single.mean, 7, 0);
    assert_true(isnan(single.sd) && isnan(single.low));
    double same[] = {0.1, 0.1, 0.1};
    struct statistics_summary constant = statistics_summarize(same, 3);
    assert_near(constant.sd, 0, 0);
    assert_near(constant.low, 0.1, 0);
    assert_near(constant.high, 0.1, 0);
}

static void test_paired_of_student(void **state)
{
    (void)state;
    struct statistics_test test = statistics_paired(dextro, laevo, 10);
    assert_int_equal(test.count, 10);
    assert_near(test.difference, -1.58, 1e-12);
    assert_near(test.t, -4.0621, 5e-5);
    assert_near(test.p, 0.002833, 5e-7);
    assert_near(test.low, -2.4598858, 5e-8);
    assert_near(test.high, -0.7001142, 5e-8);
}

static void test_welch_of_student(void **state)
{
    (void)state;
    struct statistics_test test = statistics_welch(dextro, 10, laevo, 10);
    assert_near(test.t, -1.8608, 5e-5);
    assert_near(test.p, 0.07939, 5e-6);
    assert_near(test.low, -3.3654832, 5e-8);
    assert_near(test.high, 0.2054832, 5e-8);
}

static void test_pairs_with_gaps(void **state)
{
    (void)state;
    double a[] = {NAN, 2, 3, 9, 5}, b[] = {1, 1, 2, NAN, 1};
    struct statistics_test test = statistics_paired(a, b, 5);
    assert_int_equal(test.count, 3);
    assert_near(test.difference, 2, 1e-12);
    struct statistics_test lone = statistics_paired(a, b, 2);
    assert_int_equal(lone.count, 1);
    assert_near(lone.difference, 1, 0);
    assert_true(isnan(lone.p) && isnan(lone.low));
    assert_true(isnan(statistics_paired(a, b, 1).difference));
}

static void test_differences_that_never_vary(void **state)
{
    (void)state;
    double a[] = {4, 5, 6}, b[] = {1, 2, 3};
    struct statistics_test above = statistics_paired(a, b, 3);
    assert_near(above.p, 0, 0);
    assert_true(isinf(above.t) && above.t > 0);
    assert_near(above.low, 3, 0);
    struct statistics_test equal = statistics_paired(a, a, 3);
    assert_near(equal.p, 1, 0);
    assert_near(equal.t, 0, 0);
    double rough[] = {0.1 + 0.2, 1.1 + 2.2, 5}, smooth[] = {0.3, 3.3, 5};
    assert_near(statistics_paired(rough, smooth, 3).p, 1, 0);
    double fives[] = {5, 5}, sixes[] = {6, 6, 6};
    struct statistics_test welch = statistics_welch(fives, 2, sixes, 3);
    assert_near(welch.p, 0, 0);
    assert_near(welch.high, -1, 0);
    assert_true(isnan(statistics_welch(fives, 1, sixes, 3).p));
}

static void test_holm(void **state)
{
    (void)state;
    double p[] = {0.01, NAN, 0.04, 0.03, 0.005, 0.9}, adjusted[6];
    statistics_holm(p, 6, adjusted);
    double wanted[] = {0.04, 0, 0.09, 0.09, 0.025, 0.9};
    for (int i = 0; i < 6; i++) {
        if (i == 1)
            assert_true(isnan(adjusted[i]));
        else
            assert_near(adjusted[i], wanted[i], 1e-12);
    }
    double half[] = {0.6, 0.6};
    statistics_holm(half, 2, adjusted);
    assert_near(adjusted[0], 1, 0);
    statistics_holm(NULL, 0, NULL);
}

static void test_significance(void **state)
{
    (void)state;
    assert_true(statistics_is_significant(0.049));
    assert_false(statistics_is_significant(0.05));
    assert_false(statistics_is_significant(NAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary_of_student),
        cmocka_unit_test(test_summary_of_little),
        cmocka_unit_test(test_paired_of_student),
        cmocka_unit_test(test_welch_of_student),
        cmocka_unit_test(test_pairs_with_gaps),
        cmocka_unit_test(test_differences_that_never_vary),
        cmocka_unit_test(test_holm),
        cmocka_unit_test(test_significance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
