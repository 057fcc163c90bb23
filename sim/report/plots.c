#include "sim/report/plots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/report/csv.h"
#include "sim/report/script.h"

#define NOT_INSTALLED 127

const struct plot_info plot_infos[PLOT_COUNT] = {
    [PLOT_METRICS] =
        {"metrics", "The figures",
         "A dot is the mean of all replications, its whisker the 95% interval. Ringed: "
         "the best. Full: not told apart from the best. Hollow: significantly worse, "
         "or a figure without better and worse."},
    [PLOT_SERVICES] =
        {"services", "The services over time",
         "One run, replication 0. Coloured areas are running tasks, a colour for each deployment "
         "in order; above them, in orange, what is pending. Dashed: the desired count. Green: what "
         "the controller takes for healthy; purple: what really serves; both at their lowest "
         "within a step. Vertical lines are what happened: red a fault or a failed deployment, "
         "blue a deployment, grey the scenario's timeline. Below, where a service has a load: the "
         "requests of its clients."},
    [PLOT_RESERVATION] =
        {"reservation", "Over time",
         "Means of all replications. Dashed lines are what the scenario's timeline "
         "does; a tinted stretch is a failure that lasts."},
    [PLOT_WAITS] = {"waits", "How long tasks waited for a place",
                    "All replications together. A line further down and to the left is better; "
                    "where it crosses 5% is the 95th percentile. A strategy without a line made "
                    "nobody wait."},
    [PLOT_HEAT] = {"heat", "Every instance over time",
                   "One row to an instance, in order of registration: light is idle, dark is fully "
                   "reserved, red is down."},
};

static bool (*const drawers[PLOT_COUNT])(struct script *script) = {
    [PLOT_METRICS] = script_metrics,
    [PLOT_SERVICES] = script_services,
    [PLOT_RESERVATION] = script_reservation,
    [PLOT_WAITS] = script_waits,
    [PLOT_HEAT] = script_heat,
};

enum kind { KIND_SVG = 0, KIND_PNG, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"svg", "png"};

/* PNG by cairo where gnuplot has it, for its finer lines. */
static void format_terminal(enum kind kind, const struct script *script, struct text *out)
{
    int width = script->width, height = script->height;
    if (kind == KIND_SVG)
        text_addf(out,
                  "set terminal svg size %d,%d dynamic noenhanced font 'Helvetica,12' "
                  "background '#ffffff'\n",
                  width, height);
    else
        text_addf(out,
                  "if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {\n"
                  "set terminal pngcairo size %d,%d noenhanced font 'Helvetica,9' "
                  "background '#ffffff'\n"
                  "} else {\nset terminal png size %d,%d noenhanced\n}\n",
                  width, height, width, height);
}

static char *picture_path(const char *folder, enum plot plot, enum kind kind)
{
    struct text path = TEXT_INIT;
    text_addf(&path, "%s/%s.%s", folder, plot_infos[plot].name, kind_names[kind]);
    return path.bytes;
}

/* All plots that have data, as one script. */
static void format_script(const struct ranking *ranking, enum kind kind, const char *folder,
                          bool drawn[PLOT_COUNT], struct text *out)
{
    for (int plot = 0; plot < PLOT_COUNT; plot++) {
        struct text body = TEXT_INIT;
        struct script script = {.ranking = ranking, .out = &body};
        drawn[plot] = drawers[plot](&script);
        if (drawn[plot]) {
            char *path = picture_path(folder, (enum plot)plot, kind);
            format_terminal(kind, &script, out);
            text_add(out, "set output ");
            script_quote(path, out);
            text_add(out, "\n");
            text_add_n(out, body.bytes, body.length);
            text_add(out, "set output\n");
            mem_free(path);
        }
        text_free(&body);
    }
}

static pid_t start_gnuplot(const char *script, const char *log)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out >= 0) {
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
    }
    /* Nothing of the user's own settings may reach the picture. */
    execlp("gnuplot", "gnuplot", "-d", script, (char *)NULL);
    _exit(errno == ENOENT ? NOT_INSTALLED : 126);
}

static int await(pid_t pid)
{
    int status = 0;
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* gnuplot's own words, on one line. */
static void read_complaint(const char *log, struct text *complaint)
{
    struct text said = TEXT_INIT;
    struct berth_error ignored = BERTH_ERROR_INIT;
    if (files_read(log, &said, &ignored) == BERTH_OK) {
        for (size_t i = 0; i < said.length; i++)
            if (said.bytes[i] == '\n')
                said.bytes[i] = ' ';
        text_addf(complaint, "%.300s", said.bytes);
    }
    text_free(&said);
}

/* Cells have edges: a viewer that enlarges the heat map's image is not to blur them. */
static void add_sharp_images(const char *svg, struct text *out)
{
    static const char image[] = "<image ";
    for (const char *at; (at = strstr(svg, image)) != NULL; svg = at + strlen(image)) {
        text_add_n(out, svg, (size_t)(at - svg));
        text_add(out, "<image style='image-rendering:pixelated' ");
    }
    text_add(out, svg);
}

/*
 * gnuplot's header names its version; a picture is to say instead whose it is, and be the same for
 * the next gnuplot that draws alike.
 */
static bool sign_svg(const char *path, enum plot plot, const struct experiment *experiment)
{
    struct text svg = TEXT_INIT, signed_svg = TEXT_INIT;
    struct berth_error ignored = BERTH_ERROR_INIT;
    bool is_done = files_read(path, &svg, &ignored) == BERTH_OK;
    const char *title = is_done ? strstr(svg.bytes, "<title>") : NULL;
    const char *end = title != NULL ? strstr(title, "</desc>") : NULL;
    if (end != NULL) {
        text_add_n(&signed_svg, svg.bytes, (size_t)(title - svg.bytes));
        text_addf(&signed_svg, "<title>%s</title>\n<desc>", plot_infos[plot].title);
        csv_format_origin(experiment, &signed_svg);
        add_sharp_images(end, &signed_svg);
        is_done = files_write(path, &signed_svg, &ignored) == BERTH_OK;
    }
    text_free(&svg);
    text_free(&signed_svg);
    return is_done && end != NULL;
}

static bool are_there(const struct ranking *ranking, const char *folder,
                      const bool drawn[PLOT_COUNT])
{
    bool are = true;
    for (int plot = 0; plot < PLOT_COUNT; plot++) {
        for (int kind = 0; kind < KIND_COUNT && drawn[plot]; kind++) {
            char *path = picture_path(folder, (enum plot)plot, (enum kind)kind);
            are = are && (kind == KIND_SVG ? sign_svg(path, (enum plot)plot, ranking->experiment)
                                           : files_exist(path));
            mem_free(path);
        }
    }
    return are;
}

enum plots_state plots_write(const struct ranking *ranking, const char *folder, const char *scratch,
                             struct text *complaint)
{
    bool drawn[PLOT_COUNT], has_failed = false, is_missing = false;
    pid_t pids[KIND_COUNT];
    char *logs[KIND_COUNT];
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct text script = TEXT_INIT, name = TEXT_INIT;
        text_addf(&name, "%s.gnuplot", kind_names[kind]);
        char *path = files_join(scratch, name.bytes);
        format_script(ranking, (enum kind)kind, folder, drawn, &script);
        struct berth_error err = BERTH_ERROR_INIT;
        text_add(&name, ".log");
        logs[kind] = files_join(scratch, name.bytes);
        pids[kind] =
            files_write(path, &script, &err) == BERTH_OK ? start_gnuplot(path, logs[kind]) : -1;
        text_add(complaint, err.text);
        mem_free(path);
        text_free(&name);
        text_free(&script);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        int status = await(pids[kind]);
        is_missing = is_missing || status == NOT_INSTALLED;
        if (status != 0 && complaint->length == 0)
            read_complaint(logs[kind], complaint);
        has_failed = has_failed || status != 0;
        mem_free(logs[kind]);
    }
    if (is_missing)
        return PLOTS_NO_GNUPLOT;
    if (has_failed || !are_there(ranking, folder, drawn))
        return PLOTS_FAILED;
    return PLOTS_WRITTEN;
}
