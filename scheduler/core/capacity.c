/*
 * Capacity providers: the commands on them, and what is kept of their instances.
 *
 * A provider's figures (busy and leaving instances, waiting tasks) follow every change, so that a
 * look at a group costs nothing; the lists behind them are made again on load.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

enum { PROVIDER_NAME_MAX = 255, STEP_MAX = 10000, WARM_UP_DEFAULT_S = 300 };

bool is_fargate(enum provider_kind kind)
{
    return kind != PROVIDER_GROUP;
}

struct provider *provider_find(const struct controller *controller, symbol name)
{
    for (size_t i = 0; i < controller->providers.count && name != SYMBOL_NONE; i++)
        if (controller->providers.items[i].name == name)
            return &controller->providers.items[i];
    return NULL;
}

static struct provider *find_by_text(const struct controller *controller, const char *name)
{
    return name == NULL ? NULL : provider_find(controller, symbols_find(controller->symbols, name));
}

void provider_set_dirty(struct controller *controller, struct provider *provider)
{
    provider->is_dirty = true;
    controller->is_capacity_dirty = true;
}

struct provider *provider_new(struct controller *controller, symbol name, enum provider_kind kind)
{
    const char *text = symbols_text(controller->symbols, name);
    (void)vec_push(&controller->providers);
    size_t at = controller->providers.count - 1;
    for (; at > 0 &&
           strcmp(symbols_text(controller->symbols, controller->providers.items[at - 1].name),
                  text) > 0;
         at--)
        controller->providers.items[at] = controller->providers.items[at - 1];
    struct provider *provider = &controller->providers.items[at];
    *provider = (struct provider){
        .name = name,
        .kind = kind,
        .maximum = UINT32_MAX,
        .created_ns = controller->now.mono_ns,
        .tick_ns = BERTH_NS_NEVER,
        .newest_ns = BERTH_NS_NEVER,
        .scaled_out_ns = BERTH_NS_NEVER,
        .low_since_ns = BERTH_NS_NEVER,
    };
    return provider;
}

static void free_zones(struct provider *provider)
{
    for (size_t i = 0; i < provider->zones.count; i++)
        map_free(&provider->zones.items[i].tasks);
    vec_free(&provider->zones);
}

void capacity_free(struct controller *controller)
{
    for (size_t i = 0; i < controller->providers.count; i++) {
        free_zones(&controller->providers.items[i]);
        vec_free(&controller->providers.items[i].instances);
    }
    vec_free(&controller->providers);
    heap_free(&controller->leave_deadlines);
}

struct provider_view provider_view_of(const struct provider *provider)
{
    return (struct provider_view){
        .name = provider->name,
        .kind = provider->kind,
        .in_service = provider->in_service,
        .launching = provider->launching,
        .busy = provider->busy,
        .leaving = provider->leaving,
        .waiting = provider->waiting,
        .wanted = provider->wanted,
        .reservation_milli = provider->reservation_milli,
    };
}

/* NULL, or what is wrong. */
static const char *check_put(const struct controller *controller,
                             const struct event_capacity_provider *wanted)
{
    const struct capacity_provider_settings *settings = &wanted->settings;
    const struct provider *known = find_by_text(controller, wanted->provider);
    size_t length = wanted->provider == NULL ? 0 : strlen(wanted->provider);
    if (length == 0 || length > PROVIDER_NAME_MAX)
        return "name: use 1 to 255 characters";
    if (is_fargate(settings->kind) &&
        strcmp(wanted->provider, provider_kind_names[settings->kind]) != 0)
        return "name: Fargate's providers are called FARGATE and FARGATE_SPOT";
    if (!is_fargate(settings->kind) && strncmp(wanted->provider, "FARGATE", 7) == 0)
        return "name: FARGATE... is Fargate's; choose another one";
    if (known != NULL && known->kind != settings->kind)
        return "name: it is taken by a provider of another kind; delete that first";
    if (known == NULL && controller->providers.count >= SHARES_MAX)
        return "capacityProviders: at most 20 in a cluster; delete one first";
    if (is_fargate(settings->kind) &&
        (settings->zone_count == 0 || settings->zone_count > PROVIDER_ZONES_MAX))
        return "zones: Fargate needs 1 to 16";
    if (settings->target_percent > 100)
        return "targetCapacity: use 1 to 100";
    if (settings->step_min > STEP_MAX || settings->step_max > STEP_MAX)
        return "minimumScalingStepSize, maximumScalingStepSize: use 1 to 10000";
    if (settings->step_min > 0 && settings->step_max > 0 && settings->step_min > settings->step_max)
        return "minimumScalingStepSize: must not be above maximumScalingStepSize";
    if (settings->warm_up_s < OVERRIDE_NONE || settings->warm_up_s > 10000)
        return "instanceWarmupPeriod: use 0 to 10000 seconds";
    if (settings->protects && !settings->is_managed)
        return "managedTerminationProtection: needs managed scaling; turn that on as well";
    return NULL;
}

/* The tasks that Fargate was asked for are counted again: zones may have come or gone. */
static void set_zones(struct controller *controller, struct provider *provider,
                      const struct capacity_provider_settings *settings)
{
    free_zones(provider);
    for (uint16_t i = 0; i < settings->zone_count; i++)
        *vec_push(&provider->zones) = (struct provider_zone){
            .name = symbols_add(controller->symbols, settings->zones[i]), .tasks = MAP_INIT};
    for (const struct task *task = task_after(controller, TASK_NONE); task != NULL;
         task = task_after(controller, task->id))
        if (task->desired_running && task->provider == provider->name)
            capacity_zone_count(controller, task, 1);
}

static void put(struct controller *controller, const struct event *event)
{
    const struct event_capacity_provider *wanted = &event->u.capacity_provider;
    const struct capacity_provider_settings *settings = &wanted->settings;
    const char *wrong = check_put(controller, wanted);
    if (wrong != NULL) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", wrong);
        return;
    }
    struct provider *provider = find_by_text(controller, wanted->provider);
    if (provider == NULL)
        provider = provider_new(controller, symbols_add(controller->symbols, wanted->provider),
                                settings->kind);
    provider->is_managed = settings->is_managed && !is_fargate(settings->kind);
    provider->protects = settings->protects;
    provider->drains = settings->drains;
    provider->bounds = (struct scaling_bounds){
        .target_percent = settings->target_percent == 0 ? 100 : settings->target_percent,
        .step_min = settings->step_min == 0 ? 1 : settings->step_min,
        .step_max = settings->step_max == 0 ? STEP_MAX : settings->step_max,
    };
    provider->warm_up_ns =
        (settings->warm_up_s == OVERRIDE_NONE ? WARM_UP_DEFAULT_S : settings->warm_up_s) *
        BERTH_NS_PER_S;
    if (is_fargate(provider->kind))
        set_zones(controller, provider, settings);
    provider->is_changed = true;
    provider_set_dirty(controller, provider);
    (void)emit_reply(controller, event);
}

static bool is_listed(const struct controller *controller, symbol name)
{
    for (size_t i = 0; i < controller->services.count; i++) {
        const struct service *service = controller->services.items[i];
        for (size_t j = 0; service != NULL && j < service->deployments.count; j++)
            if (deployment_item(service->deployments.items[j], name) != NULL)
                return true;
    }
    return false;
}

static void delete_provider(struct controller *controller, const struct event *event)
{
    const char *name = event->u.capacity_provider.provider;
    struct provider *provider = find_by_text(controller, name);
    if (provider == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND, "capacityProvider: there is no %.256s",
                     name == NULL ? "name" : name);
        return;
    }
    bool has_tasks = provider->waiting > 0;
    for (const struct task *task = controller->machines.first; task != NULL && !has_tasks;
         task = task->links[LIST_UNPLACED].next)
        has_tasks = task->provider == provider->name;
    if (has_tasks || provider->instances.count > 0 || provider->default_place > 0 ||
        is_listed(controller, provider->name)) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "capacityProvider: %s is in use by instances, tasks, services or the "
                     "cluster's default strategy; remove it there first",
                     name);
        return;
    }
    emit_provider_gone(controller, provider);
    free_zones(provider);
    vec_free(&provider->instances);
    size_t at = (size_t)(provider - controller->providers.items);
    controller->providers.count--;
    memmove(provider, provider + 1, (controller->providers.count - at) * sizeof *provider);
    (void)emit_reply(controller, event);
}

static void put_default(struct controller *controller, const struct event *event)
{
    const struct event_default_providers *wanted = &event->u.default_providers;
    struct strategy_items strategy;
    struct berth_error err = BERTH_ERROR_INIT;
    if (capacity_resolve(controller, wanted->providers, wanted->provider_count, true, &strategy,
                         &err) != BERTH_OK) {
        emit_refusal(controller, event, REPLY_INVALID, "defaultC%s", err.text + 1);
        return;
    }
    for (size_t i = 0; i < controller->providers.count; i++) {
        struct provider *provider = &controller->providers.items[i];
        if (provider->default_place == 0)
            continue;
        provider_set_dirty(controller, provider);
        provider->default_place = 0;
        provider->default_weight = provider->default_base = 0;
        provider->is_changed = true;
    }
    for (uint16_t i = 0; i < strategy.count; i++) {
        struct provider *provider = provider_find(controller, strategy.items[i].provider);
        provider->default_place = i + 1u;
        provider->default_weight = strategy.items[i].weight;
        provider->default_base = strategy.items[i].base;
        provider->is_changed = true;
        provider_set_dirty(controller, provider);
    }
    (void)emit_reply(controller, event);
}

void capacity_command(struct controller *controller, const struct event *event)
{
    if (event->kind == EVENT_PUT_CAPACITY_PROVIDER)
        put(controller, event);
    else if (event->kind == EVENT_DELETE_CAPACITY_PROVIDER)
        delete_provider(controller, event);
    else
        put_default(controller, event);
}

const char *capacity_check_registration(const struct controller *controller,
                                        const struct event_register_instance *spec)
{
    const struct provider *provider = find_by_text(controller, spec->provider);
    if (spec->provider == NULL)
        return spec->fargate_task == TASK_NONE ? NULL : "fargateTask: needs its capacityProvider";
    if (provider == NULL)
        return "capacityProvider: there is none of this name; create it first";
    if (is_fargate(provider->kind) != (spec->fargate_task != TASK_NONE))
        return "capacityProvider: a machine of Fargate names its task, an instance of a group does "
               "not";
    if (spec->fargate_task == TASK_NONE)
        return NULL;
    const struct task *task = task_find(controller, spec->fargate_task);
    if (task == NULL || task->instance != INSTANCE_NONE || task->provider != provider->name)
        return "fargateTask: it waits for no machine any more; terminate this one";
    if (task->cpu_units > spec->cpu_units || task->mem_mib > spec->mem_mib)
        return "fargateTask: the machine is smaller than its task";
    return NULL;
}

static struct provider *provider_of(const struct controller *controller, instance_id id)
{
    return provider_find(controller, cluster_instance(controller->cluster, id)->pool);
}

/* Adds (+1) or takes away what the instance is to the figures of its provider. */
static void count_host(struct provider *provider, const struct host *host, int change)
{
    if (host->leave != HOST_STAYS)
        provider->leaving += (uint32_t)change;
    else if (host->ordinary > 0)
        provider->busy += (uint32_t)change;
}

void capacity_instance_came(struct controller *controller, instance_id id)
{
    struct provider *provider = provider_of(controller, id);
    struct host *host = host_of(controller, id);
    if (provider == NULL)
        return;
    host->provider_place = (uint32_t)provider->instances.count;
    *vec_push(&provider->instances) = id;
    count_host(provider, host, 1);
    provider_set_dirty(controller, provider);
}

void capacity_instance_gone(struct controller *controller, instance_id id)
{
    struct provider *provider = provider_of(controller, id);
    struct host *host = host_of(controller, id);
    if (provider == NULL)
        return;
    count_host(provider, host, -1);
    instance_id last = provider->instances.items[--provider->instances.count];
    provider->instances.items[host->provider_place] = last;
    host_of(controller, last)->provider_place = host->provider_place;
    host->leave = HOST_STAYS;
    host->leave_by_ns = BERTH_NS_NEVER;
    heap_remove(&controller->leave_deadlines, id);
    provider_set_dirty(controller, provider);
}

static bool is_listed_host(const struct controller *controller, instance_id id)
{
    return cluster_instance(controller->cluster, id)->status != INSTANCE_INACTIVE;
}

void host_set_ordinary(struct controller *controller, instance_id id, uint32_t ordinary)
{
    struct host *host = host_of(controller, id);
    struct provider *provider =
        (host->ordinary > 0) != (ordinary > 0) && is_listed_host(controller, id)
            ? provider_of(controller, id)
            : NULL;
    if (provider != NULL)
        count_host(provider, host, -1);
    host->ordinary = ordinary;
    if (provider == NULL)
        return;
    count_host(provider, host, 1);
    provider_set_dirty(controller, provider);
}

void host_set_leave(struct controller *controller, instance_id id, enum host_leave leave,
                    berth_ns leave_by_ns)
{
    struct host *host = host_of(controller, id);
    struct provider *provider = provider_of(controller, id);
    assert(provider != NULL);
    count_host(provider, host, -1);
    host->leave = leave;
    host->leave_by_ns = leave_by_ns;
    count_host(provider, host, 1);
    if (leave_by_ns == BERTH_NS_NEVER)
        heap_remove(&controller->leave_deadlines, id);
    else
        heap_set(&controller->leave_deadlines, id, leave_by_ns);
    provider_set_dirty(controller, provider);
}
