#include "sim/report/csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/version.h"
#include "sim/experiment/summary.h"
#include "sim/run/story.h"

void csv_format_origin(const struct experiment *experiment, struct text *out)
{
    text_addf(out,
              "berth %s, scenario %s, scenarioHash %s, buildId %s, seed %" PRIu64 ", %" PRIu32
              " replication%s",
              BERTH_VERSION, experiment->set->name, experiment->set->hash, berth_build_id,
              experiment->seed, experiment->replication_count,
              experiment->replication_count == 1 ? "" : "s");
}

static void format_comment(const struct experiment *experiment, struct text *out)
{
    text_add(out, "# ");
    csv_format_origin(experiment, out);
    text_add(out, "\n");
}

static void format_cell(const char *text, struct text *out)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        text_add(out, text);
        return;
    }
    text_add(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            text_add(out, "\"");
        text_add_n(out, text, 1);
    }
    text_add(out, "\"");
}

static void format_real(double real, struct text *out)
{
    text_add(out, ",");
    if (!isnan(real))
        summary_format_number(real, out);
}

void csv_format_metrics(const struct experiment *experiment, struct text *out)
{
    format_comment(experiment, out);
    text_add(out, "variant,replication");
    for (int m = 0; m < METRIC_COUNT; m++)
        text_addf(out, ",%s", metric_infos[m].name);
    text_add(out, "\n");
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        for (uint32_t k = 0; k < experiment->replication_count; k++) {
            format_cell(experiment->variants[v].name, out);
            text_addf(out, ",%" PRIu32, k);
            for (int m = 0; m < METRIC_COUNT; m++)
                format_real(experiment->variants[v].values[m][k], out);
            text_add(out, "\n");
        }
    }
}

void csv_format_timeline(const struct experiment *experiment, struct text *out)
{
    format_comment(experiment, out);
    text_add(out, "variant,seconds,tasksRunning,tasksWaiting,cpuReservedRatio,memoryReservedRatio,"
                  "gpuReservedRatio,instancesInUse,instancesUp,tasksDesired,tasksBelowDesired\n");
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        const struct experiment_variant *variant = &experiment->variants[v];
        for (uint32_t i = 0; i < variant->sample_count; i++) {
            const struct run_sample *sample = &variant->samples[i];
            const double reals[] = {(double)sample->at_ns / (double)BERTH_NS_PER_S,
                                    sample->tasks_running,
                                    sample->tasks_waiting,
                                    sample->cpu_reserved_ratio,
                                    sample->memory_reserved_ratio,
                                    sample->gpu_reserved_ratio,
                                    sample->instances_in_use,
                                    sample->instances_up,
                                    sample->tasks_desired,
                                    sample->tasks_below_desired};
            format_cell(variant->name, out);
            for (size_t c = 0; c < sizeof reals / sizeof reals[0]; c++)
                format_real(reals[c], out);
            text_add(out, "\n");
        }
    }
}

static void format_points(const struct experiment_variant *variant,
                          const struct story_service *service, uint32_t point_count,
                          struct text *out)
{
    for (uint32_t i = 0; i < point_count && i < variant->sample_count; i++) {
        const struct story_point *point = &service->points[i];
        uint32_t running = 0;
        for (int d = 0; d < STORY_DEPLOYMENTS_MAX; d++)
            running += point->running[d];
        format_cell(variant->name, out);
        text_add(out, ",");
        format_cell(variant->scenario->services[service->service].name, out);
        format_real((double)variant->samples[i].at_ns / (double)BERTH_NS_PER_S, out);
        text_addf(out, ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32, point->desired,
                  point->pending, running, point->healthy, point->serving);
        for (int d = 0; d < STORY_DEPLOYMENTS_MAX; d++)
            text_addf(out, ",%" PRIu32, point->running[d]);
        const double reals[] = {point->offered, point->failed, point->latency_s};
        for (size_t c = 0; c < sizeof reals / sizeof reals[0]; c++)
            format_real(service->has_load ? reals[c] : NAN, out);
        text_add(out, "\n");
    }
}

void csv_format_services(const struct experiment *experiment, struct text *out)
{
    format_comment(experiment, out);
    text_add(out, "variant,service,seconds,desired,pending,running,healthy,serving");
    for (int d = 1; d <= STORY_DEPLOYMENTS_MAX; d++)
        text_addf(out, ",runningOfDeployment%d", d);
    text_add(out, ",requestsPerSecond,failedPerSecond,latencySeconds\n");
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        const struct story *story = experiment->variants[v].story;
        for (uint32_t i = 0; story != NULL && i < story->service_count; i++)
            format_points(&experiment->variants[v], &story->services[i], story->point_count, out);
    }
}

void csv_format_marks(const struct experiment *experiment, struct text *out)
{
    format_comment(experiment, out);
    text_add(out, "variant,seconds,kind,service,text\n");
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        const struct experiment_variant *variant = &experiment->variants[v];
        const struct story *story = variant->story;
        for (uint32_t i = 0; story != NULL && i < story->mark_count; i++) {
            const struct story_mark *mark = &story->marks[i];
            format_cell(variant->name, out);
            format_real((double)mark->at_ns / (double)BERTH_NS_PER_S, out);
            text_addf(out, ",%s,", story_mark_names[mark->kind]);
            if (mark->service < variant->scenario->service_count)
                format_cell(variant->scenario->services[mark->service].name, out);
            text_add(out, ",");
            format_cell(mark->text, out);
            text_add(out, "\n");
        }
    }
}
