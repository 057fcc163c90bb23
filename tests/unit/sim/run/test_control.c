/* The controller as a process: it ends at given points, its disk is slow, its clock jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/run/run.h"

static const char *const points[] = {"decided", "appended", "torn", "durable", "idle"};

struct outcome {
    double metrics[METRIC_COUNT];
    uint64_t chaos[CHAOS_KIND_COUNT];
    uint32_t restarts, running;
    char *events; /* owned */
};

static void on_restarted(void *context, berth_ns now_ns, const struct controller *controller)
{
    (void)now_ns, (void)controller;
    ((struct outcome *)context)->restarts++;
}

static enum berth_err on_finished(void *context, const struct controller *controller,
                                  struct berth_error *err)
{
    struct outcome *outcome = context;
    (void)err;
    for (service_id i = 0; i < controller_service_count(controller); i++) {
        struct service_view view = controller_service(controller, i);
        assert_true(view.is_steady);
        outcome->running += view.running_count;
    }
    return BERTH_OK;
}

/* A quiet cluster of two services; `timeline` is what befalls it. */
static struct outcome play(const char *timeline)
{
    struct outcome outcome = {.restarts = 0};
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set = NULL;
    struct run_result result;
    struct text json = TEXT_INIT;
    text_addf(&json,
              "{\"version\":1,\"name\":\"x\",\"fleet\":{\"g\":{\"count\":4,\"cpu\":2048,"
              "\"memory\":4096}},\"taskDefinitions\":{\"w\":{\"definition\":{"
              "\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"w\",\"cpu\":256,"
              "\"memory\":256}]}}},\"services\":{\"a\":{\"taskDefinition\":\"w\","
              "\"desiredCount\":6},\"b\":{\"taskDefinition\":\"w\",\"desiredCount\":3}},"
              "\"arrivals\":{\"j\":{\"batch\":2,\"startAt\":300,\"taskDefinition\":\"w\","
              "\"lifetime\":60}},\"timeline\":{%s},\"run\":{\"duration\":1500}}",
              timeline);
    if (scenario_load_text(json.bytes, json.length, ".", &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    FILE *file = tmpfile();
    assert_non_null(file);
    const struct run_observer observer = {
        .restarted = on_restarted, .finished = on_finished, .context = &outcome};
    const struct run_options options = {
        .seed = 1, .audits = true, .events = file, .observer = &observer};
    if (run_replication(set->variants[0], &options, &result, &err) != BERTH_OK)
        fail_msg("%s: %s", timeline, err.text);
    memcpy(outcome.metrics, result.metrics, sizeof outcome.metrics);
    memcpy(outcome.chaos, result.chaos_counts, sizeof outcome.chaos);
    long size = ftell(file);
    outcome.events = mem_alloc((size_t)size + 1);
    rewind(file);
    assert_int_equal(fread(outcome.events, 1, (size_t)size, file), size);
    (void)fclose(file);
    run_result_free(&result);
    scenario_set_destroy(set);
    text_free(&json);
    return outcome;
}

static void test_a_restart_alone_starts_and_stops_nothing(void **state)
{
    (void)state;
    struct outcome calm = play("");
    assert_int_equal(calm.restarts, 0);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char timeline[128];
        (void)snprintf(timeline, sizeof timeline,
                       "\"c\":{\"at\":900,\"crashController\":{\"point\":\"%s\",\"for\":30}}",
                       points[i]);
        struct outcome outcome = play(timeline);
        assert_int_equal(outcome.restarts, 1);
        assert_int_equal(outcome.running, 9);
        assert_true(outcome.metrics[METRIC_TASKS_PLACED] == calm.metrics[METRIC_TASKS_PLACED]);
        assert_true(outcome.metrics[METRIC_AVAILABILITY] == calm.metrics[METRIC_AVAILABILITY]);
        assert_true(outcome.metrics[METRIC_TASKS_KILLED] == 0);
        assert_non_null(strstr(outcome.events, "berth Fault Began"));
        assert_non_null(strstr(outcome.events, "berth Fault Ended"));
        mem_free(outcome.events);
    }
    mem_free(calm.events);
}

/* In the middle of a deployment, of a call, and of both. */
static void test_it_ends_between_any_two_parts_of_a_step(void **state)
{
    (void)state;
    uint64_t chaos[CHAOS_KIND_COUNT] = {0};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        for (int at_ms = 299000; at_ms <= 310000; at_ms += 1000) {
            char timeline[512];
            (void)snprintf(timeline, sizeof timeline,
                           "\"c\":{\"at\":%d.%03d,\"crashController\":{\"point\":\"%s\","
                           "\"for\":20}},\"d\":{\"at\":300,\"deploy\":{\"service\":\"a\"}},"
                           "\"s\":{\"at\":305,\"scale\":{\"service\":\"b\",\"desiredCount\":5}}",
                           at_ms / 1000, at_ms % 1000, points[i]);
            struct outcome outcome = play(timeline);
            assert_int_equal(outcome.restarts, 1);
            assert_int_equal(outcome.running, 11);
            assert_true(outcome.metrics[METRIC_TASKS_REQUESTED] == 6 + 3 + 6 + 2 + 2);
            for (int kind = 0; kind < CHAOS_KIND_COUNT; kind++)
                chaos[kind] += outcome.chaos[kind];
            mem_free(outcome.events);
        }
    for (int kind = CHAOS_CRASH_DECIDED; kind <= CHAOS_CRASH_IDLE; kind++)
        assert_true(chaos[kind] > 0);
}

/* When the last deployment was told to be completed. */
static double last_completion(const struct outcome *outcome)
{
    double seconds = 0;
    const char *at = outcome->events;
    while ((at = strstr(at, "SERVICE_DEPLOYMENT_COMPLETED")) != NULL) {
        const char *before = at++;
        while (strncmp(before, "\"seconds\":", 10) != 0)
            before--;
        seconds = strtod(before + 10, NULL);
    }
    assert_true(seconds > 600);
    return seconds;
}

static void test_effects_wait_for_a_slow_disk(void **state)
{
    (void)state;
    struct outcome quick = play("\"d\":{\"at\":600,\"deploy\":{\"service\":\"a\"}}");
    struct outcome slow = play("\"d\":{\"at\":600,\"deploy\":{\"service\":\"a\"}},"
                               "\"s\":{\"at\":500,\"slowDisk\":{\"delay\":5,\"for\":600}}");
    assert_int_equal(slow.chaos[CHAOS_SLOW_DISK], 1);
    assert_int_equal(slow.restarts, 0);
    assert_int_equal(slow.running, 9);
    assert_true(slow.metrics[METRIC_TASKS_PLACED] == quick.metrics[METRIC_TASKS_PLACED]);
    assert_true(last_completion(&slow) > last_completion(&quick) + 10);
    mem_free(quick.events);
    mem_free(slow.events);
}

static void test_nothing_depends_on_the_wall_clock(void **state)
{
    (void)state;
    static const char *const directions[] = {"forward", "backward"};
    struct outcome calm = play("\"d\":{\"at\":600,\"deploy\":{\"service\":\"a\"}}");
    for (size_t i = 0; i < 2; i++) {
        char timeline[256];
        (void)snprintf(timeline, sizeof timeline,
                       "\"d\":{\"at\":600,\"deploy\":{\"service\":\"a\"}},\"j\":{\"at\":601,"
                       "\"clockJump\":{\"seconds\":\"2h\",\"direction\":\"%s\"}}",
                       directions[i]);
        struct outcome jumped = play(timeline);
        assert_int_equal(jumped.chaos[CHAOS_CLOCK_FORWARD + i], 1);
        assert_int_equal(jumped.running, 9);
        assert_true(jumped.metrics[METRIC_TASKS_PLACED] == calm.metrics[METRIC_TASKS_PLACED]);
        assert_true(jumped.metrics[METRIC_AVAILABILITY] == calm.metrics[METRIC_AVAILABILITY]);
        assert_true(jumped.metrics[METRIC_PLACEMENT_WAIT_MAX] ==
                    calm.metrics[METRIC_PLACEMENT_WAIT_MAX]);
        mem_free(jumped.events);
    }
    mem_free(calm.events);
}

static void test_a_plain_run_keeps_nothing(void **state)
{
    (void)state;
    struct outcome outcome = play("");
    for (int kind = 0; kind < CHAOS_KIND_COUNT; kind++)
        assert_int_equal(outcome.chaos[kind], 0);
    assert_null(strstr(outcome.events, "Fault"));
    mem_free(outcome.events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restart_alone_starts_and_stops_nothing),
        cmocka_unit_test(test_it_ends_between_any_two_parts_of_a_step),
        cmocka_unit_test(test_effects_wait_for_a_slow_disk),
        cmocka_unit_test(test_nothing_depends_on_the_wall_clock),
        cmocka_unit_test(test_a_plain_run_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
