#include "scheduler/cli/open_scenario.h"

#include "sim/run/metrics.h"

enum berth_err open_scenario(const char *path, struct scenario_set **out, struct berth_error *err)
{
    const char *names[METRIC_COUNT + 1] = {NULL};
    for (int i = 0; i < METRIC_COUNT; i++)
        names[i] = metric_infos[i].name;
    enum berth_err code = scenario_load(path, out, err);
    if (code == BERTH_OK)
        code = scenario_check_metrics(*out, names, err);
    if (code != BERTH_OK) {
        scenario_set_destroy(*out);
        *out = NULL;
    }
    return code;
}
