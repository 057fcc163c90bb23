/* test_scenario.c -- what is accepted, what is refused and with which words, what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/run/metrics.h"
#include "sim/scenario/patch.h"
#include "sim/scenario/scenario.h"

static json_t *read_verdicts(void)
{
    json_error_t error;
    json_t *json = json_load_file("tests/unit/sim/scenario/verdicts.json", 0, &error);
    if (json == NULL)
        fail_msg("%s:%d: %s", error.source, error.line, error.text);
    return json;
}

static enum berth_err load(const json_t *json, struct scenario_set **set, struct berth_error *err)
{
    char *text = json_dumps(json, 0);
    enum berth_err code = scenario_load_text(text, strlen(text), ".", set, err);
    free(text);
    if (code != BERTH_OK)
        return code;
    const char *names[METRIC_COUNT + 1] = {NULL};
    for (int i = 0; i < METRIC_COUNT; i++)
        names[i] = metric_infos[i].name;
    code = scenario_check_metrics(*set, names, err);
    if (code != BERTH_OK) {
        scenario_set_destroy(*set);
        *set = NULL;
    }
    return code;
}

static void check_row(const json_t *base, const json_t *row)
{
    json_t *json = patch_merge(json_deep_copy(base), json_object_get(row, "patch"));
    const char *what = json_string_value(json_object_get(row, "what"));
    const char *says = json_string_value(json_object_get(row, "says"));
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    enum berth_err code = load(json, &set, &err);
    if (says == NULL && code != BERTH_OK)
        fail_msg("%s: refused: %s", what, err.text);
    if (says != NULL && code != BERTH_ERR_INPUT)
        fail_msg("%s: not refused", what);
    if (says != NULL && strstr(err.text, says) == NULL)
        fail_msg("%s: says\n%s\nnot\n%s", what, err.text, says);
    if (strchr(err.text, '\n') != NULL || (says != NULL && strchr(err.text, ':') == NULL))
        fail_msg("%s: not one line with a place: %s", what, err.text);
    scenario_set_destroy(set);
    json_decref(json);
}

static void test_every_row_of_the_table(void **state)
{
    (void)state;
    json_t *verdicts = read_verdicts(), *row;
    size_t index;
    assert_true(json_array_size(json_object_get(verdicts, "rows")) > 100);
    json_array_foreach(json_object_get(verdicts, "rows"), index, row)
        check_row(json_object_get(verdicts, "base"), row);
    json_decref(verdicts);
}

/* Nothing of a document may make the loader crash or hang, whatever stands at any place of it. */
static void disturb(json_t *document, json_t *parent, size_t *count)
{
    static const char *const strange[] = {
        "null",  "true", "-1", "1e300", "\"\"",
        "\"x\"", "[]",   "{}", "[{}]",  "{\"distribution\":\"erlang\"}"};
    const char *key;
    json_t *value;
    json_object_foreach(parent, key, value)
    {
        for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
            json_t *before = json_incref(value);
            struct scenario_set *set = NULL;
            struct berth_error err = BERTH_ERROR_INIT;
            (void)json_object_set_new(parent, key, json_loads(strange[i], JSON_DECODE_ANY, NULL));
            enum berth_err code = load(document, &set, &err);
            assert_true(code == BERTH_OK || (code == BERTH_ERR_INPUT && err.text[0] != '\0'));
            scenario_set_destroy(set);
            (void)json_object_set_new(parent, key, before);
            ++*count;
        }
        disturb(document, value, count);
    }
}

static void test_strange_values_everywhere(void **state)
{
    (void)state;
    json_t *verdicts = read_verdicts();
    json_t *base = json_object_get(verdicts, "base");
    size_t count = 0;
    disturb(base, base, &count);
    assert_true(count > 1000);
    json_decref(verdicts);
}

static struct scenario_set *load_base(void)
{
    json_t *verdicts = read_verdicts();
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    if (load(json_object_get(verdicts, "base"), &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    json_decref(verdicts);
    return set;
}

static void test_fleet_is_read(void **state)
{
    (void)state;
    struct scenario_set *set = load_base();
    const struct scenario *scenario = set->variants[0];
    assert_int_equal(set->variant_count, 1);
    assert_string_equal(scenario->variant, "base");
    assert_string_equal(set->baseline, "base");
    assert_int_equal(scenario->group_count, 2);
    const struct scenario_group *group = &scenario->groups[0];
    assert_string_equal(group->name, "general");
    assert_int_equal(group->cpu_units, 2048);
    assert_int_equal(group->mem_mib, 8192);
    assert_int_equal(group->zone_count, 2);
    assert_string_equal(group->attributes[0].value, "r1");
    assert_null(group->attributes[1].value);
    assert_int_equal(group->tcp_port_count, 1);
    assert_true(group->price_per_hour == 0.096 && group->pull_mib_per_s == 50.5);
    group = &scenario->groups[1];
    assert_string_equal(group->zones[0], "zone-a");
    assert_int_equal(group->tcp_port_count, 5);
    assert_int_equal(group->tcp_ports_used[0], 22);
    assert_string_equal(group->instance_type, "");
    assert_true(group->is_spot && group->pull_mib_per_s == 100);
    scenario_set_destroy(set);
}

static void test_work_is_read(void **state)
{
    (void)state;
    struct scenario_set *set = load_base();
    const struct scenario *scenario = set->variants[0];
    const struct scenario_task_def *web = scenario_find_task_def(scenario, "web");
    assert_non_null(web);
    assert_true(web->is_endless && web->has_start && web->has_stop);
    assert_int_equal(web->start.kind, DISTRIBUTION_LOGNORMAL);
    assert_true(web->start.p[0] == 0.5 && web->stop.p[0] == 2);
    const struct scenario_task_def *job = scenario_find_task_def(scenario, "job");
    assert_string_equal(job->def->family, "job");
    assert_true(job->crash_after.p[0] == 5 && job->is_endless);
    const struct scenario_service *service = scenario_find_service(scenario, "web");
    assert_int_equal(service->desired_count, 3);
    assert_int_equal(service->minimum_healthy_percent, 50);
    assert_int_equal(service->strategies.count, 2);
    assert_string_equal(service->constraints.items[1].expression, "attribute:rack == r1");
    assert_true(service->start_ns == 60 * BERTH_NS_PER_S);
    service = scenario_find_service(scenario, "agent");
    assert_int_equal(service->scheduling, SCHEDULING_DAEMON);
    assert_int_equal(service->maximum_percent, OVERRIDE_NONE);
    assert_false(service->strategies.is_set);
    assert_null(scenario_find_service(scenario, "none"));
    assert_null(scenario_find_task_def(scenario, NULL));
    scenario_set_destroy(set);
}

static void test_arrivals_are_read(void **state)
{
    (void)state;
    struct scenario_set *set = load_base();
    const struct scenario_arrival *arrivals = set->variants[0]->arrivals;
    assert_int_equal(set->variants[0]->arrival_count, 5);
    assert_int_equal(arrivals[0].process, ARRIVAL_POISSON);
    assert_true(arrivals[0].waits && arrivals[0].has_cpu && arrivals[0].has_lifetime);
    assert_int_equal(arrivals[0].count, 2);
    assert_true(arrivals[0].limit == 100 && arrivals[0].end_ns == 3600 * BERTH_NS_PER_S);
    assert_true(arrivals[0].mem.cumulative[0] == 0.75 && arrivals[0].mem.cumulative[1] == 1);
    assert_int_equal(arrivals[1].process, ARRIVAL_DAILY);
    assert_true(arrivals[1].peak_ns == 14 * 3600 * BERTH_NS_PER_S);
    assert_true(arrivals[1].limit == UINT64_MAX && arrivals[1].end_ns == BERTH_NS_NEVER);
    assert_int_equal(arrivals[2].process, ARRIVAL_BURSTY);
    assert_true(arrivals[2].calm_mean_s == 600 && arrivals[2].burst_rate_per_hour == 100);
    assert_int_equal(arrivals[3].process, ARRIVAL_RENEWAL);
    assert_true(arrivals[3].interval.p[0] == 3 && arrivals[3].interval.p[1] == 60);
    assert_int_equal(arrivals[4].process, ARRIVAL_BATCH);
    assert_int_equal(arrivals[4].count, 10);
    scenario_set_destroy(set);
}

static void test_what_happens_is_read(void **state)
{
    (void)state;
    struct scenario_set *set = load_base();
    const struct scenario *scenario = set->variants[0];
    for (uint32_t i = 1; i < scenario->timeline_count; i++)
        assert_true(scenario->timeline[i - 1].at_ns <= scenario->timeline[i].at_ns);
    const struct scenario_timeline *loss = &scenario->timeline[5];
    assert_int_equal(loss->kind, TIMELINE_FAIL);
    assert_int_equal(loss->mode, LOSS_HANG);
    assert_true(loss->duration_ns == 300 * BERTH_NS_PER_S && loss->select.share == 0.5);
    assert_int_equal(loss->select.instance, -1);
    assert_int_equal(scenario->failure_count, 5);
    assert_int_equal(scenario->failures[0].repairers, 1);
    assert_true(scenario->failures[0].mttr.min == 60 && scenario->failures[0].mttr.max == 3600);
    assert_true(scenario->failures[1].mtbf.p[0] == 1.5 && scenario->failures[1].mtbf.p[1] == 86400);
    assert_int_equal(scenario->failures[2].kind, FAILURE_RACK);
    assert_string_equal(scenario->failures[2].select.rack, "r1");
    assert_int_equal(scenario->failures[3].kind, FAILURE_SPOT);
    assert_true(scenario->run.duration_ns == 7200 * BERTH_NS_PER_S);
    assert_true(scenario->run.instance_lost_ns == 300 * BERTH_NS_PER_S);
    assert_true(scenario->run.sample_ns == 60 * BERTH_NS_PER_S);
    assert_int_equal(scenario->run.replications_max, 50);
    assert_true(scenario->delays.disconnect_detect_ns == 180 * BERTH_NS_PER_S);
    assert_true(scenario->delays.network.p[0] == 0.005);
    scenario_set_destroy(set);
}

static void test_faults_are_read(void **state)
{
    (void)state;
    struct scenario_set *set = load_base();
    const struct scenario *scenario = set->variants[0];
    const struct scenario_fault *kinds = scenario->faults.kinds;
    assert_true(scenario->faults.from_ns == 300 * BERTH_NS_PER_S);
    assert_true(scenario->faults.until_ns == 6000 * BERTH_NS_PER_S);
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        assert_true(kinds[kind].is_set);
    assert_int_equal(kinds[FAULT_PARTITION].choice, DIRECTION_UP);
    assert_int_equal(kinds[FAULT_PARTITION].scope, SCOPE_RACK);
    assert_true(kinds[FAULT_PARTITION].duration.p[0] == 120);
    assert_int_equal(kinds[FAULT_CONTROLLER_CRASH].choice, POINT_DURABLE);
    assert_int_equal(kinds[FAULT_INSTANCE_LOSS].choice, 1 + LOSS_HANG);
    assert_true(kinds[FAULT_SLOW_DISK].amount.p[0] == 0.1);
    assert_true(kinds[FAULT_MESSAGE_LOSS].rate_per_hour.p[1] == 4);
    const struct scenario_group *general = &scenario->groups[0], *spot = &scenario->groups[1];
    assert_string_equal(scenario_rack(general, 0), "zone-a-r1");
    assert_string_equal(scenario_rack(general, 1), "zone-b-r1");
    assert_string_equal(scenario_rack(general, 2), "zone-a-r2");
    assert_string_equal(scenario_rack(general, 4), "zone-a-r1");
    assert_string_equal(scenario_rack(spot, 1), "r2");
    scenario_set_destroy(set);
}

static struct scenario_set *load_patched(const char *patch_text)
{
    json_t *verdicts = read_verdicts(), *patch = json_loads(patch_text, 0, NULL);
    assert_non_null(patch);
    json_t *json = patch_merge(json_deep_copy(json_object_get(verdicts, "base")), patch);
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    if (load(json, &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    json_decref(json);
    json_decref(patch);
    json_decref(verdicts);
    return set;
}

static void test_defaults(void **state)
{
    (void)state;
    struct scenario_set *set = load_patched(
        "{\"delays\":null,\"run\":{\"warmUp\":null,\"seed\":null,\"replications\":null,"
        "\"precision\":null,\"instanceLostSeconds\":null,\"sample\":null,\"events\":null,"
        "\"placementStrategy\":null,\"metrics\":null}}");
    const struct scenario *scenario = set->variants[0];
    assert_true(scenario->delays.boot.p[0] == 0 && scenario->delays.network.p[0] == 0.01);
    assert_true(scenario->delays.container_start.p[0] == 0.5);
    assert_true(scenario->delays.container_stop.p[0] == 0.2);
    assert_true(scenario->delays.pull_overhead.p[0] == 0.1);
    assert_int_equal(scenario->run.seed, 1);
    assert_int_equal(scenario->run.replications, 30);
    assert_null(scenario->run.precision_metric);
    assert_true(scenario->run.instance_lost_ns == BERTH_NS_NEVER);
    assert_true(scenario->run.sample_ns == 36 * BERTH_NS_PER_S);
    assert_false(scenario->run.strategies.is_set || scenario->run.writes_events);
    assert_null(scenario->run.metrics);
    scenario_set_destroy(set);
}

static void test_cells_are_variants_times_axes(void **state)
{
    static const char *const names[] = {"a/n=1,how=1",      "a/n=1,how=null",  "a/n=2.5,how=1",
                                        "a/n=2.5,how=null", "b/n=1,how=1",     "b/n=1,how=null",
                                        "b/n=2.5,how=1",    "b/n=2.5,how=null"};
    (void)state;
    struct scenario_set *set =
        load_patched("{\"compare\":{\"baseline\":\"b\",\"variants\":{\"a\":{},\"b\":{\"services\":"
                     "{\"web\":{\"desiredCount\":9}}}},\"axes\":{\"n\":{\"pointer\":"
                     "\"/delays/boot\",\"values\":[1,2.5]},\"how\":{\"pointer\":"
                     "\"/run/placementStrategy\",\"values\":[[{\"type\":\"random\"}],null]}}}}");
    assert_int_equal(set->variant_count, 8);
    assert_string_equal(set->baseline, "b/n=1,how=1");
    for (uint32_t i = 0; i < 8; i++) {
        const struct scenario *scenario = set->variants[i];
        assert_string_equal(scenario->variant, names[i]);
        assert_int_equal(scenario_find_service(scenario, "web")->desired_count, i < 4 ? 3 : 9);
        assert_true(scenario->delays.boot.p[0] == (i % 4 < 2 ? 1 : 2.5));
        assert_int_equal(scenario->run.strategies.is_set, i % 2 == 0);
    }
    assert_null(json_object_get(set->document, "compare"));
    scenario_set_destroy(set);
}

static void test_warnings(void **state)
{
    static const struct {
        const char *patch, *warning;
    } rows[] = {
        {"{\"taskDefinitions\":{\"web\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"w\","
         "\"image\":\"w\",\"cpu\":9000,\"memory\":5}]}}}}",
         "services/web: a task of it fits on no instance of the fleet"},
        {"{\"services\":{\"web\":{\"placementConstraints\":[{\"type\":\"memberOf\","
         "\"expression\":\"attribute:rack == r9\"}]}}}",
         "services/web: a task of it fits on no instance of the fleet"},
        {"{\"arrivals\":{\"poisson\":{\"cpu\":5000}}}",
         "arrivals/poisson: a task of it fits on no instance of the fleet"},
        {"{\"fleet\":{\"general\":{\"count\":0},\"spot\":{\"count\":0}}}",
         "even an empty one: there is none"},
        {"{\"timeline\":{\"scale\":{\"at\":\"2h\"}}}",
         "timeline/scale: comes after the end of the run"},
        {"{\"timeline\":{\"drain\":{\"drain\":{\"instance\":5}}}}",
         "timeline/drain: selects no instance"},
        {"{\"services\":{\"web\":{\"startAt\":\"3h\"}}}", "services/web: starts after the end"},
        {"{\"arrivals\":{\"batch\":{\"startAt\":\"3h\"}}}", "arrivals/batch: starts after the end"},
        {"{\"services\":{\"web\":{\"deploymentConfiguration\":{\"minimumHealthyPercent\":100,"
         "\"maximumPercent\":100}}}}",
         "timeline/deploy: services/web can neither stop nor start a task"},
        {"{\"failures\":{\"interruptions\":{\"fleet\":\"general\"}}}", "is not spot"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_set *set = load_patched(rows[i].patch);
        const struct scenario *scenario = set->variants[0];
        bool is_found = false;
        for (uint32_t j = 0; j < scenario->warning_count; j++)
            is_found = is_found || strstr(scenario->warnings[j], rows[i].warning) != NULL;
        if (!is_found)
            fail_msg("no warning \"%s\"", rows[i].warning);
        scenario_set_destroy(set);
    }
    struct scenario_set *set = load_base();
    if (set->variants[0]->warning_count != 0)
        fail_msg("a warning without cause: %s", set->variants[0]->warnings[0]);
    scenario_set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_of_the_table),
        cmocka_unit_test(test_strange_values_everywhere),
        cmocka_unit_test(test_fleet_is_read),
        cmocka_unit_test(test_work_is_read),
        cmocka_unit_test(test_arrivals_are_read),
        cmocka_unit_test(test_what_happens_is_read),
        cmocka_unit_test(test_faults_are_read),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_cells_are_variants_times_axes),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
