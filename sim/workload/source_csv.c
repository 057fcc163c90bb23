#include "sim/workload/source_csv.h"

#include <string.h>

#include "scheduler/model/resources.h"

#define SECONDS_CURE "write seconds from the start, such as 90 or 12.5"

/* A bound that no sum of a cluster's tasks comes near in 64 bits, and that fits the model's int32.
 */
#define SIZE_MAX_UNITS (1 << 30)

/* An unknown column is more likely a misspelt one than a wish; "x-" begins the user's own notes. */
static enum berth_err refuse_unknown_columns(const struct csv *csv, struct berth_error *err)
{
    static const char *const known[] = {"arrival",    "lifetime", "taskDefinition", "cpu",
                                        "memory",     "gpu",      "group",          "count",
                                        "constraint", NULL};
    const char *name;
    for (int column = 0; (name = csv_column_name(csv, column)) != NULL; column++) {
        size_t at = 0;
        while (known[at] != NULL && strcmp(known[at], name) != 0)
            at++;
        if (known[at] != NULL || name[0] == '\0' || strncmp(name, "x-", 2) == 0)
            continue;
        const char *near = berth_nearest(name, known);
        return csv_fail(csv, column, err, "%s%s%s", near ? "unknown; did you mean \"" : "unknown",
                        near ? near : "; begin the name with x- to have it ignored",
                        near ? "\"?" : "");
    }
    return BERTH_OK;
}

enum berth_err source_csv_init(struct source_csv *source, struct csv *csv, struct berth_error *err)
{
    source->csv = csv;
    source->before_ns = 0;
    source->lifetime = csv_find_column(csv, "lifetime");
    source->task_definition = csv_find_column(csv, "taskDefinition");
    source->cpu = csv_find_column(csv, "cpu");
    source->memory = csv_find_column(csv, "memory");
    source->gpu = csv_find_column(csv, "gpu");
    source->group = csv_find_column(csv, "group");
    source->count = csv_find_column(csv, "count");
    source->constraint = csv_find_column(csv, "constraint");
    enum berth_err code = csv_need_column(csv, "arrival", &source->arrival, err);
    return code == BERTH_OK ? refuse_unknown_columns(csv, err) : code;
}

static enum berth_err read_times(struct source_csv *source, berth_ns *arrival_ns,
                                 struct source_task *task, struct berth_error *err)
{
    static const struct csv_number seconds = {
        .places = 9, .rounds = true, .max = DISTRIBUTION_NS_MAX, .cure = SECONDS_CURE};
    enum berth_err code = csv_number(source->csv, source->arrival, &seconds, arrival_ns, err);
    if (code != BERTH_OK)
        return code;
    if (*arrival_ns < source->before_ns)
        return csv_fail(source->csv, source->arrival, err,
                        "%s is before the row above it; sort the rows by arrival",
                        csv_text(source->csv, source->arrival));
    source->before_ns = *arrival_ns;
    if (csv_is_empty(source->csv, source->lifetime))
        return BERTH_OK;
    task->has_lifetime = true;
    return csv_number(source->csv, source->lifetime, &seconds, &task->lifetime_ns, err);
}

/* A whole number of at least `min`; an empty cell leaves *out. */
static enum berth_err read_whole(const struct csv *csv, int column, int64_t min, int64_t max,
                                 const char *cure, int64_t *out, struct berth_error *err)
{
    const struct csv_number whole = {.max = max, .cure = cure};
    if (csv_is_empty(csv, column))
        return BERTH_OK;
    enum berth_err code = csv_number(csv, column, &whole, out, err);
    if (code == BERTH_OK && *out < min)
        return csv_fail(csv, column, err, "%lld is less than %lld; %s", (long long)*out,
                        (long long)min, cure);
    return code;
}

static enum berth_err read_sizes(struct source_csv *source, struct source_task *task,
                                 struct berth_error *err)
{
    const struct csv *csv = source->csv;
    int64_t cpu = task->cpu_units, mem = task->mem_mib, count = task->count;
    enum berth_err code =
        read_whole(csv, source->cpu, 0, SIZE_MAX_UNITS,
                   "write whole CPU units (1024 = one vCPU), at most 2^30", &cpu, err);
    if (code == BERTH_OK)
        code = read_whole(csv, source->memory, 0, SIZE_MAX_UNITS, "write whole MiB, at most 2^30",
                          &mem, err);
    if (code == BERTH_OK)
        code = read_whole(csv, source->count, 1, 100000, "write a whole number from 1 to 100000",
                          &count, err);
    task->cpu_units = (int32_t)cpu;
    task->mem_mib = (int32_t)mem;
    task->count = (uint32_t)count;
    return code;
}

/* Requests joined by '+', each whole cards or a share of one: 2, 0.46, 1+0.5. 0 asks for none. */
static enum berth_err read_gpus(struct source_csv *source, struct source_task *task,
                                struct berth_error *err)
{
    static const struct csv_number cards = {.places = 3, .max = GPU_DEVICES_MAX * BERTH_GPU_MILLI};
    const char *at = csv_text(source->csv, source->gpu);
    task->overrides_gpus = true;
    task->gpu_count = 0;
    for (;;) {
        char part[32];
        int64_t milli;
        size_t length = strcspn(at, "+");
        if (task->gpu_count == SOURCE_GPUS_MAX)
            return csv_fail(source->csv, source->gpu, err,
                            "more than %d requests; join whole cards (3, not 1+1+1)",
                            SOURCE_GPUS_MAX);
        bool fits = length < sizeof part;
        memcpy(part, at, fits ? length : 0);
        part[fits ? length : 0] = '\0';
        const char *wrong = csv_parse_number(part, &cards, &milli);
        if (wrong == NULL && milli > BERTH_GPU_MILLI && milli % BERTH_GPU_MILLI != 0)
            wrong = "is more than one card, and not whole";
        if (wrong != NULL)
            return csv_fail(source->csv, source->gpu, err,
                            "request %d %s; write whole cards (at most %d) or a share of one in "
                            "thousandths, joined by +: 2, 0.46, 1+0.5",
                            task->gpu_count + 1, wrong, GPU_DEVICES_MAX);
        if (milli > 0)
            task->gpus[task->gpu_count++].milli = (uint32_t)milli;
        at += length;
        if (*at++ == '\0')
            return BERTH_OK;
    }
}

static void read_text(const struct csv *csv, int column, const char **out)
{
    if (!csv_is_empty(csv, column))
        *out = csv_text(csv, column);
}

enum berth_err source_csv_next(struct source_csv *source, berth_ns *arrival_ns,
                               struct source_task *task, bool *has_row, struct berth_error *err)
{
    enum berth_err code = csv_next(source->csv, has_row, err);
    if (code != BERTH_OK || !*has_row)
        return code;
    code = read_times(source, arrival_ns, task, err);
    if (code == BERTH_OK)
        code = read_sizes(source, task, err);
    if (code == BERTH_OK && !csv_is_empty(source->csv, source->gpu))
        code = read_gpus(source, task, err);
    read_text(source->csv, source->task_definition, &task->task_definition);
    read_text(source->csv, source->group, &task->group);
    read_text(source->csv, source->constraint, &task->constraint);
    if (code == BERTH_OK && task->task_definition == NULL)
        return csv_fail(source->csv, source->task_definition, err,
                        "the row names no task definition; fill the column taskDefinition, or set "
                        "taskDefinition of the arrivals in the scenario");
    return code;
}
