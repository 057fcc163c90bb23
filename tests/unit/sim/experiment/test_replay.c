#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/experiment/files.h"
#include "sim/experiment/replay.h"
#include "tests/support/scratch.h"

static char hash[] = "ffff", other_hash[] = "eeee", other_build[] = "0000";

static void test_scenario_is_found_above_the_summary(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(files_make_folder(scratch_path("tree/results/x"), &err), BERTH_OK);
    assert_int_equal(files_make_folder(scratch_path("tree/scenarios"), &err), BERTH_OK);
    scratch_write_text("tree/scenarios/some-name.json", "{}");
    char *path = mem_copy_text(scratch_write_text("tree/results/x/summary.json", "{}"));
    char scenario[] = "scenarios/some-name.json", missing[] = "scenarios/none.json";
    struct summary summary = {.path = path, .scenario = scenario};
    char *found = NULL;
    assert_int_equal(replay_find_scenario(&summary, &found, &err), BERTH_OK);
    assert_non_null(strstr(found, "/tree/scenarios/some-name.json"));
    mem_free(found);
    summary.scenario = missing;
    assert_int_equal(replay_find_scenario(&summary, &found, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "--scenario"));
    summary.scenario = NULL;
    assert_int_equal(replay_find_scenario(&summary, &found, &err), BERTH_ERR_INPUT);
    mem_free(path);
}

static void test_origin(void **state)
{
    (void)state;
    char path[] = "s.json", build[17];
    snprintf(build, sizeof build, "%s", berth_build_id);
    struct scenario_set set = {.path = path, .hash = "ffff"};
    struct summary summary = {.path = path, .scenario_hash = hash, .build_id = build};
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(replay_check_origin(&summary, &set, &err), BERTH_OK);
    summary.build_id = other_build;
    assert_int_equal(replay_check_origin(&summary, &set, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "made by build 0000"));
    summary.scenario_hash = other_hash;
    assert_int_equal(replay_check_origin(&summary, &set, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "another scenario"));
}

static void test_differences_are_counted(void **state)
{
    (void)state;
    double metrics[METRIC_COUNT], stored[METRIC_COUNT][2];
    struct summary_variant variant = {.name = hash};
    for (int m = 0; m < METRIC_COUNT; m++) {
        metrics[m] = m % 3 == 0 && m != METRIC_COST && m != METRIC_EVENTS ? NAN : 0.1 * m;
        stored[m][0] = -1;
        stored[m][1] = metrics[m];
        variant.values[m] = stored[m];
        variant.value_counts[m] = 2;
    }
    struct text text = TEXT_INIT;
    assert_int_equal(replay_format(&variant, 1, metrics, &text), 0);
    assert_null(strstr(text.bytes, "DIFFERS"));
    stored[METRIC_COST][1] = nextafter(metrics[METRIC_COST], 1e9);
    stored[METRIC_EVENTS][1] = NAN;
    text_clear(&text);
    assert_int_equal(replay_format(&variant, 1, metrics, &text), 2);
    assert_non_null(strstr(text.bytes, "DIFFERS"));
    text_clear(&text);
    assert_int_equal(replay_format(NULL, 0, metrics, &text), 0);
    assert_non_null(strstr(text.bytes, "availability"));
    text_free(&text);
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
        cmocka_unit_test(test_scenario_is_found_above_the_summary),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_differences_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
