/* scratch.h -- files that a test makes for itself, in $TMPDIR, gone when it ends well. */
#ifndef BERTH_TESTS_SUPPORT_SCRATCH_H
#define BERTH_TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* The program's own folder, made at the first call; aborts when it cannot be. */
const char *scratch_folder(void);

/* "FOLDER/name", in one of eight rotating buffers. */
const char *scratch_path(const char *name);

const char *scratch_write(const char *name, const void *bytes, size_t length);
const char *scratch_write_text(const char *name, const char *text);
const char *scratch_write_gzip(const char *name, const void *bytes, size_t length);

/* The whole file, NUL-terminated; owned by the caller: mem_free(). NULL when there is none. */
char *scratch_read(const char *path, size_t *length);

/* Remove the folder with all that is in it, sub-folders too. */
void scratch_remove(void);

#endif
