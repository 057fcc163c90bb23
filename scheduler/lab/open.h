/* open.h -- a lab by its name: its plan, its control groups, its lock. */
#ifndef BERTH_SCHEDULER_LAB_OPEN_H
#define BERTH_SCHEDULER_LAB_OPEN_H

#include "scheduler/lab/host.h"

enum berth_err lab_check_root(struct berth_error *err) BERTH_MUST_CHECK;

/*
 * The lab's folder, made when it is not there, and locked; *out is to be closed. It is not
 * close-on-exec, so that programs that are run keep the lock until they end.
 */
enum berth_err lab_lock(const char *name, int *out, struct berth_error *err) BERTH_MUST_CHECK;

/* BERTH_ERR_FAILED when there is none. */
enum berth_err lab_load_plan(const char *name, struct lab_plan *out,
                             struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err lab_save_plan(const struct lab_plan *plan, struct berth_error *err) BERTH_MUST_CHECK;

/* A complete lab, locked. */
enum berth_err lab_open(const char *name, struct lab *out,
                        struct berth_error *err) BERTH_MUST_CHECK;
void lab_close(struct lab *lab);

#endif
