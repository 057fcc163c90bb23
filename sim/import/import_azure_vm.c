/*
 * import_azure_vm.c -- VM arrivals of the Azure Public Dataset V1, one row per VM.
 *
 * Each flavor becomes a task definition and each row a task of the group of its tenant's batch. The
 * rows are in order of arrival already, so they pass through one by one; what stays in memory is
 * the flavors and, for the exact averages, the VMs alive at once.
 *
 * A VM lives max(dur_lo_s, 150) s; one marked censored has no lifetime and runs on. The window ends
 * one bin (300 s) after the last arrival, where the trace was cut.
 *
 * The trace does not say what machines there were. The fleet is of one kind, MACHINE_VCPU and
 * MACHINE_GIB, doubled until the largest VM takes at most half of one, and counts half as much
 * again as the peak would need if VMs could be cut to fill every machine: every strategy then has
 * room for every VM, and the question is how few machines it touches.
 */
#include "sim/import/import.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/symbols.h"
#include "scheduler/base/text.h"
#include "scheduler/base/units.h"
#include "sim/import/output.h"
#include "sim/import/study.h"
#include "sim/import/usage.h"
#include "sim/workload/csv.h"

#define BIN_MS 300000
#define LIFETIME_MIN_MS 150000
#define MACHINE_VCPU 64
#define MACHINE_GIB 256
#define MACHINES_STEP 50 /* the count is rounded up to a multiple */
#define MACHINES_MAX 100000
#define FLAVORS_MAX 1000

#define TIME_MS_MAX INT64_C(100000000000)
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static const struct csv_number form_time = {
    .places = 3, .rounds = true, .max = TIME_MS_MAX, .cure = "write seconds from the start"};
static const struct csv_number form_vcpu = {
    .places = 3, .max = 1000000, .cure = "write cores, at most 1000"};
static const struct csv_number form_mem = {
    .places = 3, .max = 100000000, .cure = "write GB, at most 100000"};
static const struct csv_number form_flag = {.max = 1, .cure = "write 0 or 1"};

enum { KIND_VMS, KIND_CPU, KIND_MEM, KIND_CPU_PLACED, KIND_MEM_PLACED };

struct flavor {
    int64_t vcpu_milli, mem_milli;
    uint64_t vms;
    uint64_t line; /* where it was seen first */
};

struct columns {
    int arrival, flavor, vcpu, mem, lifetime, censored, batch;
};

struct import {
    struct symbols *symbols;    /* of the flavors' names; flavors.items[symbol - 1] */
    VEC(struct flavor) flavors; /* in order of first sight */
    struct usage *usage;
    uint64_t vms, censored, groups;
    int64_t last_ms;
    char batch[64]; /* of the row before */
};

/* Rounded up, so that no task gets less than its VM had. */
static int64_t units_of(int64_t vcpu_milli)
{
    return (vcpu_milli * BERTH_CPU_UNITS_PER_VCPU + 999) / 1000;
}

static int64_t mib_of(int64_t mem_milli)
{
    return (mem_milli * 1024 + 999) / 1000;
}

static enum berth_err find_columns(const struct csv *csv, struct columns *out,
                                   struct berth_error *err)
{
    const struct {
        const char *name;
        int *column;
    } needed[] = {
        {"arrival_s", &out->arrival}, {"flavor", &out->flavor},     {"vcpu", &out->vcpu},
        {"mem_gb", &out->mem},        {"dur_lo_s", &out->lifetime}, {"censored", &out->censored},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (csv_need_column(csv, needed[i].name, needed[i].column, err) != BERTH_OK)
            return err->code;
    out->batch = csv_find_column(csv, "batch");
    return BERTH_OK;
}

static enum berth_err read_flavor(struct import *import, const struct csv *csv,
                                  const struct columns *columns, struct flavor **out,
                                  struct berth_error *err)
{
    struct flavor row = {.line = csv_line(csv)};
    const char *name = csv_text(csv, columns->flavor);
    enum berth_err code = csv_number(csv, columns->vcpu, &form_vcpu, &row.vcpu_milli, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns->mem, &form_mem, &row.mem_milli, err);
    if (code != BERTH_OK)
        return code;
    if (name[0] == '\0' || strlen(name) > 64 || name[strspn(name, NAME_CHARACTERS)] != '\0')
        return csv_fail(csv, columns->flavor, err,
                        "a flavor is a name of 1 to 64 letters, digits, '_' and '-'");
    symbol id = symbols_add(import->symbols, name);
    if (id > import->flavors.count)
        *vec_push(&import->flavors) = row;
    if (import->flavors.count > FLAVORS_MAX)
        return csv_fail(csv, columns->flavor, err, "more than %d flavors; is this the column?",
                        FLAVORS_MAX);
    *out = &import->flavors.items[id - 1];
    (*out)->vms++;
    if ((*out)->vcpu_milli != row.vcpu_milli || (*out)->mem_milli != row.mem_milli)
        return csv_fail(csv, columns->flavor, err,
                        "%s had another size in line %llu; give each size a flavor of its own",
                        name, (unsigned long long)(*out)->line);
    return BERTH_OK;
}

static enum berth_err read_times(struct import *import, const struct csv *csv,
                                 const struct columns *columns, int64_t *at_ms, int64_t *end_ms,
                                 struct berth_error *err)
{
    int64_t lifetime_ms = 0, is_censored = 0;
    enum berth_err code = csv_number(csv, columns->arrival, &form_time, at_ms, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns->lifetime, &form_time, &lifetime_ms, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns->censored, &form_flag, &is_censored, err);
    if (code != BERTH_OK)
        return code;
    if (*at_ms < import->last_ms)
        return csv_fail(csv, columns->arrival, err,
                        "%s is before the row above it; sort the rows by arrival_s",
                        csv_text(csv, columns->arrival));
    import->last_ms = *at_ms;
    import->censored += is_censored != 0;
    *end_ms = is_censored
                  ? USAGE_ENDLESS
                  : *at_ms + (lifetime_ms > LIFETIME_MIN_MS ? lifetime_ms : LIFETIME_MIN_MS);
    return BERTH_OK;
}

static enum berth_err read_batch(struct import *import, const struct csv *csv, int column,
                                 struct berth_error *err)
{
    const char *batch = csv_text(csv, column);
    if (strlen(batch) >= sizeof import->batch || batch[strspn(batch, NAME_CHARACTERS)] != '\0')
        return csv_fail(csv, column, err,
                        "a batch is a name of at most %zu letters, digits, '_', '-'",
                        sizeof import->batch - 1);
    if (column == CSV_NO_COLUMN)
        return BERTH_OK;
    import->groups += import->vms == 0 || strcmp(batch, import->batch) != 0;
    memcpy(import->batch, batch, strlen(batch) + 1);
    return BERTH_OK;
}

static enum berth_err pass_row(struct import *import, const struct csv *csv,
                               const struct columns *columns, FILE *file, struct berth_error *err)
{
    int64_t at_ms = 0, end_ms = 0;
    struct flavor *flavor = NULL;
    char number[48];
    enum berth_err code = read_times(import, csv, columns, &at_ms, &end_ms, err);
    if (code == BERTH_OK)
        code = read_flavor(import, csv, columns, &flavor, err);
    if (code == BERTH_OK)
        code = read_batch(import, csv, columns->batch, err);
    if (code != BERTH_OK)
        return code;
    import->vms++;
    const int64_t amounts[USAGE_KINDS] = {
        [KIND_VMS] = 1000,
        [KIND_CPU] = flavor->vcpu_milli,
        [KIND_MEM] = flavor->mem_milli,
        [KIND_CPU_PLACED] = units_of(flavor->vcpu_milli) * 1000,
        [KIND_MEM_PLACED] = mib_of(flavor->mem_milli) * 1000,
    };
    usage_add(import->usage, at_ms, end_ms, amounts);
    fprintf(file, "%s,", usage_decimal(at_ms, 1000, 3, number));
    if (end_ms != USAGE_ENDLESS)
        fputs(usage_decimal(end_ms - at_ms, 1000, 3, number), file);
    fprintf(file, ",vm-%s,", csv_text(csv, columns->flavor));
    if (import->batch[0] != '\0')
        fprintf(file, "batch-%s", import->batch);
    fputc('\n', file);
    return BERTH_OK;
}

static enum berth_err pass_rows(struct import *import, struct csv *csv,
                                const struct columns *columns, struct output *output,
                                struct berth_error *err)
{
    FILE *file;
    bool has_row = true;
    enum berth_err code = output_open(output, "workload.csv", &file, err);
    if (code == BERTH_OK)
        fputs("arrival,lifetime,taskDefinition,group\n", file);
    while (code == BERTH_OK && has_row) {
        code = csv_next(csv, &has_row, err);
        if (code == BERTH_OK && has_row)
            code = pass_row(import, csv, columns, file, err);
    }
    usage_finish(import->usage, import->last_ms + BIN_MS);
    return code;
}

struct machines {
    int64_t vcpu, gib, count;
};

static int64_t ratio_up(int64_t amount, int64_t part)
{
    return (amount + part - 1) / part;
}

static struct machines choose_machines(const struct import *import)
{
    struct machines machines = {MACHINE_VCPU, MACHINE_GIB, 0};
    for (size_t i = 0; i < import->flavors.count; i++) {
        const struct flavor *flavor = &import->flavors.items[i];
        while (flavor->vcpu_milli * 2 > machines.vcpu * 1000 ||
               flavor->mem_milli * 2 > machines.gib * 1000) {
            machines.vcpu *= 2;
            machines.gib *= 2;
        }
    }
    int64_t for_cpu = ratio_up(usage_peak_milli(import->usage, KIND_CPU), machines.vcpu * 1000);
    int64_t for_mem = ratio_up(usage_peak_milli(import->usage, KIND_MEM), machines.gib * 1000);
    int64_t needed = for_cpu > for_mem ? for_cpu : for_mem;
    machines.count = ratio_up(ratio_up(needed * 3, 2), MACHINES_STEP) * MACHINES_STEP;
    if (machines.count > MACHINES_MAX)
        machines.count = MACHINES_MAX;
    return machines;
}

static json_t *definitions_of(const struct import *import)
{
    json_t *definitions = json_object();
    for (size_t i = 0; i < import->flavors.count; i++) {
        const struct flavor *flavor = &import->flavors.items[i];
        struct text name = TEXT_INIT;
        text_addf(&name, "vm-%s", symbols_text(import->symbols, (symbol)i + 1));
        json_object_set_new(definitions, name.bytes,
                            json_pack("{s:[{s:s, s:s, s:I, s:I}]}", "containerDefinitions", "name",
                                      "vm", "image", "azure/vm", "cpu",
                                      (json_int_t)units_of(flavor->vcpu_milli), "memory",
                                      (json_int_t)mib_of(flavor->mem_milli)));
        text_free(&name);
    }
    return definitions;
}

static json_t *scenario_of(const struct import *import)
{
    struct machines machines = choose_machines(import);
    struct text text = TEXT_INIT;
    text_addf(
        &text,
        "Azure Public Dataset V1 (Microsoft, CC BY 4.0; Cortez et al., SOSP 2017; processed by "
        "Bergsma et al.): every VM comes at its arrival and lives max(dur_lo_s, 150) "
        "s; censored ones run on. The trace names no machines: %lld of %lld vCPU and %lld "
        "GiB are chosen here, half as many again as the peak would fill. The trace begins "
        "with an empty fleet; run.warmUp can leave out the first day. Nothing takes time, so "
        "that a replay is exact. dotProduct is left out because it "
        "takes long here; a variant of yours may ask for it.",
        (long long)machines.count, (long long)machines.vcpu, (long long)machines.gib);
    json_t *scenario =
        json_pack("{s:i, s:s, s:s, s:s}", "version", 1, "name", "azure-vm", "description",
                  text.bytes, "question", "Which strategy runs the VMs on the fewest machines?");
    text_free(&text);
    json_object_set_new(scenario, "fleet",
                        json_pack("{s:{s:I, s:I, s:I}}", "machine", "count",
                                  (json_int_t)machines.count, "cpu",
                                  (json_int_t)(machines.vcpu * BERTH_CPU_UNITS_PER_VCPU), "memory",
                                  (json_int_t)(machines.gib * 1024)));
    json_object_set_new(scenario, "taskDefinitions", definitions_of(import));
    json_object_set_new(
        scenario, "arrivals",
        json_pack("{s:{s:s, s:s}}", "trace", "csv", "workload.csv", "onFull", "refuse"));
    json_object_set_new(scenario, "delays", study_no_delays());
    json_object_set_new(scenario, "run",
                        json_pack("{s:o, s:i, s:o}", "duration",
                                  study_seconds(import->last_ms + BIN_MS), "replications", 2,
                                  "metrics", study_metrics(false)));
    json_object_set_new(scenario, "compare", study_compare_strategies(true));
    return scenario;
}

static void report_all(const struct import *import, const char *out_folder, FILE *report)
{
    const struct usage *usage = import->usage;
    int64_t horizon_ms = import->last_ms + BIN_MS;
    char number[5][48];
    fprintf(report, "VMs: %llu of %zu flavors in %llu batches; %llu still running at the end\n",
            (unsigned long long)import->vms, import->flavors.count,
            (unsigned long long)import->groups, (unsigned long long)import->censored);
    fprintf(report, "replay over %s s on an unlimited cluster, lifetimes max(dur_lo_s, 150) s:\n",
            usage_decimal(horizon_ms, 1000, 3, number[0]));
    fprintf(report, "  time averages: %s VMs, %s vCPU, %s GB\n",
            usage_mean(usage, KIND_VMS, 4, number[0]), usage_mean(usage, KIND_CPU, 4, number[1]),
            usage_mean(usage, KIND_MEM, 4, number[2]));
    fprintf(report, "  peaks: %s VMs, %s vCPU, %s GB\n", usage_peak(usage, KIND_VMS, 0, number[0]),
            usage_peak(usage, KIND_CPU, 2, number[1]), usage_peak(usage, KIND_MEM, 2, number[2]));
    usage_wide cpu = usage_area(usage, KIND_CPU_PLACED), mem = usage_area(usage, KIND_MEM_PLACED);
    usage_wide scale = (usage_wide)horizon_ms * 1000 * 1024;
    fprintf(
        report,
        "  rounding: CPU up to whole units (1/1024 vCPU), %s vCPU more on average; memory up to "
        "whole MiB, %s GB more\n",
        usage_decimal(cpu - usage_area(usage, KIND_CPU) * 1024, scale, 6, number[0]),
        usage_decimal(mem - usage_area(usage, KIND_MEM) * 1024, scale, 6, number[1]));
    struct machines machines = choose_machines(import);
    fprintf(report, "fleet: %lld machines of %lld vCPU and %lld GiB (chosen; the trace has none)\n",
            (long long)machines.count, (long long)machines.vcpu, (long long)machines.gib);
    fprintf(report, "wrote %s/scenario.json and %s/workload.csv\n", out_folder, out_folder);
}

static enum berth_err write_all(struct import *import, struct csv *csv,
                                const struct columns *columns, struct output *output,
                                struct berth_error *err)
{
    enum berth_err code = pass_rows(import, csv, columns, output, err);
    if (code != BERTH_OK)
        return code;
    if (import->vms == 0)
        return csv_fail(csv, CSV_NO_COLUMN, err, "no VMs; there is nothing to replay");
    json_t *scenario = scenario_of(import);
    code = output_json(output, "scenario.json", scenario, err);
    json_decref(scenario);
    return code == BERTH_OK ? output_commit(output, err) : code;
}

enum berth_err import_azure_vm(const char *vms_csv, const char *out_folder, FILE *report,
                               struct berth_error *err)
{
    struct import import = {.symbols = symbols_create(), .usage = usage_create()};
    struct output output = {0};
    struct columns columns;
    struct csv *csv;
    enum berth_err code = csv_open(vms_csv, &csv, err);
    if (code == BERTH_OK)
        code = find_columns(csv, &columns, err);
    if (code == BERTH_OK)
        code = output_begin(&output, out_folder, err);
    if (code == BERTH_OK)
        code = write_all(&import, csv, &columns, &output, err);
    if (code == BERTH_OK)
        report_all(&import, out_folder, report);
    csv_close(csv);
    output_end(&output);
    vec_free(&import.flavors);
    usage_destroy(import.usage);
    symbols_destroy(import.symbols);
    return code;
}
