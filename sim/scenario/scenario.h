/*
 * scenario.h -- a scenario file, read, checked and resolved: one variant of it, ready to run.
 *
 * Everything is owned by the scenario and read-only after loading. Collections keep the order of
 * the file. Times are nanoseconds of virtual time from the start. The keys of the file, their
 * defaults and their units are in sim/README.md and in scenarios/scenario.schema.json.
 */
#ifndef BERTH_SIM_SCENARIO_SCENARIO_H
#define BERTH_SIM_SCENARIO_SCENARIO_H

#include <jansson.h>

#include "scheduler/core/event.h"
#include "sim/engine/distribution.h"

/* How a host is lost (issue: losses differ by what the controller is told). */
enum loss_mode {
    LOSS_TERMINATE = 0, /* deregistered at once, its tasks STOPPED */
    LOSS_WIPE,          /* as stop, and the agent's checkpoint is lost: it returns as a duplicate */
    LOSS_STOP,          /* power off: the agent is missed after 3 minutes; containers are gone */
    LOSS_HANG,          /* missed likewise; containers live on and come back with it */
    LOSS_DISCONNECT,    /* only the control connection: containers run on unharmed */
};

struct scenario_group { /* fleet.NAME */
    char *name;
    uint32_t count;
    char *instance_type; /* ecs.instance-type; "" when not given */
    int32_t cpu_units, mem_mib;
    uint16_t gpu_count;
    uint16_t eni_limit; /* 0: not modelled */
    char **zones;       /* instance i of the group stands in zones[i % zone_count] */
    uint32_t zone_count;
    char **racks; /* see scenario_rack; NULL: not told apart */
    uint32_t rack_count;
    bool has_zone_racks;               /* `racks` was a number: so many in each zone */
    struct attribute_text *attributes; /* beside zone and type */
    uint32_t attribute_count;
    uint16_t *tcp_ports_used; /* default 22, 2375, 2376, 51678, 51679 */
    uint16_t tcp_port_count;
    double price_per_hour;
    bool is_spot;
    double pull_mib_per_s; /* image bandwidth of one instance */
    uint32_t min_size, max_size;
    double share;             /* of what its provider grows by, with "proportional" */
    struct distribution boot; /* overrides delays.boot when has_boot */
    bool has_boot;
    const char *provider; /* whose instances register so; lent by the scenario; NULL: none */
    bool is_fargate;      /* the machines of FARGATE or FARGATE_SPOT: sizes are their tasks' */
};

enum allocation { ALLOCATION_LOWEST_PRICE = 0, ALLOCATION_PROPORTIONAL };

#define PROVIDER_GROUPS_MAX 20

struct scenario_provider { /* capacityProviders.NAME */
    char *name;
    struct capacity_provider_settings settings; /* zones are lent by the group of Fargate */
    char *group_names[PROVIDER_GROUPS_MAX]; /* owned: keys of fleet, one for each machine type */
    uint32_t groups[PROVIDER_GROUPS_MAX];
    uint32_t group_count;
    enum allocation allocation;
};

struct scenario_fargate {
    bool is_used;
    struct distribution start_delay; /* from the request to the machine's registration */
    uint32_t capacity;               /* machines at a time; UINT32_MAX: no limit */
    bool has_outages;                /* Spot: on and off for exponential times */
    double on_mean_s, off_mean_s;
    bool is_interrupted;
    struct distribution interruption; /* Spot: a machine's time until it is taken back */
    double vcpu_hour, gb_hour, spot_vcpu_hour, spot_gb_hour;
};

struct scenario_shares { /* capacityProviderStrategy */
    struct provider_share *items;
    uint16_t count;
};

struct scenario_task_def {
    char *name;           /* the key; also the family unless the definition names one */
    struct task_def *def; /* registered by the run as a copy, from def->document */
    double image_mib;     /* what a first pull on an instance fetches, all containers */
    /* behaviour of its containers, where a service or arrival does not say otherwise */
    struct distribution lifetime; /* seconds; is_endless: runs until it is stopped */
    bool is_endless;
    struct distribution start; /* overrides delays.containerStart when has_start */
    bool has_start;
    struct distribution stop; /* from the stop signal to the exit */
    bool has_stop;
    double pull_failure_probability;
    double start_failure_probability;
    double error_probability;        /* a bad release: its answers are errors */
    double crash_probability;        /* a bad release: exits soon after the start, with code 1 */
    struct distribution crash_after; /* seconds after the start */
    double oom_probability;          /* killed for its memory */
    struct distribution oom_after;   /* seconds after the start */
    /* health of its main container, whether or not a check looks at it; seconds */
    struct distribution healthy_after;                   /* from the start until it first answers */
    double unhealthy_probability;                        /* it never does: a bad release */
    struct distribution unhealthy_after, recovers_after; /* of being well, and of not being so */
    bool has_unhealthy, has_recovers;
};

struct scenario_strategies {
    struct placement_strategy_spec *items;
    uint16_t count;
    bool is_set; /* false: run.placementStrategy, or ECS's default */
};

struct scenario_constraints {
    struct placement_constraint_spec *items;
    uint16_t count;
};

struct scenario_target_group { /* targetGroups.NAME */
    char *name;
    berth_ns interval_ns, timeout_ns;        /* of a health check */
    uint32_t healthy_count, unhealthy_count; /* so many checks in a row change its state */
    berth_ns deregistration_ns;              /* deregistrationDelaySeconds */
};

struct scenario_burst {
    berth_ns at_ns, for_ns;
    double factor;
};

struct scenario_load { /* services.NAME.load: what clients offer and what a request costs */
    bool is_set;
    double rate;      /* requests per second: the base */
    double amplitude; /* of the day's cycle, 0..1 */
    berth_ns peak_ns; /* its time of day */
    struct scenario_burst *bursts;
    uint32_t burst_count;
    struct distribution noise; /* a factor for each minute, when has_noise */
    bool has_noise;
    berth_ns start_ns;    /* before it nobody asks */
    double demand_s;      /* mean CPU time of a request, in seconds of one vCPU */
    uint32_t concurrency; /* requests that a copy works on at a time; 0: one for each vCPU */
    uint32_t queue_limit; /* that wait in a copy beside those */
    double memory_base_mib, memory_request_mib;
};

struct scenario_scaling { /* services.NAME.autoScaling: as commands, ready to be given */
    bool is_set;
    struct event_scalable_target target;
    struct event_scaling_policy *policies; /* owned with their texts, but for `service` */
    uint32_t policy_count;
    struct event_scheduled_action *actions;
    uint32_t action_count;
};

enum alarm_metric {
    ALARM_ERROR_RATIO = 0, /* failed / offered */
    ALARM_LATENCY,         /* seconds, mean */
    ALARM_REJECT_RATIO,
    ALARM_CPU,             /* percent of what is reserved */
    ALARM_HEALTHY_TARGETS, /* mean number of copies that get requests and serve */
    ALARM_METRIC_COUNT
};

extern const char *const alarm_metric_names[ALARM_METRIC_COUNT + 1]; /* ends with NULL */

struct scenario_alarm { /* alarms.NAME */
    char *name;
    char *service;
    enum alarm_metric metric;
    enum comparison comparison;
    double threshold;
    uint32_t period_minutes;
    uint32_t evaluation_periods, datapoints_to_alarm;
};

struct scenario_service { /* services.NAME */
    char *name;
    char *task_definition; /* a key of taskDefinitions; NULL: EXTERNAL, its task sets have them */
    enum deployment_controller controller;
    enum scheduling_strategy scheduling;
    int32_t desired_count;
    int32_t minimum_healthy_percent, maximum_percent; /* OVERRIDE_NONE: default */
    struct deployment_settings settings;
    struct scenario_strategies strategies;
    struct scenario_constraints constraints;
    struct scenario_shares shares;
    const char *target_groups[TARGET_GROUPS_MAX]; /* loadBalancers; owned */
    uint16_t target_group_count;
    int32_t rebalancing; /* availabilityZoneRebalancing: 1, 0; OVERRIDE_NONE: default */
    int32_t grace_s;     /* healthCheckGracePeriodSeconds; OVERRIDE_NONE: default */
    struct scenario_load load;
    struct scenario_scaling scaling;
    berth_ns start_ns;
};

enum arrival_process {
    ARRIVAL_POISSON = 0, /* ratePerHour */
    ARRIVAL_BURSTY,      /* Markov-modulated Poisson: two rates, two mean sojourns */
    ARRIVAL_DAILY,       /* Poisson with rate mean x (1 + amplitude cos(2 pi (t - peak) / day)) */
    ARRIVAL_RENEWAL,     /* interarrival distribution */
    ARRIVAL_BATCH,       /* `count` at once, at start */
    ARRIVAL_CSV,         /* replay of a workload file */
};

struct scenario_arrival { /* arrivals.NAME */
    char *name;
    enum arrival_process process;
    double rate_per_hour;       /* poisson; daily: the mean */
    double burst_rate_per_hour; /* bursty: while in a burst */
    double calm_mean_s, burst_mean_s;
    double amplitude;             /* daily, 0..1 */
    berth_ns peak_ns;             /* daily: time of day of the peak */
    struct distribution interval; /* renewal, seconds */
    char *csv_path;               /* absolute or relative to the working directory */
    uint64_t limit;               /* at most so many arrivals; UINT64_MAX: no limit */
    berth_ns start_ns, end_ns;    /* end BERTH_NS_NEVER: the run's */
    char *task_definition;        /* CSV: the default for rows that name none */
    char *group;                  /* NULL: family:FAMILY */
    uint32_t count;               /* copies per arrival */
    bool waits;                   /* onFull: "wait" (capacity provider) or "refuse" (launch type) */
    struct distribution lifetime; /* seconds */
    bool has_lifetime;            /* else the definition's */
    struct distribution cpu, mem; /* overrides, rounded to whole units and MiB, at least 1 */
    bool has_cpu, has_mem;
    struct scenario_strategies strategies;
    struct scenario_constraints constraints;
    struct scenario_shares shares;
};

enum timeline_kind {
    TIMELINE_SCALE = 0,           /* service, desired_count */
    TIMELINE_DEPLOY,              /* service, task_definition (NULL: force a new deployment) */
    TIMELINE_DRAIN,               /* instances -> DRAINING */
    TIMELINE_ACTIVATE,            /* instances -> ACTIVE */
    TIMELINE_FAIL,                /* instances, mode, duration */
    TIMELINE_RECOVER,             /* instances */
    TIMELINE_PROTECT,             /* service, share or count of its tasks, minutes */
    TIMELINE_STOP_DEPLOYMENT,     /* service, rolls_back */
    TIMELINE_CONTINUE_DEPLOYMENT, /* service, hook, rolls_back */
    TIMELINE_CREATE_TASK_SET,     /* service, task_set, task_definition, scale_permille */
    TIMELINE_UPDATE_TASK_SET,     /* service, task_set, scale_permille */
    TIMELINE_PRIMARY_TASK_SET,    /* service, task_set */
    TIMELINE_DELETE_TASK_SET,     /* service, task_set, force */
    TIMELINE_ALARM,               /* alarm, is_alarm */
    TIMELINE_ENGINE,              /* engineRestart: instances, keeps */
    TIMELINE_SLOW,                /* instances, factor, duration */
    TIMELINE_PARTITION,           /* instances, fault.choice: the direction; duration */
    TIMELINE_CLOG,                /* instances, one after the other; duration */
    TIMELINE_CRASH,     /* fault.choice: where the controller ends; duration: how long it is down */
    TIMELINE_JUMP,      /* fault.amount: seconds; choice: forward or backward */
    TIMELINE_SLOW_DISK, /* fault.amount: delay of a sync; duration */
    TIMELINE_KIND_COUNT
};

extern const char *const timeline_kind_names[TIMELINE_KIND_COUNT]; /* their keys: "scale", ... */

/* Which instances an entry means; all given conditions must hold. */
struct scenario_selector {
    char *group;      /* fleet group, or NULL */
    char *zone;       /* or NULL */
    char *rack;       /* or NULL */
    char *expression; /* cluster query language, or NULL */
    int64_t instance; /* index within what is left, in order of registration; -1: all */
    double share;     /* the first share of what is left, 0..1; 1: all */
};

enum fault_kind { /* keys of `faults`: messageLoss, ... */
                  FAULT_MESSAGE_LOSS = 0,
                  FAULT_MESSAGE_DELAY,
                  FAULT_MESSAGE_DUPLICATE,
                  FAULT_MESSAGE_REORDER,
                  FAULT_PARTITION,
                  FAULT_CLOG,
                  FAULT_STALE_DETECTION,
                  FAULT_AGENT_FLAP,
                  FAULT_CONTROLLER_CRASH,
                  FAULT_SLOW_DISK,
                  FAULT_DISK_FAILURE,
                  FAULT_CLOCK_JUMP,
                  FAULT_INSTANCE_LOSS,
                  FAULT_RACK_LOSS,
                  FAULT_ZONE_LOSS,
                  FAULT_ENGINE_RESTART,
                  FAULT_SLOW_HOST,
                  FAULT_KIND_COUNT
};

extern const char *const fault_kind_names[FAULT_KIND_COUNT];

/* Whom one fault hits: a host drawn from those selected, all of its rack or zone, or all. */
enum fault_scope { SCOPE_HOST = 0, SCOPE_RACK, SCOPE_ZONE, SCOPE_ALL, SCOPE_ANY };

/* What a fault may be; a `choice` counts in the order of its words, 0 is "any": drawn. */
enum { DIRECTION_ANY = 0, DIRECTION_BOTH, DIRECTION_DOWN, DIRECTION_UP };
enum { POINT_ANY = 0, POINT_DECIDED, POINT_APPENDED, POINT_TORN, POINT_DURABLE, POINT_IDLE };
enum { DETECTION_ANY = 0, DETECTION_LATE, DETECTION_MISSED };
enum { JUMP_ANY = 0, JUMP_FORWARD, JUMP_BACKWARD };
enum { MODE_ANY = 0 }; /* then 1 + enum loss_mode */
enum { CONTAINERS_ANY = 0, CONTAINERS_LOST, CONTAINERS_KEPT };

struct scenario_fault {
    bool is_set;
    struct distribution rate_per_hour; /* drawn once */
    struct distribution duration;      /* of each fault, seconds */
    struct distribution amount;        /* probability, delay, factor, ...: by kind */
    uint32_t choice;
    enum fault_scope scope;
    struct scenario_selector select;
};

struct scenario_faults { /* faults */
    berth_ns from_ns, until_ns;
    struct scenario_fault kinds[FAULT_KIND_COUNT];
};

struct scenario_timeline {
    char *name;
    enum timeline_kind kind;
    berth_ns at_ns;
    char *service;
    char *task_definition;
    int32_t desired_count;
    struct scenario_selector select;
    enum loss_mode mode;
    berth_ns duration_ns; /* FAIL, SLOW: over after this; BERTH_NS_NEVER: it is not */
    bool keeps;           /* ENGINE: its containers run on */
    double factor;        /* SLOW: of the durations of what its instances do */
    struct {
        double share; /* of the running tasks, rounded up, the oldest first; with count < 0 */
        int64_t count;
        uint32_t minutes;
        bool is_taken_away; /* protectionEnabled false */
    } protect;
    bool rolls_back; /* stopType, action ROLLBACK */
    char *hook;      /* NULL: every one that waits */
    char *task_set;  /* externalId: what the scenario calls it */
    int32_t scale_permille;
    bool force;
    char *alarm;
    bool is_alarm; /* state ALARM, else OK */
    struct scenario_fault fault;
};

enum failure_kind {
    FAILURE_INSTANCE = 0, /* each selected instance on its own: up for mtbf, down for mttr */
    FAILURE_ZONE,         /* each zone on its own */
    FAILURE_RACK,         /* each rack on its own */
    FAILURE_SPOT, /* each spot instance: two-minute notice, then terminate; replaced after mttr */
    FAILURE_TASK, /* each running task's container crashes after mtbf, exit code 1 */
};

struct scenario_failure { /* failures.NAME */
    char *name;
    enum failure_kind kind;
    struct scenario_selector select;
    struct distribution mtbf, mttr; /* seconds */
    enum loss_mode mode;
    uint32_t repairers; /* repairs under way at a time, first come first served; 0: no limit */
};

struct scenario_delays {                 /* delays: seconds */
    struct distribution boot;            /* start of a host to its registration */
    struct distribution network;         /* one message, one way */
    struct distribution container_start; /* create and start, image present */
    struct distribution container_stop;  /* stop signal to exit */
    struct distribution pull_overhead;   /* a pull beside its bytes */
    struct distribution interface;       /* a network interface (awsvpc), to attach or detach */
    berth_ns disconnect_detect_ns;       /* U17: 180 s */
};

struct scenario_hook { /* hooks.NAME: a life-cycle function */
    char *name;
    struct distribution delay;      /* seconds until it answers */
    double failure_probability;     /* it says FAILED */
    double in_progress_probability; /* else it says IN_PROGRESS, and is called again */
};

struct scenario_quotas {
    bool throttles_api, limits_sizes; /* policy/quota.h; default off */
    uint32_t launches_per_minute;     /* of one service; default 500, 0: no limit */
};

enum warm_up_kind { WARM_UP_FIXED = 0, WARM_UP_MSER5 };

struct scenario_run {
    berth_ns duration_ns;
    enum warm_up_kind warm_up_kind;
    berth_ns warm_up_ns;
    uint64_t seed;
    uint32_t replications;                 /* default 30 */
    char *precision_metric;                /* or NULL: go on until its interval is narrow enough */
    double precision_ratio;                /* half width / mean */
    uint32_t replications_max;             /* with precision; default 200 */
    berth_ns instance_lost_ns;             /* BERTH_NS_NEVER: off */
    uint32_t brake_percent;                /* massDisconnectBrakePercent; 0: off */
    berth_ns sample_ns;                    /* timeline.csv's step; default duration / 200 */
    berth_ns steady_by_ns, quiet_from_ns;  /* run.audit; BERTH_NS_NEVER: not asked for */
    bool writes_events;                    /* events.jsonl of replication 0 */
    struct scenario_strategies strategies; /* default for services and arrivals */
    char **metrics;                        /* those of the printed table; NULL: the default set */
    uint32_t metric_count;
};

struct scenario_name { /* of a member, for finding it */
    const char *name;  /* borrowed */
    uint32_t index;
};

struct scenario {
    char *path; /* for messages */
    char *name;
    char *question;
    char *variant; /* name of this variant: "binpack", "binpack/count=40" */
    struct scenario_group *groups;
    uint32_t group_count;
    struct scenario_provider *providers;
    uint32_t provider_count;
    struct scenario_shares default_shares; /* cluster.defaultCapacityProviderStrategy */
    struct scenario_fargate fargate;
    struct scenario_task_def *task_defs;
    uint32_t task_def_count;
    struct scenario_target_group *target_groups;
    uint32_t target_group_count;
    struct scenario_service *services;
    uint32_t service_count;
    struct scenario_name *task_def_names, *service_names; /* owned; sorted */
    struct scenario_alarm *alarms;
    uint32_t alarm_count;
    struct scenario_arrival *arrivals;
    uint32_t arrival_count;
    struct scenario_timeline *timeline; /* by time, then order of the file */
    uint32_t timeline_count;
    struct scenario_failure *failures;
    uint32_t failure_count;
    struct scenario_faults faults;
    struct scenario_hook *hooks;
    uint32_t hook_count;
    struct scenario_delays delays;
    struct scenario_quotas quotas;
    struct scenario_run run;
    char **warnings; /* "a task of services/web fits on no instance of the fleet", ... */
    uint32_t warning_count;
};

/* A file with its variants. `document` is the merged JSON without `compare` and `include`. */
struct scenario_set {
    char *path, *name, *question;
    json_t *document;
    char hash[65];  /* SHA-256 over the merged document, all files it names, canonical form */
    char *baseline; /* name of the variant that others are compared with; the first by default */
    struct scenario **variants; /* in order; one called "base" when `compare` is absent */
    uint32_t variant_count;
};

/* Read, merge, check, resolve all variants. Prints nothing. */
enum berth_err scenario_load(const char *path, struct scenario_set **out,
                             struct berth_error *err) BERTH_MUST_CHECK;
void scenario_set_destroy(struct scenario_set *set);

/* From text in memory (fuzzing, tests); paths in it are relative to `folder`. */
enum berth_err scenario_load_text(const char *text, size_t length, const char *folder,
                                  struct scenario_set **out,
                                  struct berth_error *err) BERTH_MUST_CHECK;

/*
 * Refuse names of metrics (run.metrics, run.precision.metric) that are not among `names`
 * (NULL-terminated): the caller's, since metrics are made in a layer above.
 */
enum berth_err scenario_check_metrics(const struct scenario_set *set, const char *const *names,
                                      struct berth_error *err) BERTH_MUST_CHECK;

/* The rack of instance number `index` of the group, or NULL. Lent by the scenario. */
const char *scenario_rack(const struct scenario_group *group, uint32_t index);

/* Before anything is found by name. */
void scenario_sort_names(struct scenario *scenario);
const struct scenario_task_def *scenario_find_task_def(const struct scenario *scenario,
                                                       const char *name);
const struct scenario_service *scenario_find_service(const struct scenario *scenario,
                                                     const char *name);

#endif
