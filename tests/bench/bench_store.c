/*
 * bench_store.c -- the store on disk: how long a commit takes, and what group commit makes of it.
 *
 * First one batch at a time, each waited for: a sync each. Then batches as fast as they can be
 * given, with a thousand on their way: many share a sync. A batch is what RunTask writes: the
 * controller's record, one of 1,000 instances, a new task; and an old task goes, when there are
 * 20,000. Values of 300 bytes. In $TMPDIR (/tmp): put it on the disk that is asked for.
 * Then the state is closed and opened, with all its checks. Time of the clock; never fails on time.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/rng.h"
#include "scheduler/store/store_sqlite.h"
#include "tests/support/disk_store.h"
#include "tests/support/scratch.h"

#define INSTANCES 1000
#define TASKS 20000
#define WRITES 4
#define VALUE_BYTES 300
#define UNDER_WAY 1000
#define SECONDS 3.0

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct store open_state(void)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    if (store_sqlite_open(scratch_path("state"), NULL, &store, &err) == BERTH_OK)
        return store;
    (void)fprintf(stderr, "bench_store: %s\n", err.text);
    exit(1);
}

static void append(struct store *store, struct rng *rng, uint64_t batch)
{
    char instance[32], task[32], old_task[32], value[VALUE_BYTES + 1];
    struct berth_error err = BERTH_ERROR_INIT;
    memset(value, 'v', VALUE_BYTES);
    value[VALUE_BYTES] = '\0';
    (void)snprintf(instance, sizeof instance, "instance/%llu",
                   (unsigned long long)rng_below(rng, INSTANCES));
    (void)snprintf(task, sizeof task, "task/%llu", (unsigned long long)(batch + TASKS));
    (void)snprintf(old_task, sizeof old_task, "task/%llu", (unsigned long long)batch);
    const struct store_write writes[WRITES] = {{"controller", value, batch},
                                               {instance, value, batch},
                                               {task, value, batch},
                                               {old_task, NULL, batch}};
    if (store->ops->append(store->self, batch, writes, WRITES, &err) != BERTH_OK) {
        (void)fprintf(stderr, "bench_store: %s\n", err.text);
        exit(1);
    }
}

/* Batches with at most `under_way` not durable, for some seconds; the last one. */
static uint64_t measure(struct store *store, struct rng *rng, uint64_t last, uint64_t under_way)
{
    uint64_t first = last;
    double begin = now();
    while (now() - begin < SECONDS) {
        append(store, rng, ++last);
        if (last > under_way)
            (void)disk_store_await(store, last - under_way);
    }
    (void)disk_store_await(store, last);
    double rate = (double)(last - first) / (now() - begin);
    printf("store, %4llu under way: %.0f batches/s, %.0f records/s\n",
           (unsigned long long)(under_way == 0 ? 1 : under_way), rate, rate * WRITES);
    return last;
}

int main(void)
{
    struct rng rng = {rng_key(1, "store", 0), 0};
    struct store store = open_state();
    uint64_t last = measure(&store, &rng, 0, 0);
    last = measure(&store, &rng, last, UNDER_WAY);
    store.ops->destroy(store.self);
    double begin = now();
    store = open_state();
    printf("store, opening: %.0f ms", (now() - begin) * 1000);
    const struct record *records;
    size_t count = 0;
    struct berth_error err = BERTH_ERROR_INIT;
    begin = now();
    if (store.ops->load(store.self, &records, &count, &err) != BERTH_OK)
        (void)fprintf(stderr, "bench_store: %s\n", err.text);
    printf(", loading %zu records: %.0f ms\n", count, (now() - begin) * 1000);
    bool is_right = store.ops->progress(store.self).durable_batch == last;
    store.ops->destroy(store.self);
    scratch_remove();
    return is_right ? 0 : 1;
}
