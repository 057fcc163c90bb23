/*
 * import_openb.c -- Alibaba's GPU trace of 2023: a node list and a pod list.
 *
 * Nodes become fleet groups by (CPU, memory, GPUs, GPU model), in order of first appearance; pods
 * become rows of workload.csv, in order of creation. The pod lists are not in that order, so their
 * rows are held, 40 bytes each, and sorted; nothing else grows with the file.
 *
 * A pod lives from its creation to its deletion, whatever its phase. A list without times (the
 * multi-GPU variant) is a population: its pods come one a second in the order of the file and stay,
 * which fills the cluster step by step; with a fill, any list is made such a population.
 */
#include "sim/import/import.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/rng.h"
#include "scheduler/base/symbols.h"
#include "scheduler/base/text.h"
#include "scheduler/base/units.h"
#include "sim/import/output.h"
#include "sim/import/study.h"
#include "sim/import/usage.h"
#include "sim/workload/csv.h"

/* Bounds that keep every product below within 64 bits: 10^9 milli-CPU, 2^30 MiB, 10^8 seconds. */
#define CPU_MILLI_MAX 1000000000
#define MIB_MAX (1 << 30)
#define TIME_MS_MAX INT64_C(100000000000)
#define POD_GPUS_MAX 16
#define MODEL_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."

static const struct csv_number form_cpu = {.max = CPU_MILLI_MAX,
                                           .cure = "write thousandths of a CPU"};
static const struct csv_number form_mem = {.max = MIB_MAX, .cure = "write whole MiB"};
static const struct csv_number form_gpus = {.max = 64, .cure = "write whole cards, at most 64"};
static const struct csv_number form_share = {.max = BERTH_GPU_MILLI,
                                             .cure = "write thousandths of a card, at most 1000"};
static const struct csv_number form_time = {
    .places = 3, .rounds = true, .max = TIME_MS_MAX, .cure = "write seconds from the start"};

enum { KIND_PODS, KIND_CPU, KIND_GPU, KIND_MEM, KIND_CPU_PLACED };

struct node_group {
    int64_t cpu_milli, mem_mib, gpus;
    symbol model; /* SYMBOL_NONE: none */
    uint32_t count;
};

struct pod {
    int64_t at_ms, end_ms; /* USAGE_ENDLESS: stays */
    int32_t cpu_milli, mem_mib;
    uint32_t line; /* of the pod list; the order among equal times */
    symbol spec;   /* models joined by commas, SYMBOL_NONE: any */
    uint16_t gpus, gpu_milli;
};

struct import {
    struct symbols *symbols;
    VEC(struct node_group) groups;
    VEC(struct pod) pods;
    struct usage *usage;
    struct import_fill fill;
    size_t listed_count; /* pods of the list; those behind them were drawn from it */
    bool has_times;
    int64_t horizon_ms;
    uint64_t node_count;
    usage_wide node_cpu_milli, node_mem_mib, node_gpus;
    usage_wide node_cpu_lost_milli; /* by rounding nodes down to whole CPU units, x 1024 */
};

/* CPU units that hold so many thousandths of a CPU: rounded up, so that a task gets no less. */
static int64_t cpu_units_up(int64_t cpu_milli)
{
    return (cpu_milli * BERTH_CPU_UNITS_PER_VCPU + 999) / 1000;
}

/* An instance's are rounded down, so that it has no more. */
static int64_t cpu_units_down(int64_t cpu_milli)
{
    return cpu_milli * BERTH_CPU_UNITS_PER_VCPU / 1000;
}

static void add_node(struct import *import, const struct node_group *node)
{
    import->node_count++;
    import->node_cpu_milli += node->cpu_milli;
    import->node_mem_mib += node->mem_mib;
    import->node_gpus += node->gpus;
    import->node_cpu_lost_milli +=
        node->cpu_milli * BERTH_CPU_UNITS_PER_VCPU - cpu_units_down(node->cpu_milli) * 1000;
    for (size_t i = 0; i < import->groups.count; i++) {
        struct node_group *group = &import->groups.items[i];
        if (group->cpu_milli == node->cpu_milli && group->mem_mib == node->mem_mib &&
            group->gpus == node->gpus && group->model == node->model) {
            group->count++;
            return;
        }
    }
    *vec_push(&import->groups) = *node;
    import->groups.items[import->groups.count - 1].count = 1;
}

#define GROUPS_MAX 10000 /* a node list with more kinds of nodes is no node list */

static enum berth_err read_node(struct import *import, const struct csv *csv, const int columns[4],
                                struct berth_error *err)
{
    struct node_group node = {0};
    enum berth_err code = csv_number(csv, columns[0], &form_cpu, &node.cpu_milli, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns[1], &form_mem, &node.mem_mib, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns[2], &form_gpus, &node.gpus, err);
    if (code != BERTH_OK)
        return code;
    if (cpu_units_down(node.cpu_milli) < 1 || node.mem_mib < 1)
        return csv_fail(csv, cpu_units_down(node.cpu_milli) < 1 ? columns[0] : columns[1], err,
                        "a node without any; remove the row");
    const char *model = csv_text(csv, columns[3]);
    if (model[strspn(model, MODEL_CHARACTERS)] != '\0' || strlen(model) > 32)
        return csv_fail(csv, columns[3], err,
                        "a GPU model is a name of at most 32 letters, digits, '.', '_' and '-'");
    node.model = model[0] == '\0' ? SYMBOL_NONE : symbols_add(import->symbols, model);
    add_node(import, &node);
    if (import->groups.count > GROUPS_MAX)
        return csv_fail(csv, CSV_NO_COLUMN, err,
                        "more than %d kinds of nodes; is this a node list?", GROUPS_MAX);
    return BERTH_OK;
}

static enum berth_err read_nodes(struct import *import, const char *path, struct berth_error *err)
{
    static const char *const names[4] = {"cpu_milli", "memory_mib", "gpu", "model"};
    struct csv *csv;
    int columns[4];
    bool has_row = true;
    enum berth_err code = csv_open(path, &csv, err);
    for (int i = 0; code == BERTH_OK && i < 4; i++)
        code = csv_need_column(csv, names[i], &columns[i], err);
    while (code == BERTH_OK && has_row) {
        code = csv_next(csv, &has_row, err);
        if (code == BERTH_OK && has_row)
            code = read_node(import, csv, columns, err);
    }
    csv_close(csv);
    if (code == BERTH_OK && import->node_count == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: no nodes; give the node list first", path);
    return code;
}

struct pod_columns {
    int cpu, mem, gpus, share, spec, creation, deletion;
};

static enum berth_err find_columns(const struct csv *csv, struct pod_columns *out,
                                   struct berth_error *err)
{
    const struct {
        const char *name;
        int *column;
    } needed[] = {
        {"cpu_milli", &out->cpu},
        {"memory_mib", &out->mem},
        {"num_gpu", &out->gpus},
        {"gpu_milli", &out->share},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (csv_need_column(csv, needed[i].name, needed[i].column, err) != BERTH_OK)
            return err->code;
    out->spec = csv_find_column(csv, "gpu_spec");
    out->creation = csv_find_column(csv, "creation_time");
    out->deletion = csv_find_column(csv, "deletion_time");
    if (out->creation != CSV_NO_COLUMN && out->deletion == CSV_NO_COLUMN)
        return csv_need_column(csv, "deletion_time", &out->deletion, err);
    return BERTH_OK;
}

/* "A|B" becomes the list of a memberOf expression: "A,B". */
static enum berth_err read_spec(struct import *import, const struct csv *csv, int column,
                                symbol *out, struct berth_error *err)
{
    char list[512];
    const char *text = csv_text(csv, column);
    size_t length = strlen(text);
    *out = SYMBOL_NONE;
    if (length == 0)
        return BERTH_OK;
    if (length >= sizeof list || text[0] == '|' || text[length - 1] == '|' ||
        strstr(text, "||") != NULL || text[strspn(text, MODEL_CHARACTERS "|")] != '\0')
        return csv_fail(csv, column, err,
                        "not a list of GPU models; join their names by |, such as T4|P100");
    for (size_t i = 0; i <= length; i++)
        list[i] = text[i] == '|' ? ',' : text[i];
    *out = symbols_add(import->symbols, list);
    return BERTH_OK;
}

static enum berth_err read_pod_times(struct import *import, const struct csv *csv,
                                     const struct pod_columns *columns, struct pod *pod,
                                     struct berth_error *err)
{
    pod->end_ms = USAGE_ENDLESS;
    if (!import->has_times) {
        pod->at_ms = (int64_t)import->pods.count * 1000;
        import->horizon_ms = pod->at_ms + 1000;
        return BERTH_OK;
    }
    enum berth_err code = csv_number(csv, columns->creation, &form_time, &pod->at_ms, err);
    if (code == BERTH_OK && !csv_is_empty(csv, columns->deletion))
        code = csv_number(csv, columns->deletion, &form_time, &pod->end_ms, err);
    if (code != BERTH_OK)
        return code;
    if (pod->end_ms < pod->at_ms)
        return csv_fail(csv, columns->deletion, err, "%s is before the creation, %s; mend the row",
                        csv_text(csv, columns->deletion), csv_text(csv, columns->creation));
    int64_t last = pod->end_ms == USAGE_ENDLESS ? pod->at_ms : pod->end_ms;
    if (last > import->horizon_ms)
        import->horizon_ms = last;
    return BERTH_OK;
}

static enum berth_err read_pod(struct import *import, const struct csv *csv,
                               const struct pod_columns *columns, struct berth_error *err)
{
    struct pod pod = {.line = (uint32_t)csv_line(csv)};
    int64_t cpu, mem, gpus, share;
    enum berth_err code = csv_number(csv, columns->cpu, &form_cpu, &cpu, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns->mem, &form_mem, &mem, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns->gpus, &form_gpus, &gpus, err);
    if (code == BERTH_OK)
        code = csv_number(csv, columns->share, &form_share, &share, err);
    if (code == BERTH_OK)
        code = read_spec(import, csv, columns->spec, &pod.spec, err);
    if (code == BERTH_OK)
        code = read_pod_times(import, csv, columns, &pod, err);
    if (code != BERTH_OK)
        return code;
    if (gpus > 0 && share == 0)
        return csv_fail(csv, columns->share, err, "a share of 0 of %lld cards; write 1..1000",
                        (long long)gpus);
    if (gpus > POD_GPUS_MAX && share < BERTH_GPU_MILLI)
        return csv_fail(csv, columns->gpus, err, "shares of more than %d cards; write at most %d",
                        POD_GPUS_MAX, POD_GPUS_MAX);
    pod.cpu_milli = (int32_t)cpu;
    pod.mem_mib = (int32_t)mem;
    pod.gpus = (uint16_t)gpus;
    pod.gpu_milli = (uint16_t)share;
    *vec_push(&import->pods) = pod;
    return BERTH_OK;
}

static enum berth_err read_pods(struct import *import, const char *path, struct berth_error *err)
{
    struct csv *csv;
    struct pod_columns columns;
    bool has_row = true;
    enum berth_err code = csv_open(path, &csv, err);
    if (code == BERTH_OK)
        code = find_columns(csv, &columns, err);
    import->has_times = code == BERTH_OK && columns.creation != CSV_NO_COLUMN;
    while (code == BERTH_OK && has_row) {
        code = csv_next(csv, &has_row, err);
        if (code == BERTH_OK && has_row)
            code = read_pod(import, csv, &columns, err);
    }
    csv_close(csv);
    if (code == BERTH_OK && import->pods.count == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: no pods; give the pod list second", path);
    if (code == BERTH_OK && import->horizon_ms == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: all times are 0; there is nothing to replay",
                          path);
    return code;
}

static int64_t gpu_milli_of(const struct pod *pod)
{
    return (int64_t)pod->gpus * pod->gpu_milli;
}

/* The list in an order drawn by the seed, and pods drawn from it until they ask for enough. */
static enum berth_err fill_up(struct import *import, const char *path, struct berth_error *err)
{
    struct rng order = {.key = rng_key(import->fill.seed, "order", 0)};
    struct rng choice = {.key = rng_key(import->fill.seed, "fill", 0)};
    usage_wide asked = 0, wanted = import->node_gpus * 10 * (int64_t)import->fill.percent;
    for (size_t i = import->pods.count; i > 1; i--) {
        size_t other = (size_t)rng_below(&order, i);
        struct pod last = import->pods.items[i - 1];
        import->pods.items[i - 1] = import->pods.items[other];
        import->pods.items[other] = last;
    }
    for (size_t i = 0; i < import->pods.count; i++)
        asked += gpu_milli_of(&import->pods.items[i]);
    if (asked == 0 || wanted == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: --fill: %s ask for no GPU", path,
                          wanted == 0 ? "the nodes have none, or the pods" : "the pods");
    while (asked < wanted) {
        struct pod pod = import->pods.items[rng_below(&choice, import->listed_count)];
        asked += gpu_milli_of(&pod);
        *vec_push(&import->pods) = pod;
    }
    for (size_t i = 0; i < import->pods.count; i++) {
        import->pods.items[i].at_ms = (int64_t)i * 1000;
        import->pods.items[i].end_ms = USAGE_ENDLESS;
    }
    import->horizon_ms = (int64_t)import->pods.count * 1000;
    import->has_times = false;
    return BERTH_OK;
}

static int by_arrival(const void *left, const void *right)
{
    const struct pod *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->line < b->line ? -1 : 1;
}

static void write_row(FILE *file, const struct symbols *symbols, const struct pod *pod)
{
    char number[48];
    fprintf(file, "%s,", usage_decimal(pod->at_ms, 1000, 3, number));
    if (pod->end_ms != USAGE_ENDLESS)
        fputs(usage_decimal(pod->end_ms - pod->at_ms, 1000, 3, number), file);
    fprintf(file, ",%lld,%d,", (long long)cpu_units_up(pod->cpu_milli), (int)pod->mem_mib);
    if (pod->gpu_milli == BERTH_GPU_MILLI || pod->gpus == 0)
        fprintf(file, "%u", (unsigned)pod->gpus);
    else
        for (unsigned i = 0; i < pod->gpus; i++)
            fprintf(file, "%s%s", i > 0 ? "+" : "", usage_decimal(pod->gpu_milli, 1000, 3, number));
    if (pod->spec != SYMBOL_NONE)
        fprintf(file, ",\"attribute:gpu-model in [%s]\"", symbols_text(symbols, pod->spec));
    else
        fputc(',', file);
    fprintf(file, ",%lu\n", (unsigned long)pod->line);
}

static enum berth_err write_workload(struct import *import, struct output *output,
                                     struct berth_error *err)
{
    FILE *file;
    enum berth_err code = output_open(output, "workload.csv", &file, err);
    if (code != BERTH_OK)
        return code;
    qsort(import->pods.items, import->pods.count, sizeof *import->pods.items, by_arrival);
    fputs("arrival,lifetime,cpu,memory,gpu,constraint,x-line\n", file);
    for (size_t i = 0; i < import->pods.count; i++) {
        const struct pod *pod = &import->pods.items[i];
        const int64_t amounts[USAGE_KINDS] = {
            [KIND_PODS] = 1000,
            [KIND_CPU] = pod->cpu_milli,
            [KIND_GPU] = gpu_milli_of(pod),
            [KIND_MEM] = pod->mem_mib * INT64_C(1000),
            [KIND_CPU_PLACED] = cpu_units_up(pod->cpu_milli) * 1000,
        };
        usage_add(import->usage, pod->at_ms, pod->end_ms, amounts);
        write_row(file, import->symbols, pod);
    }
    usage_finish(import->usage, import->horizon_ms);
    return BERTH_OK;
}

/* "T4-2gpu-104000m-524288MiB": distinct for distinct groups, and sorts by model. */
static void add_group(json_t *fleet, const struct symbols *symbols, const struct node_group *group)
{
    struct text name = TEXT_INIT;
    const char *model = symbols_text(symbols, group->model);
    text_addf(&name, "%s-%lldgpu-%lldm-%lldMiB", model == NULL ? "none" : model,
              (long long)group->gpus, (long long)group->cpu_milli, (long long)group->mem_mib);
    json_t *json = json_pack("{s:i, s:I, s:I, s:I}", "count", (int)group->count, "cpu",
                             (json_int_t)cpu_units_down(group->cpu_milli), "memory",
                             (json_int_t)group->mem_mib, "gpus", (json_int_t)group->gpus);
    if (model != NULL)
        json_object_set_new(json, "attributes", json_pack("{s:s}", "gpu-model", model));
    json_object_set_new(fleet, name.bytes, json);
    text_free(&name);
}

static const char *describe(const struct import *import)
{
    if (import->has_times)
        return "openb (Alibaba, 2023, Apache-2.0; Weng et al., USENIX ATC 2023): every pod comes "
               "at "
               "its creation and leaves at its deletion. "
               "Nothing takes time, so that a replay is exact.";
    if (import->fill.percent > 0)
        return "openb (Alibaba, 2023, Apache-2.0; Weng et al., USENIX ATC 2023): the pods of the "
               "list in an order drawn by chance, then more of them, drawn again; one comes a "
               "second, and all stay, so the cluster fills up. Nothing takes time.";
    return "openb (Alibaba, 2023, Apache-2.0; Weng et al., USENIX ATC 2023), a pod list without "
           "times: its pods come one a second in the "
           "order of the file and stay, so the cluster fills up. Nothing takes time.";
}

static json_t *scenario_of(const struct import *import)
{
    json_t *fleet = json_object();
    for (size_t i = 0; i < import->groups.count; i++)
        add_group(fleet, import->symbols, &import->groups.items[i]);
    const char *question = import->has_times
                               ? "Which strategy runs openb's pods on the fewest instances?"
                               : "Which strategy packs the most of openb's pods into the cluster?";
    json_t *scenario =
        json_pack("{s:i, s:s, s:s, s:s, s:o}", "version", 1, "name", "openb", "description",
                  describe(import), "question", question, "fleet", fleet);
    json_object_set_new(scenario, "taskDefinitions",
                        json_pack("{s:{s:[{s:s, s:s, s:i, s:i}]}}", "pod", "containerDefinitions",
                                  "name", "pod", "image", "openb/pod", "cpu", 1, "memory", 6));
    json_object_set_new(scenario, "arrivals",
                        json_pack("{s:{s:s, s:s, s:s}}", "trace", "csv", "workload.csv",
                                  "taskDefinition", "pod", "onFull",
                                  import->has_times ? "wait" : "refuse"));
    json_object_set_new(scenario, "delays", study_no_delays());
    json_object_set_new(scenario, "run",
                        json_pack("{s:f, s:i, s:o}", "duration", (double)import->horizon_ms / 1000,
                                  "replications", 3, "metrics", study_metrics(true)));
    json_object_set_new(scenario, "compare", study_compare_strategies(false));
    return scenario;
}

static void report_nodes(const struct import *import, FILE *report)
{
    char number[48];
    fprintf(report, "nodes: %llu in %zu groups; %s vCPU, %llu MiB, %llu GPUs\n",
            (unsigned long long)import->node_count, import->groups.count,
            usage_decimal(import->node_cpu_milli, 1000, 3, number),
            (unsigned long long)import->node_mem_mib, (unsigned long long)import->node_gpus);
    if (import->node_cpu_lost_milli > 0)
        fprintf(report, "  rounding: their CPU down to whole units (1/1024 vCPU), %s units less\n",
                usage_decimal(import->node_cpu_lost_milli, 1000, 3, number));
}

static void report_pods(const struct import *import, FILE *report)
{
    uint64_t without = 0, sharing = 0, one = 0, several = 0, limited = 0;
    usage_wide cpu = 0, mem = 0, gpu = 0;
    char number[3][48];
    for (size_t i = 0; i < import->pods.count; i++) {
        const struct pod *pod = &import->pods.items[i];
        without += pod->gpus == 0;
        several += pod->gpus > 1;
        sharing += pod->gpus == 1 && pod->gpu_milli < BERTH_GPU_MILLI;
        one += pod->gpus == 1 && pod->gpu_milli == BERTH_GPU_MILLI;
        limited += pod->spec != SYMBOL_NONE;
        cpu += pod->cpu_milli;
        mem += pod->mem_mib;
        gpu += gpu_milli_of(pod);
    }
    fprintf(report,
            "pods: %zu; %llu without GPU, %llu sharing one, %llu with one, %llu with several; "
            "%llu limited to GPU models\n",
            import->pods.count, (unsigned long long)without, (unsigned long long)sharing,
            (unsigned long long)one, (unsigned long long)several, (unsigned long long)limited);
    if (import->fill.percent > 0)
        fprintf(report,
                "  %zu of the list, in an order drawn by seed %llu, and %zu drawn from it\n",
                import->listed_count, (unsigned long long)import->fill.seed,
                import->pods.count - import->listed_count);
    fprintf(report, "  all together: %s vCPU, %s GiB, %s GPUs\n",
            usage_decimal(cpu, 1000, 1, number[0]), usage_decimal(mem, 1024, 0, number[1]),
            usage_decimal(gpu, 1000, 2, number[2]));
}

static void report_usage(const struct import *import, FILE *report)
{
    const struct usage *usage = import->usage;
    char number[5][48];
    fprintf(report, "replay over %s s on an unlimited cluster, %s:\n",
            usage_decimal(import->horizon_ms, 1000, 3, number[0]),
            import->has_times ? "creation to deletion" : "no times: one pod a second, all stay");
    fprintf(report, "  time averages: %s pods, %s vCPU, %s GPUs, %s GiB\n",
            usage_mean(usage, KIND_PODS, 4, number[0]), usage_mean(usage, KIND_CPU, 4, number[1]),
            usage_mean(usage, KIND_GPU, 4, number[2]),
            usage_decimal(usage_area(usage, KIND_MEM), (usage_wide)import->horizon_ms * 1024000, 4,
                          number[3]));
    fprintf(report, "  peaks: %s pods, %s vCPU, %s GPUs, %s GiB\n",
            usage_peak(usage, KIND_PODS, 0, number[0]), usage_peak(usage, KIND_CPU, 2, number[1]),
            usage_peak(usage, KIND_GPU, 2, number[2]),
            usage_decimal(usage_peak_milli(usage, KIND_MEM), 1024000, 2, number[3]));
    uint64_t rounded = 0;
    for (size_t i = 0; i < import->pods.count; i++)
        rounded += import->pods.items[i].cpu_milli * (int64_t)BERTH_CPU_UNITS_PER_VCPU % 1000 != 0;
    usage_wide placed = usage_area(usage, KIND_CPU_PLACED);
    usage_wide exact = usage_area(usage, KIND_CPU) * BERTH_CPU_UNITS_PER_VCPU;
    usage_wide scale = (usage_wide)import->horizon_ms * 1000 * BERTH_CPU_UNITS_PER_VCPU;
    fprintf(report,
            "  rounding: CPU of %llu pods up to whole units (1/1024 vCPU), %s vCPU more on "
            "average: %s vCPU as placed\n",
            (unsigned long long)rounded, usage_decimal(placed - exact, scale, 6, number[0]),
            usage_decimal(placed, scale, 4, number[1]));
}

static enum berth_err write_all(struct import *import, const char *out_folder, FILE *report,
                                struct berth_error *err)
{
    struct output output = {0};
    enum berth_err code = output_begin(&output, out_folder, err);
    if (code == BERTH_OK)
        code = write_workload(import, &output, err);
    if (code == BERTH_OK) {
        json_t *scenario = scenario_of(import);
        code = output_json(&output, "scenario.json", scenario, err);
        json_decref(scenario);
    }
    if (code == BERTH_OK)
        code = output_commit(&output, err);
    output_end(&output);
    if (code != BERTH_OK)
        return code;
    report_nodes(import, report);
    report_pods(import, report);
    report_usage(import, report);
    fprintf(report, "wrote %s/scenario.json and %s/workload.csv\n", out_folder, out_folder);
    return BERTH_OK;
}

enum berth_err import_openb(const char *nodes_csv, const char *pods_csv,
                            const struct import_fill *fill, const char *out_folder, FILE *report,
                            struct berth_error *err)
{
    struct import import = {.symbols = symbols_create(), .usage = usage_create(), .fill = *fill};
    enum berth_err code = read_nodes(&import, nodes_csv, err);
    if (code == BERTH_OK)
        code = read_pods(&import, pods_csv, err);
    import.listed_count = import.pods.count;
    if (code == BERTH_OK && fill->percent > 0)
        code = fill_up(&import, pods_csv, err);
    if (code == BERTH_OK)
        code = write_all(&import, out_folder, report, err);
    vec_free(&import.groups);
    vec_free(&import.pods);
    usage_destroy(import.usage);
    symbols_destroy(import.symbols);
    return code;
}
