/*
 * test_scenarios.c -- the scenarios that come with berth: each is valid, says what it asks, and
 * runs; and what scenarios/README.md claims of the most important ones is what comes out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glob.h>
#include <jansson.h>

#include <cmocka.h>

#include "tests/support/berth.h"
#include "tests/support/scratch.h"

#define SCENARIOS_LEAST 20 /* what scenarios/README.md lists */

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("%s: %s", path, error.text);
    return json;
}

static void assert_says(const char *path, const json_t *scenario, const char *key)
{
    const char *text = json_string_value(json_object_get(scenario, key));
    if (text == NULL || strlen(text) < 40)
        fail_msg("%s: no %s to speak of", path, key);
}

static void assert_listed(const char *list, const char *path)
{
    char row[128];
    snprintf(row, sizeof row, "`%s`", strrchr(path, '/') + 1);
    if (strstr(list, row) == NULL)
        fail_msg("%s: scenarios/README.md does not list it", path);
}

static char *read_list(void)
{
    static char text[65536];
    FILE *file = fopen("scenarios/README.md", "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[size] = '\0';
    return text;
}

static void test_each_asks_and_runs(void **state)
{
    (void)state;
    glob_t found;
    uint32_t count = 0;
    const char *list = read_list();
    assert_int_equal(glob("scenarios/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        if (strcmp(path, "scenarios/scenario.schema.json") == 0)
            continue;
        count++;
        json_t *scenario = load(path);
        assert_says(path, scenario, "question");
        assert_says(path, scenario, "description");
        assert_listed(list, path);
        const json_t *run = json_object_get(scenario, "run");
        assert_true(json_array_size(json_object_get(run, "metrics")) >= 5);
        assert_true(json_integer_value(json_object_get(run, "replications")) >= 10);
        json_decref(scenario);
        struct berth_answer answer = berth_run(
            NULL, "run --quiet --no-plots --replications 2 --out '%s' %s", scratch_path("r"), path);
        if (answer.status != 0 || answer.err[0] != '\0')
            fail_msg("%s: exit status %d: %s", path, answer.status, answer.err);
        assert_non_null(strstr(answer.out, "Answer:"));
        berth_answer_free(&answer);
    }
    assert_true(count >= SCENARIOS_LEAST);
    globfree(&found);
    scratch_remove();
}

/* The metric of `better` is below that of `worse` in every replication of scenarios/NAME.json. */
struct claim {
    const char *scenario, *metric, *better, *worse;
};

static const struct claim claims[] = {
    {"bad-release", "tasksRestarted", "100-200-rollback", "100-200"},
    {"bad-release", "timeToSteadyMax", "50-150-rollback", "50-150"},
    {"bad-release", "deploymentDipMax", "50-150", "0-100"},
    {"deploy-percent", "deploymentDurationMean", "100-200/instances=10", "100-200/instances=6"},
    {"deploy-percent", "deploymentDipMax", "100-150/instances=6", "50-200/instances=6"},
    {"zone-spares", "taskSecondsBelowDesired", "one", "none"},
    {"zone-spares", "taskSecondsBelowDesired", "two", "one"},
    {"spot", "cost", "spot-60", "spot-30"},
    {"blast-radius", "instancesInUseMean", "binpack", "spread"},
    {"blast-radius", "blastRadiusMax", "spread", "binpack"},
    {"drain-third", "taskSecondsBelowDesired", "100-200/drained=0.33", "75-100/drained=0.33"},
    {"daemon-upgrade", "deploymentDipMax", "min-90", "min-50"},
    {"daemon-upgrade", "deploymentDurationMean", "min-50", "min-90"},
    {"autoscaling-day", "requestsFailedRatio", "target-40", "target-80"},
    {"autoscaling-day", "cost", "target-80", "target-40"},
    {"blue-green", "requestsFailed", "canary-10", "blue-green"},
    {"blue-green", "requestsFailed", "blue-green", "rolling"},
    {"blue-green", "requestsFailed", "rolling", "rolling-no-alarm"},
    {"rebalance", "zoneSkewMean", "enabled", "disabled"},
    {"scale-out-burst", "placementWaitMean", "target-60", "target-100"},
    {"scale-out-burst", "cost", "target-100", "target-60"},
    {"fargate-or-ec2", "cost", "fargate-spot", "fargate"},
    {"controller-crash", "taskSecondsBelowDesired", "back-after-1m", "back-after-10m"},
    {"partition", "tasksDisturbed", "lost-60-brake-25", "lost-60"},
    {"partition", "taskSecondsBelowDesired", "lost-60", "lost-60-brake-25"},
    {"grey-instances", "deploymentDurationMean", "grey-drained", "grey"},
    {"launch-rate", "timeToSteadyMax", "500", "100"},
    {"health-grace", "churn", "120s", "0s"},
    {"oom-leak", "tasksRestarted", "policy-60s", "no-policy"},
};

static const json_t *values_of(const json_t *summary, const char *variant, const char *metric)
{
    const json_t *variants = json_object_get(summary, "variants");
    for (size_t i = 0; i < json_array_size(variants); i++) {
        const json_t *of = json_array_get(variants, i);
        if (strcmp(json_string_value(json_object_get(of, "name")), variant) == 0)
            return json_object_get(json_object_get(json_object_get(of, "metrics"), metric),
                                   "values");
    }
    return NULL;
}

static void assert_claim(const json_t *summary, const struct claim *claim)
{
    const json_t *better = values_of(summary, claim->better, claim->metric);
    const json_t *worse = values_of(summary, claim->worse, claim->metric);
    if (json_array_size(better) == 0 || json_array_size(worse) != json_array_size(better))
        fail_msg("%s: no %s of %s or %s", claim->scenario, claim->metric, claim->better,
                 claim->worse);
    for (size_t i = 0; i < json_array_size(better); i++) {
        double low = json_number_value(json_array_get(better, i));
        double high = json_number_value(json_array_get(worse, i));
        if (!json_is_number(json_array_get(better, i)) || low >= high)
            fail_msg("%s: %s of %s is %g, that of %s is %g", claim->scenario, claim->metric,
                     claim->better, low, claim->worse, high);
    }
}

static void test_the_answers_hold(void **state)
{
    (void)state;
    json_t *summary = NULL;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const struct claim *claim = &claims[i];
        if (i == 0 || strcmp(claim->scenario, claims[i - 1].scenario) != 0) {
            struct berth_answer answer = berth_run(
                NULL, "run --quiet --no-plots --replications 3 --out '%s' scenarios/%s.json",
                scratch_path("c"), claim->scenario);
            assert_int_equal(answer.status, 0);
            berth_answer_free(&answer);
            json_decref(summary);
            summary = load(scratch_path("c/summary.json"));
        }
        assert_claim(summary, claim);
    }
    json_decref(summary);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_asks_and_runs),
        cmocka_unit_test(test_the_answers_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
