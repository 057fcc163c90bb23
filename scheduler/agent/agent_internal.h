/*
 * agent_internal.h -- the agent's state, and who does what with it.
 *
 *     message --> agent.c --> gate.c --> lifecycle.c --> runtime orders
 *                    ^                       |
 *                    +----- report.c <-------+          table.c: tasks by id
 *                              health.c               deadline.c: when a container is due
 *
 * A task is two lines of the cache in a pool, and a settled agent with tasks of one container
 * allocates nothing. What few tasks have lies aside: further containers, restart policies, GPUs.
 */
#ifndef BERTH_SCHEDULER_AGENT_AGENT_INTERNAL_H
#define BERTH_SCHEDULER_AGENT_AGENT_INTERNAL_H

#include "scheduler/agent/agent.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/pool.h"

#define LINE_BYTES 64 /* of the cache */

enum container_state {
    CONTAINER_WAITING = 0, /* for what it depends on */
    CONTAINER_PULLING,
    CONTAINER_STARTING,
    CONTAINER_RUNNING,
    CONTAINER_TERMINATING, /* the stop signal was sent */
    CONTAINER_KILLED,      /* so was SIGKILL */
    CONTAINER_STOPPED,
};

struct container {
    /*
     * PULLING, STARTING: the runtime is given up then. RUNNING: start timeout of its dependents.
     * TERMINATING: kill then.
     */
    berth_ns deadline_ns;
    uint8_t state;  /* enum container_state */
    uint8_t health; /* enum task_health */
    bool has_run;   /* it was started once */
    bool succeeded; /* STOPPED: with exit code 0 */
};

enum task_stage {
    STAGE_QUEUED = 0, /* in the gate: no resources yet */
    STAGE_GRANTED,
    STAGE_DONE, /* STOPPED; kept until the controller has acknowledged it */
};

/* One allocation with all its arrays. */
struct task_more {
    struct container *containers; /* after the first */
    berth_ns *began_ns;           /* each container's last start or restart: ordered, later done */
    struct gpu_grant *grants;
    uint16_t grant_count;
};

struct agent_task {
    uint32_t number;            /* in the pool */
    uint32_t next;              /* in the gate's queue, or later among the unacknowledged reports */
    task_id task;               /* TASK_NONE: it is gone */
    const struct task_def *def; /* lent for good, as its group is */
    struct container first;
    struct task_more *more; /* owned; NULL: one container, no restart policy, no GPU */
    berth_ns retry_ns;      /* of its report */
    uint64_t report_seq;    /* 0: no report is unacknowledged */
    int32_t exit_code;
    uint8_t stage;             /* enum task_stage */
    uint8_t cause;             /* enum exit_cause */
    uint8_t report_status;     /* enum task_status: what the unacknowledged report says */
    unsigned health : 2;       /* enum task_health: of its checked essential containers */
    bool is_stopping : 1;      /* nothing more is started */
    bool has_exit : 1;         /* exit_code is set: the first essential exit counts */
    bool is_running_told : 1;  /* a RUNNING report was made */
    bool is_running_known : 1; /* and one was acknowledged */
    bool is_checked : 1;       /* an essential container has a health check */
    bool is_listed : 1;        /* scratch of one manifest */

    const char *group;
    uint64_t reference;
    int32_t cpu_units, mem_mib;
    berth_ns pull_started_ns, pull_stopped_ns, started_ns, stopped_ns; /* wall; 0 = never */
};

_Static_assert(sizeof(struct agent_task) == 128, "two lines of the cache");

/* How long things may take: agents of one process mostly share them. */
struct agent_limits {
    berth_ns stop_ns, report_retry_ns, pull_ns;
    berth_ns start_ns; /* creation and start */
};

struct agent_pool {
    struct pool tasks;                 /* struct agent_task */
    VEC(struct agent_limits *) limits; /* owned */
};

struct task_entry {
    task_id task;
    uint32_t number; /* in the pool */
};

struct task_queue {
    uint32_t head, tail; /* numbers of the pool; POOL_NONE: it is empty */
};

/* Three lines of the cache, by how often they are looked at. */
struct agent {
    /* Every step. */
    struct pool *tasks;
    struct task_entry *entries; /* owned; ascending by id */
    uint32_t entry_count, entry_capacity;
    struct task_queue reports; /* by retry_ns */
    berth_ns deadline_ns;      /* the answer of agent_next_deadline */
    berth_ns timed_ns;         /* no container is due earlier; BERTH_NS_NEVER when none is */
    uint32_t timed_count;      /* containers with a deadline */
    instance_id instance;
    bool is_connected;
    bool is_gate_due; /* a task was queued or resources came back in this step */
    bool owns_pool;   /* `pool` is its own */

    /* Payloads, orders, reports. */
    _Alignas(64) uint64_t seen_seq;    /* highest number of a payload or manifest */
    uint64_t report_seq;               /* of the last report made */
    const struct agent_limits *limits; /* the pool's */
    struct task_queue gate;            /* FIFO */
    int32_t cpu_units, mem_mib;        /* what it registered */
    int32_t cpu_granted, mem_granted;
    uint32_t *gpu_granted_milli; /* owned; per card */
    uint16_t gpu_count;

    /* Manifests. */
    _Alignas(64) uint64_t manifest_seq; /* of the last manifest taken */
    task_id *candidates; /* owned; lent with a stop verification, kept until the next */
    struct agent_pool *pool;
};

_Static_assert(sizeof(struct agent) == 192, "three lines of the cache");

/* What a step has at hand. */
struct turn {
    struct agent *agent;
    struct step_time now;
    struct agent_action_list *out;
};

/* table.c */
struct agent_task *table_find(const struct agent *agent, task_id task);
struct agent_task *table_find_at(const struct agent *agent, uint32_t place, task_id task);
struct agent_task *table_add(struct agent *agent, const struct task_payload *payload);
void table_remove(struct agent *agent, struct agent_task *task);
void table_free(struct agent *agent);
void table_prefetch(const struct agent *agent); /* it will be searched soon */

static inline struct agent_task *table_task(const struct agent *agent, size_t entry)
{
    return pool_at(agent->tasks, agent->entries[entry].number);
}

static inline struct container *task_container(struct agent_task *task, size_t index)
{
    return index == 0 ? &task->first : &task->more->containers[index - 1];
}

/* NULL for POOL_NONE. */
static inline struct agent_task *task_at(const struct agent *agent, uint32_t number)
{
    return number == POOL_NONE ? NULL : pool_at(agent->tasks, number);
}

static inline void task_queue_push(const struct agent *agent, struct task_queue *queue,
                                   struct agent_task *task)
{
    task->next = POOL_NONE;
    if (queue->tail == POOL_NONE)
        queue->head = task->number;
    else
        task_at(agent, queue->tail)->next = task->number;
    queue->tail = task->number;
}

/* `before` stands before it, or is NULL when it is the head. */
static inline void task_queue_unlink(struct task_queue *queue, struct agent_task *before,
                                     const struct agent_task *task)
{
    if (before == NULL)
        queue->head = task->next;
    else
        before->next = task->next;
    if (queue->tail == task->number)
        queue->tail = before == NULL ? POOL_NONE : before->number;
}

/* gate.c */
void gate_push(struct turn *turn, struct agent_task *task);
void gate_withdraw(struct turn *turn, struct agent_task *task);
void gate_release(struct turn *turn, struct agent_task *task);
void gate_open(struct turn *turn);

/* deadline.c */
void deadline_set(struct turn *turn, struct container *container, berth_ns timeout_ns);
void deadline_clear(struct agent *agent, struct container *container);
void deadline_refresh(struct agent *agent); /* timed_ns, by looking at all */

/* lifecycle.c */
void lifecycle_start(struct turn *turn, struct agent_task *task); /* the gate has granted it */
void lifecycle_stop(struct turn *turn, struct agent_task *task, enum exit_cause cause);
void lifecycle_runtime(struct turn *turn, struct agent_task *task, const struct agent_event *event);
void lifecycle_host_restarted(struct turn *turn, struct agent_task *task);
void lifecycle_engine_lost(struct turn *turn, struct agent_task *task);
void lifecycle_engine_kept(struct turn *turn, struct agent_task *task);
void lifecycle_deadlines(struct turn *turn);

/* health.c */
void health_roll_up(struct turn *turn, struct agent_task *task); /* and tell what has changed */

/* Of a task, or TASK_NONE. What the kind has beside these is the caller's to fill: no clearing. */
static inline struct agent_action *turn_act(struct turn *turn, enum agent_action_kind kind,
                                            task_id task)
{
    struct agent_action *action = vec_push(turn->out);
    action->kind = kind;
    action->task = task;
    action->container = 0;
    action->place = 0;
    return action;
}

static inline struct message *turn_send(struct turn *turn, enum message_kind kind, uint64_t seq)
{
    struct message *message = &turn_act(turn, AGENT_ACTION_SEND, TASK_NONE)->message;
    message->kind = kind;
    message->instance = turn->agent->instance;
    message->seq = seq;
    message->owns_grants = false;
    return message;
}

/* report.c */
void report_running(struct turn *turn, struct agent_task *task);
void report_stopped(struct turn *turn, struct agent_task *task);
void report_acknowledged(struct turn *turn, uint64_t seq);
void report_repeat(struct turn *turn, berth_ns due_ns); /* those with retry_ns up to due_ns */

#endif
