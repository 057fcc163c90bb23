/* The store on disk, beyond what every store promises: files, readers, history, refusals. */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scheduler/base/rng.h"
#include "tests/unit/scheduler/store/fixture.h"

/* A path of its own for each test. */
static const char *fresh_path(void)
{
    static unsigned count;
    char name[32];
    (void)snprintf(name, sizeof name, "state%u", ++count);
    return scratch_path(name);
}

static const char *beside(const char *path, const char *suffix)
{
    static char other[1100];
    (void)snprintf(other, sizeof other, "%s%s", path, suffix);
    return other;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* SQL by another program. */
static void meddle(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char *said = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK)
        fail_msg("%s: %s", sql, said);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void fill(const char *path, uint64_t batches)
{
    struct store store = open_sqlite(path, NULL);
    for (uint64_t batch = 1; batch <= batches; batch++) {
        char key[32], value[64];
        (void)snprintf(key, sizeof key, "task/%03llu", (unsigned long long)batch);
        (void)snprintf(value, sizeof value, "some value of task %llu", (unsigned long long)batch);
        put(&store, batch, key, value);
    }
    settle(&store, batches);
    close_store(&store);
}

/* --- the file --- */

static void test_files_and_their_modes(void **state)
{
    (void)state;
    const char *path = fresh_path();
    struct stat info;
    struct store store = open_sqlite(path, NULL);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600); /* secrets may stand in definitions */
    assert_int_equal(stat(beside(path, "-wal"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(beside(path, ".lock"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    close_store(&store);
    assert_false(is_there(beside(path, "-wal")));
    assert_false(is_there(beside(path, "-shm")));
    store = open_sqlite(path, NULL);
    assert_int_equal(progress_of(&store).durable_batch, 1);
    close_store(&store);
}

static void test_revisions_are_kept(void **state)
{
    (void)state;
    const char *path = fresh_path();
    struct store store = open_sqlite(path, NULL);
    struct store_write writes[] = {{"a", "1", 41}, {"b", "2", UINT64_MAX}};
    put_many(&store, 1, writes, 2);
    settle(&store, 1);
    close_store(&store);
    sqlite3 *db;
    sqlite3_stmt *row;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT revision FROM records ORDER BY key", -1, &row, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(row, 0), 41);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    assert_true((uint64_t)sqlite3_column_int64(row, 0) == UINT64_MAX);
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
}

static void test_the_descriptor_tells_of_progress(void **state)
{
    (void)state;
    struct store store = open_sqlite(fresh_path(), NULL);
    struct pollfd waits = {.fd = store_sqlite_descriptor(&store), .events = POLLIN};
    assert_int_equal(poll(&waits, 1, 0), 0);
    put(&store, 1, "a", "1");
    assert_int_equal(poll(&waits, 1, 20000), 1);
    assert_int_equal(poll(&waits, 1, 0), 1); /* until progress is asked */
    assert_int_equal(progress_of(&store).durable_batch, 1);
    assert_int_equal(poll(&waits, 1, 0), 0);
    close_store(&store);
}

/* Much is gathered in few transactions: the sync is shared. */
static void test_many_batches_without_waiting(void **state)
{
    (void)state;
    const char *path = fresh_path();
    struct store store = open_sqlite(path, NULL);
    for (uint64_t batch = 1; batch <= 20000; batch++)
        put(&store, batch, batch % 2 == 0 ? "even" : "odd", batch % 3 == 0 ? "x" : "yy");
    settle(&store, 20000);
    assert_records(&store, "even=yy odd=yy");
    close_store(&store);
}

/* What was appended is written before the store ends. */
static void test_closing_writes_what_waits(void **state)
{
    (void)state;
    const char *path = fresh_path();
    struct store store = open_sqlite(path, NULL);
    for (uint64_t batch = 1; batch <= 100; batch++)
        put(&store, batch, "a", "1");
    close_store(&store);
    store = open_sqlite(path, NULL);
    assert_int_equal(progress_of(&store).durable_batch, 100);
    close_store(&store);
}

/* --- who else is there --- */

static void test_a_second_opener_is_told_who_has_it(void **state)
{
    (void)state;
    const char *path = fresh_path();
    char pid[32];
    struct store store = open_sqlite(path, NULL);
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_refused(path, BERTH_ERR_ENVIRONMENT, pid, "holds this state");
    assert_int_equal(store_sqlite_holder(path), getpid());
    pid_t child = fork();
    if (child == 0) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct store other;
        bool is_refused = store_sqlite_open(path, NULL, &other, &err) == BERTH_ERR_ENVIRONMENT &&
                          strstr(err.text, pid) != NULL &&
                          store_sqlite_holder(path) == (long)getppid();
        _exit(is_refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    put(&store, 1, "a", "1"); /* and the first one is not disturbed */
    settle(&store, 1);
    close_store(&store);
    assert_int_equal(store_sqlite_holder(path), 0);
    assert_int_equal(store_sqlite_holder(scratch_path("never")), 0);
}

static void test_a_reader_beside_a_writer(void **state)
{
    (void)state;
    const char *path = fresh_path();
    struct berth_error err = BERTH_ERROR_INIT;
    struct store reader;
    assert_int_equal(store_sqlite_open_readonly(path, &reader, &err), BERTH_ERR_ENVIRONMENT);
    assert_false(is_there(path)); /* looking makes nothing */
    struct store store = open_sqlite(path, NULL);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    assert_int_equal(store_sqlite_open_readonly(path, &reader, &err), BERTH_OK);
    assert_int_equal(store_sqlite_descriptor(&reader), -1);
    assert_int_equal(progress_of(&reader).durable_batch, 1);
    assert_records(&reader, "a=1");
    struct store_write write = {"a", "2", 2};
    assert_int_equal(reader.ops->append(reader.self, 2, &write, 1, &err), BERTH_ERR_ENVIRONMENT);
    put(&store, 2, "b", "2");
    settle(&store, 2);
    assert_int_equal(progress_of(&reader).durable_batch, 2);
    assert_records(&reader, "a=1 b=2");
    close_store(&store); /* the reader goes on alone */
    assert_records(&reader, "a=1 b=2");
    store = open_sqlite(path, NULL);
    put(&store, 3, "a", NULL);
    settle(&store, 3);
    reader.ops->reset(reader.self);
    assert_records(&reader, "b=2");
    close_store(&reader);
    close_store(&store);
    assert_int_equal(store_sqlite_open_readonly(path, &reader, &err), BERTH_OK);
    assert_records(&reader, "b=2");
    close_store(&reader);
}

/* As `sqlite3 FILE ".backup COPY"` does. */
static void test_a_copy_of_a_state_in_use(void **state)
{
    (void)state;
    const char *path = fresh_path(), *copy = fresh_path();
    struct store store = open_sqlite(path, NULL);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    sqlite3 *from, *to;
    assert_int_equal(sqlite3_open(path, &from), SQLITE_OK);
    assert_int_equal(sqlite3_open(copy, &to), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    (void)sqlite3_close(from);
    (void)sqlite3_close(to);
    put(&store, 2, "a", "2");
    settle(&store, 2);
    close_store(&store);
    store = open_sqlite(copy, NULL);
    assert_records(&store, "a=1");
    put(&store, 2, "b", "2");
    settle(&store, 2);
    close_store(&store);
}

/* --- history --- */

static void note(struct store *store, int64_t wall_ns, const char *text)
{
    struct store_note line = {wall_ns, "service", "web", text};
    store_sqlite_note(store, &line);
}

/* Lines as "SEQ@BATCH text; "; owned. */
static char *history_of(struct store *store, uint64_t after, size_t limit)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct history_line *lines;
    size_t count;
    struct text text = TEXT_INIT;
    text_add(&text, "");
    assert_int_equal(store_sqlite_history(store, after, limit, &lines, &count, &err), BERTH_OK);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(lines[i].note.kind, "service");
        assert_string_equal(lines[i].note.subject, "web");
        text_addf(&text, "%llu@%llu %s; ", (unsigned long long)lines[i].seq,
                  (unsigned long long)lines[i].batch, lines[i].note.text);
    }
    return text.bytes;
}

static void assert_history(struct store *store, uint64_t after, size_t limit, const char *wanted)
{
    char *found = history_of(store, after, limit);
    assert_string_equal(found, wanted);
    mem_free(found);
}

static void test_history_goes_with_its_batch(void **state)
{
    (void)state;
    const char *path = fresh_path();
    struct store store = open_sqlite(path, NULL);
    note(&store, 5, "has started 1 task");
    put(&store, 1, "a", "1");
    note(&store, 6, "two");
    note(&store, 7, "three");
    put(&store, 2, "a", "2");
    settle(&store, 2);
    assert_history(&store, 0, 100, "1@1 has started 1 task; 2@2 two; 3@2 three; ");
    assert_history(&store, 1, 1, "2@2 two; ");
    assert_history(&store, 3, 100, "");
    note(&store, 8, "alone"); /* a step without changes: its note waits for no batch */
    (void)progress_of(&store);
    struct pollfd waits = {.fd = store_sqlite_descriptor(&store), .events = POLLIN};
    assert_int_equal(poll(&waits, 1, 20000), 1);
    assert_int_equal(progress_of(&store).durable_batch, 2);
    assert_history(&store, 3, 100, "4@2 alone; ");
    note(&store, 9, "undone"); /* its step never got as far as a batch */
    store.ops->reset(store.self);
    put(&store, 3, "a", "3");
    settle(&store, 3);
    assert_history(&store, 3, 100, "4@2 alone; ");
    put(&store, 4, "a", "4");
    note(&store, 10, "no batch follows");
    close_store(&store);
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(store_sqlite_open_readonly(path, &store, &err), BERTH_OK);
    assert_int_equal(progress_of(&store).durable_batch, 4);
    assert_history(&store, 2, 100, "3@2 three; 4@2 alone; ");
    close_store(&store);
}

static void test_history_is_bounded(void **state)
{
    (void)state;
    const struct store_sqlite_options options = {.history_rows = 3};
    struct store store = open_sqlite(fresh_path(), &options);
    for (uint64_t batch = 1; batch <= 10; batch++) {
        note(&store, 0, batch % 2 == 0 ? "even" : "odd");
        put(&store, batch, "a", "1");
    }
    settle(&store, 10);
    assert_history(&store, 0, 100, "8@8 even; 9@9 odd; 10@10 even; ");
    close_store(&store);
}

/* --- when nothing can be written --- */

static void forbid_writing(bool is_forbidden)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = is_forbidden ? 64 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void fail_and_reset(struct store *store, uint64_t batch)
{
    forbid_writing(true);
    note(store, 0, "lost");
    put(store, batch, "a", "lost");
    assert_true(await(store, batch).has_failed);
    store->ops->reset(store->self);
}

/* It fails once; then what is decided waits, and is written when it can be. */
static void test_it_recovers_by_itself(void **state)
{
    (void)state;
    const struct store_sqlite_options options = {.retry_ms = 10};
    struct berth_error why = BERTH_ERROR_INIT;
    struct store store = open_sqlite(fresh_path(), &options);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    assert_false(store_sqlite_has_trouble(&store, &why));
    fail_and_reset(&store, 2);
    assert_true(store_sqlite_has_trouble(&store, &why));
    assert_non_null(strstr(why.text, "state"));
    note(&store, 0, "kept");
    put(&store, 2, "b", "2");
    put(&store, 3, "c", "3");
    struct pollfd waits = {.fd = store_sqlite_descriptor(&store), .events = POLLIN};
    assert_int_equal(poll(&waits, 1, 100), 0); /* ten tries and no news */
    assert_false(progress_of(&store).has_failed);
    assert_records(&store, "a=1");
    put(&store, 4, "d", "4");
    forbid_writing(false);
    settle(&store, 4);
    assert_false(store_sqlite_has_trouble(&store, &why));
    assert_records(&store, "a=1 b=2 c=3 d=4");
    assert_history(&store, 0, 100, "1@2 kept; ");
    fail_and_reset(&store, 5); /* well again, so the next failure is told anew */
    forbid_writing(false);
    put(&store, 5, "e", "5");
    settle(&store, 5);
    close_store(&store);
}

static void test_what_waits_is_bounded(void **state)
{
    (void)state;
    const struct store_sqlite_options options = {.retry_ms = 10, .waiting_bytes = 1000};
    struct store store = open_sqlite(fresh_path(), &options);
    char value[801];
    memset(value, 'v', 800);
    value[800] = '\0';
    fail_and_reset(&store, 1);
    put(&store, 1, "a", value);
    struct pollfd waits = {.fd = store_sqlite_descriptor(&store), .events = POLLIN};
    assert_int_equal(poll(&waits, 1, 50), 0);
    put(&store, 2, "b", value);
    assert_true(await(&store, 2).has_failed);
    store.ops->reset(store.self);
    forbid_writing(false);
    put(&store, 1, "a", "small");
    settle(&store, 1);
    assert_records(&store, "a=small");
    close_store(&store);
}

static void test_closing_while_nothing_can_be_written(void **state)
{
    (void)state;
    const struct store_sqlite_options options = {.retry_ms = 100000};
    const char *path = fresh_path();
    struct store store = open_sqlite(path, &options);
    put(&store, 1, "a", "1");
    settle(&store, 1);
    fail_and_reset(&store, 2);
    put(&store, 2, "b", "2");
    close_store(&store); /* at once, without what waits */
    forbid_writing(false);
    store = open_sqlite(path, NULL);
    assert_int_equal(progress_of(&store).durable_batch, 1);
    assert_records(&store, "a=1");
    close_store(&store);
}

static void test_a_file_removed_while_in_use(void **state)
{
    (void)state;
    const struct store_sqlite_options options = {.retry_ms = 10};
    static const char *const suffixes[] = {"", ".lock"};
    for (size_t i = 0; i < 2; i++) {
        struct berth_error why = BERTH_ERROR_INIT;
        const char *path = fresh_path();
        struct store store = open_sqlite(path, &options);
        put(&store, 1, "a", "1");
        settle(&store, 1);
        char away[1200];
        (void)snprintf(away, sizeof away, "%s%s.away", path, suffixes[i]);
        assert_int_equal(rename(beside(path, suffixes[i]), away), 0);
        put(&store, 2, "a", "2");
        assert_true(await(&store, 2).has_failed);
        assert_true(store_sqlite_has_trouble(&store, &why));
        assert_non_null(strstr(why.text, "removed or replaced"));
        store.ops->reset(store.self);
        put(&store, 2, "a", "3");
        assert_int_equal(rename(away, beside(path, suffixes[i])), 0);
        settle(&store, 2); /* put back */
        close_store(&store);
    }
}

/* --- what is refused --- */

static void test_newer_and_foreign_files_are_refused(void **state)
{
    (void)state;
    const char *path = fresh_path();
    fill(path, 3);
    meddle(path, "PRAGMA user_version = 2");
    assert_refused(path, BERTH_ERR_INPUT, "newer berth", "state version 2; this one knows 1");
    struct berth_error err = BERTH_ERROR_INIT;
    struct store reader;
    assert_int_equal(store_sqlite_open_readonly(path, &reader, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "newer berth"));
    meddle(path, "PRAGMA user_version = 1; PRAGMA application_id = 77");
    assert_refused(path, BERTH_ERR_INPUT, "another program", "another file");
    path = fresh_path();
    meddle(path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    size_t length, after;
    char *before = scratch_read(path, &length);
    assert_refused(path, BERTH_ERR_INPUT, "another program", "another file");
    char *later = scratch_read(path, &after); /* and nothing was done to it */
    assert_int_equal(after, length);
    assert_memory_equal(later, before, length);
    mem_free(before);
    mem_free(later);
    path =
        scratch_write_text("text", "{\"cluster\": \"a scenario, not a state\", \"and\": \"so on, "
                                   "so that it is longer than the header of a database is\"}");
    assert_refused(path, BERTH_ERR_INPUT, "no state of berth", "another file");
    path = scratch_write_text("short", "a shopping list");
    assert_refused(path, BERTH_ERR_INPUT, "no state of berth", "another file");
}

static void test_bad_places_are_refused(void **state)
{
    (void)state;
    const char *folder = fresh_path();
    assert_refused(scratch_path("no/such/folder"), BERTH_ERR_ENVIRONMENT, "cannot be locked",
                   "No such file");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_refused(folder, BERTH_ERR_ENVIRONMENT, "unable to open", "");
}

static void test_what_others_did_is_refused(void **state)
{
    (void)state;
    static const char *const sqls[] = {
        "UPDATE records SET value = 'other' WHERE key = 'task/002'",
        "UPDATE records SET revision = 99 WHERE key = 'task/002'",
        "UPDATE records SET key = 'task/9' WHERE key = 'task/002'",
        "DELETE FROM records WHERE key = 'task/002'",
        "INSERT INTO records VALUES ('more', 'x', 1, 1)",
        "UPDATE head SET batch = 9",
        "DELETE FROM head",
        "DROP TABLE history",
        "CREATE TABLE more (x)",
        "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END",
    };
    for (size_t i = 0; i < sizeof sqls / sizeof sqls[0]; i++) {
        const char *path = fresh_path();
        fill(path, 3);
        meddle(path, sqls[i]);
        assert_refused(path, BERTH_ERR_INPUT, "is damaged", "begin anew");
    }
}

static void test_lost_files_are_refused(void **state)
{
    (void)state;
    const char *path = fresh_path();
    fill(path, 3);
    size_t length;
    char *old = scratch_read(path, &length);
    struct store store = open_sqlite(path, NULL);
    put(&store, 4, "a", "1");
    settle(&store, 4);
    close_store(&store);
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(old, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    mem_free(old);
    assert_refused(path, BERTH_ERR_INPUT, "ends at batch 3, though 4", ".lock to go on from");
    assert_refused(path, BERTH_ERR_INPUT, "ends at batch 3, though 4", "old copy");
    assert_int_equal(remove(path), 0);
    assert_refused(path, BERTH_ERR_INPUT, "is gone, though 4", ".lock to begin anew");
    assert_false(is_there(path));
    assert_int_equal(remove(beside(path, ".lock")), 0);
    store = open_sqlite(path, NULL); /* as it was told */
    assert_int_equal(progress_of(&store).durable_batch, 0);
    close_store(&store);
}

/* A copy of a state with its lock, where `bytes` is the file. */
static const char *copy_state(const char *bytes, size_t length, const char *lock)
{
    const char *path = scratch_write("copy", bytes, length);
    (void)remove(beside(path, "-wal"));
    (void)remove(beside(path, "-shm"));
    (void)scratch_write_text("copy.lock", lock);
    return path;
}

/* Refused, or every record is as it was; true when refused. */
static bool is_refused_or_whole(const char *path, const char *records)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    enum berth_err code = store_sqlite_open(path, NULL, &store, &err);
    if (code == BERTH_OK) {
        assert_records(&store, records);
        close_store(&store);
        return false;
    }
    assert_true(strstr(err.text, path) == err.text);
    assert_null(strchr(err.text, '\n'));
    assert_true(strlen(err.text) > strlen(path) + 20);
    return true;
}

struct original {
    char *bytes, *lock, *records; /* owned */
    size_t length;
};

static struct original make_original(void)
{
    struct original original = {0};
    const char *path = fresh_path();
    fill(path, 120);
    struct store store = open_sqlite(path, NULL);
    original.records = records_of(&store);
    close_store(&store);
    original.bytes = scratch_read(path, &original.length);
    original.lock = scratch_read(beside(path, ".lock"), NULL);
    return original;
}

static void free_original(struct original *original)
{
    mem_free(original->bytes);
    mem_free(original->lock);
    mem_free(original->records);
}

static void test_a_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct original original = make_original();
    struct rng rng = {rng_key(3, "flips", 0), 0};
    unsigned refused = 0;
    for (int i = 0; i < 800; i++) {
        size_t at = rng_below(&rng, original.length);
        char bit = (char)(1 << rng_below(&rng, 8));
        original.bytes[at] ^= bit;
        refused += is_refused_or_whole(copy_state(original.bytes, original.length, original.lock),
                                       original.records);
        original.bytes[at] ^= bit;
    }
    assert_in_range(refused, 100, 799); /* the others fell where nothing is kept */
    free_original(&original);
}

static void test_a_shortened_or_overwritten_file_is_seen(void **state)
{
    (void)state;
    struct original original = make_original();
    for (size_t length = 0; length < original.length; length += 256)
        assert_true(is_refused_or_whole(copy_state(original.bytes, length, original.lock),
                                        original.records));
    for (size_t at = 0; at < original.length; at += 1024) { /* a block of zeros */
        char block[1024];
        memcpy(block, original.bytes + at, sizeof block);
        memset(original.bytes + at, 0, sizeof block);
        (void)is_refused_or_whole(copy_state(original.bytes, original.length, original.lock),
                                  original.records);
        memcpy(original.bytes + at, block, sizeof block);
    }
    assert_false(is_refused_or_whole(copy_state(original.bytes, original.length, original.lock),
                                     original.records));
    free_original(&original);
}

/* Leaves its log behind. */
static void write_and_be_killed(const char *path, uint64_t first, uint64_t last)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct store store = open_sqlite(path, NULL);
        for (uint64_t batch = first; batch <= last; batch++) {
            put(&store, batch, "a", "some more");
            settle(&store, batch);
        }
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(is_there(beside(path, "-wal")));
}

/* Somebody looks at it with SQLite's own program, which moves the log into the file. */
static void test_a_log_that_another_program_moved(void **state)
{
    (void)state;
    const char *path = fresh_path();
    write_and_be_killed(path, 1, 5);
    meddle(path, "SELECT count(*) FROM records");
    assert_false(is_there(beside(path, "-wal")));
    struct store store = open_sqlite(path, NULL);
    assert_int_equal(progress_of(&store).durable_batch, 5);
    close_store(&store);
}

/* Of a process that was killed: state and -wal belong together, and a changed -wal is seen. */
static void test_a_changed_log_is_seen(void **state)
{
    (void)state;
    const char *path = fresh_path();
    fill(path, 20);
    write_and_be_killed(path, 21, 40);
    size_t length, log_length;
    char *bytes = scratch_read(path, &length);
    char *log = scratch_read(beside(path, "-wal"), &log_length);
    char *lock = scratch_read(beside(path, ".lock"), NULL);
    struct store store = open_sqlite(path, NULL);
    assert_int_equal(progress_of(&store).durable_batch, 40);
    char *records = records_of(&store);
    close_store(&store);
    assert_true(log_length > 4096);
    struct rng rng = {rng_key(3, "log", 0), 0};
    unsigned refused = 0;
    for (int i = 0; i < 300; i++) {
        size_t at = rng_below(&rng, log_length), kept = log_length;
        if (i % 3 == 0)
            kept = at;
        else
            log[at] ^= 0x10;
        const char *copy = copy_state(bytes, length, lock);
        (void)scratch_write("copy-wal", log, kept);
        refused += is_refused_or_whole(copy, records);
        if (i % 3 != 0)
            log[at] ^= 0x10;
    }
    assert_in_range(refused, 250, 300);
    mem_free(bytes);
    mem_free(log);
    mem_free(lock);
    mem_free(records);
}

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    use_memory_disk();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_and_their_modes),
        cmocka_unit_test(test_revisions_are_kept),
        cmocka_unit_test(test_the_descriptor_tells_of_progress),
        cmocka_unit_test(test_many_batches_without_waiting),
        cmocka_unit_test(test_closing_writes_what_waits),
        cmocka_unit_test(test_a_second_opener_is_told_who_has_it),
        cmocka_unit_test(test_a_reader_beside_a_writer),
        cmocka_unit_test(test_a_copy_of_a_state_in_use),
        cmocka_unit_test(test_history_goes_with_its_batch),
        cmocka_unit_test(test_history_is_bounded),
        cmocka_unit_test(test_it_recovers_by_itself),
        cmocka_unit_test(test_what_waits_is_bounded),
        cmocka_unit_test(test_closing_while_nothing_can_be_written),
        cmocka_unit_test(test_a_file_removed_while_in_use),
        cmocka_unit_test(test_newer_and_foreign_files_are_refused),
        cmocka_unit_test(test_bad_places_are_refused),
        cmocka_unit_test(test_what_others_did_is_refused),
        cmocka_unit_test(test_lost_files_are_refused),
        cmocka_unit_test(test_a_flipped_bit_is_seen),
        cmocka_unit_test(test_a_shortened_or_overwritten_file_is_seen),
        cmocka_unit_test(test_a_log_that_another_program_moved),
        cmocka_unit_test(test_a_changed_log_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
