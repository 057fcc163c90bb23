/*
 * script_metrics.c -- small multiples: one panel to a metric, one row to a strategy.
 *
 * A dot is the mean and its whisker the 95% interval. The best has a ring; what is
 * significantly worse is hollow. All panels of a row share the names.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/report/script.h"

#define PANEL_COLUMNS 3
#define PANEL_WIDTH 260
#define GUTTER 34
#define HEAD_HEIGHT 64
#define PANEL_FOOT 30

struct grid {
    int row_height; /* of one strategy */
    int names_width;
    int panel_height;
};

static struct grid lay_out(struct script *script)
{
    const struct experiment *experiment = script->ranking->experiment;
    struct grid grid = {.row_height = experiment->variant_count > 24 ? 13 : 22};
    size_t longest = 4;
    for (uint32_t v = 0; v < experiment->variant_count; v++)
        if (strlen(experiment->variants[v].name) > longest)
            longest = strlen(experiment->variants[v].name);
    grid.names_width = 40 + 7 * (int)(longest > 60 ? 60 : longest);
    grid.panel_height = grid.row_height * (int)experiment->variant_count + 8;
    int rows = ((int)script->ranking->column_count + PANEL_COLUMNS - 1) / PANEL_COLUMNS;
    int columns = (int)script->ranking->column_count;
    columns = columns > PANEL_COLUMNS ? PANEL_COLUMNS : columns;
    script->width = grid.names_width + columns * (PANEL_WIDTH + GUTTER);
    if (script->width < 640)
        script->width = 640;
    script->height = 40 + rows * (HEAD_HEIGHT + grid.panel_height + PANEL_FOOT) + 24;
    return grid;
}

static double scale_of(enum metric metric)
{
    return ranking_unit(metric)[0] == '%' ? 100 : 1;
}

/* The span of means and intervals, a little wider. */
static void find_range(const struct experiment *experiment, enum metric metric, double *low,
                       double *high)
{
    *low = HUGE_VAL;
    *high = -HUGE_VAL;
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        const struct experiment_variant *variant = &experiment->variants[v];
        const struct statistics_summary *summary = &variant->summaries[metric];
        double ends[] = {variant->points[metric], summary->low, summary->high};
        for (int i = 0; i < 3; i++) {
            if (isnan(ends[i]))
                continue;
            *low = fmin(*low, ends[i] * scale_of(metric));
            *high = fmax(*high, ends[i] * scale_of(metric));
        }
    }
    if (*low > *high)
        *low = *high = 0;
    double room = (*high - *low) * 0.08;
    if (room <= 1e-9 * fabs(*high))
        room = *high == 0 ? 1 : fabs(*high) * 0.1;
    *low -= room;
    *high += room;
}

static void head_panel(struct script *script, enum metric metric, int left, int top)
{
    static const char *const ways[] = {[METRIC_NEUTRAL] = "",
                                       [METRIC_LOWER_IS_BETTER] = "lower is better",
                                       [METRIC_HIGHER_IS_BETTER] = "higher is better"};
    struct text head = TEXT_INIT;
    text_add(&head, metric_infos[metric].label);
    if (ranking_unit(metric)[0] != '\0')
        text_addf(&head, ", %s", ranking_unit(metric));
    script_label(script, head.bytes, left, top - 24, "left", 12, SCRIPT_INK);
    script_label(script, ways[metric_infos[metric].direction], left, top - 9, "left", 9,
                 SCRIPT_FAINT);
    text_free(&head);
}

static void draw_row(const struct script *script, const struct ranking_column *column, uint32_t v)
{
    const struct experiment *experiment = script->ranking->experiment;
    const struct experiment_variant *variant = &experiment->variants[v];
    const struct statistics_summary *summary = &variant->summaries[column->metric];
    double scale = scale_of(column->metric), y = (double)experiment->variant_count - v;
    double point = variant->points[column->metric] * scale;
    enum rank rank = column->cells[v].rank;
    if (isnan(point))
        return;
    if (!isnan(summary->low))
        text_addf(script->out,
                  "set arrow from %.10g,%g to %.10g,%g nohead lw 2.5 lc rgb '%s' front\n",
                  summary->low * scale, y, summary->high * scale, y, script_colour(v));
    text_addf(script->out, "set label '' at %.10g,%g point pt 7 ps %s lc rgb '%s' front\n", point,
              y, "0.95", script_colour(v));
    if (rank == RANK_WORSE)
        text_addf(script->out, "set label '' at %.10g,%g point pt 7 ps 0.5 lc rgb 'white' front\n",
                  point, y);
    if (rank == RANK_BEST)
        text_addf(script->out,
                  "set label '' at %.10g,%g point pt 6 ps 1.7 lw 2 lc rgb '" SCRIPT_INK "' front\n",
                  point, y);
}

static void draw_panel(struct script *script, const struct grid *grid, uint32_t c)
{
    const struct experiment *experiment = script->ranking->experiment;
    const struct ranking_column *column = &script->ranking->columns[c];
    int left = grid->names_width + (int)(c % PANEL_COLUMNS) * (PANEL_WIDTH + GUTTER);
    int top = 40 + HEAD_HEIGHT +
              (int)(c / PANEL_COLUMNS) * (HEAD_HEIGHT + grid->panel_height + PANEL_FOOT);
    double low, high;
    find_range(experiment, column->metric, &low, &high);
    double step = script_step(low, high, 4);
    if (c > 0)
        text_add(script->out, "unset label\nunset arrow\n");
    script_panel(script, left, top, PANEL_WIDTH, grid->panel_height);
    head_panel(script, column->metric, left, top);
    text_addf(script->out,
              "set xrange [%.10g:%.10g]\nset xtics %.10g,%.10g format '%%.%df'\n"
              "set yrange [0.4:%" PRIu32 ".6]\nset ytics 1 scale 0 format ''\n",
              low, high, ceil(low / step) * step, step, script_step_decimals(step),
              experiment->variant_count);
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        if (c % PANEL_COLUMNS == 0) {
            double part = (0.6 + v) / (0.2 + experiment->variant_count);
            script_label(script, experiment->variants[v].name, left - 12,
                         top + (int)(part * grid->panel_height), "right",
                         grid->row_height > 20 ? 11 : 9, SCRIPT_INK);
        }
        draw_row(script, column, v);
    }
    text_add(script->out, "plot NaN notitle\n");
}

bool script_metrics(struct script *script)
{
    if (script->ranking->column_count == 0)
        return false;
    struct grid grid = lay_out(script);
    script_begin(script, "Strategies by figure: mean and 95% interval");
    for (uint32_t c = 0; c < script->ranking->column_count; c++)
        draw_panel(script, &grid, c);
    script_end(script);
    return true;
}
