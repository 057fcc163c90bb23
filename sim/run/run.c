/*
 * run.c -- driver B: virtual time, one queue, the same loop as the daemon.
 *
 *     queue -> (fleet | timeline | faults | arrivals | the controller's timer) -> loop_step
 *                 ^                                                                  |
 *                 +------- messages to agents, by the fleet's network <--------------+
 *
 * The order is total: by time, then by insertion. Hosts boot before anything else at time 0, then
 * services are created, then arrivals come, then timeline and failures. Events at or after the
 * duration do not happen. What is counted as a simulated event is everything taken from the queue
 * and every step of a controller or an agent.
 *
 * A warm-up by MSER-5 needs the whole series before it can cut it: the replication is then run
 * twice and measured the second time. It is a pure function, so the second is the first, and every
 * metric is exact instead of being stitched together from samples.
 */
#include "sim/run/run.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/text.h"
#include "scheduler/core/transcript.h"
#include "scheduler/ecs/task_def_json.h"
#include "sim/run/driver.h"
#include "sim/run/histogram.h"
#include "sim/run/journal.h"
#include "sim/run/mser.h"

#define WAITING_GIVE_UP_NS (1800 * BERTH_NS_PER_S) /* rule U16 */
#define EVENTS_AT_ONE_TIME UINT64_C(4000000)       /* beyond this, time stands still */
#define STOP_CHECK_EVENTS 4096

static const uint32_t look_events[] = {/* so many events ahead; ascending */
                                       [FLEET_LOOK_NEAR] = 1,
                                       [FLEET_LOOK_NEARER] = 3,
                                       [FLEET_LOOK_FAR] = 6};

static const char *const loss_names[] = {
    [LOSS_TERMINATE] = "terminate",
    [LOSS_WIPE] = "wipe",
    [LOSS_STOP] = "stop",
    [LOSS_HANG] = "hang",
    [LOSS_DISCONNECT] = "disconnect",
};

void run_put(struct run *run, berth_ns at_ns, enum run_event kind, uint32_t a, uint64_t b)
{
    if (at_ns < run->end_ns)
        sim_queue_put(run->queue, at_ns, (struct sim_event){(uint32_t)kind, a, b, 0});
}

void run_fail(struct run *run, const char *where, const char *name, const char *text)
{
    if (run->code == BERTH_OK)
        run->code = berth_fail(run->err, BERTH_ERR_INPUT, "%s:/%s/%s: %s",
                               run->scenario->path != NULL ? run->scenario->path : "scenario",
                               where, name, text != NULL ? text : "refused");
}

void run_arm_timer(struct run *run)
{
    if (control_is_away(run))
        return;
    berth_ns deadline_ns = loop_next_deadline(run->loop);
    if (deadline_ns >= run->timer_at_ns)
        return;
    run->timer_at_ns = deadline_ns > run->now_ns ? deadline_ns : run->now_ns;
    run_put(run, run->timer_at_ns, RUN_TIMER, 0, ++run->timer_generation);
}

static void write_transcript(struct run *run, struct text *text)
{
    if (fwrite(text->bytes, 1, text->length, run->options->transcript) != text->length)
        run->code = berth_fail(run->err, BERTH_ERR_ENVIRONMENT,
                               "transcript: cannot be written; is the disk full?");
    text_free(text);
}

void run_step(struct run *run, const struct event *event)
{
    if (run->code != BERTH_OK)
        return;
    run->step_count++;
    if (run->options->transcript != NULL) {
        struct text text = TEXT_INIT;
        transcript_format_time(control_time(run), &text);
        transcript_format_event(event, &text);
        write_transcript(run, &text);
    }
    enum berth_err code = control_step(run, event);
    if (code != BERTH_OK && run->code == BERTH_OK)
        run->code = code;
    run_arm_timer(run);
}

static void timer_fires(struct run *run, uint64_t generation)
{
    if (run->timer_generation != generation)
        return;
    run->timer_at_ns = BERTH_NS_NEVER;
    if (loop_next_deadline(run->loop) > run->now_ns)
        run_arm_timer(run);
    else
        run_step(run, &(struct event){.kind = EVENT_TIMER});
}

/* The loop's side: replies, messages and changes come out here, in order. */

/* Only when there is a transcript: an action is a large thing to copy for nobody. */
static void record(struct run *run, const struct action *action)
{
    struct text text = TEXT_INIT;
    transcript_format_action(loop_controller(run->loop), action, &text);
    write_transcript(run, &text);
}

static void on_send(void *context, struct step_time decided, const struct message *message)
{
    struct run *run = context;
    (void)decided;
    if (run->options->transcript != NULL)
        record(run, &(struct action){.kind = ACTION_SEND, .u.send = *message});
    fleet_send(run->fleet, run->now_ns, message);
}

static void definition_replied(struct run *run, const struct reply *reply)
{
    uint32_t index = (uint32_t)(reply->token - 1);
    const struct scenario_task_def *def = &run->scenario->task_defs[index];
    if (reply->status != REPLY_OK) {
        run_fail(run, "taskDefinitions", def->name, reply->text);
        return;
    }
    struct text ref = TEXT_INIT;
    text_addf(&ref, "%s:%u", reply->u.task_def->family, (unsigned)reply->u.task_def->revision);
    run->definition_refs[index] = ref.bytes;
    fleet_define(run->fleet, index, reply->u.task_def);
    world_defined(run->world, index, reply->u.task_def);
}

/* A machine of Fargate may come for a task that is gone; every other one is wanted. */
static void registration_refused(struct run *run, const struct reply *reply)
{
    uint32_t host = fleet_host_of_token(run->fleet, reply->token);
    if (host == HOST_NONE)
        return;
    if (fleet_host(run->fleet, host).fargate_task == TASK_NONE)
        run_fail(run, "fleet", "instance", reply->text);
    else
        world_unwanted(run->world, run->now_ns, host);
}

/*
 * Rate exceeded: the client calls again later, as SDKs do. What made the call is made again: all
 * its calls, of which those that went through change nothing more.
 */
static void call_later(struct run *run)
{
    struct sim_event again = run->dispatched;
    if (run->has_retry || (again.kind != RUN_SERVICE && again.kind != RUN_TIMELINE))
        return;
    run->has_retry = true;
    again.c++;
    berth_ns at_ns = run->now_ns + run_backoff_ns(again.c);
    if (at_ns < run->end_ns)
        sim_queue_put(run->queue, at_ns, again);
}

berth_ns run_backoff_ns(uint64_t attempt)
{
    berth_ns backoff_ns = RUN_BACKOFF_FIRST_NS;
    for (; attempt > 1 && backoff_ns < RUN_BACKOFF_MAX_NS; attempt--)
        backoff_ns *= 2;
    return backoff_ns < RUN_BACKOFF_MAX_NS ? backoff_ns : RUN_BACKOFF_MAX_NS;
}

static void throttled(struct run *run, const struct reply *reply)
{
    collect_throttled(run->collect);
    if (reply->command == EVENT_RUN_TASK)
        arrivals_throttled(run, reply);
    else
        call_later(run);
}

static void on_reply(void *context, struct step_time decided, const struct reply *reply)
{
    struct run *run = context;
    (void)decided;
    if (run->options->transcript != NULL)
        record(run, &(struct action){.kind = ACTION_REPLY, .u.reply = *reply});
    if (reply->status == REPLY_THROTTLED) {
        throttled(run, reply);
        return;
    }
    switch (reply->command) {
    case EVENT_REGISTER_TASK_DEFINITION:
        definition_replied(run, reply);
        break;
    case EVENT_REGISTER_INSTANCE:
        if (reply->status == REPLY_OK)
            fleet_registered(run->fleet, run->now_ns, reply->token, reply->u.instance);
        else
            registration_refused(run, reply);
        break;
    case EVENT_RUN_TASK:
        arrivals_replied(run, reply);
        break;
    case EVENT_PUT_CAPACITY_PROVIDER:
        if (reply->status != REPLY_OK)
            run_fail(run, "capacityProviders", run->scenario->providers[reply->token - 1].name,
                     reply->text);
        break;
    case EVENT_PUT_DEFAULT_PROVIDERS:
        if (reply->status != REPLY_OK)
            run_fail(run, "cluster", "defaultCapacityProviderStrategy", reply->text);
        break;
    case EVENT_CREATE_SERVICE:
        if (reply->status != REPLY_OK)
            run_fail(run, "services", run->scenario->services[reply->token - 1].name, reply->text);
        break;
    case EVENT_UPDATE_SERVICE:
        if (reply->status != REPLY_OK)
            run_fail(run, "timeline", run->scenario->timeline[reply->token - 1].name, reply->text);
        break;
    case EVENT_CREATE_TASK_SET:
        timeline_task_set_made(run, reply);
        break;
    case EVENT_REGISTER_SCALABLE_TARGET:
    case EVENT_PUT_SCALING_POLICY:
    case EVENT_PUT_SCHEDULED_ACTION:
        if (reply->status != REPLY_OK)
            run_fail(run, "services", run->scenario->services[reply->token - 1].name, reply->text);
        break;
    case EVENT_DEREGISTER_SCALABLE_TARGET:
    case EVENT_DELETE_SCALING_POLICY:
    case EVENT_DELETE_SCHEDULED_ACTION:
    case EVENT_TIMER:
    case EVENT_DEREGISTER_INSTANCE:
    case EVENT_UPDATE_INSTANCE_STATE:
    case EVENT_AGENT_CONNECTED:
    case EVENT_AGENT_DISCONNECTED:
    case EVENT_STOP_TASK:
    case EVENT_DELETE_SERVICE:
    case EVENT_MESSAGE:
    case EVENT_STOP_SERVICE_DEPLOYMENT:
    case EVENT_CONTINUE_SERVICE_DEPLOYMENT:
    case EVENT_UPDATE_TASK_SET:
    case EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET:
    case EVENT_DELETE_TASK_SET:
    case EVENT_UPDATE_TASK_PROTECTION:
    case EVENT_DELETE_CAPACITY_PROVIDER:
    case EVENT_ANSWER:
    case EVENT_RESUME:
    case EVENT_KIND_COUNT:
        break;
    }
}

static void on_change(void *context, struct step_time decided, const struct change *change)
{
    struct run *run = context;
    (void)decided;
    if (run->options->transcript != NULL)
        record(run, &(struct action){.kind = ACTION_CHANGE, .u.change = *change});
    collect_change(run->collect, run->now_ns, change);
    world_change(run->world, run->now_ns, loop_controller(run->loop), change);
    const struct run_observer *observer = run->options->observer;
    if (observer != NULL && observer->released != NULL)
        observer->released(observer->context, change);
    if (change->kind == RECORD_TASK && change->u.task.last_status == TASK_STOPPED &&
        change->u.task.previous_status != TASK_STOPPED)
        arrivals_stopped(run, &change->u.task);
    if (run->journal != NULL)
        journal_change(run->journal, run->now_ns, loop_controller(run->loop), change);
}

static void on_service_event(void *context, struct step_time decided,
                             const struct service_event *event)
{
    struct run *run = context;
    (void)decided;
    if (run->options->transcript != NULL)
        record(run, &(struct action){.kind = ACTION_SERVICE_EVENT, .u.service_event = *event});
    collect_service_event(run->collect, event);
    journal_service_event(run->journal, run->now_ns, loop_controller(run->loop), event);
}

static void on_decided(void *context, struct step_time now, const struct event *event,
                       const struct action_list *actions)
{
    struct run *run = context;
    const struct run_observer *observer = run->options->observer;
    observer->decided(observer->context, now, loop_controller(run->loop), event, actions);
}

static void on_request(void *context, struct step_time decided, const struct request *request)
{
    struct run *run = context;
    (void)decided;
    if (run->options->transcript != NULL)
        record(run, &(struct action){.kind = ACTION_REQUEST, .u.request = *request});
    world_request(run->world, run->now_ns, request);
}

static const struct loop_ops loop_ops = {
    .send = on_send,
    .reply = on_reply,
    .change = on_change,
    .service_event = on_service_event,
    .request = on_request,
};

/* The world's side. */

static void on_answer(void *context, const struct answer *answer)
{
    run_step(context, &(struct event){.kind = EVENT_ANSWER, .u.answer = *answer});
}

static void on_joined(void *context, uint32_t host)
{
    faults_join(context, host);
}

static const struct world_ops world_ops = {.joined = on_joined, .answer = on_answer};

/* The fleet's side. */

static void on_fleet_event(void *context, const struct event *event)
{
    run_step(context, event);
}

static berth_ns on_lifetime(void *context, const char *group, uint64_t reference)
{
    (void)group;
    return arrivals_lifetime(context, reference);
}

static berth_ns on_crash(void *context, uint32_t host, uint64_t key, uint16_t container)
{
    return faults_crash(context, host, key, container);
}

static void on_serving(void *context, uint32_t service, task_id task, int change)
{
    struct run *run = context;
    collect_serving(run->collect, run->now_ns, service, change);
    world_serving(run->world, run->now_ns, service, task, change);
}

static void on_power(void *context, uint32_t host, enum host_power before, enum host_power after)
{
    struct run *run = context;
    collect_power(run->collect, run->now_ns, host, before, after);
    world_power(run->world, run->now_ns, host, before, after);
    const struct run_observer *observer = run->options->observer;
    if (observer != NULL && observer->power != NULL)
        observer->power(observer->context, host, after);
}

static void on_stepped(void *context, uint32_t host, instance_id instance,
                       const struct agent *agent, const struct agent_event *event,
                       const struct agent_action_list *actions)
{
    struct run *run = context;
    const struct run_observer *observer = run->options->observer;
    observer->stepped(observer->context, host, instance, agent, event, actions);
}

static const struct fleet_ops fleet_ops = {
    .event = on_fleet_event,
    .lifetime = on_lifetime,
    .serving = on_serving,
    .power = on_power,
};

uint32_t run_lose(struct run *run, uint32_t host, enum loss_mode mode, const char *why)
{
    journal_host(run->journal, run->now_ns, loop_controller(run->loop), "berth Host Lost", host,
                 fleet_host(run->fleet, host).instance, why, loss_names[mode]);
    collect_mark(run->collect, run->now_ns, MARK_FAULT, UINT32_MAX, why);
    return fleet_lose(run->fleet, run->now_ns, host, mode);
}

static void journal_back(struct run *run, uint32_t host, bool was_lost)
{
    struct host_view view = fleet_host(run->fleet, host);
    if (was_lost && !view.is_lost)
        journal_host(run->journal, run->now_ns, loop_controller(run->loop), "berth Host Returned",
                     host, view.instance, NULL, NULL);
}

void run_return(struct run *run, uint32_t host, uint32_t loss)
{
    bool was_lost = fleet_host(run->fleet, host).is_lost;
    fleet_return(run->fleet, run->now_ns, host, loss);
    journal_back(run, host, was_lost);
}

void run_recover(struct run *run, uint32_t host)
{
    bool was_lost = fleet_host(run->fleet, host).is_lost;
    fleet_recover(run->fleet, run->now_ns, host);
    journal_back(run, host, was_lost);
}

/* What happens by the key `faults`: sim/chaos says when and to whom. */

static void on_chaos_put(void *context, berth_ns at_ns, uint32_t a, uint64_t b, uint64_t c)
{
    struct run *run = context;
    if (at_ns < run->end_ns)
        sim_queue_put(run->queue, at_ns, (struct sim_event){RUN_CHAOS, a, b, c});
}

static void on_chaos_select(void *context, const struct scenario_selector *selector,
                            struct chaos_hosts *out)
{
    struct host_list hosts = VEC_INIT;
    select_hosts(context, selector, SELECT_SLOTS, &hosts);
    out->items = hosts.items;
    out->count = hosts.count;
}

static uint32_t on_chaos_lose(void *context, uint32_t host, enum loss_mode mode, const char *why)
{
    return run_lose(context, host, mode, why);
}

static void on_chaos_return(void *context, uint32_t host, uint32_t loss)
{
    run_return(context, host, loss);
}

static void on_chaos_told(void *context, enum chaos_kind kind, const char *name, uint32_t host,
                          bool is_begin)
{
    struct run *run = context;
    journal_fault(run->journal, run->now_ns, loop_controller(run->loop),
                  is_begin ? "berth Fault Began" : "berth Fault Ended", chaos_kind_names[kind],
                  name, host);
    if (is_begin)
        collect_disturbed(run->collect, run->now_ns);
}

static bool on_chaos_crash(void *context, enum chaos_kind kind, berth_ns down_ns)
{
    return kind == CHAOS_DISK_FAILURE ? control_fail_disk(context, down_ns)
                                      : control_crash(context, kind, down_ns);
}

static void on_chaos_slow_disk(void *context, const struct distribution *delay)
{
    control_slow_disk(context, delay);
}

static void on_chaos_jump(void *context, berth_ns by_ns)
{
    control_jump_clock(context, by_ns);
}

static void on_chaos_heal(void *context)
{
    control_heal(context);
}

static const struct chaos_ops chaos_ops = {
    .put = on_chaos_put,
    .select = on_chaos_select,
    .lose = on_chaos_lose,
    .give_back = on_chaos_return,
    .told = on_chaos_told,
    .crash = on_chaos_crash,
    .slow_disk = on_chaos_slow_disk,
    .jump_clock = on_chaos_jump,
    .heal = on_chaos_heal,
};

static void on_fate(void *context, uint32_t host, bool is_up, struct message_fate *fate)
{
    (void)is_up;
    chaos_fate(((struct run *)context)->chaos, host, fate);
}

/* Setting up. */

static uint64_t name_hash(const char *name)
{
    return rng_key(0, name, 0);
}

uint32_t run_definition_index(const struct run *run, const char *name)
{
    uint32_t index = map_get(&run->definition_at, name_hash(name));
    bool is_it = index != MAP_ABSENT && strcmp(run->scenario->task_defs[index].name, name) == 0;
    return is_it ? index : MAP_ABSENT;
}

const char *run_definition(const struct run *run, const char *name)
{
    uint32_t index = name == NULL ? MAP_ABSENT : run_definition_index(run, name);
    return index == MAP_ABSENT ? NULL : run->definition_refs[index];
}

struct placement_strategy_spec const *
run_strategies(const struct run *run, const struct scenario_strategies *own, uint16_t *count)
{
    const struct scenario_strategies *chosen = own->is_set ? own : &run->scenario->run.strategies;
    *count = chosen->is_set ? chosen->count : 0;
    return chosen->items;
}

static void register_definitions(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->task_def_count && run->code == BERTH_OK; i++) {
        struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION, .token = (uint64_t)i + 1};
        map_put(&run->definition_at, name_hash(scenario->task_defs[i].name), i);
        run->code = task_def_from_document(scenario->task_defs[i].def->document, &event.u.task_def,
                                           run->err);
        if (run->code == BERTH_OK)
            run_step(run, &event);
    }
}

/* The token is the service's number + 1: a refusal is then told by its name. */
static void scale_service(struct run *run, uint32_t index)
{
    const struct scenario_scaling *scaling = &run->scenario->services[index].scaling;
    struct event event = {.kind = EVENT_REGISTER_SCALABLE_TARGET, .token = (uint64_t)index + 1};
    if (!scaling->is_set)
        return;
    event.u.scalable_target = scaling->target;
    run_step(run, &event);
    event.kind = EVENT_PUT_SCALING_POLICY;
    for (uint32_t i = 0; i < scaling->policy_count; i++) {
        event.u.scaling_policy = scaling->policies[i];
        run_step(run, &event);
    }
    event.kind = EVENT_PUT_SCHEDULED_ACTION;
    for (uint32_t i = 0; i < scaling->action_count; i++) {
        event.u.scheduled_action = scaling->actions[i];
        run_step(run, &event);
    }
}

static void put_providers(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    for (uint32_t i = 0; i < scenario->provider_count; i++) {
        struct event event = {.kind = EVENT_PUT_CAPACITY_PROVIDER, .token = (uint64_t)i + 1};
        event.u.capacity_provider.provider = scenario->providers[i].name;
        event.u.capacity_provider.settings = scenario->providers[i].settings;
        run_step(run, &event);
    }
    if (scenario->default_shares.count == 0)
        return;
    struct event event = {.kind = EVENT_PUT_DEFAULT_PROVIDERS, .token = 1};
    event.u.default_providers.providers = scenario->default_shares.items;
    event.u.default_providers.provider_count = scenario->default_shares.count;
    run_step(run, &event);
}

static void create_service(struct run *run, uint32_t index)
{
    const struct scenario_service *service = &run->scenario->services[index];
    struct event event = {.kind = EVENT_CREATE_SERVICE, .token = (uint64_t)index + 1};
    event.u.service = (struct event_service){
        .service = service->name,
        .task_definition =
            service->task_definition == NULL ? NULL : run_definition(run, service->task_definition),
        .scheduling = service->scheduling,
        .controller = service->controller,
        .desired_count = service->desired_count,
        .minimum_healthy_percent = service->minimum_healthy_percent,
        .maximum_percent = service->maximum_percent,
        .settings = &service->settings,
        .constraints = service->constraints.items,
        .constraint_count = service->constraints.count,
        .providers = service->shares.items,
        .provider_count = service->shares.count,
        .target_groups = service->target_groups,
        .target_group_count = service->target_group_count,
        .grace_s = service->grace_s,
        .rebalancing = service->rebalancing,
    };
    /* The run's default is for what is placed by a strategy at all. */
    if (service->scheduling == SCHEDULING_REPLICA || service->strategies.is_set)
        event.u.service.strategies =
            run_strategies(run, &service->strategies, &event.u.service.strategy_count);
    run_step(run, &event);
    scale_service(run, index);
}

static void build(struct run *run, berth_ns warm_up_ns)
{
    const struct scenario *scenario = run->scenario;
    run->key = rng_key(run->options->seed, "replication", run->options->replication);
    run->end_ns = scenario->run.duration_ns;
    run->timer_at_ns = BERTH_NS_NEVER;
    run->queue = sim_queue_create();
    control_open(run, chaos_needs_records(scenario));
    run->journal = journal_create(run->options->events, rng_key(run->key, "events", 0));
    const struct controller_options options = {
        .cluster = "default",
        .account = "000000000000",
        .region = "us-east-1",
        .random_key = rng_key(run->key, "controller", 0),
        .instance_lost_ns = scenario->run.instance_lost_ns,
        .waiting_give_up_ns = WAITING_GIVE_UP_NS,
        .throttles_api = scenario->quotas.throttles_api,
        .limits_sizes = scenario->quotas.limits_sizes,
        .launches_per_minute = scenario->quotas.launches_per_minute,
        .brake_percent = scenario->run.brake_percent,
    };
    if (run->options->transcript != NULL) {
        struct text head = TEXT_INIT;
        text_add(&head, TRANSCRIPT_HEADER "\n");
        transcript_format_options(&options, &head);
        if (run->options->origin != NULL)
            text_addf(&head, "# %s\n", run->options->origin);
        write_transcript(run, &head);
    }
    run->loop_ops = loop_ops;
    run->fleet_ops = fleet_ops;
    if (run->options->observer != NULL && run->options->observer->decided != NULL)
        run->loop_ops.decided = on_decided;
    if (run->options->observer != NULL && run->options->observer->stepped != NULL)
        run->fleet_ops.stepped = on_stepped;
    if (run->control.keeps) {
        run->loop_ops.ends = control_ends;
        run->loop_ops.reloaded = control_reloaded;
    }
    if (chaos_meets_messages(scenario))
        run->fleet_ops.fate = on_fate;
    run->loop = loop_create(controller_create(&options), &options, task_def_from_document,
                            &run->store, &run->loop_ops, run);
    run->fleet = fleet_create(scenario, rng_key(run->key, "fleet", 0), run->end_ns, run->queue,
                              &run->fleet_ops, run);
    run->world = world_create(scenario, rng_key(run->key, "world", 0), run->end_ns, run->queue,
                              run->fleet, &world_ops, run);
    run->chaos = chaos_create(scenario, rng_key(run->key, "chaos", 0), run->end_ns, run->fleet,
                              &chaos_ops, run);
    run->collect = collect_create(scenario, run->options, warm_up_ns);
    collect_bind(run->collect, loop_controller(run->loop), run->fleet);
    collect_bind_load(run->collect, world_load(run->world));
    run->definition_refs = mem_alloc((scenario->task_def_count + 1) * sizeof *run->definition_refs);
}

static void start(struct run *run)
{
    const struct scenario *scenario = run->scenario;
    register_definitions(run);
    put_providers(run);
    fleet_start(run->fleet);
    world_start(run->world);
    for (uint32_t i = 0; i < scenario->service_count; i++)
        run_put(run, scenario->services[i].start_ns, RUN_SERVICE, i, 0);
    if (run->code == BERTH_OK)
        (void)arrivals_open(run);
    timeline_start(run);
    if (run->code == BERTH_OK)
        faults_start(run);
    if (run->has_task_failures)
        run->fleet_ops.crash = on_crash;
    if (run->code == BERTH_OK)
        chaos_start(run->chaos);
}

static void tear_down(struct run *run)
{
    arrivals_close(run);
    faults_free(run);
    for (uint32_t i = 0; i < run->scenario->task_def_count; i++)
        mem_free(run->definition_refs[i]);
    mem_free(run->definition_refs);
    map_free(&run->definition_at);
    vec_free(&run->task_sets);
    collect_destroy(run->collect);
    chaos_destroy(run->chaos);
    world_destroy(run->world);
    fleet_destroy(run->fleet);
    loop_destroy(run->loop);
    control_close(run);
    journal_destroy(run->journal);
    sim_queue_destroy(run->queue);
}

void run_dispatch(struct run *run, const struct sim_event *event)
{
    if (event->kind < FLEET_EVENT_COUNT) {
        fleet_dispatch(run->fleet, run->now_ns, event);
        return;
    }
    if (event->kind < WORLD_EVENT_COUNT) {
        world_dispatch(run->world, run->now_ns, event);
        return;
    }
    switch ((enum run_event)event->kind) {
    case RUN_TIMER:
        timer_fires(run, event->b);
        break;
    case RUN_SERVICE:
        create_service(run, event->a);
        break;
    case RUN_ARRIVAL:
        if (event->b == 0)
            arrivals_fire(run, event->a);
        else
            arrivals_call_later(run, event);
        break;
    case RUN_TIMELINE:
        timeline_fire(run, event->a, event->c > 0);
        break;
    case RUN_RETURN:
        run_return(run, event->a, (uint32_t)event->b);
        break;
    case RUN_SLOW_OVER:
        fleet_set_slow(run->fleet, run->now_ns, event->a, 1);
        break;
    case RUN_FAULT:
        faults_fire(run, event->a, event->b);
        break;
    case RUN_CHAOS:
        chaos_fire(run->chaos, run->now_ns, event->a, event->b, event->c);
        break;
    case RUN_CONTROL:
        control_fire(run, event);
        break;
    }
}

static void audit(const struct run *run)
{
    cluster_audit(controller_cluster(loop_controller(run->loop)));
    controller_audit(loop_controller(run->loop));
    fleet_audit(run->fleet);
}

static void observe(struct run *run)
{
    const struct run_observer *observer = run->options->observer;
    if (observer->after_event != NULL)
        observer->after_event(observer->context, run->now_ns, loop_controller(run->loop));
    if (observer->verdict == NULL || run->code != BERTH_OK)
        return;
    const struct run_figures figures = {.now_ns = run->now_ns,
                                        .queued_count = sim_queue_count(run->queue),
                                        .agent_tasks = fleet_task_count(run->fleet)};
    run->code = observer->verdict(observer->context, &figures, run->err);
}

static void observe_end(struct run *run)
{
    const struct run_observer *observer = run->options->observer;
    if (observer != NULL && observer->finished != NULL && run->code == BERTH_OK)
        run->code = observer->finished(observer->context, loop_controller(run->loop), run->err);
}

static bool is_stopped(const struct run *run)
{
    return run->taken_count % STOP_CHECK_EVENTS == 0 && run->options->stop != NULL &&
           *run->options->stop;
}

/*
 * So many events at one time: a task that lives for no time at all and is replaced at once would
 * keep the clock where it is. Much may happen at one time for good reasons: all that waited may
 * find room, so what went before counts.
 */
static void check_progress(struct run *run, uint64_t before_count)
{
    uint64_t grown =
        before_count < EVENTS_AT_ONE_TIME ? before_count * 32 : EVENTS_AT_ONE_TIME * 32;
    if (run->taken_count - before_count > EVENTS_AT_ONE_TIME + grown)
        run->code = berth_fail(run->err, BERTH_ERR_INPUT,
                               "%s: time stands still at %.9f s: things happen that take no time; "
                               "give lifetimes, repairs or delays a length",
                               run->scenario->path != NULL ? run->scenario->path : "scenario",
                               (double)run->now_ns / (double)BERTH_NS_PER_S);
}

static void look_at_report(const struct run *run, const struct message *report,
                           enum fleet_look look)
{
    const struct run_observer *observer = run->options->observer;
    task_id task = report->u.report.task;
    bool is_near = look == FLEET_LOOK_NEAR;
    controller_prefetch(loop_controller(run->loop), task, report->instance,
                        (enum controller_look)look);
    if (look == FLEET_LOOK_FAR)
        return;
    if (!is_near)
        collect_prefetch(run->collect, task, report->instance);
    if (observer != NULL && observer->report_ahead != NULL)
        observer->report_ahead(observer->context, report->instance, task, is_near);
}

/*
 * What the next events will touch has mostly left the caches since it was touched last: it is asked
 * for while this one is under way, in steps, since what a record names is not known before that is
 * there. What comes at once is put before the others, which then stay as far away as they were:
 * they are not asked for again.
 */
static void look_ahead(struct run *run)
{
    const struct run_observer *observer = run->options->observer;
    uint32_t host, count;
    task_id task;
    const struct sim_entry *ahead = sim_queue_ahead(run->queue, &count);
    for (int look = 0; look < RUN_LOOKS && look_events[look] < count; look++) {
        const struct sim_event *event = &ahead[look_events[look]].event;
        struct sim_event *looked = &run->looked[look];
        if (event->kind >= FLEET_EVENT_COUNT ||
            (event->b == looked->b && event->c == looked->c && event->a == looked->a))
            continue;
        *looked = *event;
        fleet_prefetch(run->fleet, event, (enum fleet_look)look);
        const struct message *report = fleet_report(run->fleet, event);
        if (report != NULL)
            look_at_report(run, report, (enum fleet_look)look);
        else if (observer != NULL && observer->step_ahead != NULL && look != FLEET_LOOK_FAR &&
                 fleet_steps(run->fleet, event, &host, &task))
            observer->step_ahead(observer->context, host, task, look == FLEET_LOOK_NEAR);
    }
}

static void turn(struct run *run)
{
    const struct sim_event *event = &run->dispatched;
    berth_ns at_ns, boundary_ns = collect_boundary(run->collect);
    bool has_services = run->scenario->service_count > 0;
    uint64_t before_count = 0;
    while (run->code == BERTH_OK && sim_queue_take(run->queue, &at_ns, &run->dispatched)) {
        if (at_ns > run->now_ns || event->kind == RUN_ARRIVAL) /* a source is finite */
            before_count = run->taken_count;
        while (boundary_ns <= at_ns) {
            collect_cross(run->collect);
            boundary_ns = collect_boundary(run->collect);
        }
        run->now_ns = at_ns;
        run->taken_count++;
        run->has_retry = false;
        look_ahead(run);
        run_dispatch(run, event);
        control_settle(run);
        if (has_services)
            collect_settled(run->collect, at_ns);
        if (run->options->audits)
            audit(run);
        if (run->options->observer != NULL)
            observe(run);
        if (run->taken_count - before_count > EVENTS_AT_ONE_TIME)
            check_progress(run, before_count);
        if (is_stopped(run))
            run->code = berth_fail(run->err, BERTH_ERR_INTERRUPTED, "interrupted");
    }
}

static enum berth_err run_once(const struct scenario *scenario, const struct run_options *options,
                               berth_ns warm_up_ns, struct run_result *out, struct berth_error *err)
{
    struct run run = {.scenario = scenario, .options = options, .err = err};
    *out = (struct run_result){0};
    build(&run, warm_up_ns);
    start(&run);
    turn(&run);
    observe_end(&run);
    if (run.code == BERTH_OK) {
        collect_finish(run.collect, out);
        chaos_counts(run.chaos, out->chaos_counts);
        out->metrics[METRIC_EVENTS] =
            (double)(run.taken_count + run.step_count + fleet_agent_steps(run.fleet));
    }
    tear_down(&run);
    return run.code;
}

static berth_ns find_warm_up(const struct run_result *result, berth_ns duration_ns)
{
    double *values = mem_alloc((result->sample_count + 1) * sizeof *values);
    for (uint32_t i = 0; i < result->sample_count; i++)
        values[i] = result->samples[i].tasks_running;
    size_t cut = mser5_cut(values, result->sample_count);
    mem_free(values);
    return cut == 0 ? 0 : cut < result->sample_count ? result->samples[cut - 1].at_ns : duration_ns;
}

enum berth_err run_replication(const struct scenario *scenario, const struct run_options *options,
                               struct run_result *out, struct berth_error *err)
{
    berth_ns warm_up_ns = scenario->run.warm_up_ns;
    if (scenario->run.warm_up_kind == WARM_UP_MSER5) {
        struct run_options quiet = *options;
        quiet.events = NULL;
        quiet.transcript = NULL;
        quiet.wants_heat = false;
        enum berth_err code = run_once(scenario, &quiet, 0, out, err);
        if (code != BERTH_OK)
            return code;
        warm_up_ns = find_warm_up(out, scenario->run.duration_ns);
        run_result_free(out);
    }
    return run_once(scenario, options, warm_up_ns, out, err);
}

void run_result_free(struct run_result *result)
{
    if (result->waits != NULL)
        histogram_destroy(result->waits);
    mem_free(result->samples);
    mem_free(result->heat);
    story_free(result->story);
    *result = (struct run_result){0};
}
