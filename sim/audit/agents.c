/* agents.c -- what really runs on the hosts, from the orders of agents and what came of them. */
#include "sim/audit/audit_internal.h"

static struct audit_slot *slot_at(struct audit *audit, uint32_t host)
{
    while (audit->slots.count <= host)
        *vec_push(&audit->slots) = (struct audit_slot){.instance = INSTANCE_NONE};
    return &audit->slots.items[host];
}

void agents_prefetch(const struct audit *audit, uint32_t host, task_id task, bool is_near)
{
    if (host >= audit->slots.count)
        return;
    const struct audit_slot *slot = &audit->slots.items[host];
    if (is_near) {
        hosts_prefetch(audit, slot->instance, false);
        __builtin_prefetch(slot->runs.items, 1);
        return;
    }
    uint32_t at = task == TASK_NONE ? ID_ABSENT : id_table_get(&audit->run_at, task);
    if (at != ID_ABSENT)
        audit_prefetch(&audit->runs.items[at], sizeof(struct audit_run));
    audit_prefetch(slot, sizeof *slot);
}

static void ceased(struct audit *audit, struct audit_run *run)
{
    struct audit_slot *slot = &audit->slots.items[run->host];
    slot->cpu_alive -= run->cpu_units;
    slot->mem_alive -= run->mem_mib;
    slot->gpu_alive -= run->gpu_milli;
}

static void forget(struct audit *audit, uint32_t at)
{
    struct audit_run *run = &audit->runs.items[at];
    struct audit_slot *slot = &audit->slots.items[run->host];
    if (run->alive != 0)
        ceased(audit, run);
    for (size_t i = 0; i < slot->runs.count; i++)
        if (slot->runs.items[i] == at) {
            slot->runs.items[i] = slot->runs.items[--slot->runs.count];
            break;
        }
    id_table_remove(&audit->run_at, run->task);
    *vec_push(&audit->free_runs) = at;
}

static void removed(struct audit *audit, task_id task)
{
    uint32_t at = id_table_get(&audit->run_at, task);
    if (at != ID_ABSENT)
        forget(audit, at);
}

static void forget_all(struct audit *audit, uint32_t host)
{
    struct audit_slot *slot = slot_at(audit, host);
    while (slot->runs.count > 0)
        forget(audit, slot->runs.items[slot->runs.count - 1]);
}

void agents_power(struct audit *audit, uint32_t host, enum host_power after)
{
    struct audit_slot *slot = slot_at(audit, host);
    struct audit_host *instance = audit_find_host(audit, slot->instance);
    if (after == HOST_OFF)
        forget_all(audit, host);
    if (instance != NULL)
        instance->disturbed_ns = audit->now_ns;
}

static struct audit_run *begin(struct audit *audit, uint32_t host,
                               const struct task_payload *payload)
{
    uint32_t at = id_table_get(&audit->run_at, payload->task);
    if (at != ID_ABSENT)
        return &audit->runs.items[at];
    if (audit->free_runs.count > 0) {
        at = audit->free_runs.items[--audit->free_runs.count];
    } else {
        at = (uint32_t)audit->runs.count;
        (void)vec_push(&audit->runs);
    }
    struct audit_run *run = &audit->runs.items[at];
    *run = (struct audit_run){.task = payload->task,
                              .host = host,
                              .def = payload->def,
                              .cpu_units = payload->cpu_units,
                              .mem_mib = payload->mem_mib};
    for (uint16_t i = 0; i < payload->grant_count; i++)
        run->gpu_milli += payload->grants[i].milli;
    id_table_put(&audit->run_at, payload->task, at);
    *vec_push(&slot_at(audit, host)->runs) = at;
    return run;
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
static void came_alive(struct audit *audit, struct audit_run *run)
{
    struct audit_slot *slot = &audit->slots.items[run->host];
    const struct audit_host *host = audit_find_host(audit, slot->instance);
    const struct demand *demand = &run->def->demand;
    slot->cpu_alive += run->cpu_units;
    slot->mem_alive += run->mem_mib;
    slot->gpu_alive += run->gpu_milli;
    AUDIT_CHECK(audit, INVARIANT_AGENT_OVERCOMMIT,
                host != NULL && slot->cpu_alive <= host->cpu_units &&
                    slot->mem_alive <= host->mem_mib && slot->gpu_alive <= host->gpu_milli,
                "instance %u runs tasks of %d CPU units, %d MiB and %u thousandths of GPUs",
                slot->instance, slot->cpu_alive, slot->mem_alive, slot->gpu_alive);
    if (demand->tcp_port_count + demand->udp_port_count == 0)
        return;
    for (size_t i = 0; i < slot->runs.count; i++) {
        const struct audit_run *other = &audit->runs.items[slot->runs.items[i]];
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

static void ordered_start(struct audit *audit, uint32_t host, const struct agent_action *action)
{
    struct audit_run *run = begin(audit, host, &action->payload);
    uint16_t bit = (uint16_t)(1u << action->container);
    const struct container_def *container = &run->def->containers[action->container];
    AUDIT_CHECK(audit, INVARIANT_ONE_CONTAINER, run->host == host && (run->alive & bit) == 0,
                "container %s of task %llu is started on host %u and lives on host %u",
                container->name, (unsigned long long)run->task, host, run->host);
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
        came_alive(audit, run);
}

/* The engine came back without its containers. */
static void engine_emptied(struct audit *audit, uint32_t host)
{
    struct audit_slot *slot = slot_at(audit, host);
    for (size_t i = 0; i < slot->runs.count; i++) {
        struct audit_run *run = &audit->runs.items[slot->runs.items[i]];
        if (run->alive != 0)
            ceased(audit, run);
        run->exited |= run->alive;
        run->alive = 0;
    }
}

static void happened(struct audit *audit, const struct agent_event *event)
{
    uint32_t at = id_table_get(&audit->run_at, event->task);
    if (at == ID_ABSENT)
        return;
    struct audit_run *run = &audit->runs.items[at];
    uint16_t bit = (uint16_t)(1u << event->container), was_alive = run->alive;
    if (event->kind == AGENT_EVENT_STARTED) {
        run->started |= bit;
    } else if (event->kind == AGENT_EVENT_HEALTH) {
        if (event->health == HEALTH_HEALTHY)
            run->healthy |= bit;
    } else if (event->kind == AGENT_EVENT_EXITED || event->kind == AGENT_EVENT_START_FAILED) {
        run->alive &= (uint16_t)~bit;
        run->exited |= bit;
        if (event->kind == AGENT_EVENT_EXITED && event->exit_code == 0)
            run->succeeded |= bit;
        if (was_alive != 0 && run->alive == 0)
            ceased(audit, run);
    }
}

void agents_stepped(struct audit *audit, uint32_t host, instance_id instance,
                    const struct agent *agent, const struct agent_event *event,
                    const struct agent_action_list *actions)
{
    const struct audit_host *registered = audit_find_host(audit, instance);
    int32_t cpu_units = 0, mem_mib = 0;
    slot_at(audit, host)->instance = instance;
    if (event->kind == AGENT_EVENT_ENGINE_RESTARTED && !event->keeps_containers)
        engine_emptied(audit, host);
    else
        happened(audit, event);
    for (size_t i = 0; i < actions->count; i++) {
        const struct agent_action *action = &actions->items[i];
        if (action->kind == AGENT_ACTION_START)
            ordered_start(audit, host, action);
        else if (action->kind == AGENT_ACTION_REMOVE)
            removed(audit, action->task);
    }
    agent_granted(agent, &cpu_units, &mem_mib);
    if (registered != NULL)
        AUDIT_CHECK(audit, INVARIANT_AGENT_OVERCOMMIT,
                    cpu_units <= registered->cpu_units && mem_mib <= registered->mem_mib,
                    "the agent of instance %u has granted %d CPU units and %d MiB", instance,
                    cpu_units, mem_mib);
}

void agents_destroy(struct audit *audit)
{
    for (size_t i = 0; i < audit->slots.count; i++)
        vec_free(&audit->slots.items[i].runs);
    vec_free(&audit->slots);
    vec_free(&audit->runs);
    vec_free(&audit->free_runs);
    id_table_free(&audit->run_at);
}
