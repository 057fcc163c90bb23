/*
 * phases.c -- what time alone brings: deadlines, the moment of steadiness, the quiet after it.
 *
 * A task that enters a state with a deadline joins a queue; all have the same bound, so only its
 * head is ever looked at. Whatever disturbed its instance since begins its time anew.
 */
#include <string.h>

#include "scheduler/base/text.h"
#include "scheduler/core/transcript.h"
#include "sim/audit/audit_internal.h"

#define MINUTE_NS (60 * BERTH_NS_PER_S)
#define PENDING_BASE_NS (30 * MINUTE_NS)
#define STOPPING_BASE_NS (10 * MINUTE_NS)
#define STOP_TIMEOUT_NS (30 * BERTH_NS_PER_S)

static double slowest_mib_per_s(const struct scenario *scenario)
{
    double slowest = 0;
    for (uint32_t i = 0; i < scenario->group_count; i++)
        if (slowest == 0 || scenario->groups[i].pull_mib_per_s < slowest)
            slowest = scenario->groups[i].pull_mib_per_s;
    return slowest > 0 ? slowest : 1;
}

/* Every image may be fetched before the task's own; a failed pull takes as long and is repeated. */
void phases_open(struct audit *audit)
{
    const struct scenario *scenario = audit->scenario;
    double pulls_s = 0;
    berth_ns stops_ns = 0;
    for (uint32_t i = 0; i < scenario->task_def_count; i++) {
        const struct task_def *def = scenario->task_defs[i].def;
        berth_ns own_ns = 0;
        pulls_s += scenario->task_defs[i].image_mib / slowest_mib_per_s(scenario);
        for (size_t c = 0; c < def->container_count; c++) {
            berth_ns timeout_ns = def->containers[c].stop_timeout_ns;
            own_ns += timeout_ns == BERTH_NS_NEVER ? STOP_TIMEOUT_NS : timeout_ns;
        }
        stops_ns = own_ns > stops_ns ? own_ns : stops_ns;
    }
    audit->pending_bound_ns =
        PENDING_BASE_NS + (berth_ns)(4 * pulls_s) * BERTH_NS_PER_S + 2 * stops_ns;
    audit->stopping_bound_ns = STOPPING_BASE_NS + 2 * stops_ns;
    audit->steady_by_ns = scenario->run.steady_by_ns;
    audit->quiet_from_ns = scenario->run.quiet_from_ns;
}

void phases_watch(struct audit *audit, struct audit_fifo *fifo, task_id task)
{
    if (fifo->first > 1024 && fifo->first * 2 > fifo->items.count) {
        fifo->items.count -= fifo->first;
        memmove(fifo->items.items, fifo->items.items + fifo->first,
                fifo->items.count * sizeof *fifo->items.items);
        fifo->first = 0;
    }
    *vec_push(&fifo->items) = (struct audit_watch){task, audit->now_ns};
}

/* A container that waits for another to end may wait for as long as that one lives. */
static bool may_wait(const struct task_def *def)
{
    for (size_t c = 0; c < def->container_count; c++)
        for (uint16_t i = 0; i < def->containers[c].depends_on_count; i++)
            if (def->containers[c].depends_on[i].condition != DEPENDS_START)
                return true;
    return false;
}

static bool has_faults(const struct scenario *scenario)
{
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        if (scenario->faults.kinds[kind].is_set)
            return true;
    return false;
}

/* Nothing but the task's own agent stood between it and its next state since then. */
static bool is_undisturbed(struct audit *audit, const struct audit_task *task, berth_ns since_ns)
{
    const struct audit_host *host = audit_find_host(audit, task->instance);
    return host != NULL && host->is_connected && host->status != INSTANCE_INACTIVE &&
           host->disturbed_ns <= since_ns && audit->scenario->failure_count == 0 &&
           (!has_faults(audit->scenario) || since_ns > audit->scenario->faults.until_ns);
}

static void check_head(struct audit *audit, struct audit_fifo *fifo, bool is_stop)
{
    struct audit_watch head = fifo->items.items[fifo->first++];
    struct audit_task *task = audit_find_task(audit, head.task);
    if (task == NULL || task->last_status == TASK_STOPPED)
        return;
    if (!is_stop &&
        (task->last_status >= TASK_RUNNING || !task->desired_running || may_wait(task->def)))
        return;
    if (!is_undisturbed(audit, task, head.since_ns)) {
        phases_watch(audit, fifo, head.task);
        return;
    }
    AUDIT_CHECK(audit, is_stop ? INVARIANT_STOPPING_DEADLINE : INVARIANT_PENDING_DEADLINE, false,
                "task %llu on instance %u is %s since %.3f s", (unsigned long long)head.task,
                task->instance, task_status_names[task->last_status],
                (double)head.since_ns / (double)BERTH_NS_PER_S);
}

static void check_deadlines(struct audit *audit)
{
    struct audit_fifo *fifo = &audit->pending;
    while (fifo->first < fifo->items.count &&
           audit->now_ns - fifo->items.items[fifo->first].since_ns > audit->pending_bound_ns) {
        audit->checks[INVARIANT_PENDING_DEADLINE]++;
        check_head(audit, fifo, false);
    }
    fifo = &audit->stopping;
    while (fifo->first < fifo->items.count &&
           audit->now_ns - fifo->items.items[fifo->first].since_ns > audit->stopping_bound_ns) {
        audit->checks[INVARIANT_STOPPING_DEADLINE]++;
        check_head(audit, fifo, true);
    }
}

static bool has_running(const struct audit *audit, const struct audit_service *service,
                        instance_id instance)
{
    for (size_t i = 0; i < service->tasks.count; i++) {
        const struct audit_task *task = task_at(audit, service->tasks.items[i]);
        if (task->instance == instance && task->desired_running &&
            task->last_status == TASK_RUNNING)
            return true;
    }
    return false;
}

/* A daemon is where it can be. Instances that are full of others are its misfortune. */
static void check_daemon(struct audit *audit, const struct audit_service *service)
{
    const struct task_def *def = NULL;
    if (service->tasks.count > 0)
        def = task_at(audit, service->tasks.items[0])->def;
    for (instance_id id = 0; id < audit->hosts.count; id++) {
        const struct audit_host *host = &audit->hosts.items[id];
        bool has_room = def == NULL || (host->cpu_units - host->cpu_held >= def->demand.cpu_units &&
                                        host->mem_mib - host->mem_held >= def->demand.mem_mib);
        if (!host->is_known || host->status != INSTANCE_ACTIVE || !host->is_connected || !has_room)
            continue;
        AUDIT_CHECK(audit, INVARIANT_STEADY, has_running(audit, service, id),
                    "daemon %s does not run on instance %u, where it has room", service->name, id);
    }
}

/* No task may go before another has come, and none may come: a matter of its settings. */
static bool is_stuck(const struct audit_service *service)
{
    int64_t desired = service->view.desired_count;
    return service->is_rolling && service->view.deployment_count > 1 &&
           desired * service->maximum_percent / 100 <=
               (desired * service->minimum_percent + 99) / 100;
}

/* Copies of it fall ill again and again: one may just be replaced, at any time. */
static bool falls_ill(const struct audit *audit, const struct audit_service *service)
{
    for (size_t t = 0; t < service->tasks.count; t++) {
        const struct task_def *def = task_at(audit, service->tasks.items[t])->def;
        for (uint32_t i = 0; i < audit->scenario->task_def_count; i++) {
            const struct scenario_task_def *known = &audit->scenario->task_defs[i];
            if ((known->has_unhealthy || known->unhealthy_probability > 0) &&
                strcmp(known->def->family, def->family) == 0)
                return true;
        }
    }
    return false;
}

static void check_steady(struct audit *audit)
{
    audit->was_steady = true;
    for (size_t i = 0; i < audit->services.count; i++) {
        const struct audit_service *service = &audit->services.items[i];
        uint32_t running = service->tally.running;
        uint32_t rest = (uint32_t)service->tasks.count - running;
        if (service->is_gone || service->id == SERVICE_NONE || service->is_external ||
            deployments_let_down(service))
            continue;
        if (service->scheduling == SCHEDULING_DAEMON) {
            if (service->rules == SLOT_NONE ||
                audit->rules.items[service->rules].expressions.count == 0)
                check_daemon(audit, service);
            continue;
        }
        if (falls_ill(audit, service)) {
            audit->has_stuck = true;
            continue;
        }
        audit->has_stuck = audit->has_stuck || is_stuck(service);
        AUDIT_CHECK(audit, INVARIANT_STEADY,
                    running == service->view.desired_count && rest == 0 &&
                        (service->view.deployment_count == 1 || is_stuck(service)),
                    "service %s: %u of %u run, %u others are there, %u deployments", service->name,
                    running, service->view.desired_count, rest, service->view.deployment_count);
    }
}

void phases_before(struct audit *audit)
{
    tasks_grow_old(audit);
    check_deadlines(audit);
    if (!audit->was_steady && audit->now_ns > audit->steady_by_ns)
        check_steady(audit);
}

/*
 * Housekeeping: a record that is forgotten, a sentence that is repeated every six hours, the next
 * look (every 10 s: U9) at a service that its settings or a full instance keep from being steady.
 */
static bool is_calm(struct audit *audit, const struct action *action)
{
    if (action->kind == ACTION_REPLY)
        return true; /* Somebody called, perhaps for the second time: a throttled call comes late.
                      */
    if (action->kind == ACTION_SERVICE_EVENT)
        return action->u.service_event.kind == SERVICE_EVENT_STEADY_STATE;
    if (action->kind == ACTION_CHANGE && action->u.change.kind == RECORD_SERVICE) {
        const struct audit_service *service =
            audit_find_service(audit, action->u.change.u.service.service);
        return service != NULL && service->is_unmoved && !service->view.is_steady;
    }
    if (action->kind == ACTION_CHANGE &&
        (action->u.change.kind == RECORD_CONTROLLER || action->u.change.kind == RECORD_SCALING ||
         action->u.change.kind == RECORD_PROVIDER))
        return true; /* The counters that the forgotten record held; metrics, minute by minute. */
    return action->kind == ACTION_CHANGE && action->u.change.kind == RECORD_TASK &&
           action->u.change.is_deleted && action->u.change.u.task.last_status == TASK_STOPPED &&
           action->u.change.u.task.previous_status == TASK_STOPPED;
}

void phases_after(struct audit *audit, const struct action_list *actions)
{
    if (audit->now_ns <= audit->quiet_from_ns || audit->has_stuck)
        return;
    audit->checks[INVARIANT_QUIET]++;
    for (size_t i = 0; i < actions->count; i++) {
        struct text text = TEXT_INIT;
        if (is_calm(audit, &actions->items[i]))
            continue;
        transcript_format_action(audit->controller, &actions->items[i], &text);
        audit_violate(audit, INVARIANT_QUIET, "after %s came: %.*s",
                      event_kind_names[audit->event->kind], (int)text.length - 1, text.bytes);
        text_free(&text);
        return;
    }
}

void phases_figures(struct audit *audit, const struct run_figures *figures)
{
    uint64_t hosts = audit->slots.count + audit->hosts.count;
    uint64_t most =
        1000 + 32 * (hosts + audit->live_tasks + figures->agent_tasks + audit->services.count);
    audit->figures_ns = figures->now_ns + MINUTE_NS;
    AUDIT_CHECK(audit, INVARIANT_BOUNDED, figures->queued_count <= most,
                "%llu events are queued for %u tasks on %zu hosts",
                (unsigned long long)figures->queued_count, audit->live_tasks, audit->slots.count);
    AUDIT_CHECK(audit, INVARIANT_BOUNDED, figures->agent_tasks <= 1000 + 8 * audit->live_most,
                "agents know %u tasks, and never were there more than %u", figures->agent_tasks,
                audit->live_most);
}

void phases_end(struct audit *audit)
{
    audit->now_ns = audit->scenario->run.duration_ns;
    phases_before(audit);
}
