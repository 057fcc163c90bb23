/*
 * stage.h -- a controller and real agents on a stage: the commit loop, agents with a runtime that
 * answers after constant times, and messages that take 50 ms each way. What a small simulator is,
 * without chance, so that a test can script a story and write down every line of it.
 */
#ifndef BERTH_TESTS_GOLDEN_STAGE_H
#define BERTH_TESTS_GOLDEN_STAGE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/agent/agent.h"
#include "scheduler/base/mem.h"
#include "scheduler/core/loop.h"
#include "scheduler/core/transcript.h"
#include "scheduler/ecs/task_def_json.h"

#define STAGE_MESSAGE_NS (50 * BERTH_NS_PER_MS)
#define STAGE_PULL_NS (2 * BERTH_NS_PER_S)
#define STAGE_START_NS BERTH_NS_PER_S
#define STAGE_STOP_NS BERTH_NS_PER_S
#define STAGE_WALL_NS (INT64_C(1700000000) * BERTH_NS_PER_S)
#define STAGE_AGENTS_MAX 64
#define STAGE_MANNERS_MAX 8

/* How the containers of a family behave. */
struct stage_manners {
    char family[64];
    bool pull_fails, ignores_stop;
    berth_ns exit_after_ns; /* BERTH_NS_NEVER: runs until told */
    int32_t exit_code;
};

/* Something on its way: a message to one side, or what a runtime will do. */
struct stage_pending {
    berth_ns at_ns;
    uint64_t order;
    uint32_t agent;
    uint32_t boot; /* of the host, for runtime events: a restart forgets them */
    enum { STAGE_TO_CONTROLLER, STAGE_TO_AGENT, STAGE_RUNTIME, STAGE_ANSWER } kind;
    struct message message;
    struct answer answer;
    struct agent_event event;
};

/* How a life-cycle hook answers. */
struct stage_hook {
    char name[64];
    enum hook_status status;
};

struct stage_host {
    struct agent *agent; /* owned; NULL: the host is gone */
    bool is_connected;
    uint32_t boot;
};

struct stage {
    struct store store;
    struct loop *loop;
    struct step_time now;
    struct step_time told; /* the last '@' of the transcript */
    bool has_told;
    struct text transcript;
    size_t checked; /* how much of it a script has looked at */
    struct agent_action_list actions;
    struct stage_host hosts[STAGE_AGENTS_MAX];
    struct stage_manners manners[STAGE_MANNERS_MAX];
    size_t manners_count;
    struct stage_hook hooks[STAGE_MANNERS_MAX]; /* others say SUCCEEDED */
    size_t hook_count;
    bool answers_targets; /* else the script does */
    VEC(struct stage_pending) pending;
    uint64_t order;
    bool was_reloaded;
    uint32_t reloads;
    struct event_register_instance registering; /* the last: for the agent that its reply makes */
    uint64_t replies, refusals;
};

/* A story may change them before its stage is opened. */
static inline struct controller_options *stage_options(void)
{
    static struct controller_options options = {
        .cluster = "default",
        .account = "111122223333",
        .region = "us-east-1",
        .random_key = 1,
        .instance_lost_ns = 300 * BERTH_NS_PER_S,
        .waiting_give_up_ns = 1800 * BERTH_NS_PER_S,
    };
    return &options;
}

static inline struct stage_manners *stage_manners_of(struct stage *stage, const char *family)
{
    for (size_t i = 0; i < stage->manners_count; i++)
        if (strcmp(stage->manners[i].family, family) == 0)
            return &stage->manners[i];
    assert(stage->manners_count < STAGE_MANNERS_MAX);
    struct stage_manners *manners = &stage->manners[stage->manners_count++];
    *manners = (struct stage_manners){.exit_after_ns = BERTH_NS_NEVER};
    (void)snprintf(manners->family, sizeof manners->family, "%s", family);
    return manners;
}

static inline struct stage_pending *stage_later(struct stage *stage, uint32_t agent,
                                                berth_ns after_ns)
{
    struct stage_pending *pending = vec_push(&stage->pending);
    *pending = (struct stage_pending){.at_ns = stage->now.mono_ns + after_ns,
                                      .order = ++stage->order,
                                      .agent = agent,
                                      .boot = stage->hosts[agent].boot};
    return pending;
}

static inline void stage_runtime_later(struct stage *stage, uint32_t agent, berth_ns after_ns,
                                       enum agent_event_kind kind,
                                       const struct agent_action *action, int32_t exit_code)
{
    struct stage_pending *pending = stage_later(stage, agent, after_ns);
    pending->kind = STAGE_RUNTIME;
    pending->event = (struct agent_event){
        .kind = kind, .task = action->task, .container = action->container, .exit_code = exit_code};
}

/* The runtime obeys. */
static inline void stage_obey(struct stage *stage, uint32_t agent,
                              const struct agent_action *action)
{
    bool is_order = action->kind != AGENT_ACTION_SEND && action->kind != AGENT_ACTION_REMOVE;
    const char *family = is_order ? action->payload.def->family : "";
    const struct stage_manners *manners = stage_manners_of(stage, family);
    struct stage_pending *pending;
    switch (action->kind) {
    case AGENT_ACTION_SEND:
        pending = stage_later(stage, agent, STAGE_MESSAGE_NS);
        pending->kind = STAGE_TO_CONTROLLER;
        pending->message = message_copy(&action->message);
        break;
    case AGENT_ACTION_PULL:
        stage_runtime_later(stage, agent, STAGE_PULL_NS,
                            manners->pull_fails ? AGENT_EVENT_PULL_FAILED : AGENT_EVENT_PULLED,
                            action, 0);
        break;
    case AGENT_ACTION_START:
        stage_runtime_later(stage, agent, STAGE_START_NS, AGENT_EVENT_STARTED, action, 0);
        if (manners->exit_after_ns != BERTH_NS_NEVER)
            stage_runtime_later(stage, agent, STAGE_START_NS + manners->exit_after_ns,
                                AGENT_EVENT_EXITED, action, manners->exit_code);
        break;
    case AGENT_ACTION_TERMINATE:
        if (!manners->ignores_stop)
            stage_runtime_later(stage, agent, STAGE_STOP_NS, AGENT_EVENT_EXITED, action, 143);
        break;
    case AGENT_ACTION_KILL:
        stage_runtime_later(stage, agent, 0, AGENT_EVENT_EXITED, action, 137);
        break;
    case AGENT_ACTION_REMOVE:
    case AGENT_ACTION_KIND_COUNT:
        break;
    }
}

static inline void stage_agent_step(struct stage *stage, uint32_t agent,
                                    const struct agent_event *event)
{
    if (stage->hosts[agent].agent == NULL)
        return;
    agent_step(stage->hosts[agent].agent, stage->now, event, &stage->actions);
    for (size_t i = 0; i < stage->actions.count; i++)
        stage_obey(stage, agent, &stage->actions.items[i]);
}

static inline void stage_agent_event(struct stage *stage, uint32_t agent,
                                     enum agent_event_kind kind)
{
    struct agent_event event = {.kind = kind};
    stage_agent_step(stage, agent, &event);
}

static inline void stage_write(struct stage *stage, struct action action)
{
    transcript_format_action(loop_controller(stage->loop), &action, &stage->transcript);
}

static inline void stage_on_send(void *context, struct step_time decided,
                                 const struct message *message)
{
    struct stage *stage = context;
    (void)decided;
    stage_write(stage, (struct action){.kind = ACTION_SEND, .u.send = *message});
    struct stage_pending *pending = stage_later(stage, message->instance, STAGE_MESSAGE_NS);
    pending->kind = STAGE_TO_AGENT;
    pending->message = message_copy(message);
}

static inline void stage_on_reply(void *context, struct step_time decided,
                                  const struct reply *reply)
{
    struct stage *stage = context;
    (void)decided;
    stage_write(stage, (struct action){.kind = ACTION_REPLY, .u.reply = *reply});
    stage->replies++;
    stage->refusals += reply->status != REPLY_OK;
    if (reply->command != EVENT_REGISTER_INSTANCE || reply->status != REPLY_OK)
        return;
    assert(reply->u.instance < STAGE_AGENTS_MAX);
    struct agent_config config = {.instance = reply->u.instance,
                                  .cpu_units = stage->registering.cpu_units,
                                  .mem_mib = stage->registering.mem_mib,
                                  .gpu_count = stage->registering.gpu_count};
    struct stage_host *host = &stage->hosts[reply->u.instance];
    if (host->agent == NULL)
        host->agent = agent_create(&config);
    host->is_connected = true;
    stage_agent_event(stage, reply->u.instance, AGENT_EVENT_CONNECTED);
}

static inline void stage_on_change(void *context, struct step_time decided,
                                   const struct change *change)
{
    (void)decided;
    stage_write(context, (struct action){.kind = ACTION_CHANGE, .u.change = *change});
}

static inline void stage_on_service_event(void *context, struct step_time decided,
                                          const struct service_event *event)
{
    (void)decided;
    stage_write(context, (struct action){.kind = ACTION_SERVICE_EVENT, .u.service_event = *event});
}

static inline enum hook_status stage_hook_status(const struct stage *stage, const char *name)
{
    for (size_t i = 0; i < stage->hook_count; i++)
        if (strcmp(stage->hooks[i].name, name) == 0)
            return stage->hooks[i].status;
    return HOOK_SUCCEEDED;
}

/* What is around the cluster answers after a second; if targets do, a new one is healthy then. */
static inline void stage_answer(struct stage *stage, const struct request *request)
{
    struct answer answer = {.kind = ANSWER_TRAFFIC};
    if (request->kind == REQUEST_SHIFT_TRAFFIC) {
        answer.u.traffic.service = request->service;
        answer.u.traffic.deployment = request->deployment;
        answer.u.traffic.is_test = request->u.traffic.is_test;
        answer.u.traffic.permille =
            request->u.traffic.count == 0 ? 1000 : request->u.traffic.weights[0].permille;
    } else if (request->kind == REQUEST_INVOKE_HOOK) {
        answer.kind = ANSWER_HOOK;
        answer.u.hook.service = request->service;
        answer.u.hook.deployment = request->deployment;
        answer.u.hook.call = request->u.hook.call;
        answer.u.hook.status = stage_hook_status(stage, request->u.hook.name);
    } else if (request->kind <= REQUEST_DEREGISTER_TARGET && stage->answers_targets) {
        answer.kind = ANSWER_TARGET;
        answer.u.target.task = request->u.target.task;
        answer.u.target.target_group = request->u.target.target_group;
        answer.u.target.state =
            request->kind == REQUEST_REGISTER_TARGET ? TARGET_HEALTHY : TARGET_UNUSED;
    } else {
        return;
    }
    struct stage_pending *pending = stage_later(stage, 0, BERTH_NS_PER_S);
    pending->kind = STAGE_ANSWER;
    pending->answer = answer;
}

static inline void stage_on_request(void *context, struct step_time decided,
                                    const struct request *request)
{
    struct stage *stage = context;
    (void)decided;
    stage_write(stage, (struct action){.kind = ACTION_REQUEST, .u.request = *request});
    stage_answer(stage, request);
}

static inline void stage_on_reloaded(void *context)
{
    struct stage *stage = context;
    stage->was_reloaded = true;
    stage->reloads++;
}

static inline void stage_open(struct stage *stage, struct store store)
{
    const struct loop_ops ops = {stage_on_send,
                                 stage_on_reply,
                                 stage_on_change,
                                 stage_on_service_event,
                                 stage_on_request,
                                 stage_on_reloaded,
                                 NULL,
                                 NULL};
    *stage = (struct stage){.store = store, .now = {0, STAGE_WALL_NS}};
    stage->loop = loop_create(controller_create(stage_options()), stage_options(),
                              task_def_from_document, &stage->store, &ops, stage);
}

static inline void stage_close(struct stage *stage)
{
    loop_destroy(stage->loop);
    stage->store.ops->destroy(stage->store.self);
    for (size_t i = 0; i < STAGE_AGENTS_MAX; i++)
        agent_destroy(stage->hosts[i].agent);
    for (size_t i = 0; i < stage->pending.count; i++)
        message_release(&stage->pending.items[i].message);
    vec_free(&stage->pending);
    agent_action_list_free(&stage->actions);
    text_free(&stage->transcript);
}

static inline void stage_fail(const char *what, const struct berth_error *err)
{
    fprintf(stderr, "stage: %s: %s\n", what, err->text);
    abort();
}

static inline void stage_write_time(struct stage *stage)
{
    if (stage->has_told && stage->told.mono_ns == stage->now.mono_ns)
        return;
    stage->told = stage->now;
    stage->has_told = true;
    transcript_format_time(stage->now, &stage->transcript);
}

static inline void stage_loop_step(struct stage *stage, const struct event *event)
{
    struct berth_error err = BERTH_ERROR_INIT;
    stage_write_time(stage);
    transcript_format_event(event, &stage->transcript);
    if (event->kind == EVENT_REGISTER_INSTANCE)
        stage->registering = event->u.register_instance;
    if (loop_step(stage->loop, stage->now, event, &err) != BERTH_OK)
        stage_fail("step", &err);
}

static inline void stage_connection(struct stage *stage, uint32_t agent, bool is_connected)
{
    struct event event = {.kind = is_connected ? EVENT_AGENT_CONNECTED : EVENT_AGENT_DISCONNECTED,
                          .u.agent = agent};
    stage->hosts[agent].is_connected = is_connected;
    stage_agent_event(stage, agent,
                      is_connected ? AGENT_EVENT_CONNECTED : AGENT_EVENT_DISCONNECTED);
    stage_loop_step(stage, &event);
}

/* A controller that began again has no connections: every agent that is there connects anew. */
static inline void stage_reconnect_all(struct stage *stage)
{
    while (stage->was_reloaded) {
        stage->was_reloaded = false;
        for (uint32_t i = 0; i < STAGE_AGENTS_MAX && !stage->was_reloaded; i++) {
            if (stage->hosts[i].agent == NULL || !stage->hosts[i].is_connected)
                continue;
            stage_agent_event(stage, i, AGENT_EVENT_DISCONNECTED);
            stage_connection(stage, i, true);
        }
    }
}

static inline void stage_event(struct stage *stage, const struct event *event)
{
    stage_loop_step(stage, event);
    stage_reconnect_all(stage);
}

/* The store may have got further. */
static inline void stage_progress(struct stage *stage)
{
    struct berth_error err = BERTH_ERROR_INIT;
    if (loop_store_progress(stage->loop, stage->now, &err) != BERTH_OK)
        stage_fail("reload", &err);
    stage_reconnect_all(stage);
}

static inline void stage_deliver(struct stage *stage, size_t index)
{
    struct stage_pending pending = stage->pending.items[index];
    stage->pending.count--;
    memmove(stage->pending.items + index, stage->pending.items + index + 1,
            (stage->pending.count - index) * sizeof pending);
    const struct stage_host *host = &stage->hosts[pending.agent];
    struct event event = {.kind = EVENT_MESSAGE, .u.message = pending.message};
    struct event answer = {.kind = EVENT_ANSWER, .u.answer = pending.answer};
    struct agent_event to_agent = {.kind = AGENT_EVENT_MESSAGE, .message = &pending.message};
    if (pending.kind == STAGE_ANSWER) {
        stage_event(stage, &answer);
        return;
    }
    if (host->agent == NULL) {
        message_release(&pending.message);
        return;
    }
    switch (pending.kind) {
    case STAGE_TO_CONTROLLER:
        if (host->is_connected)
            stage_event(stage, &event);
        break;
    case STAGE_TO_AGENT:
        stage_agent_step(stage, pending.agent, &to_agent);
        break;
    case STAGE_ANSWER:
        break;
    case STAGE_RUNTIME:
        if (pending.boot == host->boot)
            stage_agent_step(stage, pending.agent, &pending.event);
        break;
    }
    message_release(&pending.message);
}

static inline size_t stage_first_pending(const struct stage *stage)
{
    size_t first = 0;
    for (size_t i = 1; i < stage->pending.count; i++) {
        const struct stage_pending *a = &stage->pending.items[i];
        const struct stage_pending *b = &stage->pending.items[first];
        if (a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order))
            first = i;
    }
    return first;
}

/* The next thing to happen, no later than `until_ns`; false when there is none. */
static inline bool stage_happen(struct stage *stage, berth_ns until_ns)
{
    berth_ns at_ns = loop_next_deadline(stage->loop);
    uint32_t agent = STAGE_AGENTS_MAX;
    size_t first = stage_first_pending(stage);
    for (uint32_t i = STAGE_AGENTS_MAX; i-- > 0;)
        if (stage->hosts[i].agent != NULL && agent_next_deadline(stage->hosts[i].agent) <= at_ns) {
            agent = i;
            at_ns = agent_next_deadline(stage->hosts[i].agent);
        }
    bool is_pending = stage->pending.count > 0 && stage->pending.items[first].at_ns <= at_ns;
    if (is_pending)
        at_ns = stage->pending.items[first].at_ns;
    if (at_ns > until_ns)
        return false;
    if (at_ns > stage->now.mono_ns)
        stage->now = (struct step_time){at_ns, STAGE_WALL_NS + at_ns};
    if (is_pending)
        stage_deliver(stage, first);
    else if (agent < STAGE_AGENTS_MAX)
        stage_agent_event(stage, agent, AGENT_EVENT_TIMER);
    else
        stage_event(stage, &(struct event){.kind = EVENT_TIMER});
    return true;
}

static inline void stage_run(struct stage *stage, berth_ns for_ns)
{
    berth_ns until_ns = stage->now.mono_ns + for_ns;
    while (stage_happen(stage, until_ns))
        ;
    stage->now = (struct step_time){until_ns, STAGE_WALL_NS + until_ns};
}

/* The host vanishes without a word; its controller side is the script's business. */
static inline void stage_lose(struct stage *stage, uint32_t agent)
{
    agent_destroy(stage->hosts[agent].agent);
    stage->hosts[agent] = (struct stage_host){.boot = stage->hosts[agent].boot + 1};
}

static inline void stage_restart_host(struct stage *stage, uint32_t agent)
{
    stage->hosts[agent].boot++;
    stage_connection(stage, agent, false);
    stage_agent_event(stage, agent, AGENT_EVENT_HOST_RESTARTED);
}

#endif
