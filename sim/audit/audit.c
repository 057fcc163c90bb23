/* audit.c -- the observer: reads one step after the other into the books. */
#include "sim/audit/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/audit/audit_internal.h"

void audit_violate(struct audit *audit, enum invariant invariant, const char *format, ...)
{
    if (audit->is_violated)
        return;
    audit->is_violated = true;
    audit->violation.invariant = invariant;
    audit->violation.at_ns = audit->now_ns;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(audit->violation.text, sizeof audit->violation.text, format, arguments);
    va_end(arguments);
}

static void read_change(struct audit *audit, const struct change *change)
{
    if (audit->knows_revision)
        AUDIT_CHECK(audit, INVARIANT_REVISIONS, change->revision == audit->revision + 1,
                    "revision %llu follows %llu", (unsigned long long)change->revision,
                    (unsigned long long)audit->revision);
    audit->knows_revision = true;
    audit->revision = change->revision;
    if (change->kind == RECORD_TASK)
        tasks_changed(audit, change);
    else if (change->kind == RECORD_SERVICE)
        services_changed(audit, change);
    else if (change->kind == RECORD_DEPLOYMENT)
        deployments_changed(audit, change);
}

/* Of a controller that is about to go. */
static void keep_rules(struct audit *audit)
{
    uint64_t counts[RULE_COUNT];
    if (audit->controller == NULL)
        return;
    controller_rules(audit->controller, counts);
    for (int i = 0; i < RULE_COUNT; i++)
        audit->fired[i] += counts[i];
    audit->controller = NULL;
}

static bool is_start_or_stop(const struct action *action)
{
    if (action->kind != ACTION_CHANGE || action->u.change.kind != RECORD_TASK)
        return false;
    const struct task_view *view = &action->u.change.u.task;
    return view->version == 1 || view->was_desired_running != view->desired_running;
}

static void check_restart(struct audit *audit, const struct action_list *actions)
{
    const struct action *found = NULL;
    for (size_t i = 0; i < actions->count && found == NULL; i++)
        if (is_start_or_stop(&actions->items[i]))
            found = &actions->items[i];
    AUDIT_CHECK(audit, INVARIANT_RESTART, found == NULL, "task %llu was started or stopped by it",
                (unsigned long long)found->u.change.u.task.task);
}

/* What concerns instances is read at once: changes of tasks are held against it. */
static struct audit_step read_ahead(struct audit *audit, const struct event *event,
                                    const struct action_list *actions)
{
    struct audit_step step = {.changed = NULL};
    for (size_t i = 0; i < actions->count; i++) {
        const struct action *action = &actions->items[i];
        if (action->kind == ACTION_SEND)
            step.is_acknowledged |= action->u.send.kind == MESSAGE_REPORT_ACK;
        else if (action->kind == ACTION_REPLY)
            hosts_replied(audit, event, &action->u.reply);
        else if (action->kind == ACTION_CHANGE && action->u.change.kind == RECORD_INSTANCE)
            hosts_changed(audit, event, action->u.change.u.instance);
        else if (action->kind == ACTION_CHANGE && action->u.change.kind == RECORD_TASK &&
                 step.changed == NULL)
            step.changed = &action->u.change.u.task;
    }
    hosts_event(audit, event);
    return step;
}

static void on_decided(void *context, struct step_time now, const struct controller *controller,
                       const struct event *event, const struct action_list *actions)
{
    struct audit *audit = context;
    if (audit->is_violated)
        return;
    audit->now_ns = now.mono_ns;
    audit->controller = controller;
    audit->event = event;
    phases_before(audit);
    struct audit_step step = read_ahead(audit, event, actions);
    services_event(audit, event, actions);
    if (event->kind == EVENT_MESSAGE)
        tasks_message(audit, &event->u.message, &step);
    if (event->kind == EVENT_RESUME)
        check_restart(audit, actions);
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == ACTION_CHANGE)
            read_change(audit, &actions->items[i].u.change);
        else if (actions->items[i].kind == ACTION_SERVICE_EVENT)
            deployments_event(audit, &actions->items[i].u.service_event);
    hosts_check(audit);
    services_check(audit);
    phases_after(audit, actions);
}

static void on_released(void *context, const struct change *change)
{
    struct audit *audit = context;
    audit->released_revision = change->revision;
}

static void on_restarted(void *context, berth_ns now_ns, const struct controller *controller)
{
    struct audit *audit = context;
    if (audit->is_violated)
        return;
    audit->now_ns = now_ns;
    keep_rules(audit); /* the loop keeps the old one until its end */
    audit->revision = controller_revision(controller);
    AUDIT_CHECK(audit, INVARIANT_DURABLE, audit->revision >= audit->released_revision,
                "revision %llu was released, the store is at %llu",
                (unsigned long long)audit->released_revision, (unsigned long long)audit->revision);
    tasks_reloaded(audit, controller);
}

static void on_stepped(void *context, uint32_t host, instance_id instance,
                       const struct agent *agent, const struct agent_event *event,
                       const struct agent_action_list *actions)
{
    struct audit *audit = context;
    if (!audit->is_violated)
        agents_stepped(audit, host, instance, agent, event, actions);
}

static void on_step_ahead(void *context, uint32_t host, task_id task, bool is_near)
{
    (void)task;
    agents_prefetch(context, host, is_near);
}

static void on_report_ahead(void *context, instance_id instance, task_id task, bool is_near)
{
    struct audit *audit = context;
    if (is_near)
        services_prefetch(audit, task);
    else
        tasks_prefetch(audit, task);
    hosts_prefetch(audit, instance, is_near);
}

static void on_power(void *context, uint32_t host, enum host_power after)
{
    agents_power(context, host, after);
}

static enum berth_err tell(const struct audit *audit, struct berth_error *err)
{
    const struct audit_violation *violation = &audit->violation;
    const struct invariant_info *info = &invariant_infos[violation->invariant];
    const char *path = audit->scenario->path;
    if (!audit->is_violated)
        return BERTH_OK;
    return berth_fail(
        err, BERTH_ERR_FAILED, "%s: %.9f s: %s: %s; but %s", path != NULL ? path : "scenario",
        (double)violation->at_ns / (double)BERTH_NS_PER_S, info->name, violation->text, info->what);
}

static enum berth_err on_verdict(void *context, const struct run_figures *figures,
                                 struct berth_error *err)
{
    struct audit *audit = context;
    if (figures->now_ns < audit->figures_ns && !audit->is_violated)
        return BERTH_OK; /* as after nearly every event */
    if (!audit->is_violated)
        phases_figures(audit, figures);
    enum berth_err code = tell(audit, err);
    if (code != BERTH_OK)
        keep_rules(audit);
    return code;
}

static enum berth_err on_finished(void *context, const struct controller *controller,
                                  struct berth_error *err)
{
    struct audit *audit = context;
    audit->controller = controller;
    if (!audit->is_violated)
        phases_end(audit);
    keep_rules(audit);
    return tell(audit, err);
}

struct audit *audit_create(const struct scenario *scenario)
{
    struct audit *audit = mem_alloc(sizeof *audit);
    audit->scenario = scenario;
    audit->tasks = (struct pool)POOL_INIT(struct audit_task);
    audit->observer = (struct run_observer){
        .context = audit,
        .decided = on_decided,
        .released = on_released,
        .restarted = on_restarted,
        .stepped = on_stepped,
        .step_ahead = on_step_ahead,
        .report_ahead = on_report_ahead,
        .power = on_power,
        .verdict = on_verdict,
        .finished = on_finished,
    };
    phases_open(audit);
    return audit;
}

void audit_destroy(struct audit *audit)
{
    if (audit == NULL)
        return;
    pool_free(&audit->tasks);
    id_table_free(&audit->task_at);
    vec_free(&audit->pending.items);
    vec_free(&audit->stopping.items);
    vec_free(&audit->young.items);
    hosts_destroy(audit);
    services_destroy(audit);
    agents_destroy(audit);
    mem_free(audit);
}

const struct run_observer *audit_observer(const struct audit *audit)
{
    return &audit->observer;
}

const struct audit_violation *audit_violation(const struct audit *audit)
{
    return audit->is_violated ? &audit->violation : NULL;
}

void audit_rules(const struct audit *audit, uint64_t counts[RULE_COUNT])
{
    memcpy(counts, audit->fired, sizeof audit->fired);
}

void audit_checks(const struct audit *audit, uint64_t counts[INVARIANT_COUNT])
{
    memcpy(counts, audit->checks, sizeof audit->checks);
}
