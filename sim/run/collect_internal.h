/*
 * collect_internal.h -- what collect.c and its parts share.
 */
#ifndef BERTH_SIM_RUN_COLLECT_INTERNAL_H
#define BERTH_SIM_RUN_COLLECT_INTERNAL_H

#include "scheduler/base/mem.h"
#include "scheduler/core/controller.h"
#include "sim/run/collect.h"
#include "sim/run/histogram.h"
#include "sim/run/levels.h"
#include "sim/run/story.h"

enum level_name {
    LEVEL_TASKS = 0, /* requested and not STOPPED: in the system */
    LEVEL_RUNNING,
    LEVEL_WAITING,
    LEVEL_CPU_RESERVED, /* units */
    LEVEL_CPU_REGISTERED,
    LEVEL_CPU_STRANDED,
    LEVEL_MEM_RESERVED, /* MiB */
    LEVEL_MEM_REGISTERED,
    LEVEL_MEM_STRANDED,
    LEVEL_GPU_RESERVED, /* thousandths of a card */
    LEVEL_GPU_REGISTERED,
    LEVEL_INSTANCES_IN_USE,
    LEVEL_HOSTS_UP,
    LEVEL_DESIRED,
    LEVEL_BELOW_DESIRED,
    LEVEL_ZONE_SKEW, /* summed over services */
    LEVEL_COUNT      /* the fleet groups' paid hosts, their CPU units and MiB follow, in order */
};

/* What one instance adds to the levels; all 0 when it is not registered. */
struct instance_figures {
    int32_t cpu_remaining, mem_remaining; /* may be below 0 */
    int32_t cpu_registered, mem_registered;
    int32_t gpu_registered, gpu_reserved; /* thousandths of a card */
    bool is_registered;
    bool is_in_use;
    bool is_stranded; /* no definition fits into what is left */
    uint32_t zone;    /* index + 1; 0: not known yet */
    uint32_t tasks;   /* that hold a reservation here, daemons' left out: they are everywhere */
};

/* What is known of a task, a byte for each: those that live now were mostly made together. */
#define TASK_TRAITS 256
struct task_traits {
    uint8_t traits[TASK_TRAITS]; /* of enum task_trait; 0: not known */
    uint32_t count;              /* known */
};

/* A line of the cache. Of a daemon only what its deployments need. */
struct service_figures {
    _Alignas(64) int32_t desired;
    int32_t serving, below, skew;
    int32_t placed;      /* that are to run: the sum over by_zone */
    int32_t level_skew;  /* when `placed` was last what is desired */
    uint32_t rebalanced; /* stopped for that since */
    bool is_measured;    /* a REPLICA service */
    bool is_steady, is_unsettled, is_active;
    uint32_t *by_zone;    /* lent: all services' are one array */
    uint64_t told;        /* the deployment whose change was read last */
    uint32_t rolling_out; /* deployments, its creation left out */
    uint32_t newest;      /* of its deployments: place plus 1, 0: none yet */
};

_Static_assert(sizeof(struct service_figures) == 64, "a line of the cache");

/* A deployment under way, or one whose failure is being taken back. */
struct deployment_figures {
    uint64_t deployment;
    uint32_t service; /* of the scenario */
    uint32_t before;  /* the service's one before it, likewise */
    berth_ns begun_ns;
    berth_ns failed_ns; /* BERTH_NS_NEVER: it did not */
    bool is_first;      /* the service's creation */
    bool is_rolling_out;
};

struct deployment_sums {
    uint64_t completed, failed, rolled_back;
    level_integral duration_ns, rollback_ns;
    berth_ns duration_max_ns;
    double dip_max;
    bool has_dip;
};

/* From the last disturbance on: when were all services steady, and stayed so? */
struct convergence {
    berth_ns disturbed_ns; /* BERTH_NS_NEVER: nothing has happened yet */
    berth_ns settled_ns;   /* the last time that all became settled */
    bool was_unsettled;
    uint64_t count;
    level_integral sum_ns;
    berth_ns max_ns;
};

/* Demands of the scenario's definitions of which none is covered by another. */
struct smallest {
    int32_t cpu_units, mem_mib;
};

/* Of each group of the fleet, behind the named levels. */
enum { PAID_HOSTS = 0, PAID_CPU, PAID_MEM, PAID_LEVELS };

struct collect {
    const struct scenario *scenario;
    const struct run_options *options;
    const struct controller *controller;
    const struct fleet *fleet;
    berth_ns warm_up_ns, duration_ns, boundary_ns, next_sample_ns;
    bool is_in_window;
    struct levels levels;
    VEC(struct instance_figures) instances;
    int64_t load_sum, load_squares, load_count; /* over registered instances */
    VEC(struct task_traits *) tasks;            /* owned; NULL: none of these lives */
    struct service_figures *services;           /* owned, by scenario */
    uint32_t *by_zone;                          /* owned: the services', one after the other */
    VEC(uint32_t) service_of;                   /* by service id: scenario's index, or UINT32_MAX */
    VEC(uint32_t) service_of_group;             /* by group: the same */
    bool is_blast_due;  /* a desired count has changed since the last scan */
    const char **zones; /* owned array of lent texts */
    uint32_t zone_count;
    VEC(struct smallest) smallest;
    uint32_t measured_count; /* REPLICA services */
    uint32_t unsettled_count;
    VEC(berth_ns) disturbances; /* still open: when each began */
    struct convergence convergence;
    double missing_max;
    uint64_t steady_count;
    level_integral steady_sum_ns;
    berth_ns steady_max_ns;
    uint64_t requested, placed, refused, refused_by[PLACEMENT_VERDICT_COUNT];
    VEC(berth_ns) paid_since; /* by host; NEVER: it is not paid for */
    double cost_extra;        /* what short lives cost up to the least that is billed */
    uint64_t killed, restarted, moved;
    uint64_t disturbed, throttled;
    int64_t skew_gained; /* by zone rebalancing */
    uint64_t rebalanced;
    uint64_t starts, stops; /* of services' tasks */
    VEC(struct deployment_figures) deployments;
    struct deployment_sums deployment_sums;
    int64_t blast_tasks, blast_desired; /* the largest share, as a fraction */
    double variation_sum;
    uint64_t variation_count;
    level_integral begun_ns, ended_ns; /* sums of the times at which tasks came and ended */
    struct histogram *waits;
    struct run_sample *samples;
    uint32_t sample_count, sample_capacity;
    int16_t *heat;
    uint32_t heat_rows;
    struct load *load;               /* NULL: no service has one */
    struct load_window *load_window; /* owned */
    uint64_t desired_changes;        /* by auto scaling */
    struct story_teller *teller;     /* NULL: nothing is told */
};

void collect_instance(struct collect *collect, berth_ns now_ns, instance_id id);
int64_t collect_instance_load(const struct instance_figures *figures);
void collect_task(struct collect *collect, berth_ns now_ns, const struct change *change);
void collect_service(struct collect *collect, berth_ns now_ns, const struct change *change);
/* Daemons follow the machines: one that is missing on a dead machine is missed by nobody. */
bool collect_is_measured(const struct collect *collect, uint32_t service);
uint32_t collect_ask_service(struct collect *collect, service_id service);
/* Of the scenario, or UINT32_MAX. */
static inline uint32_t collect_service_index(struct collect *collect, service_id id)
{
    if (id < collect->service_of.count && collect->service_of.items[id] != UINT32_MAX)
        return collect->service_of.items[id];
    return collect_ask_service(collect, id);
}
void collect_blast(struct collect *collect, uint32_t service, int64_t tasks);
void collect_blast_scan(struct collect *collect);
void collect_zone_count(struct collect *collect, berth_ns now_ns, uint32_t service, uint32_t zone,
                        int change);
void collect_rebalanced(struct collect *collect, uint32_t service); /* before the count falls */
void collect_deployment(struct collect *collect, berth_ns now_ns, uint32_t service,
                        const struct deployment_view *view);
void collect_dip(struct collect *collect, uint32_t service); /* its figures have changed */
void collect_load_sample(struct collect *collect, berth_ns at_ns);
void collect_load_begin(struct collect *collect, berth_ns at_ns);
void collect_load_finish(struct collect *collect, double *metrics);
void collect_load_free(struct collect *collect);
void collect_deployments_finish(const struct collect *collect, double *metrics);

#endif
