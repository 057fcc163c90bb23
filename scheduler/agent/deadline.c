/*
 * When a container is due. `timed_ns` is a lower bound: a deadline that is cleared leaves it as it
 * is, unless it was the last one, and the timer that comes for nothing looks at all of them and
 * makes it exact again. So a container that is pulled, started and stopped in time costs no search,
 * and a settled agent has no timer.
 */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>

/* An absurdly long timeout is no deadline at all, rather than one in the past. */
void deadline_set(struct turn *turn, struct container *container, berth_ns timeout_ns)
{
    struct agent *agent = turn->agent;
    berth_ns now_ns = turn->now.mono_ns;
    deadline_clear(agent, container);
    if (timeout_ns >= BERTH_NS_NEVER - now_ns)
        return;
    container->deadline_ns = now_ns + timeout_ns;
    agent->timed_count++;
    if (container->deadline_ns < agent->timed_ns)
        agent->timed_ns = container->deadline_ns;
}

void deadline_clear(struct agent *agent, struct container *container)
{
    if (container->deadline_ns == BERTH_NS_NEVER)
        return;
    assert(agent->timed_count > 0);
    container->deadline_ns = BERTH_NS_NEVER;
    if (--agent->timed_count == 0)
        agent->timed_ns = BERTH_NS_NEVER;
}

void deadline_refresh(struct agent *agent)
{
    agent->timed_ns = BERTH_NS_NEVER;
    for (size_t i = 0; i < agent->entry_count && agent->timed_count > 0; i++) {
        struct agent_task *task = table_task(agent, i);
        for (size_t j = 0; j < task->def->container_count; j++)
            if (task_container(task, j)->deadline_ns < agent->timed_ns)
                agent->timed_ns = task_container(task, j)->deadline_ns;
    }
}
