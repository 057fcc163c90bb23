/* services.c -- floors, ceilings, counts and throttles, by what each step did to a service. */
#include <stddef.h>
#include <string.h>

#include "sim/audit/audit_internal.h"

#define FAILURES_FREE 2 /* U10: the first starts that fail in a row are repeated at once */
#define DELAY_FIRST_S 10
#define DELAY_MAX_S 1620
#define RULES_MAX 256

static struct audit_service *touch_service(struct audit *audit, uint32_t index)
{
    struct audit_service *service = &audit->services.items[index];
    if (!service->is_touched) {
        service->is_touched = true;
        *vec_push(&audit->touched_services) = index;
    }
    return service;
}

static uint32_t known_index(const struct audit *audit, service_id service)
{
    return service < audit->service_at.count ? audit->service_at.items[service] : SLOT_NONE;
}

static void know(struct audit *audit, service_id service, uint32_t index)
{
    while (audit->service_at.count <= service)
        *vec_push(&audit->service_at) = SLOT_NONE;
    audit->service_at.items[service] = index;
}

struct audit_service *audit_find_service(struct audit *audit, service_id service)
{
    uint32_t index = known_index(audit, service);
    return index == SLOT_NONE ? NULL : &audit->services.items[index];
}

void services_prefetch(struct audit *audit, task_id task)
{
    const struct audit_task *found = audit_find_task(audit, task);
    if (found == NULL || !found->is_listed)
        return;
    const struct audit_service *service = audit_find_service(audit, found->service);
    audit_prefetch(service, offsetof(struct audit_service, deployments));
}

/* The last one of that name: the others are gone. */
static struct audit_service *by_name(struct audit *audit, const char *name)
{
    for (size_t i = audit->services.count; name != NULL && i-- > 0;)
        if (strcmp(audit->services.items[i].name, name) == 0)
            return &audit->services.items[i];
    return NULL;
}

static bool rules_equal(const struct audit_rules *rules, bool is_distinct,
                        const struct placement_constraint_spec *items, uint16_t count)
{
    size_t at = 0;
    if (rules->is_distinct != is_distinct)
        return false;
    for (uint16_t i = 0; i < count; i++) {
        if (strcmp(items[i].type, "memberOf") != 0)
            continue;
        if (at >= rules->expressions.count ||
            strcmp(rules->expressions.items[at++], items[i].expression) != 0)
            return false;
    }
    return at == rules->expressions.count;
}

uint32_t rules_add(struct audit *audit, const struct placement_constraint_spec *items,
                   uint16_t count)
{
    bool is_distinct = false;
    for (uint16_t i = 0; i < count; i++)
        is_distinct = is_distinct || strcmp(items[i].type, "distinctInstance") == 0;
    for (size_t i = 0; i < audit->rules.count; i++)
        if (rules_equal(&audit->rules.items[i], is_distinct, items, count))
            return (uint32_t)i;
    if (audit->rules.count == RULES_MAX)
        return SLOT_NONE;
    struct audit_rules *rules = vec_push(&audit->rules);
    *rules = (struct audit_rules){.is_distinct = is_distinct};
    for (uint16_t i = 0; i < count; i++)
        if (strcmp(items[i].type, "memberOf") == 0 && items[i].expression != NULL)
            *vec_push(&rules->expressions) = mem_copy_text(items[i].expression);
    return (uint32_t)audit->rules.count - 1;
}

static bool is_refused(const struct action_list *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_REPLY)
            return actions->items[i].u.reply.status != REPLY_OK;
    return false;
}

static void read_settings(struct audit *audit, struct audit_service *service,
                          const struct event_service *with, bool is_new)
{
    if (with->minimum_healthy_percent != OVERRIDE_NONE)
        service->minimum_percent = with->minimum_healthy_percent;
    if (with->maximum_percent != OVERRIDE_NONE)
        service->maximum_percent = with->maximum_percent;
    if (is_new || with->sets_constraints)
        service->rules = rules_add(audit, with->constraints, with->constraint_count);
    if (is_new || with->sets_target_groups) {
        service->has_targets = with->target_group_count > 0;
        services_tally(audit, service);
    }
    if (is_new) {
        service->is_rolling = with->controller == CONTROLLER_ECS;
        service->is_external = with->controller == CONTROLLER_EXTERNAL;
    }
    if ((is_new || with->sets_settings) && with->settings != NULL)
        service->is_rolling =
            with->controller == CONTROLLER_ECS && with->settings->strategy == DEPLOY_ROLLING;
}

void services_event(struct audit *audit, const struct event *event,
                    const struct action_list *actions)
{
    const struct event_service *with = &event->u.service;
    audit->run_task_rules = SLOT_NONE;
    if (event->kind == EVENT_RUN_TASK) {
        audit->run_task_rules =
            rules_add(audit, event->u.run_task.constraints, event->u.run_task.constraint_count);
    } else if (event->kind == EVENT_CREATE_SERVICE && !is_refused(actions)) {
        bool is_daemon = with->scheduling == SCHEDULING_DAEMON;
        struct audit_service *service = vec_push(&audit->services);
        *service = (struct audit_service){.name = mem_copy_text(with->service),
                                          .id = SERVICE_NONE,
                                          .scheduling = with->scheduling,
                                          .undone_ns = BERTH_NS_NEVER,
                                          .minimum_percent = is_daemon ? 0 : 100,
                                          .maximum_percent = is_daemon ? 100 : 200};
        read_settings(audit, service, with, true);
    } else if (event->kind == EVENT_UPDATE_SERVICE && !is_refused(actions)) {
        struct audit_service *service = by_name(audit, with->service);
        if (service != NULL)
            read_settings(audit, service, with, false);
    }
}

void services_changed(struct audit *audit, const struct change *change)
{
    const struct service_view *view = &change->u.service;
    uint32_t index = known_index(audit, view->service);
    if (index == SLOT_NONE) {
        const struct symbols *symbols = cluster_symbols(controller_cluster(audit->controller));
        struct audit_service *named = by_name(audit, symbols_text(symbols, view->name));
        if (named == NULL)
            return;
        index = (uint32_t)(named - audit->services.items);
        named->id = view->service;
        know(audit, view->service, index);
    }
    struct audit_service *service = touch_service(audit, index);
    service->is_unmoved = service->view.desired_count == view->desired_count &&
                          service->view.running_count == view->running_count &&
                          service->view.pending_count == view->pending_count &&
                          service->view.deployment_count == view->deployment_count;
    if (service->view.desired_count != view->desired_count ||
        service->view.deployment_count != view->deployment_count ||
        service->view.unhealthy_count != view->unhealthy_count)
        service->upset_ns = audit->now_ns;
    service->view = *view;
    service->is_gone = change->is_deleted || !view->is_active;
}

/* A task may be told of before its service is: then the service is the one being created. */
static uint32_t index_of(struct audit *audit, service_id id)
{
    uint32_t index = known_index(audit, id);
    for (size_t i = audit->services.count; id != SERVICE_NONE && index == SLOT_NONE && i-- > 0;)
        if (audit->services.items[i].id == SERVICE_NONE) {
            index = (uint32_t)i;
            audit->services.items[i].id = id;
            know(audit, id, index);
        }
    return index;
}

struct audit_service *services_touch(struct audit *audit, service_id id)
{
    uint32_t index = index_of(audit, id);
    return index == SLOT_NONE ? NULL : touch_service(audit, index);
}

static berth_ns delay_after(uint32_t failures)
{
    int64_t delay_s = DELAY_FIRST_S;
    if (failures <= FAILURES_FREE)
        return 0;
    for (uint32_t k = FAILURES_FREE + 1; k < failures && delay_s < DELAY_MAX_S; k++)
        delay_s *= 2;
    return (delay_s < DELAY_MAX_S ? delay_s : DELAY_MAX_S) * BERTH_NS_PER_S;
}

void services_launched(struct audit *audit, const struct audit_task *task)
{
    uint32_t index = index_of(audit, task->service);
    if (index == SLOT_NONE)
        return;
    struct audit_service *service = touch_service(audit, index);
    service->started++;
    deployments_launched(audit, service);
    if (service->failing != task->deployment || service->failures == 0 ||
        service->scheduling == SCHEDULING_DAEMON)
        return;
    AUDIT_CHECK(audit, INVARIANT_THROTTLE,
                audit->now_ns - service->failed_ns >= delay_after(service->failures),
                "service %s launched task %llu %.3f s after start %u in a row had failed",
                service->name, (unsigned long long)task->task,
                (double)(audit->now_ns - service->failed_ns) / (double)BERTH_NS_PER_S,
                service->failures);
}

void services_running(struct audit *audit, const struct audit_task *task)
{
    struct audit_service *service = audit_find_service(audit, task->service);
    if (service != NULL && service->failing == task->deployment)
        service->failures = 0;
}

static void start_failed(struct audit *audit, struct audit_service *service, uint64_t deployment)
{
    if (service->failing != deployment) {
        service->failing = deployment;
        service->failures = 0;
    }
    service->failures++;
    service->failed_ns = audit->now_ns;
}

void services_stopped(struct audit *audit, const struct audit_task *task,
                      const struct task_view *now)
{
    uint32_t index = index_of(audit, now->service);
    if (index == SLOT_NONE)
        return;
    struct audit_service *service = touch_service(audit, index);
    bool is_failed_start = now->last_status == TASK_STOPPED && task->running_ns == BERTH_NS_NEVER &&
                           (now->stop_reason == STOP_REASON_PULL_FAILED ||
                            now->stop_reason == STOP_REASON_START_FAILED);
    if (is_failed_start)
        start_failed(audit, service, now->deployment);
    if (now->stop_reason == STOP_REASON_SCALING) {
        service->scaled_in++;
        deployments_scaled_in(audit, service, now->instance);
    } else if (now->stop_reason != STOP_REASON_REBALANCING) {
        service->upset_ns = audit->now_ns;
    }
    if ((now->stop_reason == STOP_REASON_DEPLOYMENT || now->stop_reason == STOP_REASON_DRAINING ||
         now->stop_reason == STOP_REASON_REBALANCING) &&
        task_is_healthy(service, task))
        service->stopped_healthy++;
}

static void check_bounds(struct audit *audit, const struct audit_service *service)
{
    int64_t desired = service->view.desired_count;
    int64_t all = (int64_t)service->tasks.count, wanted = service->tally.wanted;
    int64_t healthy = service->tally.healthy;
    int64_t lower = (desired * service->minimum_percent + 99) / 100;
    int64_t upper = desired * service->maximum_percent / 100;
    if (service->stopped_healthy > 0)
        AUDIT_CHECK(audit, INVARIANT_FLOOR, healthy >= lower,
                    "service %s stopped %u healthy tasks, %lld are left, the floor is %lld",
                    service->name, service->stopped_healthy, (long long)healthy, (long long)lower);
    if (service->started > 0)
        AUDIT_CHECK(audit, INVARIANT_CEILING, all <= upper,
                    "service %s started %u tasks, it now has %lld, the ceiling is %lld",
                    service->name, service->started, (long long)all, (long long)upper);
    if (service->scaled_in > 0)
        AUDIT_CHECK(audit, INVARIANT_DESIRED_KEPT, wanted >= desired,
                    "service %s stopped %u tasks to scale in, %lld are left of %lld", service->name,
                    service->scaled_in, (long long)wanted, (long long)desired);
}

static void check_counts(struct audit *audit, const struct audit_service *service)
{
    const struct audit_tally *sums = &service->tally;
    AUDIT_CHECK(audit, INVARIANT_COUNTS,
                sums->running == service->view.running_count &&
                    sums->pending == service->view.pending_count,
                "service %s says %u running and %u pending, and has %u and %u", service->name,
                service->view.running_count, service->view.pending_count, sums->running,
                sums->pending);
}

static void check_gone(struct audit *audit, const struct audit_service *service)
{
    const struct audit_task *left = NULL;
    for (size_t i = 0; i < service->tasks.count && left == NULL; i++)
        if (task_at(audit, service->tasks.items[i])->desired_running)
            left = task_at(audit, service->tasks.items[i]);
    AUDIT_CHECK(audit, INVARIANT_DELETED, left == NULL, "service %s is gone, task %llu is to run",
                service->name, (unsigned long long)left->task);
}

void services_check(struct audit *audit)
{
    for (size_t i = 0; i < audit->touched_services.count; i++) {
        struct audit_service *service = &audit->services.items[audit->touched_services.items[i]];
        if (service->is_gone) {
            check_gone(audit, service);
        } else {
            if (service->is_rolling && !service->is_external &&
                service->scheduling == SCHEDULING_REPLICA &&
                service->started + service->stopped_healthy + service->scaled_in > 0)
                check_bounds(audit, service);
            check_counts(audit, service);
            deployments_check(audit, service);
        }
        service->started = service->stopped_healthy = service->scaled_in = 0;
        service->is_touched = false;
    }
    vec_clear(&audit->touched_services);
}

/* A service whose creation was not durable is created again, or never was. */
void services_reloaded(struct audit *audit, const struct controller *controller)
{
    for (size_t i = 0; i < audit->services.count; i++) {
        struct audit_service *service = &audit->services.items[i];
        vec_clear(&service->tasks);
        service->tally = (struct audit_tally){0};
        service->failures = 0; /* the last may not have been durable: it will be reported again */
        if (service->is_gone || service->id == SERVICE_NONE)
            continue;
        if (controller_find_service(controller, service->name) == service->id) {
            service->view = controller_service(controller, service->id);
            deployments_reloaded(audit, service, controller);
            continue;
        }
        audit->service_at.items[service->id] = SLOT_NONE;
        service->id = SERVICE_NONE;
        service->is_gone = true;
    }
}

void services_destroy(struct audit *audit)
{
    for (size_t i = 0; i < audit->services.count; i++) {
        mem_free(audit->services.items[i].name);
        vec_free(&audit->services.items[i].tasks);
        vec_free(&audit->services.items[i].deployments);
    }
    for (size_t i = 0; i < audit->rules.count; i++) {
        for (size_t j = 0; j < audit->rules.items[i].expressions.count; j++)
            mem_free(audit->rules.items[i].expressions.items[j]);
        vec_free(&audit->rules.items[i].expressions);
    }
    vec_free(&audit->services);
    vec_free(&audit->rules);
    vec_free(&audit->touched_services);
    vec_free(&audit->service_at);
}
