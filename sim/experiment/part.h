/*
 * part.h -- the result of one replication as bytes: from a worker to its master, and on a disk.
 *
 * Numbers of 1 to 8 bytes, the least first: metrics, samples, waits, heat map, story. Reals are
 * their bits: what is read is what was computed. (As hexadecimal text they took eight million
 * instructions to write and read, as many as simulating a hundred tasks.) Every result passes
 * through this form, also in a run that nobody interrupts, so there is one path and not two.
 */
#ifndef BERTH_SIM_EXPERIMENT_PART_H
#define BERTH_SIM_EXPERIMENT_PART_H

#include "scheduler/base/text.h"
#include "sim/run/run.h"

/* Appends to *out. */
void part_format(const struct run_result *result, struct text *out);

/* False, with nothing in *out, when these bytes are not a whole part. */
bool part_parse(const struct text *bytes, struct run_result *out);

#endif
