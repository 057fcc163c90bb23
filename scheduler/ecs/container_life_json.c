#include "scheduler/ecs/container_life_json.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/ecs_shapes.h"

static enum berth_err check_command(const json_t *command, const char *place,
                                    struct berth_error *err)
{
    const char *first = json_string_value(json_array_get(command, 0));
    if (first == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/command: is missing; write [\"CMD-SHELL\", \"...\"]", place);
    if (strcmp(first, "CMD") != 0 && strcmp(first, "CMD-SHELL") != 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/command/0: a check starts with CMD or CMD-SHELL; put one before the "
                          "command",
                          place);
    if (json_array_size(command) < 2)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/command: %s alone does nothing; write a command after it", place,
                          first);
    return BERTH_OK;
}

enum berth_err container_read_health(const json_t *json, const char *place,
                                     struct health_check *out, struct berth_error *err)
{
    const json_t *check = json_object_get(json, "healthCheck");
    int64_t interval_s = 30, timeout_s = 5, retries = 3, start_period_s = 0;
    char inner[ECS_PLACE_MAX];
    *out = (struct health_check){0};
    if (!json_is_object(check))
        return BERTH_OK;
    ecs_place(inner, "%s/healthCheck", place);
    if (check_command(json_object_get(check, "command"), inner, err) != BERTH_OK ||
        ecs_get_integer(check, inner, "interval", 5, 300, &interval_s, err) != BERTH_OK ||
        ecs_get_integer(check, inner, "timeout", 2, 60, &timeout_s, err) != BERTH_OK ||
        ecs_get_integer(check, inner, "retries", 1, 10, &retries, err) != BERTH_OK ||
        ecs_get_integer(check, inner, "startPeriod", 0, 300, &start_period_s, err) != BERTH_OK)
        return err->code;
    *out = (struct health_check){
        .interval_ns = interval_s * BERTH_NS_PER_S,
        .timeout_ns = timeout_s * BERTH_NS_PER_S,
        .start_period_ns = start_period_s * BERTH_NS_PER_S,
        .retries = (uint16_t)retries,
    };
    return BERTH_OK;
}

static enum berth_err check_codes(const json_t *list, const char *place, struct berth_error *err)
{
    size_t count = json_array_size(list);
    if (count > TASK_DEF_IGNORED_EXIT_CODES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/ignoredExitCodes: %zu of them; at most %d",
                          place, count, TASK_DEF_IGNORED_EXIT_CODES_MAX);
    for (size_t i = 0; i < count; i++) {
        json_int_t code = json_integer_value(json_array_get(list, i));
        if (code < INT32_MIN || code > INT32_MAX)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/ignoredExitCodes/%zu: is not an exit code; write 0 to 255", place,
                              i);
    }
    return BERTH_OK;
}

enum berth_err container_read_restart(const json_t *json, const char *place,
                                      struct restart_policy *out, struct berth_error *err)
{
    const json_t *policy = json_object_get(json, "restartPolicy");
    const json_t *codes = json_object_get(policy, "ignoredExitCodes");
    int64_t period_s = 300;
    bool is_enabled = false;
    char inner[ECS_PLACE_MAX];
    *out = (struct restart_policy){0};
    if (!json_is_object(policy))
        return BERTH_OK;
    ecs_place(inner, "%s/restartPolicy", place);
    if (!json_is_boolean(json_object_get(policy, "enabled")))
        return berth_fail(err, BERTH_ERR_INPUT, "%s/enabled: is missing; write true or false",
                          inner);
    if (ecs_get_boolean(policy, inner, "enabled", &is_enabled, err) != BERTH_OK ||
        check_codes(codes, inner, err) != BERTH_OK ||
        ecs_get_integer(policy, inner, "restartAttemptPeriod", 60, 1800, &period_s, err) !=
            BERTH_OK)
        return err->code;
    out->is_enabled = is_enabled;
    out->attempt_period_ns = period_s * BERTH_NS_PER_S;
    out->ignored_count = (uint16_t)json_array_size(codes);
    if (out->ignored_count == 0)
        return BERTH_OK;
    out->ignored_exit_codes = mem_alloc(out->ignored_count * sizeof out->ignored_exit_codes[0]);
    for (uint16_t i = 0; i < out->ignored_count; i++)
        out->ignored_exit_codes[i] = (int32_t)json_integer_value(json_array_get(codes, i));
    return BERTH_OK;
}
