/*
 * agent.h -- the agent of one container instance: tasks to containers and back, pure.
 *
 *     state, time, (message | what the runtime did | timer)  ->  state, (messages, runtime orders)
 *
 * The simulated fleet runs it, and real agents will. Runtime orders name a task and a container by
 * its index in the definition; the runtime answers each with an event. Rules: reference "ECS agent
 * protocol" 3 to 6, "ECS scheduling semantics" 2.3, 3.2, 7.3.
 */
#ifndef BERTH_SCHEDULER_AGENT_AGENT_H
#define BERTH_SCHEDULER_AGENT_AGENT_H

#include "scheduler/core/message.h"

/*
 * Where agents of one process keep their tasks, so that what one leaves is the next one's. The
 * place of a task there is a small number that no other task of these agents has until it is
 * removed, or its agent destroyed: a runtime may keep its own record of the task by it.
 */
struct agent_pool;

struct agent_pool *agent_pool_create(void);
void agent_pool_destroy(struct agent_pool *pool); /* after its agents */

struct agent_config {
    struct agent_pool *pool; /* borrowed; NULL: its own */
    instance_id instance;
    int32_t cpu_units, mem_mib; /* what it registered: the host-resource gate counts these */
    uint16_t gpu_count;
    berth_ns stop_timeout_ns; /* ECS_CONTAINER_STOP_TIMEOUT; 0: its default, 30 s */
    berth_ns report_retry_ns; /* a report without ack is sent again after this; 0: 10 s */
    /* How long the runtime may take; 0: ECS's defaults of 2 h, 4 min and 3 min. */
    berth_ns pull_timeout_ns;
    berth_ns create_timeout_ns; /* ECS_CONTAINER_CREATE_TIMEOUT, at least 1 min */
    berth_ns start_timeout_ns;  /* ECS_CONTAINER_START_TIMEOUT, at least 45 s */
};

enum agent_event_kind {
    AGENT_EVENT_TIMER = 0,
    AGENT_EVENT_MESSAGE,   /* from the controller; dropped while there is no connection */
    AGENT_EVENT_CONNECTED, /* the control connection is up: unacked reports go again */
    AGENT_EVENT_DISCONNECTED,
    AGENT_EVENT_HOST_RESTARTED,   /* every container is gone; tasks are known from the checkpoint */
    AGENT_EVENT_ENGINE_RESTARTED, /* the containers live on (live restore), or all of them exited */
    AGENT_EVENT_PULLED,
    AGENT_EVENT_PULL_FAILED,
    AGENT_EVENT_STARTED,
    AGENT_EVENT_START_FAILED,
    AGENT_EVENT_EXITED,
    AGENT_EVENT_HEALTH, /* the container's check says something else than before */
    AGENT_EVENT_KIND_COUNT
};

extern const char *const agent_event_kind_names[AGENT_EVENT_KIND_COUNT];

struct agent_event {
    enum agent_event_kind kind;
    task_id task;                  /* runtime events */
    uint16_t container;            /* runtime events: index in the definition */
    uint32_t place;                /* runtime events: as the order named it; a hint, no more */
    int32_t exit_code;             /* EXITED */
    bool is_out_of_memory;         /* EXITED: killed for its memory */
    bool keeps_containers;         /* ENGINE_RESTARTED */
    enum task_health health;       /* HEALTH */
    const struct message *message; /* MESSAGE; borrowed */
};

enum agent_action_kind {
    AGENT_ACTION_SEND = 0, /* to the controller */
    AGENT_ACTION_PULL,
    AGENT_ACTION_START,     /* create and start; again by a restart policy */
    AGENT_ACTION_TERMINATE, /* the stop signal */
    AGENT_ACTION_KILL,
    AGENT_ACTION_REMOVE, /* the task is forgotten: its containers, if any, may be cleaned up */
    AGENT_ACTION_KIND_COUNT
};

extern const char *const agent_action_kind_names[AGENT_ACTION_KIND_COUNT];

struct agent_action {
    enum agent_action_kind kind;
    task_id task;
    uint16_t container;
    uint32_t place; /* but for SEND: see agent_pool */
    union {
        struct task_payload payload; /* PULL, START, TERMINATE, KILL; grants lent, as a message */
        struct message message;      /* SEND: lent until the next step */
    };
};

struct agent_action_list {
    struct agent_action *items; /* owned by the list; one list may serve many agents in turn */
    size_t count;
    size_t capacity;
};

struct agent;

struct agent *agent_create(const struct agent_config *config);
void agent_destroy(struct agent *agent);
/* Clears `out` first. The answer is that of agent_next_deadline. */
berth_ns agent_step(struct agent *agent, struct step_time now, const struct agent_event *event,
                    struct agent_action_list *out);

/*
 * Whoever runs very many agents may say early whom the next event concerns, so that it is fetched
 * into the cache: the agent itself, and once that is there the end of its list, where a new task
 * goes; or the task that the event is about.
 */
void agent_prefetch(const struct agent *agent);
void agent_prefetch_end(const struct agent *agent);
void agent_pool_prefetch(const struct agent_pool *pool, uint32_t place);

berth_ns agent_next_deadline(const struct agent *agent);         /* monotonic, or BERTH_NS_NEVER */
uint32_t agent_task_count(const struct agent *agent);            /* known and not yet removed */
uint32_t agent_place(const struct agent *agent, uint32_t index); /* of the index-th, by id */
/* Sum over tasks whose resources the gate has granted: never above what was registered. */
void agent_granted(const struct agent *agent, int32_t *cpu_units, int32_t *mem_mib);
void agent_action_list_free(struct agent_action_list *list);

#endif
