/* fixture.h -- what the tests of the store on disk share: open, put, wait, compare. */
#ifndef BERTH_TESTS_UNIT_SCHEDULER_STORE_FIXTURE_H
#define BERTH_TESTS_UNIT_SCHEDULER_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/core/controller.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/support/scratch.h"

/* A disk whose sync costs nothing: for what tests logic, not disks. */
static inline void use_memory_disk(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 1);
}

static inline struct store open_sqlite(const char *path, const struct store_sqlite_options *options)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    if (store_sqlite_open(path, options, &store, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return store;
}

static inline void close_store(struct store *store)
{
    store->ops->destroy(store->self);
}

/* Opening is refused with all of these words. */
static inline void assert_refused(const char *path, enum berth_err wanted, const char *words,
                                  const char *more_words)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    enum berth_err code = store_sqlite_open(path, NULL, &store, &err);
    if (code == BERTH_OK)
        fail_msg("%s was opened; '%s' was to be said", path, words);
    assert_int_equal(code, wanted);
    if (strstr(err.text, path) != err.text || strstr(err.text, words) == NULL ||
        strstr(err.text, more_words) == NULL)
        fail_msg("'%s' lacks '%s' or '%s'", err.text, words, more_words);
}

static inline struct store_progress progress_of(struct store *store)
{
    return store->ops->progress(store->self);
}

static inline void put_many(struct store *store, uint64_t batch, const struct store_write *writes,
                            size_t count)
{
    struct berth_error err = BERTH_ERROR_INIT;
    if (store->ops->append(store->self, batch, writes, count, &err) != BERTH_OK)
        fail_msg("%s", err.text);
}

static inline void put(struct store *store, uint64_t batch, const char *key, const char *value)
{
    struct store_write write = {.key = key, .value = value, .revision = batch};
    put_many(store, batch, &write, 1);
}

/* Wait, as a driver does, until the batch is durable or the store has failed. */
static inline struct store_progress await(struct store *store, uint64_t batch)
{
    struct pollfd waits = {.fd = store_sqlite_descriptor(store), .events = POLLIN};
    for (;;) {
        struct store_progress progress = progress_of(store);
        if (progress.has_failed || progress.durable_batch >= batch)
            return progress;
        if (poll(&waits, 1, 20000) <= 0)
            fail_msg("no progress in 20 s, %llu of %llu",
                     (unsigned long long)progress.durable_batch, (unsigned long long)batch);
    }
}

static inline void settle(struct store *store, uint64_t batch)
{
    struct store_progress progress = await(store, batch);
    assert_false(progress.has_failed);
    assert_int_equal(progress.durable_batch, batch);
}

/* The live records as "a=1 b=2"; owned. */
static inline char *records_of(struct store *store)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct text text = TEXT_INIT;
    const struct record *records;
    size_t count;
    if (store->ops->load(store->self, &records, &count, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    text_add(&text, "");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            assert_true(strcmp(records[i - 1].key, records[i].key) < 0);
        text_addf(&text, "%s%s=", i > 0 ? " " : "", records[i].key);
        text_add(&text, records[i].value);
    }
    return text.bytes;
}

static inline void assert_records(struct store *store, const char *wanted)
{
    char *found = records_of(store);
    assert_string_equal(found, wanted);
    mem_free(found);
}

static inline int remove_files(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

#endif
