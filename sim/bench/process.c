#include "sim/bench/process.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/workload/csv.h"

/* Returns the status that it ended with. */
static int run(const char *folder, const char *file)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        if (chdir(folder) == 0 && freopen("table.txt", "w", stdout) != NULL)
            (void)execl("/proc/self/exe", "berth", "run", "--quiet", "--no-plots", "--jobs", "1",
                        "--out", "out", file, (char *)NULL);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

bool bench_berth_run(const char *folder, const char *file, struct bench_round *round,
                     struct bench_process *out)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct timespec begin, end;
    *out = (struct bench_process){.folder = files_join(folder, "out")};
    double begin_s = bench_cpu_s();
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    int status = run(folder, file);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    out->cpu_s = bench_cpu_s() - begin_s;
    out->clock_s =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
    bool is_well = bench_check(round, status == 0, "status %d, after %.3f s by the clock", status,
                               out->clock_s) &&
                   bench_check(round, summary_read(out->folder, &out->summary, &err) == BERTH_OK,
                               "summary.json is whole%s", err.text);
    if (!is_well)
        bench_process_free(out);
    return is_well;
}

void bench_process_free(struct bench_process *process)
{
    summary_destroy(process->summary);
    mem_free(process->folder);
}

double bench_process_metric(const struct bench_process *process, enum metric metric)
{
    return process->summary->variants[0].means[metric];
}

double bench_process_last(const struct bench_process *process, const char *column)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct text text = TEXT_INIT;
    struct csv *csv = NULL;
    char *path = files_join(process->folder, "timeline.csv");
    double last = NAN;
    bool has_row = true;
    /* The first line is a comment. */
    if (files_read(path, &text, &err) == BERTH_OK) {
        const char *header = strchr(text.bytes, '\n') + 1;
        if (csv_open_text(header, strlen(header), path, &csv, &err) == BERTH_OK) {
            int number = csv_find_column(csv, column);
            while (csv_next(csv, &has_row, &err) == BERTH_OK && has_row)
                last = strtod(csv_text(csv, number), NULL);
        }
    }
    csv_close(csv);
    text_free(&text);
    mem_free(path);
    return last;
}
