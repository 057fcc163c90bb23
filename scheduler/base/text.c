#include "scheduler/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"

void text_free(struct text *text)
{
    mem_free(text->bytes);
    *text = (struct text)TEXT_INIT;
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->bytes != NULL)
        text->bytes[0] = '\0';
}

/* What a formatted piece seldom exceeds. */
#define FORMATTED_AT_ONCE 128

static void reserve(struct text *text, size_t more)
{
    if (text->length + more + 1 > text->capacity)
        text->bytes = mem_grow(text->bytes, &text->capacity, text->length + more + 1, 1);
}

void text_add_n(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *bytes)
{
    text_add_n(text, bytes, strlen(bytes));
}

enum { DECIMAL_MAX = 20 }; /* digits of 2^64 - 1 */

/* printf is ten times as dear. */
void text_add_u64(struct text *text, uint64_t value)
{
    char digits[DECIMAL_MAX];
    size_t at = DECIMAL_MAX;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add_n(text, digits + at, DECIMAL_MAX - at);
}

void text_add_digits(struct text *text, uint64_t value, size_t digits)
{
    char zeros[DECIMAL_MAX];
    size_t length = 1;
    for (uint64_t rest = value / 10; rest > 0; rest /= 10)
        length++;
    memset(zeros, '0', sizeof zeros);
    if (digits > length)
        text_add_n(text, zeros, digits - length);
    text_add_u64(text, value);
}

void text_add_i64(struct text *text, int64_t value)
{
    if (value < 0)
        text_add_n(text, "-", 1);
    text_add_u64(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* UTF-8 passes as it is; control characters, DEL among them, are escaped. */
void text_add_json(struct text *text, const char *string)
{
    if (string == NULL) {
        text_add(text, "null");
        return;
    }
    text_add(text, "\"");
    for (const unsigned char *at = (const unsigned char *)string; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            text_addf(text, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            text_addf(text, "\\u%04x", *at);
        else
            text_add_n(text, (const char *)at, 1);
    }
    text_add(text, "\"");
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args;
    assert(format != NULL);
    reserve(text, FORMATTED_AT_ONCE);
    size_t room = text->capacity - text->length;
    va_start(args, format);
    int wanted = vsnprintf(text->bytes + text->length, room, format, args);
    va_end(args);
    if (wanted >= 0 && (size_t)wanted >= room) { /* rarely: it was too long, so once more */
        reserve(text, (size_t)wanted);
        va_start(args, format);
        (void)vsnprintf(text->bytes + text->length, (size_t)wanted + 1, format, args);
        va_end(args);
    }
    if (wanted >= 0)
        text->length += (size_t)wanted;
    else
        text->bytes[text->length] = '\0';
}

void text_word(struct text *text, const char *word)
{
    text_add(text, word);
}

static bool is_plain(unsigned char byte)
{
    return byte > 0x20 && byte != '%' && byte != '=' && byte != ',' && byte != 0x7f;
}

void text_field(struct text *text, const char *name, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";
    if (value == NULL)
        return;
    size_t name_length = strlen(name), value_length = strlen(value);
    reserve(text, name_length + 2 + 3 * value_length);
    char *at = text->bytes + text->length;
    *at++ = ' ';
    memcpy(at, name, name_length);
    at += name_length;
    *at++ = '=';
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if (is_plain(byte)) {
            *at++ = (char)byte;
        } else {
            *at++ = '%';
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
        }
    }
    *at = '\0';
    text->length = (size_t)(at - text->bytes);
}

/* Digits need no escape, and a record is mostly numbers: straight into the text. */
static void field_number(struct text *text, const char *name, uint64_t value, bool is_negative)
{
    char digits[DECIMAL_MAX + 2];
    size_t at = sizeof digits, name_length = strlen(name);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (is_negative)
        digits[--at] = '-';
    digits[--at] = '=';
    reserve(text, 1 + name_length + sizeof digits);
    char *out = text->bytes + text->length;
    *out++ = ' ';
    memcpy(out, name, name_length);
    out += name_length;
    memcpy(out, digits + at, sizeof digits - at);
    out += sizeof digits - at;
    *out = '\0';
    text->length = (size_t)(out - text->bytes);
}

void text_field_u64(struct text *text, const char *name, uint64_t value)
{
    field_number(text, name, value, false);
}

void text_field_i64(struct text *text, const char *name, int64_t value)
{
    field_number(text, name, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void text_end(struct text *text)
{
    text_add_n(text, "\n", 1);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool unescape(char *value)
{
    char *out = value;
    for (const char *in = value; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_digit(in[1]);
        int low = high < 0 ? -1 : hex_digit(in[2]);
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}

enum berth_err text_parse_line(char *line, struct text_line *out, struct berth_error *err)
{
    char *at = line;
    out->word = line;
    out->field_count = 0;
    at += strcspn(at, " ");
    while (*at == ' ') {
        *at++ = '\0';
        char *name = at;
        at += strcspn(at, " ");
        char end = *at;
        *at = '\0';
        char *equals = strchr(name, '=');
        if (equals == NULL || equals == name || out->field_count == TEXT_FIELDS_MAX)
            return berth_fail(err, BERTH_ERR_INPUT, "column %zu: %s", (size_t)(name - line) + 1,
                              out->field_count == TEXT_FIELDS_MAX
                                  ? "too many fields"
                                  : "a field is written name=value");
        *equals = '\0';
        if (!unescape(equals + 1))
            return berth_fail(err, BERTH_ERR_INPUT, "column %zu: an escape is written %%XX",
                              (size_t)(equals + 1 - line) + 1);
        out->fields[out->field_count].name = name;
        out->fields[out->field_count].value = equals + 1;
        out->field_count++;
        *at = end;
    }
    return BERTH_OK;
}

const char *text_get(const struct text_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].name, name) == 0)
            return line->fields[i].value;
    return NULL;
}

bool text_get_u64(const struct text_line *line, const char *name, uint64_t *out)
{
    const char *value = text_get(line, name);
    if (value == NULL || *value == '\0')
        return false;
    uint64_t number = 0;
    for (; *value != '\0'; value++) {
        unsigned digit = (unsigned)(*value - '0');
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

bool text_get_i64(const struct text_line *line, const char *name, int64_t *out)
{
    const char *value = text_get(line, name);
    if (value == NULL)
        return false;
    bool negative = *value == '-';
    struct text_line digits = {.field_count = 1};
    digits.fields[0].name = name;
    digits.fields[0].value = (char *)(uintptr_t)(value + negative);
    uint64_t magnitude;
    if (!text_get_u64(&digits, name, &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
