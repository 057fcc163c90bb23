/* Actions: what a step leaves behind. Each change takes the next revision; nothing else does. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

static inline struct action *push(struct controller *controller, enum action_kind kind)
{
    struct action *action = vec_push(controller->out);
    action->kind = kind;
    return action;
}

static struct change *push_change(struct controller *controller, enum record_kind kind)
{
    struct change *change = &push(controller, ACTION_CHANGE)->u.change;
    change->revision = ++controller->revision;
    change->kind = kind;
    change->is_deleted = false;
    return change;
}

static uint32_t gpu_milli_of(const struct task *task)
{
    uint32_t milli = 0;
    for (uint16_t i = 0; i < task->gpu_count; i++)
        milli += task->gpus[i].milli;
    return milli;
}

/* Into its place: a view is 176 bytes, and several are made for every task. */
void task_view_of(const struct task *task, enum task_status previous, bool was_desired,
                  struct task_view *out)
{
    out->task = task->id;
    out->def = task->def;
    out->reference = task->reference;
    out->requested_mono_ns = task->requested_mono_ns;
    out->created_wall_ns = task->created_wall_ns;
    out->pull_started_ns = task->pull_started_ns;
    out->pull_stopped_ns = task->pull_stopped_ns;
    out->started_ns = task->started_ns;
    out->stopping_ns = task->stopping_ns;
    out->stopped_ns = task->stopped_ns;
    out->service = task->service;
    out->group = task->group;
    out->instance = task->instance;
    out->version = task->version;
    out->cpu_units = task->cpu_units;
    out->mem_mib = task->mem_mib;
    out->exit_code = task->exit_code;
    out->stop_text = task->stop_text;
    out->provider = task->provider;
    out->last_status = task->status;
    out->previous_status = previous;
    out->stop_code = task->stop_code;
    out->stop_reason = task->stop_reason;
    out->verdict = task->verdict;
    out->health = task_health_of(task);
    out->previous_health = (enum task_health)task->told_health;
    out->desired_running = task->desired_running;
    out->was_desired_running = was_desired;
    out->counts_as_healthy =
        task->desired_running && task->status == TASK_RUNNING && task->is_healthy;
    out->is_protected = task_is_protected(task);
    out->gpu_milli = gpu_milli_of(task);
    out->deployment = task->deployment_number;
}

void emit_task(struct controller *controller, struct task *task, enum task_status previous,
               bool was_desired)
{
    assert(previous <= task->status && (was_desired || !task->desired_running));
    struct change *change = push_change(controller, RECORD_TASK);
    task->version++;
    task->revision = change->revision;
    task_view_of(task, previous, was_desired, &change->u.task);
    task->told_health = (uint8_t)change->u.task.health;
}

void emit_task_gone(struct controller *controller, const struct task_view *task)
{
    struct change *change = push_change(controller, RECORD_TASK);
    change->is_deleted = true;
    change->u.task = *task;
    controller->needs_own_record = true;
}

struct service_view service_view_of(const struct service *service)
{
    struct service_view view = {
        .service = service->id,
        .group = service->group,
        .name = service->name,
        .scheduling = service->scheduling,
        .desired_count = service->desired_count,
        .deployment_count = (uint32_t)service->deployments.count,
        .is_active = true,
    };
    for (size_t i = 0; i < service->deployments.count; i++)
        for (int draining = 0; draining < 2; draining++) {
            const struct tally *tally = &service->deployments.items[i]->tally[draining];
            view.running_count += tally->young + tally->healthy + tally->unhealthy;
            view.pending_count += tally->pending;
            view.healthy_count += tally->healthy;
            view.unhealthy_count += tally->unhealthy;
        }
    view.is_steady = view.running_count == view.desired_count && view.pending_count == 0 &&
                     view.deployment_count == 1;
    if (service->controller == CONTROLLER_EXTERNAL)
        view.is_steady = task_sets_are_stable(service);
    return view;
}

void emit_service(struct controller *controller, struct service *service,
                  const struct service_view *view)
{
    struct change *change = push_change(controller, RECORD_SERVICE);
    service->revision = change->revision;
    service->emitted = *view;
    service->is_record_dirty = false;
    service->is_new = false;
    change->u.service = *view;
}

void emit_service_gone(struct controller *controller, const struct service *service)
{
    struct change *change = push_change(controller, RECORD_SERVICE);
    change->is_deleted = true;
    change->u.service = service_view_of(service);
    change->u.service.is_active = false;
    change->u.service.is_steady = false;
    controller->needs_own_record = true;
}

void emit_deployment(struct controller *controller, struct deployment *deployment,
                     const struct deployment_view *view)
{
    struct change *change = push_change(controller, RECORD_DEPLOYMENT);
    deployment->record_revision = change->revision;
    deployment->emitted = *view;
    deployment->is_record_dirty = false;
    change->u.deployment = *view;
}

void emit_deployment_gone(struct controller *controller, const struct deployment *deployment)
{
    struct change *change = push_change(controller, RECORD_DEPLOYMENT);
    change->is_deleted = true;
    change->u.deployment = deployment_view_of(deployment);
    change->u.deployment.is_live = false;
    controller->needs_own_record = true;
}

void emit_instance(struct controller *controller, instance_id id)
{
    struct change *change = push_change(controller, RECORD_INSTANCE);
    change->u.instance = id;
    host_of(controller, id)->revision = change->revision;
}

void emit_group(struct controller *controller, group_id group)
{
    struct group_state *state = &controller->groups.items[group];
    struct change *change = push_change(controller, RECORD_GROUP);
    change->u.group = group;
    state->revision = change->revision;
    state->emitted_counter = state->stream.counter;
}

void emit_provider(struct controller *controller, struct provider *provider)
{
    struct change *change = push_change(controller, RECORD_PROVIDER);
    provider->revision = change->revision;
    change->u.provider = provider_view_of(provider);
}

void emit_provider_gone(struct controller *controller, const struct provider *provider)
{
    struct change *change = push_change(controller, RECORD_PROVIDER);
    change->is_deleted = true;
    change->u.provider = provider_view_of(provider);
    controller->needs_own_record = true;
}

void emit_task_def(struct controller *controller, const struct task_def *def)
{
    struct change *change = push_change(controller, RECORD_TASK_DEFINITION);
    change->u.task_def = def;
    *vec_push(&controller->def_records) = (struct def_record){def, change->revision};
}

void emit_scaling(struct controller *controller, const struct scaling_view *view, bool is_deleted,
                  uint64_t *revision)
{
    struct change *change = push_change(controller, RECORD_SCALING);
    change->is_deleted = is_deleted;
    change->u.scaling = *view;
    *revision = change->revision;
    if (is_deleted)
        controller->needs_own_record = true;
}

void emit_controller(struct controller *controller)
{
    (void)push_change(controller, RECORD_CONTROLLER);
    controller->needs_own_record = false;
}

void emit_event(struct controller *controller, const struct service_event *event)
{
    struct service_event *copy = &push(controller, ACTION_SERVICE_EVENT)->u.service_event;
    *copy = *event;
    if (event->task_count > 0) {
        task_id *tasks = arena_alloc(&controller->arena, event->task_count * sizeof *tasks);
        memcpy(tasks, event->tasks, event->task_count * sizeof *tasks);
        copy->tasks = tasks;
    }
    if (event->zone_count > 0) {
        struct zone_tasks *zones =
            arena_alloc(&controller->arena, event->zone_count * sizeof *zones);
        memcpy(zones, event->zones, event->zone_count * sizeof *zones);
        copy->zones = zones;
    }
}

struct request *emit_request(struct controller *controller, enum request_kind kind,
                             service_id service, uint64_t deployment)
{
    struct request *request = &push(controller, ACTION_REQUEST)->u.request;
    memset(request, 0, sizeof *request);
    request->kind = kind;
    request->service = service;
    request->deployment = deployment;
    return request;
}

struct message *emit_message(struct controller *controller, enum message_kind kind,
                             instance_id instance, uint64_t seq)
{
    struct message *message = &push(controller, ACTION_SEND)->u.send;
    message->kind = kind;
    message->instance = instance;
    message->seq = seq;
    message->owns_grants = false;
    return message;
}

void emit_payload(struct controller *controller, const struct task *task, uint64_t seq)
{
    struct message *message = emit_message(controller, MESSAGE_PAYLOAD, task->instance, seq);
    struct task_payload *payload = &message->u.payload;
    payload->task = task->id;
    payload->def = task->def;
    payload->group =
        symbols_text(controller->symbols, cluster_group_name(controller->cluster, task->group));
    payload->reference = task->reference;
    payload->cpu_units = task->cpu_units;
    payload->mem_mib = task->mem_mib;
    payload->grants = task->grants;
    payload->grant_count = task->grant_count;
    payload->desired_running = task->status < TASK_STOPPING; /* its targets have drained */
}

struct reply *emit_reply(struct controller *controller, const struct event *event)
{
    if (event->token == 0)
        return NULL;
    struct reply *reply = &push(controller, ACTION_REPLY)->u.reply;
    memset(reply, 0, sizeof *reply);
    reply->token = event->token;
    reply->command = event->kind;
    return reply;
}

void emit_refusal(struct controller *controller, const struct event *event,
                  enum reply_status status, const char *format, ...)
{
    struct reply *reply = emit_reply(controller, event);
    if (reply == NULL)
        return;
    char *text = arena_alloc(&controller->arena, BERTH_ERROR_TEXT_MAX);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, BERTH_ERROR_TEXT_MAX, format, args);
    va_end(args);
    reply->status = status;
    reply->text = text;
}
