/*
 * cluster.c -- container instances: adding, finding, status, attributes, what is left.
 *
 * Instances live in one array by number and are never taken out of it: a number is for ever, and an
 * INACTIVE instance costs its record. Every mutator has the same three steps: journal the way back,
 * change, note the instance for whoever follows (changes.h).
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

#define LINE_BYTES 64
#define OWN_PORTS_LOOK_BACK 16

_Static_assert(sizeof(struct instance) == 2 * LINE_BYTES, "struct instance says why");

const char *const instance_status_names[INSTANCE_STATUS_COUNT] = {
    "ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "INACTIVE",
};

struct cluster *cluster_create(struct symbols *symbols)
{
    struct cluster *cluster = mem_alloc(sizeof *cluster);
    cluster->symbols = symbols;
    cluster->empty_text = symbols_add(symbols, "");
    cluster->zone_name = symbols_add(symbols, "ecs.availability-zone");
    tracked_id zone = cluster_track(cluster, cluster->zone_name);
    assert(zone == TRACKED_ZONE);
    (void)zone;
    return cluster;
}

void cluster_destroy(struct cluster *cluster)
{
    if (cluster == NULL)
        return;
    for (instance_id id = 0; id < cluster->head.instance_count; id++) {
        struct instance *instance = cluster_writable(cluster, id);
        mem_free(instance->gpu_free_milli);
        mem_free(instance->groups);
        port_set_free(&instance->tcp);
        port_set_free(&instance->udp);
    }
    for (size_t i = 0; i < cluster->own_ports.count; i++) {
        port_set_free(&cluster->own_ports.items[i].tcp);
        port_set_free(&cluster->own_ports.items[i].udp);
    }
    attributes_free(cluster);
    groups_free(cluster);
    changes_free(&cluster->changes);
    mem_free(cluster->instance_memory);
    vec_free(&cluster->own_ports);
    vec_free(&cluster->own_ports_of);
    map_free(&cluster->by_name);
    vec_free(&cluster->journal);
    vec_free(&cluster->journal_words);
    mem_free(cluster);
}

struct symbols *cluster_symbols(const struct cluster *cluster)
{
    return cluster->symbols;
}

instance_id cluster_find_instance(const struct cluster *cluster, const char *name)
{
    symbol found = symbols_find(cluster->symbols, name);
    uint32_t id = found == SYMBOL_NONE ? MAP_ABSENT : map_get(&cluster->by_name, found);
    return id == MAP_ABSENT ? INSTANCE_NONE : id;
}

symbol instance_attribute(const struct instance *instance, symbol name, bool *exists)
{
    const struct attribute *found = attributes_find(instance->attributes, name);
    if (exists != NULL)
        *exists = found != NULL;
    return found == NULL ? SYMBOL_NONE : found->value;
}

symbol cluster_spread_value(const struct cluster *cluster, instance_id id, symbol name)
{
    symbol value = instance_attribute(cluster_instance(cluster, id), name, NULL);
    return value == cluster->empty_text ? SYMBOL_NONE : value;
}

/* A moment's look at the agent's ports: nearly every instance of a fleet has the same. */
static uint32_t own_ports_number(struct cluster *cluster, const struct instance_spec *spec)
{
    struct own_ports own = {{NULL, 0, 0}, {NULL, 0, 0}};
    port_set_assign(&own.tcp, spec->tcp_ports_used, spec->tcp_port_count);
    port_set_assign(&own.udp, spec->udp_ports_used, spec->udp_port_count);
    size_t count = cluster->own_ports.count;
    for (size_t i = count; i > 0 && i + OWN_PORTS_LOOK_BACK > count; i--)
        if (port_set_equals(&cluster->own_ports.items[i - 1].tcp, &own.tcp) &&
            port_set_equals(&cluster->own_ports.items[i - 1].udp, &own.udp)) {
            port_set_free(&own.tcp);
            port_set_free(&own.udp);
            return (uint32_t)(i - 1);
        }
    *vec_push(&cluster->own_ports) = own;
    return (uint32_t)count;
}

static void assert_ascending(const struct cluster *cluster, const char *name)
{
    if (cluster->head.instance_count == 0)
        return;
    symbol last = cluster->head.instances[cluster->head.instance_count - 1].name;
    assert(strcmp(symbols_text(cluster->symbols, last), name) < 0);
    (void)last;
    (void)name;
}

/* A new last instance. They stand on whole lines: see struct instance. */
static struct instance *push_instance(struct cluster *cluster)
{
    uint32_t count = cluster->head.instance_count;
    if (count == cluster->instance_capacity) {
        uint32_t capacity = count + count / 2 + 8;
        char *memory = mem_alloc(capacity * sizeof(struct instance) + LINE_BYTES);
        char *aligned = memory + (LINE_BYTES - (uintptr_t)memory % LINE_BYTES);
        if (count > 0)
            memcpy(aligned, cluster->head.instances, count * sizeof(struct instance));
        mem_free(cluster->instance_memory);
        cluster->instance_memory = memory;
        cluster->head.instances = (struct instance *)(void *)aligned;
        cluster->instance_capacity = capacity;
    }
    cluster->head.instance_count++;
    return &cluster->head.instances[count];
}

instance_id cluster_add_instance(struct cluster *cluster, const struct instance_spec *spec)
{
    assert(spec->gpu_count <= GPU_DEVICES_MAX);
    assert_ascending(cluster, spec->name);
    instance_id id = cluster->head.instance_count;
    struct instance instance = {
        .name = symbols_add(cluster->symbols, spec->name),
        .ec2_id = symbols_add(cluster->symbols, spec->ec2_id),
        .agent_version = symbols_add(cluster->symbols, spec->agent_version),
        .pool = spec->pool,
        .is_dedicated = spec->is_dedicated,
        .status = INSTANCE_ACTIVE,
        .is_agent_connected = true,
        .cpu_registered = spec->cpu_units,
        .cpu_remaining = spec->cpu_units,
        .mem_registered = spec->mem_mib,
        .mem_remaining = spec->mem_mib,
        .eni_limit = spec->eni_limit,
        .eni_used = spec->eni_limit > 0, /* The primary interface counts as one. */
        .gpu_count = (uint8_t)spec->gpu_count,
        .registered_wall_ns = spec->registered_wall_ns,
        .attributes = attributes_of_spec(cluster, spec),
    };
    instance.zone = instance_attribute(&instance, cluster->zone_name, NULL);
    if (spec->gpu_count > 0)
        instance.gpu_free_milli = mem_alloc(spec->gpu_count * sizeof *instance.gpu_free_milli);
    for (uint16_t device = 0; device < spec->gpu_count; device++)
        instance.gpu_free_milli[device] = BERTH_GPU_MILLI;
    uint32_t own = own_ports_number(cluster, spec);
    port_set_share(&instance.tcp, &cluster->own_ports.items[own].tcp);
    port_set_share(&instance.udp, &cluster->own_ports.items[own].udp);
    *push_instance(cluster) = instance;
    *vec_push(&cluster->own_ports_of) = own;
    map_put(&cluster->by_name, instance.name, id);
    groups_add_instance(cluster, id);
    cluster_touch(cluster, id);
    return id;
}

void cluster_set_status(struct cluster *cluster, instance_id id, enum instance_status status)
{
    struct instance *instance = cluster_writable(cluster, id);
    if (instance->status == status)
        return;
    journal_simple(cluster,
                   &(struct undo){.kind = UNDO_STATUS, .id = id, .u.status = instance->status});
    instance->status = (uint8_t)status;
    cluster_touch(cluster, id);
}

void cluster_set_connected(struct cluster *cluster, instance_id id, bool is_connected)
{
    struct instance *instance = cluster_writable(cluster, id);
    if (instance->is_agent_connected == is_connected)
        return;
    journal_simple(cluster, &(struct undo){.kind = UNDO_CONNECTED,
                                           .id = id,
                                           .u.is_connected = instance->is_agent_connected});
    instance->is_agent_connected = is_connected;
    cluster_touch(cluster, id);
}

/* After any change of an attribute: the zone, the counts by value, the followers. */
static void attribute_changed(struct cluster *cluster, instance_id id, symbol name)
{
    struct instance *instance = cluster_writable(cluster, id);
    if (name == cluster->zone_name)
        instance->zone = instance_attribute(instance, name, NULL);
    groups_value_changed(cluster, id, name);
    cluster_touch(cluster, id);
}

void cluster_set_attribute(struct cluster *cluster, instance_id id, symbol name, symbol value)
{
    struct instance *instance = cluster_writable(cluster, id);
    const struct attribute *old = attributes_find(instance->attributes, name);
    struct attribute new = {name, value};
    if (old != NULL)
        journal_simple(cluster,
                       &(struct undo){.kind = UNDO_ATTRIBUTE, .id = id, .u.attribute = *old});
    else
        journal_simple(cluster,
                       &(struct undo){.kind = UNDO_NEW_ATTRIBUTE, .id = id, .u.attribute = new});
    instance->attributes = attributes_with(cluster, instance->attributes, new);
    attribute_changed(cluster, id, name);
}

void cluster_remove_attribute(struct cluster *cluster, instance_id id, symbol name)
{
    struct instance *instance = cluster_writable(cluster, id);
    const struct attribute *old = attributes_find(instance->attributes, name);
    if (old == NULL)
        return;
    journal_simple(cluster, &(struct undo){.kind = UNDO_ATTRIBUTE, .id = id, .u.attribute = *old});
    instance->attributes = attributes_without(cluster, instance->attributes, name);
    attribute_changed(cluster, id, name);
}

void cluster_set_running_tasks(struct cluster *cluster, instance_id id, uint32_t running_tasks)
{
    struct instance *instance = cluster_writable(cluster, id);
    journal_simple(cluster, &(struct undo){.kind = UNDO_RUNNING_TASKS,
                                           .id = id,
                                           .u.running_tasks = instance->running_tasks});
    instance->running_tasks = running_tasks;
    cluster_touch(cluster, id);
}

void cluster_set_remaining(struct cluster *cluster, instance_id id, int32_t cpu_units,
                           int32_t mem_mib, const uint16_t *tcp_ports, uint16_t tcp_port_count,
                           const uint16_t *udp_ports, uint16_t udp_port_count,
                           const uint16_t *gpu_free_milli)
{
    struct instance *instance = cluster_writable(cluster, id);
    journal_remaining(cluster, id);
    instance->cpu_remaining = cpu_units;
    instance->mem_remaining = mem_mib;
    port_set_assign(&instance->tcp, tcp_ports, tcp_port_count);
    port_set_assign(&instance->udp, udp_ports, udp_port_count);
    for (uint16_t device = 0; device < instance->gpu_count; device++) {
        assert(gpu_free_milli == NULL || gpu_free_milli[device] <= BERTH_GPU_MILLI);
        instance->gpu_free_milli[device] =
            gpu_free_milli == NULL ? BERTH_GPU_MILLI : gpu_free_milli[device];
    }
    cluster_touch(cluster, id);
}

static void audit_ports(const struct port_set *set)
{
    for (uint16_t i = 1; i < set->count; i++)
        assert(set->ports[i - 1] < set->ports[i]);
    (void)set;
}

static void audit_instance(const struct cluster *cluster, instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    assert(map_get(&cluster->by_name, instance->name) == id);
    assert(instance->zone == instance_attribute(instance, cluster->zone_name, NULL));
    for (uint32_t i = 1; i < instance->attributes->count; i++)
        assert(instance->attributes->items[i - 1].name < instance->attributes->items[i].name);
    for (uint16_t device = 0; device < instance->gpu_count; device++)
        assert(instance->gpu_free_milli[device] <= BERTH_GPU_MILLI);
    audit_ports(&instance->tcp);
    audit_ports(&instance->udp);
}

void cluster_audit(const struct cluster *cluster)
{
    for (instance_id id = 0; id < cluster->head.instance_count; id++)
        audit_instance(cluster, id);
    groups_audit(cluster);
    assert(cluster->journal_depth > 0 || cluster->journal.count == 0);
}
