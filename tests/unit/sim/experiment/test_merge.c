#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run/histogram.h"
#include "tests/support/made.h"

static const char *const names[] = {"base", "other", NULL};

static void test_means_and_comparisons(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 4);
    made_series(&made, 0, METRIC_COST, 10, 1);
    made_series(&made, 1, METRIC_COST, 12, 1);
    made_conclude(&made);
    const struct experiment *experiment = made.experiment;
    assert_true(experiment->variants[0].points[METRIC_COST] == 11.5);
    assert_true(experiment->variants[1].summaries[METRIC_COST].mean == 13.5);
    assert_int_equal(experiment->comparison_count, METRIC_COUNT);
    for (size_t i = 0; i < experiment->comparison_count; i++) {
        const struct experiment_comparison *comparison = &experiment->comparisons[i];
        assert_int_equal(comparison->variant, 1);
        assert_int_equal(comparison->metric, i);
        assert_true(comparison->test.p == (i == METRIC_COST ? 0 : 1));
        assert_true(comparison->p_holm == (i == METRIC_COST ? 0 : 1));
    }
    assert_true(experiment->comparisons[METRIC_COST].test.difference == 2);
    made_close(&made);
}

static void test_samples_are_averaged(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 3);
    made_conclude(&made);
    const struct experiment_variant *variant = &made.experiment->variants[1];
    assert_int_equal(variant->sample_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(variant->samples[i].at_ns == 900 * BERTH_NS_PER_S * (i + 1));
        assert_true(variant->samples[i].cpu_reserved_ratio == 0.25 * (i + 1));
    }
    made_close(&made);
}

/* A hundred waits in one replication, one long one in the other: half of the runs is not half of
 * the tasks. */
static void test_quantiles_are_of_all_waits(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 2);
    struct run_result result = {.waits = histogram_create()};
    for (int i = 0; i < 99; i++)
        histogram_add(result.waits, 0);
    result.metrics[METRIC_PLACEMENT_WAIT_P95] = 0;
    experiment_add(made.experiment, 0, 0, &result);
    histogram_destroy(result.waits);
    result.waits = histogram_create();
    histogram_add(result.waits, 8 * BERTH_NS_PER_S);
    result.metrics[METRIC_PLACEMENT_WAIT_P95] = 8;
    experiment_add(made.experiment, 0, 1, &result);
    histogram_destroy(result.waits);
    made_conclude(&made);
    const struct experiment_variant *variant = &made.experiment->variants[0];
    assert_true(variant->summaries[METRIC_PLACEMENT_WAIT_P95].mean == 4);
    assert_true(variant->points[METRIC_PLACEMENT_WAIT_P95] == 0);
    assert_true(variant->points[METRIC_PLACEMENT_WAIT_P99] == 0);
    assert_true(isnan(made.experiment->variants[1].points[METRIC_PLACEMENT_WAIT_P95]));
    made_close(&made);
}

static void test_heat_is_of_the_first(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 2);
    int16_t first[] = {1, 2, 3, 4}, second[] = {9, 9, 9, 9};
    struct run_result result = {
        .waits = histogram_create(), .heat = first, .heat_rows = 1, .sample_count = 4};
    struct run_sample samples[4] = {{0}};
    result.samples = samples;
    experiment_add(made.experiment, 0, 0, &result);
    result.heat = second;
    experiment_add(made.experiment, 0, 1, &result);
    histogram_destroy(result.waits);
    assert_memory_equal(made.experiment->variants[0].heat, first, sizeof first);
    assert_null(made.experiment->variants[1].heat);
    made_close(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_and_comparisons),
        cmocka_unit_test(test_samples_are_averaged),
        cmocka_unit_test(test_quantiles_are_of_all_waits),
        cmocka_unit_test(test_heat_is_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
