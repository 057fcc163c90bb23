/*
 * event.h -- everything that can happen to the controller: commands, agents' messages, the timer.
 *
 * An event is a value. Its texts and arrays are borrowed for the step. Together with the time of
 * its step it determines, from a given state, the next state and every action, so a recorded list
 * of (time, event) replays a run exactly. The text form is in transcript.h.
 */
#ifndef BERTH_SCHEDULER_CORE_EVENT_H
#define BERTH_SCHEDULER_CORE_EVENT_H

#include "scheduler/core/capacity.h"
#include "scheduler/core/deployment.h"
#include "scheduler/placement/placement.h"
#include "scheduler/policy/datapoints.h"
#include "scheduler/policy/step_scaling.h"

enum event_kind {
    EVENT_TIMER = 0, /* a deadline of the controller has come */
    EVENT_REGISTER_TASK_DEFINITION,
    EVENT_REGISTER_INSTANCE,
    EVENT_DEREGISTER_INSTANCE,
    EVENT_UPDATE_INSTANCE_STATE, /* UpdateContainerInstancesState */
    EVENT_AGENT_CONNECTED,
    EVENT_AGENT_DISCONNECTED,
    EVENT_RUN_TASK,
    EVENT_STOP_TASK,
    EVENT_CREATE_SERVICE,
    EVENT_UPDATE_SERVICE,
    EVENT_DELETE_SERVICE,
    EVENT_STOP_SERVICE_DEPLOYMENT,
    EVENT_CONTINUE_SERVICE_DEPLOYMENT, /* the operator's word on a pause hook */
    EVENT_CREATE_TASK_SET,             /* EXTERNAL services */
    EVENT_UPDATE_TASK_SET,
    EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET,
    EVENT_DELETE_TASK_SET,
    EVENT_UPDATE_TASK_PROTECTION,
    EVENT_REGISTER_SCALABLE_TARGET, /* service auto scaling: autoscaling.h */
    EVENT_DEREGISTER_SCALABLE_TARGET,
    EVENT_PUT_SCALING_POLICY,
    EVENT_DELETE_SCALING_POLICY,
    EVENT_PUT_SCHEDULED_ACTION,
    EVENT_DELETE_SCHEDULED_ACTION,
    EVENT_PUT_CAPACITY_PROVIDER, /* CreateCapacityProvider, UpdateCapacityProvider */
    EVENT_DELETE_CAPACITY_PROVIDER,
    EVENT_PUT_DEFAULT_PROVIDERS, /* the cluster's defaultCapacityProviderStrategy */
    EVENT_MESSAGE,               /* from an agent */
    EVENT_ANSWER,                /* from what is around the cluster: outside.h */
    EVENT_RESUME,                /* the driver began anew: unanswered requests are asked again */
    EVENT_KIND_COUNT
};

extern const char *const event_kind_names[EVENT_KIND_COUNT]; /* "RegisterTaskDefinition", ... */

struct attribute_text {
    const char *name;
    const char *value; /* NULL: no value */
};

enum scheduling_strategy { SCHEDULING_REPLICA = 0, SCHEDULING_DAEMON };

/* Why an instance leaves: decides its tasks' stoppedReason (semantics 3.4). */
enum deregister_cause {
    DEREGISTER_FORCED = 0, /* "Container instance deregistration forced by user" */
    DEREGISTER_TERMINATED, /* "Host EC2 (instance ID) terminated." */
};

struct event_register_instance {
    instance_id existing; /* re-registration; INSTANCE_NONE for a new one */
    const char *ec2_id;
    const char *agent_version;
    int32_t cpu_units, mem_mib;
    uint16_t gpu_count;
    uint16_t eni_limit;
    const uint16_t *tcp_ports_used, *udp_ports_used;
    uint16_t tcp_port_count, udp_port_count;
    const struct attribute_text *attributes; /* ecs.availability-zone among them */
    uint32_t attribute_count;
    const char *provider; /* the instance group's capacity provider, or NULL */
    task_id fargate_task; /* the one task that this machine was made for, or TASK_NONE */
};

#define OVERRIDE_NONE (-1)

struct event_run_task {
    const char *task_definition; /* "family", "family:7" or ARN */
    const char *group;           /* NULL: family:FAMILY */
    const char *started_by;      /* may be NULL */
    uint32_t count;              /* >= 1 */
    uint64_t reference;          /* given to every copy of the call */
    bool waits; /* what does not fit waits in PROVISIONING, else it is refused; with providers
                   always */
    bool wants_failures; /* the reply lists every instance, not only counts */
    const struct placement_strategy_spec *strategies;
    const struct placement_constraint_spec *constraints;
    uint16_t strategy_count, constraint_count;
    int32_t cpu_units, mem_mib;     /* overrides; OVERRIDE_NONE */
    const struct gpu_request *gpus; /* override of the GPU requests */
    uint16_t gpu_count;
    bool overrides_gpus;
    bool takes_launch_type;                 /* EC2: the cluster's default strategy does not apply */
    const struct provider_share *providers; /* capacityProviderStrategy; none: the cluster's */
    uint16_t provider_count;
};

struct event_service {
    const char *service; /* the name */
    /* create: all; update: only what its flag says */
    const char *task_definition; /* update: NULL keeps it; another one starts a deployment */
    enum scheduling_strategy scheduling; /* create */
    int32_t desired_count;               /* update: OVERRIDE_NONE keeps it */
    int32_t minimum_healthy_percent;     /* OVERRIDE_NONE: default (create), keep (update) */
    int32_t maximum_percent;
    bool force_new_deployment;
    bool force;           /* delete */
    bool sets_strategies; /* update: replace them */
    bool sets_constraints;
    const struct placement_strategy_spec *strategies;
    const struct placement_constraint_spec *constraints;
    uint16_t strategy_count, constraint_count;
    enum deployment_controller controller;      /* create */
    bool sets_settings;                         /* update: replace them */
    const struct deployment_settings *settings; /* NULL: defaults */
    bool sets_target_groups;                    /* update: another list starts a deployment */
    const char *const *target_groups;           /* names, at most TARGET_GROUPS_MAX */
    uint16_t target_group_count;
    int32_t grace_s; /* healthCheckGracePeriodSeconds; OVERRIDE_NONE: default 0, or keep */
    /* availabilityZoneRebalancing: 1 ENABLED, 0 DISABLED; OVERRIDE_NONE: default (create:
       ENABLED), or keep */
    int32_t rebalancing;
    bool sets_providers;                    /* update: replace them; a deployment */
    bool takes_launch_type;                 /* EC2: the cluster's default strategy does not apply */
    const struct provider_share *providers; /* capacityProviderStrategy; none: the cluster's */
    uint16_t provider_count;
};

struct event_capacity_provider {
    const char *provider; /* FARGATE and FARGATE_SPOT are called by their kinds */
    struct capacity_provider_settings settings;
};

struct event_default_providers {
    const struct provider_share *providers;
    uint16_t provider_count;
};

struct event_service_deployment { /* Stop, Continue */
    const char *service;
    uint64_t deployment; /* 0: the one in progress */
    const char *hook;    /* Continue: the pause hook's name; NULL: every one that waits */
    bool rolls_back;     /* Stop: stopType ROLLBACK (else ABORT); Continue: action ROLLBACK */
};

struct event_task_set {
    const char *service;
    uint64_t task_set;                /* all but create */
    const char *task_definition;      /* create */
    int32_t scale_permille;           /* create, update: 0..1000 */
    bool force;                       /* delete: without scaling down first */
    const char *const *target_groups; /* create */
    uint16_t target_group_count;
};

struct event_task_protection {
    task_id task;
    bool is_protected;
    uint32_t minutes; /* 1..2880; 0: the default, 120 */
};

struct event_scalable_target { /* register, deregister */
    const char *service;
    int32_t min_capacity, max_capacity; /* OVERRIDE_NONE keeps it; both are needed at first */
    /* SuspendedState: 1, 0, or OVERRIDE_NONE to keep it */
    int32_t suspends_in, suspends_out, suspends_scheduled;
};

enum scaling_policy_kind { SCALING_TARGET_TRACKING = 0, SCALING_STEP, SCALING_POLICY_KIND_COUNT };

extern const char *const scaling_policy_kind_names[SCALING_POLICY_KIND_COUNT];

struct event_scaling_policy { /* put, delete; put replaces one of the same name */
    const char *service;
    const char *policy;
    enum scaling_policy_kind kind;
    enum scaling_metric metric;
    int32_t out_cooldown_s; /* of a step policy: its Cooldown; OVERRIDE_NONE: 300 */
    int32_t in_cooldown_s;
    int64_t target_milli; /* target tracking: TargetValue in thousandths */
    bool disables_scale_in;
    enum adjustment_type adjustment; /* step scaling, and the alarm that it hangs on: */
    uint32_t minimum_magnitude;      /* 0: none */
    enum comparison comparison;
    int64_t threshold_milli;
    uint32_t datapoints_to_alarm, evaluation_periods; /* 0: all, 1 */
    const char *const *steps;                         /* as step_format writes them, ascending */
    uint16_t step_count;
};

struct event_scheduled_action { /* put, delete; put replaces one of the same name */
    const char *service;
    const char *action;
    const char *schedule;                /* policy/schedule.h */
    const char *timezone;                /* NULL or UTC */
    int32_t min_capacity, max_capacity;  /* OVERRIDE_NONE keeps what there is */
    berth_ns start_wall_ns, end_wall_ns; /* 0: no such bound */
};

struct event {
    enum event_kind kind;
    uint64_t token; /* commands: given back in the reply; 0 = none is wanted */
    union {
        struct task_def *task_def; /* REGISTER_TASK_DEFINITION: taken by the controller */
        struct event_register_instance register_instance;
        struct {
            instance_id instance;
            bool force;
            enum deregister_cause cause;
        } deregister_instance;
        struct {
            instance_id instance;
            enum instance_status status; /* ACTIVE or DRAINING */
        } update_instance_state;
        instance_id agent; /* AGENT_CONNECTED, AGENT_DISCONNECTED */
        struct event_run_task run_task;
        struct {
            task_id task;
            const char *reason; /* NULL: "Task stopped by user" */
        } stop_task;
        struct event_service service;
        struct event_service_deployment service_deployment;
        struct event_task_set task_set;
        struct event_task_protection task_protection;
        struct event_scalable_target scalable_target;
        struct event_scaling_policy scaling_policy;
        struct event_scheduled_action scheduled_action;
        struct event_capacity_provider capacity_provider;
        struct event_default_providers default_providers;
        struct message message;
        struct answer answer;
    } u;
};

#endif
