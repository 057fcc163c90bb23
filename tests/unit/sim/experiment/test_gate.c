#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/gate.h"
#include "tests/support/made.h"
#include "tests/support/scratch.h"

static const char *const names[] = {"base", NULL};
static const double no_tolerance[METRIC_COUNT];

/* The change is added to every replication of the metric; the noise spreads it. */
static struct summary *make(enum metric metric, double change, double noise, uint32_t replications,
                            const char *file)
{
    struct made made;
    struct text text = TEXT_INIT;
    struct summary *summary = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    made_open(&made, names, replications);
    for (uint32_t k = 0; k < replications; k++)
        made_value(&made, 0, k, metric, 100 + k + change + (k % 2 == 0 ? noise : -noise));
    made_conclude(&made);
    summary_format(made.experiment, &text);
    assert_int_equal(summary_read(scratch_write_text(file, text.bytes), &summary, &err), BERTH_OK);
    text_free(&text);
    made_close(&made);
    return summary;
}

static enum gate_verdict verdict(enum metric metric, double change, double noise, uint32_t before,
                                 uint32_t after, double tolerance)
{
    double tolerances[METRIC_COUNT] = {0};
    tolerances[metric] = tolerance;
    struct summary *baseline = make(metric, 0, 0, before, "baseline.json");
    struct summary *result = make(metric, change, noise, after, "result.json");
    struct gate gate;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(gate_compare(baseline, result, tolerances, &gate, &err), BERTH_OK);
    assert_int_equal(gate.row_count, METRIC_COUNT);
    enum gate_verdict found = gate.rows[metric].verdict;
    assert_int_equal(gate.counts[GATE_EQUAL], METRIC_COUNT - (found != GATE_EQUAL));
    assert_int_equal(gate.rows[metric].is_paired, before == after);
    gate_free(&gate);
    summary_destroy(baseline);
    summary_destroy(result);
    return found;
}

static void test_verdicts(void **state)
{
    (void)state;
    /* cost: lower is better; availability: higher; events: neither */
    assert_int_equal(verdict(METRIC_COST, 0, 0, 10, 10, 0), GATE_EQUAL);
    assert_int_equal(verdict(METRIC_COST, 3, 0, 10, 10, 0), GATE_WORSE);
    assert_int_equal(verdict(METRIC_COST, 3, 0.1, 10, 10, 0), GATE_WORSE);
    assert_int_equal(verdict(METRIC_COST, -3, 0.1, 10, 10, 0), GATE_BETTER);
    assert_int_equal(verdict(METRIC_COST, 3, 20, 10, 10, 0), GATE_CHANCE);
    assert_int_equal(verdict(METRIC_COST, 3, 0.1, 10, 10, 0.05), GATE_TOLERATED);
    assert_int_equal(verdict(METRIC_COST, 30, 0.1, 10, 10, 0.05), GATE_WORSE);
    assert_int_equal(verdict(METRIC_AVAILABILITY, -3, 0.1, 10, 10, 0), GATE_WORSE);
    assert_int_equal(verdict(METRIC_AVAILABILITY, 3, 0.1, 10, 10, 0), GATE_BETTER);
    assert_int_equal(verdict(METRIC_EVENTS, 30, 0.1, 10, 10, 0), GATE_NEUTRAL);
}

static void test_unequal_counts_are_not_paired(void **state)
{
    (void)state;
    assert_int_equal(verdict(METRIC_COST, 1, 0, 10, 12, 0), GATE_CHANCE);
    assert_int_equal(verdict(METRIC_COST, 60, 0, 10, 12, 0), GATE_WORSE);
}

/* Of one value nothing is known but its size. */
static void test_tolerance_alone(void **state)
{
    (void)state;
    assert_int_equal(verdict(METRIC_COST, 3, 0, 1, 1, 0), GATE_WORSE);
    assert_int_equal(verdict(METRIC_COST, 3, 0, 1, 1, 0.04), GATE_TOLERATED);
}

static void test_what_appears_and_vanishes(void **state)
{
    (void)state;
    struct summary *whole = make(METRIC_COST, 0, 0, 4, "baseline.json");
    struct summary *gone = make(METRIC_COST, NAN, 0, 4, "result.json");
    struct gate gate;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(gate_compare(whole, gone, no_tolerance, &gate, &err), BERTH_OK);
    assert_int_equal(gate.rows[METRIC_COST].verdict, GATE_WORSE);
    gate_free(&gate);
    assert_int_equal(gate_compare(gone, whole, no_tolerance, &gate, &err), BERTH_OK);
    assert_int_equal(gate.rows[METRIC_COST].verdict, GATE_BETTER);
    struct text text = TEXT_INIT;
    gate_format(&gate, false, &text);
    assert_non_null(strstr(text.bytes, "new"));
    assert_non_null(strstr(text.bytes, "passed: 0 worse, 1 better"));
    text_free(&text);
    gate_free(&gate);
    summary_destroy(whole);
    summary_destroy(gone);
}

static void test_what_the_result_lacks(void **state)
{
    (void)state;
    struct summary *baseline = make(METRIC_COST, 0, 0, 4, "baseline.json");
    struct summary *result = make(METRIC_COST, 0, 0, 4, "result.json");
    struct gate gate;
    struct berth_error err = BERTH_ERROR_INIT;
    result->variants[0].has[METRIC_COST] = false;
    assert_int_equal(gate_compare(baseline, result, no_tolerance, &gate, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "has no metric \"cost\""));
    assert_int_equal(gate_compare(result, baseline, no_tolerance, &gate, &err), BERTH_OK);
    assert_int_equal(gate.row_count, METRIC_COUNT - 1);
    gate_free(&gate);
    result->variants[0].name[0] = 'c';
    assert_int_equal(gate_compare(baseline, result, no_tolerance, &gate, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "has no variant \"base\""));
    summary_destroy(baseline);
    summary_destroy(result);
}

static void test_brief_leaves_out_chance(void **state)
{
    (void)state;
    struct summary *baseline = make(METRIC_COST, 0, 0, 10, "baseline.json");
    struct summary *result = make(METRIC_COST, 3, 20, 10, "result.json");
    struct gate gate;
    struct berth_error err = BERTH_ERROR_INIT;
    struct text text = TEXT_INIT;
    assert_int_equal(gate_compare(baseline, result, no_tolerance, &gate, &err), BERTH_OK);
    gate_format(&gate, true, &text);
    assert_null(strstr(text.bytes, "cost"));
    gate_format(&gate, false, &text);
    assert_non_null(strstr(text.bytes, "cost"));
    assert_non_null(strstr(text.bytes, "may be chance"));
    text_free(&text);
    gate_free(&gate);
    summary_destroy(baseline);
    summary_destroy(result);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_unequal_counts_are_not_paired),
        cmocka_unit_test(test_tolerance_alone),
        cmocka_unit_test(test_what_appears_and_vanishes),
        cmocka_unit_test(test_what_the_result_lacks),
        cmocka_unit_test(test_brief_leaves_out_chance),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
