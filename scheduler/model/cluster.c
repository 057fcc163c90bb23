/*
 * cluster.c -- container instances: adding, finding, status, attributes, what is left.
 *
 * Instances live in one array by number and are never moved out of it: a number is for ever, and an
 * INACTIVE instance costs its record. Every mutator has the same three steps: journal the way back,
 * change, note the instance for whoever follows (changes.h).
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

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
    for (size_t i = 0; i < cluster->instances.count; i++) {
        struct instance *instance = &cluster->instances.items[i];
        mem_free(instance->gpu_free_milli);
        mem_free(instance->attributes);
        mem_free(instance->groups);
        port_set_free(&instance->tcp);
        port_set_free(&instance->udp);
        port_set_free(&cluster->own_ports.items[i].tcp);
        port_set_free(&cluster->own_ports.items[i].udp);
    }
    groups_free(cluster);
    changes_free(&cluster->changes);
    vec_free(&cluster->instances);
    vec_free(&cluster->own_ports);
    map_free(&cluster->by_name);
    vec_free(&cluster->journal);
    vec_free(&cluster->journal_words);
    mem_free(cluster);
}

struct symbols *cluster_symbols(const struct cluster *cluster)
{
    return cluster->symbols;
}

uint32_t cluster_instance_count(const struct cluster *cluster)
{
    return (uint32_t)cluster->instances.count;
}

const struct instance *cluster_instance(const struct cluster *cluster, instance_id id)
{
    assert(id < cluster->instances.count);
    return &cluster->instances.items[id];
}

struct instance *cluster_writable(struct cluster *cluster, instance_id id)
{
    assert(id < cluster->instances.count);
    return &cluster->instances.items[id];
}

instance_id cluster_find_instance(const struct cluster *cluster, const char *name)
{
    symbol found = symbols_find(cluster->symbols, name);
    uint32_t id = found == SYMBOL_NONE ? MAP_ABSENT : map_get(&cluster->by_name, found);
    return id == MAP_ABSENT ? INSTANCE_NONE : id;
}

/* Where the attribute stands, or would stand. */
static uint32_t attribute_place(const struct instance *instance, symbol name)
{
    uint32_t low = 0, high = instance->attribute_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (instance->attributes[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

symbol instance_attribute(const struct instance *instance, symbol name, bool *exists)
{
    uint32_t place = attribute_place(instance, name);
    bool is_there = place < instance->attribute_count && instance->attributes[place].name == name;
    if (exists != NULL)
        *exists = is_there;
    return is_there ? instance->attributes[place].value : SYMBOL_NONE;
}

symbol cluster_spread_value(const struct cluster *cluster, instance_id id, symbol name)
{
    symbol value = instance_attribute(cluster_instance(cluster, id), name, NULL);
    return value == cluster->empty_text ? SYMBOL_NONE : value;
}

static void insert_attribute(struct instance *instance, uint32_t place, struct attribute attribute)
{
    instance->attributes = mem_resize(instance->attributes, (size_t)instance->attribute_count + 1,
                                      sizeof *instance->attributes);
    memmove(instance->attributes + place + 1, instance->attributes + place,
            (instance->attribute_count - place) * sizeof *instance->attributes);
    instance->attributes[place] = attribute;
    instance->attribute_count++;
}

static void add_attributes(struct cluster *cluster, struct instance *instance,
                           const struct instance_spec *spec)
{
    for (uint32_t i = 0; i < spec->attribute_count; i++) {
        uint32_t place = attribute_place(instance, spec->attributes[i].name);
        assert(place == instance->attribute_count ||
               instance->attributes[place].name != spec->attributes[i].name);
        insert_attribute(instance, place, spec->attributes[i]);
    }
    instance->zone = instance_attribute(instance, cluster->zone_name, NULL);
}

static void assert_ascending(const struct cluster *cluster, const char *name)
{
    if (cluster->instances.count == 0)
        return;
    symbol last = cluster->instances.items[cluster->instances.count - 1].name;
    assert(strcmp(symbols_text(cluster->symbols, last), name) < 0);
    (void)last;
    (void)name;
}

instance_id cluster_add_instance(struct cluster *cluster, const struct instance_spec *spec)
{
    assert(spec->gpu_count <= GPU_DEVICES_MAX);
    assert_ascending(cluster, spec->name);
    instance_id id = (instance_id)cluster->instances.count;
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
        .gpu_count = spec->gpu_count,
        .registered_wall_ns = spec->registered_wall_ns,
    };
    instance.gpu_free_milli = mem_alloc(spec->gpu_count * sizeof *instance.gpu_free_milli);
    for (uint16_t device = 0; device < spec->gpu_count; device++)
        instance.gpu_free_milli[device] = BERTH_GPU_MILLI;
    struct own_ports own = {{NULL, 0, 0}, {NULL, 0, 0}};
    port_set_assign(&own.tcp, spec->tcp_ports_used, spec->tcp_port_count);
    port_set_assign(&own.udp, spec->udp_ports_used, spec->udp_port_count);
    port_set_assign(&instance.tcp, own.tcp.ports, own.tcp.count);
    port_set_assign(&instance.udp, own.udp.ports, own.udp.count);
    add_attributes(cluster, &instance, spec);
    *vec_push(&cluster->instances) = instance;
    *vec_push(&cluster->own_ports) = own;
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
    instance->status = status;
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
    uint32_t place = attribute_place(instance, name);
    if (place < instance->attribute_count && instance->attributes[place].name == name) {
        journal_simple(cluster, &(struct undo){.kind = UNDO_ATTRIBUTE,
                                               .id = id,
                                               .u.attribute = instance->attributes[place]});
        instance->attributes[place].value = value;
    } else {
        journal_simple(
            cluster,
            &(struct undo){.kind = UNDO_NEW_ATTRIBUTE, .id = id, .u.attribute = {name, value}});
        insert_attribute(instance, place, (struct attribute){name, value});
    }
    attribute_changed(cluster, id, name);
}

void cluster_remove_attribute(struct cluster *cluster, instance_id id, symbol name)
{
    struct instance *instance = cluster_writable(cluster, id);
    uint32_t place = attribute_place(instance, name);
    if (place == instance->attribute_count || instance->attributes[place].name != name)
        return;
    journal_simple(cluster, &(struct undo){.kind = UNDO_ATTRIBUTE,
                                           .id = id,
                                           .u.attribute = instance->attributes[place]});
    instance->attribute_count--;
    memmove(instance->attributes + place, instance->attributes + place + 1,
            (instance->attribute_count - place) * sizeof *instance->attributes);
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
    for (uint32_t i = 1; i < instance->attribute_count; i++)
        assert(instance->attributes[i - 1].name < instance->attributes[i].name);
    for (uint16_t device = 0; device < instance->gpu_count; device++)
        assert(instance->gpu_free_milli[device] <= BERTH_GPU_MILLI);
    audit_ports(&instance->tcp);
    audit_ports(&instance->udp);
}

void cluster_audit(const struct cluster *cluster)
{
    for (instance_id id = 0; id < cluster->instances.count; id++)
        audit_instance(cluster, id);
    groups_audit(cluster);
    assert(cluster->journal_depth > 0 || cluster->journal.count == 0);
}
