#include "scheduler/ecs/drain_answer.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/place_answer.h"
#include "scheduler/ecs/run_task_json.h"

#define SERVICE_PREFIX "service:"

/* A task that leaves, and what its replacement is. */
struct leaver {
    struct drain_task task;
    const char *definition;
    const json_t *service;       /* as described; NULL: it is not */
    struct placement_plan *plan; /* owned; NULL: nothing replaces it */
    const struct task_def *def;
    struct rng *stream; /* one for all tasks of a group; owned by the first of them */
};

struct reading {
    struct described_cluster *described;
    const json_t *cluster;
    const char *place;
    uint64_t seed;
    struct berth_error *err;
    VEC(struct leaver) leavers;
};

static const json_t *find_service(const struct reading *reading, const char *name)
{
    const json_t *services = json_object_get(reading->cluster, "services");
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        const char *own = json_string_value(json_object_get(service, "serviceName"));
        if (own != NULL && strcmp(own, name) == 0)
            return service;
    }
    return NULL;
}

static bool is_text(const json_t *object, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL && strcmp(value, text) == 0;
}

/* Reading the cluster has checked the kinds of these members. */
static void take_task(struct reading *reading, const json_t *json, const char *instance)
{
    const char *on = json_string_value(json_object_get(json, "containerInstanceArn"));
    struct leaver leaver = {.task = {.arn = json_string_value(json_object_get(json, "taskArn")),
                                     .group = json_string_value(json_object_get(json, "group")),
                                     .fate = WHAT_IF_STAYS,
                                     .answer = {.to = INSTANCE_NONE, .closest = INSTANCE_NONE}},
                            .definition =
                                json_string_value(json_object_get(json, "taskDefinitionArn"))};
    if (on == NULL || strcmp(ecs_last_part(on), instance) != 0)
        return;
    leaver.task.arn = leaver.task.arn == NULL ? "(no taskArn)" : leaver.task.arn;
    leaver.task.group = leaver.task.group == NULL ? "" : leaver.task.group;
    if (is_text(json, "desiredStatus", "STOPPED")) {
        leaver.task.fate = WHAT_IF_ENDS;
    } else if (strncmp(leaver.task.group, SERVICE_PREFIX, strlen(SERVICE_PREFIX)) == 0) {
        leaver.service = find_service(reading, leaver.task.group + strlen(SERVICE_PREFIX));
        leaver.task.fate =
            is_text(leaver.service, "schedulingStrategy", "DAEMON") ? WHAT_IF_ENDS : WHAT_IF_MOVES;
    }
    *vec_push(&reading->leavers) = leaver;
}

static bool moves_first(const struct leaver *a, const struct leaver *b)
{
    bool left = a->task.fate == WHAT_IF_MOVES, right = b->task.fate == WHAT_IF_MOVES;
    return left != right ? left : left && strcmp(a->task.group, b->task.group) < 0;
}

/* Services by name, their tasks as they were listed; then all others. By insertion: tens. */
static void sort(struct reading *reading)
{
    for (size_t i = 1; i < reading->leavers.count; i++) {
        struct leaver leaver = reading->leavers.items[i];
        size_t at = i;
        for (; at > 0 && moves_first(&leaver, &reading->leavers.items[at - 1]); at--)
            reading->leavers.items[at] = reading->leavers.items[at - 1];
        reading->leavers.items[at] = leaver;
    }
}

/* The service's definition is what its next task is of; else that of the task. */
static enum berth_err prepare(struct reading *reading, struct leaver *leaver,
                              const struct leaver *before)
{
    struct placement_strategy_spec strategies[PLACEMENT_STRATEGIES_MAX];
    struct placement_constraint_spec constraints[PLACEMENT_CONSTRAINTS_MAX];
    size_t strategy_count = 0, constraint_count = 0;
    char place[ECS_PLACE_MAX];
    const char *own = json_string_value(json_object_get(leaver->service, "taskDefinition"));
    const char *reference = own == NULL ? leaver->definition : own;
    ecs_place(place, "%s/services", reading->place);
    leaver->def =
        reference == NULL ? NULL : task_def_find(reading->described->task_defs, reference);
    if (leaver->def == NULL)
        return berth_fail(reading->err, BERTH_ERR_INPUT,
                          "%s/taskDefinitions: %.200s of %.200s is not there; add what aws ecs "
                          "describe-task-definition prints",
                          reading->place, reference == NULL ? "the definition" : reference,
                          leaver->task.group);
    if (ecs_read_strategies(leaver->service, place, strategies, &strategy_count, reading->err) !=
            BERTH_OK ||
        ecs_read_constraints(leaver->service, place, constraints, &constraint_count,
                             reading->err) != BERTH_OK)
        return reading->err->code;
    if (before != NULL && strcmp(before->task.group, leaver->task.group) == 0) {
        leaver->stream = before->stream;
    } else {
        leaver->stream = mem_alloc(sizeof *leaver->stream);
        leaver->stream->key = rng_key(reading->seed, "place", 0);
    }
    return placement_plan_create(reading->described->symbols, leaver->def, strategies,
                                 strategy_count, constraints, constraint_count,
                                 PLACEMENT_DEFAULT_SERVICE, &leaver->plan, reading->err);
}

static void ask(struct reading *reading, struct drain_answer *out)
{
    struct cluster *cluster = reading->described->cluster;
    size_t count = 0;
    struct what_if_mover *movers = mem_alloc((reading->leavers.count + 1) * sizeof *movers);
    struct what_if_answer *answers = mem_alloc((reading->leavers.count + 1) * sizeof *answers);
    for (; count < reading->leavers.count && reading->leavers.items[count].plan != NULL; count++) {
        const struct leaver *leaver = &reading->leavers.items[count];
        movers[count].request = (struct placement_request){
            .plan = leaver->plan,
            .demand = &leaver->def->demand,
            .group = cluster_group(cluster,
                                   symbols_add(reading->described->symbols, leaver->task.group)),
            .stream = leaver->stream};
    }
    what_if_drain(cluster, out->instance, movers, count, answers, out->verdicts);
    for (size_t i = 0; i < reading->leavers.count; i++) {
        struct drain_task *task = &out->tasks[i];
        *task = reading->leavers.items[i].task;
        if (i < count)
            task->answer = answers[i];
        if (i < count && answers[i].to == INSTANCE_NONE)
            task->fate = WHAT_IF_NO_ROOM;
        out->fates[task->fate]++;
    }
    mem_free(answers);
    mem_free(movers);
}

static void reading_free(struct reading *reading)
{
    for (size_t i = 0; i < reading->leavers.count; i++) {
        struct leaver *leaver = &reading->leavers.items[i];
        placement_plan_destroy(leaver->plan);
        if (i == 0 || leaver->stream != reading->leavers.items[i - 1].stream)
            mem_free(leaver->stream);
    }
    vec_free(&reading->leavers);
}

static enum berth_err read_leavers(struct reading *reading, const char *instance)
{
    const json_t *tasks = json_object_get(reading->cluster, "tasks"), *services = NULL;
    enum berth_err code =
        ecs_get_list(reading->cluster, reading->place, "services", &services, reading->err);
    for (size_t i = 0; i < json_array_size(tasks); i++)
        take_task(reading, json_array_get(tasks, i), ecs_last_part(instance));
    sort(reading);
    for (size_t i = 0; code == BERTH_OK && i < reading->leavers.count; i++)
        if (reading->leavers.items[i].task.fate == WHAT_IF_MOVES)
            code = prepare(reading, &reading->leavers.items[i],
                           i == 0 ? NULL : &reading->leavers.items[i - 1]);
    return code;
}

enum berth_err drain_answer_compute(struct described_cluster *described, const json_t *cluster,
                                    const char *place, const char *instance, uint64_t seed,
                                    struct drain_answer *out, struct berth_error *err)
{
    struct reading reading = {.described = described,
                              .cluster = cluster,
                              .place = place,
                              .seed = seed,
                              .err = err,
                              .leavers = VEC_INIT};
    *out = (struct drain_answer){.described = described};
    out->instance = cluster_find_instance(described->cluster, ecs_last_part(instance));
    if (out->instance == INSTANCE_NONE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "--drain: \"%.200s\" is not among the containerInstances of %s name one "
                          "by its ARN or the last part of it",
                          instance, place);
    enum berth_err code = read_leavers(&reading, instance);
    if (code == BERTH_OK) {
        out->task_count = reading.leavers.count;
        out->tasks = mem_alloc((out->task_count + 1) * sizeof *out->tasks);
        out->verdicts = mem_alloc((cluster_instance_count(described->cluster) + (size_t)1) *
                                  sizeof *out->verdicts);
        ask(&reading, out);
    }
    reading_free(&reading);
    return code;
}

void drain_answer_free(struct drain_answer *answer)
{
    mem_free(answer->tasks);
    mem_free(answer->verdicts);
    *answer = (struct drain_answer){.task_count = 0};
}

static json_t *refused_to_json(const struct what_if_answer *answer)
{
    json_t *refused = json_object();
    for (int verdict = 1; verdict < PLACEMENT_VERDICT_COUNT; verdict++)
        if (answer->causes[verdict] > 0)
            (void)json_object_set_new(refused, placement_verdict_names[verdict],
                                      json_integer(answer->causes[verdict]));
    return refused;
}

static json_t *task_to_json(const struct drain_answer *answer, const struct drain_task *task)
{
    char *const *arns = answer->described->arns;
    json_t *json = json_pack("{s:s,s:s,s:s}", "taskArn", task->arn, "group", task->group, "fate",
                             what_if_fate_names[task->fate]);
    if (task->answer.to != INSTANCE_NONE)
        (void)json_object_set_new(json, "containerInstanceArn", json_string(arns[task->answer.to]));
    if (task->fate != WHAT_IF_NO_ROOM)
        return json;
    (void)json_object_set_new(json, "refused", refused_to_json(&task->answer));
    if (task->answer.closest != INSTANCE_NONE)
        (void)json_object_set_new(json, "closest",
                                  json_pack("{s:s,s:s}", "containerInstanceArn",
                                            arns[task->answer.closest], "reason",
                                            placement_verdict_names[task->answer.closest_why]));
    return json;
}

json_t *drain_answer_to_json(const struct drain_answer *answer, bool per_instance)
{
    json_t *tasks = json_array(), *failures = json_array();
    char *const *arns = answer->described->arns;
    for (size_t i = 0; i < answer->task_count; i++)
        (void)json_array_append_new(tasks, task_to_json(answer, &answer->tasks[i]));
    uint32_t count = cluster_instance_count(answer->described->cluster);
    for (uint32_t id = 0; answer->fates[WHAT_IF_NO_ROOM] > 0 && id < count; id++)
        (void)json_array_append_new(failures,
                                    json_pack("{s:s,s:s}", "arn", arns[id], "reason",
                                              placement_verdict_names[answer->verdicts[id]]));
    json_t *json =
        json_pack("{s:s,s:o}", "containerInstanceArn", arns[answer->instance], "tasks", tasks);
    if (per_instance)
        (void)json_object_set(json, "failures", failures);
    json_decref(failures);
    return json;
}
