/*
 * fleet.c -- slots of hosts, their boot and registration, and the agents' timers.
 *
 * One agent core per host. Its messages travel as queued events (network.c). Nothing here repairs a
 * loss: the agent's at-least-once reports and the controller's payloads after a reconnect do, as
 * they would on a real network.
 *
 * Timers are lazy. A host has at most one queued timer that counts; an earlier deadline replaces it
 * (the old one is stale by its generation), a later or cancelled one lets it fire and look again.
 * So a steady host has none, and acknowledging a report costs no search in the queue.
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
}

void host_set_power(struct fleet *fleet, uint32_t host, enum host_power power)
{
    struct host *h = host_at(fleet, host);
    enum host_power before = (enum host_power)h->power;
    h->power = (uint8_t)power;
    if (before != power)
        fleet->ops->power(fleet->context, host, before, power);
}

static void arm_timer(struct fleet *fleet, struct host *h)
{
    berth_ns deadline_ns = agent_next_deadline(h->agent);
    if (deadline_ns >= h->timer_at_ns)
        return;
    h->timer_at_ns = deadline_ns > fleet->now_ns ? deadline_ns : fleet->now_ns;
    h->timer_generation++;
    fleet_queue(fleet, h->timer_at_ns, FLEET_TIMER, h->number, h->timer_generation, 0);
}

void fleet_send(struct fleet *fleet, berth_ns now_ns, const struct message *message)
{
    uint32_t host = fleet_host_of(fleet, message->instance);
    fleet->now_ns = now_ns;
    /* Work for an instance may be decided in the very step that registers it. */
    if (host == HOST_NONE && message->instance >= fleet->host_of.count)
        host = fleet->registering;
    else if (host != HOST_NONE && host_at(fleet, host)->is_fresh)
        return; /* The machine of that instance is no more; its successor waits for its answer. */
    if (host != HOST_NONE)
        host_message(fleet, host_at(fleet, host), false, message);
}

void host_step(struct fleet *fleet, struct host *h, const struct agent_event *event)
{
    struct step_time now = {fleet->now_ns, FLEET_WALL_EPOCH_NS + fleet->now_ns};
    agent_step(h->agent, now, event, &fleet->actions);
    fleet->agent_steps++;
    if (fleet->ops->stepped != NULL)
        fleet->ops->stepped(fleet->context, h->number, h->instance, h->agent, event,
                            &fleet->actions);
    for (size_t i = 0; i < fleet->actions.count; i++) {
        const struct agent_action *action = &fleet->actions.items[i];
        if (action->kind == AGENT_ACTION_SEND)
            host_message(fleet, h, true, &action->message);
        else
            runtime_order(fleet, h, action);
    }
    arm_timer(fleet, h);
}

static void timer_fires(struct fleet *fleet, uint32_t host, uint64_t generation)
{
    struct host *h = host_at(fleet, host);
    if (h->timer_generation != generation)
        return;
    h->timer_at_ns = BERTH_NS_NEVER;
    if (h->power != HOST_UP || h->agent == NULL)
        return;
    if (agent_next_deadline(h->agent) > fleet->now_ns)
        arm_timer(fleet, h);
    else
        host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_TIMER});
}

/* A reply that comes late must not be taken for another boot's. */
static uint64_t token_of(const struct fleet *fleet, uint32_t host)
{
    uint64_t boots = host_at(fleet, host)->power_epoch;
    return (boots > 0 ? boots - 1 : 0) << 32 | ((uint64_t)host + 1);
}

static void register_host(struct fleet *fleet, uint32_t host, instance_id existing)
{
    const struct host *h = host_at(fleet, host);
    const struct scenario_group *group = &fleet->scenario->groups[h->group];
    uint32_t count = 0;
    struct attribute_text *attributes =
        mem_alloc((group->attribute_count + 3) * sizeof *attributes);
    attributes[count++] = (struct attribute_text){"ecs.availability-zone", h->zone};
    if (group->instance_type != NULL && group->instance_type[0] != '\0')
        attributes[count++] = (struct attribute_text){"ecs.instance-type", group->instance_type};
    if (h->rack != NULL)
        attributes[count++] = (struct attribute_text){"berth.rack", h->rack};
    for (uint32_t i = 0; i < group->attribute_count; i++)
        attributes[count++] = group->attributes[i];
    char ec2_id[32];
    snprintf(ec2_id, sizeof ec2_id, "i-%09x%08x", host, h->disk.disk);
    struct event event = {
        .kind = EVENT_REGISTER_INSTANCE,
        .token = token_of(fleet, host),
        .u.register_instance =
            {
                .existing = existing,
                .ec2_id = ec2_id,
                .agent_version = "1.0.0",
                .cpu_units = h->cpu_units,
                .mem_mib = h->mem_mib,
                .provider = group->provider,
                .fargate_task = h->fargate_task,
                .gpu_count = group->gpu_count,
                .eni_limit = group->eni_limit,
                .tcp_ports_used = group->tcp_ports_used,
                .tcp_port_count = group->tcp_port_count,
                .attributes = attributes,
                .attribute_count = count,
            },
    };
    fleet->ops->event(fleet->context, &event);
    mem_free(attributes);
}

static void make_agent(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    const struct scenario_group *group = &fleet->scenario->groups[h->group];
    h->is_fresh = false;
    h->agent = agent_create(&(struct agent_config){
        .pool = fleet->agent_pool,
        .instance = h->instance,
        .cpu_units = h->cpu_units,
        .mem_mib = h->mem_mib,
        .gpu_count = group->gpu_count,
        .stop_timeout_ns = 30 * BERTH_NS_PER_S,
        .report_retry_ns = 10 * BERTH_NS_PER_S,
    });
    if (h->is_linked)
        host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_CONNECTED});
}

/* The reply may come long after the call: the machine that made it may be gone. */
void fleet_registered(struct fleet *fleet, berth_ns now_ns, uint64_t token, instance_id instance)
{
    uint32_t host = (uint32_t)(token & UINT32_MAX) - 1;
    assert((token & UINT32_MAX) >= 1 && host < fleet->host_count);
    struct host *h = host_at(fleet, host);
    fleet->now_ns = now_ns;
    while (fleet->host_of.count <= instance)
        *vec_push(&fleet->host_of) = HOST_NONE;
    if (token != token_of(fleet, host)) {
        if (h->instance != instance)
            fleet_queue(fleet, now_ns, FLEET_GONE, instance, 0, 0);
        return;
    }
    fleet->host_of.items[instance] = host;
    h->instance = instance;
    h->is_registered = true;
    if (h->is_fresh && h->power == HOST_UP)
        make_agent(fleet, host);
}

static void gone(struct fleet *fleet, instance_id instance)
{
    fleet->ops->event(fleet->context,
                      &(struct event){.kind = EVENT_DEREGISTER_INSTANCE,
                                      .u.deregister_instance = {.instance = instance,
                                                                .force = true,
                                                                .cause = DEREGISTER_TERMINATED}});
}

/* A new machine: a new instance, a new agent, an empty disk. */
void host_register(struct fleet *fleet, uint32_t host)
{
    struct host *h = host_at(fleet, host);
    host_link(fleet, host); /* a predecessor that nobody deregistered is missed now */
    h->is_registered = false;
    h->is_rebooted = false;
    fleet->registering = host;
    register_host(fleet, host, INSTANCE_NONE);
    fleet->registering = HOST_NONE;
}

/* The same machine: its agent has found its checkpoint, but no container. */
void host_register_again(struct fleet *fleet, uint32_t host)
{
    host_at(fleet, host)->is_rebooted = false;
    host_link(fleet, host);
    register_host(fleet, host, host_at(fleet, host)->instance);
}

static void booted(struct fleet *fleet, uint32_t host, uint64_t power_epoch)
{
    struct host *h = host_at(fleet, host);
    if (h->power_epoch != power_epoch || h->power != HOST_BOOTING)
        return;
    host_set_power(fleet, host, HOST_UP);
    if (!h->is_fresh) {
        h->is_rebooted = true;
        host_agent_step(fleet, host, &(struct agent_event){.kind = AGENT_EVENT_HOST_RESTARTED});
    }
    host_join(fleet, host);
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

uint32_t fleet_host_of_token(const struct fleet *fleet, uint64_t token)
{
    uint32_t host = (uint32_t)(token & UINT32_MAX) - 1;
    return token == token_of(fleet, host) ? host : HOST_NONE;
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
        booted(fleet, event->a, event->b);
        break;
    case FLEET_MESSAGE_DOWN:
    case FLEET_MESSAGE_UP:
    case FLEET_ACK_DOWN:
    case FLEET_ACK_UP:
        host_message_arrives(fleet, event);
        break;
    case FLEET_TIMER:
        timer_fires(fleet, event->a, event->b);
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
        gone(fleet, event->a);
        break;
    case FLEET_EVENT_COUNT:
        assert(event->kind < FLEET_EVENT_COUNT);
    }
}

static void prefetch_host(const struct fleet *fleet, uint32_t host, enum fleet_look look)
{
    const struct host *h = host_at(fleet, host);
    if (look == FLEET_LOOK_FAR)
        __builtin_prefetch(h, 1);
    else if (h->agent != NULL)
        agent_prefetch(h->agent, look == FLEET_LOOK_NEAR);
}

void fleet_prefetch(const struct fleet *fleet, const struct sim_event *event, enum fleet_look look)
{
    switch ((enum fleet_event)event->kind) {
    case FLEET_RUNTIME:
        if ((event->c & 0xff) < OUTCOME_EXITED)
            break; /* its order was given not long ago */
        prefetch_host(fleet, (uint32_t)(event->b >> 32), look);
        if (look == FLEET_LOOK_FAR) {
            __builtin_prefetch(task_at(fleet, event->a), 1);
            agent_pool_prefetch(fleet->agent_pool, event->a);
        }
        break;
    case FLEET_MESSAGE_DOWN:
    case FLEET_TIMER:
        prefetch_host(fleet, event->a, look);
        break;
    case FLEET_ACK_DOWN: /* these follow upon a step of the agent at once */
    case FLEET_MESSAGE_UP:
    case FLEET_ACK_UP:
    default:
        break;
    }
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
