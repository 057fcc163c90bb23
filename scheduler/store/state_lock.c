#define _GNU_SOURCE /* F_OFD_SETLK */
#include "scheduler/store/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"

/* Pid and mark in fixed columns, so that a new mark overwrites the old one in place. */
#define LINE_FORMAT "%10d %20" PRIu64 "\n"
#define LINE_BYTES 32

static bool read_line(int fd, long *pid, uint64_t *mark)
{
    char line[LINE_BYTES + 1] = "";
    return pread(fd, line, LINE_BYTES, 0) == LINE_BYTES && line[LINE_BYTES - 1] == '\n' &&
           sscanf(line, "%ld %" SCNu64, pid, mark) == 2 && *pid > 0;
}

static char *lock_path(const char *state_path)
{
    struct text path = TEXT_INIT;
    text_addf(&path, "%s.lock", state_path);
    return path.bytes;
}

/* Of the open file, not of the process: it can be asked for without being taken, and closing
   another descriptor of the file does not drop it. */
static bool has_lock(int fd, int command, struct flock *lock)
{
    *lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, command, lock) == 0;
}

/* Locked, and still the file that the path names; false: errno tells. */
static bool lock_file(struct state_lock *lock)
{
    struct flock whole;
    for (;;) {
        lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock->fd < 0 || !has_lock(lock->fd, F_OFD_SETLK, &whole))
            return false;
        if (state_lock_is_there(lock))
            return true;
        (void)close(lock->fd);
    }
}

enum berth_err state_lock_take(struct state_lock *lock, const char *state_path,
                               struct berth_error *err)
{
    long pid = 0;
    *lock = (struct state_lock){.path = lock_path(state_path), .fd = -1};
    if (lock_file(lock)) {
        (void)read_line(lock->fd, &pid, &lock->mark);
        state_lock_mark(lock, lock->mark);
        return BERTH_OK;
    }
    int reason = errno;
    if (lock->fd < 0 || (reason != EAGAIN && reason != EACCES))
        berth_fail(err, BERTH_ERR_ENVIRONMENT,
                   "%s: cannot be locked: %s; check the folder and its permissions", lock->path,
                   strerror(reason));
    else if (read_line(lock->fd, &pid, &lock->mark))
        berth_fail(err, BERTH_ERR_ENVIRONMENT,
                   "%s: process %ld holds this state; stop it first, or use another file",
                   state_path, pid);
    else
        berth_fail(err, BERTH_ERR_ENVIRONMENT,
                   "%s: another process holds this state; stop it first, or use another file",
                   state_path);
    state_lock_release(lock);
    return err->code;
}

void state_lock_release(struct state_lock *lock)
{
    if (lock->fd >= 0)
        (void)close(lock->fd);
    mem_free(lock->path);
    *lock = (struct state_lock){.fd = -1};
}

/* Who opened the file before it went finds it gone once it has the lock, and makes another. */
void state_lock_abandon(struct state_lock *lock)
{
    if (lock->fd >= 0 && lock->mark == 0 && state_lock_is_there(lock))
        (void)unlink(lock->path);
    state_lock_release(lock);
}

void state_lock_mark(struct state_lock *lock, uint64_t batch)
{
    char line[2 * LINE_BYTES];
    (void)snprintf(line, sizeof line, LINE_FORMAT, (int)getpid(), batch);
    lock->mark = batch;
    if (pwrite(lock->fd, line, LINE_BYTES, 0) != LINE_BYTES)
        return; /* a full disk: the mark stays behind, which is safe */
}

bool state_lock_is_there(const struct state_lock *lock)
{
    struct stat held, named;
    return fstat(lock->fd, &held) == 0 && stat(lock->path, &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

long state_lock_holder(const char *state_path)
{
    char *path = lock_path(state_path);
    struct flock other;
    long pid = 0;
    uint64_t mark;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    mem_free(path);
    if (fd < 0)
        return 0;
    if (has_lock(fd, F_OFD_GETLK, &other) && other.l_type != F_UNLCK && !read_line(fd, &pid, &mark))
        pid = -1;
    (void)close(fd);
    return pid;
}
