/*
 * Actions as lines. Names stand where an id alone would tell nothing (definition, group, service);
 * everything else is in the action by value, so that a line says the same however late its commit.
 */
#include <string.h>

#include "scheduler/core/transcript_fields.h"

static const char *const reply_status_names[] = {
    [REPLY_OK] = "OK",           [REPLY_INVALID] = "INVALID",     [REPLY_NOT_FOUND] = "NOT_FOUND",
    [REPLY_REFUSED] = "REFUSED", [REPLY_THROTTLED] = "THROTTLED",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(type, member) .offset = offsetof(type, member)
#define NAMED(table, total) .names = (table), .name_count = (total)
#define TASK(member) AT(struct task_view, member)
#define SERVICE(member) AT(struct service_view, member)
#define PROVIDER(member) AT(struct provider_view, member)
#define REPORT(member) AT(struct message, u.report.member)
#define PAYLOAD(member) AT(struct message, u.payload.member)

static const struct field task_fields[] = {
    {"instance", FIELD_U32, TASK(instance), .absent = INSTANCE_NONE},
    {"last", FIELD_ENUM, .is_required = true, TASK(last_status),
     NAMED(task_status_names, TASK_STATUS_COUNT)},
    {"previous", FIELD_ENUM, .is_required = true, TASK(previous_status),
     NAMED(task_status_names, TASK_STATUS_COUNT)},
    {"desired", FIELD_DESIRED, TASK(desired_running)},
    {"previous-desired", FIELD_DESIRED, TASK(was_desired_running)},
    {"stop-code", FIELD_ENUM, TASK(stop_code), NAMED(stop_code_names, STOP_CODE_COUNT)},
    {"stop-reason", FIELD_ENUM, TASK(stop_reason), NAMED(stop_reason_names, STOP_REASON_COUNT)},
    {"verdict", FIELD_ENUM, TASK(verdict), NAMED(placement_verdict_names, PLACEMENT_VERDICT_COUNT)},
    {"exit-code", FIELD_I32, TASK(exit_code)},
    {"deployment", FIELD_U64, TASK(deployment)},
    {"reference", FIELD_U64, TASK(reference)},
    {"cpu", FIELD_I32, TASK(cpu_units)},
    {"memory", FIELD_I32, TASK(mem_mib)},
    {"gpu-milli", FIELD_U32, TASK(gpu_milli)},
    {"version", FIELD_U32, TASK(version)},
    {"requested", FIELD_I64, TASK(requested_mono_ns)},
    {"created", FIELD_I64, TASK(created_wall_ns)},
    {"protected", FIELD_BOOL, TASK(is_protected)},
    {"pull-started", FIELD_I64, TASK(pull_started_ns)},
    {"pull-stopped", FIELD_I64, TASK(pull_stopped_ns)},
    {"started", FIELD_I64, TASK(started_ns)},
    {"stopping", FIELD_I64, TASK(stopping_ns)},
    {"stopped", FIELD_I64, TASK(stopped_ns)},
    {"health", FIELD_ENUM, TASK(health), NAMED(task_health_names, TASK_HEALTH_COUNT)},
    {"previous-health", FIELD_ENUM, TASK(previous_health),
     NAMED(task_health_names, TASK_HEALTH_COUNT)},
    {"counts-as-healthy", FIELD_BOOL, TASK(counts_as_healthy)},
};

static const struct field service_fields[] = {
    {"number", FIELD_U32, .is_required = true, SERVICE(service)},
    {"desired", FIELD_U32, .is_required = true, SERVICE(desired_count)},
    {"running", FIELD_U32, .is_required = true, SERVICE(running_count)},
    {"pending", FIELD_U32, .is_required = true, SERVICE(pending_count)},
    {"healthy", FIELD_U32, SERVICE(healthy_count)},
    {"unhealthy", FIELD_U32, SERVICE(unhealthy_count)},
    {"deployments", FIELD_U32, .is_required = true, SERVICE(deployment_count)},
    {"steady", FIELD_BOOL, SERVICE(is_steady)},
    {"active", FIELD_BOOL, SERVICE(is_active)},
};

#define DEPLOYMENT(member) AT(struct deployment_view, member)

static const struct field deployment_fields[] = {
    {"number", FIELD_U64, .is_required = true, DEPLOYMENT(deployment)},
    {"source", FIELD_U64, DEPLOYMENT(source)},
    {"rolled-back-to", FIELD_U64, DEPLOYMENT(rolled_back_to)},
    {"primary", FIELD_BOOL, DEPLOYMENT(is_primary)},
    {"live", FIELD_BOOL, DEPLOYMENT(is_live)},
    {"rollout", FIELD_ENUM, .is_required = true, DEPLOYMENT(rollout),
     NAMED(rollout_state_names, ROLLOUT_COUNT)},
    {"previous-rollout", FIELD_ENUM, .is_required = true, DEPLOYMENT(previous_rollout),
     NAMED(rollout_state_names, ROLLOUT_COUNT)},
    {"status", FIELD_ENUM, .is_required = true, DEPLOYMENT(status),
     NAMED(service_deployment_status_names, SERVICE_DEPLOYMENT_STATUS_COUNT)},
    {"cause", FIELD_ENUM, DEPLOYMENT(cause), NAMED(rollout_cause_names, ROLLOUT_CAUSE_COUNT)},
    {"stage", FIELD_ENUM, DEPLOYMENT(stage), NAMED(deployment_stage_names, STAGE_COUNT)},
    {"desired", FIELD_U32, DEPLOYMENT(desired_count)},
    {"pending", FIELD_U32, DEPLOYMENT(pending_count)},
    {"running", FIELD_U32, DEPLOYMENT(running_count)},
    {"healthy", FIELD_U32, DEPLOYMENT(healthy_count)},
    {"failed", FIELD_U32, DEPLOYMENT(failed_count)},
    {"threshold", FIELD_U32, DEPLOYMENT(threshold)},
    {"production-permille", FIELD_U32, DEPLOYMENT(production_permille)},
    {"test-permille", FIELD_U32, DEPLOYMENT(test_permille)},
    {"scale-permille", FIELD_U32, DEPLOYMENT(scale_permille)},
    {"created", FIELD_I64, DEPLOYMENT(created_wall_ns)},
    {"updated", FIELD_I64, DEPLOYMENT(updated_wall_ns)},
};

static const struct field provider_fields[] = {
    {"in-service", FIELD_U32, .is_required = true, PROVIDER(in_service)},
    {"launching", FIELD_U32, PROVIDER(launching)},
    {"busy", FIELD_U32, PROVIDER(busy)},
    {"leaving", FIELD_U32, PROVIDER(leaving)},
    {"waiting", FIELD_U32, PROVIDER(waiting)},
    {"wanted", FIELD_U32, PROVIDER(wanted)},
    {"reservation-milli", FIELD_U64, PROVIDER(reservation_milli)},
};

static const struct field report_fields[] = {
    {"task", FIELD_U64, .is_required = true, REPORT(task)},
    {"status", FIELD_ENUM, .is_required = true, REPORT(status),
     NAMED(task_status_names, TASK_STATUS_COUNT)},
    {"cause", FIELD_ENUM, REPORT(cause), NAMED(exit_cause_names, EXIT_CAUSE_COUNT)},
    {"exit-code", FIELD_I32, REPORT(exit_code)},
    {"health", FIELD_ENUM, REPORT(health), NAMED(task_health_names, TASK_HEALTH_COUNT)},
    {"pull-started", FIELD_I64, REPORT(pull_started_ns)},
    {"pull-stopped", FIELD_I64, REPORT(pull_stopped_ns)},
    {"started", FIELD_I64, REPORT(started_ns)},
    {"stopped", FIELD_I64, REPORT(stopped_ns)},
};

static const struct field list_fields[] = {
    {"tasks", FIELD_TASKS, AT(struct message, u.list.tasks),
     .count_offset = offsetof(struct message, u.list.count)},
};

static const struct field payload_fields[] = {
    {"task", FIELD_U64, .is_required = true, PAYLOAD(task)},
    {"group", FIELD_TEXT, PAYLOAD(group)},
    {"reference", FIELD_U64, PAYLOAD(reference)},
    {"cpu", FIELD_I32, PAYLOAD(cpu_units)},
    {"memory", FIELD_I32, PAYLOAD(mem_mib)},
    {"desired", FIELD_DESIRED, PAYLOAD(desired_running)},
};

static const struct field_table task_table = FIELD_TABLE(task_fields);
static const struct field_table service_table = FIELD_TABLE(service_fields);
static const struct field_table deployment_table = FIELD_TABLE(deployment_fields);
static const struct field_table provider_table = FIELD_TABLE(provider_fields);

const struct field_table *message_body_table(enum message_kind kind)
{
    static const struct field_table report = FIELD_TABLE(report_fields);
    static const struct field_table list = FIELD_TABLE(list_fields);
    static const struct field_table payload = FIELD_TABLE(payload_fields);
    static const struct field_table none = {NULL, 0};
    switch (kind) {
    case MESSAGE_PAYLOAD:
        return &payload;
    case MESSAGE_MANIFEST:
    case MESSAGE_STOP_VERIFICATION:
    case MESSAGE_STOP_VERIFICATION_ACK:
        return &list;
    case MESSAGE_TASK_STATE:
        return &report;
    case MESSAGE_REPORT_ACK:
    case MESSAGE_ACK:
    case MESSAGE_KIND_COUNT:
        break;
    }
    return &none;
}

static void field_definition(const struct task_def *def, struct text *out)
{
    struct text name = TEXT_INIT;
    if (def == NULL)
        return;
    text_addf(&name, "%s:%u", def->family, def->revision);
    text_field(out, "definition", name.bytes);
    text_free(&name);
}

static const char *symbol_text(const struct controller *controller, symbol id)
{
    return symbols_text(cluster_symbols(controller_cluster(controller)), id);
}

static void field_group(const struct controller *controller, group_id group, struct text *out)
{
    if (group != GROUP_NONE)
        text_field(
            out, "group",
            symbol_text(controller, cluster_group_name(controller_cluster(controller), group)));
}

static void field_service(const struct controller *controller, service_id service, struct text *out)
{
    if (service != SERVICE_NONE)
        text_field(out, "service",
                   symbol_text(controller, controller_service(controller, service).name));
}

static void field_tasks(const char *name, const task_id *tasks, uint32_t count, struct text *out)
{
    struct text list = TEXT_INIT;
    for (uint32_t i = 0; i < count; i++)
        text_addf(&list, "%s%llu", i > 0 ? ";" : "", (unsigned long long)tasks[i]);
    text_field(out, name, list.bytes);
    text_free(&list);
}

static void format_change(const struct controller *controller, const struct change *change,
                          struct text *out)
{
    text_field_u64(out, "revision", change->revision);
    text_field(out, "kind", record_kind_names[change->kind]);
    if (change->is_deleted)
        text_field_u64(out, "deleted", 1);
    switch (change->kind) {
    case RECORD_TASK:
        text_field_u64(out, "task", change->u.task.task);
        field_definition(change->u.task.def, out);
        field_group(controller, change->u.task.group, out);
        fields_write(&task_table, &change->u.task, out);
        text_field(out, "stop-text", symbol_text(controller, change->u.task.stop_text));
        text_field(out, "provider", symbol_text(controller, change->u.task.provider));
        break;
    case RECORD_SERVICE:
        text_field(out, "service", symbol_text(controller, change->u.service.name));
        fields_write(&service_table, &change->u.service, out);
        break;
    case RECORD_INSTANCE:
        text_field_u64(out, "instance", change->u.instance);
        break;
    case RECORD_TASK_DEFINITION:
        field_definition(change->u.task_def, out);
        break;
    case RECORD_GROUP:
        field_group(controller, change->u.group, out);
        break;
    case RECORD_SCALING:
        text_field(out, "service", symbol_text(controller, change->u.scaling.service_name));
        text_field_u64(out, "min", change->u.scaling.min_capacity);
        text_field_u64(out, "max", change->u.scaling.max_capacity);
        break;
    case RECORD_PROVIDER:
        text_field(out, "provider", symbol_text(controller, change->u.provider.name));
        fields_write(&provider_table, &change->u.provider, out);
        break;
    case RECORD_DEPLOYMENT:
        text_field(out, "service", symbol_text(controller, change->u.deployment.service_name));
        field_definition(change->u.deployment.def, out);
        fields_write(&deployment_table, &change->u.deployment, out);
        break;
    case RECORD_CONTROLLER:
    case RECORD_KIND_COUNT:
        break;
    }
}

static void field_zones(const struct controller *controller, const struct service_event *event,
                        struct text *out)
{
    struct text list = TEXT_INIT;
    for (uint32_t i = 0; i < event->zone_count; i++) {
        const char *zone = symbol_text(controller, event->zones[i].zone);
        text_add(&list, i > 0 ? ";" : "");
        list_add_text(&list, zone == NULL ? "" : zone, true);
        text_addf(&list, ":%lu", (unsigned long)event->zones[i].tasks);
    }
    text_field(out, "zones", list.bytes);
    text_free(&list);
}

static void format_service_event(const struct controller *controller,
                                 const struct service_event *event, struct text *out)
{
    text_field(out, "kind", service_event_kind_names[event->kind]);
    field_service(controller, event->service, out);
    if (event->deployment != 0)
        text_field_u64(out, "deployment", event->deployment);
    field_tasks("tasks", event->tasks, event->task_count, out);
    if (event->cause != ROLLOUT_CAUSE_NONE)
        text_field(out, "cause", rollout_cause_names[event->cause]);
    if (event->rolls_back != 0)
        text_field_u64(out, "rolls-back", event->rolls_back);
    if (event->kind == SERVICE_EVENT_DESIRED_COUNT_UPDATED)
        text_field_u64(out, "desired", event->desired_count);
    text_field(out, "target-group", symbol_text(controller, event->target_group));
    if (event->count > 0)
        text_field_u64(out, "count", event->count);
    field_zones(controller, event, out);
    if (event->hook != SYMBOL_NONE) {
        text_field(out, "hook", symbol_text(controller, event->hook));
        text_field(out, "stage", deployment_stage_names[event->stage]);
        text_field_i64(out, "expires", event->expires_wall_ns);
    }
    if (event->kind != SERVICE_EVENT_PLACEMENT_FAILURE)
        return;
    if (event->closest != INSTANCE_NONE)
        text_field_u64(out, "closest", event->closest);
    text_field(out, "verdict", placement_verdict_names[event->verdict]);
}

static void format_failures(const struct reply *reply, struct text *out)
{
    struct text list = TEXT_INIT;
    for (uint32_t i = 0; i < reply->u.run_task.failure_count; i++) {
        const struct reply_failure *failure = &reply->u.run_task.failures[i];
        text_addf(&list, "%s%u:", i > 0 ? ";" : "", failure->instance);
        list_add_text(&list, placement_verdict_names[failure->verdict], false);
    }
    text_field(out, "failures", list.bytes);
    text_free(&list);
}

static void format_run_task_reply(const struct reply *reply, struct text *out)
{
    field_tasks("tasks", reply->u.run_task.tasks, reply->u.run_task.task_count, out);
    text_field_u64(out, "placed", reply->u.run_task.placed_count);
    if (reply->u.run_task.refused_count > 0)
        text_field_u64(out, "refused", reply->u.run_task.refused_count);
    if (reply->u.run_task.reason != PLACEMENT_FITS)
        text_field(out, "reason", placement_verdict_names[reply->u.run_task.reason]);
    if (reply->u.run_task.no_instances)
        text_field_u64(out, "no-instances", 1);
    format_failures(reply, out);
}

static void format_reply(const struct controller *controller, const struct reply *reply,
                         struct text *out)
{
    text_field_u64(out, "token", reply->token);
    text_field(out, "command", event_kind_names[reply->command]);
    text_field(out, "status", reply_status_names[reply->status]);
    text_field(out, "text", reply->text);
    /* A refused RunTask still says how many copies and why. */
    bool is_answered = reply->status == REPLY_OK ||
                       (reply->status == REPLY_REFUSED && reply->command == EVENT_RUN_TASK);
    if (!is_answered)
        return;
    switch (reply->command) {
    case EVENT_REGISTER_INSTANCE:
        text_field_u64(out, "instance", reply->u.instance);
        break;
    case EVENT_REGISTER_TASK_DEFINITION:
        field_definition(reply->u.task_def, out);
        break;
    case EVENT_CREATE_SERVICE:
    case EVENT_UPDATE_SERVICE:
    case EVENT_DELETE_SERVICE:
    case EVENT_STOP_SERVICE_DEPLOYMENT:
    case EVENT_CONTINUE_SERVICE_DEPLOYMENT:
    case EVENT_REGISTER_SCALABLE_TARGET:
    case EVENT_DEREGISTER_SCALABLE_TARGET:
    case EVENT_PUT_SCALING_POLICY:
    case EVENT_DELETE_SCALING_POLICY:
    case EVENT_PUT_SCHEDULED_ACTION:
    case EVENT_DELETE_SCHEDULED_ACTION:
        field_service(controller, reply->u.service, out);
        break;
    case EVENT_CREATE_TASK_SET:
    case EVENT_UPDATE_TASK_SET:
    case EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET:
    case EVENT_DELETE_TASK_SET:
        field_service(controller, reply->u.task_set.service, out);
        text_field_u64(out, "task-set", reply->u.task_set.number);
        break;
    case EVENT_RUN_TASK:
        format_run_task_reply(reply, out);
        break;
    case EVENT_TIMER:
    case EVENT_DEREGISTER_INSTANCE:
    case EVENT_UPDATE_INSTANCE_STATE:
    case EVENT_AGENT_CONNECTED:
    case EVENT_AGENT_DISCONNECTED:
    case EVENT_STOP_TASK:
    case EVENT_UPDATE_TASK_PROTECTION:
    case EVENT_PUT_CAPACITY_PROVIDER:
    case EVENT_DELETE_CAPACITY_PROVIDER:
    case EVENT_PUT_DEFAULT_PROVIDERS:
    case EVENT_MESSAGE:
    case EVENT_ANSWER:
    case EVENT_RESUME:
    case EVENT_KIND_COUNT:
        break;
    }
}

static void format_grants(const struct task_payload *payload, struct text *out)
{
    struct text list = TEXT_INIT;
    for (uint16_t i = 0; i < payload->grant_count; i++)
        text_addf(&list, "%s%u:%u", i > 0 ? ";" : "", payload->grants[i].device,
                  payload->grants[i].milli);
    text_field(out, "grants", list.bytes);
    text_free(&list);
}

static void format_send(const struct message *message, struct text *out)
{
    text_field(out, "kind", message_kind_names[message->kind]);
    text_field_u64(out, "instance", message->instance);
    text_field_u64(out, "seq", message->seq);
    fields_write(message_body_table(message->kind), message, out);
    if (message->kind != MESSAGE_PAYLOAD)
        return;
    field_definition(message->u.payload.def, out);
    format_grants(&message->u.payload, out);
}

static void format_request(const struct controller *controller, const struct request *request,
                           struct text *out)
{
    text_field(out, "kind", request_kind_names[request->kind]);
    field_service(controller, request->service, out);
    if (request->deployment != 0)
        text_field_u64(out, "deployment", request->deployment);
    fields_write(request_body_table(request->kind), request, out);
}

void transcript_format_action(const struct controller *controller, const struct action *action,
                              struct text *out)
{
    text_word(out, "< ");
    text_word(out, action_kind_names[action->kind]);
    switch (action->kind) {
    case ACTION_CHANGE:
        format_change(controller, &action->u.change, out);
        break;
    case ACTION_SERVICE_EVENT:
        format_service_event(controller, &action->u.service_event, out);
        break;
    case ACTION_REPLY:
        format_reply(controller, &action->u.reply, out);
        break;
    case ACTION_SEND:
        format_send(&action->u.send, out);
        break;
    case ACTION_REQUEST:
        format_request(controller, &action->u.request, out);
        break;
    case ACTION_KIND_COUNT:
        break;
    }
    text_end(out);
}
