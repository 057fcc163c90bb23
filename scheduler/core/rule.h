/*
 * rule.h -- the rules of the controller, by name, and how often each has fired.
 *
 * Coverage for whoever explores: a rule that never fires in a campaign was not tested by it. A rule
 * is counted where it decides something, not where it is looked at.
 */
#ifndef BERTH_SCHEDULER_CORE_RULE_H
#define BERTH_SCHEDULER_CORE_RULE_H

#include <stdint.h>

/* ROW(constant, name, what it decides) */
#define RULE_LIST(ROW)                                                                         \
    ROW(RULE_START, "start", "a replica was started to reach the desired count")               \
    ROW(RULE_START_REFUSED, "start-refused", "no instance took a service's task")              \
    ROW(RULE_SCALE_IN, "scale-in", "a task above the desired count was stopped")               \
    ROW(RULE_ROLL_STOP, "roll-stop", "a task of an old deployment was stopped within budget")  \
    ROW(RULE_ROLL_PENDING, "roll-pending", "an old task that was not running yet was stopped") \
    ROW(RULE_DRAIN_STOP, "drain-stop", "a task on a draining instance was stopped")            \
    ROW(RULE_DEADLOCK, "deadlock", "neither floor nor ceiling let anything move")              \
    ROW(RULE_THROTTLE, "throttle", "starts that fail in a row were delayed")                   \
    ROW(RULE_LAUNCH_RATE, "launch-rate", "500 launches a minute were reached")                 \
    ROW(RULE_UNHEALTHY_START_FIRST, "unhealthy-start-first",                                   \
        "a replacement was started beside an unhealthy task")                                  \
    ROW(RULE_UNHEALTHY_STOP_FIRST, "unhealthy-stop-first",                                     \
        "an unhealthy task was stopped to make room for its replacement")                      \
    ROW(RULE_GRACE, "grace", "bad health was ignored within the grace period")                 \
    ROW(RULE_PROTECTED, "protected", "a protected task was passed over")                       \
    ROW(RULE_REBALANCE_START, "rebalance-start", "a task was started in the emptiest zone")    \
    ROW(RULE_REBALANCE_STOP, "rebalance-stop", "a task was stopped in the fullest zone")       \
    ROW(RULE_BRAKE, "brake", "a mass disconnect kept instances from being declared lost")      \
    ROW(RULE_HOST_LOST, "host-lost", "an instance was declared lost")                          \
    ROW(RULE_DAEMON_START, "daemon-start", "a daemon's task was started on an instance")       \
    ROW(RULE_DAEMON_STOP, "daemon-stop", "a daemon's task was stopped")                        \
    ROW(RULE_DEPLOY_COMPLETED, "deploy-completed", "a deployment completed")                   \
    ROW(RULE_DEPLOY_SUPERSEDED, "deploy-superseded", "a newer deployment took over")           \
    ROW(RULE_BREAKER, "breaker", "the circuit breaker failed a deployment")                    \
    ROW(RULE_BREAKER_RESET, "breaker-reset", "a healthy task reset the breaker's count")       \
    ROW(RULE_ROLLBACK, "rollback", "a deployment was rolled back")                             \
    ROW(RULE_STALL, "stall", "a failed deployment had nothing to roll back to")                \
    ROW(RULE_ALARM, "alarm", "an alarm failed a deployment")                                   \
    ROW(RULE_SHIFT, "shift", "production traffic was shifted")                                 \
    ROW(RULE_HOOK, "hook", "a life-cycle hook was invoked")                                    \
    ROW(RULE_HOOK_FAILED, "hook-failed", "a life-cycle hook failed or timed out")              \
    ROW(RULE_TASK_SET, "task-set", "a task set was scaled")                                    \
    ROW(RULE_BASE, "provider-base", "a task went to a provider for its base")                  \
    ROW(RULE_WEIGHT, "provider-weight", "a task went to a provider by weight")                 \
    ROW(RULE_GROUP_OUT, "group-out", "an instance group was made larger")                      \
    ROW(RULE_GROUP_IN, "group-in", "an instance of a group was given back")                    \
    ROW(RULE_MANAGED_DRAIN, "managed-drain", "an instance was drained before its termination") \
    ROW(RULE_FARGATE, "fargate", "Fargate was asked for a task's machine")                     \
    ROW(RULE_INTERRUPTED, "interrupted", "a Spot task was taken back")                         \
    ROW(RULE_TARGET_TRACKING_OUT, "tracking-out", "target tracking raised a desired count")    \
    ROW(RULE_TARGET_TRACKING_IN, "tracking-in", "target tracking lowered a desired count")     \
    ROW(RULE_STEP_SCALING, "step-scaling", "step scaling changed a desired count")             \
    ROW(RULE_SCHEDULED, "scheduled", "a scheduled action changed a target's bounds")           \
    ROW(RULE_COOLDOWN, "cooldown", "a cooldown held an auto scaling change back")              \
    ROW(RULE_WAIT_PLACED, "wait-placed", "a waiting task found room")                          \
    ROW(RULE_WAIT_GIVEN_UP, "wait-given-up", "a waiting task was given up")                    \
    ROW(RULE_REPEAT, "repeat", "a repeated or stale message changed nothing")                  \
    ROW(RULE_MANIFEST, "manifest", "an agent was told what it should run")                     \
    ROW(RULE_STRAY_STOPPED, "stray-stopped", "an agent was told to stop a task nobody wants")  \
    ROW(RULE_API_THROTTLED, "api-throttled", "a call was refused for its category's rate")     \
    ROW(RULE_SIZE_QUOTA, "size-quota", "a call was refused for a quota")                       \
    ROW(RULE_RESUMED, "resumed", "unanswered requests were asked again")

enum rule {
#define RULE_CONSTANT(constant, name, what) constant,
    RULE_LIST(RULE_CONSTANT)
#undef RULE_CONSTANT
        RULE_COUNT
};

struct rule_info {
    const char *name;
    const char *what;
};

extern const struct rule_info rule_infos[RULE_COUNT];

#endif
