/*
 * reader.h -- reading values out of a merged document, with messages that say where they stand.
 *
 * A `struct at` is a value together with its place. It lives on the stack, and points to the one
 * above it, so that a JSON Pointer is only built when something is wrong. Errors are sticky: the
 * first one is kept, and every later read returns its default, so a caller reads a whole object
 * and looks once at the end.
 */
#ifndef BERTH_SIM_SCENARIO_READER_H
#define BERTH_SIM_SCENARIO_READER_H

#include <jansson.h>
#include <stdbool.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/base/units.h"
#include "sim/engine/distribution.h"

#define READER_NAME_MAX 128                                /* bytes of a member's name */
#define READER_TEXT_MAX 4000                               /* bytes of a text value */
#define READER_TIME_MAX (INT64_C(3000000000) * 1000000000) /* 95 years: three of them fit */

/*
 * One thing that a document was merged from. A pointer of the document is looked up in all layers,
 * and the last one that reaches the deepest is the one to blame.
 */
struct layer {
    const char *path;   /* file, borrowed */
    char *mount;        /* owned: where `json` stands in the file, a JSON Pointer */
    char *target;       /* owned: where it was put in the document */
    const json_t *json; /* borrowed */
};

struct layers {
    VEC(struct layer) list;
};

void layers_push(struct layers *layers, const char *path, const char *mount, const char *target,
                 const json_t *json);
void layers_cut(struct layers *layers, size_t count); /* back to so many */

/* FILE:/pointer in that file, for a pointer of the merged document. */
void layers_locate(const struct layers *layers, const char *pointer, struct text *out);

struct reader {
    const struct layers *layers;
    struct berth_error *err;
    bool has_failed;
};

struct at {
    struct reader *reader;
    const struct at *up; /* NULL at the root */
    const char *key;     /* NULL for an item of a list */
    size_t index;
    json_t *json; /* borrowed; NULL when it is not there */
};

struct at at_root(struct reader *reader, json_t *json);
struct at at_member(const struct at *up, const char *key);
struct at at_item(const struct at *up, size_t index);

/* Record "FILE:/pointer: text", unless something failed before. One line whatever the input. */
void at_fail(const struct at *at, const char *format, ...) BERTH_PRINTF(2, 3);
void at_place(const struct at *at, struct text *out); /* "FILE:/pointer" */
void at_pointer(const struct at *at, struct text *out);

/* A member that berth ignores: "$comment", "description". */
bool is_ignored_key(const char *key);

/* "~" and "/" of one token of a JSON Pointer escaped, after a "/". */
void pointer_add(struct text *pointer, const char *token);

/* True when it is an object of known keys. Unknown ones fail with a "did you mean". */
bool at_object(const struct at *at, const char *const *known);

/*
 * The names of a collection's members in order of the file, without the ignored ones, NULL at the
 * end. The array is the caller's, the texts are lent by the JSON. Fails unless it is an object of
 * well-formed names. Absent: no names.
 */
const char **at_names(const struct at *at, size_t *count);

/* True for [A-Za-z0-9_.-], 1 to `length_max` bytes. */
bool is_name(const char *text, size_t length_max);

/* Fails when absent; `what` is the cure: "write how many instances it has". */
void at_require(const struct at *at, const char *what);

/* Scalars. The last argument is what an absent value reads as. */
int64_t at_integer(const struct at *at, int64_t min, int64_t max, int64_t absent);
double at_real(const struct at *at, double min, double max, double absent);
double at_real_above(const struct at *at, double above, double max, double absent);
bool at_boolean(const struct at *at, bool absent);
berth_ns at_time(const struct at *at, berth_ns min, berth_ns max, berth_ns absent);
size_t at_choice(const struct at *at, const char *const *names, size_t absent);

/* An owned copy; NULL when absent or wrong. */
char *at_text(const struct at *at);

/* The items of a list; 0 when absent. */
size_t at_list(const struct at *at, size_t min, size_t max);

enum quantity {
    QUANTITY_TIME, /* seconds; texts with a unit are allowed */
    QUANTITY_SIZE, /* CPU units or MiB */
};

/* False when absent or wrong: `*out` is then zeroed. */
bool at_distribution(const struct at *at, enum quantity quantity, struct distribution *out);

/* Also fail when draws could go on without time ever passing: below a microsecond. */
bool at_interval(const struct at *at, struct distribution *out);

/* `value` for a message: "-3", "the text \"abc\"", "a list". */
const char *json_words(const json_t *value, char *buffer, size_t size);

#endif
