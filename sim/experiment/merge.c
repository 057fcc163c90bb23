#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/experiment.h"
#include "sim/run/histogram.h"
#include "sim/run/story.h"

struct experiment *experiment_create(const struct scenario_set *set, uint64_t seed,
                                     uint32_t baseline, uint32_t replication_count)
{
    struct experiment *experiment = mem_alloc(sizeof *experiment);
    *experiment = (struct experiment){.set = set,
                                      .seed = seed,
                                      .replication_count = replication_count,
                                      .baseline = baseline,
                                      .variant_count = set->variant_count};
    experiment->variants = mem_alloc(set->variant_count * sizeof *experiment->variants);
    for (uint32_t v = 0; v < set->variant_count; v++) {
        struct experiment_variant *variant = &experiment->variants[v];
        variant->name = set->variants[v]->variant;
        variant->scenario = set->variants[v];
        variant->waits = histogram_create();
        for (int m = 0; m < METRIC_COUNT; m++) {
            variant->values[m] = mem_alloc(replication_count * sizeof(double));
            for (uint32_t k = 0; k < replication_count; k++)
                variant->values[m][k] = NAN;
        }
    }
    return experiment;
}

void experiment_destroy(struct experiment *experiment)
{
    if (experiment == NULL)
        return;
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        struct experiment_variant *variant = &experiment->variants[v];
        for (int m = 0; m < METRIC_COUNT; m++)
            mem_free(variant->values[m]);
        histogram_destroy(variant->waits);
        mem_free(variant->samples);
        mem_free(variant->heat);
        story_free(variant->story);
    }
    mem_free(experiment->variants);
    mem_free(experiment->comparisons);
    mem_free(experiment);
}

static void add_sample(struct run_sample *sum, const struct run_sample *sample)
{
    sum->tasks_running += sample->tasks_running;
    sum->tasks_waiting += sample->tasks_waiting;
    sum->cpu_reserved_ratio += sample->cpu_reserved_ratio;
    sum->memory_reserved_ratio += sample->memory_reserved_ratio;
    sum->gpu_reserved_ratio += sample->gpu_reserved_ratio;
    sum->instances_in_use += sample->instances_in_use;
    sum->instances_up += sample->instances_up;
    sum->tasks_desired += sample->tasks_desired;
    sum->tasks_below_desired += sample->tasks_below_desired;
}

static void divide_sample(struct run_sample *sum, double count)
{
    sum->tasks_running /= count;
    sum->tasks_waiting /= count;
    sum->cpu_reserved_ratio /= count;
    sum->memory_reserved_ratio /= count;
    sum->gpu_reserved_ratio /= count;
    sum->instances_in_use /= count;
    sum->instances_up /= count;
    sum->tasks_desired /= count;
    sum->tasks_below_desired /= count;
}

void experiment_add(struct experiment *experiment, uint32_t index, uint32_t replication,
                    const struct run_result *result)
{
    struct experiment_variant *variant = &experiment->variants[index];
    for (int m = 0; m < METRIC_COUNT; m++)
        variant->values[m][replication] = result->metrics[m];
    histogram_merge(variant->waits, result->waits);
    if (variant->samples == NULL) {
        variant->sample_count = result->sample_count;
        variant->samples = mem_alloc((result->sample_count + 1) * sizeof *variant->samples);
        for (uint32_t i = 0; i < result->sample_count; i++)
            variant->samples[i].at_ns = result->samples[i].at_ns;
    }
    for (uint32_t i = 0; i < variant->sample_count && i < result->sample_count; i++)
        add_sample(&variant->samples[i], &result->samples[i]);
    if (result->story != NULL && variant->story == NULL)
        variant->story = story_copy(result->story);
    if (result->heat == NULL || variant->heat != NULL)
        return;
    size_t cells = (size_t)result->heat_rows * result->sample_count;
    variant->heat = mem_alloc((cells + 1) * sizeof *variant->heat);
    variant->heat_rows = result->heat_rows;
    memcpy(variant->heat, result->heat, cells * sizeof *variant->heat);
}

static void conclude_variant(struct experiment_variant *variant, uint32_t replications)
{
    for (uint32_t i = 0; i < variant->sample_count; i++)
        divide_sample(&variant->samples[i], replications);
    for (int m = 0; m < METRIC_COUNT; m++) {
        variant->summaries[m] = statistics_summarize(variant->values[m], replications);
        variant->points[m] = variant->summaries[m].mean;
    }
    /* A quantile of few waits is biased; that of all waits together is not. */
    static const struct {
        enum metric metric;
        double share;
    } pooled[] = {{METRIC_PLACEMENT_WAIT_P50, 0.50},
                  {METRIC_PLACEMENT_WAIT_P95, 0.95},
                  {METRIC_PLACEMENT_WAIT_P99, 0.99}};
    for (size_t i = 0; i < sizeof pooled / sizeof pooled[0]; i++)
        variant->points[pooled[i].metric] =
            histogram_quantile(variant->waits, pooled[i].share) / (double)BERTH_NS_PER_S;
}

static void compare(struct experiment *experiment)
{
    const struct experiment_variant *baseline = &experiment->variants[experiment->baseline];
    size_t most = (size_t)experiment->variant_count * METRIC_COUNT;
    experiment->comparisons = mem_alloc(most * sizeof *experiment->comparisons);
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        if (v == experiment->baseline)
            continue;
        for (int m = 0; m < METRIC_COUNT; m++)
            experiment->comparisons[experiment->comparison_count++] =
                (struct experiment_comparison){
                    .variant = v,
                    .metric = (enum metric)m,
                    .test = statistics_paired(experiment->variants[v].values[m],
                                              baseline->values[m], experiment->replication_count)};
    }
    double *p = mem_alloc((most + 1) * sizeof *p);
    for (size_t i = 0; i < experiment->comparison_count; i++)
        p[i] = experiment->comparisons[i].test.p;
    double *adjusted = mem_alloc((most + 1) * sizeof *adjusted);
    statistics_holm(p, experiment->comparison_count, adjusted);
    for (size_t i = 0; i < experiment->comparison_count; i++)
        experiment->comparisons[i].p_holm = adjusted[i];
    mem_free(adjusted);
    mem_free(p);
}

void experiment_conclude(struct experiment *experiment)
{
    for (uint32_t v = 0; v < experiment->variant_count; v++)
        conclude_variant(&experiment->variants[v], experiment->replication_count);
    compare(experiment);
}
