#include "sim/report/results.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/experiment/files.h"
#include "sim/experiment/summary.h"
#include "sim/report/csv.h"
#include "sim/report/html.h"
#include "sim/report/plots.h"

/* Everything berth may put into the folder, in the order of publication. */
static const char *const names[] = {
    "plots/metrics.svg",     "plots/metrics.png", "plots/reservation.svg",
    "plots/reservation.png", "plots/waits.svg",   "plots/waits.png",
    "plots/heat.svg",        "plots/heat.png",    "plots/services.svg",
    "plots/services.png",    "report.html",       "events.jsonl",
    "timeline.csv",          "services.csv",      "marks.csv",
    "metrics.csv",           "summary.json",
};

struct results {
    const struct experiment *experiment;
    const struct results_options *options;
    char *stage; /* PARTS/new */
};

static enum berth_err write_staged(const struct results *results, const char *name,
                                   const struct text *text, struct berth_error *err)
{
    char *path = files_join(results->stage, name);
    enum berth_err code = files_write(path, text, err);
    mem_free(path);
    return code;
}

static enum berth_err write_tables(const struct results *results, struct berth_error *err)
{
    static const struct {
        const char *name;
        void (*format)(const struct experiment *experiment, struct text *out);
    } tables[] = {{"summary.json", summary_format},
                  {"metrics.csv", csv_format_metrics},
                  {"timeline.csv", csv_format_timeline},
                  {"services.csv", csv_format_services},
                  {"marks.csv", csv_format_marks}};
    enum berth_err code = BERTH_OK;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && code == BERTH_OK; i++) {
        struct text text = TEXT_INIT;
        tables[i].format(results->experiment, &text);
        code = write_staged(results, tables[i].name, &text, err);
        text_free(&text);
    }
    return code;
}

/* {"at":...} becomes {"variant":"spread","at":...}: one file tells all strategies apart. */
static void copy_lines(FILE *in, const struct text *head, FILE *out)
{
    char block[1 << 15];
    bool at_start = true, needs_comma = false;
    for (size_t got; (got = fread(block, 1, sizeof block, in)) > 0;) {
        for (const char *at = block, *end = block + got; at < end;) {
            if (needs_comma && *at != '}')
                (void)putc(',', out);
            needs_comma = at_start && *at == '{';
            if (needs_comma) {
                (void)fwrite(head->bytes, 1, head->length, out);
                at_start = false;
                at++;
                continue;
            }
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            const char *stop = newline != NULL ? newline + 1 : end;
            (void)!fwrite(at, 1, (size_t)(stop - at), out);
            at_start = newline != NULL;
            at = stop;
        }
    }
}

static enum berth_err append_events(const struct results *results, uint32_t variant, FILE *out,
                                    struct berth_error *err)
{
    char *path = experiment_events_path(results->options->parts, variant);
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        enum berth_err code =
            berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s; run it again", path, strerror(errno));
        mem_free(path);
        return code;
    }
    mem_free(path);
    struct text head = TEXT_INIT;
    text_add(&head, "{\"variant\":");
    text_add_json(&head, results->experiment->variants[variant].name);
    copy_lines(in, &head, out);
    text_free(&head);
    (void)fclose(in);
    return BERTH_OK;
}

static enum berth_err write_events(const struct results *results, struct results_written *written,
                                   struct berth_error *err)
{
    const struct experiment *experiment = results->experiment;
    enum berth_err code = BERTH_OK;
    struct files_writer writer = {NULL, NULL, NULL};
    for (uint32_t v = 0; v < experiment->variant_count && code == BERTH_OK; v++) {
        if (!experiment->variants[v].scenario->run.writes_events)
            continue;
        if (writer.out == NULL) {
            char *path = files_join(results->stage, "events.jsonl");
            code = files_create(path, &writer, err);
            mem_free(path);
            if (code != BERTH_OK)
                return code;
            struct text origin = TEXT_INIT;
            csv_format_origin(experiment, &origin);
            fprintf(writer.out, "{\"origin\":\"%s\"}\n", origin.bytes);
            text_free(&origin);
        }
        code = append_events(results, v, writer.out, err);
    }
    if (code == BERTH_OK && writer.out != NULL) {
        written->has_events = true;
        return files_commit(&writer, err);
    }
    files_abandon(&writer);
    return code;
}

static void say(const struct results *results, const char *line)
{
    if (results->options->notice != NULL)
        results->options->notice(results->options->context, line);
}

/* gnuplot does not say that the disk was full; a file of some size does. */
static enum berth_err check_room(const struct results *results, struct berth_error *err)
{
    struct text text = TEXT_INIT;
    for (int i = 0; i < 4096; i++)
        text_add(&text, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n");
    enum berth_err code = write_staged(results, "room", &text, err);
    text_free(&text);
    return code;
}

static enum berth_err write_plots(const struct results *results, const struct ranking *ranking,
                                  const char *folder, struct results_written *written,
                                  struct berth_error *err)
{
    struct text line = TEXT_INIT, complaint = TEXT_INIT;
    enum plots_state state = plots_write(ranking, folder, results->stage, &complaint);
    enum berth_err code = state == PLOTS_FAILED ? check_room(results, err) : BERTH_OK;
    text_addf(&line, "no plots: gnuplot failed: %s",
              complaint.length > 0 ? complaint.bytes : "it gave no reason");
    written->has_plots = state == PLOTS_WRITTEN;
    if (state == PLOTS_NO_GNUPLOT)
        say(results, "no plots: gnuplot is not installed (Debian: apt-get install gnuplot-nox)");
    else if (state == PLOTS_FAILED && code == BERTH_OK)
        say(results, line.bytes);
    if (!written->has_plots)
        files_empty_folder(folder);
    text_free(&line);
    text_free(&complaint);
    return code;
}

static enum berth_err write_pictures(const struct results *results, struct results_written *written,
                                     struct berth_error *err)
{
    struct ranking *ranking = ranking_create(results->experiment);
    char *folder = files_join(results->stage, "plots");
    enum berth_err code = BERTH_OK;
    if (results->options->wants_plots)
        code = write_plots(results, ranking, folder, written, err);
    if (code == BERTH_OK) {
        struct text html = TEXT_INIT;
        html_format(ranking, written->has_plots ? folder : NULL, &html);
        code = write_staged(results, "report.html", &html, err);
        text_free(&html);
    }
    mem_free(folder);
    ranking_destroy(ranking);
    return code;
}

static enum berth_err publish(const struct results *results, struct berth_error *err)
{
    char *plots = files_join(results->options->folder, "plots");
    enum berth_err code = files_make_folder(plots, err);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && code == BERTH_OK; i++) {
        char *from = files_join(results->stage, names[i]);
        char *to = files_join(results->options->folder, names[i]);
        if (files_exist(from))
            code = files_rename(from, to, err);
        else
            files_remove(to);
        mem_free(from);
        mem_free(to);
    }
    files_remove(plots); /* stays when there is anything in it */
    mem_free(plots);
    return code;
}

enum berth_err results_write(const struct experiment *experiment,
                             const struct results_options *options, struct results_written *out,
                             struct berth_error *err)
{
    *out = (struct results_written){false, false};
    struct results results = {experiment, options, files_join(options->parts, "new")};
    char *plots = files_join(results.stage, "plots");
    files_empty_folder(results.stage);
    enum berth_err code = files_make_folder(plots, err);
    mem_free(plots);
    if (code == BERTH_OK)
        code = write_tables(&results, err);
    if (code == BERTH_OK)
        code = write_events(&results, out, err);
    if (code == BERTH_OK)
        code = write_pictures(&results, out, err);
    if (code == BERTH_OK && options->stop != NULL && *options->stop != 0)
        code = berth_fail(err, BERTH_ERR_INTERRUPTED,
                          "interrupted: all replications are finished and kept in %s; the same "
                          "command writes the results",
                          options->parts);
    if (code == BERTH_OK)
        code = publish(&results, err);
    if (code == BERTH_OK) {
        files_empty_folder(options->parts);
        files_remove(options->parts);
    }
    mem_free(results.stage);
    return code;
}
