#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "scheduler/base/mem.h"

static char folder[512];

static void need(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "scratch: %s\n", what);
        abort();
    }
}

const char *scratch_folder(void)
{
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        (void)snprintf(folder, sizeof folder, "%s/berth-test-XXXXXX", base ? base : "/tmp");
        need(mkdtemp(folder) != NULL, "no folder can be made");
    }
    return folder;
}

const char *scratch_path(const char *name)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch_folder(), name);
    return path;
}

const char *scratch_write(const char *name, const void *bytes, size_t length)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    need(file != NULL, path);
    need(fwrite(bytes, 1, length, file) == length && fclose(file) == 0, path);
    return path;
}

const char *scratch_write_text(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

const char *scratch_write_gzip(const char *name, const void *bytes, size_t length)
{
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb6");
    need(file != NULL, path);
    need(gzwrite(file, bytes, (unsigned)length) == (int)length && gzclose(file) == Z_OK, path);
    return path;
}

char *scratch_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    VEC(char) bytes = VEC_INIT;
    size_t got;
    do {
        vec_reserve(&bytes, bytes.count + 65536);
        got = fread(bytes.items + bytes.count, 1, 65535, file);
        bytes.count += got;
    } while (got > 0);
    fclose(file);
    bytes.items[bytes.count] = '\0';
    if (length != NULL)
        *length = bytes.count;
    return bytes.items;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_remove(void)
{
    if (folder[0] != '\0')
        (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    folder[0] = '\0';
}
