#include "scheduler/core/transcript_fields.h"

#include <string.h>

static const void *member(const struct field *field, const void *base)
{
    return (const char *)base + field->offset;
}

/* Members are read by memcpy: a table knows their size, not their type. */
#define LOAD(type, field, base, out)                             \
    do {                                                         \
        type loaded;                                             \
        memcpy(&loaded, member((field), (base)), sizeof loaded); \
        (out) = loaded;                                          \
    } while (0)

static int64_t load_number(const struct field *field, const void *base)
{
    int64_t value = 0;
    if (field->type == FIELD_BOOL)
        LOAD(bool, field, base, value);
    else if (field->type == FIELD_U16)
        LOAD(uint16_t, field, base, value);
    else if (field->type == FIELD_U32 || field->type == FIELD_ENUM)
        LOAD(uint32_t, field, base, value);
    else if (field->type == FIELD_I32)
        LOAD(int32_t, field, base, value);
    else
        LOAD(int64_t, field, base, value);
    return value;
}

static uint32_t load_count(const struct field *field, const void *base)
{
    const char *at = (const char *)base + field->count_offset;
    uint16_t small;
    uint32_t count;
    if (field->type == FIELD_TASKS || field->type == FIELD_ATTRIBUTES) {
        memcpy(&count, at, sizeof count);
        return count;
    }
    memcpy(&small, at, sizeof small);
    return small;
}

void list_add_text(struct text *list, const char *item, bool is_name)
{
    for (; *item != '\0'; item++) {
        if (*item == ';' || *item == '\\' || (is_name && *item == ':'))
            text_add_n(list, "\\", 1);
        text_add_n(list, item, 1);
    }
}

static void add_pair(struct text *list, const char *name, const char *value)
{
    list_add_text(list, name, true);
    if (value == NULL)
        return;
    text_add_n(list, ":", 1);
    list_add_text(list, value, false);
}

static void add_hook(struct text *list, const struct deployment_hook *hook)
{
    const char *before = ":";
    list_add_text(list, hook->name, true);
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        if (hook->stages & 1u << stage) {
            text_addf(list, "%s%s", before, deployment_stage_names[stage]);
            before = "+";
        }
    text_addf(list, ":%s:%s:%lu", hook->is_pause ? "pause" : "function",
              hook->continues ? "CONTINUE" : "ROLLBACK", (unsigned long)hook->minutes);
}

static void add_item(const struct field *field, const void *items, uint32_t index,
                     struct text *list)
{
    if (field->type == FIELD_TASKS) {
        text_addf(list, "%llu", (unsigned long long)((const task_id *)items)[index]);
    } else if (field->type == FIELD_PORTS) {
        text_addf(list, "%u", ((const uint16_t *)items)[index]);
    } else if (field->type == FIELD_GPUS) {
        text_addf(list, "%lu", (unsigned long)((const struct gpu_request *)items)[index].milli);
    } else if (field->type == FIELD_ATTRIBUTES) {
        const struct attribute_text *attribute = &((const struct attribute_text *)items)[index];
        add_pair(list, attribute->name, attribute->value);
    } else if (field->type == FIELD_NAMES) {
        list_add_text(list, ((const char *const *)items)[index], false);
    } else if (field->type == FIELD_HOOKS) {
        add_hook(list, &((const struct deployment_hook *)items)[index]);
    } else if (field->type == FIELD_SHARES) {
        const struct provider_share *share = &((const struct provider_share *)items)[index];
        list_add_text(list, share->provider, true);
        text_addf(list, ":%lu/%lu", (unsigned long)share->weight, (unsigned long)share->base);
    } else if (field->type == FIELD_STRATEGIES) {
        const struct placement_strategy_spec *spec =
            &((const struct placement_strategy_spec *)items)[index];
        add_pair(list, spec->type, spec->field);
    } else {
        const struct placement_constraint_spec *spec =
            &((const struct placement_constraint_spec *)items)[index];
        add_pair(list, spec->type, spec->expression);
    }
}

static void write_list(const struct field *field, const void *base, struct text *out)
{
    struct text list = TEXT_INIT;
    const void *items;
    LOAD(const void *, field, base, items);
    uint32_t count = load_count(field, base);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_n(&list, ";", 1);
        add_item(field, items, i, &list);
    }
    if (count > 0)
        text_field(out, field->name, list.bytes == NULL ? "" : list.bytes);
    text_free(&list);
}

static void write_number(const struct field *field, const void *base, struct text *out)
{
    int64_t value = load_number(field, base);
    if (value == field->absent && !field->is_required)
        return;
    if (field->type == FIELD_ENUM)
        text_field(out, field->name, field->names[value]);
    else if (field->type == FIELD_U64)
        text_field_u64(out, field->name, (uint64_t)value);
    else
        text_field_i64(out, field->name, value);
}

static void write_text(const struct field *field, const void *base, struct text *out)
{
    const char *text;
    LOAD(const char *, field, base, text);
    text_field(out, field->name, text);
}

static void write_desired(const struct field *field, const void *base, struct text *out)
{
    bool is_running;
    LOAD(bool, field, base, is_running);
    text_field(out, field->name, task_status_names[is_running ? TASK_RUNNING : TASK_STOPPED]);
}

static void write_document(const struct field *field, const void *base, struct text *out)
{
    const struct task_def *def;
    LOAD(const struct task_def *, field, base, def);
    text_field(out, field->name, def->document);
}

void fields_write(const struct field_table *table, const void *base, struct text *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        switch (field->type) {
        case FIELD_BOOL:
        case FIELD_U16:
        case FIELD_U32:
        case FIELD_I32:
        case FIELD_U64:
        case FIELD_I64:
        case FIELD_ENUM:
            write_number(field, base, out);
            break;
        case FIELD_DESIRED:
            write_desired(field, base, out);
            break;
        case FIELD_TEXT:
            write_text(field, base, out);
            break;
        case FIELD_DOCUMENT:
            write_document(field, base, out);
            break;
        case FIELD_TASKS:
        case FIELD_PORTS:
        case FIELD_GPUS:
        case FIELD_NAMES:
        case FIELD_HOOKS:
        case FIELD_SHARES:
        case FIELD_ATTRIBUTES:
        case FIELD_STRATEGIES:
        case FIELD_CONSTRAINTS:
            write_list(field, base, out);
            break;
        }
    }
}
