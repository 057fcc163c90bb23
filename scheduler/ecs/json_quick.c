#include "scheduler/ecs/json_quick.h"

#include <stdbool.h>
#include <string.h>

enum { DIGITS_MAX = 18 }; /* any number of so many fits in 64 bits */

struct cursor {
    const char *at, *end;
    size_t depth_left;
};

static json_t *read_value(struct cursor *cursor);

static void skip_blanks(struct cursor *cursor)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\n' ||
                                        *cursor->at == '\t' || *cursor->at == '\r'))
        cursor->at++;
}

/* Past `wanted`, when it is what comes next after blanks. */
static bool take(struct cursor *cursor, char wanted)
{
    skip_blanks(cursor);
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

static bool take_word(struct cursor *cursor, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

/* What stands for itself in a text; jansson looks at the rest. */
static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* A text's bytes, lent by the document; false: it has escapes or is not ASCII, or is not ended. */
static bool take_plain(struct cursor *cursor, const char **bytes, size_t *length)
{
    const char *at = cursor->at;
    while (at < cursor->end && is_plain(*at))
        at++;
    if (at == cursor->end || *at != '"')
        return false;
    *bytes = cursor->at;
    *length = (size_t)(at - cursor->at);
    cursor->at = at + 1;
    return true;
}

/* Behind a text's first quotation mark: past its last one; NULL: it is not ended. */
static const char *text_end(const struct cursor *cursor)
{
    for (const char *at = cursor->at; at < cursor->end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

/* The piece from `begin` to the cursor, by jansson. */
static json_t *by_jansson(const struct cursor *cursor, const char *begin)
{
    return json_loadb(begin, (size_t)(cursor->at - begin), JSON_DECODE_ANY, NULL);
}

static json_t *read_odd_text(struct cursor *cursor)
{
    const char *end = text_end(cursor), *begin = cursor->at - 1;
    if (end == NULL)
        return NULL;
    cursor->at = end;
    return by_jansson(cursor, begin);
}

static json_t *read_text(struct cursor *cursor)
{
    const char *bytes;
    size_t length;
    if (take_plain(cursor, &bytes, &length))
        return json_stringn_nocheck(bytes, length);
    return read_odd_text(cursor);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static json_t *read_number(struct cursor *cursor)
{
    const char *begin = cursor->at;
    json_int_t value = 0;
    bool is_negative = *begin == '-';
    cursor->at += is_negative;
    const char *first = cursor->at;
    for (; cursor->at < cursor->end && is_digit(*cursor->at); cursor->at++)
        if (cursor->at - first < DIGITS_MAX)
            value = value * 10 + (*cursor->at - '0');
    size_t digits = (size_t)(cursor->at - first);
    bool is_real = cursor->at < cursor->end && memchr(".eE", *cursor->at, 3) != NULL;
    if (!is_real && digits > 0 && digits <= DIGITS_MAX && (digits == 1 || *first != '0'))
        return json_integer(is_negative ? -value : value);
    while (cursor->at < cursor->end &&
           (is_digit(*cursor->at) || memchr("+-.eE", *cursor->at, 5) != NULL))
        cursor->at++;
    return by_jansson(cursor, begin);
}

static bool add_member(struct cursor *cursor, json_t *object, const char *key, size_t length)
{
    size_t before = json_object_size(object);
    json_t *value = take(cursor, ':') ? read_value(cursor) : NULL;
    if (value == NULL || json_object_setn_new_nocheck(object, key, length, value) != 0)
        return false;
    return json_object_size(object) == before + 1; /* else the key was there */
}

static bool read_member(struct cursor *cursor, json_t *object)
{
    const char *key;
    size_t length;
    if (!take(cursor, '"'))
        return false;
    if (take_plain(cursor, &key, &length))
        return add_member(cursor, object, key, length);
    json_t *odd = read_odd_text(cursor);
    bool is_added =
        odd != NULL && add_member(cursor, object, json_string_value(odd), json_string_length(odd));
    json_decref(odd);
    return is_added;
}

static json_t *read_object(struct cursor *cursor)
{
    json_t *object = json_object();
    bool is_right = true;
    if (take(cursor, '}'))
        return object;
    do
        is_right = read_member(cursor, object);
    while (is_right && take(cursor, ','));
    if (is_right && take(cursor, '}'))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *read_array(struct cursor *cursor)
{
    json_t *array = json_array();
    bool is_right = true;
    if (take(cursor, ']'))
        return array;
    do
        is_right = json_array_append_new(array, read_value(cursor)) == 0;
    while (is_right && take(cursor, ','));
    if (is_right && take(cursor, ']'))
        return array;
    json_decref(array);
    return NULL;
}

static json_t *read_nested(struct cursor *cursor)
{
    if (cursor->depth_left == 0)
        return NULL;
    cursor->depth_left--;
    cursor->at++;
    json_t *json = cursor->at[-1] == '{' ? read_object(cursor) : read_array(cursor);
    cursor->depth_left++;
    return json;
}

static json_t *read_value(struct cursor *cursor)
{
    skip_blanks(cursor);
    if (cursor->at == cursor->end)
        return NULL;
    switch (*cursor->at) {
    case '{':
    case '[':
        return read_nested(cursor);
    case '"':
        cursor->at++;
        return read_text(cursor);
    case 't':
        return take_word(cursor, "true") ? json_true() : NULL;
    case 'f':
        return take_word(cursor, "false") ? json_false() : NULL;
    case 'n':
        return take_word(cursor, "null") ? json_null() : NULL;
    default:
        return *cursor->at == '-' || is_digit(*cursor->at) ? read_number(cursor) : NULL;
    }
}

json_t *json_read_quick(const char *text, size_t length, size_t depth_max)
{
    struct cursor cursor = {.at = text, .end = text + length, .depth_left = depth_max};
    json_t *json = read_value(&cursor);
    skip_blanks(&cursor);
    if (json != NULL && cursor.at == cursor.end)
        return json;
    json_decref(json);
    return NULL;
}
