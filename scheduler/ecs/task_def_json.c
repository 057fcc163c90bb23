/*
 * task_def_json.c -- ECS's task definition, taken apart.
 *
 * The shape is checked first, whole, against the API's tables; after that every member has its
 * kind, and what follows are ECS's rules between members. Limits that ECS states only for Fargate
 * are not made: berth's instances are EC2's. Memory may be absent.
 */
#include "scheduler/ecs/task_def_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/container_life_json.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/json_compact.h"
#include "scheduler/ecs/json_input.h"
#include "scheduler/placement/expression.h"

#define NAME_MAX_CHARS 255
#define DOCUMENT_BYTES_MAX (64 * 1024)
#define TASK_CPU_UNITS_MAX 196608
#define CONSTRAINTS_MAX 10
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static const char *const network_mode_names[] = {"bridge", "host", "none", "awsvpc", NULL};
static const char *const condition_names[] = {"START", "COMPLETE", "SUCCESS", "HEALTHY", NULL};
static const char *const status_names[] = {"ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS", NULL};

static enum berth_err find_word(const char *word, const char *place, const char *const *words,
                                unsigned *index, struct berth_error *err)
{
    for (*index = 0; words[*index] != NULL; (*index)++)
        if (strcmp(words[*index], word) == 0)
            return BERTH_OK;
    char shown[80], all[160] = "";
    json_show(shown, sizeof shown, word, strlen(word));
    for (const char *const *at = words; *at != NULL; at++)
        (void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
                       at == words ? "" : (at[1] == NULL ? " or " : ", "), *at);
    return berth_fail(err, BERTH_ERR_INPUT, "%s: \"%s\" is not known; use %s", place, shown, all);
}

static enum berth_err check_name(const char *name, const char *place, const char *member,
                                 struct berth_error *err)
{
    if (name == NULL || *name == '\0')
        return berth_fail(err, BERTH_ERR_INPUT, "%s/%s: is missing; give it a name", place, member);
    size_t length = strlen(name);
    if (length <= NAME_MAX_CHARS && strspn(name, NAME_CHARACTERS) == length)
        return BERTH_OK;
    char shown[80];
    json_show(shown, sizeof shown, name, length);
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s/%s: \"%s\" is not a name; use at most %d of A-Z a-z 0-9 _ -", place,
                      member, shown, NAME_MAX_CHARS);
}

static enum berth_err read_seconds(const json_t *json, const char *place, const char *name,
                                   berth_ns *out, struct berth_error *err)
{
    int64_t seconds = -1;
    *out = BERTH_NS_NEVER;
    if (ecs_get_integer(json, place, name, 0, INT32_MAX, &seconds, err) != BERTH_OK)
        return err->code;
    if (seconds >= 0)
        *out = seconds * BERTH_NS_PER_S;
    return BERTH_OK;
}

static enum berth_err read_container_memory(const json_t *json, const char *place,
                                            struct container_def *container,
                                            struct berth_error *err)
{
    int64_t hard = 0, soft = 0;
    if (ecs_get_integer(json, place, "memory", 0, INT32_MAX, &hard, err) != BERTH_OK ||
        ecs_get_integer(json, place, "memoryReservation", 0, INT32_MAX, &soft, err) != BERTH_OK)
        return err->code;
    if (hard > 0 && soft > hard)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/memoryReservation: %lld is above memory, %lld; lower it", place,
                          (long long)soft, (long long)hard);
    container->mem_mib = (int32_t)(soft > 0 ? soft : hard);
    return BERTH_OK;
}

static enum berth_err read_container(const json_t *json, const char *place,
                                     struct container_def *container, struct berth_error *err)
{
    const char *name = NULL, *image = "";
    int64_t cpu = 0;
    bool is_essential = true;
    if (ecs_get_text(json, place, "name", &name, err) != BERTH_OK ||
        check_name(name, place, "name", err) != BERTH_OK ||
        ecs_get_text(json, place, "image", &image, err) != BERTH_OK ||
        ecs_get_boolean(json, place, "essential", &is_essential, err) != BERTH_OK ||
        ecs_get_integer(json, place, "cpu", 0, INT32_MAX, &cpu, err) != BERTH_OK ||
        read_container_memory(json, place, container, err) != BERTH_OK ||
        read_seconds(json, place, "stopTimeout", &container->stop_timeout_ns, err) != BERTH_OK ||
        read_seconds(json, place, "startTimeout", &container->start_timeout_ns, err) != BERTH_OK ||
        ecs_read_gpu(json_object_get(json, "resourceRequirements"), place, &container->gpu.milli,
                     err) != BERTH_OK ||
        container_read_health(json, place, &container->health, err) != BERTH_OK ||
        container_read_restart(json, place, &container->restart, err) != BERTH_OK)
        return err->code;
    container->name = mem_copy_text(name);
    container->image = mem_copy_text(image);
    container->cpu_units = (int32_t)cpu;
    container->is_essential = is_essential;
    return BERTH_OK;
}

/* The container's index, or container_count. */
static size_t find_container(const struct task_def *def, const char *name, size_t length)
{
    size_t at = 0;
    while (at < def->container_count && (strlen(def->containers[at].name) != length ||
                                         memcmp(def->containers[at].name, name, length) != 0))
        at++;
    return at;
}

static enum berth_err read_containers(const json_t *list, const char *place, struct task_def *def,
                                      struct berth_error *err)
{
    size_t count = json_array_size(list);
    if (count == 0 || count > TASK_DEF_CONTAINERS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/containerDefinitions: %zu containers; give 1 to %d", place, count,
                          TASK_DEF_CONTAINERS_MAX);
    def->containers = mem_alloc(count * sizeof def->containers[0]);
    bool has_essential = false;
    for (size_t i = 0; i < count; i++) {
        char inner[ECS_PLACE_MAX];
        struct container_def container = {0};
        ecs_place(inner, "%s/containerDefinitions/%zu", place, i);
        if (read_container(json_array_get(list, i), inner, &container, err) != BERTH_OK)
            return err->code;
        bool is_twice =
            find_container(def, container.name, strlen(container.name)) < def->container_count;
        def->containers[def->container_count++] = container;
        if (is_twice)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/name: a second container \"%.60s\"; names must differ", inner,
                              container.name);
        has_essential |= container.is_essential;
    }
    if (!has_essential)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/containerDefinitions: no container is essential; set "
                          "\"essential\": true on one",
                          place);
    return BERTH_OK;
}

static void add_dependency(struct container_def *container, size_t on,
                           enum dependency_condition condition)
{
    container->depends_on =
        mem_resize(container->depends_on, container->depends_on_count + (size_t)1,
                   sizeof container->depends_on[0]);
    container->depends_on[container->depends_on_count++] =
        (struct container_dependency){(uint16_t)on, condition};
}

static bool depends_on(const struct container_def *container, size_t on)
{
    for (size_t i = 0; i < container->depends_on_count; i++)
        if (container->depends_on[i].container == on)
            return true;
    return false;
}

static enum berth_err read_dependency(const json_t *json, const char *place, struct task_def *def,
                                      size_t index, struct berth_error *err)
{
    const char *name = NULL, *condition = NULL;
    char where[ECS_PLACE_MAX];
    unsigned kind = 0;
    if (ecs_get_text(json, place, "containerName", &name, err) != BERTH_OK ||
        ecs_get_text(json, place, "condition", &condition, err) != BERTH_OK)
        return err->code;
    if (name == NULL || condition == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: needs \"containerName\" and \"condition\"",
                          place);
    ecs_place(where, "%s/condition", place);
    if (find_word(condition, where, condition_names, &kind, err) != BERTH_OK)
        return err->code;
    size_t on = find_container(def, name, strlen(name));
    if (on == def->container_count || on == index || depends_on(&def->containers[index], on))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/containerName: \"%.60s\" is %s; name another container of the "
                          "definition",
                          place, name,
                          on == def->container_count ? "not a container"
                          : on == index              ? "the container itself"
                                                     : "named twice");
    bool waits_for_end = kind == DEPENDS_COMPLETE || kind == DEPENDS_SUCCESS;
    if (waits_for_end && def->containers[on].is_essential)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/condition: %s waits for the end of \"%.60s\", which is essential; "
                          "set its \"essential\" to false",
                          place, condition, name);
    if (kind == DEPENDS_HEALTHY && !container_def_has_health_check(&def->containers[on]))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/condition: \"%.60s\" has no healthCheck; add one or use START", place,
                          name);
    add_dependency(&def->containers[index], on, (enum dependency_condition)kind);
    return BERTH_OK;
}

/* "name" or "name:alias": a link waits for the other's start. */
static enum berth_err read_links(const json_t *links, const char *place, struct task_def *def,
                                 size_t index, struct berth_error *err)
{
    size_t at;
    json_t *item;
    json_array_foreach(links, at, item)
    {
        const char *link = json_string_value(item);
        size_t on = find_container(def, link, strcspn(link, ":"));
        if (def->network_mode != NETWORK_BRIDGE || on == def->container_count || on == index)
            return berth_fail(err, BERTH_ERR_INPUT, "%s/links/%zu: %s", place, at,
                              def->network_mode != NETWORK_BRIDGE
                                  ? "links need networkMode bridge; remove them"
                                  : "links name another container of the definition");
        if (!depends_on(&def->containers[index], on))
            add_dependency(&def->containers[index], on, DEPENDS_START);
    }
    return BERTH_OK;
}

/* Take away, again and again, whatever waits for nothing that is left. */
static enum berth_err check_acyclic(const struct task_def *def, const char *place,
                                    struct berth_error *err)
{
    bool is_done[TASK_DEF_CONTAINERS_MAX] = {false};
    size_t left = def->container_count, before = left + 1;
    while (left > 0 && left < before) {
        before = left;
        for (size_t i = 0; i < def->container_count; i++) {
            const struct container_def *container = &def->containers[i];
            bool is_free = !is_done[i];
            for (size_t j = 0; j < container->depends_on_count; j++)
                is_free = is_free && is_done[container->depends_on[j].container];
            if (is_free) {
                is_done[i] = true;
                left--;
            }
        }
    }
    for (size_t i = 0; i < def->container_count; i++)
        if (!is_done[i])
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/containerDefinitions/%zu/dependsOn: containers wait for each "
                              "other in a circle; break it",
                              place, i);
    return BERTH_OK;
}

static enum berth_err read_dependencies(const json_t *containers, const char *place,
                                        struct task_def *def, struct berth_error *err)
{
    char inner[ECS_PLACE_MAX];
    size_t index, at;
    json_t *json, *item;
    json_array_foreach(containers, index, json)
    {
        json_array_foreach(json_object_get(json, "dependsOn"), at, item)
        {
            ecs_place(inner, "%s/containerDefinitions/%zu/dependsOn/%zu", place, index, at);
            if (read_dependency(item, inner, def, index, err) != BERTH_OK)
                return err->code;
        }
        ecs_place(inner, "%s/containerDefinitions/%zu", place, index);
        if (read_links(json_object_get(json, "links"), inner, def, index, err) != BERTH_OK)
            return err->code;
    }
    return check_acyclic(def, place, err);
}

struct claimed_ports {
    VEC(uint16_t) tcp, udp;
};

/* The static host port that a mapping claims, 0 for none (dynamic, or a namespace of its own). */
static enum berth_err read_mapping(const json_t *json, const char *place, enum network_mode mode,
                                   struct claimed_ports *ports, struct berth_error *err)
{
    int64_t container_port = -1, host_port = 0;
    const char *protocol = "tcp", *range = NULL;
    if (ecs_get_integer(json, place, "containerPort", 0, 65535, &container_port, err) != BERTH_OK ||
        ecs_get_integer(json, place, "hostPort", 0, 65535, &host_port, err) != BERTH_OK ||
        ecs_get_text(json, place, "protocol", &protocol, err) != BERTH_OK ||
        ecs_get_text(json, place, "containerPortRange", &range, err) != BERTH_OK)
        return err->code;
    bool is_udp = strcmp(protocol, "udp") == 0;
    if (!is_udp && strcmp(protocol, "tcp") != 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/protocol: \"%.60s\"; use tcp or udp", place,
                          protocol);
    if (mode == NETWORK_NONE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: networkMode none has no ports; remove portMappings", place);
    if (range != NULL) {
        if (host_port != 0)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/hostPort: goes with containerPort, not with a range; remove it",
                              place);
        return BERTH_OK;
    }
    if (container_port < 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/containerPort: is missing; write 1 to 65535",
                          place);
    if (mode != NETWORK_BRIDGE && host_port != 0 && host_port != container_port)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/hostPort: %lld must equal containerPort %lld in networkMode %s; "
                          "leave it out",
                          place, (long long)host_port, (long long)container_port,
                          network_mode_names[mode]);
    if (mode == NETWORK_HOST)
        host_port = container_port;
    if (mode == NETWORK_AWSVPC || host_port == 0)
        return BERTH_OK;
    if (is_udp)
        *vec_push(&ports->udp) = (uint16_t)host_port;
    else
        *vec_push(&ports->tcp) = (uint16_t)host_port;
    return BERTH_OK;
}

static int compare_ports(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Ascending and distinct, in place; returns how many are left. */
static uint16_t settle_ports(uint16_t *ports, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(ports, count, sizeof *ports, compare_ports);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || ports[i] != ports[i - 1])
            ports[kept++] = ports[i];
    return (uint16_t)kept;
}

static enum berth_err read_ports(const json_t *containers, const char *place, struct task_def *def,
                                 struct berth_error *err)
{
    struct claimed_ports ports = {VEC_INIT, VEC_INIT};
    enum berth_err code = BERTH_OK;
    size_t index, at;
    json_t *json, *item;
    json_array_foreach(containers, index, json)
    {
        json_array_foreach(json_object_get(json, "portMappings"), at, item)
        {
            char inner[ECS_PLACE_MAX];
            ecs_place(inner, "%s/containerDefinitions/%zu/portMappings/%zu", place, index, at);
            if (code == BERTH_OK)
                code = read_mapping(item, inner, def->network_mode, &ports, err);
        }
    }
    def->tcp_ports = ports.tcp.items;
    def->udp_ports = ports.udp.items;
    def->demand.tcp_ports = def->tcp_ports;
    def->demand.udp_ports = def->udp_ports;
    def->demand.tcp_port_count = settle_ports(ports.tcp.items, ports.tcp.count);
    def->demand.udp_port_count = settle_ports(ports.udp.items, ports.udp.count);
    return code;
}

/* Task-level sizes count on Linux only; else, and without them, the containers' sums do. */
static enum berth_err read_sizes(const json_t *json, const char *place, struct task_def *def,
                                 struct berth_error *err)
{
    const json_t *cpu = json_object_get(json, "cpu"), *memory = json_object_get(json, "memory");
    const char *os = json_string_value(
        json_object_get(json_object_get(json, "runtimePlatform"), "operatingSystemFamily"));
    bool is_windows = os != NULL && strncmp(os, "WINDOWS", strlen("WINDOWS")) == 0;
    bool has_cpu = cpu != NULL && !json_is_null(cpu);
    bool has_memory = memory != NULL && !json_is_null(memory);
    int32_t task_cpu = 0, task_memory = 0;
    if (has_cpu &&
        (!ecs_parse_cpu(cpu, &task_cpu) || task_cpu < 1 || task_cpu > TASK_CPU_UNITS_MAX))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/cpu: is not a size; write units (\"256\") or \"0.25 vCPU\", at most "
                          "%d units",
                          place, TASK_CPU_UNITS_MAX);
    if (has_memory && (!ecs_parse_memory(memory, &task_memory) || task_memory < 1))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/memory: is not a size; write MiB (\"512\") or \"0.5 GB\"", place);
    int64_t cpu_sum = 0, mem_sum = 0;
    for (size_t i = 0; i < def->container_count; i++) {
        cpu_sum += def->containers[i].cpu_units;
        mem_sum += def->containers[i].mem_mib;
    }
    if (cpu_sum > INT32_MAX || mem_sum > INT32_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/containerDefinitions: the sum of %s is absurd; lower it", place,
                          cpu_sum > INT32_MAX ? "cpu" : "memory");
    if (has_memory && !is_windows && mem_sum > task_memory)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/memory: the containers need %lld MiB, the task has %d; raise it",
                          place, (long long)mem_sum, task_memory);
    def->demand.cpu_units = has_cpu && !is_windows ? task_cpu : (int32_t)cpu_sum;
    def->demand.mem_mib = has_memory && !is_windows ? task_memory : (int32_t)mem_sum;
    return BERTH_OK;
}

static void collect_gpus(struct task_def *def)
{
    def->gpus = mem_alloc(def->container_count * sizeof def->gpus[0]);
    for (size_t i = 0; i < def->container_count; i++)
        if (def->containers[i].gpu.milli > 0)
            def->gpus[def->demand.gpu_count++] = def->containers[i].gpu;
    def->demand.gpus = def->gpus;
}

static enum berth_err read_required_attributes(const json_t *list, const char *place,
                                               struct task_def *def, struct berth_error *err)
{
    size_t count = json_array_size(list);
    def->required_attributes = mem_alloc((count + 1) * sizeof def->required_attributes[0]);
    for (size_t i = 0; i < count; i++) {
        char inner[ECS_PLACE_MAX];
        const char *name = NULL, *value = NULL;
        const json_t *item = json_array_get(list, i);
        ecs_place(inner, "%s/requiresAttributes/%zu", place, i);
        if (ecs_get_text(item, inner, "name", &name, err) != BERTH_OK ||
            ecs_get_text(item, inner, "value", &value, err) != BERTH_OK)
            return err->code;
        if (name == NULL || *name == '\0')
            return berth_fail(err, BERTH_ERR_INPUT, "%s/name: is missing; name the attribute",
                              inner);
        size_t bytes = strlen(name) + (value == NULL ? 0 : strlen(value) + 1) + 1;
        char *both = mem_alloc(bytes);
        (void)snprintf(both, bytes, "%s%s%s", name, value == NULL ? "" : "=",
                       value == NULL ? "" : value);
        def->required_attributes[def->required_attribute_count++] = both;
    }
    return BERTH_OK;
}

static enum berth_err check_expression(const char *text, const char *place, struct berth_error *err)
{
    struct symbols *symbols = symbols_create();
    struct expression *expression = NULL;
    enum berth_err code = expression_parse(symbols, text, &expression, err);
    expression_destroy(expression);
    symbols_destroy(symbols);
    return code == BERTH_OK ? code : berth_fail_in(err, "%s/expression: ", place);
}

static enum berth_err read_constraints(const json_t *list, const char *place, struct task_def *def,
                                       struct berth_error *err)
{
    size_t count = json_array_size(list);
    if (count > CONSTRAINTS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/placementConstraints: %zu of them; at most %d",
                          place, count, CONSTRAINTS_MAX);
    def->member_of = mem_alloc((count + 1) * sizeof def->member_of[0]);
    for (size_t i = 0; i < count; i++) {
        char inner[ECS_PLACE_MAX];
        const char *type = NULL, *expression = NULL;
        const json_t *item = json_array_get(list, i);
        ecs_place(inner, "%s/placementConstraints/%zu", place, i);
        if (ecs_get_text(item, inner, "type", &type, err) != BERTH_OK ||
            ecs_get_text(item, inner, "expression", &expression, err) != BERTH_OK)
            return err->code;
        if (type == NULL || strcmp(type, "memberOf") != 0)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/type: a task definition takes memberOf only; put others into "
                              "the service or the request",
                              inner);
        if (expression == NULL)
            return berth_fail(err, BERTH_ERR_INPUT, "%s/expression: is missing; write one", inner);
        if (check_expression(expression, inner, err) != BERTH_OK)
            return err->code;
        def->member_of[def->member_of_count++] = mem_copy_text(expression);
    }
    return BERTH_OK;
}

static enum berth_err read_identity(const json_t *json, const char *place, struct task_def *def,
                                    struct berth_error *err)
{
    const char *family = NULL, *mode = NULL, *status = NULL;
    int64_t revision = 0;
    char where[ECS_PLACE_MAX];
    unsigned index = 0;
    if (ecs_get_text(json, place, "family", &family, err) != BERTH_OK ||
        check_name(family, place, "family", err) != BERTH_OK ||
        ecs_get_text(json, place, "networkMode", &mode, err) != BERTH_OK ||
        ecs_get_text(json, place, "status", &status, err) != BERTH_OK ||
        ecs_get_integer(json, place, "revision", 1, INT32_MAX, &revision, err) != BERTH_OK)
        return err->code;
    def->family = mem_copy_text(family);
    def->revision = (uint32_t)revision;
    ecs_place(where, "%s/networkMode", place);
    if (mode != NULL && find_word(mode, where, network_mode_names, &index, err) != BERTH_OK)
        return err->code;
    def->network_mode = mode == NULL ? NETWORK_BRIDGE : (enum network_mode)index;
    def->demand.needs_eni = def->network_mode == NETWORK_AWSVPC;
    ecs_place(where, "%s/status", place);
    if (status != NULL && find_word(status, where, status_names, &index, err) != BERTH_OK)
        return err->code;
    def->status = status == NULL ? TASK_DEF_ACTIVE : (enum task_def_status)index;
    return BERTH_OK;
}

static enum berth_err keep_document(const json_t *json, const char *place, struct task_def *def,
                                    struct berth_error *err)
{
    struct text text = TEXT_INIT;
    json_write_compact(&text, json, JSON_AS_WRITTEN);
    def->document = mem_copy_text_n(text.bytes, text.length);
    text_free(&text);
    if (strlen(def->document) > DOCUMENT_BYTES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: a definition of more than 64 KiB; ECS takes no larger one", place);
    return BERTH_OK;
}

static enum berth_err read_definition(const json_t *json, const char *place, struct task_def *def,
                                      struct berth_error *err)
{
    const json_t *containers = json_object_get(json, "containerDefinitions");
    if (ecs_check_shape(json, place, ecs_task_definition_members, err) != BERTH_OK ||
        read_identity(json, place, def, err) != BERTH_OK ||
        read_containers(containers, place, def, err) != BERTH_OK ||
        read_dependencies(containers, place, def, err) != BERTH_OK ||
        read_ports(containers, place, def, err) != BERTH_OK ||
        read_sizes(json, place, def, err) != BERTH_OK ||
        read_required_attributes(json_object_get(json, "requiresAttributes"), place, def, err) !=
            BERTH_OK ||
        read_constraints(json_object_get(json, "placementConstraints"), place, def, err) !=
            BERTH_OK ||
        keep_document(json, place, def, err) != BERTH_OK)
        return err->code;
    collect_gpus(def);
    return BERTH_OK;
}

enum berth_err task_def_from_json(const json_t *json, const char *place, struct task_def **out,
                                  struct berth_error *err)
{
    static const char *const wrapper_names[] = {"taskDefinition", "tags", NULL};
    char inner[ECS_PLACE_MAX];
    *out = NULL;
    ecs_place(inner, "%s", place);
    const json_t *wrapped = json_object_get(json, "taskDefinition");
    if (wrapped != NULL) {
        if (json_check_keys(json, place, wrapper_names, err) != BERTH_OK)
            return err->code;
        ecs_place(inner, "%s/taskDefinition", place);
        json = wrapped;
    }
    struct task_def *def = mem_alloc(sizeof *def);
    if (read_definition(json, inner, def, err) != BERTH_OK) {
        task_def_destroy(def);
        return err->code;
    }
    *out = def;
    return BERTH_OK;
}

enum berth_err task_def_from_document(const char *document, struct task_def **out,
                                      struct berth_error *err)
{
    json_t *json = NULL;
    *out = NULL;
    if (json_read_text(document, strlen(document), "task definition", &json, err) != BERTH_OK)
        return err->code;
    enum berth_err code = task_def_from_json(json, "task definition:", out, err);
    json_decref(json);
    return code;
}
