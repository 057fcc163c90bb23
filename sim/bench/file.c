#define _DEFAULT_SOURCE /* sysconf(_SC_NPROCESSORS_ONLN), _SC_PHYS_PAGES */
#include "sim/bench/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "scheduler/base/version.h"

#define FORMAT "berth-bench/1"

/* "model name : AMD EPYC ..."; "unknown" where /proc says nothing. */
static void read_processor(char *name, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    (void)snprintf(name, size, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(name, size, "%.127s", colon + 2);
        break;
    }
    if (file != NULL)
        (void)fclose(file);
}

struct machine {
    struct utsname system;
    char processor[128];
    long long cores, mib;
};

static struct machine read_machine(void)
{
    struct machine machine;
    if (uname(&machine.system) != 0)
        memset(&machine.system, 0, sizeof machine.system);
    read_processor(machine.processor, sizeof machine.processor);
    machine.cores = sysconf(_SC_NPROCESSORS_ONLN);
    machine.mib = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 1048576;
    return machine;
}

void bench_format_origin(const struct bench_setting *setting, struct text *out)
{
    struct machine machine = read_machine();
    text_addf(out, "build %s, seed %llu, compiler %s; %s %s, %s, %lld cores, %lld MiB\n",
              berth_build_id, (unsigned long long)setting->seed, __VERSION__,
              machine.system.sysname, machine.system.release, machine.processor, machine.cores,
              machine.mib);
}

static json_t *machine_json(void)
{
    struct machine machine = read_machine();
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "system", machine.system.sysname,
                     "release", machine.system.release, "architecture", machine.system.machine,
                     "processor", machine.processor, "cores", (json_int_t)machine.cores,
                     "memoryMiB", (json_int_t)machine.mib, "compiler", __VERSION__);
}

/* NaN and infinity have no place in JSON. */
static json_t *number_json(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *numbers_json(const double *values, uint32_t count, json_t *into)
{
    struct bench_number number = bench_number_of(values, count);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        (void)json_array_append_new(list, number_json(values[i]));
    (void)json_object_set_new(into, "values", list);
    (void)json_object_set_new(into, "median", number_json(number.median));
    (void)json_object_set_new(into, "spread", number_json(number.spread));
    return into;
}

static json_t *ratio_json(const struct bench_result *result, uint32_t figure)
{
    const struct bench_figure *goal = &result->line->figures[figure];
    double values[BENCH_ROUNDS_MAX];
    for (uint32_t i = 0; i < result->round_count; i++)
        values[i] = result->rounds[i].ratios[figure];
    if (goal->naive == NULL || !(values[0] > 0))
        return json_null();
    json_t *least = goal->ratio_least > 0 ? json_real(goal->ratio_least) : json_null();
    return numbers_json(values, result->round_count,
                        json_pack("{s:s, s:o}", "to", goal->naive, "least", least));
}

static json_t *figure_json(const struct bench_result *result, uint32_t figure)
{
    const struct bench_figure *goal = &result->line->figures[figure];
    double values[BENCH_ROUNDS_MAX];
    for (uint32_t i = 0; i < result->round_count; i++)
        values[i] = result->rounds[i].values[figure];
    json_t *json =
        json_pack("{s:s?, s:s, s:b, s:f, s:f, s:s, s:o}", "what", goal->what, "unit", goal->unit,
                  "lowerIsBetter", (int)goal->is_lower_better, "must", goal->must, "aim", goal->aim,
                  "verdict", bench_verdict_names[bench_judge(result, figure)], "ratio",
                  ratio_json(result, figure));
    return numbers_json(values, result->round_count, json);
}

static json_t *line_json(const struct bench_result *result)
{
    const struct bench_round *first = &result->rounds[0];
    json_t *figures = json_array(), *checks = json_array();
    bool is_measured = first->left_out[0] == '\0';
    for (uint32_t f = 0; is_measured && f < result->line->figure_count; f++)
        (void)json_array_append_new(figures, figure_json(result, f));
    for (uint32_t r = 0; r < result->round_count; r++)
        for (uint32_t c = 0; c < result->rounds[r].check_count; c++) {
            const struct bench_check *check = &result->rounds[r].checks[c];
            if (r == 0 || !check->holds)
                (void)json_array_append_new(checks, json_pack("{s:s, s:b}", "what", check->what,
                                                              "holds", (int)check->holds));
        }
    return json_pack("{s:s, s:s, s:b, s:s?, s:i, s:b, s:o, s:o}", "id", result->line->id,
                     "workload", first->workload, "smaller", (int)first->is_smaller, "leftOut",
                     is_measured ? NULL : first->left_out, "runs", (int)result->round_count,
                     "failed", (int)bench_has_failed(result), "figures", figures, "checks", checks);
}

void bench_file_format(const struct bench_result *results, size_t count,
                       const struct bench_setting *setting, struct text *out)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(lines, line_json(&results[i]));
    json_t *json = json_pack("{s:s, s:s, s:I, s:b, s:b, s:o, s:o}", "format", FORMAT, "buildId",
                             berth_build_id, "seed", (json_int_t)setting->seed, "quick",
                             (int)setting->is_quick, "judgesRatios", (int)bench_judges_ratios,
                             "machine", machine_json(), "lines", lines);
    char *bytes = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    text_add(out, bytes);
    text_add(out, "\n");
    free(bytes);
    json_decref(json);
}

bool bench_file_is(const json_t *json)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    return format != NULL && strcmp(format, FORMAT) == 0;
}

static void add_ratio(struct bench_file *file, const char *id, const char *what, const char *to,
                      const json_t *values)
{
    struct bench_file_ratio ratio = {
        mem_copy_text(id), mem_copy_text(what), mem_copy_text(to), {0}, 0};
    size_t i;
    const json_t *value;
    json_array_foreach(values, i,
                       value) if (ratio.count < BENCH_ROUNDS_MAX && json_number_value(value) > 0)
        ratio.values[ratio.count++] = json_number_value(value);
    *vec_push(&file->ratios) = ratio;
}

static enum berth_err read_line(struct bench_file *file, const json_t *line,
                                struct berth_error *err)
{
    const char *id = json_string_value(json_object_get(line, "id"));
    const json_t *figures = json_object_get(line, "figures"), *figure;
    size_t i;
    if (id == NULL || !json_is_array(figures))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s:/lines: a line has no id or no figures; write it anew with berth "
                          "bench --json",
                          file->path);
    json_array_foreach(figures, i, figure)
    {
        const json_t *ratio = json_object_get(figure, "ratio");
        const char *to = json_string_value(json_object_get(ratio, "to"));
        if (to != NULL)
            add_ratio(file, id, json_string_value(json_object_get(figure, "what")), to,
                      json_object_get(ratio, "values"));
    }
    return BERTH_OK;
}

enum berth_err bench_file_read(const json_t *json, const char *path, struct bench_file **out,
                               struct berth_error *err)
{
    const char *build_id = json_string_value(json_object_get(json, "buildId"));
    const char *processor =
        json_string_value(json_object_get(json_object_get(json, "machine"), "processor"));
    const json_t *line;
    size_t i;
    *out = NULL;
    if (!bench_file_is(json))
        return berth_fail(err, BERTH_ERR_INPUT, "%s: is not what berth bench --json writes", path);
    struct bench_file *file = mem_alloc(sizeof *file);
    file->path = mem_copy_text(path);
    file->build_id = mem_copy_text(build_id != NULL ? build_id : "unknown");
    file->processor = mem_copy_text(processor != NULL ? processor : "unknown");
    file->is_quick = json_is_true(json_object_get(json, "quick"));
    enum berth_err code = BERTH_OK;
    json_array_foreach(json_object_get(json, "lines"), i, line) if (code == BERTH_OK) code =
        read_line(file, line, err);
    if (code == BERTH_OK)
        *out = file;
    else
        bench_file_destroy(file);
    return code;
}

void bench_file_destroy(struct bench_file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->ratios.count; i++) {
        mem_free(file->ratios.items[i].id);
        mem_free(file->ratios.items[i].what);
        mem_free(file->ratios.items[i].to);
    }
    vec_free(&file->ratios);
    mem_free(file->path);
    mem_free(file->build_id);
    mem_free(file->processor);
    mem_free(file);
}
