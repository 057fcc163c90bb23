/*
 * What store.h promises, asked of the store in memory and of the one on disk by the same tests: the
 * simulator's faults are only worth something if the two behave alike.
 */
#include <signal.h>
#include <sys/resource.h>

#include "scheduler/base/rng.h"
#include "tests/unit/scheduler/store/fixture.h"

static const struct store_sqlite_options quick_retry = {.retry_ms = 5};

struct kind {
    bool is_sqlite;
    struct store store;
    const char *path;
};

static void open_kind(struct kind *kind)
{
    if (kind->is_sqlite) {
        (void)remove(scratch_path("state"));
        (void)remove(scratch_path("state.lock"));
        kind->path = scratch_path("state");
        kind->store = open_sqlite(kind->path, &quick_retry);
    } else {
        kind->store = store_memory_open(1000000);
    }
}

/* What was appended so far is durable, or has failed. */
static struct store_progress flush(struct kind *kind, uint64_t last_batch)
{
    if (!kind->is_sqlite)
        store_memory_flush(&kind->store);
    return kind->is_sqlite ? await(&kind->store, last_batch) : progress_of(&kind->store);
}

static void flush_well(struct kind *kind, uint64_t last_batch)
{
    struct store_progress progress = flush(kind, last_batch);
    assert_false(progress.has_failed);
    assert_int_equal(progress.durable_batch, last_batch);
}

/* A new process: what was not durable is gone; memory forgets by a reset. */
static void restart(struct kind *kind)
{
    if (!kind->is_sqlite) {
        kind->store.ops->reset(kind->store.self);
        return;
    }
    close_store(&kind->store);
    kind->store = open_sqlite(kind->path, &quick_retry);
}

/* The next batch to be written fails: for the disk, no file may grow from now on. */
static void fail_next(struct kind *kind, bool fails)
{
    if (!kind->is_sqlite) {
        store_memory_fail_after(&kind->store, fails ? 1 : 0);
        return;
    }
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = fails ? 64 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_the_last_value_in_key_order(void **state)
{
    struct kind *kind = *state;
    open_kind(kind);
    struct store *store = &kind->store;
    assert_true(store->ops->keeps_records);
    assert_int_equal(progress_of(store).durable_batch, 0);
    assert_records(store, "");
    put(store, 1, "task/2", "x");
    put(store, 2, "task/10", "y");
    put(store, 3, "instance/1", "z");
    flush_well(kind, 3);
    assert_records(store, "instance/1=z task/10=y task/2=x");
    put(store, 4, "task/2", "x2");
    put(store, 5, "task/10", NULL);
    put(store, 6, "never", NULL);
    flush_well(kind, 6);
    assert_records(store, "instance/1=z task/2=x2");
    put(store, 7, "task/10", "again");
    flush_well(kind, 7);
    restart(kind);
    assert_records(store, "instance/1=z task/10=again task/2=x2");
    close_store(store);
}

static void test_a_batch_is_applied_in_order(void **state)
{
    struct kind *kind = *state;
    open_kind(kind);
    char key[] = "k", value[] = "1";
    struct store_write writes[] = {{key, value, 1}, {"l", "2", 2}, {"k", NULL, 3}, {"k", "4", 4}};
    put_many(&kind->store, 1, writes, 4);
    key[0] = value[0] = '?'; /* borrowed for the call only */
    put_many(&kind->store, 2, NULL, 0);
    flush_well(kind, 2);
    assert_records(&kind->store, "k=4 l=2");
    close_store(&kind->store);
}

/* Whatever a value holds; keys are ordered by their bytes, high ones last. */
static void test_any_text_comes_back(void **state)
{
    struct kind *kind = *state;
    open_kind(kind);
    char *long_value = mem_alloc(300001);
    memset(long_value, 'v', 300000);
    struct store_write writes[] = {
        {"", "empty key", 1},           {"a", "", 2},
        {"b", "with = and\n \x01%", 3}, {"c", "\xff\xc3\x28", 4},
        {"\xe4\xb8\xad", "5", 5},       {"\xff", "6", 6},
        {"long", long_value, 7},        {"Z", "'; DROP TABLE records; --", 8},
    };
    put_many(&kind->store, 1, writes, 8);
    flush_well(kind, 1);
    restart(kind);
    struct text wanted = TEXT_INIT;
    text_add(&wanted,
             "=empty key Z='; DROP TABLE records; -- a= b=with = and\n \x01% c=\xff\xc3\x28 "
             "long=");
    text_add(&wanted, long_value);
    text_add(&wanted, " \xe4\xb8\xad=5 \xff=6");
    assert_records(&kind->store, wanted.bytes);
    text_free(&wanted);
    mem_free(long_value);
    close_store(&kind->store);
}

static void test_a_failed_batch_and_all_after_it_are_lost(void **state)
{
    struct kind *kind = *state;
    struct berth_error err = BERTH_ERROR_INIT;
    open_kind(kind);
    struct store *store = &kind->store;
    put(store, 1, "a", "1");
    put(store, 2, "a", "2");
    flush_well(kind, 2);
    fail_next(kind, true);
    put(store, 3, "a", "3");
    struct store_progress progress = flush(kind, 3);
    assert_true(progress.has_failed);
    assert_int_equal(progress.durable_batch, 2);
    assert_true(progress_of(store).has_failed); /* until it is reset */
    struct store_write write = {"a", "4", 4};
    assert_int_equal(store->ops->append(store->self, 4, &write, 1, &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "batch 3"));
    store->ops->reset(store->self);
    progress = progress_of(store);
    assert_false(progress.has_failed);
    assert_int_equal(progress.durable_batch, 2);
    assert_records(store, "a=2"); /* read while nothing can be written */
    fail_next(kind, false);
    put(store, 3, "a", "7"); /* numbered on from what is durable */
    flush_well(kind, 3);
    assert_records(store, "a=7");
    restart(kind);
    assert_int_equal(progress_of(store).durable_batch, 3);
    assert_records(store, "a=7");
    close_store(store);
}

/* What is not durable may go, as a whole prefix stays. */
static void test_a_reset_keeps_a_prefix(void **state)
{
    struct kind *kind = *state;
    open_kind(kind);
    struct store *store = &kind->store;
    uint64_t last = 0;
    for (int round = 0; round < 50; round++) {
        char value[32];
        for (int i = 0; i < round % 7; i++) {
            (void)snprintf(value, sizeof value, "%llu", (unsigned long long)++last);
            put(store, last, "n", value);
        }
        store->ops->reset(store->self);
        uint64_t durable = progress_of(store).durable_batch;
        assert_in_range(durable, 0, last);
        last = durable;
        (void)snprintf(value, sizeof value, "n=%llu", (unsigned long long)durable);
        assert_records(store, durable == 0 ? "" : value);
    }
    put(store, last + 1, "n", "end");
    flush_well(kind, last + 1);
    close_store(store);
}

#define KEYS 40

struct model {
    uint64_t values[KEYS]; /* 0: there is no such record */
};

static void assert_model(struct store *store, const struct model *model)
{
    struct text wanted = TEXT_INIT;
    text_add(&wanted, "");
    for (uint32_t key = 0; key < KEYS; key++)
        if (model->values[key] != 0)
            text_addf(&wanted, "%sk%02u=%llu", wanted.length > 0 ? " " : "", key,
                      (unsigned long long)model->values[key]);
    assert_records(store, wanted.bytes);
    text_free(&wanted);
}

static void random_batch(struct kind *kind, struct rng *rng, uint64_t batch, struct model *model)
{
    char keys[8][8], values[8][32];
    struct store_write writes[8];
    size_t count = rng_below(rng, 9);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = rng_below(rng, KEYS), value = rng_below(rng, 3) == 0 ? 0 : batch * 8 + i;
        (void)snprintf(keys[i], sizeof keys[i], "k%02u", (unsigned)key);
        (void)snprintf(values[i], sizeof values[i], "%llu", (unsigned long long)value);
        writes[i] = (struct store_write){keys[i], value == 0 ? NULL : values[i], batch * 8 + i};
        model->values[key] = value;
    }
    put_many(&kind->store, batch, writes, count);
}

/* Random batches, restarts and failures, against an array. */
static void test_a_random_history(void **state)
{
    struct kind *kind = *state;
    struct rng rng = {rng_key(7, "contract", 0), 0};
    struct model model = {{0}}, durable = {{0}};
    uint64_t last = 0, durable_batch = 0;
    open_kind(kind);
    for (int round = 0; round < 600; round++) {
        bool fails = round % 2 == 0 && rng_below(&rng, 10) == 0; /* never twice in a row */
        fail_next(kind, fails);
        for (uint64_t more = fails ? 1 : 1 + rng_below(&rng, 6); more > 0; more--)
            random_batch(kind, &rng, ++last, &model);
        if (fails) {
            assert_true(flush(kind, last).has_failed);
            kind->store.ops->reset(kind->store.self);
            model = durable;
            last = durable_batch;
            fail_next(kind, false);
        } else {
            flush_well(kind, last);
        }
        durable = model;
        durable_batch = last;
        assert_int_equal(progress_of(&kind->store).durable_batch, last);
        if (rng_below(&rng, 4) == 0)
            restart(kind);
        if (rng_below(&rng, 3) == 0)
            assert_model(&kind->store, &model);
    }
    assert_model(&kind->store, &model);
    close_store(&kind->store);
}

int main(void)
{
    static struct kind memory = {.is_sqlite = false}, sqlite = {.is_sqlite = true};
    (void)signal(SIGXFSZ, SIG_IGN); /* a write past the limit fails, as on a bad disk */
    use_memory_disk();
#define BOTH(test)                                  \
    {#test ", memory", test, NULL, NULL, &memory},  \
    {                                               \
#test ", sqlite", test, NULL, NULL, &sqlite \
    }
    const struct CMUnitTest tests[] = {
        BOTH(test_the_last_value_in_key_order), BOTH(test_a_batch_is_applied_in_order),
        BOTH(test_any_text_comes_back),         BOTH(test_a_failed_batch_and_all_after_it_are_lost),
        BOTH(test_a_reset_keeps_a_prefix),      BOTH(test_a_random_history),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
