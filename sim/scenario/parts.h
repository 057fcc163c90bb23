/*
 * parts.h -- the sections of a scenario, each read into its part of struct scenario.
 *
 * `root` is the whole document of one variant. Readers are sticky (reader.h), so the order of the
 * calls is the order in which mistakes are told.
 */
#ifndef BERTH_SIM_SCENARIO_PARTS_H
#define BERTH_SIM_SCENARIO_PARTS_H

#include "sim/scenario/reader.h"
#include "sim/scenario/scenario.h"

void read_fleet(const struct at *root, struct scenario *out);
/* capacityProviders, fargate, cluster; after the fleet. */
void read_capacity_providers(const struct at *root, struct scenario *out);
void read_shares(const struct at *up, const char *key, const struct scenario *scenario,
                 struct scenario_shares *out);
void free_shares(struct scenario_shares *shares);
void free_capacity(struct scenario *scenario);

void read_task_definitions(const struct at *root, struct scenario *out);
void read_target_groups(const struct at *root, struct scenario *out);
void read_services(const struct at *root, struct scenario *out);
void read_arrivals(const struct at *root, struct scenario *out);
void read_timeline(const struct at *root, struct scenario *out);
void read_failures(const struct at *root, struct scenario *out);
void read_chaos(const struct at *root, struct scenario *out);
void read_hook_functions(const struct at *root, struct scenario *out);
void read_delays(const struct at *root, struct scenario *out);
void read_quotas(const struct at *root, struct scenario *out);
void read_run(const struct at *root, struct scenario *out);

/* Entries of the timeline about the task sets of EXTERNAL services. */
void read_create_task_set(const struct at *at, struct scenario_timeline *out);
void read_update_task_set(const struct at *at, struct scenario_timeline *out);
void read_primary_task_set(const struct at *at, struct scenario_timeline *out);
void read_delete_task_set(const struct at *at, struct scenario_timeline *out);

/* ECS's lists, by their keys in `up`: "placementStrategy", "placementConstraints". */
void read_strategies(const struct at *up, struct scenario_strategies *out);
void read_constraints(const struct at *up, struct scenario_constraints *out);
void free_strategies(struct scenario_strategies *strategies);
void free_constraints(struct scenario_constraints *constraints);

void read_deployment(const struct at *up, struct scenario_service *out);
void free_deployment(struct scenario_service *service);

/* services.NAME: "load", "autoScaling"; and the collection "alarms". */
void read_load(const struct at *up, struct scenario_service *out);
void read_scaling(const struct at *up, struct scenario_service *out);
void read_all_alarms(const struct at *root, struct scenario *out);
void free_load(struct scenario *scenario);

/*
 * What one part says of another: names that must exist, expressions and strategies that must
 * compile, and warnings about what can never matter.
 */
void check_scenario(const struct at *root, struct scenario *out);

/* Fails with a "did you mean" unless `name` is one of the NULL-terminated `names`; `kind` is
 * "service", `where` its collection. */
void check_name(const struct at *at, const char *name, const char *kind, const char *where,
                const char *const *names);

void read_load_balancers(const struct at *up, const struct scenario *scenario,
                         struct scenario_service *out);
void free_target_groups(struct scenario *scenario);
void free_load_balancers(struct scenario_service *service);

void free_hook_functions(struct scenario *scenario);
void free_faults(struct scenario *scenario);
void free_chaos(struct scenario_faults *faults);

/* Which instances: all but the keys' names, which the caller checks together with its own. */
#define SELECTOR_KEYS "fleet", "zone", "rack", "expression", "instance", "share"
void read_selector(const struct at *at, struct scenario_selector *out);
void free_selector(struct scenario_selector *selector);

/* The members of one fault beside its rate: `for`, its amount and its choice, with defaults. */
void read_fault(const struct at *at, enum fault_kind kind, struct scenario_fault *out);
void free_fault(struct scenario_fault *fault);
void scenario_destroy(struct scenario *scenario);

#endif
