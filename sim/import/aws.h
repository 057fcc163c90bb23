/*
 * aws.h -- within sim/import: what saved `aws ecs describe-*` outputs say of one cluster.
 *
 * Collected by import_aws.c, turned into a scenario by aws_scenario.c, its fleet by aws_fleet.c.
 */
#ifndef BERTH_SIM_IMPORT_AWS_H
#define BERTH_SIM_IMPORT_AWS_H

#include <jansson.h>
#include <stdio.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

/* Objects by ARN ("family:revision" for definitions); a thing that two files describe is one. */
struct aws_cluster {
    json_t *instances, *tasks, *services, *definitions; /* owned */
    char *name; /* owned; of the cluster, "" when no ARN tells */
    size_t file_count;
    struct text notes; /* what was left out and why, a line each */
};

/* What the fleet offers in all. */
struct aws_totals {
    int64_t instances, cpu_units, mem_mib, gpus;
    int64_t asked_cpu_units, asked_mem_mib; /* by services and standalone tasks */
};

/* The scenario's "fleet"; a new reference in *out. Instances that are not ACTIVE are left out. */
enum berth_err aws_fleet(struct aws_cluster *cluster, const json_t *wanted_attributes,
                         struct aws_totals *totals, json_t **out,
                         struct berth_error *err) BERTH_MUST_CHECK;

/* The whole scenario; a new reference in *out. */
enum berth_err aws_scenario(struct aws_cluster *cluster, struct aws_totals *totals, json_t **out,
                            struct berth_error *err) BERTH_MUST_CHECK;

/* The zone in which most instances of a "fleet" stand; NULL when there is but one. Lent by it. */
const char *aws_largest_zone(const json_t *fleet);

/*
 * A name for a new member of `collection`, made from `wanted`: other characters than A-Z a-z 0-9 _
 * . - become "-", and a number is appended while it is taken. Owned by the caller.
 */
char *aws_unique_name(const json_t *collection, const char *wanted);

/* Keys in ascending order, NULL at the end; the array is the caller's, the texts are lent. */
const char **aws_sorted_keys(const json_t *object);

#endif
