/*
 * drain_answer.h -- what becomes of the tasks of one instance of a described cluster when it is set
 * to DRAINING.
 *
 * As the controller does it (core/what_if.h): services in the order of their names, each task's
 * replacement placed by its service's strategy and constraints while the old task still holds what
 * it has. Those of describe-services are used where the cluster's document has them, else ECS's
 * default for services. The described cluster is afterwards as it was.
 */
#ifndef BERTH_SCHEDULER_ECS_DRAIN_ANSWER_H
#define BERTH_SCHEDULER_ECS_DRAIN_ANSWER_H

#include "scheduler/core/what_if.h"
#include "scheduler/ecs/describe_json.h"

struct drain_task {
    const char *arn, *group; /* lent by the document */
    enum what_if_fate fate;
    struct what_if_answer answer;
};

struct drain_answer {
    const struct described_cluster *described; /* borrowed */
    instance_id instance;
    struct drain_task *tasks; /* owned; those of services first, by name */
    size_t task_count;
    uint32_t fates[WHAT_IF_FATE_COUNT];
    enum placement_verdict *verdicts; /* owned; by instance, for the first task without room */
};

/* `cluster` is the document that `described` was read from, `place` stands for it in messages. */
enum berth_err drain_answer_compute(struct described_cluster *described, const json_t *cluster,
                                    const char *place, const char *instance, uint64_t seed,
                                    struct drain_answer *out,
                                    struct berth_error *err) BERTH_MUST_CHECK;
void drain_answer_free(struct drain_answer *answer);

/*
 * {"containerInstanceArn", "tasks": [{"taskArn", "group", "fate", "containerInstanceArn" |
 * "refused" and "closest"}], "failures": [{"arn", "reason"}] when per_instance}; a new reference.
 */
json_t *drain_answer_to_json(const struct drain_answer *answer, bool per_instance);

#endif
