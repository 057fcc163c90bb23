/*
 * kill -9 while it writes, two hundred times over one file. Each time the file opens and holds
 * exactly the batches that were called durable, perhaps more of those that were appended, and none
 * in part.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "scheduler/base/rng.h"
#include "tests/unit/scheduler/store/fixture.h"

#define KILLS 200
#define KEYS 23
#define HISTORY_ROWS 200

static const struct store_sqlite_options options = {.history_rows = HISTORY_ROWS};

/* What the child says as it goes; memory of both. */
struct told {
    _Atomic uint64_t appended, durable;
};

/* Batch n writes one key and deletes another, and writes "last" twice: at its begin and its end. */
static void append_batch(struct store *store, uint64_t batch)
{
    char put_key[16], cut_key[16], value[32], padding[4001];
    (void)snprintf(put_key, sizeof put_key, "k%02u", (unsigned)(batch % KEYS));
    (void)snprintf(cut_key, sizeof cut_key, "k%02u", (unsigned)((batch + 7) % KEYS));
    (void)snprintf(value, sizeof value, "%llu", (unsigned long long)batch);
    size_t length = (size_t)(batch * 37 % 4000); /* some batches take several pages */
    memset(padding, 'p', length);
    padding[length] = '\0';
    const struct store_write writes[] = {{"first", value, batch},
                                         {put_key, value, batch},
                                         {"padding", padding, batch},
                                         {cut_key, NULL, batch},
                                         {"last", value, batch}};
    const struct store_note note = {(int64_t)batch, "batch", value, "was written"};
    store_sqlite_note(store, &note);
    put_many(store, batch, writes, sizeof writes / sizeof writes[0]);
}

/* The records after batch n, written by hand. */
static char *expected(uint64_t batch)
{
    struct text text = TEXT_INIT;
    uint64_t values[KEYS] = {0};
    uint64_t begin = batch > 2 * KEYS ? batch - 2 * KEYS : 1; /* older ones are all overwritten */
    for (uint64_t i = begin; i <= batch; i++) {
        values[i % KEYS] = i;
        values[(i + 7) % KEYS] = 0;
    }
    text_add(&text, "");
    if (batch == 0)
        return text.bytes;
    text_addf(&text, "first=%llu", (unsigned long long)batch);
    for (unsigned key = 0; key < KEYS; key++)
        if (values[key] != 0)
            text_addf(&text, " k%02u=%llu", key, (unsigned long long)values[key]);
    text_addf(&text, " last=%llu padding=", (unsigned long long)batch);
    for (uint64_t i = batch * 37 % 4000; i > 0; i--)
        text_add_n(&text, "p", 1);
    return text.bytes;
}

static void write_until_killed(const char *path, struct told *told)
{
    struct store store = open_sqlite(path, &options);
    for (uint64_t batch = progress_of(&store).durable_batch + 1;; batch++) {
        atomic_store(&told->appended, batch);
        append_batch(&store, batch);
        if (batch % 8 == 0)
            (void)await(&store, batch - 6);
        atomic_store(&told->durable, progress_of(&store).durable_batch);
    }
}

/* The newest line tells of the newest batch: history goes with the records. */
static void assert_history_ends_at(struct store *store, uint64_t batch)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct history_line *lines;
    size_t count;
    assert_int_equal(store_sqlite_history(store, 0, 1000000, &lines, &count, &err), BERTH_OK);
    assert_int_equal(count, batch < HISTORY_ROWS ? batch : HISTORY_ROWS);
    if (count > 0)
        assert_int_equal(lines[count - 1].batch, batch);
}

static uint64_t assert_whole(struct store *store, const struct told *told)
{
    uint64_t durable = progress_of(store).durable_batch;
    char *wanted = expected(durable);
    assert_in_range(durable, atomic_load(&told->durable), atomic_load(&told->appended));
    assert_records(store, wanted);
    assert_history_ends_at(store, durable);
    mem_free(wanted);
    return durable;
}

static void wait_ns(uint64_t ns)
{
    struct timespec wait = {0, (long)ns};
    (void)nanosleep(&wait, NULL);
}

static void await_past(const _Atomic uint64_t *number, uint64_t value)
{
    for (int i = 0; atomic_load(number) <= value; i++) {
        assert_true(i < 600000);
        wait_ns(100000);
    }
}

/* A quarter at any moment, opening too; a quarter as it begins to write; half somewhat later. */
static void await_moment(const struct told *told, struct rng *rng, int number)
{
    uint64_t begin = atomic_load(&told->durable);
    if (number % 4 == 1)
        await_past(&told->appended, begin);
    else if (number % 4 != 0)
        await_past(&told->durable, begin + rng_below(rng, 50));
    wait_ns(rng_below(rng, 3000000));
}

static void kill_one(const char *path, struct told *told, struct rng *rng, int number)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_until_killed(path, told);
        _exit(0);
    }
    await_moment(told, rng, number);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* As `berth ps` would, before anybody has cleaned up. */
static void look_first(const char *path, const struct told *told)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store reader;
    enum berth_err code = store_sqlite_open_readonly(path, &reader, &err);
    if (code == BERTH_OK) {
        (void)assert_whole(&reader, told);
        close_store(&reader);
    } else { /* killed before there was anything */
        assert_int_equal(atomic_load(&told->appended), 0);
    }
}

static void test_killed_while_it_writes(void **state)
{
    (void)state;
    const char *path = scratch_path("state");
    struct rng rng = {rng_key(11, "kill", 0), 0};
    struct told *told =
        mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    uint64_t progress_made = 0, beyond = 0;
    for (int i = 0; i < KILLS; i++) {
        uint64_t before = atomic_load(&told->durable);
        kill_one(path, told, &rng, i);
        if (i % 3 == 0)
            look_first(path, told);
        struct store store = open_sqlite(path, &options);
        uint64_t durable = assert_whole(&store, told);
        progress_made += durable > before;
        beyond += durable > atomic_load(&told->durable);
        if (i % 2 == 0) { /* else the next child finds the log as it was left, and writes on */
            append_batch(&store, ++durable);
            settle(&store, durable);
        }
        close_store(&store);
        atomic_store(&told->appended, durable);
        atomic_store(&told->durable, durable);
    }
    print_message("%llu of %d wrote, %llu left more than was told, %llu batches\n",
                  (unsigned long long)progress_made, KILLS, (unsigned long long)beyond,
                  (unsigned long long)atomic_load(&told->durable));
    assert_in_range(progress_made, KILLS / 2, KILLS);
    (void)munmap(told, sizeof *told);
}

int main(void)
{
    use_memory_disk(); /* a killed process leaves the same on any disk, and here more was under way
                        */
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_while_it_writes)};
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
