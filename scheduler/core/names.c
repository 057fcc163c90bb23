/* The words of the model: ECS's own where ECS has one, else berth's, in lower case. */
#include "scheduler/core/action.h"

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
    [EVENT_MESSAGE] = "Message",
};

const char *const action_kind_names[ACTION_KIND_COUNT] = {
    [ACTION_CHANGE] = "Change",
    [ACTION_SERVICE_EVENT] = "ServiceEvent",
    [ACTION_REPLY] = "Reply",
    [ACTION_SEND] = "Send",
};

const char *const record_kind_names[RECORD_KIND_COUNT] = {
    [RECORD_CONTROLLER] = "controller",
    [RECORD_TASK_DEFINITION] = "task-definition",
    [RECORD_INSTANCE] = "instance",
    [RECORD_SERVICE] = "service",
    [RECORD_TASK] = "task",
    [RECORD_GROUP] = "group",
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
};

/* EventBridge's eventName; the last but one is berth's, whose message ECS gives without a name. */
const char *const service_event_kind_names[SERVICE_EVENT_KIND_COUNT] = {
    [SERVICE_EVENT_STARTED_TASKS] = "TASKS_STARTED",
    [SERVICE_EVENT_STOPPED_TASKS] = "TASKS_STOPPED",
    [SERVICE_EVENT_STEADY_STATE] = "SERVICE_STEADY_STATE",
    [SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS] = "SERVICE_DEPLOYMENT_IN_PROGRESS",
    [SERVICE_EVENT_DEPLOYMENT_COMPLETED] = "SERVICE_DEPLOYMENT_COMPLETED",
    [SERVICE_EVENT_PLACEMENT_FAILURE] = "SERVICE_TASK_PLACEMENT_FAILURE",
    [SERVICE_EVENT_START_IMPAIRED] = "SERVICE_TASK_START_IMPAIRED",
    [SERVICE_EVENT_DEADLOCK] = "SERVICE_DEPLOYMENT_BLOCKED",
    [SERVICE_EVENT_DAEMON_CONSTRAINT_VIOLATED] = "SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED",
};
