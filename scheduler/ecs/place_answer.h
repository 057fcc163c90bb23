/*
 * place_answer.h -- where would it go, and why not there: a RunTask request asked of a described
 * cluster.
 *
 * Copies are placed one after the other and charged, exactly as the controller does it. When one
 * finds no room, neither would the next: the rest is left, and every instance says why.
 */
#ifndef BERTH_SCHEDULER_ECS_PLACE_ANSWER_H
#define BERTH_SCHEDULER_ECS_PLACE_ANSWER_H

#include "scheduler/ecs/describe_json.h"
#include "scheduler/ecs/run_task_json.h"

#define PLACE_EXPLAINED_MAX 100 /* copies whose choice is explained */

struct place_explained {
    struct placement_step steps[PLACEMENT_STRATEGIES_MAX + 2];
    size_t step_count;
};

struct place_answer {
    const struct described_cluster *described; /* borrowed; holds the copies that were placed */
    char *cluster_arn;                         /* owned */
    char *family;                              /* owned */
    uint32_t revision;
    char *group; /* owned */
    uint32_t count, placed_count;
    instance_id *placed;              /* owned; by copy, in order */
    enum placement_verdict *verdicts; /* owned; by instance, for the first copy without room */
    uint32_t verdict_counts[PLACEMENT_VERDICT_COUNT];
    instance_id closest; /* to fitting, for that copy; INSTANCE_NONE when none is ACTIVE */
    enum placement_verdict closest_why;
    struct place_explained *explained; /* owned; of the first explained_count copies */
    uint32_t explained_count;
};

/* `place` stands for the request in messages. Charges the described cluster. */
enum berth_err place_answer_compute(struct described_cluster *described, const json_t *request,
                                    const char *place, uint64_t seed, bool explains,
                                    struct place_answer *out,
                                    struct berth_error *err) BERTH_MUST_CHECK;
void place_answer_free(struct place_answer *answer);

/* {"tasks": [...], "failures": [...], "explain": [...] when `explains`}; a new reference. */
json_t *place_answer_to_json(const struct place_answer *answer, bool explains);

#endif
