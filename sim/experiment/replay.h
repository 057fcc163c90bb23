/*
 * replay.h -- once more: a row of a summary, or a recorded transcript, and whether it comes out the
 * same.
 */
#ifndef BERTH_SIM_EXPERIMENT_REPLAY_H
#define BERTH_SIM_EXPERIMENT_REPLAY_H

#include "sim/experiment/summary.h"

/*
 * The scenario that a summary was made of: its path as it stands there, from the working directory
 * or any folder above the summary. The first that exists is taken. Owned by the caller.
 */
enum berth_err replay_find_scenario(const struct summary *summary, char **out,
                                    struct berth_error *err) BERTH_MUST_CHECK;

/* Scenario hash and build id equal, or BERTH_ERR_INPUT that says which differs. */
enum berth_err replay_check_origin(const struct summary *summary, const struct scenario_set *set,
                                   struct berth_error *err) BERTH_MUST_CHECK;

/*
 * A table of all metrics, stored and found; returns how many differ. `stored` may be NULL: then
 * only what was found is shown.
 */
uint32_t replay_format(const struct summary_variant *stored, uint32_t replication,
                       const double metrics[METRIC_COUNT], struct text *out);

struct replay_outcome {
    uint64_t event_count, action_count;
    uint64_t different_line;     /* of the file, from 1; 0: everything is the same */
    struct text expected, found; /* owned: the two lines there */
};

/*
 * Feed the recorded events to a fresh controller and compare its actions line by line, to the first
 * difference. A transcript that cannot be read is bad input: FILE:LINE: what.
 */
enum berth_err replay_transcript(const char *path, struct replay_outcome *out,
                                 struct berth_error *err) BERTH_MUST_CHECK;
void replay_outcome_free(struct replay_outcome *outcome);

#endif
