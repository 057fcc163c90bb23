/*
 * ecs_shapes.h -- the members of ECS's JSON shapes, and reading them with good messages.
 *
 * Everywhere `null` means absent, as the AWS CLI's own skeletons write it.
 */
#ifndef BERTH_SCHEDULER_ECS_ECS_SHAPES_H
#define BERTH_SCHEDULER_ECS_ECS_SHAPES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/error.h"

enum ecs_kind {
    ECS_TEXT = 0,
    ECS_INTEGER,
    ECS_NUMBER,
    ECS_BOOLEAN,
    ECS_TIMESTAMP, /* a number (CLI version 1) or a text (version 2) */
    ECS_SIZE,      /* "256", 256, "1 vCPU", "2 GB" */
    ECS_STRUCTURE,
    ECS_LIST, /* of structures */
    ECS_TEXTS,
    ECS_INTEGERS,
    ECS_MAP, /* of texts by text */
};

/* A row of a shape; the last has no name. */
struct ecs_member {
    const char *name;
    enum ecs_kind kind;
    const struct ecs_member *members; /* ECS_STRUCTURE, ECS_LIST */
};

/* RegisterTaskDefinition's input together with what describe-task-definition adds to it. */
extern const struct ecs_member ecs_task_definition_members[];
extern const struct ecs_member ecs_run_task_members[];

/*
 * Refuse, at any depth, a member that the shape does not have ("did you mean") and one of another
 * kind ("containerDefinitions/0/cpu: is a text; a whole number is expected").
 */
enum berth_err ecs_check_shape(const json_t *json, const char *place,
                               const struct ecs_member *members,
                               struct berth_error *err) BERTH_MUST_CHECK;

/*
 * One member of an object whose shape need not have been checked. Absent and null leave *out alone
 * (get_list and get_object: NULL) and are fine; another kind fails with PLACE/NAME.
 */
enum berth_err ecs_get_text(const json_t *object, const char *place, const char *name,
                            const char **out, struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err ecs_get_integer(const json_t *object, const char *place, const char *name,
                               int64_t min, int64_t max, int64_t *out,
                               struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err ecs_get_boolean(const json_t *object, const char *place, const char *name, bool *out,
                               struct berth_error *err) BERTH_MUST_CHECK;
/* Items are checked to be objects. */
enum berth_err ecs_get_list(const json_t *object, const char *place, const char *name,
                            const json_t **out, struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err ecs_get_texts(const json_t *object, const char *place, const char *name,
                             const json_t **out, struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err ecs_get_object(const json_t *object, const char *place, const char *name,
                              const json_t **out, struct berth_error *err) BERTH_MUST_CHECK;

#define ECS_PLACE_MAX 512

/* A place below a place ("%s/containerDefinitions/%zu"); cut when it is absurdly long. */
void ecs_place(char out[ECS_PLACE_MAX], const char *format, ...) BERTH_PRINTF(2, 3);

/* "a text", "a list", ...: what a value is, for messages. */
const char *ecs_kind_of(const json_t *json);

/* The last part of an ARN ("arn:...:container-instance/default/0a1b" -> "0a1b"), or all of it. */
const char *ecs_last_part(const char *arn);

#endif
