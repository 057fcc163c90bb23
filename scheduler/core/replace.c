/*
 * Which unhealthy tasks go, once policy/replace.c has said how many (semantics 4.5).
 *
 * Protection from scale-in does not keep a task whose health has failed (4.9).
 */
#include "scheduler/core/controller_internal.h"
#include "scheduler/policy/replace.h"

static void stop_for_health(struct controller *controller, struct task *task)
{
    bool is_target = targets_have_any(task, TARGET_UNHEALTHY);
    *vec_push(&controller->stopped) = task->id;
    deployment_task_failed(controller, task->deployment, FAILED_HEALTH);
    task_stop(controller, task, STOP_SERVICE_SCHEDULER_INITIATED,
              is_target ? STOP_REASON_UNHEALTHY_TARGET : STOP_REASON_UNHEALTHY_CONTAINER);
}

/* The newest go: if a replacement is unhealthy too, it is among them. */
void replace_stop(struct controller *controller, struct deployment *deployment, uint32_t count)
{
    struct task *before;
    for (struct task *task = deployment->unhealthy.last; task != NULL && count > 0; task = before) {
        before = task->links[LIST_QUEUE].prev;
        if (task->is_draining)
            continue;
        stop_for_health(controller, task);
        count--;
    }
}

void replace_add_candidates(struct controller *controller, struct deployment *deployment,
                            bool is_draining)
{
    for (struct task *task = deployment->unhealthy.first; task != NULL;
         task = task->links[LIST_QUEUE].next)
        if (task->is_draining == is_draining)
            *vec_push(&controller->victim_tasks) = task;
}

void replace_stop_drawn(struct controller *controller, const struct service *service)
{
    struct rng *stream = &controller->groups.items[service->group].stream;
    size_t at = (size_t)rng_below(stream, controller->victim_tasks.count);
    rule_fired(controller, RULE_UNHEALTHY_STOP_FIRST);
    stop_for_health(controller, controller->victim_tasks.items[at]);
}
