/* What is written is JSON, with ECS's members and berth's values in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "scheduler/ecs/event_json.h"
#include "tests/support/world.h"

static const struct event_envelope envelope = {
    .stream = UINT64_C(0x0123456789abcdef),
    .number = 7,
    .wall_ns = INT64_C(1735689612) * BERTH_NS_PER_S + 5,
    .members = ",\"seconds\":12.5",
};

static json_t *parse(struct text *text)
{
    json_error_t error;
    json_t *json = json_loads(text->bytes, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("%s: %s", error.text, text->bytes);
    text_free(text);
    return json;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        fail_msg("no text %s", name);
    return text;
}

static void check_envelope(const json_t *json, const char *type)
{
    assert_string_equal(text_of(json, "version"), "0");
    assert_string_equal(text_of(json, "id"), "01234567-89ab-8cde-8000-000000000007");
    assert_string_equal(text_of(json, "detail-type"), type);
    assert_string_equal(text_of(json, "source"), "aws.ecs");
    assert_string_equal(text_of(json, "time"), "2025-01-01T00:00:12Z");
    assert_true(json_number_value(json_object_get(json, "seconds")) == 12.5);
}

static void test_tasks_and_instances(void **state)
{
    (void)state;
    struct world world;
    struct text text = TEXT_INIT;
    world_open(&world);
    (void)world_define(&world, "job", 256, 128);
    instance_id instance = world_instance(&world, "zone-b", 1024, 1024);
    struct reply reply = world_run(&world, "job", 1, false);
    struct task_view view;
    assert_true(controller_task(world.controller, reply.u.run_task.tasks[0], &view));
    event_json_task(world.controller, &envelope, &view, &text);
    json_t *json = parse(&text);
    const json_t *detail = json_object_get(json, "detail");
    check_envelope(json, "ECS Task State Change");
    assert_string_equal(text_of(detail, "lastStatus"), "PENDING");
    assert_string_equal(text_of(detail, "desiredStatus"), "RUNNING");
    assert_string_equal(text_of(detail, "availabilityZone"), "zone-b");
    assert_string_equal(text_of(detail, "cpu"), "256");
    assert_string_equal(text_of(detail, "group"), "family:job");
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "resources"), 0)),
                        text_of(detail, "taskArn"));
    assert_null(json_object_get(detail, "stopCode"));
    assert_int_equal(json_array_size(json_object_get(detail, "containers")), 1);
    json_decref(json);
    view.stop_code = STOP_USER_INITIATED;
    view.stop_reason = STOP_REASON_USER;
    view.last_status = TASK_STOPPED;
    event_json_task(world.controller, &envelope, &view, &text);
    json = parse(&text);
    detail = json_object_get(json, "detail");
    assert_string_equal(text_of(detail, "stopCode"), "UserInitiated");
    assert_string_equal(text_of(detail, "stoppedReason"), "Task stopped by user");
    json_decref(json);
    event_json_instance(world.controller, &envelope, instance, 5, &text);
    json = parse(&text);
    detail = json_object_get(json, "detail");
    check_envelope(json, "ECS Container Instance State Change");
    const json_t *remaining = json_array_get(json_object_get(detail, "remainingResources"), 0);
    assert_int_equal(json_integer_value(json_object_get(remaining, "integerValue")), 768);
    assert_true(json_is_true(json_object_get(detail, "agentConnected")));
    assert_int_equal(json_integer_value(json_object_get(detail, "version")), 5);
    json_decref(json);
    world_close(&world);
}

static void test_services_and_deployments(void **state)
{
    (void)state;
    struct world world;
    struct text text = TEXT_INIT;
    world_open(&world);
    const struct task_def *def = world_define(&world, "web", 256, 128);
    service_id service = world_service(&world, "web", "web", 2, 100, 200);
    const struct service_event event = {.kind = SERVICE_EVENT_PLACEMENT_FAILURE,
                                        .service = service,
                                        .deployment = 1,
                                        .closest = INSTANCE_NONE};
    event_json_service(world.controller, &envelope, &event, &text);
    json_t *json = parse(&text);
    const json_t *detail = json_object_get(json, "detail");
    check_envelope(json, "ECS Service Action");
    assert_string_equal(text_of(detail, "eventType"), "ERROR");
    assert_string_equal(text_of(detail, "eventName"), "SERVICE_TASK_PLACEMENT_FAILURE");
    assert_string_equal(text_of(detail, "reason"), "NO ACTIVE INSTANCES");
    assert_non_null(strstr(text_of(detail, "message"), "(service web) was unable to place"));
    json_decref(json);
    struct deployment_view view = {
        .service = service,
        .service_name = controller_service(world.controller, service).name,
        .deployment = 3,
        .def = def,
        .rollout = ROLLOUT_FAILED,
        .previous_rollout = ROLLOUT_IN_PROGRESS,
        .cause = ROLLOUT_CAUSE_BREAKER,
        .created_wall_ns = 1,
        .updated_wall_ns = 2,
    };
    assert_true(event_json_deployment(world.controller, &envelope, &view, &text));
    json = parse(&text);
    detail = json_object_get(json, "detail");
    check_envelope(json, "ECS Deployment State Change");
    assert_string_equal(text_of(detail, "eventName"), "SERVICE_DEPLOYMENT_FAILED");
    assert_string_equal(text_of(detail, "eventType"), "ERROR");
    assert_string_equal(text_of(detail, "deploymentId"), "ecs-svc/3");
    json_decref(json);
    view.previous_rollout = ROLLOUT_FAILED;
    assert_false(event_json_deployment(world.controller, &envelope, &view, &text));
    text_free(&text);
    world_close(&world);
}

/* An exit code is told of containers that ran and whose end was seen. */
static void test_exit_codes(void **state)
{
    (void)state;
    struct world world;
    struct text text = TEXT_INIT;
    world_open(&world);
    (void)world_define(&world, "job", 256, 128);
    (void)world_instance(&world, "zone-b", 1024, 1024);
    struct task_view view;
    struct reply reply = world_run(&world, "job", 1, false);
    assert_true(controller_task(world.controller, reply.u.run_task.tasks[0], &view));
    static const struct {
        enum stop_reason reason;
        berth_ns started_ns;
        bool has_code;
    } cases[] = {{STOP_REASON_ESSENTIAL_EXIT, 5, true},
                 {STOP_REASON_PULL_FAILED, 0, false},
                 {STOP_REASON_HOST_LOST, 5, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        view.stop_code = STOP_TERMINATION_NOTICE;
        view.stop_reason = cases[i].reason;
        view.last_status = TASK_STOPPED;
        view.started_ns = cases[i].started_ns;
        event_json_task(world.controller, &envelope, &view, &text);
        json_t *json = parse(&text);
        const json_t *detail = json_object_get(json, "detail");
        assert_int_equal(json_object_get(detail, "exitCode") != NULL, cases[i].has_code);
        json_decref(json);
    }
    world_close(&world);
}

/* The first deployment completes, the second fails: the first is under way again in its place. */
static void test_a_rollback_says_so(void **state)
{
    (void)state;
    struct world world;
    struct text text = TEXT_INIT;
    world_open(&world);
    (void)world_define(&world, "web", 256, 128);
    (void)world_instance(&world, "zone-b", 4096, 4096);
    service_id service = world_service(&world, "web", "web", 1, 100, 200);
    world_settle(&world);
    world_advance(&world, 60 * BERTH_NS_PER_S);
    world_deploy(&world, "web", NULL);
    struct event stop = {.kind = EVENT_STOP_SERVICE_DEPLOYMENT};
    stop.u.service_deployment.service = "web";
    stop.u.service_deployment.rolls_back = true;
    assert_int_equal(world_command(&world, stop).status, REPLY_OK);
    struct deployment_view view = controller_deployment(world.controller, service, 1);
    view.previous_rollout = ROLLOUT_COMPLETED;
    assert_true(event_json_deployment(world.controller, &envelope, &view, &text));
    json_t *json = parse(&text);
    const json_t *detail = json_object_get(json, "detail");
    assert_string_equal(text_of(detail, "eventName"), "SERVICE_DEPLOYMENT_IN_PROGRESS");
    assert_string_equal(text_of(detail, "reason"),
                        "ECS deployment stop: rolling back to deploymentId ecs-svc/1.");
    json_decref(json);
    world_close(&world);
}

static void test_hooks_are_their_own_kind(void **state)
{
    (void)state;
    struct world world;
    struct text text = TEXT_INIT;
    world_open(&world);
    (void)world_define(&world, "web", 256, 128);
    service_id service = world_service(&world, "web", "web", 1, 100, 200);
    const struct service_event event = {
        .kind = SERVICE_EVENT_HOOK_AWAITING,
        .service = service,
        .deployment = 3,
        .hook = controller_service(world.controller, service).name,
        .stage = STAGE_BAKE_TIME,
        .expires_wall_ns = envelope.wall_ns,
    };
    event_json_service(world.controller, &envelope, &event, &text);
    json_t *json = parse(&text);
    const json_t *detail = json_object_get(json, "detail");
    check_envelope(json, "ECS Hook State Change");
    assert_string_equal(text_of(detail, "eventName"), "HOOK_AWAITING_ACTION");
    assert_string_equal(text_of(detail, "hookId"), "web");
    assert_string_equal(text_of(detail, "hookType"), "PAUSE");
    assert_string_equal(text_of(detail, "lifecycleStage"), "BAKE_TIME");
    assert_string_equal(text_of(detail, "expiresAt"), "2025-01-01T00:00:12.000Z");
    assert_non_null(strstr(text_of(detail, "serviceDeploymentArn"), ":service-deployment/"));
    assert_non_null(strstr(text_of(detail, "serviceDeploymentArn"), "/web/3"));
    json_decref(json);
    world_close(&world);
}

static void test_types(void **state)
{
    (void)state;
    assert_string_equal(event_json_service_type(SERVICE_EVENT_DEPLOYMENT_FAILED), "ERROR");
    assert_string_equal(event_json_service_type(SERVICE_EVENT_PLACEMENT_FAILURE), "ERROR");
    assert_string_equal(event_json_service_type(SERVICE_EVENT_START_IMPAIRED), "WARN");
    assert_string_equal(event_json_service_type(SERVICE_EVENT_UNHEALTHY_TARGET), "WARN");
    assert_string_equal(event_json_service_type(SERVICE_EVENT_PROTECTED), "INFO");
    assert_string_equal(event_json_service_type(SERVICE_EVENT_STEADY_STATE), "INFO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks_and_instances),
        cmocka_unit_test(test_services_and_deployments),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_a_rollback_says_so),
        cmocka_unit_test(test_hooks_are_their_own_kind),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
