/*
 * Replications small enough to be computed by hand, and what every replication promises: equal
 * inputs, equal outputs; two strategies face the same world; errors are told, not hung on.
 */
#include "sim/run/run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/run/histogram.h"

#define NO_DELAYS                                                                    \
    "\"delays\":{\"boot\":0,\"network\":0,\"containerStart\":0,\"containerStop\":0," \
    "\"pullOverhead\":0}"
#define DEFINITION(cpu)                                                                      \
    "\"taskDefinitions\":{\"t\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\"," \
    "\"cpu\":" cpu ",\"memory\":512}]}}"

static struct scenario_set *load(const char *body)
{
    struct text json = TEXT_INIT;
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    text_addf(&json, "{\"version\":1,\"name\":\"x\",%s}", body);
    if (scenario_load_text(json.bytes, json.length, ".", &set, &err) != BERTH_OK)
        fail_msg("%s\n%s", err.text, json.bytes);
    text_free(&json);
    return set;
}

static void run(const struct scenario *scenario, struct run_result *result)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1, .audits = true};
    if (run_replication(scenario, &options, result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
}

struct figure {
    enum metric metric;
    double value;
};

static void assert_figures(const struct run_result *result, const struct figure *figures,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double is = result->metrics[figures[i].metric], wanted = figures[i].value;
        if (isnan(wanted) != 0 ? isnan(is) == 0 : !(fabs(is - wanted) <= 1e-9 * (1 + wanted)))
            fail_msg("%s is %.12g, not %.12g", metric_infos[figures[i].metric].name, is, wanted);
    }
}

#define ASSERT_FIGURES(result, ...)                              \
    assert_figures(result, (const struct figure[]){__VA_ARGS__}, \
                   sizeof((const struct figure[]){__VA_ARGS__}) / sizeof(struct figure))

/* Two hosts, a copy on each; the first host is lost from 100 to 150 of 1000 seconds. */
static void lose_one_of_two(const char *mode, struct run_result *result)
{
    struct text body = TEXT_INIT;
    text_addf(&body,
              "\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024,\"zones\":[\"a\",\"b\"],"
              "\"pricePerHour\":3.6}}," DEFINITION(
                  "1024") ",\"services\":{\"web\":"
                          "{\"taskDefinition\":\"t\",\"desiredCount\":2}},\"timeline\":{\"x\":{"
                          "\"at\":100,"
                          "\"fail\":{\"instance\":0,\"mode\":\"%s\",\"for\":50}}}," NO_DELAYS
                          ",\"run\":{\"duration\":1000}",
              mode);
    struct scenario_set *set = load(body.bytes);
    run(set->variants[0], result);
    scenario_set_destroy(set);
    text_free(&body);
}

static void test_terminate(void **state)
{
    (void)state;
    struct run_result result;
    lose_one_of_two("terminate", &result);
    ASSERT_FIGURES(
        &result, {METRIC_TASKS_REQUESTED, 3}, {METRIC_TASKS_PLACED, 3}, {METRIC_TASKS_REFUSED, 0},
        {METRIC_TASKS_WAITING, 0}, {METRIC_PLACEMENT_WAIT_MEAN, 50.0 / 3},
        {METRIC_PLACEMENT_WAIT_MAX, 50}, {METRIC_TASKS_RUNNING_MEAN, 1.95},
        {METRIC_TASKS_RUNNING_MAX, 2}, {METRIC_CPU_RESERVED_RATIO, 1},
        {METRIC_MEMORY_RESERVED_RATIO, 0.5}, {METRIC_GPU_RESERVED_RATIO, NAN},
        {METRIC_CPU_RESERVED_MEAN, 1.95}, {METRIC_MEMORY_RESERVED_MEAN, 0.975},
        {METRIC_INSTANCES_IN_USE_MEAN, 1.95}, {METRIC_INSTANCES_IN_USE_MAX, 2},
        {METRIC_CPU_STRANDED_RATIO, 0}, {METRIC_MEMORY_STRANDED_RATIO, 0.5},
        {METRIC_ZONE_SKEW_MEAN, 0.05}, {METRIC_LOAD_VARIATION, 0}, {METRIC_BLAST_RADIUS_MAX, 0.5},
        {METRIC_TASK_SECONDS_BELOW_DESIRED, 50}, {METRIC_AVAILABILITY, 0.975},
        {METRIC_TIME_TO_STEADY_MEAN, 50}, {METRIC_TIME_TO_STEADY_MAX, 50},
        {METRIC_TIME_TO_CONVERGE_MEAN, 50}, {METRIC_TIME_TO_CONVERGE_MAX, 50},
        {METRIC_TASKS_DISTURBED, 1}, {METRIC_TASKS_KILLED, 1}, {METRIC_TASKS_RESTARTED, 0},
        {METRIC_TASKS_MOVED, 0}, {METRIC_INSTANCE_HOURS, 1950.0 / 3600}, {METRIC_COST, 1.95});
    run_result_free(&result);
}

/* The controller notices none of these; who serves is the truth all the same. */
static void test_stop_hang_disconnect(void **state)
{
    (void)state;
    struct run_result result;
    lose_one_of_two("stop", &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_PLACED, 3}, {METRIC_TASKS_RUNNING_MEAN, 2},
                   {METRIC_AVAILABILITY, 0.975}, {METRIC_TASKS_KILLED, 1},
                   {METRIC_PLACEMENT_WAIT_MAX, 0}, {METRIC_TIME_TO_STEADY_MEAN, 50},
                   {METRIC_COST, 1.95});
    run_result_free(&result);
    lose_one_of_two("hang", &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_PLACED, 2}, {METRIC_TASKS_RUNNING_MEAN, 2},
                   {METRIC_AVAILABILITY, 0.975}, {METRIC_TASKS_KILLED, 0},
                   {METRIC_TIME_TO_STEADY_MEAN, 50}, {METRIC_COST, 2});
    run_result_free(&result);
    lose_one_of_two("disconnect", &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_PLACED, 2}, {METRIC_AVAILABILITY, 1},
                   {METRIC_TIME_TO_STEADY_MEAN, 0}, {METRIC_COST, 2});
    run_result_free(&result);
}

/* What is noticed late is nothing to the time to steady, and all to the time to converge. */
static void test_convergence(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":2,\"cpu\":2048,\"memory\":2048}}," DEFINITION(
            "1024") ",\"services\":{\"web\":{\"taskDefinition\":\"t\",\"desiredCount\":2}},"
                    "\"timeline\":{\"x\":{\"at\":100,\"fail\":{\"instance\":0,"
                    "\"mode\":\"disconnect\"}}},\"delays\":{\"containerStart\":20,"
                    "\"network\":0},\"run\":{\"duration\":1000,\"warmUp\":90,"
                    "\"instanceLostSeconds\":300}");
    struct run_result result;
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1, .audits = true};
    assert_int_equal(run_replication(set->variants[0], &options, &result, &err), BERTH_OK);
    /* Missed after 180 s, lost 300 s later, replaced by a copy that takes 20 s to start. */
    ASSERT_FIGURES(&result, {METRIC_TIME_TO_STEADY_MAX, 0}, {METRIC_TIME_TO_CONVERGE_MAX, 500},
                   {METRIC_TIME_TO_CONVERGE_MEAN, 500}, {METRIC_TASKS_DISTURBED, 1});
    run_result_free(&result);
    scenario_set_destroy(set);
}

/* 150 calls at once on a bucket of 100 that gets 40 back a second: all are made in the end. */
static void test_throttled_calls_are_made_again(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":2,\"cpu\":204800,\"memory\":204800}}," DEFINITION(
            "16") ",\"arrivals\":{\"a\":{\"taskDefinition\":\"t\",\"batch\":150,\"startAt\":10}},"
                  "\"run\":{\"duration\":100},\"quotas\":{\"api\":true}");
    struct run_result result;
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1, .audits = true};
    assert_int_equal(run_replication(set->variants[0], &options, &result, &err), BERTH_OK);
    ASSERT_FIGURES(&result, {METRIC_TASKS_REQUESTED, 150}, {METRIC_TASKS_PLACED, 150},
                   {METRIC_TASKS_RUNNING_MAX, 150});
    assert_true(result.metrics[METRIC_CALLS_THROTTLED] > 50);
    run_result_free(&result);
    scenario_set_destroy(set);
}

/* Batch of five tasks of 100 s on two slots: two run, three are refused or wait in turn. */
static void test_full(void **state)
{
    (void)state;
    static const char *const body =
        "\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024}}," DEFINITION(
            "1024") ",\"arrivals\":{\"a\":{\"batch\":5,\"taskDefinition\":\"t\",\"lifetime\":100}}"
                    "," NO_DELAYS
                    ",\"run\":{\"duration\":1000},\"compare\":{\"variants\":{\"refuse\":{},"
                    "\"wait\":{\"arrivals\":{\"a\":{\"onFull\":\"wait\"}}}}}";
    struct scenario_set *set = load(body);
    struct run_result result;
    run(set->variants[0], &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_REQUESTED, 5}, {METRIC_TASKS_PLACED, 2},
                   {METRIC_TASKS_REFUSED, 3}, {METRIC_REFUSED_CPU, 3}, {METRIC_REFUSED_OTHER, 0},
                   {METRIC_REFUSED_RATIO, 0.6}, {METRIC_TASKS_RUNNING_MEAN, 0.2},
                   {METRIC_AVAILABILITY, NAN}, {METRIC_BLAST_RADIUS_MAX, NAN},
                   {METRIC_ZONE_SKEW_MEAN, NAN}, {METRIC_TIME_TO_STEADY_MEAN, NAN});
    run_result_free(&result);
    run(set->variants[1], &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_PLACED, 5}, {METRIC_TASKS_REFUSED, 0},
                   {METRIC_PLACEMENT_WAIT_MEAN, 80}, {METRIC_PLACEMENT_WAIT_MAX, 200},
                   {METRIC_TASKS_WAITING_MEAN, 0.4}, {METRIC_TASKS_RUNNING_MEAN, 0.5},
                   {METRIC_INSTANCES_IN_USE_MEAN, 0.5});
    assert_int_equal(histogram_count(result.waits), 5);
    run_result_free(&result);
    scenario_set_destroy(set);
}

static void test_draining_moves(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":3,\"cpu\":1024,\"memory\":1024}}," DEFINITION(
            "1024") ",\"services\":{\"web\":{\"taskDefinition\":\"t\",\"desiredCount\":2}},"
                    "\"timeline\":"
                    "{\"x\":{\"at\":100,\"drain\":{\"instance\":0}}}," NO_DELAYS
                    ",\"run\":{\"duration\":1000}");
    struct run_result result;
    run(set->variants[0], &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_MOVED, 1}, {METRIC_TASKS_KILLED, 0},
                   {METRIC_TASKS_PLACED, 3}, {METRIC_AVAILABILITY, 1});
    run_result_free(&result);
    scenario_set_destroy(set);
}

static void test_the_window_begins_after_the_warm_up(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024}}," DEFINITION(
            "1024") ",\"arrivals\":{\"a\":{\"batch\":2,\"taskDefinition\":\"t\",\"lifetime\":300}}"
                    "," NO_DELAYS ",\"run\":{\"duration\":1000,\"warmUp\":200,\"sample\":300}");
    struct run_result result;
    run(set->variants[0], &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_REQUESTED, 0}, {METRIC_TASKS_PLACED, 0},
                   {METRIC_PLACEMENT_WAIT_MEAN, NAN}, {METRIC_TASKS_RUNNING_MEAN, 0.25},
                   {METRIC_TASKS_RUNNING_MAX, 2}, {METRIC_INSTANCE_HOURS, 1600.0 / 3600});
    assert_int_equal(result.sample_count, 4);
    assert_int_equal(result.samples[3].at_ns, 1000 * BERTH_NS_PER_S);
    assert_true(result.samples[0].tasks_running == 2 && result.samples[1].tasks_running == 0);
    assert_true(result.samples[0].instances_up == 2);
    run_result_free(&result);
    scenario_set_destroy(set);
}

/* Empty for 400 of 2000 s, then a steady load: the cut must take most of the ramp off. */
static void test_mser5_cuts_the_ramp(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":1,\"cpu\":10240,\"memory\":10240}}," DEFINITION(
            "1024") ",\"arrivals\":{\"a\":{\"batch\":8,\"startAt\":400,\"taskDefinition\":\"t\"}}"
                    "," NO_DELAYS ",\"run\":{\"duration\":2000,\"warmUp\":\"mser5\"}");
    struct run_result result;
    run(set->variants[0], &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_RUNNING_MEAN, 8}, {METRIC_TASKS_REQUESTED, 8},
                   {METRIC_INSTANCE_HOURS, 1600.0 / 3600});
    run_result_free(&result);
    scenario_set_destroy(set);
}

/* With room for everything, strategies differ in where, never in how many or how long. */
static void test_strategies_face_the_same_world(void **state)
{
    (void)state;
    struct scenario_set *set = load(
        "\"fleet\":{\"g\":{\"count\":50,\"cpu\":8192,\"memory\":16384,\"zones\":[\"a\",\"b\"]}}"
        "," DEFINITION(
            "256") ",\"arrivals\":{\"a\":{\"ratePerHour\":600,\"taskDefinition\":\"t\","
                   "\"lifetime\":{\"distribution\":\"exponential\",\"mean\":300},\"cpu\":{"
                   "\"distribution\":"
                   "\"uniform\",\"min\":100,\"max\":900}}}," NO_DELAYS
                   ",\"run\":{\"duration\":7200},"
                   "\"compare\":{\"variants\":{\"pack\":{\"run\":{\"placementStrategy\":[{\"type\":"
                   "\"binpack\",\"field\":\"cpu\"}]}},\"spread\":{\"run\":{\"placementStrategy\":[{"
                   "\"type\":"
                   "\"spread\",\"field\":\"instanceId\"}]}},\"random\":{\"run\":{"
                   "\"placementStrategy\":"
                   "[{\"type\":\"random\"}]}}}}");
    struct run_result results[3];
    for (uint32_t i = 0; i < 3; i++) {
        run(set->variants[i], &results[i]);
        assert_true(results[i].metrics[METRIC_TASKS_RUNNING_MEAN] ==
                    results[0].metrics[METRIC_TASKS_RUNNING_MEAN]);
        assert_true(results[i].metrics[METRIC_CPU_RESERVED_MEAN] ==
                    results[0].metrics[METRIC_CPU_RESERVED_MEAN]);
    }
    assert_true(results[0].metrics[METRIC_TASKS_REQUESTED] > 1000);
    assert_true(results[0].metrics[METRIC_INSTANCES_IN_USE_MEAN] <
                results[1].metrics[METRIC_INSTANCES_IN_USE_MEAN]);
    for (uint32_t i = 0; i < 3; i++)
        run_result_free(&results[i]);
    scenario_set_destroy(set);
}

static void test_the_journal_is_json(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024}}," DEFINITION(
            "1024") ",\"services\":{\"web\":{\"taskDefinition\":\"t\",\"desiredCount\":2}},"
                    "\"timeline\":"
                    "{\"x\":{\"at\":100,\"fail\":{\"instance\":0,\"for\":50}}},\"run\":"
                    "{\"duration\":1000}");
    FILE *file = tmpfile();
    struct run_result result;
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1, .events = file, .wants_heat = true};
    char line[4096];
    double before = -1;
    unsigned lines = 0, lost = 0, stopped = 0;
    assert_int_equal(run_replication(set->variants[0], &options, &result, &err), BERTH_OK);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        json_error_t error;
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        assert_non_null(json);
        double seconds = json_number_value(json_object_get(json, "seconds"));
        const char *type = json_string_value(json_object_get(json, "detail-type"));
        assert_true(seconds >= before);
        assert_int_equal(
            strncmp(json_string_value(json_object_get(json, "time")), "2025-01-01T", 11), 0);
        lost += strcmp(type, "berth Host Lost") == 0;
        stopped += strstr(line, "\"lastStatus\":\"STOPPED\"") != NULL;
        before = seconds;
        lines++;
        json_decref(json);
    }
    assert_true(lines > 10);
    assert_int_equal(lost, 1);
    assert_int_equal(stopped, 1);
    assert_int_equal(result.heat_rows, 2);
    assert_int_equal(result.heat[0], 1000); /* full from the first sample on */
    assert_int_equal(result.heat[20], -1);  /* 5 s a sample: 100 to 105 s */
    assert_int_equal(result.heat[result.sample_count + 20], 1000);
    (void)fclose(file);
    run_result_free(&result);
    scenario_set_destroy(set);
}

static void assert_fails(const char *body, enum berth_err code, const char *words)
{
    struct scenario_set *set = load(body);
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    const struct run_options options = {.seed = 1};
    assert_int_equal(run_replication(set->variants[0], &options, &result, &err), code);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, err.text);
    assert_null(result.samples);
    scenario_set_destroy(set);
}

static void test_a_clock_that_stands_still_is_told(void **state)
{
    (void)state;
    assert_fails("\"fleet\":{\"g\":{\"count\":1,\"cpu\":1024,\"memory\":1024}},\"taskDefinitions\":"
                 "{\"t\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":"
                 "\"i\",\"cpu\":1,\"memory\":1}]},\"lifetime\":0}},\"services\":{\"s\":"
                 "{\"taskDefinition\":\"t\",\"desiredCount\":1}}," NO_DELAYS
                 ",\"quotas\":{\"launchRatePerMinute\":0},\"run\":{\"duration\":10}",
                 BERTH_ERR_INPUT, "time stands still");
}

static void test_an_interruption_is_heard(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":10,\"cpu\":1024,\"memory\":1024}}," DEFINITION(
            "64") ",\"arrivals\":{\"a\":{\"ratePerHour\":36000,\"taskDefinition\":\"t\","
                  "\"lifetime\":1}},"
                  "\"run\":{\"duration\":36000}");
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    volatile sig_atomic_t stop = 1;
    const struct run_options options = {.seed = 1, .stop = &stop};
    assert_int_equal(run_replication(set->variants[0], &options, &result, &err),
                     BERTH_ERR_INTERRUPTED);
    scenario_set_destroy(set);
}

/* Two task sets of four: a half, then both, then only the second; each start and stop is a share.
 */
static void test_task_sets_are_scaled_and_removed(void **state)
{
    (void)state;
    struct scenario_set *set =
        load("\"fleet\":{\"g\":{\"count\":4,\"cpu\":2048,\"memory\":4096}}," DEFINITION(
            "512") ","
                   "\"services\":{\"s\":{\"deploymentController\":\"EXTERNAL\",\"desiredCount\":4}}"
                   ","
                   "\"timeline\":{"
                   "\"a\":{\"at\":100,\"createTaskSet\":{\"service\":\"s\",\"externalId\":\"blue\","
                   "\"taskDefinition\":\"t\",\"scale\":50}},"
                   "\"b\":{\"at\":200,\"updateServicePrimaryTaskSet\":{\"service\":\"s\","
                   "\"primaryTaskSet\":\"blue\"}},"
                   "\"c\":{\"at\":300,\"createTaskSet\":{\"service\":\"s\",\"externalId\":"
                   "\"green\","
                   "\"taskDefinition\":\"t\"}},"
                   "\"d\":{\"at\":400,\"updateTaskSet\":{\"service\":\"s\",\"taskSet\":\"blue\","
                   "\"scale\":0}},"
                   "\"e\":{\"at\":500,\"deleteTaskSet\":{\"service\":\"s\",\"taskSet\":\"blue\"}},"
                   "\"f\":{\"at\":600,\"deleteTaskSet\":{\"service\":\"s\",\"taskSet\":\"green\","
                   "\"force\":true}}}," NO_DELAYS ",\"run\":{\"duration\":1000}");
    struct run_result result;
    run(set->variants[0], &result);
    ASSERT_FIGURES(&result, {METRIC_TASKS_PLACED, 6}, {METRIC_TASKS_RUNNING_MEAN, 1.8});
    run_result_free(&result);
    scenario_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terminate),
        cmocka_unit_test(test_stop_hang_disconnect),
        cmocka_unit_test(test_convergence),
        cmocka_unit_test(test_task_sets_are_scaled_and_removed),
        cmocka_unit_test(test_throttled_calls_are_made_again),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_draining_moves),
        cmocka_unit_test(test_the_window_begins_after_the_warm_up),
        cmocka_unit_test(test_mser5_cuts_the_ramp),
        cmocka_unit_test(test_strategies_face_the_same_world),
        cmocka_unit_test(test_the_journal_is_json),
        cmocka_unit_test(test_a_clock_that_stands_still_is_told),
        cmocka_unit_test(test_an_interruption_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
