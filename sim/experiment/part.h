/*
 * part.h -- the result of one replication as a file, so that a run can be left and continued.
 *
 *     berth-part 1 SCENARIO-HASH BUILD-ID SEED VARIANT REPLICATION
 *     metrics N, samples N, waits N, heat ROWS COLUMNS: a line each, then their numbers
 *     end
 *
 * Reals are hexadecimal: what is read is what was computed, to the last bit. Every result passes
 * through a file, also in a run that nobody interrupts, so there is one path and not two.
 */
#ifndef BERTH_SIM_EXPERIMENT_PART_H
#define BERTH_SIM_EXPERIMENT_PART_H

#include "sim/run/run.h"

struct part_key {
    const char *scenario_hash, *build_id; /* borrowed */
    uint64_t seed;
    uint32_t variant; /* index */
    uint32_t replication;
};

enum berth_err part_write(const char *path, const struct part_key *key,
                          const struct run_result *result,
                          struct berth_error *err) BERTH_MUST_CHECK;

/* False, with nothing in *out, when there is no such file, it is of another key or damaged. */
bool part_read(const char *path, const struct part_key *key, struct run_result *out);

#endif
