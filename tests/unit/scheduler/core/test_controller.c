/* The controller's behaviour, told as short histories with pretended agents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/support/world.h"

static int open_world(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    world_open(world);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    mem_free(*state);
    return 0;
}

static struct service_view view_of(struct world *world, service_id service)
{
    return controller_service(world->controller, service);
}

static void fleet(struct world *world, int count, int cpu)
{
    static const char *const zones[] = {"a", "b", "c"};
    for (int i = 0; i < count; i++)
        (void)world_instance(world, zones[i % 3], cpu, 4096);
}

static void test_run_task_is_placed_or_refused_at_once(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "job", 1000, 100);
    struct reply none = world_run(world, "job", 1, false);
    assert_int_equal(none.u.run_task.refused_count, 1);
    assert_true(none.u.run_task.no_instances);
    fleet(world, 2, 2000);
    struct reply reply = world_run(world, "job", 5, false);
    assert_int_equal(reply.status, REPLY_OK);
    assert_int_equal(reply.u.run_task.task_count, 4);
    assert_int_equal(reply.u.run_task.placed_count, 4);
    assert_int_equal(reply.u.run_task.refused_count, 1);
    assert_int_equal(reply.u.run_task.reason, PLACEMENT_CPU);
    assert_int_equal(controller_waiting_count(world->controller), 0);
    assert_int_equal(world->sent[MESSAGE_PAYLOAD], 4);
    struct task_view view;
    assert_true(controller_task(world->controller, reply.u.run_task.tasks[0], &view));
    assert_int_equal(view.last_status, TASK_PENDING);
    world_settle(world);
    assert_true(controller_task(world->controller, 1, &view));
    assert_int_equal(view.last_status, TASK_RUNNING);
    world_crash(world, 1);
    assert_false(controller_task(world->controller, 1, &view));
    assert_int_equal(world_run(world, "job", 1, false).u.run_task.placed_count, 1);
}

static void test_failures_are_listed_when_wanted(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "job", 5000, 100);
    fleet(world, 3, 2000);
    struct event event = {.kind = EVENT_RUN_TASK,
                          .u.run_task = {.task_definition = "job:1",
                                         .count = 1,
                                         .wants_failures = true,
                                         .cpu_units = OVERRIDE_NONE,
                                         .mem_mib = OVERRIDE_NONE}};
    struct reply reply = world_command(world, event);
    assert_int_equal(reply.u.run_task.failure_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(reply.u.run_task.failures[i].instance, i);
        assert_int_equal(reply.u.run_task.failures[i].verdict, PLACEMENT_CPU);
    }
    event.u.run_task.cpu_units = 100; /* an override that fits */
    assert_int_equal(world_command(world, event).u.run_task.placed_count, 1);
}

static instance_id run_by(struct world *world, const char *definition,
                          struct placement_strategy_spec strategy)
{
    struct event event = {.kind = EVENT_RUN_TASK,
                          .u.run_task = {.task_definition = definition,
                                         .count = 1,
                                         .strategies = &strategy,
                                         .strategy_count = 1,
                                         .cpu_units = OVERRIDE_NONE,
                                         .mem_mib = OVERRIDE_NONE}};
    struct task_view view;
    struct reply reply = world_command(world, event);
    assert_int_equal(reply.u.run_task.placed_count, 1);
    assert_true(controller_task(world->controller, reply.u.run_task.tasks[0], &view));
    return view.instance;
}

/* A plan is remembered by its definition's reference: another chain, or another meaning of the
   reference, is another plan. */
static void test_equal_calls_mean_the_same_and_others_do_not(void **state)
{
    static const struct placement_strategy_spec pack = {.type = "binpack", .field = "memory"};
    static const struct placement_strategy_spec spread = {.type = "spread", .field = "instanceId"};
    struct world *world = *state;
    (void)world_define(world, "job", 100, 100);
    fleet(world, 2, 2000);
    instance_id first = run_by(world, "job:1", pack);
    assert_int_equal(run_by(world, "job:1", pack), first);
    assert_int_not_equal(run_by(world, "job:1", spread), first);
    assert_int_equal(run_by(world, "job:1", pack), first);
    struct task_view view;
    const struct task_def *newer = world_define(world, "job", 200, 100);
    (void)run_by(world, "job:1", pack);
    assert_true(controller_task(world->controller, 5, &view));
    assert_int_equal(view.def->revision, 1);
    for (task_id task = 6; task < 8; task++) {
        (void)run_by(world, task == 6 ? "job" : "job:2", pack);
        assert_true(controller_task(world->controller, task, &view));
        assert_ptr_equal(view.def, newer);
    }
    assert_int_equal(world_run(world, "job:1", 0, false).status, REPLY_INVALID);
}

static void test_bad_commands_say_what_is_wrong(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "job", 10, 10);
    struct reply reply = world_run(world, "nothing", 1, false);
    assert_int_equal(reply.status, REPLY_INVALID);
    assert_string_equal(reply.text,
                        "taskDefinition: there is no ACTIVE nothing; register it first");
    reply = world_run(world, "job", 0, false);
    assert_string_equal(reply.text, "count: 0; use 1 to 100000");
    struct event event = {.kind = EVENT_STOP_TASK, .u.stop_task = {.task = 99}};
    assert_int_equal(world_command(world, event).status, REPLY_NOT_FOUND);
    event = (struct event){.kind = EVENT_CREATE_SERVICE,
                           .u.service = {.service = "no good", .task_definition = "job"}};
    assert_int_equal(world_command(world, event).status, REPLY_INVALID);
    event.u.service.service = "web";
    event.u.service.minimum_healthy_percent = 101;
    event.u.service.maximum_percent = OVERRIDE_NONE;
    assert_string_equal(world_command(world, event).text, "minimumHealthyPercent: use 0 to 100");
    event.kind = EVENT_DELETE_SERVICE;
    assert_int_equal(world_command(world, event).status, REPLY_NOT_FOUND);
}

static void test_waiting_tasks_go_oldest_first_where_room_appears(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "big", 1500, 10);
    (void)world_define(world, "small", 500, 10);
    fleet(world, 1, 2000);
    assert_int_equal(world_run(world, "big", 3, true).u.run_task.placed_count, 1);
    assert_int_equal(world_run(world, "small", 3, true).u.run_task.placed_count, 1);
    assert_int_equal(controller_waiting_count(world->controller), 4);
    world_settle(world);
    world_crash(world, 1); /* 1500 free: the older class is the big one */
    struct task_view view;
    assert_true(controller_task(world->controller, 2, &view));
    assert_int_equal(view.last_status, TASK_PENDING);
    assert_int_equal(controller_waiting_count(world->controller), 3);
    (void)world_instance(world, "b", 2000, 4096); /* one big and one small */
    assert_int_equal(controller_waiting_count(world->controller), 1);
    struct event event = {.kind = EVENT_STOP_TASK, .u.stop_task = {.task = 6}};
    assert_int_equal(world_command(world, event).status, REPLY_OK);
    assert_int_equal(controller_waiting_count(world->controller), 0);
}

static void test_a_waiting_task_gives_up(void **state)
{
    struct world *world = *state;
    controller_destroy(world->controller);
    world->options.waiting_give_up_ns = 1800 * BERTH_NS_PER_S;
    world->controller = controller_create(&world->options);
    (void)world_define(world, "job", 3000, 10);
    fleet(world, 1, 2000);
    (void)world_run(world, "job", 1, true);
    world_advance(world, 1799 * BERTH_NS_PER_S);
    assert_int_equal(controller_waiting_count(world->controller), 1);
    world_advance(world, BERTH_NS_PER_S);
    assert_int_equal(controller_waiting_count(world->controller), 0);
    const struct task_view *end = &world->actions.items[0].u.change.u.task;
    assert_int_equal(end->stop_code, STOP_TASK_FAILED_TO_START);
    struct text text = TEXT_INIT;
    stopped_reason_format(world->controller, end, &text);
    assert_string_equal(text.bytes, "TaskFailedToStart: RESOURCE:CPU");
    text_free(&text);
}

/* The end of a task, as the last step told it. */
static const struct task_view *the_end(const struct world *world, task_id task)
{
    for (size_t i = 0; i < world->actions.count; i++) {
        const struct action *action = &world->actions.items[i];
        if (action->kind == ACTION_CHANGE && action->u.change.kind == RECORD_TASK &&
            action->u.change.u.task.task == task &&
            action->u.change.u.task.last_status == TASK_STOPPED)
            return &action->u.change.u.task;
    }
    fail();
    return NULL;
}

static void test_ends_have_code_and_reason(void **state)
{
    static const struct {
        enum exit_cause cause;
        bool has_run;
        enum stop_code code;
        const char *reason;
    } cases[] = {
        {EXIT_ESSENTIAL, true, STOP_ESSENTIAL_CONTAINER_EXITED,
         "Essential container in task exited"},
        {EXIT_OUT_OF_MEMORY, true, STOP_ESSENTIAL_CONTAINER_EXITED,
         "OutOfMemoryError: Container killed due to memory usage"},
        {EXIT_OUT_OF_MEMORY, false, STOP_TASK_FAILED_TO_START,
         "OutOfMemoryError: Container killed due to memory usage"},
        {EXIT_TIMEOUT, false, STOP_TASK_FAILED_TO_START,
         "ContainerRuntimeTimeoutError: the container runtime did not answer in time"},
        {EXIT_TIMEOUT, true, STOP_ESSENTIAL_CONTAINER_EXITED,
         "ContainerRuntimeTimeoutError: the container runtime did not answer in time"},
        {EXIT_DEPENDENCY, false, STOP_TASK_FAILED_TO_START,
         "TaskFailedToStart: a container that others depend on did not become ready"},
        {EXIT_START_FAILED, true, STOP_ESSENTIAL_CONTAINER_EXITED,
         "CannotStartContainerError: the container could not be started"},
    };
    struct world *world = *state;
    (void)world_define(world, "job", 100, 10);
    fleet(world, 1, 2000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        task_id task = i + 1;
        assert_int_equal(world_run(world, "job", 1, false).u.run_task.placed_count, 1);
        if (cases[i].has_run)
            world_report(world, task, TASK_RUNNING, EXIT_NONE, 0);
        world_report(world, task, TASK_STOPPED, cases[i].cause, 1);
        const struct task_view *end = the_end(world, task);
        assert_int_equal(end->stop_code, cases[i].code);
        struct text text = TEXT_INIT;
        stopped_reason_format(world->controller, end, &text);
        assert_string_equal(text.bytes, cases[i].reason);
        text_free(&text);
    }
}

static void test_a_service_keeps_its_count(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    fleet(world, 3, 2000);
    service_id web = world_service(world, "web", "web", 3, OVERRIDE_NONE, OVERRIDE_NONE);
    assert_int_equal(world_live(world, web), 3);
    world_settle(world);
    assert_true(view_of(world, web).is_steady);
    assert_int_equal(world->told[SERVICE_EVENT_STEADY_STATE], 0);
    world_advance(world, 40 * BERTH_NS_PER_S);
    assert_int_equal(world->told[SERVICE_EVENT_DEPLOYMENT_COMPLETED], 1);
    assert_int_equal(world->told[SERVICE_EVENT_STEADY_STATE], 1);
    assert_int_equal(controller_next_deadline(world->controller), BERTH_NS_NEVER);
    world_crash(world, 2);
    assert_int_equal(world_live(world, web), 3);
    assert_false(view_of(world, web).is_steady);
    world_settle(world);
    world_scale(world, "web", 5);
    assert_int_equal(world_live(world, web), 5);
    world_settle(world);
    world_scale(world, "web", 1);
    assert_int_equal(world_wanted(world, web), 1);
    assert_int_equal(world_live(world, web), 5);
    world_settle(world);
    assert_int_equal(world_live(world, web), 1);
    world_advance(world, 40 * BERTH_NS_PER_S);
    assert_int_equal(world->told[SERVICE_EVENT_STEADY_STATE], 2);
    world_advance(world, 3600 * BERTH_NS_PER_S); /* until those that stopped are forgotten */
    assert_int_equal(controller_next_deadline(world->controller), BERTH_NS_NEVER);
}

static void test_scale_in_stops_the_pending_first(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    fleet(world, 3, 2000);
    service_id web = world_service(world, "web", "web", 2, OVERRIDE_NONE, OVERRIDE_NONE);
    world_settle(world);
    world_scale(world, "web", 4);
    world_scale(world, "web", 3);
    struct task_view view;
    assert_true(controller_task(world->controller, 4, &view)); /* the newest of the two */
    assert_false(view.desired_running);
    assert_int_equal(view.stop_reason, STOP_REASON_SCALING);
    assert_int_equal(world_wanted(world, web), 3);
}

static void test_no_room_is_told_once_and_retried(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 1000, 10);
    fleet(world, 1, 2000);
    service_id web = world_service(world, "web", "web", 3, OVERRIDE_NONE, OVERRIDE_NONE);
    world_settle(world);
    assert_int_equal(world_live(world, web), 2);
    assert_int_equal(world->told[SERVICE_EVENT_PLACEMENT_FAILURE], 1);
    assert_int_equal(controller_next_deadline(world->controller), 10 * BERTH_NS_PER_S);
    world_advance(world, 100 * BERTH_NS_PER_S);
    assert_int_equal(world->told[SERVICE_EVENT_PLACEMENT_FAILURE], 1);
    world_advance(world, 6 * 3600 * BERTH_NS_PER_S);
    assert_int_equal(world->told[SERVICE_EVENT_PLACEMENT_FAILURE], 2);
    berth_ns asked_ns = 0;
    (void)world_instance(world, "b", 2000, 4096);
    assert_int_equal(world_live(world, web), 3);
    struct task_view view;
    assert_true(controller_task(world->controller, 3, &view));
    assert_int_equal(view.requested_mono_ns, asked_ns); /* the wait counts from the first failure */
}

static void test_rolling_deployment_within_bounds(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 1000, 10);
    const struct task_def *second = world_define(world, "web", 1000, 11);
    fleet(world, 4, 2000); /* room for 8 */
    service_id web = world_service(world, "web", "web:1", 6, 100, 200);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    world_deploy(world, "web", "web:2");
    for (uint32_t fresh = 2; fresh <= 6; fresh += 2) {
        assert_int_equal(world_wanted_of(world, second), fresh);
        assert_int_equal(world_wanted(world, web), 8);
        world_settle(world);
        assert_int_equal(world_wanted(world, web), 8); /* not healthy yet */
        world_advance(world, 40 * BERTH_NS_PER_S);     /* two old ones may go */
        assert_int_equal(world_wanted(world, web), 6);
        world_settle_stops(world); /* and make room */
    }
    assert_int_equal(world_live(world, web), 6);
    assert_int_equal(view_of(world, web).deployment_count, 1);
    assert_int_equal(world->told[SERVICE_EVENT_DEPLOYMENT_COMPLETED], 2);
    assert_int_equal(world->told[SERVICE_EVENT_STEADY_STATE], 2);
}

static void test_rolling_deployment_that_stops_first(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 1000, 10);
    const struct task_def *second = world_define(world, "web", 1000, 11);
    fleet(world, 4, 2000);
    service_id web = world_service(world, "web", "web:1", 6, 50, 200);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    world_deploy(world, "web", "web:2"); /* stop 3, start 5 */
    assert_int_equal(world_wanted_of(world, second), 2);
    assert_int_equal(world_live(world, web), 8);
    world_settle_stops(world);
    assert_int_equal(world_wanted_of(world, second), 5);
    world_settle(world);
    world_advance(world, 40 * BERTH_NS_PER_S); /* stop 3, start 1 */
    world_settle_stops(world);
    assert_int_equal(world_wanted_of(world, second), 6);
    assert_int_equal(world_live(world, web), 6);
}

static void test_deadlocked_deployment_says_so(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    (void)world_define(world, "web", 100, 11);
    fleet(world, 2, 2000);
    service_id web = world_service(world, "web", "web:1", 3, 100, 125);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    world_deploy(world, "web", "web:2");
    assert_int_equal(world->told[SERVICE_EVENT_DEADLOCK], 1);
    assert_int_equal(world_live(world, web), 3);
    world_advance(world, 600 * BERTH_NS_PER_S);
    assert_int_equal(world->told[SERVICE_EVENT_DEADLOCK], 1);
    struct event event = {.kind = EVENT_UPDATE_SERVICE,
                          .u.service = {.service = "web",
                                        .desired_count = OVERRIDE_NONE,
                                        .minimum_healthy_percent = 50,
                                        .maximum_percent = OVERRIDE_NONE}};
    assert_int_equal(world_command(world, event).status, REPLY_OK);
    assert_int_equal(world_wanted(world, web), 2); /* 50% frees it */
}

static void test_failing_starts_are_throttled(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    (void)world_define(world, "web", 100, 11);
    fleet(world, 2, 2000);
    service_id web = world_service(world, "web", "web:1", 1, 100, 200);
    berth_ns start_ns = world->now.mono_ns;
    static const berth_ns delays_s[] = {0, 0, 10, 20, 40};
    for (task_id task = 1; task <= 5; task++) {
        world_report(world, task, TASK_STOPPED, EXIT_PULL_FAILED, 0);
        if (delays_s[task - 1] > 0) {
            assert_int_equal(world_live(world, web), 0);
            world_advance(world, delays_s[task - 1] * BERTH_NS_PER_S - 1);
            assert_int_equal(world_live(world, web), 0);
            world_advance(world, 1);
        }
        assert_int_equal(world_live(world, web), 1);
    }
    assert_int_equal(world->now.mono_ns - start_ns, 70 * BERTH_NS_PER_S);
    assert_int_equal(world->told[SERVICE_EVENT_START_IMPAIRED], 1);
    world_report(world, 6, TASK_STOPPED, EXIT_PULL_FAILED, 0);
    assert_int_equal(world_live(world, web), 0);
    world_deploy(world, "web", "web:2"); /* back to normal at once */
    assert_int_equal(world_live(world, web), 1);
    world_settle(world);
    world_advance(world, 40 * BERTH_NS_PER_S);
    assert_true(view_of(world, web).is_steady);
}

static void test_draining_replaces_within_bounds(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    (void)world_define(world, "job", 100, 10);
    fleet(world, 3, 2000);
    service_id web = world_service(world, "web", "web", 3, 100, 200);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    struct reply job = world_run(world, "job", 12, false);
    assert_int_equal(job.u.run_task.placed_count, 12);
    world_settle(world);
    const struct instance *drained = cluster_instance(controller_cluster(world->controller), 0);
    uint32_t standalone = drained->reserved_tasks - 1;
    assert_true(standalone > 0);
    world_state(world, 0, INSTANCE_DRAINING);
    assert_int_equal(world_wanted(world, web), 4); /* the replacement first */
    world_settle(world);
    assert_int_equal(world_wanted(world, web), 4);
    world_advance(world, 40 * BERTH_NS_PER_S);
    assert_int_equal(world_wanted(world, web), 3);
    world_settle(world);
    assert_int_equal(drained->reserved_tasks, standalone); /* they are left alone */
    assert_true(view_of(world, web).is_steady);
    world_advance(world, 3660 * BERTH_NS_PER_S);
    assert_int_equal(controller_next_deadline(world->controller), BERTH_NS_NEVER);
    world_state(world, 0, INSTANCE_ACTIVE);
    assert_int_equal(world_wanted(world, web), 3);
}

static void test_draining_without_ceiling_stops_first(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    fleet(world, 3, 2000);
    service_id web = world_service(world, "web", "web", 3, 50, 100);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    world_state(world, 1, INSTANCE_DRAINING);
    assert_int_equal(world_wanted(world, web), 2); /* floor 2, ceiling 3 with the stopping one */
    world_settle_stops(world);
    assert_int_equal(world_wanted(world, web), 3);
}

static void agent(struct world *world, enum event_kind kind, instance_id instance)
{
    struct event event = {.kind = kind, .u.agent = instance};
    world_step(world, &event);
}

static void test_disconnect_changes_nothing_but_placement(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    fleet(world, 2, 2000);
    service_id web = world_service(world, "web", "web", 2, 100, 200);
    world_settle(world);
    agent(world, EVENT_AGENT_DISCONNECTED, 0);
    assert_int_equal(world_live(world, web), 2);
    world_scale(world, "web", 4);
    assert_int_equal(cluster_instance(controller_cluster(world->controller), 0)->reserved_tasks, 1);
    world_scale(world, "web", 1);
    world_settle(world);
    uint32_t sent = world->sent[MESSAGE_PAYLOAD];
    agent(world, EVENT_AGENT_CONNECTED, 0);
    assert_int_equal(world->sent[MESSAGE_MANIFEST], 1);
    /* If its task was told to stop meanwhile, it hears of it now. */
    uint32_t stopping = 0;
    struct task_view view;
    for (task_id at = 0; controller_next_task(world->controller, at, &view); at = view.task)
        stopping += view.instance == 0 && !view.desired_running;
    assert_int_equal(world->sent[MESSAGE_PAYLOAD] - sent, stopping);
    world_settle(world);
    assert_int_equal(world_live(world, web), 1);
}

static void test_a_lost_instance_is_replaced_and_its_copies_stop(void **state)
{
    struct world *world = *state;
    controller_destroy(world->controller);
    world->options.instance_lost_ns = 300 * BERTH_NS_PER_S;
    world->controller = controller_create(&world->options);
    (void)world_define(world, "web", 100, 10);
    fleet(world, 2, 2000);
    service_id web = world_service(world, "web", "web", 2, 100, 200);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    agent(world, EVENT_AGENT_DISCONNECTED, 0);
    world_advance(world, 299 * BERTH_NS_PER_S);
    assert_int_equal(cluster_instance(controller_cluster(world->controller), 0)->reserved_tasks, 1);
    world_advance(world, BERTH_NS_PER_S);
    assert_int_equal(cluster_instance(controller_cluster(world->controller), 0)->reserved_tasks, 0);
    assert_int_equal(world_live(world, web), 2);
    agent(world, EVENT_AGENT_CONNECTED, 0);
    const struct message *manifest = NULL;
    for (size_t i = 0; i < world->actions.count; i++)
        if (world->actions.items[i].kind == ACTION_SEND)
            manifest = &world->actions.items[i].u.send;
    assert_non_null(manifest);
    assert_int_equal(manifest->kind, MESSAGE_MANIFEST);
    assert_int_equal(manifest->u.list.count, 0);
    task_id candidates[] = {1, 2};
    struct event event = {.kind = EVENT_MESSAGE};
    event.u.message = (struct message){.kind = MESSAGE_STOP_VERIFICATION,
                                       .instance = 0,
                                       .seq = manifest->seq,
                                       .u.list = {candidates, 2}};
    world_step(world, &event);
    const struct message *ack = &world->actions.items[0].u.send;
    assert_int_equal(ack->kind, MESSAGE_STOP_VERIFICATION_ACK);
    assert_int_equal(ack->seq, event.u.message.seq);
    assert_int_equal(ack->u.list.count, 2); /* one was lost, the other is not of this instance */
}

static void test_deregistration(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    fleet(world, 2, 2000);
    service_id web = world_service(world, "web", "web", 2, 100, 200);
    world_settle(world);
    struct event event = {.kind = EVENT_DEREGISTER_INSTANCE};
    event.u.deregister_instance.instance = 0;
    assert_int_equal(world_command(world, event).status, REPLY_REFUSED);
    event.u.deregister_instance.cause = DEREGISTER_TERMINATED;
    assert_int_equal(world_command(world, event).status, REPLY_OK);
    assert_int_equal(world_live(world, web), 2);
    const struct instance *gone = cluster_instance(controller_cluster(world->controller), 0);
    assert_int_equal(gone->status, INSTANCE_INACTIVE);
    assert_int_equal(gone->reserved_tasks, 0);
    assert_int_equal(world_command(world, event).status, REPLY_REFUSED);
    /* The late report of a task that is forgotten is acknowledged, and that is all. */
    uint64_t revision = world->revision;
    world_report(world, 1, TASK_STOPPED, EXIT_ESSENTIAL, 0);
    assert_int_equal(world->revision, revision);
    assert_int_equal(world->actions.count, 1);
    assert_int_equal(world->actions.items[0].u.send.kind, MESSAGE_REPORT_ACK);
}

static void test_repeats_change_nothing(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "job", 100, 10);
    fleet(world, 1, 2000);
    (void)world_run(world, "job", 1, false);
    world_report(world, 1, TASK_RUNNING, EXIT_NONE, 0);
    uint64_t revision = world->revision;
    world_report(world, 1, TASK_RUNNING, EXIT_NONE, 0);
    struct event ack = {.kind = EVENT_MESSAGE, .u.message = {.kind = MESSAGE_ACK, .seq = 1}};
    world_step(world, &ack);
    struct event timer = {.kind = EVENT_TIMER};
    world_step(world, &timer);
    assert_int_equal(world->actions.count, 0);
    assert_int_equal(world->revision, revision);
    assert_int_equal(world->sent[MESSAGE_REPORT_ACK], 2);
}

/* What another instance, or one that is gone, says of a task is acknowledged and counts for naught.
 */
static void test_a_strangers_report_changes_nothing(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "job", 100, 10);
    fleet(world, 2, 2000);
    (void)world_run(world, "job", 1, false);
    world_report(world, 1, TASK_RUNNING, EXIT_NONE, 0);
    struct task_view task;
    assert_true(controller_task(world->controller, 1, &task));
    uint64_t revision = world->revision;
    struct event stranger = {
        .kind = EVENT_MESSAGE,
        .u.message = {.kind = MESSAGE_TASK_STATE,
                      .instance = task.instance == 0 ? 1 : 0,
                      .seq = 9,
                      .u.report = {.task = 1, .status = TASK_STOPPED, .cause = EXIT_ESSENTIAL}}};
    world_step(world, &stranger);
    assert_int_equal(world->revision, revision);
    assert_true(controller_task(world->controller, 1, &task));
    assert_int_equal(task.last_status, TASK_RUNNING);
    assert_int_equal(world->sent[MESSAGE_REPORT_ACK], 2);
}

/* A report that was overtaken tells of a health that is past; one that ends a task always counts.
 */
static void test_a_late_report_does_not_bring_back_a_past_health(void **state)
{
    struct world *world = *state;
    struct task_view task;
    (void)world_define_json(
        world,
        "{\"family\":\"web\",\"cpu\":\"100\",\"memory\":\"10\",\"containerDefinitions\":"
        "[{\"name\":\"web\",\"image\":\"web\",\"healthCheck\":{\"command\":[\"CMD\",\"x\"]}}]}");
    fleet(world, 1, 2000);
    (void)world_run(world, "web", 1, false);
    world_report_late(world, 1, HEALTH_UNKNOWN, 1);
    world_report_late(world, 1, HEALTH_UNKNOWN, 4); /* 2 and 3 are late */
    world_report_late(world, 1, HEALTH_UNHEALTHY, 3);
    assert_true(controller_task(world->controller, 1, &task));
    assert_int_equal(task.health, HEALTH_UNKNOWN);
    world_report_late(world, 1, HEALTH_HEALTHY, 5);
    uint64_t revision = world->revision;
    world_report_late(world, 1, HEALTH_UNHEALTHY, 3);
    world_report_late(world, 1, HEALTH_UNHEALTHY, 5);
    assert_int_equal(world->revision, revision);
    assert_int_equal(world->sent[MESSAGE_REPORT_ACK], 6);
    world_report_late(world, 1, HEALTH_UNHEALTHY, 6);
    assert_true(controller_task(world->controller, 1, &task));
    assert_int_equal(task.health, HEALTH_UNHEALTHY);
}

static void test_deleting_a_service(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 100, 10);
    fleet(world, 2, 2000);
    service_id web = world_service(world, "web", "web", 2, 100, 200);
    world_settle(world);
    struct event event = {.kind = EVENT_DELETE_SERVICE, .u.service = {.service = "web"}};
    assert_int_equal(world_command(world, event).status, REPLY_REFUSED);
    event.u.service.force = true;
    assert_int_equal(world_command(world, event).status, REPLY_OK);
    assert_false(view_of(world, web).is_active);
    assert_int_equal(world_wanted(world, web), 0);
    assert_int_equal(controller_find_service(world->controller, "web"), SERVICE_NONE);
    service_id again = world_service(world, "web", "web", 1, 100, 200);
    assert_true(again > web);
    world_settle(world);
    assert_int_equal(world_live(world, web), 0);
    assert_int_equal(world_live(world, again), 1);
}

static service_id daemon_service(struct world *world, const char *name, const char *definition)
{
    struct event event = {.kind = EVENT_CREATE_SERVICE,
                          .u.service = {.service = name,
                                        .task_definition = definition,
                                        .scheduling = SCHEDULING_DAEMON,
                                        .desired_count = OVERRIDE_NONE,
                                        .minimum_healthy_percent = OVERRIDE_NONE,
                                        .maximum_percent = OVERRIDE_NONE}};
    struct reply reply = world_command(world, event);
    assert_int_equal(reply.status, REPLY_OK);
    return reply.u.service;
}

static void test_daemon_runs_once_on_every_instance(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "log", 100, 10);
    (void)world_define(world, "log", 100, 11);
    (void)world_define(world, "job", 1950, 10);
    fleet(world, 3, 2000);
    service_id log = daemon_service(world, "log", "log:1");
    assert_int_equal(world_live(world, log), 3);
    assert_int_equal(view_of(world, log).desired_count, 3);
    world_settle(world);
    world_advance(world, 40 * BERTH_NS_PER_S);
    assert_int_equal(controller_next_deadline(world->controller), BERTH_NS_NEVER);
    /* Room on a new instance goes to the daemon before anything that waits. */
    assert_int_equal(world_run(world, "job", 1, true).u.run_task.placed_count, 0);
    (void)world_instance(world, "a", 2000, 4096);
    assert_int_equal(world_live(world, log), 4);
    assert_int_equal(controller_waiting_count(world->controller), 1);
    uint64_t waiting[PLACEMENT_VERDICT_COUNT];
    controller_waiting_verdicts(world->controller, waiting);
    assert_int_equal(waiting[PLACEMENT_CPU], 1); /* 1,900 are left of 2,000, 1,950 wanted */
    assert_int_equal(waiting[PLACEMENT_MEMORY], 0);
    world_settle(world);
    world_advance(world, 40 * BERTH_NS_PER_S);
    world_deploy(world, "log", "log:2"); /* 0/100: all may go at once */
    assert_int_equal(world_wanted(world, log), 0);
    world_settle(world);
    assert_int_equal(world_wanted(world, log), 4);
    assert_int_equal(view_of(world, log).deployment_count, 1);
    struct event event = {.kind = EVENT_DEREGISTER_INSTANCE};
    event.u.deregister_instance.instance = 2;
    event.u.deregister_instance.cause = DEREGISTER_TERMINATED;
    assert_int_equal(world_command(world, event).status, REPLY_OK);
    assert_int_equal(view_of(world, log).desired_count, 3);
    assert_int_equal(world_live(world, log), 3);
}

static void test_daemon_is_the_last_to_leave_a_draining_instance(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "log", 100, 10);
    (void)world_define(world, "job", 100, 10);
    fleet(world, 1, 2000);
    service_id log = daemon_service(world, "log", "log");
    (void)world_run(world, "job", 1, false);
    world_settle(world);
    world_state(world, 0, INSTANCE_DRAINING);
    assert_int_equal(view_of(world, log).desired_count, 0);
    assert_int_equal(world_wanted(world, log), 1);
    world_crash(world, 2);
    assert_int_equal(world_wanted(world, log), 0);
    world_settle(world);
    assert_int_equal(world_live(world, log), 0);
    world_state(world, 0, INSTANCE_ACTIVE);
    assert_int_equal(world_live(world, log), 1);
}

static void test_daemon_without_room_waits_for_it(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "log", 100, 10);
    (void)world_define(world, "job", 1950, 10);
    fleet(world, 1, 2000);
    (void)world_run(world, "job", 1, false);
    service_id log = daemon_service(world, "log", "log");
    assert_int_equal(view_of(world, log).desired_count, 1);
    assert_int_equal(world_live(world, log), 0);
    assert_int_equal(world->told[SERVICE_EVENT_PLACEMENT_FAILURE], 1);
    world_settle(world);
    world_crash(world, 1);
    assert_int_equal(world_live(world, log), 1);
}

static void test_event_texts(void **state)
{
    struct world *world = *state;
    (void)world_define(world, "web", 3000, 10);
    fleet(world, 1, 2000);
    (void)world_service(world, "web", "web", 1, 100, 200);
    struct text text = TEXT_INIT;
    for (size_t i = 0; i < world->actions.count; i++)
        if (world->actions.items[i].kind == ACTION_SERVICE_EVENT) {
            service_event_format(world->controller, &world->actions.items[i].u.service_event,
                                 &text);
            text_add(&text, "\n");
        }
    assert_string_equal(
        text.bytes,
        "(service web) (deployment ecs-svc/1) deployment in progress.\n"
        "(service web) was unable to place a task because no container instance met all of its "
        "requirements. The closest matching (container-instance "
        "00000000000000000000000000000001) has insufficient CPU units available.\n");
    text_free(&text);
}

/* Which target group it was is part of the reason. */
static void test_the_reason_names_the_target_group(void **state)
{
    struct world *world = *state;
    struct task_view view = {.stop_reason = STOP_REASON_UNHEALTHY_TARGET};
    struct text text = TEXT_INIT;
    view.stop_text = symbols_add(cluster_symbols(controller_cluster(world->controller)), "front");
    stopped_reason_format(world->controller, &view, &text);
    assert_non_null(strstr(text.bytes, "Task failed ELB health checks in (target-group arn:aws:"));
    assert_non_null(strstr(text.bytes, ":targetgroup/front/"));
    text_free(&text);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_run_task_is_placed_or_refused_at_once),
        IN_WORLD(test_failures_are_listed_when_wanted),
        IN_WORLD(test_equal_calls_mean_the_same_and_others_do_not),
        IN_WORLD(test_bad_commands_say_what_is_wrong),
        IN_WORLD(test_waiting_tasks_go_oldest_first_where_room_appears),
        IN_WORLD(test_a_waiting_task_gives_up),
        IN_WORLD(test_ends_have_code_and_reason),
        IN_WORLD(test_a_service_keeps_its_count),
        IN_WORLD(test_scale_in_stops_the_pending_first),
        IN_WORLD(test_no_room_is_told_once_and_retried),
        IN_WORLD(test_rolling_deployment_within_bounds),
        IN_WORLD(test_rolling_deployment_that_stops_first),
        IN_WORLD(test_deadlocked_deployment_says_so),
        IN_WORLD(test_failing_starts_are_throttled),
        IN_WORLD(test_draining_replaces_within_bounds),
        IN_WORLD(test_draining_without_ceiling_stops_first),
        IN_WORLD(test_disconnect_changes_nothing_but_placement),
        IN_WORLD(test_a_lost_instance_is_replaced_and_its_copies_stop),
        IN_WORLD(test_deregistration),
        IN_WORLD(test_repeats_change_nothing),
        IN_WORLD(test_a_strangers_report_changes_nothing),
        IN_WORLD(test_a_late_report_does_not_bring_back_a_past_health),
        IN_WORLD(test_deleting_a_service),
        IN_WORLD(test_daemon_runs_once_on_every_instance),
        IN_WORLD(test_daemon_is_the_last_to_leave_a_draining_instance),
        IN_WORLD(test_daemon_without_room_waits_for_it),
        IN_WORLD(test_event_texts),
        IN_WORLD(test_the_reason_names_the_target_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
