#include "scheduler/docker/container_json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/docker/container_parts.h"
#include "scheduler/docker/engine.h"

#define NAME_PART_MAX 48

const json_t *wanted(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    bool is_empty = value == NULL || json_is_null(value) || json_is_false(value) ||
                    (json_is_string(value) && json_string_length(value) == 0) ||
                    (json_is_array(value) && json_array_size(value) == 0) ||
                    (json_is_object(value) && json_object_size(value) == 0);
    return is_empty ? NULL : value;
}

uint16_t container_find(const struct task_def *def, const char *name, size_t length)
{
    uint16_t at = 0;
    while (at < def->container_count && (strlen(def->containers[at].name) != length ||
                                         memcmp(def->containers[at].name, name, length) != 0))
        at++;
    return at;
}

/* As far as a container's name may hold it. */
static void add_name_part(struct text *out, const char *part)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    for (size_t i = 0; part[i] != '\0' && i < NAME_PART_MAX; i++)
        text_add_n(out, strchr(allowed, part[i]) != NULL ? &part[i] : "_", 1);
    text_add(out, "-");
}

void container_name(const struct container_launch *launch, uint16_t container, struct text *out)
{
    char id[33];
    id_format(launch->task, id);
    text_add(out, "berth-");
    add_name_part(out, launch->cluster);
    add_name_part(out, launch->def->family);
    text_addf(out, "%u-", launch->def->revision);
    add_name_part(out, launch->def->containers[container].name);
    text_addf(out, "%s-%u", id, container);
}

static void set_text(json_t *object, const char *name, const char *value)
{
    if (value != NULL)
        (void)json_object_set_new(object, name, json_string(value));
}

static void set_number(json_t *object, const char *name, uint64_t value)
{
    (void)json_object_set_new(object, name, json_sprintf("%llu", (unsigned long long)value));
}

/* The definition's own labels first: it cannot pass for another task. */
static json_t *labels_of(const struct container_launch *launch, uint16_t container,
                         const json_t *json)
{
    json_t *labels = json_object();
    const json_t *own = wanted(json, "dockerLabels");
    if (own != NULL)
        (void)json_object_update(labels, (json_t *)(uintptr_t)own);
    set_text(labels, "com.amazonaws.ecs.cluster",
             launch->cluster_arn != NULL ? launch->cluster_arn : launch->cluster);
    set_text(labels, "com.amazonaws.ecs.task-arn", launch->task_arn);
    set_text(labels, "com.amazonaws.ecs.container-name", launch->def->containers[container].name);
    set_text(labels, "com.amazonaws.ecs.task-definition-family", launch->def->family);
    set_number(labels, "com.amazonaws.ecs.task-definition-version", launch->def->revision);
    set_text(labels, ENGINE_CLUSTER_LABEL, launch->cluster);
    set_text(labels, CONTAINER_LABEL_STATE, launch->state);
    set_number(labels, CONTAINER_LABEL_TASK, launch->task);
    set_number(labels, CONTAINER_LABEL_CONTAINER, container);
    return labels;
}

/* Wholly a number, as we wrote it. */
static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0' && *out <= max;
}

bool container_identify(const struct container_state *state, const char *cluster,
                        const char *cluster_state, task_id *task, uint16_t *container)
{
    const char *of_cluster = container_state_label(state, ENGINE_CLUSTER_LABEL);
    const char *of_state = container_state_label(state, CONTAINER_LABEL_STATE);
    uint64_t number = 0, index = 0;
    if (of_cluster == NULL || strcmp(of_cluster, cluster) != 0 || of_state == NULL ||
        strcmp(of_state, cluster_state) != 0 ||
        !read_number(container_state_label(state, CONTAINER_LABEL_TASK), UINT64_MAX - 1, &number) ||
        !read_number(container_state_label(state, CONTAINER_LABEL_CONTAINER),
                     TASK_DEF_CONTAINERS_MAX - 1, &index))
        return false;
    *task = number;
    *container = (uint16_t)index;
    return true;
}

/* {from in the definition, to in the engine's body}: the same value under another name. */
static const char *const same_values[][2] = {
    {"image", "Image"},
    {"command", "Cmd"},
    {"entryPoint", "Entrypoint"},
    {"user", "User"},
    {"workingDirectory", "WorkingDir"},
    {"hostname", "Hostname"},
    {"interactive", "OpenStdin"},
    {"pseudoTerminal", "Tty"},
    {"disableNetworking", "NetworkDisabled"},
};

static const char *const same_host_values[][2] = {
    {"privileged", "Privileged"},
    {"readonlyRootFilesystem", "ReadonlyRootfs"},
    {"dnsServers", "Dns"},
    {"dnsSearchDomains", "DnsSearch"},
    {"dockerSecurityOptions", "SecurityOpt"},
};

static void copy_same(json_t *to, const json_t *json, const char *const names[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = wanted(json, names[i][0]);
        if (value != NULL)
            (void)json_object_set(to, names[i][1], (json_t *)(uintptr_t)value);
    }
}

static void add_environment(json_t *body, const struct container_environment *environment)
{
    json_t *list = json_array();
    for (size_t i = 0; environment != NULL && i < environment->variables.count; i++)
        (void)json_array_append_new(list,
                                    json_sprintf("%s=%s", environment->variables.items[i].name,
                                                 environment->variables.items[i].value));
    (void)json_object_set_new(body, "Env", list);
}

static void add_health(json_t *body, const struct container_def *def, const json_t *json)
{
    const json_t *check = wanted(json, "healthCheck");
    if (check == NULL)
        return;
    json_t *health =
        json_pack("{s:O, s:I, s:I, s:i}", "Test", json_object_get(check, "command"), "Interval",
                  (json_int_t)def->health.interval_ns, "Timeout",
                  (json_int_t)def->health.timeout_ns, "Retries", (int)def->health.retries);
    if (def->health.start_period_ns > 0)
        (void)json_object_set_new(health, "StartPeriod", json_integer(def->health.start_period_ns));
    (void)json_object_set_new(body, "Healthcheck", health);
}

static void add_log(json_t *host, const json_t *json,
                    const struct container_environment *environment)
{
    const json_t *log = wanted(json, "logConfiguration");
    if (log == NULL)
        return; /* the engine's own default */
    json_t *options = json_object();
    const json_t *given = wanted(log, "options");
    if (given != NULL)
        (void)json_object_update(options, (json_t *)(uintptr_t)given);
    for (size_t i = 0; environment != NULL && i < environment->log_options.count; i++)
        set_text(options, environment->log_options.items[i].name,
                 environment->log_options.items[i].value);
    (void)json_object_set_new(
        host, "LogConfig",
        json_pack("{s:O, s:o}", "Type", json_object_get(log, "logDriver"), "Config", options));
}

json_t *container_json(const struct container_launch *launch, uint16_t container)
{
    const struct container_def *def = &launch->def->containers[container];
    const json_t *json =
        json_array_get(json_object_get(launch->document, "containerDefinitions"), container);
    assert(container < launch->def->container_count && json != NULL);
    json_t *body = json_object(), *host = json_object();
    copy_same(body, json, same_values, sizeof same_values / sizeof same_values[0]);
    copy_same(host, json, same_host_values, sizeof same_host_values / sizeof same_host_values[0]);
    (void)json_object_set_new(body, "Labels", labels_of(launch, container, json));
    add_environment(body, launch->environment);
    add_health(body, def, json);
    if (def->stop_timeout_ns != BERTH_NS_NEVER)
        (void)json_object_set_new(body, "StopTimeout",
                                  json_integer(def->stop_timeout_ns / BERTH_NS_PER_S));
    /* berth restarts; an engine that did would revive containers behind the scheduler's back. */
    (void)json_object_set_new(host, "RestartPolicy", json_pack("{s:s}", "Name", "no"));
    add_log(host, json, launch->environment);
    add_limits(host, launch, container, json);
    add_linux(host, json);
    add_cards(host, launch, container);
    add_network(host, launch, json);
    add_ports(body, host, launch, container, json);
    add_volumes(host, launch, json);
    (void)json_object_set_new(body, "HostConfig", host);
    return body;
}
