/* hosts.c -- container instances: what they registered, what is held there, what may come. */
#include <string.h>

#include "sim/audit/audit_internal.h"

struct audit_host *audit_find_host(struct audit *audit, instance_id instance)
{
    if (instance >= audit->hosts.count || !audit->hosts.items[instance].is_known)
        return NULL;
    return &audit->hosts.items[instance];
}

void hosts_prefetch(const struct audit *audit, instance_id instance, bool is_near)
{
    if (instance >= audit->hosts.count)
        return;
    const struct audit_host *host = &audit->hosts.items[instance];
    if (is_near)
        __builtin_prefetch(host->groups.items, 1);
    else
        audit_prefetch(host, sizeof *host);
}

static void touch_host(struct audit *audit, instance_id instance)
{
    if (audit->hosts.items[instance].is_touched)
        return;
    audit->hosts.items[instance].is_touched = true;
    *vec_push(&audit->touched_hosts) = instance;
}

static void add_port(struct audit_host *host, uint16_t port, bool is_udp)
{
    *vec_push(&host->ports) = (uint32_t)port * 2 + is_udp;
}

static bool has_port(const struct audit_host *host, uint16_t port, bool is_udp)
{
    for (size_t i = 0; i < host->ports.count; i++)
        if (host->ports.items[i] == (uint32_t)port * 2 + is_udp)
            return true;
    return false;
}

static void drop_port(struct audit_host *host, uint16_t port, bool is_udp)
{
    for (size_t i = 0; i < host->ports.count; i++)
        if (host->ports.items[i] == (uint32_t)port * 2 + is_udp) {
            host->ports.items[i] = host->ports.items[--host->ports.count];
            return;
        }
}

static struct audit_host *host_at(struct audit *audit, instance_id instance)
{
    while (audit->hosts.count <= instance)
        *vec_push(&audit->hosts) = (struct audit_host){.status = INSTANCE_INACTIVE};
    return &audit->hosts.items[instance];
}

static void registered(struct audit *audit, instance_id instance,
                       const struct event_register_instance *with)
{
    struct audit_host *host = host_at(audit, instance);
    host->is_connected = true;
    host->disturbed_ns = audit->upset_ns = audit->now_ns;
    if (host->is_known)
        return;
    host->is_known = true;
    host->cpu_units = with->cpu_units;
    host->mem_mib = with->mem_mib;
    host->gpu_milli = 1000u * with->gpu_count;
    for (uint16_t i = 0; i < with->tcp_port_count; i++)
        add_port(host, with->tcp_ports_used[i], false);
    for (uint16_t i = 0; i < with->udp_port_count; i++)
        add_port(host, with->udp_ports_used[i], true);
    for (uint32_t i = 0; i < with->attribute_count; i++)
        *vec_push(&host->attributes) = (struct audit_attribute){
            mem_copy_text(with->attributes[i].name), mem_copy_text(with->attributes[i].value)};
}

static void read_status(struct audit *audit, instance_id instance)
{
    const struct cluster *cluster = controller_cluster(audit->controller);
    enum instance_status status = cluster_instance(cluster, instance)->status;
    struct audit_host *host = host_at(audit, instance);
    if (host->status != status)
        audit->upset_ns = audit->now_ns;
    host->status = status;
}

static void connected(struct audit *audit, instance_id instance, bool is_connected)
{
    struct audit_host *host = audit_find_host(audit, instance);
    if (host == NULL)
        return;
    host->is_connected = is_connected;
    host->disturbed_ns = audit->upset_ns = audit->now_ns;
}

void hosts_changed(struct audit *audit, const struct event *event, instance_id instance)
{
    if (event->kind == EVENT_REGISTER_INSTANCE && audit_find_host(audit, instance) == NULL)
        registered(audit, instance, &event->u.register_instance);
    read_status(audit, instance);
}

void hosts_replied(struct audit *audit, const struct event *event, const struct reply *reply)
{
    if (reply->status == REPLY_OK && reply->command == EVENT_REGISTER_INSTANCE)
        registered(audit, reply->u.instance, &event->u.register_instance);
}

void hosts_event(struct audit *audit, const struct event *event)
{
    if (event->kind == EVENT_AGENT_CONNECTED || event->kind == EVENT_AGENT_DISCONNECTED)
        connected(audit, event->u.agent, event->kind == EVENT_AGENT_CONNECTED);
}

static struct audit_group *group_on(struct audit_host *host, group_id group)
{
    for (size_t i = 0; i < host->groups.count; i++)
        if (host->groups.items[i].group == group)
            return &host->groups.items[i];
    *vec_push(&host->groups) = (struct audit_group){group, 0};
    return &host->groups.items[host->groups.count - 1];
}

static void check_rules(struct audit *audit, const struct audit_task *task, struct audit_host *host)
{
    const struct audit_service *service = audit_find_service(audit, task->service);
    uint32_t at = service != NULL ? service->rules : task->rules;
    for (size_t i = 0; i < task->def->member_of_count; i++)
        AUDIT_CHECK(audit, INVARIANT_MEMBER_OF, member_of(host, task->def->member_of[i]) != 0,
                    "task %llu on instance %u: %s", (unsigned long long)task->task, task->instance,
                    task->def->member_of[i]);
    if (at == SLOT_NONE)
        return;
    const struct audit_rules *rules = &audit->rules.items[at];
    for (size_t i = 0; i < rules->expressions.count; i++)
        AUDIT_CHECK(audit, INVARIANT_MEMBER_OF, member_of(host, rules->expressions.items[i]) != 0,
                    "task %llu on instance %u: %s", (unsigned long long)task->task, task->instance,
                    rules->expressions.items[i]);
    if (rules->is_distinct)
        AUDIT_CHECK(audit, INVARIANT_DISTINCT, group_on(host, task->group)->tasks == 0,
                    "task %llu joined %u of its group on instance %u",
                    (unsigned long long)task->task, group_on(host, task->group)->tasks,
                    task->instance);
}

static void take_ports(struct audit *audit, struct audit_host *host, const struct audit_task *task)
{
    const struct demand *demand = &task->def->demand;
    for (int is_udp = 0; is_udp < 2; is_udp++) {
        const uint16_t *ports = is_udp ? demand->udp_ports : demand->tcp_ports;
        uint16_t count = is_udp ? demand->udp_port_count : demand->tcp_port_count;
        for (uint16_t i = 0; i < count; i++) {
            AUDIT_CHECK(audit, INVARIANT_NO_OVERCOMMIT, !has_port(host, ports[i], is_udp != 0),
                        "task %llu takes port %u of instance %u, which is held",
                        (unsigned long long)task->task, ports[i], task->instance);
            add_port(host, ports[i], is_udp != 0);
        }
    }
}

void hosts_check_place(struct audit *audit, const struct audit_task *task)
{
    struct audit_host *host = host_at(audit, task->instance);
    AUDIT_CHECK(audit, INVARIANT_ELIGIBLE,
                host->is_known && host->status == INSTANCE_ACTIVE && host->is_connected,
                "task %llu on instance %u, which is %s and %sconnected",
                (unsigned long long)task->task, task->instance, instance_status_names[host->status],
                host->is_connected ? "" : "not ");
    check_rules(audit, task, host);
}

void hosts_take(struct audit *audit, const struct audit_task *task)
{
    struct audit_host *host = host_at(audit, task->instance);
    host->cpu_held += task->cpu_units;
    host->mem_held += task->mem_mib;
    host->gpu_held += task->gpu_milli;
    take_ports(audit, host, task);
    AUDIT_CHECK(audit, INVARIANT_NO_OVERCOMMIT,
                host->cpu_held <= host->cpu_units && host->mem_held <= host->mem_mib &&
                    host->gpu_held <= host->gpu_milli,
                "instance %u: %d of %d CPU units, %d of %d MiB, %u of %u thousandths of GPUs held",
                task->instance, host->cpu_held, host->cpu_units, host->mem_held, host->mem_mib,
                host->gpu_held, host->gpu_milli);
    group_on(host, task->group)->tasks++;
    touch_host(audit, task->instance);
}

void hosts_leave(struct audit *audit, const struct audit_task *task)
{
    struct audit_host *host = &audit->hosts.items[task->instance];
    struct audit_group *group = group_on(host, task->group);
    if (--group->tasks == 0)
        *group = host->groups.items[--host->groups.count];
}

void hosts_free(struct audit *audit, const struct audit_task *task)
{
    const struct demand *demand = &task->def->demand;
    struct audit_host *host = &audit->hosts.items[task->instance];
    host->cpu_held -= task->cpu_units;
    host->mem_held -= task->mem_mib;
    host->gpu_held -= task->gpu_milli;
    for (uint16_t i = 0; i < demand->tcp_port_count; i++)
        drop_port(host, demand->tcp_ports[i], false);
    for (uint16_t i = 0; i < demand->udp_port_count; i++)
        drop_port(host, demand->udp_ports[i], true);
    touch_host(audit, task->instance);
}

/* The books against what placement reads. */
void hosts_check(struct audit *audit)
{
    const struct cluster *cluster = controller_cluster(audit->controller);
    for (size_t i = 0; i < audit->touched_hosts.count; i++) {
        instance_id id = audit->touched_hosts.items[i];
        struct audit_host *host = &audit->hosts.items[id];
        const struct instance *instance = cluster_instance(cluster, id);
        uint32_t gpu_free = 0;
        for (uint16_t card = 0; card < instance->gpu_count; card++)
            gpu_free += instance->gpu_free_milli[card];
        AUDIT_CHECK(audit, INVARIANT_REMAINING,
                    instance->cpu_remaining == host->cpu_units - host->cpu_held &&
                        instance->mem_remaining == host->mem_mib - host->mem_held &&
                        gpu_free == host->gpu_milli - host->gpu_held &&
                        (size_t)instance->tcp.count + instance->udp.count == host->ports.count,
                    "instance %u: %d CPU units, %d MiB, %u GPU and %u ports left or held, not %d, "
                    "%d, %u and %u",
                    id, instance->cpu_remaining, instance->mem_remaining, gpu_free,
                    (unsigned)instance->tcp.count + instance->udp.count,
                    host->cpu_units - host->cpu_held, host->mem_mib - host->mem_held,
                    host->gpu_milli - host->gpu_held, (unsigned)host->ports.count);
        host->is_touched = false;
    }
    vec_clear(&audit->touched_hosts);
}

/* Its registration was not durable: another machine may get the number. */
static void forget_host(struct audit_host *host)
{
    for (size_t i = 0; i < host->attributes.count; i++) {
        mem_free(host->attributes.items[i].name);
        mem_free(host->attributes.items[i].value);
    }
    vec_free(&host->attributes);
    vec_free(&host->ports);
    vec_free(&host->groups);
    *host = (struct audit_host){.status = INSTANCE_INACTIVE};
}

/* Before the books are filled again from a controller that was loaded. */
void hosts_clear(struct audit *audit)
{
    const struct cluster *cluster = controller_cluster(audit->controller);
    uint32_t kept = cluster_instance_count(cluster);
    agents_reloaded(audit);
    for (uint32_t i = 0; i < audit->tasks.count; i++) {
        const struct audit_task *task = task_at(audit, i);
        if (task->is_live && task->instance != INSTANCE_NONE && task->instance < kept &&
            task->last_status != TASK_STOPPED)
            hosts_free(audit, task);
    }
    for (instance_id id = 0; id < audit->hosts.count; id++) {
        struct audit_host *host = &audit->hosts.items[id];
        if (id >= kept) {
            forget_host(host);
            continue;
        }
        const struct instance *instance = cluster_instance(cluster, id);
        host->status = instance->status;
        host->is_connected = instance->is_agent_connected;
        host->disturbed_ns = audit->now_ns;
        vec_clear(&host->groups);
        touch_host(audit, id);
    }
}

void hosts_destroy(struct audit *audit)
{
    for (size_t i = 0; i < audit->hosts.count; i++)
        forget_host(&audit->hosts.items[i]);
    vec_free(&audit->hosts);
    vec_free(&audit->touched_hosts);
}
