/*
 * Opening a state file. Whose it is, is read from its first hundred bytes before SQLite touches it:
 * a foreign file is not even recovered. Then the schema must be word for word ours (a view or a
 * trigger would be somebody's doing), the tree whole, and every record as it was written.
 */
#include "scheduler/store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

#define HEADER_BYTES 100
#define HEADER_VERSION_AT 60     /* big-endian, as PRAGMA user_version sets it */
#define HEADER_APPLICATION_AT 68 /* as PRAGMA application_id does */
#define BUSY_MS 10000            /* a reader that recovers after a crash holds it so long at most */

static const char *const tables[] = {
    /* In order of their names. */
    "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), batch INTEGER NOT NULL, "
    "records INTEGER NOT NULL, sum INTEGER NOT NULL, seal INTEGER NOT NULL) STRICT",
    "CREATE TABLE history (seq INTEGER PRIMARY KEY, batch INTEGER NOT NULL, "
    "wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, "
    "text TEXT NOT NULL) STRICT",
    "CREATE TABLE records (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, "
    "revision INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
};
#define TABLE_COUNT (sizeof tables / sizeof tables[0])

static enum berth_err exec(const struct sqlite_file *file, const char *sql, struct berth_error *err)
{
    return sqlite3_exec(file->db, sql, NULL, NULL, NULL) == SQLITE_OK ? BERTH_OK
                                                                      : sqlite_file_fail(file, err);
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Through SQLite's own descriptor: closing another one would drop its locks. */
static enum berth_err identify(const struct sqlite_file *file, bool *is_empty,
                               struct berth_error *err)
{
    static const char magic[16] = "SQLite format 3";
    unsigned char header[HEADER_BYTES] = {0};
    sqlite3_file *raw = NULL;
    sqlite3_int64 size = 0;
    if (sqlite3_file_control(file->db, "main", SQLITE_FCNTL_FILE_POINTER, &raw) != SQLITE_OK ||
        raw == NULL || raw->pMethods == NULL || raw->pMethods->xFileSize(raw, &size) != SQLITE_OK)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be read", file->path);
    *is_empty = size == 0;
    if (*is_empty)
        return BERTH_OK;
    int code = raw->pMethods->xRead(raw, header, HEADER_BYTES, 0);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be read", file->path);
    if (memcmp(header, magic, sizeof magic) != 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: this is no state of berth, or its begin was overwritten; name "
                          "another file, or put a good copy in its place",
                          file->path);
    uint32_t application = big_endian(header + HEADER_APPLICATION_AT);
    if (application != SQLITE_FILE_APPLICATION)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: this is the database of another program; name another file",
                          file->path);
    uint32_t version = big_endian(header + HEADER_VERSION_AT);
    if (version > SQLITE_FILE_VERSION)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: written by a newer berth (state version %u; this one knows %d); "
                          "use that berth, or another file",
                          file->path, version, SQLITE_FILE_VERSION);
    return BERTH_OK;
}

/* The schema as it is: every CREATE, in order of names. */
static enum berth_err check_schema(const struct sqlite_file *file, bool *is_empty,
                                   struct berth_error *err)
{
    sqlite3_stmt *row;
    size_t count = 0;
    bool is_ours = true;
    int code =
        sqlite3_prepare_v2(file->db, "SELECT sql FROM sqlite_schema ORDER BY name", -1, &row, NULL);
    if (code != SQLITE_OK)
        return sqlite_file_fail(file, err);
    for (; (code = sqlite3_step(row)) == SQLITE_ROW; count++) {
        const char *sql = (const char *)sqlite3_column_text(row, 0);
        is_ours = is_ours && count < TABLE_COUNT && sql != NULL && strcmp(sql, tables[count]) == 0;
    }
    *is_empty = count == 0;
    if (code != SQLITE_DONE)
        sqlite_file_fail(file, err);
    (void)sqlite3_finalize(row);
    if (code != SQLITE_DONE)
        return err->code;
    if (*is_empty || (is_ours && count == TABLE_COUNT))
        return BERTH_OK;
    return sqlite_file_fail_damaged(file, "its tables are not those of berth", err);
}

/* In one transaction of the old kind, so that the first page is never without its marks. */
static enum berth_err create(struct sqlite_file *file, struct berth_error *err)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "BEGIN IMMEDIATE; PRAGMA application_id = %d;"
                   "PRAGMA user_version = %d",
                   SQLITE_FILE_APPLICATION, SQLITE_FILE_VERSION);
    enum berth_err code = exec(file, sql, err);
    for (size_t i = 0; code == BERTH_OK && i < TABLE_COUNT; i++)
        code = exec(file, tables[i], err);
    if (code == BERTH_OK)
        code = exec(file, "INSERT INTO head VALUES (1, 0, 0, 0, 0)", err);
    if (code == BERTH_OK)
        code = sqlite_file_commit(file, 0, err);
    if (code != BERTH_OK)
        sqlite_file_rollback(file);
    return code;
}

/* A pragma's first answer. */
static enum berth_err ask(const struct sqlite_file *file, const char *pragma, struct text *answer,
                          struct berth_error *err)
{
    sqlite3_stmt *row;
    if (sqlite3_prepare_v2(file->db, pragma, -1, &row, NULL) != SQLITE_OK)
        return sqlite_file_fail(file, err);
    bool has_row = sqlite3_step(row) == SQLITE_ROW;
    if (has_row)
        text_add(answer, (const char *)sqlite3_column_text(row, 0));
    else
        sqlite_file_fail(file, err);
    (void)sqlite3_finalize(row);
    return has_row ? BERTH_OK : err->code;
}

static enum berth_err check_tree(const struct sqlite_file *file, bool was_clean,
                                 struct berth_error *err)
{
    struct text answer = TEXT_INIT;
    enum berth_err code =
        ask(file, was_clean ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)", &answer, err);
    if (code == BERTH_OK && strcmp(answer.bytes, "ok") != 0)
        code = sqlite_file_fail_damaged(file, answer.bytes, err);
    text_free(&answer);
    return code;
}

/* Readers go on beside the writer; a commit is one write and one sync. */
static enum berth_err use_log(const struct sqlite_file *file, struct berth_error *err)
{
    struct text answer = TEXT_INIT;
    enum berth_err code = ask(file, "PRAGMA journal_mode = WAL", &answer, err);
    if (code == BERTH_OK && strcmp(answer.bytes, "wal") != 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "%s: its file system has no shared memory; use a local disk", file->path);
    text_free(&answer);
    return code;
}

/* Every record is read once: its checksums tell what no look at the tree can. */
static enum berth_err check_records(struct sqlite_file *file, struct berth_error *err)
{
    struct sqlite_rows rows = {0};
    enum berth_err code = sqlite_file_read_records(file, &rows, err);
    sqlite_rows_free(&rows);
    return code;
}

static enum berth_err open_database(struct sqlite_file *file, const char *path, int flags,
                                    struct berth_error *err)
{
    *file = (struct sqlite_file){.path = mem_copy_text(path)};
    if (sqlite3_open_v2(path, &file->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK)
        return sqlite_file_fail(file, err);
    (void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_busy_timeout(file->db, BUSY_MS);
    return BERTH_OK;
}

/* A new, empty file that only its owner may read: records hold what task definitions hold. */
static enum berth_err make_file(const char *path, struct berth_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? BERTH_OK
                               : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be made: %s",
                                            path, strerror(errno));
    char *copy = mem_copy_text(path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)close(fd);
    if (folder >= 0) {
        (void)fsync(folder); /* its name, too, survives a power cut */
        (void)close(folder);
    }
    mem_free(copy);
    return BERTH_OK;
}

/* Left by a process that did not end well. */
static bool has_log(const char *path)
{
    struct stat info;
    struct text log = TEXT_INIT;
    text_addf(&log, "%s-wal", path);
    bool is_there = stat(log.bytes, &info) == 0 && info.st_size > 0;
    text_free(&log);
    return is_there;
}

static enum berth_err prepare(struct sqlite_file *file, bool was_clean, struct berth_error *err)
{
    bool is_empty;
    enum berth_err code = identify(file, &is_empty, err);
    if (code == BERTH_OK)
        code = exec(file,
                    "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                    "PRAGMA cell_size_check = ON; PRAGMA cache_size = -32768;"
                    "PRAGMA journal_size_limit = 16777216",
                    err);
    if (code == BERTH_OK)
        code = check_schema(file, &is_empty, err);
    if (code == BERTH_OK && is_empty)
        code = create(file, err);
    if (code == BERTH_OK)
        code = use_log(file, err);
    if (code != BERTH_OK)
        return code;
    sqlite_file_watch_log(file);
    code = check_tree(file, was_clean, err);
    return code == BERTH_OK ? check_records(file, err) : code;
}

enum berth_err sqlite_file_open(struct sqlite_file *file, const char *path, struct berth_error *err)
{
    bool was_clean = !has_log(path);
    *file = (struct sqlite_file){0};
    enum berth_err code = make_file(path, err);
    if (code == BERTH_OK)
        code = open_database(file, path, SQLITE_OPEN_READWRITE, err);
    if (code == BERTH_OK)
        code = prepare(file, was_clean, err);
    if (code != BERTH_OK)
        sqlite_file_close(file);
    return code;
}

enum berth_err sqlite_file_open_readonly(struct sqlite_file *file, const char *path,
                                         struct berth_error *err)
{
    bool is_empty;
    *file = (struct sqlite_file){0};
    if (access(path, R_OK) != 0)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be read: %s", path,
                          strerror(errno));
    enum berth_err code = open_database(file, path, SQLITE_OPEN_READONLY, err);
    if (code == BERTH_OK)
        code = identify(file, &is_empty, err);
    if (code == BERTH_OK)
        code = check_schema(file, &is_empty, err);
    if (code == BERTH_OK && is_empty)
        code =
            berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: nothing was written yet; try again", path);
    if (code == BERTH_OK)
        code = sqlite_file_read_head(file, err);
    if (code != BERTH_OK)
        sqlite_file_close(file);
    return code;
}

void sqlite_file_close(struct sqlite_file *file)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(file->statements[i]);
    (void)sqlite3_close(file->db);
    mem_free(file->path);
    *file = (struct sqlite_file){0};
}
