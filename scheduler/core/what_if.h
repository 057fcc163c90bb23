/*
 * what_if.h -- what a controller would do, asked without doing it: RunTask for one copy, or
 * UpdateContainerInstancesState to DRAINING.
 *
 * The state is afterwards what it was, to the last byte of its records, and the same call made in
 * earnest gives what the answer says, as long as nothing comes in between:
 *
 *     place   the instance that takes the copy, and how many refuse it for which cause
 *     drain   for each task on the instance what becomes of it, and where its replacement would go
 *
 * Services go by name, as in the controller's pass. What a service's ceiling or launch rate lets
 * start only in a later pass (is_later) is asked of the state after all that start at once. Of
 * several capacity providers the replacement's is taken to be its task's own.
 */
#ifndef BERTH_SCHEDULER_CORE_WHAT_IF_H
#define BERTH_SCHEDULER_CORE_WHAT_IF_H

#include "scheduler/base/mem.h"
#include "scheduler/core/controller.h"
#include "scheduler/placement/what_if.h"

/* Where a copy of the call would go now. `verdicts`: NULL, or one per instance. */
enum berth_err controller_what_if_place(struct controller *controller,
                                        const struct event_run_task *call,
                                        struct what_if_answer *answer,
                                        enum placement_verdict *verdicts,
                                        struct berth_error *err) BERTH_MUST_CHECK;

enum what_if_fate {
    WHAT_IF_MOVES = 0, /* its replacement goes to answer.to */
    WHAT_IF_NO_ROOM,   /* its replacement fits nowhere: answer says why */
    WHAT_IF_STAYS,     /* of no service, or of one that is gone: it runs until it ends by itself */
    WHAT_IF_ENDS,      /* told to stop already, or a daemon's copy, which goes last */
    WHAT_IF_FATE_COUNT
};

extern const char *const what_if_fate_names[WHAT_IF_FATE_COUNT]; /* "moves", "no room", ... */

struct what_if_move {
    task_id task;
    enum what_if_fate fate;
    group_id group;
    bool is_later;                /* WHAT_IF_MOVES, WHAT_IF_NO_ROOM: not in the same step */
    struct what_if_answer answer; /* likewise */
};

/* Zero it first; its owner frees it with vec_free. */
struct what_if_moves {
    struct what_if_move *items; /* in the order of their replacements; those without come last */
    size_t count;
    size_t capacity;
};

/* `verdicts`: NULL, or one per instance for the first task that finds no room. */
void controller_what_if_drain(struct controller *controller, instance_id instance,
                              struct what_if_moves *moves, enum placement_verdict *verdicts);

#endif
