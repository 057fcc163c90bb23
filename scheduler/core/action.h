/*
 * action.h -- what a step of the controller asks for or tells: replies, messages, changes, events.
 *
 * Actions are data in the order they were decided. Replies and messages are effects: the loop holds
 * them until the step's changes are committed. Changes are what stores, watchers and metrics feed
 * on; their revisions rise by one, without a gap, over the life of a cluster.
 */
#ifndef BERTH_SCHEDULER_CORE_ACTION_H
#define BERTH_SCHEDULER_CORE_ACTION_H

#include "scheduler/core/event.h"

enum action_kind {
    ACTION_CHANGE = 0,
    ACTION_SERVICE_EVENT,
    ACTION_REPLY,
    ACTION_SEND,
    ACTION_REQUEST, /* to what is around the cluster: outside.h */
    ACTION_KIND_COUNT
};

extern const char *const action_kind_names[ACTION_KIND_COUNT];

enum record_kind {
    RECORD_CONTROLLER = 0, /* counters and random state */
    RECORD_TASK_DEFINITION,
    RECORD_INSTANCE,
    RECORD_SERVICE,
    RECORD_TASK,
    RECORD_GROUP,      /* the random stream of a standalone task group */
    RECORD_DEPLOYMENT, /* and its service revision */
    RECORD_SCALING,    /* a service's auto scaling: target, policies, scheduled actions */
    RECORD_PROVIDER,   /* a capacity provider */
    RECORD_KIND_COUNT
};

extern const char *const record_kind_names[RECORD_KIND_COUNT];

enum stop_code {
    STOP_NONE = 0,
    STOP_TASK_FAILED_TO_START,
    STOP_ESSENTIAL_CONTAINER_EXITED,
    STOP_USER_INITIATED,
    STOP_SERVICE_SCHEDULER_INITIATED,
    STOP_SPOT_INTERRUPTION,
    STOP_TERMINATION_NOTICE,
    STOP_CODE_COUNT
};

extern const char *const stop_code_names[STOP_CODE_COUNT]; /* "", "TaskFailedToStart", ... */

/* Finer than stopCode, for the text of stoppedReason and for metrics. */
enum stop_reason {
    STOP_REASON_NONE = 0,
    STOP_REASON_SCALING,        /* Scaling activity initiated by (deployment ecs-svc/N) */
    STOP_REASON_DEPLOYMENT,     /* the same text: an old revision is replaced */
    STOP_REASON_DRAINING,       /* the same text: its instance is DRAINING */
    STOP_REASON_USER,           /* StopTask */
    STOP_REASON_ESSENTIAL_EXIT, /* Essential container in task exited */
    STOP_REASON_PULL_FAILED,
    STOP_REASON_START_FAILED,
    STOP_REASON_HOST_TERMINATED, /* Host EC2 (instance ID) terminated. */
    STOP_REASON_HOST_LOST,       /* instanceLostSeconds passed: the same text */
    STOP_REASON_DEREGISTERED,    /* Container instance deregistration forced by user */
    STOP_REASON_CAPACITY,        /* waited too long: TaskFailedToStart: RESOURCE:... */
    STOP_REASON_SERVICE_DELETED,
    STOP_REASON_CONSTRAINT,          /* a daemon's running task violates its constraints */
    STOP_REASON_UNHEALTHY_TARGET,    /* Task failed ELB health checks in (target-group ARN) */
    STOP_REASON_UNHEALTHY_CONTAINER, /* Task failed container health checks */
    STOP_REASON_REBALANCING,      /* Availability-zone rebalancing initiated by (deployment ...) */
    STOP_REASON_INTERRUPTED,      /* Your Spot Task was interrupted. */
    STOP_REASON_HOST_STOPPED,     /* Host EC2 (instance ID) stopped. */
    STOP_REASON_INTERFACE_FAILED, /* ResourceInitializationError: no network interface */
    STOP_REASON_OUT_OF_MEMORY,    /* OutOfMemoryError */
    STOP_REASON_TIMEOUT,          /* ContainerRuntimeTimeoutError: a pull, create or start hung */
    STOP_REASON_DEPENDENCY,       /* what an essential container waited for will never be */
    STOP_REASON_COUNT
};

extern const char *const stop_reason_names[STOP_REASON_COUNT];

/*
 * A task as it is after a change: ECS's task state change event, by value. In the order of the
 * controller's own record, so that several fields are copied at once.
 */
struct task_view {
    task_id task;
    const struct task_def *def;
    uint64_t reference;
    berth_ns requested_mono_ns; /* when it was asked for: waits count from here */
    berth_ns created_wall_ns;
    /* wall clock; 0: not, or not yet */
    berth_ns pull_started_ns, pull_stopped_ns, started_ns, stopping_ns, stopped_ns;
    service_id service; /* SERVICE_NONE: standalone */
    group_id group;
    instance_id instance; /* INSTANCE_NONE before it is placed */
    uint32_t version;
    int32_t cpu_units, mem_mib;
    int32_t exit_code;
    symbol stop_text; /* USER: the caller's text; UNHEALTHY_TARGET: the target group; or none */
    symbol provider;  /* capacity provider, SYMBOL_NONE: launch type */
    enum task_status last_status, previous_status;
    enum stop_code stop_code;
    enum stop_reason stop_reason;
    enum placement_verdict verdict; /* CAPACITY: what the closest instance failed; else FITS */
    enum task_health health, previous_health; /* rolled up over containers and targets */
    bool desired_running, was_desired_running;
    bool counts_as_healthy; /* towards the floor of a rollout (semantics 4.2) */
    bool is_protected;      /* from scale-in */
    uint32_t gpu_milli;
    uint64_t deployment; /* its number; 0: standalone */
};

struct service_view {
    service_id service;
    group_id group;
    symbol name;
    enum scheduling_strategy scheduling;
    uint32_t desired_count, running_count, pending_count;
    uint32_t healthy_count, unhealthy_count;
    uint32_t deployment_count; /* 1 when no rollout is under way */
    bool is_steady;            /* running = desired, none pending, one deployment */
    bool is_active;
};

/* A service's auto scaling as it is after a change. */
struct scaling_view {
    service_id service;
    symbol service_name;
    uint32_t min_capacity, max_capacity;
    uint32_t policy_count, action_count;
};

struct change {
    uint64_t revision;
    enum record_kind kind;
    bool is_deleted;
    union {
        struct task_view task;
        struct service_view service;
        instance_id instance;
        const struct task_def *task_def;
        group_id group;
        struct deployment_view deployment;
        struct scaling_view scaling;
        struct provider_view provider;
    } u;
};

/* Service events (semantics 4.8), as data; service_event_format writes ECS's text. */
enum service_event_kind {
    SERVICE_EVENT_STARTED_TASKS = 0,
    SERVICE_EVENT_STOPPED_TASKS,
    SERVICE_EVENT_STEADY_STATE,
    SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS,
    SERVICE_EVENT_DEPLOYMENT_COMPLETED,
    SERVICE_EVENT_DEPLOYMENT_FAILED,
    SERVICE_EVENT_PLACEMENT_FAILURE,
    SERVICE_EVENT_START_IMPAIRED, /* is unable to consistently start tasks successfully. */
    SERVICE_EVENT_DEADLOCK,       /* was unable to stop or start tasks during a deployment ... */
    SERVICE_EVENT_DAEMON_CONSTRAINT_VIOLATED,
    SERVICE_EVENT_PROTECTED,           /* more tasks are protected than desired */
    SERVICE_EVENT_REBALANCING_STARTED, /* is not AZ balanced with ... */
    SERVICE_EVENT_REBALANCING_COMPLETED,
    SERVICE_EVENT_REBALANCING_STOPPED,
    SERVICE_EVENT_REBALANCE_STARTED_TASKS, /* in zones[0] */
    SERVICE_EVENT_REBALANCE_STOPPED_TASKS,
    SERVICE_EVENT_REBALANCE_NO_ROOM,   /* no instance of zones[0] takes a task */
    SERVICE_EVENT_REBALANCE_PROTECTED, /* the fullest zone's tasks are protected */
    SERVICE_EVENT_BRAKE_ON,            /* of the cluster: service is SERVICE_NONE */
    SERVICE_EVENT_BRAKE_OFF,
    SERVICE_EVENT_DESIRED_COUNT_UPDATED, /* by auto scaling, never by a user */
    SERVICE_EVENT_REGISTERED_TARGETS,
    SERVICE_EVENT_DEREGISTERED_TARGETS,
    SERVICE_EVENT_DRAINING,           /* has begun draining connections on <n> tasks. */
    SERVICE_EVENT_UNHEALTHY_TARGET,   /* a task's target is unhealthy, after its grace period */
    SERVICE_EVENT_PROVISIONING_LIMIT, /* 500 tasks of the cluster are PROVISIONING */
    SERVICE_EVENT_EMPTY_PROVIDER,     /* a group that nobody scales has no instance */
    SERVICE_EVENT_HOOK_AWAITING,      /* a pause hook waits for its operator */
    SERVICE_EVENT_HOOK_SUCCEEDED,     /* who said CONTINUE */
    SERVICE_EVENT_HOOK_FAILED,        /* or ROLLBACK */
    SERVICE_EVENT_HOOK_TIMED_OUT,     /* or nothing for too long */
    SERVICE_EVENT_KIND_COUNT
};

extern const char *const service_event_kind_names[SERVICE_EVENT_KIND_COUNT];

struct zone_tasks { /* of a service */
    symbol zone;    /* SYMBOL_NONE: of the instances without one */
    uint32_t tasks;
};

struct service_event {
    enum service_event_kind kind;
    service_id service;
    uint64_t deployment;
    const task_id *tasks; /* lent until the next step: STARTED, STOPPED */
    uint32_t task_count;
    const struct zone_tasks *zones; /* lent likewise: REBALANCING, REBALANCE */
    uint32_t zone_count;
    uint32_t desired_count;   /* DESIRED_COUNT_UPDATED: what it is now */
    enum rollout_cause cause; /* DEPLOYMENT_FAILED; DEPLOYMENT_IN_PROGRESS of a rollback */
    uint64_t rolls_back;      /* IN_PROGRESS: started again in place of this one; 0: it is new */
    symbol target_group;      /* its name: REGISTERED, DEREGISTERED, UNHEALTHY_TARGET */
    uint32_t count;           /* of targets or, DRAINING, of tasks */
    symbol hook;              /* HOOK: its name */
    enum deployment_stage stage;
    berth_ns expires_wall_ns;
    instance_id closest; /* PLACEMENT_FAILURE; may be INSTANCE_NONE: no instances */
    enum placement_verdict verdict;
};

enum reply_status {
    REPLY_OK = 0,
    REPLY_INVALID, /* `text` says what and how to mend it */
    REPLY_NOT_FOUND,
    REPLY_REFUSED,   /* against the present state: tasks running, name taken, a quota */
    REPLY_THROTTLED, /* Rate exceeded: try again later */
};

struct reply_failure {
    instance_id instance;
    enum placement_verdict verdict;
};

struct reply {
    uint64_t token;
    enum event_kind command;
    enum reply_status status;
    const char *text; /* lent until the next step; NULL when OK */
    union {
        instance_id instance;            /* REGISTER_INSTANCE */
        const struct task_def *task_def; /* REGISTER_TASK_DEFINITION; lent for good */
        service_id service;
        struct {
            service_id service;
            uint64_t number;
        } task_set;
        struct {
            const task_id *tasks; /* created, in order; lent until the next step */
            uint32_t task_count;
            uint32_t placed_count;         /* of them; the rest wait */
            uint32_t refused_count;        /* copies that found no room and do not wait */
            enum placement_verdict reason; /* of the closest instance, for the first such copy */
            bool no_instances;             /* NO ACTIVE INSTANCES */
            const struct reply_failure *failures; /* when wanted: one per instance, by id */
            uint32_t failure_count;
        } run_task;
    } u;
};

struct action {
    enum action_kind kind;
    union {
        struct change change;
        struct service_event service_event;
        struct reply reply;
        struct message send; /* lent until the next step; message_copy to keep */
        struct request request;
    } u;
};

struct action_list {
    struct action *items; /* owned by the list */
    size_t count;
    size_t capacity;
};

#endif
