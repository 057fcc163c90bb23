/* The tasks of one agent, by id. Ids mostly arrive in ascending order, so adding is appending. */
#include "scheduler/agent/agent_internal.h"

#include <assert.h>
#include <string.h>

#include "scheduler/base/mem.h"

/* The first entry whose id is not below `task`. */
static size_t lower_bound(const struct agent *agent, task_id task)
{
    const struct task_entry *entries = agent->entries;
    size_t low = 0, count = agent->entry_count;
    /* New tasks come last, and most of what happens happens to the newest. */
    if (count == 0 || entries[count - 1].task <= task)
        return count > 0 && entries[count - 1].task == task ? count - 1 : count;
    while (count > 0) { /* it is in low .. low + count; no branch to guess */
        size_t half = count / 2;
        bool is_above = entries[low + half].task < task;
        low += is_above ? half + 1 : 0;
        count = is_above ? count - half - 1 : half;
    }
    return low;
}

struct agent_task *table_find(const struct agent *agent, task_id task)
{
    size_t at = lower_bound(agent, task);
    return at < agent->entry_count && agent->entries[at].task == task ? table_task(agent, at)
                                                                      : NULL;
}

/* Whoever knows the place spares the search. */
struct agent_task *table_find_at(const struct agent *agent, uint32_t place, task_id task)
{
    if (place < agent->tasks->count) {
        struct agent_task *there = pool_at(agent->tasks, place);
        if (there->task == task)
            return there;
    }
    return table_find(agent, task);
}

static bool needs_more(const struct task_payload *payload)
{
    const struct task_def *def = payload->def;
    return def->container_count > 1 || payload->grant_count > 0 ||
           def->containers[0].restart.is_enabled;
}

static struct task_more *make_more(const struct task_payload *payload)
{
    size_t count = payload->def->container_count, grants_bytes = 0;
    struct task_more *more;
    grants_bytes = payload->grant_count * sizeof *more->grants;
    more = mem_alloc(sizeof *more + (count - 1) * sizeof *more->containers +
                     count * sizeof *more->began_ns + grants_bytes);
    more->containers = (void *)(more + 1);
    more->began_ns = (void *)(more->containers + (count - 1));
    more->grants = (void *)(more->began_ns + count);
    more->grant_count = payload->grant_count;
    if (grants_bytes > 0)
        memcpy(more->grants, payload->grants, grants_bytes);
    return more;
}

static void init(struct agent_task *task, uint32_t number, const struct task_payload *payload)
{
    size_t count = payload->def->container_count;
    assert(count >= 1 && count <= TASK_DEF_CONTAINERS_MAX);
    *task = (struct agent_task){
        .task = payload->task,
        .def = payload->def,
        .more = needs_more(payload) ? make_more(payload) : NULL,
        .is_checked = task_def_has_health_check(payload->def),
        .group = payload->group,
        .reference = payload->reference,
        .cpu_units = payload->cpu_units,
        .mem_mib = payload->mem_mib,
        .number = number,
        .next = POOL_NONE,
    };
    for (size_t i = 0; i < count; i++)
        task_container(task, i)->deadline_ns = BERTH_NS_NEVER;
}

/* By a few at a time: there are as many of these lists as instances. */
static void grow(struct agent *agent)
{
    agent->entry_capacity += agent->entry_capacity / 4 + 4;
    agent->entries = mem_resize(agent->entries, agent->entry_capacity, sizeof *agent->entries);
}

struct agent_task *table_add(struct agent *agent, const struct task_payload *payload)
{
    size_t at = lower_bound(agent, payload->task);
    assert(at == agent->entry_count || agent->entries[at].task != payload->task);
    uint32_t number = pool_take(agent->tasks);
    if (agent->entry_count == agent->entry_capacity)
        grow(agent);
    if (at < agent->entry_count)
        memmove(agent->entries + at + 1, agent->entries + at,
                (agent->entry_count - at) * sizeof *agent->entries);
    agent->entries[at] = (struct task_entry){payload->task, number};
    agent->entry_count++;
    struct agent_task *task = pool_at(agent->tasks, number);
    init(task, number, payload);
    return task;
}

void table_prefetch(const struct agent *agent)
{
    const struct task_entry *end = agent->entries + agent->entry_count;
    for (const struct task_entry *at = agent->entries; at < end; at += LINE_BYTES / sizeof *at)
        __builtin_prefetch(at, 1);
}

static void give_back(struct agent *agent, struct agent_task *task)
{
    mem_free(task->more);
    task->task = TASK_NONE;
    pool_give(agent->tasks, task->number);
}

void table_remove(struct agent *agent, struct agent_task *task)
{
    size_t at = lower_bound(agent, task->task);
    assert(at < agent->entry_count && table_task(agent, at) == task);
    assert(task->report_seq == 0 && task->stage == STAGE_DONE);
    give_back(agent, task);
    agent->entry_count--;
    memmove(agent->entries + at, agent->entries + at + 1,
            (agent->entry_count - at) * sizeof *agent->entries);
}

void table_free(struct agent *agent)
{
    for (size_t i = 0; i < agent->entry_count; i++)
        give_back(agent, table_task(agent, i));
    mem_free(agent->entries);
}
