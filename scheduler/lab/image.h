/*
 * image.h -- the image of a lab, made from this machine's own busybox: a shell, httpd, wget and
 * three hundred more in 2 MB, with no registry.
 */
#ifndef BERTH_SCHEDULER_LAB_IMAGE_H
#define BERTH_SCHEDULER_LAB_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

#define LAB_IMAGE "busybox:latest"

/* NAME or NAME:TAG: lower-case letters, digits and "._-/". */
enum berth_err lab_check_image(const char *image, struct berth_error *err) BERTH_MUST_CHECK;

/* Is it a program that needs no library? False also when it is no program. */
bool lab_is_static(const char *bytes, size_t length);

/* The image's file system as a tar, from the busybox found on this machine. */
enum berth_err lab_image_make(struct text *tar, struct berth_error *err) BERTH_MUST_CHECK;
bool lab_busybox_path(char *path, size_t size); /* a static one; false: there is none */

/* Puts it into the engine as LAB_IMAGE, unless it is there, and calls it `image` as well. */
enum berth_err lab_image_load(const char *socket, const struct text *tar, const char *image,
                              struct berth_error *err) BERTH_MUST_CHECK;

#endif
