#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/support/world.h"

#define S BERTH_NS_PER_S
#define MINUTE (60 * S)

static struct world world;

/* A service of four tasks that is steady, on machines with room for many. */
static int set_up(void **state)
{
    (void)state;
    world_open(&world);
    (void)world_define(&world, "web", 100, 100);
    for (int i = 0; i < 4; i++)
        (void)world_instance(&world, "a", 4000, 4000);
    (void)world_service(&world, "web", "web", 4, 100, 200);
    world_settle(&world);
    world_advance(&world, MINUTE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static enum reply_status target(int min, int max)
{
    struct event event = {.kind = EVENT_REGISTER_SCALABLE_TARGET,
                          .u.scalable_target = {.service = "web",
                                                .min_capacity = min,
                                                .max_capacity = max,
                                                .suspends_in = OVERRIDE_NONE,
                                                .suspends_out = OVERRIDE_NONE,
                                                .suspends_scheduled = OVERRIDE_NONE}};
    return world_command(&world, event).status;
}

static struct event tracking(const char *name, enum scaling_metric metric, int64_t target_milli)
{
    return (struct event){.kind = EVENT_PUT_SCALING_POLICY,
                          .u.scaling_policy = {.service = "web",
                                               .policy = name,
                                               .metric = metric,
                                               .target_milli = target_milli,
                                               .out_cooldown_s = OVERRIDE_NONE,
                                               .in_cooldown_s = OVERRIDE_NONE}};
}

static void put(struct event event)
{
    struct reply reply = world_command(&world, event);
    if (reply.status != REPLY_OK)
        fail_msg("%s", reply.text);
}

static uint32_t desired(void)
{
    return controller_service(world.controller, controller_find_service(world.controller, "web"))
        .desired_count;
}

static void tell(enum scaling_metric metric, int64_t value_milli)
{
    struct event event = {
        .kind = EVENT_ANSWER,
        .u.answer = {.kind = ANSWER_METRIC, .u.metric = {"web", metric, value_milli}}};
    world_step(&world, &event);
}

/* So many minutes with one datapoint at the end of each; agents do what they are told. */
static void minutes(int count, enum scaling_metric metric, int64_t value_milli)
{
    for (int i = 0; i < count; i++) {
        world_settle(&world);
        world_advance(&world, MINUTE);
        tell(metric, value_milli);
    }
    world_settle(&world);
}

static uint64_t fired(enum rule rule)
{
    uint64_t counts[RULE_COUNT];
    controller_rules(world.controller, counts);
    return counts[rule];
}

static void test_out_after_three_minutes_in_proportion(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    minutes(2, SCALING_CPU, 90000);
    assert_int_equal(desired(), 4);
    minutes(1, SCALING_CPU, 90000);
    assert_int_equal(desired(), 6); /* ceil(4 x 90 / 60) */
    assert_int_equal(world.told[SERVICE_EVENT_DESIRED_COUNT_UPDATED], 1);
    assert_int_equal(fired(RULE_TARGET_TRACKING_OUT), 1);
    assert_int_equal(world_live(&world, 0), 6);
}

static void test_in_after_fifteen_minutes(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    minutes(14, SCALING_CPU, 25000);
    assert_int_equal(desired(), 4);
    minutes(1, SCALING_CPU, 25000);
    assert_int_equal(desired(), 2); /* ceil(4 x 25 / 60) */
    assert_int_equal(fired(RULE_TARGET_TRACKING_IN), 1);
    minutes(4, SCALING_CPU, 20000);
    assert_int_equal(desired(), 2); /* the cooldown of five minutes */
    assert_true(fired(RULE_COOLDOWN) > 0);
    minutes(1, SCALING_CPU, 20000);
    assert_int_equal(desired(), 1);
}

static void test_a_gap_in_the_data_is_no_reason(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    minutes(2, SCALING_CPU, 90000);
    world_advance(&world, MINUTE);
    minutes(2, SCALING_CPU, 90000);
    assert_int_equal(desired(), 4);
}

static void test_a_repeated_datapoint_is_none(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    minutes(2, SCALING_CPU, 90000);
    uint64_t revision = world.revision;
    tell(SCALING_CPU, 90000);
    assert_int_equal(desired(), 4);
    assert_true(world.revision == revision);
    assert_int_equal(fired(RULE_REPEAT), 1);
}

static void test_no_scaling_in_during_a_deployment(void **state)
{
    (void)state;
    (void)world_define(&world, "web", 100, 200);
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    minutes(14, SCALING_CPU, 25000);
    world_deploy(&world, "web", "web:2");
    tell(SCALING_CPU, 25000);
    world_advance(&world, MINUTE);
    tell(SCALING_CPU, 25000); /* nothing of the new revision has started yet */
    assert_int_equal(desired(), 4);
    minutes(2, SCALING_CPU, 25000);
    world_advance(&world, MINUTE - S);
    minutes(2, SCALING_CPU, 25000);
    assert_int_equal(desired(), 2);
}

static void test_scaling_out_goes_on_during_a_deployment(void **state)
{
    (void)state;
    (void)world_define(&world, "web", 100, 200);
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    minutes(2, SCALING_CPU, 90000);
    world_advance(&world, MINUTE);
    world_deploy(&world, "web", "web:2");
    tell(SCALING_CPU, 90000);
    assert_int_equal(desired(), 6);
}

static void test_in_only_when_all_policies_say_so(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    put(tracking("memory", SCALING_MEMORY, 50000));
    for (int i = 0; i < 15; i++) {
        world_advance(&world, MINUTE);
        tell(SCALING_CPU, 20000);
        assert_int_equal(desired(), 4);
        tell(SCALING_MEMORY, 30000);
    }
    assert_int_equal(desired(), 3); /* ceil(4 x 30 / 50): the larger of the two */
}

static void test_out_when_any_policy_says_so(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    put(tracking("memory", SCALING_MEMORY, 50000));
    for (int i = 0; i < 3; i++) {
        world_advance(&world, MINUTE);
        tell(SCALING_CPU, 20000);
        tell(SCALING_MEMORY, 60000);
    }
    assert_int_equal(desired(), 5);
}

static void test_bounds_and_the_switches(void **state)
{
    (void)state;
    assert_int_equal(target(1, 5), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    struct event suspend = {.kind = EVENT_REGISTER_SCALABLE_TARGET,
                            .u.scalable_target = {.service = "web",
                                                  .min_capacity = OVERRIDE_NONE,
                                                  .max_capacity = OVERRIDE_NONE,
                                                  .suspends_in = OVERRIDE_NONE,
                                                  .suspends_out = 1,
                                                  .suspends_scheduled = OVERRIDE_NONE}};
    put(suspend);
    minutes(4, SCALING_CPU, 90000);
    assert_int_equal(desired(), 4);
    suspend.u.scalable_target.suspends_out = 0;
    put(suspend);
    minutes(1, SCALING_CPU, 90000);
    assert_int_equal(desired(), 5); /* Max */
    assert_int_equal(target(8, 10), REPLY_OK);
    assert_int_equal(desired(), 5); /* below Min: the next scale-out lifts it */
    minutes(5, SCALING_CPU, 61000);
    assert_int_equal(desired(), 8);
}

static struct event steps(int32_t cooldown_s, const char *const *texts, uint16_t count)
{
    struct event event = {.kind = EVENT_PUT_SCALING_POLICY,
                          .u.scaling_policy = {.service = "web",
                                               .policy = "steps",
                                               .kind = SCALING_STEP,
                                               .metric = SCALING_REQUESTS,
                                               .out_cooldown_s = cooldown_s,
                                               .in_cooldown_s = OVERRIDE_NONE,
                                               .threshold_milli = 100000,
                                               .evaluation_periods = 2,
                                               .steps = texts,
                                               .step_count = count}};
    return event;
}

/* First +2; within the cooldown the larger step adds the difference. */
static void test_steps_and_their_cooldown(void **state)
{
    (void)state;
    static const char *const texts[] = {"0:50000:2", "50000::3"};
    assert_int_equal(target(1, 20), REPLY_OK);
    put(steps(600, texts, 2));
    minutes(1, SCALING_REQUESTS, 120000);
    assert_int_equal(desired(), 4);
    minutes(1, SCALING_REQUESTS, 120000);
    assert_int_equal(desired(), 6);
    minutes(1, SCALING_REQUESTS, 120000);
    assert_int_equal(desired(), 6);
    minutes(1, SCALING_REQUESTS, 180000);
    assert_int_equal(desired(), 7);
    assert_int_equal(fired(RULE_STEP_SCALING), 2);
    assert_int_equal(fired(RULE_COOLDOWN), 1);
}

static struct event scheduled(const char *name, const char *schedule, int min, int max)
{
    return (struct event){.kind = EVENT_PUT_SCHEDULED_ACTION,
                          .u.scheduled_action = {.service = "web",
                                                 .action = name,
                                                 .schedule = schedule,
                                                 .min_capacity = min,
                                                 .max_capacity = max}};
}

/* The world's wall clock begins at 2023-11-14T22:13:20Z. */
static void test_scheduled_actions_set_bounds(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(scheduled("up", "at(2023-11-14T23:00:00)", 9, OVERRIDE_NONE));
    put(scheduled("down", "cron(30 23 * * ? *)", OVERRIDE_NONE, 3));
    world_advance(&world, 45 * MINUTE);
    assert_int_equal(desired(), 4);
    world_advance(&world, MINUTE);
    assert_int_equal(desired(), 9);
    world_settle(&world);
    world_advance(&world, 30 * MINUTE);
    assert_int_equal(desired(), 3); /* Max goes below Min, which follows */
    struct scaling_view view;
    assert_true(controller_scaling(world.controller, 0, &view));
    assert_int_equal(view.min_capacity, 3);
    assert_int_equal(view.max_capacity, 3);
    assert_int_equal(fired(RULE_SCHEDULED), 2);
}

static void test_a_clock_that_is_set_back_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(scheduled("up", "at(2023-11-14T23:00:00)", 9, OVERRIDE_NONE));
    world.now.wall_ns -= 10 * MINUTE;
    world_advance(&world, 50 * MINUTE);
    assert_int_equal(desired(), 4);
    world_advance(&world, 10 * MINUTE);
    assert_int_equal(desired(), 9);
}

static void test_deadlines_end_with_their_cause(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    world_advance(&world, 10 * MINUTE);
    assert_true(controller_next_deadline(world.controller) == BERTH_NS_NEVER);
    put(scheduled("often", "rate(5 minutes)", 1, OVERRIDE_NONE));
    assert_true(controller_next_deadline(world.controller) == world.now.mono_ns + 5 * MINUTE);
    struct event remove = scheduled("often", NULL, 1, 1);
    remove.kind = EVENT_DELETE_SCHEDULED_ACTION;
    put(remove);
    assert_true(controller_next_deadline(world.controller) == BERTH_NS_NEVER);
    put(scheduled("often", "rate(5 minutes)", 1, OVERRIDE_NONE));
    put((struct event){.kind = EVENT_DEREGISTER_SCALABLE_TARGET,
                       .u.scalable_target.service = "web"});
    assert_true(controller_next_deadline(world.controller) == BERTH_NS_NEVER);
    struct scaling_view view;
    assert_false(controller_scaling(world.controller, 0, &view));
}

static void test_a_deleted_service_takes_its_scaling_along(void **state)
{
    (void)state;
    assert_int_equal(target(1, 20), REPLY_OK);
    put(tracking("cpu", SCALING_CPU, 60000));
    put(scheduled("often", "rate(5 minutes)", 1, OVERRIDE_NONE));
    put((struct event){.kind = EVENT_DELETE_SERVICE,
                       .u.service = {.service = "web", .force = true}});
    tell(SCALING_CPU, 90000);
    struct scaling_view view;
    assert_false(controller_scaling(world.controller, 0, &view));
    world_settle(&world);
    world_advance(&world, 10 * MINUTE);
}

static void assert_refused(struct event event, const char *words)
{
    struct reply reply = world_command(&world, event);
    assert_int_not_equal(reply.status, REPLY_OK);
    if (strstr(reply.text, words) == NULL)
        fail_msg("%s", reply.text);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const gap[] = {"0:1000:1", "2000::2"};
    static const char *const odd[] = {"one"};
    assert_refused(tracking("cpu", SCALING_CPU, 60000), "no scalable target");
    assert_int_equal(target(1, OVERRIDE_NONE), REPLY_INVALID);
    assert_int_equal(target(5, 4), REPLY_INVALID);
    assert_int_equal(target(1, -2), REPLY_INVALID);
    assert_int_equal(target(1, 4), REPLY_OK);
    assert_refused(tracking("", SCALING_CPU, 60000), "policyName");
    assert_refused(tracking("cpu", SCALING_CPU, 0), "targetValue");
    assert_refused(steps(-2, gap, 2), "cooldown");
    assert_refused(steps(60, gap, 2), "gap");
    assert_refused(steps(60, odd, 1), "no step");
    assert_refused(scheduled("x", "daily", 1, 1), "schedule");
    assert_refused(scheduled("x", "rate(1 hour)", OVERRIDE_NONE, OVERRIDE_NONE), "give");
    assert_refused(scheduled("x", "rate(1 hour)", 3, 2), "above");
    struct event zone = scheduled("x", "rate(1 hour)", 1, 2);
    zone.u.scheduled_action.timezone = "Europe/Berlin";
    assert_refused(zone, "only UTC");
    struct event missing = tracking("none", SCALING_CPU, 1);
    missing.kind = EVENT_DELETE_SCALING_POLICY;
    assert_refused(missing, "there is no none");
    missing.u.scaling_policy.service = "nobody";
    assert_refused(missing, "there is no nobody");
    struct event daemon = {.kind = EVENT_CREATE_SERVICE,
                           .u.service = {.service = "d",
                                         .task_definition = "web",
                                         .scheduling = SCHEDULING_DAEMON,
                                         .desired_count = OVERRIDE_NONE,
                                         .minimum_healthy_percent = OVERRIDE_NONE,
                                         .maximum_percent = OVERRIDE_NONE,
                                         .grace_s = OVERRIDE_NONE,
                                         .rebalancing = OVERRIDE_NONE}};
    put(daemon);
    struct event scaled = {.kind = EVENT_REGISTER_SCALABLE_TARGET,
                           .u.scalable_target = {.service = "d", .max_capacity = 2}};
    assert_refused(scaled, "DAEMON");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_out_after_three_minutes_in_proportion),
        TEST(test_in_after_fifteen_minutes),
        TEST(test_a_gap_in_the_data_is_no_reason),
        TEST(test_a_repeated_datapoint_is_none),
        TEST(test_no_scaling_in_during_a_deployment),
        TEST(test_scaling_out_goes_on_during_a_deployment),
        TEST(test_in_only_when_all_policies_say_so),
        TEST(test_out_when_any_policy_says_so),
        TEST(test_bounds_and_the_switches),
        TEST(test_steps_and_their_cooldown),
        TEST(test_scheduled_actions_set_bounds),
        TEST(test_a_clock_that_is_set_back_is_waited_for),
        TEST(test_deadlines_end_with_their_cause),
        TEST(test_a_deleted_service_takes_its_scaling_along),
        TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
