/*
 * describe_json.c -- instances sorted by id, then tasks into their groups, then definitions.
 */
#include "scheduler/ecs/describe_json.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/iso_time.h"
#include "scheduler/base/mem.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/task_def_json.h"

#define SECONDS_MAX 9.2e9 /* Nanoseconds in 64 bits reach the year 2262. */

bool described_time(const json_t *json, berth_ns *out)
{
    if (json_is_string(json))
        return iso_time_parse(json_string_value(json), out);
    double seconds = json_number_value(json);
    if (!json_is_number(json) || !(seconds >= 0 && seconds <= SECONDS_MAX))
        return false;
    double whole = floor(seconds);
    *out = (berth_ns)whole * BERTH_NS_PER_S + (berth_ns)((seconds - whole) * 1e9);
    return true;
}

static int compare_ports(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static enum berth_err read_ports(const json_t *list, const char *place, uint16_t **ports,
                                 uint16_t *count, struct berth_error *err)
{
    size_t given = json_array_size(list), kept = 0;
    uint16_t *read = mem_alloc((given + 1) * sizeof *read);
    for (size_t i = 0; i < given; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        char *end = NULL;
        long port = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;
        if (port < 0 || port > 65535 || *end != '\0') {
            mem_free(read);
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/stringSetValue/%zu: \"%.40s\" is not a port; write 0 to 65535",
                              place, i, text);
        }
        read[i] = (uint16_t)port;
    }
    qsort(read, given, sizeof *read, compare_ports);
    for (size_t i = 0; i < given; i++)
        if (i == 0 || read[i] != read[i - 1])
            read[kept++] = read[i];
    mem_free(*ports);
    *ports = read;
    *count = (uint16_t)(kept > UINT16_MAX ? UINT16_MAX : kept);
    return BERTH_OK;
}

/* INTEGER, LONG and DOUBLE have a member each; the CLI prints the unused ones as 0. */
static enum berth_err read_amount(const json_t *resource, const char *place, int32_t *out,
                                  struct berth_error *err)
{
    const char *type = "INTEGER";
    int64_t amount = 0;
    if (ecs_get_text(resource, place, "type", &type, err) != BERTH_OK)
        return err->code;
    const char *member = strcmp(type, "LONG") == 0     ? "longValue"
                         : strcmp(type, "DOUBLE") == 0 ? "doubleValue"
                                                       : "integerValue";
    const json_t *value = json_object_get(resource, member);
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (!(real >= -1e9 && real <= 1e9))
            return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: is absurd; correct it", place, member);
        amount = (int64_t)floor(real);
    } else if (value == NULL || json_is_null(value)) {
        return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: is missing; write a number", place, member);
    } else if (ecs_get_integer(resource, place, member, INT32_MIN, INT32_MAX, &amount, err) !=
               BERTH_OK) {
        return err->code;
    }
    *out = (int32_t)amount;
    return BERTH_OK;
}

static enum berth_err read_resource(const json_t *resource, const char *place,
                                    struct described_resources *out, struct berth_error *err)
{
    const char *name = "";
    const json_t *set = NULL;
    if (ecs_get_text(resource, place, "name", &name, err) != BERTH_OK ||
        ecs_get_texts(resource, place, "stringSetValue", &set, err) != BERTH_OK)
        return err->code;
    if (strcmp(name, "CPU") == 0)
        return read_amount(resource, place, &out->cpu_units, err);
    if (strcmp(name, "MEMORY") == 0)
        return read_amount(resource, place, &out->mem_mib, err);
    if (strcmp(name, "PORTS") == 0)
        return read_ports(set, place, &out->tcp_ports, &out->tcp_port_count, err);
    if (strcmp(name, "PORTS_UDP") == 0)
        return read_ports(set, place, &out->udp_ports, &out->udp_port_count, err);
    if (strcmp(name, "GPU") == 0) {
        if (json_array_size(set) > GPU_DEVICES_MAX)
            return berth_fail(err, BERTH_ERR_INPUT, "%s: %zu GPUs; at most %d on one instance",
                              place, json_array_size(set), GPU_DEVICES_MAX);
        out->gpus = set;
    }
    return BERTH_OK;
}

static enum berth_err read_resources(const json_t *instance, const char *place, const char *name,
                                     struct described_resources *out, bool *is_there,
                                     struct berth_error *err)
{
    const json_t *list = NULL;
    if (ecs_get_list(instance, place, name, &list, err) != BERTH_OK)
        return err->code;
    size_t index;
    json_t *resource;
    *is_there = list != NULL;
    json_array_foreach(list, index, resource)
    {
        char inner[ECS_PLACE_MAX];
        ecs_place(inner, "%s/%s/%zu", place, name, index);
        if (read_resource(resource, inner, out, err) != BERTH_OK)
            return err->code;
    }
    return BERTH_OK;
}

static void copy_resources(struct described_resources *to, const struct described_resources *from)
{
    *to = *from;
    to->tcp_ports = mem_alloc((from->tcp_port_count + (size_t)1) * sizeof *to->tcp_ports);
    to->udp_ports = mem_alloc((from->udp_port_count + (size_t)1) * sizeof *to->udp_ports);
    if (from->tcp_port_count > 0)
        memcpy(to->tcp_ports, from->tcp_ports, from->tcp_port_count * sizeof *to->tcp_ports);
    if (from->udp_port_count > 0)
        memcpy(to->udp_ports, from->udp_ports, from->udp_port_count * sizeof *to->udp_ports);
}

/* What is printed of one side only stands for the other too; nothing at all is a mistake. */
static enum berth_err read_both_resources(const json_t *json, const char *place,
                                          struct described_instance *out, struct berth_error *err)
{
    bool has_registered = false, has_remaining = false;
    if (read_resources(json, place, "registeredResources", &out->registered, &has_registered,
                       err) != BERTH_OK ||
        read_resources(json, place, "remainingResources", &out->remaining, &has_remaining, err) !=
            BERTH_OK)
        return err->code;
    if (!has_registered && !has_remaining)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/remainingResources: is missing; use the whole output of aws ecs "
                          "describe-container-instances",
                          place);
    if (!has_remaining)
        copy_resources(&out->remaining, &out->registered);
    if (!has_registered)
        copy_resources(&out->registered, &out->remaining);
    return BERTH_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum berth_err check_attributes(const json_t *list, const char *place,
                                       struct berth_error *err)
{
    size_t count = json_array_size(list);
    const char **names = mem_alloc((count + 1) * sizeof *names);
    enum berth_err code = BERTH_OK;
    for (size_t i = 0; i < count && code == BERTH_OK; i++) {
        char inner[ECS_PLACE_MAX];
        const char *value = NULL;
        ecs_place(inner, "%s/attributes/%zu", place, i);
        code = ecs_get_text(json_array_get(list, i), inner, "name", &names[i], err);
        if (code == BERTH_OK)
            code = ecs_get_text(json_array_get(list, i), inner, "value", &value, err);
        if (code == BERTH_OK && (names[i] == NULL || *names[i] == '\0'))
            code =
                berth_fail(err, BERTH_ERR_INPUT, "%s/name: is missing; name the attribute", inner);
    }
    if (code == BERTH_OK && count > 0)
        qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 1; i < count && code == BERTH_OK; i++)
        if (strcmp(names[i], names[i - 1]) == 0)
            code = berth_fail(err, BERTH_ERR_INPUT,
                              "%s/attributes: \"%.100s\" stands there twice; keep one", place,
                              names[i]);
    mem_free(names);
    return code;
}

static enum berth_err read_status(const char *status, const char *place, enum instance_status *out,
                                  struct berth_error *err)
{
    for (int i = 0; i < INSTANCE_STATUS_COUNT; i++) {
        if (strcmp(status, instance_status_names[i]) == 0) {
            *out = (enum instance_status)i;
            return BERTH_OK;
        }
    }
    *out = INSTANCE_INACTIVE;
    if (strcmp(status, "REGISTRATION_FAILED") == 0)
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s/status: \"%.40s\" is not known; use ACTIVE, DRAINING, REGISTERING, "
                      "DEREGISTERING, REGISTRATION_FAILED or INACTIVE",
                      place, status);
}

static enum berth_err read_instance(const json_t *json, const char *place,
                                    struct described_instance *out, struct berth_error *err)
{
    const char *status = "ACTIVE";
    const json_t *version = NULL, *registered = json_object_get(json, "registeredAt");
    int64_t running = 0;
    char inner[ECS_PLACE_MAX];
    ecs_place(inner, "%s/versionInfo", place);
    if (ecs_get_text(json, place, "containerInstanceArn", &out->arn, err) != BERTH_OK ||
        ecs_get_text(json, place, "ec2InstanceId", &out->ec2_id, err) != BERTH_OK ||
        ecs_get_text(json, place, "status", &status, err) != BERTH_OK ||
        read_status(status, place, &out->status, err) != BERTH_OK ||
        ecs_get_boolean(json, place, "agentConnected", &out->is_agent_connected, err) != BERTH_OK ||
        ecs_get_integer(json, place, "runningTasksCount", 0, INT32_MAX, &running, err) !=
            BERTH_OK ||
        ecs_get_object(json, place, "versionInfo", &version, err) != BERTH_OK ||
        ecs_get_text(version, inner, "agentVersion", &out->agent_version, err) != BERTH_OK ||
        ecs_get_list(json, place, "attributes", &out->attributes, err) != BERTH_OK ||
        check_attributes(out->attributes, place, err) != BERTH_OK)
        return err->code;
    if (out->arn == NULL || *ecs_last_part(out->arn) == '\0')
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/containerInstanceArn: is missing; use the output of aws ecs "
                          "describe-container-instances",
                          place);
    if (registered != NULL && !json_is_null(registered) &&
        !described_time(registered, &out->registered_wall_ns))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/registeredAt: is not a time; write seconds since 1970 or "
                          "2018-06-18T22:28:28Z",
                          place);
    out->id = ecs_last_part(out->arn);
    out->running_tasks = (uint32_t)running;
    return read_both_resources(json, place, out, err);
}

enum berth_err described_instance_read(const json_t *json, const char *place,
                                       struct described_instance *out, struct berth_error *err)
{
    *out = (struct described_instance){.is_agent_connected = true};
    enum berth_err code = read_instance(json, place, out, err);
    if (code != BERTH_OK)
        described_instance_free(out);
    return code;
}

void described_instance_free(struct described_instance *instance)
{
    mem_free(instance->registered.tcp_ports);
    mem_free(instance->registered.udp_ports);
    mem_free(instance->remaining.tcp_ports);
    mem_free(instance->remaining.udp_ports);
    *instance = (struct described_instance){.is_agent_connected = false};
}

static bool has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    return false;
}

/* registeredResources list every card, remainingResources those that are free. */
static void set_gpus_free(const struct described_instance *from, uint16_t free_milli[])
{
    for (size_t i = 0; i < json_array_size(from->registered.gpus); i++) {
        const char *device = json_string_value(json_array_get(from->registered.gpus, i));
        free_milli[i] = has_text(from->remaining.gpus, device) ? BERTH_GPU_MILLI : 0;
    }
}

static struct attribute *intern_attributes(struct symbols *symbols, const json_t *list)
{
    size_t count = json_array_size(list);
    struct attribute *attributes = mem_alloc((count + 1) * sizeof *attributes);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        attributes[i] = (struct attribute){
            symbols_add(symbols, json_string_value(json_object_get(item, "name"))),
            symbols_add(symbols, json_string_value(json_object_get(item, "value")))};
    }
    return attributes;
}

static void add_instance(struct described_cluster *out, const struct described_instance *from)
{
    struct attribute *attributes = intern_attributes(out->symbols, from->attributes);
    struct instance_spec spec = {
        .name = from->id,
        .ec2_id = from->ec2_id,
        .agent_version = from->agent_version,
        .cpu_units = from->registered.cpu_units,
        .mem_mib = from->registered.mem_mib,
        .gpu_count = (uint16_t)json_array_size(from->registered.gpus),
        .attributes = attributes,
        .attribute_count = (uint32_t)json_array_size(from->attributes),
        .registered_wall_ns = from->registered_wall_ns,
    };
    uint16_t free_milli[GPU_DEVICES_MAX];
    set_gpus_free(from, free_milli);
    instance_id id = cluster_add_instance(out->cluster, &spec);
    cluster_set_remaining(out->cluster, id, from->remaining.cpu_units, from->remaining.mem_mib,
                          from->remaining.tcp_ports, from->remaining.tcp_port_count,
                          from->remaining.udp_ports, from->remaining.udp_port_count, free_milli);
    cluster_set_status(out->cluster, id, from->status);
    cluster_set_connected(out->cluster, id, from->is_agent_connected);
    cluster_set_running_tasks(out->cluster, id, from->running_tasks);
    out->arns[id] = mem_copy_text(from->arn);
    mem_free(attributes);
}

static int compare_instances(const void *a, const void *b)
{
    const struct described_instance *one = a, *two = b;
    return strcmp(one->id, two->id);
}

static enum berth_err add_instances(struct described_cluster *out,
                                    struct described_instance *instances, size_t count,
                                    const char *place, struct berth_error *err)
{
    if (count > 0)
        qsort(instances, count, sizeof *instances, compare_instances);
    for (size_t i = 1; i < count; i++)
        if (strcmp(instances[i].id, instances[i - 1].id) == 0)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/containerInstances: instance \"%.100s\" stands there twice; keep "
                              "one",
                              place, instances[i].id);
    for (size_t i = 0; i < count; i++)
        add_instance(out, &instances[i]);
    return BERTH_OK;
}

static enum berth_err read_instances(const json_t *json, const char *place,
                                     struct described_cluster *out, struct berth_error *err)
{
    const json_t *list = NULL;
    if (ecs_get_list(json, place, "containerInstances", &list, err) != BERTH_OK)
        return err->code;
    if (list == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/containerInstances: is missing; put in what aws ecs "
                          "describe-container-instances prints",
                          place);
    size_t count = json_array_size(list), read = 0;
    struct described_instance *instances = mem_alloc((count + 1) * sizeof *instances);
    out->arns = mem_alloc((count + 1) * sizeof *out->arns);
    enum berth_err code = BERTH_OK;
    while (code == BERTH_OK && read < count) {
        char inner[ECS_PLACE_MAX];
        ecs_place(inner, "%s/containerInstances/%zu", place, read);
        code = described_instance_read(json_array_get(list, read), inner, &instances[read], err);
        read += code == BERTH_OK;
    }
    if (code == BERTH_OK)
        code = add_instances(out, instances, count, place, err);
    for (size_t i = 0; i < read; i++)
        described_instance_free(&instances[i]);
    mem_free(instances);
    return code;
}

/* "arn:...:task-definition/web:7" -> family:web, the group of a task that names none. */
static symbol default_group(struct symbols *symbols, const char *definition)
{
    char name[ECS_PLACE_MAX];
    const char *family = ecs_last_part(definition);
    ecs_place(name, "family:%.*s", (int)strcspn(family, ":"), family);
    return symbols_add(symbols, name);
}

/* Tasks on instances that were not described (or on Fargate) say nothing about these. */
static enum berth_err join_task(const json_t *task, const char *place,
                                struct described_cluster *out, struct berth_error *err)
{
    const char *instance = NULL, *group = NULL, *desired = "RUNNING", *definition = NULL;
    const char *cluster = NULL;
    if (ecs_get_text(task, place, "containerInstanceArn", &instance, err) != BERTH_OK ||
        ecs_get_text(task, place, "group", &group, err) != BERTH_OK ||
        ecs_get_text(task, place, "desiredStatus", &desired, err) != BERTH_OK ||
        ecs_get_text(task, place, "clusterArn", &cluster, err) != BERTH_OK ||
        ecs_get_text(task, place, "taskDefinitionArn", &definition, err) != BERTH_OK)
        return err->code;
    if (out->arn == NULL && cluster != NULL)
        out->arn = mem_copy_text(cluster);
    if (instance == NULL || strcmp(desired, "RUNNING") != 0)
        return BERTH_OK;
    instance_id id = cluster_find_instance(out->cluster, ecs_last_part(instance));
    if (id == INSTANCE_NONE || (group == NULL && definition == NULL))
        return BERTH_OK;
    symbol name =
        group != NULL ? symbols_add(out->symbols, group) : default_group(out->symbols, definition);
    cluster_join(out->cluster, id, cluster_group(out->cluster, name));
    return BERTH_OK;
}

static enum berth_err read_tasks(const json_t *json, const char *place,
                                 struct described_cluster *out, struct berth_error *err)
{
    const json_t *list = NULL;
    if (ecs_get_list(json, place, "tasks", &list, err) != BERTH_OK)
        return err->code;
    for (size_t i = 0; i < json_array_size(list); i++) {
        char inner[ECS_PLACE_MAX];
        ecs_place(inner, "%s/tasks/%zu", place, i);
        if (join_task(json_array_get(list, i), inner, out, err) != BERTH_OK)
            return err->code;
    }
    return BERTH_OK;
}

/* One with a revision keeps it; one without (a register request) becomes its family's next, after
 * all others, so the order of the list does not matter to them. */
static enum berth_err add_definition(struct described_cluster *out, struct task_def *def,
                                     const char *place, struct berth_error *err)
{
    char reference[ECS_PLACE_MAX];
    ecs_place(reference, "%s:%u", def->family, def->revision);
    if (def->revision == 0) {
        (void)task_def_register(out->task_defs, def);
        return BERTH_OK;
    }
    if (task_def_find(out->task_defs, reference) == NULL) {
        (void)task_def_restore(out->task_defs, def);
        return BERTH_OK;
    }
    task_def_destroy(def);
    return berth_fail(err, BERTH_ERR_INPUT, "%s: %s stands there twice; keep one", place,
                      reference);
}

static enum berth_err read_definitions(const json_t *json, const char *place,
                                       struct described_cluster *out, struct berth_error *err)
{
    const json_t *list = NULL;
    if (ecs_get_list(json, place, "taskDefinitions", &list, err) != BERTH_OK)
        return err->code;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            char inner[ECS_PLACE_MAX];
            struct task_def *def = NULL;
            ecs_place(inner, "%s/taskDefinitions/%zu", place, i);
            if (task_def_from_json(json_array_get(list, i), inner, &def, err) != BERTH_OK)
                return err->code;
            if ((def->revision == 0) != (pass == 1))
                task_def_destroy(def);
            else if (add_definition(out, def, inner, err) != BERTH_OK)
                return err->code;
        }
    }
    return BERTH_OK;
}

static enum berth_err read_subnets(const json_t *json, const char *place,
                                   struct described_cluster *out, struct berth_error *err)
{
    const json_t *list = NULL;
    if (ecs_get_list(json, place, "Subnets", &list, err) != BERTH_OK)
        return err->code;
    out->subnets = mem_alloc((json_array_size(list) + 1) * sizeof *out->subnets);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *subnet = NULL, *zone = NULL;
        char inner[ECS_PLACE_MAX];
        ecs_place(inner, "%s/Subnets/%zu", place, i);
        if (ecs_get_text(json_array_get(list, i), inner, "SubnetId", &subnet, err) != BERTH_OK ||
            ecs_get_text(json_array_get(list, i), inner, "AvailabilityZone", &zone, err) !=
                BERTH_OK)
            return err->code;
        if (subnet != NULL && zone != NULL)
            out->subnets[out->subnet_count++] = (struct described_subnet){
                symbols_add(out->symbols, subnet), symbols_add(out->symbols, zone)};
    }
    return BERTH_OK;
}

static enum berth_err read_arn(const json_t *json, const char *place, struct described_cluster *out,
                               struct berth_error *err)
{
    const char *arn = NULL;
    const json_t *clusters = NULL;
    char inner[ECS_PLACE_MAX];
    ecs_place(inner, "%s/clusters/0", place);
    if (ecs_get_text(json, place, "clusterArn", &arn, err) != BERTH_OK ||
        ecs_get_list(json, place, "clusters", &clusters, err) != BERTH_OK ||
        ecs_get_text(json_array_get(clusters, 0), inner, "clusterArn", &arn, err) != BERTH_OK)
        return err->code;
    out->arn = mem_copy_text(arn);
    return BERTH_OK;
}

enum berth_err described_cluster_read(const json_t *json, const char *place,
                                      struct described_cluster *out, struct berth_error *err)
{
    static const char *const names[] = {
        "containerInstances", "tasks",   "taskDefinitions", "clusters", "failures",
        "clusterArn",         "Subnets", "services",        NULL};
    *out = (struct described_cluster){.symbols = symbols_create()};
    out->cluster = cluster_create(out->symbols);
    out->task_defs = task_def_registry_create();
    enum berth_err code = BERTH_OK;
    if (!json_is_object(json))
        code = berth_fail(err, BERTH_ERR_INPUT, "%s: is %s; an object is expected", place,
                          ecs_kind_of(json));
    else if (json_check_keys(json, place, names, err) != BERTH_OK ||
             read_arn(json, place, out, err) != BERTH_OK ||
             read_instances(json, place, out, err) != BERTH_OK ||
             read_tasks(json, place, out, err) != BERTH_OK ||
             read_definitions(json, place, out, err) != BERTH_OK ||
             read_subnets(json, place, out, err) != BERTH_OK)
        code = err->code;
    if (code != BERTH_OK)
        described_cluster_free(out);
    return code;
}

void described_cluster_free(struct described_cluster *described)
{
    if (described->cluster != NULL)
        for (uint32_t i = 0; i < cluster_instance_count(described->cluster); i++)
            mem_free(described->arns[i]);
    mem_free(described->arns);
    mem_free(described->arn);
    mem_free(described->subnets);
    task_def_registry_destroy(described->task_defs);
    cluster_destroy(described->cluster);
    symbols_destroy(described->symbols);
    *described = (struct described_cluster){.symbols = NULL};
}
