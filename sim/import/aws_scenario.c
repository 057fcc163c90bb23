/*
 * aws_scenario.c -- a described cluster as a scenario: services that the controller keeps, running
 * standalone tasks as batches at time 0 that never end, and variants that ask the usual questions.
 *
 * A task definition that no file describes is rebuilt from a task that runs it: describe-tasks
 * prints what its containers reserve.
 */
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/run_task_json.h"
#include "scheduler/ecs/task_def_json.h"
#include "sim/import/aws.h"

struct work {
    struct aws_cluster *cluster;
    struct aws_totals *totals;
    json_t *definitions, *services, *arrivals; /* of the scenario */
    json_t *names; /* "family:revision" -> name in definitions, null when there is none */
    struct berth_error *err;
};

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
    const char *text = text_of(object, name);
    return text != NULL && strcmp(text, wanted) == 0;
}

/* --- definitions ------------------------------------------------------------------------------ */

static json_t *container_of(const json_t *printed)
{
    static const char *const sizes[] = {"cpu", "memory", "memoryReservation"};
    const char *name = text_of(printed, "name"), *image = text_of(printed, "image");
    json_t *container = json_pack("{s:s, s:s}", "name", name == NULL ? "main" : name, "image",
                                  image == NULL ? "" : image);
    for (size_t i = 0; i < 3; i++) {
        const char *size = text_of(printed, sizes[i]);
        long number = size == NULL ? 0 : strtol(size, NULL, 10);
        if (number > 0 && number <= INT32_MAX)
            (void)json_object_set_new(container, sizes[i], json_integer(number));
    }
    return container;
}

static json_t *rebuild_definition(const json_t *task, const char *family, size_t family_length)
{
    json_t *list = json_array();
    size_t index;
    json_t *printed;
    json_array_foreach(json_object_get(task, "containers"), index, printed)
    {
        (void)json_array_append_new(list, container_of(printed));
    }
    if (json_array_size(list) == 0)
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "name", "main", "image", ""));
    json_t *definition =
        json_pack("{s:s%, s:o}", "family", family, family_length, "containerDefinitions", list);
    static const char *const sizes[] = {"cpu", "memory"};
    for (size_t i = 0; i < 2; i++) {
        const char *size = text_of(task, sizes[i]);
        if (size != NULL && strtol(size, NULL, 10) > 0)
            (void)json_object_set_new(definition, sizes[i], json_string(size));
    }
    return definition;
}

static json_t *find_definition(const struct work *work, const char *reference)
{
    json_t *found = json_object_get(work->cluster->definitions, reference);
    if (found != NULL)
        return json_incref(found);
    const char *arn;
    json_t *task;
    json_object_foreach(work->cluster->tasks, arn, task)
    {
        const char *used = text_of(task, "taskDefinitionArn");
        if (used == NULL || strcmp(ecs_last_part(used), reference) != 0)
            continue;
        text_addf(&work->cluster->notes,
                  "task definition %.100s: not described; rebuilt from a "
                  "task that runs it\n",
                  reference);
        return rebuild_definition(task, reference, strcspn(reference, ":"));
    }
    return NULL;
}

static char *definition_name(const struct work *work, const char *reference)
{
    struct text wanted = TEXT_INIT;
    size_t family = strcspn(reference, ":");
    text_add_n(&wanted, reference, family);
    if (json_object_get(work->definitions, wanted.bytes) != NULL && reference[family] == ':')
        text_addf(&wanted, "-%s", reference + family + 1);
    char *name = aws_unique_name(work->definitions, wanted.bytes);
    text_free(&wanted);
    return name;
}

/* The name of the definition within the scenario, or NULL when nothing tells what it is. */
static enum berth_err use_definition(struct work *work, const char *arn, const char **name)
{
    const char *reference = ecs_last_part(arn);
    const json_t *known = json_object_get(work->names, reference);
    *name = json_string_value(known);
    if (known != NULL)
        return BERTH_OK;
    json_t *definition = find_definition(work, reference);
    if (definition == NULL) {
        (void)json_object_set_new(work->names, reference, json_null());
        return BERTH_OK;
    }
    struct task_def *checked = NULL;
    char place[ECS_PLACE_MAX];
    ecs_place(place, "task definition %s:", reference);
    enum berth_err code = task_def_from_json(definition, place, &checked, work->err);
    task_def_destroy(checked);
    if (code == BERTH_OK) {
        char *given = definition_name(work, reference);
        (void)json_object_set_new(work->definitions, given,
                                  json_pack("{s:O}", "definition", definition));
        (void)json_object_set_new(work->names, reference, json_string(given));
        mem_free(given);
        *name = json_string_value(json_object_get(work->names, reference));
    }
    json_decref(definition);
    return code;
}

/* What one copy of the named definition reserves, with a task's overrides (may be NULL). */
static enum berth_err demand_of(struct work *work, const char *name, const json_t *overrides,
                                int32_t *cpu_units, int32_t *mem_mib)
{
    const json_t *definition =
        json_object_get(json_object_get(work->definitions, name), "definition");
    struct task_def *plain = NULL, *changed = NULL;
    struct run_task_request request = {.overrides = overrides};
    if (task_def_from_json(definition, name, &plain, work->err) != BERTH_OK)
        return work->err->code;
    enum berth_err code = run_task_override(&request, name, plain, &changed, work->err);
    if (code == BERTH_OK) {
        *cpu_units = changed->demand.cpu_units;
        *mem_mib = changed->demand.mem_mib;
    }
    task_def_destroy(changed);
    task_def_destroy(plain);
    return code;
}

/* --- services and standalone tasks ------------------------------------------------------------ */

/* Of each object in a list, the named members; NULL for an empty list. */
static json_t *copy_list(const json_t *list, const char *first, const char *second)
{
    json_t *copy = json_array();
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        json_t *kept = json_object();
        if (json_is_string(json_object_get(item, first)))
            (void)json_object_set(kept, first, json_object_get(item, first));
        if (json_is_string(json_object_get(item, second)))
            (void)json_object_set(kept, second, json_object_get(item, second));
        (void)json_array_append_new(copy, kept);
    }
    if (json_array_size(copy) > 0)
        return copy;
    json_decref(copy);
    return NULL;
}

static void put_list(json_t *into, const json_t *from, const char *name, const char *second)
{
    json_t *list = copy_list(json_object_get(from, name), "type", second);
    if (list != NULL)
        (void)json_object_set_new(into, name, list);
}

static void put_deployment(json_t *into, const json_t *service, bool is_daemon)
{
    static const char *const names[] = {"minimumHealthyPercent", "maximumPercent"};
    const json_t *from = json_object_get(service, "deploymentConfiguration");
    json_t *kept = json_object();
    for (size_t i = 0; i < (is_daemon ? 1 : 2); i++)
        if (json_is_integer(json_object_get(from, names[i])))
            (void)json_object_set(kept, names[i], json_object_get(from, names[i]));
    if (json_object_size(kept) > 0)
        (void)json_object_set(into, "deploymentConfiguration", kept);
    json_decref(kept);
}

static bool is_fargate(const json_t *json)
{
    const json_t *first = json_array_get(json_object_get(json, "capacityProviderStrategy"), 0);
    const char *provider = text_of(first, "capacityProvider");
    return is_text(json, "launchType", "FARGATE") ||
           (provider != NULL && strncmp(provider, "FARGATE", strlen("FARGATE")) == 0);
}

static enum berth_err add_service(struct work *work, const char *arn, const json_t *service)
{
    const char *name = text_of(service, "serviceName"), *status = text_of(service, "status");
    const char *definition = text_of(service, "taskDefinition"), *used = NULL;
    const char *why = NULL;
    if (name == NULL)
        name = ecs_last_part(arn);
    if (status != NULL && strcmp(status, "ACTIVE") != 0)
        why = status;
    else if (is_fargate(service))
        why = "runs on Fargate";
    else if (definition != NULL && use_definition(work, definition, &used) != BERTH_OK)
        return work->err->code;
    if (why == NULL && used == NULL)
        why = "its task definition is not described; save aws ecs describe-task-definition";
    if (why != NULL) {
        text_addf(&work->cluster->notes, "service %.100s: %s\n", name, why);
        return BERTH_OK;
    }
    json_t *made = json_pack("{s:s}", "taskDefinition", used);
    bool is_daemon = is_text(service, "schedulingStrategy", "DAEMON");
    json_int_t desired = json_integer_value(json_object_get(service, "desiredCount"));
    (void)json_object_set_new(made, is_daemon ? "schedulingStrategy" : "desiredCount",
                              is_daemon ? json_string("DAEMON") : json_integer(desired));
    put_deployment(made, service, is_daemon);
    if (!is_daemon)
        put_list(made, service, "placementStrategy", "field");
    put_list(made, service, "placementConstraints", "expression");
    char *unique = aws_unique_name(work->services, name);
    (void)json_object_set_new(work->services, unique, made);
    mem_free(unique);
    int32_t cpu_units = 0, mem_mib = 0;
    enum berth_err code = demand_of(work, used, NULL, &cpu_units, &mem_mib);
    int64_t copies = is_daemon ? work->totals->instances : (int64_t)desired;
    work->totals->asked_cpu_units += copies * cpu_units;
    work->totals->asked_mem_mib += copies * mem_mib;
    return code;
}

/* A running task outside the described services: one of a batch of its like. */
static enum berth_err add_task(struct work *work, json_t *batches, const json_t *task)
{
    const char *definition = text_of(task, "taskDefinitionArn"), *group = text_of(task, "group");
    const char *used = NULL;
    int32_t cpu_units = 0, mem_mib = 0, plain_cpu = 0, plain_mem = 0;
    const json_t *overrides = json_object_get(task, "overrides");
    if (definition == NULL)
        return BERTH_OK;
    if (use_definition(work, definition, &used) != BERTH_OK ||
        demand_of(work, used, NULL, &plain_cpu, &plain_mem) != BERTH_OK ||
        demand_of(work, used, json_is_object(overrides) ? overrides : NULL, &cpu_units, &mem_mib) !=
            BERTH_OK)
        return work->err->code;
    json_t *batch = json_pack("{s:s}", "taskDefinition", used);
    if (group != NULL)
        (void)json_object_set_new(batch, "group", json_string(group));
    if (cpu_units != plain_cpu && cpu_units > 0)
        (void)json_object_set_new(batch, "cpu", json_integer(cpu_units));
    if (mem_mib != plain_mem && mem_mib > 0)
        (void)json_object_set_new(batch, "memory", json_integer(mem_mib));
    char *key = json_dumps(batch, JSON_COMPACT);
    json_t *known = json_object_get(batches, key);
    json_int_t count = json_integer_value(json_object_get(known, "batch"));
    (void)json_object_set_new(batch, "batch", json_integer(count + 1));
    (void)json_object_set_new(batch, "startAt", json_string("30s")); /* the fleet stands by then */
    (void)json_object_set_new(batches, key, batch);
    free(key);
    work->totals->asked_cpu_units += cpu_units;
    work->totals->asked_mem_mib += mem_mib;
    return BERTH_OK;
}

/* Tasks of a service that no file describes: it is kept at as many as run now. */
static enum berth_err add_undescribed(struct work *work, const json_t *task)
{
    const char *name = text_of(task, "group") + strlen("service:"), *used = NULL;
    const char *definition = text_of(task, "taskDefinitionArn");
    if (definition == NULL || use_definition(work, definition, &used) != BERTH_OK)
        return definition == NULL ? BERTH_OK : work->err->code;
    char *clean = aws_unique_name(NULL, name);
    json_t *service = json_object_get(work->services, clean);
    if (service == NULL) {
        text_addf(&work->cluster->notes,
                  "service %.100s: not described; kept at the tasks that "
                  "run now\n",
                  name);
        service = json_pack("{s:s, s:i}", "taskDefinition", used, "desiredCount", 0);
        (void)json_object_set_new(work->services, clean, service);
    }
    json_int_t count = json_integer_value(json_object_get(service, "desiredCount"));
    (void)json_object_set_new(service, "desiredCount", json_integer(count + 1));
    mem_free(clean);
    int32_t cpu_units = 0, mem_mib = 0;
    enum berth_err code = demand_of(work, used, NULL, &cpu_units, &mem_mib);
    work->totals->asked_cpu_units += cpu_units;
    work->totals->asked_mem_mib += mem_mib;
    return code;
}

static bool is_described_service(const struct work *work, const char *name)
{
    const char *arn;
    json_t *service;
    json_object_foreach(work->cluster->services, arn, service)
    {
        if (is_text(service, "serviceName", name) || strcmp(ecs_last_part(arn), name) == 0)
            return true;
    }
    return false;
}

static enum berth_err add_tasks(struct work *work)
{
    json_t *batches = json_object(), *fargate = json_array();
    const char **arns = aws_sorted_keys(work->cluster->tasks);
    enum berth_err code = BERTH_OK;
    for (size_t i = 0; arns[i] != NULL && code == BERTH_OK; i++) {
        const json_t *task = json_object_get(work->cluster->tasks, arns[i]);
        const char *group = text_of(task, "group");
        bool is_of_service = group != NULL && strncmp(group, "service:", 8) == 0;
        if (!is_text(task, "desiredStatus", "RUNNING"))
            continue;
        if (is_fargate(task) || text_of(task, "containerInstanceArn") == NULL)
            (void)json_array_append_new(fargate, json_string(arns[i]));
        else if (!is_of_service)
            code = add_task(work, batches, task);
        else if (!is_described_service(work, group + 8))
            code = add_undescribed(work, task);
    }
    mem_free(arns);
    if (json_array_size(fargate) > 0)
        text_addf(&work->cluster->notes,
                  "%zu running tasks: on no container instance (Fargate, or "
                  "not placed yet)\n",
                  json_array_size(fargate));
    const char **keys = aws_sorted_keys(batches);
    for (size_t i = 0; keys[i] != NULL; i++) {
        json_t *batch = json_object_get(batches, keys[i]);
        const char *group = text_of(batch, "group");
        char *name = aws_unique_name(work->arrivals,
                                     group == NULL ? text_of(batch, "taskDefinition") : group);
        (void)json_object_set(work->arrivals, name, batch);
        mem_free(name);
    }
    mem_free(keys);
    json_decref(batches);
    json_decref(fargate);
    return code;
}

/* --- which attributes matter ------------------------------------------------------------------ */

/* Every NAME of "attribute:NAME" in the text. */
static void want_named(json_t *wanted, const char *text)
{
    static const char start[] = "attribute:";
    while (text != NULL && (text = strstr(text, start)) != NULL) {
        text += strlen(start);
        size_t length =
            strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./\\");
        char *name = mem_copy_text_n(text, length);
        (void)json_object_set_new(wanted, name, json_true());
        mem_free(name);
    }
}

static void want_of_list(json_t *wanted, const json_t *list, const char *member)
{
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        want_named(wanted, text_of(item, member));
    }
}

static json_t *wanted_attributes(const struct aws_cluster *cluster)
{
    json_t *wanted = json_object(), *value, *item;
    const char *key;
    size_t index;
    json_object_foreach(cluster->definitions, key, value)
    {
        want_of_list(wanted, json_object_get(value, "placementConstraints"), "expression");
        json_array_foreach(json_object_get(value, "requiresAttributes"), index, item)
        {
            const char *name = text_of(item, "name");
            if (name != NULL)
                (void)json_object_set_new(wanted, name, json_true());
        }
    }
    json_object_foreach(cluster->services, key, value)
    {
        want_of_list(wanted, json_object_get(value, "placementConstraints"), "expression");
        want_of_list(wanted, json_object_get(value, "placementStrategy"), "field");
    }
    return wanted;
}

/* --- variants --------------------------------------------------------------------------------- */

/* A patch that gives this strategy to all: run's to what has none of its own, and over the rest. */
static json_t *strategy_patch(const json_t *services, json_t *strategy)
{
    json_t *patch = json_pack("{s:{s:O}}", "run", "placementStrategy", strategy);
    json_t *patched = json_object();
    const char *name;
    json_t *service;
    json_object_foreach((json_t *)(uintptr_t)services, name, service)
    {
        if (json_object_get(service, "placementStrategy") != NULL)
            (void)json_object_set_new(patched, name,
                                      json_pack("{s:O}", "placementStrategy", strategy));
    }
    if (json_object_size(patched) > 0)
        (void)json_object_set(patch, "services", patched);
    json_decref(patched);
    json_decref(strategy);
    return patch;
}

/* Half as many instances of twice the size; NULL when no group has two. */
static json_t *larger_patch(const json_t *fleet)
{
    json_t *patch = json_object();
    const char *name;
    json_t *group;
    json_object_foreach((json_t *)(uintptr_t)fleet, name, group)
    {
        json_int_t count = json_integer_value(json_object_get(group, "count"));
        json_int_t cpu = json_integer_value(json_object_get(group, "cpu"));
        json_int_t memory = json_integer_value(json_object_get(group, "memory"));
        json_int_t gpus = json_integer_value(json_object_get(group, "gpus"));
        if (count < 2 || cpu > INT32_MAX / 2 || memory > INT32_MAX / 2 || gpus > 32)
            continue;
        json_t *larger = json_pack("{s:I, s:I, s:I}", "count", (count + 1) / 2, "cpu", 2 * cpu,
                                   "memory", 2 * memory);
        if (gpus > 0)
            (void)json_object_set_new(larger, "gpus", json_integer(2 * gpus));
        (void)json_object_set_new(patch, name, larger);
    }
    if (json_object_size(patch) > 0)
        return json_pack("{s:o}", "fleet", patch);
    json_decref(patch);
    return NULL;
}

static json_t *make_compare(const struct work *work, const json_t *fleet)
{
    json_t *variants = json_object(), *larger = larger_patch(fleet);
    const char *zone = aws_largest_zone(fleet);
    (void)json_object_set_new(variants, "as-is", json_object());
    (void)json_object_set_new(
        variants, "binpack-memory",
        strategy_patch(work->services,
                       json_pack("[{s:s, s:s}]", "type", "binpack", "field", "memory")));
    (void)json_object_set_new(
        variants, "spread",
        strategy_patch(work->services, json_pack("[{s:s, s:s}, {s:s, s:s}]", "type", "spread",
                                                 "field", "attribute:ecs.availability-zone", "type",
                                                 "spread", "field", "instanceId")));
    if (zone != NULL)
        (void)json_object_set_new(variants, "zone-lost",
                                  json_pack("{s:{s:{s:s, s:{s:s, s:s}}}}", "timeline", "zone-lost",
                                            "at", "20m", "fail", "zone", zone, "mode",
                                            "terminate"));
    if (larger != NULL)
        (void)json_object_set_new(variants, "fewer-larger", larger);
    return json_pack("{s:s, s:o}", "baseline", "as-is", "variants", variants);
}

static json_t *assemble(const struct work *work, const json_t *fleet)
{
    const char *cluster = *work->cluster->name == '\0' ? "cluster" : work->cluster->name;
    char *name = aws_unique_name(NULL, cluster);
    struct text question = TEXT_INIT;
    name[strlen(name) > 64 ? 64 : strlen(name)] = '\0';
    text_addf(&question,
              "What if %s were packed by memory, spread, lost its largest zone, or ran on half as "
              "many instances of twice the size?",
              name);
    json_t *scenario =
        json_pack("{s:i, s:s, s:s}", "version", 1, "name", name, "question", question.bytes);
    (void)json_object_set(scenario, "fleet", (json_t *)(uintptr_t)fleet);
    (void)json_object_set(scenario, "taskDefinitions", work->definitions);
    if (json_object_size(work->services) > 0)
        (void)json_object_set(scenario, "services", work->services);
    if (json_object_size(work->arrivals) > 0)
        (void)json_object_set(scenario, "arrivals", work->arrivals);
    (void)json_object_set_new(scenario, "run",
                              json_pack("{s:s, s:s, s:i, s:i}", "duration", "1h", "warmUp", "5m",
                                        "seed", 1, "replications", 5));
    (void)json_object_set_new(scenario, "compare", make_compare(work, fleet));
    text_free(&question);
    mem_free(name);
    return scenario;
}

enum berth_err aws_scenario(struct aws_cluster *cluster, struct aws_totals *totals, json_t **out,
                            struct berth_error *err)
{
    json_t *wanted = wanted_attributes(cluster), *fleet = NULL;
    struct work work = {cluster,       totals, json_object(), json_object(), json_object(),
                        json_object(), err};
    *out = NULL;
    enum berth_err code = aws_fleet(cluster, wanted, totals, &fleet, err);
    const char **arns = aws_sorted_keys(cluster->services);
    for (size_t i = 0; arns[i] != NULL && code == BERTH_OK; i++)
        code = add_service(&work, arns[i], json_object_get(cluster->services, arns[i]));
    mem_free(arns);
    if (code == BERTH_OK)
        code = add_tasks(&work);
    if (code == BERTH_OK)
        *out = assemble(&work, fleet);
    json_decref(wanted);
    json_decref(fleet);
    json_decref(work.definitions);
    json_decref(work.services);
    json_decref(work.arrivals);
    json_decref(work.names);
    return code;
}
