#include "scheduler/policy/quota.h"

#define PER_SECOND(burst, refill)                      \
    {                                                  \
        (burst), (refill), INT64_C(1) * BERTH_NS_PER_S \
    }

const struct api_category_info api_categories[API_CATEGORY_COUNT] = {
    [API_CLUSTER_RESOURCE_MODIFY] = {"Cluster resource modify", PER_SECOND(100, 40)},
    [API_AGENT_MODIFY] = {"Agent modify", PER_SECOND(200, 120)},
    [API_SERVICE_MODIFY] = {"Service modify", PER_SECOND(50, 5)},
    [API_TASK_SET_MODIFY] = {"Task set modify", PER_SECOND(100, 20)},
    [API_TASK_PROTECTION] = {"Task protection", PER_SECOND(200, 80)},
};

const struct size_quota_info size_quotas[QUOTA_COUNT] = {
    [QUOTA_SERVICES_PER_CLUSTER] = {"services per cluster", 5000},
    [QUOTA_INSTANCES_PER_CLUSTER] = {"container instances per cluster", 5000},
    [QUOTA_TASKS_PER_SERVICE] = {"tasks per service", 5000},
    [QUOTA_TASKS_PER_RUN_TASK] = {"tasks per RunTask call", 10},
};
