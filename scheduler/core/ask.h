/* ask.h -- what one RunTask call asks for, resolved; for the call itself and for what-if. */
#ifndef BERTH_SCHEDULER_CORE_ASK_H
#define BERTH_SCHEDULER_CORE_ASK_H

#include "scheduler/core/controller_internal.h"

struct ask {
    const struct event_run_task *event;
    const struct task_def *def;
    struct plan *plan;
    group_id group;
    struct demand demand; /* GPU requests interned */
    uint32_t wait_class;  /* UINT32_MAX until a copy has to wait */
    struct strategy_items providers;
};

/* All but the group, which is made when it is mentioned first. */
enum berth_err ask_resolve(struct controller *controller, const struct event_run_task *call,
                           struct ask *ask, struct berth_error *err) BERTH_MUST_CHECK;

/* The stream that a group of this name begins with. */
struct rng group_stream(const struct controller *controller, const char *name);

#endif
