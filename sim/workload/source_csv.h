/* source_csv.h -- within sim/workload: the columns of a workload CSV (sim/README.md). */
#ifndef BERTH_SIM_WORKLOAD_SOURCE_CSV_H
#define BERTH_SIM_WORKLOAD_SOURCE_CSV_H

#include "sim/workload/csv.h"
#include "sim/workload/source.h"

struct source_csv {
    struct csv *csv; /* owned */
    int arrival, lifetime, task_definition, cpu, memory, gpu, group, count, constraint;
    berth_ns before_ns; /* arrival of the row before */
};

/* Finds the columns and refuses unknown ones; takes `csv`, also when it fails. */
enum berth_err source_csv_init(struct source_csv *source, struct csv *csv,
                               struct berth_error *err) BERTH_MUST_CHECK;

/*
 * Read the next row. *arrival_ns is its arrival; in `task`, what the row says replaces what was
 * there, and empty cells leave it.
 */
enum berth_err source_csv_next(struct source_csv *source, berth_ns *arrival_ns,
                               struct source_task *task, bool *has_row,
                               struct berth_error *err) BERTH_MUST_CHECK;

#endif
