#include "sim/world/load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"

#define S BERTH_NS_PER_S

/* Two revisions of a service of one vCPU; a request takes 10 ms: 100 a second at most. */
static const char body[] =
    "\"fleet\":{\"m\":{\"count\":1,\"cpu\":4096,\"memory\":8192}},\"taskDefinitions\":{"
    "\"old\":{\"definition\":{\"family\":\"web\",\"containerDefinitions\":[{\"name\":\"c\","
    "\"image\":\"i\",\"cpu\":1024,\"memory\":1000}]}},"
    "\"bad\":{\"errorProbability\":0.25,\"definition\":{\"family\":\"web\","
    "\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i\",\"cpu\":1024,\"memory\":1000}]}}},"
    "\"targetGroups\":{\"tg\":{}},\"services\":{\"idle\":{\"taskDefinition\":\"old\","
    "\"desiredCount\":1},\"web\":{"
    "\"taskDefinition\":\"old\",\"desiredCount\":2,%s\"load\":{\"requestsPerSecond\":%s,"
    "\"serviceDemand\":\"10ms\",\"queueLimit\":1000,\"memoryMiB\":{\"base\":500}},"
    "\"autoScaling\":{\"minCapacity\":1,\"maxCapacity\":9,\"targetTracking\":{"
    "\"cpu\":{\"metric\":\"ECSServiceAverageCPUUtilization\",\"targetValue\":50},"
    "\"mem\":{\"metric\":\"ECSServiceAverageMemoryUtilization\",\"targetValue\":80},"
    "\"req\":{\"metric\":\"ALBRequestCountPerTarget\",\"targetValue\":9000}}}}},"
    "\"alarms\":{\"bad\":{\"service\":\"web\",\"metric\":\"errorRatio\",\"threshold\":0.1,"
    "\"evaluationPeriods\":2}},\"run\":{\"duration\":\"1h\"}";

enum { IDLE, WEB, OLD = 0, BAD };

static struct {
    struct scenario_set *set;
    struct load *load;
    berth_ns now_ns;
    struct {
        uint32_t count;
        double value; /* the last one */
    } told[SCALING_METRIC_COUNT];
    uint32_t alarms; /* changes */
    bool is_alarm;
} stage;

static void on_answer(void *context, const struct answer *answer)
{
    (void)context;
    if (answer->kind == ANSWER_ALARM) {
        assert_string_equal(answer->u.alarm.name, "bad");
        stage.alarms++;
        stage.is_alarm = answer->u.alarm.is_alarm;
        return;
    }
    assert_int_equal(answer->kind, ANSWER_METRIC);
    assert_string_equal(answer->u.metric.service, "web");
    stage.told[answer->u.metric.metric].count++;
    stage.told[answer->u.metric.metric].value = (double)answer->u.metric.value_milli / 1000;
}

static void begin_with(const char *balancers, const char *rate)
{
    struct text json = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    char services[4000];
    memset(&stage, 0, sizeof stage);
    (void)snprintf(services, sizeof services, body, balancers, rate);
    text_addf(&json, "{\"version\":1,\"name\":\"x\",%s}", services);
    if (scenario_load_text(json.bytes, json.length, ".", &stage.set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    text_free(&json);
    const struct scenario *scenario = stage.set->variants[0];
    stage.load = load_create(scenario, 1);
    for (uint32_t i = 0; i < 2; i++)
        load_define(stage.load, i, scenario->task_defs[i].def);
    load_primary(stage.load, 0, WEB, 1);
    load_tick(stage.load, 0, on_answer, NULL);
}

static void begin(const char *rate)
{
    begin_with("", rate);
}

static void end(void)
{
    load_destroy(stage.load);
    scenario_set_destroy(stage.set);
}

static void task(task_id id, uint64_t deployment, int def, enum task_status status)
{
    struct task_view view = {.task = id,
                             .deployment = deployment,
                             .def = stage.set->variants[0]->task_defs[def].def,
                             .last_status = status,
                             .desired_running = status != TASK_STOPPED};
    load_task(stage.load, stage.now_ns, WEB, &view);
}

static void serve(task_id id, int change)
{
    load_serving(stage.load, stage.now_ns, WEB, id, change);
}

/* So many samples of 20 s. */
static void pass(int samples)
{
    for (int i = 0; i < samples; i++) {
        stage.now_ns += LOAD_SAMPLE_NS;
        load_tick(stage.load, stage.now_ns, on_answer, NULL);
    }
}

static struct load_totals totals(void)
{
    struct load_totals out;
    assert_true(load_totals(stage.load, stage.now_ns, WEB, &out));
    return out;
}

static void assert_near(double is, double wanted)
{
    if (!(fabs(is - wanted) <= 1e-6 * (1 + fabs(wanted))))
        fail_msg("%.9g, not %.9g", is, wanted);
}

static void test_nobody_there_means_failure(void **state)
{
    (void)state;
    begin("60");
    pass(3);
    assert_near(totals().offered, 3600);
    assert_near(totals().no_target, 3600);
    assert_near(totals().served, 0);
    assert_int_equal(stage.told[SCALING_CPU].count, 0);
    assert_near(stage.told[SCALING_REQUESTS].value, 3600);
    end();
}

static void test_copies_share_and_are_measured(void **state)
{
    (void)state;
    begin("60");
    for (task_id id = 1; id <= 2; id++) {
        task(id, 1, OLD, TASK_PENDING);
        serve(id, 1);
    }
    pass(3);
    assert_near(totals().served, 3600);
    assert_near(totals().served_old, 0);
    assert_near(totals().cpu_used, 36);
    assert_near(totals().latency / totals().taken, 1 / (100 - 30.0));
    assert_near(stage.told[SCALING_CPU].value, 30);
    assert_near(stage.told[SCALING_MEMORY].value, 50);
    assert_near(stage.told[SCALING_REQUESTS].value, 1800);
    struct load_now now;
    assert_true(load_now(stage.load, WEB, &now));
    assert_near(now.served, 60);
    assert_near(now.cpu_percent, 30);
    assert_int_equal(now.needed, 2); /* ceil(60 / 50) */
    assert_false(load_now(stage.load, IDLE, &now));
    end();
}

/* Constant between transitions: a minute with a copy for half of it is half a minute's figures. */
static void test_integrals_are_exact(void **state)
{
    (void)state;
    begin("60");
    task(1, 1, OLD, TASK_PENDING);
    stage.now_ns = 10 * S;
    serve(1, 1);
    stage.now_ns = 40 * S;
    serve(1, -1);
    stage.now_ns = 60 * S;
    assert_near(totals().offered, 3600);
    assert_near(totals().served, 1800);
    assert_near(totals().no_target, 1800);
    assert_near(totals().cpu_reserved, 30);
    end();
}

static void test_a_full_queue_rejects(void **state)
{
    (void)state;
    begin("150");
    task(1, 1, OLD, TASK_PENDING);
    serve(1, 1);
    pass(3);
    assert_near(totals().served, 6000);
    assert_near(totals().rejected, 3000);
    assert_near(stage.told[SCALING_CPU].value, 100);
    end();
}

static void test_a_balancer_that_has_not_noticed(void **state)
{
    (void)state;
    begin_with("\"loadBalancers\":[{\"targetGroup\":\"tg\"}],", "60");
    for (task_id id = 1; id <= 2; id++) {
        task(id, 1, OLD, TASK_PENDING);
        serve(id, 1);
        load_routed(stage.load, 0, id, true);
    }
    serve(2, -1);
    stage.now_ns = 30 * S;
    assert_near(totals().dead, 900);
    assert_near(totals().served, 900);
    load_routed(stage.load, stage.now_ns, 2, false);
    stage.now_ns = 60 * S;
    assert_near(totals().dead, 900);
    assert_near(totals().served, 2700);
    end();
}

static void test_weights_and_revisions(void **state)
{
    (void)state;
    begin("60");
    task(1, 1, OLD, TASK_PENDING);
    task(2, 2, BAD, TASK_PENDING);
    serve(1, 1);
    serve(2, 1);
    load_primary(stage.load, 0, WEB, 2);
    stage.now_ns = 10 * S; /* half and half */
    assert_near(totals().served_old, 300);
    assert_near(totals().errors, 75);
    load_weights(stage.load, stage.now_ns, WEB, (struct traffic_weight[]){{2, 100}, {1, 900}}, 2);
    stage.now_ns = 20 * S;
    assert_near(totals().served_old, 300 + 540);
    assert_near(totals().errors, 75 + 15);
    /* All to one: the other has none left, whether it is named or not. */
    load_weights(stage.load, stage.now_ns, WEB, (struct traffic_weight[]){{1, 1000}}, 1);
    stage.now_ns = 30 * S;
    assert_near(totals().served_old, 300 + 540 + 600);
    assert_near(totals().errors, 75 + 15);
    assert_near(totals().offered, 3 * 600);
    end();
}

static void test_alarms_go_and_come(void **state)
{
    (void)state;
    begin("60");
    task(1, 1, BAD, TASK_PENDING);
    serve(1, 1);
    pass(5);
    assert_int_equal(stage.alarms, 0);
    pass(1);
    assert_int_equal(stage.alarms, 1);
    assert_true(stage.is_alarm);
    serve(1, -1);
    task(1, 1, BAD, TASK_STOPPED);
    task(2, 1, OLD, TASK_PENDING);
    serve(2, 1);
    pass(3);
    assert_int_equal(stage.alarms, 1); /* the revision is still the bad one */
    task(3, 3, OLD, TASK_PENDING);
    serve(2, -1);
    task(2, 1, OLD, TASK_STOPPED);
    serve(3, 1);
    pass(3);
    assert_int_equal(stage.alarms, 2);
    assert_false(stage.is_alarm);
    end();
}

static void test_the_day_and_bursts(void **state)
{
    (void)state;
    begin("{\"base\":100,\"daily\":{\"amplitude\":0.5,\"peak\":\"6h\"},\"bursts\":[{\"at\":\"1m\","
          "\"for\":\"2m\",\"factor\":3}]}");
    struct load_now now;
    assert_true(load_now(stage.load, WEB, &now));
    assert_true(fabs(now.offered - 100) < 0.5); /* a quarter of a day before the peak */
    pass(3);
    (void)load_now(stage.load, WEB, &now);
    assert_true(fabs(now.offered - 300) < 1.5);
    pass(6);
    (void)load_now(stage.load, WEB, &now);
    assert_true(fabs(now.offered - 100) < 1.5);
    end();
}

static void test_shortages_and_surplus(void **state)
{
    (void)state;
    begin("60"); /* needs 2 */
    for (task_id id = 1; id <= 3; id++)
        task(id, 1, OLD, TASK_PENDING);
    serve(1, 1);
    pass(3);
    stage.now_ns += 30 * S;
    serve(2, 1);
    stage.now_ns += 30 * S;
    serve(3, 1);
    stage.now_ns += 10 * S;
    assert_near(totals().short_count, 1);
    assert_near(totals().short_time, 90);
    assert_near(totals().surplus, 10);
    end();
}

static void test_latencies_add_up_to_requests(void **state)
{
    (void)state;
    double counts[LOAD_BUCKETS], all = 0, below = 0;
    begin("50");
    task(1, 1, OLD, TASK_PENDING);
    serve(1, 1);
    pass(6);
    load_latencies(stage.load, stage.now_ns, counts);
    for (uint32_t i = 0; i < LOAD_BUCKETS; i++) {
        all += counts[i];
        below += load_bucket_s(i) <= 0.02 ? counts[i] : 0;
    }
    assert_near(all, 6000);
    /* M/M/1: exponential with mean 20 ms. */
    assert_true(below / all > 0.55 && below / all < 0.64);
    end();
}

static void test_without_load_there_is_nothing(void **state)
{
    (void)state;
    double counts[LOAD_BUCKETS];
    struct load_totals out;
    load_define(NULL, 0, NULL);
    load_serving(NULL, 0, 0, 1, 1);
    load_routed(NULL, 0, 1, true);
    load_weights(NULL, 0, 0, NULL, 0);
    load_primary(NULL, 0, 0, 1);
    load_latencies(NULL, 0, counts);
    assert_false(load_totals(NULL, 0, 0, &out));
    load_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_there_means_failure),
        cmocka_unit_test(test_copies_share_and_are_measured),
        cmocka_unit_test(test_integrals_are_exact),
        cmocka_unit_test(test_a_full_queue_rejects),
        cmocka_unit_test(test_a_balancer_that_has_not_noticed),
        cmocka_unit_test(test_weights_and_revisions),
        cmocka_unit_test(test_alarms_go_and_come),
        cmocka_unit_test(test_the_day_and_bursts),
        cmocka_unit_test(test_shortages_and_surplus),
        cmocka_unit_test(test_latencies_add_up_to_requests),
        cmocka_unit_test(test_without_load_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
