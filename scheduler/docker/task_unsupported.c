/*
 * task_unsupported.c -- what a definition may ask for and an engine cannot do, each with its
 * reason.
 *
 * executionRoleArn is let pass: what it is for in ECS (pulling, secrets, logs) berth does with
 * credentials of its own. So are the ports' names and appProtocol, which only say what is spoken.
 */
#include <stdio.h>
#include <string.h>

#include "scheduler/docker/container_parts.h"

struct refused_member {
    const char *name, *reason;
};

static const struct refused_member of_task[] = {
    {"taskRoleArn", "an engine has no AWS credentials to give; remove it"},
    {"proxyConfiguration", "App Mesh is AWS's"},
    {"inferenceAccelerators", "Elastic Inference is AWS's"},
    {"ephemeralStorage", "an engine cannot bound a task's disk"},
    {"enableFaultInjection", "fault injection is by the agent's metadata server, which is AWS's"},
};

static const struct refused_member of_container[] = {
    {"firelensConfiguration", "FireLens is AWS's; use a log driver of the engine"},
    {"credentialSpecs", "Windows' credentials; engines here are Linux"},
};

static const struct refused_member of_volume[] = {
    {"efsVolumeConfiguration", "EFS is AWS's; mount it on the host and name its folder"},
    {"s3filesVolumeConfiguration", "S3 files are AWS's; mount them on the host"},
    {"fsxWindowsFileServerVolumeConfiguration", "FSx is AWS's"},
    {"configuredAtLaunch", "EBS volumes are AWS's; use a volume of the host or the engine"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool find_refused(const json_t *json, const struct refused_member *members, size_t count,
                         const char *where, char reason[TASK_REASON_MAX])
{
    for (size_t i = 0; i < count; i++) {
        if (wanted(json, members[i].name) == NULL)
            continue;
        (void)snprintf(reason, TASK_REASON_MAX, "%.80s%s: %s", where, members[i].name,
                       members[i].reason);
        return true;
    }
    return false;
}

static bool refuse(char reason[TASK_REASON_MAX], const char *where, const char *what)
{
    (void)snprintf(reason, TASK_REASON_MAX, "%.80s%s", where, what);
    return true;
}

static bool is_word(const json_t *json, const char *name, const char *word)
{
    const char *value = json_string_value(json_object_get(json, name));
    return value != NULL && strcmp(value, word) == 0;
}

static bool platform_differs(const json_t *platform, const struct engine_version *version,
                             char reason[TASK_REASON_MAX])
{
    const char *system = json_string_value(wanted(platform, "operatingSystemFamily"));
    const char *processor = json_string_value(wanted(platform, "cpuArchitecture"));
    if (system != NULL && strcmp(system, "LINUX") != 0)
        return refuse(reason, "runtimePlatform: ", "engines here are Linux");
    if (processor == NULL || version == NULL || version->architecture[0] == '\0')
        return false;
    const char *name = strcmp(processor, "X86_64") == 0  ? "amd64"
                       : strcmp(processor, "ARM64") == 0 ? "arm64"
                                                         : processor;
    return strcmp(name, version->architecture) != 0 &&
           refuse(reason, "runtimePlatform: ", "the engine's processor is another");
}

static bool has_text(const json_t *list, const char *text)
{
    size_t at;
    json_t *item;
    json_array_foreach(list, at, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

static bool log_unsupported(const json_t *json, const char *where, const struct engine_info *info,
                            char reason[TASK_REASON_MAX])
{
    const json_t *log = wanted(json, "logConfiguration");
    const char *driver = json_string_value(json_object_get(log, "logDriver"));
    if (log == NULL)
        return false;
    if (driver == NULL)
        return refuse(reason, where, "logConfiguration: names no logDriver");
    if (strcmp(driver, "awsfirelens") == 0)
        return refuse(reason, where, "logDriver awsfirelens: FireLens is AWS's");
    return info != NULL && strcmp(driver, "none") != 0 && !has_text(info->log_drivers, driver) &&
           refuse(reason, where, "logDriver: the engine does not have it");
}

static bool has_volume(const json_t *document, const char *name)
{
    size_t at;
    json_t *volume;
    json_array_foreach(json_object_get(document, "volumes"), at, volume)
    {
        if (name != NULL && is_word(volume, "name", name))
            return true;
    }
    return false;
}

static bool mounts_unsupported(const struct task_def *def, const json_t *document,
                               const json_t *json, const char *where, char reason[TASK_REASON_MAX])
{
    size_t at;
    json_t *item;
    json_array_foreach(json_object_get(json, "mountPoints"), at, item)
    {
        if (!has_volume(document, json_string_value(json_object_get(item, "sourceVolume"))))
            return refuse(reason, where, "mountPoints: names no volume of the definition");
        if (wanted(item, "containerPath") == NULL)
            return refuse(reason, where, "mountPoints: has no containerPath");
    }
    json_array_foreach(json_object_get(json, "volumesFrom"), at, item)
    {
        const char *name = json_string_value(json_object_get(item, "sourceContainer"));
        if (name == NULL || container_find(def, name, strlen(name)) == def->container_count)
            return refuse(reason, where, "volumesFrom: names no container of the definition");
    }
    return false;
}

static bool ports_unsupported(const json_t *json, const char *where, char reason[TASK_REASON_MAX])
{
    size_t at;
    json_t *item;
    uint16_t from, to;
    json_array_foreach(json_object_get(json, "portMappings"), at, item)
    {
        const char *range = json_string_value(wanted(item, "containerPortRange"));
        if (range != NULL && !port_range_read(range, &from, &to))
            return refuse(reason, where, "containerPortRange: is not FIRST-LAST");
    }
    return false;
}

static bool container_unsupported(const struct task_def *def, const json_t *document,
                                  uint16_t container, const struct engine_info *info,
                                  char reason[TASK_REASON_MAX])
{
    const json_t *json =
        json_array_get(json_object_get(document, "containerDefinitions"), container);
    const json_t *parameters = json_object_get(json, "linuxParameters");
    char where[TASK_REASON_MAX];
    (void)snprintf(where, sizeof where, "%.60s: ", def->containers[container].name);
    if (find_refused(json, of_container, COUNT(of_container), where, reason) ||
        log_unsupported(json, where, info, reason) ||
        mounts_unsupported(def, document, json, where, reason) ||
        ports_unsupported(json, where, reason))
        return true;
    if (def->containers[container].image[0] == '\0')
        return refuse(reason, where, "image: is missing");
    return json_is_integer(json_object_get(parameters, "maxSwap")) && info != NULL &&
           !info->has_swap_limit && refuse(reason, where, "maxSwap: the engine cannot bound swap");
}

static bool namespaces_unsupported(const struct task_def *def, const json_t *document,
                                   char reason[TASK_REASON_MAX])
{
    if (def->network_mode == NETWORK_AWSVPC)
        return refuse(reason, "networkMode awsvpc: ", "an engine has no elastic interfaces");
    if (def->container_count < 2)
        return false;
    if (is_word(document, "pidMode", "task") || is_word(document, "ipcMode", "task"))
        return refuse(reason,
                      "pidMode or ipcMode task: ", "containers of one task do not share them here");
    return false;
}

bool task_unsupported(const struct task_def *def, const json_t *document,
                      const struct engine_info *info, const struct engine_version *version,
                      char reason[TASK_REASON_MAX])
{
    size_t at;
    json_t *volume;
    reason[0] = '\0';
    if (namespaces_unsupported(def, document, reason) ||
        find_refused(document, of_task, COUNT(of_task), "", reason) ||
        platform_differs(json_object_get(document, "runtimePlatform"), version, reason))
        return true;
    if (wanted(document, "cpu") != NULL && info != NULL && info->cpu_count > 0 &&
        def->demand.cpu_units > info->cpu_count * BERTH_CPU_UNITS_PER_VCPU)
        return refuse(reason, "cpu: ", "more than the engine's machine has");
    json_array_foreach(json_object_get(document, "volumes"), at, volume)
    {
        if (find_refused(volume, of_volume, COUNT(of_volume), "volumes: ", reason))
            return true;
    }
    for (uint16_t i = 0; i < def->container_count; i++)
        if (container_unsupported(def, document, i, info, reason))
            return true;
    return false;
}
