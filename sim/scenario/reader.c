#include "sim/scenario/reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MEMBERS_MAX = 20000, POINTER_SHOWN_MAX = 300 };

struct at at_root(struct reader *reader, json_t *json)
{
    return (struct at){.reader = reader, .json = json};
}

struct at at_member(const struct at *up, const char *key)
{
    return (struct at){up->reader, up, key, 0, json_object_get(up->json, key)};
}

struct at at_item(const struct at *up, size_t index)
{
    return (struct at){up->reader, up, NULL, index, json_array_get(up->json, index)};
}

void pointer_add(struct text *pointer, const char *token)
{
    text_add(pointer, "/");
    for (; *token != '\0'; token++) {
        if (*token == '~' || *token == '/')
            text_add(pointer, *token == '~' ? "~0" : "~1");
        else
            text_add_n(pointer, token, 1);
    }
}

void at_pointer(const struct at *at, struct text *out)
{
    if (at->up == NULL)
        return;
    at_pointer(at->up, out);
    if (at->key != NULL)
        pointer_add(out, at->key);
    else
        text_addf(out, "/%zu", at->index);
}

void at_place(const struct at *at, struct text *out)
{
    struct text pointer = TEXT_INIT;
    text_add(&pointer, "");
    at_pointer(at, &pointer);
    layers_locate(at->reader->layers, pointer.bytes, out);
    if (out->length > POINTER_SHOWN_MAX) {
        out->length = POINTER_SHOWN_MAX;
        out->bytes[POINTER_SHOWN_MAX] = '\0';
        text_add(out, "...");
    }
    text_free(&pointer);
}

/* Names and texts of the input stand in messages; a newline in one must not make two lines. */
static void keep_on_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void at_fail(const struct at *at, const char *format, ...)
{
    struct reader *reader = at->reader;
    if (reader->has_failed)
        return;
    reader->has_failed = true;
    char what[BERTH_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    struct text place = TEXT_INIT;
    at_place(at, &place);
    (void)berth_fail(reader->err, BERTH_ERR_INPUT, "%s: %s", place.bytes, what);
    keep_on_one_line(reader->err->text);
    text_free(&place);
}

const char *json_words(const json_t *value, char *buffer, size_t size)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        (void)snprintf(buffer, size, "the text \"%.40s%s\"", json_string_value(value),
                       json_string_length(value) > 40 ? "..." : "");
        return buffer;
    case JSON_INTEGER:
        (void)snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return buffer;
    case JSON_REAL:
        (void)snprintf(buffer, size, "%g", json_real_value(value));
        return buffer;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        return "null";
    }
    return "a value";
}

/* `what` completes "write ...". */
static void fail_type(const struct at *at, const char *what)
{
    char buffer[80];
    at_fail(at, "%s is not understood here; write %s", json_words(at->json, buffer, sizeof buffer),
            what);
}

bool is_ignored_key(const char *key)
{
    return key[0] == '$' || strcmp(key, "description") == 0;
}

static void fail_unknown_key(const struct at *at, const char *key, const char *const *known)
{
    struct at member = {at->reader, at, key, 0, json_object_get(at->json, key)};
    const char *near = berth_nearest(key, known);
    struct text all = TEXT_INIT;
    for (size_t i = 0; known[i] != NULL; i++)
        text_addf(&all, "%s%s", i > 0 ? ", " : "", known[i]);
    if (near != NULL)
        at_fail(&member, "unknown key; did you mean \"%s\"?", near);
    else if (all.length == 0)
        at_fail(&member, "unknown key; none is expected here, remove it");
    else
        at_fail(&member, "unknown key; the keys here are %.500s", all.bytes);
    text_free(&all);
}

bool at_object(const struct at *at, const char *const *known)
{
    if (at->json == NULL || at->reader->has_failed)
        return false;
    if (!json_is_object(at->json)) {
        fail_type(at, "an object: { ... }");
        return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach(at->json, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL && !is_ignored_key(key)) {
            fail_unknown_key(at, key, known);
            return false;
        }
    }
    return true;
}

bool is_name(const char *text, size_t length_max)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t length = strlen(text);
    return length > 0 && length <= length_max && strspn(text, allowed) == length;
}

const char **at_names(const struct at *at, size_t *count)
{
    *count = 0;
    if (at->json == NULL || at->reader->has_failed)
        return NULL;
    if (!json_is_object(at->json)) {
        fail_type(at, "an object, a member for each name");
        return NULL;
    }
    if (json_object_size(at->json) > MEMBERS_MAX) {
        at_fail(at, "%zu members; at most %d are read", json_object_size(at->json), MEMBERS_MAX);
        return NULL;
    }
    const char **names = mem_alloc((json_object_size(at->json) + 1) * sizeof *names);
    const char *key;
    json_t *value;
    json_object_foreach(at->json, key, value)
    {
        struct at member = {at->reader, at, key, 0, value};
        if (is_ignored_key(key))
            continue;
        if (!is_name(key, READER_NAME_MAX))
            at_fail(&member, "not a name; use 1 to %d of A-Z a-z 0-9 _ . -", READER_NAME_MAX);
        names[(*count)++] = key;
    }
    return names;
}

void at_require(const struct at *at, const char *what)
{
    if (at->json == NULL)
        at_fail(at->up, "\"%s\" is missing; %s", at->key, what);
}

/* A whole number, also one written with a fraction of zero or an exponent. */
static bool whole_number(const json_t *json, int64_t *out)
{
    if (json_is_integer(json)) {
        *out = json_integer_value(json);
        return true;
    }
    double real = json_real_value(json);
    if (!json_is_real(json) || !(fabs(real) <= 9007199254740992.0) || real != floor(real))
        return false;
    *out = (int64_t)real;
    return true;
}

int64_t at_integer(const struct at *at, int64_t min, int64_t max, int64_t absent)
{
    int64_t number = 0;
    if (at->json == NULL || at->reader->has_failed)
        return absent;
    if (!whole_number(at->json, &number) || number < min || number > max) {
        char buffer[80];
        at_fail(at, "%s is not a whole number from %" PRId64 " to %" PRId64 "; write one",
                json_words(at->json, buffer, sizeof buffer), min, max);
        return absent;
    }
    return number;
}

static double read_real(const struct at *at, double min, bool is_open, double max, double absent)
{
    if (at->json == NULL || at->reader->has_failed)
        return absent;
    double number = json_number_value(at->json);
    if (!json_is_number(at->json) || !(number >= min) || !(number <= max) ||
        (is_open && number <= min)) {
        char buffer[80];
        at_fail(at, "%s is not a number %s %g, at most %g; write one",
                json_words(at->json, buffer, sizeof buffer), is_open ? "above" : "from", min, max);
        return absent;
    }
    return number;
}

double at_real(const struct at *at, double min, double max, double absent)
{
    return read_real(at, min, false, max, absent);
}

double at_real_above(const struct at *at, double above, double max, double absent)
{
    return read_real(at, above, true, max, absent);
}

bool at_boolean(const struct at *at, bool absent)
{
    if (at->json == NULL || at->reader->has_failed)
        return absent;
    if (!json_is_boolean(at->json)) {
        fail_type(at, "true or false");
        return absent;
    }
    return json_is_true(at->json);
}

size_t at_choice(const struct at *at, const char *const *names, size_t absent)
{
    if (at->json == NULL || at->reader->has_failed)
        return absent;
    const char *text = json_string_value(at->json);
    for (size_t i = 0; text != NULL && names[i] != NULL; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    struct text all = TEXT_INIT;
    for (size_t i = 0; names[i] != NULL; i++)
        text_addf(&all, "%s\"%s\"", i == 0 ? "" : names[i + 1] == NULL ? " or " : ", ", names[i]);
    const char *near = text == NULL ? NULL : berth_nearest(text, names);
    char buffer[80];
    if (near != NULL)
        at_fail(at, "%s is not known; did you mean \"%s\"?",
                json_words(at->json, buffer, sizeof buffer), near);
    else
        fail_type(at, all.bytes);
    text_free(&all);
    return absent;
}

char *at_text(const struct at *at)
{
    if (at->json == NULL || at->reader->has_failed)
        return NULL;
    if (!json_is_string(at->json)) {
        fail_type(at, "a text in double quotes");
        return NULL;
    }
    if (json_string_length(at->json) > READER_TEXT_MAX) {
        at_fail(at, "a text of %zu bytes; write at most %d", json_string_length(at->json),
                READER_TEXT_MAX);
        return NULL;
    }
    return mem_copy_text(json_string_value(at->json));
}

size_t at_list(const struct at *at, size_t min, size_t max)
{
    if (at->json == NULL || at->reader->has_failed)
        return 0;
    if (!json_is_array(at->json)) {
        fail_type(at, "a list: [ ... ]");
        return 0;
    }
    size_t count = json_array_size(at->json);
    if (count < min || count > max) {
        at_fail(at, "a list of %zu; write %zu to %zu items", count, min, max);
        return 0;
    }
    return count;
}
