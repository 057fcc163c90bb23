#include "tests/support/made.h"

#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/run/histogram.h"

#define SAMPLES 4

static void add_nothing(struct made *made, uint32_t variant, uint32_t replication)
{
    struct run_sample samples[SAMPLES];
    memset(samples, 0, sizeof samples);
    for (int i = 0; i < SAMPLES; i++) {
        samples[i].at_ns = 900 * BERTH_NS_PER_S * (i + 1);
        samples[i].cpu_reserved_ratio = 0.25 * (i + 1);
    }
    struct run_result result = {
        .waits = histogram_create(), .samples = samples, .sample_count = SAMPLES};
    experiment_add(made->experiment, variant, replication, &result);
    histogram_destroy(result.waits);
}

void made_open(struct made *made, const char *const *names, uint32_t replications)
{
    uint32_t count = 0;
    while (names[count] != NULL)
        count++;
    made->set = mem_alloc(sizeof *made->set);
    made->scenarios = mem_alloc(count * sizeof *made->scenarios);
    made->set->variants = mem_alloc(count * sizeof(struct scenario *));
    made->set->variant_count = count;
    made->set->name = mem_copy_text("made");
    made->set->path = mem_copy_text("made.json");
    made->set->question = mem_copy_text("Which <one> & \"why\"?");
    memset(made->set->hash, 'f', 64);
    for (uint32_t v = 0; v < count; v++) {
        made->set->variants[v] = &made->scenarios[v];
        made->scenarios[v].variant = mem_copy_text(names[v]);
        made->scenarios[v].run.duration_ns = 3600 * BERTH_NS_PER_S;
    }
    made->experiment = experiment_create(made->set, 7, 0, replications);
    for (uint32_t v = 0; v < count; v++)
        for (uint32_t k = 0; k < replications; k++)
            add_nothing(made, v, k);
}

void made_value(struct made *made, uint32_t variant, uint32_t replication, enum metric metric,
                double value)
{
    made->experiment->variants[variant].values[metric][replication] = value;
}

void made_series(struct made *made, uint32_t variant, enum metric metric, double base, double step)
{
    for (uint32_t k = 0; k < made->experiment->replication_count; k++)
        made_value(made, variant, k, metric, base + k * step);
}

void made_conclude(struct made *made)
{
    experiment_conclude(made->experiment);
}

void made_close(struct made *made)
{
    experiment_destroy(made->experiment);
    for (uint32_t v = 0; v < made->set->variant_count; v++)
        mem_free(made->scenarios[v].variant);
    mem_free(made->scenarios);
    mem_free(made->set->variants);
    mem_free(made->set->name);
    mem_free(made->set->path);
    mem_free(made->set->question);
    mem_free(made->set);
}
