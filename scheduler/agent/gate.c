/*
 * The host-resource gate: tasks wait here, first in, first out, until CPU, memory, GPUs and fixed
 * host ports of the instance are free. The head blocks whoever stands behind it, even one that
 * would fit: that is what ECS's agent does, and it is why the controller must never overcommit
 * (reference "ECS agent protocol" 6). A task leaves its resources when all its containers stopped.
 */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>

static bool gpus_take(struct agent *agent, const struct agent_task *task)
{
    const struct gpu_grant *grants = task->more != NULL ? task->more->grants : NULL;
    uint16_t count = task->more != NULL ? task->more->grant_count : 0;
    for (uint16_t i = 0; i < count; i++) {
        uint16_t device = grants[i].device;
        if (device < agent->gpu_count &&
            agent->gpu_granted_milli[device] + grants[i].milli <= BERTH_GPU_MILLI) {
            agent->gpu_granted_milli[device] += grants[i].milli;
            continue;
        }
        while (i-- > 0)
            agent->gpu_granted_milli[grants[i].device] -= grants[i].milli;
        return false;
    }
    return true;
}

/* Both ascending. */
static bool share_a_port(const uint16_t *a, uint16_t a_count, const uint16_t *b, uint16_t b_count)
{
    for (uint16_t i = 0, j = 0; i < a_count && j < b_count;) {
        if (a[i] == b[j])
            return true;
        if (a[i] < b[j])
            i++;
        else
            j++;
    }
    return false;
}

static bool ports_are_free(const struct agent *agent, const struct agent_task *task)
{
    const struct demand *wanted = &task->def->demand;
    if (wanted->tcp_port_count == 0 && wanted->udp_port_count == 0)
        return true;
    for (size_t i = 0; i < agent->entry_count; i++) {
        const struct agent_task *other = table_task(agent, i);
        if (other->stage != STAGE_GRANTED)
            continue;
        const struct demand *held = &other->def->demand;
        if (share_a_port(wanted->tcp_ports, wanted->tcp_port_count, held->tcp_ports,
                         held->tcp_port_count) ||
            share_a_port(wanted->udp_ports, wanted->udp_port_count, held->udp_ports,
                         held->udp_port_count))
            return false;
    }
    return true;
}

static bool take(struct agent *agent, struct agent_task *task)
{
    if (task->cpu_units > agent->cpu_units - agent->cpu_granted ||
        task->mem_mib > agent->mem_mib - agent->mem_granted || !ports_are_free(agent, task) ||
        !gpus_take(agent, task))
        return false;
    agent->cpu_granted += task->cpu_units;
    agent->mem_granted += task->mem_mib;
    task->stage = STAGE_GRANTED;
    return true;
}

void gate_release(struct turn *turn, struct agent_task *task)
{
    struct agent *agent = turn->agent;
    assert(task->stage == STAGE_GRANTED);
    agent->cpu_granted -= task->cpu_units;
    agent->mem_granted -= task->mem_mib;
    for (uint16_t i = 0; task->more != NULL && i < task->more->grant_count; i++) {
        const struct gpu_grant *grant = &task->more->grants[i];
        agent->gpu_granted_milli[grant->device] -= grant->milli;
    }
    task->stage = STAGE_DONE;
    turn->agent->is_gate_due = true;
}

void gate_push(struct turn *turn, struct agent_task *task)
{
    task_queue_push(turn->agent, &turn->agent->gate, task);
    turn->agent->is_gate_due = true;
}

void gate_withdraw(struct turn *turn, struct agent_task *task)
{
    struct agent *agent = turn->agent;
    struct agent_task *before = NULL, *at = task_at(agent, agent->gate.head);
    assert(task->stage == STAGE_QUEUED);
    while (at != task) {
        assert(at != NULL);
        before = at;
        at = task_at(agent, at->next);
    }
    task_queue_unlink(&agent->gate, before, task);
    task->stage = STAGE_DONE;
    agent->is_gate_due = true; /* the head may have been the one that blocked */
}

void gate_open(struct turn *turn)
{
    struct agent *agent = turn->agent;
    struct agent_task *head;
    agent->is_gate_due = false;
    while ((head = task_at(agent, agent->gate.head)) != NULL && take(agent, head)) {
        task_queue_unlink(&agent->gate, NULL, head);
        lifecycle_start(turn, head);
    }
}
