/*
 * A disk that fills up: a small tmpfs in a mount namespace of this process's own, gone with it.
 * Needs root; without it the test is left out and says so, under CI it fails.
 */
#define _GNU_SOURCE /* unshare */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/unit/scheduler/store/fixture.h"

static const struct store_sqlite_options quick_retry = {.retry_ms = 10};

/* NULL: it cannot be had here. */
static const char *mount_small_disk(void)
{
    const char *folder = scratch_path("disk");
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir(folder, 0700) != 0 || mount("tmpfs", folder, "tmpfs", 0, "size=2m") != 0)
        return NULL;
    return folder;
}

static void fill_disk(const char *ballast)
{
    static const char bytes[4096];
    int fd = open(ballast, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(close(fd), 0);
}

/* Batches of 20 kB until one fails; the number of the last that is durable. */
static uint64_t put_until_full(struct store *store, uint64_t batch)
{
    char value[20001], key[16];
    memset(value, 'v', 20000);
    value[20000] = '\0';
    for (;; batch++) {
        (void)snprintf(key, sizeof key, "k%llu", (unsigned long long)(batch % 3));
        put(store, batch, key, value);
        struct store_progress progress = await(store, batch);
        if (progress.has_failed)
            return progress.durable_batch;
        assert_true(batch < 1000);
    }
}

static void test_a_full_disk(void **state)
{
    const char *disk = *state;
    char path[1100], ballast[1100];
    struct berth_error why = BERTH_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/state", disk);
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    struct store store = open_sqlite(path, &quick_retry);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    for (int round = 0; round < 5; round++) {
        uint64_t durable = progress_of(&store).durable_batch;
        fill_disk(ballast);
        durable = put_until_full(&store, durable + 1);
        assert_true(store_sqlite_has_trouble(&store, &why));
        assert_non_null(strstr(why.text, "no room"));
        store.ops->reset(store.self);
        assert_int_equal(progress_of(&store).durable_batch, durable);
        char *before = records_of(&store); /* reads go on */
        char long_value[50001];
        memset(long_value, 'w', 50000);
        long_value[50000] = '\0';
        put(&store, durable + 1, "b", long_value);
        put(&store, durable + 2, "c", "2");
        struct pollfd waits = {.fd = store_sqlite_descriptor(&store), .events = POLLIN};
        assert_int_equal(poll(&waits, 1, 100), 0); /* nothing is durable, nothing fails anew */
        assert_records(&store, before);
        struct store reader; /* `berth ps` meanwhile */
        assert_int_equal(store_sqlite_open_readonly(path, &reader, &why), BERTH_OK);
        assert_records(&reader, before);
        close_store(&reader);
        mem_free(before);
        assert_int_equal(remove(ballast), 0);
        settle(&store, durable + 2);
        assert_false(store_sqlite_has_trouble(&store, &why));
        if (round % 2 == 0) {
            close_store(&store);
            store = open_sqlite(path, &quick_retry);
            assert_int_equal(progress_of(&store).durable_batch, durable + 2);
        }
    }
    close_store(&store);
}

/* Opened when there is no room at all: refused with the reason, or good for reading; well later. */
static void test_opening_on_a_full_disk(void **state)
{
    const char *disk = *state;
    char path[1100], ballast[1100];
    (void)snprintf(path, sizeof path, "%s/other", disk);
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", disk);
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    fill_disk(ballast);
    assert_int_equal(store_sqlite_open(path, NULL, &store, &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "no room"));
    assert_int_equal(remove(ballast), 0);
    store = open_sqlite(path, NULL);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    close_store(&store);
    fill_disk(ballast);
    enum berth_err code = store_sqlite_open(path, &quick_retry, &store, &err);
    if (code != BERTH_OK) {
        assert_int_equal(code, BERTH_ERR_ENVIRONMENT);
        assert_non_null(strstr(err.text, "no room"));
    } else {
        assert_records(&store, "a=1");
        close_store(&store);
    }
    assert_int_equal(remove(ballast), 0);
    store = open_sqlite(path, NULL);
    assert_records(&store, "a=1");
    close_store(&store);
}

int main(void)
{
    const char *disk = mount_small_disk();
    struct CMUnitTest tests[] = {
        {"test_a_full_disk", test_a_full_disk, NULL, NULL, (void *)(uintptr_t)disk},
        {"test_opening_on_a_full_disk", test_opening_on_a_full_disk, NULL, NULL,
         (void *)(uintptr_t)disk},
    };
    if (disk == NULL) {
        int reason = errno;
        const char *ci = getenv("CI");
        bool is_ci = ci != NULL && strcmp(ci, "true") == 0;
        printf("[==========] Running 0 test(s).\n");
        printf("left out: a full disk (no tmpfs can be mounted here: %s)\n", strerror(reason));
        if (!is_ci)
            printf("[  SKIPPED ] 2 test(s), listed below:\n");
        scratch_remove();
        return is_ci ? 1 : 0;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)umount2(disk, MNT_DETACH);
    scratch_remove();
    return failed;
}
