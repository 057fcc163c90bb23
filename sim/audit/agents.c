/* agents.c -- what really runs on the hosts, from the orders of agents and what came of them. */
#include <string.h>

#include "sim/audit/audit_internal.h"

static void grow(struct audit *audit, uint32_t host)
{
    while (audit->slots.count <= host)
        *vec_push(&audit->slots) = (struct audit_slot){.instance = INSTANCE_NONE};
}

static struct audit_slot *slot_at(struct audit *audit, uint32_t host)
{
    if (host >= audit->slots.count)
        grow(audit, host);
    return &audit->slots.items[host];
}

/* The slot, then its runs: in order of their tasks, so that what is new and busy stands behind. */
void agents_prefetch(const struct audit *audit, uint32_t host, bool is_near)
{
    if (host >= audit->slots.count)
        return;
    const struct audit_slot *slot = &audit->slots.items[host];
    if (is_near)
        audit_prefetch(slot->runs.items, slot->runs.count * sizeof(struct audit_run));
    else
        audit_prefetch(slot, sizeof *slot);
}

/* Where the task stands among the slot's, or would stand. */
static size_t place_of(const struct audit_slot *slot, task_id task)
{
    size_t low = 0, high = slot->runs.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slot->runs.items[middle].task < task)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct audit_run *find(const struct audit_slot *slot, task_id task)
{
    size_t at = place_of(slot, task);
    bool is_there = at < slot->runs.count && slot->runs.items[at].task == task;
    return is_there ? &slot->runs.items[at] : NULL;
}

static void ceased(struct audit_slot *slot, const struct audit_run *run)
{
    slot->cpu_alive -= run->cpu_units;
    slot->mem_alive -= run->mem_mib;
    slot->gpu_alive -= run->gpu_milli;
}

static void removed(struct audit *audit, struct audit_slot *slot, task_id task)
{
    struct audit_run *run = find(slot, task);
    if (run == NULL)
        return;
    if (run->alive != 0)
        ceased(slot, run);
    size_t after = (size_t)(slot->runs.items + --slot->runs.count - run);
    memmove(run, run + 1, after * sizeof *run);
    id_table_remove(&audit->runs_on, task);
}

static void forget_all(struct audit *audit, struct audit_slot *slot)
{
    while (slot->runs.count > 0)
        removed(audit, slot, slot->runs.items[slot->runs.count - 1].task);
}

void agents_power(struct audit *audit, uint32_t host, enum host_power after)
{
    struct audit_slot *slot = slot_at(audit, host);
    struct audit_host *instance = audit_find_host(audit, slot->instance);
    if (after == HOST_OFF)
        forget_all(audit, slot);
    if (instance != NULL)
        instance->disturbed_ns = audit->now_ns;
}

void agents_reloaded(struct audit *audit)
{
    for (size_t i = 0; i < audit->slots.count; i++)
        audit->slots.items[i].is_known = false;
}

static struct audit_run *insert(struct audit_slot *slot, const struct task_payload *payload)
{
    size_t at = place_of(slot, payload->task);
    (void)vec_push(&slot->runs);
    struct audit_run *run = slot->runs.items + at;
    memmove(run + 1, run, (slot->runs.count - 1 - at) * sizeof *run);
    *run = (struct audit_run){.task = payload->task,
                              .def = payload->def,
                              .cpu_units = payload->cpu_units,
                              .mem_mib = payload->mem_mib};
    for (uint16_t i = 0; i < payload->grant_count; i++)
        run->gpu_milli += payload->grants[i].milli;
    return run;
}

/* The task's record here. NULL: it has one elsewhere, on the host *lives_on. */
static struct audit_run *begin(struct audit *audit, struct audit_slot *slot, uint32_t host,
                               const struct task_payload *payload, uint32_t *lives_on)
{
    struct audit_run *run = find(slot, payload->task);
    *lives_on = host;
    if (run != NULL)
        return run;
    uint32_t other = id_table_get(&audit->runs_on, payload->task);
    if (other != ID_ABSENT) {
        *lives_on = other;
        return NULL;
    }
    id_table_put(&audit->runs_on, payload->task, host);
    return insert(slot, payload);
}

static bool share_ports(const struct demand *a, const struct demand *b)
{
    for (uint16_t i = 0; i < a->tcp_port_count; i++)
        for (uint16_t j = 0; j < b->tcp_port_count; j++)
            if (a->tcp_ports[i] == b->tcp_ports[j])
                return true;
    for (uint16_t i = 0; i < a->udp_port_count; i++)
        for (uint16_t j = 0; j < b->udp_port_count; j++)
            if (a->udp_ports[i] == b->udp_ports[j])
                return true;
    return false;
}

/* The first container of a task that comes alive: does the host have room for the task? */
static void came_alive(struct audit *audit, struct audit_slot *slot, const struct audit_run *run)
{
    const struct demand *demand = &run->def->demand;
    slot->cpu_alive += run->cpu_units;
    slot->mem_alive += run->mem_mib;
    slot->gpu_alive += run->gpu_milli;
    AUDIT_CHECK(audit, INVARIANT_AGENT_OVERCOMMIT,
                slot->is_known && slot->cpu_alive <= slot->cpu_units &&
                    slot->mem_alive <= slot->mem_mib && slot->gpu_alive <= slot->gpu_milli,
                "instance %u runs tasks of %d CPU units, %d MiB and %u thousandths of GPUs",
                slot->instance, slot->cpu_alive, slot->mem_alive, slot->gpu_alive);
    if (demand->tcp_port_count + demand->udp_port_count == 0)
        return;
    for (size_t i = 0; i < slot->runs.count; i++) {
        const struct audit_run *other = &slot->runs.items[i];
        if (other != run && other->alive != 0)
            AUDIT_CHECK(
                audit, INVARIANT_AGENT_OVERCOMMIT, !share_ports(demand, &other->def->demand),
                "tasks %llu and %llu share a port of instance %u", (unsigned long long)run->task,
                (unsigned long long)other->task, slot->instance);
    }
}

static bool is_met(const struct audit_run *run, const struct container_dependency *dependency)
{
    uint16_t bit = (uint16_t)(1u << dependency->container);
    switch (dependency->condition) {
    case DEPENDS_START: /* one that ended before it ran has had its turn too, as in ECS */
        return ((run->started | run->exited) & bit) != 0;
    case DEPENDS_HEALTHY:
        return (run->healthy & bit) != 0;
    case DEPENDS_COMPLETE:
        return (run->exited & bit) != 0;
    case DEPENDS_SUCCESS:
        return (run->succeeded & bit) != 0;
    }
    return false;
}

static void ordered_start(struct audit *audit, struct audit_slot *slot, uint32_t host,
                          const struct agent_action *action)
{
    uint32_t lives_on;
    struct audit_run *run = begin(audit, slot, host, &action->payload, &lives_on);
    uint16_t bit = (uint16_t)(1u << action->container);
    const struct container_def *container = &action->payload.def->containers[action->container];
    AUDIT_CHECK(audit, INVARIANT_ONE_CONTAINER, run != NULL && (run->alive & bit) == 0,
                "container %s of task %llu is started on host %u and lives on host %u",
                container->name, (unsigned long long)action->task, host, lives_on);
    if (run == NULL)
        return;
    for (uint16_t i = 0; i < container->depends_on_count; i++) {
        const struct container_dependency *dependency = &container->depends_on[i];
        AUDIT_CHECK(audit, INVARIANT_DEPENDS_ON, is_met(run, dependency),
                    "container %s of task %llu is started before its turn: %s", container->name,
                    (unsigned long long)run->task,
                    run->def->containers[dependency->container].name);
    }
    bool was_alive = run->alive != 0;
    run->alive |= bit;
    if (!was_alive)
        came_alive(audit, slot, run);
}

/* The engine came back without its containers. */
static void engine_emptied(struct audit_slot *slot)
{
    for (size_t i = 0; i < slot->runs.count; i++) {
        struct audit_run *run = &slot->runs.items[i];
        if (run->alive != 0)
            ceased(slot, run);
        run->exited |= run->alive;
        run->alive = 0;
    }
}

/* What a container did; other events of an agent say nothing of one. */
static void happened(struct audit_slot *slot, const struct agent_event *event)
{
    bool is_end = event->kind == AGENT_EVENT_EXITED || event->kind == AGENT_EVENT_START_FAILED;
    if (!is_end && event->kind != AGENT_EVENT_STARTED && event->kind != AGENT_EVENT_HEALTH)
        return;
    struct audit_run *run = find(slot, event->task);
    if (run == NULL)
        return;
    uint16_t bit = (uint16_t)(1u << event->container), was_alive = run->alive;
    if (event->kind == AGENT_EVENT_STARTED) {
        run->started |= bit;
    } else if (event->kind == AGENT_EVENT_HEALTH) {
        if (event->health == HEALTH_HEALTHY)
            run->healthy |= bit;
    } else {
        run->alive &= (uint16_t)~bit;
        run->exited |= bit;
        if (event->kind == AGENT_EVENT_EXITED && event->exit_code == 0)
            run->succeeded |= bit;
        if (was_alive != 0 && run->alive == 0)
            ceased(slot, run);
    }
}

/* Asked again while it is not known, and once it is another one. */
static void read_instance(struct audit *audit, struct audit_slot *slot, instance_id instance)
{
    const struct audit_host *host = audit_find_host(audit, instance);
    slot->instance = instance;
    slot->is_known = host != NULL;
    if (host == NULL)
        return;
    slot->cpu_units = host->cpu_units;
    slot->mem_mib = host->mem_mib;
    slot->gpu_milli = host->gpu_milli;
}

void agents_stepped(struct audit *audit, uint32_t host, instance_id instance,
                    const struct agent *agent, const struct agent_event *event,
                    const struct agent_action_list *actions)
{
    struct audit_slot *slot = slot_at(audit, host);
    int32_t cpu_units = 0, mem_mib = 0;
    if (slot->instance != instance || !slot->is_known)
        read_instance(audit, slot, instance);
    if (event->kind == AGENT_EVENT_ENGINE_RESTARTED && !event->keeps_containers)
        engine_emptied(slot);
    else
        happened(slot, event);
    for (size_t i = 0; i < actions->count; i++) {
        const struct agent_action *action = &actions->items[i];
        if (action->kind == AGENT_ACTION_START)
            ordered_start(audit, slot, host, action);
        else if (action->kind == AGENT_ACTION_REMOVE)
            removed(audit, slot, action->task);
    }
    if (!slot->is_known)
        return;
    agent_granted(agent, &cpu_units, &mem_mib);
    AUDIT_CHECK(audit, INVARIANT_AGENT_OVERCOMMIT,
                cpu_units <= slot->cpu_units && mem_mib <= slot->mem_mib,
                "the agent of instance %u has granted %d CPU units and %d MiB", instance, cpu_units,
                mem_mib);
}

void agents_destroy(struct audit *audit)
{
    for (size_t i = 0; i < audit->slots.count; i++)
        vec_free(&audit->slots.items[i].runs);
    vec_free(&audit->slots);
    id_table_free(&audit->runs_on);
}
