/*
 * run.h -- one replication of one variant: a pure function of (scenario, seed, replication).
 *
 * Builds the fleet, turns the same loop as the daemon (scheduler/core/loop.h) with virtual time,
 * and collects metrics. The variant's name never enters a random stream: two variants face the same
 * arrivals, sizes, lifetimes and failures.
 */
#ifndef BERTH_SIM_RUN_RUN_H
#define BERTH_SIM_RUN_RUN_H

#include <signal.h>
#include <stdio.h>

#include "scheduler/core/controller.h"
#include "sim/chaos/chaos.h"
#include "sim/fleet/fleet.h"
#include "sim/run/metrics.h"
#include "sim/scenario/scenario.h"

/* Placement waits as counts in log-linear buckets; merges exactly (run/histogram.h). */
struct histogram;
struct story;

struct run_sample { /* one row of timeline.csv: time averages since the row before */
    berth_ns at_ns;
    double tasks_running, tasks_waiting;
    double cpu_reserved_ratio, memory_reserved_ratio, gpu_reserved_ratio;
    double instances_in_use, instances_up;
    double tasks_desired, tasks_below_desired;
};

#define RUN_HEAT_ROWS_MAX 200 /* instances, evenly chosen when there are more */

struct run_result {
    double metrics[METRIC_COUNT];
    struct histogram *waits;    /* owned; in nanoseconds, tasks placed within the window */
    struct run_sample *samples; /* owned; sample_count = duration / sample_ns, rounded up */
    uint32_t sample_count;
    /* heat map of replication 0: reserved CPU share in thousandths, row per instance, -1 = down */
    int16_t *heat; /* owned; heat_rows x sample_count, or NULL */
    uint32_t heat_rows;
    struct story *story;                     /* owned; of replication 0, or NULL (run/story.h) */
    uint64_t chaos_counts[CHAOS_KIND_COUNT]; /* faults of the scenario that came about, by kind */
};

/* What grows only with a fault: an observer's to hold against its bounds. */
struct run_figures {
    berth_ns now_ns;
    uint64_t queued_count; /* events to come */
    uint32_t agent_tasks;  /* known to agents and not yet removed */
};

/* Looks on: tests and the auditor (sim/audit). What is NULL is not called, and costs nothing. */
struct run_observer {
    /* After every event of the queue. */
    void (*after_event)(void *context, berth_ns now_ns, const struct controller *controller);
    /* The controller was loaded again from what is durable: it may have gone back. Or NULL. */
    void (*restarted)(void *context, berth_ns now_ns, const struct controller *controller);
    void *context;
    /* After every step of the controller, before anything is stored or released. */
    void (*decided)(void *context, struct step_time now, const struct controller *controller,
                    const struct event *event, const struct action_list *actions);
    void (*released)(void *context, const struct change *change); /* it is durable */
    /* After every step of a host's agent, before its orders are carried out. */
    void (*stepped)(void *context, uint32_t host, instance_id instance, const struct agent *agent,
                    const struct agent_event *event, const struct agent_action_list *actions);
    void (*power)(void *context, uint32_t host, enum host_power after);
    /*
     * Hints, for the cache: such a step, or a report to the controller, will come soon; once a few
     * events before it, once more when it is near. `task` may be TASK_NONE. Or NULL.
     */
    void (*step_ahead)(void *context, uint32_t host, task_id task, bool is_near);
    void (*report_ahead)(void *context, instance_id instance, task_id task, bool is_near);
    /* After every event of the queue: what is not BERTH_OK ends the run. */
    enum berth_err (*verdict)(void *context, const struct run_figures *figures,
                              struct berth_error *err);
    /* At the end of a run that nothing ended before. */
    enum berth_err (*finished)(void *context, const struct controller *controller,
                               struct berth_error *err);
};

struct run_options {
    uint64_t seed;
    uint32_t replication;
    FILE *events;       /* events.jsonl, or NULL */
    FILE *transcript;   /* of the controller, or NULL */
    const char *origin; /* whose run it is, for the transcript's head; one line, may be NULL */
    bool wants_heat;    /* and the story */
    bool audits;        /* cluster_audit and controller_audit after every event: tests */
    const struct run_observer *observer; /* or NULL */
    const volatile sig_atomic_t *stop;   /* set by a signal handler: give up; may be NULL */
};

enum berth_err run_replication(const struct scenario *scenario, const struct run_options *options,
                               struct run_result *out, struct berth_error *err) BERTH_MUST_CHECK;
void run_result_free(struct run_result *result);

#endif
