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
 * every reload. With a store that is durable at once, effects are not copied.
 */
#ifndef BERTH_SCHEDULER_CORE_LOOP_H
#define BERTH_SCHEDULER_CORE_LOOP_H

#include "scheduler/core/controller.h"
#include "scheduler/store/store.h"

/* Called in order, after commit; must not call back into the loop. */
struct loop_ops {
    void (*send)(void *context, struct step_time decided, const struct message *message);
    void (*reply)(void *context, struct step_time decided, const struct reply *reply);
    void (*change)(void *context, struct step_time decided, const struct change *change);
    void (*service_event)(void *context, struct step_time decided,
                          const struct service_event *event);
    void (*request)(void *context, struct step_time decided, const struct request *request);
    void (*reloaded)(void *context);
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

berth_ns loop_next_deadline(const struct loop *loop);

#endif
