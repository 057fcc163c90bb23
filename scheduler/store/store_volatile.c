/* Nothing is kept, so every batch is durable the moment it is appended: the plain simulator. */
#include "scheduler/store/store.h"

#include <assert.h>

#include "scheduler/base/mem.h"

struct volatile_store {
    uint64_t durable_batch;
};

static enum berth_err append(void *self, uint64_t batch, const struct store_write *writes,
                             size_t write_count, struct berth_error *err)
{
    struct volatile_store *store = self;
    (void)writes, (void)write_count, (void)err;
    assert(batch == store->durable_batch + 1);
    store->durable_batch = batch;
    return BERTH_OK;
}

static struct store_progress progress(void *self)
{
    const struct volatile_store *store = self;
    return (struct store_progress){.durable_batch = store->durable_batch};
}

static enum berth_err load(void *self, const struct record **records, size_t *record_count,
                           struct berth_error *err)
{
    (void)self, (void)err;
    *records = NULL;
    *record_count = 0;
    return BERTH_OK;
}

static void reset(void *self)
{
    (void)self; /* it never fails */
}

static void destroy(void *self)
{
    mem_free(self);
}

struct store store_volatile_open(void)
{
    static const struct store_ops ops = {
        .name = "volatile",
        .keeps_records = false,
        .append = append,
        .progress = progress,
        .load = load,
        .reset = reset,
        .destroy = destroy,
    };
    return (struct store){&ops, mem_alloc(sizeof(struct volatile_store))};
}
