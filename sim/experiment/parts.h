/*
 * parts.h -- the finished replications of a run, in a file, so that it can be left and continued.
 *
 *     berth-parts 2 SCENARIO-HASH BUILD-ID SEED
 *     records: task, length, CRC-32 of both and the part (4 bytes each, the least first), part
 *
 * One file for all: with a file each, making and removing ten thousand of them took the file system
 * longer than small replications take. Records are appended whole, so whatever ends the run leaves
 * whole records and at most a torn one behind them, which is cut off when the file is opened.
 */
#ifndef BERTH_SIM_EXPERIMENT_PARTS_H
#define BERTH_SIM_EXPERIMENT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/text.h"

struct parts;

/*
 * The file in `folder`, which is made when absent. `origin` is the first line; a file (and
 * a folder) of another origin is emptied, and *discarded is set.
 */
enum berth_err parts_open(const char *folder, const char *origin, struct parts **out,
                          bool *discarded, struct berth_error *err) BERTH_MUST_CHECK;
void parts_close(struct parts *parts); /* NULL is fine */

bool parts_has(const struct parts *parts, uint32_t task);
enum berth_err parts_add(struct parts *parts, uint32_t task, const struct text *part,
                         struct berth_error *err) BERTH_MUST_CHECK;
/* In place of what *out held. False when there is none, or it cannot be read any more. */
bool parts_get(const struct parts *parts, uint32_t task, struct text *out);

#endif
