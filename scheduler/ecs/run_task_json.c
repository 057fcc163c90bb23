/*
 * run_task_json.c -- overrides are merged into the definition's own JSON, which is then read again:
 * every rule of sizes and sums holds for the result without a second copy of it here.
 */
#include "scheduler/ecs/run_task_json.h"

#include <string.h>

#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/task_def_json.h"

#define GROUP_BYTES_MAX 255

enum berth_err ecs_read_strategies(const json_t *object, const char *place,
                                   struct placement_strategy_spec out[PLACEMENT_STRATEGIES_MAX],
                                   size_t *count, struct berth_error *err)
{
    const json_t *list = NULL;
    *count = 0;
    if (ecs_get_list(object, place, "placementStrategy", &list, err) != BERTH_OK)
        return err->code;
    if (json_array_size(list) > PLACEMENT_STRATEGIES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/placementStrategy: %zu entries; at most %d",
                          place, json_array_size(list), PLACEMENT_STRATEGIES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char inner[ECS_PLACE_MAX];
        struct placement_strategy_spec spec = {NULL, NULL};
        ecs_place(inner, "%s/placementStrategy/%zu", place, i);
        if (ecs_get_text(json_array_get(list, i), inner, "type", &spec.type, err) != BERTH_OK ||
            ecs_get_text(json_array_get(list, i), inner, "field", &spec.field, err) != BERTH_OK)
            return err->code;
        if (spec.type == NULL)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/type: is missing; write spread, binpack or random", inner);
        out[(*count)++] = spec;
    }
    return BERTH_OK;
}

enum berth_err ecs_read_constraints(const json_t *object, const char *place,
                                    struct placement_constraint_spec out[PLACEMENT_CONSTRAINTS_MAX],
                                    size_t *count, struct berth_error *err)
{
    const json_t *list = NULL;
    *count = 0;
    if (ecs_get_list(object, place, "placementConstraints", &list, err) != BERTH_OK)
        return err->code;
    if (json_array_size(list) > PLACEMENT_CONSTRAINTS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "%s/placementConstraints: %zu entries; at most %d",
                          place, json_array_size(list), PLACEMENT_CONSTRAINTS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char inner[ECS_PLACE_MAX];
        struct placement_constraint_spec spec = {NULL, NULL};
        ecs_place(inner, "%s/placementConstraints/%zu", place, i);
        if (ecs_get_text(json_array_get(list, i), inner, "type", &spec.type, err) != BERTH_OK ||
            ecs_get_text(json_array_get(list, i), inner, "expression", &spec.expression, err) !=
                BERTH_OK)
            return err->code;
        if (spec.type == NULL)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/type: is missing; write memberOf or distinctInstance", inner);
        out[(*count)++] = spec;
    }
    return BERTH_OK;
}

enum berth_err run_task_from_json(const json_t *json, const char *place,
                                  struct run_task_request *out, struct berth_error *err)
{
    const char *launch_type = NULL;
    int64_t count = 1;
    *out = (struct run_task_request){.count = 1};
    if (ecs_check_shape(json, place, ecs_run_task_members, err) != BERTH_OK ||
        ecs_get_text(json, place, "taskDefinition", &out->task_definition, err) != BERTH_OK ||
        ecs_get_text(json, place, "cluster", &out->cluster, err) != BERTH_OK ||
        ecs_get_text(json, place, "group", &out->group, err) != BERTH_OK ||
        ecs_get_text(json, place, "launchType", &launch_type, err) != BERTH_OK ||
        ecs_get_integer(json, place, "count", 1, RUN_TASK_COUNT_MAX, &count, err) != BERTH_OK ||
        ecs_read_strategies(json, place, out->strategies, &out->strategy_count, err) != BERTH_OK ||
        ecs_read_constraints(json, place, out->constraints, &out->constraint_count, err) !=
            BERTH_OK ||
        ecs_get_object(json, place, "overrides", &out->overrides, err) != BERTH_OK)
        return err->code;
    out->count = (uint32_t)count;
    if (out->task_definition == NULL || *out->task_definition == '\0')
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/taskDefinition: is missing; write FAMILY, FAMILY:REVISION or an ARN",
                          place);
    if (out->group != NULL && (*out->group == '\0' || strlen(out->group) > GROUP_BYTES_MAX))
        return berth_fail(err, BERTH_ERR_INPUT, "%s/group: is %s; write 1 to %d characters", place,
                          *out->group == '\0' ? "empty" : "too long", GROUP_BYTES_MAX);
    if (launch_type != NULL && strcmp(launch_type, "FARGATE") == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/launchType: FARGATE has no container instances; use EC2", place);
    const json_t *network =
        json_object_get(json_object_get(json, "networkConfiguration"), "awsvpcConfiguration");
    const json_t *subnets = json_object_get(network, "subnets");
    out->subnets = json_array_size(subnets) > 0 ? subnets : NULL;
    return BERTH_OK;
}

/* Those members of an override that are given, into the container or the task itself. */
static void put_given(json_t *into, const json_t *from)
{
    static const char *const names[] = {"cpu", "memory", "memoryReservation",
                                        "resourceRequirements"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *value = json_object_get(from, names[i]);
        if (value != NULL && !json_is_null(value))
            (void)json_object_set(into, names[i], value);
    }
}

static json_t *find_container(const json_t *definition, const char *name)
{
    size_t index;
    json_t *container;
    json_array_foreach(json_object_get(definition, "containerDefinitions"), index, container)
    {
        const char *other = json_string_value(json_object_get(container, "name"));
        if (name != NULL && other != NULL && strcmp(name, other) == 0)
            return container;
    }
    return NULL;
}

static enum berth_err merge_overrides(json_t *definition, const json_t *overrides,
                                      const char *place, struct berth_error *err)
{
    size_t index;
    json_t *item;
    put_given(definition, overrides);
    json_array_foreach(json_object_get(overrides, "containerOverrides"), index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        json_t *container = find_container(definition, name);
        if (container == NULL)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/overrides/containerOverrides/%zu/name: %s%.100s%s is not a "
                              "container of the definition; use one of its names",
                              place, index, name == NULL ? "" : "\"", name == NULL ? "null" : name,
                              name == NULL ? "" : "\"");
        put_given(container, item);
    }
    return BERTH_OK;
}

enum berth_err run_task_override(const struct run_task_request *request, const char *place,
                                 const struct task_def *def, struct task_def **out,
                                 struct berth_error *err)
{
    json_t *definition = NULL;
    char inner[ECS_PLACE_MAX];
    *out = NULL;
    ecs_place(inner, "%s/overrides", place);
    if (json_read_text(def->document, strlen(def->document), place, &definition, err) != BERTH_OK)
        return err->code;
    enum berth_err code = BERTH_OK;
    if (request->overrides != NULL)
        code = merge_overrides(definition, request->overrides, place, err);
    if (code == BERTH_OK)
        code = task_def_from_json(definition, inner, out, err);
    json_decref(definition);
    return code;
}
