/*
 * disk.h -- the disk of a host: a file system of its own size, on a loop device. The file behind
 * it loses its name at once, so that the disk is gone when it is unmounted, whoever does that.
 */
#ifndef BERTH_SCHEDULER_LAB_DISK_H
#define BERTH_SCHEDULER_LAB_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/lab/plan.h"

enum berth_err lab_disk_make(const struct lab_plan *plan, int engine,
                             struct berth_error *err) BERTH_MUST_CHECK;

/* Not one block is left, and again as before: a file takes all the room, without being written. */
enum berth_err lab_disk_fill(const struct lab_plan *plan, int engine,
                             struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err lab_disk_free(const struct lab_plan *plan, int engine,
                             struct berth_error *err) BERTH_MUST_CHECK;
bool lab_disk_is_full(const struct lab_plan *plan, int engine);
void lab_disk_room(const struct lab_plan *plan, int engine, uint64_t *used, uint64_t *total);

/* Unmounts all that is mounted below the lab's folder, and waits until its disks are let go. */
enum berth_err lab_mounts_remove(const char *name, int64_t deadline,
                                 struct berth_error *err) BERTH_MUST_CHECK;

#endif
