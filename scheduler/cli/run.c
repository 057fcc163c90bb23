/* run.c -- `berth run`: a scenario, compared. */
#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "scheduler/cli/command.h"
#include "scheduler/cli/open_scenario.h"
#include "sim/experiment/experiment.h"
#include "sim/experiment/files.h"
#include "sim/experiment/ranks.h"
#include "sim/experiment/summary.h"
#include "sim/report/csv.h"
#include "sim/report/results.h"
#include "sim/report/table.h"

enum format { FORMAT_TABLE = 0, FORMAT_JSON, FORMAT_CSV };

struct run_request {
    const char *file;
    char *folder, *parts; /* owned */
    uint64_t seed;
    bool has_seed, wants_plots, is_quiet, audits;
    uint32_t replications, jobs;
    enum format format;
};

static enum berth_err parse_format(const char *text, enum format *out, struct berth_error *err)
{
    static const char *const names[] = {"table", "json", "csv", NULL};
    for (int i = 0; text != NULL && names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum format)i;
            return BERTH_OK;
        }
    }
    if (text == NULL)
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_INPUT, "--format: \"%s\" is none of table, json, csv", text);
}

static enum berth_err parse(int argc, char **argv, struct run_request *request, const char **out,
                            struct berth_error *err)
{
    const char *seed = NULL, *replications = NULL, *jobs = NULL, *format = NULL;
    int no_plots = 0, quiet = 0, audits = 0, operands = 0;
    const struct command_flag flags[] = {{"--out", out, NULL},
                                         {"--seed", &seed, NULL},
                                         {"--replications", &replications, NULL},
                                         {"--jobs", &jobs, NULL},
                                         {"--format", &format, NULL},
                                         {"--no-plots", NULL, &no_plots},
                                         {"--quiet", NULL, &quiet},
                                         {"--audit", NULL, &audits},
                                         {NULL, NULL, NULL}};
    unsigned long long numbers[3] = {0, 0, 0};
    enum berth_err code = command_parse(&command_run, argc, argv, flags, &operands, err);
    if (code == BERTH_OK && operands != 1)
        code = berth_fail(err, BERTH_ERR_INPUT, "%s; see berth run --help",
                          operands == 0 ? "a scenario FILE is missing"
                                        : "one scenario FILE at a time");
    if (code == BERTH_OK)
        code = command_number("--seed", seed, 0, INT64_MAX, &numbers[0], err);
    if (code == BERTH_OK)
        code = command_number("--replications", replications, 1, 100000, &numbers[1], err);
    if (code == BERTH_OK)
        code = command_number("--jobs", jobs, 1, 1024, &numbers[2], err);
    if (code == BERTH_OK)
        code = parse_format(format, &request->format, err);
    if (code == BERTH_OK && *out != NULL && (*out)[0] == '\0')
        code = berth_fail(err, BERTH_ERR_INPUT, "--out: needs the name of a folder");
    request->file = operands > 0 ? argv[0] : NULL;
    request->has_seed = seed != NULL;
    request->seed = numbers[0];
    request->replications = (uint32_t)numbers[1];
    request->jobs = (uint32_t)numbers[2];
    request->wants_plots = !no_plots;
    request->is_quiet = quiet != 0;
    request->audits = audits != 0;
    return code;
}

/* A line that rewrites itself, for someone who watches; nothing in a log. */
static void show_progress(void *context, uint32_t done, uint32_t total)
{
    const struct run_request *request = context;
    if (request->is_quiet || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r  %" PRIu32 " of %" PRIu32 " replications%s", done, total,
            done == total ? "\r\033[K" : "\033[K");
    fflush(stderr);
}

static void show_notice(void *context, const char *line)
{
    const struct run_request *request = context;
    if (!request->is_quiet)
        fprintf(stderr, "berth run: %s\n", line);
}

static void print_warnings(const struct run_request *request, const struct scenario_set *set)
{
    for (uint32_t v = 0; v < set->variant_count; v++) {
        for (uint32_t w = 0; w < set->variants[v]->warning_count; w++) {
            bool is_said = false;
            for (uint32_t u = 0; u < v && !is_said; u++)
                for (uint32_t x = 0; x < set->variants[u]->warning_count && !is_said; x++)
                    is_said =
                        strcmp(set->variants[u]->warnings[x], set->variants[v]->warnings[w]) == 0;
            if (!is_said)
                show_notice((void *)(uintptr_t)request, set->variants[v]->warnings[w]);
        }
    }
}

static void print_paths(const struct run_request *request, const struct experiment *experiment,
                        const struct results_written *written)
{
    printf("\n  report   %s/report.html\n", request->folder);
    if (written->has_plots)
        printf("  plots    %s/plots/\n", request->folder);
    printf("  numbers  %s/summary.json, metrics.csv, timeline.csv, services.csv%s\n",
           request->folder, written->has_events ? ", events.jsonl" : "");
    printf("  origin   seed %" PRIu64 ", build %s, scenario %s\n", experiment->seed, berth_build_id,
           experiment->set->hash);
}

static void print_table(const struct run_request *request, const struct experiment *experiment,
                        const struct results_written *written)
{
    struct text text = TEXT_INIT;
    struct ranking *ranking = ranking_create(experiment);
    text_addf(&text, "%s, seed %" PRIu64 "%s\n\n", experiment->set->name, experiment->seed,
              written == NULL ? ": INTERRUPTED, only what was finished" : "");
    table_format(ranking, &text);
    if (experiment->set->question != NULL && experiment->set->question[0] != '\0')
        text_addf(&text, "\n  Question: %s", experiment->set->question);
    text_add(&text, "\n  Answer:   ");
    table_format_answer(ranking, &text);
    text_add(&text, "\n");
    fputs(text.bytes, stdout);
    if (written != NULL)
        print_paths(request, experiment, written);
    ranking_destroy(ranking);
    text_free(&text);
}

static void print_result(const struct run_request *request, const struct experiment *experiment,
                         const struct results_written *written)
{
    if (request->format == FORMAT_TABLE) {
        print_table(request, experiment, written);
        return;
    }
    struct text text = TEXT_INIT;
    (request->format == FORMAT_JSON ? summary_format : csv_format_metrics)(experiment, &text);
    fputs(text.bytes, stdout);
    text_free(&text);
}

static struct experiment_options options_of(const struct run_request *request)
{
    return (struct experiment_options){.parts = request->parts,
                                       .seed = request->has_seed ? &request->seed : NULL,
                                       .replications = request->replications,
                                       .jobs = request->jobs,
                                       .audits = request->audits,
                                       .stop = &command_stop,
                                       .progress = show_progress,
                                       .notice = show_notice,
                                       .context = (void *)(uintptr_t)request};
}

static enum berth_err run_and_write(const struct run_request *request,
                                    const struct scenario_set *set, struct ranks *ranks,
                                    struct berth_error *err)
{
    struct text origin = TEXT_INIT;
    struct experiment_options options = options_of(request);
    options.farm = ranks_farm(ranks);
    experiment_origin(set, &options, &origin);
    ranks_expect(ranks, origin.bytes);
    text_free(&origin);
    const struct results_options writing = {.folder = request->folder,
                                            .parts = request->parts,
                                            .wants_plots = request->wants_plots,
                                            .stop = &command_stop,
                                            .notice = show_notice,
                                            .context = (void *)(uintptr_t)request};
    struct experiment *experiment = NULL;
    struct results_written written;
    enum berth_err code = experiment_run(set, &options, &experiment, err);
    if (code == BERTH_OK)
        code = results_write(experiment, &writing, &written, err);
    if (code == BERTH_OK)
        print_result(request, experiment, &written);
    else if (code == BERTH_ERR_INTERRUPTED && experiment != NULL && request->format == FORMAT_TABLE)
        print_result(request, experiment, NULL);
    experiment_destroy(experiment);
    return code;
}

/*
 * Two runs into one folder would take each other's parts for their own. The processes of one that
 * was killed just now may take a moment to end.
 */
static enum berth_err lock_folder(const char *folder, int *lock, struct berth_error *err)
{
    enum berth_err code = files_make_folder(folder, err);
    *lock = code == BERTH_OK ? open(folder, O_RDONLY | O_CLOEXEC) : -1;
    if (*lock < 0)
        return code;
    for (int try = 0; try < 10; try++) {
        if (flock(*lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return BERTH_OK;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                      "%s: another berth run is at work there; wait, or choose another folder "
                      "with --out",
                      folder);
}

static enum berth_err run_as_master(int argc, char **argv, struct ranks *ranks,
                                    struct berth_error *err)
{
    struct run_request request = {.file = NULL};
    const char *out = NULL;
    enum berth_err code = parse(argc, argv, &request, &out, err);
    if (code != BERTH_OK)
        return code;
    struct scenario_set *set = NULL;
    code = open_scenario(request.file, &set, err);
    if (code != BERTH_OK)
        return code;
    print_warnings(&request, set);
    request.folder = out != NULL ? mem_copy_text(out) : files_join("results", set->name);
    request.parts = files_join(request.folder, ".parts");
    int lock = -1;
    code = lock_folder(request.folder, &lock, err);
    if (code == BERTH_OK) {
        command_catch_signals();
        code = run_and_write(&request, set, ranks, err);
    }
    if (lock >= 0)
        close(lock);
    mem_free(request.folder);
    mem_free(request.parts);
    scenario_set_destroy(set);
    return code;
}

/* Not a word: what is wrong is for the master to tell. */
static enum berth_err run_as_worker(int argc, char **argv, struct berth_error *err)
{
    struct run_request request = {.file = NULL};
    struct scenario_set *set = NULL;
    struct berth_error complaint = BERTH_ERROR_INIT;
    const char *out = NULL;
    enum berth_err code = parse(argc, argv, &request, &out, &complaint);
    if (code == BERTH_OK)
        code = open_scenario(request.file, &set, &complaint);
    if (code != BERTH_OK)
        return ranks_serve(NULL, complaint.text, err);
    struct text origin = TEXT_INIT;
    const struct experiment_options options = options_of(&request);
    struct farm_work work = experiment_work(set, &options);
    experiment_origin(set, &options, &origin);
    command_catch_signals();
    code = ranks_serve(&work, origin.bytes, err);
    text_free(&origin);
    experiment_work_free(&work);
    scenario_set_destroy(set);
    return code;
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    struct ranks *ranks = NULL;
    if (ranks_mine() > 0)
        return run_as_worker(argc, argv, err);
    enum berth_err code = ranks_open(&ranks, err);
    if (code == BERTH_OK)
        code = run_as_master(argc, argv, ranks, err);
    ranks_close(ranks);
    return code;
}

const struct command command_run = {
    .name = "run",
    .summary = "run a scenario, compare its strategies, write a report",
    .help =
        "Usage: berth run [OPTION]... FILE\n\n"
        "Simulate every variant of the scenario FILE, the same chance for all, and compare them.\n"
        "Prints one table and the answer to the scenario's question.\n\n"
        "  --out DIR           where the results go (default: results/NAME, the scenario's name)\n"
        "  --seed N            instead of the scenario's run.seed\n"
        "  --replications N    exactly N, instead of run.replications and run.precision\n"
        "  --jobs N            processes at a time (default: one for each core); the results are\n"
        "                      the same for any N\n"
        "  --format FORMAT     on standard output: table (default), json (summary.json) or csv\n"
        "                      (metrics.csv)\n"
        "  --no-plots          no gnuplot\n"
        "  --quiet             no progress, no notices\n"
        "  --audit             hold every moment against the invariants (sim/README.md); what is\n"
        "                      violated first is told, and ends the run with status 1\n\n"
        "Writes DIR/summary.json, metrics.csv, timeline.csv, services.csv, marks.csv, "
        "report.html,\n"
        "plots/*.svg and *.png, and events.jsonl when run.events asks for it. A run that was\n"
        "interrupted or killed leaves its finished replications in DIR/.parts, and the same\n"
        "command continues it.\n\n"
        "A build with MPI=1 also runs on the ranks of an MPI job, all but rank 0 computing (see\n"
        "README.md, \"Sweeps\").\n\n"
        "Examples:\n"
        "  berth run scenarios/first-look.json\n"
        "  berth run --replications 5 --no-plots --format csv scenarios/first-look.json\n"
        "  mpirun -n 33 build/mpi/berth run --no-plots scenarios/first-look.json\n\n"
        "Exit status: 0 done; 1 an invariant was violated (--audit); 2 bad input;\n"
        "3 the folder cannot be written; 130 interrupted.\n",
    .run = run,
};
