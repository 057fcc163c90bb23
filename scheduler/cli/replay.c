/* replay.c -- `berth replay`: one replication again, or a recorded transcript. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "scheduler/cli/command.h"
#include "scheduler/cli/open_scenario.h"
#include "scheduler/core/transcript.h"
#include "scheduler/ecs/json_input.h"
#include "sim/experiment/files.h"
#include "sim/experiment/replay.h"

struct replay_request {
    const char *file, *variant, *scenario, *events, *transcript;
    uint32_t replication;
    uint64_t seed;
    bool has_seed, has_replication, goes_on;
};

enum material { MATERIAL_SUMMARY = 0, MATERIAL_SCENARIO, MATERIAL_TRANSCRIPT };

static enum berth_err parse(int argc, char **argv, struct replay_request *request,
                            struct berth_error *err)
{
    const char *seed = NULL, *replication = NULL;
    int force = 0, operands = 0;
    const struct command_flag flags[] = {{"--variant", &request->variant, NULL},
                                         {"--replication", &replication, NULL},
                                         {"--scenario", &request->scenario, NULL},
                                         {"--seed", &seed, NULL},
                                         {"--events", &request->events, NULL},
                                         {"--transcript", &request->transcript, NULL},
                                         {"--force", NULL, &force},
                                         {NULL, NULL, NULL}};
    unsigned long long numbers[2] = {0, 0};
    enum berth_err code = command_parse(&command_replay, argc, argv, flags, &operands, err);
    if (code == BERTH_OK && operands != 1)
        code = berth_fail(err, BERTH_ERR_INPUT,
                          "needs one file: a summary.json, a scenario or a transcript; see berth "
                          "replay --help");
    if (code == BERTH_OK)
        code = command_number("--replication", replication, 0, 99999999, &numbers[0], err);
    if (code == BERTH_OK)
        code = command_number("--seed", seed, 0, INT64_MAX, &numbers[1], err);
    request->file = operands > 0 ? argv[0] : NULL;
    request->replication = (uint32_t)numbers[0];
    request->has_replication = replication != NULL;
    request->seed = numbers[1];
    request->has_seed = seed != NULL;
    request->goes_on = force != 0;
    return code;
}

static bool begins_with(const char *path, const char *words)
{
    char head[64] = "";
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return false;
    size_t got = fread(head, 1, sizeof head - 1, in);
    (void)fclose(in);
    return got >= strlen(words) && strncmp(head, words, strlen(words)) == 0;
}

/* A summary has what no scenario may have: the hash of one. */
static enum berth_err identify(const char *path, enum material *out, struct berth_error *err)
{
    struct stat status;
    *out = MATERIAL_SUMMARY;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return BERTH_OK;
    if (begins_with(path, TRANSCRIPT_HEADER)) {
        *out = MATERIAL_TRANSCRIPT;
        return BERTH_OK;
    }
    json_t *document = NULL;
    enum berth_err code = json_read_file(path, &document, err);
    if (code == BERTH_OK && json_object_get(document, "scenarioHash") == NULL)
        *out = MATERIAL_SCENARIO;
    json_decref(document);
    return code;
}

static enum berth_err play_transcript(const struct replay_request *request, struct berth_error *err)
{
    struct replay_outcome outcome;
    enum berth_err code = replay_transcript(request->file, &outcome, err);
    if (code == BERTH_OK && outcome.different_line != 0) {
        code = berth_fail(err, BERTH_ERR_FAILED, "%s:%" PRIu64 ": the controller did otherwise",
                          request->file, outcome.different_line);
        printf("line %" PRIu64 ", after %" PRIu64 " events\n  recorded  %s\n  now       %s\n",
               outcome.different_line, outcome.event_count,
               outcome.expected.length > 0 ? outcome.expected.bytes : "(nothing more)",
               outcome.found.length > 0 ? outcome.found.bytes : "(nothing more)");
    } else if (code == BERTH_OK) {
        printf("%s: %" PRIu64 " events, %" PRIu64 " actions, all the same\n", request->file,
               outcome.event_count, outcome.action_count);
    }
    replay_outcome_free(&outcome);
    return code;
}

/* A file of its own, standard output for "-", or nothing. */
static enum berth_err open_output(const char *path, struct files_writer *writer,
                                  struct berth_error *err)
{
    *writer = (struct files_writer){NULL, NULL, NULL};
    if (path == NULL)
        return BERTH_OK;
    if (strcmp(path, "-") == 0) {
        writer->out = stdout;
        return BERTH_OK;
    }
    return files_create(path, writer, err);
}

static enum berth_err close_output(struct files_writer *writer, enum berth_err code,
                                   struct berth_error *err)
{
    if (writer->path == NULL)
        return code;
    if (code == BERTH_OK)
        return files_commit(writer, err);
    files_abandon(writer);
    return code;
}

static enum berth_err run_row(const struct replay_request *request, const struct scenario *scenario,
                              uint64_t seed, const char *origin, struct run_result *out,
                              struct berth_error *err)
{
    struct files_writer events, transcript = {NULL, NULL, NULL};
    enum berth_err code = open_output(request->events, &events, err);
    if (code == BERTH_OK)
        code = open_output(request->transcript, &transcript, err);
    const struct run_options options = {.seed = seed,
                                        .replication = request->replication,
                                        .events = events.out,
                                        .transcript = transcript.out,
                                        .origin = origin,
                                        .wants_heat = request->replication == 0,
                                        .stop = &command_stop};
    command_catch_signals();
    if (events.out != NULL) {
        json_t *head = json_pack("{s:s}", "origin", origin);
        (void)json_dumpf(head, events.out, JSON_COMPACT); /* A failure shows when it is closed. */
        fputc('\n', events.out);
        json_decref(head);
    }
    if (code == BERTH_OK)
        code = run_replication(scenario, &options, out, err);
    code = close_output(&events, code, err);
    return close_output(&transcript, code, err);
}

static const struct scenario *find_variant(const struct scenario_set *set, const char *name,
                                           struct berth_error *err)
{
    const char **names = mem_alloc((set->variant_count + 1) * sizeof *names);
    const struct scenario *found =
        name == NULL && set->variant_count == 1 ? set->variants[0] : NULL;
    for (uint32_t v = 0; v < set->variant_count; v++) {
        names[v] = set->variants[v]->variant;
        if (name != NULL && strcmp(names[v], name) == 0)
            found = set->variants[v];
    }
    if (found == NULL && name == NULL) {
        (void)berth_fail(err, BERTH_ERR_INPUT, "which variant? one of --variant %s, ...", names[0]);
    } else if (found == NULL) {
        const char *near = berth_nearest(name, names);
        (void)berth_fail(err, BERTH_ERR_INPUT, "%s: no variant \"%.100s\"; did you mean \"%s\"?",
                         set->path, name, near != NULL ? near : names[0]);
    }
    mem_free(names);
    return found;
}

/* The rows go where no events and no transcript go. */
static FILE *report_stream(const struct replay_request *request)
{
    bool is_taken = (request->events != NULL && strcmp(request->events, "-") == 0) ||
                    (request->transcript != NULL && strcmp(request->transcript, "-") == 0);
    return is_taken ? stderr : stdout;
}

static enum berth_err replay_row(const struct replay_request *request,
                                 const struct scenario_set *set, const struct summary *summary,
                                 struct berth_error *err)
{
    const struct scenario *scenario = find_variant(set, request->variant, err);
    if (scenario == NULL)
        return BERTH_ERR_INPUT;
    const struct summary_variant *stored =
        summary != NULL ? summary_find(summary, scenario->variant) : NULL;
    uint64_t seed = request->has_seed ? request->seed
                    : summary != NULL ? summary->seed
                                      : scenario->run.seed;
    if (stored != NULL && request->replication >= summary->replications)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "--replication: %" PRIu32 ", but the summary has %" PRIu32
                          ", counted from 0",
                          request->replication, summary->replications);
    struct run_result result = {.samples = NULL};
    struct text text = TEXT_INIT;
    text_addf(&text,
              "berth %s, scenario %s, scenarioHash %s, buildId %s, seed %" PRIu64
              ", variant %s, replication %" PRIu32,
              BERTH_VERSION, set->name, set->hash, berth_build_id, seed, scenario->variant,
              request->replication);
    enum berth_err code = run_row(request, scenario, seed, text.bytes, &result, err);
    text_add(&text, "\n\n");
    if (code != BERTH_OK) {
        text_free(&text);
        return code;
    }
    uint32_t different = replay_format(stored, request->replication, result.metrics, &text);
    if (stored != NULL && different == 0)
        text_addf(&text, "\nall %d values are those of %s\n", METRIC_COUNT, summary->path);
    fputs(text.bytes, report_stream(request));
    text_free(&text);
    run_result_free(&result);
    return different == 0 ? BERTH_OK
                          : berth_fail(err, BERTH_ERR_FAILED, "%" PRIu32 " of %d values differ",
                                       different, METRIC_COUNT);
}

static enum berth_err replay_summary(const struct replay_request *request, struct berth_error *err)
{
    struct summary *summary = NULL;
    struct scenario_set *set = NULL;
    char *scenario = NULL;
    enum berth_err code = summary_read(request->file, &summary, err);
    if (code == BERTH_OK && !request->has_replication)
        code = berth_fail(err, BERTH_ERR_INPUT, "which replication? --replication K, from 0");
    if (code == BERTH_OK && request->scenario == NULL)
        code = replay_find_scenario(summary, &scenario, err);
    if (code == BERTH_OK)
        code = open_scenario(request->scenario != NULL ? request->scenario : scenario, &set, err);
    if (code == BERTH_OK && !request->goes_on)
        code = replay_check_origin(summary, set, err);
    if (code == BERTH_OK)
        code = replay_row(request, set, summary, err);
    if (set != NULL)
        scenario_set_destroy(set);
    summary_destroy(summary);
    mem_free(scenario);
    return code;
}

static enum berth_err replay_scenario(const struct replay_request *request, struct berth_error *err)
{
    struct scenario_set *set = NULL;
    enum berth_err code = open_scenario(request->file, &set, err);
    if (code == BERTH_OK)
        code = replay_row(request, set, NULL, err);
    if (set != NULL)
        scenario_set_destroy(set);
    return code;
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    struct replay_request request = {.file = NULL};
    enum material material = MATERIAL_SUMMARY;
    enum berth_err code = parse(argc, argv, &request, err);
    if (code == BERTH_OK)
        code = identify(request.file, &material, err);
    if (code != BERTH_OK)
        return code;
    switch (material) {
    case MATERIAL_TRANSCRIPT:
        return play_transcript(&request, err);
    case MATERIAL_SCENARIO:
        return replay_scenario(&request, err);
    case MATERIAL_SUMMARY:
        break;
    }
    return replay_summary(&request, err);
}

const struct command command_replay = {
    .name = "replay",
    .summary = "one replication of a result again, or a recorded transcript",
    .help =
        "Usage: berth replay SUMMARY --variant V --replication K [OPTION]...\n"
        "       berth replay SCENARIO --variant V [--replication K] [--seed N] [OPTION]...\n"
        "       berth replay TRANSCRIPT\n\n"
        "Runs replication K of variant V again, prints its metrics, and says whether each is the\n"
        "one stored in SUMMARY (a summary.json or its folder). The scenario and the build must be\n"
        "those that made the summary.\n\n"
        "  --scenario FILE     the scenario, when it is not where the summary says\n"
        "  --seed N            instead of the one of the summary or scenario\n"
        "  --events FILE       write what happened, as in events.jsonl; - is standard output\n"
        "  --transcript FILE   write every event and action of the controller; - likewise\n"
        "  --force             go on though the scenario or the build is another\n\n"
        "A TRANSCRIPT (it begins with \"" TRANSCRIPT_HEADER "\") is fed to a fresh controller,\n"
        "whose actions are compared line by line.\n\n"
        "Examples:\n"
        "  berth replay results/first-look --variant random --replication 3\n"
        "  berth replay results/first-look --variant random --replication 3 --transcript t.txt\n"
        "  berth replay t.txt\n\n"
        "Exit status: 0 the same; 1 something differs; 2 bad input; 3 a file cannot be written.\n",
    .run = run,
};
