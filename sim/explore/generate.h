/*
 * generate.h -- a random scenario of a seed, as a document like any that a person writes.
 *
 *     |---- safety: faults, deployments, drains ----|-- heal --|-- liveness --|---- quiet ----|
 *     0                                          heal      steadyBy       quietFrom     duration
 *
 * Every fault ends, every bad release is replaced and every instance is activated by `heal`. What
 * is asked for fits with room to spare, however it was scattered: services at their maximum percent
 * take at most two thirds of the smallest part of the fleet that any of them may use, and no task
 * more than a slot, a quarter of an instance or less. So nothing excuses a service that is not
 * steady by steadyBy.
 */
#ifndef BERTH_SIM_EXPLORE_GENERATE_H
#define BERTH_SIM_EXPLORE_GENERATE_H

#include <jansson.h>
#include <stdint.h>

struct explore_profile {
    const char *name;
    unsigned instances_least, instances_most;
    unsigned services_least, services_most;
    unsigned minutes_least, minutes_most; /* of the safety phase */
    unsigned slots;                       /* of an instance: no task takes more than one */
    unsigned tasks;                       /* wanted by all services together, about */
    unsigned faults_an_hour;              /* 0: drawn */
};

extern const struct explore_profile explore_profiles[]; /* ends with one without a name */

/* The caller's to json_decref. `minutes`: of the safety phase; 0: the profile's. */
json_t *explore_generate(uint64_t seed, const struct explore_profile *profile, unsigned minutes);

#endif
