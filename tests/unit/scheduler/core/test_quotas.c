/* Throttles and size quotas: off unless asked for, exact when on, and the same after a reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/policy/quota.h"
#include "tests/support/world.h"

static struct reply call(struct world *world)
{
    struct event event = {.kind = EVENT_STOP_TASK, .u.stop_task.task = 12345};
    return world_command(world, event);
}

static void test_the_numbers_are_those_of_ecs(void **state)
{
    (void)state;
    assert_int_equal(api_categories[API_CLUSTER_RESOURCE_MODIFY].rule.burst, 100);
    assert_int_equal(api_categories[API_CLUSTER_RESOURCE_MODIFY].rule.refill, 40);
    assert_int_equal(api_categories[API_SERVICE_MODIFY].rule.burst, 50);
    assert_int_equal(api_categories[API_SERVICE_MODIFY].rule.refill, 5);
    assert_int_equal(api_categories[API_TASK_PROTECTION].rule.burst, 200);
    for (int i = 0; i < API_CATEGORY_COUNT; i++)
        assert_true(api_categories[i].rule.period_ns == BERTH_NS_PER_S);
    assert_int_equal(size_quotas[QUOTA_TASKS_PER_RUN_TASK].most, 10);
}

static void test_a_bucket_of_calls(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.options.throttles_api = true;
    world_reopen(&world);
    for (int i = 0; i < 100; i++)
        assert_int_equal(call(&world).status, REPLY_NOT_FOUND);
    struct reply reply = call(&world);
    assert_int_equal(reply.status, REPLY_THROTTLED);
    assert_non_null(strstr(reply.text, "Rate exceeded"));
    world_advance(&world, BERTH_NS_PER_S - 1);
    assert_int_equal(call(&world).status, REPLY_THROTTLED);
    world_advance(&world, 1);
    for (int i = 0; i < 40; i++)
        assert_int_equal(call(&world).status, REPLY_NOT_FOUND);
    assert_int_equal(call(&world).status, REPLY_THROTTLED);
    /* Another category is another bucket, and a call that nobody waits for is not counted. */
    (void)world_define(&world, "web", 128, 128);
    (void)world_service(&world, "web", "web", 0, 100, 200);
    world_step(&world, &(struct event){.kind = EVENT_STOP_TASK, .u.stop_task.task = 1});
    uint64_t rules[RULE_COUNT];
    controller_rules(world.controller, rules);
    assert_int_equal(rules[RULE_API_THROTTLED], 3);
    world_close(&world);
}

static void test_off_by_default(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    for (int i = 0; i < 300; i++)
        assert_int_equal(call(&world).status, REPLY_NOT_FOUND);
    (void)world_define(&world, "job", 1, 4);
    (void)world_instance(&world, "a", 4096, 4096);
    assert_int_equal(world_run(&world, "job", 11, false).u.run_task.task_count, 11);
    world_close(&world);
}

static void test_sizes(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.options.limits_sizes = true;
    world_reopen(&world);
    (void)world_define(&world, "job", 1, 4);
    (void)world_instance(&world, "a", 4096, 4096);
    struct event event = {.kind = EVENT_RUN_TASK};
    event.u.run_task = (struct event_run_task){.task_definition = "job",
                                               .count = 11,
                                               .cpu_units = OVERRIDE_NONE,
                                               .mem_mib = OVERRIDE_NONE};
    struct reply reply = world_command(&world, event);
    assert_int_equal(reply.status, REPLY_REFUSED);
    assert_non_null(strstr(reply.text, "at most 10 tasks per RunTask call"));
    event.u.run_task.count = 10;
    assert_int_equal(world_command(&world, event).status, REPLY_OK);
    (void)world_service(&world, "web", "job", 1, 100, 200);
    event = (struct event){.kind = EVENT_UPDATE_SERVICE};
    event.u.service = (struct event_service){.service = "web",
                                             .desired_count = 5001,
                                             .minimum_healthy_percent = OVERRIDE_NONE,
                                             .maximum_percent = OVERRIDE_NONE,
                                             .grace_s = OVERRIDE_NONE,
                                             .rebalancing = OVERRIDE_NONE};
    reply = world_command(&world, event);
    assert_int_equal(reply.status, REPLY_REFUSED);
    assert_non_null(strstr(reply.text, "at most 5000 tasks per service"));
    event.u.service.desired_count = 2;
    assert_int_equal(world_command(&world, event).status, REPLY_OK);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_numbers_are_those_of_ecs),
        cmocka_unit_test(test_a_bucket_of_calls),
        cmocka_unit_test(test_off_by_default),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
