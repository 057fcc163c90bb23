/* validate.c -- `berth validate`: is this scenario right, and what will it never do? */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/cli/command.h"
#include "scheduler/cli/open_scenario.h"
#include "scheduler/cli/workload_rows.h"
#include "scheduler/ecs/json_input.h"

/* What is told of a valid file. */
struct findings {
    struct scenario_set *set;
    uint64_t instances, rows; /* of the baseline; of all workload files */
    uint32_t files;           /* workload files */
};

static bool is_file_seen(const struct scenario_set *set, uint32_t variant, uint32_t arrival)
{
    const char *path = set->variants[variant]->arrivals[arrival].csv_path;
    for (uint32_t i = 0; i <= variant; i++) {
        const struct scenario *scenario = set->variants[i];
        for (uint32_t j = 0; j < scenario->arrival_count && (i < variant || j < arrival); j++)
            if (scenario->arrivals[j].csv_path != NULL &&
                strcmp(scenario->arrivals[j].csv_path, path) == 0)
                return true;
    }
    return false;
}

/* A row that fits nowhere is no mistake: the run will count it as refused, or as waiting. */
static void warn_of_misfits(struct scenario *scenario, const struct workload_rows *rows)
{
    struct text text = TEXT_INIT;
    if (rows->misfit_count == 0)
        return;
    text_addf(&text,
              "%" PRIu64 " of %" PRIu64 " rows fit on no instance of the fleet, even an empty one; "
              "the first: %s",
              rows->misfit_count, rows->count, rows->misfit);
    scenario->warnings =
        mem_resize(scenario->warnings, scenario->warning_count + 1, sizeof *scenario->warnings);
    scenario->warnings[scenario->warning_count++] = mem_copy_text(text.bytes);
    text_free(&text);
}

static enum berth_err check_files(struct findings *findings, struct berth_error *err)
{
    for (uint32_t i = 0; i < findings->set->variant_count; i++) {
        struct scenario *scenario = findings->set->variants[i];
        for (uint32_t j = 0; j < scenario->arrival_count; j++) {
            const struct scenario_arrival *arrival = &scenario->arrivals[j];
            if (arrival->process != ARRIVAL_CSV || is_file_seen(findings->set, i, j))
                continue;
            struct workload_rows rows = {0};
            enum berth_err code = workload_rows_check(scenario, arrival, &rows, err);
            if (code != BERTH_OK)
                return code;
            findings->rows += rows.count;
            warn_of_misfits(scenario, &rows);
            findings->files++;
        }
    }
    return BERTH_OK;
}

static enum berth_err validate(const char *path, struct findings *out, struct berth_error *err)
{
    memset(out, 0, sizeof *out);
    enum berth_err code = open_scenario(path, &out->set, err);
    if (code == BERTH_OK)
        code = check_files(out, err);
    if (code == BERTH_OK && command_stop)
        code = berth_fail(err, BERTH_ERR_INTERRUPTED, "%s: interrupted", path);
    if (code != BERTH_OK) {
        scenario_set_destroy(out->set);
        out->set = NULL;
        return code;
    }
    for (uint32_t i = 0; i < out->set->variants[0]->group_count; i++)
        out->instances += out->set->variants[0]->groups[i].count;
    return BERTH_OK;
}

/* How many variants give this warning; 0 when an earlier variant was already told of it. */
static uint32_t variants_warned(const struct scenario_set *set, uint32_t variant, const char *text)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->variant_count; i++) {
        for (uint32_t j = 0; j < set->variants[i]->warning_count; j++) {
            if (strcmp(set->variants[i]->warnings[j], text) != 0)
                continue;
            if (i < variant)
                return 0;
            count++;
            break;
        }
    }
    return count;
}

static void print_text(const char *path, const struct findings *findings)
{
    const struct scenario_set *set = findings->set;
    const struct scenario *first = set->variants[0];
    printf("%s: ok: %" PRIu64 " instances, %" PRIu32 " services, %" PRIu32 " arrivals, %" PRIu32
           " variants, hash %.12s\n",
           path, findings->instances, first->service_count, first->arrival_count,
           set->variant_count, set->hash);
    if (findings->files > 0)
        printf("  %" PRIu64 " rows in %" PRIu32 " workload files\n", findings->rows,
               findings->files);
    for (uint32_t i = 0; i < set->variant_count; i++) {
        for (uint32_t j = 0; j < set->variants[i]->warning_count; j++) {
            const char *text = set->variants[i]->warnings[j];
            uint32_t count = variants_warned(set, i, text);
            if (count == set->variant_count)
                printf("  warning: %s\n", text);
            else if (count > 0)
                printf("  warning: %s (in %" PRIu32 " of %" PRIu32 " variants, the first is %s)\n",
                       text, count, set->variant_count, set->variants[i]->variant);
        }
    }
}

static json_t *warnings_json(const struct scenario_set *set)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < set->variant_count; i++)
        for (uint32_t j = 0; j < set->variants[i]->warning_count; j++)
            (void)json_array_append_new(list, json_pack("{s:s, s:s}", "variant",
                                                        set->variants[i]->variant, "text",
                                                        set->variants[i]->warnings[j]));
    return list;
}

static json_t *findings_json(const char *path, const struct findings *findings)
{
    const struct scenario_set *set = findings->set;
    json_t *variants = json_array();
    for (uint32_t i = 0; i < set->variant_count; i++)
        (void)json_array_append_new(variants, json_string(set->variants[i]->variant));
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "file", path, "ok", 1, "name",
        set->name, "hash", set->hash, "baseline", set->baseline, "instances",
        (json_int_t)findings->instances, "services", (json_int_t)set->variants[0]->service_count,
        "arrivals", (json_int_t)set->variants[0]->arrival_count, "workloadRows",
        (json_int_t)findings->rows, "variants", variants, "warnings", warnings_json(set));
}

static enum berth_err parse_format(const char *format, bool *is_json, struct berth_error *err)
{
    *is_json = format != NULL && strcmp(format, "json") == 0;
    if (format == NULL || *is_json || strcmp(format, "text") == 0)
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_INPUT, "--format: \"%s\" is none of text, json", format);
}

/* Every file is told of; the first failure decides the exit status and is printed by main. */
static enum berth_err validate_all(char **paths, int count, bool is_json, struct berth_error *err)
{
    enum berth_err first = BERTH_OK;
    json_t *list = json_array();
    for (int i = 0; i < count && first != BERTH_ERR_INTERRUPTED; i++) {
        struct berth_error own = BERTH_ERROR_INIT;
        struct findings findings;
        enum berth_err code = validate(paths[i], &findings, &own);
        if (code == BERTH_OK && is_json)
            (void)json_array_append_new(list, findings_json(paths[i], &findings));
        else if (code == BERTH_OK)
            print_text(paths[i], &findings);
        else if (is_json)
            (void)json_array_append_new(
                list, json_pack("{s:s, s:b, s:s}", "file", paths[i], "ok", 0, "error", own.text));
        scenario_set_destroy(findings.set);
        if (code == BERTH_OK)
            continue;
        if (first == BERTH_OK)
            *err = own;
        else
            fprintf(stderr, "berth validate: %s\n", own.text);
        first = first == BERTH_OK || code == BERTH_ERR_INTERRUPTED ? code : first;
    }
    if (is_json) {
        char *text = json_write_sorted(list, 2);
        puts(text);
        mem_free(text);
    }
    json_decref(list);
    return first;
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    const char *format = NULL;
    int operands = 0;
    bool is_json = false;
    const struct command_flag flags[] = {{"--format", &format, NULL}, {NULL, NULL, NULL}};
    enum berth_err code = command_parse(&command_validate, argc, argv, flags, &operands, err);
    if (code == BERTH_OK)
        code = parse_format(format, &is_json, err);
    if (code != BERTH_OK)
        return code;
    if (operands == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "no file; write berth validate FILE...");
    command_catch_signals();
    return validate_all(argv, operands, is_json, err);
}

const struct command command_validate = {
    "validate",
    "check scenario files, and warn of what can never happen",
    "Usage: berth validate [--format text|json] FILE...\n\n"
    "Reads scenario files with all that they include and name, as `berth run` would: every\n"
    "variant is put together and checked, every row of a workload CSV is read. Nothing is run.\n\n"
    "  --format text   one line for each file, then its warnings (default)\n"
    "  --format json   a list: file, ok, name, hash, counts, variants, warnings or error\n\n"
    "A mistake is one line: FILE:PLACE: what is wrong; how to mend it. PLACE is a JSON Pointer\n"
    "into the file, or line and column where the text is not JSON. A warning is no mistake: a\n"
    "task that fits on no instance, something that comes after the end of the run.\n\n"
    "The format: sim/README.md. For editors: scenarios/scenario.schema.json.\n\n"
    "Examples:\n"
    "  berth validate scenarios/first-look.json\n"
    "  berth validate --format json scenarios/zone-loss.json scenarios/spot.json\n\n"
    "Exit status: 0 valid, perhaps with warnings; 2 not valid; 3 a file cannot be read.\n",
    run,
};
