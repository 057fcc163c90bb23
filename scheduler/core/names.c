/* The words of the model: ECS's own where ECS has one, else berth's, in lower case. */
#include "scheduler/core/action.h"

const char *const task_health_names[TASK_HEALTH_COUNT] = {
    [HEALTH_UNKNOWN] = "UNKNOWN",
    [HEALTH_HEALTHY] = "HEALTHY",
    [HEALTH_UNHEALTHY] = "UNHEALTHY",
};

const char *const request_kind_names[REQUEST_KIND_COUNT] = {
    [REQUEST_REGISTER_TARGET] = "RegisterTarget",
    [REQUEST_DEREGISTER_TARGET] = "DeregisterTarget",
    [REQUEST_ATTACH_INTERFACE] = "AttachInterface",
    [REQUEST_DETACH_INTERFACE] = "DetachInterface",
    [REQUEST_SHIFT_TRAFFIC] = "ShiftTraffic",
    [REQUEST_INVOKE_HOOK] = "InvokeHook",
    [REQUEST_RESIZE_GROUP] = "ResizeGroup",
    [REQUEST_TERMINATE_INSTANCE] = "TerminateInstance",
    [REQUEST_LAUNCH_FARGATE] = "LaunchFargate",
};

const char *const answer_kind_names[ANSWER_KIND_COUNT] = {
    [ANSWER_TARGET] = "Target", [ANSWER_INTERFACE] = "Interface", [ANSWER_TRAFFIC] = "Traffic",
    [ANSWER_HOOK] = "Hook",     [ANSWER_ALARM] = "Alarm",         [ANSWER_METRIC] = "Metric",
    [ANSWER_GROUP] = "Group",
};

const char *const target_state_names[TARGET_STATE_COUNT] = {
    [TARGET_UNUSED] = "unused",       [TARGET_INITIAL] = "initial",   [TARGET_HEALTHY] = "healthy",
    [TARGET_UNHEALTHY] = "unhealthy", [TARGET_DRAINING] = "draining",
};

const char *const hook_status_names[HOOK_STATUS_COUNT] = {
    [HOOK_SUCCEEDED] = "SUCCEEDED",
    [HOOK_FAILED] = "FAILED",
    [HOOK_IN_PROGRESS] = "IN_PROGRESS",
};

const char *const scaling_metric_names[SCALING_METRIC_COUNT] = {
    [SCALING_CPU] = "ECSServiceAverageCPUUtilization",
    [SCALING_MEMORY] = "ECSServiceAverageMemoryUtilization",
    [SCALING_REQUESTS] = "ALBRequestCountPerTarget",
};

const char *const scaling_policy_kind_names[SCALING_POLICY_KIND_COUNT] = {
    [SCALING_TARGET_TRACKING] = "TargetTrackingScaling",
    [SCALING_STEP] = "StepScaling",
};

const char *const deployment_strategy_names[DEPLOYMENT_STRATEGY_COUNT] = {
    [DEPLOY_ROLLING] = "ROLLING",
    [DEPLOY_BLUE_GREEN] = "BLUE_GREEN",
    [DEPLOY_LINEAR] = "LINEAR",
    [DEPLOY_CANARY] = "CANARY",
};

const char *const deployment_stage_names[STAGE_COUNT] = {
    [STAGE_RECONCILE_SERVICE] = "RECONCILE_SERVICE",
    [STAGE_PRE_SCALE_UP] = "PRE_SCALE_UP",
    [STAGE_SCALE_UP] = "SCALE_UP",
    [STAGE_POST_SCALE_UP] = "POST_SCALE_UP",
    [STAGE_TEST_TRAFFIC_SHIFT] = "TEST_TRAFFIC_SHIFT",
    [STAGE_POST_TEST_TRAFFIC_SHIFT] = "POST_TEST_TRAFFIC_SHIFT",
    [STAGE_PRE_PRODUCTION_TRAFFIC_SHIFT] = "PRE_PRODUCTION_TRAFFIC_SHIFT",
    [STAGE_PRODUCTION_TRAFFIC_SHIFT] = "PRODUCTION_TRAFFIC_SHIFT",
    [STAGE_POST_PRODUCTION_TRAFFIC_SHIFT] = "POST_PRODUCTION_TRAFFIC_SHIFT",
    [STAGE_BAKE_TIME] = "BAKE_TIME",
    [STAGE_CLEAN_UP] = "CLEAN_UP",
};

const char *const rollout_state_names[ROLLOUT_COUNT] = {
    [ROLLOUT_IN_PROGRESS] = "IN_PROGRESS",
    [ROLLOUT_COMPLETED] = "COMPLETED",
    [ROLLOUT_FAILED] = "FAILED",
};

const char *const service_deployment_status_names[SERVICE_DEPLOYMENT_STATUS_COUNT] = {
    [SERVICE_DEPLOYMENT_PENDING] = "PENDING",
    [SERVICE_DEPLOYMENT_IN_PROGRESS] = "IN_PROGRESS",
    [SERVICE_DEPLOYMENT_SUCCESSFUL] = "SUCCESSFUL",
    [SERVICE_DEPLOYMENT_STOP_REQUESTED] = "STOP_REQUESTED",
    [SERVICE_DEPLOYMENT_STOPPED] = "STOPPED",
    [SERVICE_DEPLOYMENT_ROLLBACK_REQUESTED] = "ROLLBACK_REQUESTED",
    [SERVICE_DEPLOYMENT_ROLLBACK_IN_PROGRESS] = "ROLLBACK_IN_PROGRESS",
    [SERVICE_DEPLOYMENT_ROLLBACK_SUCCESSFUL] = "ROLLBACK_SUCCESSFUL",
    [SERVICE_DEPLOYMENT_ROLLBACK_FAILED] = "ROLLBACK_FAILED",
};

const char *const rollout_cause_names[ROLLOUT_CAUSE_COUNT] = {
    [ROLLOUT_CAUSE_NONE] = "",
    [ROLLOUT_CAUSE_BREAKER] = "circuit-breaker",
    [ROLLOUT_CAUSE_ALARM] = "alarm",
    [ROLLOUT_CAUSE_HOOK] = "hook",
    [ROLLOUT_CAUSE_USER] = "user",
    [ROLLOUT_CAUSE_STAGE_TIMEOUT] = "stage-timeout",
    [ROLLOUT_CAUSE_SUPERSEDED] = "superseded",
};

const char *const task_status_names[TASK_STATUS_COUNT] = {
    [TASK_PROVISIONING] = "PROVISIONING",     [TASK_PENDING] = "PENDING",
    [TASK_ACTIVATING] = "ACTIVATING",         [TASK_RUNNING] = "RUNNING",
    [TASK_DEACTIVATING] = "DEACTIVATING",     [TASK_STOPPING] = "STOPPING",
    [TASK_DEPROVISIONING] = "DEPROVISIONING", [TASK_STOPPED] = "STOPPED",
};

/* ECS acknowledges a state change in the reply of the call; as a message it needs a name. */
const char *const message_kind_names[MESSAGE_KIND_COUNT] = {
    [MESSAGE_PAYLOAD] = "PayloadMessage",
    [MESSAGE_MANIFEST] = "TaskManifestMessage",
    [MESSAGE_STOP_VERIFICATION_ACK] = "TaskStopVerificationAck",
    [MESSAGE_REPORT_ACK] = "SubmitTaskStateChangeAck",
    [MESSAGE_ACK] = "AckRequest",
    [MESSAGE_STOP_VERIFICATION] = "TaskStopVerificationMessage",
    [MESSAGE_TASK_STATE] = "SubmitTaskStateChange",
};

const char *const exit_cause_names[EXIT_CAUSE_COUNT] = {
    [EXIT_NONE] = "",
    [EXIT_ESSENTIAL] = "essential-exit",
    [EXIT_STOPPED] = "stopped",
    [EXIT_PULL_FAILED] = "pull-failed",
    [EXIT_START_FAILED] = "start-failed",
    [EXIT_HOST_LOST] = "host-lost",
    [EXIT_OUT_OF_MEMORY] = "out-of-memory",
    [EXIT_TIMEOUT] = "timeout",
    [EXIT_DEPENDENCY] = "dependency",
};

const char *const event_kind_names[EVENT_KIND_COUNT] = {
    [EVENT_TIMER] = "Timer",
    [EVENT_REGISTER_TASK_DEFINITION] = "RegisterTaskDefinition",
    [EVENT_REGISTER_INSTANCE] = "RegisterContainerInstance",
    [EVENT_DEREGISTER_INSTANCE] = "DeregisterContainerInstance",
    [EVENT_UPDATE_INSTANCE_STATE] = "UpdateContainerInstancesState",
    [EVENT_AGENT_CONNECTED] = "AgentConnected",
    [EVENT_AGENT_DISCONNECTED] = "AgentDisconnected",
    [EVENT_RUN_TASK] = "RunTask",
    [EVENT_STOP_TASK] = "StopTask",
    [EVENT_CREATE_SERVICE] = "CreateService",
    [EVENT_UPDATE_SERVICE] = "UpdateService",
    [EVENT_DELETE_SERVICE] = "DeleteService",
    [EVENT_STOP_SERVICE_DEPLOYMENT] = "StopServiceDeployment",
    [EVENT_CONTINUE_SERVICE_DEPLOYMENT] = "ContinueServiceDeployment",
    [EVENT_CREATE_TASK_SET] = "CreateTaskSet",
    [EVENT_UPDATE_TASK_SET] = "UpdateTaskSet",
    [EVENT_UPDATE_SERVICE_PRIMARY_TASK_SET] = "UpdateServicePrimaryTaskSet",
    [EVENT_DELETE_TASK_SET] = "DeleteTaskSet",
    [EVENT_UPDATE_TASK_PROTECTION] = "UpdateTaskProtection",
    [EVENT_REGISTER_SCALABLE_TARGET] = "RegisterScalableTarget",
    [EVENT_DEREGISTER_SCALABLE_TARGET] = "DeregisterScalableTarget",
    [EVENT_PUT_SCALING_POLICY] = "PutScalingPolicy",
    [EVENT_DELETE_SCALING_POLICY] = "DeleteScalingPolicy",
    [EVENT_PUT_SCHEDULED_ACTION] = "PutScheduledAction",
    [EVENT_DELETE_SCHEDULED_ACTION] = "DeleteScheduledAction",
    [EVENT_PUT_CAPACITY_PROVIDER] = "PutCapacityProvider",
    [EVENT_DELETE_CAPACITY_PROVIDER] = "DeleteCapacityProvider",
    [EVENT_PUT_DEFAULT_PROVIDERS] = "PutDefaultProviders",
    [EVENT_MESSAGE] = "Message",
    [EVENT_ANSWER] = "Answer",
    [EVENT_RESUME] = "Resume",
};

const char *const action_kind_names[ACTION_KIND_COUNT] = {
    [ACTION_CHANGE] = "Change",   [ACTION_SERVICE_EVENT] = "ServiceEvent",
    [ACTION_REPLY] = "Reply",     [ACTION_SEND] = "Send",
    [ACTION_REQUEST] = "Request",
};

const char *const record_kind_names[RECORD_KIND_COUNT] = {
    [RECORD_CONTROLLER] = "controller",
    [RECORD_TASK_DEFINITION] = "task-definition",
    [RECORD_INSTANCE] = "instance",
    [RECORD_SERVICE] = "service",
    [RECORD_TASK] = "task",
    [RECORD_GROUP] = "group",
    [RECORD_DEPLOYMENT] = "deployment",
    [RECORD_SCALING] = "scaling",
    [RECORD_PROVIDER] = "provider",
};

const char *const stop_code_names[STOP_CODE_COUNT] = {
    [STOP_NONE] = "",
    [STOP_TASK_FAILED_TO_START] = "TaskFailedToStart",
    [STOP_ESSENTIAL_CONTAINER_EXITED] = "EssentialContainerExited",
    [STOP_USER_INITIATED] = "UserInitiated",
    [STOP_SERVICE_SCHEDULER_INITIATED] = "ServiceSchedulerInitiated",
    [STOP_SPOT_INTERRUPTION] = "SpotInterruption",
    [STOP_TERMINATION_NOTICE] = "TerminationNotice",
};

const char *const stop_reason_names[STOP_REASON_COUNT] = {
    [STOP_REASON_NONE] = "",
    [STOP_REASON_SCALING] = "scaling",
    [STOP_REASON_DEPLOYMENT] = "deployment",
    [STOP_REASON_DRAINING] = "draining",
    [STOP_REASON_USER] = "user",
    [STOP_REASON_ESSENTIAL_EXIT] = "essential-exit",
    [STOP_REASON_PULL_FAILED] = "pull-failed",
    [STOP_REASON_START_FAILED] = "start-failed",
    [STOP_REASON_HOST_TERMINATED] = "host-terminated",
    [STOP_REASON_HOST_LOST] = "host-lost",
    [STOP_REASON_DEREGISTERED] = "deregistered",
    [STOP_REASON_CAPACITY] = "capacity",
    [STOP_REASON_SERVICE_DELETED] = "service-deleted",
    [STOP_REASON_CONSTRAINT] = "constraint",
    [STOP_REASON_UNHEALTHY_TARGET] = "unhealthy-target",
    [STOP_REASON_UNHEALTHY_CONTAINER] = "unhealthy-container",
    [STOP_REASON_REBALANCING] = "rebalancing",
    [STOP_REASON_INTERRUPTED] = "interrupted",
    [STOP_REASON_HOST_STOPPED] = "host-stopped",
    [STOP_REASON_INTERFACE_FAILED] = "interface-failed",
    [STOP_REASON_OUT_OF_MEMORY] = "out-of-memory",
    [STOP_REASON_TIMEOUT] = "timeout",
    [STOP_REASON_DEPENDENCY] = "dependency",
};

/* EventBridge's eventName; or berth's, where ECS gives the message without a name. */
const char *const service_event_kind_names[SERVICE_EVENT_KIND_COUNT] = {
    [SERVICE_EVENT_STARTED_TASKS] = "TASKS_STARTED",
    [SERVICE_EVENT_STOPPED_TASKS] = "TASKS_STOPPED",
    [SERVICE_EVENT_STEADY_STATE] = "SERVICE_STEADY_STATE",
    [SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS] = "SERVICE_DEPLOYMENT_IN_PROGRESS",
    [SERVICE_EVENT_DEPLOYMENT_COMPLETED] = "SERVICE_DEPLOYMENT_COMPLETED",
    [SERVICE_EVENT_DEPLOYMENT_FAILED] = "SERVICE_DEPLOYMENT_FAILED",
    [SERVICE_EVENT_PLACEMENT_FAILURE] = "SERVICE_TASK_PLACEMENT_FAILURE",
    [SERVICE_EVENT_START_IMPAIRED] = "SERVICE_TASK_START_IMPAIRED",
    [SERVICE_EVENT_DEADLOCK] = "SERVICE_DEPLOYMENT_BLOCKED",
    [SERVICE_EVENT_DESIRED_COUNT_UPDATED] = "SERVICE_DESIRED_COUNT_UPDATED",
    [SERVICE_EVENT_DAEMON_CONSTRAINT_VIOLATED] = "SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED",
    [SERVICE_EVENT_PROTECTED] = "TASKSET_SCALE_IN_FAILURE_BY_TASK_PROTECTION",
    [SERVICE_EVENT_REBALANCING_STARTED] = "SERVICE_REBALANCING_STARTED",
    [SERVICE_EVENT_REBALANCING_COMPLETED] = "SERVICE_REBALANCING_COMPLETED",
    [SERVICE_EVENT_REBALANCING_STOPPED] = "SERVICE_REBALANCING_STOPPED",
    [SERVICE_EVENT_REBALANCE_STARTED_TASKS] = "TASKS_STARTED_IN_ZONE",
    [SERVICE_EVENT_REBALANCE_STOPPED_TASKS] = "TASKS_STOPPED_IN_ZONE",
    [SERVICE_EVENT_REBALANCE_NO_ROOM] = "SERVICE_REBALANCING_PLACEMENT_FAILURE",
    [SERVICE_EVENT_REBALANCE_PROTECTED] = "SERVICE_REBALANCING_BLOCKED",
    [SERVICE_EVENT_BRAKE_ON] = "BERTH_BRAKE_ON",
    [SERVICE_EVENT_BRAKE_OFF] = "BERTH_BRAKE_OFF",
    [SERVICE_EVENT_REGISTERED_TARGETS] = "SERVICE_TARGETS_REGISTERED",
    [SERVICE_EVENT_DEREGISTERED_TARGETS] = "SERVICE_TARGETS_DEREGISTERED",
    [SERVICE_EVENT_DRAINING] = "SERVICE_CONNECTIONS_DRAINING",
    [SERVICE_EVENT_UNHEALTHY_TARGET] = "SERVICE_TASK_TARGET_UNHEALTHY",
    [SERVICE_EVENT_PROVISIONING_LIMIT] = "SERVICE_TASK_PROVISIONING_LIMIT",
    [SERVICE_EVENT_EMPTY_PROVIDER] = "SERVICE_CAPACITY_PROVIDER_EMPTY",
    [SERVICE_EVENT_HOOK_AWAITING] = "HOOK_AWAITING_ACTION",
    [SERVICE_EVENT_HOOK_SUCCEEDED] = "HOOK_SUCCEEDED",
    [SERVICE_EVENT_HOOK_FAILED] = "HOOK_FAILED",
    [SERVICE_EVENT_HOOK_TIMED_OUT] = "HOOK_TIMED_OUT",
};

const char *const provider_kind_names[PROVIDER_KIND_COUNT] = {
    [PROVIDER_GROUP] = "GROUP",
    [PROVIDER_FARGATE] = "FARGATE",
    [PROVIDER_FARGATE_SPOT] = "FARGATE_SPOT",
};
