/*
 * faulty_vfs.h -- SQLite's own files behind a door that can be shut: the Nth thing that changes a
 * file fails, once or from then on; and what was synced of each file is kept apart, so that a test
 * can see what a power cut at its worst would leave.
 */
#ifndef BERTH_TESTS_UNIT_SCHEDULER_STORE_FAULTY_VFS_H
#define BERTH_TESTS_UNIT_SCHEDULER_STORE_FAULTY_VFS_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Changes of files: counted from the last faulty_arm; all under the mutex. */
static struct {
    pthread_mutex_t mutex;
    sqlite3_vfs *real;
    uint64_t changes, failing; /* 0: none fails */
    bool goes_on;              /* to fail */
    bool has_fired;
    bool keeps_synced; /* copy FILE to FILE.synced at each sync */
} faulty = {.mutex = PTHREAD_MUTEX_INITIALIZER};

struct faulty_file {
    sqlite3_file base;
    char path[512];
    sqlite3_file *real; /* in the memory that follows */
};

static void faulty_arm(uint64_t failing, bool goes_on)
{
    (void)pthread_mutex_lock(&faulty.mutex);
    faulty.changes = 0;
    faulty.failing = failing;
    faulty.goes_on = goes_on;
    faulty.has_fired = false;
    (void)pthread_mutex_unlock(&faulty.mutex);
}

/* Nothing fails from now on. */
static void faulty_lift(void)
{
    (void)pthread_mutex_lock(&faulty.mutex);
    faulty.failing = 0;
    (void)pthread_mutex_unlock(&faulty.mutex);
}

static bool faulty_has_fired(void)
{
    (void)pthread_mutex_lock(&faulty.mutex);
    bool has_fired = faulty.has_fired;
    (void)pthread_mutex_unlock(&faulty.mutex);
    return has_fired;
}

static bool faulty_fails(void)
{
    (void)pthread_mutex_lock(&faulty.mutex);
    uint64_t number = ++faulty.changes;
    bool fails = faulty.failing != 0 &&
                 (number == faulty.failing || (faulty.goes_on && number > faulty.failing));
    faulty.has_fired = faulty.has_fired || fails;
    (void)pthread_mutex_unlock(&faulty.mutex);
    return fails;
}

/* False when there is none. */
static bool faulty_copy(const char *from, const char *to)
{
    static char bytes[1 << 16];
    FILE *in = fopen(from, "rb"), *out = in == NULL ? NULL : fopen(to, "wb");
    bool is_copied = in != NULL && out != NULL;
    for (size_t got; is_copied && (got = fread(bytes, 1, sizeof bytes, in)) > 0;)
        is_copied = fwrite(bytes, 1, got, out) == got;
    if (in != NULL)
        (void)fclose(in);
    if (out != NULL)
        (void)fclose(out);
    return is_copied;
}

static void faulty_keep_synced(const char *path)
{
    char copy[600];
    (void)snprintf(copy, sizeof copy, "%s.synced", path);
    (void)pthread_mutex_lock(&faulty.mutex);
    if (faulty.keeps_synced)
        (void)faulty_copy(path, copy);
    (void)pthread_mutex_unlock(&faulty.mutex);
}

/* `to` and its -wal are what was synced of `from` and its -wal; nothing else survived. */
static void faulty_power_cut(const char *from, const char *to)
{
    static const char *const suffixes[] = {"", "-wal"};
    (void)pthread_mutex_lock(&faulty.mutex);
    for (int i = 0; i < 2; i++) {
        char source[600], target[600];
        (void)snprintf(source, sizeof source, "%s%s.synced", from, suffixes[i]);
        (void)snprintf(target, sizeof target, "%s%s", to, suffixes[i]);
        (void)remove(target);
        (void)faulty_copy(source, target);
    }
    (void)pthread_mutex_unlock(&faulty.mutex);
}

#define REAL(file) (((struct faulty_file *)(file))->real)

static int faulty_close(sqlite3_file *file)
{
    return REAL(file)->pMethods->xClose(REAL(file));
}

static int faulty_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    return REAL(file)->pMethods->xRead(REAL(file), bytes, count, at);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    if (!faulty_fails())
        return REAL(file)->pMethods->xWrite(REAL(file), bytes, count, at);
    (void)REAL(file)->pMethods->xWrite(REAL(file), bytes, count / 2, at); /* torn */
    return SQLITE_FULL;
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return faulty_fails() ? SQLITE_IOERR_TRUNCATE
                          : REAL(file)->pMethods->xTruncate(REAL(file), size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    if (faulty_fails())
        return SQLITE_IOERR_FSYNC;
    int code = REAL(file)->pMethods->xSync(REAL(file), flags);
    faulty_keep_synced(((struct faulty_file *)file)->path);
    return code;
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int faulty_lock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int faulty_unlock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xUnlock(REAL(file), level);
}

static int faulty_reserved(sqlite3_file *file, int *is_reserved)
{
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), is_reserved);
}

static int faulty_control(sqlite3_file *file, int command, void *argument)
{
    return REAL(file)->pMethods->xFileControl(REAL(file), command, argument);
}

static int faulty_sector(sqlite3_file *file)
{
    return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int faulty_device(sqlite3_file *file)
{
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int faulty_shm_map(sqlite3_file *file, int region, int size, int extends,
                          void volatile **memory)
{
    if (extends && faulty_fails())
        return SQLITE_IOERR_SHMSIZE;
    return REAL(file)->pMethods->xShmMap(REAL(file), region, size, extends, memory);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int is_deleted)
{
    return REAL(file)->pMethods->xShmUnmap(REAL(file), is_deleted);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                       int *out_flags)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = faulty_close,
        .xRead = faulty_read,
        .xWrite = faulty_write,
        .xTruncate = faulty_truncate,
        .xSync = faulty_sync,
        .xFileSize = faulty_size,
        .xLock = faulty_lock,
        .xUnlock = faulty_unlock,
        .xCheckReservedLock = faulty_reserved,
        .xFileControl = faulty_control,
        .xSectorSize = faulty_sector,
        .xDeviceCharacteristics = faulty_device,
        .xShmMap = faulty_shm_map,
        .xShmLock = faulty_shm_lock,
        .xShmBarrier = faulty_shm_barrier,
        .xShmUnmap = faulty_shm_unmap,
    };
    struct faulty_file *own = (struct faulty_file *)file;
    (void)vfs;
    own->base.pMethods = NULL;
    own->real = (sqlite3_file *)(own + 1);
    (void)snprintf(own->path, sizeof own->path, "%s", name == NULL ? "" : name);
    int code = faulty.real->xOpen(faulty.real, name, own->real, flags, out_flags);
    if (own->real->pMethods != NULL)
        own->base.pMethods = &methods;
    return code;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int syncs)
{
    (void)vfs;
    return faulty_fails() ? SQLITE_IOERR_DELETE : faulty.real->xDelete(faulty.real, name, syncs);
}

/* From now on every database of this process is behind the door. */
static void faulty_install(void)
{
    static sqlite3_vfs vfs;
    faulty.real = sqlite3_vfs_find(NULL);
    vfs = *faulty.real;
    vfs.pNext = NULL;
    vfs.zName = "faulty";
    vfs.szOsFile = (int)sizeof(struct faulty_file) + faulty.real->szOsFile;
    vfs.xOpen = faulty_open;
    vfs.xDelete = faulty_delete;
    (void)sqlite3_vfs_register(&vfs, 1);
}

#endif
