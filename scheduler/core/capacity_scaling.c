/*
 * The size of an instance group: what it told last, a look once a minute, and what follows.
 *
 *     tasks wait, or the target asks for spare instances --> RESIZE_GROUP, if none is on its way
 *                                                            or younger than the warm-up
 *     less is needed, for 15 minutes in a row           --> some instances a minute, empty first:
 *                                                            DRAINING until empty, or at once,
 *                                                            then TERMINATE_INSTANCE
 *
 * A group about which nothing could be decided has no deadline: the minutes begin again when one of
 * its figures changes, on the grid of its creation. A datapoint counts as low when it asks for
 * fewer instances; one that is below the target only by rounding does not. So a settled group costs
 * nothing. Policy, numbers and rounding: policy/managed_scaling.h.
 */
#include <stdlib.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

/* What a look at the group sees. */
struct look {
    struct scaling_counts counts;
    bool is_hopeless; /* tasks wait, but none of them would fit on a new instance */
    uint32_t desired;
};

static uint32_t staying(const struct provider *provider)
{
    return provider->in_service > provider->leaving ? provider->in_service - provider->leaving : 0;
}

static struct scaling_size size_of(const struct instance *instance)
{
    return (struct scaling_size){.cpu_units = instance->cpu_registered,
                                 .mem_mib = instance->mem_registered,
                                 .gpu_milli = (int64_t)instance->gpu_count * BERTH_GPU_MILLI,
                                 .interfaces =
                                     instance->eni_limit > 1 ? instance->eni_limit - 1u : 0};
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Each figure by itself over the instances that are there; false when there is none. */
static bool find_sizes(const struct controller *controller, const struct provider *provider,
                       struct scaling_size *smallest, struct scaling_size *largest)
{
    for (size_t i = 0; i < provider->instances.count; i++) {
        struct scaling_size size =
            size_of(cluster_instance(controller->cluster, provider->instances.items[i]));
        if (i == 0)
            *smallest = *largest = size;
        smallest->cpu_units = least(smallest->cpu_units, size.cpu_units);
        smallest->mem_mib = least(smallest->mem_mib, size.mem_mib);
        smallest->gpu_milli = least(smallest->gpu_milli, size.gpu_milli);
        smallest->interfaces = (uint32_t)least(smallest->interfaces, size.interfaces);
        largest->cpu_units = most(largest->cpu_units, size.cpu_units);
        largest->mem_mib = most(largest->mem_mib, size.mem_mib);
        largest->gpu_milli = most(largest->gpu_milli, size.gpu_milli);
        largest->interfaces = (uint32_t)most(largest->interfaces, size.interfaces);
    }
    return provider->instances.count > 0;
}

static bool is_one_each(const struct wait_class *class)
{
    const struct demand *demand = &class->plan->def->demand;
    bool is_distinct = false;
    for (uint16_t i = 0; i < class->plan->constraint_count; i++)
        is_distinct |= strcmp(class->plan->constraints[i].type, "distinctInstance") == 0;
    return is_distinct || demand->tcp_port_count > 0 || demand->udp_port_count > 0;
}

/* The most that any class of waiting tasks needs: a lower bound, corrected by later rounds. */
static uint32_t find_need(const struct controller *controller, const struct provider *provider,
                          const struct scaling_size *smallest, const struct scaling_size *largest)
{
    uint32_t need = 0;
    for (size_t i = 0; i < controller->waiting.classes.count; i++) {
        const struct wait_class *class = &controller->waiting.classes.items[i];
        if (class->plan == NULL || class->pool != provider->name)
            continue;
        struct scaling_group group = {
            .each = {.cpu_units = class->cpu_units, .mem_mib = class->mem_mib},
            .count = class->tasks.count,
            .one_each = is_one_each(class)};
        for (uint16_t j = 0; j < class->gpu_count; j++)
            group.each.gpu_milli += class->gpus[j].milli;
        group.each.interfaces = class->plan->def->demand.needs_eni;
        uint32_t own = scaling_need(&group, smallest, largest);
        need = own > need ? own : need;
    }
    return need;
}

static struct look look_at(const struct controller *controller, const struct provider *provider)
{
    struct scaling_size smallest = {0}, largest = {0};
    struct look look = {.counts = {.in_service = staying(provider),
                                   .busy = provider->busy,
                                   .waits = provider->waiting > 0}};
    if (look.counts.busy > look.counts.in_service)
        look.counts.busy = look.counts.in_service; /* The group has not told of its loss yet. */
    if (look.counts.waits && look.counts.in_service > 0 &&
        find_sizes(controller, provider, &smallest, &largest)) {
        look.counts.need = find_need(controller, provider, &smallest, &largest);
        look.is_hopeless = look.counts.need == 0;
    }
    look.desired = scaling_desired(&look.counts, &provider->bounds);
    return look;
}

static bool is_full(const struct provider *provider)
{
    return (uint64_t)provider->in_service + provider->launching >= provider->maximum;
}

/* Nothing would come of a datapoint, now or later, unless something changes first. */
static bool is_quiet(const struct provider *provider)
{
    struct scaling_counts counts = {.in_service = staying(provider), .busy = provider->busy};
    if (!provider->is_managed || !provider->is_told)
        return true;
    if (provider->waiting > 0)
        return is_full(provider);
    uint32_t desired = scaling_desired(&counts, &provider->bounds);
    if (desired > counts.in_service)
        return is_full(provider);
    uint32_t empty = (uint32_t)provider->instances.count - provider->leaving - provider->busy;
    return desired == counts.in_service || counts.in_service <= provider->minimum ||
           (provider->protects ? empty : empty + provider->busy) == 0;
}

static berth_ns next_tick(const struct controller *controller, const struct provider *provider)
{
    berth_ns age_ns = controller->now.mono_ns - provider->created_ns;
    return provider->created_ns + (age_ns / SCALING_PERIOD_NS + 1) * SCALING_PERIOD_NS;
}

void capacity_settle(struct controller *controller)
{
    controller->is_capacity_dirty = false;
    for (size_t i = 0; i < controller->providers.count; i++) {
        struct provider *provider = &controller->providers.items[i];
        if (!provider->is_dirty)
            continue;
        provider->is_dirty = false;
        bool is_ticking = provider->tick_ns != BERTH_NS_NEVER;
        if (is_quiet(provider)) {
            provider->is_changed |= is_ticking || provider->low_since_ns != BERTH_NS_NEVER;
            provider->tick_ns = provider->low_since_ns = BERTH_NS_NEVER;
        } else if (!is_ticking) {
            provider->tick_ns = next_tick(controller, provider);
            provider->is_changed = true;
        }
        if (provider->is_changed)
            emit_provider(controller, provider);
        provider->is_changed = false;
    }
}

static struct request *ask_group(struct controller *controller, enum request_kind kind,
                                 symbol provider)
{
    struct request *request = emit_request(controller, kind, SERVICE_NONE, 0);
    request->u.group.provider = symbols_text(controller->symbols, provider);
    request->u.group.instance = INSTANCE_NONE;
    return request;
}

/* Out. */

static bool is_warming_up(const struct controller *controller, const struct provider *provider)
{
    return provider->launching > 0 ||
           (provider->newest_ns != BERTH_NS_NEVER &&
            controller->now.mono_ns - provider->newest_ns < provider->warm_up_ns);
}

static void scale_out(struct controller *controller, struct provider *provider, uint32_t desired)
{
    uint64_t wanted = (uint64_t)desired + provider->leaving;
    if (provider->wanted > 0 || is_warming_up(controller, provider))
        return;
    if (wanted > provider->maximum)
        wanted = provider->maximum;
    if (wanted <= provider->in_service)
        return;
    provider->wanted = (uint32_t)wanted;
    provider->scaled_out_ns = controller->now.mono_ns;
    rule_fired(controller, RULE_GROUP_OUT);
    ask_group(controller, REQUEST_RESIZE_GROUP, provider->name)->u.group.wanted = provider->wanted;
}

/* In. */

static void ask_termination(struct controller *controller, instance_id id)
{
    symbol provider = cluster_instance(controller->cluster, id)->pool;
    ask_group(controller, REQUEST_TERMINATE_INSTANCE, provider)->u.group.instance = id;
}

/* What still has tasks and drains stays DRAINING until its machine is gone. */
static void terminate(struct controller *controller, instance_id id)
{
    const struct instance *instance = cluster_instance(controller->cluster, id);
    brake_uncount(controller, id);
    if (instance->status != INSTANCE_DRAINING || host_of(controller, id)->tasks.count == 0)
        cluster_set_status(controller->cluster, id, INSTANCE_DEREGISTERING);
    brake_count(controller, id);
    host_set_leave(controller, id, HOST_IS_ASKED, BERTH_NS_NEVER);
    emit_instance(controller, id);
    ask_termination(controller, id);
}

static void give_back(struct controller *controller, const struct provider *provider,
                      instance_id id)
{
    rule_fired(controller, RULE_GROUP_IN);
    if (!provider->drains || host_of(controller, id)->tasks.count == 0) {
        terminate(controller, id);
        return;
    }
    rule_fired(controller, RULE_MANAGED_DRAIN);
    host_set_leave(controller, id, HOST_DRAINS, controller->now.mono_ns + SCALING_DRAIN_MAX_NS);
    if (cluster_instance(controller->cluster, id)->status == INSTANCE_ACTIVE)
        instance_drain(controller, id);
    else
        emit_instance(controller, id);
}

struct removal {
    uint32_t ordinary;
    instance_id id;
};

static int compare_removals(const void *left, const void *right)
{
    const struct removal *a = left, *b = right;
    if (a->ordinary != b->ordinary)
        return a->ordinary < b->ordinary ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Those with the fewest tasks first, empty ones before all; then the oldest. */
static void scale_in(struct controller *controller, const struct provider *provider,
                     uint32_t in_service, uint32_t desired)
{
    size_t count = 0;
    struct removal *removals =
        arena_alloc(&controller->arena, provider->instances.count * sizeof *removals);
    uint32_t floor = desired > provider->minimum ? desired : provider->minimum;
    uint32_t wanted = scaling_removals(in_service, desired);
    if (wanted > in_service - floor)
        wanted = in_service - floor;
    for (size_t i = 0; i < provider->instances.count; i++) {
        instance_id id = provider->instances.items[i];
        const struct host *host = host_of(controller, id);
        if (host->leave == HOST_STAYS && (host->ordinary == 0 || !provider->protects))
            removals[count++] = (struct removal){host->ordinary, id};
    }
    qsort(removals, count, sizeof *removals, compare_removals);
    for (size_t i = 0; i < count && i < wanted; i++)
        give_back(controller, provider, removals[i].id);
}

static bool may_scale_in(const struct controller *controller, const struct provider *provider)
{
    berth_ns now_ns = controller->now.mono_ns;
    return now_ns - provider->low_since_ns >= (SCALING_LOW_POINTS - 1) * SCALING_PERIOD_NS &&
           (provider->scaled_out_ns == BERTH_NS_NEVER ||
            now_ns - provider->scaled_out_ns >= SCALING_AFTER_OUT_NS);
}

/* One datapoint. */
static void tick(struct controller *controller, struct provider *provider)
{
    struct look look = look_at(controller, provider);
    provider->tick_ns = next_tick(controller, provider);
    provider->is_changed = true;
    provider_set_dirty(controller, provider);
    provider->reservation_milli = look.is_hopeless
                                      ? (uint64_t)provider->bounds.target_percent * 1000
                                      : scaling_reservation_milli(&look.counts, &provider->bounds);
    if (look.is_hopeless || look.counts.waits || look.desired >= look.counts.in_service) {
        provider->low_since_ns = BERTH_NS_NEVER;
        if (!look.is_hopeless && look.desired > look.counts.in_service)
            scale_out(controller, provider, look.desired);
        return;
    }
    if (provider->low_since_ns == BERTH_NS_NEVER)
        provider->low_since_ns = controller->now.mono_ns;
    if (may_scale_in(controller, provider) && look.counts.in_service > provider->minimum)
        scale_in(controller, provider, look.counts.in_service, look.desired);
}

void capacity_timer(struct controller *controller)
{
    struct heap_item due;
    for (size_t i = 0; i < controller->providers.count; i++)
        if (controller->providers.items[i].tick_ns <= controller->now.mono_ns)
            tick(controller, &controller->providers.items[i]);
    while (heap_first(&controller->leave_deadlines, &due) && due.key <= controller->now.mono_ns)
        terminate(controller, due.handle);
}

/* A task's reservation has gone: was it the last that a leaving instance waited for? */
void capacity_released(struct controller *controller, instance_id id)
{
    const struct instance *instance = cluster_instance(controller->cluster, id);
    const struct host *host = host_of(controller, id);
    if (instance->pool == SYMBOL_NONE || host->tasks.count > 0 ||
        instance->status == INSTANCE_INACTIVE || host->leave == HOST_IS_ASKED)
        return;
    if (instance->is_dedicated || host->leave == HOST_DRAINS)
        terminate(controller, id);
}

/* What the group says. */

static void take_back(struct controller *controller, const struct provider *provider, task_id id)
{
    struct task *task = task_find(controller, id);
    if (task == NULL || task->provider != provider->name || !task->desired_running ||
        provider->kind != PROVIDER_FARGATE_SPOT)
        return;
    rule_fired(controller, RULE_INTERRUPTED);
    task_stop(controller, task, STOP_SPOT_INTERRUPTION, STOP_REASON_INTERRUPTED);
}

static void tell_no_machine(struct controller *controller, const struct task *task)
{
    struct service_event event = {.kind = SERVICE_EVENT_PLACEMENT_FAILURE,
                                  .service = task->service,
                                  .deployment = task->deployment_number,
                                  .closest = INSTANCE_NONE,
                                  .verdict = PLACEMENT_FARGATE};
    service_tell(controller, task->deployment->service, &event);
}

static void refuse(struct controller *controller, const struct provider *provider, task_id id)
{
    struct task *task = task_find(controller, id);
    if (task == NULL || task->provider != provider->name || task->instance != INSTANCE_NONE)
        return;
    if (task->deployment != NULL) {
        tell_no_machine(controller, task);
        service_start_failed(controller, task->deployment);
    }
    task->verdict = PLACEMENT_FARGATE;
    task_end(controller, task, STOP_TASK_FAILED_TO_START, STOP_REASON_CAPACITY);
}

void capacity_answered(struct controller *controller, const struct answer *answer)
{
    symbol name = answer->u.group.provider == NULL
                      ? SYMBOL_NONE
                      : symbols_find(controller->symbols, answer->u.group.provider);
    struct provider *provider = provider_find(controller, name);
    if (provider == NULL)
        return;
    if (is_fargate(provider->kind)) {
        refuse(controller, provider, answer->u.group.refused_task);
        take_back(controller, provider, answer->u.group.interrupt_task);
        return;
    }
    if (provider->is_told && answer->u.group.in_service > provider->in_service)
        provider->newest_ns = controller->now.mono_ns;
    provider->is_told = true;
    provider->in_service = answer->u.group.in_service;
    provider->launching = answer->u.group.launching;
    provider->minimum = answer->u.group.minimum;
    provider->maximum = answer->u.group.maximum;
    provider->wanted = 0;
    provider->is_changed = true;
    provider_set_dirty(controller, provider);
}

void capacity_resumed(struct controller *controller)
{
    for (size_t i = 0; i < controller->providers.count; i++) {
        const struct provider *provider = &controller->providers.items[i];
        if (provider->wanted > 0) {
            rule_fired(controller, RULE_RESUMED);
            ask_group(controller, REQUEST_RESIZE_GROUP, provider->name)->u.group.wanted =
                provider->wanted;
        }
    }
    for (const struct task *task = controller->machines.first; task != NULL;
         task = task->links[LIST_UNPLACED].next) {
        rule_fired(controller, RULE_RESUMED);
        capacity_ask(controller, task);
    }
    for (instance_id id = 0; id < controller->hosts.count; id++)
        if (host_of(controller, id)->leave == HOST_IS_ASKED) {
            rule_fired(controller, RULE_RESUMED);
            ask_termination(controller, id);
        }
}
