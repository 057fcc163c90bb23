/*
 * Two groups of batches: one gathers on the caller's side, one is being written. The writer owns
 * the file while `is_busy`; whoever else wants it waits for that to end and keeps the mutex.
 *
 * LIMIT: reset and load wait for a write under way; a disk that hangs holds them up. The loop calls
 * them after a failure only, when none is under way.
 */
#define _GNU_SOURCE /* pthread_condattr_setclock beside eventfd */
#include "scheduler/store/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/store/sqlite_file.h"
#include "scheduler/store/state_lock.h"
#include "scheduler/store/write_group.h"

#define HISTORY_ROWS 100000
#define RETRY_MS 1000
#define WAITING_BYTES ((size_t)64 << 20)

struct sqlite_store {
    struct sqlite_file file; /* of the writer while it is busy */
    struct sqlite_rows records, history;
    struct store_sqlite_options options;
    struct state_lock lock;
    int descriptor; /* -1: it only reads */
    pthread_t writer;
    pthread_mutex_t mutex; /* all that follows */
    pthread_cond_t work;   /* for the writer */
    pthread_cond_t idle;   /* from the writer */
    struct write_group gathering, writing;
    size_t open_notes; /* the newest of `gathering`, which await the batch they belong to */
    bool is_busy, is_closing, is_told;
    bool has_failed;
    bool is_sick; /* the last write failed; the next one is tried at `retry_at` */
    struct timespec retry_at;
    uint64_t durable_batch, last_batch;
    struct berth_error trouble; /* while sick */
};

static void lock(struct sqlite_store *store)
{
    (void)pthread_mutex_lock(&store->mutex);
}

static void unlock(struct sqlite_store *store)
{
    (void)pthread_mutex_unlock(&store->mutex);
}

/* --- the writer --- */

static enum berth_err put_group(struct sqlite_store *store, struct berth_error *err)
{
    const struct write_group *group = &store->writing;
    struct sqlite_file *file = &store->file;
    enum berth_err code = sqlite_file_begin(file, err);
    for (size_t i = 0; code == BERTH_OK && i < group->writes.count; i++) {
        struct store_write write = write_group_write(group, i);
        code = sqlite_file_put(file, &write, err);
    }
    for (size_t i = 0; code == BERTH_OK && i < group->notes.count; i++) {
        struct store_note note = write_group_note(group, i);
        code = sqlite_file_note(file, group->notes.items[i].batch, &note, err);
    }
    if (code == BERTH_OK && group->notes.count > 0)
        code = sqlite_file_trim(file, store->options.history_rows, err);
    if (code == BERTH_OK)
        code = sqlite_file_commit(
            file, group->last_batch == 0 ? file->head.batch : group->last_batch, err);
    return code;
}

/* Written to a file that nobody finds, or that another process may hold, it would be lost. */
static enum berth_err check_place(struct sqlite_store *store, struct berth_error *err)
{
    if (!sqlite_file_has_moved(&store->file) && state_lock_is_there(&store->lock))
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                      "%s: it or its .lock was removed or replaced while in use; end this process "
                      "and put them back",
                      store->file.path);
}

static enum berth_err write_group(struct sqlite_store *store, struct berth_error *err)
{
    enum berth_err code = check_place(store, err);
    if (code == BERTH_OK)
        code = put_group(store, err);
    if (code != BERTH_OK)
        sqlite_file_rollback(&store->file);
    else if (store->writing.last_batch != 0)
        state_lock_mark(&store->lock, store->writing.last_batch);
    return code;
}

static void tell(struct sqlite_store *store)
{
    const uint64_t one = 1;
    if (!store->is_told)
        (void)!write(store->descriptor, &one, sizeof one);
    store->is_told = true;
}

static void set_retry(struct sqlite_store *store)
{
    (void)clock_gettime(CLOCK_MONOTONIC, &store->retry_at);
    store->retry_at.tv_sec += store->options.retry_ms / 1000;
    store->retry_at.tv_nsec += (long)(store->options.retry_ms % 1000) * 1000000;
    if (store->retry_at.tv_nsec >= 1000000000) {
        store->retry_at.tv_sec++;
        store->retry_at.tv_nsec -= 1000000000;
    }
}

/* A failure is told once; while it lasts, what waits is tried again. */
static void conclude(struct sqlite_store *store, enum berth_err code, const struct berth_error *err)
{
    if (code == BERTH_OK) {
        if (store->writing.last_batch != 0)
            store->durable_batch = store->writing.last_batch;
        write_group_clear(&store->writing);
        store->is_sick = false;
    } else {
        store->has_failed = !store->is_sick || write_group_bytes(&store->writing) +
                                                       write_group_bytes(&store->gathering) >
                                                   store->options.waiting_bytes;
        store->is_sick = true;
        store->trouble = *err;
        set_retry(store);
    }
    if (code == BERTH_OK || store->has_failed)
        tell(store);
}

static bool has_work(const struct sqlite_store *store)
{
    return !write_group_is_empty(&store->writing) ||
           (!write_group_is_empty(&store->gathering) && store->open_notes == 0);
}

static bool is_time(const struct sqlite_store *store)
{
    struct timespec now;
    if (!store->is_sick)
        return true;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > store->retry_at.tv_sec ||
           (now.tv_sec == store->retry_at.tv_sec && now.tv_nsec >= store->retry_at.tv_nsec);
}

/* Wait until there is something to write, and it is time; false: closing, nothing is left to try.
 */
static bool await_work(struct sqlite_store *store)
{
    for (;;) {
        bool can_try = has_work(store) && !store->has_failed;
        if (store->is_closing)
            return can_try && !store->is_sick;
        if (!can_try)
            (void)pthread_cond_wait(&store->work, &store->mutex);
        else if (is_time(store))
            return true;
        else
            (void)pthread_cond_timedwait(&store->work, &store->mutex, &store->retry_at);
    }
}

static void swap_groups(struct sqlite_store *store)
{
    struct write_group empty = store->writing;
    store->writing = store->gathering;
    store->gathering = empty;
}

static void *write_on(void *context)
{
    struct sqlite_store *store = context;
    lock(store);
    while (await_work(store)) {
        struct berth_error err = BERTH_ERROR_INIT;
        if (write_group_is_empty(&store->writing))
            swap_groups(store);
        store->is_busy = true;
        unlock(store);
        enum berth_err code = write_group(store, &err);
        lock(store);
        conclude(store, code, &err);
        unlock(store);
        sqlite_file_checkpoint(&store->file); /* after the news is out */
        lock(store);
        store->is_busy = false;
        (void)pthread_cond_broadcast(&store->idle);
    }
    unlock(store);
    return NULL;
}

/* Keeps the mutex. */
static void lock_idle(struct sqlite_store *store)
{
    lock(store);
    while (store->is_busy)
        (void)pthread_cond_wait(&store->idle, &store->mutex);
}

/* --- the interface --- */

/* What was noted since the last batch belongs to this one. */
static void close_notes(struct sqlite_store *store, uint64_t batch)
{
    write_group_stamp(&store->gathering, store->open_notes, batch);
    store->open_notes = 0;
    (void)pthread_cond_signal(&store->work);
}

static enum berth_err append(void *self, uint64_t batch, const struct store_write *writes,
                             size_t write_count, struct berth_error *err)
{
    struct sqlite_store *store = self;
    sqlite_rows_free(&store->records);
    lock(store);
    if (store->has_failed) {
        berth_fail(err, BERTH_ERR_ENVIRONMENT, "batch %" PRIu64 " was not written: %s",
                   store->durable_batch + 1, store->trouble.text);
        unlock(store);
        return err->code;
    }
    assert(batch == store->last_batch + 1);
    store->last_batch = batch;
    write_group_add(&store->gathering, batch, writes, write_count);
    close_notes(store, batch);
    unlock(store);
    return BERTH_OK;
}

static struct store_progress progress(void *self)
{
    struct sqlite_store *store = self;
    uint64_t count;
    lock(store);
    struct store_progress result = {store->durable_batch, store->has_failed};
    if (store->is_told)
        (void)!read(store->descriptor, &count, sizeof count);
    store->is_told = false;
    if (store->open_notes > 0)
        close_notes(store, store->last_batch);
    unlock(store);
    return result;
}

static enum berth_err load(void *self, const struct record **records, size_t *record_count,
                           struct berth_error *err)
{
    struct sqlite_store *store = self;
    lock_idle(store);
    enum berth_err code = sqlite_file_read_records(&store->file, &store->records, err);
    unlock(store);
    *records = store->records.records.items;
    *record_count = store->records.records.count;
    return code;
}

/* What a failed write has left is asked of the file, not concluded. */
static void reset(void *self)
{
    struct sqlite_store *store = self;
    struct berth_error err = BERTH_ERROR_INIT;
    lock_idle(store);
    if (store->has_failed && sqlite_file_read_head(&store->file, &err) == BERTH_OK)
        store->durable_batch = store->file.head.batch;
    write_group_clear(&store->gathering);
    write_group_clear(&store->writing);
    store->open_notes = 0;
    store->has_failed = false;
    store->last_batch = store->durable_batch;
    unlock(store);
}

static void free_store(struct sqlite_store *store)
{
    sqlite_file_close(&store->file);
    state_lock_release(&store->lock);
    if (store->descriptor >= 0)
        (void)close(store->descriptor);
    sqlite_rows_free(&store->records);
    sqlite_rows_free(&store->history);
    write_group_free(&store->gathering);
    write_group_free(&store->writing);
    (void)pthread_cond_destroy(&store->work);
    (void)pthread_cond_destroy(&store->idle);
    (void)pthread_mutex_destroy(&store->mutex);
    mem_free(store);
}

/* What was appended is still written, unless writing fails. */
static void destroy(void *self)
{
    struct sqlite_store *store = self;
    lock(store);
    write_group_drop_notes(&store->gathering, store->open_notes); /* their step was not ended */
    store->open_notes = 0;
    store->is_closing = true;
    (void)pthread_cond_signal(&store->work);
    unlock(store);
    (void)pthread_join(store->writer, NULL);
    free_store(store);
}

/* --- reading beside a writer --- */

static enum berth_err refuse_append(void *self, uint64_t batch, const struct store_write *writes,
                                    size_t write_count, struct berth_error *err)
{
    const struct sqlite_store *store = self;
    (void)batch, (void)writes, (void)write_count;
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: it was opened to read only",
                      store->file.path);
}

static struct store_progress read_progress(void *self)
{
    struct sqlite_store *store = self;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)sqlite_file_read_head(&store->file, &err); /* load will tell what is wrong */
    return (struct store_progress){.durable_batch = store->file.head.batch};
}

static void read_reset(void *self)
{
    (void)self; /* nothing waits */
}

static void read_destroy(void *self)
{
    free_store(self);
}

static const struct store_ops write_ops = {
    .name = "sqlite",
    .keeps_records = true,
    .append = append,
    .progress = progress,
    .load = load,
    .reset = reset,
    .destroy = destroy,
};

static const struct store_ops read_ops = {
    .name = "sqlite, read only",
    .keeps_records = true,
    .append = refuse_append,
    .progress = read_progress,
    .load = load,
    .reset = read_reset,
    .destroy = read_destroy,
};

/* --- opening --- */

static struct sqlite_store *make_store(void)
{
    struct sqlite_store *store = mem_alloc(sizeof *store);
    pthread_condattr_t monotonic;
    store->descriptor = -1;
    store->lock.fd = -1;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&store->mutex, NULL);
    (void)pthread_cond_init(&store->work, &monotonic);
    (void)pthread_cond_init(&store->idle, NULL);
    (void)pthread_condattr_destroy(&monotonic);
    return store;
}

static enum berth_err check_mark(const struct sqlite_store *store, const char *path,
                                 struct berth_error *err)
{
    uint64_t mark = store->lock.mark;
    if (store->file.db == NULL) {
        if (mark == 0 || access(path, F_OK) == 0)
            return BERTH_OK;
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: the state is gone, though %" PRIu64 " batches were written to it; "
                          "put it back, or remove %s to begin anew",
                          path, mark, store->lock.path);
    }
    if (store->file.head.batch >= mark)
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s: the state ends at batch %" PRIu64 ", though %" PRIu64
                      " were written: its -wal is missing or damaged, or it is an old copy; put "
                      "the right files back, or remove %s to go on from the older state",
                      path, store->file.head.batch, mark, store->lock.path);
}

/* Signals are for the driver's thread. */
static enum berth_err start_writer(struct sqlite_store *store, struct berth_error *err)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&store->writer, NULL, write_on, store);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 ? BERTH_OK
                     : berth_fail(err, BERTH_ERR_ENVIRONMENT, "no thread for the store: %s",
                                  strerror(code));
}

static void take_options(struct sqlite_store *store, const struct store_sqlite_options *options)
{
    if (options != NULL)
        store->options = *options;
    if (store->options.history_rows == 0)
        store->options.history_rows = HISTORY_ROWS;
    if (store->options.retry_ms == 0)
        store->options.retry_ms = RETRY_MS;
    if (store->options.waiting_bytes == 0)
        store->options.waiting_bytes = WAITING_BYTES;
}

enum berth_err store_sqlite_open(const char *path, const struct store_sqlite_options *options,
                                 struct store *out, struct berth_error *err)
{
    struct sqlite_store *store = make_store();
    take_options(store, options);
    enum berth_err code = state_lock_take(&store->lock, path, err);
    if (code == BERTH_OK)
        code = check_mark(store, path, err);
    if (code == BERTH_OK)
        code = sqlite_file_open(&store->file, path, err);
    if (code == BERTH_OK)
        code = check_mark(store, path, err);
    if (code == BERTH_OK && (store->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "no descriptor for the store: %s",
                          strerror(errno));
    store->durable_batch = store->last_batch = store->file.head.batch;
    if (code == BERTH_OK) {
        state_lock_mark(&store->lock, store->durable_batch);
        code = start_writer(store, err);
    }
    if (code != BERTH_OK) {
        state_lock_abandon(&store->lock);
        free_store(store);
        return code;
    }
    *out = (struct store){&write_ops, store};
    return BERTH_OK;
}

enum berth_err store_sqlite_open_readonly(const char *path, struct store *out,
                                          struct berth_error *err)
{
    struct sqlite_store *store = make_store();
    enum berth_err code = sqlite_file_open_readonly(&store->file, path, err);
    if (code != BERTH_OK) {
        free_store(store);
        return code;
    }
    *out = (struct store){&read_ops, store};
    return BERTH_OK;
}

int store_sqlite_descriptor(const struct store *store)
{
    return ((const struct sqlite_store *)store->self)->descriptor;
}

bool store_sqlite_has_trouble(const struct store *store, struct berth_error *why)
{
    struct sqlite_store *sqlite = store->self;
    lock(sqlite);
    bool is_sick = sqlite->is_sick;
    if (is_sick)
        *why = sqlite->trouble;
    unlock(sqlite);
    return is_sick;
}

void store_sqlite_note(struct store *store, const struct store_note *note)
{
    struct sqlite_store *sqlite = store->self;
    lock(sqlite);
    write_group_add_note(&sqlite->gathering, note);
    sqlite->open_notes++;
    unlock(sqlite);
}

enum berth_err store_sqlite_history(struct store *store, uint64_t after_seq, size_t limit,
                                    const struct history_line **lines, size_t *line_count,
                                    struct berth_error *err)
{
    struct sqlite_store *sqlite = store->self;
    lock_idle(sqlite);
    enum berth_err code =
        sqlite_file_read_history(&sqlite->file, after_seq, limit, &sqlite->history, err);
    unlock(sqlite);
    *lines = sqlite->history.lines.items;
    *line_count = sqlite->history.lines.count;
    return code;
}

long store_sqlite_holder(const char *path)
{
    return state_lock_holder(path);
}
