/*
 * fleet.c -- slots of hosts, and which part of the fleet an event is for.
 *
 * One agent core per host (steps.c), which registers (register.c) and whose messages travel as
 * queued events (network.c). Nothing here repairs a loss (loss.c): the agent's at-least-once
 * reports and the controller's payloads after a reconnect do, as they would on a real network.
 */
#include "sim/fleet/fleet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/fleet/host.h"

static uint32_t add_host(struct fleet *fleet, uint32_t g)
{
    const struct scenario_group *group = &fleet->scenario->groups[g];
    uint32_t index = fleet->host_count++, place = fleet->added[g]++;
    (void)pool_take(&fleet->hosts);
    *host_at(fleet, index) = (struct host){
        .number = index,
        .group = g,
        .zone = group->zone_count > 0 ? group->zones[place % group->zone_count] : "",
        .rack = scenario_rack(group, place),
        .cpu_units = group->cpu_units,
        .mem_mib = group->mem_mib,
        .instance = INSTANCE_NONE,
        .is_fresh = true,
        .slowness = 1,
        .timer_at_ns = BERTH_NS_NEVER,
        .network.key = rng_key(fleet->key, "network", index),
        .disk.disk = fleet->disk_count++,
    };
    return index;
}

static void add_hosts(struct fleet *fleet)
{
    const struct scenario *scenario = fleet->scenario;
    for (uint32_t g = 0; g < scenario->group_count; g++)
        for (uint32_t i = 0; i < scenario->groups[g].count; i++)
            (void)add_host(fleet, g);
}

static bool is_always_well(const struct scenario_task_def *def)
{
    const struct behaviour_delay warm = behaviour_delay(&def->healthy_after);
    for (size_t i = 0; i < def->def->container_count; i++)
        if (container_def_has_health_check(&def->def->containers[i]))
            return false;
    return warm.drawn == NULL && warm.constant_ns == 0 && !(def->unhealthy_probability > 0) &&
           !def->has_unhealthy;
}

/* What is the same for all tasks of a definition. */
static void read_definitions(struct fleet *fleet)
{
    const struct scenario *scenario = fleet->scenario;
    for (uint32_t i = 0; i < scenario->task_def_count; i++) {
        const struct scenario_task_def *def = &scenario->task_defs[i];
        fleet->definitions[i] = (struct fleet_definition){
            .scenario = def,
            .start =
                behaviour_delay(def->has_start ? &def->start : &scenario->delays.container_start),
            .stop = behaviour_delay(def->has_stop ? &def->stop : &scenario->delays.container_stop),
            .healthy_after = behaviour_delay(&def->healthy_after),
            .main = behaviour_main_container(def->def),
            .container_count = (uint16_t)def->def->container_count,
            .may_crash = def->crash_probability > 0 || def->oom_probability > 0,
            .is_always_well = is_always_well(def),
        };
    }
}

/* Definitions whose first container has the same image share it on a host's disk. */
static void number_images(struct fleet *fleet)
{
    const struct scenario *scenario = fleet->scenario;
    struct symbols *names = symbols_create();
    struct map first = MAP_INIT;
    for (uint32_t i = 0; i < scenario->task_def_count; i++) {
        const struct task_def *def = scenario->task_defs[i].def;
        const char *image = def->container_count > 0 ? def->containers[0].image : NULL;
        fleet->definitions[i].image = i;
        if (image == NULL || image[0] == '\0')
            continue;
        symbol name = symbols_add(names, image);
        uint32_t known = map_get(&first, name);
        if (known == MAP_ABSENT)
            map_put(&first, name, i);
        else
            fleet->definitions[i].image = known;
    }
    map_free(&first);
    symbols_destroy(names);
}

struct fleet *fleet_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct sim_queue *queue, const struct fleet_ops *ops, void *context)
{
    struct fleet *fleet = mem_alloc(sizeof *fleet);
    fleet->scenario = scenario;
    fleet->key = key;
    fleet->end_ns = end_ns;
    fleet->queue = queue;
    fleet->ops = ops;
    fleet->context = context;
    fleet->registering = HOST_NONE;
    fleet->network = behaviour_delay(&scenario->delays.network);
    fleet->pull_overhead = behaviour_delay(&scenario->delays.pull_overhead);
    fleet->hosts = (struct pool)POOL_INIT(struct host);
    fleet->tasks = (struct pool)POOL_INIT(struct sim_task);
    fleet->more_containers = (struct pool)POOL_INIT(struct more_containers);
    fleet->parcels = (struct parcels)PARCELS_INIT;
    fleet->images = (struct images)IMAGES_INIT;
    fleet->arrived.kind = EVENT_MESSAGE;
    fleet->agent_pool = agent_pool_create();
    fleet->added = mem_alloc((scenario->group_count + 1) * sizeof *fleet->added);
    fleet->definitions = mem_alloc((scenario->task_def_count + 1) * sizeof *fleet->definitions);
    add_hosts(fleet);
    read_definitions(fleet);
    number_images(fleet);
    return fleet;
}

struct host_trouble *host_trouble(struct host *host)
{
    if (host->trouble == NULL)
        host->trouble = mem_alloc(sizeof *host->trouble);
    return host->trouble;
}

static void free_trouble(struct host *host)
{
    if (host->trouble == NULL)
        return;
    vec_free(&host->trouble->deferred);
    vec_free(&host->trouble->awaited);
    vec_free(&host->trouble->held);
    mem_free(host->trouble);
}

void fleet_destroy(struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    for (uint32_t i = 0; i < fleet->host_count; i++) {
        agent_destroy(host_at(fleet, i)->agent);
        free_trouble(host_at(fleet, i));
    }
    agent_pool_destroy(fleet->agent_pool);
    pool_free(&fleet->hosts);
    mem_free(fleet->added);
    mem_free(fleet->definitions);
    vec_free(&fleet->host_of);
    pool_free(&fleet->tasks);
    pool_free(&fleet->more_containers);
    parcels_free(&fleet->parcels);
    images_free(&fleet->images);
    agent_action_list_free(&fleet->actions);
    map_free(&fleet->definition_of);
    vec_free(&fleet->defined);
    map_free(&fleet->group_of);
    vec_free(&fleet->groups);
    mem_free(fleet);
}

uint32_t fleet_host_count(const struct fleet *fleet)
{
    return fleet->host_count;
}

struct host_view fleet_host(const struct fleet *fleet, uint32_t host)
{
    const struct host *h = host_at(fleet, host);
    return (struct host_view){
        .group = h->group,
        .zone = h->zone,
        .rack = h->rack,
        .instance = h->instance,
        .power = (enum host_power)h->power,
        .is_linked = h->is_linked,
        .is_registered = h->is_registered,
        .is_lost = h->causes > 0,
        .is_retired = h->is_retired,
        .is_wiped =
            h->power == HOST_OFF && (h->is_fresh || (h->causes > 0 && h->mode == LOSS_TERMINATE)),
        .is_fresh = h->is_fresh,
        .cpu_units = h->cpu_units,
        .mem_mib = h->mem_mib,
        .fargate_task = h->fargate_task,
    };
}

/* Only the last instance of a host: an earlier one is nobody's. */
uint32_t fleet_host_of(const struct fleet *fleet, instance_id instance)
{
    if (instance >= fleet->host_of.count)
        return HOST_NONE;
    uint32_t host = fleet->host_of.items[instance];
    return host != HOST_NONE && host_at(fleet, host)->instance == instance ? host : HOST_NONE;
}

uint64_t fleet_agent_steps(const struct fleet *fleet)
{
    return fleet->agent_steps;
}

uint32_t fleet_task_count(const struct fleet *fleet)
{
    return fleet->task_count;
}

void fleet_define(struct fleet *fleet, uint32_t index, const struct task_def *def)
{
    map_put(&fleet->definition_of, (uint64_t)(uintptr_t)def, index);
    while (fleet->defined.count <= def->number)
        *vec_push(&fleet->defined) = (struct fleet_defined){0};
    fleet->defined.items[def->number] = (struct fleet_defined){def, index};
}

void host_set_power(struct fleet *fleet, uint32_t host, enum host_power power)
{
    struct host *h = host_at(fleet, host);
    enum host_power before = (enum host_power)h->power;
    h->power = (uint8_t)power;
    if (before != power)
        fleet->ops->power(fleet->context, host, before, power);
}

berth_ns fleet_draw_boot(struct fleet *fleet, uint32_t group)
{
    const struct scenario_group *of = &fleet->scenario->groups[group];
    struct rng stream = {rng_key(fleet->key, of->name, fleet->added[group]), 0};
    return distribution_draw_ns(of->has_boot ? &of->boot : &fleet->scenario->delays.boot, &stream);
}

uint32_t fleet_add(struct fleet *fleet, berth_ns now_ns, const struct fleet_machine *machine)
{
    uint32_t host = add_host(fleet, machine->group);
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    h->fargate_task = machine->fargate_task;
    if (machine->zone != NULL)
        h->zone = machine->zone;
    if (machine->fargate_task != TASK_NONE) {
        h->cpu_units = machine->cpu_units;
        h->mem_mib = machine->mem_mib;
    }
    host_boot(fleet, host, machine->boot_ns);
    return host;
}

/* Were the first fleet to boot, services would be placed on whichever hosts happen to come first.
 */
void fleet_start(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->host_count; i++)
        host_boot(fleet, i, 0);
}

void fleet_dispatch(struct fleet *fleet, berth_ns now_ns, const struct sim_event *event)
{
    fleet->now_ns = now_ns;
    switch ((enum fleet_event)event->kind) {
    case FLEET_BOOTED:
        host_booted(fleet, event->a, event->b);
        break;
    case FLEET_MESSAGE_DOWN:
        host_message_down(fleet, event);
        break;
    case FLEET_MESSAGE_UP:
        host_message_up(fleet, event);
        break;
    case FLEET_ACK_DOWN:
        host_ack_down(fleet, event);
        break;
    case FLEET_ACK_UP:
        host_ack_up(fleet, event);
        break;
    case FLEET_TIMER:
        host_timer_fires(fleet, event->a, event->b);
        break;
    case FLEET_RUNTIME:
        runtime_event(fleet, event);
        break;
    case FLEET_DETECTED:
        host_detected(fleet, event->a, event->b);
        break;
    case FLEET_NOTICE:
        host_notice_arrived(fleet, event->a, event->b);
        break;
    case FLEET_STALLED:
        host_stalled(fleet, event->a, event->b);
        break;
    case FLEET_UNACKED:
        host_unacked(fleet, event);
        break;
    case FLEET_REJOIN:
        host_rejoin(fleet, event->a, event->b);
        break;
    case FLEET_GONE:
        host_gone(fleet, event->a);
        break;
    case FLEET_EVENT_COUNT:
        assert(event->kind < FLEET_EVENT_COUNT);
    }
}

static void prefetch_agent(const struct host *h)
{
    if (h->agent != NULL)
        agent_prefetch(h->agent);
}

/* Nobody has looked at the host or the task since the container was ordered, or longer. */
static void prefetch_runtime(const struct fleet *fleet, const struct sim_event *event,
                             enum fleet_look look)
{
    const struct host *h = host_at(fleet, (uint32_t)(event->b >> 32));
    if (look == FLEET_LOOK_NEARER)
        prefetch_agent(h);
    if (look != FLEET_LOOK_FAR)
        return;
    __builtin_prefetch(h, 1);
    __builtin_prefetch(task_at(fleet, event->a), 1);
    agent_pool_prefetch(fleet->agent_pool, event->a);
}

/* The host was looked at when the message was sent. */
static void prefetch_message(const struct fleet *fleet, const struct sim_event *event,
                             enum fleet_look look)
{
    const struct host *h = host_at(fleet, event->a);
    if (look == FLEET_LOOK_FAR)
        prefetch_agent(h);
    if (look != FLEET_LOOK_NEARER || h->agent == NULL)
        return;
    __builtin_prefetch(&h->disk, 1);
    agent_prefetch_end(h->agent);
}

/* Acks and reports follow at once upon a step of the agent, as a pull of what is there does. */
void fleet_prefetch(const struct fleet *fleet, const struct sim_event *event, enum fleet_look look)
{
    if (event->kind == FLEET_RUNTIME && (event->c & 0xff) != OUTCOME_PULLED)
        prefetch_runtime(fleet, event, look);
    else if (event->kind == FLEET_MESSAGE_DOWN)
        prefetch_message(fleet, event, look);
    else if (event->kind == FLEET_TIMER && look == FLEET_LOOK_FAR)
        __builtin_prefetch(host_at(fleet, event->a), 1);
    else if (event->kind == FLEET_TIMER && look == FLEET_LOOK_NEARER)
        prefetch_agent(host_at(fleet, event->a));
}

bool fleet_steps(const struct fleet *fleet, const struct sim_event *event, uint32_t *host,
                 task_id *task)
{
    bool is_runtime = event->kind == FLEET_RUNTIME;
    *host = is_runtime ? (uint32_t)(event->b >> 32) : event->a;
    *task = is_runtime ? task_at(fleet, event->a)->task : TASK_NONE;
    return is_runtime || event->kind == FLEET_MESSAGE_DOWN || event->kind == FLEET_TIMER;
}

const struct message *fleet_report(const struct fleet *fleet, const struct sim_event *event)
{
    if (event->kind != FLEET_MESSAGE_UP)
        return NULL;
    const struct message *message = parcels_open(&fleet->parcels, (uint32_t)event->b);
    return message->kind == MESSAGE_TASK_STATE ? message : NULL;
}

void fleet_audit(const struct fleet *fleet)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < fleet->host_count; i++) {
        const struct host *h = host_at(fleet, i);
        int32_t cpu_units = 0, mem_mib = 0;
        if (h->agent != NULL)
            agent_granted(h->agent, &cpu_units, &mem_mib);
        assert(cpu_units <= h->cpu_units && mem_mib <= h->mem_mib);
        assert(h->is_linked == (h->power == HOST_UP && h->causes == 0 && !h->is_cut));
        struct slot_list list = host_slots(fleet, h);
        for (uint32_t t = 0; t < list.count; t++)
            assert(task_at(fleet, list.slots[t])->host == i);
        held += list.count;
        mem_free(list.slots);
    }
    assert(held == fleet->task_count);
    (void)held;
}
