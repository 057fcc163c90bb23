/* Requests and answers as lines (outside.h): one table for each kind. */
#include "scheduler/core/transcript_fields.h"

#define REQUEST(member) .offset = offsetof(struct request, member)
#define ANSWER(member) .offset = offsetof(struct answer, member)
#define NAMED(table, total) .names = (table), .name_count = (total)

static const struct field target_request[] = {
    {"task", FIELD_U64, .is_required = true, REQUEST(u.target.task)},
    {"instance", FIELD_U32, REQUEST(u.target.instance), .absent = INSTANCE_NONE},
    {"target-group", FIELD_TEXT, REQUEST(u.target.target_group)},
};

static const struct field interface_request[] = {
    {"task", FIELD_U64, .is_required = true, REQUEST(u.interface.task)},
    {"instance", FIELD_U32, REQUEST(u.interface.instance), .absent = INSTANCE_NONE},
};

static const struct field traffic_request[] = {
    {"test", FIELD_BOOL, REQUEST(u.traffic.is_test)},
    {"first", FIELD_U64, REQUEST(u.traffic.weights[0].deployment)},
    {"first-permille", FIELD_U32, REQUEST(u.traffic.weights[0].permille)},
    {"second", FIELD_U64, REQUEST(u.traffic.weights[1].deployment)},
    {"second-permille", FIELD_U32, REQUEST(u.traffic.weights[1].permille)},
    {"count", FIELD_U32, REQUEST(u.traffic.count)},
};

static const struct field hook_request[] = {
    {"name", FIELD_TEXT, REQUEST(u.hook.name)},
    {"stage", FIELD_ENUM, REQUEST(u.hook.stage), NAMED(deployment_stage_names, STAGE_COUNT)},
    {"call", FIELD_U64, REQUEST(u.hook.call)},
};

static const struct field group_request[] = {
    {"provider", FIELD_TEXT, REQUEST(u.group.provider)},
    {"wanted", FIELD_U32, REQUEST(u.group.wanted)},
    {"instance", FIELD_U32, REQUEST(u.group.instance), .absent = INSTANCE_NONE},
    {"task", FIELD_U64, REQUEST(u.group.task)},
    {"cpu", FIELD_I32, REQUEST(u.group.cpu_units)},
    {"memory", FIELD_I32, REQUEST(u.group.mem_mib)},
    {"zone", FIELD_TEXT, REQUEST(u.group.zone)},
};

const struct field_table *request_body_table(enum request_kind kind)
{
    static const struct field_table target = FIELD_TABLE(target_request);
    static const struct field_table interface = FIELD_TABLE(interface_request);
    static const struct field_table traffic = FIELD_TABLE(traffic_request);
    static const struct field_table hook = FIELD_TABLE(hook_request);
    static const struct field_table group = FIELD_TABLE(group_request);
    static const struct field_table none = {NULL, 0};
    switch (kind) {
    case REQUEST_REGISTER_TARGET:
    case REQUEST_DEREGISTER_TARGET:
        return &target;
    case REQUEST_ATTACH_INTERFACE:
    case REQUEST_DETACH_INTERFACE:
        return &interface;
    case REQUEST_SHIFT_TRAFFIC:
        return &traffic;
    case REQUEST_INVOKE_HOOK:
        return &hook;
    case REQUEST_RESIZE_GROUP:
    case REQUEST_TERMINATE_INSTANCE:
    case REQUEST_LAUNCH_FARGATE:
        return &group;
    case REQUEST_KIND_COUNT:
        break;
    }
    return &none;
}

static const struct field target_answer[] = {
    {"task", FIELD_U64, .is_required = true, ANSWER(u.target.task)},
    {"target-group", FIELD_TEXT, ANSWER(u.target.target_group)},
    {"state", FIELD_ENUM, .is_required = true, ANSWER(u.target.state),
     NAMED(target_state_names, TARGET_STATE_COUNT)},
};

static const struct field interface_answer[] = {
    {"task", FIELD_U64, .is_required = true, ANSWER(u.interface.task)},
    {"attached", FIELD_BOOL, ANSWER(u.interface.is_attached)},
};

static const struct field traffic_answer[] = {
    {"service", FIELD_U32, .is_required = true, ANSWER(u.traffic.service)},
    {"deployment", FIELD_U64, .is_required = true, ANSWER(u.traffic.deployment)},
    {"test", FIELD_BOOL, ANSWER(u.traffic.is_test)},
    {"permille", FIELD_U32, ANSWER(u.traffic.permille)},
};

static const struct field hook_answer[] = {
    {"service", FIELD_U32, .is_required = true, ANSWER(u.hook.service)},
    {"deployment", FIELD_U64, .is_required = true, ANSWER(u.hook.deployment)},
    {"call", FIELD_U64, ANSWER(u.hook.call)},
    {"status", FIELD_ENUM, .is_required = true, ANSWER(u.hook.status),
     NAMED(hook_status_names, HOOK_STATUS_COUNT)},
};

static const struct field alarm_answer[] = {
    {"name", FIELD_TEXT, ANSWER(u.alarm.name)},
    {"alarm", FIELD_BOOL, ANSWER(u.alarm.is_alarm)},
};

static const struct field metric_answer[] = {
    {"service", FIELD_TEXT, ANSWER(u.metric.service)},
    {"metric", FIELD_ENUM, .is_required = true, ANSWER(u.metric.metric),
     NAMED(scaling_metric_names, SCALING_METRIC_COUNT)},
    {"value-milli", FIELD_I64, ANSWER(u.metric.value_milli)},
};

static const struct field group_answer[] = {
    {"provider", FIELD_TEXT, ANSWER(u.group.provider)},
    {"in-service", FIELD_U32, ANSWER(u.group.in_service)},
    {"launching", FIELD_U32, ANSWER(u.group.launching)},
    {"minimum", FIELD_U32, ANSWER(u.group.minimum)},
    {"maximum", FIELD_U32, ANSWER(u.group.maximum), .absent = UINT32_MAX},
    {"refused-task", FIELD_U64, ANSWER(u.group.refused_task)},
    {"interrupt-task", FIELD_U64, ANSWER(u.group.interrupt_task)},
};

const struct field_table *answer_body_table(enum answer_kind kind)
{
    static const struct field_table tables[ANSWER_KIND_COUNT] = {
        [ANSWER_TARGET] = FIELD_TABLE(target_answer),
        [ANSWER_INTERFACE] = FIELD_TABLE(interface_answer),
        [ANSWER_TRAFFIC] = FIELD_TABLE(traffic_answer),
        [ANSWER_HOOK] = FIELD_TABLE(hook_answer),
        [ANSWER_ALARM] = FIELD_TABLE(alarm_answer),
        [ANSWER_METRIC] = FIELD_TABLE(metric_answer),
        [ANSWER_GROUP] = FIELD_TABLE(group_answer),
    };
    return &tables[kind];
}
