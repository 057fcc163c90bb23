/*
 * loop.h -- the one loop that both drivers turn: step, commit, release.
 *
 *     event -> controller_step -> changes to the store ...... commit -> replies and messages go out
 *
 * Commit is asynchronous. The core runs on; each step's effects wait, in order, until its batch is
 * durable. A failed commit discards the core and everything that was not released, loads the core
 * again from the store, and tells the driver (`reloaded`), whose agents then report afresh.
 *
 * What a controller lent for good (definitions, groups) stays valid until loop_destroy, through
 * every reload. With a store that is durable at once, effects are not copied; one that keeps no
 * records is given none.
 */
#ifndef BERTH_SCHEDULER_CORE_LOOP_H
#define BERTH_SCHEDULER_CORE_LOOP_H

#include "scheduler/core/controller.h"
#include "scheduler/store/store.h"

/* Between which two things of one step a process may end. */
enum loop_point {
    LOOP_DECIDED = 0, /* the core has stepped; nothing was given to the store */
    LOOP_APPENDED,    /* the store has the batch; it need not be durable */
    LOOP_DURABLE,     /* the batch is durable; none of its effects has left */
    LOOP_POINT_COUNT
};

/* Called in order, after commit; must not call back into the loop. */
struct loop_ops {
    void (*send)(void *context, struct step_time decided, const struct message *message);
    void (*reply)(void *context, struct step_time decided, const struct reply *reply);
    void (*change)(void *context, struct step_time decided, const struct change *change);
    void (*service_event)(void *context, struct step_time decided,
                          const struct service_event *event);
    void (*request)(void *context, struct step_time decided, const struct request *request);
    void (*reloaded)(void *context);
    /* Asked at each point of a step; true: the process ends there, as in loop_restart. Tests of
       recovery answer so. */
    bool (*ends)(void *context, enum loop_point point);
    /* Right after the step, before anything is stored: for who audits. */
    void (*decided)(void *context, struct step_time now, const struct event *event,
                    const struct action_list *actions);
};

struct loop;

/*
 * `controller` is taken; `store` and `context` are borrowed for the loop's life, `options` and
 * `ops` for the call. NULL callbacks are skipped.
 */
struct loop *loop_create(struct controller *controller, const struct controller_options *options,
                         task_def_decoder decode, struct store *store, const struct loop_ops *ops,
                         void *context);
void loop_destroy(struct loop *loop);

struct controller *loop_controller(struct loop *loop); /* changes after a reload */

/* One event. Fails only when a reload after a failed commit fails. */
enum berth_err loop_step(struct loop *loop, struct step_time now, const struct event *event,
                         struct berth_error *err) BERTH_MUST_CHECK;

/* The store has made progress: release what is durable, or reload after a failure. */
enum berth_err loop_store_progress(struct loop *loop, struct step_time now,
                                   struct berth_error *err) BERTH_MUST_CHECK;

/*
 * The process has ended and another one begins from the store. What is durable but was not released
 * reaches `change` (watchers read the store) and `reply` (a client asks again and is given the same
 * answer); its messages, requests and service events are lost, as is all that is not durable. Then
 * `reloaded` is told.
 */
enum berth_err loop_restart(struct loop *loop, struct berth_error *err) BERTH_MUST_CHECK;

berth_ns loop_next_deadline(const struct loop *loop);
/* The newest that the store was given: one that keeps no records need not be given any. */
uint64_t loop_last_batch(const struct loop *loop);

#endif
