/*
 * sqlite_file.h -- the state file itself, for one thread at a time: opened, checked, written, read.
 *
 *     head      one row: the newest batch, how many records there are, the sum of their checksums
 *     records   key, value, revision, checksum; ascending keys, compared as bytes
 *     history   lines for people, the newest so many
 *
 * SQLite's own checks see a broken tree; the checksums see a changed byte, a lost or a doubled row.
 * Whoever reads all records has checked all records.
 */
#ifndef BERTH_SCHEDULER_STORE_SQLITE_FILE_H
#define BERTH_SCHEDULER_STORE_SQLITE_FILE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "scheduler/base/text.h"
#include "scheduler/core/controller.h"
#include "scheduler/store/history.h"
#include "scheduler/store/store.h"

#define SQLITE_FILE_APPLICATION 0x62727468 /* "brth" */
#define SQLITE_FILE_VERSION 1

enum sqlite_file_statement {
    STATEMENT_BEGIN,
    STATEMENT_BEGIN_READ,
    STATEMENT_COMMIT,
    STATEMENT_HEAD,
    STATEMENT_SET_HEAD,
    STATEMENT_SUM,
    STATEMENT_INSERT,
    STATEMENT_UPDATE,
    STATEMENT_DELETE,
    STATEMENT_RECORDS,
    STATEMENT_NOTE,
    STATEMENT_TRIM,
    STATEMENT_HISTORY,
    STATEMENT_COUNT
};

struct sqlite_file_head {
    uint64_t batch;
    uint64_t records;
    uint64_t sum; /* of the records' checksums, modulo 2^64: in any order */
};

struct sqlite_file {
    char *path; /* owned */
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared when first used */
    struct sqlite_file_head head, next;        /* committed; of the transaction under way */
    int log_pages;                             /* in the write-ahead log at the last commit */
};

/* Records or history as read, lent until the next reading; zero-initialised is empty. */
struct sqlite_rows {
    struct text bytes;
    size_t last_key; /* where in it; while reading */
    struct {
        struct record *items; /* owned */
        size_t count, capacity;
    } records;
    struct {
        struct history_line *items; /* owned */
        size_t count, capacity;
    } lines;
};

/*
 * To write: made when there is none, checked whole, whatever was found in its write-ahead log put
 * in place. To read: beside a living writer or alone; checked as far as it is read. A file that is
 * damaged, foreign or newer is refused and left as it is.
 */
enum berth_err sqlite_file_open(struct sqlite_file *file, const char *path,
                                struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err sqlite_file_open_readonly(struct sqlite_file *file, const char *path,
                                         struct berth_error *err) BERTH_MUST_CHECK;
void sqlite_file_close(struct sqlite_file *file);

/* One transaction: begin, any number of puts and notes, commit. After a failure, roll back. */
enum berth_err sqlite_file_begin(struct sqlite_file *file, struct berth_error *err);
enum berth_err sqlite_file_put(struct sqlite_file *file, const struct store_write *write,
                               struct berth_error *err);
enum berth_err sqlite_file_note(struct sqlite_file *file, uint64_t batch,
                                const struct store_note *note, struct berth_error *err);
/* Drop history but for the newest `rows`. */
enum berth_err sqlite_file_trim(struct sqlite_file *file, uint64_t rows, struct berth_error *err);
enum berth_err sqlite_file_commit(struct sqlite_file *file, uint64_t batch,
                                  struct berth_error *err);
void sqlite_file_rollback(struct sqlite_file *file);

/* Move what the write-ahead log has gathered into the file, if it is much. */
void sqlite_file_checkpoint(struct sqlite_file *file);

/* Begin to count its pages; SQLite would else move them inside a commit. */
void sqlite_file_watch_log(struct sqlite_file *file);

bool sqlite_file_has_moved(struct sqlite_file *file); /* removed or replaced while open */

/* How far it is now, into `head`. */
enum berth_err sqlite_file_read_head(struct sqlite_file *file, struct berth_error *err);
enum berth_err sqlite_file_read_records(struct sqlite_file *file, struct sqlite_rows *rows,
                                        struct berth_error *err);
/* Lines after `after_seq`, at most `limit` (the oldest of them). */
enum berth_err sqlite_file_read_history(struct sqlite_file *file, uint64_t after_seq, size_t limit,
                                        struct sqlite_rows *rows, struct berth_error *err);
void sqlite_rows_free(struct sqlite_rows *rows);

/* What SQLite says is wrong, as one line with its cure. */
enum berth_err sqlite_file_fail(const struct sqlite_file *file, struct berth_error *err);
enum berth_err sqlite_file_fail_damaged(const struct sqlite_file *file, const char *how,
                                        struct berth_error *err);

#endif
