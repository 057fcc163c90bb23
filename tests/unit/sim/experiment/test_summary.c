#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/base/version.h"
#include "scheduler/ecs/json_input.h"
#include "sim/experiment/summary.h"
#include "tests/support/made.h"
#include "tests/support/scratch.h"

static const char *const names[] = {"base", "a/x=\"1\"", NULL};

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "0"},
                 {0.1, "0.1"},
                 {30, "30"},
                 {1.0 / 3, "0.3333333333333333"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {-2.5, "-2.5"},
                 {1e300, "1e+300"},
                 {123456789012345680.0, "1.2345678901234568e+17"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = TEXT_INIT;
        summary_format_number(cases[i].number, &text);
        assert_string_equal(text.bytes, cases[i].text);
        text_free(&text);
    }
}

static void test_numbers_read_back(void **state)
{
    (void)state;
    struct rng rng = {rng_key(20, "numbers", 0), 0};
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rng_next(&rng);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        struct text text = TEXT_INIT;
        summary_format_number(number, &text);
        assert_true(strtod(text.bytes, NULL) == number);
        text_free(&text);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 5);
    made_series(&made, 0, METRIC_AVAILABILITY, 1.0 / 3, 1.0 / 7);
    made_value(&made, 1, 2, METRIC_COST, NAN);
    made_conclude(&made);
    summary_format(made.experiment, &text);
    struct summary *summary = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    scratch_write_text("summary.json", text.bytes);
    assert_int_equal(summary_read(scratch_folder(), &summary, &err), BERTH_OK);
    assert_string_equal(summary->name, "made");
    assert_string_equal(summary->scenario, "made.json");
    assert_string_equal(summary->scenario_hash, made.set->hash);
    assert_string_equal(summary->build_id, berth_build_id);
    assert_int_equal(summary->seed, 7);
    assert_int_equal(summary->replications, 5);
    assert_int_equal(summary->variant_count, 2);
    assert_null(summary_find(summary, "none"));
    for (uint32_t v = 0; v < 2; v++) {
        const struct summary_variant *read = summary_find(summary, names[v]);
        for (int m = 0; m < METRIC_COUNT; m++) {
            assert_true(read->has[m]);
            assert_int_equal(read->value_counts[m], 5);
            for (int k = 0; k < 5; k++) {
                double before = made.experiment->variants[v].values[m][k];
                assert_true(before == read->values[m][k] ||
                            (isnan(before) && isnan(read->values[m][k])));
            }
        }
    }
    summary_destroy(summary);
    text_free(&text);
    made_close(&made);
}

/* The shape that the issue names, and sorted keys: what jansson sorts is what was written. */
static void test_shape(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 3);
    made_series(&made, 1, METRIC_COST, 1, 1);
    made_conclude(&made);
    summary_format(made.experiment, &text);
    json_t *json = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(json_read_text(text.bytes, text.length, "x", &json, &err), BERTH_OK);
    json_t *variant = json_array_get(json_object_get(json, "variants"), 1);
    json_t *cost = json_object_get(json_object_get(variant, "metrics"), "cost");
    assert_true(json_number_value(json_object_get(cost, "mean")) == 2);
    assert_true(json_number_value(json_object_get(cost, "sd")) == 1);
    assert_int_equal(json_array_size(json_object_get(cost, "ci95")), 2);
    assert_int_equal(json_array_size(json_object_get(cost, "values")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "comparisons")), METRIC_COUNT);
    char *sorted = json_dumps(json, JSON_SORT_KEYS), *as_read = json_dumps(json, 0);
    assert_string_equal(sorted, as_read);
    free(sorted);
    free(as_read);
    json_decref(json);
    text_free(&text);
    made_close(&made);
}

#define HEAD "{\"scenarioHash\":\"a\",\"buildId\":\"b\",\"seed\":1,\"variants\":"
static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[]", "is this the summary.json of a run?"},
        {"{\"scenarioHash\":\"a\",\"buildId\":\"b\",\"seed\":1}", "is this the summary.json"},
        {HEAD "[]}", "is this the summary.json"},
        {HEAD "[{}]}", "/variants/0: needs \"name\""},
        {HEAD "[{\"name\":\"v\",\"metrics\":{\"cosd\":{}}}]}", "did you mean \"cost\"?"},
        {HEAD "[{\"name\":\"v\",\"metrics\":{\"cost\":{\"mean\":\"1\"}}}]}",
         "/variants/0/metrics/cost: needs \"mean\""},
        {HEAD "[{\"name\":\"v\",\"metrics\":{\"cost\":{\"mean\":1,\"values\":[true]}}}]}",
         "/metrics/cost/values/0: neither"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct summary *summary = NULL;
        struct berth_error err = BERTH_ERROR_INIT;
        const char *path = scratch_write_text("bad.json", cases[i].text);
        assert_int_equal(summary_read(path, &summary, &err), BERTH_ERR_INPUT);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
    }
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
        cmocka_unit_test(test_numbers),    cmocka_unit_test(test_numbers_read_back),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_shape),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
