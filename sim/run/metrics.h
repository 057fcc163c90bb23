/*
 * metrics.h -- the figures of one replication, by fixed name. Formulas: sim/README.md, "Metrics".
 *
 * All time averages are over the window [warm-up, duration], which no strategy can shrink. A value
 * that does not exist in a run (no task was placed, so no wait) is NaN and written as null.
 */
#ifndef BERTH_SIM_RUN_METRICS_H
#define BERTH_SIM_RUN_METRICS_H

enum metric {
    METRIC_TASKS_REQUESTED = 0,
    METRIC_TASKS_PLACED,
    METRIC_TASKS_REFUSED,
    METRIC_TASKS_WAITING, /* at the end of the window */
    METRIC_REFUSED_RATIO,
    METRIC_REFUSED_CPU, /* by reason of the closest instance */
    METRIC_REFUSED_MEMORY,
    METRIC_REFUSED_GPU,
    METRIC_REFUSED_PORTS,
    METRIC_REFUSED_CONSTRAINT,
    METRIC_REFUSED_AGENT,
    METRIC_REFUSED_OTHER,
    METRIC_WAITING_CPU, /* at the end of the window, by the same reasons in the same order */
    METRIC_WAITING_MEMORY,
    METRIC_WAITING_GPU,
    METRIC_WAITING_PORTS,
    METRIC_WAITING_CONSTRAINT,
    METRIC_WAITING_AGENT,
    METRIC_WAITING_OTHER,
    METRIC_PLACEMENT_WAIT_MEAN, /* seconds */
    METRIC_PLACEMENT_WAIT_P50,
    METRIC_PLACEMENT_WAIT_P95,
    METRIC_PLACEMENT_WAIT_P99,
    METRIC_PLACEMENT_WAIT_MAX,
    METRIC_TASKS_RUNNING_MEAN,
    METRIC_TASKS_RUNNING_MAX,
    METRIC_TASKS_WAITING_MEAN,
    METRIC_CPU_RESERVED_RATIO,
    METRIC_MEMORY_RESERVED_RATIO,
    METRIC_GPU_RESERVED_RATIO,
    METRIC_CPU_RESERVED_MEAN,     /* vCPU */
    METRIC_MEMORY_RESERVED_MEAN,  /* GiB */
    METRIC_GPU_RESERVED_MEAN,     /* cards */
    METRIC_INSTANCES_IN_USE_MEAN, /* with at least one task */
    METRIC_INSTANCES_IN_USE_MAX,
    METRIC_CPU_STRANDED_RATIO,
    METRIC_MEMORY_STRANDED_RATIO,
    METRIC_ZONE_SKEW_MEAN,   /* max - min tasks of a service over zones, mean over services */
    METRIC_LOAD_VARIATION,   /* coefficient of variation of reserved CPU over instances */
    METRIC_BLAST_RADIUS_MAX, /* largest share of a service on one instance */
    METRIC_TASK_SECONDS_BELOW_DESIRED,
    METRIC_AVAILABILITY,
    METRIC_MISSING_MAX,         /* largest share of a service that did not serve at a time */
    METRIC_TIME_TO_STEADY_MEAN, /* seconds after each disturbance */
    METRIC_TIME_TO_STEADY_MAX,
    METRIC_TIME_TO_CONVERGE_MEAN, /* seconds after each disturbance: steady, and for good */
    METRIC_TIME_TO_CONVERGE_MAX,
    METRIC_TASKS_KILLED,
    METRIC_TASKS_RESTARTED,
    METRIC_TASKS_MOVED,
    METRIC_TASKS_DISTURBED, /* services' tasks that ran and were stopped, for whatever reason */
    METRIC_DEPLOYMENTS_COMPLETED, /* a service's creation is none */
    METRIC_DEPLOYMENTS_FAILED,
    METRIC_DEPLOYMENT_DURATION_MEAN, /* seconds, of those that completed */
    METRIC_DEPLOYMENT_DURATION_MAX,
    METRIC_DEPLOYMENT_DIP_MAX, /* share of the desired count that did not serve during one */
    METRIC_ROLLBACK_TIME_MEAN, /* seconds from the failure to the end of the rollback */
    METRIC_REBALANCING_GAIN,   /* zone skew taken away per task moved for it */
    METRIC_CHURN,              /* starts and stops of services' tasks per task wanted */
    METRIC_CALLS_THROTTLED,    /* API calls refused for their rate; quotas.api */
    METRIC_INSTANCE_HOURS,
    METRIC_COST,
    METRIC_REQUESTS_OFFERED, /* of services with a load */
    METRIC_REQUESTS_SERVED,
    METRIC_REQUESTS_FAILED,
    METRIC_REQUESTS_FAILED_RATIO,
    METRIC_REQUESTS_REJECTED, /* of those failed: the queue was full */
    METRIC_REQUESTS_BY_OLD_REVISION,
    METRIC_LATENCY_MEAN, /* seconds */
    METRIC_LATENCY_P95,
    METRIC_CPU_UTILIZATION_MEAN,  /* percent of what serving copies reserve */
    METRIC_SCALING_LAG_MEAN,      /* seconds from a shortage of copies to its end */
    METRIC_SCALING_OVERSHOOT,     /* task-hours above what the load needed */
    METRIC_DESIRED_COUNT_CHANGES, /* by auto scaling */
    METRIC_EVENTS,                /* simulated events, whole run */
    METRIC_COUNT
};

enum metric_direction { METRIC_NEUTRAL = 0, METRIC_LOWER_IS_BETTER, METRIC_HIGHER_IS_BETTER };

struct metric_info {
    const char *name;  /* "tasksPlaced": the fixed name, in every output */
    const char *label; /* "tasks placed": tables and plots */
    const char *unit;  /* "", "s", "ratio", "vCPU", "GiB", "h", "$" */
    enum metric_direction direction;
};

extern const struct metric_info metric_infos[METRIC_COUNT];

/* METRIC_COUNT when there is none of that name. */
enum metric metric_find(const char *name);

#endif
