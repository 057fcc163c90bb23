/*
 * scenario.c -- from files to variants, ready to run.
 *
 * The steps: merge the files (document.c), take `compare` off, make each cell's document
 * (compare.c), read it into a struct scenario (read_*.c), check what its parts say of each other
 * (check.c), add it to the hash (digest.c). Each cell is read from its own whole document, so a
 * patch can change anything, and a variant that does not hold together is found before anything
 * runs.
 */
#include "sim/scenario/scenario.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/compare.h"
#include "sim/scenario/digest.h"
#include "sim/scenario/parts.h"

#define DOCUMENTS_BYTES_MAX ((size_t)1 << 30)

static const char *const top_keys[] = {
    "version",         "name",     "question",     "fleet",    "services",
    "taskDefinitions", "arrivals", "timeline",     "failures", "delays",
    "quotas",          "run",      "targetGroups", "faults",   "capacityProviders",
    "fargate",         "cluster",  "alarms",       "hooks",    NULL};

static void read_head(const struct at *root, struct scenario *out)
{
    struct at version = at_member(root, "version"), name = at_member(root, "name");
    struct at question = at_member(root, "question");
    at_require(&version, "write 1");
    (void)at_integer(&version, 1, 1, 1);
    at_require(&name, "write a name, which is also the results' folder");
    out->name = at_text(&name);
    if (out->name != NULL && (!is_name(out->name, 64) || strspn(out->name, ".") > 0))
        at_fail(&name, "not a name; use 1 to 64 of A-Z a-z 0-9 _ . -, the first not a dot");
    out->question = at_text(&question);
    if (out->question == NULL)
        out->question = mem_copy_text("");
}

static void read_scenario(const struct at *root, struct scenario *out)
{
    (void)at_object(root, top_keys);
    read_head(root, out);
    read_fleet(root, out);
    read_capacity_providers(root, out);
    read_task_definitions(root, out);
    read_target_groups(root, out);
    read_services(root, out);
    if (!root->reader->has_failed)
        scenario_sort_names(out);
    read_all_alarms(root, out);
    read_arrivals(root, out);
    read_hook_functions(root, out);
    read_delays(root, out);
    read_quotas(root, out);
    read_run(root, out);
    read_timeline(root, out);
    read_failures(root, out);
    read_chaos(root, out);
    check_scenario(root, out);
}

struct loading {
    struct document document;
    struct reader reader;
    struct compare compare;
    struct digest *digest;
    struct scenario_set *set;
};

static void load_cell(struct loading *loading, size_t cell)
{
    struct scenario_set *set = loading->set;
    size_t layer_count = loading->document.layers.list.count;
    json_t *json = compare_document(&loading->compare, cell, set->document, &loading->document);
    if (json == NULL)
        return;
    struct scenario *scenario = mem_alloc(sizeof *scenario);
    set->variants[set->variant_count++] = scenario;
    scenario->path = mem_copy_text(set->path);
    scenario->variant = compare_name(&loading->compare, cell);
    struct at root = at_root(&loading->reader, json);
    read_scenario(&root, scenario);
    digest_add(loading->digest, scenario->variant, &root);
    if (digest_bytes(loading->digest) > DOCUMENTS_BYTES_MAX)
        at_fail(&loading->compare.at, "the variants are together larger than 1 GiB; use fewer");
    json_decref(json);
    layers_cut(&loading->document.layers, layer_count);
}

/* A cell's full name, or that of a variant, which then means its first cell. */
static void choose_baseline(struct loading *loading)
{
    struct scenario_set *set = loading->set;
    struct at at = at_member(&loading->compare.at, "baseline");
    char *wanted = at_text(&at);
    size_t length = wanted == NULL ? 0 : strlen(wanted);
    const char **names = mem_alloc((set->variant_count + 1) * sizeof *names);
    for (uint32_t i = 0; i < set->variant_count; i++) {
        names[i] = set->variants[i]->variant;
        if (set->baseline == NULL && wanted != NULL && length > 0 &&
            (strcmp(names[i], wanted) == 0 ||
             (strncmp(names[i], wanted, length) == 0 && names[i][length] == '/')))
            set->baseline = mem_copy_text(names[i]);
    }
    if (wanted != NULL && set->baseline == NULL)
        check_name(&at, wanted, "variant", "compare/variants", names);
    if (set->baseline == NULL && set->variant_count > 0)
        set->baseline = mem_copy_text(names[0]);
    mem_free(names);
    mem_free(wanted);
}

static void load_cells(struct loading *loading, const struct at *root)
{
    struct scenario_set *set = loading->set;
    compare_read(root, &loading->compare);
    if (loading->reader.has_failed)
        return;
    set->document = json_copy((json_t *)(uintptr_t)root->json);
    (void)json_object_del(set->document, "compare");
    set->variants = mem_alloc(loading->compare.cell_count * sizeof *set->variants);
    for (size_t i = 0; i < loading->compare.cell_count && !loading->reader.has_failed; i++)
        load_cell(loading, i);
    if (loading->reader.has_failed)
        return;
    choose_baseline(loading);
    set->name = mem_copy_text(set->variants[0]->name);
    set->question = mem_copy_text(set->variants[0]->question);
    digest_finish(loading->digest, set->hash);
}

/* Takes the loaded document. */
static enum berth_err load_document(struct document *document, const char *path,
                                    struct scenario_set **out, struct berth_error *err)
{
    struct loading loading = {.document = *document, .digest = digest_create()};
    loading.reader = (struct reader){.layers = &loading.document.layers, .err = err};
    loading.set = mem_alloc(sizeof *loading.set);
    loading.set->path = mem_copy_text(path);
    struct at root = at_root(&loading.reader, loading.document.merged);
    load_cells(&loading, &root);
    compare_free(&loading.compare);
    digest_destroy(loading.digest);
    document_free(&loading.document);
    if (loading.reader.has_failed) {
        scenario_set_destroy(loading.set);
        return err->code;
    }
    *out = loading.set;
    return BERTH_OK;
}

enum berth_err scenario_load(const char *path, struct scenario_set **out, struct berth_error *err)
{
    struct document document;
    *out = NULL;
    enum berth_err code = document_load(path, &document, err);
    return code != BERTH_OK ? code : load_document(&document, path, out, err);
}

enum berth_err scenario_load_text(const char *text, size_t length, const char *folder,
                                  struct scenario_set **out, struct berth_error *err)
{
    struct document document;
    *out = NULL;
    enum berth_err code = document_load_text(text, length, folder, &document, err);
    return code != BERTH_OK ? code : load_document(&document, "scenario", out, err);
}

static enum berth_err check_metric(const struct scenario_set *set, const struct scenario *scenario,
                                   const char *place, const char *name, const char *const *names,
                                   struct berth_error *err)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return BERTH_OK;
    const char *near = berth_nearest(name, names);
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s:%s: there is no metric \"%.60s\" (variant %.100s); %s%s%s", set->path,
                      place, name, scenario->variant,
                      near != NULL ? "did you mean \"" : "see \"Metrics\" in sim/README.md",
                      near != NULL ? near : "", near != NULL ? "\"?" : "");
}

enum berth_err scenario_check_metrics(const struct scenario_set *set, const char *const *names,
                                      struct berth_error *err)
{
    for (uint32_t i = 0; i < set->variant_count; i++) {
        const struct scenario_run *run = &set->variants[i]->run;
        enum berth_err code = BERTH_OK;
        for (uint32_t j = 0; j < run->metric_count && code == BERTH_OK; j++) {
            char place[40];
            (void)snprintf(place, sizeof place, "/run/metrics/%u", j);
            code = check_metric(set, set->variants[i], place, run->metrics[j], names, err);
        }
        if (code == BERTH_OK && run->precision_metric != NULL)
            code = check_metric(set, set->variants[i], "/run/precision/metric",
                                run->precision_metric, names, err);
        if (code != BERTH_OK)
            return code;
    }
    return BERTH_OK;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct scenario_name *)left)->name,
                  ((const struct scenario_name *)right)->name);
}

/* Its number among `count` sorted names; `count` when it is not there. */
static uint32_t find_name(const struct scenario_name *names, uint32_t count, const char *name)
{
    const struct scenario_name key = {name, 0};
    const struct scenario_name *found =
        name == NULL || names == NULL ? NULL : bsearch(&key, names, count, sizeof key, by_name);
    return found == NULL ? count : found->index;
}

void scenario_sort_names(struct scenario *scenario)
{
    uint32_t task_defs = scenario->task_def_count, services = scenario->service_count;
    scenario->task_def_names = mem_alloc((task_defs + 1) * sizeof *scenario->task_def_names);
    scenario->service_names = mem_alloc((services + 1) * sizeof *scenario->service_names);
    for (uint32_t i = 0; i < task_defs; i++)
        scenario->task_def_names[i] = (struct scenario_name){scenario->task_defs[i].name, i};
    for (uint32_t i = 0; i < services; i++)
        scenario->service_names[i] = (struct scenario_name){scenario->services[i].name, i};
    qsort(scenario->task_def_names, task_defs, sizeof *scenario->task_def_names, by_name);
    qsort(scenario->service_names, services, sizeof *scenario->service_names, by_name);
}

const struct scenario_task_def *scenario_find_task_def(const struct scenario *scenario,
                                                       const char *name)
{
    uint32_t count = scenario->task_def_count;
    uint32_t index = find_name(scenario->task_def_names, count, name);
    return index == count ? NULL : &scenario->task_defs[index];
}

const struct scenario_service *scenario_find_service(const struct scenario *scenario,
                                                     const char *name)
{
    uint32_t count = scenario->service_count;
    uint32_t index = find_name(scenario->service_names, count, name);
    return index == count ? NULL : &scenario->services[index];
}

static void free_texts(char **texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        mem_free(texts[i]);
    mem_free(texts);
}

static void free_groups(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->group_count; i++) {
        struct scenario_group *group = &scenario->groups[i];
        for (uint32_t j = 0; j < group->attribute_count; j++) {
            /* An event only lends its texts, hence const; these are owned. */
            mem_free((char *)(uintptr_t)group->attributes[j].name);
            mem_free((char *)(uintptr_t)group->attributes[j].value);
        }
        mem_free(group->attributes);
        free_texts(group->zones, group->zone_count);
        free_texts(group->racks, group->rack_count);
        mem_free(group->tcp_ports_used);
        mem_free(group->instance_type);
        distribution_free(&group->boot);
        mem_free(group->name);
    }
    mem_free(scenario->groups);
}

static void free_task_defs(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->task_def_count; i++) {
        struct scenario_task_def *def = &scenario->task_defs[i];
        if (def->def != NULL)
            task_def_destroy(def->def);
        distribution_free(&def->lifetime);
        distribution_free(&def->start);
        distribution_free(&def->stop);
        distribution_free(&def->crash_after);
        distribution_free(&def->oom_after);
        distribution_free(&def->healthy_after);
        distribution_free(&def->unhealthy_after);
        distribution_free(&def->recovers_after);
        mem_free(def->name);
    }
    mem_free(scenario->task_defs);
}

static void free_work(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->service_count; i++) {
        struct scenario_service *service = &scenario->services[i];
        free_strategies(&service->strategies);
        free_constraints(&service->constraints);
        free_deployment(service);
        free_load_balancers(service);
        free_shares(&service->shares);
        mem_free(service->task_definition);
        mem_free(service->name);
    }
    for (uint32_t i = 0; i < scenario->arrival_count; i++) {
        struct scenario_arrival *arrival = &scenario->arrivals[i];
        free_strategies(&arrival->strategies);
        free_constraints(&arrival->constraints);
        free_shares(&arrival->shares);
        distribution_free(&arrival->interval);
        distribution_free(&arrival->lifetime);
        distribution_free(&arrival->cpu);
        distribution_free(&arrival->mem);
        mem_free(arrival->csv_path);
        mem_free(arrival->task_definition);
        mem_free(arrival->group);
        mem_free(arrival->name);
    }
    free_target_groups(scenario);
    mem_free(scenario->services);
    mem_free(scenario->arrivals);
}

static void free_run(struct scenario *scenario)
{
    struct scenario_delays *delays = &scenario->delays;
    distribution_free(&delays->boot);
    distribution_free(&delays->network);
    distribution_free(&delays->container_start);
    distribution_free(&delays->container_stop);
    distribution_free(&delays->pull_overhead);
    distribution_free(&delays->interface);
    free_strategies(&scenario->run.strategies);
    free_texts(scenario->run.metrics, scenario->run.metric_count);
    mem_free(scenario->run.precision_metric);
}

void scenario_destroy(struct scenario *scenario)
{
    free_groups(scenario);
    free_task_defs(scenario);
    free_load(scenario);
    free_work(scenario);
    free_capacity(scenario);
    free_faults(scenario);
    free_hook_functions(scenario);
    free_chaos(&scenario->faults);
    free_run(scenario);
    free_texts(scenario->warnings, scenario->warning_count);
    mem_free(scenario->task_def_names);
    mem_free(scenario->service_names);
    mem_free(scenario->path);
    mem_free(scenario->name);
    mem_free(scenario->question);
    mem_free(scenario->variant);
    mem_free(scenario);
}

void scenario_set_destroy(struct scenario_set *set)
{
    if (set == NULL)
        return;
    for (uint32_t i = 0; i < set->variant_count; i++)
        scenario_destroy(set->variants[i]);
    mem_free(set->variants);
    json_decref(set->document);
    mem_free(set->path);
    mem_free(set->name);
    mem_free(set->question);
    mem_free(set->baseline);
    mem_free(set);
}
