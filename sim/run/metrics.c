#include "sim/run/metrics.h"

#include <string.h>

#define LOWER METRIC_LOWER_IS_BETTER
#define HIGHER METRIC_HIGHER_IS_BETTER
#define NEUTRAL METRIC_NEUTRAL

/*
 * Neutral is what a good strategy may have more or less of: the load that came (requested,
 * running), the mixture of reasons within the refusals, and how full the fleet is, since a full
 * fleet is good news for the bill and bad news for the next task.
 */
const struct metric_info metric_infos[METRIC_COUNT] = {
    [METRIC_TASKS_REQUESTED] = {"tasksRequested", "tasks requested", "", NEUTRAL},
    [METRIC_TASKS_PLACED] = {"tasksPlaced", "tasks placed", "", HIGHER},
    [METRIC_TASKS_REFUSED] = {"tasksRefused", "tasks refused", "", LOWER},
    [METRIC_TASKS_WAITING] = {"tasksWaiting", "waiting at the end", "", LOWER},
    [METRIC_REFUSED_RATIO] = {"refusedRatio", "refused share", "ratio", LOWER},
    [METRIC_REFUSED_CPU] = {"refusedCpu", "refused for CPU", "", NEUTRAL},
    [METRIC_REFUSED_MEMORY] = {"refusedMemory", "refused for memory", "", NEUTRAL},
    [METRIC_REFUSED_GPU] = {"refusedGpu", "refused for GPU", "", NEUTRAL},
    [METRIC_REFUSED_PORTS] = {"refusedPorts", "refused for ports", "", NEUTRAL},
    [METRIC_REFUSED_CONSTRAINT] = {"refusedConstraint", "refused by constraint", "", NEUTRAL},
    [METRIC_REFUSED_AGENT] = {"refusedAgent", "refused, agent gone", "", NEUTRAL},
    [METRIC_REFUSED_OTHER] = {"refusedOther", "refused otherwise", "", NEUTRAL},
    [METRIC_WAITING_CPU] = {"waitingCpu", "waiting for CPU", "", NEUTRAL},
    [METRIC_WAITING_MEMORY] = {"waitingMemory", "waiting for memory", "", NEUTRAL},
    [METRIC_WAITING_GPU] = {"waitingGpu", "waiting for GPU", "", NEUTRAL},
    [METRIC_WAITING_PORTS] = {"waitingPorts", "waiting for ports", "", NEUTRAL},
    [METRIC_WAITING_CONSTRAINT] = {"waitingConstraint", "waiting by constraint", "", NEUTRAL},
    [METRIC_WAITING_AGENT] = {"waitingAgent", "waiting, agent gone", "", NEUTRAL},
    [METRIC_WAITING_OTHER] = {"waitingOther", "waiting otherwise", "", NEUTRAL},
    [METRIC_PLACEMENT_WAIT_MEAN] = {"placementWaitMean", "wait, mean", "s", LOWER},
    [METRIC_PLACEMENT_WAIT_P50] = {"placementWaitP50", "wait, median", "s", LOWER},
    [METRIC_PLACEMENT_WAIT_P95] = {"placementWaitP95", "wait, p95", "s", LOWER},
    [METRIC_PLACEMENT_WAIT_P99] = {"placementWaitP99", "wait, p99", "s", LOWER},
    [METRIC_PLACEMENT_WAIT_MAX] = {"placementWaitMax", "wait, longest", "s", LOWER},
    [METRIC_TASKS_RUNNING_MEAN] = {"tasksRunningMean", "tasks running", "", NEUTRAL},
    [METRIC_TASKS_RUNNING_MAX] = {"tasksRunningMax", "tasks running, peak", "", NEUTRAL},
    [METRIC_TASKS_WAITING_MEAN] = {"tasksWaitingMean", "tasks waiting", "", LOWER},
    [METRIC_CPU_RESERVED_RATIO] = {"cpuReservedRatio", "CPU reserved", "ratio", NEUTRAL},
    [METRIC_MEMORY_RESERVED_RATIO] = {"memoryReservedRatio", "memory reserved", "ratio", NEUTRAL},
    [METRIC_GPU_RESERVED_RATIO] = {"gpuReservedRatio", "GPU reserved", "ratio", NEUTRAL},
    [METRIC_CPU_RESERVED_MEAN] = {"cpuReservedMean", "CPU reserved", "vCPU", NEUTRAL},
    [METRIC_MEMORY_RESERVED_MEAN] = {"memoryReservedMean", "memory reserved", "GiB", NEUTRAL},
    [METRIC_GPU_RESERVED_MEAN] = {"gpuReservedMean", "GPU cards reserved", "", NEUTRAL},
    [METRIC_INSTANCES_IN_USE_MEAN] = {"instancesInUseMean", "instances in use", "", LOWER},
    [METRIC_INSTANCES_IN_USE_MAX] = {"instancesInUseMax", "instances in use, peak", "", LOWER},
    [METRIC_CPU_STRANDED_RATIO] = {"cpuStrandedRatio", "CPU stranded", "ratio", LOWER},
    [METRIC_MEMORY_STRANDED_RATIO] = {"memoryStrandedRatio", "memory stranded", "ratio", LOWER},
    [METRIC_ZONE_SKEW_MEAN] = {"zoneSkewMean", "zone skew", "tasks", LOWER},
    [METRIC_LOAD_VARIATION] = {"loadVariation", "load variation", "", LOWER},
    [METRIC_BLAST_RADIUS_MAX] = {"blastRadiusMax", "lost with one instance", "ratio", LOWER},
    [METRIC_TASK_SECONDS_BELOW_DESIRED] = {"taskSecondsBelowDesired", "missing task-seconds", "s",
                                           LOWER},
    [METRIC_AVAILABILITY] = {"availability", "availability", "ratio", HIGHER},
    [METRIC_MISSING_MAX] = {"missingMax", "most missing", "ratio", LOWER},
    [METRIC_TIME_TO_STEADY_MEAN] = {"timeToSteadyMean", "time to steady", "s", LOWER},
    [METRIC_TIME_TO_STEADY_MAX] = {"timeToSteadyMax", "time to steady, longest", "s", LOWER},
    [METRIC_TIME_TO_CONVERGE_MEAN] = {"timeToConvergeMean", "time to converge", "s", LOWER},
    [METRIC_TIME_TO_CONVERGE_MAX] = {"timeToConvergeMax", "time to converge, longest", "s", LOWER},
    [METRIC_TASKS_KILLED] = {"tasksKilled", "tasks killed", "", LOWER},
    [METRIC_TASKS_RESTARTED] = {"tasksRestarted", "tasks restarted", "", LOWER},
    [METRIC_TASKS_MOVED] = {"tasksMoved", "tasks moved", "", LOWER},
    [METRIC_TASKS_DISTURBED] = {"tasksDisturbed", "tasks disturbed", "", LOWER},
    [METRIC_DEPLOYMENTS_COMPLETED] = {"deploymentsCompleted", "deployments completed", "", NEUTRAL},
    [METRIC_DEPLOYMENTS_FAILED] = {"deploymentsFailed", "deployments failed", "", NEUTRAL},
    [METRIC_DEPLOYMENT_DURATION_MEAN] = {"deploymentDurationMean", "deployment, mean", "s", LOWER},
    [METRIC_DEPLOYMENT_DURATION_MAX] = {"deploymentDurationMax", "deployment, longest", "s", LOWER},
    [METRIC_DEPLOYMENT_DIP_MAX] = {"deploymentDipMax", "capacity dip", "ratio", LOWER},
    [METRIC_ROLLBACK_TIME_MEAN] = {"rollbackTimeMean", "time to roll back", "s", LOWER},
    [METRIC_REBALANCING_GAIN] = {"rebalancingGain", "rebalancing gain", "tasks", HIGHER},
    [METRIC_CHURN] = {"churn", "churn", "", LOWER},
    [METRIC_CALLS_THROTTLED] = {"callsThrottled", "calls throttled", "", LOWER},
    [METRIC_INSTANCE_HOURS] = {"instanceHours", "instance-hours", "h", LOWER},
    [METRIC_COST] = {"cost", "cost", "$", LOWER},
    [METRIC_REQUESTS_OFFERED] = {"requestsOffered", "requests offered", "", NEUTRAL},
    [METRIC_REQUESTS_SERVED] = {"requestsServed", "requests served", "", HIGHER},
    [METRIC_REQUESTS_FAILED] = {"requestsFailed", "requests failed", "", LOWER},
    [METRIC_REQUESTS_FAILED_RATIO] = {"requestsFailedRatio", "requests failed", "ratio", LOWER},
    [METRIC_REQUESTS_REJECTED] = {"requestsRejected", "requests rejected", "", LOWER},
    [METRIC_REQUESTS_BY_OLD_REVISION] = {"requestsByOldRevision", "served by an old revision", "",
                                         NEUTRAL},
    [METRIC_LATENCY_MEAN] = {"latencyMean", "latency, mean", "s", LOWER},
    [METRIC_LATENCY_P95] = {"latencyP95", "latency, p95", "s", LOWER},
    [METRIC_CPU_UTILIZATION_MEAN] = {"cpuUtilizationMean", "CPU used of reserved", "%", NEUTRAL},
    [METRIC_SCALING_LAG_MEAN] = {"scalingLagMean", "scaling lag", "s", LOWER},
    [METRIC_SCALING_OVERSHOOT] = {"scalingOvershoot", "task-hours beyond need", "h", LOWER},
    [METRIC_DESIRED_COUNT_CHANGES] = {"desiredCountChanges", "desired count changes", "", LOWER},
    [METRIC_EVENTS] = {"events", "simulated events", "", NEUTRAL},
};

enum metric metric_find(const char *name)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (strcmp(metric_infos[i].name, name) == 0)
            return (enum metric)i;
    return METRIC_COUNT;
}
