#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/ecs/task_def_json.h"

void world_reopen(struct world *world)
{
    controller_destroy(world->controller);
    world->controller = controller_create(&world->options);
}

void world_open(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->options = (struct controller_options){
        .cluster = "default",
        .account = "123456789012",
        .region = "eu-central-1",
        .random_key = 7,
        .instance_lost_ns = BERTH_NS_NEVER,
        .waiting_give_up_ns = BERTH_NS_NEVER,
    };
    world->controller = controller_create(&world->options);
    world->now = (struct step_time){0, INT64_C(1700000000) * BERTH_NS_PER_S};
    world->audits = true;
}

void world_close(struct world *world)
{
    controller_destroy(world->controller);
    action_list_free(&world->actions);
    vec_free(&world->tasks);
    vec_free(&world->asked);
}

static struct world_task *find_known(struct world *world, task_id task)
{
    for (size_t i = 0; i < world->tasks.count; i++)
        if (world->tasks.items[i].task == task)
            return &world->tasks.items[i];
    return NULL;
}

static void take_payload(struct world *world, const struct message *message)
{
    const struct task_payload *payload = &message->u.payload;
    struct world_task *known = find_known(world, payload->task);
    if (known != NULL) {
        known->desired_running = known->desired_running && payload->desired_running;
        return;
    }
    *vec_push(&world->tasks) = (struct world_task){payload->task, message->instance,
                                                   payload->desired_running, TASK_PENDING};
}

static void take_staged(struct world *world, const struct request *request)
{
    struct world_request asked = {.kind = request->kind};
    if (request->kind == REQUEST_SHIFT_TRAFFIC) {
        asked.answer.kind = ANSWER_TRAFFIC;
        asked.answer.u.traffic.service = request->service;
        asked.answer.u.traffic.deployment = request->deployment;
        asked.answer.u.traffic.is_test = request->u.traffic.is_test;
        asked.answer.u.traffic.permille =
            request->u.traffic.count == 0 ? 1000 : request->u.traffic.weights[0].permille;
    } else {
        asked.answer.kind = ANSWER_HOOK;
        asked.answer.u.hook.service = request->service;
        asked.answer.u.hook.deployment = request->deployment;
        asked.answer.u.hook.call = request->u.hook.call;
    }
    *vec_push(&world->asked) = asked;
}

static void take_request(struct world *world, const struct request *request)
{
    world->requested[request->kind]++;
    if (request->kind <= REQUEST_DEREGISTER_TARGET)
        *vec_push(&world->asked) =
            (struct world_request){.kind = request->kind,
                                   .task = request->u.target.task,
                                   .target_group = request->u.target.target_group};
    else if (request->kind <= REQUEST_DETACH_INTERFACE)
        *vec_push(&world->asked) =
            (struct world_request){.kind = request->kind, .task = request->u.interface.task};
    else if (request->kind <= REQUEST_INVOKE_HOOK)
        take_staged(world, request);
}

void world_step(struct world *world, const struct event *event)
{
    controller_step(world->controller, world->now, event, &world->actions);
    for (size_t i = 0; i < world->actions.count; i++) {
        const struct action *action = &world->actions.items[i];
        if (action->kind == ACTION_CHANGE)
            assert_int_equal(action->u.change.revision, ++world->revision);
        if (action->kind == ACTION_SERVICE_EVENT)
            world->told[action->u.service_event.kind]++;
        if (action->kind == ACTION_REQUEST)
            take_request(world, &action->u.request);
        if (action->kind != ACTION_SEND)
            continue;
        world->sent[action->u.send.kind]++;
        if (action->u.send.kind == MESSAGE_PAYLOAD)
            take_payload(world, &action->u.send);
    }
    assert_int_equal(world->revision, controller_revision(world->controller));
    if (world->audits) {
        controller_audit(world->controller);
        cluster_audit(controller_cluster(world->controller));
    }
    if (world->watch != NULL)
        world->watch(world, event, world->context);
}

struct reply world_command(struct world *world, struct event event)
{
    event.token = ++world->next_token;
    world_step(world, &event);
    for (size_t i = 0; i < world->actions.count; i++)
        if (world->actions.items[i].kind == ACTION_REPLY) {
            assert_int_equal(world->actions.items[i].u.reply.token, event.token);
            return world->actions.items[i].u.reply;
        }
    fail_msg("no reply");
    return (struct reply){0};
}

static struct reply succeed(struct world *world, struct event event)
{
    struct reply reply = world_command(world, event);
    if (reply.status != REPLY_OK)
        fail_msg("%s", reply.text);
    return reply;
}

const struct task_def *world_define_json(struct world *world, const char *document)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION};
    if (task_def_from_document(document, &event.u.task_def, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return succeed(world, event).u.task_def;
}

const struct task_def *world_define(struct world *world, const char *family, int cpu, int mem)
{
    char document[512];
    (void)snprintf(document, sizeof document,
                   "{\"family\":\"%s\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":"
                   "\"app\",\"cpu\":%d,\"memory\":%d,\"essential\":true}]}",
                   family, cpu, mem);
    return world_define_json(world, document);
}

instance_id world_instance(struct world *world, const char *zone, int cpu, int mem)
{
    struct attribute_text attribute = {"ecs.availability-zone", zone};
    struct event event = {
        .kind = EVENT_REGISTER_INSTANCE,
        .u.register_instance = {.existing = INSTANCE_NONE,
                                .cpu_units = cpu,
                                .mem_mib = mem,
                                .attributes = &attribute,
                                .attribute_count = 1},
    };
    return succeed(world, event).u.instance;
}

struct reply world_run(struct world *world, const char *definition, uint32_t count, bool waits)
{
    struct event event = {
        .kind = EVENT_RUN_TASK,
        .u.run_task = {.task_definition = definition,
                       .count = count,
                       .waits = waits,
                       .cpu_units = OVERRIDE_NONE,
                       .mem_mib = OVERRIDE_NONE},
    };
    return world_command(world, event);
}

static struct event service_event(enum event_kind kind, const char *name)
{
    return (struct event){
        .kind = kind,
        .u.service = {.service = name,
                      .desired_count = OVERRIDE_NONE,
                      .minimum_healthy_percent = OVERRIDE_NONE,
                      .maximum_percent = OVERRIDE_NONE,
                      .grace_s = OVERRIDE_NONE,
                      .rebalancing = OVERRIDE_NONE},
    };
}

service_id world_service(struct world *world, const char *name, const char *definition, int desired,
                         int minimum, int maximum)
{
    struct event event = service_event(EVENT_CREATE_SERVICE, name);
    event.u.service.task_definition = definition;
    event.u.service.desired_count = desired;
    event.u.service.minimum_healthy_percent = minimum;
    event.u.service.maximum_percent = maximum;
    event.u.service.rebalancing = 0; /* so that a test sees what it asked for alone */
    return succeed(world, event).u.service;
}

service_id world_balanced(struct world *world, const char *name, const char *definition,
                          int desired, int grace_s, const char *const *target_groups)
{
    struct event event = service_event(EVENT_CREATE_SERVICE, name);
    event.u.service.task_definition = definition;
    event.u.service.desired_count = desired;
    event.u.service.grace_s = grace_s;
    event.u.service.target_groups = target_groups;
    while (target_groups[event.u.service.target_group_count] != NULL)
        event.u.service.target_group_count++;
    return succeed(world, event).u.service;
}

void world_answer_target(struct world *world, task_id task, const char *target_group,
                         enum target_state state)
{
    struct event event = {.kind = EVENT_ANSWER};
    event.u.answer.kind = ANSWER_TARGET;
    event.u.answer.u.target.task = task;
    event.u.answer.u.target.target_group = target_group;
    event.u.answer.u.target.state = state;
    world_step(world, &event);
}

void world_answer_interface(struct world *world, task_id task, bool is_attached)
{
    struct event event = {.kind = EVENT_ANSWER};
    event.u.answer.kind = ANSWER_INTERFACE;
    event.u.answer.u.interface.task = task;
    event.u.answer.u.interface.is_attached = is_attached;
    world_step(world, &event);
}

bool world_answer_one(struct world *world)
{
    if (world->asked.count == 0)
        return false;
    struct world_request first = world->asked.items[0];
    struct event staged = {.kind = EVENT_ANSWER, .u.answer = first.answer};
    memmove(world->asked.items, world->asked.items + 1,
            --world->asked.count * sizeof *world->asked.items);
    switch (first.kind) {
    case REQUEST_REGISTER_TARGET:
        world_answer_target(world, first.task, first.target_group, TARGET_HEALTHY);
        break;
    case REQUEST_DEREGISTER_TARGET:
        world_answer_target(world, first.task, first.target_group, TARGET_UNUSED);
        break;
    case REQUEST_SHIFT_TRAFFIC:
    case REQUEST_INVOKE_HOOK:
        world_step(world, &staged);
        break;
    case REQUEST_ATTACH_INTERFACE:
        world_answer_interface(world, first.task, true);
        break;
    default:
        world_answer_interface(world, first.task, false);
        break;
    }
    return true;
}

void world_scale(struct world *world, const char *name, int desired)
{
    struct event event = service_event(EVENT_UPDATE_SERVICE, name);
    event.u.service.desired_count = desired;
    (void)succeed(world, event);
}

void world_deploy(struct world *world, const char *name, const char *definition)
{
    struct event event = service_event(EVENT_UPDATE_SERVICE, name);
    event.u.service.task_definition = definition;
    event.u.service.force_new_deployment = definition == NULL;
    (void)succeed(world, event);
}

void world_state(struct world *world, instance_id instance, enum instance_status status)
{
    struct event event = {.kind = EVENT_UPDATE_INSTANCE_STATE};
    event.u.update_instance_state.instance = instance;
    event.u.update_instance_state.status = status;
    (void)succeed(world, event);
}

void world_report(struct world *world, task_id task, enum task_status status, enum exit_cause cause,
                  int32_t exit_code)
{
    struct world_task *known = find_known(world, task);
    assert_non_null(known);
    known->known = status;
    struct event event = {.kind = EVENT_MESSAGE};
    event.u.message = (struct message){
        .kind = MESSAGE_TASK_STATE,
        .instance = known->instance,
        .seq = ++world->next_report,
        .u.report = {.task = task, .status = status, .cause = cause, .exit_code = exit_code},
    };
    if (status == TASK_STOPPED)
        *known = world->tasks.items[--world->tasks.count];
    world_step(world, &event);
}

void world_report_health(struct world *world, task_id task, enum task_health health)
{
    world_report_late(world, task, health, ++world->next_report);
}

void world_report_late(struct world *world, task_id task, enum task_health health, uint64_t seq)
{
    const struct world_task *known = find_known(world, task);
    assert_non_null(known);
    struct event event = {.kind = EVENT_MESSAGE};
    event.u.message = (struct message){
        .kind = MESSAGE_TASK_STATE,
        .instance = known->instance,
        .seq = seq,
        .u.report = {.task = task, .status = TASK_RUNNING, .health = health},
    };
    world_step(world, &event);
}

void world_crash(struct world *world, task_id task)
{
    world_report(world, task, TASK_STOPPED, EXIT_ESSENTIAL, 1);
}

static bool is_undone(const struct world_task *task, bool stops_only)
{
    if (!task->desired_running)
        return true;
    return !stops_only && task->known == TASK_PENDING;
}

/* The lowest task number first, so that histories do not depend on the order of the table. */
static bool settle_next(struct world *world, bool stops_only)
{
    struct world_task *next = NULL;
    for (size_t i = 0; i < world->tasks.count; i++)
        if (is_undone(&world->tasks.items[i], stops_only) &&
            (next == NULL || world->tasks.items[i].task < next->task))
            next = &world->tasks.items[i];
    if (next == NULL)
        return false;
    if (next->desired_running)
        world_report(world, next->task, TASK_RUNNING, EXIT_NONE, 0);
    else
        world_report(world, next->task, TASK_STOPPED, EXIT_STOPPED, 143);
    return true;
}

bool world_settle_one(struct world *world)
{
    return settle_next(world, false);
}

void world_settle(struct world *world)
{
    while (settle_next(world, false) || world_answer_one(world))
        ;
}

void world_settle_stops(struct world *world)
{
    while (settle_next(world, true))
        ;
}

void world_advance(struct world *world, berth_ns duration_ns)
{
    berth_ns until_ns = world->now.mono_ns + duration_ns;
    struct event event = {.kind = EVENT_TIMER};
    for (;;) {
        berth_ns due_ns = controller_next_deadline(world->controller);
        if (due_ns > until_ns)
            break;
        assert_true(due_ns > world->now.mono_ns);
        world->now.wall_ns += due_ns - world->now.mono_ns;
        world->now.mono_ns = due_ns;
        world_step(world, &event);
    }
    world->now.wall_ns += until_ns - world->now.mono_ns;
    world->now.mono_ns = until_ns;
}

uint32_t world_live(struct world *world, service_id service)
{
    struct task_view view;
    uint32_t count = 0;
    for (task_id at = 0; controller_next_task(world->controller, at, &view); at = view.task)
        count += view.service == service;
    return count;
}

uint32_t world_wanted(struct world *world, service_id service)
{
    struct task_view view;
    uint32_t count = 0;
    for (task_id at = 0; controller_next_task(world->controller, at, &view); at = view.task)
        count += view.service == service && view.desired_running;
    return count;
}

uint32_t world_wanted_of(struct world *world, const struct task_def *def)
{
    struct task_view view;
    uint32_t count = 0;
    for (task_id at = 0; controller_next_task(world->controller, at, &view); at = view.task)
        count += view.def == def && view.desired_running;
    return count;
}
