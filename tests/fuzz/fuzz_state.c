/*
 * A state file: the input is its bytes, without a log. It is refused in one line of text that names
 * it, or it is a store that loads, is written to and opened again with what was written.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/controller.h"
#include "tests/support/disk_store.h"
#include "tests/support/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *write_state(const uint8_t *data, size_t size)
{
    static const char *const others[] = {"state-wal", "state-shm", "state-journal", "state.lock"};
    if (getenv("FUZZ_STATE_FOLDER") == NULL) { /* once */
        disk_store_use_memory();
        (void)setenv("FUZZ_STATE_FOLDER", scratch_folder(), 1);
        (void)atexit(scratch_remove);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        (void)remove(scratch_path(others[i]));
    return scratch_write("state", data, size);
}

static void check_refusal(const struct berth_error *err, const char *path)
{
    assert(err->code == BERTH_ERR_INPUT || err->code == BERTH_ERR_ENVIRONMENT);
    assert(strncmp(err->text, path, strlen(path)) == 0 && strchr(err->text, '\n') == NULL);
}

static size_t load(struct store *store)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct record *records;
    size_t count;
    enum berth_err code = store->ops->load(store->self, &records, &count, &err);
    assert(code == BERTH_OK); /* it was all read when it was opened */
    for (size_t i = 1; i < count; i++)
        assert(strcmp(records[i - 1].key, records[i].key) < 0);
    return count;
}

/* A tree that only its spare pages make wrong may fail later, as a disk does; never in silence. */
static void write_on(const char *path, struct store *store)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct store_write write = {"~fuzz", "written", 1};
    uint64_t batch = store->ops->progress(store->self).durable_batch + 1;
    size_t count = load(store);
    enum berth_err code = store->ops->append(store->self, batch, &write, 1, &err);
    assert(code == BERTH_OK);
    bool is_written = !disk_store_await(store, batch).has_failed;
    store->ops->destroy(store->self);
    if (!is_written)
        return;
    code = store_sqlite_open(path, NULL, store, &err);
    assert(code == BERTH_OK && store->ops->progress(store->self).durable_batch == batch);
    size_t count_after = load(store);
    assert(count_after == count || count_after == count + 1);
    store->ops->destroy(store->self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    const char *path = write_state(data, size);
    if (store_sqlite_open_readonly(path, &store, &err) == BERTH_OK)
        store.ops->destroy(store.self);
    else
        check_refusal(&err, path);
    if (store_sqlite_open(path, NULL, &store, &err) == BERTH_OK)
        write_on(path, &store);
    else
        check_refusal(&err, path);
    return 0;
}
