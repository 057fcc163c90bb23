/*
 * The load model through the whole of berth, against closed forms: a service under a constant load
 * is an M/M/c/K queue for each copy; under a day's cycle with target tracking everything is served
 * and the CPU stays near its target; a constant load is met by the count that the target asks for.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/text.h"
#include "sim/run/histogram.h"
#include "sim/run/run.h"

static const char head[] =
    "{\"version\":1,\"name\":\"x\",\"fleet\":{\"m\":{\"count\":40,\"cpu\":4096,\"memory\":16384,"
    "\"zones\":[\"a\",\"b\"]}},\"taskDefinitions\":{\"web\":{\"start\":20,\"definition\":{"
    "\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":1024,\"memory\":1024}]}}},"
    "\"services\":{\"web\":{\"taskDefinition\":\"web\",";

static void run(const char *service, const char *tail, struct run_result *out)
{
    struct text json = TEXT_INIT;
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1};
    text_addf(&json, "%s%s}},%s}", head, service, tail);
    if (scenario_load_text(json.bytes, json.length, ".", &set, &err) != BERTH_OK ||
        run_replication(set->variants[0], &options, out, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    text_free(&json);
    scenario_set_destroy(set);
}

static void assert_about(const char *what, double is, double wanted, double tolerance)
{
    print_message("%s: %.6f, theory %.6f\n", what, is, wanted);
    assert_true(fabs(is - wanted) <= tolerance * (fabs(wanted) + 1e-12));
}

/* Four copies, each M/M/1/K: 160 requests a second at 20 ms are 0.8 of a vCPU for each. */
static void test_enough_capacity(void **state)
{
    (void)state;
    struct run_result result;
    run("\"desiredCount\":4,\"load\":{\"requestsPerSecond\":160,\"serviceDemand\":\"20ms\","
        "\"queueLimit\":5000}",
        "\"run\":{\"duration\":\"2h\",\"warmUp\":\"10m\"}", &result);
    const double *metrics = result.metrics;
    assert_about("served", metrics[METRIC_REQUESTS_SERVED], 160 * 6600, 1e-9);
    assert_about("failed", metrics[METRIC_REQUESTS_FAILED] + 1, 1, 1e-6);
    assert_about("latency", metrics[METRIC_LATENCY_MEAN], 0.1, 1e-6);
    assert_about("p95", metrics[METRIC_LATENCY_P95], 0.1 * log(20), 0.02);
    assert_about("CPU", metrics[METRIC_CPU_UTILIZATION_MEAN], 80, 1e-9);
    run_result_free(&result);
}

/* Two copies for 160 a second with room for 10 each: p(10) of M/M/1/10 at 1.6 erlangs. */
static void test_saturation(void **state)
{
    (void)state;
    struct run_result result;
    run("\"desiredCount\":2,\"load\":{\"requestsPerSecond\":160,\"serviceDemand\":\"20ms\","
        "\"queueLimit\":9}",
        "\"run\":{\"duration\":\"2h\",\"warmUp\":\"10m\"}", &result);
    double blocked = (1 - 1.6) * pow(1.6, 10) / (1 - pow(1.6, 11));
    assert_about("rejected", result.metrics[METRIC_REQUESTS_REJECTED], 160 * 6600 * blocked, 1e-9);
    assert_about("failed", result.metrics[METRIC_REQUESTS_FAILED_RATIO], blocked, 1e-9);
    run_result_free(&result);
}

#define TRACKING                                                                           \
    "\"autoScaling\":{\"minCapacity\":2,\"maxCapacity\":100,\"targetTracking\":{\"cpu\":{" \
    "\"metric\":\"ECSServiceAverageCPUUtilization\",\"targetValue\":60}}}"

/* 400 a second at 20 ms are 8 vCPU: ceil(8 / 0.6) = 14 copies, from below and from above. */
static void test_the_loop_converges(void **state)
{
    (void)state;
    static const int from[] = {5, 60};
    for (size_t i = 0; i < 2; i++) {
        struct run_result result;
        char service[1000];
        (void)snprintf(service, sizeof service,
                       "\"desiredCount\":%d,\"load\":{\"requestsPerSecond\":400,"
                       "\"serviceDemand\":\"20ms\"}," TRACKING,
                       from[i]);
        run(service, "\"run\":{\"duration\":\"6h\",\"warmUp\":\"3h\"}", &result);
        assert_about("copies", result.metrics[METRIC_TASKS_RUNNING_MEAN], 14, 1e-9);
        assert_about("changes", result.metrics[METRIC_DESIRED_COUNT_CHANGES] + 1, 1, 1e-9);
        assert_about("overshoot", result.metrics[METRIC_SCALING_OVERSHOOT] + 1, 1, 1e-9);
        run_result_free(&result);
    }
}

static void test_a_day(void **state)
{
    (void)state;
    struct run_result result;
    run("\"desiredCount\":6,\"load\":{\"requestsPerSecond\":{\"base\":400,\"daily\":{"
        "\"amplitude\":0.7,\"peak\":\"14h\"}},\"serviceDemand\":\"20ms\",\"queueLimit\":5000}"
        "," TRACKING,
        "\"run\":{\"duration\":\"2d\",\"warmUp\":\"1d\"}", &result);
    const double *metrics = result.metrics;
    assert_about("offered", metrics[METRIC_REQUESTS_OFFERED], 400 * 86400.0, 1e-6);
    assert_about("served", metrics[METRIC_REQUESTS_SERVED], 400 * 86400.0, 1e-6);
    assert_about("CPU", metrics[METRIC_CPU_UTILIZATION_MEAN], 57, 0.07);
    assert_true(metrics[METRIC_DESIRED_COUNT_CHANGES] > 10);
    assert_true(metrics[METRIC_SCALING_LAG_MEAN] > 0 && metrics[METRIC_SCALING_LAG_MEAN] < 600);
    run_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enough_capacity),
        cmocka_unit_test(test_saturation),
        cmocka_unit_test(test_the_loop_converges),
        cmocka_unit_test(test_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
