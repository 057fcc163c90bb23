/* ecs_sizes.c -- ECS's ways to write CPU, memory and GPUs, in exact integer arithmetic. */
#include <string.h>
#include <strings.h>

#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/task_def_json.h"

#define DECIMALS_MAX 9

/* "12.5": the number times `scale`, rounded to nearest; *rest is what follows it. */
static bool parse_scaled(const char *text, int64_t scale, int64_t *out, const char **rest)
{
    int64_t number = 0, divisor = 1;
    size_t whole = strspn(text, "0123456789");
    const char *fraction = text[whole] == '.' ? text + whole + 1 : "";
    size_t decimals = strspn(fraction, "0123456789");
    if (whole > 10 || decimals > DECIMALS_MAX || whole + decimals == 0)
        return false;
    for (size_t i = 0; i < whole; i++)
        number = number * 10 + (text[i] - '0');
    if (number > INT32_MAX)
        return false;
    int64_t part = 0;
    for (size_t i = 0; i < decimals; i++) {
        part = part * 10 + (fraction[i] - '0');
        divisor *= 10;
    }
    *out = number * scale + (part * scale + divisor / 2) / divisor;
    *rest = *fraction == '\0' && text[whole] != '.' ? text + whole : fraction + decimals;
    return true;
}

static bool parse_size(const json_t *value, const char *unit, int64_t per_unit, int32_t *out)
{
    int64_t number = -1;
    if (json_is_integer(value)) {
        number = (int64_t)json_integer_value(value);
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value), *rest = text;
        if (!parse_scaled(text, per_unit, &number, &rest))
            return false;
        if (*rest == '\0') {
            if (strchr(text, '.') != NULL)
                return false; /* "0.5" alone: half of what? */
            number /= per_unit;
        } else if (strcasecmp(rest + strspn(rest, " "), unit) != 0) {
            return false;
        }
    }
    if (number < 0 || number > INT32_MAX)
        return false;
    *out = (int32_t)number;
    return true;
}

bool ecs_parse_cpu(const json_t *value, int32_t *cpu_units)
{
    return parse_size(value, "vCPU", BERTH_CPU_UNITS_PER_VCPU, cpu_units);
}

bool ecs_parse_memory(const json_t *value, int32_t *mem_mib)
{
    return parse_size(value, "GB", 1024, mem_mib);
}

bool ecs_parse_gpu(const char *value, uint32_t *milli)
{
    int64_t number = 0;
    const char *rest = value, *point = strchr(value, '.');
    if (!parse_scaled(value, BERTH_GPU_MILLI, &number, &rest) || *rest != '\0')
        return false;
    if (point != NULL && strlen(point + 1) > 3 && strspn(point + 4, "0") != strlen(point + 4))
        return false; /* finer than a thousandth */
    if (number <= 0 || number > GPU_DEVICES_MAX * BERTH_GPU_MILLI ||
        (number > BERTH_GPU_MILLI && number % BERTH_GPU_MILLI != 0))
        return false;
    *milli = (uint32_t)number;
    return true;
}

enum berth_err ecs_read_gpu(const json_t *requirements, const char *place, uint32_t *milli,
                            struct berth_error *err)
{
    size_t index;
    json_t *item;
    *milli = 0;
    json_array_foreach(requirements, index, item)
    {
        const char *type = NULL, *value = NULL;
        if (ecs_get_text(item, place, "type", &type, err) != BERTH_OK ||
            ecs_get_text(item, place, "value", &value, err) != BERTH_OK)
            return err->code;
        if (type == NULL || value == NULL)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/resourceRequirements/%zu: needs \"type\" and \"value\"", place,
                              index);
        if (strcmp(type, "InferenceAccelerator") == 0)
            continue;
        if (strcmp(type, "GPU") != 0)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/resourceRequirements/%zu/type: \"%.60s\" is not a type; use GPU",
                              place, index, type);
        if (*milli != 0)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/resourceRequirements/%zu: a second GPU entry; keep one per "
                              "container",
                              place, index);
        if (!ecs_parse_gpu(value, milli))
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/resourceRequirements/%zu/value: \"%.60s\" is not a number of "
                              "GPUs; write \"1\", \"2\", ... \"%d\", or a share such as \"0.46\"",
                              place, index, value, GPU_DEVICES_MAX);
    }
    return BERTH_OK;
}
