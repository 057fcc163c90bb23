#include "sim/experiment/part.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/run/histogram.h"
#include "sim/run/story.h"

#define SAMPLES_MAX 10000000 /* what a damaged file may claim */
#define SAMPLE_REALS 9

static void format_key(const struct part_key *key, struct text *out)
{
    text_addf(out, "berth-part 1 %s %s %" PRIu64 " %" PRIu32 " %" PRIu32 "\n", key->scenario_hash,
              key->build_id, key->seed, key->variant, key->replication);
}

static void format_waits(const struct histogram *waits, struct text *out)
{
    uint32_t count = histogram_bucket_count(waits);
    text_addf(out, "waits %" PRIu32 " %a %" PRId64 "\n", count, histogram_sum(waits),
              histogram_max(waits));
    for (uint32_t i = 0; i < count; i++) {
        int64_t upper;
        uint64_t in_bucket;
        histogram_bucket(waits, i, &upper, &in_bucket);
        text_addf(out, "%" PRId64 " %" PRIu64 "\n", upper, in_bucket);
    }
}

/* The reals of a sample in the order of the file. */
static void list_sample(struct run_sample *sample, double *reals[SAMPLE_REALS])
{
    double *list[SAMPLE_REALS] = {
        &sample->tasks_running,         &sample->tasks_waiting,      &sample->cpu_reserved_ratio,
        &sample->memory_reserved_ratio, &sample->gpu_reserved_ratio, &sample->instances_in_use,
        &sample->instances_up,          &sample->tasks_desired,      &sample->tasks_below_desired};
    memcpy(reals, list, sizeof list);
}

static void format_samples(const struct run_result *result, struct text *out)
{
    text_addf(out, "samples %" PRIu32 "\n", result->sample_count);
    for (uint32_t i = 0; i < result->sample_count; i++) {
        struct run_sample sample = result->samples[i];
        double *reals[SAMPLE_REALS];
        list_sample(&sample, reals);
        text_addf(out, "%" PRId64, sample.at_ns);
        for (int k = 0; k < SAMPLE_REALS; k++)
            text_addf(out, " %a", *reals[k]);
        text_add(out, "\n");
    }
}

static void format_heat(const struct run_result *result, struct text *out)
{
    uint32_t rows = result->heat == NULL ? 0 : result->heat_rows;
    text_addf(out, "heat %" PRIu32 "\n", rows);
    size_t cells = (size_t)rows * result->sample_count;
    for (size_t i = 0; i < cells; i++)
        text_addf(out, "%d%c", result->heat[i], (i + 1) % result->sample_count == 0 ? '\n' : ' ');
}

/* A mark's text may hold anything: it is counted, not quoted. */
static void format_story(const struct story *story, struct text *out)
{
    if (story == NULL) {
        text_add(out, "story 0 0 0 0\n");
        return;
    }
    text_addf(out, "story %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", story->service_count,
              story->point_count, story->mark_count, story->marks_left_out);
    for (uint32_t i = 0; i < story->service_count; i++) {
        const struct story_service *service = &story->services[i];
        text_addf(out, "%" PRIu32 " %d %" PRIu32, service->service, service->has_load,
                  service->deployment_count);
        for (uint32_t k = 0; k < service->deployment_count; k++)
            text_addf(out, " %" PRIu64, service->deployments[k]);
        for (uint32_t k = 0; k < story->point_count; k++) {
            const struct story_point *point = &service->points[k];
            text_addf(out, "\n%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32, point->desired,
                      point->pending, point->healthy, point->serving);
            for (int d = 0; d < STORY_DEPLOYMENTS_MAX; d++)
                text_addf(out, " %" PRIu32, point->running[d]);
            if (service->has_load)
                text_addf(out, " %a %a %a", point->offered, point->failed, point->latency_s);
        }
        text_add(out, "\n");
    }
    for (uint32_t i = 0; i < story->mark_count; i++) {
        const struct story_mark *mark = &story->marks[i];
        text_addf(out, "%" PRId64 " %d %" PRIu32 " %zu %s\n", mark->at_ns, (int)mark->kind,
                  mark->service, strlen(mark->text), mark->text);
    }
}

enum berth_err part_write(const char *path, const struct part_key *key,
                          const struct run_result *result, struct berth_error *err)
{
    struct text text = TEXT_INIT;
    format_key(key, &text);
    text_addf(&text, "metrics %d\n", METRIC_COUNT);
    for (int i = 0; i < METRIC_COUNT; i++)
        text_addf(&text, "%a\n", result->metrics[i]);
    format_samples(result, &text);
    format_waits(result->waits, &text);
    format_heat(result, &text);
    format_story(result->story, &text);
    text_add(&text, "end\n");
    enum berth_err code = files_write(path, &text, err);
    text_free(&text);
    return code;
}

/* What is left to read; `is_sound` turns false once and stays so. */
struct cursor {
    const char *at;
    bool is_sound;
};

static void expect(struct cursor *cursor, const char *word)
{
    cursor->at += strspn(cursor->at, " \n");
    size_t length = strlen(word);
    if (cursor->is_sound && strncmp(cursor->at, word, length) == 0)
        cursor->at += length;
    else
        cursor->is_sound = false;
}

static int64_t read_integer(struct cursor *cursor, int64_t min, int64_t max)
{
    if (!cursor->is_sound)
        return min;
    char *end;
    errno = 0;
    long long number = strtoll(cursor->at, &end, 10);
    cursor->is_sound = end != cursor->at && errno == 0 && number >= min && number <= max;
    cursor->at = end;
    return cursor->is_sound ? number : min;
}

static double read_real(struct cursor *cursor)
{
    char *end = NULL;
    double real = cursor->is_sound ? strtod(cursor->at, &end) : 0;
    cursor->is_sound = cursor->is_sound && end != cursor->at;
    if (cursor->is_sound)
        cursor->at = end;
    return real;
}

static void read_samples(struct cursor *cursor, struct run_result *out)
{
    expect(cursor, "samples");
    out->sample_count = (uint32_t)read_integer(cursor, 0, SAMPLES_MAX);
    out->samples = mem_alloc((out->sample_count + 1) * sizeof *out->samples);
    for (uint32_t i = 0; i < out->sample_count && cursor->is_sound; i++) {
        double *reals[SAMPLE_REALS];
        list_sample(&out->samples[i], reals);
        out->samples[i].at_ns = read_integer(cursor, INT64_MIN, INT64_MAX);
        for (int k = 0; k < SAMPLE_REALS; k++)
            *reals[k] = read_real(cursor);
    }
}

static void read_waits(struct cursor *cursor, struct run_result *out)
{
    out->waits = histogram_create();
    expect(cursor, "waits");
    int64_t count = read_integer(cursor, 0, UINT32_MAX);
    double sum = read_real(cursor);
    int64_t max = read_integer(cursor, 0, INT64_MAX);
    for (int64_t i = 0; i < count && cursor->is_sound; i++) {
        int64_t upper = read_integer(cursor, 0, INT64_MAX);
        histogram_restore(out->waits, upper, (uint64_t)read_integer(cursor, 0, INT64_MAX));
    }
    cursor->is_sound = cursor->is_sound && sum >= 0 && sum < 0x1p120;
    if (cursor->is_sound)
        histogram_restore_sum(out->waits, sum, max);
}

static void read_heat(struct cursor *cursor, struct run_result *out)
{
    expect(cursor, "heat");
    out->heat_rows = (uint32_t)read_integer(cursor, 0, RUN_HEAT_ROWS_MAX);
    if (out->heat_rows == 0 || !cursor->is_sound)
        return;
    size_t cells = (size_t)out->heat_rows * out->sample_count;
    out->heat = mem_alloc((cells + 1) * sizeof *out->heat);
    for (size_t i = 0; i < cells && cursor->is_sound; i++)
        out->heat[i] = (int16_t)read_integer(cursor, INT16_MIN, INT16_MAX);
}

static void read_points(struct cursor *cursor, struct story *story, struct story_service *service)
{
    service->service = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
    service->has_load = read_integer(cursor, 0, 1) == 1;
    service->deployment_count = (uint32_t)read_integer(cursor, 0, STORY_DEPLOYMENTS_MAX);
    for (uint32_t k = 0; k < service->deployment_count; k++)
        service->deployments[k] = (uint64_t)read_integer(cursor, 0, INT64_MAX);
    service->points = mem_alloc((story->point_count + 1) * sizeof *service->points);
    for (uint32_t k = 0; k < story->point_count && cursor->is_sound; k++) {
        struct story_point *point = &service->points[k];
        point->desired = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
        point->pending = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
        point->healthy = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
        point->serving = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
        for (int d = 0; d < STORY_DEPLOYMENTS_MAX; d++)
            point->running[d] = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
        if (!service->has_load)
            continue;
        point->offered = read_real(cursor);
        point->failed = read_real(cursor);
        point->latency_s = read_real(cursor);
    }
}

static void read_mark(struct cursor *cursor, struct story_mark *mark)
{
    mark->at_ns = read_integer(cursor, 0, INT64_MAX);
    mark->kind = (enum story_mark_kind)read_integer(cursor, 0, MARK_KIND_COUNT - 1);
    mark->service = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
    size_t length = (size_t)read_integer(cursor, 0, STORY_MARK_BYTES - 1);
    cursor->is_sound = cursor->is_sound && strlen(cursor->at) > length;
    if (!cursor->is_sound)
        return;
    memcpy(mark->text, cursor->at + 1, length);
    cursor->at += 1 + length;
}

static void read_story(struct cursor *cursor, struct run_result *out)
{
    expect(cursor, "story");
    uint32_t service_count = (uint32_t)read_integer(cursor, 0, STORY_SERVICES_MAX);
    uint32_t point_count = (uint32_t)read_integer(cursor, 0, SAMPLES_MAX);
    uint32_t mark_count = (uint32_t)read_integer(cursor, 0, STORY_MARKS_MAX);
    uint32_t marks_left_out = (uint32_t)read_integer(cursor, 0, UINT32_MAX);
    if (!cursor->is_sound || (service_count == 0 && mark_count == 0))
        return;
    struct story *story = mem_alloc(sizeof *story);
    *story = (struct story){.point_count = point_count, .marks_left_out = marks_left_out};
    story->services = mem_alloc((STORY_SERVICES_MAX) * sizeof *story->services);
    story->marks = mem_alloc(STORY_MARKS_MAX * sizeof *story->marks);
    out->story = story;
    for (; story->service_count < service_count && cursor->is_sound; story->service_count++)
        read_points(cursor, story, &story->services[story->service_count]);
    for (; story->mark_count < mark_count && cursor->is_sound; story->mark_count++)
        read_mark(cursor, &story->marks[story->mark_count]);
}

bool part_read(const char *path, const struct part_key *key, struct run_result *out)
{
    *out = (struct run_result){.samples = NULL};
    struct text text = TEXT_INIT, header = TEXT_INIT;
    struct berth_error ignored = BERTH_ERROR_INIT;
    bool is_there = files_read(path, &text, &ignored) == BERTH_OK;
    format_key(key, &header);
    struct cursor cursor = {text.bytes, is_there};
    if (is_there) {
        expect(&cursor, header.bytes);
        expect(&cursor, "metrics");
        (void)read_integer(&cursor, METRIC_COUNT, METRIC_COUNT);
        for (int i = 0; i < METRIC_COUNT; i++)
            out->metrics[i] = read_real(&cursor);
        read_samples(&cursor, out);
        read_waits(&cursor, out);
        read_heat(&cursor, out);
        read_story(&cursor, out);
        expect(&cursor, "end\n");
    }
    text_free(&text);
    text_free(&header);
    if (!cursor.is_sound)
        run_result_free(out);
    return cursor.is_sound;
}
