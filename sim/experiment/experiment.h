/*
 * experiment.h -- all replications of all variants of a scenario, and what they say together.
 *
 * A finished replication is kept in the parts folder (parts.h). What is there already, of the same
 * scenario, build and seed, is not computed again. Merging is in the order of variants and
 * replications, so the outcome is the same for any number of processes, and for a run that was
 * continued.
 */
#ifndef BERTH_SIM_EXPERIMENT_EXPERIMENT_H
#define BERTH_SIM_EXPERIMENT_EXPERIMENT_H

#include "sim/experiment/farm.h"
#include "sim/experiment/statistics.h"
#include "sim/run/run.h"

struct experiment_variant {
    const char *name;                /* borrowed from the scenario set */
    const struct scenario *scenario; /* borrowed */
    double *values[METRIC_COUNT];    /* owned; by replication, NaN where it does not exist */
    struct statistics_summary summaries[METRIC_COUNT];
    double points[METRIC_COUNT]; /* what tables show: the mean; of wait quantiles, the pooled one */
    struct histogram *waits;     /* owned; of all replications */
    struct run_sample *samples;  /* owned; means over the replications */
    uint32_t sample_count;
    int16_t *heat; /* owned; of replication 0, or NULL: heat_rows x sample_count */
    uint32_t heat_rows;
    struct story *story; /* owned; of replication 0, or NULL */
};

struct experiment_comparison { /* of a variant with the baseline, in one metric */
    uint32_t variant;
    enum metric metric;
    struct statistics_test test;
    double p_holm; /* corrected over all comparisons */
};

struct experiment {
    const struct scenario_set *set; /* borrowed */
    uint64_t seed;
    uint32_t replication_count;
    uint32_t baseline; /* index of a variant */
    struct experiment_variant *variants;
    uint32_t variant_count;
    struct experiment_comparison *comparisons; /* by variant, then metric */
    size_t comparison_count;
};

struct experiment_options {
    const char *parts;       /* folder; made when absent */
    const uint64_t *seed;    /* NULL: the scenario's */
    uint32_t replications;   /* 0: as the scenario says; else exactly so many */
    const struct farm *farm; /* who computes; NULL: processes of this machine */
    uint32_t jobs;           /* of them; 0: one for each core */
    bool audits;             /* hold every replication against the invariants (sim/audit) */
    const volatile sig_atomic_t *stop;
    void (*progress)(void *context, uint32_t done, uint32_t total); /* may be NULL */
    void (*notice)(void *context, const char *line);                /* may be NULL */
    void *context;
};

/*
 * *out is owned by the caller. With BERTH_ERR_INTERRUPTED it holds the replications that every
 * variant has finished, or NULL when there are none; the parts stay for the next call.
 */
enum berth_err experiment_run(const struct scenario_set *set,
                              const struct experiment_options *options, struct experiment **out,
                              struct berth_error *err) BERTH_MUST_CHECK;
void experiment_destroy(struct experiment *experiment);

/*
 * What a worker of a farm elsewhere needs to do any of the tasks: a work with run and context, of
 * the same set and options as the master's (which experiment_origin tells apart), owned by the
 * caller: experiment_work_free.
 */
struct farm_work experiment_work(const struct scenario_set *set,
                                 const struct experiment_options *options);
void experiment_work_free(struct farm_work *work);
/* One line: scenario, build, seed. */
void experiment_origin(const struct scenario_set *set, const struct experiment_options *options,
                       struct text *out);

/* By hand: create, add every replication of every variant, in order, then conclude. */
struct experiment *experiment_create(const struct scenario_set *set, uint64_t seed,
                                     uint32_t baseline, uint32_t replication_count);
void experiment_add(struct experiment *experiment, uint32_t variant, uint32_t replication,
                    const struct run_result *result);
void experiment_conclude(struct experiment *experiment);

/* Where a variant's events of replication 0 lie until the results are written; by the caller. */
char *experiment_events_path(const char *parts, uint32_t variant);

#endif
