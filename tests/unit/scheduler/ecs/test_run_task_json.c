#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/ecs/run_task_json.h"
#include "scheduler/ecs/task_def_json.h"

static struct task_def *a_definition(void)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *def = NULL;
    assert_int_equal(
        task_def_from_document("{\"family\":\"w\",\"containerDefinitions\":[{\"name\":\"a\","
                               "\"cpu\":100,\"memory\":400,\"memoryReservation\":200},{\"name\":"
                               "\"b\",\"cpu\":50,\"memory\":60}]}",
                               &def, &err),
        BERTH_OK);
    return def;
}

/* cpu and memory of one copy: sums of the containers unless the task says so (semantics 2.1). */
static void test_overrides_change_the_demand(void **state)
{
    (void)state;
    static const struct {
        const char *overrides;
        int32_t cpu_units, mem_mib;
        uint32_t gpu_milli;
    } cases[] = {
        {"{}", 150, 260, 0},
        {"{\"cpu\":\"1 vCPU\"}", 1024, 260, 0},
        {"{\"memory\":\"2 GB\"}", 150, 2048, 0},
        {"{\"containerOverrides\":[{\"name\":\"a\",\"cpu\":10}]}", 60, 260, 0},
        /* The reservation stands before the limit, which may move alone. */
        {"{\"containerOverrides\":[{\"name\":\"a\",\"memory\":500}]}", 150, 260, 0},
        {"{\"containerOverrides\":[{\"name\":\"a\",\"memoryReservation\":300}]}", 150, 360, 0},
        {"{\"containerOverrides\":[{\"name\":\"b\",\"memory\":100,\"cpu\":null}]}", 150, 300, 0},
        {"{\"containerOverrides\":[{\"name\":\"b\",\"resourceRequirements\":[{\"type\":\"GPU\","
         "\"value\":\"2\"}],\"command\":[\"x\"]},{\"name\":\"a\",\"cpu\":0}]}",
         50, 260, 2000},
    };
    struct task_def *def = a_definition();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct task_def *changed = NULL;
        json_t *overrides = json_loads(cases[i].overrides, 0, NULL);
        struct run_task_request request = {.overrides = overrides};
        if (run_task_override(&request, "r:", def, &changed, &err) != BERTH_OK)
            fail_msg("%s", err.text);
        assert_int_equal(changed->demand.cpu_units, cases[i].cpu_units);
        assert_int_equal(changed->demand.mem_mib, cases[i].mem_mib);
        assert_int_equal(demand_gpu_milli(&changed->demand), cases[i].gpu_milli);
        task_def_destroy(changed);
        json_decref(overrides);
    }
    task_def_destroy(def);
}

static void test_a_request(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_task_request request;
    json_t *json = json_loads(
        "{\"taskDefinition\":\"w:3\",\"count\":100000,\"cluster\":\"prod\",\"group\":null,"
        "\"launchType\":\"EC2\",\"startedBy\":\"me\",\"clientToken\":\"t\",\"tags\":[{\"key\":"
        "\"a\",\"value\":\"b\"}],\"placementStrategy\":[{\"type\":\"spread\",\"field\":\"host\"},"
        "{\"type\":\"random\"}],\"placementConstraints\":[{\"type\":\"distinctInstance\"}],"
        "\"networkConfiguration\":{\"awsvpcConfiguration\":{\"subnets\":[\"s\"],"
        "\"assignPublicIp\":\"DISABLED\"}}}",
        0, NULL);
    assert_int_equal(run_task_from_json(json, "r:", &request, &err), BERTH_OK);
    assert_string_equal(request.task_definition, "w:3");
    assert_int_equal(request.count, 100000);
    assert_string_equal(request.cluster, "prod");
    assert_null(request.group);
    assert_int_equal(request.strategy_count, 2);
    assert_string_equal(request.strategies[0].field, "host");
    assert_null(request.strategies[1].field);
    assert_string_equal(request.constraints[0].type, "distinctInstance");
    assert_int_equal(json_array_size(request.subnets), 1);
    json_decref(json);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"{}", "r:/taskDefinition: is missing; write FAMILY, FAMILY:REVISION or an ARN"},
        {"{\"taskDefinition\":\"w\",\"count\":0}",
         "r:/count: 0 is out of range; write a whole number from 1 to 100000"},
        {"{\"taskDefinition\":\"w\",\"group\":\"\"}",
         "r:/group: is empty; write 1 to 255 characters"},
        {"{\"taskDefinition\":\"w\",\"placementStrategy\":[{\"field\":\"cpu\"}]}",
         "r:/placementStrategy/0/type: is missing; write spread, binpack or random"},
        {"{\"taskDefinition\":\"w\",\"placementStrategy\":[{},{},{},{},{},{}]}",
         "r:/placementStrategy: 6 entries; at most 5"},
        {"{\"taskDefinition\":\"w\",\"placementConstraints\":[{\"typ\":\"memberOf\"}]}",
         "r:/placementConstraints/0/typ: unknown key; did you mean \"type\"?"},
        {"{\"taskDefinition\":\"w\",\"overrides\":{\"containerOverrides\":[{\"cpus\":1}]}}",
         "r:/overrides/containerOverrides/0/cpus: unknown key; did you mean \"cpu\"?"},
        {"{\"taskDefinition\":\"w\",\"networkConfiguration\":{\"awsvpcConfiguration\":{\"subnets\":"
         "[3]}}}",
         "r:/networkConfiguration/awsvpcConfiguration/subnets: is a list of other things; a list "
         "of texts is "
         "expected"},
        {"[]", "r:: is a list; an object is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct run_task_request request;
        json_t *json = json_loads(cases[i].json, 0, NULL);
        assert_int_equal(run_task_from_json(json, "r:", &request, &err), BERTH_ERR_INPUT);
        assert_string_equal(err.text, cases[i].message);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overrides_change_the_demand),
        cmocka_unit_test(test_a_request),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
