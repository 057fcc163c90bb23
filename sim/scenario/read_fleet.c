#include "sim/scenario/parts.h"

#include <math.h>
#include <string.h>

#include "scheduler/ecs/task_def_json.h"
#include "sim/scenario/document.h"

enum {
    INSTANCES_MAX = 100000,
    ZONES_MAX = 100,
    RACKS_MAX = 1000,
    ATTRIBUTES_MAX = 50,
    PORTS_MAX = 100
};

/* What an agent of ECS occupies on its host. */
static const uint16_t default_ports[] = {22, 2375, 2376, 51678, 51679};

static const char *const attribute_bytes =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";

static void read_zones(const struct at *up, struct scenario_group *out)
{
    struct at list = at_member(up, "zones");
    size_t count = at_list(&list, 1, ZONES_MAX);
    out->zones = mem_alloc((count + 1) * sizeof *out->zones);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        char *zone = at_text(&item);
        if (zone != NULL && !is_name(zone, READER_NAME_MAX))
            at_fail(&item, "not a zone's name; use 1 to %d of A-Z a-z 0-9 _ . -", READER_NAME_MAX);
        for (size_t j = 0; zone != NULL && j < i; j++)
            if (out->zones[j] != NULL && strcmp(out->zones[j], zone) == 0)
                at_fail(&item, "\"%s\" stands twice; name each zone once", zone);
        out->zones[out->zone_count++] = zone;
    }
    if (list.json == NULL)
        out->zones[out->zone_count++] = mem_copy_text("zone-a");
}

/* A list of names, dealt out in turn; or a number: so many in each zone, named ZONE-rN. */
static void read_racks(const struct at *up, struct scenario_group *out)
{
    struct at all = at_member(up, "racks");
    if (all.json == NULL || up->reader->has_failed)
        return;
    out->has_zone_racks = !json_is_array(all.json);
    size_t count = out->has_zone_racks ? (size_t)at_integer(&all, 1, RACKS_MAX, 1)
                                       : at_list(&all, 1, RACKS_MAX);
    size_t size = out->has_zone_racks ? count * out->zone_count : count;
    out->racks = mem_alloc((size + 1) * sizeof *out->racks);
    for (size_t i = 0; i < size && !up->reader->has_failed; i++) {
        struct at item = at_item(&all, i);
        struct text name = TEXT_INIT;
        if (out->has_zone_racks)
            text_addf(&name, "%s-r%zu", out->zones[i / count], i % count + 1);
        char *rack = out->has_zone_racks ? name.bytes : at_text(&item);
        if (rack != NULL && !out->has_zone_racks && !is_name(rack, READER_NAME_MAX))
            at_fail(&item, "not a rack's name; use 1 to %d of A-Z a-z 0-9 _ . -", READER_NAME_MAX);
        out->racks[out->rack_count++] = rack;
    }
}

const char *scenario_rack(const struct scenario_group *group, uint32_t index)
{
    if (group->rack_count == 0)
        return NULL;
    if (!group->has_zone_racks)
        return group->racks[index % group->rack_count];
    uint32_t zone = index % group->zone_count, per_zone = group->rack_count / group->zone_count;
    return group->racks[zone * per_zone + index / group->zone_count % per_zone];
}

static void read_attribute(const struct at *at, struct attribute_text *out)
{
    size_t length = strlen(at->key);
    if (length > 128 || strspn(at->key, attribute_bytes) != length || length == 0)
        at_fail(at, "not an attribute's name; use 1 to 128 of A-Z a-z 0-9 - _ . /");
    if (strcmp(at->key, "ecs.availability-zone") == 0)
        at_fail(at, "berth sets it; write \"zones\" of the group instead");
    if (strcmp(at->key, "ecs.instance-type") == 0)
        at_fail(at, "berth sets it; write \"type\" of the group instead");
    if (strcmp(at->key, "berth.rack") == 0)
        at_fail(at, "berth sets it; write \"racks\" of the group instead");
    char *value = at_text(at);
    if (value != NULL && strlen(value) > 128)
        at_fail(at, "a value of %zu bytes; an attribute has at most 128", strlen(value));
    if (value != NULL && value[0] == '\0') {
        mem_free(value);
        value = NULL;
    }
    out->name = mem_copy_text(at->key);
    out->value = value;
}

static void read_attributes(const struct at *up, struct scenario_group *out)
{
    struct at all = at_member(up, "attributes");
    if (all.json == NULL || up->reader->has_failed)
        return;
    if (!json_is_object(all.json) || json_object_size(all.json) > ATTRIBUTES_MAX) {
        at_fail(&all, "not an object of at most %d texts; write {\"rack\": \"r1\"}",
                ATTRIBUTES_MAX);
        return;
    }
    out->attributes = mem_alloc((json_object_size(all.json) + 1) * sizeof *out->attributes);
    const char *key;
    json_t *value;
    json_object_foreach(all.json, key, value)
    {
        if (is_ignored_key(key))
            continue;
        struct at attribute = at_member(&all, key);
        read_attribute(&attribute, &out->attributes[out->attribute_count++]);
    }
}

static void read_ports(const struct at *up, struct scenario_group *out)
{
    struct at list = at_member(up, "reservedPorts");
    size_t count = at_list(&list, 0, PORTS_MAX);
    size_t default_count = sizeof default_ports / sizeof default_ports[0];
    out->tcp_ports_used = mem_alloc((count + default_count) * sizeof *out->tcp_ports_used);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        uint16_t port = (uint16_t)at_integer(&item, 1, 65535, 1);
        for (size_t j = 0; j < i; j++)
            if (out->tcp_ports_used[j] == port)
                at_fail(&item, "port %u stands twice; name each once", (unsigned)port);
        out->tcp_ports_used[out->tcp_port_count++] = port;
    }
    for (size_t i = 0; list.json == NULL && i < default_count; i++)
        out->tcp_ports_used[out->tcp_port_count++] = default_ports[i];
}

static int32_t read_capacity(const struct at *at, bool (*parse)(const json_t *, int32_t *),
                             const char *cure)
{
    int32_t value = 1;
    at_require(at, cure);
    if (at->json == NULL || at->reader->has_failed)
        return 1;
    char buffer[80];
    /* 4096.0 is a whole number too, as in JSON Schema. */
    double real = json_real_value(at->json);
    bool is_whole = json_is_real(at->json) && real == floor(real) && fabs(real) <= INT32_MAX;
    json_t *number = is_whole ? json_integer((json_int_t)real) : json_incref(at->json);
    bool is_read = parse(number, &value);
    json_decref(number);
    if (!is_read || value < 1)
        at_fail(at, "%s is not understood here; %s", json_words(at->json, buffer, sizeof buffer),
                cure);
    return value;
}

/* Of a group behind a capacity provider. */
static void read_sizes(const struct at *at, struct scenario_group *out)
{
    struct at minimum = at_member(at, "minSize"), maximum = at_member(at, "maxSize");
    struct at share = at_member(at, "share"), boot = at_member(at, "boot");
    out->min_size = (uint32_t)at_integer(&minimum, 0, INSTANCES_MAX, 0);
    out->max_size = (uint32_t)at_integer(&maximum, 0, INSTANCES_MAX, out->count);
    if (out->max_size < out->count)
        at_fail(&maximum, "%u is above it already: count is below maxSize or the same", out->count);
    if (out->min_size > out->count)
        at_fail(&minimum, "is above count; lower it");
    out->share = at_real_above(&share, 0, 1e6, 1);
    out->has_boot = at_distribution(&boot, QUANTITY_TIME, &out->boot);
}

static void read_group(const struct at *at, struct scenario_group *out)
{
    static const char *const known[] = {
        "count",      "type",          "cpu",      "memory",       "gpus",  "zones",
        "attributes", "reservedPorts", "eniLimit", "pricePerHour", "spot",  "pullMiBps",
        "minSize",    "maxSize",       "share",    "boot",         "racks", NULL};
    out->name = mem_copy_text(at->key);
    if (!at_object(at, known))
        return;
    struct at count = at_member(at, "count"), type = at_member(at, "type");
    struct at cpu = at_member(at, "cpu"), memory = at_member(at, "memory");
    struct at gpus = at_member(at, "gpus"), enis = at_member(at, "eniLimit");
    struct at price = at_member(at, "pricePerHour"), spot = at_member(at, "spot");
    struct at pull = at_member(at, "pullMiBps");
    at_require(&count, "write how many instances the group has");
    out->count = (uint32_t)at_integer(&count, 0, INSTANCES_MAX, 0);
    out->instance_type = at_text(&type);
    if (out->instance_type == NULL)
        out->instance_type = mem_copy_text("");
    else if (strlen(out->instance_type) > 128)
        at_fail(&type, "longer than 128 bytes; shorten it");
    out->cpu_units = read_capacity(&cpu, ecs_parse_cpu, "write units (1024) or \"4 vCPU\"");
    out->mem_mib = read_capacity(&memory, ecs_parse_memory, "write MiB (16384) or \"16 GB\"");
    out->gpu_count = (uint16_t)at_integer(&gpus, 0, GPU_DEVICES_MAX, 0);
    out->eni_limit = (uint16_t)at_integer(&enis, 0, 1000, 0);
    out->price_per_hour = at_real(&price, 0, 1e6, 0);
    out->is_spot = at_boolean(&spot, false);
    out->pull_mib_per_s = at_real_above(&pull, 0, 1e6, 100);
    read_sizes(at, out);
    read_zones(at, out);
    read_racks(at, out);
    read_attributes(at, out);
    read_ports(at, out);
}

void read_fleet(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "fleet");
    at_require(&all, "write its groups of instances: {\"web\": {\"count\": 3, ...}}");
    size_t count;
    const char **names = at_names(&all, &count);
    if (all.json != NULL && count == 0)
        at_fail(&all, "the fleet is empty; write at least one group of instances");
    out->groups = mem_alloc((count + 1) * sizeof *out->groups);
    uint64_t instances = 0;
    for (size_t i = 0; i < count; i++) {
        struct at group = at_member(&all, names[i]);
        read_group(&group, &out->groups[i]);
        out->group_count++;
        instances += out->groups[i].count;
    }
    if (instances > INSTANCES_MAX)
        at_fail(&all, "%llu instances; at most %d are simulated", (unsigned long long)instances,
                INSTANCES_MAX);
    mem_free(names);
}

static double read_probability(const struct at *up, const char *key)
{
    struct at at = at_member(up, key);
    return at_real(&at, 0, 1, 0);
}

static const struct distribution five_seconds = {.p = {5, 0}, .max = 1e12};

static void read_health(const struct at *at, struct scenario_task_def *out)
{
    struct at oom = at_member(at, "oomAfter"), well = at_member(at, "healthyAfter");
    struct at ill = at_member(at, "unhealthyAfter"), again = at_member(at, "recoversAfter");
    out->oom_probability = read_probability(at, "oomProbability");
    if (!at_distribution(&oom, QUANTITY_TIME, &out->oom_after))
        out->oom_after = five_seconds;
    out->unhealthy_probability = read_probability(at, "unhealthyProbability");
    (void)at_distribution(&well, QUANTITY_TIME, &out->healthy_after);
    out->has_unhealthy = ill.json != NULL && at_interval(&ill, &out->unhealthy_after);
    out->has_recovers = at_distribution(&again, QUANTITY_TIME, &out->recovers_after);
    if (again.json != NULL && ill.json == NULL)
        at_fail(&again, "it never falls ill; write unhealthyAfter, too");
}

static void read_behaviour(const struct at *at, struct scenario_task_def *out)
{
    struct at image = at_member(at, "imageMiB"), lifetime = at_member(at, "lifetime");
    struct at start = at_member(at, "start"), stop = at_member(at, "stop");
    struct at crash = at_member(at, "crashAfter");
    const char *word = json_string_value(lifetime.json);
    out->image_mib = at_real(&image, 0, 1e7, 0);
    out->is_endless = lifetime.json == NULL || (word != NULL && strcmp(word, "endless") == 0);
    if (!out->is_endless)
        (void)at_distribution(&lifetime, QUANTITY_TIME, &out->lifetime);
    out->has_start = at_distribution(&start, QUANTITY_TIME, &out->start);
    out->has_stop = at_distribution(&stop, QUANTITY_TIME, &out->stop);
    out->pull_failure_probability = read_probability(at, "pullFailureProbability");
    out->start_failure_probability = read_probability(at, "startFailureProbability");
    out->error_probability = read_probability(at, "errorProbability");
    out->crash_probability = read_probability(at, "crashProbability");
    if (!at_distribution(&crash, QUANTITY_TIME, &out->crash_after))
        out->crash_after = five_seconds;
    read_health(at, out);
}

/* Reads it once more, for the message: finding where it stands is dear, and nearly all are right.
 */
static void fail_definition(const struct at *at, const json_t *json)
{
    struct text place = TEXT_INIT;
    struct task_def *none = NULL;
    at_place(at, &place);
    at->reader->has_failed =
        task_def_from_json(json, place.bytes, &none, at->reader->err) != BERTH_OK;
    text_free(&place);
}

static void read_definition(const struct at *at, const char *name, struct scenario_task_def *out)
{
    at_require(at, "write an ECS task definition or the path of one");
    if (at->json == NULL || at->reader->has_failed)
        return;
    if (!json_is_object(at->json)) {
        at_fail(at, "not a task definition; write ECS's JSON for one, or the path of a file");
        return;
    }
    json_t *json = document_definition(at->json, name);
    struct berth_error err = BERTH_ERROR_INIT;
    if (task_def_from_json(json, "", &out->def, &err) != BERTH_OK)
        fail_definition(at, json);
    json_decref(json);
}

/* An ECS task definition itself, or an object with one and with behaviour. */
static void read_task_definition(const struct at *at, struct scenario_task_def *out)
{
    static const char *const known[] = {"definition",
                                        "imageMiB",
                                        "lifetime",
                                        "start",
                                        "stop",
                                        "pullFailureProbability",
                                        "startFailureProbability",
                                        "errorProbability",
                                        "crashProbability",
                                        "crashAfter",
                                        "oomProbability",
                                        "oomAfter",
                                        "healthyAfter",
                                        "unhealthyProbability",
                                        "unhealthyAfter",
                                        "recoversAfter",
                                        NULL};
    out->name = mem_copy_text(at->key);
    bool is_bare = json_object_get(at->json, "containerDefinitions") != NULL ||
                   json_object_get(at->json, "taskDefinition") != NULL;
    if (is_bare && json_object_get(at->json, "definition") == NULL) {
        for (size_t i = 1; known[i] != NULL; i++) {
            struct at stray = at_member(at, known[i]);
            if (stray.json != NULL)
                at_fail(&stray,
                        "not a key of ECS's task definition; write "
                        "{\"definition\": {...}, \"%s\": ...}",
                        known[i]);
        }
        read_definition(at, at->key, out);
        out->is_endless = true;
        out->crash_after = out->oom_after = five_seconds;
        return;
    }
    if (!json_is_object(at->json))
        at_fail(at, "not a task definition; write ECS's JSON for one, or the path of a file");
    if (!at_object(at, known))
        return;
    struct at definition = at_member(at, "definition");
    read_definition(&definition, at->key, out);
    read_behaviour(at, out);
}

void read_task_definitions(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "taskDefinitions");
    size_t count;
    const char **names = at_names(&all, &count);
    out->task_defs = mem_alloc((count + 1) * sizeof *out->task_defs);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at one = at_member(&all, names[i]);
        read_task_definition(&one, &out->task_defs[i]);
        out->task_def_count++;
    }
    mem_free(names);
}
