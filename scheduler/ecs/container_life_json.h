/*
 * container_life_json.h -- a container's healthCheck and restartPolicy, with ECS's ranges and
 * defaults (reference "ECS scheduling semantics" 2.3). The shape has been checked before.
 */
#ifndef BERTH_SCHEDULER_ECS_CONTAINER_LIFE_JSON_H
#define BERTH_SCHEDULER_ECS_CONTAINER_LIFE_JSON_H

#include <jansson.h>

#include "scheduler/model/task_def.h"

/* `json` is the container's definition at `place`; an absent member leaves *out zeroed. */
enum berth_err container_read_health(const json_t *json, const char *place,
                                     struct health_check *out,
                                     struct berth_error *err) BERTH_MUST_CHECK;

/* What *out owns is only set on success. */
enum berth_err container_read_restart(const json_t *json, const char *place,
                                      struct restart_policy *out,
                                      struct berth_error *err) BERTH_MUST_CHECK;

#endif
