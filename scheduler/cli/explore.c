/* explore.c -- `berth explore`: seed after seed of random scenarios, held against invariants. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/cli/command.h"
#include "sim/experiment/files.h"
#include "sim/experiment/pool.h"
#include "sim/explore/campaign.h"
#include "sim/explore/coverage.h"
#include "sim/explore/shrink.h"

struct explore_request {
    const struct explore_profile *profile;
    const char *output;
    uint64_t seeds, first_seed, minutes, jobs, budget_s, seed;
    bool replays, shrinks, is_quiet, requires_coverage, writes;
};

static enum berth_err parse_profile(const char *text, const struct explore_profile **out,
                                    struct berth_error *err)
{
    *out = &explore_profiles[0];
    for (const struct explore_profile *at = explore_profiles; text != NULL && at->name; at++)
        if (strcmp(text, at->name) == 0) {
            *out = at;
            return BERTH_OK;
        }
    return text == NULL ? BERTH_OK
                        : berth_fail(err, BERTH_ERR_INPUT,
                                     "--profile: \"%s\" is none of small, medium, large", text);
}

static enum berth_err check_use(const struct explore_request *request, int operands,
                                struct berth_error *err)
{
    if (operands > 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "takes no file; berth run --audit FILE runs one; see berth explore "
                          "--help");
    if (request->replays && request->shrinks)
        return berth_fail(err, BERTH_ERR_INPUT, "--replay and --shrink: one of them at a time");
    if (request->output != NULL && !request->replays && !request->shrinks)
        return berth_fail(err, BERTH_ERR_INPUT, "-o: needs --replay SEED or --shrink SEED");
    return BERTH_OK;
}

static enum berth_err parse(int argc, char **argv, struct explore_request *request,
                            struct berth_error *err)
{
    const char *texts[8] = {NULL};
    static const char *const names[] = {"--seeds",   "--first-seed", "--minutes", "--jobs",
                                        "--seconds", "--replay",     "--shrink"};
    int quiet = 0, coverage = 0, operands = 0;
    const struct command_flag flags[] = {
        {names[0], &texts[0], NULL},    {names[1], &texts[1], NULL},
        {names[2], &texts[2], NULL},    {names[3], &texts[3], NULL},
        {names[4], &texts[4], NULL},    {names[5], &texts[5], NULL},
        {names[6], &texts[6], NULL},    {"--profile", &texts[7], NULL},
        {"-o", &request->output, NULL}, {"--require-coverage", NULL, &coverage},
        {"--quiet", NULL, &quiet},      {NULL, NULL, NULL}};
    unsigned long long numbers[7] = {100, 1, 0, 0, 0, 0, 0};
    static const unsigned long long least[7] = {0, 0, 1, 1, 1, 0, 0};
    static const unsigned long long most[7] = {INT64_MAX, INT64_MAX, 100000,   1024,
                                               1000000,   INT64_MAX, INT64_MAX};
    enum berth_err code = command_parse(&command_explore, argc, argv, flags, &operands, err);
    for (int i = 0; i < 7 && code == BERTH_OK; i++)
        code = command_number(names[i], texts[i], least[i], most[i], &numbers[i], err);
    if (code == BERTH_OK)
        code = parse_profile(texts[7], &request->profile, err);
    request->seeds = numbers[0];
    if (texts[0] == NULL && texts[4] != NULL)
        request->seeds = 0; /* as many as the time allows */
    request->first_seed = numbers[1];
    request->minutes = numbers[2];
    request->jobs = texts[3] != NULL ? numbers[3] : pool_core_count();
    request->budget_s = numbers[4];
    request->replays = texts[5] != NULL;
    request->shrinks = texts[6] != NULL;
    request->seed = request->replays ? numbers[5] : numbers[6];
    request->is_quiet = quiet != 0;
    request->requires_coverage = coverage != 0;
    return code == BERTH_OK ? check_use(request, operands, err) : code;
}

static void print_again(const struct explore_request *request, const char *what, uint64_t seed)
{
    printf("berth explore --profile %s", request->profile->name);
    if (request->minutes > 0)
        printf(" --minutes %" PRIu64, request->minutes);
    printf(" %s %" PRIu64, what, seed);
}

static void show_failed(void *context, uint64_t seed, const struct trial_outcome *outcome)
{
    const struct explore_request *request = context;
    if (!request->is_quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    print_again(request, "--replay", seed);
    printf("   # %s: %s\n", trial_verdict(outcome), outcome->text);
    fflush(stdout);
}

static void show_progress(void *context, const struct campaign *campaign)
{
    const struct explore_request *request = context;
    if (request->is_quiet || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r  %" PRIu64 " seeds, %" PRIu64 " failed, %.1f seeds/s\033[K",
            campaign->done_count, campaign->failed_count,
            campaign->wall_s > 0 ? (double)campaign->done_count / campaign->wall_s : 0);
    fflush(stderr);
}

static void print_sum(const struct campaign *campaign)
{
    double minutes = campaign->wall_s / 60;
    printf("%" PRIu64 " seeds, %" PRIu64 " failed, %.1f s on %" PRIu32
           " processes: %.2f seeds a second\n",
           campaign->done_count, campaign->failed_count, campaign->wall_s, campaign->jobs,
           (double)campaign->done_count / campaign->wall_s);
    printf("%.1f simulated cluster-hours, %.1f of them under fault: %.0f and %.0f a minute\n",
           campaign->simulated_s / 3600, campaign->fault_s / 3600,
           campaign->simulated_s / 3600 / minutes, campaign->fault_s / 3600 / minutes);
}

static enum berth_err explore(const struct explore_request *request, struct berth_error *err)
{
    struct campaign campaign = {
        .profile = request->profile,
        .first_seed = request->first_seed,
        .seed_count = request->seeds,
        .minutes = (unsigned)request->minutes,
        .budget_s = (double)request->budget_s,
        .jobs = (uint32_t)request->jobs,
        .stop = &command_stop,
        .failed = show_failed,
        .progress = show_progress,
        .context = (void *)(uintptr_t)request,
    };
    if (!campaign_run(&campaign))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "no new process; try a smaller --jobs");
    if (!request->is_quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    uint32_t missing = coverage_print(&campaign);
    print_sum(&campaign);
    if (command_stop)
        return berth_fail(err, BERTH_ERR_INTERRUPTED, "interrupted");
    if (campaign.failed_count > 0)
        return berth_fail(err, BERTH_ERR_FAILED, "%" PRIu64 " of %" PRIu64 " seeds failed",
                          campaign.failed_count, campaign.done_count);
    if (request->requires_coverage && missing > 0)
        return berth_fail(err, BERTH_ERR_FAILED,
                          "%" PRIu32 " rules, fault kinds or invariants never came up", missing);
    return BERTH_OK;
}

static enum berth_err write_document(const json_t *document, const char *path,
                                     struct berth_error *err)
{
    struct files_writer writer;
    enum berth_err code = files_create(path, &writer, err);
    if (code != BERTH_OK)
        return code;
    if (json_dumpf(document, writer.out, JSON_INDENT(2)) != 0 || fputc('\n', writer.out) == EOF) {
        files_abandon(&writer);
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be written", path);
    }
    return files_commit(&writer, err);
}

static void show_shrinking(void *context, const struct shrink *shrink)
{
    const struct explore_request *request = context;
    if (request->is_quiet || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r  %" PRIu32 " smaller scenarios tried, %" PRIu32 " fail alike\033[K",
            shrink->tried_count, shrink->cut_count);
    fflush(stderr);
}

static unsigned size_of(const json_t *document, const char *collection)
{
    return (unsigned)json_object_size(json_object_get(document, collection));
}

static enum berth_err shrink_one(const struct explore_request *request, json_t *document,
                                 struct trial_outcome *outcome, struct berth_error *err)
{
    char name[64];
    struct shrink shrink = {.document = document,
                            .outcome = *outcome,
                            .stop = &command_stop,
                            .progress = show_shrinking,
                            .context = (void *)(uintptr_t)request};
    snprintf(name, sizeof name, "explore-%s-%" PRIu64 ".json", request->profile->name,
             request->seed);
    const char *path = request->output != NULL ? request->output : name;
    shrink_run(&shrink);
    *outcome = shrink.outcome;
    if (!request->is_quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    enum berth_err code = write_document(document, path, err);
    if (code != BERTH_OK)
        return code;
    printf("%" PRIu32 " smaller scenarios tried; left: %u services, %u timeline entries, %u "
           "faults, %u arrivals, %u groups of instances\n",
           shrink.tried_count, size_of(document, "services"), size_of(document, "timeline"),
           size_of(document, "faults") + size_of(document, "failures"),
           size_of(document, "arrivals"), size_of(document, "fleet"));
    printf("berth run --audit --no-plots %s   # %s: %s\n", path, trial_verdict(outcome),
           outcome->text);
    return BERTH_OK;
}

static enum berth_err look_at_one(const struct explore_request *request, struct berth_error *err)
{
    json_t *document =
        explore_generate(request->seed, request->profile, (unsigned)request->minutes);
    struct trial_outcome outcome;
    enum berth_err code = BERTH_OK;
    if (request->replays && request->output != NULL)
        code = write_document(document, request->output, err);
    if (code == BERTH_OK)
        trial_run(document, &outcome);
    if (code == BERTH_OK && outcome.status == TRIAL_HELD)
        printf("seed %" PRIu64 ": every invariant held for %.2f simulated hours\n", request->seed,
               outcome.simulated_s / 3600);
    else if (code == BERTH_OK && request->shrinks)
        code = shrink_one(request, document, &outcome, err);
    json_decref(document);
    if (code == BERTH_OK && outcome.status != TRIAL_HELD)
        code = berth_fail(err, BERTH_ERR_FAILED, "seed %" PRIu64 ": %s: %s", request->seed,
                          trial_verdict(&outcome), outcome.text);
    return code;
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    struct explore_request request = {.output = NULL};
    enum berth_err code = parse(argc, argv, &request, err);
    if (code != BERTH_OK)
        return code;
    command_catch_signals();
    if (request.replays || request.shrinks)
        return look_at_one(&request, err);
    return explore(&request, err);
}

const struct command command_explore = {
    .name = "explore",
    .summary = "random clusters under every fault, held against the invariants",
    .help =
        "Usage: berth explore [OPTION]...\n\n"
        "Make a random scenario of each seed (fleet, services, deployments, faults), run it under\n"
        "the auditor, and tell which seeds violate an invariant. Each run has four phases: "
        "faults;\n"
        "all heals; every service must be steady within the bound that the scenario states; then\n"
        "an hour in which the controller must decide nothing. The invariants: sim/README.md; the\n"
        "way from a failing seed to its cause: README.md, \"Exploring\".\n\n"
        "  --seeds N           so many seeds (default: 100; 0 or --seconds alone: no limit)\n"
        "  --first-seed S      begin with seed S (default: 1)\n"
        "  --seconds S         begin no new seed after S seconds\n"
        "  --profile NAME      small (default; 3-8 instances), medium (8-20), or large (50\n"
        "                      instances, 20 services, 500 tasks, 60 faults an hour)\n"
        "  --minutes M         simulated minutes under fault, instead of the profile's\n"
        "  --jobs N            processes at a time (default: one for each core)\n"
        "  --require-coverage  fail when a rule of the controller, a kind of fault or an\n"
        "                      invariant never came up\n"
        "  --replay SEED       run one seed again; with -o, write its scenario to a file\n"
        "  --shrink SEED       cut a failing seed's scenario to the least that still fails alike\n"
        "  -o FILE             where --replay and --shrink write the scenario (--shrink's "
        "default:\n"
        "                      explore-PROFILE-SEED.json)\n"
        "  --quiet             no progress\n\n"
        "Every failing seed is one line, the command that replays it. A seed depends on nothing\n"
        "but its number, --profile and --minutes. Ctrl-C ends with the summary so far.\n\n"
        "Examples:\n"
        "  berth explore --seconds 600\n"
        "  berth explore --shrink 17 -o bug.json && berth run --audit bug.json\n\n"
        "Exit status: 0 every invariant held; 1 one did not, or coverage is missing; 2 bad input;\n"
        "3 no process or file could be made; 130 interrupted.\n",
    .run = run,
};
