/*
 * run_task_json.h -- a RunTask request, overrides included.
 *
 * Takes the file that `aws ecs run-task --cli-input-json` takes. `count` may be 1 to 100,000.
 */
#ifndef BERTH_SCHEDULER_ECS_RUN_TASK_JSON_H
#define BERTH_SCHEDULER_ECS_RUN_TASK_JSON_H

#include <jansson.h>

#include "scheduler/placement/placement.h"

#define RUN_TASK_COUNT_MAX 100000

/* Texts are lent by the JSON. */
struct run_task_request {
    const char *task_definition;
    const char *cluster; /* NULL when absent */
    const char *group;   /* NULL when absent: family:FAMILY */
    uint32_t count;
    struct placement_strategy_spec strategies[PLACEMENT_STRATEGIES_MAX];
    struct placement_constraint_spec constraints[PLACEMENT_CONSTRAINTS_MAX];
    size_t strategy_count, constraint_count;
    const json_t *overrides; /* NULL when absent */
    const json_t *subnets;   /* texts; NULL when absent */
};

enum berth_err run_task_from_json(const json_t *json, const char *place,
                                  struct run_task_request *out,
                                  struct berth_error *err) BERTH_MUST_CHECK;

/*
 * The definition as the request's overrides change it: cpu and memory of the task and of its
 * containers, memoryReservation, resourceRequirements. *out is owned by the caller and not
 * registered.
 */
enum berth_err run_task_override(const struct run_task_request *request, const char *place,
                                 const struct task_def *def, struct task_def **out,
                                 struct berth_error *err) BERTH_MUST_CHECK;

/* Lists that services and requests share: [{"type", "field"}] and [{"type", "expression"}]. */
enum berth_err ecs_read_strategies(const json_t *object, const char *place,
                                   struct placement_strategy_spec out[PLACEMENT_STRATEGIES_MAX],
                                   size_t *count, struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err ecs_read_constraints(const json_t *object, const char *place,
                                    struct placement_constraint_spec out[PLACEMENT_CONSTRAINTS_MAX],
                                    size_t *count, struct berth_error *err) BERTH_MUST_CHECK;

#endif
