/*
 * store_sqlite.h -- records on disk: an embedded SQLite file, one writer, any number of readers.
 *
 *     append          copies the batch and returns: nothing blocks the loop
 *     writer thread   all that has gathered in one transaction, one sync (group commit)
 *     descriptor      readable when progress has something new: for the driver's poll
 *
 * What is called durable has been synced (WAL, synchronous FULL). kill -9 at any moment leaves all
 * that was called durable and perhaps the group that was being written, whole.
 *
 * When a write fails (disk full, I/O error), the store has failed, once; the loop resets and loads.
 * From then on batches are taken and wait, and the writer tries again every `retry_ms`: no effect
 * leaves, reads go on, and when there is room everything that waits becomes durable. Only when more
 * than `waiting_bytes` wait does it fail anew, and they are dropped.
 *
 * Beside FILE there are FILE-wal and FILE-shm (SQLite's; gone after a good end) and FILE.lock,
 * which is never removed (state_lock.h). A file that is damaged, foreign, newer, or older than what
 * was once called durable is refused: nothing is guessed.
 */
#ifndef BERTH_SCHEDULER_STORE_STORE_SQLITE_H
#define BERTH_SCHEDULER_STORE_STORE_SQLITE_H

#include "scheduler/store/history.h"
#include "scheduler/store/store.h"

struct store_sqlite_options {
    uint64_t history_rows; /* lines kept; 0: 100,000 */
    uint32_t retry_ms;     /* after a failed write; 0: 1,000 */
    size_t waiting_bytes;  /* while writes fail; 0: 64 MiB */
};

/* To write: one process at a time. `options` may be NULL. Makes the file when there is none. */
enum berth_err store_sqlite_open(const char *path, const struct store_sqlite_options *options,
                                 struct store *out, struct berth_error *err) BERTH_MUST_CHECK;

/*
 * To read, beside a living writer or alone: `append` refuses, `load` and `progress` tell what is
 * durable at that moment, there is no descriptor (-1).
 */
enum berth_err store_sqlite_open_readonly(const char *path, struct store *out,
                                          struct berth_error *err) BERTH_MUST_CHECK;

/* Poll it for reading; `progress` makes it quiet again. Owned by the store. */
int store_sqlite_descriptor(const struct store *store);

/* Does it fail to write just now? Then `why` tells. */
bool store_sqlite_has_trouble(const struct store *store, struct berth_error *why);

/*
 * A line of history: durable with the next batch, or, when `progress` is asked before there is one,
 * by itself. To be told from loop_ops.decided, which comes right before the step's append.
 */
void store_sqlite_note(struct store *store, const struct store_note *note);

/* Durable lines after `after_seq`, the oldest `limit` of them; lent until the next call. */
enum berth_err store_sqlite_history(struct store *store, uint64_t after_seq, size_t limit,
                                    const struct history_line **lines, size_t *line_count,
                                    struct berth_error *err) BERTH_MUST_CHECK;

/* The pid of the process that holds the state; 0: none does; -1: one that did not say. */
long store_sqlite_holder(const char *path);

#endif
