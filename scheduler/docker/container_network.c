/*
 * container_network.c -- network mode, ports, links, and volumes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/map.h"
#include "scheduler/docker/container_parts.h"

/* Where ranges of host ports are taken from: the agent's, outside of what Linux gives clients. */
#define RANGE_FIRST 49153
#define RANGE_LAST 65535

bool port_range_read(const char *range, uint16_t *from, uint16_t *to)
{
    char *dash, *end;
    unsigned long first = strtoul(range, &dash, 10);
    if (dash == range || *dash != '-' || first < 1)
        return false;
    unsigned long last = strtoul(dash + 1, &end, 10);
    if (end == dash + 1 || *end != '\0' || last > 65535 || first > last)
        return false;
    *from = (uint16_t)first;
    *to = (uint16_t)last;
    return true;
}

/* Host ports of a range stand in a row; where, follows from who asks, and for the how manyth time.
 */
static uint32_t first_host_port(const struct container_launch *launch, uint16_t container,
                                size_t mapping, uint32_t count)
{
    uint32_t places = count > RANGE_LAST - RANGE_FIRST ? 1 : RANGE_LAST - RANGE_FIRST + 2 - count;
    uint64_t key = map_mix(launch->task ^ map_mix((uint64_t)container << 32 | mapping));
    return RANGE_FIRST + (uint32_t)(map_mix(key + launch->port_attempt) % places);
}

/* host_port 0: the engine's choice, read back from inspect. */
static void add_binding(json_t *exposed, json_t *bindings, uint32_t port, const char *protocol,
                        uint32_t host_port)
{
    char key[24], number[16] = "";
    (void)snprintf(key, sizeof key, "%u/%s", port, protocol);
    if (host_port > 0)
        (void)snprintf(number, sizeof number, "%u", host_port);
    json_t *list = json_object_get(bindings, key);
    if (list == NULL) {
        list = json_array();
        (void)json_object_set_new(bindings, key, list);
        (void)json_object_set_new(exposed, key, json_object());
    }
    (void)json_array_append_new(list, json_pack("{s:s}", "HostPort", number));
}

static void add_mapping(json_t *exposed, json_t *bindings, const struct container_launch *launch,
                        uint16_t container, size_t at, const json_t *mapping)
{
    const char *range = json_string_value(wanted(mapping, "containerPortRange"));
    const char *protocol = json_string_value(wanted(mapping, "protocol"));
    uint16_t from = (uint16_t)json_integer_value(json_object_get(mapping, "containerPort"));
    uint16_t to = from;
    uint32_t host = (uint32_t)json_integer_value(json_object_get(mapping, "hostPort"));
    protocol = protocol == NULL ? "tcp" : protocol;
    if (range != NULL && port_range_read(range, &from, &to))
        host = first_host_port(launch, container, at, (uint32_t)(to - from) + 1);
    for (uint32_t port = from; port <= to; port++)
        add_binding(exposed, bindings, port, protocol, host == 0 ? 0 : host + (port - from));
}

void add_ports(json_t *body, json_t *host, const struct container_launch *launch,
               uint16_t container, const json_t *json)
{
    const json_t *mappings = wanted(json, "portMappings");
    if (mappings == NULL || launch->def->network_mode != NETWORK_BRIDGE)
        return; /* on the host's own network every port is the host's already */
    json_t *exposed = json_object(), *bindings = json_object(), *mapping;
    size_t at;
    json_array_foreach(mappings, at, mapping)
    {
        add_mapping(exposed, bindings, launch, container, at, mapping);
    }
    (void)json_object_set_new(body, "ExposedPorts", exposed);
    (void)json_object_set_new(host, "PortBindings", bindings);
}

/* A container of the same task by the name that it has on the engine. */
static bool add_sibling(struct text *out, const struct container_launch *launch, const char *name,
                        size_t length)
{
    uint16_t sibling = container_find(launch->def, name, length);
    if (sibling == launch->def->container_count)
        return false;
    container_name(launch, sibling, out);
    return true;
}

/* "db" and "db:database": the engine knows the container by another name than its sibling does. */
static void add_links(json_t *host, const struct container_launch *launch, const json_t *links)
{
    json_t *list = json_array(), *item;
    size_t at;
    json_array_foreach(links, at, item)
    {
        const char *link = json_string_value(item);
        size_t length = strcspn(link, ":");
        struct text text = TEXT_INIT;
        if (add_sibling(&text, launch, link, length)) {
            text_addf(&text, ":%s", link[length] == ':' ? link + length + 1 : link);
            (void)json_array_append_new(list, json_string(text.bytes));
        }
        text_free(&text);
    }
    (void)json_object_set_new(host, "Links", list);
}

static void add_hosts(json_t *host, const json_t *hosts)
{
    json_t *list = json_array(), *item;
    size_t at;
    json_array_foreach(hosts, at, item)
    {
        const char *name = json_string_value(json_object_get(item, "hostname"));
        const char *address = json_string_value(json_object_get(item, "ipAddress"));
        if (name != NULL && address != NULL)
            (void)json_array_append_new(list, json_sprintf("%s:%s", name, address));
    }
    (void)json_object_set_new(host, "ExtraHosts", list);
}

void add_network(json_t *host, const struct container_launch *launch, const json_t *json)
{
    static const char *const modes[] = {"bridge", "host", "none", "none"};
    const char *pid_mode = json_string_value(wanted(launch->document, "pidMode"));
    const char *ipc_mode = json_string_value(wanted(launch->document, "ipcMode"));
    (void)json_object_set_new(host, "NetworkMode", json_string(modes[launch->def->network_mode]));
    if (pid_mode != NULL && strcmp(pid_mode, "host") == 0)
        (void)json_object_set_new(host, "PidMode", json_string("host"));
    if (ipc_mode != NULL && strcmp(ipc_mode, "task") != 0) /* "host" or "none" */
        (void)json_object_set_new(host, "IpcMode", json_string(ipc_mode));
    if (wanted(json, "links") != NULL)
        add_links(host, launch, wanted(json, "links"));
    if (wanted(json, "extraHosts") != NULL)
        add_hosts(host, wanted(json, "extraHosts"));
}

static const char *folder_of_host(const json_t *volume)
{
    return json_string_value(wanted(json_object_get(volume, "host"), "sourcePath"));
}

bool task_volume_of(const struct container_launch *launch, const json_t *volume,
                    struct task_volume *out)
{
    const json_t *docker = json_object_get(volume, "dockerVolumeConfiguration");
    const char *scope = json_string_value(wanted(docker, "scope"));
    const char *name = json_string_value(json_object_get(volume, "name"));
    *out = (struct task_volume){.name = TEXT_INIT};
    if (folder_of_host(volume) != NULL || name == NULL)
        return false;
    out->is_of_task = scope == NULL || strcmp(scope, "shared") != 0;
    if (out->is_of_task) {
        char id[33];
        id_format(launch->task, id);
        text_addf(&out->name, "berth-%s-%s-", launch->cluster, id);
    }
    text_add(&out->name, name);
    out->must_exist = !out->is_of_task && wanted(docker, "autoprovision") == NULL;
    return true;
}

static json_t *texts_or_empty(const json_t *map)
{
    return map == NULL ? json_object() : json_incref((json_t *)(uintptr_t)map);
}

/* A volume that the engine keeps, and makes when it is not there yet, as it is configured. */
static json_t *mount_of_volume(const struct container_launch *launch, const json_t *volume,
                               const struct task_volume *kept)
{
    const json_t *docker = json_object_get(volume, "dockerVolumeConfiguration");
    const char *driver = json_string_value(wanted(docker, "driver"));
    json_t *labels = json_object();
    if (wanted(docker, "labels") != NULL)
        (void)json_object_update(labels, (json_t *)(uintptr_t)wanted(docker, "labels"));
    if (kept->is_of_task) {
        (void)json_object_set_new(labels, "berth.cluster", json_string(launch->cluster));
        (void)json_object_set_new(labels, CONTAINER_LABEL_STATE, json_string(launch->state));
        (void)json_object_set_new(labels, CONTAINER_LABEL_TASK,
                                  json_sprintf("%llu", (unsigned long long)launch->task));
    }
    return json_pack("{s:s, s:s, s:{s:o, s:{s:s, s:o}}}", "Type", "volume", "Source",
                     kept->name.bytes, "VolumeOptions", "Labels", labels, "DriverConfig", "Name",
                     driver == NULL ? "local" : driver, "Options",
                     texts_or_empty(wanted(docker, "driverOpts")));
}

static const json_t *find_volume(const struct container_launch *launch, const char *name)
{
    size_t at;
    json_t *volume;
    json_array_foreach(json_object_get(launch->document, "volumes"), at, volume)
    {
        const char *its_name = json_string_value(json_object_get(volume, "name"));
        if (its_name != NULL && name != NULL && strcmp(its_name, name) == 0)
            return volume;
    }
    return NULL;
}

/* A folder of the host is bound, and made when it is not there; the rest is mounted. */
static void add_mount(json_t *binds, json_t *mounts, const struct container_launch *launch,
                      const json_t *point)
{
    const json_t *volume =
        find_volume(launch, json_string_value(json_object_get(point, "sourceVolume")));
    const char *path = json_string_value(json_object_get(point, "containerPath"));
    bool is_read_only = wanted(point, "readOnly") != NULL;
    struct task_volume kept;
    if (volume == NULL || path == NULL)
        return;
    if (!task_volume_of(launch, volume, &kept)) {
        (void)json_array_append_new(binds, json_sprintf("%s:%s%s", folder_of_host(volume), path,
                                                        is_read_only ? ":ro" : ""));
        return;
    }
    json_t *mount = mount_of_volume(launch, volume, &kept);
    (void)json_object_set_new(mount, "Target", json_string(path));
    (void)json_object_set_new(mount, "ReadOnly", json_boolean(is_read_only));
    (void)json_array_append_new(mounts, mount);
    text_free(&kept.name);
}

static void add_volumes_from(json_t *host, const struct container_launch *launch,
                             const json_t *sources)
{
    json_t *list = json_array(), *item;
    size_t at;
    json_array_foreach(sources, at, item)
    {
        const char *name = json_string_value(json_object_get(item, "sourceContainer"));
        struct text text = TEXT_INIT;
        if (name != NULL && add_sibling(&text, launch, name, strlen(name))) {
            text_add(&text, wanted(item, "readOnly") != NULL ? ":ro" : ":rw");
            (void)json_array_append_new(list, json_string(text.bytes));
        }
        text_free(&text);
    }
    (void)json_object_set_new(host, "VolumesFrom", list);
}

void add_volumes(json_t *host, const struct container_launch *launch, const json_t *json)
{
    json_t *binds = json_array(), *mounts = json_array(), *point;
    size_t at;
    json_array_foreach(json_object_get(json, "mountPoints"), at, point)
    {
        add_mount(binds, mounts, launch, point);
    }
    if (json_array_size(binds) > 0)
        (void)json_object_set(host, "Binds", binds);
    if (json_array_size(mounts) > 0)
        (void)json_object_set(host, "Mounts", mounts);
    json_decref(binds);
    json_decref(mounts);
    if (wanted(json, "volumesFrom") != NULL)
        add_volumes_from(host, launch, wanted(json, "volumesFrom"));
}
