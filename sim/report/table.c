#include "sim/report/table.h"

#include <inttypes.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define HEADING_LINES 3
#define HEADING_WIDTH 10

struct layout {
    const struct ranking *ranking;
    char (*headings)[HEADING_LINES][32]; /* by column; the last line is the unit */
    int *widths;
    int *decimals;
    int name_width;
};

/* The label over two lines, broken where the longer half is shortest. */
static void break_label(const char *label, char lines[HEADING_LINES][32])
{
    size_t length = strlen(label), best = length;
    for (size_t i = 0; length > HEADING_WIDTH && i < length; i++) {
        size_t longer = i > length - i - 1 ? i : length - i - 1;
        size_t longer_best = best > length - best ? best : length - best;
        if (label[i] == ' ' && longer < longer_best)
            best = i;
    }
    snprintf(lines[0], sizeof lines[0], "%.*s", (int)best, label);
    snprintf(lines[1], sizeof lines[1], "%s", best < length ? label + best + 1 : "");
    if (best == length) { /* a short label stands at the bottom */
        memcpy(lines[1], lines[0], sizeof lines[1]);
        lines[0][0] = '\0';
    }
}

static int width_of_values(const struct layout *layout, uint32_t c)
{
    const struct experiment *experiment = layout->ranking->experiment;
    enum metric metric = layout->ranking->columns[c].metric;
    size_t widest = 0;
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        struct text text = TEXT_INIT;
        ranking_format_value(metric, experiment->variants[v].points[metric], layout->decimals[c],
                             &text);
        widest = text.length > widest ? text.length : widest;
        text_free(&text);
    }
    return (int)widest;
}

static struct layout lay_out(const struct ranking *ranking)
{
    uint32_t columns = ranking->column_count;
    struct layout layout = {.ranking = ranking};
    layout.headings = mem_alloc((columns + 1) * sizeof *layout.headings);
    layout.widths = mem_alloc((columns + 1) * sizeof *layout.widths);
    layout.decimals = mem_alloc((columns + 1) * sizeof *layout.decimals);
    for (uint32_t c = 0; c < columns; c++) {
        enum metric metric = ranking->columns[c].metric;
        break_label(metric_infos[metric].label, layout.headings[c]);
        snprintf(layout.headings[c][2], sizeof layout.headings[c][2], "%s", ranking_unit(metric));
        layout.decimals[c] = ranking_decimals(ranking, &ranking->columns[c]);
        layout.widths[c] = width_of_values(&layout, c);
        for (int line = 0; line < HEADING_LINES; line++)
            if ((int)strlen(layout.headings[c][line]) > layout.widths[c])
                layout.widths[c] = (int)strlen(layout.headings[c][line]);
    }
    layout.name_width = 8;
    for (uint32_t v = 0; v < ranking->experiment->variant_count; v++)
        if ((int)strlen(ranking->experiment->variants[v].name) > layout.name_width)
            layout.name_width = (int)strlen(ranking->experiment->variants[v].name);
    return layout;
}

static void trim_line(struct text *out)
{
    while (out->length > 0 && out->bytes[out->length - 1] == ' ')
        out->bytes[--out->length] = '\0';
    text_add(out, "\n");
}

static void format_headings(const struct layout *layout, struct text *out)
{
    for (int line = 0; line < HEADING_LINES; line++) {
        text_addf(out, "  %-*s", layout->name_width, line == HEADING_LINES - 1 ? "strategy" : "");
        for (uint32_t c = 0; c < layout->ranking->column_count; c++)
            text_addf(out, "  %*s ", layout->widths[c], layout->headings[c][line]);
        trim_line(out);
    }
    int width = 2 + layout->name_width;
    for (uint32_t c = 0; c < layout->ranking->column_count; c++)
        width += layout->widths[c] + 3;
    text_add(out, "  ");
    for (int i = 2; i < width; i++)
        text_add(out, "-");
    text_add(out, "\n");
}

static void format_row(const struct layout *layout, uint32_t variant, struct text *out)
{
    static const char marks[] = {[RANK_NONE] = ' ',
                                 [RANK_BEST] = '*',
                                 [RANK_TIED] = '~',
                                 [RANK_UNTESTED] = ' ',
                                 [RANK_WORSE] = ' '};
    const struct ranking *ranking = layout->ranking;
    const struct experiment_variant *row = &ranking->experiment->variants[variant];
    text_addf(out, "  %-*s", layout->name_width, row->name);
    for (uint32_t c = 0; c < ranking->column_count; c++) {
        struct text value = TEXT_INIT;
        enum metric metric = ranking->columns[c].metric;
        ranking_format_value(metric, row->points[metric], layout->decimals[c], &value);
        text_addf(out, "  %*s%c", layout->widths[c], value.bytes,
                  marks[ranking->columns[c].cells[variant].rank]);
        text_free(&value);
    }
    trim_line(out);
}

static bool has_rank(const struct ranking *ranking, enum rank rank)
{
    for (uint32_t c = 0; c < ranking->column_count; c++)
        for (uint32_t v = 0; v < ranking->experiment->variant_count; v++)
            if (ranking->columns[c].cells[v].rank == rank)
                return true;
    return false;
}

static void format_legend(const struct ranking *ranking, struct text *out)
{
    const struct experiment *experiment = ranking->experiment;
    text_addf(out, "  mean of %" PRIu32 " replication%s", experiment->replication_count,
              experiment->replication_count == 1 ? "" : "s");
    if (has_rank(ranking, RANK_BEST))
        text_add(out, ";  * best of its column");
    if (has_rank(ranking, RANK_TIED))
        text_add(out, ";  ~ not significantly different from it (paired t, Holm, 5%)");
    if (has_rank(ranking, RANK_UNTESTED))
        text_add(out, ";  too few replications to test a difference");
    text_add(out, "\n");
}

void table_format(const struct ranking *ranking, struct text *out)
{
    struct layout layout = lay_out(ranking);
    format_headings(&layout, out);
    for (uint32_t v = 0; v < ranking->experiment->variant_count; v++)
        format_row(&layout, v, out);
    format_legend(ranking, out);
    mem_free(layout.headings);
    mem_free(layout.widths);
    mem_free(layout.decimals);
}
