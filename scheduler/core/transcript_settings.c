/* deploymentConfiguration as fields of a line: in commands, and in a service's record. */
#include "scheduler/core/transcript_fields.h"

static const char *const threshold_names[] = {
    [BREAKER_BOUNDED_PERCENT] = "BOUNDED_PERCENT",
    [BREAKER_UNBOUNDED_PERCENT] = "UNBOUNDED_PERCENT",
    [BREAKER_TASK_COUNT] = "COUNT",
};

#define AT(member) .offset = offsetof(struct deployment_settings, member)
#define COUNT_AT(member) .count_offset = offsetof(struct deployment_settings, member)

static const struct field settings_fields[] = {
    {"strategy", FIELD_ENUM, AT(strategy), .names = deployment_strategy_names,
     .name_count = DEPLOYMENT_STRATEGY_COUNT},
    {"breaker", FIELD_BOOL, AT(breaker.is_enabled)},
    {"breaker-rolls-back", FIELD_BOOL, AT(breaker.rolls_back)},
    {"breaker-keeps-count", FIELD_BOOL, AT(breaker.keeps_count)},
    {"breaker-type", FIELD_ENUM, AT(breaker.type), .names = threshold_names,
     .name_count = sizeof threshold_names / sizeof threshold_names[0]},
    {"breaker-value", FIELD_U32, AT(breaker.value)},
    {"alarms", FIELD_BOOL, AT(alarms.is_enabled)},
    {"alarms-roll-back", FIELD_BOOL, AT(alarms.rolls_back)},
    {"alarm-names", FIELD_NAMES, AT(alarms.names), COUNT_AT(alarms.count)},
    {"has-bake", FIELD_BOOL, AT(has_bake)},
    {"bake", FIELD_I64, AT(bake_ns)},
    {"step-permille", FIELD_U32, AT(step_permille)},
    {"has-step-bake", FIELD_BOOL, AT(has_step_bake)},
    {"step-bake", FIELD_I64, AT(step_bake_ns)},
    {"hooks", FIELD_HOOKS, AT(hooks), COUNT_AT(hook_count)},
};

const struct field_table settings_table = FIELD_TABLE(settings_fields);
