/*
 * csv.h -- the tables that other programs read: one header, commas, RFC 4180 quotes.
 *
 * The first lines begin with '#' and say which scenario, build and seed the numbers are of. A value
 * that does not exist is an empty cell.
 */
#ifndef BERTH_SIM_REPORT_CSV_H
#define BERTH_SIM_REPORT_CSV_H

#include "scheduler/base/text.h"
#include "sim/experiment/experiment.h"

/* "berth 0.1.0, scenario first-look, hash ..., build ..., seed 1, 30 replications" */
void csv_format_origin(const struct experiment *experiment, struct text *out);

/* variant, replication, then every metric under its fixed name. */
void csv_format_metrics(const struct experiment *experiment, struct text *out);

/* variant, seconds, then the columns of struct run_sample: means over the replications. */
void csv_format_timeline(const struct experiment *experiment, struct text *out);
void csv_format_services(const struct experiment *experiment, struct text *out);
void csv_format_marks(const struct experiment *experiment, struct text *out);

#endif
