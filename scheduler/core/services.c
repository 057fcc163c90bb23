/*
 * Services: the commands on them, and their bookkeeping.
 *
 * A service is looked at (a pass) when it is marked, which every change of one of its tasks does,
 * and at its deadline. Passes run at the end of the step: daemon services first, then by name.
 */
#include <string.h>

#include "scheduler/core/autoscaling.h"
#include "scheduler/core/controller_internal.h"

enum { NAME_MAX_BYTES = 255, DESIRED_MAX = 1000000, PERCENT_MAX = 100000 };

_Static_assert(SERVICE_EVENT_KIND_COUNT <= 32, "service.told has a bit for each");

struct service *service_new(struct controller *controller, service_id id, symbol name,
                            group_id group)
{
    struct service *service = mem_alloc_lines(sizeof *service);
    service->id = id;
    service->deployments.items = service->few;
    service->deployments.capacity = SERVICE_FEW;
    service->name = name;
    service->group = group;
    service->blocked_since_ns = BERTH_NS_NEVER;
    service->deadline_ns = BERTH_NS_NEVER;
    service->is_new = true;
    while (controller->services.count <= id) {
        *vec_push(&controller->services) = NULL;
        *vec_push(&controller->service_names) = SYMBOL_NONE;
    }
    controller->services.items[id] = service;
    controller->service_names.items[id] = name;
    map_put(&controller->service_by_name, name, id);
    return service;
}

void service_free(struct controller *controller, struct service *service)
{
    for (size_t i = 0; i < service->revisions.count; i++)
        deployment_free(controller, service->revisions.items[i]);
    vec_free(&service->revisions);
    if (service->deployments.items != service->few)
        vec_free(&service->deployments);
    settings_free(&service->settings);
    vec_free(&service->rebalance.zones);
    if (service->rebalance.plan != NULL)
        plan_drop(controller, service->rebalance.plan);
    specs_free(&service->specs);
    vec_free(&service->daemon.seats);
    vec_free(&service->daemon.checks);
    mem_free(service);
}

void service_add_live(struct service *service, struct deployment *deployment)
{
    if (service->deployments.count == SERVICE_FEW && service->deployments.items == service->few) {
        struct deployment **items = mem_alloc(2 * sizeof service->few);
        memcpy(items, service->few, sizeof service->few);
        service->deployments.items = items;
        service->deployments.capacity = 2 * SERVICE_FEW;
    }
    *vec_push(&service->deployments) = deployment;
}

void service_mark(struct controller *controller, struct service *service)
{
    if (service->is_dirty)
        return;
    service->is_dirty = true;
    *vec_push(&controller->dirty) = service->id;
}

void service_ids_remove(service_id *items, size_t *count, service_id id)
{
    size_t at = 0;
    while (at < *count && items[at] != id)
        at++;
    if (at == *count)
        return;
    memmove(items + at, items + at + 1, (*count - at - 1) * sizeof *items);
    --*count;
}

void service_set_blocked(struct controller *controller, struct service *service, berth_ns since_ns)
{
    if (service->blocked_since_ns == since_ns)
        return;
    bool was_blocked = service->blocked_since_ns != BERTH_NS_NEVER;
    bool is_blocked = since_ns != BERTH_NS_NEVER;
    service->blocked_since_ns = since_ns;
    service->is_record_dirty = true;
    if (was_blocked == is_blocked || service->scheduling == SCHEDULING_DAEMON)
        return;
    bool is_watchful = service->deployments.items[0]->plan->has_member_of;
    if (is_blocked) {
        *vec_push(&controller->blocked) = service->id;
        controller->watchful += is_watchful;
    } else {
        service_ids_remove(controller->blocked.items, &controller->blocked.count, service->id);
        controller->watchful -= is_watchful;
    }
}

void service_set_deadline(struct controller *controller, struct service *service,
                          berth_ns deadline_ns)
{
    if (service->deadline_ns == deadline_ns)
        return;
    service->deadline_ns = deadline_ns;
    service->is_record_dirty = true;
    if (deadline_ns == BERTH_NS_NEVER)
        heap_remove(&controller->service_deadlines, service->id);
    else
        heap_set(&controller->service_deadlines, service->id, deadline_ns);
}

bool service_may_tell(const struct controller *controller, const struct service *service,
                      enum service_event_kind kind)
{
    return !service_has_told(service, kind) ||
           controller->now.mono_ns - service->told_ns[kind] >= EVENT_REPEAT_NS;
}

void service_tell(struct controller *controller, struct service *service,
                  const struct service_event *event)
{
    if (!service_may_tell(controller, service, event->kind))
        return;
    service->told_ns[event->kind] = controller->now.mono_ns;
    service->told |= UINT32_C(1) << event->kind;
    service->is_record_dirty = true;
    emit_event(controller, event);
}

void service_clear(struct service *service, enum service_event_kind kind)
{
    if (!service_has_told(service, kind))
        return;
    service->told &= ~(UINT32_C(1) << kind);
    service->is_record_dirty = true;
}

void services_timer(struct controller *controller)
{
    struct heap_item due;
    while (heap_first(&controller->service_deadlines, &due) && due.key <= controller->now.mono_ns) {
        struct service *service = controller->services.items[due.handle];
        service_set_deadline(controller, service, BERTH_NS_NEVER);
        service_mark(controller, service);
    }
}

/* Daemon services lead, then by name. */
static bool is_before(const struct controller *controller, service_id a, service_id b)
{
    const struct service *left = controller->services.items[a];
    const struct service *right = controller->services.items[b];
    if (left->scheduling != right->scheduling)
        return left->scheduling == SCHEDULING_DAEMON;
    return strcmp(symbols_text(controller->symbols, left->name),
                  symbols_text(controller->symbols, right->name)) < 0;
}

/* Merge sort by hand: qsort has no context argument, and thousands may be due at once. */
static void sort_ids(const struct controller *controller, service_id *ids, service_id *scratch,
                     size_t count)
{
    if (count < 2)
        return;
    size_t half = count / 2;
    sort_ids(controller, ids, scratch, half);
    sort_ids(controller, ids + half, scratch, count - half);
    size_t left = 0, right = half;
    for (size_t at = 0; at < count; at++)
        if (right == count || (left < half && is_before(controller, ids[left], ids[right])))
            scratch[at] = ids[left++];
        else
            scratch[at] = ids[right++];
    memcpy(ids, scratch, count * sizeof *ids);
}

/* Marks made by its own pass are seen by that pass. */
static void pass(struct controller *controller, struct service *service)
{
    if (service->scheduling == SCHEDULING_DAEMON)
        reconcile_daemon(controller, service);
    else if (sets_are_meant(service))
        reconcile_sets(controller, service);
    else
        reconcile_replica(controller, service);
}

void services_pass(struct controller *controller)
{
    while (controller->dirty.count > 0) {
        if (controller->dirty.count == 1) { /* most often */
            struct service *only = controller->services.items[controller->dirty.items[0]];
            vec_clear(&controller->dirty);
            if (only != NULL)
                pass(controller, only);
            continue;
        }
        size_t count = 0;
        service_id *ids =
            arena_alloc(&controller->arena, 2 * controller->dirty.count * sizeof *ids);
        for (size_t i = 0; i < controller->dirty.count; i++)
            if (controller->services.items[controller->dirty.items[i]] != NULL)
                ids[count++] = controller->dirty.items[i]; /* Else deleted after it was marked. */
        sort_ids(controller, ids, ids + count, count);
        vec_clear(&controller->dirty);
        for (size_t i = 0; i < count; i++)
            pass(controller, controller->services.items[ids[i]]);
    }
}

void service_start_failed(struct controller *controller, struct deployment *deployment)
{
    struct service *service = deployment->service;
    berth_ns delay_ns = throttle_delay_ns(++deployment->failures);
    deployment_changed(controller, deployment);
    if (delay_ns == 0)
        return;
    rule_fired(controller, RULE_THROTTLE);
    deployment->throttled_until_ns = controller->now.mono_ns + delay_ns;
    struct service_event event = {.kind = SERVICE_EVENT_START_IMPAIRED,
                                  .service = service->id,
                                  .deployment = deployment->number};
    service_tell(controller, service, &event);
}

static bool is_name(const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);
    if (length == 0 || length > NAME_MAX_BYTES)
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
           length;
}

struct service *service_find(const struct controller *controller, const char *name)
{
    symbol id = name == NULL ? SYMBOL_NONE : symbols_find(controller->symbols, name);
    uint32_t service = id == SYMBOL_NONE ? MAP_ABSENT : map_get(&controller->service_by_name, id);
    return service == MAP_ABSENT ? NULL : controller->services.items[service];
}

service_id controller_find_service(const struct controller *controller, const char *name)
{
    const struct service *service = service_find(controller, name);
    return service == NULL ? SERVICE_NONE : service->id;
}

static enum berth_err check_percents(uint32_t minimum, uint32_t maximum, bool is_daemon,
                                     struct berth_error *err)
{
    if (minimum > 100)
        return berth_fail(err, BERTH_ERR_INPUT, "minimumHealthyPercent: use 0 to 100");
    if (is_daemon && maximum != 100)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "maximumPercent: a DAEMON service runs one task on an instance; use 100");
    if (maximum < 100 || maximum > PERCENT_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "maximumPercent: use 100 to %d", PERCENT_MAX);
    return BERTH_OK;
}

/* The figures of a command, with the defaults of creation or what the service has (semantics 4.3).
 */
static enum berth_err resolve_numbers(const struct event_service *wanted, bool is_daemon,
                                      uint32_t *desired, uint32_t *minimum, uint32_t *maximum,
                                      struct berth_error *err)
{
    if (wanted->desired_count < OVERRIDE_NONE || wanted->desired_count > DESIRED_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "desiredCount: use 0 to %d", DESIRED_MAX);
    if (is_daemon && wanted->desired_count > 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "desiredCount: a DAEMON service computes its own; leave it out");
    if (wanted->minimum_healthy_percent < OVERRIDE_NONE || wanted->maximum_percent < OVERRIDE_NONE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "deploymentConfiguration: percents must not be negative");
    if (wanted->desired_count != OVERRIDE_NONE && !is_daemon)
        *desired = (uint32_t)wanted->desired_count;
    if (wanted->minimum_healthy_percent != OVERRIDE_NONE)
        *minimum = (uint32_t)wanted->minimum_healthy_percent;
    if (wanted->maximum_percent != OVERRIDE_NONE)
        *maximum = (uint32_t)wanted->maximum_percent;
    return check_percents(*minimum, *maximum, is_daemon, err);
}

const struct task_def *service_find_def(const struct controller *controller, const char *reference,
                                        struct berth_error *err)
{
    const struct task_def *def =
        reference == NULL ? NULL : task_def_find(controller->task_defs, reference);
    if (def != NULL && def->status == TASK_DEF_ACTIVE)
        return def;
    (void)berth_fail(err, BERTH_ERR_INPUT,
                     "taskDefinition: there is no ACTIVE %.256s; register it first",
                     reference == NULL ? "one" : reference);
    return NULL;
}

static void set_grace(struct service *service, int32_t grace_s)
{
    berth_ns grace_ns = grace_s * BERTH_NS_PER_S;
    if (grace_s == OVERRIDE_NONE || service->grace_ns == grace_ns)
        return;
    service->grace_ns = grace_ns;
    service->is_record_dirty = true;
}

static void reply_service(struct controller *controller, const struct event *event,
                          service_id service)
{
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.service = service;
}

/* Settings and target groups, as given. */
static enum berth_err check_deploying(const struct event_service *wanted, struct berth_error *err)
{
    if (wanted->target_group_count > TARGET_GROUPS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "loadBalancers: at most %d target groups",
                          TARGET_GROUPS_MAX);
    for (uint16_t i = 0; i < wanted->target_group_count; i++) {
        const char *name = wanted->target_groups[i];
        if (name == NULL || name[0] == '\0')
            return berth_fail(err, BERTH_ERR_INPUT, "loadBalancers: a target group has no name");
        for (uint16_t j = 0; j < i; j++)
            if (strcmp(wanted->target_groups[j], name) == 0)
                return berth_fail(err, BERTH_ERR_INPUT,
                                  "loadBalancers: target group %.64s is given twice", name);
    }
    if (wanted->grace_s < OVERRIDE_NONE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "healthCheckGracePeriodSeconds: must not be negative");
    return wanted->settings == NULL ? BERTH_OK : settings_check(wanted->settings, err);
}

static enum berth_err check_create(const struct event_service *wanted, struct berth_error *err)
{
    if (!is_name(wanted->service))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "serviceName: use 1 to %d letters, digits, '_' and '-'", NAME_MAX_BYTES);
    if (wanted->scheduling == SCHEDULING_DAEMON && wanted->strategy_count > 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementStrategy: a DAEMON service has none; leave it out");
    if (wanted->controller == CONTROLLER_EXTERNAL &&
        (wanted->scheduling == SCHEDULING_DAEMON || wanted->task_definition != NULL))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "deploymentController: an EXTERNAL service is REPLICA, and its task sets "
                          "have the taskDefinition");
    return check_deploying(wanted, err);
}

/* The capacityProviderStrategy of a call; a daemon has none. */
static enum berth_err resolve_providers(const struct controller *controller,
                                        const struct event_service *wanted, bool is_daemon,
                                        const struct task_def *def, struct strategy_items *out,
                                        struct berth_error *err)
{
    if (is_daemon && wanted->provider_count > 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "capacityProviderStrategy: a DAEMON service runs on every instance; "
                          "leave it out");
    enum berth_err code = capacity_resolve(controller, wanted->providers, wanted->provider_count,
                                           wanted->takes_launch_type || is_daemon, out, err);
    if (code == BERTH_OK && out->is_fargate)
        code = capacity_check_fargate(def, &def->demand, err);
    return code;
}

/* Those of an update: given, or PRIMARY's. */
static enum berth_err update_providers(const struct controller *controller,
                                       const struct service *service,
                                       const struct event_service *wanted,
                                       const struct task_def *def, struct strategy_items *out,
                                       struct berth_error *err)
{
    const struct deployment *primary = service->deployments.items[0];
    if (wanted->sets_providers)
        return resolve_providers(controller, wanted, service->scheduling == SCHEDULING_DAEMON, def,
                                 out, err);
    *out = (struct strategy_items){.count = (uint16_t)primary->providers.count};
    for (uint16_t i = 0; i < out->count; i++) {
        out->items[i] = primary->providers.items[i];
        out->items[i].count = 0;
        out->is_fargate =
            is_fargate(provider_find(controller, primary->providers.items[i].provider)->kind);
    }
    return out->is_fargate ? capacity_check_fargate(def, &def->demand, err) : BERTH_OK;
}

/* The service itself, without what it runs. */
static struct service *make(struct controller *controller, const struct event_service *wanted)
{
    text_clear(&controller->key);
    text_addf(&controller->key, "service:%s", wanted->service);
    group_id group = group_ensure(controller, controller->key.bytes);
    symbol name = symbols_add(controller->symbols, wanted->service);
    struct service *service =
        service_new(controller, (service_id)controller->services.count, name, group);
    service->scheduling = wanted->scheduling;
    service->controller = wanted->controller;
    service->created_wall_ns = controller->now.wall_ns;
    if (wanted->settings != NULL)
        settings_copy(controller, &service->settings, wanted->settings);
    if (wanted->scheduling == SCHEDULING_DAEMON)
        *vec_push(&controller->daemons) = service->id;
    return service;
}

void services_create(struct controller *controller, const struct event *event)
{
    const struct event_service *wanted = &event->u.service;
    bool is_daemon = wanted->scheduling == SCHEDULING_DAEMON;
    bool is_external = wanted->controller == CONTROLLER_EXTERNAL;
    uint32_t desired = 0, minimum = is_daemon ? 0 : 100, maximum = is_daemon ? 100 : 200;
    struct berth_error err = BERTH_ERROR_INIT;
    struct plan *plan = NULL;
    const struct task_def *def = NULL;
    struct strategy_items providers;
    if (check_create(wanted, &err) != BERTH_OK ||
        resolve_numbers(wanted, is_daemon, &desired, &minimum, &maximum, &err) != BERTH_OK ||
        rebalance_check(wanted, is_daemon, maximum, &err) != BERTH_OK ||
        (!is_external &&
         ((def = service_find_def(controller, wanted->task_definition, &err)) == NULL ||
          resolve_providers(controller, wanted, is_daemon, def, &providers, &err) != BERTH_OK ||
          plan_get(controller, def, wanted->strategies, wanted->strategy_count, wanted->constraints,
                   wanted->constraint_count, PLACEMENT_DEFAULT_SERVICE, &plan,
                   &err) != BERTH_OK))) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", err.text);
        return;
    }
    if (service_find(controller, wanted->service) != NULL) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "serviceName: %s is taken; update it or choose another name", wanted->service);
        return;
    }
    struct service *service = make(controller, wanted);
    service->desired_count = desired;
    service->minimum_percent = minimum;
    service->maximum_percent = maximum;
    if (!is_external)
        rebalance_set_enabled(service, wanted->rebalancing);
    set_grace(service, wanted->grace_s);
    if (is_external)
        specs_set(controller, &service->specs, wanted);
    else
        deployment_set_providers(deployment_start(controller, service, plan, wanted->target_groups,
                                                  wanted->target_group_count),
                                 &providers);
    service_mark(controller, service);
    reply_service(controller, event, service->id);
}

/* What is not a task set's own: the counts, and how the next sets are placed. */
static void update_external(struct controller *controller, const struct event *event,
                            struct service *service)
{
    const struct event_service *wanted = &event->u.service;
    uint32_t desired = service->desired_count;
    uint32_t minimum = service->minimum_percent, maximum = service->maximum_percent;
    struct berth_error err = BERTH_ERROR_INIT;
    if (wanted->task_definition != NULL || wanted->force_new_deployment)
        (void)berth_fail(&err, BERTH_ERR_INPUT,
                         "taskDefinition: it belongs to the task sets of an EXTERNAL service");
    if (err.code != BERTH_OK ||
        resolve_numbers(wanted, false, &desired, &minimum, &maximum, &err) != BERTH_OK) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", err.text);
        return;
    }
    service->desired_count = desired;
    service->minimum_percent = minimum;
    service->maximum_percent = maximum;
    specs_set(controller, &service->specs, wanted);
    service->is_record_dirty = true;
    service_mark(controller, service);
    reply_service(controller, event, service->id);
}

/* New strategies or constraints are no deployment: every deployment goes on under them. */
static enum berth_err replan(struct controller *controller, const struct plan *now,
                             const struct event_service *wanted, const struct task_def *def,
                             struct plan **out, struct berth_error *err)
{
    const struct placement_strategy_spec *strategies =
        wanted->sets_strategies ? wanted->strategies : now->strategies;
    const struct placement_constraint_spec *constraints =
        wanted->sets_constraints ? wanted->constraints : now->constraints;
    return plan_get(controller, def, strategies,
                    wanted->sets_strategies ? wanted->strategy_count : now->strategy_count,
                    constraints,
                    wanted->sets_constraints ? wanted->constraint_count : now->constraint_count,
                    PLACEMENT_DEFAULT_SERVICE, out, err);
}

static void set_plan(struct controller *controller, struct deployment *deployment,
                     struct plan *plan)
{
    plan_hold(controller, plan);
    plan_drop(controller, deployment->plan);
    deployment->plan = plan;
    deployment_changed(controller, deployment);
}

static void adopt_specs(struct controller *controller, struct service *service,
                        const struct event_service *wanted)
{
    struct berth_error err = BERTH_ERROR_INIT;
    if (!wanted->sets_strategies && !wanted->sets_constraints)
        return;
    service_set_blocked(controller, service, BERTH_NS_NEVER);
    struct plan *now = service->deployments.items[0]->plan;
    plan_hold(controller, now); /* What is kept is read off it. */
    for (size_t i = service->revisions.count; i-- > 0;) {
        struct plan *plan = NULL;
        /* An older definition's own constraints may leave no room for ten: it keeps its plan. */
        if (replan(controller, now, wanted, service->revisions.items[i]->def, &plan, &err) ==
            BERTH_OK)
            set_plan(controller, service->revisions.items[i], plan);
    }
    plan_drop(controller, now);
}

/* The target groups of the next deployment: those given, or those that PRIMARY has. */
static uint16_t wanted_target_groups(const struct controller *controller,
                                     const struct service *service,
                                     const struct event_service *wanted,
                                     const char *names[TARGET_GROUPS_MAX])
{
    const struct deployment *primary = service->deployments.items[0];
    uint16_t count =
        wanted->sets_target_groups ? wanted->target_group_count : primary->target_group_count;
    for (uint16_t i = 0; i < count; i++)
        names[i] = wanted->sets_target_groups
                       ? wanted->target_groups[i]
                       : symbols_text(controller->symbols, primary->target_groups[i]);
    return count;
}

static bool has_target_groups(const struct controller *controller, const struct service *service,
                              const char *const *names, uint16_t count)
{
    const struct deployment *primary = service->deployments.items[0];
    if (primary->target_group_count != count)
        return false;
    for (uint16_t i = 0; i < count; i++)
        if (symbols_find(controller->symbols, names[i]) != primary->target_groups[i])
            return false;
    return true;
}

static void adopt_settings(struct controller *controller, struct service *service,
                           const struct event_service *wanted)
{
    static const struct deployment_settings defaults = {.strategy = DEPLOY_ROLLING};
    if (!wanted->sets_settings)
        return;
    settings_free(&service->settings);
    settings_copy(controller, &service->settings,
                  wanted->settings == NULL ? &defaults : wanted->settings);
    service->is_record_dirty = true;
}

void services_update(struct controller *controller, const struct event *event)
{
    const struct event_service *wanted = &event->u.service;
    struct service *service = service_find(controller, wanted->service);
    if (service == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND, "service: there is no %.256s",
                     wanted->service == NULL ? "name" : wanted->service);
        return;
    }
    if (service->controller == CONTROLLER_EXTERNAL) {
        update_external(controller, event, service);
        return;
    }
    bool is_daemon = service->scheduling == SCHEDULING_DAEMON;
    uint32_t desired = service->desired_count;
    uint32_t minimum = service->minimum_percent, maximum = service->maximum_percent;
    const struct task_def *def = service->deployments.items[0]->def;
    struct berth_error err = BERTH_ERROR_INIT;
    struct plan *plan = NULL;
    struct strategy_items providers;
    if (is_daemon && wanted->sets_strategies && wanted->strategy_count > 0)
        (void)berth_fail(&err, BERTH_ERR_INPUT,
                         "placementStrategy: a DAEMON service has none; leave it out");
    if (err.code != BERTH_OK ||
        resolve_numbers(wanted, is_daemon, &desired, &minimum, &maximum, &err) != BERTH_OK ||
        (wanted->task_definition != NULL &&
         (def = service_find_def(controller, wanted->task_definition, &err)) == NULL) ||
        check_deploying(wanted, &err) != BERTH_OK ||
        rebalance_check(wanted, is_daemon, maximum, &err) != BERTH_OK ||
        update_providers(controller, service, wanted, def, &providers, &err) != BERTH_OK ||
        replan(controller, service->deployments.items[0]->plan, wanted, def, &plan, &err) !=
            BERTH_OK) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", err.text);
        return;
    }
    const char *groups[TARGET_GROUPS_MAX];
    uint16_t group_count = wanted_target_groups(controller, service, wanted, groups);
    bool deploys = wanted->force_new_deployment || def != service->deployments.items[0]->def ||
                   wanted->sets_providers ||
                   !has_target_groups(controller, service, groups, group_count);
    plan_hold(controller, plan);
    adopt_specs(controller, service, wanted);
    adopt_settings(controller, service, wanted);
    if (deploys)
        deployment_set_providers(deployment_start(controller, service, plan, groups, group_count),
                                 &providers);
    set_grace(service, wanted->grace_s);
    plan_drop(controller, plan);
    if (service->desired_count != desired || service->minimum_percent != minimum ||
        service->maximum_percent != maximum)
        service->is_record_dirty = true;
    service->desired_count = desired;
    service->minimum_percent = minimum;
    service->maximum_percent = maximum;
    if (wanted->rebalancing != OVERRIDE_NONE)
        rebalance_set_enabled(service, wanted->rebalancing);
    if (is_daemon && wanted->sets_constraints)
        daemon_check_all(controller, service);
    service_mark(controller, service);
    reply_service(controller, event, service->id);
}

/* The service is gone at once (INACTIVE: every task is told to stop); its tasks end on their own.
 */
static void remove_service(struct controller *controller, struct service *service)
{
    for (size_t i = 0; i < service->deployments.count; i++) {
        struct deployment *deployment = service->deployments.items[i];
        while (deployment->tasks.first != NULL) {
            struct task *task = deployment->tasks.first;
            bool is_placed = task->instance != INSTANCE_NONE;
            task_stop(controller, task, STOP_SERVICE_SCHEDULER_INITIATED,
                      STOP_REASON_SERVICE_DELETED);
            if (!is_placed)
                continue; /* It is gone. */
            task_uncount(task);
            task_list_remove(&deployment->tasks, task, LIST_OWNER);
            if (service->scheduling == SCHEDULING_DAEMON)
                host_set_ordinary(controller, task->instance,
                                  host_of(controller, task->instance)->ordinary + 1);
            task->deployment = NULL;
        }
    }
    for (size_t i = 0; i < service->revisions.count; i++)
        emit_deployment_gone(controller, service->revisions.items[i]);
    service_set_blocked(controller, service, BERTH_NS_NEVER);
    service_set_deadline(controller, service, BERTH_NS_NEVER);
    rebalance_set_blocked(controller, service, false);
    service_ids_remove(controller->daemons.items, &controller->daemons.count, service->id);
    (void)map_remove(&controller->service_by_name, service->name);
    controller->services.items[service->id] = NULL;
    scaling_service_gone(controller, service->id);
    emit_service_gone(controller, service);
    service_free(controller, service);
}

void services_delete(struct controller *controller, const struct event *event)
{
    const struct event_service *wanted = &event->u.service;
    struct service *service = service_find(controller, wanted->service);
    if (service == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND, "service: there is no %.256s",
                     wanted->service == NULL ? "name" : wanted->service);
        return;
    }
    struct service_view view = service_view_of(service);
    if (!wanted->force &&
        (service->desired_count > 0 || view.running_count > 0 || view.pending_count > 0)) {
        emit_refusal(controller, event, REPLY_REFUSED,
                     "service: %s still has tasks; set desiredCount to 0 first or use force",
                     wanted->service);
        return;
    }
    service_id id = service->id;
    remove_service(controller, service);
    reply_service(controller, event, id);
}
