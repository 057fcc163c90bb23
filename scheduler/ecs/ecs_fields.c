/* ecs_fields.c -- one member at a time, each with a message that says where and what instead. */
#include <stdio.h>
#include <string.h>

#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/json_input.h"

const char *ecs_kind_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "unknown";
}

void ecs_place(char out[ECS_PLACE_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out, ECS_PLACE_MAX, format, args);
    va_end(args);
}

static enum berth_err wrong_kind(const json_t *json, const char *place, const char *name,
                                 const char *wanted, struct berth_error *err)
{
    bool holds_others = json_is_array(json) && strncmp(wanted, "a list", strlen("a list")) == 0;
    return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: is %s; %s is expected", place, name,
                      holds_others ? "a list of other things" : ecs_kind_of(json), wanted);
}

/* NULL for absent and null. */
static const json_t *member_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

static const char *describe(enum ecs_kind kind)
{
    switch (kind) {
    case ECS_TEXT:
        return "a text";
    case ECS_INTEGER:
        return "a whole number";
    case ECS_NUMBER:
        return "a number";
    case ECS_BOOLEAN:
        return "true or false";
    case ECS_TIMESTAMP:
        return "a time (seconds or ISO 8601 text)";
    case ECS_SIZE:
        return "a text or a whole number";
    case ECS_STRUCTURE:
        return "an object";
    case ECS_LIST:
        return "a list of objects";
    case ECS_TEXTS:
        return "a list of texts";
    case ECS_INTEGERS:
        return "a list of whole numbers";
    case ECS_MAP:
        return "an object of texts";
    }
    return "";
}

static bool all_items(const json_t *list, json_type type)
{
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        if (json_typeof(item) != type)
            return false;
    }
    return true;
}

static bool all_values_are_texts(const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!json_is_string(value) && !json_is_null(value))
            return false;
    }
    return true;
}

static bool is_of_kind(const json_t *json, enum ecs_kind kind)
{
    switch (kind) {
    case ECS_TEXT:
        return json_is_string(json);
    case ECS_INTEGER:
        return json_is_integer(json);
    case ECS_NUMBER:
        return json_is_number(json);
    case ECS_BOOLEAN:
        return json_is_boolean(json);
    case ECS_TIMESTAMP:
        return json_is_number(json) || json_is_string(json);
    case ECS_SIZE:
        return json_is_integer(json) || json_is_string(json);
    case ECS_STRUCTURE:
        return json_is_object(json);
    case ECS_LIST:
        return json_is_array(json) && all_items(json, JSON_OBJECT);
    case ECS_TEXTS:
        return json_is_array(json) && all_items(json, JSON_STRING);
    case ECS_INTEGERS:
        return json_is_array(json) && all_items(json, JSON_INTEGER);
    case ECS_MAP:
        return json_is_object(json) && all_values_are_texts(json);
    }
    return false;
}

static enum berth_err unknown_member(const char *key, const char *place,
                                     const struct ecs_member *members, struct berth_error *err)
{
    enum { NAMES_MAX = 63 }; /* ECS's widest shape has 41 members. */
    const char *names[NAMES_MAX + 1];
    size_t count = 0;
    for (; members->name != NULL && count < NAMES_MAX; members++)
        names[count++] = members->name;
    names[count] = NULL;
    char shown[80];
    json_show(shown, sizeof shown, key, strlen(key));
    const char *near = berth_nearest(key, names);
    if (near != NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: unknown key; did you mean \"%s\"?", place,
                          shown, near);
    return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: unknown key, not one of ECS's; remove it",
                      place, shown);
}

/* Recursion goes down the tables of ecs_shapes.c, five deep at most, never down the input. */
static enum berth_err check_member(const json_t *value, const char *place,
                                   const struct ecs_member *member, struct berth_error *err)
{
    if (json_is_null(value))
        return BERTH_OK;
    if (!is_of_kind(value, member->kind))
        return wrong_kind(value, place, member->name, describe(member->kind), err);
    if (member->members == NULL)
        return BERTH_OK;
    char inner[ECS_PLACE_MAX];
    if (member->kind == ECS_STRUCTURE) {
        ecs_place(inner, "%s/%s", place, member->name);
        return ecs_check_shape(value, inner, member->members, err);
    }
    size_t index;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        ecs_place(inner, "%s/%s/%zu", place, member->name, index);
        if (ecs_check_shape(item, inner, member->members, err) != BERTH_OK)
            return err->code;
    }
    return BERTH_OK;
}

enum berth_err ecs_check_shape(const json_t *json, const char *place,
                               const struct ecs_member *members, struct berth_error *err)
{
    if (!json_is_object(json))
        return berth_fail(err, BERTH_ERR_INPUT, "%s: is %s; an object is expected", place,
                          ecs_kind_of(json));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        const struct ecs_member *member = members;
        while (member->name != NULL && strcmp(member->name, key) != 0)
            member++;
        if (member->name == NULL && key[0] == '$')
            continue;
        if (member->name == NULL)
            return unknown_member(key, place, members, err);
        if (check_member(value, place, member, err) != BERTH_OK)
            return err->code;
    }
    return BERTH_OK;
}

enum berth_err ecs_get_text(const json_t *object, const char *place, const char *name,
                            const char **out, struct berth_error *err)
{
    const json_t *value = member_of(object, name);
    if (value == NULL)
        return BERTH_OK;
    if (!json_is_string(value))
        return wrong_kind(value, place, name, "a text", err);
    *out = json_string_value(value);
    return BERTH_OK;
}

enum berth_err ecs_get_integer(const json_t *object, const char *place, const char *name,
                               int64_t min, int64_t max, int64_t *out, struct berth_error *err)
{
    const json_t *value = member_of(object, name);
    if (value == NULL)
        return BERTH_OK;
    if (!json_is_integer(value))
        return wrong_kind(value, place, name, "a whole number", err);
    int64_t number = (int64_t)json_integer_value(value);
    if (number < min || number > max)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/%s: %lld is out of range; write a whole number from %lld to %lld",
                          place, name, (long long)number, (long long)min, (long long)max);
    *out = number;
    return BERTH_OK;
}

enum berth_err ecs_get_boolean(const json_t *object, const char *place, const char *name, bool *out,
                               struct berth_error *err)
{
    const json_t *value = member_of(object, name);
    if (value == NULL)
        return BERTH_OK;
    if (!json_is_boolean(value))
        return wrong_kind(value, place, name, "true or false", err);
    *out = json_is_true(value);
    return BERTH_OK;
}

static enum berth_err get_of_kind(const json_t *object, const char *place, const char *name,
                                  enum ecs_kind kind, const json_t **out, struct berth_error *err)
{
    const json_t *value = member_of(object, name);
    *out = NULL;
    if (value == NULL)
        return BERTH_OK;
    if (!is_of_kind(value, kind))
        return wrong_kind(value, place, name, describe(kind), err);
    *out = value;
    return BERTH_OK;
}

enum berth_err ecs_get_list(const json_t *object, const char *place, const char *name,
                            const json_t **out, struct berth_error *err)
{
    return get_of_kind(object, place, name, ECS_LIST, out, err);
}

enum berth_err ecs_get_texts(const json_t *object, const char *place, const char *name,
                             const json_t **out, struct berth_error *err)
{
    return get_of_kind(object, place, name, ECS_TEXTS, out, err);
}

enum berth_err ecs_get_object(const json_t *object, const char *place, const char *name,
                              const json_t **out, struct berth_error *err)
{
    return get_of_kind(object, place, name, ECS_STRUCTURE, out, err);
}

const char *ecs_last_part(const char *arn)
{
    const char *slash = strrchr(arn, '/');
    return slash == NULL ? arn : slash + 1;
}
