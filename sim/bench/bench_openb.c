/*
 * bench_openb.c -- S5: a public trace until its cluster is full.
 *
 * openb's default list of pods in a random order, filled up with pods drawn from it until they ask
 * for 130% of all GPUs of its GPU nodes; they come one by one and never leave. What is written is a
 * list without times, which `berth import openb` reads so. Timed is `berth run`, start to report.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/bench/folder.h"
#include "sim/bench/lines.h"
#include "sim/bench/process.h"
#include "sim/experiment/files.h"
#include "sim/import/import.h"
#include "sim/workload/csv.h"

#define DEMAND_PERCENT 130
#define COLUMNS 6

static const char *const columns[COLUMNS] = {"name",    "cpu_milli", "memory_mib",
                                             "num_gpu", "gpu_milli", "gpu_spec"};

struct pod {
    char *row; /* owned: the cells of `columns` */
    uint64_t gpu_milli;
};

struct pods {
    VEC(struct pod) list;
    uint64_t gpu_milli; /* in all */
};

static void free_pods(struct pods *pods)
{
    for (size_t i = 0; i < pods->list.count; i++)
        mem_free(pods->list.items[i].row);
    vec_free(&pods->list);
}

static void add_pod(struct pods *pods, const struct csv *csv)
{
    struct text row = TEXT_INIT;
    for (int i = 0; i < COLUMNS; i++)
        text_addf(&row, "%s%s", i == 0 ? "" : ",", csv_text(csv, csv_find_column(csv, columns[i])));
    uint64_t gpus = strtoull(csv_text(csv, csv_find_column(csv, "num_gpu")), NULL, 10);
    uint64_t milli = strtoull(csv_text(csv, csv_find_column(csv, "gpu_milli")), NULL, 10);
    struct pod pod = {row.bytes, gpus * milli};
    pods->gpu_milli += pod.gpu_milli;
    *vec_push(&pods->list) = pod;
}

static enum berth_err read_pods(const char *path, struct pods *pods, struct berth_error *err)
{
    struct csv *csv;
    bool has_row = true;
    enum berth_err code = csv_open(path, &csv, err);
    if (code != BERTH_OK)
        return code;
    while ((code = csv_next(csv, &has_row, err)) == BERTH_OK && has_row)
        add_pod(pods, csv);
    csv_close(csv);
    return code;
}

static enum berth_err count_gpus(const char *path, uint64_t *gpus, uint32_t *nodes,
                                 struct berth_error *err)
{
    struct csv *csv;
    bool has_row = true;
    enum berth_err code = csv_open(path, &csv, err);
    if (code != BERTH_OK)
        return code;
    while ((code = csv_next(csv, &has_row, err)) == BERTH_OK && has_row) {
        *gpus += strtoull(csv_text(csv, csv_find_column(csv, "gpu")), NULL, 10);
        (*nodes)++;
    }
    csv_close(csv);
    return code;
}

/* Shuffled (Fisher and Yates), then drawn until there is enough. Returns how many were written. */
static uint32_t write_pods(const char *path, struct pods *pods, uint64_t enough_milli,
                           uint64_t seed)
{
    struct bench_dice dice = {seed};
    struct pod *list = pods->list.items;
    uint32_t count = (uint32_t)pods->list.count, written = count;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return 0;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = bench_roll(&dice, i);
        struct pod moved = list[i - 1];
        list[i - 1] = list[other];
        list[other] = moved;
    }
    for (int i = 0; i < COLUMNS; i++)
        (void)fprintf(file, "%s%s", i == 0 ? "" : ",", columns[i]);
    for (uint32_t i = 0; i < count; i++)
        (void)fprintf(file, "\n%s", list[i].row);
    for (; pods->gpu_milli < enough_milli; written++) {
        const struct pod *drawn = &list[bench_roll(&dice, count)];
        (void)fprintf(file, "\n%s", drawn->row);
        pods->gpu_milli += drawn->gpu_milli;
    }
    (void)fputc('\n', file);
    return fclose(file) == 0 ? written : 0;
}

struct input {
    char *nodes, *pods, *written; /* owned: paths */
    uint32_t node_count, pod_count;
};

/* The importer's scenario compares strategies; here it is binpack alone, once. */
static bool make_input(const char *folder, uint64_t seed, struct input *input,
                       struct bench_round *round)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct pods pods = {.gpu_milli = 0};
    struct text json = TEXT_INIT;
    uint64_t gpus = 0;
    char *path = files_join(folder, "binpack.json");
    FILE *report = fopen("/dev/null", "w");
    text_add(&json, "{\"version\":1,\"name\":\"binpack\",\"include\":[\"scenario.json\"],"
                    "\"compare\":null,\"run\":{\"replications\":1,\"placementStrategy\":"
                    "[{\"type\":\"binpack\",\"field\":\"memory\"}]}}");
    enum berth_err code = read_pods(input->pods, &pods, &err);
    if (code == BERTH_OK)
        code = count_gpus(input->nodes, &gpus, &input->node_count, &err);
    if (code == BERTH_OK)
        input->pod_count = write_pods(input->written, &pods, gpus * 10 * DEMAND_PERCENT, seed);
    if (code == BERTH_OK)
        code = import_openb(input->nodes, input->written, folder, report, &err);
    if (code == BERTH_OK)
        code = files_write(path, &json, &err);
    if (report != NULL)
        (void)fclose(report);
    free_pods(&pods);
    text_free(&json);
    mem_free(path);
    return bench_check(round, code == BERTH_OK, "the trace was read%s", err.text);
}

static void check(const struct bench_process *process, const struct input *input,
                  struct bench_round *round)
{
    double placed = bench_process_metric(process, METRIC_TASKS_PLACED);
    double refused = bench_process_metric(process, METRIC_TASKS_REFUSED);
    double filled = bench_process_last(process, "gpuReservedRatio");
    (void)bench_check(round, placed + refused == input->pod_count,
                      "%.0f pods have a place and %.0f have none, of %u", placed, refused,
                      (unsigned)input->pod_count);
    bench_describe(round, "openb's default pods, %u, on its %u GPU nodes, demand %d %% of the GPUs",
                   (unsigned)input->pod_count, (unsigned)input->node_count, DEMAND_PERCENT);
    (void)bench_check(round, filled > 0.8, "%.1f %% of all GPUs are taken in the end",
                      100 * filled);
    (void)bench_check(round, bench_process_last(process, "tasksRunning") > 0.99 * placed,
                      "those that have a place stay");
}

void bench_s5(const struct bench_setting *setting, struct bench_round *round)
{
    struct bench_process process;
    char *folder = NULL;
    struct text at = TEXT_INIT;
    text_addf(&at, "%s/openb", setting->traces);
    struct input input = {.nodes = files_join(at.bytes, "openb_node_list_gpu_node.csv.gz"),
                          .pods = files_join(at.bytes, "openb_pod_list_default.csv.gz")};
    bench_describe(round, "openb's default pods on its GPU nodes, demand %d %% of the GPUs",
                   DEMAND_PERCENT);
    if (!files_exist(input.nodes) || !files_exist(input.pods)) {
        bench_leave_out(round, "%s is not there; BERTH_TRACES names the folder of traces",
                        files_exist(input.nodes) ? input.pods : input.nodes);
    } else if ((folder = bench_folder_make(round)) != NULL) {
        input.written = files_join(folder, "pods.csv");
        if (make_input(folder, setting->seed, &input, round) &&
            bench_berth_run(folder, "binpack.json", round, &process)) {
            round->values[0] = process.cpu_s;
            bench_set_yardstick(round, 1e6 / process.cpu_s);
            check(&process, &input, round);
            bench_process_free(&process);
        }
    }
    mem_free(input.nodes);
    mem_free(input.pods);
    mem_free(input.written);
    text_free(&at);
    bench_folder_remove(folder);
}
