/*
 * json_input.c -- strict JSON in, deterministic JSON out; jansson does the grammar.
 *
 * Jansson parses by recursion, so before it reads, depth is counted by one loop over the bytes: a
 * file that nests a million deep then costs nothing and gets a line and a column. Everything read
 * is bounded: a small gzip that inflates without end stops at the limit below.
 */
#include "scheduler/ecs/json_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/ecs/json_quick.h"

#define DEPTH_MAX 200
#define BYTES_MAX ((size_t)1 << 30) /* 100,000 described instances are about a fifth of this. */

/* Hash order never shows (jansson keeps insertion order), but a fixed seed leaves nothing to luck.
 */
#define OBJECT_SEED 20141113u

void json_show(char *out, size_t out_bytes, const char *text, size_t length)
{
    size_t used = 0;
    bool is_cut = false;
    for (size_t i = 0; i < length && !is_cut; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (used + 4 >= out_bytes)
            is_cut = true;
        else
            out[used++] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
    }
    if (is_cut) {
        while (used > 0 && ((unsigned char)out[used - 1] & 0xC0) == 0x80)
            used--;
        if (used > 0 && (unsigned char)out[used - 1] >= 0xC0)
            used--;
        memcpy(out + used, "...", 3);
        used += 3;
    }
    out[used] = '\0';
}

struct position {
    size_t line, column;
};

static struct position position_of(const char *text, size_t offset)
{
    struct position at = {1, 1};
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n')
            at = (struct position){at.line + 1, 1};
        else if (((unsigned char)text[i] & 0xC0) != 0x80)
            at.column++;
    }
    return at;
}

static enum berth_err check_depth(const char *text, size_t length, const char *place,
                                  struct berth_error *err)
{
    size_t depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_text) {
            if (c == '\\')
                i++;
            else if (c == '"' || c == '\n')
                in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if ((c == '[' || c == '{') && ++depth > DEPTH_MAX) {
            struct position at = position_of(text, i);
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s:%zu:%zu: nested deeper than %d levels; flatten the document",
                              place, at.line, at.column, DEPTH_MAX);
        }
    }
    return BERTH_OK;
}

static const char *cure_for(const json_error_t *failure)
{
    switch (json_error_code(failure)) {
    case json_error_numeric_overflow:
        return "write a whole number within 64 bits, or a real one below 1.8e308";
    case json_error_invalid_utf8:
        return "save the file as UTF-8";
    case json_error_duplicate_key:
        return "keep one of the two";
    case json_error_premature_end_of_input:
        return "the text ends too early; is the file complete?";
    case json_error_end_of_input_expected:
        return "one JSON value is expected; remove what follows it";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "remove the NUL character";
    default:
        return "correct the JSON here";
    }
}

static enum berth_err syntax_error(const json_error_t *failure, const char *place,
                                   struct berth_error *err)
{
    char what[JSON_ERROR_TEXT_LENGTH + 1];
    json_show(what, sizeof what, failure->text, strlen(failure->text));
    return berth_fail(err, BERTH_ERR_INPUT, "%s:%d:%d: %s; %s", place,
                      failure->line < 1 ? 1 : failure->line,
                      failure->column < 1 ? 1 : failure->column, what, cure_for(failure));
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (memchr(" \t\r\n", text[i], 4) == NULL)
            return false;
    return true;
}

enum berth_err json_read_text(const char *text, size_t length, const char *place, json_t **out,
                              struct berth_error *err)
{
    *out = NULL;
    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return berth_fail(err, BERTH_ERR_INPUT, "%s:1:1: UTF-16 text; save the file as UTF-8",
                          place);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        length -= 3;
    }
    if (is_blank(text, length))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s:1:1: the file is empty; a JSON document is expected", place);
    json_object_seed(OBJECT_SEED);
    *out = json_read_quick(text, length, DEPTH_MAX);
    if (*out != NULL)
        return BERTH_OK;
    if (check_depth(text, length, place, err) != BERTH_OK)
        return err->code;
    json_error_t failure;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &failure);
    if (json == NULL)
        return syntax_error(&failure, place, err);
    *out = json;
    return BERTH_OK;
}

static enum berth_err open_input(const char *path, int *out, struct berth_error *err)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: no such file; check the path", path);
    if (file < 0 && errno == EACCES)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: no permission to read it; see its mode and its folders'", path);
    if (file < 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: %s; check the path", path, strerror(errno));
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        (void)close(file);
        return berth_fail(err, BERTH_ERR_INPUT, "%s: is a folder; name a file", path);
    }
    *out = file;
    return BERTH_OK;
}

static enum berth_err inflate_all(gzFile file, const char *path, struct text *content,
                                  struct berth_error *err)
{
    enum { CHUNK = 1 << 16 };
    char *chunk = mem_alloc(CHUNK);
    int got;
    while ((got = gzread(file, chunk, CHUNK)) > 0 && content->length <= BYTES_MAX)
        text_add_n(content, chunk, (size_t)got);
    mem_free(chunk);
    if (content->length > BYTES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: larger than 1 GiB; split it", path);
    int code = Z_OK;
    const char *what = gzerror(file, &code);
    if (code == Z_BUF_ERROR)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: the gzip stream ends too early; the file is cut, fetch it again",
                          path);
    if (got < 0 && code == Z_ERRNO)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be read: %s", path,
                          strerror(errno));
    if (got < 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: the gzip stream is damaged (%s); fetch the file again", path, what);
    return BERTH_OK;
}

enum berth_err json_read_file(const char *path, json_t **out, struct berth_error *err)
{
    *out = NULL;
    int descriptor = -1;
    if (open_input(path, &descriptor, err) != BERTH_OK)
        return err->code;
    gzFile file = gzdopen(descriptor, "rb");
    if (file == NULL) {
        (void)close(descriptor);
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be read", path);
    }
    struct text content = TEXT_INIT;
    enum berth_err code = inflate_all(file, path, &content, err);
    (void)gzclose(file);
    if (code == BERTH_OK)
        code = json_read_text(content.bytes == NULL ? "" : content.bytes, content.length, path, out,
                              err);
    text_free(&content);
    return code;
}

enum berth_err json_check_keys(const json_t *object, const char *place, const char *const *names,
                               struct berth_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *const *name = names;
        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name != NULL || key[0] == '$')
            continue;
        char shown[80];
        json_show(shown, sizeof shown, key, strlen(key));
        const char *near = berth_nearest(key, names);
        if (near != NULL)
            return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: unknown key; did you mean \"%s\"?",
                              place, shown, near);
        return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: unknown key; remove it", place, shown);
    }
    return BERTH_OK;
}

char *json_write_sorted(const json_t *json, int indent)
{
    size_t layout = indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT;
    return json_dumps(json, JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17) | layout);
}
