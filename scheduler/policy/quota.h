/*
 * quota.h -- ECS's quotas and API throttles, as numbers (semantics 8).
 *
 * Every category of calls of an account and Region shares one token bucket, refilled once a second.
 * Size quotas bound what a cluster, a service or a call may have.
 */
#ifndef BERTH_SCHEDULER_POLICY_QUOTA_H
#define BERTH_SCHEDULER_POLICY_QUOTA_H

#include "scheduler/policy/bucket.h"

/* Categories of the calls that change something; reads are no events of the core. */
enum api_category {
    API_CLUSTER_RESOURCE_MODIFY = 0, /* RunTask, StopTask, UpdateContainerInstancesState, ... */
    API_AGENT_MODIFY,                /* SubmitTaskStateChange */
    API_SERVICE_MODIFY,              /* CreateService, UpdateService, DeleteService */
    API_TASK_SET_MODIFY,
    API_TASK_PROTECTION,
    API_CATEGORY_COUNT
};

struct api_category_info {
    const char *name; /* "Cluster resource modify" */
    struct bucket_rule rule;
};

extern const struct api_category_info api_categories[API_CATEGORY_COUNT];

enum size_quota {
    QUOTA_SERVICES_PER_CLUSTER = 0,
    QUOTA_INSTANCES_PER_CLUSTER,
    QUOTA_TASKS_PER_SERVICE, /* desiredCount */
    QUOTA_TASKS_PER_RUN_TASK,
    QUOTA_COUNT
};

struct size_quota_info {
    const char *name; /* "services per cluster" */
    uint32_t most;
};

extern const struct size_quota_info size_quotas[QUOTA_COUNT];

#endif
