/*
 * task_def_json.h -- ECS's JSON for a task definition, to the model's and back.
 *
 * Takes the very file that `aws ecs register-task-definition --cli-input-json` takes, and what
 * describe-task-definition prints (wrapped in "taskDefinition" or bare). Rules and limits:
 * reference "ECS scheduling semantics" 2. GPU values may be fractions below one ("0.46"): a share
 * of one card, berth's extension. Memory is optional in berth (0), to let a scenario stay small.
 */
#ifndef BERTH_SCHEDULER_ECS_TASK_DEF_JSON_H
#define BERTH_SCHEDULER_ECS_TASK_DEF_JSON_H

#include <jansson.h>

#include "scheduler/model/task_def.h"

/*
 * `place` is where the JSON stands, for messages ("scenario.json:/taskDefinitions/web"). Unknown
 * members are ignored only when they are members of ECS's own shape; others are refused with a
 * "did you mean". *out is owned by the caller.
 */
enum berth_err task_def_from_json(const json_t *json, const char *place, struct task_def **out,
                                  struct berth_error *err) BERTH_MUST_CHECK;

/* A `task_def_decoder` (controller.h): parses `document` and calls the above. */
enum berth_err task_def_from_document(const char *document, struct task_def **out,
                                      struct berth_error *err) BERTH_MUST_CHECK;

/* "256", "0.25 vCPU", ".5 vcpu", 1024 and "1024", "1 GB", "0.5GB"; false when not of that form. */
bool ecs_parse_cpu(const json_t *value, int32_t *cpu_units);
bool ecs_parse_memory(const json_t *value, int32_t *mem_mib);

/* A GPU requirement's value: "1", "2", ... whole cards or "0.001" to "0.999", a share of one. */
bool ecs_parse_gpu(const char *value, uint32_t *milli);

/* The GPU request of a container (or its override): 0 when `requirements` (may be NULL) has none.
 */
enum berth_err ecs_read_gpu(const json_t *requirements, const char *place, uint32_t *milli,
                            struct berth_error *err) BERTH_MUST_CHECK;

#endif
