#include "scheduler/ecs/event_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "scheduler/base/iso_time.h"

static void add_name(struct text *out, const char *name)
{
    char last = out->length > 0 ? out->bytes[out->length - 1] : '{';
    text_addf(out, "%s\"%s\":", last == '{' ? "" : ",", name);
}

void event_json_text(struct text *out, const char *name, const char *value)
{
    add_name(out, name);
    text_add_json(out, value);
}

void event_json_number(struct text *out, const char *name, int64_t value)
{
    add_name(out, name);
    text_addf(out, "%" PRId64, value);
}

void event_json_bool(struct text *out, const char *name, bool value)
{
    add_name(out, name);
    text_add(out, value ? "true" : "false");
}

void event_json_time(struct text *out, const char *name, berth_ns wall_ns)
{
    char time[ISO_TIME_BYTES];
    if (wall_ns == 0)
        return;
    iso_time_format(wall_ns, 3, time);
    event_json_text(out, name, time);
}

static const char *symbol_text(const struct controller *controller, symbol id)
{
    return symbols_text(cluster_symbols(controller_cluster(controller)), id);
}

/* "arn:aws:ecs:REGION:ACCOUNT:task/default/ID" */
static void format_arn(const struct controller *controller, const char *kind, const char *id,
                       struct text *out)
{
    const struct controller_options *options = controller_options(controller);
    text_addf(out, "arn:aws:ecs:%s:%s:%s/%s/%s", options->region, options->account, kind,
              options->cluster, id);
}

static void add_cluster(const struct controller *controller, struct text *out)
{
    struct text arn = TEXT_INIT;
    const struct controller_options *options = controller_options(controller);
    text_addf(&arn, "arn:aws:ecs:%s:%s:cluster/%s", options->region, options->account,
              options->cluster);
    event_json_text(out, "clusterArn", arn.bytes);
    text_free(&arn);
}

static void add_arn(const struct controller *controller, const char *name, const char *kind,
                    const char *id, struct text *out)
{
    struct text arn = TEXT_INIT;
    format_arn(controller, kind, id, &arn);
    event_json_text(out, name, arn.bytes);
    text_free(&arn);
}

/* A UUID of version 8 (RFC 9562), whose bits are the sender's own. */
static void add_id(struct text *out, const struct event_envelope *envelope)
{
    uint64_t high = envelope->stream, low = envelope->number;
    text_addf(out, "\"%08" PRIx64 "-%04" PRIx64 "-8%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64 "\"",
              high >> 32, (high >> 16) & 0xffff, (high >> 4) & 0xfff,
              UINT64_C(0x8000) | ((low >> 48) & 0x3fff), low & UINT64_C(0xffffffffffff));
}

void event_json_begin(const struct controller *controller, const struct event_envelope *envelope,
                      const char *source, const char *detail_type, const char *resource,
                      struct text *out)
{
    const struct controller_options *options = controller_options(controller);
    char time[ISO_TIME_BYTES];
    iso_time_format(envelope->wall_ns, 0, time);
    text_add(out, "{\"version\":\"0\",\"id\":");
    add_id(out, envelope);
    event_json_text(out, "detail-type", detail_type);
    event_json_text(out, "source", source);
    event_json_text(out, "account", options->account);
    event_json_text(out, "time", time);
    event_json_text(out, "region", options->region);
    add_name(out, "resources");
    text_add(out, "[");
    if (resource != NULL)
        text_add_json(out, resource);
    text_add(out, "]");
    if (envelope->members != NULL)
        text_add(out, envelope->members);
    text_add(out, ",\"detail\":{");
}

void event_json_end(struct text *out)
{
    text_add(out, "}}");
}

static void begin_about(const struct controller *controller, const struct event_envelope *envelope,
                        const char *detail_type, const char *kind, const char *id, struct text *out)
{
    struct text arn = TEXT_INIT;
    format_arn(controller, kind, id, &arn);
    event_json_begin(controller, envelope, "aws.ecs", detail_type, arn.bytes, out);
    text_free(&arn);
}

static void add_definition(const struct controller *controller, const struct task_def *def,
                           struct text *out)
{
    const struct controller_options *options = controller_options(controller);
    struct text arn = TEXT_INIT;
    text_addf(&arn, "arn:aws:ecs:%s:%s:task-definition/%s:%" PRIu32, options->region,
              options->account, def->family, def->revision);
    event_json_text(out, "taskDefinitionArn", arn.bytes);
    text_free(&arn);
}

static void add_task_place(const struct controller *controller, const struct task_view *task,
                           struct text *out)
{
    const struct cluster *cluster = controller_cluster(controller);
    if (task->instance >= cluster_instance_count(cluster))
        return;
    const struct instance *instance = cluster_instance(cluster, task->instance);
    add_arn(controller, "containerInstanceArn", "container-instance",
            symbol_text(controller, instance->name), out);
    if (instance->zone != SYMBOL_NONE)
        event_json_text(out, "availabilityZone", symbol_text(controller, instance->zone));
}

/* Containers follow their task: what one of them does alone is the agent's knowledge. */
static void add_containers(const struct task_view *task, struct text *out)
{
    add_name(out, "containers");
    text_add(out, "[");
    for (size_t i = 0; i < task->def->container_count; i++) {
        text_add(out, i > 0 ? ",{" : "{");
        event_json_text(out, "name", task->def->containers[i].name);
        event_json_text(out, "image", task->def->containers[i].image);
        event_json_text(out, "lastStatus",
                        task_status_names[task->last_status < TASK_RUNNING    ? TASK_PENDING
                                          : task->last_status == TASK_STOPPED ? TASK_STOPPED
                                                                              : TASK_RUNNING]);
        text_add(out, "}");
    }
    text_add(out, "]");
}

/* It ran, and its agent said how it ended. */
static bool has_exit_code(const struct task_view *task)
{
    return task->last_status == TASK_STOPPED && task->started_ns != 0 &&
           task->stop_reason != STOP_REASON_HOST_TERMINATED &&
           task->stop_reason != STOP_REASON_HOST_LOST &&
           task->stop_reason != STOP_REASON_DEREGISTERED;
}

static void add_stop(const struct controller *controller, const struct task_view *task,
                     struct text *out)
{
    if (task->stop_code == STOP_NONE)
        return;
    struct text reason = TEXT_INIT;
    stopped_reason_format(controller, task, &reason);
    event_json_text(out, "stopCode", stop_code_names[task->stop_code]);
    event_json_text(out, "stoppedReason", reason.bytes);
    if (has_exit_code(task))
        event_json_number(out, "exitCode", task->exit_code);
    text_free(&reason);
}

void event_json_task(const struct controller *controller, const struct event_envelope *envelope,
                     const struct task_view *task, struct text *out)
{
    const struct cluster *cluster = controller_cluster(controller);
    char id[33], size[16];
    id_format(task->task, id);
    begin_about(controller, envelope, "ECS Task State Change", "task", id, out);
    add_arn(controller, "taskArn", "task", id, out);
    add_cluster(controller, out);
    event_json_text(out, "group",
                    symbol_text(controller, cluster_group_name(cluster, task->group)));
    if (task->deployment != 0) {
        char started_by[40];
        snprintf(started_by, sizeof started_by, "ecs-svc/%" PRIu64, task->deployment);
        event_json_text(out, "startedBy", started_by);
    }
    add_definition(controller, task->def, out);
    add_task_place(controller, task, out);
    event_json_text(out, "lastStatus", task_status_names[task->last_status]);
    event_json_text(out, "desiredStatus",
                    task_status_names[task->desired_running ? TASK_RUNNING : TASK_STOPPED]);
    event_json_text(out, "healthStatus", task_health_names[task->health]);
    snprintf(size, sizeof size, "%" PRId32, task->cpu_units);
    event_json_text(out, "cpu", size);
    snprintf(size, sizeof size, "%" PRId32, task->mem_mib);
    event_json_text(out, "memory", size);
    if (task->provider != SYMBOL_NONE)
        event_json_text(out, "capacityProviderName", symbol_text(controller, task->provider));
    else
        event_json_text(out, "launchType", "EC2");
    event_json_time(out, "createdAt", task->created_wall_ns);
    event_json_time(out, "pullStartedAt", task->pull_started_ns);
    event_json_time(out, "pullStoppedAt", task->pull_stopped_ns);
    event_json_time(out, "startedAt", task->started_ns);
    event_json_time(out, "stoppingAt", task->stopping_ns);
    event_json_time(out, "stoppedAt", task->stopped_ns);
    add_stop(controller, task, out);
    add_containers(task, out);
    event_json_number(out, "version", task->version);
    event_json_end(out);
}

static void add_resources(const char *name, int32_t cpu_units, int32_t mem_mib, struct text *out)
{
    add_name(out, name);
    text_addf(out,
              "[{\"name\":\"CPU\",\"type\":\"INTEGER\",\"integerValue\":%" PRId32 "},"
              "{\"name\":\"MEMORY\",\"type\":\"INTEGER\",\"integerValue\":%" PRId32 "}]",
              cpu_units, mem_mib);
}

static void add_attributes(const struct controller *controller, const struct instance *instance,
                           struct text *out)
{
    add_name(out, "attributes");
    text_add(out, "[");
    for (uint32_t i = 0; i < instance->attributes->count; i++) {
        const struct attribute *attribute = &instance->attributes->items[i];
        text_add(out, i > 0 ? ",{" : "{");
        event_json_text(out, "name", symbol_text(controller, attribute->name));
        if (attribute->value != SYMBOL_NONE)
            event_json_text(out, "value", symbol_text(controller, attribute->value));
        text_add(out, "}");
    }
    text_add(out, "]");
}

void event_json_instance(const struct controller *controller, const struct event_envelope *envelope,
                         instance_id id, uint64_t version, struct text *out)
{
    const struct instance *instance = cluster_instance(controller_cluster(controller), id);
    const char *name = symbol_text(controller, instance->name);
    begin_about(controller, envelope, "ECS Container Instance State Change", "container-instance",
                name, out);
    add_arn(controller, "containerInstanceArn", "container-instance", name, out);
    add_cluster(controller, out);
    if (instance->ec2_id != SYMBOL_NONE)
        event_json_text(out, "ec2InstanceId", symbol_text(controller, instance->ec2_id));
    event_json_text(out, "status", instance_status_names[instance->status]);
    event_json_bool(out, "agentConnected", instance->is_agent_connected);
    add_resources("registeredResources", instance->cpu_registered, instance->mem_registered, out);
    add_resources("remainingResources", instance->cpu_remaining, instance->mem_remaining, out);
    add_attributes(controller, instance, out);
    event_json_time(out, "registeredAt", instance->registered_wall_ns);
    add_name(out, "versionInfo");
    text_add(out, "{");
    if (instance->agent_version != SYMBOL_NONE)
        event_json_text(out, "agentVersion", symbol_text(controller, instance->agent_version));
    text_add(out, "}");
    event_json_number(out, "version", (int64_t)version);
    event_json_end(out);
}

/* Whether it is under way in place of one that failed, whose words are these then. */
static bool add_rollback(const struct controller *controller,
                         const struct deployment_view *deployment, struct text *reason)
{
    uint32_t count = controller_deployment_count(controller, deployment->service);
    for (uint32_t i = 0; i < count; i++) {
        struct deployment_view failed = controller_deployment(controller, deployment->service, i);
        if (failed.rolled_back_to != deployment->deployment ||
            failed.status != SERVICE_DEPLOYMENT_ROLLBACK_IN_PROGRESS)
            continue;
        rollout_reason_format(&failed, reason);
        return true;
    }
    return false;
}

/* ECS's words for the three things that happen to a deployment (semantics 4.3, 9). */
static const char *deployment_words(const struct controller *controller,
                                    const struct deployment_view *deployment, struct text *reason)
{
    uint64_t number = deployment->deployment;
    switch (deployment->rollout) {
    case ROLLOUT_IN_PROGRESS:
        if (!add_rollback(controller, deployment, reason))
            text_addf(reason, "ECS deployment ecs-svc/%" PRIu64 " in progress.", number);
        return "SERVICE_DEPLOYMENT_IN_PROGRESS";
    case ROLLOUT_COMPLETED:
        text_addf(reason, "ECS deployment ecs-svc/%" PRIu64 " completed.", number);
        return "SERVICE_DEPLOYMENT_COMPLETED";
    case ROLLOUT_FAILED:
        if (deployment->cause == ROLLOUT_CAUSE_BREAKER)
            text_add(reason, "ECS deployment circuit breaker: task failed to start.");
        else
            text_addf(reason, "ECS deployment ecs-svc/%" PRIu64 " failed: %s.", number,
                      rollout_cause_names[deployment->cause]);
        return "SERVICE_DEPLOYMENT_FAILED";
    case ROLLOUT_COUNT:
        break;
    }
    return NULL;
}

bool event_json_deployment(const struct controller *controller,
                           const struct event_envelope *envelope,
                           const struct deployment_view *deployment, struct text *out)
{
    struct text reason = TEXT_INIT;
    char id[40];
    bool is_new = deployment->created_wall_ns == deployment->updated_wall_ns;
    if (deployment->rollout == deployment->previous_rollout && !is_new)
        return false;
    const char *name = deployment_words(controller, deployment, &reason);
    snprintf(id, sizeof id, "ecs-svc/%" PRIu64, deployment->deployment);
    begin_about(controller, envelope, "ECS Deployment State Change", "service",
                symbol_text(controller, deployment->service_name), out);
    event_json_text(out, "eventType", deployment->rollout == ROLLOUT_FAILED ? "ERROR" : "INFO");
    event_json_text(out, "eventName", name);
    event_json_text(out, "deploymentId", id);
    event_json_time(out, "updatedAt", deployment->updated_wall_ns);
    event_json_text(out, "reason", reason.bytes);
    event_json_end(out);
    text_free(&reason);
    return true;
}

const char *event_json_service_type(enum service_event_kind kind)
{
    switch (kind) {
    case SERVICE_EVENT_START_IMPAIRED:
    case SERVICE_EVENT_REBALANCE_NO_ROOM:
    case SERVICE_EVENT_REBALANCE_PROTECTED:
    case SERVICE_EVENT_UNHEALTHY_TARGET:
    case SERVICE_EVENT_BRAKE_ON:
    case SERVICE_EVENT_HOOK_TIMED_OUT:
        return "WARN";
    case SERVICE_EVENT_DEPLOYMENT_FAILED:
    case SERVICE_EVENT_PLACEMENT_FAILURE:
    case SERVICE_EVENT_PROVISIONING_LIMIT:
    case SERVICE_EVENT_EMPTY_PROVIDER:
    case SERVICE_EVENT_DEADLOCK:
    case SERVICE_EVENT_DAEMON_CONSTRAINT_VIOLATED:
    case SERVICE_EVENT_HOOK_FAILED:
        return "ERROR";
    case SERVICE_EVENT_STARTED_TASKS:
    case SERVICE_EVENT_STOPPED_TASKS:
    case SERVICE_EVENT_STEADY_STATE:
    case SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS:
    case SERVICE_EVENT_DEPLOYMENT_COMPLETED:
    case SERVICE_EVENT_PROTECTED:
    case SERVICE_EVENT_REBALANCING_STARTED:
    case SERVICE_EVENT_REBALANCING_COMPLETED:
    case SERVICE_EVENT_REBALANCING_STOPPED:
    case SERVICE_EVENT_REBALANCE_STARTED_TASKS:
    case SERVICE_EVENT_REBALANCE_STOPPED_TASKS:
    case SERVICE_EVENT_BRAKE_OFF:
    case SERVICE_EVENT_DESIRED_COUNT_UPDATED:
    case SERVICE_EVENT_REGISTERED_TARGETS:
    case SERVICE_EVENT_DEREGISTERED_TARGETS:
    case SERVICE_EVENT_DRAINING:
    case SERVICE_EVENT_HOOK_AWAITING:
    case SERVICE_EVENT_HOOK_SUCCEEDED:
    case SERVICE_EVENT_KIND_COUNT:
        break;
    }
    return "INFO";
}

/* ECS calls a start a start, whatever it is for. */
static const char *service_event_name(enum service_event_kind kind)
{
    if (kind == SERVICE_EVENT_REBALANCE_STARTED_TASKS)
        kind = SERVICE_EVENT_STARTED_TASKS;
    else if (kind == SERVICE_EVENT_REBALANCE_STOPPED_TASKS)
        kind = SERVICE_EVENT_STOPPED_TASKS;
    return service_event_kind_names[kind];
}

/* Of a pause hook: its own kind of event. */
static void add_hook_members(const struct controller *controller, const struct service_event *event,
                             struct text *out)
{
    const char *service =
        symbol_text(controller, controller_service(controller, event->service).name);
    struct text id = TEXT_INIT;
    text_addf(&id, "%s/%" PRIu64, service, event->deployment);
    event_json_text(out, "hookId", symbol_text(controller, event->hook));
    event_json_text(out, "hookType", "PAUSE");
    event_json_text(out, "lifecycleStage", deployment_stage_names[event->stage]);
    event_json_time(out, "expiresAt", event->expires_wall_ns);
    add_arn(controller, "serviceArn", "service", service, out);
    add_arn(controller, "serviceDeploymentArn", "service-deployment", id.bytes, out);
    text_free(&id);
}

static const char *placement_reason(const struct service_event *event)
{
    if (event->closest == INSTANCE_NONE && event->verdict != PLACEMENT_FARGATE)
        return "NO ACTIVE INSTANCES";
    return placement_verdict_names[event->verdict];
}

void event_json_service(const struct controller *controller, const struct event_envelope *envelope,
                        const struct service_event *event, struct text *out)
{
    struct text words = TEXT_INIT;
    if (event->service == SERVICE_NONE) /* of the whole cluster: berth's own */
        event_json_begin(controller, envelope, "berth", "berth Cluster Action", NULL, out);
    else
        begin_about(
            controller, envelope,
            event->hook != SYMBOL_NONE ? "ECS Hook State Change" : "ECS Service Action", "service",
            symbol_text(controller, controller_service(controller, event->service).name), out);
    event_json_text(out, "eventType", event_json_service_type(event->kind));
    event_json_text(out, "eventName", service_event_name(event->kind));
    add_cluster(controller, out);
    event_json_time(out, "createdAt", envelope->wall_ns);
    if (event->kind == SERVICE_EVENT_PLACEMENT_FAILURE)
        event_json_text(out, "reason", placement_reason(event));
    if (event->hook != SYMBOL_NONE)
        add_hook_members(controller, event, out);
    service_event_format(controller, event, &words);
    event_json_text(out, "message", words.bytes);
    event_json_end(out);
    text_free(&words);
}
