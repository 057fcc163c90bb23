/*
 * Scale-in protection (semantics 4.9, U18): UpdateTaskProtection and its expiry.
 *
 * A protected task is passed over by scale-in, by the replacement of old tasks, by rebalancing and
 * by a drain until its protection is taken away or runs out. StopTask, its own end, bad health and
 * the loss of its host are not held up.
 */
#include <stdlib.h>

#include "scheduler/core/controller_internal.h"

enum { MINUTES_DEFAULT = 120, MINUTES_MAX = 2880 };

void protection_set(struct controller *controller, struct task *task, berth_ns until_ns)
{
    bool was_protected = task_is_protected(task), is_protected = until_ns != BERTH_NS_NEVER;
    task->protected_until_ns = until_ns;
    if (is_protected)
        heap_set(&controller->protections, task->slot, until_ns);
    else
        heap_remove(&controller->protections, task->slot);
    if (was_protected == is_protected || task->deployment == NULL)
        return;
    struct service *service = task->deployment->service;
    service->protected_count += is_protected ? 1 : UINT32_MAX; /* modulo 2^32: one less */
    service_mark(controller, service);
    if (service->scheduling == SCHEDULING_DAEMON)
        daemon_check(controller, service, task->instance);
}

/* A task of a service that is not told to stop, or NULL; the refusal is then made. */
static struct task *find_protectable(struct controller *controller, const struct event *event)
{
    task_id id = event->u.task_protection.task;
    struct task *task = task_find(controller, id);
    if (task == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND, "MISSING: there is no task %llu",
                     (unsigned long long)id);
        return NULL;
    }
    if (task->deployment == NULL || !task->desired_running) {
        emit_refusal(controller, event, REPLY_INVALID,
                     "TASK_NOT_VALID: only a task of a service that is not stopping can be "
                     "protected");
        return NULL;
    }
    return task;
}

void protection_update(struct controller *controller, const struct event *event)
{
    const struct event_task_protection *wanted = &event->u.task_protection;
    uint32_t minutes = wanted->minutes == 0 ? MINUTES_DEFAULT : wanted->minutes;
    struct task *task = find_protectable(controller, event);
    if (task == NULL)
        return;
    if (minutes > MINUTES_MAX) {
        emit_refusal(controller, event, REPLY_INVALID, "expiresInMinutes: use 1 to %d",
                     MINUTES_MAX);
        return;
    }
    const struct service *service = task->deployment->service;
    if (wanted->is_protected && service->protected_count > service->desired_count) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "DEPLOYMENT_BLOCKED: %u tasks are protected, but %u are desired; take away a "
                     "protection or raise desiredCount",
                     (unsigned)service->protected_count, (unsigned)service->desired_count);
        return;
    }
    if (wanted->is_protected || task_is_protected(task)) {
        protection_set(controller, task,
                       wanted->is_protected
                           ? controller->now.mono_ns + (berth_ns)minutes * 60 * BERTH_NS_PER_S
                           : BERTH_NS_NEVER);
        emit_task(controller, task, task->status, task->desired_running);
    }
    (void)emit_reply(controller, event);
}

static int by_id(const void *left, const void *right)
{
    task_id a = *(const task_id *)left, b = *(const task_id *)right;
    return a < b ? -1 : a > b;
}

/* Of those that end at once the older goes first: slots say nothing about age. */
void protection_timer(struct controller *controller)
{
    struct heap_item due;
    vec_clear(&controller->started);
    while (heap_first(&controller->protections, &due) && due.key <= controller->now.mono_ns) {
        heap_remove(&controller->protections, due.handle);
        const struct task *task = pool_at(&controller->pool, due.handle);
        *vec_push(&controller->started) = task->id;
    }
    if (controller->started.count > 1)
        qsort(controller->started.items, controller->started.count, sizeof(task_id), by_id);
    for (size_t i = 0; i < controller->started.count; i++) {
        struct task *task = task_find(controller, controller->started.items[i]);
        protection_set(controller, task, BERTH_NS_NEVER);
        emit_task(controller, task, task->status, task->desired_running);
    }
}
