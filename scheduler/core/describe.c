/* ECS's sentences: service events (semantics 4.8) and stoppedReason (3.4). */
#include "scheduler/core/controller_internal.h"

static void add_tasks(const struct service_event *event, struct text *out)
{
    char id[33];
    for (uint32_t i = 0; i < event->task_count; i++) {
        id_format(event->tasks[i], id);
        text_addf(out, " (task %s)", id);
    }
}

static void add_all_tasks(const struct service_event *event, struct text *out)
{
    add_tasks(event, out);
    text_add(out, ".");
}

static const char *closest_words(enum placement_verdict verdict)
{
    switch (verdict) {
    case PLACEMENT_CPU:
        return "has insufficient CPU units available.";
    case PLACEMENT_MEMORY:
        return "has insufficient memory available.";
    case PLACEMENT_PORTS:
        return "is already using a port required by your task.";
    case PLACEMENT_ATTRIBUTE:
        return "is missing an attribute required by your task.";
    case PLACEMENT_FITS:
    case PLACEMENT_INACTIVE:
    case PLACEMENT_AGENT:
    case PLACEMENT_LOCATION:
    case PLACEMENT_ENI:
    case PLACEMENT_GPU:
    case PLACEMENT_MEMBER_OF:
    case PLACEMENT_DISTINCT_INSTANCE:
    case PLACEMENT_FARGATE:
    case PLACEMENT_VERDICT_COUNT:
        break;
    }
    return NULL;
}

static void add_placement_failure(const struct controller *controller,
                                  const struct service_event *event, struct text *out)
{
    if (event->verdict == PLACEMENT_FARGATE) {
        text_add(out, " was unable to place a task. Reason: Capacity is unavailable at this time. "
                      "Please try again later or in a different availability zone.");
        return;
    }
    text_add(out, " was unable to place a task because no container instance met all of its "
                  "requirements.");
    if (event->closest == INSTANCE_NONE) {
        text_add(out, " Reason: No Container Instances were found in your cluster.");
        return;
    }
    const struct instance *instance = cluster_instance(controller->cluster, event->closest);
    text_addf(out, " The closest matching (container-instance %s) ",
              symbols_text(controller->symbols, instance->name));
    const char *words = closest_words(event->verdict);
    if (words != NULL)
        text_add(out, words);
    else
        text_addf(out, "encountered error \"%s\".", placement_verdict_names[event->verdict]);
}

/* ELB's own number for it is any 16 digits: here they follow from the name. */
static void add_target_group(const struct controller *controller, symbol target_group,
                             struct text *out)
{
    const char *name = symbols_text(controller->symbols, target_group);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = name; at != NULL && *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    text_addf(out, "(target-group arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/%016llx)",
              controller->options.region, controller->options.account, name == NULL ? "" : name,
              (unsigned long long)hash);
}

/* The port of its first mapping, as the load balancer checks it; 0: it has none. */
static uint32_t port_of(const struct controller *controller, const struct service_event *event)
{
    const struct task *task = task_find(controller, event->tasks[0]);
    const struct demand *demand = task == NULL ? NULL : &task->def->demand;
    return demand == NULL || demand->tcp_port_count == 0 ? 0 : demand->tcp_ports[0];
}

static void add_unhealthy(const struct controller *controller, const struct service_event *event,
                          struct text *out)
{
    add_tasks(event, out);
    text_addf(out, " (port %u) is unhealthy in ", (unsigned)port_of(controller, event));
    add_target_group(controller, event->target_group, out);
    text_add(out, " due to (reason Health checks failed).");
}

static void add_deployment(const struct service_event *event, struct text *out)
{
    text_addf(out, " (deployment ecs-svc/%llu)", (unsigned long long)event->deployment);
}

static const char *failure_words(enum rollout_cause cause)
{
    switch (cause) {
    case ROLLOUT_CAUSE_BREAKER:
        return "tasks failed to start.";
    case ROLLOUT_CAUSE_ALARM:
        return "alarm detected.";
    case ROLLOUT_CAUSE_HOOK:
        return "a life-cycle hook failed.";
    case ROLLOUT_CAUSE_STAGE_TIMEOUT:
        return "a life-cycle stage took longer than 24 hours.";
    case ROLLOUT_CAUSE_USER:
        return "stopped by user.";
    case ROLLOUT_CAUSE_SUPERSEDED:
        return "a newer deployment took over.";
    case ROLLOUT_CAUSE_NONE:
    case ROLLOUT_CAUSE_COUNT:
        break;
    }
    return "";
}

static const char *judge_words(enum rollout_cause cause)
{
    switch (cause) {
    case ROLLOUT_CAUSE_BREAKER:
        return "circuit breaker";
    case ROLLOUT_CAUSE_ALARM:
        return "alarms";
    case ROLLOUT_CAUSE_HOOK:
    case ROLLOUT_CAUSE_STAGE_TIMEOUT:
        return "lifecycle";
    case ROLLOUT_CAUSE_USER:
        return "stop";
    case ROLLOUT_CAUSE_SUPERSEDED:
    case ROLLOUT_CAUSE_NONE:
    case ROLLOUT_CAUSE_COUNT:
        break;
    }
    return "";
}

static void add_rollback(enum rollout_cause cause, uint64_t deployment, struct text *out)
{
    text_addf(out, " ECS deployment %s: rolling back to deploymentId ecs-svc/%llu.",
              judge_words(cause), (unsigned long long)deployment);
}

void rollout_reason_format(const struct deployment_view *view, struct text *out)
{
    if (view->rolled_back_to != 0)
        text_addf(out, "ECS deployment %s: rolling back to deploymentId ecs-svc/%llu.",
                  judge_words(view->cause), (unsigned long long)view->rolled_back_to);
    else if (view->rollout == ROLLOUT_FAILED)
        text_addf(out, "ECS deployment %s: %s", judge_words(view->cause),
                  failure_words(view->cause));
    else
        text_addf(out, "ECS deployment ecs-svc/%llu %s.", (unsigned long long)view->deployment,
                  view->rollout == ROLLOUT_COMPLETED ? "completed" : "in progress");
}

/* Of load balancers: what was registered, given up, drained, found unhealthy. */
static void add_targets(const struct controller *controller, const struct service_event *event,
                        struct text *out)
{
    if (event->kind == SERVICE_EVENT_DRAINING) {
        text_addf(out, " has begun draining connections on %u tasks.", (unsigned)event->count);
        return;
    }
    if (event->kind == SERVICE_EVENT_UNHEALTHY_TARGET) {
        add_unhealthy(controller, event, out);
        return;
    }
    text_addf(out, " %s %u targets in ",
              event->kind == SERVICE_EVENT_REGISTERED_TARGETS ? "registered" : "deregistered",
              (unsigned)event->count);
    add_target_group(controller, event->target_group, out);
}

/* Who speaks: the service; of connections, its task set. Nobody for the cluster's own events. */
static void add_speaker(const struct controller *controller, const struct service_event *event,
                        struct text *out)
{
    if (event->service == SERVICE_NONE)
        return;
    const char *name =
        symbols_text(controller->symbols, controller->service_names.items[event->service]);
    if (name == NULL)
        return;
    text_addf(out, "(service %s", name);
    if (event->kind == SERVICE_EVENT_DRAINING)
        text_addf(out, ", taskSet ecs-svc/%llu", (unsigned long long)event->deployment);
    text_add(out, ")");
}

/* What is always said in the same words. */
static const char *const fixed_words[SERVICE_EVENT_KIND_COUNT] = {
    [SERVICE_EVENT_STEADY_STATE] = " has reached a steady state.",
    [SERVICE_EVENT_START_IMPAIRED] = " is unable to consistently start tasks successfully.",
    [SERVICE_EVENT_DEADLOCK] =
        " was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
    [SERVICE_EVENT_BRAKE_ON] =
        "Many container instances are disconnected at once: none is declared lost.",
    [SERVICE_EVENT_BRAKE_OFF] =
        "Enough container instances are connected again: those still missing are given time anew.",
    [SERVICE_EVENT_PROVISIONING_LIMIT] =
        " was unable to place tasks in your cluster because the tasks provisioning capacity limit "
        "was exceeded.",
    [SERVICE_EVENT_EMPTY_PROVIDER] = " was unable to reach steady state. Reason: No Container "
                                     "Instances were found in your capacity provider.",
    [SERVICE_EVENT_HOOK_AWAITING] = " awaits its operator.",
    [SERVICE_EVENT_HOOK_SUCCEEDED] = " has succeeded.",
    [SERVICE_EVENT_HOOK_FAILED] = " has failed.",
    [SERVICE_EVENT_HOOK_TIMED_OUT] = " has timed out.",
};

/* Of a pause hook. */
static void add_hook(const struct controller *controller, const struct service_event *event,
                     struct text *out)
{
    add_deployment(event, out);
    text_addf(out, " hook %s of %s%s", symbols_text(controller->symbols, event->hook),
              deployment_stage_names[event->stage], fixed_words[event->kind]);
}

static const char *zone_name(const struct controller *controller, symbol zone)
{
    const char *name = symbols_text(controller->symbols, zone);
    return name == NULL ? "no zone" : name;
}

/* "3 tasks in a, 2 in b, and 2 in c" */
static void add_zones(const struct controller *controller, const struct service_event *event,
                      struct text *out)
{
    for (uint32_t i = 0; i < event->zone_count; i++)
        text_addf(out, "%s %u%s in %s",
                  i == 0                       ? ""
                  : i + 1 == event->zone_count ? ", and"
                                               : ",",
                  (unsigned)event->zones[i].tasks, i == 0 ? " tasks" : "",
                  zone_name(controller, event->zones[i].zone));
}

/* Of availability zone rebalancing (semantics 4.10). */
static void add_rebalancing(const struct controller *controller, const struct service_event *event,
                            struct text *out)
{
    const char *zone = event->zone_count == 0 ? "" : zone_name(controller, event->zones[0].zone);
    switch ((int)event->kind) {
    case SERVICE_EVENT_REBALANCING_STARTED:
        text_add(out, " is not AZ balanced with");
        add_zones(controller, event, out);
        text_add(out, ". AZ Rebalancing in progress.");
        break;
    case SERVICE_EVENT_REBALANCING_COMPLETED:
        text_add(out, " is AZ balanced with");
        add_zones(controller, event, out);
        text_add(out, ".");
        break;
    case SERVICE_EVENT_REBALANCE_STARTED_TASKS:
        text_addf(out, " has started %u tasks in %s to AZ Rebalance:", (unsigned)event->task_count,
                  zone);
        add_tasks(event, out);
        text_add(out, ".");
        break;
    case SERVICE_EVENT_REBALANCE_STOPPED_TASKS:
        text_addf(out, " has stopped %u running tasks in %s due to AZ rebalancing:",
                  (unsigned)event->task_count, zone);
        add_tasks(event, out);
        text_add(out, ".");
        break;
    case SERVICE_EVENT_REBALANCE_NO_ROOM:
        text_addf(out,
                  " is unable to place a task in %s because no container instance met all of its "
                  "requirements.",
                  zone);
        break;
    case SERVICE_EVENT_REBALANCE_PROTECTED:
        text_addf(out,
                  " was unable to AZ Rebalance because (taskSet ecs-svc/%llu) was unable to scale "
                  "in due to task protection in %s.",
                  (unsigned long long)event->deployment, zone);
        break;
    default:
        text_add(out, " stopped AZ Rebalancing.");
        break;
    }
}

/* What becomes of a deployment. */
static void add_rollout(const struct service_event *event, struct text *out)
{
    add_deployment(event, out);
    if (event->kind == SERVICE_EVENT_DEPLOYMENT_FAILED)
        text_addf(out, " deployment failed: %s", failure_words(event->cause));
    else if (event->kind == SERVICE_EVENT_DEPLOYMENT_COMPLETED)
        text_add(out, " deployment completed.");
    else if (event->rolls_back != 0)
        add_rollback(event->cause, event->deployment, out);
    else
        text_add(out, " deployment in progress.");
}

void service_event_format(const struct controller *controller, const struct service_event *event,
                          struct text *out)
{
    add_speaker(controller, event, out);
    switch (event->kind) {
    case SERVICE_EVENT_STARTED_TASKS:
        text_addf(out, " has started %u tasks:", (unsigned)event->task_count);
        add_all_tasks(event, out);
        break;
    case SERVICE_EVENT_STOPPED_TASKS:
        text_addf(out, " has stopped %u running tasks:", (unsigned)event->task_count);
        add_all_tasks(event, out);
        break;
    case SERVICE_EVENT_DEPLOYMENT_IN_PROGRESS:
    case SERVICE_EVENT_DEPLOYMENT_FAILED:
    case SERVICE_EVENT_DEPLOYMENT_COMPLETED:
        add_rollout(event, out);
        break;
    case SERVICE_EVENT_PLACEMENT_FAILURE:
        add_placement_failure(controller, event, out);
        break;
    case SERVICE_EVENT_DAEMON_CONSTRAINT_VIOLATED:
        text_add(out, " has stopped a daemon task that violated its placement constraints:");
        add_all_tasks(event, out);
        break;
    case SERVICE_EVENT_REBALANCING_STARTED:
    case SERVICE_EVENT_REBALANCING_COMPLETED:
    case SERVICE_EVENT_REBALANCING_STOPPED:
    case SERVICE_EVENT_REBALANCE_STARTED_TASKS:
    case SERVICE_EVENT_REBALANCE_STOPPED_TASKS:
    case SERVICE_EVENT_REBALANCE_NO_ROOM:
    case SERVICE_EVENT_REBALANCE_PROTECTED:
        add_rebalancing(controller, event, out);
        break;
    case SERVICE_EVENT_PROTECTED:
        text_addf(out,
                  " was unable to reach steady state because task set (ecs-svc/%llu) was unable to "
                  "scale in. Reason: The number of protected tasks are more than the desired count "
                  "of tasks",
                  (unsigned long long)event->deployment);
        break;
    case SERVICE_EVENT_DESIRED_COUNT_UPDATED:
        text_addf(out, " has set its desired count to %u.", (unsigned)event->desired_count);
        break;
    case SERVICE_EVENT_REGISTERED_TARGETS:
    case SERVICE_EVENT_DEREGISTERED_TARGETS:
    case SERVICE_EVENT_DRAINING:
    case SERVICE_EVENT_UNHEALTHY_TARGET:
        add_targets(controller, event, out);
        break;
    case SERVICE_EVENT_HOOK_AWAITING:
    case SERVICE_EVENT_HOOK_SUCCEEDED:
    case SERVICE_EVENT_HOOK_FAILED:
    case SERVICE_EVENT_HOOK_TIMED_OUT:
        add_hook(controller, event, out);
        break;
    case SERVICE_EVENT_STEADY_STATE:
    case SERVICE_EVENT_START_IMPAIRED:
    case SERVICE_EVENT_DEADLOCK:
    case SERVICE_EVENT_BRAKE_ON:
    case SERVICE_EVENT_BRAKE_OFF:
    case SERVICE_EVENT_PROVISIONING_LIMIT:
    case SERVICE_EVENT_EMPTY_PROVIDER:
        text_add(out, fixed_words[event->kind]);
        break;
    case SERVICE_EVENT_KIND_COUNT:
        break;
    }
}

static void add_host(const struct controller *controller, const struct task_view *task,
                     const char *what, struct text *out)
{
    const struct instance *instance = task->instance == INSTANCE_NONE
                                          ? NULL
                                          : cluster_instance(controller->cluster, task->instance);
    const char *name = "";
    if (instance != NULL)
        name = symbols_text(controller->symbols,
                            instance->ec2_id != SYMBOL_NONE ? instance->ec2_id : instance->name);
    text_addf(out, "Host EC2 (instance %s) %s.", name, what);
}

static const char *capacity_words(const struct task_view *task)
{
    if (task->verdict != PLACEMENT_FITS && task->verdict != PLACEMENT_INACTIVE)
        return placement_verdict_names[task->verdict];
    return task->provider != SYMBOL_NONE ? "EMPTY CAPACITY PROVIDER" : "NO ACTIVE INSTANCES";
}

void stopped_reason_format(const struct controller *controller, const struct task_view *task,
                           struct text *out)
{
    const char *given = symbols_text(controller->symbols, task->stop_text);
    switch (task->stop_reason) {
    case STOP_REASON_SCALING:
    case STOP_REASON_DEPLOYMENT:
    case STOP_REASON_DRAINING:
    case STOP_REASON_SERVICE_DELETED:
    case STOP_REASON_CONSTRAINT:
        text_addf(out, "Scaling activity initiated by (deployment ecs-svc/%llu)",
                  (unsigned long long)task->deployment);
        break;
    case STOP_REASON_USER:
        text_add(out, given == NULL ? "Task stopped by user" : given);
        break;
    case STOP_REASON_ESSENTIAL_EXIT:
        text_add(out, "Essential container in task exited");
        break;
    case STOP_REASON_PULL_FAILED:
        text_add(out, "CannotPullContainerError: the image could not be pulled");
        break;
    case STOP_REASON_START_FAILED:
        text_add(out, "CannotStartContainerError: the container could not be started");
        break;
    case STOP_REASON_HOST_TERMINATED:
    case STOP_REASON_HOST_LOST:
        add_host(controller, task, "terminated", out);
        break;
    case STOP_REASON_DEREGISTERED:
        text_add(out, "Container instance deregistration forced by user");
        break;
    case STOP_REASON_CAPACITY:
        text_addf(out, "TaskFailedToStart: %s", capacity_words(task));
        break;
    case STOP_REASON_UNHEALTHY_TARGET:
        text_add(out, "Task failed ELB health checks in ");
        add_target_group(controller, task->stop_text, out);
        break;
    case STOP_REASON_UNHEALTHY_CONTAINER:
        text_add(out, "Task failed container health checks");
        break;
    case STOP_REASON_REBALANCING:
        text_addf(out, "Availability-zone rebalancing initiated by (deployment ecs-svc/%llu)",
                  (unsigned long long)task->deployment);
        break;
    case STOP_REASON_INTERRUPTED:
        text_add(out, "Your Spot Task was interrupted.");
        break;
    case STOP_REASON_HOST_STOPPED:
        add_host(controller, task, "stopped", out);
        break;
    case STOP_REASON_INTERFACE_FAILED:
        text_add(out, "ResourceInitializationError: the network interface could not be attached");
        break;
    case STOP_REASON_OUT_OF_MEMORY:
        text_add(out, "OutOfMemoryError: Container killed due to memory usage");
        break;
    case STOP_REASON_TIMEOUT:
        text_add(out, "ContainerRuntimeTimeoutError: the container runtime did not answer in time");
        break;
    case STOP_REASON_DEPENDENCY:
        text_add(out, "TaskFailedToStart: a container that others depend on did not become ready");
        break;
    case STOP_REASON_NONE:
    case STOP_REASON_COUNT:
        break;
    }
}
