/*
 * tallies.c -- what a service has: its tasks that are not STOPPED, and how many of them are what.
 *
 * The sums follow from what each change says of its task, one task at a time, so that a check of a
 * service with a thousand tasks costs what a step has changed.
 */
#include "sim/audit/audit_internal.h"

/* By age, or by its containers' checks; of a service with load balancers, as the change says. */
bool task_is_healthy(const struct audit_service *service, const struct audit_task *task)
{
    if (!task->desired_running || task->last_status != TASK_RUNNING)
        return false;
    if (service->has_targets)
        return task->counts_as_healthy;
    return task->has_check ? task->health == HEALTH_HEALTHY : task->is_old;
}

static void tally(struct audit_service *service, const struct audit_task *task, int change)
{
    struct audit_tally *sums = &service->tally;
    uint32_t by = (uint32_t)change; /* wraps to one less */
    sums->is_protected += task->is_protected ? by : 0;
    if (!task->desired_running)
        return;
    sums->wanted += by;
    sums->running += task->last_status == TASK_RUNNING ? by : 0;
    sums->pending += task->last_status < TASK_RUNNING ? by : 0;
    sums->healthy += task_is_healthy(service, task) ? by : 0;
}

void services_count(struct audit *audit, const struct audit_task *task, int change)
{
    if (task->is_listed)
        tally(audit_find_service(audit, task->service), task, change);
}

/* What makes a task healthy has changed for all of them. */
void services_tally(struct audit *audit, struct audit_service *service)
{
    service->tally = (struct audit_tally){0};
    for (size_t i = 0; i < service->tasks.count; i++)
        tally(service, task_at(audit, service->tasks.items[i]), 1);
}

void services_add_task(struct audit *audit, struct audit_task *task)
{
    struct audit_service *service = services_touch(audit, task->service);
    if (service == NULL)
        return;
    task->at = (uint32_t)service->tasks.count;
    task->is_listed = true;
    *vec_push(&service->tasks) = task->slot;
    tally(service, task, 1);
}

void services_drop_task(struct audit *audit, struct audit_task *task)
{
    if (!task->is_listed)
        return;
    struct audit_service *service = services_touch(audit, task->service);
    uint32_t last = service->tasks.items[--service->tasks.count];
    service->tasks.items[task->at] = last;
    task_at(audit, last)->at = task->at;
    task->is_listed = false;
    tally(service, task, -1);
}
