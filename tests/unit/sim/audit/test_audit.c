/* test_audit.c -- what the auditor says of steps that are right, and of steps that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/audit/audit.h"
#include "tests/support/tiny.h"
#include "tests/support/world.h"

/* A real controller's steps, changed on their way to the auditor. */
struct bench {
    struct world world;
    struct scenario_set *set;
    struct audit *audit;
    void (*twist)(struct action_list *actions); /* NULL: told as they are */
};

static void told(struct world *world, const struct event *event, void *context)
{
    struct bench *bench = context;
    const struct run_observer *observer = audit_observer(bench->audit);
    if (bench->twist != NULL)
        bench->twist(&world->actions);
    observer->decided(observer->context, world->now, world->controller, event, &world->actions);
}

/* `more`: of the scenario, as for tiny_load. */
static void open_bench(struct bench *bench, const char *more)
{
    memset(bench, 0, sizeof *bench);
    bench->set = tiny_load(more);
    bench->audit = audit_create(bench->set->variants[0]);
    world_open(&bench->world);
    bench->world.watch = told;
    bench->world.context = bench;
}

static void close_bench(struct bench *bench)
{
    world_close(&bench->world);
    audit_destroy(bench->audit);
    scenario_set_destroy(bench->set);
}

static void assert_calm(const struct bench *bench)
{
    const struct audit_violation *violation = audit_violation(bench->audit);
    if (violation != NULL)
        fail_msg("%s: %s", invariant_infos[violation->invariant].name, violation->text);
}

static void assert_violated(const struct bench *bench, enum invariant invariant)
{
    const struct audit_violation *violation = audit_violation(bench->audit);
    assert_non_null(violation);
    assert_string_equal(invariant_infos[violation->invariant].name,
                        invariant_infos[invariant].name);
    assert_true(violation->text[0] != '\0');
}

static void set_up_service(struct bench *bench, int desired)
{
    world_instance(&bench->world, "a", 1024, 1024);
    world_instance(&bench->world, "b", 1024, 1024);
    const struct task_def *def = world_define(&bench->world, "web", 256, 256);
    char name[64];
    snprintf(name, sizeof name, "%s:%u", def->family, (unsigned)def->revision);
    world_service(&bench->world, "web", name, desired, 100, 200);
}

static void open_service(struct bench *bench, int desired, const char *more)
{
    open_bench(bench, more);
    set_up_service(bench, desired);
}

static void test_a_life_is_calm(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 3, "");
    world_settle(&bench.world);
    world_advance(&bench.world, 120 * BERTH_NS_PER_S);
    world_define(&bench.world, "web", 128, 256);
    world_deploy(&bench.world, "web", "web");
    for (int i = 0; i < 12; i++) {
        world_settle(&bench.world);
        world_advance(&bench.world, 60 * BERTH_NS_PER_S);
    }
    world_scale(&bench.world, "web", 1);
    world_state(&bench.world, 0, INSTANCE_DRAINING);
    for (int i = 0; i < 12; i++) {
        world_settle(&bench.world);
        world_advance(&bench.world, 60 * BERTH_NS_PER_S);
    }
    assert_calm(&bench);
    uint64_t counts[INVARIANT_COUNT];
    audit_checks(bench.audit, counts);
    assert_true(counts[INVARIANT_FLOOR] > 0 && counts[INVARIANT_CEILING] > 0);
    assert_true(counts[INVARIANT_DESIRED_KEPT] > 0 && counts[INVARIANT_REMAINING] > 0);
    assert_true(counts[INVARIANT_ELIGIBLE] > 0 && counts[INVARIANT_COUNTS] > 0);
    close_bench(&bench);
}

static struct task_view *first_task(struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE &&
            actions->items[i].u.change.kind == RECORD_TASK)
            return &actions->items[i].u.change.u.task;
    return NULL;
}

struct twist_case {
    void (*twist)(struct action_list *);
    enum invariant invariant;
};

#define TWIST(name, body)                             \
    static void name(struct action_list *actions)     \
    {                                                 \
        struct task_view *view = first_task(actions); \
        if (view == NULL)                             \
            return;                                   \
        body;                                         \
    }

TWIST(gives_too_much, view->cpu_units = 2000)
TWIST(gives_a_little, view->cpu_units += 1)
TWIST(goes_back, view->previous_status = TASK_RUNNING)
TWIST(rises, view->desired_running = true)
TWIST(says_nothing, view->stop_reason = STOP_REASON_NONE)
TWIST(skips_a_version, view->version += 1)

static void skips_a_revision(struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE)
            actions->items[i].u.change.revision++;
}

static void test_placements_that_are_wrong(void **state)
{
    static const struct twist_case cases[] = {{gives_too_much, INVARIANT_NO_OVERCOMMIT},
                                              {gives_a_little, INVARIANT_REMAINING},
                                              {goes_back, INVARIANT_FORWARD},
                                              {skips_a_version, INVARIANT_FORWARD},
                                              {skips_a_revision, INVARIANT_REVISIONS}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        open_service(&bench, 1, "");
        assert_calm(&bench);
        bench.twist = cases[i].twist;
        world_scale(&bench.world, "web", 2);
        assert_violated(&bench, cases[i].invariant);
        close_bench(&bench);
    }
}

static void test_stops_that_are_wrong(void **state)
{
    static const struct twist_case cases[] = {{says_nothing, INVARIANT_STOPPED_TOLD},
                                              {rises, INVARIANT_DESIRED_ONCE}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        open_service(&bench, 2, "");
        world_settle(&bench.world);
        bench.twist = cases[i].twist;
        world_scale(&bench.world, "web", 1);
        assert_violated(&bench, cases[i].invariant);
        close_bench(&bench);
    }
}

/* A task is placed although the auditor saw the instance go. */
static void test_nothing_is_placed_where_nobody_is(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "");
    const struct run_observer *observer = audit_observer(bench.audit);
    const struct action_list none = {0};
    for (instance_id i = 0; i < 2; i++)
        observer->decided(observer->context, bench.world.now, bench.world.controller,
                          &(struct event){.kind = EVENT_AGENT_DISCONNECTED, .u.agent = i}, &none);
    world_scale(&bench.world, "web", 2);
    assert_violated(&bench, INVARIANT_ELIGIBLE);
    close_bench(&bench);
}

/* The same report again, and the same change comes of it: both are told a second time. */
static void test_a_repeat_that_changes_something(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "");
    struct message message = {.kind = MESSAGE_TASK_STATE, .instance = 0, .seq = 7};
    struct task_view view;
    assert_true(controller_next_task(bench.world.controller, TASK_NONE, &view));
    message.instance = view.instance;
    message.u.report.task = view.task;
    message.u.report.status = TASK_RUNNING;
    const struct event event = {.kind = EVENT_MESSAGE, .u.message = message};
    world_step(&bench.world, &event);
    assert_calm(&bench);
    const struct run_observer *observer = audit_observer(bench.audit);
    observer->decided(observer->context, bench.world.now, bench.world.controller, &event,
                      &bench.world.actions);
    assert_violated(&bench, INVARIANT_REPEAT);
    close_bench(&bench);
}

static void test_a_stranger_changes_a_task(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "");
    world_settle(&bench.world);
    const struct event event = {.kind = EVENT_MESSAGE,
                                .u.message = {.kind = MESSAGE_TASK_STATE,
                                              .instance = 77,
                                              .seq = 1,
                                              .u.report = {.task = 1, .status = TASK_STOPPED}}};
    world_step(&bench.world, &event);
    assert_calm(&bench);
    world_scale(&bench.world, "web", 0);
    const struct run_observer *observer = audit_observer(bench.audit);
    observer->decided(observer->context, bench.world.now, bench.world.controller, &event,
                      &bench.world.actions);
    assert_violated(&bench, INVARIANT_FENCED);
    close_bench(&bench);
}

static void order(struct bench *bench, uint32_t host, instance_id instance,
                  const struct task_payload *payload, uint16_t container)
{
    const struct run_observer *observer = audit_observer(bench->audit);
    struct agent *agent = agent_create(
        &(struct agent_config){.instance = instance, .cpu_units = 1024, .mem_mib = 1024});
    struct agent_action start = {.kind = AGENT_ACTION_START,
                                 .task = payload->task,
                                 .container = container,
                                 .payload = *payload};
    struct agent_action_list actions = {&start, 1, 1};
    observer->stepped(observer->context, host, instance, agent,
                      &(struct agent_event){.kind = AGENT_EVENT_TIMER}, &actions);
    agent_destroy(agent);
}

static void test_containers(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "");
    const struct task_def *def = world_define_json(
        &bench.world, "{\"family\":\"two\",\"containerDefinitions\":["
                      "{\"name\":\"a\",\"image\":\"x\",\"memory\":64,\"dependsOn\":[{"
                      "\"containerName\":\"b\",\"condition\":\"START\"}]},"
                      "{\"name\":\"b\",\"image\":\"x\",\"memory\":64}]}");
    const struct task_payload payload = {
        .task = 5, .def = def, .cpu_units = 100, .mem_mib = 128, .desired_running = true};
    order(&bench, 0, 0, &payload, 1);
    assert_calm(&bench);
    order(&bench, 0, 0, &payload, 0); /* b was ordered, it has not started */
    assert_violated(&bench, INVARIANT_DEPENDS_ON);
    close_bench(&bench);

    open_service(&bench, 1, "");
    def = world_define(&bench.world, "one", 100, 100);
    const struct task_payload one = {.task = 5, .def = def, .cpu_units = 600, .mem_mib = 100};
    order(&bench, 0, 0, &one, 0);
    assert_calm(&bench);
    order(&bench, 1, 1, &one, 0);
    assert_violated(&bench, INVARIANT_ONE_CONTAINER);
    close_bench(&bench);

    open_service(&bench, 1, "");
    def = world_define(&bench.world, "one", 100, 100);
    const struct task_payload first = {.task = 5, .def = def, .cpu_units = 600, .mem_mib = 100};
    const struct task_payload second = {.task = 6, .def = def, .cpu_units = 600, .mem_mib = 100};
    order(&bench, 0, 0, &first, 0);
    order(&bench, 0, 0, &second, 0);
    assert_violated(&bench, INVARIANT_AGENT_OVERCOMMIT);
    close_bench(&bench);
}

static void test_a_restart_that_stops_a_task(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "");
    world_settle(&bench.world);
    const struct run_observer *observer = audit_observer(bench.audit);
    const struct action_list none = {0};
    const struct event resume = {.kind = EVENT_RESUME};
    observer->decided(observer->context, bench.world.now, bench.world.controller, &resume, &none);
    assert_calm(&bench);
    bench.world.watch = NULL; /* the auditor does not see the cause */
    world_scale(&bench.world, "web", 0);
    observer->decided(observer->context, bench.world.now, bench.world.controller, &resume,
                      &bench.world.actions);
    assert_violated(&bench, INVARIANT_RESTART);
    close_bench(&bench);
}

/* What was released is not there after a reload. */
static void test_a_write_that_was_lost(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 2, "");
    const struct run_observer *observer = audit_observer(bench.audit);
    struct change change = {.revision = controller_revision(bench.world.controller)};
    observer->released(observer->context, &change);
    observer->restarted(observer->context, bench.world.now.mono_ns, bench.world.controller);
    assert_calm(&bench);
    struct controller *empty = controller_create(&bench.world.options);
    observer->restarted(observer->context, bench.world.now.mono_ns, empty);
    assert_violated(&bench, INVARIANT_DURABLE);
    controller_destroy(empty);
    close_bench(&bench);
}

static struct deployment_view *first_deployment(struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE &&
            actions->items[i].u.change.kind == RECORD_DEPLOYMENT)
            return &actions->items[i].u.change.u.deployment;
    return NULL;
}

static void dethrones(struct action_list *actions)
{
    struct deployment_view *view = first_deployment(actions);
    if (view != NULL)
        view->is_primary = !view->is_primary;
}

static void goes_nowhere(struct action_list *actions)
{
    struct deployment_view *view = first_deployment(actions);
    if (view != NULL)
        view->rolled_back_to = 77;
}

static void test_deployments_that_are_wrong(void **state)
{
    static const struct twist_case cases[] = {{dethrones, INVARIANT_ONE_PRIMARY},
                                              {goes_nowhere, INVARIANT_ROLLBACK}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench;
        open_service(&bench, 1, "");
        world_settle(&bench.world);
        world_advance(&bench.world, 120 * BERTH_NS_PER_S);
        assert_calm(&bench);
        bench.twist = cases[i].twist;
        world_define(&bench.world, "web", 128, 256);
        world_deploy(&bench.world, "web", "web");
        assert_violated(&bench, cases[i].invariant);
        close_bench(&bench);
    }
}

/* The scenario allows five launches a minute, the controller does not know of it. */
static void test_more_launches_than_allowed(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "},\"quotas\":{\"launchRatePerMinute\":5");
    assert_calm(&bench);
    world_advance(&bench.world, 61 * BERTH_NS_PER_S);
    world_scale(&bench.world, "web", 6);
    assert_calm(&bench);
    world_scale(&bench.world, "web", 7);
    assert_violated(&bench, INVARIANT_LAUNCH_RATE);
    close_bench(&bench);
}

/* The minute runs from the first launch, also when that was at time 0. */
static void test_a_launch_at_time_zero_begins_a_minute(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 1, "},\"quotas\":{\"launchRatePerMinute\":5");
    world_advance(&bench.world, 50 * BERTH_NS_PER_S);
    world_scale(&bench.world, "web", 4);
    world_advance(&bench.world, 20 * BERTH_NS_PER_S);
    world_scale(&bench.world, "web", 7);
    assert_calm(&bench);
    close_bench(&bench);
}

static void tell_move(struct bench *bench, struct zone_tasks zone)
{
    const struct run_observer *observer = audit_observer(bench->audit);
    struct action action = {
        .kind = ACTION_SERVICE_EVENT,
        .u.service_event = {.kind = SERVICE_EVENT_REBALANCE_STARTED_TASKS,
                            .service = controller_find_service(bench->world.controller, "web"),
                            .zones = &zone,
                            .zone_count = 1}};
    observer->decided(observer->context, bench->world.now, bench->world.controller,
                      &(struct event){.kind = EVENT_TIMER}, &(struct action_list){&action, 1, 1});
}

static struct zone_tasks zone_named(const struct bench *bench, const char *name)
{
    const struct symbols *symbols = cluster_symbols(controller_cluster(bench->world.controller));
    return (struct zone_tasks){symbols_find(symbols, name), 1};
}

static void says_scaling(struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE &&
            actions->items[i].u.change.kind == RECORD_TASK &&
            !actions->items[i].u.change.u.task.desired_running)
            actions->items[i].u.change.u.task.stop_reason = STOP_REASON_SCALING;
}

/* A move to the zone in which a task was scaled in a moment ago, and the other way about. */
static void test_moves_that_undo_each_other(void **state)
{
    struct bench bench;
    (void)state;
    open_service(&bench, 2, "");
    world_settle(&bench.world);
    world_scale(&bench.world, "web", 0); /* in either zone */
    world_settle(&bench.world);
    world_advance(&bench.world, 700 * BERTH_NS_PER_S);
    tell_move(&bench, zone_named(&bench, "b")); /* long ago */
    assert_calm(&bench);
    close_bench(&bench);

    open_service(&bench, 2, "");
    world_settle(&bench.world);
    world_scale(&bench.world, "web", 1);
    world_advance(&bench.world, 10 * BERTH_NS_PER_S);
    tell_move(&bench, zone_named(&bench, "a"));
    tell_move(&bench, zone_named(&bench, "b"));
    assert_violated(&bench, INVARIANT_PING_PONG);
    close_bench(&bench);

    open_service(&bench, 1, "");
    world_settle(&bench.world);
    world_advance(&bench.world, 120 * BERTH_NS_PER_S);
    struct task_view view;
    assert_true(controller_next_task(bench.world.controller, TASK_NONE, &view));
    tell_move(&bench, zone_named(&bench, view.instance == 0 ? "a" : "b"));
    world_advance(&bench.world, 10 * BERTH_NS_PER_S);
    assert_calm(&bench);
    bench.twist = says_scaling;
    world_crash(&bench.world, view.task);
    assert_violated(&bench, INVARIANT_PING_PONG);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_life_is_calm),
        cmocka_unit_test(test_placements_that_are_wrong),
        cmocka_unit_test(test_stops_that_are_wrong),
        cmocka_unit_test(test_nothing_is_placed_where_nobody_is),
        cmocka_unit_test(test_a_repeat_that_changes_something),
        cmocka_unit_test(test_a_stranger_changes_a_task),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_a_restart_that_stops_a_task),
        cmocka_unit_test(test_a_write_that_was_lost),
        cmocka_unit_test(test_deployments_that_are_wrong),
        cmocka_unit_test(test_more_launches_than_allowed),
        cmocka_unit_test(test_a_launch_at_time_zero_begins_a_minute),
        cmocka_unit_test(test_moves_that_undo_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
