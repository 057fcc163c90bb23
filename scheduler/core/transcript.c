/*
 * Lines in and out: times and events. What an event's fields are called stands in the tables, one
 * row per member; reading and writing are the same for all (transcript_fields.h).
 */
#include "scheduler/core/transcript.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/transcript_fields.h"

static const char *const scheduling_names[] = {
    [SCHEDULING_REPLICA] = "REPLICA",
    [SCHEDULING_DAEMON] = "DAEMON",
};

static const char *const controller_names[] = {
    [CONTROLLER_ECS] = "ECS",
    [CONTROLLER_EXTERNAL] = "EXTERNAL",
};

static const char *const deregister_cause_names[] = {
    [DEREGISTER_FORCED] = "forced",
    [DEREGISTER_TERMINATED] = "terminated",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(member) .offset = offsetof(struct event, member)
#define COUNT_AT(member) .count_offset = offsetof(struct event, member)

static const struct field time_fields[] = {
    {"mono", FIELD_I64, .is_required = true, .offset = offsetof(struct step_time, mono_ns)},
    {"wall", FIELD_I64, .is_required = true, .offset = offsetof(struct step_time, wall_ns)},
};

static const struct field command_fields[] = {{"token", FIELD_U64, AT(token)}};

static const struct field register_task_definition_fields[] = {
    {"document", FIELD_DOCUMENT, .is_required = true, AT(u.task_def)},
};

static const struct field register_instance_fields[] = {
    {"existing", FIELD_U32, AT(u.register_instance.existing), .absent = INSTANCE_NONE},
    {"ec2-id", FIELD_TEXT, AT(u.register_instance.ec2_id)},
    {"agent-version", FIELD_TEXT, AT(u.register_instance.agent_version)},
    {"cpu", FIELD_I32, AT(u.register_instance.cpu_units)},
    {"memory", FIELD_I32, AT(u.register_instance.mem_mib)},
    {"gpus", FIELD_U16, AT(u.register_instance.gpu_count)},
    {"enis", FIELD_U16, AT(u.register_instance.eni_limit)},
    {"tcp-used", FIELD_PORTS, AT(u.register_instance.tcp_ports_used),
     COUNT_AT(u.register_instance.tcp_port_count)},
    {"udp-used", FIELD_PORTS, AT(u.register_instance.udp_ports_used),
     COUNT_AT(u.register_instance.udp_port_count)},
    {"attributes", FIELD_ATTRIBUTES, AT(u.register_instance.attributes),
     COUNT_AT(u.register_instance.attribute_count)},
    {"provider", FIELD_TEXT, AT(u.register_instance.provider)},
    {"fargate-task", FIELD_U64, AT(u.register_instance.fargate_task)},
};

static const struct field deregister_instance_fields[] = {
    {"instance", FIELD_U32, .is_required = true, AT(u.deregister_instance.instance)},
    {"force", FIELD_BOOL, AT(u.deregister_instance.force)},
    {"cause", FIELD_ENUM, AT(u.deregister_instance.cause), .names = deregister_cause_names,
     .name_count = COUNT_OF(deregister_cause_names)},
};

static const struct field update_instance_state_fields[] = {
    {"instance", FIELD_U32, .is_required = true, AT(u.update_instance_state.instance)},
    {"status", FIELD_ENUM, .is_required = true, AT(u.update_instance_state.status),
     .names = instance_status_names, .name_count = INSTANCE_STATUS_COUNT},
};

static const struct field agent_fields[] = {
    {"instance", FIELD_U32, .is_required = true, AT(u.agent)},
};

static const struct field run_task_fields[] = {
    {"task-definition", FIELD_TEXT, AT(u.run_task.task_definition)},
    {"count", FIELD_U32, AT(u.run_task.count), .absent = 1},
    {"group", FIELD_TEXT, AT(u.run_task.group)},
    {"started-by", FIELD_TEXT, AT(u.run_task.started_by)},
    {"reference", FIELD_U64, AT(u.run_task.reference)},
    {"waits", FIELD_BOOL, AT(u.run_task.waits)},
    {"wants-failures", FIELD_BOOL, AT(u.run_task.wants_failures)},
    {"strategies", FIELD_STRATEGIES, AT(u.run_task.strategies),
     COUNT_AT(u.run_task.strategy_count)},
    {"constraints", FIELD_CONSTRAINTS, AT(u.run_task.constraints),
     COUNT_AT(u.run_task.constraint_count)},
    {"cpu", FIELD_I32, AT(u.run_task.cpu_units), .absent = OVERRIDE_NONE},
    {"memory", FIELD_I32, AT(u.run_task.mem_mib), .absent = OVERRIDE_NONE},
    {"gpus", FIELD_GPUS, AT(u.run_task.gpus), COUNT_AT(u.run_task.gpu_count)},
    {"overrides-gpus", FIELD_BOOL, AT(u.run_task.overrides_gpus)},
    {"launch-type", FIELD_BOOL, AT(u.run_task.takes_launch_type)},
    {"providers", FIELD_SHARES, AT(u.run_task.providers), COUNT_AT(u.run_task.provider_count)},
};

static const struct field stop_task_fields[] = {
    {"task", FIELD_U64, .is_required = true, AT(u.stop_task.task)},
    {"reason", FIELD_TEXT, AT(u.stop_task.reason)},
};

/* One table for the three calls: what does not belong to one of them is simply absent there. */
static const struct field service_fields[] = {
    {"service", FIELD_TEXT, AT(u.service.service)},
    {"task-definition", FIELD_TEXT, AT(u.service.task_definition)},
    {"scheduling", FIELD_ENUM, AT(u.service.scheduling), .names = scheduling_names,
     .name_count = COUNT_OF(scheduling_names)},
    {"desired", FIELD_I32, AT(u.service.desired_count), .absent = OVERRIDE_NONE},
    {"minimum-healthy-percent", FIELD_I32, AT(u.service.minimum_healthy_percent),
     .absent = OVERRIDE_NONE},
    {"maximum-percent", FIELD_I32, AT(u.service.maximum_percent), .absent = OVERRIDE_NONE},
    {"force-new-deployment", FIELD_BOOL, AT(u.service.force_new_deployment)},
    {"force", FIELD_BOOL, AT(u.service.force)},
    {"sets-strategies", FIELD_BOOL, AT(u.service.sets_strategies)},
    {"sets-constraints", FIELD_BOOL, AT(u.service.sets_constraints)},
    {"strategies", FIELD_STRATEGIES, AT(u.service.strategies), COUNT_AT(u.service.strategy_count)},
    {"constraints", FIELD_CONSTRAINTS, AT(u.service.constraints),
     COUNT_AT(u.service.constraint_count)},
    {"sets-target-groups", FIELD_BOOL, AT(u.service.sets_target_groups)},
    {"target-groups", FIELD_NAMES, AT(u.service.target_groups),
     COUNT_AT(u.service.target_group_count)},
    {"controller", FIELD_ENUM, AT(u.service.controller), .names = controller_names,
     .name_count = COUNT_OF(controller_names)},
    {"sets-settings", FIELD_BOOL, AT(u.service.sets_settings)},
    {"grace", FIELD_I32, AT(u.service.grace_s), .absent = OVERRIDE_NONE},
    {"rebalancing", FIELD_I32, AT(u.service.rebalancing), .absent = OVERRIDE_NONE},
    {"sets-providers", FIELD_BOOL, AT(u.service.sets_providers)},
    {"launch-type", FIELD_BOOL, AT(u.service.takes_launch_type)},
    {"providers", FIELD_SHARES, AT(u.service.providers), COUNT_AT(u.service.provider_count)},
};

static const struct field service_deployment_fields[] = {
    {"service", FIELD_TEXT, AT(u.service_deployment.service)},
    {"deployment", FIELD_U64, AT(u.service_deployment.deployment)},
    {"hook", FIELD_TEXT, AT(u.service_deployment.hook)},
    {"rolls-back", FIELD_BOOL, AT(u.service_deployment.rolls_back)},
};

static const struct field task_set_fields[] = {
    {"service", FIELD_TEXT, AT(u.task_set.service)},
    {"task-set", FIELD_U64, AT(u.task_set.task_set)},
    {"task-definition", FIELD_TEXT, AT(u.task_set.task_definition)},
    {"scale-permille", FIELD_I32, AT(u.task_set.scale_permille), .absent = OVERRIDE_NONE},
    {"force", FIELD_BOOL, AT(u.task_set.force)},
    {"target-groups", FIELD_NAMES, AT(u.task_set.target_groups),
     COUNT_AT(u.task_set.target_group_count)},
};

static const struct field task_protection_fields[] = {
    {"task", FIELD_U64, .is_required = true, AT(u.task_protection.task)},
    {"protected", FIELD_BOOL, AT(u.task_protection.is_protected)},
    {"minutes", FIELD_U32, AT(u.task_protection.minutes)},
};

static const struct field scalable_target_fields[] = {
    {"service", FIELD_TEXT, AT(u.scalable_target.service)},
    {"min", FIELD_I32, AT(u.scalable_target.min_capacity), .absent = OVERRIDE_NONE},
    {"max", FIELD_I32, AT(u.scalable_target.max_capacity), .absent = OVERRIDE_NONE},
    {"suspends-in", FIELD_I32, AT(u.scalable_target.suspends_in), .absent = OVERRIDE_NONE},
    {"suspends-out", FIELD_I32, AT(u.scalable_target.suspends_out), .absent = OVERRIDE_NONE},
    {"suspends-scheduled", FIELD_I32, AT(u.scalable_target.suspends_scheduled),
     .absent = OVERRIDE_NONE},
};

static const struct field scaling_policy_fields[] = {
    {"service", FIELD_TEXT, AT(u.scaling_policy.service)},
    {"policy", FIELD_TEXT, AT(u.scaling_policy.policy)},
    {"type", FIELD_ENUM, AT(u.scaling_policy.kind), .names = scaling_policy_kind_names,
     .name_count = SCALING_POLICY_KIND_COUNT},
    {"metric", FIELD_ENUM, AT(u.scaling_policy.metric), .names = scaling_metric_names,
     .name_count = SCALING_METRIC_COUNT},
    {"out-cooldown", FIELD_I32, AT(u.scaling_policy.out_cooldown_s), .absent = OVERRIDE_NONE},
    {"in-cooldown", FIELD_I32, AT(u.scaling_policy.in_cooldown_s), .absent = OVERRIDE_NONE},
    {"target-milli", FIELD_I64, AT(u.scaling_policy.target_milli)},
    {"disables-scale-in", FIELD_BOOL, AT(u.scaling_policy.disables_scale_in)},
    {"adjustment", FIELD_ENUM, AT(u.scaling_policy.adjustment), .names = adjustment_names,
     .name_count = ADJUSTMENT_COUNT},
    {"minimum-magnitude", FIELD_U32, AT(u.scaling_policy.minimum_magnitude)},
    {"comparison", FIELD_ENUM, AT(u.scaling_policy.comparison), .names = comparison_names,
     .name_count = COMPARISON_COUNT},
    {"threshold-milli", FIELD_I64, AT(u.scaling_policy.threshold_milli)},
    {"datapoints", FIELD_U32, AT(u.scaling_policy.datapoints_to_alarm)},
    {"periods", FIELD_U32, AT(u.scaling_policy.evaluation_periods)},
    {"steps", FIELD_NAMES, AT(u.scaling_policy.steps), COUNT_AT(u.scaling_policy.step_count)},
};

static const struct field scheduled_action_fields[] = {
    {"service", FIELD_TEXT, AT(u.scheduled_action.service)},
    {"action", FIELD_TEXT, AT(u.scheduled_action.action)},
    {"schedule", FIELD_TEXT, AT(u.scheduled_action.schedule)},
    {"timezone", FIELD_TEXT, AT(u.scheduled_action.timezone)},
    {"min", FIELD_I32, AT(u.scheduled_action.min_capacity), .absent = OVERRIDE_NONE},
    {"max", FIELD_I32, AT(u.scheduled_action.max_capacity), .absent = OVERRIDE_NONE},
    {"start", FIELD_I64, AT(u.scheduled_action.start_wall_ns)},
    {"end", FIELD_I64, AT(u.scheduled_action.end_wall_ns)},
};

static const struct field capacity_provider_fields[] = {
    {"provider", FIELD_TEXT, AT(u.capacity_provider.provider)},
    {"kind", FIELD_ENUM, AT(u.capacity_provider.settings.kind), .names = provider_kind_names,
     .name_count = PROVIDER_KIND_COUNT},
    {"managed", FIELD_BOOL, AT(u.capacity_provider.settings.is_managed)},
    {"target", FIELD_U32, AT(u.capacity_provider.settings.target_percent)},
    {"step-min", FIELD_U32, AT(u.capacity_provider.settings.step_min)},
    {"step-max", FIELD_U32, AT(u.capacity_provider.settings.step_max)},
    {"warm-up", FIELD_I32, AT(u.capacity_provider.settings.warm_up_s), .absent = OVERRIDE_NONE},
    {"protects", FIELD_BOOL, AT(u.capacity_provider.settings.protects)},
    {"drains", FIELD_BOOL, AT(u.capacity_provider.settings.drains)},
    {"zones", FIELD_NAMES, AT(u.capacity_provider.settings.zones),
     COUNT_AT(u.capacity_provider.settings.zone_count)},
};

static const struct field delete_provider_fields[] = {
    {"provider", FIELD_TEXT, AT(u.capacity_provider.provider)},
};

static const struct field default_providers_fields[] = {
    {"providers", FIELD_SHARES, AT(u.default_providers.providers),
     COUNT_AT(u.default_providers.provider_count)},
};

static const struct field message_fields[] = {
    {"kind", FIELD_ENUM, .is_required = true, AT(u.message.kind), .names = message_kind_names,
     .name_count = MESSAGE_KIND_COUNT},
    {"instance", FIELD_U32, .is_required = true, AT(u.message.instance)},
    {"seq", FIELD_U64, .is_required = true, AT(u.message.seq)},
};

static const struct field answer_fields[] = {
    {"kind", FIELD_ENUM, .is_required = true, AT(u.answer.kind), .names = answer_kind_names,
     .name_count = ANSWER_KIND_COUNT},
};

static const struct field_table answer_table = FIELD_TABLE(answer_fields);
static const struct field_table message_table = FIELD_TABLE(message_fields);
static const struct field_table time_table = FIELD_TABLE(time_fields);
static const struct field_table command_table = FIELD_TABLE(command_fields);

static const struct field_table event_tables[EVENT_KIND_COUNT] = {
    [EVENT_TIMER] = {NULL, 0},
    [EVENT_REGISTER_TASK_DEFINITION] = FIELD_TABLE(register_task_definition_fields),
    [EVENT_REGISTER_INSTANCE] = FIELD_TABLE(register_instance_fields),
    [EVENT_DEREGISTER_INSTANCE] = FIELD_TABLE(deregister_instance_fields),
    [EVENT_UPDATE_INSTANCE_STATE] = FIELD_TABLE(update_instance_state_fields),
    [EVENT_AGENT_CONNECTED] = FIELD_TABLE(agent_fields),
    [EVENT_AGENT_DISCONNECTED] = FIELD_TABLE(agent_fields),
    [EVENT_RUN_TASK] = FIELD_TABLE(run_task_fields),
    [EVENT_STOP_TASK] = FIELD_TABLE(stop_task_fields),
    [EVENT_CREATE_SERVICE] = FIELD_TABLE(service_fields),
    [EVENT_UPDATE_SERVICE] = FIELD_TABLE(service_fields),
    [EVENT_DELETE_SERVICE] = FIELD_TABLE(service_fields),
    [EVENT_STOP_SERVICE_DEPLOYMENT] = FIELD_TABLE(service_deployment_fields),
    [EVENT_CONTINUE_SERVICE_DEPLOYMENT] = FIELD_TABLE(service_deployment_fields),
    [EVENT_CREATE_TASK_SET] = FIELD_TABLE(task_set_fields),
    [EVENT_UPDATE_TASK_SET] = FIELD_TABLE(task_set_fields),
    [EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET] = FIELD_TABLE(task_set_fields),
    [EVENT_DELETE_TASK_SET] = FIELD_TABLE(task_set_fields),
    [EVENT_UPDATE_TASK_PROTECTION] = FIELD_TABLE(task_protection_fields),
    [EVENT_REGISTER_SCALABLE_TARGET] = FIELD_TABLE(scalable_target_fields),
    [EVENT_DEREGISTER_SCALABLE_TARGET] = FIELD_TABLE(scalable_target_fields),
    [EVENT_PUT_SCALING_POLICY] = FIELD_TABLE(scaling_policy_fields),
    [EVENT_DELETE_SCALING_POLICY] = FIELD_TABLE(scaling_policy_fields),
    [EVENT_PUT_SCHEDULED_ACTION] = FIELD_TABLE(scheduled_action_fields),
    [EVENT_DELETE_SCHEDULED_ACTION] = FIELD_TABLE(scheduled_action_fields),
    [EVENT_PUT_CAPACITY_PROVIDER] = FIELD_TABLE(capacity_provider_fields),
    [EVENT_DELETE_CAPACITY_PROVIDER] = FIELD_TABLE(delete_provider_fields),
    [EVENT_PUT_DEFAULT_PROVIDERS] = FIELD_TABLE(default_providers_fields),
    [EVENT_MESSAGE] = FIELD_TABLE(message_fields),
    [EVENT_ANSWER] = FIELD_TABLE(answer_fields),
    [EVENT_RESUME] = {NULL, 0},
};

struct transcript_scratch *transcript_scratch_create(void)
{
    return mem_alloc(sizeof(struct transcript_scratch));
}

void transcript_scratch_destroy(struct transcript_scratch *scratch)
{
    if (scratch == NULL)
        return;
    scratch_clear(scratch);
    vec_free(&scratch->lists);
    mem_free(scratch);
}

void transcript_format_time(struct step_time now, struct text *out)
{
    text_word(out, "@");
    fields_write(&time_table, &now, out);
    text_end(out);
}

static bool is_about_service(enum event_kind kind)
{
    return kind == EVENT_CREATE_SERVICE || kind == EVENT_UPDATE_SERVICE;
}

void transcript_format_event(const struct event *event, struct text *out)
{
    text_word(out, "> ");
    text_word(out, event_kind_names[event->kind]);
    fields_write(&command_table, event, out);
    fields_write(&event_tables[event->kind], event, out);
    if (event->kind == EVENT_MESSAGE)
        fields_write(message_body_table(event->u.message.kind), &event->u.message, out);
    if (is_about_service(event->kind) && event->u.service.settings != NULL)
        fields_write(&settings_table, event->u.service.settings, out);
    if (event->kind == EVENT_ANSWER)
        fields_write(answer_body_table(event->u.answer.kind), &event->u.answer, out);
    text_end(out);
}

/* An agent's message: kind, instance and number first, since they say what else there is. */
static enum berth_err read_message(const struct field_reader *reader, struct event *event)
{
    /* The kind decides which other fields there are: those are checked once it is known. */
    enum berth_err code = fields_read(reader, &message_table, event);
    if (code != BERTH_OK)
        return code;
    struct message *message = &event->u.message;
    if (message->kind < MESSAGE_ACK)
        return berth_fail(
            reader->err, BERTH_ERR_INPUT, "kind=%s: agents do not send this; give %s, %s or %s",
            message_kind_names[message->kind], message_kind_names[MESSAGE_ACK],
            message_kind_names[MESSAGE_STOP_VERIFICATION], message_kind_names[MESSAGE_TASK_STATE]);
    const struct field_table *body = message_body_table(message->kind);
    const struct field_table *tables[] = {&message_table, &command_table, body};
    code = fields_check(reader, tables, COUNT_OF(tables));
    return code != BERTH_OK ? code : fields_read(reader, body, message);
}

/* The kind of an answer decides which other fields there are. */
static enum berth_err read_answer(const struct field_reader *reader, struct event *event)
{
    enum berth_err code = fields_read(reader, &answer_table, event);
    if (code != BERTH_OK)
        return code;
    const struct field_table *body = answer_body_table(event->u.answer.kind);
    const struct field_table *tables[] = {&answer_table, &command_table, body};
    code = fields_check(reader, tables, COUNT_OF(tables));
    return code != BERTH_OK ? code : fields_read(reader, body, &event->u.answer);
}

/* Settings that are not there are defaults, which is what a command without any says. */
static enum berth_err read_service(const struct field_reader *reader, struct event *event)
{
    const struct field_table *tables[] = {&event_tables[event->kind], &command_table,
                                          &settings_table};
    struct deployment_settings *settings = scratch_take(reader->scratch, sizeof *settings);
    bool has_settings = false;
    for (size_t i = 0; i < settings_table.count && !has_settings; i++)
        has_settings = text_get(reader->line, settings_table.fields[i].name) != NULL;
    enum berth_err code = fields_check(reader, tables, COUNT_OF(tables));
    if (code == BERTH_OK)
        code = fields_read(reader, tables[0], event);
    if (code == BERTH_OK && has_settings)
        code = fields_read(reader, &settings_table, settings);
    event->u.service.settings = has_settings ? settings : NULL;
    return code;
}

static enum berth_err read_event(const struct field_reader *reader, struct event *event)
{
    const struct field_table *tables[] = {&event_tables[event->kind], &command_table};
    enum berth_err code = fields_read(reader, &command_table, event);
    if (code == BERTH_OK && event->kind == EVENT_MESSAGE)
        return read_message(reader, event);
    if (code == BERTH_OK && event->kind == EVENT_ANSWER)
        return read_answer(reader, event);
    if (code == BERTH_OK && is_about_service(event->kind))
        return read_service(reader, event);
    if (code == BERTH_OK)
        code = fields_check(reader, tables, COUNT_OF(tables));
    return code != BERTH_OK ? code : fields_read(reader, tables[0], event);
}

static enum berth_err parse_event(struct field_reader *reader, const char *word,
                                  struct event *event)
{
    const char *names[EVENT_KIND_COUNT + 1];
    memcpy(names, event_kind_names, sizeof event_kind_names);
    names[EVENT_KIND_COUNT] = NULL;
    memset(event, 0, sizeof *event);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (strcmp(event_kind_names[kind], word) != 0)
            continue;
        event->kind = (enum event_kind)kind;
        return read_event(reader, event);
    }
    const char *nearest = berth_nearest(word, names);
    return berth_fail(reader->err, BERTH_ERR_INPUT,
                      nearest == NULL ? "column 3: there is no event %.40s"
                                      : "column 3: there is no event %.40s; did you mean %s?",
                      word, nearest);
}

enum berth_err transcript_parse_line(char *line, struct transcript_scratch *scratch,
                                     task_def_decoder decode, enum transcript_line *kind,
                                     struct step_time *now, struct event *event,
                                     struct berth_error *err)
{
    struct text_line words;
    struct field_reader reader = {&words, line, scratch, decode, err};
    enum berth_err code;
    scratch_clear(scratch);
    if (line[0] == '<') {
        *kind = TRANSCRIPT_ACTION;
        return BERTH_OK;
    }
    bool is_time = line[0] == '@', is_event = line[0] == '>' && line[1] == ' ';
    if (!is_time && !is_event)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "column 1: a line of a transcript begins with '@', '> ' or '< '");
    /* The mark and the event's name are one word while the line is split: columns stay true. */
    if (is_event)
        line[1] = '_';
    code = text_parse_line(line, &words, err);
    if (code != BERTH_OK)
        return code;
    *kind = is_time ? TRANSCRIPT_TIME : TRANSCRIPT_EVENT;
    if (is_event) {
        words.word = line + 2;
        return parse_event(&reader, words.word, event);
    }
    const struct field_table *tables[] = {&time_table};
    if (strcmp(words.word, "@") != 0)
        return berth_fail(err, BERTH_ERR_INPUT, "column 2: a time is written @ mono=0 wall=0");
    code = fields_check(&reader, tables, COUNT_OF(tables));
    return code != BERTH_OK ? code : fields_read(&reader, &time_table, now);
}
