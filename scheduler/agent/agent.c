/*
 * The agent's front: what arrives is turned into tasks and orders here.
 *
 * A payload is acknowledged, a repeat too; of a known task only the desired status is looked at,
 * and only STOPPED can change it. Of an unknown task it must be newer than all that was seen: one
 * that was overtaken could start what has been stopped and forgotten since. It is refused without
 * an ack, and so comes again under a new number if it is wanted still. A stop for a task never
 * heard of is answered by a STOPPED report, so that a controller whose start got lost does not wait
 * for ever. Messages that arrive while the connection is down belong to one that is gone, and are
 * dropped: the controller sends what was not acknowledged again; only acks of reports are taken at
 * any time. Acks are not kept for a later connection for the same reason, reports are. Rules:
 * reference "ECS agent protocol" 3.1, 3.2, 6, 8.
 */
#include "scheduler/agent/agent_internal.h"

#include <string.h>

#include "scheduler/base/mem.h"

#define STOP_TIMEOUT_DEFAULT_NS (30 * BERTH_NS_PER_S)
#define REPORT_RETRY_DEFAULT_NS (10 * BERTH_NS_PER_S)
#define PULL_TIMEOUT_DEFAULT_NS (7200 * BERTH_NS_PER_S)
#define CREATE_TIMEOUT_DEFAULT_NS (240 * BERTH_NS_PER_S)
#define CREATE_TIMEOUT_MIN_NS (60 * BERTH_NS_PER_S)
#define START_TIMEOUT_DEFAULT_NS (180 * BERTH_NS_PER_S)
#define START_TIMEOUT_MIN_NS (45 * BERTH_NS_PER_S)

const char *const agent_event_kind_names[AGENT_EVENT_KIND_COUNT] = {
    [AGENT_EVENT_TIMER] = "Timer",
    [AGENT_EVENT_MESSAGE] = "Message",
    [AGENT_EVENT_CONNECTED] = "Connected",
    [AGENT_EVENT_DISCONNECTED] = "Disconnected",
    [AGENT_EVENT_HOST_RESTARTED] = "HostRestarted",
    [AGENT_EVENT_ENGINE_RESTARTED] = "EngineRestarted",
    [AGENT_EVENT_PULLED] = "Pulled",
    [AGENT_EVENT_PULL_FAILED] = "PullFailed",
    [AGENT_EVENT_STARTED] = "Started",
    [AGENT_EVENT_START_FAILED] = "StartFailed",
    [AGENT_EVENT_EXITED] = "Exited",
    [AGENT_EVENT_HEALTH] = "Health",
};

const char *const agent_action_kind_names[AGENT_ACTION_KIND_COUNT] = {
    [AGENT_ACTION_SEND] = "Send",   [AGENT_ACTION_PULL] = "Pull",
    [AGENT_ACTION_START] = "Start", [AGENT_ACTION_TERMINATE] = "Terminate",
    [AGENT_ACTION_KILL] = "Kill",   [AGENT_ACTION_REMOVE] = "Remove",
};

static berth_ns timeout_of(berth_ns given_ns, berth_ns default_ns, berth_ns min_ns)
{
    if (given_ns <= 0)
        return default_ns;
    return given_ns < min_ns ? min_ns : given_ns;
}

struct agent_pool *agent_pool_create(void)
{
    struct agent_pool *pool = mem_alloc(sizeof *pool);
    pool->tasks = (struct pool)POOL_INIT(struct agent_task);
    return pool;
}

void agent_pool_destroy(struct agent_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->limits.count; i++)
        mem_free(pool->limits.items[i]);
    vec_free(&pool->limits);
    pool_free(&pool->tasks);
    mem_free(pool);
}

static const struct agent_limits *limits_of(struct agent_pool *pool,
                                            const struct agent_config *config)
{
    const struct agent_limits limits = {
        .stop_ns = timeout_of(config->stop_timeout_ns, STOP_TIMEOUT_DEFAULT_NS, 0),
        .report_retry_ns = timeout_of(config->report_retry_ns, REPORT_RETRY_DEFAULT_NS, 0),
        .pull_ns = timeout_of(config->pull_timeout_ns, PULL_TIMEOUT_DEFAULT_NS, 0),
        .start_ns =
            timeout_of(config->create_timeout_ns, CREATE_TIMEOUT_DEFAULT_NS,
                       CREATE_TIMEOUT_MIN_NS) +
            timeout_of(config->start_timeout_ns, START_TIMEOUT_DEFAULT_NS, START_TIMEOUT_MIN_NS),
    };
    for (size_t i = 0; i < pool->limits.count; i++)
        if (memcmp(pool->limits.items[i], &limits, sizeof limits) == 0)
            return pool->limits.items[i];
    struct agent_limits *shared = *vec_push(&pool->limits) = mem_alloc(sizeof limits);
    *shared = limits;
    return shared;
}

struct agent *agent_create(const struct agent_config *config)
{
    struct agent *agent = mem_alloc_lines(sizeof *agent);
    agent->owns_pool = config->pool == NULL;
    agent->pool = agent->owns_pool ? agent_pool_create() : config->pool;
    agent->tasks = &agent->pool->tasks;
    agent->limits = limits_of(agent->pool, config);
    agent->instance = config->instance;
    agent->cpu_units = config->cpu_units;
    agent->mem_mib = config->mem_mib;
    agent->gpu_count = config->gpu_count;
    if (config->gpu_count > 0)
        agent->gpu_granted_milli = mem_alloc(config->gpu_count * sizeof *agent->gpu_granted_milli);
    agent->gate = agent->reports = (struct task_queue){POOL_NONE, POOL_NONE};
    agent->deadline_ns = BERTH_NS_NEVER;
    agent->timed_ns = BERTH_NS_NEVER;
    return agent;
}

void agent_pool_prefetch(const struct agent_pool *pool, uint32_t place)
{
    const char *task = pool_at(&pool->tasks, place);
    __builtin_prefetch(task, 1);
    __builtin_prefetch(task + LINE_BYTES, 1);
}

/* What a manifest needs besides is looked at seldom. */
void agent_prefetch(const struct agent *agent)
{
    __builtin_prefetch(agent, 1);
    __builtin_prefetch((const char *)agent + LINE_BYTES, 1);
}

void agent_prefetch_end(const struct agent *agent)
{
    __builtin_prefetch(agent->entries + agent->entry_count, 1);
}

void agent_destroy(struct agent *agent)
{
    if (agent == NULL)
        return;
    table_free(agent);
    if (agent->owns_pool)
        agent_pool_destroy(agent->pool);
    mem_free(agent->gpu_granted_milli);
    mem_free(agent->candidates);
    mem_free(agent);
}

static void take_payload(struct turn *turn, const struct message *message)
{
    const struct task_payload *payload = &message->u.payload;
    struct agent *agent = turn->agent;
    struct agent_task *task = table_find(agent, payload->task);
    if (task == NULL && message->seq <= agent->seen_seq)
        return; /* late: it may be the start of a task that was stopped and forgotten since */
    if (message->seq > agent->seen_seq)
        agent->seen_seq = message->seq;
    (void)turn_send(turn, MESSAGE_ACK, message->seq);
    if (task == NULL) {
        task = table_add(agent, payload);
        gate_push(turn, task);
    }
    if (!payload->desired_running)
        lifecycle_stop(turn, task, EXIT_STOPPED);
}

static bool is_wanted(const struct agent_task *task)
{
    return task->stage != STAGE_DONE && !task->is_stopping;
}

/* Answer a manifest with the tasks that run here and that it does not list. */
static void take_manifest(struct turn *turn, const struct message *message)
{
    struct agent *agent = turn->agent;
    if (message->seq <= agent->seen_seq)
        return;
    agent->seen_seq = agent->manifest_seq = message->seq;
    (void)turn_send(turn, MESSAGE_ACK, message->seq);
    for (uint32_t i = 0; i < message->u.list.count; i++) {
        struct agent_task *task = table_find(agent, message->u.list.tasks[i]);
        if (task != NULL)
            task->is_listed = true;
    }
    uint32_t count = 0;
    mem_free(agent->candidates);
    agent->candidates = NULL;
    for (size_t i = 0; i < agent->entry_count; i++) {
        struct agent_task *task = table_task(agent, i);
        if (is_wanted(task) && !task->is_listed) {
            agent->candidates =
                mem_resize(agent->candidates, (size_t)count + 1, sizeof *agent->candidates);
            agent->candidates[count++] = task->task;
        }
        task->is_listed = false;
    }
    if (count == 0)
        return;
    struct message *answer = turn_send(turn, MESSAGE_STOP_VERIFICATION, message->seq);
    answer->u.list.tasks = agent->candidates;
    answer->u.list.count = count;
}

static void take_stop_verification_ack(struct turn *turn, const struct message *message)
{
    if (message->seq != turn->agent->manifest_seq)
        return;
    for (uint32_t i = 0; i < message->u.list.count; i++) {
        struct agent_task *task = table_find(turn->agent, message->u.list.tasks[i]);
        if (task != NULL)
            lifecycle_stop(turn, task, EXIT_STOPPED);
    }
}

static void take_message(struct turn *turn, const struct message *message)
{
    if (!turn->agent->is_connected && message->kind != MESSAGE_REPORT_ACK)
        return;
    switch (message->kind) {
    case MESSAGE_PAYLOAD:
        take_payload(turn, message);
        break;
    case MESSAGE_MANIFEST:
        take_manifest(turn, message);
        break;
    case MESSAGE_STOP_VERIFICATION_ACK:
        take_stop_verification_ack(turn, message);
        break;
    case MESSAGE_REPORT_ACK:
        report_acknowledged(turn, message->seq);
        break;
    case MESSAGE_ACK: /* an agent's own: not for us */
    case MESSAGE_STOP_VERIFICATION:
    case MESSAGE_TASK_STATE:
    case MESSAGE_KIND_COUNT:
        break;
    }
}

static void host_restarted(struct turn *turn)
{
    for (size_t i = 0; i < turn->agent->entry_count; i++)
        lifecycle_host_restarted(turn, table_task(turn->agent, i));
}

static void engine_restarted(struct turn *turn, bool keeps_containers)
{
    for (size_t i = 0; i < turn->agent->entry_count; i++) {
        struct agent_task *task = table_task(turn->agent, i);
        if (task->stage != STAGE_GRANTED)
            continue;
        if (keeps_containers)
            lifecycle_engine_kept(turn, task);
        else
            lifecycle_engine_lost(turn, task);
    }
}

static void apply(struct turn *turn, const struct agent_event *event)
{
    struct agent_task *task;
    switch (event->kind) {
    case AGENT_EVENT_TIMER:
        lifecycle_deadlines(turn);
        report_repeat(turn, turn->now.mono_ns);
        break;
    case AGENT_EVENT_MESSAGE:
        take_message(turn, event->message);
        break;
    case AGENT_EVENT_CONNECTED:
        turn->agent->is_connected = true;
        report_repeat(turn, BERTH_NS_NEVER);
        break;
    case AGENT_EVENT_DISCONNECTED:
        turn->agent->is_connected = false;
        break;
    case AGENT_EVENT_HOST_RESTARTED:
        host_restarted(turn);
        break;
    case AGENT_EVENT_ENGINE_RESTARTED:
        engine_restarted(turn, event->keeps_containers);
        break;
    case AGENT_EVENT_PULLED:
    case AGENT_EVENT_PULL_FAILED:
    case AGENT_EVENT_STARTED:
    case AGENT_EVENT_START_FAILED:
    case AGENT_EVENT_EXITED:
    case AGENT_EVENT_HEALTH:
        task = table_find_at(turn->agent, event->place, event->task);
        if (task != NULL)
            lifecycle_runtime(turn, task, event);
        break;
    case AGENT_EVENT_KIND_COUNT:
        break;
    }
}

/* Of a report that nobody acknowledges, or of a container. */
static berth_ns next_deadline(const struct agent *agent)
{
    const struct agent_task *head = task_at(agent, agent->reports.head);
    berth_ns report_ns = agent->is_connected && head != NULL ? head->retry_ns : BERTH_NS_NEVER;
    return report_ns < agent->timed_ns ? report_ns : agent->timed_ns;
}

berth_ns agent_step(struct agent *agent, struct step_time now, const struct agent_event *event,
                    struct agent_action_list *out)
{
    struct turn turn = {agent, now, out};
    out->count = 0;
    apply(&turn, event);
    if (agent->is_gate_due)
        gate_open(&turn);
    return agent->deadline_ns = next_deadline(agent);
}

berth_ns agent_next_deadline(const struct agent *agent)
{
    return agent->deadline_ns;
}

uint32_t agent_task_count(const struct agent *agent)
{
    return agent->entry_count;
}

uint32_t agent_place(const struct agent *agent, uint32_t index)
{
    return agent->entries[index].number;
}

void agent_granted(const struct agent *agent, int32_t *cpu_units, int32_t *mem_mib)
{
    *cpu_units = agent->cpu_granted;
    *mem_mib = agent->mem_granted;
}

void agent_action_list_free(struct agent_action_list *list)
{
    vec_free(list);
}
