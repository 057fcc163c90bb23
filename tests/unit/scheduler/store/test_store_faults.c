/*
 * Every single change of a file fails in turn: each write (torn), sync, truncation and deletion, in
 * opening, committing, moving the log and closing. And after each commit the power is cut.
 */
#include "tests/unit/scheduler/store/faulty_vfs.h"
#include "tests/unit/scheduler/store/fixture.h"

#define BATCHES 6

static const struct store_sqlite_options quick_retry = {.retry_ms = 1};

static const char *fresh_path(const char *name)
{
    static const char *const suffixes[] = {"",      "-wal",    "-shm",       "-journal",
                                           ".lock", ".synced", "-wal.synced"};
    const char *path = scratch_path(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char other[1100];
        (void)snprintf(other, sizeof other, "%s%s", path, suffixes[i]);
        (void)remove(other);
    }
    return path;
}

/* Batch n: "n" is its number, "pad" is long, "old" is there after odd ones only. */
static void append_batch(struct store *store, uint64_t batch, size_t padding)
{
    char number[32];
    char *pad = mem_alloc(padding + 1);
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)batch);
    memset(pad, 'a' + (int)(batch % 26), padding);
    const struct store_write writes[] = {
        {"n", number, batch}, {"pad", pad, batch}, {"old", batch % 2 == 1 ? number : NULL, batch}};
    put_many(store, batch, writes, 3);
    mem_free(pad);
}

static uint64_t assert_whole(struct store *store, uint64_t told, size_t padding)
{
    uint64_t durable = progress_of(store).durable_batch;
    struct text wanted = TEXT_INIT;
    text_add(&wanted, "");
    if (durable > 0) {
        text_addf(&wanted, "n=%llu ", (unsigned long long)durable);
        if (durable % 2 == 1)
            text_addf(&wanted, "old=%llu ", (unsigned long long)durable);
        text_add(&wanted, "pad=");
        for (size_t i = 0; i < padding; i++)
            text_add_n(&wanted, &"abcdefghijklmnopqrstuvwxyz"[durable % 26], 1);
    }
    assert_in_range(durable, told, told + 1);
    assert_records(store, wanted.bytes);
    text_free(&wanted);
    return durable;
}

/* Open although a change fails: refused in words, and then it opens. */
static struct store open_through(const char *path)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    if (store_sqlite_open(path, &quick_retry, &store, &err) == BERTH_OK)
        return store;
    assert_true(faulty_has_fired());
    assert_true(strstr(err.text, path) == err.text);
    assert_int_equal(err.code, BERTH_ERR_ENVIRONMENT); /* not taken for damage */
    faulty_lift();
    return open_sqlite(path, &quick_retry);
}

/* One life of a store in which a change fails; true when it did. */
static bool live(const char *name, uint64_t failing, bool goes_on)
{
    const char *path = fresh_path(name);
    faulty_arm(failing, goes_on);
    struct store store = open_through(path);
    uint64_t told = progress_of(&store).durable_batch;
    while (told < BATCHES) {
        append_batch(&store, told + 1, 5000);
        struct store_progress progress = await(&store, told + 1);
        assert_in_range(progress.durable_batch, told, told + 1);
        told = progress.durable_batch;
        if (!progress.has_failed)
            continue;
        assert_true(faulty_has_fired());
        store.ops->reset(store.self);
        assert_int_equal(assert_whole(&store, told, 5000), told);
        faulty_lift();
    }
    close_store(&store);
    bool has_fired = faulty_has_fired();
    faulty_lift();
    store = open_sqlite(path, &quick_retry);
    (void)assert_whole(&store, BATCHES, 5000);
    close_store(&store);
    return has_fired;
}

static void fail_each(const char *name, bool goes_on)
{
    uint64_t failing = 1;
    bool has_fired = true;
    for (; has_fired; failing++)
        has_fired = live(name, failing, goes_on);
    print_message("%llu changes, each failed once\n", (unsigned long long)(failing - 2));
    assert_in_range(failing, 40, 100000);
}

static void test_each_change_fails_once(void **state)
{
    (void)state;
    fail_each("once", false);
}

static void test_each_change_and_all_after_it_fail(void **state)
{
    (void)state;
    fail_each("on", true);
}

/* What was told is there, whatever was not synced is not; the log is moved on the way, too. */
static void test_the_power_is_cut(void **state)
{
    (void)state;
    const size_t padding = 150000;
    char *path = mem_copy_text(fresh_path("power"));
    faulty.keeps_synced = true;
    struct store store = open_sqlite(path, &quick_retry);
    for (uint64_t batch = 1; batch <= 60; batch++) {
        append_batch(&store, batch, padding);
        settle(&store, batch);
        const char *copy = fresh_path("dark");
        faulty_power_cut(path, copy);
        struct store again = open_sqlite(copy, &quick_retry);
        assert_int_equal(assert_whole(&again, batch, padding), batch);
        close_store(&again);
    }
    close_store(&store);
    faulty.keeps_synced = false;
    mem_free(path);
}

int main(void)
{
    use_memory_disk();
    faulty_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_change_fails_once),
        cmocka_unit_test(test_each_change_and_all_after_it_fail),
        cmocka_unit_test(test_the_power_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
