/*
 * Which provider takes a task, and what happens then (semantics 5.1, 5.4).
 *
 *     GROUP      placed on an instance of it, or it waits in PROVISIONING (waiting.c)
 *     FARGATE    PROVISIONING until the machine that was asked for registers with the task's number
 *
 * Fargate spreads over its zones as well as it can: the next machine stands where the fewest tasks
 * of the group are wanted.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"
#include "scheduler/policy/fargate_size.h"

struct provider_item *deployment_item(struct deployment *deployment, symbol provider)
{
    for (size_t i = 0; i < deployment->providers.count; i++)
        if (deployment->providers.items[i].provider == provider)
            return &deployment->providers.items[i];
    return NULL;
}

void deployment_set_providers(struct deployment *deployment, const struct strategy_items *strategy)
{
    for (uint16_t i = 0; i < strategy->count; i++)
        *vec_push(&deployment->providers) = strategy->items[i];
}

static void take_default(const struct controller *controller, struct strategy_items *out)
{
    for (size_t i = 0; i < controller->providers.count; i++) {
        const struct provider *provider = &controller->providers.items[i];
        if (provider->default_place == 0)
            continue;
        out->items[provider->default_place - 1] = (struct provider_item){
            provider->name, provider->default_weight, provider->default_base, 0};
        out->count++;
        out->is_fargate = is_fargate(provider->kind);
    }
}

static enum berth_err take_item(const struct controller *controller,
                                const struct provider_share *share, struct strategy_items *out,
                                struct berth_error *err)
{
    symbol name =
        share->provider == NULL ? SYMBOL_NONE : symbols_find(controller->symbols, share->provider);
    const struct provider *provider = provider_find(controller, name);
    if (provider == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "capacityProviderStrategy: there is no provider %.256s; create it first",
                          share->provider == NULL ? "without a name" : share->provider);
    for (uint16_t i = 0; i < out->count; i++)
        if (out->items[i].provider == name)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "capacityProviderStrategy: %.256s stands twice; name each once",
                              share->provider);
    if (out->count > 0 && out->is_fargate != is_fargate(provider->kind))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "capacityProviderStrategy: Fargate and instance groups do not mix; use "
                          "the ones or the others");
    out->is_fargate = is_fargate(provider->kind);
    out->items[out->count++] = (struct provider_item){name, share->weight, share->base, 0};
    return BERTH_OK;
}

static void to_shares(const struct provider_item *items, size_t count, struct share *shares)
{
    for (size_t i = 0; i < count; i++)
        shares[i] = (struct share){items[i].weight, items[i].base, items[i].count};
}

enum berth_err capacity_resolve(const struct controller *controller,
                                const struct provider_share *shares, uint16_t count,
                                bool takes_launch_type, struct strategy_items *out,
                                struct berth_error *err)
{
    struct share sound[SHARES_MAX];
    out->count = 0;
    out->is_fargate = false;
    if (count == 0) {
        if (!takes_launch_type)
            take_default(controller, out);
        return BERTH_OK;
    }
    if (count > SHARES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "capacityProviderStrategy: at most 20 providers are allowed");
    for (uint16_t i = 0; i < count; i++) {
        enum berth_err code = take_item(controller, &shares[i], out, err);
        if (code != BERTH_OK)
            return code;
    }
    to_shares(out->items, out->count, sound);
    const char *wrong = share_check(sound, out->count);
    if (wrong != NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "capacityProviderStrategy: %s", wrong);
    return BERTH_OK;
}

enum berth_err capacity_check_fargate(const struct task_def *def, const struct demand *demand,
                                      struct berth_error *err)
{
    if (def->network_mode != NETWORK_AWSVPC)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "taskDefinition: Fargate needs networkMode awsvpc; set it");
    if (demand->gpu_count > 0)
        return berth_fail(err, BERTH_ERR_INPUT, "taskDefinition: Fargate has no GPUs");
    if (def->member_of_count > 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "taskDefinition: Fargate takes no placementConstraints; remove them");
    if (!fargate_size_is_valid(demand->cpu_units, demand->mem_mib))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "taskDefinition: Fargate has no machine of %ld CPU units and %ld MiB; "
                          "use a size of its table, such as cpu 256 and memory 512",
                          (long)demand->cpu_units, (long)demand->mem_mib);
    return BERTH_OK;
}

struct provider *capacity_choose(struct controller *controller, struct provider_item *items,
                                 size_t count)
{
    struct share shares[SHARES_MAX] = {{0, 0, 0}};
    to_shares(items, count, shares);
    size_t at = share_choose(shares, count);
    assert(at < count);
    rule_fired(controller, share_is_for_base(&shares[at]) ? RULE_BASE : RULE_WEIGHT);
    return provider_find(controller, items[at].provider);
}

/* Fargate. */

static struct provider_zone *find_zone(struct provider *provider, symbol zone)
{
    for (size_t i = 0; i < provider->zones.count; i++)
        if (provider->zones.items[i].name == zone)
            return &provider->zones.items[i];
    return NULL;
}

static uint32_t tasks_in(const struct provider_zone *zone, group_id group)
{
    uint32_t tasks = map_get(&zone->tasks, group);
    return tasks == MAP_ABSENT ? 0 : tasks;
}

void capacity_zone_count(struct controller *controller, const struct task *task, int change)
{
    struct provider *provider =
        task->zone == SYMBOL_NONE ? NULL : provider_find(controller, task->provider);
    struct provider_zone *zone = provider == NULL ? NULL : find_zone(provider, task->zone);
    if (zone == NULL)
        return;
    uint32_t tasks = tasks_in(zone, task->group) + (uint32_t)change;
    if (tasks > 0)
        map_put(&zone->tasks, task->group, tasks);
    else
        (void)map_remove(&zone->tasks, task->group);
}

static symbol emptiest_zone(const struct provider *provider, group_id group)
{
    const struct provider_zone *best = &provider->zones.items[0];
    for (size_t i = 1; i < provider->zones.count; i++)
        if (tasks_in(&provider->zones.items[i], group) < tasks_in(best, group))
            best = &provider->zones.items[i];
    return best->name;
}

void capacity_ask(struct controller *controller, const struct task *task)
{
    struct request *request =
        emit_request(controller, REQUEST_LAUNCH_FARGATE, task->service, task->deployment_number);
    request->u.group.provider = symbols_text(controller->symbols, task->provider);
    request->u.group.instance = INSTANCE_NONE;
    request->u.group.task = task->id;
    request->u.group.cpu_units = task->cpu_units;
    request->u.group.mem_mib = task->mem_mib;
    request->u.group.zone = symbols_text(controller->symbols, task->zone);
}

void capacity_launch(struct controller *controller, struct task *task, struct provider *provider)
{
    task->zone = emptiest_zone(provider, task->group);
    capacity_zone_count(controller, task, 1);
    task_list_append(&controller->machines, task, LIST_UNPLACED);
    rule_fired(controller, RULE_FARGATE);
    emit_task(controller, task, TASK_PROVISIONING, true);
    capacity_ask(controller, task);
}

void capacity_machine_came(struct controller *controller, task_id id, instance_id machine)
{
    struct task *task = task_find(controller, id);
    assert(task != NULL && task->instance == INSTANCE_NONE);
    task_list_remove(&controller->machines, task, LIST_UNPLACED);
    task_place(controller, task, machine);
}

void capacity_machine_unneeded(struct controller *controller, struct task *task)
{
    task_list_remove(&controller->machines, task, LIST_UNPLACED);
    if (task->verdict == PLACEMENT_FARGATE)
        return; /* There will be none. */
    struct request *request = emit_request(controller, REQUEST_TERMINATE_INSTANCE, SERVICE_NONE, 0);
    request->u.group.provider = symbols_text(controller->symbols, task->provider);
    request->u.group.instance = INSTANCE_NONE;
    request->u.group.task = task->id;
}

/* Services. */

static void tell_service(struct controller *controller, const struct deployment *deployment,
                         enum service_event_kind kind)
{
    struct service_event event = {.kind = kind,
                                  .service = deployment->service->id,
                                  .deployment = deployment->number,
                                  .closest = INSTANCE_NONE};
    service_tell(controller, deployment->service, &event);
}

static void wait_for(struct controller *controller, struct deployment *deployment,
                     const struct provider *provider)
{
    const struct service *service = deployment->service;
    struct task *task = service_new_task(controller, deployment, provider->name);
    waiting_add(controller, task,
                waiting_class(controller, deployment->plan, service->group, provider->name,
                              &deployment->def->demand));
    emit_task(controller, task, TASK_PROVISIONING, true);
    if (!provider->is_managed && provider->instances.count == 0)
        tell_service(controller, deployment, SERVICE_EVENT_EMPTY_PROVIDER);
}

/* False: the cluster has as many PROVISIONING tasks as it may have. */
static bool start_one(struct controller *controller, struct deployment *deployment)
{
    struct service *service = deployment->service;
    struct provider *provider =
        capacity_choose(controller, deployment->providers.items, deployment->providers.count);
    if (is_fargate(provider->kind)) {
        capacity_launch(controller, service_new_task(controller, deployment, provider->name),
                        provider);
        return true;
    }
    struct placement_request request =
        task_request(controller, deployment->plan, service->group, &deployment->def->demand);
    request.pool = provider->name;
    instance_id instance = INSTANCE_NONE;
    if (waiting_find(controller, deployment->plan, service->group, provider->name,
                     &deployment->def->demand) == UINT32_MAX)
        instance = placement_choose(controller->cluster, &request);
    if (instance != INSTANCE_NONE) {
        task_place(controller, service_new_task(controller, deployment, provider->name), instance);
        service_clear(service, SERVICE_EVENT_EMPTY_PROVIDER);
        return true;
    }
    if (controller->provisioning >= PROVISIONING_TASKS_MAX) {
        tell_service(controller, deployment, SERVICE_EVENT_PROVISIONING_LIMIT);
        return false;
    }
    wait_for(controller, deployment, provider);
    return true;
}

uint32_t capacity_start_some(struct controller *controller, struct deployment *deployment,
                             uint32_t wanted)
{
    while (wanted > 0 && start_one(controller, deployment))
        wanted--;
    if (wanted == 0)
        service_clear(deployment->service, SERVICE_EVENT_PROVISIONING_LIMIT);
    return wanted;
}

/* The provider that is to give a task back; SYMBOL_NONE: any. */
static symbol shrinking(const struct deployment *deployment)
{
    struct share shares[SHARES_MAX] = {{0, 0, 0}};
    if (deployment->providers.count < 2)
        return SYMBOL_NONE;
    to_shares(deployment->providers.items, deployment->providers.count, shares);
    size_t at = share_shrink(shares, deployment->providers.count);
    return at == SIZE_MAX ? SYMBOL_NONE : deployment->providers.items[at].provider;
}

static bool are_all_running(const struct controller *controller)
{
    for (size_t i = 0; i < controller->victims.count; i++)
        if (controller->victims.items[i].class_ < VICTIM_UNHEALTHY)
            return false;
    return true;
}

/*
 * Among controller->victims: those of the provider that shrinks, if it has one there. What does not
 * run yet goes before that, whoever has it (1.6).
 */
size_t capacity_choose_victim(struct controller *controller, const struct deployment *deployment)
{
    const struct service *service = deployment->service;
    symbol from = are_all_running(controller) ? shrinking(deployment) : SYMBOL_NONE;
    size_t count = controller->victims.count, kept = 0;
    struct victim *victims = arena_alloc(&controller->arena, count * sizeof *victims);
    size_t *places = arena_alloc(&controller->arena, count * sizeof *places);
    for (size_t i = 0; i < count; i++)
        if (controller->victim_tasks.items[i]->provider == from) {
            places[kept] = i;
            victims[kept++] = controller->victims.items[i];
        }
    const struct plan *plan = deployment->plan;
    struct rng *stream = &controller->groups.items[service->group].stream;
    if (kept == 0)
        return placement_choose_victim(controller->cluster, plan->compiled, service->group, stream,
                                       controller->victims.items, count);
    size_t at = placement_choose_victim(controller->cluster, plan->compiled, service->group, stream,
                                        victims, kept);
    return at == SIZE_MAX ? SIZE_MAX : places[at];
}
