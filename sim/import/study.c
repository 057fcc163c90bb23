#include "sim/import/study.h"

#include <string.h>

json_t *study_no_delays(void)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i}", "boot", 0, "network", 0, "containerStart", 0,
                     "containerStop", 0, "pullOverhead", 0);
}

json_t *study_metrics(bool has_gpus)
{
    json_t *metrics = json_pack("[s, s, s, s, s, s, s]", "refusedRatio", "instancesInUseMean",
                                "instancesInUseMax", "placementWaitMean", "cpuStrandedRatio",
                                "memoryStrandedRatio", "cpuReservedRatio");
    if (has_gpus)
        (void)json_array_append_new(metrics, json_string("gpuReservedRatio"));
    return metrics;
}

json_t *study_compare_strategies(bool is_long)
{
    static const struct {
        const char *variant, *type, *field;
    } strategies[] = {
        {"spread", "spread", "instanceId"},      {"binpack-cpu", "binpack", "cpu"},
        {"binpack-memory", "binpack", "memory"}, {"random", "random", NULL},
        {"first-fit", "firstFit", NULL},         {"best-fit", "bestFit", NULL},
        {"worst-fit", "worstFit", NULL},         {"dot-product", "dotProduct", NULL},
        {"two-choices", "twoChoices", NULL},
    };
    json_t *variants = json_object();
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        if (is_long && strcmp(strategies[i].type, "dotProduct") == 0)
            continue;
        json_t *strategy =
            json_pack("{s:s, s:s*}", "type", strategies[i].type, "field", strategies[i].field);
        json_object_set_new(variants, strategies[i].variant,
                            json_pack("{s:{s:[o]}}", "run", "placementStrategy", strategy));
    }
    return json_pack("{s:s, s:o}", "baseline", "spread", "variants", variants);
}

json_t *study_seconds(int64_t ms)
{
    return ms % 1000 == 0 ? json_integer(ms / 1000) : json_real((double)ms / 1000);
}
