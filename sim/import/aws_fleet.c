/*
 * aws_fleet.c -- container instances that placement cannot tell apart become one fleet group.
 *
 * Alike means: type, resources, agent's ports, and those attributes that anything here asks for or
 * that the user set; what differs on every host by nature (AMI, subnet, VPC) counts only when an
 * expression reads it. A group stands evenly over its zones in a scenario; one that does not in the
 * cluster is split by zone.
 */
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/describe_json.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "sim/import/aws.h"

#define ATTRIBUTES_MAX 50
#define NAME_BYTES_MAX 100

static const char zone_attribute[] = "ecs.availability-zone";
static const char type_attribute[] = "ecs.instance-type";

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **aws_sorted_keys(const json_t *object)
{
    size_t count = 0;
    const char **keys = mem_alloc((json_object_size(object) + 1) * sizeof *keys);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        keys[count++] = key;
    }
    if (count > 0)
        qsort(keys, count, sizeof *keys, compare_texts);
    return keys;
}

static bool is_name_character(char c)
{
    return c != '\0' &&
           strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", c) != NULL;
}

char *aws_unique_name(const json_t *collection, const char *wanted)
{
    struct text name = TEXT_INIT;
    for (size_t i = 0; wanted[i] != '\0' && i < NAME_BYTES_MAX; i++)
        text_add_n(&name, is_name_character(wanted[i]) ? &wanted[i] : "-", 1);
    if (name.length == 0)
        text_add(&name, "unnamed");
    size_t length = name.length;
    for (unsigned number = 2; json_object_get(collection, name.bytes) != NULL; number++) {
        name.length = length;
        text_addf(&name, "-%u", number);
    }
    return name.bytes;
}

static bool is_kept(const char *name, const json_t *wanted)
{
    static const char characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    size_t length = strlen(name);
    if (length > 128 || strspn(name, characters) != length || strcmp(name, zone_attribute) == 0 ||
        strcmp(name, type_attribute) == 0)
        return false;
    bool is_aws = strncmp(name, "ecs.", 4) == 0 || strncmp(name, "com.amazonaws.", 14) == 0;
    return !is_aws || json_object_get(wanted, name) != NULL;
}

static const char *value_of(const struct described_instance *instance, const char *name)
{
    size_t index;
    json_t *item;
    json_array_foreach(instance->attributes, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return json_string_value(json_object_get(item, "value"));
    }
    return NULL;
}

/* {"name": value} of what is kept, "" for no value; in ascending order of name. */
static json_t *attributes_of(const struct described_instance *instance, const json_t *wanted)
{
    json_t *all = json_object(), *kept = json_object();
    size_t index;
    json_t *item;
    json_array_foreach(instance->attributes, index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *value = json_string_value(json_object_get(item, "value"));
        if (is_kept(name, wanted) && (value == NULL || strlen(value) <= 128))
            (void)json_object_set_new(all, name, json_string(value == NULL ? "" : value));
    }
    const char **names = aws_sorted_keys(all);
    for (size_t i = 0; names[i] != NULL && i < ATTRIBUTES_MAX; i++)
        (void)json_object_set(kept, names[i], json_object_get(all, names[i]));
    mem_free(names);
    json_decref(all);
    return kept;
}

/* The group that would hold the instance, without count and zones. */
static json_t *group_of(const struct described_instance *instance, const json_t *wanted)
{
    json_t *group = json_object(), *ports = json_array();
    const char *type = value_of(instance, type_attribute);
    if (type != NULL && strlen(type) <= 128)
        (void)json_object_set_new(group, "type", json_string(type));
    (void)json_object_set_new(group, "cpu", json_integer(instance->registered.cpu_units));
    (void)json_object_set_new(group, "memory", json_integer(instance->registered.mem_mib));
    if (json_array_size(instance->registered.gpus) > 0)
        (void)json_object_set_new(
            group, "gpus", json_integer((json_int_t)json_array_size(instance->registered.gpus)));
    json_t *attributes = attributes_of(instance, wanted);
    if (json_object_size(attributes) > 0)
        (void)json_object_set(group, "attributes", attributes);
    json_decref(attributes);
    for (uint16_t i = 0; i < instance->registered.tcp_port_count && i < 100; i++)
        if (instance->registered.tcp_ports[i] > 0)
            (void)json_array_append_new(ports, json_integer(instance->registered.tcp_ports[i]));
    (void)json_object_set_new(group, "reservedPorts", ports);
    return group;
}

static void count_one(json_t *counts, const char *name)
{
    json_int_t count = json_integer_value(json_object_get(counts, name));
    (void)json_object_set_new(counts, name, json_integer(count + 1));
}

/* {"zones": {zone: instances}, "group": {...}} by the group's own text. */
static void put_instance(json_t *kinds, const struct described_instance *instance,
                         const json_t *wanted)
{
    json_t *group = group_of(instance, wanted);
    char *key = json_dumps(group, JSON_COMPACT);
    json_t *kind = json_object_get(kinds, key);
    if (kind == NULL) {
        kind = json_pack("{s:O, s:{}}", "group", group, "zones");
        (void)json_object_set_new(kinds, key, kind);
    }
    const char *zone = value_of(instance, zone_attribute);
    char *clean = aws_unique_name(NULL, zone == NULL ? "zone-a" : zone);
    count_one(json_object_get(kind, "zones"), clean);
    mem_free(clean);
    free(key);
    json_decref(group);
}

static void put_group(json_t *fleet, const json_t *group, json_int_t count, json_t *zones,
                      const char *suffix)
{
    struct text wanted = TEXT_INIT;
    const char *type = json_string_value(json_object_get(group, "type"));
    text_addf(&wanted, "%s%s%s", type == NULL ? "instances" : type, *suffix == '\0' ? "" : "-",
              suffix);
    char *name = aws_unique_name(fleet, wanted.bytes);
    json_t *whole = json_object();
    (void)json_object_set_new(whole, "count", json_integer(count));
    (void)json_object_update(whole, (json_t *)(uintptr_t)group);
    (void)json_object_set_new(whole, "zones", zones);
    (void)json_object_set_new(fleet, name, whole);
    mem_free(name);
    text_free(&wanted);
}

/* Instance i of n zones stands in zone i mod n: exact when the fuller zones come first and no two
 * zones differ by more than one. */
static void put_kind(json_t *fleet, const json_t *kind)
{
    const json_t *group = json_object_get(kind, "group");
    json_t *counts = json_object_get(kind, "zones");
    const char **zones = aws_sorted_keys(counts);
    json_int_t most = 0, least = 0, total = 0;
    for (size_t i = 0; zones[i] != NULL; i++) {
        json_int_t count = json_integer_value(json_object_get(counts, zones[i]));
        total += count;
        most = count > most ? count : most;
        least = i == 0 || count < least ? count : least;
    }
    if (most - least <= 1) {
        json_t *list = json_array();
        for (json_int_t level = most; level >= least; level--)
            for (size_t i = 0; zones[i] != NULL; i++)
                if (json_integer_value(json_object_get(counts, zones[i])) == level)
                    (void)json_array_append_new(list, json_string(zones[i]));
        put_group(fleet, group, total, list, "");
    } else {
        for (size_t i = 0; zones[i] != NULL; i++)
            put_group(fleet, group, json_integer_value(json_object_get(counts, zones[i])),
                      json_pack("[s]", zones[i]), zones[i]);
    }
    mem_free(zones);
}

static enum berth_err take_instance(struct aws_cluster *cluster, const char *arn,
                                    const json_t *wanted, struct aws_totals *totals, json_t *kinds,
                                    struct berth_error *err)
{
    struct described_instance instance;
    char place[ECS_PLACE_MAX];
    ecs_place(place, "container instance %s", ecs_last_part(arn));
    if (described_instance_read(json_object_get(cluster->instances, arn), place, &instance, err) !=
        BERTH_OK)
        return err->code;
    bool is_usable = instance.status == INSTANCE_ACTIVE && instance.registered.cpu_units > 0 &&
                     instance.registered.mem_mib > 0;
    if (!is_usable)
        text_addf(&cluster->notes, "instance %.100s: %s\n", instance.id,
                  instance.status == INSTANCE_ACTIVE ? "has no CPU or memory"
                                                     : instance_status_names[instance.status]);
    if (is_usable) {
        put_instance(kinds, &instance, wanted);
        totals->instances++;
        totals->cpu_units += instance.registered.cpu_units;
        totals->mem_mib += instance.registered.mem_mib;
        totals->gpus += (int64_t)json_array_size(instance.registered.gpus);
    }
    described_instance_free(&instance);
    return BERTH_OK;
}

enum berth_err aws_fleet(struct aws_cluster *cluster, const json_t *wanted_attributes,
                         struct aws_totals *totals, json_t **out, struct berth_error *err)
{
    json_t *kinds = json_object();
    const char **arns = aws_sorted_keys(cluster->instances);
    enum berth_err code = BERTH_OK;
    for (size_t i = 0; arns[i] != NULL && code == BERTH_OK; i++)
        code = take_instance(cluster, arns[i], wanted_attributes, totals, kinds, err);
    mem_free(arns);
    json_t *fleet = json_object();
    const char **keys = aws_sorted_keys(kinds);
    for (size_t i = 0; keys[i] != NULL; i++)
        put_kind(fleet, json_object_get(kinds, keys[i]));
    mem_free(keys);
    json_decref(kinds);
    *out = fleet;
    return code;
}

const char *aws_largest_zone(const json_t *fleet)
{
    json_t *counts = json_object();
    const char *name, *largest = NULL;
    json_t *group, *zone;
    size_t index;
    json_object_foreach((json_t *)(uintptr_t)fleet, name, group)
    {
        const json_t *zones = json_object_get(group, "zones");
        json_int_t count = json_integer_value(json_object_get(group, "count"));
        json_int_t zone_count = (json_int_t)json_array_size(zones);
        json_array_foreach(zones, index, zone)
        {
            json_int_t here = count / zone_count + ((json_int_t)index < count % zone_count);
            const char *key = json_string_value(zone);
            json_int_t sum = here + json_integer_value(json_object_get(counts, key));
            (void)json_object_set_new(counts, key, json_integer(sum));
            if (largest == NULL || sum > json_integer_value(json_object_get(counts, largest)))
                largest = key;
        }
    }
    bool is_only = json_object_size(counts) < 2;
    json_decref(counts);
    return is_only ? NULL : largest;
}
