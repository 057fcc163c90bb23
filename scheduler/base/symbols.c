#include "scheduler/base/symbols.h"

#include <assert.h>
#include <string.h>

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"

/* Chained hashing: the map leads from a text's hash to the newest symbol with it, `next` on. */
struct entry {
    char *text; /* owned */
    size_t length;
    uint64_t hash;
    symbol next;
};

struct symbols {
    VEC(struct entry) entries; /* entries.items[0] stands for SYMBOL_NONE */
    struct map by_hash;
};

/* FNV-1a, 64 bit (Fowler, Noll, Vo). */
static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

struct symbols *symbols_create(void)
{
    struct symbols *symbols = mem_alloc(sizeof *symbols);
    *vec_push(&symbols->entries) = (struct entry){NULL, 0, 0, SYMBOL_NONE};
    return symbols;
}

void symbols_destroy(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    for (size_t i = 0; i < symbols->entries.count; i++)
        mem_free(symbols->entries.items[i].text);
    vec_free(&symbols->entries);
    map_free(&symbols->by_hash);
    mem_free(symbols);
}

static symbol find(const struct symbols *symbols, const char *text, size_t length, uint64_t hash)
{
    uint32_t id = map_get(&symbols->by_hash, hash);
    if (id == MAP_ABSENT)
        return SYMBOL_NONE;
    for (; id != SYMBOL_NONE; id = symbols->entries.items[id].next) {
        const struct entry *entry = &symbols->entries.items[id];
        if (entry->length == length && memcmp(entry->text, text, length) == 0)
            return id;
    }
    return SYMBOL_NONE;
}

symbol symbols_add_n(struct symbols *symbols, const char *text, size_t length_bytes)
{
    uint64_t hash = hash_of(text, length_bytes);
    symbol id = find(symbols, text, length_bytes, hash);
    if (id != SYMBOL_NONE)
        return id;
    uint32_t next = map_get(&symbols->by_hash, hash);
    id = (symbol)symbols->entries.count;
    *vec_push(&symbols->entries) = (struct entry){mem_copy_text_n(text, length_bytes), length_bytes,
                                                  hash, next == MAP_ABSENT ? SYMBOL_NONE : next};
    map_put(&symbols->by_hash, hash, id);
    return id;
}

symbol symbols_add(struct symbols *symbols, const char *text)
{
    return text == NULL ? SYMBOL_NONE : symbols_add_n(symbols, text, strlen(text));
}

symbol symbols_find(const struct symbols *symbols, const char *text)
{
    return symbols_find_n(symbols, text, strlen(text));
}

symbol symbols_find_n(const struct symbols *symbols, const char *text, size_t length_bytes)
{
    return find(symbols, text, length_bytes, hash_of(text, length_bytes));
}

const char *symbols_text(const struct symbols *symbols, symbol id)
{
    assert(id < symbols->entries.count);
    return symbols->entries.items[id].text;
}
