/* register.c -- hosts boot, and register as container instances. */
#include <assert.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "sim/fleet/host.h"

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

void host_gone(struct fleet *fleet, instance_id instance)
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

void host_booted(struct fleet *fleet, uint32_t host, uint64_t power_epoch)
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

uint32_t fleet_host_of_token(const struct fleet *fleet, uint64_t token)
{
    uint32_t host = (uint32_t)(token & UINT32_MAX) - 1;
    return token == token_of(fleet, host) ? host : HOST_NONE;
}
