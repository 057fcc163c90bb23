/*
 * import.h -- real clusters and public traces into scenario.json and the workload CSV it names.
 *
 * Every importer streams its input (plain or gzip, by content), writes into `out_folder` (made when
 * absent) under temporary names and renames at the end, and prints what it read on `report`:
 * counts, exact time averages and peaks, and the rounding error of what was rounded for placement.
 */
#ifndef BERTH_SIM_IMPORT_IMPORT_H
#define BERTH_SIM_IMPORT_IMPORT_H

#include <stdio.h>

#include "scheduler/base/error.h"

enum berth_err import_openb(const char *nodes_csv, const char *pods_csv, const char *out_folder,
                            FILE *report, struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err import_azure_vm(const char *vms_csv, const char *out_folder, FILE *report,
                               struct berth_error *err) BERTH_MUST_CHECK;

/* A folder of saved `aws ecs describe-*` outputs (*.json), in import_aws.c. */
enum berth_err import_aws(const char *folder, const char *out_folder, FILE *report,
                          struct berth_error *err) BERTH_MUST_CHECK;

#endif
