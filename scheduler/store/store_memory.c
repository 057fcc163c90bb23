/*
 * Records in memory, behaving as badly as a disk when asked to: batches become durable late, or
 * never. A key keeps its number for life, so a write is one look-up; sorting waits for load.
 *
 * LIMIT: the text of a deleted record's key stays. A store for a long run would be a tree.
 */
#include "scheduler/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/symbols.h"
#include "scheduler/core/controller.h"
#include "scheduler/store/batch_bytes.h"

struct pending_write {
    char *key;   /* owned */
    char *value; /* owned; NULL deletes */
};

struct pending_batch {
    struct pending_write *writes; /* owned */
    size_t write_count;
};

struct memory_store {
    uint32_t delay_batches;
    bool holds;
    uint64_t durable_batch;
    uint64_t failing_batch; /* 0: none */
    bool has_failed;
    VEC(struct pending_batch) pending; /* durable_batch + 1 and on */
    struct text tail;                  /* what a dying process left of them */
    struct symbols *keys;
    VEC(char *) values; /* owned; by key number, NULL: there is no such record */
    VEC(struct record) sorted;
};

/* Takes the value. */
static void put(struct memory_store *store, const char *key_text, char *value)
{
    symbol key = symbols_add(store->keys, key_text);
    while (store->values.count <= key)
        *vec_push(&store->values) = NULL;
    mem_free(store->values.items[key]);
    store->values.items[key] = value;
}

static void apply_write(struct memory_store *store, struct pending_write *write)
{
    put(store, write->key, write->value);
    write->value = NULL;
}

static void free_batch(struct pending_batch *batch)
{
    for (size_t i = 0; i < batch->write_count; i++) {
        mem_free(batch->writes[i].key);
        mem_free(batch->writes[i].value);
    }
    mem_free(batch->writes);
}

/* Make all but the newest `keep` pending batches durable, up to one that fails. */
static void settle(struct memory_store *store, size_t keep)
{
    size_t done = 0;
    while (!store->has_failed && store->pending.count - done > keep) {
        if (store->durable_batch + 1 == store->failing_batch) {
            store->has_failed = true;
            break;
        }
        struct pending_batch *batch = &store->pending.items[done++];
        for (size_t i = 0; i < batch->write_count; i++)
            apply_write(store, &batch->writes[i]);
        free_batch(batch);
        store->durable_batch++;
    }
    if (done == 0)
        return;
    store->pending.count -= done;
    memmove(store->pending.items, store->pending.items + done,
            store->pending.count * sizeof *store->pending.items);
}

static enum berth_err append(void *self, uint64_t batch, const struct store_write *writes,
                             size_t write_count, struct berth_error *err)
{
    struct memory_store *store = self;
    if (store->has_failed)
        return berth_fail(
            err, BERTH_ERR_ENVIRONMENT,
            "memory store: batch %llu was not written; reset the store and load again",
            (unsigned long long)(store->durable_batch + 1));
    assert(batch == store->durable_batch + store->pending.count + 1);
    if (store->delay_batches == 0 && !store->holds && store->pending.count == 0 &&
        store->failing_batch == 0) { /* Durable at once: nothing to keep for later. */
        for (size_t i = 0; i < write_count; i++)
            put(store, writes[i].key, mem_copy_text(writes[i].value));
        store->durable_batch++;
        return BERTH_OK;
    }
    struct pending_batch *pending = vec_push(&store->pending);
    *pending = (struct pending_batch){NULL, write_count};
    if (write_count > 0)
        pending->writes = mem_alloc(write_count * sizeof *pending->writes);
    for (size_t i = 0; i < write_count; i++)
        pending->writes[i] =
            (struct pending_write){mem_copy_text(writes[i].key), mem_copy_text(writes[i].value)};
    if (!store->holds)
        settle(store, store->delay_batches);
    return BERTH_OK;
}

static struct store_progress progress(void *self)
{
    const struct memory_store *store = self;
    return (struct store_progress){store->durable_batch, store->has_failed};
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->key, ((const struct record *)b)->key);
}

static enum berth_err load(void *self, const struct record **records, size_t *record_count,
                           struct berth_error *err)
{
    struct memory_store *store = self;
    (void)err;
    vec_clear(&store->sorted);
    for (size_t key = 0; key < store->values.count; key++)
        if (store->values.items[key] != NULL)
            *vec_push(&store->sorted) =
                (struct record){symbols_text(store->keys, (symbol)key), store->values.items[key]};
    if (store->sorted.count > 0)
        qsort(store->sorted.items, store->sorted.count, sizeof *store->sorted.items, by_key);
    *records = store->sorted.items;
    *record_count = store->sorted.count;
    return BERTH_OK;
}

/* Batches of the tail are durable as far as they are whole. */
static void read_tail(struct memory_store *store)
{
    struct batch_writes writes = VEC_INIT;
    size_t at = 0, size;
    while (at < store->tail.length &&
           (size = batch_bytes_read(store->tail.bytes + at, store->tail.length - at,
                                    store->durable_batch + 1, &writes)) > 0) {
        for (size_t i = 0; i < writes.count; i++) {
            struct pending_write write = {mem_copy_text(writes.items[i].key),
                                          mem_copy_text(writes.items[i].value)};
            apply_write(store, &write);
            mem_free(write.key);
        }
        store->durable_batch++;
        at += size;
    }
    vec_free(&writes);
    text_clear(&store->tail);
}

static void reset(void *self)
{
    struct memory_store *store = self;
    read_tail(store);
    for (size_t i = 0; i < store->pending.count; i++)
        free_batch(&store->pending.items[i]);
    vec_clear(&store->pending);
    store->has_failed = false;
    store->failing_batch = 0;
}

static void destroy(void *self)
{
    struct memory_store *store = self;
    reset(store);
    for (size_t i = 0; i < store->values.count; i++)
        mem_free(store->values.items[i]);
    vec_free(&store->pending);
    vec_free(&store->values);
    vec_free(&store->sorted);
    text_free(&store->tail);
    symbols_destroy(store->keys);
    mem_free(store);
}

struct store store_memory_open(uint32_t delay_batches)
{
    static const struct store_ops ops = {
        .name = "memory",
        .keeps_records = true,
        .append = append,
        .progress = progress,
        .load = load,
        .reset = reset,
        .destroy = destroy,
    };
    struct memory_store *store = mem_alloc(sizeof *store);
    store->delay_batches = delay_batches;
    store->keys = symbols_create();
    return (struct store){&ops, store};
}

void store_memory_flush(struct store *store)
{
    settle(store->self, 0);
}

void store_memory_flush_to(struct store *store, uint64_t batch)
{
    struct memory_store *memory = store->self;
    uint64_t last = memory->durable_batch + memory->pending.count;
    if (batch > memory->durable_batch)
        settle(memory, batch < last ? (size_t)(last - batch) : 0);
}

void store_memory_hold(struct store *store, bool holds)
{
    ((struct memory_store *)store->self)->holds = holds;
}

static void encode_pending(const struct memory_store *memory, size_t index, struct text *out)
{
    const struct pending_batch *batch = &memory->pending.items[index];
    struct store_write *writes = mem_alloc((batch->write_count + 1) * sizeof *writes);
    for (size_t i = 0; i < batch->write_count; i++)
        writes[i] =
            (struct store_write){.key = batch->writes[i].key, .value = batch->writes[i].value};
    batch_bytes_add(out, memory->durable_batch + 1 + index, writes, batch->write_count);
    mem_free(writes);
}

bool store_memory_tear(struct store *store, uint32_t kept_permille)
{
    struct memory_store *memory = store->self;
    bool is_torn = false;
    size_t end = 0;
    text_clear(&memory->tail);
    for (size_t i = 0; i < memory->pending.count; i++)
        encode_pending(memory, i, &memory->tail);
    size_t kept = memory->tail.length * kept_permille / 1000;
    struct batch_writes writes = VEC_INIT;
    for (size_t i = 0, size; end < kept && !is_torn; i++, end += size) {
        size = batch_bytes_read(memory->tail.bytes + end, memory->tail.length - end,
                                memory->durable_batch + 1 + i, &writes);
        is_torn = end + size > kept;
    }
    vec_free(&writes);
    memory->tail.length = kept;
    return is_torn;
}

void store_memory_fail_after(struct store *store, uint64_t batches)
{
    struct memory_store *memory = store->self;
    memory->failing_batch =
        batches == 0 ? 0 : memory->durable_batch + memory->pending.count + batches;
}
