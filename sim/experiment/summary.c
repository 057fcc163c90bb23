#define _XOPEN_SOURCE 700 /* realpath */
#include "sim/experiment/summary.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "scheduler/ecs/json_input.h"
#include "sim/experiment/files.h"
#include "sim/experiment/number.h"

void summary_format_number(double number, struct text *out)
{
    if (isnan(number) || isinf(number)) {
        text_add(out, "null");
        return;
    }
    char digits[NUMBER_BYTES];
    number_format(number == 0 ? 0 : number, digits);
    text_add(out, digits);
}

static void format_member(const char *name, double number, struct text *out)
{
    text_addf(out, "\"%s\": ", name);
    summary_format_number(number, out);
}

static void format_interval(double low, double high, struct text *out)
{
    text_add(out, "\"ci95\": [");
    summary_format_number(low, out);
    text_add(out, ", ");
    summary_format_number(high, out);
    text_add(out, "]");
}

static int compare_metric_names(const void *left, const void *right)
{
    return strcmp(metric_infos[*(const int *)left].name, metric_infos[*(const int *)right].name);
}

static void sort_metrics(int sorted[METRIC_COUNT])
{
    for (int m = 0; m < METRIC_COUNT; m++)
        sorted[m] = m;
    qsort(sorted, METRIC_COUNT, sizeof sorted[0], compare_metric_names);
}

static void format_comparison(const struct experiment *experiment,
                              const struct experiment_comparison *comparison, struct text *out)
{
    const struct statistics_test *test = &comparison->test;
    const struct experiment_variant *baseline = &experiment->variants[experiment->baseline];
    text_add(out, "{\"baseline\": ");
    text_add_json(out, baseline->name);
    text_add(out, ", ");
    format_interval(test->low, test->high, out);
    text_add(out, ", ");
    format_member("difference", test->difference, out);
    text_addf(out, ", \"metric\": \"%s\", ", metric_infos[comparison->metric].name);
    format_member("p", test->p, out);
    text_add(out, ", ");
    format_member("pHolm", comparison->p_holm, out);
    text_addf(out, ", \"pairs\": %" PRIu32 ", ", test->count);
    double mean = baseline->summaries[comparison->metric].mean;
    format_member("relative", mean == 0 ? NAN : test->difference / fabs(mean), out);
    text_add(out, ", ");
    format_member("sd", test->sd, out);
    text_addf(out, ", \"significant\": %s, ",
              statistics_is_significant(comparison->p_holm) ? "true" : "false");
    format_member("t", test->t, out);
    text_add(out, ", \"variant\": ");
    text_add_json(out, experiment->variants[comparison->variant].name);
    text_add(out, "}");
}

static void format_comparisons(const struct experiment *experiment, struct text *out)
{
    int sorted[METRIC_COUNT];
    sort_metrics(sorted);
    text_add(out, "  \"comparisons\": [");
    for (size_t block = 0; block < experiment->comparison_count; block += METRIC_COUNT) {
        for (int m = 0; m < METRIC_COUNT; m++) {
            text_add(out, block == 0 && m == 0 ? "\n    " : ",\n    ");
            format_comparison(experiment, &experiment->comparisons[block + (size_t)sorted[m]], out);
        }
    }
    text_add(out, experiment->comparison_count > 0 ? "\n  ],\n" : "],\n");
}

static void format_metric(const struct experiment *experiment,
                          const struct experiment_variant *variant, int metric, struct text *out)
{
    const struct statistics_summary *summary = &variant->summaries[metric];
    text_addf(out, "\"%s\": {", metric_infos[metric].name);
    format_interval(summary->low, summary->high, out);
    text_add(out, ", ");
    format_member("mean", summary->mean, out);
    if (metric == METRIC_PLACEMENT_WAIT_P50 || metric == METRIC_PLACEMENT_WAIT_P95 ||
        metric == METRIC_PLACEMENT_WAIT_P99) {
        text_add(out, ", ");
        format_member("pooled", variant->points[metric], out);
    }
    text_add(out, ", ");
    format_member("sd", summary->sd, out);
    text_add(out, ", \"values\": [");
    for (uint32_t k = 0; k < experiment->replication_count; k++) {
        if (k > 0)
            text_add(out, ", ");
        summary_format_number(variant->values[metric][k], out);
    }
    text_add(out, "]}");
}

static void format_variants(const struct experiment *experiment, struct text *out)
{
    int sorted[METRIC_COUNT];
    sort_metrics(sorted);
    text_add(out, "  \"variants\": [\n");
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        text_add(out, "    {\"metrics\": {\n");
        for (int m = 0; m < METRIC_COUNT; m++) {
            text_add(out, "      ");
            format_metric(experiment, &experiment->variants[v], sorted[m], out);
            text_add(out, m + 1 < METRIC_COUNT ? ",\n" : "\n");
        }
        text_add(out, "    }, \"name\": ");
        text_add_json(out, experiment->variants[v].name);
        text_add(out, v + 1 < experiment->variant_count ? "},\n" : "}\n");
    }
    text_add(out, "  ]\n");
}

/*
 * The scenario's path as a newcomer would type it: relative when it lies below the working
 * directory, so that two clones of one tree write the same bytes wherever they stand.
 */
static char *portable_path(const char *path)
{
    char *real = realpath(path, NULL);
    char folder[PATH_MAX];
    size_t length = getcwd(folder, sizeof folder) == NULL ? 0 : strlen(folder);
    char *portable;
    if (real == NULL)
        portable = mem_copy_text(path);
    else if (length > 1 && strncmp(real, folder, length) == 0 && real[length] == '/')
        portable = mem_copy_text(real + length + 1);
    else
        portable = mem_copy_text(real);
    free(real);
    return portable;
}

void summary_format(const struct experiment *experiment, struct text *out)
{
    const struct scenario_set *set = experiment->set;
    char *path = portable_path(set->path);
    const struct {
        const char *name, *value;
    } texts[] = {{"name", set->name},
                 {"question", set->question != NULL ? set->question : ""},
                 {"scenario", path},
                 {"scenarioHash", set->hash}};
    text_add(out, "{\n  \"baseline\": ");
    text_add_json(out, experiment->variants[experiment->baseline].name);
    text_addf(out, ",\n  \"buildId\": \"%s\",\n", berth_build_id);
    format_comparisons(experiment, out);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (i == 2)
            text_addf(out, "  \"replications\": %" PRIu32 ",\n", experiment->replication_count);
        text_addf(out, "  \"%s\": ", texts[i].name);
        text_add_json(out, texts[i].value);
        text_add(out, ",\n");
    }
    text_addf(out, "  \"seed\": %" PRIu64 ",\n", experiment->seed);
    format_variants(experiment, out);
    text_add(out, "}\n");
    mem_free(path);
}

/* -- reading -- */

static enum berth_err read_values(const json_t *metric, const char *place,
                                  struct summary_variant *variant, enum metric index,
                                  struct berth_error *err)
{
    const json_t *mean = json_object_get(metric, "mean");
    const json_t *values = json_object_get(metric, "values");
    if (!(json_is_number(mean) || json_is_null(mean)) || (values != NULL && !json_is_array(values)))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: needs \"mean\", a number or null, and may have \"values\", a list; "
                          "is this a summary.json?",
                          place);
    variant->has[index] = true;
    variant->means[index] = json_is_null(mean) ? NAN : json_number_value(mean);
    size_t count = json_array_size(values);
    variant->value_counts[index] = (uint32_t)count;
    variant->values[index] = mem_alloc((count + 1) * sizeof(double));
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(values, i);
        if (!json_is_number(value) && !json_is_null(value))
            return berth_fail(err, BERTH_ERR_INPUT, "%s/values/%zu: neither a number nor null",
                              place, i);
        variant->values[index][i] = json_is_null(value) ? NAN : json_number_value(value);
    }
    return BERTH_OK;
}

static enum berth_err fail_unknown_metric(const char *place, const char *name,
                                          struct berth_error *err)
{
    const char *names[METRIC_COUNT + 1] = {NULL};
    for (int m = 0; m < METRIC_COUNT; m++)
        names[m] = metric_infos[m].name;
    const char *near = berth_nearest(name, names);
    return berth_fail(err, BERTH_ERR_INPUT, "%s: \"%s\" is no metric of this build%s%s%s", place,
                      name, near != NULL ? "; did you mean \"" : "; write the file anew",
                      near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static enum berth_err read_variant(const json_t *json, const char *file, size_t number,
                                   struct summary_variant *variant, struct berth_error *err)
{
    struct text place = TEXT_INIT;
    text_addf(&place, "%s:/variants/%zu", file, number);
    const char *name = json_string_value(json_object_get(json, "name"));
    json_t *metrics = json_object_get(json, "metrics");
    enum berth_err code = BERTH_OK;
    if (name == NULL || !json_is_object(metrics))
        code =
            berth_fail(err, BERTH_ERR_INPUT,
                       "%s: needs \"name\" and \"metrics\"; is this a summary.json?", place.bytes);
    variant->name = mem_copy_text(name);
    const char *key;
    json_t *metric;
    json_object_foreach(metrics, key, metric)
    {
        enum metric index = metric_find(key);
        if (code != BERTH_OK)
            break;
        if (index == METRIC_COUNT) {
            code = fail_unknown_metric(place.bytes, key, err);
            break;
        }
        text_addf(&place, "/metrics/%s", key);
        code = read_values(metric, place.bytes, variant, index, err);
        text_clear(&place);
        text_addf(&place, "%s:/variants/%zu", file, number);
    }
    text_free(&place);
    return code;
}

static enum berth_err read_document(const json_t *document, struct summary *summary,
                                    struct berth_error *err)
{
    const json_t *variants = json_object_get(document, "variants");
    const json_t *seed = json_object_get(document, "seed");
    const json_t *replications = json_object_get(document, "replications");
    const char *hash = json_string_value(json_object_get(document, "scenarioHash"));
    const char *build = json_string_value(json_object_get(document, "buildId"));
    if (!json_is_array(variants) || json_array_size(variants) == 0 || !json_is_integer(seed) ||
        hash == NULL || build == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: needs \"scenarioHash\", \"buildId\", \"seed\" and \"variants\"; "
                          "is this the summary.json of a run?",
                          summary->path);
    summary->scenario_hash = mem_copy_text(hash);
    summary->build_id = mem_copy_text(build);
    summary->name = mem_copy_text(json_string_value(json_object_get(document, "name")));
    summary->scenario = mem_copy_text(json_string_value(json_object_get(document, "scenario")));
    summary->seed = (uint64_t)json_integer_value(seed);
    summary->replications = (uint32_t)json_integer_value(replications);
    size_t count = json_array_size(variants);
    summary->variants = mem_alloc(count * sizeof *summary->variants);
    enum berth_err code = BERTH_OK;
    for (size_t v = 0; v < count && code == BERTH_OK; v++) {
        summary->variant_count++;
        code =
            read_variant(json_array_get(variants, v), summary->path, v, &summary->variants[v], err);
    }
    return code;
}

enum berth_err summary_read(const char *path, struct summary **out, struct berth_error *err)
{
    struct stat status;
    bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    struct summary *summary = mem_alloc(sizeof *summary);
    summary->path = is_folder ? files_join(path, "summary.json") : mem_copy_text(path);
    json_t *document = NULL;
    enum berth_err code = json_read_file(summary->path, &document, err);
    if (code == BERTH_OK)
        code = read_document(document, summary, err);
    json_decref(document);
    if (code == BERTH_OK)
        *out = summary;
    else
        summary_destroy(summary);
    return code;
}

void summary_destroy(struct summary *summary)
{
    if (summary == NULL)
        return;
    for (uint32_t v = 0; v < summary->variant_count; v++) {
        mem_free(summary->variants[v].name);
        for (int m = 0; m < METRIC_COUNT; m++)
            mem_free(summary->variants[v].values[m]);
    }
    mem_free(summary->variants);
    mem_free(summary->path);
    mem_free(summary->name);
    mem_free(summary->scenario);
    mem_free(summary->scenario_hash);
    mem_free(summary->build_id);
    mem_free(summary);
}

const struct summary_variant *summary_find(const struct summary *summary, const char *name)
{
    for (uint32_t v = 0; v < summary->variant_count; v++)
        if (strcmp(summary->variants[v].name, name) == 0)
            return &summary->variants[v];
    return NULL;
}
