/*
 * files.h -- files that appear under their name only when they are whole.
 *
 * Every failure is one of the environment (BERTH_ERR_ENVIRONMENT) and names the path, the cause and
 * a cure.
 */
#ifndef BERTH_SIM_EXPERIMENT_FILES_H
#define BERTH_SIM_EXPERIMENT_FILES_H

#include <stdbool.h>
#include <stdio.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

/* "FOLDER/NAME", owned by the caller. */
char *files_join(const char *folder, const char *name);

/* With all its parents; it may exist. */
enum berth_err files_make_folder(const char *path, struct berth_error *err) BERTH_MUST_CHECK;

/* Written under PATH.new; the last step is a rename. */
struct files_writer {
    FILE *out;
    char *path, *new_path; /* owned */
};
enum berth_err files_create(const char *path, struct files_writer *writer,
                            struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err files_commit(struct files_writer *writer, struct berth_error *err) BERTH_MUST_CHECK;
void files_abandon(struct files_writer *writer); /* nothing is left of it */

enum berth_err files_write(const char *path, const struct text *text,
                           struct berth_error *err) BERTH_MUST_CHECK;
/* What the system says of a file, and a cure for it. */
enum berth_err files_fail(const char *path, int number, struct berth_error *err);

enum berth_err files_rename(const char *from, const char *to,
                            struct berth_error *err) BERTH_MUST_CHECK;

/* Whole and NUL-terminated. A missing file is bad input: the path came from the user. */
enum berth_err files_read(const char *path, struct text *out,
                          struct berth_error *err) BERTH_MUST_CHECK;

bool files_exist(const char *path);
void files_remove(const char *path);       /* a file or an empty folder; it need not exist */
void files_empty_folder(const char *path); /* removes what is in it, folders in it too */

#endif
