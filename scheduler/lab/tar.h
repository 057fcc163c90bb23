/* tar.h -- writing an archive in memory: folders, files and links, all of root and of 1970. Pure.
 */
#ifndef BERTH_SCHEDULER_LAB_TAR_H
#define BERTH_SCHEDULER_LAB_TAR_H

#include <stddef.h>

#include "scheduler/base/text.h"

/* Names of at most 99 bytes. */
void tar_add_folder(struct text *tar, const char *name, unsigned mode);
void tar_add_file(struct text *tar, const char *name, unsigned mode, const char *bytes,
                  size_t length);
void tar_add_link(struct text *tar, const char *name, const char *target);
void tar_end(struct text *tar);

#endif
