/*
 * Random histories of a small cluster: everything that can be said to a controller, in any order,
 * with agents that are slow, lose touch, repeat themselves and come back, and load balancers and a
 * network that answer late, twice, wrongly or not at all.
 *
 * Checked after every step: the audits of controller and cluster, revisions without gaps, bounds of
 * deployments whenever the scheduler acts, and that nothing is placed where it must not be. And for
 * reloading: the records written so far, loaded into a second controller at a random moment, give
 * the same dump and deadline, and from then on the same actions to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/core/commit.h"
#include "scheduler/core/transcript.h"
#include "scheduler/ecs/task_def_json.h"
#include "tests/support/world.h"

enum { STEPS = 1500, HISTORIES = 36, TASKS_MAX = 100000, HEALTHY_S = 40 };

struct coverage;

struct history {
    struct world world;
    struct rng rng;
    VEC(struct record) records; /* owned texts, ascending keys */
    struct commit commit;
    struct controller *shadow; /* the reloaded one; NULL at first */
    struct action_list shadow_actions;
    berth_ns *running_since; /* by task id; BERTH_NS_NEVER */
    bool *has_failed;        /* by deployment number */
    bool *is_balanced;       /* by task id: it was seen ACTIVATING */
    uint32_t reloads, placements, bounds_checked;
    const char *services[4];
    VEC(struct request) requests; /* of groups and Fargate, not answered yet; texts are lent */
    uint32_t in_service;          /* of the group "pool" */
    struct coverage *coverage;
};

static uint32_t draw(struct history *history, uint32_t limit)
{
    return (uint32_t)rng_below(&history->rng, limit);
}

static bool chance(struct history *history, uint32_t one_in)
{
    return draw(history, one_in) == 0;
}

/* --- records --- */

static size_t find_record(const struct history *history, const char *key, bool *is_there)
{
    size_t low = 0, high = history->records.count;
    *is_there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(history->records.items[middle].key, key);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void free_record(struct record *record)
{
    mem_free((void *)(uintptr_t)record->key);
    mem_free((void *)(uintptr_t)record->value);
}

static void write_record(struct history *history, const struct store_write *write)
{
    bool is_there;
    size_t at = find_record(history, write->key, &is_there);
    if (is_there) {
        free_record(&history->records.items[at]);
        memmove(history->records.items + at, history->records.items + at + 1,
                (--history->records.count - at) * sizeof(struct record));
    }
    if (write->value == NULL)
        return;
    (void)vec_push(&history->records);
    memmove(history->records.items + at + 1, history->records.items + at,
            (history->records.count - 1 - at) * sizeof(struct record));
    history->records.items[at] =
        (struct record){mem_copy_text(write->key), mem_copy_text(write->value)};
}

static void keep_records(struct history *history)
{
    commit_encode(&history->commit, history->world.controller, &history->world.actions);
    for (size_t i = 0; i < history->commit.count; i++)
        write_record(history, &history->commit.items[i]);
}

/* --- the reloaded controller --- */

static void format_actions(const struct controller *controller, const struct action_list *actions,
                           struct text *out)
{
    for (size_t i = 0; i < actions->count; i++) {
        const struct action *action = &actions->items[i];
        transcript_format_action(controller, action, out);
        if (action->kind == ACTION_CHANGE && !action->u.change.is_deleted) {
            controller_record_value(controller, &action->u.change, out);
            text_add(out, "\n");
        }
    }
}

static void compare_texts(const struct text *left, const struct text *right)
{
    if (left->length == right->length &&
        (left->length == 0 || memcmp(left->bytes, right->bytes, left->length) == 0))
        return;
    size_t at = 0;
    if (left->length == 0 || right->length == 0)
        fail_msg("one is empty: %.1500s", left->length == 0 ? right->bytes : left->bytes);
    while (left->bytes[at] == right->bytes[at])
        at++;
    while (at > 0 && left->bytes[at - 1] != '\n')
        at--;
    fail_msg("differ:\n%.1500s\n---\n%.1500s", left->bytes + at, right->bytes + at);
}

static void compare_dumps(const struct controller *left, const struct controller *right)
{
    struct text a = TEXT_INIT, b = TEXT_INIT;
    controller_dump(left, &a);
    controller_dump(right, &b);
    compare_texts(&a, &b);
    text_free(&a);
    text_free(&b);
    assert_true(controller_next_deadline(left) == controller_next_deadline(right));
}

static void step_shadow(struct history *history, const struct event *event)
{
    struct event copy = *event;
    struct berth_error err = BERTH_ERROR_INIT;
    struct text a = TEXT_INIT, b = TEXT_INIT;
    if (event->kind == EVENT_REGISTER_TASK_DEFINITION)
        assert_int_equal(
            task_def_from_document(event->u.task_def->document, &copy.u.task_def, &err), BERTH_OK);
    controller_step(history->shadow, history->world.now, &copy, &history->shadow_actions);
    format_actions(history->world.controller, &history->world.actions, &a);
    format_actions(history->shadow, &history->shadow_actions, &b);
    compare_texts(&a, &b);
    assert_true(controller_next_deadline(history->world.controller) ==
                controller_next_deadline(history->shadow));
    text_free(&a);
    text_free(&b);
}

static void reload(struct history *history)
{
    struct berth_error err = BERTH_ERROR_INIT;
    controller_destroy(history->shadow);
    history->shadow = NULL;
    if (controller_load(&history->world.options, history->records.items, history->records.count,
                        task_def_from_document, &history->shadow, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    controller_audit(history->shadow);
    cluster_audit(controller_cluster(history->shadow));
    compare_dumps(history->world.controller, history->shadow);
    history->reloads++;
}

/* --- what must hold of a step --- */

enum { WATCHED_SERVICES = 256 };

/* Over all histories: a rule that never fired was not tested. */
struct coverage {
    uint32_t reasons[STOP_REASON_COUNT];
    uint32_t told[SERVICE_EVENT_KIND_COUNT];
    uint32_t rollouts[ROLLOUT_COUNT];
    uint32_t statuses[SERVICE_DEPLOYMENT_STATUS_COUNT];
    uint32_t causes[ROLLOUT_CAUSE_COUNT];
    uint32_t requested[REQUEST_KIND_COUNT];
    uint32_t lasts[TASK_STATUS_COUNT];
    uint32_t unhealthy;
    uint32_t requests[REQUEST_KIND_COUNT];
    uint64_t rules[RULE_COUNT];
    uint32_t waited, card_shares, reloads, placements, bounds_checked;
};

/* The deployment of a service by its number; false when it is forgotten. */
static bool find_deployment(struct history *history, service_id service, uint64_t number,
                            struct deployment_view *out)
{
    const struct controller *controller = history->world.controller;
    for (uint32_t i = 0; i < controller_deployment_count(controller, service); i++) {
        *out = controller_deployment(controller, service, i);
        if (out->deployment == number)
            return true;
    }
    return false;
}

/* A failed deployment launches nothing. */
static void check_launch(struct history *history, const struct task_view *task)
{
    struct deployment_view deployment;
    if (task->service != SERVICE_NONE &&
        find_deployment(history, task->service, task->deployment, &deployment))
        assert_true(deployment.rollout != ROLLOUT_FAILED);
}

/* One PRIMARY, and a way back only to what has never failed. */
static void check_deployment(struct history *history, const struct deployment_view *deployment)
{
    uint32_t primaries = 0;
    assert_true(deployment->deployment < TASKS_MAX);
    history->has_failed[deployment->deployment] |= deployment->rollout == ROLLOUT_FAILED;
    history->coverage->rollouts[deployment->rollout]++;
    history->coverage->statuses[deployment->status]++;
    history->coverage->causes[deployment->cause]++;
    uint32_t count = controller_deployment_count(history->world.controller, deployment->service);
    for (uint32_t i = 0; i < count; i++)
        primaries +=
            controller_deployment(history->world.controller, deployment->service, i).is_primary;
    bool is_external = deployment->scale_permille > 0 || primaries == 0;
    assert_true(primaries <= 1 && (count == 0 || primaries == 1 || is_external));
}

static void check_service_event(struct history *history, const struct service_event *event)
{
    if (event->kind == SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS && event->rolls_back != 0)
        assert_false(history->has_failed[event->deployment]);
}

static void check_placement(struct history *history, const struct task_view *task)
{
    const struct instance *instance =
        cluster_instance(controller_cluster(history->world.controller), task->instance);
    assert_int_equal(instance->status, INSTANCE_ACTIVE);
    assert_true(instance->is_agent_connected);
    history->placements++;
}

static uint32_t healthy_of(struct history *history, service_id service)
{
    struct task_view view;
    uint32_t healthy = 0;
    struct controller *controller = history->world.controller;
    for (task_id at = 0; controller_next_task(controller, at, &view); at = view.task)
        healthy += view.service == service && view.desired_running &&
                   (history->is_balanced[view.task] || task_def_has_health_check(view.def)
                        ? view.counts_as_healthy
                        : history->running_since[view.task] <=
                              history->world.now.mono_ns - HEALTHY_S * BERTH_NS_PER_S);
    return healthy;
}

struct percents {
    uint32_t minimum, maximum;
};

/* Read from the service's record, since a view does not hold them. */
static struct percents percents_of(struct history *history, const struct service_view *service)
{
    struct change change = {.kind = RECORD_SERVICE, .u.service = *service};
    struct text value = TEXT_INIT;
    struct percents percents;
    controller_record_value(history->world.controller, &change, &value);
    percents.minimum = (uint32_t)strtoul(strstr(value.bytes, "minimum=") + 8, NULL, 10);
    percents.maximum = (uint32_t)strtoul(strstr(value.bytes, "maximum=") + 8, NULL, 10);
    text_free(&value);
    return percents;
}

/* Deployments side by side: the percents play no part. */
static bool is_staged(struct history *history, service_id service)
{
    struct change change = {.kind = RECORD_DEPLOYMENT};
    struct controller *controller = history->world.controller;
    bool found = false;
    for (uint32_t i = 0; i < controller_deployment_count(controller, service) && !found; i++) {
        struct text value = TEXT_INIT;
        change.u.deployment = controller_deployment(controller, service, i);
        controller_record_value(controller, &change, &value);
        found = strstr(value.bytes, " active=1") != NULL || strstr(value.bytes, " scale=") != NULL;
        text_free(&value);
    }
    return found;
}

static void check_bounds(struct history *history, service_id id, bool has_started,
                         bool has_replaced)
{
    struct service_view service = controller_service(history->world.controller, id);
    if (!service.is_active || service.scheduling != SCHEDULING_REPLICA || is_staged(history, id))
        return;
    struct percents percents = percents_of(history, &service);
    uint32_t upper = service.desired_count * percents.maximum / 100;
    uint32_t lower = (service.desired_count * percents.minimum + 99) / 100;
    if (has_started)
        assert_true(world_live(&history->world, id) <= upper);
    if (has_replaced)
        assert_true(healthy_of(history, id) >= lower);
    history->bounds_checked += has_started || has_replaced;
}

static void cover(struct history *history, const struct task_view *task)
{
    struct coverage *coverage = history->coverage;
    if (!task->desired_running && task->was_desired_running)
        coverage->reasons[task->stop_reason]++;
    coverage->waited += task->instance == INSTANCE_NONE;
    coverage->lasts[task->last_status]++;
    coverage->unhealthy += task->health == HEALTH_UNHEALTHY && task->desired_running;
    coverage->card_shares += task->gpu_milli % 1000 > 0;
}

static void check_changes(struct history *history)
{
    bool started[WATCHED_SERVICES] = {false}, replaced[WATCHED_SERVICES] = {false};
    bool scaled[WATCHED_SERVICES] = {false};
    for (size_t i = 0; i < history->world.actions.count; i++) {
        const struct action *action = &history->world.actions.items[i];
        if (action->kind == ACTION_SERVICE_EVENT)
            check_service_event(history, &action->u.service_event);
        if (action->kind == ACTION_CHANGE && action->u.change.kind == RECORD_DEPLOYMENT)
            check_deployment(history, &action->u.change.u.deployment);
        if (action->kind != ACTION_CHANGE || action->u.change.kind != RECORD_TASK)
            continue;
        const struct task_view *task = &action->u.change.u.task;
        assert_true(task->task < TASKS_MAX);
        cover(history, task);
        assert_true(task->previous_status <= task->last_status);
        bool is_placed = task->version == 1 && task->instance != INSTANCE_NONE;
        if (is_placed)
            check_launch(history, task);
        if (task->version == 1)
            history->running_since[task->task] = BERTH_NS_NEVER;
        if (is_placed)
            check_placement(history, task);
        if (task->last_status == TASK_ACTIVATING)
            history->is_balanced[task->task] = true;
        if (task->last_status == TASK_RUNNING && task->previous_status < TASK_RUNNING)
            history->running_since[task->task] = history->world.now.mono_ns;
        if (task->service == SERVICE_NONE)
            continue;
        assert_true(task->service < WATCHED_SERVICES);
        started[task->service] |= task->version == 1;
        if (!task->desired_running && task->was_desired_running) {
            scaled[task->service] |= task->stop_reason == STOP_REASON_SCALING;
            replaced[task->service] |= task->previous_status == TASK_RUNNING &&
                                       (task->stop_reason == STOP_REASON_DEPLOYMENT ||
                                        task->stop_reason == STOP_REASON_DRAINING);
        }
    }
    for (service_id id = 0; id < WATCHED_SERVICES; id++)
        if (started[id] || replaced[id])
            check_bounds(history, id, started[id], replaced[id] && !scaled[id]);
}

static void take_requests(struct history *history)
{
    for (size_t i = 0; i < history->world.actions.count; i++) {
        const struct action *action = &history->world.actions.items[i];
        if (action->kind != ACTION_REQUEST)
            continue;
        const struct request *request = &action->u.request;
        history->coverage->requests[request->kind]++;
        if (request->kind >= REQUEST_RESIZE_GROUP)
            *vec_push(&history->requests) = *request;
    }
}

static void watch(struct world *world, const struct event *event, void *context)
{
    struct history *history = context;
    (void)world;
    take_requests(history);
    check_changes(history);
    keep_records(history);
    if (history->shadow != NULL)
        step_shadow(history, event);
    if (chance(history, 40))
        reload(history);
}

/* --- what happens --- */

static void define_all(struct world *world)
{
    (void)world_define(world, "web", 250, 100);
    (void)world_define(world, "web", 250, 120);
    (void)world_define(world, "big", 1500, 900);
    (void)world_define_json(
        world, "{\"family\":\"port\",\"networkMode\":\"bridge\",\"containerDefinitions\":[{"
               "\"name\":\"main\",\"image\":\"app\",\"cpu\":100,\"memory\":64,\"portMappings\":"
               "[{\"containerPort\":80,\"hostPort\":8080}]}]}");
    (void)world_define_json(
        world, "{\"family\":\"gpu\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"app\","
               "\"cpu\":10,\"memory\":64,\"resourceRequirements\":[{\"type\":\"GPU\",\"value\":"
               "\"0.4\"}]}]}");
    (void)world_define_json(
        world, "{\"family\":\"near\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":"
               "\"app\",\"cpu\":10,\"memory\":64}],\"placementConstraints\":[{\"type\":\"memberOf\""
               ",\"expression\":\"task:group == service:a and runningTasksCount < 6\"}]}");
    (void)world_define_json(
        world, "{\"family\":\"vpc\",\"networkMode\":\"awsvpc\",\"containerDefinitions\":[{"
               "\"name\":\"main\",\"image\":\"app\",\"cpu\":100,\"memory\":64}]}");
    (void)world_define_json(
        world,
        "{\"family\":\"checked\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":"
        "\"app\",\"cpu\":100,\"memory\":64,\"healthCheck\":{\"command\":[\"CMD\",\"ok\"]}}]}");
    (void)world_define_json(
        world, "{\"family\":\"pod\",\"networkMode\":\"awsvpc\",\"cpu\":\"256\",\"memory\":\"512\","
               "\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"app\"}]}");
}

static const char *const definitions[] = {"web:1", "web:2", "big",     "port", "gpu",
                                          "near",  "vpc",   "checked", "pod"};
enum { DEFINITIONS = 9 };

static void answer_group(struct history *history)
{
    struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_GROUP};
    event.u.answer.u.group.provider = "pool";
    event.u.answer.u.group.in_service = history->in_service;
    event.u.answer.u.group.maximum = 8;
    world_step(&history->world, &event);
}

static void put_providers(struct history *history)
{
    static const char *const zones[] = {"a", "b"};
    struct event event = {.kind = EVENT_PUT_CAPACITY_PROVIDER};
    event.u.capacity_provider.provider = "pool";
    event.u.capacity_provider.settings =
        (struct capacity_provider_settings){.is_managed = true,
                                            .target_percent = chance(history, 2) ? 100 : 80,
                                            .warm_up_s = 60,
                                            .protects = chance(history, 2),
                                            .drains = chance(history, 2)};
    (void)world_command(&history->world, event);
    event.u.capacity_provider.provider = "plain";
    event.u.capacity_provider.settings =
        (struct capacity_provider_settings){.warm_up_s = OVERRIDE_NONE};
    (void)world_command(&history->world, event);
    event.u.capacity_provider.provider = "empty";
    (void)world_command(&history->world, event);
    for (int spot = 0; spot < 2; spot++) {
        enum provider_kind kind = spot ? PROVIDER_FARGATE_SPOT : PROVIDER_FARGATE;
        event.u.capacity_provider.provider = provider_kind_names[kind];
        event.u.capacity_provider.settings = (struct capacity_provider_settings){
            .kind = kind, .warm_up_s = OVERRIDE_NONE, .zones = zones, .zone_count = 2};
        (void)world_command(&history->world, event);
    }
}

/* Sound ones, and now and then one that is not. */
static uint16_t shares_of(struct history *history, struct provider_share *shares)
{
    bool is_group = chance(history, 2);
    shares[0] = (struct provider_share){is_group ? "pool" : "FARGATE", 1, draw(history, 3)};
    if (is_group && chance(history, 6))
        shares[0].provider = "empty";
    shares[1] = (struct provider_share){is_group ? "plain" : "FARGATE_SPOT", draw(history, 4), 0};
    if (chance(history, 20))
        shares[1].provider = "nowhere";
    return (uint16_t)(1 + draw(history, 2));
}

static void launch_machine(struct history *history, const struct request *request)
{
    struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_GROUP};
    event.u.answer.u.group.provider = request->u.group.provider;
    event.u.answer.u.group.refused_task = request->u.group.task;
    if (chance(history, 4)) {
        world_step(&history->world, &event);
        return;
    }
    struct attribute_text zone = {"ecs.availability-zone", request->u.group.zone};
    event = (struct event){.kind = EVENT_REGISTER_INSTANCE,
                           .u.register_instance = {.existing = INSTANCE_NONE,
                                                   .cpu_units = request->u.group.cpu_units,
                                                   .mem_mib = request->u.group.mem_mib,
                                                   .attributes = &zone,
                                                   .attribute_count = 1,
                                                   .provider = request->u.group.provider,
                                                   .fargate_task = request->u.group.task}};
    (void)world_command(&history->world, event);
}

static void terminate_instance(struct history *history, const struct request *request)
{
    struct event event = {.kind = EVENT_DEREGISTER_INSTANCE, .token = 7};
    event.u.deregister_instance.instance = request->u.group.instance;
    event.u.deregister_instance.cause = DEREGISTER_TERMINATED;
    if (request->u.group.instance == INSTANCE_NONE)
        return;
    world_step(&history->world, &event);
    if (strcmp(request->u.group.provider, "pool") == 0 && history->in_service > 0) {
        history->in_service--;
        answer_group(history);
    }
}

static void register_of(struct history *history, uint32_t kind);

/* The first Spot task that there is is taken back. */
static void interrupt_one(struct history *history)
{
    struct world *world = &history->world;
    const struct symbols *symbols = cluster_symbols(controller_cluster(world->controller));
    symbol spot = symbols_find(symbols, "FARGATE_SPOT");
    struct task_view task;
    struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_GROUP};
    event.u.answer.u.group.provider = "FARGATE_SPOT";
    for (task_id at = 0; controller_next_task(world->controller, at, &task); at = task.task)
        if (task.provider == spot && task.desired_running) {
            event.u.answer.u.group.interrupt_task = task.task;
            world_step(world, &event);
            return;
        }
}

/* The world around does one of the things that it was asked for, or takes a Spot task back. */
static void answer_one(struct history *history)
{
    if (history->requests.count == 0 || chance(history, 6)) {
        interrupt_one(history);
        if (chance(history, 3))
            world_step(&history->world, &(struct event){.kind = EVENT_RESUME});
        return;
    }
    size_t at = draw(history, (uint32_t)history->requests.count);
    struct request request = history->requests.items[at];
    history->requests.items[at] = history->requests.items[--history->requests.count];
    if (request.kind == REQUEST_LAUNCH_FARGATE)
        launch_machine(history, &request);
    else if (request.kind == REQUEST_TERMINATE_INSTANCE)
        terminate_instance(history, &request);
    else
        register_of(history, 0);
}

/* Kind 0: of the group "pool", 1: of "plain". */
static void register_of(struct history *history, uint32_t kind)
{
    static const char *const zones[] = {"a", "b", "c"};
    static const uint16_t ports[] = {22, 2376};
    struct attribute_text attributes[] = {
        {"ecs.availability-zone", zones[draw(history, 3)]},
        {"rack", chance(history, 2) ? "r,1" : "r%2"},
        {"bare", NULL},
    };
    struct event event = {.kind = EVENT_REGISTER_INSTANCE,
                          .u.register_instance = {.existing = INSTANCE_NONE,
                                                  .ec2_id = "i-1",
                                                  .cpu_units = 2000 + (int)draw(history, 2000),
                                                  .mem_mib = 2000,
                                                  .gpu_count = (uint16_t)draw(history, 3),
                                                  .eni_limit = 4,
                                                  .tcp_ports_used = ports,
                                                  .tcp_port_count = 2,
                                                  .attributes = attributes,
                                                  .attribute_count = 1 + draw(history, 3)}};
    event.u.register_instance.provider = kind == 0 ? "pool" : kind == 1 ? "plain" : NULL;
    (void)world_command(&history->world, event);
    if (kind == 0) {
        history->in_service++;
        answer_group(history);
    }
}

static void register_one(struct history *history)
{
    register_of(history, draw(history, 4));
}

static struct placement_strategy_spec strategy_of(struct history *history)
{
    static const struct placement_strategy_spec strategies[] = {
        {"binpack", "memory"},
        {"spread", "attribute:ecs.availability-zone"},
        {"random", NULL},
        {"spread", "instanceId"},
    };
    return strategies[draw(history, 4)];
}

static struct placement_constraint_spec constraint_of(struct history *history)
{
    static const struct placement_constraint_spec constraints[] = {
        {"distinctInstance", NULL},
        {"memberOf", "attribute:rack == 'r,1'"},
        {"memberOf", "not(task:group == service:b)"},
    };
    return constraints[draw(history, 3)];
}

static void run_some(struct history *history)
{
    struct placement_strategy_spec strategy = strategy_of(history);
    struct placement_constraint_spec constraint = constraint_of(history);
    struct gpu_request gpus[] = {{300}, {1000}};
    struct event event = {
        .kind = EVENT_RUN_TASK,
        .u.run_task = {.task_definition = definitions[draw(history, DEFINITIONS)],
                       .group = chance(history, 3) ? "batch, one" : NULL,
                       .started_by = chance(history, 3) ? "a user" : NULL,
                       .count = 1 + draw(history, 4),
                       .reference = draw(history, 1000),
                       .waits = chance(history, 2),
                       .wants_failures = chance(history, 5),
                       .strategies = &strategy,
                       .strategy_count = (uint16_t)draw(history, 2),
                       .constraints = &constraint,
                       .constraint_count = (uint16_t)chance(history, 3),
                       .cpu_units = chance(history, 3) ? (int)draw(history, 500) : OVERRIDE_NONE,
                       .mem_mib = OVERRIDE_NONE,
                       .gpus = gpus,
                       .gpu_count = (uint16_t)draw(history, 3),
                       .overrides_gpus = chance(history, 5)}};
    struct provider_share shares[2];
    event.u.run_task.providers = shares;
    event.u.run_task.provider_count = chance(history, 3) ? shares_of(history, shares) : 0;
    (void)world_command(&history->world, event);
}

static const char *const alarms[] = {"errors, 5xx", "latency"};

static void answer_something(struct history *history);

static struct deployment_settings settings_of(struct history *history)
{
    static const struct deployment_hook hooks[] = {
        {.name = "check, one",
         .stages = 1u << STAGE_RECONCILE_SERVICE | 1u << STAGE_PRE_SCALE_UP |
                   1u << STAGE_TEST_TRAFFIC_SHIFT | 1u << STAGE_PRODUCTION_TRAFFIC_SHIFT,
         .minutes = 2},
        {.name = "approve",
         .stages = 1u << STAGE_PRE_PRODUCTION_TRAFFIC_SHIFT,
         .is_pause = true,
         .continues = true,
         .minutes = 1},
        {.name = "look", .stages = 1u << STAGE_POST_TEST_TRAFFIC_SHIFT, .minutes = 1}};
    return (struct deployment_settings){
        .strategy = chance(history, 3)
                        ? DEPLOY_ROLLING
                        : (enum deployment_strategy)draw(history, DEPLOYMENT_STRATEGY_COUNT),
        .step_permille = 250 * draw(history, 3),
        .has_step_bake = true,
        .step_bake_ns = (berth_ns)draw(history, 30) * BERTH_NS_PER_S,
        .hooks = hooks,
        .hook_count = (uint16_t)draw(history, 4),
        .breaker = {.is_enabled = chance(history, 2),
                    .rolls_back = chance(history, 2),
                    .keeps_count = chance(history, 3),
                    .type = (enum breaker_threshold)draw(history, BREAKER_TASK_COUNT + 1),
                    .value = 1 + draw(history, 5)},
        .alarms = {.is_enabled = chance(history, 2),
                   .rolls_back = chance(history, 2),
                   .names = alarms,
                   .count = (uint16_t)draw(history, 3)},
        .bake_ns = (berth_ns)draw(history, 100) * BERTH_NS_PER_S,
        .has_bake = !chance(history, 4)};
}

static void flip_alarm(struct history *history)
{
    struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_ALARM};
    event.u.answer.u.alarm.name = alarms[draw(history, 2)];
    event.u.answer.u.alarm.is_alarm = chance(history, 3);
    world_step(&history->world, &event);
}

static void continue_deployment(struct history *history)
{
    struct event event = {.kind = EVENT_CONTINUE_SERVICE_DEPLOYMENT};
    event.u.service_deployment.service = history->services[draw(history, 4)];
    event.u.service_deployment.hook = chance(history, 2) ? "approve" : NULL;
    event.u.service_deployment.rolls_back = chance(history, 4);
    (void)world_command(&history->world, event);
}

/* An EXTERNAL service, which nobody scales but whoever says so. */
static void change_task_sets(struct history *history)
{
    static const enum event_kind kinds[] = {EVENT_CREATE_TASK_SET, EVENT_UPDATE_TASK_SET,
                                            EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET,
                                            EVENT_DELETE_TASK_SET};
    struct placement_strategy_spec strategy = strategy_of(history);
    struct event event = {.kind = EVENT_CREATE_SERVICE};
    const struct controller *controller = history->world.controller;
    service_id service = controller_find_service(controller, "ext");
    if (service == SERVICE_NONE || chance(history, 6)) {
        event.kind = service == SERVICE_NONE ? EVENT_CREATE_SERVICE : EVENT_UPDATE_SERVICE;
        event.u.service = (struct event_service){.service = "ext",
                                                 .controller = CONTROLLER_EXTERNAL,
                                                 .desired_count = (int)draw(history, 6),
                                                 .minimum_healthy_percent = OVERRIDE_NONE,
                                                 .maximum_percent = OVERRIDE_NONE,
                                                 .strategies = &strategy,
                                                 .strategy_count = 1,
                                                 .grace_s = OVERRIDE_NONE,
                                                 .rebalancing = OVERRIDE_NONE};
        (void)world_command(&history->world, event);
        return;
    }
    uint32_t count = controller_deployment_count(controller, service);
    event.kind = count == 0 ? EVENT_CREATE_TASK_SET : kinds[draw(history, 4)];
    event.u.task_set = (struct event_task_set){.service = "ext",
                                               .task_definition = definitions[draw(history, 2)],
                                               .scale_permille = 250 * (int)draw(history, 5),
                                               .force = chance(history, 2)};
    if (count > 0)
        event.u.task_set.task_set =
            controller_deployment(controller, service, draw(history, count)).deployment;
    (void)world_command(&history->world, event);
}

static void stop_deployment(struct history *history)
{
    struct event event = {.kind = EVENT_STOP_SERVICE_DEPLOYMENT};
    event.u.service_deployment.service = history->services[draw(history, 4)];
    event.u.service_deployment.deployment = chance(history, 3) ? draw(history, 50) : 0;
    event.u.service_deployment.rolls_back = chance(history, 2);
    (void)world_command(&history->world, event);
}

static void change_service(struct history *history)
{
    struct placement_strategy_spec strategy = strategy_of(history);
    struct placement_constraint_spec constraint = constraint_of(history);
    static const int minimums[] = {0, 50, 100, OVERRIDE_NONE}, maximums[] = {100, 150, 200, -1};
    static const int graces[] = {0, 30, 90, OVERRIDE_NONE};
    static const char *const target_groups[] = {"blue, one", "green", "tg-three"};
    struct deployment_settings settings = settings_of(history);
    const char *name = history->services[draw(history, 4)];
    bool exists = controller_find_service(history->world.controller, name) != SERVICE_NONE;
    bool is_daemon = name[0] == 'd';
    struct event event = {.kind = exists ? EVENT_UPDATE_SERVICE : EVENT_CREATE_SERVICE};
    if (exists && chance(history, 12)) {
        event.kind = EVENT_DELETE_SERVICE;
        event.u.service.force = chance(history, 2);
    }
    event.u.service.service = name;
    event.u.service.scheduling = is_daemon ? SCHEDULING_DAEMON : SCHEDULING_REPLICA;
    event.u.service.task_definition =
        exists && chance(history, 2) ? NULL : definitions[draw(history, DEFINITIONS)];
    if (is_daemon && chance(history, 4))
        event.u.service.task_definition = "near"; /* whose constraint comes to be violated */
    event.u.service.desired_count =
        is_daemon || chance(history, 3) ? OVERRIDE_NONE : (int)draw(history, 8);
    event.u.service.minimum_healthy_percent = minimums[draw(history, 4)];
    event.u.service.maximum_percent = is_daemon ? OVERRIDE_NONE : maximums[draw(history, 4)];
    event.u.service.force_new_deployment = chance(history, 6);
    event.u.service.rebalancing = (int)draw(history, 8) > 1 ? OVERRIDE_NONE : (int)draw(history, 2);
    event.u.service.strategies = &strategy;
    event.u.service.strategy_count = is_daemon ? 0 : (uint16_t)draw(history, 2);
    event.u.service.constraints = &constraint;
    event.u.service.constraint_count = chance(history, 3);
    event.u.service.target_groups = target_groups + draw(history, 2);
    event.u.service.target_group_count = chance(history, 2) ? (uint16_t)draw(history, 3) : 0;
    event.u.service.sets_target_groups = chance(history, 4);
    event.u.service.grace_s = graces[draw(history, 4)];
    event.u.service.rebalancing = OVERRIDE_NONE;
    event.u.service.sets_strategies = chance(history, 8);
    event.u.service.sets_constraints = chance(history, 8);
    event.u.service.sets_settings = chance(history, 4);
    event.u.service.settings = chance(history, 3) ? NULL : &settings;
    struct provider_share shares[2];
    event.u.service.providers = shares;
    event.u.service.sets_providers = chance(history, 8);
    if (!is_daemon && chance(history, 3)) {
        event.u.service.provider_count = shares_of(history, shares);
        if (shares[0].provider[0] == 'F')
            event.u.service.task_definition = "pod";
    }
    (void)world_command(&history->world, event);
}

/* A deployment that goes by stages, and the answers that it waits for. */
static void go_by_stages(struct history *history)
{
    static const char *const target_groups[] = {"green"};
    struct deployment_settings settings = settings_of(history);
    struct event event = {.kind = EVENT_UPDATE_SERVICE};
    settings.strategy = (enum deployment_strategy)(1 + draw(history, 3));
    event.u.service = (struct event_service){.service = history->services[draw(history, 2)],
                                             .desired_count = (int)draw(history, 3),
                                             .minimum_healthy_percent = OVERRIDE_NONE,
                                             .maximum_percent = OVERRIDE_NONE,
                                             .force_new_deployment = true,
                                             .sets_settings = true,
                                             .settings = &settings,
                                             .sets_target_groups = true,
                                             .target_groups = target_groups,
                                             .target_group_count = 1,
                                             .grace_s = OVERRIDE_NONE,
                                             .rebalancing = OVERRIDE_NONE};
    (void)world_command(&history->world, event);
    for (uint32_t left = draw(history, 60); left > 0; left--) {
        if (!chance(history, 3))
            (void)world_settle_one(&history->world);
        answer_something(history);
        world_advance(&history->world, (berth_ns)draw(history, 4000) * BERTH_NS_PER_MS);
    }
}

static void put_policy(struct history *history, const char *service)
{
    static const char *const steps[] = {"0:30000:1", "30000::50"}, *const down[] = {":0:-1"};
    bool is_high = chance(history, 2);
    struct event event = {
        .kind = chance(history, 8) ? EVENT_DELETE_SCALING_POLICY : EVENT_PUT_SCALING_POLICY,
        .u.scaling_policy = {.service = service,
                             .policy = chance(history, 2) ? "first, one" : "other",
                             .kind = (enum scaling_policy_kind)draw(history, 2),
                             .metric = (enum scaling_metric)draw(history, 2),
                             .out_cooldown_s = chance(history, 2) ? 60 : -1,
                             .in_cooldown_s = chance(history, 2) ? 60 : -1,
                             .target_milli = 50000,
                             .disables_scale_in = chance(history, 4),
                             .adjustment = (enum adjustment_type)draw(history, 2),
                             .comparison = is_high ? COMPARE_GREATER : COMPARE_LESS,
                             .threshold_milli = 50000,
                             .evaluation_periods = 1 + draw(history, 3),
                             .steps = is_high ? steps : down,
                             .step_count = is_high ? 2 : 1}};
    (void)world_command(&history->world, event);
}

static void put_action(struct history *history, const char *service)
{
    static const char *const schedules[] = {"rate(3 minutes)", "cron(*/7 * * * ? *)",
                                            "at(2023-11-14T23:00:00)"};
    struct event event = {.kind = chance(history, 6) ? EVENT_DELETE_SCHEDULED_ACTION
                                                     : EVENT_PUT_SCHEDULED_ACTION,
                          .u.scheduled_action = {.service = service,
                                                 .action = chance(history, 2) ? "up" : "down",
                                                 .schedule = schedules[draw(history, 3)],
                                                 .min_capacity = (int32_t)draw(history, 6) - 1,
                                                 .max_capacity = (int32_t)draw(history, 9) - 1}};
    (void)world_command(&history->world, event);
}

static void register_target(struct history *history, const char *service)
{
    struct event event = {.kind = chance(history, 8) ? EVENT_DEREGISTER_SCALABLE_TARGET
                                                     : EVENT_REGISTER_SCALABLE_TARGET,
                          .u.scalable_target = {.service = service,
                                                .min_capacity = (int32_t)draw(history, 2),
                                                .max_capacity = 2 + (int32_t)draw(history, 9),
                                                .suspends_in = (int32_t)chance(history, 16),
                                                .suspends_out = (int32_t)chance(history, 8),
                                                .suspends_scheduled = OVERRIDE_NONE}};
    (void)world_command(&history->world, event);
}

/* Minutes with datapoints on one side of the target, told once or twice, with or without gaps. */
static void tell_metrics(struct history *history, const char *service)
{
    int64_t value_milli = chance(history, 2) ? 20000 : 60000 + (int64_t)draw(history, 60000);
    for (uint32_t left = chance(history, 2) ? 18 : 4; left > 0; left--) {
        struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_METRIC};
        event.u.answer.u.metric.service = service;
        event.u.answer.u.metric.value_milli = value_milli;
        for (int metric = 0; metric < 2; metric++) {
            event.u.answer.u.metric.metric = (enum scaling_metric)metric;
            world_step(&history->world, &event);
        }
        world_settle(&history->world);
        world_advance(&history->world, (chance(history, 60) ? 120 : 60) * BERTH_NS_PER_S);
    }
}

/* A small definition, a rollout that nothing holds back, one policy: so that scaling in is on. */
static void make_easy(struct history *history, const char *service)
{
    struct event event = {.kind = EVENT_UPDATE_SERVICE,
                          .u.service = {.service = service,
                                        .task_definition = "web:1",
                                        .desired_count = 4,
                                        .minimum_healthy_percent = 0,
                                        .maximum_percent = 200,
                                        .grace_s = OVERRIDE_NONE,
                                        .rebalancing = OVERRIDE_NONE}};
    struct event target = {.u.scalable_target = {.service = service, .max_capacity = 10}};
    struct event policy = {.kind = EVENT_PUT_SCALING_POLICY,
                           .u.scaling_policy = {.service = service,
                                                .policy = "first, one",
                                                .target_milli = 50000,
                                                .out_cooldown_s = OVERRIDE_NONE,
                                                .in_cooldown_s = OVERRIDE_NONE}};
    target.kind = EVENT_DEREGISTER_SCALABLE_TARGET;
    (void)world_command(&history->world, target);
    target.kind = EVENT_REGISTER_SCALABLE_TARGET;
    (void)world_command(&history->world, target);
    (void)world_command(&history->world, policy);
    if (service[0] != 'd')
        (void)world_command(&history->world, event);
    world_settle(&history->world);
}

static void scale(struct history *history)
{
    const char *service = history->services[draw(history, chance(history, 8) ? 4 : 2)];
    switch (draw(history, 5)) {
    case 0:
        register_target(history, service);
        break;
    case 1:
        put_policy(history, service);
        break;
    case 2:
        put_action(history, service);
        break;
    case 3:
        make_easy(history, service);
        tell_metrics(history, service);
        break;
    default:
        tell_metrics(history, service);
        break;
    }
}

static void touch_instance(struct history *history)
{
    uint32_t count = cluster_instance_count(controller_cluster(history->world.controller));
    instance_id id = draw(history, count + 1);
    struct event event = {.kind = EVENT_AGENT_CONNECTED, .token = 1, .u.agent = id};
    switch (draw(history, 8)) {
    case 0:
    case 1:
        event.kind = EVENT_AGENT_DISCONNECTED;
        break;
    case 2:
        event.kind = EVENT_UPDATE_INSTANCE_STATE;
        event.u.update_instance_state.instance = id;
        event.u.update_instance_state.status = INSTANCE_DRAINING;
        break;
    case 3:
    case 4:
        event.kind = EVENT_UPDATE_INSTANCE_STATE;
        event.u.update_instance_state.instance = id;
        event.u.update_instance_state.status = INSTANCE_ACTIVE;
        break;
    case 5:
        if (!chance(history, 3))
            break;
        event.kind = EVENT_DEREGISTER_INSTANCE;
        event.u.deregister_instance.instance = id;
        event.u.deregister_instance.force = chance(history, 2);
        event.u.deregister_instance.cause =
            chance(history, 2) ? DEREGISTER_TERMINATED : DEREGISTER_FORCED;
        break;
    default:
        break;
    }
    world_step(&history->world, &event);
}

static void end_a_task(struct history *history)
{
    static const enum exit_cause causes[] = {EXIT_ESSENTIAL, EXIT_PULL_FAILED, EXIT_START_FAILED,
                                             EXIT_HOST_LOST};
    static const enum exit_cause hung[] = {EXIT_START_FAILED, EXIT_OUT_OF_MEMORY, EXIT_TIMEOUT,
                                           EXIT_DEPENDENCY};
    uint32_t count = (uint32_t)history->world.tasks.count;
    if (count == 0)
        return;
    task_id task = history->world.tasks.items[draw(history, count)].task;
    if (chance(history, 3)) {
        struct event event = {.kind = EVENT_STOP_TASK,
                              .token = 9,
                              .u.stop_task = {task, chance(history, 2) ? "why, so" : NULL}};
        world_step(&history->world, &event);
        return;
    }
    enum exit_cause cause = causes[draw(history, 4)];
    if (cause == EXIT_START_FAILED)
        cause = hung[task % 4];
    world_report(&history->world, task, TASK_STOPPED, cause, 1);
}

/* A bad image: what is to start does not, several times in a row. */
static void fail_starts(struct history *history)
{
    for (size_t i = 0, left = 6; i < history->world.tasks.count && left > 0; i++) {
        const struct world_task *task = &history->world.tasks.items[i];
        if (!task->desired_running || task->known != TASK_PENDING)
            continue;
        world_report(&history->world, task->task, TASK_STOPPED, EXIT_PULL_FAILED, 0);
        i = 0;
        left--;
    }
}

static bool task_is_known(const struct world *world, task_id task)
{
    for (size_t i = 0; i < world->tasks.count; i++)
        if (world->tasks.items[i].task == task)
            return world->tasks.items[i].known == TASK_RUNNING;
    return false;
}

/* Load balancers and the network: mostly as they should, else late, twice, wrongly, never. */
static void answer_something(struct history *history)
{
    static const char *const groups[] = {"blue, one", "green", "tg-three", "tg-nobody-knows"};
    struct world *world = &history->world;
    task_id task = 1 + draw(history, 60);
    struct event event = {.kind = EVENT_RESUME};
    if (world->asked.count > 0 && world->asked.items[0].kind == REQUEST_INVOKE_HOOK &&
        chance(history, 4))
        world->asked.items[0].answer.u.hook.status =
            (enum hook_status)draw(history, HOOK_STATUS_COUNT);
    if (world->tasks.count > 0 && !chance(history, 4))
        task = world->tasks.items[draw(history, (uint32_t)world->tasks.count)].task;
    switch (draw(history, 16)) {
    case 0:
        world_step(world, &event);
        break;
    case 1:
        if (world->asked.count > 0)
            world->asked.count--; /* never answered, until it is asked again */
        break;
    case 2:
        world_answer_interface(world, task, chance(history, 2));
        break;
    case 3:
        if (world->asked.count > 0)
            world_answer_interface(world, world->asked.items[0].task, false);
        break;
    case 4:
    case 5:
        world_answer_target(world, task, groups[draw(history, 4)],
                            (enum target_state)draw(history, TARGET_STATE_COUNT));
        break;
    case 6:
        for (int i = 0; i < 3; i++)
            world_answer_target(world, task, groups[i], TARGET_UNHEALTHY);
        break;
    case 7:
    case 8:
        if (task_is_known(world, task))
            world_report_late(world, task, (enum task_health)draw(history, TASK_HEALTH_COUNT),
                              chance(history, 4) ? draw(history, (uint32_t)world->next_report + 1)
                                                 : ++world->next_report);
        break;
    default:
        (void)world_answer_one(world);
        break;
    }
}

/* Messages that make no sense. */
static void babble(struct history *history)
{
    task_id tasks[] = {draw(history, 50), draw(history, 500)};
    struct event event = {.kind = EVENT_MESSAGE, .token = 3};
    event.u.message.kind = (enum message_kind)draw(history, MESSAGE_KIND_COUNT);
    event.u.message.instance = draw(history, 12);
    event.u.message.seq = draw(history, 1000);
    if (event.u.message.kind == MESSAGE_STOP_VERIFICATION) {
        event.u.message.u.list.tasks = tasks;
        event.u.message.u.list.count = 2;
    } else if (event.u.message.kind == MESSAGE_TASK_STATE) {
        event.u.message.u.report.task = TASKS_MAX + draw(history, 10);
        event.u.message.u.report.status = TASK_STOPPED;
    }
    world_step(&history->world, &event);
}

/* Sometimes a task that is nobody's, or too long. */
static void protect_one(struct history *history)
{
    uint32_t count = (uint32_t)history->world.tasks.count;
    struct event event = {.kind = EVENT_UPDATE_TASK_PROTECTION, .token = 4};
    if (count == 0)
        return;
    event.u.task_protection.task = history->world.tasks.items[draw(history, count)].task;
    event.u.task_protection.is_protected = !chance(history, 4);
    event.u.task_protection.minutes = chance(history, 20) ? 3000 : 1 + draw(history, 15);
    world_step(&history->world, &event);
    for (uint32_t i = 0; i < count && event.u.task_protection.minutes > 12; i++) { /* all */
        event.u.task_protection.task = history->world.tasks.items[i].task;
        world_step(&history->world, &event);
    }
}

/* The network goes: many agents at once. */
static void disconnect_many(struct history *history)
{
    uint32_t count = cluster_instance_count(controller_cluster(history->world.controller));
    for (instance_id id = 0; id < count; id++) {
        struct event event = {.kind = EVENT_AGENT_DISCONNECTED, .token = 1, .u.agent = id};
        if (!chance(history, 3))
            world_step(&history->world, &event);
    }
}

static void something(struct history *history)
{
    uint32_t kind = draw(history, 100);
    uint32_t instances = cluster_instance_count(controller_cluster(history->world.controller));
    if (kind < 4 && instances < 14)
        register_one(history);
    else if (kind < 14)
        run_some(history);
    else if (kind < 22)
        change_service(history);
    else if (kind < 32)
        touch_instance(history);
    else if (kind < 44)
        end_a_task(history);
    else if (kind < 45)
        fail_starts(history);
    else if (kind < 47)
        babble(history);
    else if (kind < 51)
        protect_one(history);
    else if (kind == 51 && chance(history, 3))
        disconnect_many(history);
    else if (kind == 52)
        flip_alarm(history);
    else if (kind == 53)
        stop_deployment(history);
    else if (kind < 58)
        scale(history);
    else if (kind < 68)
        answer_something(history);
    else if (kind < 73)
        answer_one(history);
    else if (kind == 73 && chance(history, 2))
        continue_deployment(history);
    else if (kind == 73)
        change_task_sets(history);
    else if (kind == 74 && chance(history, 2))
        go_by_stages(history);
    else if (kind < 84)
        (void)world_settle_one(&history->world);
    else if (kind < 86)
        world_settle(&history->world);
    else
        world_advance(&history->world, (berth_ns)draw(history, 20000) * BERTH_NS_PER_MS);
    if (chance(history, 10)) { /* a second look does nothing */
        struct event event = {.kind = EVENT_TIMER};
        world_advance(&history->world, 0);
        world_step(&history->world, &event);
        assert_int_equal(history->world.actions.count, 0);
    }
}

static bool is_blocked(struct history *history, const struct service_view *service)
{
    struct change change = {.kind = RECORD_SERVICE, .u.service = *service};
    struct text value = TEXT_INIT;
    controller_record_value(history->world.controller, &change, &value);
    bool blocked = strstr(value.bytes, " blocked=") != NULL;
    text_free(&value);
    return blocked;
}

/* Its PRIMARY has failed, and nothing was put in its place. */
static bool is_stalled(struct history *history, service_id service)
{
    const struct controller *controller = history->world.controller;
    for (uint32_t i = 0; i < controller_deployment_count(controller, service); i++) {
        struct deployment_view view = controller_deployment(controller, service, i);
        if (view.is_primary)
            return view.rollout == ROLLOUT_FAILED;
    }
    return false;
}

/* Whether tasks of the service wait for an instance or a machine. */
static bool is_provisioning(struct history *history, service_id service)
{
    struct task_view task;
    for (task_id at = 0; controller_next_task(history->world.controller, at, &task); at = task.task)
        if (task.service == service && task.last_status == TASK_PROVISIONING)
            return true;
    return false;
}

/* Its starts have failed in a row, for want of room too: it tries again later and later. */
static bool is_throttled(struct history *history, service_id service)
{
    struct change change = {.kind = RECORD_DEPLOYMENT};
    struct text value = TEXT_INIT;
    for (uint32_t i = 0; i < controller_deployment_count(history->world.controller, service); i++) {
        change.u.deployment = controller_deployment(history->world.controller, service, i);
        if (change.u.deployment.is_primary)
            controller_record_value(history->world.controller, &change, &value);
    }
    bool throttled = strstr(value.bytes, " failures=0 ") == NULL;
    text_free(&value);
    return throttled;
}

/* Whose containers are checked are found healthy. */
static void heal_containers(struct world *world)
{
    struct task_view view;
    for (task_id at = 0; controller_next_task(world->controller, at, &view); at = view.task)
        if (view.desired_running && view.last_status == TASK_RUNNING &&
            view.health != HEALTH_HEALTHY && task_def_has_health_check(view.def))
            world_report_health(world, view.task, HEALTH_HEALTHY);
}

/* A managed provider that has more than it needs looks again every minute. */
static bool is_ticking(struct history *history)
{
    struct text dump = TEXT_INIT;
    controller_dump(history->world.controller, &dump);
    bool found = strstr(dump.bytes, " tick=") != NULL;
    text_free(&dump);
    return found;
}

/* Everything heals; what can come true does, and then there is nothing left to do. */
static void check_liveness(struct history *history)
{
    struct world *world = &history->world;
    struct cluster *cluster = controller_cluster(world->controller);
    bool all_steady = true;
    for (int i = 0; i < 4; i++) { /* or scheduled actions go on for ever */
        struct event event = {.kind = EVENT_DEREGISTER_SCALABLE_TARGET,
                              .u.scalable_target.service = history->services[i]};
        (void)world_command(world, event);
    }
    world->asked.count = 0;
    world_step(world, &(struct event){.kind = EVENT_RESUME});
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++) {
        struct event event = {.kind = EVENT_AGENT_CONNECTED, .token = 1, .u.agent = id};
        world_step(world, &event);
        if (cluster_instance(cluster, id)->status == INSTANCE_DRAINING)
            world_state(world, id, INSTANCE_ACTIVE);
    }
    for (int i = 0; i < 60; i++) {
        while (history->requests.count > 0)
            answer_one(history);
        world_settle(world);
        heal_containers(world);
        world_advance(world, 60 * BERTH_NS_PER_S);
    }
    world_advance(world, 3600 * BERTH_NS_PER_S); /* what stopped is forgotten */
    for (service_id id = 0; id < controller_service_count(world->controller); id++) {
        struct service_view service = controller_service(world->controller, id);
        if (!service.is_active || service.is_steady)
            continue;
        all_steady = false;
        if (is_blocked(history, &service) || is_stalled(history, id) ||
            is_provisioning(history, id) || is_throttled(history, id) || is_staged(history, id))
            continue; /* what stands side by side may lack room and not say so */
        struct percents percents = percents_of(history, &service); /* or it cannot move */
        assert_true(service.deployment_count > 1);
        assert_true(world_live(world, id) >= service.desired_count * percents.maximum / 100);
        assert_true(healthy_of(history, id) <=
                    (service.desired_count * percents.minimum + 99) / 100);
    }
    if (all_steady && controller_waiting_count(world->controller) == 0 && !is_ticking(history))
        assert_true(controller_next_deadline(world->controller) == BERTH_NS_NEVER &&
                    controller_stopped_count(world->controller) == 0);
}

static void free_history(struct history *history)
{
    for (size_t i = 0; i < history->records.count; i++)
        free_record(&history->records.items[i]);
    vec_free(&history->records);
    vec_free(&history->requests);
    commit_free(&history->commit);
    controller_destroy(history->shadow);
    action_list_free(&history->shadow_actions);
    mem_free(history->running_since);
    mem_free(history->has_failed);
    mem_free(history->is_balanced);
    world_close(&history->world);
}

static void run_history(uint64_t seed, bool gives_up, struct coverage *coverage)
{
    struct history history = {.rng = {rng_key(seed, "history", 0), 0},
                              .coverage = coverage,
                              .services = {"a", "b", "daemon", "d2"}};
    print_message("seed %llu\n", (unsigned long long)seed);
    world_open(&history.world);
    controller_destroy(history.world.controller);
    history.world.options.random_key = seed;
    if (gives_up) {
        history.world.options.instance_lost_ns = 90 * BERTH_NS_PER_S;
        history.world.options.waiting_give_up_ns = 120 * BERTH_NS_PER_S;
    }
    if (seed % 3 == 0)
        history.world.options.launches_per_minute = 5;
    if (seed % 4 == 0)
        history.world.options.brake_percent = 30;
    history.world.controller = controller_create(&history.world.options);
    history.running_since = mem_alloc(TASKS_MAX * sizeof *history.running_since);
    history.has_failed = mem_alloc(TASKS_MAX * sizeof *history.has_failed);
    history.is_balanced = mem_alloc(TASKS_MAX * sizeof *history.is_balanced);
    history.world.watch = watch;
    history.world.context = &history;
    define_all(&history.world);
    put_providers(&history);
    for (int i = 0; i < 6; i++)
        register_one(&history);
    for (int i = 0; i < STEPS; i++)
        something(&history);
    check_liveness(&history);
    reload(&history);
    coverage->reloads += history.reloads;
    coverage->placements += history.placements;
    coverage->bounds_checked += history.bounds_checked;
    uint64_t rules[RULE_COUNT];
    controller_rules(history.world.controller, rules);
    for (int rule = 0; rule < RULE_COUNT; rule++)
        coverage->rules[rule] += rules[rule];
    for (int kind = 0; kind < SERVICE_EVENT_KIND_COUNT; kind++)
        coverage->told[kind] += history.world.told[kind];
    for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++)
        coverage->requested[kind] += history.world.requested[kind];
    free_history(&history);
}

static void check_capacity(const struct coverage *coverage)
{
    static const enum rule rules[] = {RULE_BASE,       RULE_WEIGHT,        RULE_GROUP_OUT,
                                      RULE_GROUP_IN,   RULE_MANAGED_DRAIN, RULE_FARGATE,
                                      RULE_INTERRUPTED};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (coverage->rules[rules[i]] == 0)
            fail_msg("%s never fired", rule_infos[rules[i]].name);
    for (int kind = REQUEST_RESIZE_GROUP; kind <= REQUEST_LAUNCH_FARGATE; kind++)
        if (coverage->requests[kind] == 0)
            fail_msg("%s was never asked", request_kind_names[kind]);
}

static void test_histories(void **state)
{
    (void)state;
    struct coverage coverage = {.waited = 0};
    const char *given = getenv("SEED");
    if (given != NULL) {
        uint64_t seed = strtoull(given, NULL, 10);
        run_history(seed, seed % 2 == 0, &coverage);
        return;
    }
    for (uint64_t seed = 1; seed <= HISTORIES; seed++)
        run_history(seed, seed % 2 == 0, &coverage);
    assert_true(coverage.waited > 0 && coverage.card_shares > 0 && coverage.reloads > 100);
    static const enum rule keeping[] = {
        RULE_LAUNCH_RATE, RULE_PROTECTED, RULE_REBALANCE_START,      RULE_REBALANCE_STOP,
        RULE_BRAKE,       RULE_HOST_LOST, RULE_UNHEALTHY_START_FIRST};
    for (size_t i = 0; i < sizeof keeping / sizeof keeping[0]; i++)
        if (coverage.rules[keeping[i]] == 0)
            fail_msg("the rule %s never fired", rule_infos[keeping[i]].name);
    assert_true(coverage.placements > 1000 && coverage.bounds_checked > 300);
    assert_true(coverage.unhealthy > 0);
    for (int kind = REQUEST_REGISTER_TARGET; kind <= REQUEST_DETACH_INTERFACE; kind++)
        if (coverage.requested[kind] == 0)
            fail_msg("%s was never asked for", request_kind_names[kind]);
    for (int status = 0; status < TASK_STATUS_COUNT; status++)
        if (coverage.lasts[status] == 0)
            fail_msg("no task was ever %s", task_status_names[status]);
    check_capacity(&coverage);
    for (int reason = STOP_REASON_NONE + 1; reason <= STOP_REASON_CONSTRAINT; reason++)
        if (coverage.reasons[reason] == 0)
            fail_msg("no task ever stopped for %s", stop_reason_names[reason]);
    assert_true(coverage.reasons[STOP_REASON_UNHEALTHY_TARGET] > 0);
    for (int status = SERVICE_DEPLOYMENT_IN_PROGRESS; status < SERVICE_DEPLOYMENT_STATUS_COUNT;
         status++)
        if (coverage.statuses[status] == 0 && status != SERVICE_DEPLOYMENT_ROLLBACK_REQUESTED)
            fail_msg("no deployment was ever %s", service_deployment_status_names[status]);
    for (int cause = 0; cause < ROLLOUT_CAUSE_COUNT; cause++)
        if (coverage.causes[cause] == 0 && cause != ROLLOUT_CAUSE_STAGE_TIMEOUT)
            fail_msg("no deployment ever ended by %s", rollout_cause_names[cause]);
    static const enum rule scaling[] = {RULE_TARGET_TRACKING_OUT, RULE_TARGET_TRACKING_IN,
                                        RULE_STEP_SCALING, RULE_SCHEDULED, RULE_COOLDOWN};
    for (size_t i = 0; i < sizeof scaling / sizeof scaling[0]; i++)
        if (coverage.rules[scaling[i]] == 0)
            fail_msg("the rule %s never fired", rule_infos[scaling[i]].name);
    /* Pause hooks wait for an operator, who seldom comes in time here: blue_green.in has them. */
    for (int kind = 0; kind < SERVICE_EVENT_HOOK_AWAITING; kind++)
        if (coverage.told[kind] == 0 && kind != SERVICE_EVENT_PROVISIONING_LIMIT)
            fail_msg("%s was never told", service_event_kind_names[kind]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
