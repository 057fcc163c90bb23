/*
 * container_limits.c -- CPU, memory, ulimits, linuxParameters, devices and cards.
 */
#include <string.h>

#include "scheduler/docker/container_parts.h"

#define MIB INT64_C(1048576)
#define SHARES_MIN 2 /* what the kernel and ECS's agent take for none */
#define SHARES_MAX 262144
#define MEMORY_MIN (6 * MIB) /* an engine refuses less; ECS's agent raises it likewise */
#define NANO_CPUS_MIN 10000000

static int64_t number_of(const json_t *object, const char *name, int64_t absent)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

static int64_t within(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

static void set_integer(json_t *object, const char *name, int64_t value)
{
    (void)json_object_set_new(object, name, json_integer(value));
}

static void add_memory(json_t *host, const struct container_launch *launch, const json_t *json)
{
    int64_t hard = number_of(json, "memory", 0) * MIB;
    int64_t soft = number_of(json, "memoryReservation", 0) * MIB;
    int64_t max_swap = number_of(json_object_get(json, "linuxParameters"), "maxSwap", -1);
    int64_t swappiness = number_of(json_object_get(json, "linuxParameters"), "swappiness", -1);
    int64_t task = launch->mem_mib * MIB;
    if (wanted(launch->document, "memory") != NULL && task > 0 && (hard == 0 || hard > task))
        hard = task;
    if (hard > 0)
        set_integer(host, "Memory", within(hard, MEMORY_MIN, INT64_MAX));
    if (soft > 0)
        set_integer(host, "MemoryReservation", within(soft, MEMORY_MIN, INT64_MAX));
    if (max_swap >= 0 && hard > 0) {
        set_integer(host, "MemorySwap", within(hard, MEMORY_MIN, INT64_MAX) + max_swap * MIB);
        if (swappiness >= 0) /* means nothing without maxSwap */
            set_integer(host, "MemorySwappiness", within(swappiness, 0, 100));
    }
}

static void add_ulimits(json_t *host, const json_t *json)
{
    const json_t *ulimits = wanted(json, "ulimits");
    json_t *list = json_array(), *item;
    size_t at;
    json_array_foreach(ulimits, at, item)
    {
        (void)json_array_append_new(
            list, json_pack("{s:O, s:I, s:I}", "Name", json_object_get(item, "name"), "Soft",
                            (json_int_t)number_of(item, "softLimit", 0), "Hard",
                            (json_int_t)number_of(item, "hardLimit", 0)));
    }
    if (ulimits != NULL)
        (void)json_object_set(host, "Ulimits", list);
    json_decref(list);
}

void add_limits(json_t *host, const struct container_launch *launch, uint16_t container,
                const json_t *json)
{
    set_integer(host, "CpuShares",
                within(launch->def->containers[container].cpu_units, SHARES_MIN, SHARES_MAX));
    if (wanted(launch->document, "cpu") != NULL && launch->cpu_units > 0)
        set_integer(host, "NanoCpus",
                    within(launch->cpu_units * INT64_C(1000000000) / BERTH_CPU_UNITS_PER_VCPU,
                           NANO_CPUS_MIN, INT64_MAX));
    add_memory(host, launch, json);
    add_ulimits(host, json);
}

/* read, write, mknod as "rwm"; all of them when none is named. */
static const char *permissions_of(const json_t *list, char out[4])
{
    static const char *const names[] = {"read", "write", "mknod"};
    size_t at, used = 0;
    json_t *item;
    for (size_t i = 0; i < 3; i++) {
        bool is_given = json_array_size(list) == 0;
        json_array_foreach(list, at, item)
        {
            is_given |= json_is_string(item) && strcmp(json_string_value(item), names[i]) == 0;
        }
        if (is_given)
            out[used++] = "rwm"[i];
    }
    out[used] = '\0';
    return out;
}

static void add_devices(json_t *host, const json_t *devices)
{
    json_t *list = json_array(), *item;
    size_t at;
    char permissions[4];
    json_array_foreach(devices, at, item)
    {
        const json_t *path = json_object_get(item, "hostPath");
        const json_t *inside = wanted(item, "containerPath");
        (void)json_array_append_new(
            list, json_pack("{s:O, s:O, s:s}", "PathOnHost", path, "PathInContainer",
                            inside != NULL ? inside : path, "CgroupPermissions",
                            permissions_of(json_object_get(item, "permissions"), permissions)));
    }
    (void)json_object_set_new(host, "Devices", list);
}

/* "size=64m,noexec" by path. */
static void add_tmpfs(json_t *host, const json_t *mounts)
{
    json_t *all = json_object(), *item, *option;
    size_t at, of;
    json_array_foreach(mounts, at, item)
    {
        struct text options = TEXT_INIT;
        const char *path = json_string_value(json_object_get(item, "containerPath"));
        text_addf(&options, "size=%lldm", (long long)number_of(item, "size", 0));
        json_array_foreach(json_object_get(item, "mountOptions"), of, option)
        {
            text_addf(&options, ",%s", json_string_value(option));
        }
        if (path != NULL)
            (void)json_object_set_new(all, path, json_string(options.bytes));
        text_free(&options);
    }
    (void)json_object_set_new(host, "Tmpfs", all);
}

static void set_same(json_t *host, const char *name, const json_t *value)
{
    if (value != NULL)
        (void)json_object_set(host, name, (json_t *)(uintptr_t)value);
}

void add_linux(json_t *host, const json_t *json)
{
    const json_t *linux_parameters = json_object_get(json, "linuxParameters");
    const json_t *capabilities = json_object_get(linux_parameters, "capabilities");
    const json_t *controls = wanted(json, "systemControls");
    int64_t shared_mib = number_of(linux_parameters, "sharedMemorySize", 0);
    set_same(host, "CapAdd", wanted(capabilities, "add"));
    set_same(host, "CapDrop", wanted(capabilities, "drop"));
    set_same(host, "Init", wanted(linux_parameters, "initProcessEnabled"));
    if (shared_mib > 0)
        set_integer(host, "ShmSize", shared_mib * MIB);
    if (wanted(linux_parameters, "devices") != NULL)
        add_devices(host, wanted(linux_parameters, "devices"));
    if (wanted(linux_parameters, "tmpfs") != NULL)
        add_tmpfs(host, wanted(linux_parameters, "tmpfs"));
    if (controls == NULL)
        return;
    json_t *all = json_object(), *item;
    size_t at;
    json_array_foreach(controls, at, item)
    {
        const char *name = json_string_value(json_object_get(item, "namespace"));
        if (name != NULL)
            (void)json_object_set(all, name, json_object_get(item, "value"));
    }
    (void)json_object_set_new(host, "Sysctls", all);
}

/*
 * Grants are of the task, one a card. Which are whose follows from serving the containers in order,
 * as the placement did (model/gpu.c): whole cards in turn, a share from the grant that it fits
 * best.
 */
static uint16_t take_card(const struct container_launch *launch, uint32_t left[], uint32_t milli)
{
    uint16_t best = 0;
    for (uint16_t i = 1; i < launch->grant_count; i++) {
        bool fits = left[i] >= milli, best_fits = left[best] >= milli;
        if (fits && (!best_fits || left[i] < left[best]))
            best = i;
    }
    left[best] -= left[best] < milli ? left[best] : milli;
    return best;
}

static void add_card(json_t *ids, const struct container_launch *launch, uint16_t card)
{
    uint16_t device = launch->grants[card].device;
    (void)json_array_append_new(ids, launch->gpu_ids != NULL ? json_string(launch->gpu_ids[device])
                                                             : json_sprintf("%u", device));
}

void add_cards(json_t *host, const struct container_launch *launch, uint16_t container)
{
    uint32_t left[GPU_DEVICES_MAX];
    if (launch->def->containers[container].gpu.milli == 0 || launch->grant_count == 0 ||
        launch->grant_count > GPU_DEVICES_MAX)
        return;
    for (uint16_t i = 0; i < launch->grant_count; i++)
        left[i] = launch->grants[i].milli;
    json_t *ids = json_array();
    for (uint16_t i = 0; i <= container; i++) {
        uint32_t wanted_milli = launch->def->containers[i].gpu.milli;
        for (uint32_t milli; wanted_milli > 0; wanted_milli -= milli) {
            milli = wanted_milli < BERTH_GPU_MILLI ? wanted_milli : BERTH_GPU_MILLI;
            uint16_t card = take_card(launch, left, milli);
            if (i == container)
                add_card(ids, launch, card);
        }
    }
    (void)json_object_set_new(host, "DeviceRequests",
                              json_pack("[{s:s, s:o, s:[[s]]}]", "Driver", "nvidia", "DeviceIDs",
                                        ids, "Capabilities", "gpu"));
}
