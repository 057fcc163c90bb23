/*
 * stopped.h -- tasks that have ended, of which an hour is remembered (stopped.c).
 */
#ifndef BERTH_SCHEDULER_CORE_STOPPED_H
#define BERTH_SCHEDULER_CORE_STOPPED_H

#include "scheduler/core/controller_internal.h"

#define STOPPED_KEPT_NS (3600 * BERTH_NS_PER_S)

struct stopped_task {
    task_id id;
    uint64_t reference, deployment, revision;
    const struct task_def *def;
    const symbol *target_groups; /* interned */
    berth_ns stopped_mono_ns;
    berth_ns created_wall_ns, pull_started_ns, pull_stopped_ns, started_ns, stopping_ns, stopped_ns;
    service_id service;
    group_id group;
    instance_id instance;
    int32_t cpu_units, mem_mib, exit_code;
    uint32_t gpu_milli, version;
    symbol stop_text, provider;
    uint8_t stop_code, stop_reason, verdict, health; /* enums of the same names */
    uint8_t target_count;
    bool leaves_targets;   /* nobody waited for their deregistration */
    bool leaves_interface; /* nor for its interface's detachment */
};

uint32_t stopped_count(const struct controller *controller);
/* False: no such task has stopped within the hour. */
bool stopped_find(const struct controller *controller, task_id task, struct stopped_task *out);
/* In order of their end: *place from 0 on, until false. */
bool stopped_next(const struct controller *controller, uint64_t *place, struct stopped_task *out);
void stopped_view(const struct stopped_task *kept, struct task_view *out);
/* On load: to be filled in, in any order; stopped_settle then puts them in order of their end. */
struct stopped_task *stopped_push(struct controller *controller, task_id task);
bool stopped_settle(struct controller *controller); /* false: the times do not rise */
void stopped_keep(struct controller *controller, const struct task *task, bool leaves_interface);
void stopped_timer(struct controller *controller);
void stopped_free(struct controller *controller);
static inline berth_ns stopped_deadline(const struct controller *controller)
{
    return controller->past.deadline_ns;
}

#endif
