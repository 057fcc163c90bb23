/*
 * state_lock.h -- one process holds a state file, and remembers beside it how far it was told.
 *
 * FILE.lock holds the pid of who has the state and its mark, the newest batch that was ever called
 * durable. The kernel drops the lock when the process ends, however it ends; the text stays. The
 * mark is not synced: it may be behind the state after a power cut, but never ahead of it, so a
 * state file behind its mark has lost batches (its -wal was removed, an old copy was put in place).
 */
#ifndef BERTH_SCHEDULER_STORE_STATE_LOCK_H
#define BERTH_SCHEDULER_STORE_STATE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/error.h"

struct state_lock {
    char *path; /* owned: FILE.lock */
    int fd;
    uint64_t mark; /* 0: there was none */
};

/* Fails with the holder's pid when another process, or another lock of this one, holds it. */
enum berth_err state_lock_take(struct state_lock *lock, const char *state_path,
                               struct berth_error *err) BERTH_MUST_CHECK;
void state_lock_release(struct state_lock *lock);
/* The same where no state could be opened: a lock without a mark leaves no file behind. */
void state_lock_abandon(struct state_lock *lock);

void state_lock_mark(struct state_lock *lock, uint64_t batch);
bool state_lock_is_there(const struct state_lock *lock); /* false: somebody removed the file */

/* The pid of who holds the state now; 0: nobody; -1: somebody who did not say. */
long state_lock_holder(const char *state_path);

#endif
