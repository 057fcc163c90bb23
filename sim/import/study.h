/* study.h -- within sim/import: what the imported scenarios have in common. */
#ifndef BERTH_SIM_IMPORT_STUDY_H
#define BERTH_SIM_IMPORT_STUDY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* {"boot": 0, ...}: nothing takes time, so that a replay is as exact as the trace. New reference.
 */
json_t *study_no_delays(void);

/*
 * {"baseline": ..., "variants": {...}}: every strategy of berth on the same trace; on a long one
 * without dotProduct, which looks at every instance for every task.
 */
json_t *study_compare_strategies(bool is_long);

/* The columns of the table, the question first: what fits at all, then on how few instances. */
json_t *study_metrics(bool has_gpus);

/* Seconds as JSON, whole when they are. */
json_t *study_seconds(int64_t ms);
#endif
