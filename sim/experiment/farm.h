/*
 * farm.h -- independent tasks on several workers.
 *
 * There are two farms: processes of this machine (pool.h) and the ranks of an MPI job (ranks.h). A
 * task is a number, and all that it does follows from the number; what it leaves is a product, a
 * row of bytes, and now and then a file. So nothing in a result shows who did a task, when, where,
 * or beside how many others.
 */
#ifndef BERTH_SIM_EXPERIMENT_FARM_H
#define BERTH_SIM_EXPERIMENT_FARM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/text.h"

struct farm_work {
    /* In a worker: do `task` and append to *product; files are left in `folder`, when whole. */
    enum berth_err (*run)(void *context, uint32_t task, const char *folder, struct text *product,
                          struct berth_error *err);
    /* In the master, as tasks end well, in any order; their files are in its folder by then. */
    enum berth_err (*keep)(void *context, uint32_t task, const struct text *product,
                           struct berth_error *err);
    /* After that, and now and then between. `done`: how many of this call's tasks; or NULL. */
    void (*progress)(void *context, uint32_t done);
    void *context;
    const uint32_t *tasks; /* begun in this order, ascending */
    uint32_t task_count;
    const char *folder;                /* where the files of all tasks come to lie */
    uint32_t jobs;                     /* at least 1; a farm that has its workers ignores it */
    const volatile sig_atomic_t *stop; /* set: end what runs, return INTERRUPTED; may be NULL */
};

#define FARM_NO_TASK UINT32_MAX

struct farm_failure {
    uint32_t task; /* FARM_NO_TASK: the farm itself failed */
    bool is_crash; /* its process did not live to say why */
};

/*
 * After a failure no new task begins, and those that run are waited for. The failure told is the
 * one of the lowest task, which does not depend on the number of workers: tasks begin in order.
 */
struct farm {
    enum berth_err (*run)(void *context, const struct farm_work *work, struct farm_failure *failure,
                          struct berth_error *err);
    void *context;
};

/* What came of the tasks so far: both farms judge alike. */
struct farm_tally {
    uint32_t begun, done;
    bool was_stopped;
    enum berth_err code; /* the first that was not OK */
    struct farm_failure failure;
    char text[BERTH_ERROR_TEXT_MAX];
};

struct farm_answer {
    enum berth_err code;
    bool is_crash;
    char text[BERTH_ERROR_TEXT_MAX]; /* empty when OK */
};

/* A task has ended: its product is kept, or its failure. */
void farm_take(struct farm_tally *tally, const struct farm_work *work, uint32_t task,
               const struct farm_answer *answer, const struct text *product);
void farm_fail(struct farm_tally *tally, struct farm_failure failure, enum berth_err code,
               const char *text);
/* Whether another task is to begin, and which; false when none is left or none shall. */
bool farm_next(struct farm_tally *tally, const struct farm_work *work, uint32_t *task);
enum berth_err farm_conclude(const struct farm_tally *tally, struct farm_failure *failure,
                             struct berth_error *err);

#endif
