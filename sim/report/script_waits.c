/*
 * script_waits.c -- the waits of all replications together: what share waited longer than t?
 *
 * Both axes are logarithmic, since what matters are the few that wait long. Where a line crosses
 * 5% is the 95th percentile. Tasks placed without any wait are what is missing to 100% on the left;
 * a strategy that made nobody wait has no line.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/report/script.h"
#include "sim/run/histogram.h"

#define LEFT 90
#define PLOT_WIDTH 830
#define PLOT_HEIGHT 380
#define HEAD 118

struct span {
    double shortest, longest; /* seconds; the shortest hundredth of those that waited is cut off */
    double rarest, commonest; /* shares drawn */
};

static double zero_count(const struct histogram *waits)
{
    int64_t upper = 0;
    uint64_t in_bucket = 0;
    if (histogram_count(waits) > 0)
        histogram_bucket(waits, 0, &upper, &in_bucket);
    return upper == 0 ? (double)in_bucket : 0;
}

/* For a step line: the end of each bucket and the share, in percent, that waited longer. */
static void visit(const struct histogram *waits, struct span *span, struct text *out)
{
    uint32_t count = histogram_bucket_count(waits);
    double total = (double)histogram_count(waits), zeros = zero_count(waits), seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t upper;
        uint64_t in_bucket;
        histogram_bucket(waits, i, &upper, &in_bucket);
        double before = 1 - seen / total;
        seen += (double)in_bucket;
        if (upper <= 0)
            continue;
        double seconds = (double)upper / (double)BERTH_NS_PER_S;
        if (seen - zeros >= 0.01 * (total - zeros))
            span->shortest = fmin(span->shortest, seconds);
        span->longest = fmax(span->longest, seconds);
        span->rarest = fmin(span->rarest, before);
        span->commonest = fmax(span->commonest, before);
        if (out != NULL)
            text_addf(out, "%.6g %.6g\n", seconds, fmax(100 * (1 - seen / total), 1e-9));
    }
}

static struct span find_span(const struct experiment *experiment, uint32_t lines)
{
    struct span span = {HUGE_VAL, 0, 1, 0};
    for (uint32_t v = 0; v < lines; v++)
        visit(experiment->variants[v].waits, &span, NULL);
    span.shortest = fmax(span.shortest, span.longest * 1e-6) / 1.2;
    span.longest *= 1.2;
    return span;
}

/* From the left edge, where everyone is who waited at all. */
static void draw_line(const struct script *script, const struct histogram *waits, struct span *span)
{
    double total = (double)histogram_count(waits), zeros = zero_count(waits);
    if (total > zeros) {
        text_addf(script->out, "%.6g %.6g\n", span->shortest / 10, 100 * (1 - zeros / total));
        visit(waits, &(struct span){0}, script->out);
    } else { /* gnuplot wants a point from everyone */
        text_add(script->out, "NaN NaN\n");
    }
    text_add(script->out, "e\n");
}

static void draw_axes(struct script *script, const struct span *span)
{
    double foot = fmax(100 * span->rarest, 1e-3) / 1.3;
    double top = fmin(130, fmax(200 * span->commonest, 10 * foot));
    text_addf(script->out,
              "set logscale xy\nset xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\n"
              "set ytics ('100%%%%' 100, '10%%%%' 10, '1%%%%' 1, '0.1%%%%' 0.1, '0.01%%%%' 0.01, "
              "'0.001%%%%' 0.001)\n"
              "set xtics ('1 us' 1e-6, '10 us' 1e-5, '0.1 ms' 1e-4, '1 ms' 0.001, '10 ms' 0.01, "
              "'0.1 s' 0.1, '1 s' 1, '10 s' 10, "
              "'1 min' 60, '10 min' 600, '1 h' 3600, '10 h' 36000, '4 days' 345600)\n",
              span->shortest, span->longest, foot, top);
    if (top / foot < 300) /* too few powers of ten for an axis */
        text_add(script->out, "set ytics add ('50%%' 50, '20%%' 20, '5%%' 5, '2%%' 2, '0.5%%' 0.5, "
                              "'0.2%%' 0.2, '0.05%%' 0.05, '0.02%%' 0.02, '0.005%%' 0.005, "
                              "'0.002%%' 0.002)\n");
    static const struct {
        double share;
        const char *name;
    } guides[] = {{50, "median"}, {5, "p95"}, {1, "p99"}};
    for (size_t i = 0; i < sizeof guides / sizeof guides[0]; i++) {
        if (guides[i].share < foot || guides[i].share > top)
            continue;
        text_addf(script->out,
                  "set arrow from graph 0, first %g to graph 1, first %g nohead lw 1 dt '-' "
                  "lc rgb '" SCRIPT_FAINT "'\n"
                  "set label '%s' at graph 1, first %g left offset 0.6,0 font ',9' tc rgb "
                  "'" SCRIPT_FAINT "'\n",
                  guides[i].share, guides[i].share, guides[i].name, guides[i].share);
    }
}

bool script_waits(struct script *script)
{
    const struct experiment *experiment = script->ranking->experiment;
    uint32_t lines =
        experiment->variant_count < SCRIPT_LINES_MAX ? experiment->variant_count : SCRIPT_LINES_MAX;
    struct span span = find_span(experiment, lines);
    if (span.longest <= 0)
        return false;
    script->width = LEFT + PLOT_WIDTH + 80;
    int head = HEAD + script_legend_extra_height(script, 24, lines);
    script->height = head + PLOT_HEIGHT + 72;
    script_begin(script, "Placement waits: share of tasks that waited longer");
    script_legend(script, 24, 54, lines);
    script_panel(script, LEFT, head, PLOT_WIDTH, PLOT_HEIGHT);
    script_label(script, "waited longer than this", LEFT + PLOT_WIDTH, head + PLOT_HEIGHT + 40,
                 "right", 10, SCRIPT_FAINT);
    script_label(script, "of all tasks placed", LEFT, head - 12, "left", 10, SCRIPT_FAINT);
    draw_axes(script, &span);
    text_add(script->out, "plot ");
    for (uint32_t v = 0; v < lines; v++)
        text_addf(script->out, "%s'-' with steps lw 2 lc rgb '%s' notitle", v > 0 ? ", " : "",
                  script_colour(v));
    text_add(script->out, "\n");
    for (uint32_t v = 0; v < lines; v++)
        draw_line(script, experiment->variants[v].waits, &span);
    script_end(script);
    return true;
}
