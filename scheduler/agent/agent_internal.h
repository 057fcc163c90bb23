/*
 * agent_internal.h -- the agent's state, and who does what with it.
 *
 *     message --> agent.c --> gate.c --> lifecycle.c --> runtime orders
 *                    ^                       |
 *                    +----- report.c <-------+          table.c: tasks by id
 *                              health.c               deadline.c: when a container is due
 *
 * A task never moves in memory: its payload is lent to the runtime. Removed tasks are kept for the
 * next ones, so a settled agent allocates nothing.
 */
#ifndef BERTH_SCHEDULER_AGENT_AGENT_INTERNAL_H
#define BERTH_SCHEDULER_AGENT_AGENT_INTERNAL_H

#include "scheduler/agent/agent.h"

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
    berth_ns began_ns; /* its last start or restart: ordered, and later done */
    uint8_t state;     /* enum container_state */
    uint8_t health;    /* enum task_health */
    bool has_run;      /* it was started once */
    bool succeeded;    /* STOPPED: with exit code 0 */
};

enum task_stage {
    STAGE_QUEUED = 0, /* in the gate: no resources yet */
    STAGE_GRANTED,
    STAGE_DONE, /* STOPPED; kept until the controller has acknowledged it */
};

struct agent_task {
    struct task_payload payload; /* grants point to `grants` */
    berth_ns pull_started_ns, pull_stopped_ns, started_ns, stopped_ns; /* wall; 0 = never */
    int32_t exit_code;
    uint8_t stage;         /* enum task_stage */
    uint8_t cause;         /* enum exit_cause */
    uint8_t report_status; /* enum task_status: what the unacknowledged report says */
    bool is_stopping;      /* nothing more is started */
    bool has_exit;         /* exit_code is set: the first essential exit counts */
    bool is_running_told;  /* a RUNNING report was made */
    bool is_running_known; /* and one was acknowledged */
    bool is_checked;       /* an essential container has a health check */
    uint8_t health;        /* enum task_health: of its checked essential containers */
    bool is_listed;        /* scratch of one manifest */
    uint16_t grant_capacity;
    struct gpu_grant *grants; /* owned */
    struct container one;     /* the only container of most tasks */
    struct container *many;   /* owned; TASK_DEF_CONTAINERS_MAX of them, for the other tasks */
    struct agent_task *next;  /* in the gate's queue or the spare list */
    struct agent_task *next_report; /* in the list of unacknowledged reports */
    uint64_t report_seq;            /* 0: no report is unacknowledged */
    berth_ns retry_ns;
};

struct task_entry {
    task_id task;
    struct agent_task *state;
};

struct task_queue {
    struct agent_task *head, *tail;
};

struct agent {
    struct agent_config config;
    bool is_connected;
    bool is_gate_due;      /* a task was queued or resources came back in this step */
    uint64_t seen_seq;     /* highest number of a payload or manifest */
    uint64_t manifest_seq; /* of the last manifest taken */
    uint64_t report_seq;   /* of the last report made */
    berth_ns deadline_ns;  /* the answer of agent_next_deadline */
    int32_t cpu_granted, mem_granted;
    uint32_t *gpu_granted_milli; /* owned; per card */
    struct task_entry *entries;  /* owned; ascending by id */
    size_t entry_count, entry_capacity;
    struct task_queue gate;    /* FIFO */
    struct task_queue reports; /* by retry_ns, linked by next_report */
    uint32_t timed_count;      /* containers with a deadline */
    berth_ns timed_ns;         /* none of theirs is earlier; BERTH_NS_NEVER when there is none */
    struct agent_task *spare;  /* removed tasks */
    task_id *candidates;       /* owned; lent with a stop verification until the next step */
};

/* What a step has at hand. */
struct turn {
    struct agent *agent;
    struct step_time now;
    struct agent_action_list *out;
};

/* table.c */
struct agent_task *table_find(const struct agent *agent, task_id task);
struct agent_task *table_add(struct agent *agent, const struct task_payload *payload);
void table_remove(struct agent *agent, struct agent_task *task);
void table_free(struct agent *agent);
struct container *task_container(struct agent_task *task, size_t index);

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

/* report.c */
struct agent_action *turn_act(struct turn *turn, enum agent_action_kind kind, task_id task);
struct message *turn_send(struct turn *turn, enum message_kind kind, uint64_t seq);
void report_running(struct turn *turn, struct agent_task *task);
void report_stopped(struct turn *turn, struct agent_task *task);
void report_acknowledged(struct turn *turn, uint64_t seq);
void report_repeat(struct turn *turn, berth_ns due_ns); /* those with retry_ns up to due_ns */
berth_ns report_next_deadline(const struct agent *agent);

#endif
