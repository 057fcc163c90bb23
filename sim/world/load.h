/*
 * load.h -- what clients offer to services, and what becomes of it: a fluid model.
 *
 * Requests are rates, not events. A rate holds for a minute; between two transitions (a minute, a
 * copy that begins or ceases to serve or to get requests) everything is constant, so the figures
 * are products of rate and time. A copy is an M/M/c/K queue (queueing.h). Formulas: sim/README.md,
 * "Load".
 *
 * Who gets requests: with target groups the targets that the balancer takes for healthy, whether
 * they really serve or not; without, the copies that serve. A revision's share is its production
 * traffic weight where one was ever told, else that of its copies.
 */
#ifndef BERTH_SIM_WORLD_LOAD_H
#define BERTH_SIM_WORLD_LOAD_H

#include "scheduler/core/action.h"
#include "sim/scenario/scenario.h"

#define LOAD_SAMPLE_NS (20 * BERTH_NS_PER_S) /* three samples make a datapoint (semantics 6.2) */

/* Buckets of latency for quantiles: 20 to a factor of ten, from 0.1 ms to 10,000 s. */
#define LOAD_BUCKETS 160

/* Of one service, from the beginning to now: requests, seconds, copies x seconds. */
struct load_totals {
    double offered;
    double served;     /* answered, and not with an error */
    double served_old; /* of those: by a revision that is not PRIMARY */
    double rejected;   /* the queue was full */
    double errors;     /* answered by a bad revision */
    double dead;       /* sent to a copy that no longer serves */
    double no_target;  /* there was nobody to send it to */
    double taken;      /* not rejected by a copy: those that have a latency */
    double latency;    /* sum over those taken */
    double latency_square;
    double cpu_used;     /* vCPU x seconds */
    double cpu_reserved; /* of copies that serve */
    double targets;      /* copies that get requests and serve, x seconds */
    double short_time;   /* seconds with fewer of them than the load needs */
    double short_count;  /* how often that began */
    double surplus;      /* copies that serve above what the load needs, x seconds */
};

/* The same as rates, now. */
struct load_now {
    double offered, served, failed; /* per second; failed: all but served */
    double latency_s;               /* mean; 0 when nothing is taken in */
    double cpu_percent;             /* of what is reserved; 0 without copies */
    uint32_t needed;                /* copies that the load needs */
};

struct load;
typedef void (*load_answer)(void *context, const struct answer *answer);

/* NULL when no service has a load: all that follows may be called with it and does nothing. */
struct load *load_create(const struct scenario *scenario, uint64_t key);
void load_destroy(struct load *load);

void load_define(struct load *load, uint32_t index, const struct task_def *def);
/* `service` is of the scenario. */
void load_task(struct load *load, berth_ns now_ns, uint32_t service, const struct task_view *task);
void load_primary(struct load *load, berth_ns now_ns, uint32_t service, uint64_t deployment);
void load_serving(struct load *load, berth_ns now_ns, uint32_t service, task_id task, int change);
void load_routed(struct load *load, berth_ns now_ns, task_id task, bool is_healthy);
/* Production traffic, all of it: a deployment that is not in the list has none. */
void load_weights(struct load *load, berth_ns now_ns, uint32_t service,
                  const struct traffic_weight *weights, uint32_t count);

/* Every LOAD_SAMPLE_NS from 0 on; the minute's figures and alarms go out by `answer`. */
void load_tick(struct load *load, berth_ns now_ns, load_answer answer, void *context);

/* False when the service has no load. */
bool load_totals(struct load *load, berth_ns now_ns, uint32_t service, struct load_totals *out);
bool load_now(const struct load *load, uint32_t service, struct load_now *out);
/* Requests taken in so far by latency, all services together. */
void load_latencies(struct load *load, berth_ns now_ns, double counts[LOAD_BUCKETS]);
double load_bucket_s(uint32_t index); /* the upper bound of a bucket, in seconds */

#endif
