#include "scheduler/ecs/place_answer.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/ecs_shapes.h"

struct zone_list {
    VEC(symbol) zones;
    bool is_known; /* at least one instance or subnet says where it lies */
};

/*
 * A task with its own network interface must start in the zone of one of the request's subnets. The
 * request names subnets only; where they lie is told by describe-subnets' output, or by the
 * instances that stand in them.
 */
static void zones_of_subnets(const struct described_cluster *described, const json_t *subnets,
                             struct zone_list *out)
{
    symbol attribute = symbols_add(described->symbols, "ecs.subnet-id");
    out->is_known = described->subnet_count > 0;
    for (size_t i = 0; i < json_array_size(subnets); i++) {
        symbol listed =
            symbols_add(described->symbols, json_string_value(json_array_get(subnets, i)));
        for (size_t j = 0; j < described->subnet_count; j++)
            if (described->subnets[j].subnet == listed)
                *vec_push(&out->zones) = described->subnets[j].zone;
        for (uint32_t id = 0; id < cluster_instance_count(described->cluster); id++) {
            const struct instance *instance = cluster_instance(described->cluster, id);
            bool is_there = false;
            symbol subnet = instance_attribute(instance, attribute, &is_there);
            out->is_known = out->is_known || is_there;
            if (is_there && subnet == listed &&
                (out->zones.count == 0 || out->zones.items[out->zones.count - 1] != instance->zone))
                *vec_push(&out->zones) = instance->zone;
        }
    }
    vec_reserve(&out->zones, 1); /* an empty list is not "any zone" */
}

static void explain_copy(struct place_answer *answer, const struct placement_request *request)
{
    if (answer->explained_count == PLACE_EXPLAINED_MAX)
        return;
    struct place_explained *explained = &answer->explained[answer->explained_count++];
    explained->step_count =
        placement_explain(answer->described->cluster, request, explained->steps);
}

static void explain_refusal(struct place_answer *answer, const struct placement_request *request)
{
    struct cluster *cluster = answer->described->cluster;
    uint32_t count = cluster_instance_count(cluster);
    answer->verdicts = mem_alloc((count + (size_t)1) * sizeof *answer->verdicts);
    for (uint32_t id = 0; id < count; id++) {
        answer->verdicts[id] = placement_check(cluster, request, id);
        answer->verdict_counts[answer->verdicts[id]]++;
    }
    answer->closest = placement_closest(cluster, request, &answer->closest_why);
}

static void place_copies(struct place_answer *answer, struct described_cluster *described,
                         const struct placement_request *request, bool explains)
{
    struct gpu_grant grants[GPU_DEVICES_MAX];
    while (answer->placed_count < answer->count) {
        if (explains)
            explain_copy(answer, request);
        instance_id id = placement_choose(described->cluster, request);
        if (id == INSTANCE_NONE) {
            explain_refusal(answer, request);
            return;
        }
        (void)cluster_reserve(described->cluster, id, request->demand, grants);
        cluster_join(described->cluster, id, request->group);
        answer->placed[answer->placed_count++] = id;
    }
}

static enum berth_err find_definition(const struct described_cluster *described,
                                      const struct run_task_request *request, const char *place,
                                      const struct task_def **out, struct berth_error *err)
{
    *out = task_def_find(described->task_defs, request->task_definition);
    if (*out == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/taskDefinition: \"%.200s\" is not among the cluster's "
                          "taskDefinitions; add what aws ecs describe-task-definition prints",
                          place, request->task_definition);
    if ((*out)->status != TASK_DEF_ACTIVE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/taskDefinition: %s:%u is not ACTIVE, and ECS starts no task of it; "
                          "use another revision",
                          place, (*out)->family, (*out)->revision);
    return BERTH_OK;
}

static void name_answer(struct place_answer *answer, const struct described_cluster *described,
                        const struct run_task_request *request, const struct task_def *def)
{
    char group[ECS_PLACE_MAX];
    ecs_place(group, "family:%s", def->family);
    answer->group = mem_copy_text(request->group == NULL ? group : request->group);
    answer->family = mem_copy_text(def->family);
    answer->revision = def->revision;
    const char *arn = described->arn;
    if (arn == NULL)
        arn = request->cluster == NULL ? "default" : request->cluster;
    answer->cluster_arn = mem_copy_text(arn);
}

static enum berth_err compute(struct described_cluster *described,
                              const struct run_task_request *request, const char *place,
                              const struct task_def *def, uint64_t seed, bool explains,
                              struct place_answer *answer, struct berth_error *err)
{
    struct placement_plan *plan = NULL;
    if (placement_plan_create(described->symbols, def, request->strategies, request->strategy_count,
                              request->constraints, request->constraint_count,
                              PLACEMENT_DEFAULT_STANDALONE, &plan, err) != BERTH_OK)
        return berth_fail_in(err, "%s ", place);
    struct rng stream = {rng_key(seed, "place", 0), 0};
    struct zone_list zones = {VEC_INIT, false};
    if (def->demand.needs_eni && request->subnets != NULL)
        zones_of_subnets(described, request->subnets, &zones);
    struct placement_request asked = {
        .plan = plan,
        .demand = &def->demand,
        .group = cluster_group(described->cluster, symbols_add(described->symbols, answer->group)),
        .stream = &stream,
        .zones = zones.is_known ? zones.zones.items : NULL,
        .zone_count = zones.is_known ? zones.zones.count : 0,
    };
    place_copies(answer, described, &asked, explains);
    vec_free(&zones.zones);
    placement_plan_destroy(plan);
    return BERTH_OK;
}

enum berth_err place_answer_compute(struct described_cluster *described, const json_t *request,
                                    const char *place, uint64_t seed, bool explains,
                                    struct place_answer *out, struct berth_error *err)
{
    struct run_task_request asked;
    const struct task_def *def = NULL;
    struct task_def *effective = NULL;
    *out = (struct place_answer){.described = described, .closest = INSTANCE_NONE};
    if (run_task_from_json(request, place, &asked, err) != BERTH_OK ||
        find_definition(described, &asked, place, &def, err) != BERTH_OK ||
        run_task_override(&asked, place, def, &effective, err) != BERTH_OK)
        return err->code;
    name_answer(out, described, &asked, def);
    out->count = asked.count;
    out->placed = mem_alloc(asked.count * sizeof *out->placed);
    if (explains)
        out->explained = mem_alloc(PLACE_EXPLAINED_MAX * sizeof *out->explained);
    enum berth_err code = compute(described, &asked, place, effective, seed, explains, out, err);
    task_def_destroy(effective);
    if (code != BERTH_OK)
        place_answer_free(out);
    return code;
}

void place_answer_free(struct place_answer *answer)
{
    mem_free(answer->cluster_arn);
    mem_free(answer->family);
    mem_free(answer->group);
    mem_free(answer->placed);
    mem_free(answer->verdicts);
    mem_free(answer->explained);
    *answer = (struct place_answer){.closest = INSTANCE_NONE};
}

static const char *arn_of(const struct place_answer *answer, instance_id id)
{
    return answer->described->arns[id];
}

static json_t *failures_to_json(const struct place_answer *answer)
{
    json_t *failures = json_array();
    if (answer->verdicts == NULL)
        return failures;
    uint32_t count = cluster_instance_count(answer->described->cluster);
    if (count == 0)
        (void)json_array_append_new(failures, json_pack("{s:s,s:s}", "arn", answer->cluster_arn,
                                                        "reason", "NO ACTIVE INSTANCES"));
    for (uint32_t id = 0; id < count; id++)
        (void)json_array_append_new(failures,
                                    json_pack("{s:s,s:s}", "arn", arn_of(answer, id), "reason",
                                              placement_verdict_names[answer->verdicts[id]]));
    return failures;
}

static json_t *refusal_to_json(const struct place_answer *answer)
{
    json_t *refused = json_object();
    for (int verdict = 1; verdict < PLACEMENT_VERDICT_COUNT; verdict++)
        if (answer->verdict_counts[verdict] > 0)
            (void)json_object_set_new(refused, placement_verdict_names[verdict],
                                      json_integer(answer->verdict_counts[verdict]));
    return refused;
}

static json_t *explain_to_json(const struct place_answer *answer)
{
    json_t *list = json_array();
    for (uint32_t copy = 0; copy < answer->explained_count; copy++) {
        const struct place_explained *explained = &answer->explained[copy];
        if (copy >= answer->placed_count)
            break;
        json_t *steps = json_array();
        for (size_t i = 0; i < explained->step_count; i++)
            (void)json_array_append_new(steps,
                                        json_pack("{s:s,s:I}", "step", explained->steps[i].label,
                                                  "kept", (json_int_t)explained->steps[i].kept));
        (void)json_array_append_new(
            list, json_pack("{s:I,s:s,s:o}", "copy", (json_int_t)copy + 1, "containerInstanceArn",
                            arn_of(answer, answer->placed[copy]), "steps", steps));
    }
    if (answer->verdicts == NULL)
        return list;
    json_t *last = json_pack("{s:I,s:o}", "copy", (json_int_t)answer->placed_count + 1, "refused",
                             refusal_to_json(answer));
    if (answer->closest != INSTANCE_NONE)
        (void)json_object_set_new(last, "closest",
                                  json_pack("{s:s,s:s}", "containerInstanceArn",
                                            arn_of(answer, answer->closest), "reason",
                                            placement_verdict_names[answer->closest_why]));
    (void)json_array_append_new(list, last);
    return list;
}

json_t *place_answer_to_json(const struct place_answer *answer, bool explains)
{
    json_t *json = json_object(), *tasks = json_array();
    for (uint32_t copy = 0; copy < answer->placed_count; copy++)
        (void)json_array_append_new(tasks, json_pack("{s:s}", "containerInstanceArn",
                                                     arn_of(answer, answer->placed[copy])));
    (void)json_object_set_new(json, "tasks", tasks);
    (void)json_object_set_new(json, "failures", failures_to_json(answer));
    if (explains)
        (void)json_object_set_new(json, "explain", explain_to_json(answer));
    return json;
}
