#include "sim/report/html.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/experiment/files.h"
#include "sim/report/plots.h"
#include "sim/report/table.h"
#include "sim/run/story.h"

#define STORY_LINES_MAX 60 /* of each strategy; marks.csv has more */

static const char style[] =
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;"
    "color:#2b2f36;background:#f6f7f9;margin:0}\n"
    "main{max-width:1080px;margin:0 auto;padding:32px 24px 64px}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:40px 0 6px}\n"
    ".question{color:#5b626c;margin:0 0 12px}\n"
    ".answer{background:#fff;border-left:4px solid #3b6fb6;padding:14px 18px;border-radius:3px;"
    "font-size:16.5px}\n"
    ".note{color:#6f7780;font-size:13px;margin:4px 0 12px}\n"
    ".wide{overflow-x:auto;background:#fff;border:1px solid #e4e7eb;border-radius:4px}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}\n"
    "th,td{padding:6px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid #eef0f3}\n"
    "th{font-weight:600;font-size:13px;color:#5b626c;vertical-align:bottom}\n"
    "th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:#fff}\n"
    "td small,th small{color:#8a9099;font-weight:400;font-size:11px;display:block}\n"
    "table.story td{text-align:left}\n"
    "td.best{background:#e3f1e6;font-weight:600}td.tied{background:#f3f9f4}\n"
    "figure{margin:12px 0;background:#fff;border:1px solid #e4e7eb;border-radius:4px;padding:8px}\n"
    "figure svg{width:100%;height:auto;display:block}\n"
    "figcaption{color:#6f7780;font-size:13px;padding:4px 16px 8px}\n"
    "summary{cursor:pointer;font-size:19px;font-weight:600;margin:40px 0 6px}\n"
    "code,pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}\n"
    "pre{background:#fff;border:1px solid #e4e7eb;border-radius:4px;padding:12px;"
    "overflow-x:auto}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;font-size:13px}\n"
    "dt{color:#6f7780}dd{margin:0;overflow-wrap:anywhere}\n";

static void add_escaped(const char *text, struct text *out)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            text_add(out, "&amp;");
            break;
        case '<':
            text_add(out, "&lt;");
            break;
        case '>':
            text_add(out, "&gt;");
            break;
        case '"':
            text_add(out, "&quot;");
            break;
        default:
            text_add_n(out, text, 1);
        }
    }
}

static void add_heading_row(const struct ranking *ranking, struct text *out)
{
    text_add(out, "<tr><th>strategy</th>");
    for (uint32_t c = 0; c < ranking->column_count; c++) {
        enum metric metric = ranking->columns[c].metric;
        text_addf(out, "<th title=\"%s\">%s<small>%s</small></th>", metric_infos[metric].name,
                  metric_infos[metric].label, ranking_unit(metric));
    }
    text_add(out, "</tr>\n");
}

static void add_cell(const struct ranking *ranking, uint32_t c, uint32_t v, struct text *out)
{
    static const char *const classes[] = {[RANK_NONE] = "",
                                          [RANK_BEST] = " class=\"best\"",
                                          [RANK_TIED] = " class=\"tied\"",
                                          [RANK_UNTESTED] = "",
                                          [RANK_WORSE] = ""};
    const struct ranking_column *column = &ranking->columns[c];
    const struct experiment_variant *variant = &ranking->experiment->variants[v];
    const struct statistics_summary *summary = &variant->summaries[column->metric];
    int decimals = ranking_decimals(ranking, column);
    text_addf(out, "<td%s>", classes[column->cells[v].rank]);
    ranking_format_value(column->metric, variant->points[column->metric], decimals, out);
    text_add(out, column->cells[v].rank == RANK_TIED ? " ~" : "");
    if (!isnan(summary->low)) {
        text_add(out, "<small>");
        ranking_format_value(column->metric, summary->low, decimals, out);
        text_add(out, " &ndash; ");
        ranking_format_value(column->metric, summary->high, decimals, out);
        text_add(out, "</small>");
    }
    text_add(out, "</td>");
}

static void add_table(const struct ranking *ranking, struct text *out)
{
    text_add(out, "<h2>Strategies by figure</h2>\n<div class=\"wide\"><table>\n");
    add_heading_row(ranking, out);
    for (uint32_t v = 0; v < ranking->experiment->variant_count; v++) {
        text_add(out, "<tr><td>");
        add_escaped(ranking->experiment->variants[v].name, out);
        text_addf(out, "%s</td>",
                  v == ranking->experiment->baseline ? "<small>baseline</small>" : "");
        for (uint32_t c = 0; c < ranking->column_count; c++)
            add_cell(ranking, c, v, out);
        text_add(out, "</tr>\n");
    }
    text_addf(out,
              "</table></div>\n<p class=\"note\">Means of %" PRIu32
              " replications with 95%% intervals (p50, p95 and p99 of waits: of all replications "
              "together). Green: the best of its column; light green, ~: not significantly "
              "different from it (paired t test, Holm-corrected over the table, 5%%).</p>\n",
              ranking->experiment->replication_count);
}

static void add_picture(const char *folder, int plot, struct text *out)
{
    struct text svg = TEXT_INIT, name = TEXT_INIT;
    struct berth_error ignored = BERTH_ERROR_INIT;
    text_addf(&name, "%s.svg", plot_infos[plot].name);
    char *path = files_join(folder, name.bytes);
    const char *start = NULL;
    if (files_exist(path) && files_read(path, &svg, &ignored) == BERTH_OK)
        start = strstr(svg.bytes, "<svg");
    if (start != NULL) {
        text_addf(out, "<h2>%s</h2>\n<figure>\n", plot_infos[plot].title);
        text_add(out, start);
        text_addf(out, "<figcaption>%s</figcaption></figure>\n", plot_infos[plot].caption);
    }
    mem_free(path);
    text_free(&name);
    text_free(&svg);
}

static void add_pictures(const char *folder, struct text *out)
{
    if (folder == NULL) {
        text_add(out,
                 "<p class=\"note\">This report was made without plots. With gnuplot installed "
                 "(Debian: gnuplot-nox) and without --no-plots it has them.</p>\n");
        return;
    }
    for (int plot = 0; plot < PLOT_COUNT; plot++)
        add_picture(folder, plot, out);
}

static void add_p(double p, struct text *out)
{
    if (isnan(p))
        text_add(out, "-");
    else if (p < 0.001)
        text_add(out, "&lt; 0.001");
    else
        text_addf(out, "%.3f", p);
}

static void add_comparison(const struct experiment *experiment,
                           const struct experiment_comparison *comparison, struct text *out)
{
    const struct statistics_test *test = &comparison->test;
    enum metric metric = comparison->metric;
    double scale = ranking_unit(metric)[0] == '%' ? 100 : 1;
    double mean = experiment->variants[experiment->baseline].summaries[metric].mean;
    text_add(out, "<tr><td>");
    add_escaped(experiment->variants[comparison->variant].name, out);
    text_addf(out, "</td><td>%s</td><td>%.5g</td><td>%.5g &ndash; %.5g</td><td>",
              metric_infos[metric].name, test->difference * scale, test->low * scale,
              test->high * scale);
    if (mean != 0 && !isnan(mean))
        text_addf(out, "%+.1f%%", 100 * test->difference / fabs(mean));
    text_add(out, "</td><td>");
    add_p(comparison->p_holm, out);
    text_add(out, "</td></tr>\n");
}

static void add_comparisons(const struct experiment *experiment, struct text *out)
{
    if (experiment->comparison_count == 0)
        return;
    uint32_t shown = 0;
    struct text rows = TEXT_INIT;
    for (size_t i = 0; i < experiment->comparison_count; i++) {
        const struct experiment_comparison *comparison = &experiment->comparisons[i];
        if (!statistics_is_significant(comparison->p_holm))
            continue;
        add_comparison(experiment, comparison, &rows);
        shown++;
    }
    text_addf(
        out,
        "<details><summary>Significant differences from the baseline: %" PRIu32
        " of %zu</summary>\n<p class=\"note\">Paired differences with 95%% intervals; p is "
        "Holm-corrected over all %zu comparisons. Ratios are in percentage points.</p>\n"
        "<div class=\"wide\"><table><tr><th>strategy</th><th>figure</th><th>difference</th>"
        "<th>95%% interval</th><th>relative</th><th>p</th></tr>\n%s</table></div></details>\n",
        shown, experiment->comparison_count, experiment->comparison_count,
        rows.bytes != NULL ? rows.bytes : "");
    text_free(&rows);
}

/* "00:25:10" since the start of the run, with days when there are any. */
static void add_clock(berth_ns at_ns, struct text *out)
{
    int64_t seconds = at_ns / BERTH_NS_PER_S;
    if (seconds >= 86400)
        text_addf(out, "%" PRId64 " d ", seconds / 86400);
    text_addf(out, "%02d:%02d:%02d", (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
              (int)(seconds % 60));
}

static void add_mark(const struct scenario *scenario, const struct story_mark *mark,
                     struct text *out)
{
    static const char *const words[] = {
        [MARK_TIMELINE] = "timeline",         [MARK_FAULT] = "fault",
        [MARK_REPAIR] = "repaired",           [MARK_DEPLOYMENT] = "deployment of",
        [MARK_COMPLETED] = "completed",       [MARK_FAILED] = "failed",
        [MARK_ROLLBACK] = "is rolled back to"};
    text_add(out, "<tr><td>");
    add_clock(mark->at_ns, out);
    text_add(out, "</td><td>");
    if (mark->service < scenario->service_count)
        add_escaped(scenario->services[mark->service].name, out);
    text_addf(out, "</td><td>%s</td><td>", words[mark->kind]);
    add_escaped(mark->text, out);
    text_add(out, "</td></tr>\n");
}

static void add_stories(const struct experiment *experiment, struct text *out)
{
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        const struct experiment_variant *variant = &experiment->variants[v];
        const struct story *story = variant->story;
        if (story == NULL || story->mark_count == 0)
            continue;
        uint32_t shown = story->mark_count < STORY_LINES_MAX ? story->mark_count : STORY_LINES_MAX;
        text_add(out, "<details><summary>What happened: ");
        add_escaped(variant->name, out);
        text_add(out, "</summary>\n<p class=\"note\">Replication 0, as an example.");
        if (shown < story->mark_count)
            text_addf(out, " The first %" PRIu32 " of %" PRIu32 " lines; marks.csv has all.", shown,
                      story->mark_count + story->marks_left_out);
        text_add(out, "</p>\n<div class=\"wide\"><table class=\"story\"><tr><th>at</th>"
                      "<th>service</th><th>what</th><th></th></tr>\n");
        for (uint32_t i = 0; i < shown; i++)
            add_mark(variant->scenario, &story->marks[i], out);
        text_add(out, "</table></div></details>\n");
    }
}

static void add_all_figures(const struct experiment *experiment, struct text *out)
{
    text_add(out, "<details><summary>All figures</summary>\n<p class=\"note\">Means over the "
                  "replications, under the names of summary.json and metrics.csv.</p>\n"
                  "<div class=\"wide\"><table><tr><th>figure</th><th>unit</th>");
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        text_add(out, "<th>");
        add_escaped(experiment->variants[v].name, out);
        text_add(out, "</th>");
    }
    text_add(out, "</tr>\n");
    for (int m = 0; m < METRIC_COUNT; m++) {
        text_addf(out, "<tr><td>%s</td><td>%s</td>", metric_infos[m].name, metric_infos[m].unit);
        for (uint32_t v = 0; v < experiment->variant_count; v++) {
            double mean = experiment->variants[v].summaries[m].mean;
            if (isnan(mean))
                text_add(out, "<td>-</td>");
            else
                text_addf(out, "<td>%.6g</td>", mean == 0 ? 0 : mean);
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</table></div></details>\n");
}

static void add_origin(const struct experiment *experiment, struct text *out)
{
    text_addf(
        out,
        "<h2>Where these numbers come from</h2>\n<dl><dt>berth</dt><dd>%s</dd>"
        "<dt>build id</dt><dd>%s</dd><dt>scenario hash</dt><dd>%s</dd><dt>seed</dt><dd>%" PRIu64
        "</dd><dt>replications</dt><dd>%" PRIu32 "</dd></dl>\n",
        BERTH_VERSION, berth_build_id, experiment->set->hash, experiment->seed,
        experiment->replication_count);
    text_add(out,
             "<p class=\"note\">The same scenario, seed and build give the same bytes. One "
             "replication of one strategy again:</p>\n<pre>berth replay summary.json --variant ");
    add_escaped(experiment->variants[experiment->baseline].name, out);
    text_add(out, " --replication 0</pre>\n");
}

void html_format(const struct ranking *ranking, const char *plots, struct text *out)
{
    const struct experiment *experiment = ranking->experiment;
    struct text answer = TEXT_INIT;
    table_format_answer(ranking, &answer);
    text_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n<title>berth: ");
    add_escaped(experiment->set->name, out);
    text_addf(out, "</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>", style);
    add_escaped(experiment->set->name, out);
    text_add(out, "</h1>\n<p class=\"question\">");
    add_escaped(experiment->set->question != NULL ? experiment->set->question : "", out);
    text_add(out, "</p>\n<p class=\"answer\">");
    add_escaped(answer.bytes, out);
    text_add(out, "</p>\n");
    add_table(ranking, out);
    add_pictures(plots, out);
    add_stories(experiment, out);
    add_comparisons(experiment, out);
    add_all_figures(experiment, out);
    add_origin(experiment, out);
    text_add(out, "</main></body></html>\n");
    text_free(&answer);
}
