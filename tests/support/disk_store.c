#include "tests/support/disk_store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

#define LIMIT_BYTES 64 /* FILE.lock is shorter */

struct disk_store {
    struct store inner;
    char *path; /* owned */
    bool fails_next;
};

static void need(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "disk store: %s\n", what);
        abort();
    }
}

void disk_store_use_memory(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 1);
}

void disk_store_forbid(bool is_forbidden)
{
    struct rlimit limit;
    (void)signal(SIGXFSZ, SIG_IGN);
    need(getrlimit(RLIMIT_FSIZE, &limit) == 0, "no limit of files");
    limit.rlim_cur = is_forbidden ? LIMIT_BYTES : limit.rlim_max;
    need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "no limit of files");
}

struct store_progress disk_store_await(struct store *store, uint64_t batch)
{
    struct pollfd waits = {.fd = store_sqlite_descriptor(store), .events = POLLIN};
    for (;;) {
        struct store_progress progress = store->ops->progress(store->self);
        errno = 0; /* a signal, such as libFuzzer's clock, is no end of the wait */
        if (progress.has_failed || progress.durable_batch >= batch)
            return progress;
        need(poll(&waits, 1, 60000) > 0 || errno == EINTR, "no progress in a minute");
    }
}

static struct store open_inner(const char *path)
{
    const struct store_sqlite_options options = {.retry_ms = 1};
    struct berth_error err = BERTH_ERROR_INIT;
    struct store inner;
    if (store_sqlite_open(path, &options, &inner, &err) != BERTH_OK)
        need(false, err.text);
    return inner;
}

static enum berth_err append(void *self, uint64_t batch, const struct store_write *writes,
                             size_t write_count, struct berth_error *err)
{
    struct disk_store *disk = self;
    if (disk->fails_next)
        disk_store_forbid(true);
    enum berth_err code =
        disk->inner.ops->append(disk->inner.self, batch, writes, write_count, err);
    if (code == BERTH_OK)
        (void)disk_store_await(&disk->inner, batch);
    if (disk->fails_next)
        disk_store_forbid(false);
    disk->fails_next = false;
    return code;
}

static struct store_progress progress(void *self)
{
    struct disk_store *disk = self;
    return disk->inner.ops->progress(disk->inner.self);
}

static enum berth_err load(void *self, const struct record **records, size_t *record_count,
                           struct berth_error *err)
{
    struct disk_store *disk = self;
    return disk->inner.ops->load(disk->inner.self, records, record_count, err);
}

static void reset(void *self)
{
    struct disk_store *disk = self;
    disk->fails_next = false; /* as in memory */
    disk->inner.ops->destroy(disk->inner.self);
    disk->inner = open_inner(disk->path);
}

static void destroy(void *self)
{
    struct disk_store *disk = self;
    disk->inner.ops->destroy(disk->inner.self);
    mem_free(disk->path);
    mem_free(disk);
}

struct store disk_store_open(const char *path)
{
    static const struct store_ops ops = {
        .name = "disk, at once",
        .keeps_records = true,
        .append = append,
        .progress = progress,
        .load = load,
        .reset = reset,
        .destroy = destroy,
    };
    struct disk_store *disk = mem_alloc(sizeof *disk);
    disk->path = mem_copy_text(path);
    disk->inner = open_inner(path);
    return (struct store){&ops, disk};
}

void disk_store_fail_next(struct store *store, bool fails)
{
    ((struct disk_store *)store->self)->fails_next = fails;
}
