/*
 * script_heat.c -- replication 0, instance by instance: light is idle, dark is full, red is down.
 *
 * Up to eight strategies have a panel; of more, the baseline and the best of each column come
 * first. Many samples are thinned out to what a picture can show.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/report/script.h"

#define PANELS_MAX 8
#define PANEL_WIDTH 440
#define LEFT 60
#define GUTTER 66
#define HEAD 70
#define TITLE_HEIGHT 30
#define FOOT 36
#define COLUMNS_MAX 220

static bool has_heat(const struct experiment_variant *variant)
{
    return variant->heat != NULL && variant->heat_rows > 0 && variant->sample_count > 0;
}

static void add_choice(const struct experiment *experiment, uint32_t variant, bool *chosen,
                       uint32_t *count)
{
    if (variant == RANKING_NOBODY || chosen[variant] || *count == PANELS_MAX ||
        !has_heat(&experiment->variants[variant]))
        return;
    chosen[variant] = true;
    ++*count;
}

static uint32_t choose(const struct ranking *ranking, bool *chosen)
{
    uint32_t count = 0;
    add_choice(ranking->experiment, ranking->experiment->baseline, chosen, &count);
    if (ranking->experiment->variant_count > PANELS_MAX)
        for (uint32_t c = 0; c < ranking->column_count; c++)
            add_choice(ranking->experiment, ranking->columns[c].best, chosen, &count);
    for (uint32_t v = 0; v < ranking->experiment->variant_count; v++)
        add_choice(ranking->experiment, v, chosen, &count);
    return count;
}

static int panel_height(const struct experiment *experiment, const bool *chosen)
{
    uint32_t rows = 1;
    for (uint32_t v = 0; v < experiment->variant_count; v++)
        if (chosen[v] && experiment->variants[v].heat_rows > rows)
            rows = experiment->variants[v].heat_rows;
    int height = (int)rows * 4;
    return height < 110 ? 110 : height > 260 ? 260 : height;
}

static void draw_cells(const struct script *script, const struct experiment_variant *variant)
{
    uint32_t stride = 1 + (variant->sample_count - 1) / COLUMNS_MAX;
    for (uint32_t row = 0; row < variant->heat_rows; row++) {
        for (uint32_t i = 0; i < variant->sample_count; i += stride) {
            int16_t cell = variant->heat[(size_t)row * variant->sample_count + i];
            text_addf(script->out, "%d ", cell < 0 ? -30 : cell / 10);
        }
        text_add(script->out, "\n");
    }
    text_add(script->out, "e\n");
}

/* Of a large fleet the rows are a choice: the title says of how many. */
static void label_panel(struct script *script, const struct experiment_variant *variant, int left,
                        int top)
{
    uint64_t instances = 0;
    struct text label = TEXT_INIT;
    for (uint32_t g = 0; g < variant->scenario->group_count; g++)
        instances += variant->scenario->groups[g].count;
    text_add(&label, variant->name);
    if (instances > variant->heat_rows)
        text_addf(&label, "  (%" PRIu32 " of %" PRIu64 " instances)", variant->heat_rows,
                  instances);
    script_label(script, label.bytes, left, top - 11, "left", 12, SCRIPT_INK);
    text_free(&label);
}

static void draw_panel(struct script *script, const struct script_time *time, uint32_t v, int left,
                       int top, int height)
{
    const struct experiment_variant *variant = &script->ranking->experiment->variants[v];
    uint32_t stride = 1 + (variant->sample_count - 1) / COLUMNS_MAX;
    double column_width = time->end * stride / variant->sample_count;
    double step = fmax(1, script_step(0, variant->heat_rows, 5));
    script_panel(script, left, top, PANEL_WIDTH, height);
    label_panel(script, variant, left, top);
    script_label(script, time->unit, left + PANEL_WIDTH + 14, top + height + 14, "left", 10,
                 SCRIPT_FAINT);
    text_addf(script->out,
              "set xrange [0:%.10g]\nset xtics 0,%.10g format '%%g'\n"
              "set yrange [-0.5:%g]\nset ytics 0,%.10g format '%%g'\n"
              "plot '-' matrix using (($1+0.5)*%.10g):2:3 with image notitle\n",
              time->end, time->step * 2, variant->heat_rows - 0.5, step, column_width);
    draw_cells(script, variant);
}

static void draw_scale(struct script *script)
{
    static const char *const steps[] = {"#f7fbff", "#c6dbef", "#6baed6", "#2171b5", "#08306b"};
    int x = script->width - 300, y = 30;
    for (int i = 0; i < 5; i++)
        text_addf(script->out,
                  "set object rect from screen %.6f,%.6f to screen %.6f,%.6f fc rgb '%s' "
                  "fs solid noborder front\n",
                  (double)(x + 36 * i) / script->width, 1 - (double)(y + 6) / script->height,
                  (double)(x + 36 * i + 36) / script->width, 1 - (double)(y - 6) / script->height,
                  steps[i]);
    text_addf(script->out,
              "set object rect from screen %.6f,%.6f to screen %.6f,%.6f fc rgb '#d1495b' "
              "fs solid noborder front\n",
              (double)(x + 210) / script->width, 1 - (double)(y + 6) / script->height,
              (double)(x + 228) / script->width, 1 - (double)(y - 6) / script->height);
    script_label(script, "idle", x - 6, y, "right", 9, SCRIPT_FAINT);
    script_label(script, "full", x + 184, y, "left", 9, SCRIPT_FAINT);
    script_label(script, "down", x + 234, y, "left", 9, SCRIPT_FAINT);
}

bool script_heat(struct script *script)
{
    const struct experiment *experiment = script->ranking->experiment;
    bool *chosen = mem_alloc(experiment->variant_count * sizeof *chosen);
    uint32_t count = choose(script->ranking, chosen), drawn = 0;
    int height = panel_height(experiment, chosen);
    int rows = (int)(count + 1) / 2;
    struct script_time time = script_time(experiment);
    script->width = LEFT + 2 * (PANEL_WIDTH + GUTTER);
    script->height = HEAD + rows * (TITLE_HEIGHT + height + FOOT) + 20;
    if (count > 0) {
        script_begin(script, "Reserved CPU of each instance over time (replication 0)");
        draw_scale(script);
        text_add(script->out,
                 "unset grid\nset cbrange [-30:100]\nunset colorbox\n"
                 "set palette maxcolors 261 defined (-30 '#d1495b', -1 '#d1495b', 0 '#f7fbff', "
                 "25 '#c6dbef', 50 '#6baed6', 75 '#2171b5', 100 '#08306b')\n");
    }
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        if (!chosen[v])
            continue;
        if (drawn > 0)
            text_add(script->out, "unset label\nunset object\n");
        draw_panel(script, &time, v, LEFT + (int)(drawn % 2) * (PANEL_WIDTH + GUTTER),
                   HEAD + TITLE_HEIGHT + (int)(drawn / 2) * (TITLE_HEIGHT + height + FOOT), height);
        drawn++;
    }
    if (count > 0)
        script_end(script);
    mem_free(chosen);
    return count > 0;
}
