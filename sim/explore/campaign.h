/*
 * campaign.h -- seed after seed, on many processes, and what they covered together.
 *
 * Results are told in the order of seeds, whatever order they end in: the same command prints the
 * same lines.
 */
#ifndef BERTH_SIM_EXPLORE_CAMPAIGN_H
#define BERTH_SIM_EXPLORE_CAMPAIGN_H

#include <signal.h>

#include "sim/explore/generate.h"
#include "sim/explore/trial.h"

struct campaign {
    const struct explore_profile *profile;
    uint64_t first_seed;
    uint64_t seed_count; /* 0: until it is stopped */
    unsigned minutes;    /* of the safety phase; 0: the profile's */
    double budget_s;     /* begin no seed after so many seconds of the wall clock; 0: no limit */
    uint32_t jobs;
    const volatile sig_atomic_t *stop;
    /* A seed has failed: told in order of seeds. */
    void (*failed)(void *context, uint64_t seed, const struct trial_outcome *outcome);
    void (*progress)(void *context, const struct campaign *campaign);
    void *context;

    /* What came of it. */
    uint64_t done_count, failed_count;
    uint64_t rules[RULE_COUNT]; /* how often each fired */
    uint64_t chaos[CHAOS_KIND_COUNT];
    uint64_t checks[INVARIANT_COUNT];
    double simulated_s, fault_s, cpu_s, wall_s;
};

/* False when no process could be made. */
bool campaign_run(struct campaign *campaign);

#endif
