/*
 * Health of a task, of its containers: over the essential ones that define a check, any UNHEALTHY
 * makes it UNHEALTHY, else any UNKNOWN makes it UNKNOWN, else it is HEALTHY (reference "ECS
 * scheduling semantics" 3.6). A task without a check is UNKNOWN and never looked at.
 */
#include "scheduler/agent/agent_internal.h"

static enum task_health worse(enum task_health a, enum task_health b)
{
    if (a == HEALTH_UNHEALTHY || b == HEALTH_UNHEALTHY)
        return HEALTH_UNHEALTHY;
    return a == HEALTH_UNKNOWN ? a : b;
}

static enum task_health health_of(struct agent_task *task)
{
    const struct task_def *def = task->def;
    enum task_health health = HEALTH_HEALTHY;
    for (size_t i = 0; i < def->container_count; i++)
        if (def->containers[i].is_essential && container_def_has_health_check(&def->containers[i]))
            health = worse(health, (enum task_health)task_container(task, i)->health);
    return health;
}

/* A task that is on its way out keeps what was last told. */
void health_roll_up(struct turn *turn, struct agent_task *task)
{
    if (!task->is_checked || task->is_stopping)
        return;
    enum task_health health = health_of(task);
    if (health == (enum task_health)task->health)
        return;
    task->health = (unsigned)health & 3u;
    if (task->is_running_told)
        report_running(turn, task);
}
