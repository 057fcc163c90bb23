/*
 * import_aws.c -- a user's own cluster, from a folder of saved `aws ecs describe-*` outputs.
 *
 * Files are told apart by what they hold, not by their names: pages of one listing, one file per
 * task definition and one file with everything are all fine, in any order.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/json_input.h"
#include "sim/import/aws.h"
#include "sim/import/import.h"
#include "sim/import/output.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* {"a.json": null, ...}, to be read in ascending order whatever the folder's own. */
static enum berth_err list_files(const char *folder, json_t *names, struct berth_error *err)
{
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: %s; name a folder of saved aws ecs outputs",
                          folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.' &&
            (ends_with(entry->d_name, ".json") || ends_with(entry->d_name, ".json.gz")))
            (void)json_object_set_new(names, entry->d_name, json_null());
    (void)closedir(listing);
    return BERTH_OK;
}

/* A described thing under its ARN; the later description of the same one counts. */
static enum berth_err keep(json_t *into, const json_t *list, const char *arn_name,
                           const char *place, const char *list_name, struct berth_error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *arn = NULL;
        char inner[ECS_PLACE_MAX];
        ecs_place(inner, "%s/%s/%zu", place, list_name, i);
        if (ecs_get_text(json_array_get(list, i), inner, arn_name, &arn, err) != BERTH_OK)
            return err->code;
        if (arn == NULL)
            return berth_fail(err, BERTH_ERR_INPUT,
                              "%s/%s: is missing; use the whole output of the AWS CLI", inner,
                              arn_name);
        (void)json_object_set(into, arn, json_array_get(list, i));
    }
    return BERTH_OK;
}

static enum berth_err keep_definition(struct aws_cluster *cluster, json_t *definition,
                                      const char *place, struct berth_error *err)
{
    const char *family = NULL;
    int64_t revision = 1;
    char key[ECS_PLACE_MAX];
    if (ecs_get_text(definition, place, "family", &family, err) != BERTH_OK ||
        ecs_get_integer(definition, place, "revision", 1, INT32_MAX, &revision, err) != BERTH_OK)
        return err->code;
    if (family == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s/family: is missing; use the output of aws ecs "
                          "describe-task-definition",
                          place);
    ecs_place(key, "%s:%lld", family, (long long)revision);
    (void)json_object_set(cluster->definitions, key, definition);
    return BERTH_OK;
}

static enum berth_err keep_definitions(struct aws_cluster *cluster, const json_t *json,
                                       const char *place, bool *is_known, struct berth_error *err)
{
    const json_t *list = NULL;
    char inner[ECS_PLACE_MAX];
    if (ecs_get_list(json, place, "taskDefinitions", &list, err) != BERTH_OK)
        return err->code;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i), *wrapped = json_object_get(item, "taskDefinition");
        ecs_place(inner, "%s/taskDefinitions/%zu", place, i);
        if (keep_definition(cluster, json_is_object(wrapped) ? wrapped : item, inner, err) !=
            BERTH_OK)
            return err->code;
    }
    json_t *wrapped = json_object_get(json, "taskDefinition");
    ecs_place(inner, "%s/taskDefinition", place);
    bool is_bare = json_object_get(json, "containerDefinitions") != NULL;
    *is_known = *is_known || list != NULL || json_is_object(wrapped) || is_bare;
    if (json_is_object(wrapped))
        return keep_definition(cluster, wrapped, inner, err);
    if (is_bare)
        return keep_definition(cluster, (json_t *)(uintptr_t)json, place, err);
    return BERTH_OK;
}

static enum berth_err keep_document(struct aws_cluster *cluster, const json_t *json,
                                    const char *place, struct berth_error *err)
{
    const struct {
        const char *list, *arn;
        json_t *into;
    } kinds[] = {{"containerInstances", "containerInstanceArn", cluster->instances},
                 {"tasks", "taskArn", cluster->tasks},
                 {"services", "serviceArn", cluster->services}};
    bool is_known = json_object_get(json, "clusters") != NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const json_t *list = NULL;
        if (ecs_get_list(json, place, kinds[i].list, &list, err) != BERTH_OK ||
            keep(kinds[i].into, list, kinds[i].arn, place, kinds[i].list, err) != BERTH_OK)
            return err->code;
        is_known = is_known || list != NULL;
    }
    if (keep_definitions(cluster, json, place, &is_known, err) != BERTH_OK)
        return err->code;
    if (!is_known)
        text_addf(&cluster->notes, "%s nothing that aws ecs describe-* prints\n", place);
    return BERTH_OK;
}

static enum berth_err read_file(struct aws_cluster *cluster, const char *folder, const char *name,
                                struct berth_error *err)
{
    json_t *json = NULL;
    char path[ECS_PLACE_MAX], place[ECS_PLACE_MAX];
    ecs_place(path, "%s/%s", folder, name);
    ecs_place(place, "%s:", path);
    if (json_read_file(path, &json, err) != BERTH_OK)
        return err->code;
    enum berth_err code = BERTH_OK;
    if (!json_is_array(json))
        code = keep_document(cluster, json, place, err);
    for (size_t i = 0; i < json_array_size(json) && code == BERTH_OK; i++) {
        char inner[ECS_PLACE_MAX];
        ecs_place(inner, "%s/%zu", place, i);
        code = keep_document(cluster, json_array_get(json, i), inner, err);
    }
    cluster->file_count++;
    json_decref(json);
    return code;
}

/* "arn:...:container-instance/CLUSTER/ID": all of one folder are of one cluster. */
static enum berth_err name_cluster(struct aws_cluster *cluster, const char *folder,
                                   struct berth_error *err)
{
    const char *arn;
    json_t *instance;
    cluster->name = mem_copy_text("");
    json_object_foreach(cluster->instances, arn, instance)
    {
        const char *first = strchr(arn, '/');
        const char *second = first == NULL ? NULL : strchr(first + 1, '/');
        if (second == NULL)
            continue;
        char *name = mem_copy_text_n(first + 1, (size_t)(second - first) - 1);
        bool is_other = *cluster->name != '\0' && strcmp(cluster->name, name) != 0;
        if (is_other)
            (void)berth_fail(err, BERTH_ERR_INPUT,
                             "%s: instances of two clusters, %.60s and %.60s; keep one cluster in "
                             "a folder",
                             folder, cluster->name, name);
        mem_free(cluster->name);
        cluster->name = name;
        if (is_other)
            return err->code;
    }
    return BERTH_OK;
}

static enum berth_err read_folder(struct aws_cluster *cluster, const char *folder,
                                  struct berth_error *err)
{
    json_t *names = json_object();
    enum berth_err code = list_files(folder, names, err);
    const char **sorted = aws_sorted_keys(names);
    for (size_t i = 0; sorted[i] != NULL && code == BERTH_OK; i++)
        code = read_file(cluster, folder, sorted[i], err);
    mem_free(sorted);
    json_decref(names);
    if (code != BERTH_OK)
        return code;
    if (json_object_size(cluster->instances) == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: no container instance in %zu JSON files; save what aws ecs "
                          "describe-container-instances prints there",
                          folder, cluster->file_count);
    return name_cluster(cluster, folder, err);
}

static void print_groups(const json_t *fleet, FILE *report)
{
    const char *name;
    json_t *group, *zone;
    size_t index;
    json_object_foreach((json_t *)(uintptr_t)fleet, name, group)
    {
        fprintf(report, "  %-24s %6lld x %lld CPU units, %lld MiB", name,
                (long long)json_integer_value(json_object_get(group, "count")),
                (long long)json_integer_value(json_object_get(group, "cpu")),
                (long long)json_integer_value(json_object_get(group, "memory")));
        if (json_object_get(group, "gpus") != NULL)
            fprintf(report, ", %lld GPUs",
                    (long long)json_integer_value(json_object_get(group, "gpus")));
        json_array_foreach(json_object_get(group, "zones"), index, zone)
        {
            fprintf(report, "%s%s", index == 0 ? " in " : ", ", json_string_value(zone));
        }
        fprintf(report, "\n");
    }
}

static void print_share(const char *what, int64_t asked, int64_t there, int64_t unit,
                        const char *unit_name, FILE *report)
{
    fprintf(report, "  %-8s %.1f of %.1f %s asked for (%.1f%%)\n", what,
            (double)asked / (double)unit, (double)there / (double)unit, unit_name,
            there > 0 ? 100.0 * (double)asked / (double)there : 0.0);
}

static void print_notes(const struct aws_cluster *cluster, FILE *report)
{
    if (cluster->notes.length == 0)
        return;
    fprintf(report, "to note:\n");
    const char *line = cluster->notes.bytes;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        fprintf(report, "  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_report(const struct aws_cluster *cluster, const struct aws_totals *totals,
                         const json_t *scenario, const char *folder, FILE *report)
{
    const json_t *fleet = json_object_get(scenario, "fleet");
    const char *name;
    json_t *variant;
    fprintf(report,
            "read %zu files: %zu container instances, %zu services, %zu tasks, %zu task "
            "definitions\n",
            cluster->file_count, json_object_size(cluster->instances),
            json_object_size(cluster->services), json_object_size(cluster->tasks),
            json_object_size(cluster->definitions));
    fprintf(report, "fleet: %lld instances in %zu groups\n", (long long)totals->instances,
            json_object_size(fleet));
    print_groups(fleet, report);
    fprintf(report, "work: %zu services, %zu batches of standalone tasks, %zu task definitions\n",
            json_object_size(json_object_get(scenario, "services")),
            json_object_size(json_object_get(scenario, "arrivals")),
            json_object_size(json_object_get(scenario, "taskDefinitions")));
    print_share("CPU", totals->asked_cpu_units, totals->cpu_units, 1024, "vCPU", report);
    print_share("memory", totals->asked_mem_mib, totals->mem_mib, 1024, "GiB", report);
    print_notes(cluster, report);
    fprintf(report, "variants:");
    json_object_foreach(json_object_get(json_object_get(scenario, "compare"), "variants"), name,
                        variant)
    {
        fprintf(report, " %s", name);
    }
    fprintf(report, "\nwrote %s/scenario.json; next: berth run %s/scenario.json\n", folder, folder);
}

static enum berth_err write_scenario(const json_t *scenario, const char *folder,
                                     struct berth_error *err)
{
    struct output output = {.folder = NULL};
    enum berth_err code = output_begin(&output, folder, err);
    if (code == BERTH_OK)
        code = output_json(&output, "scenario.json", scenario, err);
    if (code == BERTH_OK)
        code = output_commit(&output, err);
    output_end(&output);
    return code;
}

enum berth_err import_aws(const char *folder, const char *out_folder, FILE *report,
                          struct berth_error *err)
{
    struct aws_cluster cluster = {
        json_object(), json_object(), json_object(), json_object(), NULL, 0, TEXT_INIT};
    struct aws_totals totals = {0, 0, 0, 0, 0, 0};
    json_t *scenario = NULL;
    enum berth_err code = read_folder(&cluster, folder, err);
    if (code == BERTH_OK)
        code = aws_scenario(&cluster, &totals, &scenario, err);
    if (code == BERTH_OK && totals.instances == 0)
        code = berth_fail(err, BERTH_ERR_INPUT, "%s: no container instance is ACTIVE", folder);
    if (code == BERTH_OK)
        code = write_scenario(scenario, out_folder, err);
    if (code == BERTH_OK)
        print_report(&cluster, &totals, scenario, out_folder, report);
    json_decref(scenario);
    json_decref(cluster.instances);
    json_decref(cluster.tasks);
    json_decref(cluster.services);
    json_decref(cluster.definitions);
    mem_free(cluster.name);
    text_free(&cluster.notes);
    return code;
}
