#include "scheduler/docker/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/iso_time.h"

#define MIB_BYTES (1024 * 1024)

const char *const container_status_names[CONTAINER_STATUS_COUNT] = {
    "created", "running", "paused", "restarting", "removing", "exited", "dead", "gone",
};

static const json_t *member(const json_t *object, const char *outer, const char *inner)
{
    return json_object_get(json_object_get(object, outer), inner);
}

/* Cut to fit, control characters as blanks: it ends up in one line of a message. */
static void copy_line(char *out, size_t out_bytes, const char *text, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < out_bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        out[used++] = byte < 0x20 || byte == 0x7f ? ' ' : (char)byte;
    }
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

static void copy_text(char *out, size_t out_bytes, const json_t *json)
{
    copy_line(out, out_bytes, json_is_string(json) ? json_string_value(json) : "",
              json_is_string(json) ? json_string_length(json) : 0);
}

/* Ids go into paths, so only what an id may hold. */
static bool copy_id(char out[ENGINE_ID_MAX], const json_t *json)
{
    static const char allowed[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-";
    const char *id = json_string_value(json);
    size_t length = id == NULL ? 0 : strlen(id);
    if (length == 0 || length >= ENGINE_ID_MAX || strspn(id, allowed) != length)
        return false;
    memcpy(out, id, length + 1);
    return true;
}

/* A count that an engine gives: never negative, never beyond int64. */
static int64_t count_of(const json_t *json)
{
    if (json_is_integer(json))
        return json_integer_value(json) < 0 ? 0 : json_integer_value(json);
    double value = json_real_value(json);
    return value > 0 && value < 9e18 ? (int64_t)value : 0;
}

static int32_t exit_code_of(json_int_t code)
{
    return code < INT32_MIN ? INT32_MIN : code > INT32_MAX ? INT32_MAX : (int32_t)code;
}

/* "0001-01-01T00:00:00Z" is never. */
static berth_ns time_of(const json_t *json)
{
    berth_ns wall_ns = 0;
    if (!json_is_string(json) || !iso_time_parse(json_string_value(json), &wall_ns))
        return 0;
    return wall_ns;
}

static enum container_status status_of(const json_t *json)
{
    const char *name = json_string_value(json);
    for (int at = 0; name != NULL && at < CONTAINER_GONE; at++)
        if (strcmp(container_status_names[at], name) == 0)
            return (enum container_status)at;
    return CONTAINER_DEAD;
}

static enum container_health health_of(const json_t *health)
{
    const char *name = json_string_value(json_object_get(health, "Status"));
    if (name == NULL || strcmp(name, "none") == 0 || *name == '\0')
        return CONTAINER_NO_HEALTH;
    if (strcmp(name, "healthy") == 0)
        return CONTAINER_HEALTHY;
    return strcmp(name, "unhealthy") == 0 ? CONTAINER_UNHEALTHY : CONTAINER_STARTING;
}

/* "8080/tcp", and for each binding its host's address and port. */
static bool read_port_key(const char *key, struct container_port *out)
{
    char *end;
    unsigned long port = strtoul(key, &end, 10);
    if (end == key || port == 0 || port > 65535)
        return false;
    *out = (struct container_port){.container_port = (uint16_t)port,
                                   .is_udp = strcmp(end, "/udp") == 0};
    return strcmp(end, "/tcp") == 0 || out->is_udp;
}

static void read_ports(const json_t *ports, struct container_state *out)
{
    const char *key;
    json_t *bindings, *binding;
    size_t at;
    json_object_foreach((json_t *)(uintptr_t)ports, key, bindings)
    {
        struct container_port port;
        if (!read_port_key(key, &port))
            continue;
        json_array_foreach(bindings, at, binding)
        {
            const char *host_port = json_string_value(json_object_get(binding, "HostPort"));
            long number = host_port == NULL ? 0 : strtol(host_port, NULL, 10);
            if (number < 1 || number > 65535)
                continue;
            port.host_port = (uint16_t)number;
            copy_text(port.host_ip, sizeof port.host_ip, json_object_get(binding, "HostIp"));
            *vec_push(&out->ports) = port;
        }
    }
}

static void read_run_state(const json_t *state, struct container_state *out)
{
    out->status = status_of(json_object_get(state, "Status"));
    out->health = health_of(json_object_get(state, "Health"));
    out->is_out_of_memory = json_is_true(json_object_get(state, "OOMKilled"));
    out->pid = count_of(json_object_get(state, "Pid"));
    out->exit_code = exit_code_of(json_integer_value(json_object_get(state, "ExitCode")));
    out->has_exit_code = out->status == CONTAINER_EXITED || out->status == CONTAINER_DEAD;
    out->started_ns = time_of(json_object_get(state, "StartedAt"));
    out->finished_ns = time_of(json_object_get(state, "FinishedAt"));
    copy_text(out->words, sizeof out->words, json_object_get(state, "Error"));
}

bool container_state_read(const json_t *json, struct container_state *out)
{
    *out = (struct container_state){.status = CONTAINER_CREATED};
    const json_t *state = json_object_get(json, "State");
    const char *name = json_string_value(json_object_get(json, "Name"));
    const char *signal = json_string_value(member(json, "Config", "StopSignal"));
    const char *image = json_string_value(json_object_get(json, "Image"));
    const json_t *labels = member(json, "Config", "Labels");
    if (!copy_id(out->id, json_object_get(json, "Id")) || !json_is_object(state) || name == NULL)
        return false;
    out->name = mem_copy_text(name[0] == '/' ? name + 1 : name);
    out->image = mem_copy_text(image == NULL ? "" : image);
    out->stop_signal = mem_copy_text(signal == NULL || *signal == '\0' ? "SIGTERM" : signal);
    out->labels = json_is_object(labels) ? json_incref((json_t *)(uintptr_t)labels) : json_object();
    out->has_terminal = json_is_true(member(json, "Config", "Tty"));
    read_run_state(state, out);
    read_ports(member(json, "NetworkSettings", "Ports"), out);
    return true;
}

void container_state_free(struct container_state *state)
{
    mem_free(state->name);
    mem_free(state->image);
    mem_free(state->stop_signal);
    json_decref(state->labels);
    vec_free(&state->ports);
    *state = (struct container_state){.status = CONTAINER_CREATED};
}

const char *container_state_label(const struct container_state *state, const char *name)
{
    return json_string_value(json_object_get(state->labels, name));
}

/* What changes how inspect would answer; "exec_start" and its like come with every health check. */
static bool is_of_interest(const char *action)
{
    static const char *const actions[] = {"create", "start",   "die",    "oom",    "destroy",
                                          "pause",  "unpause", "rename", "update", NULL};
    static const char health[] = "health_status";
    for (const char *const *at = actions; *at != NULL; at++)
        if (strcmp(*at, action) == 0)
            return true;
    return strncmp(action, health, strlen(health)) == 0;
}

bool engine_event_read(const char *line, size_t length, struct engine_event *out)
{
    json_t *json = json_loadb(line, length, 0, NULL);
    const char *type = json_string_value(json_object_get(json, "Type"));
    const char *action = json_string_value(json_object_get(json, "Action"));
    *out = (struct engine_event){.is_end = false};
    bool is_read = type != NULL && strcmp(type, "container") == 0 && action != NULL &&
                   is_of_interest(action) && copy_id(out->id, member(json, "Actor", "ID"));
    out->is_start = is_read && strcmp(action, "start") == 0;
    out->is_out_of_memory = is_read && strcmp(action, "oom") == 0;
    if (is_read && strcmp(action, "die") == 0) {
        const char *code =
            json_string_value(json_object_get(member(json, "Actor", "Attributes"), "exitCode"));
        out->is_end = true;
        out->has_exit_code = code != NULL;
        out->exit_code = code == NULL ? 0 : exit_code_of(strtoll(code, NULL, 10));
    }
    json_decref(json);
    return is_read;
}

void engine_message_read(const char *body, size_t length, char out[ENGINE_TEXT_MAX])
{
    json_t *json = json_loadb(body, length, 0, NULL);
    const json_t *message = json_object_get(json, "message");
    if (json_is_string(message))
        copy_text(out, ENGINE_TEXT_MAX, message);
    else
        copy_line(out, ENGINE_TEXT_MAX, body, length);
    json_decref(json);
}

/* "1.41": the minor number; 0 when it is not of API 1. */
static uint32_t minor_of(const json_t *json)
{
    const char *text = json_string_value(json);
    if (text == NULL || strncmp(text, "1.", 2) != 0)
        return 0;
    unsigned long minor = strtoul(text + 2, NULL, 10);
    return minor > 9999 ? 9999 : (uint32_t)minor;
}

bool engine_version_read(const json_t *json, struct engine_version *out)
{
    *out = (struct engine_version){.api_minor = minor_of(json_object_get(json, "ApiVersion"))};
    out->api_minor_min = minor_of(json_object_get(json, "MinAPIVersion"));
    copy_text(out->engine, sizeof out->engine, json_object_get(json, "Version"));
    copy_text(out->architecture, sizeof out->architecture, json_object_get(json, "Arch"));
    copy_text(out->system, sizeof out->system, json_object_get(json, "Os"));
    return out->api_minor > 0;
}

bool engine_info_read(const json_t *json, struct engine_info *out)
{
    const json_t *drivers = member(json, "Plugins", "Log");
    const char *cgroup = json_string_value(json_object_get(json, "CgroupVersion"));
    int64_t cpus = count_of(json_object_get(json, "NCPU"));
    *out = (struct engine_info){.cpu_count = cpus > INT16_MAX ? INT16_MAX : (int32_t)cpus};
    out->mem_mib = count_of(json_object_get(json, "MemTotal")) / MIB_BYTES;
    out->has_live_restore = json_is_true(json_object_get(json, "LiveRestoreEnabled"));
    out->has_swap_limit = json_is_true(json_object_get(json, "SwapLimit"));
    out->is_cgroup_v2 = cgroup != NULL && strcmp(cgroup, "2") == 0;
    copy_text(out->name, sizeof out->name, json_object_get(json, "Name"));
    copy_text(out->driver, sizeof out->driver, json_object_get(json, "Driver"));
    out->log_drivers =
        json_is_array(drivers) ? json_incref((json_t *)(uintptr_t)drivers) : json_array();
    return copy_id(out->id, json_object_get(json, "ID"));
}

void engine_info_free(struct engine_info *info)
{
    json_decref(info->log_drivers);
    info->log_drivers = NULL;
}

bool pull_line_read(const char *line, size_t length, struct pull_line *out)
{
    static const char last[] = "Status: ", digest[] = "Digest: ";
    json_t *json = json_loadb(line, length, 0, NULL);
    const json_t *error = json_object_get(json, "error");
    const json_t *status = json_object_get(json, "status");
    const json_t *detail = member(json, "errorDetail", "message");
    *out = (struct pull_line){.is_error = json_is_string(error) || json_is_string(detail)};
    if (out->is_error)
        copy_text(out->status, sizeof out->status, json_is_string(detail) ? detail : error);
    else
        copy_text(out->status, sizeof out->status, status);
    copy_text(out->layer, sizeof out->layer, json_object_get(json, "id"));
    out->current_bytes = count_of(member(json, "progressDetail", "current"));
    out->total_bytes = count_of(member(json, "progressDetail", "total"));
    out->is_last = !out->is_error && strncmp(out->status, last, strlen(last)) == 0;
    if (!out->is_error && strncmp(out->status, digest, strlen(digest)) == 0)
        copy_line(out->digest, sizeof out->digest, out->status + strlen(digest),
                  strlen(out->status) - strlen(digest));
    bool is_object = json_is_object(json);
    json_decref(json);
    return is_object;
}

static void add_networks(const json_t *networks, struct container_usage *out)
{
    const char *key;
    json_t *network;
    json_object_foreach((json_t *)(uintptr_t)networks, key, network)
    {
        out->received_bytes += (uint64_t)count_of(json_object_get(network, "rx_bytes"));
        out->sent_bytes += (uint64_t)count_of(json_object_get(network, "tx_bytes"));
    }
}

bool container_usage_read(const json_t *json, struct container_usage *out)
{
    const json_t *cpu = json_object_get(json, "cpu_stats");
    const json_t *memory = json_object_get(json, "memory_stats");
    const json_t *v1 = member(memory, "stats", "total_inactive_file");
    const json_t *v2 = member(memory, "stats", "inactive_file");
    int64_t used = count_of(json_object_get(memory, "usage"));
    int64_t cache = count_of(v1 != NULL ? v1 : v2);
    int64_t cpus = count_of(json_object_get(cpu, "online_cpus"));
    if (cpus == 0)
        cpus = (int64_t)json_array_size(member(cpu, "cpu_usage", "percpu_usage"));
    *out = (struct container_usage){
        .cpu_ns = (uint64_t)count_of(member(cpu, "cpu_usage", "total_usage")),
        .system_ns = (uint64_t)count_of(json_object_get(cpu, "system_cpu_usage")),
        .cpu_count = cpus > INT16_MAX ? INT16_MAX : (uint32_t)cpus,
        .mem_bytes = (uint64_t)(used > cache ? used - cache : 0),
        .mem_limit_bytes = (uint64_t)count_of(json_object_get(memory, "limit")),
        .throttled_ns = (uint64_t)count_of(member(cpu, "throttling_data", "throttled_time")),
        .read_ns = time_of(json_object_get(json, "read")),
    };
    add_networks(json_object_get(json, "networks"), out);
    return json_is_object(cpu) && json_is_object(memory);
}

bool image_state_read(const json_t *json, struct image_state *out)
{
    const json_t *config = json_object_get(json, "Config");
    const char *digest = json_string_value(json_array_get(json_object_get(json, "RepoDigests"), 0));
    const char *at = digest == NULL ? NULL : strchr(digest, '@');
    *out = (struct image_state){.size_bytes = count_of(json_object_get(json, "Size"))};
    copy_text(out->architecture, sizeof out->architecture, json_object_get(json, "Architecture"));
    if (at != NULL)
        copy_line(out->digest, sizeof out->digest, at + 1, strlen(at + 1));
    out->has_command = json_array_size(json_object_get(config, "Cmd")) > 0 ||
                       json_array_size(json_object_get(config, "Entrypoint")) > 0;
    out->has_health_check = json_is_object(json_object_get(config, "Healthcheck"));
    return copy_id(out->id, json_object_get(json, "Id"));
}
