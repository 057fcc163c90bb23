/*
 * outside.h -- what the controller asks of the things around a cluster, and what they answer.
 *
 *     load balancers       targets, traffic weights      hooks          life-cycle functions
 *     the network          task interfaces (awsvpc)      alarms         of deployments
 *     instance groups      size, termination, Fargate    metrics        for auto scaling
 *
 * A request is an effect: it leaves after the change that decided it is durable. It states what
 * should be, so it may be repeated at will. EVENT_RESUME (the driver began anew, and requests may
 * have been lost with the one before) asks again for everything that was not answered. An answer
 * may come twice, late, or for something that is gone: then it changes nothing. The simulator's
 * side of this is sim/world; a daemon has real ones.
 *
 * Nothing here has a setting of a load balancer, group or hook: who answers knows its own.
 */
#ifndef BERTH_SCHEDULER_CORE_OUTSIDE_H
#define BERTH_SCHEDULER_CORE_OUTSIDE_H

#include "scheduler/core/message.h"

typedef uint32_t service_id; /* dense, from 0; never used again */
#define SERVICE_NONE UINT32_MAX

enum request_kind {
    REQUEST_REGISTER_TARGET = 0, /* answered: TARGET_INITIAL when known, then its health */
    REQUEST_DEREGISTER_TARGET,   /* answered: TARGET_UNUSED, once its connections have drained */
    REQUEST_ATTACH_INTERFACE,    /* awsvpc, before the task's payload goes out */
    REQUEST_DETACH_INTERFACE,
    REQUEST_SHIFT_TRAFFIC,
    REQUEST_INVOKE_HOOK,
    REQUEST_RESIZE_GROUP,       /* so many instances should be in service; grows, never shrinks */
    REQUEST_TERMINATE_INSTANCE, /* of a group: shrinks it by this one */
    REQUEST_LAUNCH_FARGATE,     /* answered by a registration that names the task, or GROUP */
    REQUEST_KIND_COUNT
};

extern const char *const request_kind_names[REQUEST_KIND_COUNT]; /* "RegisterTarget", ... */

/* Stages of a blue/green, linear or canary deployment, in order (semantics 4.12). */
enum deployment_stage {
    STAGE_RECONCILE_SERVICE = 0,
    STAGE_PRE_SCALE_UP,
    STAGE_SCALE_UP,
    STAGE_POST_SCALE_UP,
    STAGE_TEST_TRAFFIC_SHIFT,
    STAGE_POST_TEST_TRAFFIC_SHIFT,
    STAGE_PRE_PRODUCTION_TRAFFIC_SHIFT,
    STAGE_PRODUCTION_TRAFFIC_SHIFT,
    STAGE_POST_PRODUCTION_TRAFFIC_SHIFT,
    STAGE_BAKE_TIME,
    STAGE_CLEAN_UP,
    STAGE_COUNT
};

extern const char *const deployment_stage_names[STAGE_COUNT]; /* "RECONCILE_SERVICE", ... */

struct traffic_weight {
    uint64_t deployment; /* ecs-svc/NUMBER */
    uint32_t permille;   /* 0..1000; those of a listener sum to 1000 */
};

struct request {
    enum request_kind kind;
    service_id service; /* whose it is; SERVICE_NONE: a standalone task's, a group's */
    uint64_t deployment;
    union {
        struct {
            task_id task;
            instance_id instance;
            const char *target_group; /* its name; lent by the controller's symbols */
        } target;
        struct {
            task_id task;
            instance_id instance;
        } interface;
        struct {
            bool is_test; /* the test listener, else production */
            struct traffic_weight weights[2];
            uint32_t count; /* 0: no weights; targets of every deployment alike, answered by 1000 */
        } traffic;
        struct {
            const char *name; /* of the hook; lent by the controller's symbols */
            enum deployment_stage stage;
            uint64_t call; /* rises with every invocation of the deployment; answers name it */
        } hook;
        struct {
            const char *provider; /* capacity provider; lent by the controller's symbols */
            uint32_t wanted;      /* RESIZE: instances */
            instance_id instance; /* TERMINATE; INSTANCE_NONE: the machine that `task` waits for */
            task_id task;         /* LAUNCH_FARGATE */
            int32_t cpu_units, mem_mib;
            const char *zone; /* LAUNCH_FARGATE: where; lent likewise */
        } group;
    } u;
};

enum answer_kind {
    ANSWER_TARGET = 0,
    ANSWER_INTERFACE,
    ANSWER_TRAFFIC,
    ANSWER_HOOK,
    ANSWER_ALARM,
    ANSWER_METRIC,
    ANSWER_GROUP,
    ANSWER_KIND_COUNT
};

extern const char *const answer_kind_names[ANSWER_KIND_COUNT]; /* "Target", ... */

enum target_state {
    TARGET_UNUSED = 0, /* not registered, or drained and gone */
    TARGET_INITIAL,    /* registered, not checked often enough yet */
    TARGET_HEALTHY,
    TARGET_UNHEALTHY,
    TARGET_DRAINING,
    TARGET_STATE_COUNT
};

extern const char *const target_state_names[TARGET_STATE_COUNT]; /* "unused", "initial", ... */

enum hook_status { HOOK_SUCCEEDED = 0, HOOK_FAILED, HOOK_IN_PROGRESS, HOOK_STATUS_COUNT };

extern const char *const hook_status_names[HOOK_STATUS_COUNT]; /* "SUCCEEDED", ... */

/* Predefined metrics of service auto scaling (semantics 6.2). */
enum scaling_metric {
    SCALING_CPU = 0,  /* ECSServiceAverageCPUUtilization, percent */
    SCALING_MEMORY,   /* ECSServiceAverageMemoryUtilization, percent */
    SCALING_REQUESTS, /* ALBRequestCountPerTarget, requests per target and minute */
    SCALING_METRIC_COUNT
};

extern const char *const scaling_metric_names[SCALING_METRIC_COUNT];

struct answer {
    enum answer_kind kind;
    union {
        struct {
            task_id task;
            const char *target_group;
            enum target_state state;
        } target;
        struct {
            task_id task;
            bool is_attached; /* else detached, or it could not be attached */
        } interface;
        struct {
            service_id service;
            uint64_t deployment;
            bool is_test;
            uint32_t permille; /* of `deployment`: what is in force now */
        } traffic;
        struct {
            service_id service;
            uint64_t deployment, call;
            enum hook_status status;
        } hook;
        struct {
            const char *name;
            bool is_alarm; /* ALARM, else OK */
        } alarm;
        struct { /* one datapoint: the minute that has just ended */
            const char *service;
            enum scaling_metric metric;
            int64_t value_milli; /* thousandths of the metric's unit */
        } metric;
        struct { /* what a group is now; also told without being asked */
            const char *provider;
            uint32_t in_service;       /* running instances, registered or not */
            uint32_t launching;        /* not in service yet */
            uint32_t minimum, maximum; /* the sizes between which it is kept */
            task_id refused_task;      /* Fargate had no room for it; TASK_NONE: none */
            task_id interrupt_task;    /* Fargate Spot takes it back in two minutes; or TASK_NONE */
        } group;
    } u;
};

#endif
