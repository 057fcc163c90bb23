/* timeline.c -- what the scenario says is done, and when. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim/run/driver.h"
#include "sim/run/journal.h"

void timeline_start(struct run *run)
{
    for (uint32_t i = 0; i < run->scenario->timeline_count; i++)
        run_put(run, run->scenario->timeline[i].at_ns, RUN_TIMELINE, i, 0);
}

/* The token is the entry's number + 1: a refusal is then told by its name. */
static void update_service(struct run *run, const struct scenario_timeline *entry)
{
    struct event event = {.kind = EVENT_UPDATE_SERVICE,
                          .token = (uint64_t)(entry - run->scenario->timeline) + 1};
    event.u.service = (struct event_service){
        .service = entry->service,
        .desired_count = OVERRIDE_NONE,
        .minimum_healthy_percent = OVERRIDE_NONE,
        .maximum_percent = OVERRIDE_NONE,
        .grace_s = OVERRIDE_NONE,
        .rebalancing = OVERRIDE_NONE,
    };
    if (entry->kind == TIMELINE_SCALE)
        event.u.service.desired_count = entry->desired_count;
    else if (entry->task_definition != NULL)
        event.u.service.task_definition = run_definition(run, entry->task_definition);
    else
        event.u.service.force_new_deployment = true;
    run_step(run, &event);
}

static void set_state(struct run *run, const struct scenario_timeline *entry,
                      enum instance_status status)
{
    struct host_list hosts = VEC_INIT;
    select_hosts(run, &entry->select, SELECT_REGISTERED, &hosts);
    for (size_t i = 0; i < hosts.count && run->code == BERTH_OK; i++) {
        struct event event = {.kind = EVENT_UPDATE_INSTANCE_STATE, .token = 1};
        event.u.update_instance_state.instance = fleet_host(run->fleet, hosts.items[i]).instance;
        event.u.update_instance_state.status = status;
        run_step(run, &event);
    }
    vec_free(&hosts);
}

static void fail_hosts(struct run *run, const struct scenario_timeline *entry)
{
    struct host_list hosts = VEC_INIT;
    select_hosts(run, &entry->select, SELECT_TO_FAIL, &hosts);
    for (size_t i = 0; i < hosts.count && run->code == BERTH_OK; i++) {
        uint32_t loss = run_lose(run, hosts.items[i], entry->mode, entry->name);
        if (entry->duration_ns < run->end_ns - run->now_ns)
            run_put(run, run->now_ns + entry->duration_ns, RUN_RETURN, hosts.items[i], loss);
    }
    vec_free(&hosts);
}

static void recover_hosts(struct run *run, const struct scenario_timeline *entry)
{
    struct host_list hosts = VEC_INIT;
    select_hosts(run, &entry->select, SELECT_LOST, &hosts);
    for (size_t i = 0; i < hosts.count && run->code == BERTH_OK; i++)
        run_recover(run, hosts.items[i]);
    vec_free(&hosts);
}

/* Running tasks of the service, the oldest first. What is refused is refused: as in life. */
static void protect(struct run *run, const struct scenario_timeline *entry)
{
    const struct controller *controller = loop_controller(run->loop);
    service_id service = controller_find_service(controller, entry->service);
    struct task_view view;
    VEC(task_id) tasks = VEC_INIT;
    for (task_id at = 0; controller_next_task(controller, at, &view); at = view.task)
        if (view.service == service && service != SERVICE_NONE && view.desired_running &&
            view.last_status == TASK_RUNNING)
            *vec_push(&tasks) = view.task;
    double share = ceil(entry->protect.share * (double)tasks.count - 1e-9);
    size_t wanted = entry->protect.count >= 0 ? (size_t)entry->protect.count : (size_t)share;
    for (size_t i = 0; i < tasks.count && i < wanted && run->code == BERTH_OK; i++) {
        struct event event = {.kind = EVENT_UPDATE_TASK_PROTECTION};
        event.u.task_protection = (struct event_task_protection){
            tasks.items[i], !entry->protect.is_taken_away, entry->protect.minutes};
        run_step(run, &event);
    }
    vec_free(&tasks);
}

/* Refused when nothing is in progress any more: as in life. */
static void command_deployment(struct run *run, const struct scenario_timeline *entry,
                               enum event_kind kind)
{
    struct event event = {.kind = kind};
    event.u.service_deployment = (struct event_service_deployment){
        .service = entry->service, .hook = entry->hook, .rolls_back = entry->rolls_back};
    run_step(run, &event);
}

/* By what the scenario calls it; 0 before it is made: refused, as in life. */
static uint64_t number_of_set(const struct run *run, const struct scenario_timeline *entry)
{
    for (size_t i = run->task_sets.count; i-- > 0;) {
        const struct scenario_timeline *made =
            &run->scenario->timeline[run->task_sets.items[i].entry];
        if (strcmp(made->service, entry->service) == 0 &&
            strcmp(made->task_set, entry->task_set) == 0)
            return run->task_sets.items[i].number;
    }
    return 0;
}

static void command_task_set(struct run *run, const struct scenario_timeline *entry,
                             enum event_kind kind)
{
    const struct scenario_service *service = scenario_find_service(run->scenario, entry->service);
    struct event event = {.kind = kind, .token = (uint64_t)(entry - run->scenario->timeline) + 1};
    event.u.task_set = (struct event_task_set){
        .service = entry->service, .scale_permille = entry->scale_permille, .force = entry->force};
    if (kind == EVENT_CREATE_TASK_SET) {
        event.u.task_set.task_definition = run_definition(run, entry->task_definition);
        event.u.task_set.target_groups = service->target_groups;
        event.u.task_set.target_group_count = service->target_group_count;
    } else {
        event.u.task_set.task_set = number_of_set(run, entry);
    }
    run_step(run, &event);
}

void timeline_task_set_made(struct run *run, const struct reply *reply)
{
    if (reply->status != REPLY_OK)
        run_fail(run, "timeline", run->scenario->timeline[reply->token - 1].name, reply->text);
    else
        *vec_push(&run->task_sets) =
            (struct task_set_made){(uint32_t)(reply->token - 1), reply->u.task_set.number};
}

static void set_alarm(struct run *run, const struct scenario_timeline *entry)
{
    struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_ALARM};
    event.u.answer.u.alarm.name = entry->alarm;
    event.u.answer.u.alarm.is_alarm = entry->is_alarm;
    run_step(run, &event);
}

static void disturb_hosts(struct run *run, const struct scenario_timeline *entry)
{
    struct host_list hosts = VEC_INIT;
    select_hosts(run, &entry->select, SELECT_REGISTERED, &hosts);
    for (size_t i = 0; i < hosts.count && run->code == BERTH_OK; i++) {
        if (entry->kind == TIMELINE_ENGINE) {
            fleet_engine_restart(run->fleet, run->now_ns, hosts.items[i], entry->keeps);
            continue;
        }
        fleet_set_slow(run->fleet, run->now_ns, hosts.items[i], entry->factor);
        if (entry->duration_ns < run->end_ns - run->now_ns)
            run_put(run, run->now_ns + entry->duration_ns, RUN_SLOW_OVER, hosts.items[i], 0);
    }
    vec_free(&hosts);
}

static void cause_fault(struct run *run, const struct scenario_timeline *entry,
                        enum fault_kind kind)
{
    struct host_list hosts = VEC_INIT;
    if (kind == FAULT_PARTITION || kind == FAULT_CLOG)
        select_hosts(run, &entry->select, SELECT_TO_FAIL, &hosts);
    const struct chaos_hosts chosen = {hosts.items, hosts.count};
    if (run->code == BERTH_OK)
        chaos_begin(run->chaos, run->now_ns, entry->name, kind, &entry->fault, &chosen);
    vec_free(&hosts);
}

static void announce(struct run *run, const struct scenario_timeline *entry)
{
    journal_timeline(run->journal, run->now_ns, loop_controller(run->loop), entry->name,
                     timeline_kind_names[entry->kind]);
    collect_disturbed(run->collect, run->now_ns);
    collect_mark(run->collect, run->now_ns,
                 entry->kind == TIMELINE_FAIL ? MARK_FAULT : MARK_TIMELINE, UINT32_MAX,
                 entry->name);
}

void timeline_fire(struct run *run, uint32_t index, bool is_again)
{
    const struct scenario_timeline *entry = &run->scenario->timeline[index];
    if (!is_again)
        announce(run, entry);
    switch (entry->kind) {
    case TIMELINE_SCALE:
    case TIMELINE_DEPLOY:
        update_service(run, entry);
        break;
    case TIMELINE_DRAIN:
        set_state(run, entry, INSTANCE_DRAINING);
        break;
    case TIMELINE_ACTIVATE:
        set_state(run, entry, INSTANCE_ACTIVE);
        break;
    case TIMELINE_FAIL:
        fail_hosts(run, entry);
        break;
    case TIMELINE_RECOVER:
        recover_hosts(run, entry);
        break;
    case TIMELINE_ENGINE:
    case TIMELINE_SLOW:
        disturb_hosts(run, entry);
        break;
    case TIMELINE_PARTITION:
        cause_fault(run, entry, FAULT_PARTITION);
        break;
    case TIMELINE_CLOG:
        cause_fault(run, entry, FAULT_CLOG);
        break;
    case TIMELINE_CRASH:
        cause_fault(run, entry, FAULT_CONTROLLER_CRASH);
        break;
    case TIMELINE_JUMP:
        cause_fault(run, entry, FAULT_CLOCK_JUMP);
        break;
    case TIMELINE_SLOW_DISK:
        cause_fault(run, entry, FAULT_SLOW_DISK);
        break;
    case TIMELINE_PROTECT:
        protect(run, entry);
        break;
    case TIMELINE_STOP_DEPLOYMENT:
        command_deployment(run, entry, EVENT_STOP_SERVICE_DEPLOYMENT);
        break;
    case TIMELINE_CONTINUE_DEPLOYMENT:
        command_deployment(run, entry, EVENT_CONTINUE_SERVICE_DEPLOYMENT);
        break;
    case TIMELINE_CREATE_TASK_SET:
        command_task_set(run, entry, EVENT_CREATE_TASK_SET);
        break;
    case TIMELINE_UPDATE_TASK_SET:
        command_task_set(run, entry, EVENT_UPDATE_TASK_SET);
        break;
    case TIMELINE_PRIMARY_TASK_SET:
        command_task_set(run, entry, EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET);
        break;
    case TIMELINE_DELETE_TASK_SET:
        command_task_set(run, entry, EVENT_DELETE_TASK_SET);
        break;
    case TIMELINE_ALARM:
        set_alarm(run, entry);
        break;
    case TIMELINE_KIND_COUNT:
        break;
    }
}
