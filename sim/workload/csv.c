/*
 * csv.c -- one buffer, lines found by memchr, cells cut in place.
 *
 * Bytes come through zlib, which passes plain files on as they are. The buffer holds a few of the
 * longest lines; what is left of an incomplete line moves to its front before it is filled again,
 * so the memory is the same for a file of any size.
 */
#include "sim/workload/csv.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "scheduler/base/mem.h"

enum { BUFFER_BYTES = 4 * CSV_LINE_MAX };

struct csv {
    char *name;       /* owned; of the file */
    gzFile file;      /* NULL: text in memory */
    const char *text; /* borrowed; what is left of it */
    size_t text_left;
    char *buffer; /* owned; BUFFER_BYTES and a NUL */
    size_t begin, end;
    bool is_drained; /* no more bytes will come */
    uint64_t line;
    char *header; /* owned; the columns' names point into it */
    char *columns[CSV_COLUMNS_MAX];
    char *cells[CSV_COLUMNS_MAX];
    int column_count;
};

/* Bytes of a user's file within a message: bounded, and nothing that a terminal would obey. */
static const char *shown(const char *text, char out[48])
{
    size_t length = 0;
    for (; text[length] != '\0' && length < 40; length++) {
        unsigned char byte = (unsigned char)text[length];
        out[length] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
    }
    const char *rest = text[length] == '\0' ? "" : "...";
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--; /* do not cut within a character */
    (void)snprintf(out + length, 48 - length, "%s", rest);
    return out;
}

enum berth_err csv_fail(const struct csv *csv, int column, struct berth_error *err,
                        const char *format, ...)
{
    char quoted[48], what[BERTH_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    (void)berth_fail(err, BERTH_ERR_INPUT, "%s", what);
    if (column == CSV_NO_COLUMN)
        return berth_fail_in(err, "%s:%llu: ", csv->name, (unsigned long long)csv->line);
    return berth_fail_in(err, "%s:%llu: column \"%s\": ", csv->name, (unsigned long long)csv->line,
                         shown(csv->columns[column], quoted));
}

static enum berth_err fail_reading(const struct csv *csv, struct berth_error *err)
{
    int code = Z_OK;
    const char *message = gzerror(csv->file, &code);
    if (code == Z_ERRNO)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: cannot be read: %s", csv->name,
                          strerror(errno));
    unsigned long long line = (unsigned long long)csv->line;
    if (code == Z_BUF_ERROR)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: the gzip file ends too early, somewhere after line %llu; fetch or "
                          "write it again",
                          csv->name, line);
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s: the gzip file is damaged somewhere after line %llu (%s); fetch or write "
                      "it again",
                      csv->name, line, message);
}

static enum berth_err fill(struct csv *csv, struct berth_error *err)
{
    size_t left = csv->end - csv->begin;
    if (left > CSV_LINE_MAX) {
        csv->line++;
        return csv_fail(csv, CSV_NO_COLUMN, err,
                        "the line is longer than %d bytes; is this a CSV file?", CSV_LINE_MAX);
    }
    memmove(csv->buffer, csv->buffer + csv->begin, left);
    csv->begin = 0;
    csv->end = left;
    size_t room = BUFFER_BYTES - left;
    if (csv->file == NULL) {
        size_t taken = csv->text_left < room ? csv->text_left : room;
        if (taken > 0) {
            memcpy(csv->buffer + left, csv->text, taken);
            csv->text += taken;
            csv->text_left -= taken;
        }
        csv->end += taken;
        csv->is_drained = taken == 0;
        return BERTH_OK;
    }
    int got = gzread(csv->file, csv->buffer + left, (unsigned)room);
    int code = Z_OK;
    (void)gzerror(csv->file, &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
        return fail_reading(csv, err);
    csv->end += (size_t)got;
    csv->is_drained = got == 0;
    return BERTH_OK;
}

/* The next line, NUL-terminated in the buffer, without its end; *line is NULL at the end. */
static enum berth_err next_line(struct csv *csv, char **line, size_t *length,
                                struct berth_error *err)
{
    char *end;
    *line = NULL;
    while ((end = memchr(csv->buffer + csv->begin, '\n', csv->end - csv->begin)) == NULL &&
           !csv->is_drained) {
        enum berth_err code = fill(csv, err);
        if (code != BERTH_OK)
            return code;
    }
    if (end == NULL && csv->begin == csv->end)
        return BERTH_OK;
    if (end == NULL)
        end = csv->buffer + csv->end;
    *line = csv->buffer + csv->begin;
    *length = (size_t)(end - *line);
    csv->begin += *length + (csv->begin + *length < csv->end);
    csv->line++;
    if (*length > CSV_LINE_MAX)
        return csv_fail(csv, CSV_NO_COLUMN, err,
                        "the line is longer than %d bytes; is this a CSV file?", CSV_LINE_MAX);
    if (memchr(*line, '\0', *length) != NULL)
        return csv_fail(csv, CSV_NO_COLUMN, err, "a NUL byte; is this a CSV file?");
    if (*length > 0 && (*line)[*length - 1] == '\r')
        --*length;
    (*line)[*length] = '\0';
    return BERTH_OK;
}

/* Take the quotes off the cell at `in`; returns the byte after it, or NULL when it is not closed.
 */
static char *unquote(char *in)
{
    char *out = in++;
    for (;; in++) {
        if (*in == '\0')
            return NULL;
        if (*in == '"' && *++in != '"')
            break;
        *out++ = *in;
    }
    *out = '\0';
    return in;
}

static enum berth_err split(const struct csv *csv, char *line, size_t length,
                            char *cells[CSV_COLUMNS_MAX], int *count, struct berth_error *err)
{
    bool has_quotes = memchr(line, '"', length) != NULL;
    for (*count = 0; *count < CSV_COLUMNS_MAX;) {
        cells[(*count)++] = line;
        if (has_quotes && *line == '"') {
            line = unquote(line);
            if (line == NULL)
                return csv_fail(csv, CSV_NO_COLUMN, err,
                                "cell %d: the quote is not closed; a cell holds no line break",
                                *count);
            if (*line != ',' && *line != '\0')
                return csv_fail(csv, CSV_NO_COLUMN, err,
                                "cell %d: text after the closing quote; write a quote within "
                                "quotes twice",
                                *count);
        } else {
            while (*line != ',' && *line != '\0')
                line++;
        }
        if (*line == '\0')
            return BERTH_OK;
        *line++ = '\0';
    }
    return csv_fail(csv, CSV_NO_COLUMN, err, "more than %d columns; is this a CSV file?",
                    CSV_COLUMNS_MAX);
}

/* Names without blanks around them, so that "a, b" works as a header. */
static char *trim(char *text)
{
    text += strspn(text, " ");
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    return text;
}

static enum berth_err read_header(struct csv *csv, struct berth_error *err)
{
    char *line;
    size_t length = 0;
    enum berth_err code = next_line(csv, &line, &length, err);
    if (code != BERTH_OK)
        return code;
    if (line != NULL && strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    if (line == NULL || length == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s:1: no header; the first line names the columns",
                          csv->name);
    csv->header = mem_copy_text_n(line, length);
    code = split(csv, csv->header, length, csv->columns, &csv->column_count, err);
    for (int i = 0; code == BERTH_OK && i < csv->column_count; i++) {
        char quoted[48];
        csv->columns[i] = trim(csv->columns[i]);
        if (csv->columns[i][0] != '\0' && csv_find_column(csv, csv->columns[i]) != i)
            code = csv_fail(csv, CSV_NO_COLUMN, err,
                            "two columns are called \"%s\"; rename one of them",
                            shown(csv->columns[i], quoted));
    }
    return code;
}

static enum berth_err open_with(struct csv *csv, const char *name, struct csv **out,
                                struct berth_error *err)
{
    csv->name = mem_copy_text(name);
    csv->buffer = mem_resize(NULL, BUFFER_BYTES + 1, 1);
    enum berth_err code = read_header(csv, err);
    if (code == BERTH_OK)
        *out = csv;
    else
        csv_close(csv);
    return code;
}

enum berth_err csv_open(const char *path, struct csv **out, struct berth_error *err)
{
    *out = NULL;
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: cannot be opened: %s", path,
                          errno != 0 ? strerror(errno) : "out of memory");
    (void)gzbuffer(file, BUFFER_BYTES);
    struct csv *csv = mem_alloc(sizeof *csv);
    csv->file = file;
    return open_with(csv, path, out, err);
}

enum berth_err csv_open_text(const char *text, size_t length, const char *name, struct csv **out,
                             struct berth_error *err)
{
    *out = NULL;
    struct csv *csv = mem_alloc(sizeof *csv);
    csv->text = text;
    csv->text_left = length;
    return open_with(csv, name, out, err);
}

void csv_close(struct csv *csv)
{
    if (csv == NULL)
        return;
    if (csv->file != NULL)
        (void)gzclose(csv->file);
    mem_free(csv->header);
    mem_free(csv->buffer);
    mem_free(csv->name);
    mem_free(csv);
}

const char *csv_column_name(const struct csv *csv, int column)
{
    return column < csv->column_count ? csv->columns[column] : NULL;
}

int csv_find_column(const struct csv *csv, const char *name)
{
    for (int i = 0; i < csv->column_count; i++)
        if (strcmp(csv->columns[i], name) == 0)
            return i;
    return CSV_NO_COLUMN;
}

enum berth_err csv_need_column(const struct csv *csv, const char *name, int *column,
                               struct berth_error *err)
{
    const char *names[CSV_COLUMNS_MAX + 1] = {NULL};
    char quoted[48];
    *column = csv_find_column(csv, name);
    if (*column != CSV_NO_COLUMN)
        return BERTH_OK;
    for (int i = 0; i < csv->column_count; i++)
        names[i] = csv->columns[i];
    const char *near = berth_nearest(name, names);
    if (near != NULL && near[0] != '\0')
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s:1: no column \"%s\"; rename \"%s\" if that is it", csv->name, name,
                          shown(near, quoted));
    return berth_fail(err, BERTH_ERR_INPUT, "%s:1: no column \"%s\"; the first line must name it",
                      csv->name, name);
}

enum berth_err csv_next(struct csv *csv, bool *has_row, struct berth_error *err)
{
    char *line;
    size_t length = 0;
    int count;
    *has_row = false;
    do {
        enum berth_err code = next_line(csv, &line, &length, err);
        if (code != BERTH_OK || line == NULL)
            return code;
    } while (length == 0);
    enum berth_err code = split(csv, line, length, csv->cells, &count, err);
    if (code != BERTH_OK)
        return code;
    if (count != csv->column_count)
        return csv_fail(csv, CSV_NO_COLUMN, err,
                        "%d cells, but the header names %d columns; put a cell that holds commas "
                        "in double quotes",
                        count, csv->column_count);
    *has_row = true;
    return BERTH_OK;
}

uint64_t csv_line(const struct csv *csv)
{
    return csv->line;
}

const char *csv_text(const struct csv *csv, int column)
{
    return column == CSV_NO_COLUMN ? "" : csv->cells[column];
}

bool csv_is_empty(const struct csv *csv, int column)
{
    const char *text = csv_text(csv, column);
    return text[strspn(text, " ")] == '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Numbers with an exponent are rare, and what writes them writes doubles. */
static const char *parse_exponent(const char *text, const struct csv_number *form, int64_t *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end[strspn(end, " ")] != '\0')
        return "is not a number";
    value *= pow(10, form->places);
    if (!(value <= (double)form->max) || value >= 0x1p63)
        return "is too large";
    if (!form->rounds && value != floor(value))
        return "has too many decimal places";
    *out = (int64_t)llround(value);
    return *out > form->max ? "is too large" : NULL;
}

const char *csv_parse_number(const char *text, const struct csv_number *form, int64_t *out)
{
    assert(form->places <= 9 && form->max >= 0);
    const char *at = text + strspn(text, " ");
    const char *number = at;
    int64_t value = 0;
    bool is_too_large = false;
    bool has_point = false, has_digits = false, rounds_up = false;
    unsigned places = 0;
    for (;; at++) {
        if (*at == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (!is_digit(*at))
            break;
        int digit = *at - '0';
        has_digits = true;
        if (has_point && places >= form->places) {
            if (digit != 0 && !form->rounds)
                return at[strcspn(at, "eE")] != '\0' ? parse_exponent(number, form, out)
                                                     : "has too many decimal places";
            if (places++ == form->places)
                rounds_up = digit >= 5;
            continue;
        }
        places += has_point;
        is_too_large |= value > (INT64_MAX - digit) / 10;
        value = is_too_large ? 0 : value * 10 + digit;
    }
    if (has_digits && (*at == 'e' || *at == 'E'))
        return parse_exponent(number, form, out);
    if (!has_digits || at[strspn(at, " ")] != '\0')
        return *number == '-' ? "is negative" : "is not a number";
    for (; places < form->places; places++) {
        is_too_large |= value > INT64_MAX / 10;
        value = is_too_large ? 0 : value * 10;
    }
    if (is_too_large || value > form->max - rounds_up)
        return "is too large";
    *out = value + rounds_up;
    return NULL;
}

enum berth_err csv_number(const struct csv *csv, int column, const struct csv_number *form,
                          int64_t *out, struct berth_error *err)
{
    char quoted[48];
    if (csv_is_empty(csv, column))
        return csv_fail(csv, column, err, "the cell is empty; %s", form->cure);
    const char *wrong = csv_parse_number(csv_text(csv, column), form, out);
    if (wrong == NULL)
        return BERTH_OK;
    return csv_fail(csv, column, err, "\"%s\" %s; %s", shown(csv_text(csv, column), quoted), wrong,
                    form->cure);
}
