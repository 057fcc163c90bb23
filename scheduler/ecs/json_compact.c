#include "scheduler/ecs/json_compact.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

struct member {
    const char *key;
    size_t key_length;
    const json_t *value;
};

enum { PIECE_BYTES = 1 << 16 };

struct writer {
    struct text *out;
    enum json_order order;
    json_taker *take; /* NULL: `out` keeps all */
    void *context;
    VEC(struct member) members; /* of the objects that are being written, the innermost last */
};

static int by_key(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    size_t common = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = memcmp(a->key, b->key, common);
    if (order != 0)
        return order;
    return (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static void write_escape(struct text *out, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; letters[i] != '\0'; i += 2) {
        if ((unsigned char)letters[i] == byte) {
            text_add_n(out, (char[]){'\\', letters[i + 1]}, 2);
            return;
        }
    }
    text_add_n(out, (char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]}, 6);
}

static void write_text(struct text *out, const char *bytes, size_t length)
{
    size_t begin = 0;
    text_add_n(out, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        text_add_n(out, bytes + begin, i - begin);
        write_escape(out, byte);
        begin = i + 1;
    }
    text_add_n(out, bytes + begin, length - begin);
    text_add_n(out, "\"", 1);
}

static void write_real(struct text *out, const json_t *real)
{
    char digits[64]; /* a sign, 17 digits, a point, an exponent */
    size_t length =
        json_dumpb(real, digits, sizeof digits, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    assert(length > 0 && length <= sizeof digits);
    text_add_n(out, digits, length);
}

static void write_value(struct writer *writer, const json_t *json);

static void hand_over(struct writer *writer)
{
    writer->take(writer->context, writer->out->bytes, writer->out->length);
    text_clear(writer->out);
}

/* Adds the members of `json` to the list; true when they do not stand in the order of their keys.
 */
static bool list_members(struct writer *writer, const json_t *json)
{
    bool is_unsorted = false;
    json_t *object = (json_t *)(uintptr_t)json;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        struct member *member = vec_push(&writer->members);
        *member = (struct member){key, strlen(key), json_object_iter_value(at)};
        if (at != json_object_iter(object))
            is_unsorted = is_unsorted || by_key(member - 1, member) > 0;
    }
    return is_unsorted;
}

static void write_object(struct writer *writer, const json_t *json)
{
    size_t first = writer->members.count;
    bool is_unsorted = list_members(writer, json);
    size_t end = writer->members.count;
    if (is_unsorted && writer->order == JSON_BY_KEY)
        qsort(writer->members.items + first, end - first, sizeof(struct member), by_key);
    text_add_n(writer->out, "{", 1);
    for (size_t i = first; i < end; i++) {
        struct member member = writer->members.items[i]; /* a copy: the list may move */
        if (i > first)
            text_add_n(writer->out, ",", 1);
        write_text(writer->out, member.key, member.key_length);
        text_add_n(writer->out, ":", 1);
        write_value(writer, member.value);
        if (writer->take != NULL && writer->out->length >= PIECE_BYTES)
            hand_over(writer);
    }
    text_add_n(writer->out, "}", 1);
    writer->members.count = first;
}

static void write_array(struct writer *writer, const json_t *json)
{
    text_add_n(writer->out, "[", 1);
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (i > 0)
            text_add_n(writer->out, ",", 1);
        write_value(writer, json_array_get(json, i));
    }
    text_add_n(writer->out, "]", 1);
}

static void write_value(struct writer *writer, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        write_object(writer, json);
        break;
    case JSON_ARRAY:
        write_array(writer, json);
        break;
    case JSON_STRING:
        write_text(writer->out, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        text_add_i64(writer->out, json_integer_value(json));
        break;
    case JSON_REAL:
        write_real(writer->out, json);
        break;
    case JSON_TRUE:
        text_add_n(writer->out, "true", 4);
        break;
    case JSON_FALSE:
        text_add_n(writer->out, "false", 5);
        break;
    case JSON_NULL:
        text_add_n(writer->out, "null", 4);
        break;
    }
}

void json_write_compact(struct text *out, const json_t *json, enum json_order order)
{
    struct writer writer = {.out = out, .order = order};
    write_value(&writer, json);
    vec_free(&writer.members);
}

void json_write_pieces(const json_t *json, enum json_order order, json_taker *take, void *context)
{
    struct text piece = TEXT_INIT;
    struct writer writer = {.out = &piece, .order = order, .take = take, .context = context};
    write_value(&writer, json);
    hand_over(&writer);
    vec_free(&writer.members);
    text_free(&piece);
}
