/*
 * part.c -- writing and reading are one description of the format: each step either appends what a
 * variable holds, or sets it to what comes next.
 */
#include "sim/experiment/part.h"

#include <limits.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/run/histogram.h"
#include "sim/run/story.h"

#define SAMPLES_MAX 10000000 /* what a damaged file may claim */
#define CELLS_AT_ONCE 512

struct codec {
    struct text *out; /* NULL: reading */
    const unsigned char *at, *end;
    bool is_sound; /* turns false once and stays so */
};

/* A number of so many bytes, at most `max`. */
static void carry(struct codec *codec, uint64_t *number, unsigned size, uint64_t max)
{
    unsigned char bytes[8];
    if (codec->out != NULL) {
        for (unsigned i = 0; i < size; i++)
            bytes[i] = (unsigned char)(*number >> (8 * i));
        text_add_n(codec->out, (const char *)bytes, size);
        return;
    }
    *number = 0;
    codec->is_sound = codec->is_sound && (size_t)(codec->end - codec->at) >= size;
    for (unsigned i = 0; i < size && codec->is_sound; i++)
        *number |= (uint64_t)*codec->at++ << (8 * i);
    codec->is_sound = codec->is_sound && *number <= max;
    if (!codec->is_sound)
        *number = 0;
}

static void carry_u32(struct codec *codec, uint32_t *number, uint32_t max)
{
    uint64_t wide = *number;
    carry(codec, &wide, 4, max);
    *number = (uint32_t)wide;
}

static void carry_i64(struct codec *codec, int64_t *number, int64_t min)
{
    uint64_t wide = (uint64_t)*number;
    carry(codec, &wide, 8, UINT64_MAX);
    *number = (int64_t)wide;
    codec->is_sound = codec->is_sound && *number >= min;
}

static void carry_real(struct codec *codec, double *real)
{
    uint64_t bits;
    memcpy(&bits, real, sizeof bits);
    carry(codec, &bits, 8, UINT64_MAX);
    memcpy(real, &bits, sizeof bits);
}

/* Each takes a byte or more: a damaged count must not ask for more memory than the file has. */
static bool may_hold(const struct codec *codec, uint64_t count)
{
    return codec->is_sound && (codec->out != NULL || count <= (uint64_t)(codec->end - codec->at));
}

static void carry_samples(struct codec *codec, struct run_result *result)
{
    carry_u32(codec, &result->sample_count, SAMPLES_MAX);
    codec->is_sound = may_hold(codec, result->sample_count);
    if (!codec->is_sound)
        result->sample_count = 0;
    if (codec->out == NULL)
        result->samples = mem_alloc((result->sample_count + 1) * sizeof *result->samples);
    for (uint32_t i = 0; i < result->sample_count && codec->is_sound; i++) {
        struct run_sample *sample = &result->samples[i];
        double *const reals[] = {&sample->tasks_running,      &sample->tasks_waiting,
                                 &sample->cpu_reserved_ratio, &sample->memory_reserved_ratio,
                                 &sample->gpu_reserved_ratio, &sample->instances_in_use,
                                 &sample->instances_up,       &sample->tasks_desired,
                                 &sample->tasks_below_desired};
        carry_i64(codec, &sample->at_ns, INT64_MIN);
        for (size_t k = 0; k < sizeof reals / sizeof reals[0]; k++)
            carry_real(codec, reals[k]);
    }
}

static void carry_waits(struct codec *codec, struct run_result *result)
{
    bool reads = codec->out == NULL;
    if (reads)
        result->waits = histogram_create();
    uint32_t count = histogram_bucket_count(result->waits), bucket = 0;
    double sum = histogram_sum(result->waits);
    int64_t max = histogram_max(result->waits);
    carry_u32(codec, &count, UINT32_MAX);
    carry_real(codec, &sum);
    carry_i64(codec, &max, 0);
    for (uint32_t i = 0; i < count && codec->is_sound; i++) {
        int64_t upper = 0;
        uint64_t in_bucket = 0;
        if (!reads)
            bucket = histogram_next(result->waits, bucket, &upper, &in_bucket);
        carry_i64(codec, &upper, 0);
        carry(codec, &in_bucket, 8, INT64_MAX);
        if (reads && codec->is_sound)
            histogram_restore(result->waits, upper, in_bucket);
    }
    codec->is_sound = codec->is_sound && sum >= 0 && sum < 0x1p120;
    if (reads && codec->is_sound)
        histogram_restore_sum(result->waits, sum, max);
}

/* Two bytes each. There are tens of thousands of them: not one by one. */
static void carry_cells(struct codec *codec, int16_t *cells, size_t count)
{
    unsigned char bytes[2 * CELLS_AT_ONCE];
    for (size_t i = 0; i < count && codec->out != NULL; i++) {
        bytes[2 * i] = (unsigned char)((uint16_t)cells[i] & 0xff);
        bytes[2 * i + 1] = (unsigned char)((uint16_t)cells[i] >> 8);
    }
    if (codec->out != NULL) {
        text_add_n(codec->out, (const char *)bytes, 2 * count);
        return;
    }
    codec->is_sound = codec->is_sound && (size_t)(codec->end - codec->at) >= 2 * count;
    for (size_t i = 0; i < count && codec->is_sound; i++, codec->at += 2)
        cells[i] = (int16_t)(uint16_t)(codec->at[0] | codec->at[1] << 8);
}

static void carry_heat(struct codec *codec, struct run_result *result)
{
    uint32_t rows = result->heat == NULL ? 0 : result->heat_rows;
    carry_u32(codec, &rows, RUN_HEAT_ROWS_MAX);
    size_t cells = (size_t)rows * result->sample_count;
    codec->is_sound = may_hold(codec, cells);
    if (codec->out == NULL && codec->is_sound) {
        result->heat_rows = rows;
        result->heat = rows > 0 ? mem_alloc((cells + 1) * sizeof *result->heat) : NULL;
    }
    for (size_t i = 0; i < cells && codec->is_sound; i += CELLS_AT_ONCE)
        carry_cells(codec, result->heat + i, cells - i < CELLS_AT_ONCE ? cells - i : CELLS_AT_ONCE);
}

static void carry_points(struct codec *codec, uint32_t count, struct story_service *service)
{
    uint32_t has_load = service->has_load;
    carry_u32(codec, &service->service, UINT32_MAX);
    carry_u32(codec, &has_load, 1);
    service->has_load = has_load == 1;
    carry_u32(codec, &service->deployment_count, STORY_DEPLOYMENTS_MAX);
    for (uint32_t k = 0; k < service->deployment_count; k++)
        carry(codec, &service->deployments[k], 8, INT64_MAX);
    for (uint32_t k = 0; k < count && codec->is_sound; k++) {
        struct story_point *point = &service->points[k];
        carry_u32(codec, &point->desired, UINT32_MAX);
        carry_u32(codec, &point->pending, UINT32_MAX);
        carry_u32(codec, &point->healthy, UINT32_MAX);
        carry_u32(codec, &point->serving, UINT32_MAX);
        for (int d = 0; d < STORY_DEPLOYMENTS_MAX; d++)
            carry_u32(codec, &point->running[d], UINT32_MAX);
        if (!service->has_load)
            continue;
        carry_real(codec, &point->offered);
        carry_real(codec, &point->failed);
        carry_real(codec, &point->latency_s);
    }
}

static void carry_mark(struct codec *codec, struct story_mark *mark)
{
    uint32_t kind = (uint32_t)mark->kind, length = (uint32_t)strlen(mark->text);
    carry_i64(codec, &mark->at_ns, 0);
    carry_u32(codec, &kind, MARK_KIND_COUNT - 1);
    carry_u32(codec, &mark->service, UINT32_MAX);
    carry_u32(codec, &length, STORY_MARK_BYTES - 1);
    mark->kind = (enum story_mark_kind)kind;
    for (uint32_t i = 0; i < length; i++) {
        uint64_t letter = (unsigned char)mark->text[i];
        carry(codec, &letter, 1, UCHAR_MAX);
        mark->text[i] = (char)letter;
    }
}

static void carry_story(struct codec *codec, struct run_result *result)
{
    static const struct story nothing = {.services = NULL};
    struct story counts = result->story == NULL ? nothing : *result->story;
    carry_u32(codec, &counts.service_count, STORY_SERVICES_MAX);
    carry_u32(codec, &counts.point_count, SAMPLES_MAX);
    carry_u32(codec, &counts.mark_count, STORY_MARKS_MAX);
    carry_u32(codec, &counts.marks_left_out, UINT32_MAX);
    codec->is_sound = may_hold(codec, counts.service_count * (uint64_t)counts.point_count);
    if (!codec->is_sound || (counts.service_count == 0 && counts.mark_count == 0))
        return;
    if (codec->out == NULL) {
        result->story = mem_alloc(sizeof *result->story);
        *result->story = counts;
        result->story->services = mem_alloc(STORY_SERVICES_MAX * sizeof *counts.services);
        result->story->marks = mem_alloc(STORY_MARKS_MAX * sizeof *counts.marks);
        for (uint32_t i = 0; i < counts.service_count; i++)
            result->story->services[i].points =
                mem_alloc((counts.point_count + 1) * sizeof(struct story_point));
    }
    for (uint32_t i = 0; i < counts.service_count && codec->is_sound; i++)
        carry_points(codec, counts.point_count, &result->story->services[i]);
    for (uint32_t i = 0; i < counts.mark_count && codec->is_sound; i++)
        carry_mark(codec, &result->story->marks[i]);
}

static void carry_result(struct codec *codec, struct run_result *result)
{
    uint32_t metric_count = METRIC_COUNT;
    carry_u32(codec, &metric_count, METRIC_COUNT);
    codec->is_sound = codec->is_sound && metric_count == METRIC_COUNT;
    for (int i = 0; i < METRIC_COUNT; i++)
        carry_real(codec, &result->metrics[i]);
    carry_samples(codec, result);
    carry_waits(codec, result);
    carry_heat(codec, result);
    carry_story(codec, result);
}

void part_format(const struct run_result *result, struct text *out)
{
    struct codec codec = {.out = out, .is_sound = true};
    struct run_result carried = *result;
    carry_result(&codec, &carried);
}

bool part_parse(const struct text *bytes, struct run_result *out)
{
    const unsigned char *at = (const unsigned char *)bytes->bytes;
    struct codec codec = {.at = at, .end = at + bytes->length, .is_sound = true};
    *out = (struct run_result){.samples = NULL};
    carry_result(&codec, out);
    bool is_whole = codec.is_sound && codec.at == codec.end;
    if (!is_whole)
        run_result_free(out);
    return is_whole;
}
