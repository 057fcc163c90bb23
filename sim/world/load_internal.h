/* load_internal.h -- the state of the load model, shared by load.c and load_minute.c. */
#ifndef BERTH_SIM_WORLD_LOAD_INTERNAL_H
#define BERTH_SIM_WORLD_LOAD_INTERNAL_H

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/policy/datapoints.h"
#include "sim/world/load.h"

struct load_revision {
    uint64_t deployment;
    const struct scenario_task_def *def;
    uint32_t serving;    /* copies that really serve */
    uint32_t live, dead; /* copies that get requests: they serve, or they do not */
    uint32_t copies;     /* that are known, in whatever state */
    uint32_t permille;
    bool has_weight;
};

struct load_copy {
    task_id task;
    uint32_t service;
    uint64_t deployment;
    int serves;      /* the fleet's truth */
    bool is_healthy; /* the balancer's view */
    bool is_ended;   /* STOPPED for the controller */
};

struct load_service {
    const struct scenario_service *scenario;
    const struct scenario_task_def *first_def;
    uint64_t key;
    VEC(struct load_revision) revisions;
    uint64_t primary;
    bool is_balanced; /* it has target groups */
    bool is_short;
    berth_ns since_ns;          /* the totals are as of then */
    struct load_totals totals;  /* up to since_ns */
    struct load_totals rate;    /* per second, since then */
    struct load_totals minute;  /* totals when the minute began */
    double offered;             /* per second, in this minute */
    double cpu_sum, memory_sum; /* of the minute's samples */
    uint32_t cpu_count, memory_count;
    double memory_used_mib, memory_reserved_mib; /* now */
    uint32_t needed;
};

struct load_alarm {
    const struct scenario_alarm *scenario;
    uint32_t service;
    struct load_totals before; /* when the period began */
    uint32_t minutes;          /* of the period */
    uint32_t breaches;         /* of the last periods, the newest in bit 0 */
    uint32_t known;            /* how many periods had data, at most 32 */
    bool is_alarm;
};

struct load {
    const struct scenario *scenario;
    const struct task_def **defs;  /* owned: by index of the scenario */
    struct load_service *services; /* owned: by scenario */
    struct load_alarm *alarms;     /* owned: by scenario */
    VEC(struct load_copy) copies;
    VEC(uint32_t) free_copies;
    struct map copy_at; /* by task */
    double latencies[LOAD_BUCKETS];
    uint64_t tick;
};

void load_settle(struct load_service *service, berth_ns now_ns); /* rates anew, after a change */
void load_advance(struct load_service *service, berth_ns now_ns);
/* load_minute.c */
double load_offered(const struct load_service *service, berth_ns now_ns);
uint32_t load_needed(const struct load_service *service);
void load_minute(struct load *load, berth_ns now_ns, load_answer answer, void *context);
void load_spread(struct load *load, struct load_service *service); /* the minute's latencies */

#endif
