#include "sim/report/script.h"

#include <math.h>
#include <string.h>

#include "sim/report/csv.h"

/* Ten hues of like weight, told apart by most colour-blind readers in the order given. */
static const char *const colours[] = {"#3b6fb6", "#e8871e", "#3f9b57", "#d1495b", "#6c4f9c",
                                      "#2aa1a8", "#9a6b4b", "#c9a227", "#d277b0", "#6f7780"};

const char *script_colour(uint32_t variant)
{
    return colours[variant % (sizeof colours / sizeof colours[0])];
}

void script_quote(const char *text, struct text *out)
{
    text_add(out, "'");
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            text_add(out, "''");
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            text_add(out, "?");
        else
            text_add_n(out, text, 1);
    }
    text_add(out, "'");
}

void script_label(struct script *script, const char *text, int x, int y, const char *place,
                  int font_size, const char *colour)
{
    text_add(script->out, "set label ");
    script_quote(text, script->out);
    text_addf(script->out, " at screen %.6f,%.6f %s font ',%d' tc rgb '%s' noenhanced front\n",
              (double)x / script->width, 1 - (double)y / script->height, place, font_size, colour);
}

void script_begin(struct script *script, const char *title)
{
    struct text origin = TEXT_INIT;
    csv_format_origin(script->ranking->experiment, &origin);
    text_add(script->out, "reset\n"
                          "set encoding utf8\n"
                          "set border 0\n"
                          "set tics scale 0 nomirror tc rgb '" SCRIPT_FAINT "' font ',10'\n"
                          "set grid lt 1 lw 1 lc rgb '" SCRIPT_GRID "'\n"
                          "unset key\n");
    text_add(script->out, "set multiplot\n");
    script_label(script, title, 24, 26, "left", 15, SCRIPT_INK);
    script_label(script, origin.bytes, script->width - 12, script->height - 10, "right", 6,
                 SCRIPT_FAINT);
    text_free(&origin);
}

void script_end(struct script *script)
{
    text_add(script->out, "unset multiplot\n");
}

void script_panel(struct script *script, int left, int top, int width, int height)
{
    double w = script->width, h = script->height;
    text_addf(script->out,
              "set lmargin at screen %.6f\nset rmargin at screen %.6f\n"
              "set tmargin at screen %.6f\nset bmargin at screen %.6f\n",
              left / w, (left + width) / w, 1 - top / h, 1 - (top + height) / h);
}

#define LEGEND_LINE 17

/* Moves (x, y) to where the name of `width` goes, on the next line when this one is full. */
static void flow(const struct script *script, int left, int width, int *x, int *y)
{
    if (*x + width > script->width - 12 && *x > left) {
        *x = left;
        *y += LEGEND_LINE;
    }
}

static int legend_width(const struct script *script, uint32_t variant)
{
    return 34 + 7 * (int)strlen(script->ranking->experiment->variants[variant].name);
}

int script_legend_extra_height(const struct script *script, int x, uint32_t count)
{
    int at = x, y = 0;
    for (uint32_t v = 0; v < count; v++) {
        flow(script, x, legend_width(script, v), &at, &y);
        at += legend_width(script, v);
    }
    return y;
}

void script_legend(struct script *script, int x, int y, uint32_t count)
{
    int at = x;
    for (uint32_t v = 0; v < count; v++) {
        flow(script, x, legend_width(script, v), &at, &y);
        text_addf(script->out,
                  "set arrow from screen %.6f,%.6f to screen %.6f,%.6f nohead lw 4 lc rgb '%s'\n",
                  (double)at / script->width, 1 - (double)y / script->height,
                  (double)(at + 16) / script->width, 1 - (double)y / script->height,
                  script_colour(v));
        script_label(script, script->ranking->experiment->variants[v].name, at + 21, y, "left", 10,
                     SCRIPT_INK);
        at += legend_width(script, v);
    }
}

double script_step(double low, double high, int most)
{
    double span = high - low;
    double step = pow(10, floor(log10(span / most)));
    static const double rounds[] = {1, 2, 2.5, 5, 10};
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++)
        if (span / (step * rounds[i]) <= most)
            return step * rounds[i];
    return step * 20;
}

int script_step_decimals(double step)
{
    int decimals = 0;
    while (decimals < 9 && fabs(step - round(step)) > 1e-6 * step) {
        step *= 10;
        decimals++;
    }
    return decimals;
}

struct script_time script_time(const struct experiment *experiment)
{
    double seconds = 0;
    for (uint32_t v = 0; v < experiment->variant_count; v++)
        seconds = fmax(seconds, (double)experiment->variants[v].scenario->run.duration_ns /
                                    (double)BERTH_NS_PER_S);
    if (seconds <= 0)
        seconds = 1;
    struct script_time time = {"days", 86400, 0, 0};
    if (seconds <= 600)
        time = (struct script_time){"s", 1, 0, 0};
    else if (seconds <= 3 * 3600)
        time = (struct script_time){"min", 60, 0, 0};
    else if (seconds <= 3 * 86400)
        time = (struct script_time){"h", 3600, 0, 0};
    time.end = seconds / time.seconds;
    static const double clock[] = {1, 2, 3, 4, 6, 12}; /* hours and minutes divide unlike tens */
    time.step = script_step(0, time.end, 12);
    for (size_t i = 0; time.seconds == 3600 && i < sizeof clock / sizeof clock[0]; i++) {
        if (time.end / clock[i] <= 12) {
            time.step = clock[i];
            break;
        }
    }
    return time;
}

static void mark_entry(struct script *script, const struct script_time *time,
                       const struct scenario_timeline *entry)
{
    double unit = time->seconds * (double)BERTH_NS_PER_S;
    double at = (double)entry->at_ns / unit;
    if (entry->kind == TIMELINE_FAIL && entry->duration_ns != BERTH_NS_NEVER)
        text_addf(script->out,
                  "set object rect from first %.6f, graph 0 to first %.6f, graph 1 behind "
                  "fc rgb '#f3d9d5' fs solid 0.45 noborder\n",
                  at, fmin(time->end, at + (double)entry->duration_ns / unit));
    text_addf(script->out,
              "set arrow from first %.6f, graph 0 to first %.6f, graph 1 nohead lw 1 dt '-' "
              "lc rgb '%s'\n",
              at, at, entry->kind == TIMELINE_FAIL ? "#c0392b" : SCRIPT_FAINT);
}

void script_timeline(struct script *script, const struct script_time *time, int left, int width,
                     int top_y)
{
    const struct experiment *experiment = script->ranking->experiment;
    const struct scenario *scenario = experiment->variants[experiment->baseline].scenario;
    int free_from[3] = {0, 0, 0}; /* right edge of the last name on each of three lines */
    for (uint32_t i = 0; i < scenario->timeline_count && i < 60; i++) {
        const struct scenario_timeline *entry = &scenario->timeline[i];
        double at = (double)entry->at_ns / (double)BERTH_NS_PER_S / time->seconds;
        if (at > time->end)
            continue;
        mark_entry(script, time, entry);
        int x = left + (int)(at / time->end * width);
        int name_width = 6 * (int)strlen(entry->name) + 10;
        if (x + name_width > script->width)
            x = script->width - name_width;
        for (int line = 0; top_y > 0 && line < 3; line++) {
            if (x < free_from[line])
                continue;
            script_label(script, entry->name, x, top_y - 13 * line, "left", 9,
                         entry->kind == TIMELINE_FAIL ? "#c0392b" : SCRIPT_FAINT);
            free_from[line] = x + name_width;
            break;
        }
    }
}
