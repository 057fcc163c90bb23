/* script_time.c -- what happens over time: the mean of all replications, a line to a strategy. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/report/script.h"

#define LEFT 74
#define PLOT_WIDTH 890
#define PANEL_HEIGHT 190
#define PANEL_GAP 52
#define POINTS_MAX 400

struct panel {
    const char *title;
    double (*value)(const struct run_sample *sample);
};

static double cpu_of(const struct run_sample *sample)
{
    return 100 * sample->cpu_reserved_ratio;
}

static double memory_of(const struct run_sample *sample)
{
    return 100 * sample->memory_reserved_ratio;
}

static double gpu_of(const struct run_sample *sample)
{
    return 100 * sample->gpu_reserved_ratio;
}

static double instances_of(const struct run_sample *sample)
{
    return sample->instances_in_use;
}

static double missing_of(const struct run_sample *sample)
{
    return sample->tasks_below_desired;
}

static double waiting_of(const struct run_sample *sample)
{
    return sample->tasks_waiting;
}

static const struct panel panels[] = {
    {"CPU reserved, %", cpu_of},
    {"memory reserved, %", memory_of},
    {"GPU reserved, %", gpu_of},
    {"instances in use", instances_of},
    {"tasks missing: fewer than the services' desired count", missing_of},
    {"standalone tasks waiting for a place", waiting_of},
};
#define PANEL_COUNT (sizeof panels / sizeof panels[0])

static uint32_t lines_of(const struct experiment *experiment)
{
    return experiment->variant_count < SCRIPT_LINES_MAX ? experiment->variant_count
                                                        : SCRIPT_LINES_MAX;
}

static double highest(const struct experiment *experiment, const struct panel *panel)
{
    double high = 0;
    for (uint32_t v = 0; v < lines_of(experiment); v++)
        for (uint32_t i = 0; i < experiment->variants[v].sample_count; i++)
            high = fmax(high, panel->value(&experiment->variants[v].samples[i]));
    return high;
}

static void draw_data(const struct script *script, const struct script_time *time,
                      const struct panel *panel, const struct experiment_variant *variant)
{
    uint32_t stride = 1 + variant->sample_count / POINTS_MAX;
    for (uint32_t i = 0; i < variant->sample_count; i += stride) {
        double value = panel->value(&variant->samples[i]);
        if (!isnan(value))
            text_addf(script->out, "%.6g %.6g\n",
                      (double)variant->samples[i].at_ns / (double)BERTH_NS_PER_S / time->seconds,
                      value);
    }
    text_add(script->out, "e\n");
}

static void draw_panel(struct script *script, const struct script_time *time,
                       const struct panel *panel, int top, bool is_last)
{
    const struct experiment *experiment = script->ranking->experiment;
    double high = highest(experiment, panel);
    double step = script_step(0, high, 5);
    script_panel(script, LEFT, top, PLOT_WIDTH, PANEL_HEIGHT);
    script_label(script, panel->title, LEFT, top - 11, "left", 11, SCRIPT_INK);
    if (is_last)
        script_label(script, time->unit, LEFT + PLOT_WIDTH + 16, top + PANEL_HEIGHT + 14, "left",
                     10, SCRIPT_FAINT);
    text_addf(script->out,
              "set xrange [0:%.10g]\nset xtics 0,%.10g format '%%g'\n"
              "set yrange [0:%.10g]\nset ytics 0,%.10g format '%%.%df'\nplot ",
              time->end, time->step, high * 1.06, step, script_step_decimals(step));
    uint32_t lines = lines_of(experiment);
    for (uint32_t v = 0; v < lines; v++)
        text_addf(script->out, "%s'-' with lines lw 2 lc rgb '%s' notitle", v > 0 ? ", " : "",
                  script_colour(v));
    text_add(script->out, "\n");
    for (uint32_t v = 0; v < lines; v++)
        draw_data(script, time, panel, &experiment->variants[v]);
}

bool script_reservation(struct script *script)
{
    const struct experiment *experiment = script->ranking->experiment;
    const struct panel *shown[PANEL_COUNT];
    int count = 0;
    for (size_t i = 0; i < PANEL_COUNT; i++)
        if (highest(experiment, &panels[i]) > 0)
            shown[count++] = &panels[i];
    if (count == 0)
        return false;
    struct script_time time = script_time(experiment);
    script->width = LEFT + PLOT_WIDTH + 52;
    int head = 130 + script_legend_extra_height(script, 24, lines_of(experiment));
    script->height = head + count * (PANEL_HEIGHT + PANEL_GAP) + 24;
    script_begin(script, experiment->variant_count > SCRIPT_LINES_MAX
                             ? "Over time, means of the replications (the first ten strategies)"
                             : "Over time, means of the replications");
    script_legend(script, 24, 54, lines_of(experiment));
    for (int i = 0; i < count; i++) {
        if (i > 0)
            text_add(script->out, "unset label\nunset arrow\nunset object\n");
        script_timeline(script, &time, LEFT, PLOT_WIDTH, i == 0 ? head - 30 : 0);
        draw_panel(script, &time, shown[i], head + i * (PANEL_HEIGHT + PANEL_GAP), i + 1 == count);
    }
    script_end(script);
    return true;
}
