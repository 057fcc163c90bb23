/*
 * fuzz_trace.c -- trace rows: workload CSVs, gzip, and the public traces that are imported.
 *
 * The first byte chooses who reads the rest. Whatever it is, the reader ends with tasks in order of
 * arrival or with one line that says where and what; nothing is left half-written.
 */
#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/import/import.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/csv.h"
#include "sim/workload/source.h"
#include "tests/support/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct berth_error *err)
{
    assert(err->code == BERTH_ERR_INPUT);
    assert(err->text[0] != '\0' && strpbrk(err->text, "\n\r\x1b") == NULL);
}

static void check_task(const struct source_task *task, berth_ns before, berth_ns end)
{
    assert(task->at_ns >= before && task->at_ns < end);
    assert(task->task_definition != NULL && task->count >= 1);
    assert(task->cpu_units >= OVERRIDE_NONE && task->mem_mib >= OVERRIDE_NONE);
    assert(!task->has_lifetime || task->lifetime_ns >= 0);
    for (unsigned i = 0; i < task->gpu_count; i++)
        assert(task->gpus[i].milli > 0 &&
               (task->gpus[i].milli < 1000 || task->gpus[i].milli % 1000 == 0));
}

static void read_workload(const char *text, size_t length)
{
    struct scenario_arrival arrival = {
        .name = "trace",
        .process = ARRIVAL_CSV,
        .csv_path = "w.csv",
        .limit = UINT64_MAX,
        .start_ns = 5 * BERTH_NS_PER_S,
        .end_ns = BERTH_NS_NEVER,
        .count = 1,
        .task_definition = "job",
        .has_lifetime = true,
        .lifetime = {.kind = DISTRIBUTION_EXPONENTIAL, .p = {60}, .max = DBL_MAX},
    };
    const berth_ns end = 1000000 * BERTH_NS_PER_S;
    struct source *source;
    struct source_task task;
    struct berth_error err = BERTH_ERROR_INIT;
    berth_ns before = arrival.start_ns;
    bool has_task = true;
    enum berth_err code = source_open_text(&arrival, 1, end, text, length, &source, &err);
    while (code == BERTH_OK && has_task) {
        code = source_next(source, &task, &has_task, &err);
        if (code == BERTH_OK && has_task) {
            check_task(&task, before, end);
            before = task.at_ns;
        }
    }
    if (code != BERTH_OK)
        check_error(&err);
    source_close(source);
}

/* As a file, so that it may be gzip. */
static void read_file(const char *text, size_t length)
{
    struct csv *csv;
    struct berth_error err = BERTH_ERROR_INIT;
    bool has_row = true;
    enum berth_err code = csv_open(scratch_write("f.csv", text, length), &csv, &err);
    while (code == BERTH_OK && has_row)
        code = csv_next(csv, &has_row, &err);
    if (code != BERTH_OK)
        check_error(&err);
    csv_close(csv);
}

static void import(const char *text, size_t length, int kind)
{
    struct berth_error err = BERTH_ERROR_INIT;
    static const char nodes[] = "cpu_milli,memory_mib,gpu,model\n32000,262144,2,T4\n";
    const char *in = scratch_write("in.csv", text, length);
    const char *other = kind == 0 ? in : scratch_write_text("nodes.csv", nodes);
    const char *out = scratch_path("out");
    FILE *report = fopen(scratch_path("report"), "w");
    assert(report != NULL);
    const struct import_fill fill = {length % 2 * 50, length}; /* at most 1,000 pods more */
    enum berth_err code = kind == 0   ? import_openb(in, other, &fill, out, report, &err)
                          : kind == 1 ? import_openb(other, in, &fill, out, report, &err)
                                      : import_azure_vm(in, out, report, &err);
    fclose(report);
    if (code == BERTH_OK) {
        assert(unlink(scratch_path("out/scenario.json")) == 0);
        assert(unlink(scratch_path("out/workload.csv")) == 0);
    } else {
        check_error(&err);
    }
    assert(access(scratch_path("out/.workload.csv.part"), F_OK) != 0);
    assert(access(scratch_path("out/workload.csv"), F_OK) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int is_ready;
    if (!is_ready) {
        /* Thousands of files that live for a millisecond: in memory where there is such a folder.
         */
        if (access("/dev/shm", W_OK) == 0)
            (void)setenv("TMPDIR", "/dev/shm", 0);
        is_ready = atexit(scratch_remove) == 0;
    }
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    switch (data[0] % 8) {
    case 0:
        read_file(text, size - 1);
        break;
    case 1:
    case 2:
    case 3:
        import(text, size - 1, data[0] % 8 - 1);
        break;
    default:
        read_workload(text, size - 1);
    }
    return 0;
}
