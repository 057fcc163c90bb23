/* The tasks of one agent, by id. Ids mostly arrive in ascending order, so adding is appending. */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>
#include <string.h>

#include "scheduler/base/mem.h"

/* The first entry whose id is not below `task`. */
static size_t lower_bound(const struct agent *agent, task_id task)
{
    size_t low = 0, high = agent->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (agent->entries[middle].task < task)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct agent_task *table_find(const struct agent *agent, task_id task)
{
    size_t at = lower_bound(agent, task);
    return at < agent->entry_count && agent->entries[at].task == task ? agent->entries[at].state
                                                                      : NULL;
}

static struct agent_task *new_task(struct agent *agent)
{
    struct agent_task *task = agent->spare;
    if (task == NULL)
        return mem_alloc(sizeof *task);
    agent->spare = task->next;
    struct agent_task clean = {
        .grants = task->grants, .grant_capacity = task->grant_capacity, .many = task->many};
    *task = clean;
    return task;
}

static void copy_grants(struct agent_task *task, const struct task_payload *payload)
{
    if (payload->grant_count > task->grant_capacity) {
        task->grants = mem_resize(task->grants, payload->grant_count, sizeof *task->grants);
        task->grant_capacity = payload->grant_count;
    }
    if (payload->grant_count > 0)
        memcpy(task->grants, payload->grants, payload->grant_count * sizeof *task->grants);
    task->payload.grants = task->grants;
}

static void reset_containers(struct agent_task *task)
{
    size_t count = task->payload.def->container_count;
    assert(count >= 1 && count <= TASK_DEF_CONTAINERS_MAX);
    if (count > 1 && task->many == NULL)
        task->many = mem_alloc(TASK_DEF_CONTAINERS_MAX * sizeof *task->many);
    for (size_t i = 0; i < count; i++)
        *task_container(task, i) = (struct container){.deadline_ns = BERTH_NS_NEVER};
}

struct agent_task *table_add(struct agent *agent, const struct task_payload *payload)
{
    size_t at = lower_bound(agent, payload->task);
    assert(at == agent->entry_count || agent->entries[at].task != payload->task);
    struct agent_task *task = new_task(agent);
    task->payload = *payload;
    copy_grants(task, payload);
    reset_containers(task);
    task->is_checked = task_def_has_health_check(payload->def);
    if (agent->entry_count == agent->entry_capacity)
        agent->entries = mem_grow(agent->entries, &agent->entry_capacity, agent->entry_count + 1,
                                  sizeof *agent->entries);
    memmove(agent->entries + at + 1, agent->entries + at,
            (agent->entry_count - at) * sizeof *agent->entries);
    agent->entries[at] = (struct task_entry){payload->task, task};
    agent->entry_count++;
    return task;
}

void table_remove(struct agent *agent, struct agent_task *task)
{
    size_t at = lower_bound(agent, task->payload.task);
    assert(at < agent->entry_count && agent->entries[at].state == task);
    assert(task->report_seq == 0 && task->stage == STAGE_DONE);
    agent->entry_count--;
    memmove(agent->entries + at, agent->entries + at + 1,
            (agent->entry_count - at) * sizeof *agent->entries);
    task->next = agent->spare;
    agent->spare = task;
}

static void free_task(struct agent_task *task)
{
    mem_free(task->grants);
    mem_free(task->many);
    mem_free(task);
}

void table_free(struct agent *agent)
{
    for (size_t i = 0; i < agent->entry_count; i++)
        free_task(agent->entries[i].state);
    for (struct agent_task *task = agent->spare, *next; task != NULL; task = next) {
        next = task->next;
        free_task(task);
    }
    mem_free(agent->entries);
}

struct container *task_container(struct agent_task *task, size_t index)
{
    return task->payload.def->container_count == 1 ? &task->one : &task->many[index];
}
