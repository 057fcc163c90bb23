/*
 * bench_trace.c -- reading traces: the CSV reader, a workload's rows, and an import.
 *
 * The trace is made here: 400,000 and 1,600,000 VMs that arrive steadily, so that a fixed number is
 * alive at once. What is checked: every row arrives, an import of 400,000 rows takes less than 3 s,
 * and four times as many rows need no more memory.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/import/import.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/csv.h"
#include "sim/workload/source.h"
#include "tests/support/scratch.h"

#define IMPORT_SECONDS_MAX 3.0
#define GROWTH_KIB_MAX 2048

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double mib_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_size / 1048576 : 0;
}

static void make_trace(const char *path, long rows)
{
    FILE *file = fopen(path, "w");
    fputs("vm,batch,arrival_s,flavor,vcpu,mem_gb,dur_bin,dur_lo_s,dur_hi_s,censored\n", file);
    for (long i = 0; i < rows; i++)
        fprintf(file, "%ld,%ld,%ld,%c,%ld,%.2f,1,%ld,300,0\n", i, i / 5, i / 4, (char)('a' + i % 4),
                1 + i % 4, 1.75 * (double)(1 + i % 4), 300 + i % 3600);
    fclose(file);
}

static int read_rows(const char *path, long rows)
{
    struct csv *csv;
    struct berth_error err;
    bool has_row = true;
    double begin = cpu_seconds();
    long seen = 0;
    enum berth_err code = csv_open(path, &csv, &err);
    for (; code == BERTH_OK && has_row; seen += has_row)
        code = csv_next(csv, &has_row, &err);
    csv_close(csv);
    double seconds = cpu_seconds() - begin;
    printf("%-22s %9ld rows %7.2f s %8.1f MB/s\n", "CSV rows", seen, seconds,
           mib_of(path) * 1.048576 / seconds);
    return code == BERTH_OK && seen == rows;
}

static int read_tasks(const char *path, long rows)
{
    char csv_path[1024];
    struct source *source;
    struct source_task task;
    struct berth_error err;
    bool has_task = true;
    long seen = 0;
    (void)snprintf(csv_path, sizeof csv_path, "%s", path);
    const struct scenario_arrival arrival = {.name = "trace",
                                             .process = ARRIVAL_CSV,
                                             .csv_path = csv_path,
                                             .limit = UINT64_MAX,
                                             .end_ns = BERTH_NS_NEVER};
    double begin = cpu_seconds();
    enum berth_err code = source_open(&arrival, 1, BERTH_NS_NEVER, &source, &err);
    for (; code == BERTH_OK && has_task; seen += has_task)
        code = source_next(source, &task, &has_task, &err);
    source_close(source);
    double seconds = cpu_seconds() - begin;
    printf("%-22s %9ld rows %7.2f s %8.1f MB/s\n", "tasks of a workload", seen, seconds,
           mib_of(path) * 1.048576 / seconds);
    return code == BERTH_OK && seen == rows;
}

/* In a child, so that its peak memory is its own. Returns KiB, or -1. */
static long import_rows(const char *path, const char *folder, long rows)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct rusage usage;
        FILE *report = fopen("/dev/null", "w");
        double begin = cpu_seconds();
        enum berth_err code = import_azure_vm(path, folder, report, &err);
        double seconds = cpu_seconds() - begin;
        (void)getrusage(RUSAGE_SELF, &usage);
        printf("%-22s %9ld rows %7.2f s %8.1f MB/s  peak %ld KiB\n", "import azure-vm", rows,
               seconds, mib_of(path) * 1.048576 / seconds, usage.ru_maxrss);
        fflush(stdout);
        fclose(report);
        _exit(code == BERTH_OK && (rows > 400000 || seconds < IMPORT_SECONDS_MAX) ? 0 : 1);
    }
    int status;
    struct rusage usage;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return -1;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_maxrss;
}

int main(void)
{
    static const long sizes[] = {400000, 1600000};
    long peak[2] = {0, 0};
    int is_well = 1;
    printf("traces, CPU time\n");
    for (int i = 0; i < 2; i++) {
        const char *path = scratch_path("vms.csv"), *out = scratch_path("out");
        make_trace(path, sizes[i]);
        is_well &= read_rows(path, sizes[i]);
        peak[i] = import_rows(path, out, sizes[i]);
        is_well &= peak[i] >= 0;
        is_well &= read_tasks(scratch_path("out/workload.csv"), sizes[i]);
    }
    scratch_remove();
    if (!is_well || peak[1] > peak[0] + GROWTH_KIB_MAX) {
        printf("rows were lost, memory grew, or 400,000 rows took over %.0f s\n",
               IMPORT_SECONDS_MAX);
        return 1;
    }
    printf("checked: every row; 400,000 rows below %.0f s; memory flat\n", IMPORT_SECONDS_MAX);
    return 0;
}
