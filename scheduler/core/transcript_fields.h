/*
 * transcript_fields.h -- structs as fields of a line, both ways from one table.
 *
 * A table names each member once: how it is called in the text, what it is, where it stands. What
 * is written and what is read follow from the same rows, so that a line cannot mean two things.
 *
 * A list is written as items with ';' between them, a pair as name:value; a ';' or '\' in an item
 * and a ':' in a pair's name are preceded by '\'. An absent list is empty.
 */
#ifndef BERTH_SCHEDULER_CORE_TRANSCRIPT_FIELDS_H
#define BERTH_SCHEDULER_CORE_TRANSCRIPT_FIELDS_H

#include "scheduler/base/text.h"
#include "scheduler/core/transcript.h"

enum field_type {
    FIELD_BOOL = 0,
    FIELD_U16,
    FIELD_U32,
    FIELD_I32,
    FIELD_U64,
    FIELD_I64,
    FIELD_ENUM,
    FIELD_DESIRED, /* bool: RUNNING or STOPPED */
    FIELD_TEXT,
    FIELD_TASKS,       /* list of task_id, count uint32_t */
    FIELD_PORTS,       /* list of uint16_t, count uint16_t */
    FIELD_GPUS,        /* list of struct gpu_request, count uint16_t */
    FIELD_ATTRIBUTES,  /* pairs: struct attribute_text, count uint32_t */
    FIELD_STRATEGIES,  /* pairs: struct placement_strategy_spec, count uint16_t */
    FIELD_CONSTRAINTS, /* pairs: struct placement_constraint_spec, count uint16_t */
    FIELD_NAMES,       /* list of const char *, count uint16_t */
    FIELD_HOOKS,       /* list of struct deployment_hook, count uint16_t */
    FIELD_SHARES,      /* pairs, name:weight/base: struct provider_share, count uint16_t */
    FIELD_DOCUMENT,    /* struct task_def *, as its document */
};

struct field {
    const char *name;
    enum field_type type;
    bool is_required;         /* always written, and missed when absent */
    size_t offset;            /* in the struct that the table is about */
    size_t count_offset;      /* lists */
    const char *const *names; /* FIELD_ENUM */
    unsigned name_count;
    int64_t absent; /* numbers: the value that is left out, and that an absent field has */
};

struct field_table {
    const struct field *fields;
    size_t count;
};

/* What a message of a kind holds besides kind, instance and number; about a struct message. */
const struct field_table *message_body_table(enum message_kind kind);

/* Likewise of a request, about a struct request. */
const struct field_table *request_body_table(enum request_kind kind);

/* Likewise of an answer, about a struct answer. */
const struct field_table *answer_body_table(enum answer_kind kind);

/* About a struct deployment_settings: in commands, and in a service's record. */
extern const struct field_table settings_table;

#define FIELD_TABLE(array)                          \
    {                                               \
        (array), sizeof(array) / sizeof((array)[0]) \
    }

void fields_write(const struct field_table *table, const void *base, struct text *out);

/* One list item, or half of a pair, with the escapes of a list. */
void list_add_text(struct text *list, const char *item, bool is_name);

struct transcript_scratch {
    struct {
        void **items;
        size_t count;
        size_t capacity;
    } lists; /* owned: what the last event borrows */
};

void *scratch_take(struct transcript_scratch *scratch, size_t size_bytes); /* zeroed */
void scratch_clear(struct transcript_scratch *scratch);

/* A line split into fields. Wrong ones are told about by their column, counted from `start`. */
struct field_reader {
    const struct text_line *line;
    const char *start;
    struct transcript_scratch *scratch;
    task_def_decoder decode;
    struct berth_error *err;
};

/*
 * Read the table's fields out of the line. Absent ones get their absent value, or are left as they
 * are when they are no numbers: `base` is zeroed before. Lists and texts are borrowed from line and
 * scratch.
 */
enum berth_err fields_read(const struct field_reader *reader, const struct field_table *table,
                           void *base) BERTH_MUST_CHECK;

/* Refuse fields that are in none of the tables, and those given twice. */
enum berth_err fields_check(const struct field_reader *reader,
                            const struct field_table *const *tables,
                            size_t table_count) BERTH_MUST_CHECK;

#endif
