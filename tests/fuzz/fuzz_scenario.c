/* A scenario: refused in one line with a place, or read to something that holds together. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/ecs/json_input.h"
#include "sim/scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No more cells than a second will do: their number is bounded elsewhere, and tested there. */
static bool is_large(const char *text, size_t size)
{
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    size_t cells = 1;
    if (json_read_text(text, size, "f", &json, &err) != BERTH_OK)
        return false;
    json_t *compare = json_object_get(json, "compare"), *axis;
    const char *name;
    cells += json_object_size(json_object_get(compare, "variants"));
    json_object_foreach(json_object_get(compare, "axes"), name, axis) cells *=
        1 + json_array_size(json_object_get(axis, "values"));
    json_decref(json);
    return cells > 40;
}

static void check_scenario(const struct scenario *scenario)
{
    assert(scenario->variant[0] != '\0' && scenario->name[0] != '\0');
    assert(scenario->group_count > 0 && scenario->run.duration_ns > 0);
    assert(scenario->run.warm_up_ns < scenario->run.duration_ns && scenario->run.sample_ns > 0);
    for (uint32_t i = 0; i < scenario->group_count; i++)
        assert(scenario->groups[i].zone_count > 0 && scenario->groups[i].cpu_units > 0);
    for (uint32_t i = 0; i < scenario->service_count; i++)
        assert(scenario_find_task_def(scenario, scenario->services[i].task_definition) != NULL);
    for (uint32_t i = 1; i < scenario->timeline_count; i++)
        assert(scenario->timeline[i - 1].at_ns <= scenario->timeline[i].at_ns);
    for (uint32_t i = 0; i < scenario->failure_count; i++)
        assert(distribution_mean(&scenario->failures[i].mtbf) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set = NULL, *again = NULL;
    if (is_large(text, size))
        return 0;
    if (scenario_load_text(text, size, "no-such-folder", &set, &err) != BERTH_OK) {
        assert(set == NULL && err.code == BERTH_ERR_INPUT);
        assert(strstr(err.text, ": ") != NULL && strchr(err.text, '\n') == NULL);
        return 0;
    }
    assert(set->variant_count > 0 && set->baseline != NULL && strlen(set->hash) == 64);
    for (uint32_t i = 0; i < set->variant_count; i++)
        check_scenario(set->variants[i]);
    enum berth_err code = scenario_load_text(text, size, "no-such-folder", &again, &err);
    assert(code == BERTH_OK && strcmp(set->hash, again->hash) == 0);
    (void)code;
    scenario_set_destroy(again);
    scenario_set_destroy(set);
    return 0;
}
