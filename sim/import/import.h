/*
 * import.h -- real clusters and public traces into scenario.json and the workload CSV it names.
 *
 * Every importer streams its input (plain or gzip, by content), writes into `out_folder` (made when
 * absent) under temporary names and renames at the end, and prints what it read on `report`:
 * counts, exact time averages and peaks, and the rounding error of what was rounded for placement.
 */
#ifndef BERTH_SIM_IMPORT_IMPORT_H
#define BERTH_SIM_IMPORT_IMPORT_H

#include <stdint.h>
#include <stdio.h>

#include "scheduler/base/error.h"

/*
 * How the pods of a list fill the cluster instead of living when they did: in an order drawn by the
 * seed, then more of them, drawn with replacement, until together they ask for `percent` of all the
 * cluster's GPUs; one a second, and all stay. (Weng et al.'s way to see what a strategy wastes.)
 */
struct import_fill {
    uint32_t percent; /* 1 to 1000; 0: no filling */
    uint64_t seed;
};

enum berth_err import_openb(const char *nodes_csv, const char *pods_csv,
                            const struct import_fill *fill, const char *out_folder, FILE *report,
                            struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err import_azure_vm(const char *vms_csv, const char *out_folder, FILE *report,
                               struct berth_error *err) BERTH_MUST_CHECK;

/* A folder of saved `aws ecs describe-*` outputs (*.json), in import_aws.c. */
enum berth_err import_aws(const char *folder, const char *out_folder, FILE *report,
                          struct berth_error *err) BERTH_MUST_CHECK;

#endif
