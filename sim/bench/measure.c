#define _DEFAULT_SOURCE /* struct rusage's ru_maxrss */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/bench/bench.h"

#define LONG_ROUND_S 10
#define VERY_LONG_ROUND_S 60
#define QUICK_ROUND_S 5

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
const bool bench_judges_ratios = false;
#else
const bool bench_judges_ratios = true;
#endif

const char *const bench_verdict_names[] = {"aimed", "met", "missed", "-"};

double bench_cpu_s(void)
{
    struct timespec own;
    struct rusage children;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    return (double)own.tv_sec + (double)own.tv_nsec * 1e-9 + (double)children.ru_utime.tv_sec +
           (double)children.ru_utime.tv_usec * 1e-6 + (double)children.ru_stime.tv_sec +
           (double)children.ru_stime.tv_usec * 1e-6;
}

double bench_peak_gib(void)
{
    struct rusage own, children;
    (void)getrusage(RUSAGE_SELF, &own);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    long kib = own.ru_maxrss > children.ru_maxrss ? own.ru_maxrss : children.ru_maxrss;
    return (double)kib / 1048576;
}

void bench_describe(struct bench_round *round, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(round->workload, sizeof round->workload, format, arguments);
    va_end(arguments);
}

void bench_leave_out(struct bench_round *round, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(round->left_out, sizeof round->left_out, format, arguments);
    va_end(arguments);
}

bool bench_check(struct bench_round *round, bool holds, const char *format, ...)
{
    if (round->check_count == BENCH_CHECKS_MAX)
        round->check_count--; /* the last one gives way */
    struct bench_check *check = &round->checks[round->check_count++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(check->what, sizeof check->what, format, arguments);
    va_end(arguments);
    check->holds = holds;
    return holds;
}

/* splitmix64, and a multiplication instead of a division. */
uint32_t bench_roll(struct bench_dice *dice, uint32_t limit)
{
    uint64_t mixed = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed >> 32) * limit >> 32);
}

/* The child may have ended without a word. */
static bool receive(int pipe, void *result, size_t bytes)
{
    size_t length = 0;
    while (length < bytes) {
        ssize_t got = read(pipe, (char *)result + length, bytes - length);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool bench_in_child(void (*work)(void *context), void *context, void *result, size_t bytes,
                    int *status)
{
    int ends[2];
    *status = -1;
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        work(context);
        _exit(write(ends[1], result, bytes) == (ssize_t)bytes ? 0 : 1);
    }
    (void)close(ends[1]);
    bool is_whole = child > 0 && receive(ends[0], result, bytes);
    (void)close(ends[0]);
    while (child > 0 && waitpid(child, status, 0) < 0 && errno == EINTR)
        continue;
    return is_whole;
}

double bench_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        (void)fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

struct round_work {
    const struct bench_line *line;
    const struct bench_setting *setting;
    struct bench_round *round;
};

static void work_round(void *context)
{
    const struct round_work *work = context;
    work->line->measure(work->setting, work->round);
    work->round->cpu_s = bench_cpu_s();
}

static void measure_round(const struct bench_line *line, const struct bench_setting *setting,
                          struct bench_round *round)
{
    struct round_work work = {line, setting, round};
    int status = 0;
    if (bench_in_child(work_round, &work, round, sizeof *round, &status))
        return;
    if (status >= 0 && WIFSIGNALED(status))
        (void)bench_check(round, false, "its process was ended by signal %d (%s)", WTERMSIG(status),
                          strsignal(WTERMSIG(status)));
    else
        (void)bench_check(round, false, "its process did not come to its end (status %d)", status);
}

static uint32_t rounds_for(const struct bench_setting *setting, double first_s)
{
    if (setting->is_quick)
        return first_s > QUICK_ROUND_S ? 1 : 3;
    return first_s > VERY_LONG_ROUND_S ? 1 : first_s > LONG_ROUND_S ? 3 : BENCH_ROUNDS_MAX;
}

static bool may_go_on(const struct bench_round *round)
{
    for (uint32_t i = 0; i < round->check_count; i++)
        if (!round->checks[i].holds)
            return false;
    return round->left_out[0] == '\0';
}

void bench_measure(const struct bench_line *line, const struct bench_setting *setting,
                   struct bench_result *out)
{
    *out = (struct bench_result){.line = line};
    uint32_t wanted = 1;
    while (out->round_count < wanted) {
        struct bench_round *round = &out->rounds[out->round_count];
        measure_round(line, setting, round);
        if (++out->round_count == 1)
            wanted = rounds_for(setting, round->cpu_s);
        if (!may_go_on(round))
            break;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

struct bench_number bench_number_of(const double *values, uint32_t count)
{
    double sorted[BENCH_ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_numbers);
    double median =
        count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    return (struct bench_number){median, (sorted[count - 1] - sorted[0]) / median};
}

struct bench_number bench_value(const struct bench_result *result, uint32_t figure)
{
    double values[BENCH_ROUNDS_MAX];
    for (uint32_t i = 0; i < result->round_count; i++)
        values[i] = result->rounds[i].values[figure];
    return bench_number_of(values, result->round_count);
}

struct bench_number bench_ratio(const struct bench_result *result, uint32_t figure)
{
    double values[BENCH_ROUNDS_MAX];
    for (uint32_t i = 0; i < result->round_count; i++)
        values[i] = result->rounds[i].ratios[figure];
    return bench_number_of(values, result->round_count);
}

static bool is_within(const struct bench_figure *figure, double value, double bound)
{
    return figure->is_lower_better ? value <= bound : value >= bound;
}

enum bench_verdict bench_judge(const struct bench_result *result, uint32_t figure)
{
    const struct bench_figure *goal = &result->line->figures[figure];
    const struct bench_round *first = &result->rounds[0];
    double value = bench_value(result, figure).median;
    if (first->is_smaller || first->left_out[0] != '\0' || !(value > 0))
        return BENCH_NOT_JUDGED;
    return is_within(goal, value, goal->aim)    ? BENCH_AIMED
           : is_within(goal, value, goal->must) ? BENCH_MET
                                                : BENCH_MISSED;
}

bool bench_figure_has_failed(const struct bench_result *result, uint32_t figure)
{
    const struct bench_figure *goal = &result->line->figures[figure];
    if (result->rounds[0].left_out[0] != '\0' || !bench_judges_ratios)
        return false;
    if (goal->ratio_least > 0 && !(bench_ratio(result, figure).median >= goal->ratio_least))
        return true;
    return goal->must_hold && !is_within(goal, bench_value(result, figure).median, goal->must);
}

bool bench_has_failed(const struct bench_result *result)
{
    for (uint32_t i = 0; i < result->round_count; i++)
        for (uint32_t c = 0; c < result->rounds[i].check_count; c++)
            if (!result->rounds[i].checks[c].holds)
                return true;
    for (uint32_t f = 0; f < result->line->figure_count; f++)
        if (bench_figure_has_failed(result, f))
            return true;
    return false;
}
