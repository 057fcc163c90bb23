#include "scheduler/store/sqlite_file.h"

#include <errno.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/store/checksum.h"

/* Of the write-ahead log, before it is moved into the file: 4 MiB of pages. */
#define CHECKPOINT_PAGES 1000

static const char *const statement_texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_BEGIN_READ] = "BEGIN",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_HEAD] = "SELECT batch, records, sum, seal FROM head WHERE id = 1",
    [STATEMENT_SET_HEAD] = "UPDATE head SET batch = ?, records = ?, sum = ?, seal = ? WHERE id = 1",
    [STATEMENT_SUM] = "SELECT sum FROM records WHERE key = ?",
    [STATEMENT_INSERT] = "INSERT INTO records (key, value, revision, sum) VALUES (?, ?, ?, ?)",
    [STATEMENT_UPDATE] = "UPDATE records SET value = ?2, revision = ?3, sum = ?4 WHERE key = ?1",
    [STATEMENT_DELETE] = "DELETE FROM records WHERE key = ?",
    [STATEMENT_RECORDS] = "SELECT key, value, revision, sum FROM records ORDER BY key",
    [STATEMENT_NOTE] =
        "INSERT INTO history (batch, wall_ns, kind, subject, text) VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_TRIM] = "DELETE FROM history WHERE seq <= (SELECT max(seq) FROM history) - ?",
    [STATEMENT_HISTORY] = ("SELECT seq, batch, wall_ns, kind, subject, text FROM history "
                           "WHERE seq > ? ORDER BY seq LIMIT ?"),
};

enum berth_err sqlite_file_fail_damaged(const struct sqlite_file *file, const char *how,
                                        struct berth_error *err)
{
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s: the state is damaged: %s; put a good copy in its place, or move it, its "
                      "-wal and its .lock away to begin anew",
                      file->path, how);
}

enum berth_err sqlite_file_fail(const struct sqlite_file *file, struct berth_error *err)
{
    const char *said = sqlite3_errmsg(file->db);
    int system_error = sqlite3_system_errno(file->db);
    int code = sqlite3_errcode(file->db) & 0xff; /* the rest are details */
    if (code == SQLITE_IOERR && system_error == ENOSPC)
        code = SQLITE_FULL;
    switch (code) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_SCHEMA:
        return sqlite_file_fail_damaged(file, said, err);
    case SQLITE_FULL:
        return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "%s: no room to write; make room on its disk and it goes on by itself",
                          file->path);
    case SQLITE_BUSY:
        return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "%s: another program has locked it; end that program", file->path);
    default:
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s%s%s; check its disk and permissions",
                          file->path, said, system_error != 0 ? ": " : "",
                          system_error != 0 ? strerror(system_error) : "");
    }
}

/* NULL: `err` says why. */
static sqlite3_stmt *statement(struct sqlite_file *file, enum sqlite_file_statement which,
                               struct berth_error *err)
{
    sqlite3_stmt **kept = &file->statements[which];
    if (*kept == NULL && sqlite3_prepare_v3(file->db, statement_texts[which], -1,
                                            SQLITE_PREPARE_PERSISTENT, kept, NULL) != SQLITE_OK)
        sqlite_file_fail(file, err);
    return *kept;
}

/* One that gives no rows; its parameters are bound. */
static enum berth_err run_bound(struct sqlite_file *file, sqlite3_stmt *bound,
                                struct berth_error *err)
{
    int code = sqlite3_step(bound);
    enum berth_err result = code == SQLITE_DONE ? BERTH_OK : sqlite_file_fail(file, err);
    (void)sqlite3_reset(bound);
    return result;
}

static enum berth_err run(struct sqlite_file *file, enum sqlite_file_statement which,
                          struct berth_error *err)
{
    sqlite3_stmt *bound = statement(file, which, err);
    return bound == NULL ? err->code : run_bound(file, bound, err);
}

static void bind_u64(sqlite3_stmt *bound, int at, uint64_t value)
{
    (void)sqlite3_bind_int64(bound, at, (sqlite3_int64)value);
}

/* The text is borrowed until the statement has run. */
static void bind_text(sqlite3_stmt *bound, int at, const char *text)
{
    (void)sqlite3_bind_text64(bound, at, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

static uint64_t sum_number(uint64_t sum, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return checksum_add(sum, bytes, sizeof bytes);
}

static uint64_t record_sum(const char *key, const char *value, uint64_t revision)
{
    uint64_t sum = checksum_add(CHECKSUM_INIT, key, strlen(key) + 1);
    return sum_number(checksum_add(sum, value, strlen(value) + 1), revision);
}

static uint64_t head_seal(const struct sqlite_file_head *head)
{
    return sum_number(sum_number(sum_number(CHECKSUM_INIT, head->batch), head->records), head->sum);
}

/* --- writing --- */

/* The head is read anew: after a failed commit it is not for us to say what it is. */
enum berth_err sqlite_file_begin(struct sqlite_file *file, struct berth_error *err)
{
    enum berth_err code = run(file, STATEMENT_BEGIN, err);
    if (code == BERTH_OK)
        code = sqlite_file_read_head(file, err);
    file->next = file->head;
    return code;
}

static enum berth_err find_sum(struct sqlite_file *file, const char *key, bool *is_there,
                               uint64_t *sum, struct berth_error *err)
{
    sqlite3_stmt *bound = statement(file, STATEMENT_SUM, err);
    if (bound == NULL)
        return err->code;
    bind_text(bound, 1, key);
    int code = sqlite3_step(bound);
    enum berth_err result = BERTH_OK;
    *is_there = code == SQLITE_ROW;
    *sum = *is_there ? (uint64_t)sqlite3_column_int64(bound, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        result = sqlite_file_fail(file, err);
    (void)sqlite3_reset(bound);
    return result;
}

enum berth_err sqlite_file_put(struct sqlite_file *file, const struct store_write *write,
                               struct berth_error *err)
{
    bool is_there = false;
    uint64_t old_sum = 0, sum = 0;
    enum berth_err code = find_sum(file, write->key, &is_there, &old_sum, err);
    if (code != BERTH_OK || (!is_there && write->value == NULL))
        return code;
    sqlite3_stmt *bound = statement(file,
                                    write->value == NULL ? STATEMENT_DELETE
                                    : is_there           ? STATEMENT_UPDATE
                                                         : STATEMENT_INSERT,
                                    err);
    if (bound == NULL)
        return err->code;
    bind_text(bound, 1, write->key);
    if (write->value != NULL) {
        sum = record_sum(write->key, write->value, write->revision);
        bind_text(bound, 2, write->value);
        bind_u64(bound, 3, write->revision);
        bind_u64(bound, 4, sum);
    }
    file->next.sum += sum - old_sum;
    file->next.records += (uint64_t)(write->value != NULL) - (uint64_t)is_there;
    return run_bound(file, bound, err);
}

enum berth_err sqlite_file_note(struct sqlite_file *file, uint64_t batch,
                                const struct store_note *note, struct berth_error *err)
{
    sqlite3_stmt *bound = statement(file, STATEMENT_NOTE, err);
    if (bound == NULL)
        return err->code;
    bind_u64(bound, 1, batch);
    (void)sqlite3_bind_int64(bound, 2, note->wall_ns);
    bind_text(bound, 3, note->kind);
    bind_text(bound, 4, note->subject);
    bind_text(bound, 5, note->text);
    return run_bound(file, bound, err);
}

enum berth_err sqlite_file_trim(struct sqlite_file *file, uint64_t rows, struct berth_error *err)
{
    sqlite3_stmt *bound = statement(file, STATEMENT_TRIM, err);
    if (bound == NULL)
        return err->code;
    bind_u64(bound, 1, rows);
    return run_bound(file, bound, err);
}

enum berth_err sqlite_file_commit(struct sqlite_file *file, uint64_t batch, struct berth_error *err)
{
    sqlite3_stmt *bound = statement(file, STATEMENT_SET_HEAD, err);
    if (bound == NULL)
        return err->code;
    file->next.batch = batch;
    bind_u64(bound, 1, file->next.batch);
    bind_u64(bound, 2, file->next.records);
    bind_u64(bound, 3, file->next.sum);
    bind_u64(bound, 4, head_seal(&file->next));
    if (run_bound(file, bound, err) != BERTH_OK || run(file, STATEMENT_COMMIT, err) != BERTH_OK)
        return err->code;
    file->head = file->next;
    return BERTH_OK;
}

void sqlite_file_rollback(struct sqlite_file *file)
{
    if (sqlite3_get_autocommit(file->db) == 0)
        (void)sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Called by SQLite after each commit with the pages in the log. */
static int remember_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    *(int *)context = pages;
    return SQLITE_OK;
}

/* It waits for nobody: what a reader still needs stays for the next time. */
void sqlite_file_checkpoint(struct sqlite_file *file)
{
    if (file->log_pages >= CHECKPOINT_PAGES)
        (void)sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void sqlite_file_watch_log(struct sqlite_file *file)
{
    (void)sqlite3_wal_hook(file->db, remember_pages, &file->log_pages);
}

bool sqlite_file_has_moved(struct sqlite_file *file)
{
    int has_moved = 0;
    return sqlite3_file_control(file->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) ==
               SQLITE_OK &&
           has_moved != 0;
}

/* --- reading --- */

enum berth_err sqlite_file_read_head(struct sqlite_file *file, struct berth_error *err)
{
    sqlite3_stmt *bound = statement(file, STATEMENT_HEAD, err);
    if (bound == NULL)
        return err->code;
    int code = sqlite3_step(bound);
    enum berth_err result = BERTH_OK;
    if (code == SQLITE_ROW) {
        struct sqlite_file_head head = {(uint64_t)sqlite3_column_int64(bound, 0),
                                        (uint64_t)sqlite3_column_int64(bound, 1),
                                        (uint64_t)sqlite3_column_int64(bound, 2)};
        if (head_seal(&head) == (uint64_t)sqlite3_column_int64(bound, 3))
            file->head = head;
        else
            result = sqlite_file_fail_damaged(file, "its head was changed", err);
    } else if (code == SQLITE_DONE) {
        result = sqlite_file_fail_damaged(file, "its head is missing", err);
    } else {
        result = sqlite_file_fail(file, err);
    }
    (void)sqlite3_reset(bound);
    return result;
}

/* Texts follow each other in `bytes`, which moves as it grows; pointers are set when all are there.
   A zero inside a text is none of ours. */
static bool keep_column(struct sqlite_rows *rows, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    if (text == NULL)
        return false;
    size_t length = (size_t)sqlite3_column_bytes(row, column);
    text_add_n(&rows->bytes, text, length + 1);
    return strlen(text) == length;
}

static const char *next_text(const char **at)
{
    const char *text = *at;
    *at += strlen(text) + 1;
    return text;
}

static void clear_rows(struct sqlite_rows *rows)
{
    text_clear(&rows->bytes);
    vec_clear(&rows->records);
    vec_clear(&rows->lines);
}

void sqlite_rows_free(struct sqlite_rows *rows)
{
    text_free(&rows->bytes);
    vec_free(&rows->records);
    vec_free(&rows->lines);
}

static enum berth_err keep_record(struct sqlite_file *file, sqlite3_stmt *row,
                                  struct sqlite_rows *rows, struct sqlite_file_head *found,
                                  struct berth_error *err)
{
    size_t before = rows->last_key, key = rows->bytes.length;
    if (!keep_column(rows, row, 0))
        return sqlite_file_fail_damaged(file, "a key is no text", err);
    size_t value = rows->bytes.length;
    uint64_t sum = (uint64_t)sqlite3_column_int64(row, 3);
    if (!keep_column(rows, row, 1) || record_sum(rows->bytes.bytes + key, rows->bytes.bytes + value,
                                                 (uint64_t)sqlite3_column_int64(row, 2)) != sum)
        return sqlite_file_fail_damaged(file, "a record was changed", err);
    if (found->records > 0 && strcmp(rows->bytes.bytes + before, rows->bytes.bytes + key) >= 0)
        return sqlite_file_fail_damaged(file, "records are out of order", err);
    rows->last_key = key;
    found->records++;
    found->sum += sum;
    return BERTH_OK;
}

static enum berth_err keep_records(struct sqlite_file *file, struct sqlite_rows *rows,
                                   struct berth_error *err)
{
    struct sqlite_file_head found = {0};
    enum berth_err result = sqlite_file_read_head(file, err);
    sqlite3_stmt *row = statement(file, STATEMENT_RECORDS, err);
    if (result != BERTH_OK || row == NULL)
        return err->code;
    int code;
    while (result == BERTH_OK && (code = sqlite3_step(row)) != SQLITE_DONE)
        result = code == SQLITE_ROW ? keep_record(file, row, rows, &found, err)
                                    : sqlite_file_fail(file, err);
    (void)sqlite3_reset(row);
    if (result == BERTH_OK && (found.records != file->head.records || found.sum != file->head.sum))
        result = sqlite_file_fail_damaged(file, "records are missing", err);
    return result;
}

enum berth_err sqlite_file_read_records(struct sqlite_file *file, struct sqlite_rows *rows,
                                        struct berth_error *err)
{
    clear_rows(rows);
    if (run(file, STATEMENT_BEGIN_READ, err) != BERTH_OK)
        return err->code;
    enum berth_err result = keep_records(file, rows, err);
    sqlite_file_rollback(file); /* nothing was written: this only ends the view */
    if (result != BERTH_OK)
        return result;
    const char *at = rows->bytes.bytes;
    for (uint64_t i = 0; i < file->head.records; i++) {
        const char *key = next_text(&at);
        *vec_push(&rows->records) = (struct record){key, next_text(&at)};
    }
    return BERTH_OK;
}

enum berth_err sqlite_file_read_history(struct sqlite_file *file, uint64_t after_seq, size_t limit,
                                        struct sqlite_rows *rows, struct berth_error *err)
{
    clear_rows(rows);
    sqlite3_stmt *row = statement(file, STATEMENT_HISTORY, err);
    if (row == NULL)
        return err->code;
    bind_u64(row, 1, after_seq);
    bind_u64(row, 2, limit);
    enum berth_err result = BERTH_OK;
    for (int code; result == BERTH_OK && (code = sqlite3_step(row)) != SQLITE_DONE;) {
        if (code != SQLITE_ROW) {
            result = sqlite_file_fail(file, err);
            break;
        }
        *vec_push(&rows->lines) =
            (struct history_line){.seq = (uint64_t)sqlite3_column_int64(row, 0),
                                  .batch = (uint64_t)sqlite3_column_int64(row, 1),
                                  .note.wall_ns = sqlite3_column_int64(row, 2)};
        if (!keep_column(rows, row, 3) || !keep_column(rows, row, 4) || !keep_column(rows, row, 5))
            result = sqlite_file_fail_damaged(file, "a line of its history is no text", err);
    }
    (void)sqlite3_reset(row);
    const char *at = rows->bytes.bytes;
    for (size_t i = 0; result == BERTH_OK && i < rows->lines.count; i++) {
        struct store_note *note = &rows->lines.items[i].note;
        note->kind = next_text(&at);
        note->subject = next_text(&at);
        note->text = next_text(&at);
    }
    return result;
}
