/*
 * store.h -- where a cluster's records are kept: one narrow interface, several stores.
 *
 * A store is given batches of writes, numbered from 1 without gaps, and makes them durable in that
 * order, whole or not at all. It never calls back: the driver asks for progress. Implementations:
 * store_volatile (nothing kept, always durable: the plain simulator), store_memory (records kept in
 * memory, with failures on request: tests and fault injection), store_sqlite (on disk: the daemon;
 * store_sqlite.h).
 */
#ifndef BERTH_SCHEDULER_STORE_STORE_H
#define BERTH_SCHEDULER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/error.h"

struct record;

struct store_write {
    const char *key;   /* borrowed */
    const char *value; /* borrowed; NULL deletes */
    uint64_t revision;
};

struct store_progress {
    uint64_t durable_batch; /* every batch up to this one is durable */
    bool has_failed;        /* the batch after it will never be; append refuses until reset */
};

struct store_ops {
    const char *name;
    bool keeps_records; /* false: every batch is durable at once, and none need be given */
    enum berth_err (*append)(void *self, uint64_t batch, const struct store_write *writes,
                             size_t write_count, struct berth_error *err);
    struct store_progress (*progress)(void *self);
    /* All live records in ascending key order, lent until the next append. */
    enum berth_err (*load)(void *self, const struct record **records, size_t *record_count,
                           struct berth_error *err);
    /* After a failure: forget what was not durable, and take batches from `durable_batch` + 1. */
    void (*reset)(void *self);
    void (*destroy)(void *self);
};

struct store {
    const struct store_ops *ops;
    void *self;
};

struct store store_volatile_open(void);

/*
 * Records in memory. `delay_batches`: a batch becomes durable only when so many newer ones were
 * appended or store_memory_flush is called (0: at once).
 */
struct store store_memory_open(uint32_t delay_batches);
void store_memory_flush(struct store *store);
void store_memory_flush_to(struct store *store, uint64_t batch); /* only batches up to this one */
void store_memory_hold(struct store *store, bool holds); /* nothing is durable but by a flush */
void store_memory_fail_after(struct store *store, uint64_t batches); /* the Nth next one fails */
/*
 * The process ends while the pending batches are being written: at the next reset the first
 * thousandths of their bytes are found. Whole batches among them are durable then; the one that is
 * torn, and what came after it, is discarded. True when one was torn: some, but not all of it.
 */
bool store_memory_tear(struct store *store, uint32_t kept_permille);

#endif
