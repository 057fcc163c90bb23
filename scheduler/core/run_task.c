/*
 * RunTask and StopTask. Copies are placed one after another, each seeing those before it. With a
 * launch type, what does not fit is refused in the reply; with a capacity provider it waits.
 */
#include <stdio.h>
#include <string.h>

#include "scheduler/core/ask.h"
#include "scheduler/core/stopped.h"

enum { COUNT_MAX = 100000, GROUP_NAME_MAX = 255, TEXT_MAX = 1024 };

/* FNV-1a of the group's name: the entity's number for its random stream. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

struct rng group_stream(const struct controller *controller, const char *name)
{
    return (struct rng){rng_key(controller->options.random_key, "group", hash_name(name)), 0};
}

/*
 * A group's number and stream are part of the state from the first mention on, and are never given
 * up: a service that is made again under its old name goes on where its stream stood.
 */
group_id group_ensure(struct controller *controller, const char *name)
{
    group_id group = cluster_group(controller->cluster, symbols_add(controller->symbols, name));
    while (controller->groups.count <= group)
        *vec_push(&controller->groups) = (struct group_state){.exists = false};
    struct group_state *state = &controller->groups.items[group];
    if (!state->exists) {
        state->exists = true;
        state->stream = group_stream(controller, name);
        emit_group(controller, group);
    }
    return group;
}

void group_settle(struct controller *controller, group_id group)
{
    const struct group_state *state = &controller->groups.items[group];
    if (state->stream.counter != state->emitted_counter)
        emit_group(controller, group);
}

struct placement_request task_request(struct controller *controller, const struct plan *plan,
                                      group_id group, const struct demand *demand)
{
    return (struct placement_request){
        .plan = plan->compiled,
        .demand = demand,
        .group = group,
        .stream = &controller->groups.items[group].stream,
    };
}

static enum berth_err check_numbers(const struct event_run_task *event, struct berth_error *err)
{
    if (event->count < 1 || event->count > COUNT_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "count: %lu; use 1 to %d",
                          (unsigned long)event->count, COUNT_MAX);
    if (event->cpu_units < OVERRIDE_NONE)
        return berth_fail(err, BERTH_ERR_INPUT, "overrides.cpu: must not be negative");
    if (event->mem_mib < OVERRIDE_NONE)
        return berth_fail(err, BERTH_ERR_INPUT, "overrides.memory: must not be negative");
    if (event->overrides_gpus && event->gpu_count > GPU_DEVICES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "overrides: more than %d GPU requests",
                          GPU_DEVICES_MAX);
    for (uint16_t i = 0; event->overrides_gpus && i < event->gpu_count; i++)
        if (event->gpus[i].milli == 0 ||
            (event->gpus[i].milli > BERTH_GPU_MILLI && event->gpus[i].milli % BERTH_GPU_MILLI != 0))
            return berth_fail(err, BERTH_ERR_INPUT,
                              "overrides: a GPU request is a share below 1 or a whole number");
    if (event->group != NULL && (event->group[0] == '\0' || strlen(event->group) > GROUP_NAME_MAX))
        return berth_fail(err, BERTH_ERR_INPUT, "group: use 1 to %d characters", GROUP_NAME_MAX);
    if (event->group != NULL && strncmp(event->group, "service:", 8) == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "group: service:... belongs to a service; choose another name");
    return BERTH_OK;
}

static group_id default_group(struct controller *controller, struct plan *plan)
{
    if (plan->default_group == GROUP_NONE) {
        text_clear(&controller->key);
        text_addf(&controller->key, "family:%s", plan->def->family);
        plan->default_group = group_ensure(controller, controller->key.bytes);
    }
    return plan->default_group;
}

static enum berth_err find_def(const struct controller *controller,
                               const struct event_run_task *call, struct ask *ask,
                               struct berth_error *err)
{
    ask->def = call->task_definition == NULL
                   ? NULL
                   : task_def_find(controller->task_defs, call->task_definition);
    if (ask->def == NULL || ask->def->status != TASK_DEF_ACTIVE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "taskDefinition: there is no ACTIVE %.256s; register it first",
                          call->task_definition == NULL ? "one" : call->task_definition);
    return BERTH_OK;
}

/* Its definition and plan. Names are looked up and texts checked once for many equal calls. */
static enum berth_err find_plan(struct controller *controller, const struct event_run_task *call,
                                struct ask *ask, struct berth_error *err)
{
    ask->plan = plan_recall(controller, call);
    if (ask->plan != NULL) {
        ask->def = ask->plan->def;
        return check_numbers(call, err);
    }
    if (find_def(controller, call, ask, err) != BERTH_OK || check_numbers(call, err) != BERTH_OK ||
        plan_get(controller, ask->def, call->strategies, call->strategy_count, call->constraints,
                 call->constraint_count, PLACEMENT_DEFAULT_STANDALONE, &ask->plan, err) != BERTH_OK)
        return err->code;
    plan_remember(controller, ask->plan);
    return BERTH_OK;
}

enum berth_err ask_resolve(struct controller *controller, const struct event_run_task *call,
                           struct ask *ask, struct berth_error *err)
{
    ask->event = call;
    ask->wait_class = UINT32_MAX;
    if (find_plan(controller, call, ask, err) != BERTH_OK)
        return err->code;
    ask->demand = ask->def->demand;
    if (call->cpu_units != OVERRIDE_NONE)
        ask->demand.cpu_units = call->cpu_units;
    if (call->mem_mib != OVERRIDE_NONE)
        ask->demand.mem_mib = call->mem_mib;
    if (call->overrides_gpus) {
        ask->demand.gpus =
            intern_bytes(controller, call->gpus, call->gpu_count * sizeof *call->gpus);
        ask->demand.gpu_count = call->gpu_count;
    }
    if (capacity_resolve(controller, call->providers, call->provider_count,
                         call->takes_launch_type || call->waits, &ask->providers, err) != BERTH_OK)
        return err->code;
    return ask->providers.is_fargate ? capacity_check_fargate(ask->def, &ask->demand, err)
                                     : BERTH_OK;
}

/* Fills `ask`, or makes the refusal and returns false. */
static bool resolve(struct controller *controller, const struct event *event, struct ask *ask)
{
    const struct event_run_task *wanted = &event->u.run_task;
    struct berth_error err;
    berth_error_clear(&err);
    if (ask_resolve(controller, wanted, ask, &err) != BERTH_OK) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", err.text);
        return false;
    }
    ask->group = wanted->group == NULL ? default_group(controller, ask->plan)
                                       : group_ensure(controller, wanted->group);
    return true;
}

static symbol started_by(struct controller *controller, const struct ask *ask)
{
    const char *text = ask->event->started_by;
    symbol last = ask->plan->started_by;
    if (text == NULL)
        return SYMBOL_NONE;
    if (last == SYMBOL_NONE || strcmp(symbols_text(controller->symbols, last), text) != 0)
        ask->plan->started_by = symbols_add(controller->symbols, text);
    return ask->plan->started_by;
}

static struct task *new_task(struct controller *controller, const struct ask *ask)
{
    struct task *task = task_alloc(controller, ++controller->last_task);
    task->reference = ask->event->reference;
    task->def = ask->def;
    task->group = ask->group;
    task->cpu_units = ask->demand.cpu_units;
    task->mem_mib = ask->demand.mem_mib;
    task->gpus = ask->demand.gpus;
    task->gpu_count = (uint8_t)ask->demand.gpu_count;
    task->overrides_gpus = ask->event->overrides_gpus;
    task->started_by = started_by(controller, ask);
    task->requested_mono_ns = controller->now.mono_ns;
    task->created_wall_ns = controller->now.wall_ns;
    return task;
}

static void wait(struct controller *controller, struct ask *ask)
{
    struct task *task = new_task(controller, ask);
    if (ask->wait_class == UINT32_MAX)
        ask->wait_class =
            waiting_class(controller, ask->plan, ask->group, SYMBOL_NONE, &ask->demand);
    waiting_add(controller, task, ask->wait_class);
    emit_task(controller, task, TASK_PROVISIONING, true);
}

static void fill_failures(struct controller *controller, const struct ask *ask, struct reply *reply)
{
    struct placement_request request =
        task_request(controller, ask->plan, ask->group, &ask->demand);
    instance_id closest =
        placement_closest(controller->cluster, &request, &reply->u.run_task.reason);
    reply->u.run_task.no_instances = closest == INSTANCE_NONE;
    if (!ask->event->wants_failures)
        return;
    uint32_t count = cluster_instance_count(controller->cluster);
    struct reply_failure *failures = arena_alloc(&controller->arena, count * sizeof *failures);
    for (instance_id id = 0; id < count; id++)
        failures[id] =
            (struct reply_failure){id, placement_check(controller->cluster, &request, id)};
    reply->u.run_task.failures = failures;
    reply->u.run_task.failure_count = count;
}

static const task_id *list_ids(struct controller *controller, task_id first, uint32_t count)
{
    task_id *tasks = arena_alloc(&controller->arena, count * sizeof *tasks);
    for (uint32_t i = 0; i < count; i++)
        tasks[i] = first + i;
    return tasks;
}

/* The id of a single copy, as nearly always, is the last that was given: it is lent as it stands.
 */
static void answer(struct controller *controller, const struct event *event, const struct ask *ask,
                   task_id first, uint32_t created, uint32_t placed)
{
    struct reply *reply = emit_reply(controller, event);
    if (reply == NULL)
        return;
    reply->u.run_task.tasks =
        created == 1 ? &controller->last_task : list_ids(controller, first, created);
    reply->u.run_task.task_count = created;
    reply->u.run_task.placed_count = placed;
    reply->u.run_task.refused_count = event->u.run_task.count - created;
    if (created < event->u.run_task.count)
        fill_failures(controller, ask, reply);
}

/* False: the copy is refused, since as many wait in PROVISIONING as may. */
static bool run_by_provider(struct controller *controller, struct ask *ask,
                            struct provider *provider, uint32_t *placed)
{
    struct placement_request request =
        task_request(controller, ask->plan, ask->group, &ask->demand);
    instance_id instance = INSTANCE_NONE;
    request.pool = provider->name;
    if (!is_fargate(provider->kind) &&
        waiting_find(controller, ask->plan, ask->group, provider->name, &ask->demand) == UINT32_MAX)
        instance = placement_choose(controller->cluster, &request);
    if (instance == INSTANCE_NONE && !is_fargate(provider->kind) &&
        controller->provisioning >= PROVISIONING_TASKS_MAX)
        return false;
    struct task *task = new_task(controller, ask);
    task->provider = provider->name;
    if (is_fargate(provider->kind)) {
        capacity_launch(controller, task, provider);
    } else if (instance != INSTANCE_NONE) {
        task_place(controller, task, instance);
        ++*placed;
    } else {
        waiting_add(controller, task,
                    waiting_class(controller, ask->plan, ask->group, provider->name, &ask->demand));
        emit_task(controller, task, TASK_PROVISIONING, true);
    }
    return true;
}

/* The shares are those of the call (semantics 5.1). */
static void run_by_providers(struct controller *controller, const struct event *event,
                             struct ask *ask)
{
    uint32_t created = 0, placed = 0;
    task_id first = controller->last_task + 1;
    if (!ask->providers.is_fargate && controller->provisioning >= PROVISIONING_TASKS_MAX) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "the tasks provisioning capacity limit was exceeded: %d tasks are "
                     "PROVISIONING; try again later",
                     PROVISIONING_TASKS_MAX);
        return;
    }
    for (; created < ask->event->count; created++) {
        struct provider *provider =
            capacity_choose(controller, ask->providers.items, ask->providers.count);
        if (!run_by_provider(controller, ask, provider, &placed))
            break;
        for (uint16_t i = 0; i < ask->providers.count; i++)
            ask->providers.items[i].count += ask->providers.items[i].provider == provider->name;
    }
    group_settle(controller, ask->group);
    answer(controller, event, ask, first, created, placed);
}

void run_task(struct controller *controller, const struct event *event)
{
    struct ask ask;
    uint32_t placed = 0;
    if (!resolve(controller, event, &ask))
        return;
    if (ask.providers.count > 0) {
        run_by_providers(controller, event, &ask);
        return;
    }
    task_id first = controller->last_task + 1;
    struct placement_request request = task_request(controller, ask.plan, ask.group, &ask.demand);
    /* If the same waits already, there is no room: that is what waiting.c keeps true. */
    bool may_fit =
        waiting_find(controller, ask.plan, ask.group, SYMBOL_NONE, &ask.demand) == UINT32_MAX;
    while (may_fit && placed < ask.event->count) {
        instance_id instance = placement_choose(controller->cluster, &request);
        if (instance == INSTANCE_NONE)
            break;
        task_place(controller, new_task(controller, &ask), instance);
        placed++;
    }
    group_settle(controller, ask.group);
    uint32_t created = placed;
    for (; ask.event->waits && created < ask.event->count; created++)
        wait(controller, &ask);
    answer(controller, event, &ask, first, created, placed);
}

void stop_task(struct controller *controller, const struct event *event)
{
    const char *reason = event->u.stop_task.reason;
    struct task *task = task_find(controller, event->u.stop_task.task);
    struct stopped_task past;
    if (task == NULL && stopped_find(controller, event->u.stop_task.task, &past)) {
        (void)emit_reply(controller, event); /* It has stopped: nothing to do. */
        return;
    }
    if (task == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND,
                     "task: %llu was not found; it may have stopped already",
                     (unsigned long long)event->u.stop_task.task);
        return;
    }
    if (reason != NULL && strlen(reason) > TEXT_MAX) {
        emit_refusal(controller, event, REPLY_INVALID, "reason: use at most %d characters",
                     TEXT_MAX);
        return;
    }
    if (task->desired_running) {
        task->stop_text = symbols_add(controller->symbols, reason);
        task_stop(controller, task, STOP_USER_INITIATED, STOP_REASON_USER);
    }
    (void)emit_reply(controller, event);
}
