/*
 * script.h -- what the plots share: sizes in pixels, colours of the variants, quoting, time axes.
 *
 * A script is gnuplot's language without terminal and output, which the caller sets from the size.
 */
#ifndef BERTH_SIM_REPORT_SCRIPT_H
#define BERTH_SIM_REPORT_SCRIPT_H

#include "sim/report/ranking.h"

#define SCRIPT_INK "#2b2f36"
#define SCRIPT_FAINT "#8a9099"
#define SCRIPT_GRID "#e4e7eb"
#define SCRIPT_LINES_MAX 10 /* variants drawn as lines: more cannot be told apart */

struct script {
    const struct ranking *ranking;
    struct text *out;
    int width, height; /* pixels; set by the plot before its first panel */
};

/* Each false when there is nothing to draw. */
bool script_metrics(struct script *script);
bool script_reservation(struct script *script);
bool script_waits(struct script *script);
bool script_heat(struct script *script);
bool script_services(struct script *script);

/* Settings that every plot begins with, the title on top and the origin at the foot. */
void script_begin(struct script *script, const char *title);
void script_end(struct script *script);

/* The axes' rectangle of the next panel. */
void script_panel(struct script *script, int left, int top, int width, int height);

/* A text at a place of the picture. `place`: left, center, right. */
void script_label(struct script *script, const char *text, int x, int y, const char *place,
                  int font_size, const char *colour);

const char *script_colour(uint32_t variant);
void script_quote(const char *text, struct text *out); /* 'it''s' */

/*
 * A stroke and a name for each of the first `count` variants, in lines from x to the right edge of
 * the picture; y is that of the first. The height of the lines after the first must be known
 * before.
 */
void script_legend(struct script *script, int x, int y, uint32_t count);
int script_legend_extra_height(const struct script *script, int x, uint32_t count);

/* Ticks at round numbers: at most `most` of them within [low, high]. */
double script_step(double low, double high, int most);
int script_step_decimals(double step);

struct script_time {
    const char *unit; /* "min" */
    double seconds;   /* in one of it */
    double end, step;
};
struct script_time script_time(const struct experiment *experiment);

/*
 * What the timeline of the baseline does, as lines across the panel from y1 to y2 (graph
 * coordinates 0..1); with names above when `top_y` (pixels) is positive.
 */
void script_timeline(struct script *script, const struct script_time *time, int left, int width,
                     int top_y);

#endif
