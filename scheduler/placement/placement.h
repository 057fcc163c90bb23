/*
 * placement.h -- where one task goes, and why not elsewhere.
 *
 * The pipeline is ECS's (semantics 1.2): hard preconditions, resources, constraints, strategies in
 * order, tie-break (fewest tasks of the same group on the instance, then the smallest id: U1). Each
 * strategy of a chain narrows the candidates that the one before left. One task at a time: the
 * caller charges the cluster (cluster_reserve, cluster_join) before it asks for the next.
 *
 * Pure: equal cluster, plan, request and stream give the equal answer. An index inside the cluster
 * is only a faster way to what placement_choose_by_scan finds; tests hold the two together.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_PLACEMENT_H
#define BERTH_SCHEDULER_PLACEMENT_PLACEMENT_H

#include "scheduler/base/error.h"
#include "scheduler/base/rng.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/task_def.h"

#define PLACEMENT_STRATEGIES_MAX 5
#define PLACEMENT_CONSTRAINTS_MAX 10

/* First failing check, in the order in which they are made. */
enum placement_verdict {
    PLACEMENT_FITS = 0,
    PLACEMENT_INACTIVE, /* status is not ACTIVE, or not of the request's pool */
    PLACEMENT_AGENT,
    PLACEMENT_ATTRIBUTE,
    PLACEMENT_LOCATION,
    PLACEMENT_CPU,
    PLACEMENT_MEMORY,
    PLACEMENT_PORTS,
    PLACEMENT_ENI,
    PLACEMENT_GPU,
    PLACEMENT_MEMBER_OF,
    PLACEMENT_DISTINCT_INSTANCE,
    PLACEMENT_FARGATE, /* the platform has no room; never an instance's verdict */
    PLACEMENT_VERDICT_COUNT
};

/* "INACTIVE", "AGENT", ..., "DistinctInstance placement constraint unsatisfied"; FITS is "". */
extern const char *const placement_verdict_names[PLACEMENT_VERDICT_COUNT];

/* As ECS writes them. Borrowed texts. */
struct placement_strategy_spec {
    const char *type;  /* "binpack" */
    const char *field; /* "memory"; NULL when absent */
};

struct placement_constraint_spec {
    const char *type;       /* "memberOf", "distinctInstance" */
    const char *expression; /* NULL when absent */
};

/* A chain and its constraints, compiled once and used for many placements. */
struct placement_plan;

enum placement_default { PLACEMENT_DEFAULT_SERVICE, PLACEMENT_DEFAULT_STANDALONE };

/*
 * Compile. The definition's own memberOf constraints and requiresAttributes are added from `def`.
 * With no strategy, ECS's default for `when_empty` applies (semantics 1.5). On bad input fails with
 * a text such as: placementStrategy[0].field: "mem" is not a field of binpack; use cpu or memory.
 * An expression that does not parse gives its column. *out is owned by the caller.
 */
enum berth_err placement_plan_create(struct symbols *symbols, const struct task_def *def,
                                     const struct placement_strategy_spec *strategies,
                                     size_t strategy_count,
                                     const struct placement_constraint_spec *constraints,
                                     size_t constraint_count, enum placement_default when_empty,
                                     struct placement_plan **out,
                                     struct berth_error *err) BERTH_MUST_CHECK;
void placement_plan_destroy(struct placement_plan *plan);

struct placement_request {
    const struct placement_plan *plan; /* borrowed */
    const struct demand *demand;       /* borrowed */
    group_id group;                    /* counted by spread, distinctInstance and the tie-break */
    symbol pool;         /* only instances of this capacity provider; SYMBOL_NONE: of any or none */
    struct rng *stream;  /* of the service or group; only random strategies draw from it */
    const symbol *zones; /* LOCATION: the zones of the request's subnets; NULL allows all */
    size_t zone_count;
};

/* The first failing check of one instance, the request's group and reservations as they stand. */
enum placement_verdict placement_check(const struct cluster *cluster,
                                       const struct placement_request *request, instance_id id);

/* The instance to take, or INSTANCE_NONE when none fits. Draws from the stream at most. */
instance_id placement_choose(struct cluster *cluster, const struct placement_request *request);

/* The plain reading of the rules, O(instances); the reference that the index must equal. */
instance_id placement_choose_by_scan(const struct cluster *cluster,
                                     const struct placement_request *request);

/* How many instances end at each verdict: O(instances), for the answer to a refusal. */
void placement_count_verdicts(struct cluster *cluster, const struct placement_request *request,
                              uint32_t counts[PLACEMENT_VERDICT_COUNT]);

/*
 * The closest matching instance (U13): among ACTIVE ones of the pool the one that fails the fewest
 * checks, then the smallest shortfall, then the smallest id. INSTANCE_NONE when there is none.
 */
instance_id placement_closest(struct cluster *cluster, const struct placement_request *request,
                              enum placement_verdict *why);

/* True when the definition fits on the instance if it were empty, ACTIVE and connected. */
bool placement_fits_empty(const struct cluster *cluster, const struct placement_request *request,
                          instance_id id);

/* Words for --explain: what each step of the chain kept ("spread(attribute:rack): 4 of 12"). */
struct placement_step {
    char label[96];
    uint32_t kept; /* candidates left after the step */
};

/* Steps of the choice that placement_choose would make now; returns how many (<= 5 + 2). */
size_t placement_explain(const struct cluster *cluster, const struct placement_request *request,
                         struct placement_step steps[PLACEMENT_STRATEGIES_MAX + 2]);

/* Scale-in and rolling cleanup: who goes first (semantics 1.6, rule U5). */
enum victim_class {
    VICTIM_PROVISIONING = 0, /* newest first */
    VICTIM_PENDING,          /* PENDING and ACTIVATING, newest first */
    VICTIM_UNHEALTHY,
    VICTIM_HEALTHY,
};

struct victim {
    uint64_t task;        /* task id; ascending with creation */
    instance_id instance; /* INSTANCE_NONE for a task not placed yet */
    enum victim_class class_;
    bool is_protected; /* never chosen */
    berth_ns created_ns;
    const struct demand *demand; /* what its end would free (binpack's rule) */
};

/* Index of the task to stop now, or SIZE_MAX when none may be. Draws only for `random`. */
size_t placement_choose_victim(const struct cluster *cluster, const struct placement_plan *plan,
                               group_id group, struct rng *stream, const struct victim *tasks,
                               size_t task_count);

/*
 * Scale-in and placement by name, for documentation, validation and "did you mean": ends with NULL.
 */
extern const char *const placement_strategy_names[];

#endif
