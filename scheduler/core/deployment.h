/*
 * deployment.h -- what a service is told about its deployments, and what they look like.
 *
 * A deployment rolls one service revision out; ECS's "deployment" (ecs-svc/N), its "service
 * deployment" and, for an EXTERNAL service, a "task set" are one thing here, under one number.
 * Rules: semantics 4.1, 4.3, 4.7, 4.12 to 4.14. Percents are thousandths where ECS allows tenths.
 */
#ifndef BERTH_SCHEDULER_CORE_DEPLOYMENT_H
#define BERTH_SCHEDULER_CORE_DEPLOYMENT_H

#include "scheduler/base/error.h"
#include "scheduler/base/symbols.h"
#include "scheduler/core/outside.h"
#include "scheduler/policy/breaker.h"

#define TARGET_GROUPS_MAX 5      /* of a service (semantics 8) */
#define HOOKS_MAX 20             /* 10 functions and 10 pauses */
#define DEPLOYMENT_ALARMS_MAX 10 /* names in one service's list */
#define DEPLOYMENTS_KEPT 100     /* of a service, beside the live ones and the last completed one */

enum deployment_controller { CONTROLLER_ECS = 0, CONTROLLER_EXTERNAL };

enum deployment_strategy {
    DEPLOY_ROLLING = 0,
    DEPLOY_BLUE_GREEN,
    DEPLOY_LINEAR,
    DEPLOY_CANARY,
    DEPLOYMENT_STRATEGY_COUNT
};

extern const char *const deployment_strategy_names[DEPLOYMENT_STRATEGY_COUNT]; /* "ROLLING", ... */

struct deployment_hook {
    const char *name;
    uint32_t stages;  /* bit set by enum deployment_stage */
    bool is_pause;    /* waits for ContinueServiceDeployment, else a function is invoked */
    bool continues;   /* when its time is out: CONTINUE, else ROLLBACK */
    uint32_t minutes; /* time-out: 1..1440, a pause 1..20160; default 1440 */
};

/* deploymentConfiguration beyond the two percents. Zeroed: ECS's defaults. */
struct deployment_settings {
    enum deployment_strategy strategy;
    struct {
        bool is_enabled, rolls_back;
        bool keeps_count; /* resetOnHealthyTask false */
        enum breaker_threshold type;
        uint32_t value; /* 0: its default, 50 percent */
    } breaker;
    struct {
        bool is_enabled, rolls_back;
        const char *const *names;
        uint16_t count;
    } alarms;
    berth_ns bake_ns;       /* bakeTimeInMinutes; see has_bake */
    bool has_bake;          /* else derived (U12): 300 s with alarms, none without */
    uint32_t step_permille; /* LINEAR, CANARY; 0: their defaults, 100 and 50 */
    berth_ns step_bake_ns;  /* LINEAR, CANARY; 6 and 10 minutes unless has_step_bake */
    bool has_step_bake;
    const struct deployment_hook *hooks;
    uint16_t hook_count;
};

/* Refuse what ECS refuses, with the key and the cure. */
enum berth_err settings_check(const struct deployment_settings *settings,
                              struct berth_error *err) BERTH_MUST_CHECK;

enum rollout_state { ROLLOUT_IN_PROGRESS = 0, ROLLOUT_COMPLETED, ROLLOUT_FAILED, ROLLOUT_COUNT };

extern const char *const rollout_state_names[ROLLOUT_COUNT];

/* Of the service deployment (semantics 4.13). */
enum service_deployment_status {
    SERVICE_DEPLOYMENT_PENDING = 0,
    SERVICE_DEPLOYMENT_IN_PROGRESS,
    SERVICE_DEPLOYMENT_SUCCESSFUL,
    SERVICE_DEPLOYMENT_STOP_REQUESTED,
    SERVICE_DEPLOYMENT_STOPPED,
    SERVICE_DEPLOYMENT_ROLLBACK_REQUESTED,
    SERVICE_DEPLOYMENT_ROLLBACK_IN_PROGRESS,
    SERVICE_DEPLOYMENT_ROLLBACK_SUCCESSFUL,
    SERVICE_DEPLOYMENT_ROLLBACK_FAILED,
    SERVICE_DEPLOYMENT_STATUS_COUNT
};

extern const char *const service_deployment_status_names[SERVICE_DEPLOYMENT_STATUS_COUNT];

/* Why a deployment failed or was taken back. */
enum rollout_cause {
    ROLLOUT_CAUSE_NONE = 0,
    ROLLOUT_CAUSE_BREAKER,
    ROLLOUT_CAUSE_ALARM,
    ROLLOUT_CAUSE_HOOK,
    ROLLOUT_CAUSE_USER,
    ROLLOUT_CAUSE_STAGE_TIMEOUT,
    ROLLOUT_CAUSE_SUPERSEDED,
    ROLLOUT_CAUSE_COUNT
};

extern const char *const rollout_cause_names[ROLLOUT_CAUSE_COUNT];

/*
 * A deployment as it is after a change, by value. Two states, as in ECS: `rollout` is that of the
 * deployment itself, `status` that of the service deployment, which goes on through a rollback.
 */
struct deployment_view {
    service_id service;
    symbol service_name;
    uint64_t deployment;     /* its number */
    uint64_t source;         /* of the deployment it took over from; 0: the first */
    uint64_t rolled_back_to; /* of the deployment started again in its place; 0: none */
    const struct task_def *def;
    bool is_primary;
    bool is_live; /* it has, or may have, tasks; else only its record is left */
    enum rollout_state rollout, previous_rollout;
    enum service_deployment_status status;
    enum rollout_cause cause;
    enum deployment_stage stage; /* of blue/green and its kin; else RECONCILE_SERVICE */
    uint32_t desired_count, pending_count, running_count, healthy_count;
    uint32_t failed_count;                       /* as the breaker counts */
    uint32_t threshold;                          /* of the breaker; 0: it is off */
    uint32_t production_permille, test_permille; /* traffic in force; rolling: 1000 once it runs */
    uint32_t scale_permille;                     /* of a task set */
    berth_ns created_wall_ns, updated_wall_ns;
};

#endif
