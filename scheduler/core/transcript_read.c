#include "scheduler/core/transcript_fields.h"

#include <string.h>

#include "scheduler/base/mem.h"

#define FIELDS_OF_A_LINE_MAX 64

void *scratch_take(struct transcript_scratch *scratch, size_t size_bytes)
{
    void *list = mem_alloc(size_bytes);
    *vec_push(&scratch->lists) = list;
    return list;
}

void scratch_clear(struct transcript_scratch *scratch)
{
    for (size_t i = 0; i < scratch->lists.count; i++)
        mem_free(scratch->lists.items[i]);
    vec_clear(&scratch->lists);
}

/* The field of the line, or NULL; an index is kept apart since a value may lie anywhere. */
static char *find(const struct field_reader *reader, const char *name, size_t *column)
{
    const struct text_line *line = reader->line;
    for (size_t i = 0; i < line->field_count; i++) {
        if (strcmp(line->fields[i].name, name) != 0)
            continue;
        *column = (size_t)(line->fields[i].name - reader->start) + 1;
        return line->fields[i].value;
    }
    return NULL;
}

static enum berth_err refuse(const struct field_reader *reader, size_t column,
                             const struct field *field, const char *value, const char *cure)
{
    return berth_fail(reader->err, BERTH_ERR_INPUT, "column %zu: %s=%.40s is wrong; give %s",
                      column, field->name, value, cure);
}

static void store(const struct field *field, void *base, const void *value, size_t size_bytes)
{
    memcpy((char *)base + field->offset, value, size_bytes);
}

static void store_number(const struct field *field, void *base, int64_t value)
{
    if (field->type == FIELD_BOOL)
        store(field, base, &(bool){value != 0}, sizeof(bool));
    else if (field->type == FIELD_U16)
        store(field, base, &(uint16_t){(uint16_t)value}, sizeof(uint16_t));
    else if (field->type == FIELD_U32 || field->type == FIELD_ENUM)
        store(field, base, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    else if (field->type == FIELD_I32)
        store(field, base, &(int32_t){(int32_t)value}, sizeof(int32_t));
    else
        store(field, base, &value, sizeof value);
}

static bool parse_u64(const char *text, uint64_t *out)
{
    struct text_line line = {.field_count = 1};
    line.fields[0].name = "";
    line.fields[0].value = (char *)(uintptr_t)text;
    return text_get_u64(&line, "", out);
}

/* Inclusive bounds of a number's type, and how to say them. */
static const struct {
    int64_t min, max;
    const char *cure;
} ranges[] = {
    [FIELD_BOOL] = {0, 1, "0 or 1"},
    [FIELD_U16] = {0, UINT16_MAX, "a number from 0 to 65535"},
    [FIELD_U32] = {0, UINT32_MAX, "a number from 0 to 4294967295"},
    [FIELD_I32] = {INT32_MIN, INT32_MAX, "a number from -2147483648 to 2147483647"},
    [FIELD_U64] = {0, INT64_MAX, "a number from 0 to 18446744073709551615"},
    [FIELD_I64] = {INT64_MIN, INT64_MAX, "a number of 64 bits"},
};

static enum berth_err read_number(const struct field_reader *reader, const struct field *field,
                                  size_t column, const char *value, void *base)
{
    uint64_t large;
    int64_t number;
    if (field->type == FIELD_U64) {
        if (!parse_u64(value, &large))
            return refuse(reader, column, field, value, ranges[field->type].cure);
        store(field, base, &large, sizeof large);
        return BERTH_OK;
    }
    if (!text_get_i64(reader->line, field->name, &number) || number < ranges[field->type].min ||
        number > ranges[field->type].max)
        return refuse(reader, column, field, value, ranges[field->type].cure);
    store_number(field, base, number);
    return BERTH_OK;
}

static enum berth_err read_enum(const struct field_reader *reader, const struct field *field,
                                size_t column, const char *value, void *base)
{
    for (unsigned i = 0; i < field->name_count; i++)
        if (strcmp(field->names[i], value) == 0) {
            store_number(field, base, i);
            return BERTH_OK;
        }
    struct text cure = TEXT_INIT;
    text_add(&cure, "one of");
    for (unsigned i = 0; i < field->name_count; i++)
        text_addf(&cure, "%s %s", i > 0 ? "," : "", field->names[i]);
    enum berth_err code = refuse(reader, column, field, value, cure.bytes);
    text_free(&cure);
    return code;
}

static enum berth_err read_document(const struct field_reader *reader, const struct field *field,
                                    size_t column, const char *value, void *base)
{
    struct task_def *def = NULL;
    if (reader->decode == NULL)
        return berth_fail(reader->err, BERTH_ERR_INPUT,
                          "column %zu: nothing decodes a document here", column);
    if (reader->decode(value, &def, reader->err) != BERTH_OK)
        return berth_fail_in(reader->err, "column %zu: ", column);
    store(field, base, &def, sizeof def);
    return BERTH_OK;
}

/* Cut the next item off a list, in place: at the first bare ';'. NULL ends the list. */
static char *next_item(char **rest)
{
    char *item = *rest;
    if (item == NULL)
        return NULL;
    char *at = item;
    while (*at != '\0' && *at != ';')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    *rest = *at == ';' ? at + 1 : NULL;
    *at = '\0';
    return item;
}

static void unescape(char *item)
{
    char *out = item;
    for (; *item != '\0'; item++) {
        if (*item == '\\' && item[1] != '\0')
            item++;
        *out++ = *item;
    }
    *out = '\0';
}

/* Cut a pair at its first bare ':'; the value is NULL when there is none. */
static char *pair_value(char *item)
{
    char *at = item;
    while (*at != '\0' && *at != ':')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    char *value = *at == ':' ? at + 1 : NULL;
    *at = '\0';
    unescape(item);
    if (value != NULL)
        unescape(value);
    return value;
}

static size_t item_bytes(enum field_type type)
{
    switch (type) {
    case FIELD_TASKS:
        return sizeof(task_id);
    case FIELD_PORTS:
        return sizeof(uint16_t);
    case FIELD_GPUS:
        return sizeof(struct gpu_request);
    case FIELD_NAMES:
        return sizeof(const char *);
    case FIELD_HOOKS:
        return sizeof(struct deployment_hook);
    case FIELD_SHARES:
        return sizeof(struct provider_share);
    case FIELD_ATTRIBUTES:
        return sizeof(struct attribute_text);
    case FIELD_STRATEGIES:
        return sizeof(struct placement_strategy_spec);
    case FIELD_CONSTRAINTS:
        return sizeof(struct placement_constraint_spec);
    case FIELD_BOOL:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_I32:
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_ENUM:
    case FIELD_DESIRED:
    case FIELD_TEXT:
    case FIELD_DOCUMENT:
        break;
    }
    return 0;
}

/* NAME:STAGE+STAGE:function:ROLLBACK:MINUTES */
static bool read_hook(char *item, struct deployment_hook *hook)
{
    char *stages = pair_value(item);
    char *kind = stages == NULL ? NULL : pair_value(stages);
    char *action = kind == NULL ? NULL : pair_value(kind);
    char *minutes = action == NULL ? NULL : pair_value(action);
    uint64_t number = 0;
    if (minutes == NULL || !parse_u64(minutes, &number) || number > UINT32_MAX)
        return false;
    *hook = (struct deployment_hook){.name = item,
                                     .is_pause = strcmp(kind, "pause") == 0,
                                     .continues = strcmp(action, "CONTINUE") == 0,
                                     .minutes = (uint32_t)number};
    if ((!hook->is_pause && strcmp(kind, "function") != 0) ||
        (!hook->continues && strcmp(action, "ROLLBACK") != 0))
        return false;
    while (stages != NULL) {
        char *next = strchr(stages, '+');
        int stage = 0;
        if (next != NULL)
            *next++ = '\0';
        while (stage < STAGE_COUNT && strcmp(deployment_stage_names[stage], stages) != 0)
            stage++;
        if (stage == STAGE_COUNT)
            return false;
        hook->stages |= 1u << stage;
        stages = next;
    }
    return true;
}

/* "name:weight/base" */
static bool read_share(char *item, struct provider_share *share)
{
    uint64_t weight, base;
    char *value = pair_value(item);
    char *slash = value == NULL ? NULL : strchr(value, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    if (!parse_u64(value, &weight) || !parse_u64(slash + 1, &base) || weight > UINT32_MAX ||
        base > UINT32_MAX)
        return false;
    *share = (struct provider_share){item, (uint32_t)weight, (uint32_t)base};
    return true;
}

/* One item's text to its place in the array; what to give instead when it is wrong. */
static const char *read_item(enum field_type type, char *item, void *items, size_t index)
{
    uint64_t number = 0;
    if (type == FIELD_ATTRIBUTES) {
        struct attribute_text *attribute = &((struct attribute_text *)items)[index];
        attribute->value = pair_value(item);
        attribute->name = item;
    } else if (type == FIELD_NAMES) {
        unescape(item);
        ((const char **)items)[index] = item;
    } else if (type == FIELD_SHARES) {
        if (!read_share(item, &((struct provider_share *)items)[index]))
            return "items such as spot:4/0 (weight/base) with ; between them";
    } else if (type == FIELD_STRATEGIES) {
        struct placement_strategy_spec *spec = &((struct placement_strategy_spec *)items)[index];
        spec->field = pair_value(item);
        spec->type = item;
    } else if (type == FIELD_CONSTRAINTS) {
        struct placement_constraint_spec *spec =
            &((struct placement_constraint_spec *)items)[index];
        spec->expression = pair_value(item);
        spec->type = item;
    } else if (type == FIELD_HOOKS) {
        if (!read_hook(item, &((struct deployment_hook *)items)[index]))
            return "hooks like NAME:STAGE+STAGE:function:ROLLBACK:60 with ; between them";
    } else if (type == FIELD_TASKS) {
        if (!parse_u64(item, &number))
            return "task numbers with ; between them";
        ((task_id *)items)[index] = number;
    } else if (type == FIELD_PORTS) {
        if (!parse_u64(item, &number) || number > UINT16_MAX)
            return "ports with ; between them";
        ((uint16_t *)items)[index] = (uint16_t)number;
    } else {
        if (!parse_u64(item, &number) || number > UINT32_MAX)
            return "thousandths of a card with ; between them";
        ((struct gpu_request *)items)[index].milli = (uint32_t)number;
    }
    return NULL;
}

/* How many items at most: one more than there are separators, escaped ones too. */
static size_t items_max(const char *value)
{
    size_t count = 1;
    for (; *value != '\0'; value++)
        count += *value == ';';
    return count;
}

static enum berth_err read_list(const struct field_reader *reader, const struct field *field,
                                size_t column, char *value, void *base)
{
    void *items = scratch_take(reader->scratch, items_max(value) * item_bytes(field->type));
    char *rest = value;
    uint32_t count = 0;
    for (char *item; (item = next_item(&rest)) != NULL; count++) {
        const char *cure = read_item(field->type, item, items, count);
        if (cure != NULL)
            return refuse(reader, column, field, item, cure);
    }
    store(field, base, &items, sizeof items);
    char *count_at = (char *)base + field->count_offset;
    if (field->type == FIELD_TASKS || field->type == FIELD_ATTRIBUTES) {
        memcpy(count_at, &count, sizeof count);
    } else if (count > UINT16_MAX) {
        return refuse(reader, column, field, "...", "at most 65535 items");
    } else {
        memcpy(count_at, &(uint16_t){(uint16_t)count}, sizeof(uint16_t));
    }
    return BERTH_OK;
}

static enum berth_err read_present(const struct field_reader *reader, const struct field *field,
                                   size_t column, char *value, void *base)
{
    bool is_running;
    switch (field->type) {
    case FIELD_BOOL:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_I32:
    case FIELD_U64:
    case FIELD_I64:
        return read_number(reader, field, column, value, base);
    case FIELD_ENUM:
        return read_enum(reader, field, column, value, base);
    case FIELD_DESIRED:
        is_running = strcmp(value, task_status_names[TASK_RUNNING]) == 0;
        if (!is_running && strcmp(value, task_status_names[TASK_STOPPED]) != 0)
            return refuse(reader, column, field, value, "RUNNING or STOPPED");
        store(field, base, &is_running, sizeof is_running);
        return BERTH_OK;
    case FIELD_TEXT:
        store(field, base, &value, sizeof value);
        return BERTH_OK;
    case FIELD_DOCUMENT:
        return read_document(reader, field, column, value, base);
    case FIELD_TASKS:
    case FIELD_PORTS:
    case FIELD_GPUS:
    case FIELD_NAMES:
    case FIELD_HOOKS:
    case FIELD_SHARES:
    case FIELD_ATTRIBUTES:
    case FIELD_STRATEGIES:
    case FIELD_CONSTRAINTS:
        return read_list(reader, field, column, value, base);
    }
    return BERTH_OK;
}

enum berth_err fields_read(const struct field_reader *reader, const struct field_table *table,
                           void *base)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        size_t column;
        char *value = find(reader, field->name, &column);
        if (value == NULL && field->is_required)
            return berth_fail(reader->err, BERTH_ERR_INPUT, "%s misses %s=", reader->line->word,
                              field->name);
        if (value == NULL) {
            if (field->type <= FIELD_ENUM)
                store_number(field, base, field->absent);
            continue;
        }
        enum berth_err code = read_present(reader, field, column, value, base);
        if (code != BERTH_OK)
            return code;
    }
    return BERTH_OK;
}

static bool is_known(const struct field_table *const *tables, size_t table_count, const char *name)
{
    for (size_t i = 0; i < table_count; i++)
        for (size_t j = 0; j < tables[i]->count; j++)
            if (strcmp(tables[i]->fields[j].name, name) == 0)
                return true;
    return false;
}

static enum berth_err refuse_unknown(const struct field_reader *reader,
                                     const struct field_table *const *tables, size_t table_count,
                                     const char *name)
{
    const char *names[FIELDS_OF_A_LINE_MAX + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < table_count; i++)
        for (size_t j = 0; j < tables[i]->count && count < FIELDS_OF_A_LINE_MAX; j++)
            names[count++] = tables[i]->fields[j].name;
    const char *nearest = berth_nearest(name, names);
    return berth_fail(reader->err, BERTH_ERR_INPUT,
                      nearest == NULL ? "column %zu: %s has no field %.40s"
                                      : "column %zu: %s has no field %.40s; did you mean %s?",
                      (size_t)(name - reader->start) + 1, reader->line->word, name, nearest);
}

enum berth_err fields_check(const struct field_reader *reader,
                            const struct field_table *const *tables, size_t table_count)
{
    const struct text_line *line = reader->line;
    for (size_t i = 0; i < line->field_count; i++) {
        const char *name = line->fields[i].name;
        if (!is_known(tables, table_count, name))
            return refuse_unknown(reader, tables, table_count, name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(line->fields[j].name, name) == 0)
                return berth_fail(reader->err, BERTH_ERR_INPUT,
                                  "column %zu: %.40s is given twice; give it once",
                                  (size_t)(name - reader->start) + 1, name);
    }
    return BERTH_OK;
}
