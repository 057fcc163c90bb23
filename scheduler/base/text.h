/*
 * text.h -- growable text, and the one line form in which events, actions and records are written.
 *
 * A line is a word followed by fields:  RunTask token=7 family=job count=1 group=family:job
 * A value has no blanks: bytes up to 0x20, '%', '=', ',' and 0x7f are written %XX. An absent field
 * is left out. Numbers are decimal. Every line can be read back to exactly what was written.
 */
#ifndef BERTH_SCHEDULER_BASE_TEXT_H
#define BERTH_SCHEDULER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/error.h"

struct text {
    char *bytes; /* owned; always NUL-terminated once anything was written */
    size_t length;
    size_t capacity;
};

#define TEXT_INIT  \
    {              \
        NULL, 0, 0 \
    }

void text_free(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
void text_add(struct text *text, const char *bytes);
void text_add_n(struct text *text, const char *bytes, size_t length);
void text_addf(struct text *text, const char *format, ...) BERTH_PRINTF(2, 3);
void text_add_u64(struct text *text, uint64_t value);                   /* decimal */
void text_add_digits(struct text *text, uint64_t value, size_t digits); /* zeros in front */
void text_add_i64(struct text *text, int64_t value);
void text_add_json(struct text *text, const char *string); /* quoted; NULL: null */

/* Writing one line: word, then fields, then the end (a newline). */
void text_word(struct text *text, const char *word);
void text_field(struct text *text, const char *name, const char *value); /* NULL writes nothing */
void text_field_u64(struct text *text, const char *name, uint64_t value);
void text_field_i64(struct text *text, const char *name, int64_t value);
void text_end(struct text *text);

#define TEXT_FIELDS_MAX 64

struct text_line {
    const char *word;
    size_t field_count;
    struct {
        const char *name;
        char *value;
    } fields[TEXT_FIELDS_MAX];
};

/*
 * Split `line` (NUL-terminated, without newline) in place; the result points into it. Fails with
 * BERTH_ERR_INPUT and the column on a field without '=', a bad escape or too many fields.
 */
enum berth_err text_parse_line(char *line, struct text_line *out,
                               struct berth_error *err) BERTH_MUST_CHECK;

const char *text_get(const struct text_line *line, const char *name); /* NULL when absent */

/* False when absent or not wholly a number in range; `*out` is then untouched. */
bool text_get_u64(const struct text_line *line, const char *name, uint64_t *out);
bool text_get_i64(const struct text_line *line, const char *name, int64_t *out);

#endif
