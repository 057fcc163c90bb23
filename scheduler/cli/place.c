/* place.c -- `berth place`: where would it go, and why not there? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/cli/command.h"
#include "scheduler/ecs/drain_answer.h"
#include "scheduler/ecs/ecs_shapes.h"
#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/place_answer.h"

static const char place_help[] =
    "Usage: berth place --cluster C.json --request R.json [OPTION]...\n"
    "       berth place --cluster C.json --drain INSTANCE [OPTION]...\n"
    "\n"
    "Where would Amazon ECS place these tasks in your cluster, and why not elsewhere? Or, where "
    "would\n"
    "the tasks of this instance go if it were drained? Nothing is started; files are only read.\n"
    "\n"
    "  --cluster C.json   the cluster: one object with\n"
    "                       containerInstances  from aws ecs describe-container-instances\n"
    "                       tasks               from aws ecs describe-tasks (optional)\n"
    "                       taskDefinitions     a list of aws ecs describe-task-definition's\n"
    "                                           outputs, wrapped or bare, or of files for\n"
    "                                           register-task-definition\n"
    "                       Subnets             from aws ec2 describe-subnets (optional: where\n"
    "                                           the subnets of awsvpc tasks lie)\n"
    "                       services            from aws ecs describe-services (optional: for\n"
    "                                           --drain, their strategies and constraints)\n"
    "                     remainingResources are believed as they stand. Tasks count in their\n"
    "                     group while their desiredStatus is RUNNING.\n"
    "  --request R.json   what aws ecs run-task --cli-input-json takes: taskDefinition, count (1 "
    "to\n"
    "                     100000), group, placementStrategy, placementConstraints, overrides,\n"
    "                     networkConfiguration. Beside spread, binpack and random a strategy may\n"
    "                     be one of berth's own: firstFit, bestFit, worstFit, dotProduct,\n"
    "                     twoChoices. Without a strategy it is random, as in ECS.\n"
    "  --drain INSTANCE   instead of a request: the ARN of an instance, or its last part, that is "
    "to\n"
    "                     be set to DRAINING. Tasks of services are replaced elsewhere, by their\n"
    "                     service's strategy or ECS's default; others stay until they end. What "
    "finds\n"
    "                     no room is told by cause: how many instances refuse it and why\n"
    "  --per-instance     with --drain: also why each instance refuses the first task without "
    "room\n"
    "  --format FORMAT    table (the default) or json:\n"
    "                       {\"tasks\": [{\"containerInstanceArn\": ...}, one per placed copy],\n"
    "                        \"failures\": [{\"arn\": ..., \"reason\": ...}, one per instance, "
    "for\n"
    "                        the first copy that found no room], \"explain\": with --explain}\n"
    "                     or, with --drain,\n"
    "                       {\"containerInstanceArn\": ..., \"tasks\": [{\"taskArn\", "
    "\"group\",\n"
    "                        \"fate\": moves, no room, stays or ends, \"containerInstanceArn\" "
    "it\n"
    "                        moves to, or \"refused\" and \"closest\"}], \"failures\": with\n"
    "                        --per-instance}\n"
    "  --explain          how many instances each step of the choice left (first 100 copies), and\n"
    "                     what stood in the way of the copy that found no room\n"
    "  --seed N           of the random strategies; default 1. Equal seed, equal answer\n"
    "\n"
    "Files may be gzipped. Ties go to the instance with the fewest tasks of the group, then to "
    "the\n"
    "smallest instance id.\n"
    "\n"
    "Example, with the AWS CLI and jq:\n"
    "  aws ecs describe-container-instances --container-instances $(aws ecs \\\n"
    "      list-container-instances --query 'containerInstanceArns[]' --output text) >ci.json\n"
    "  aws ecs describe-tasks --tasks $(aws ecs list-tasks --query 'taskArns[]' \\\n"
    "      --output text) >tasks.json\n"
    "  aws ecs describe-task-definition --task-definition web >web.json\n"
    "  jq -s '{containerInstances: .[0].containerInstances, tasks: .[1].tasks,\n"
    "          taskDefinitions: [.[2]]}' ci.json tasks.json web.json >C.json\n"
    "  echo '{\"taskDefinition\": \"web\", \"count\": 5,\n"
    "         \"placementStrategy\": [{\"type\": \"binpack\", \"field\": \"memory\"}]}' >R.json\n"
    "  berth place --cluster C.json --request R.json --explain\n"
    "\n"
    "Exit status: 0 every copy has a place; 1 some found no room; 2 bad input.\n";

struct place_options {
    const char *cluster, *request, *drain;
    bool as_json, explains, per_instance;
    unsigned long long seed;
};

static const char *attribute_text(const struct described_cluster *described,
                                  const struct instance *instance, const char *name)
{
    symbol value = instance_attribute(instance, symbols_add(described->symbols, name), NULL);
    return value == SYMBOL_NONE ? "-" : symbols_text(described->symbols, value);
}

static int id_width(const struct described_cluster *described)
{
    size_t width = strlen("instance");
    for (uint32_t id = 0; id < cluster_instance_count(described->cluster); id++) {
        size_t length = strlen(
            symbols_text(described->symbols, cluster_instance(described->cluster, id)->name));
        width = length > width ? length : width;
    }
    return width > 64 ? 64 : (int)width;
}

static void print_placed(const struct place_answer *answer)
{
    const struct described_cluster *described = answer->described;
    uint32_t count = cluster_instance_count(described->cluster);
    uint32_t *copies = mem_alloc((count + (size_t)1) * sizeof *copies);
    int width = id_width(described);
    for (uint32_t copy = 0; copy < answer->placed_count; copy++)
        copies[answer->placed[copy]]++;
    printf("\n%-*s  %-14s %-16s %7s %10s %12s\n", width, "instance", "type", "zone", "copies",
           "cpu left", "memory left");
    for (uint32_t id = 0; id < count; id++) {
        const struct instance *instance = cluster_instance(described->cluster, id);
        if (copies[id] > 0)
            printf("%-*s  %-14s %-16s %7u %10d %12d\n", width,
                   symbols_text(described->symbols, instance->name),
                   attribute_text(described, instance, "ecs.instance-type"),
                   attribute_text(described, instance, "ecs.availability-zone"), copies[id],
                   instance->cpu_remaining, instance->mem_remaining);
    }
    mem_free(copies);
}

static void print_refusal(const struct place_answer *answer)
{
    const struct described_cluster *described = answer->described;
    uint32_t count = cluster_instance_count(described->cluster);
    int width = id_width(described);
    printf("\nCopy %u found no room:\n", answer->placed_count + 1);
    if (count == 0)
        printf("  %s: NO ACTIVE INSTANCES\n", answer->cluster_arn);
    for (uint32_t id = 0; id < count; id++)
        printf("  %-*s  %s\n", width,
               symbols_text(described->symbols, cluster_instance(described->cluster, id)->name),
               placement_verdict_names[answer->verdicts[id]]);
}

static void print_explained(const struct place_answer *answer)
{
    const struct described_cluster *described = answer->described;
    printf("\n");
    for (uint32_t copy = 0; copy < answer->explained_count && copy < answer->placed_count; copy++) {
        const struct place_explained *explained = &answer->explained[copy];
        const struct instance *chosen = cluster_instance(described->cluster, answer->placed[copy]);
        printf("copy %u -> %s:", copy + 1, symbols_text(described->symbols, chosen->name));
        for (size_t i = 0; i < explained->step_count; i++)
            printf("%s %s %u", i == 0 ? "" : ",", explained->steps[i].label,
                   explained->steps[i].kept);
        printf("\n");
    }
    if (answer->placed_count > PLACE_EXPLAINED_MAX)
        printf("... and %u more\n", answer->placed_count - PLACE_EXPLAINED_MAX);
    if (answer->verdicts == NULL)
        return;
    printf("copy %u refused:", answer->placed_count + 1);
    const char *separator = "";
    for (int verdict = 1; verdict < PLACEMENT_VERDICT_COUNT; verdict++) {
        if (answer->verdict_counts[verdict] == 0)
            continue;
        printf("%s %s on %u", separator, placement_verdict_names[verdict],
               answer->verdict_counts[verdict]);
        separator = ",";
    }
    if (answer->closest != INSTANCE_NONE)
        printf("; closest is %s (%s)",
               symbols_text(described->symbols,
                            cluster_instance(described->cluster, answer->closest)->name),
               placement_verdict_names[answer->closest_why]);
    printf("\n");
}

static void print_table(const struct place_answer *answer, bool explains)
{
    printf("%u of %u %s of %s:%u placed, group %s\n", answer->placed_count, answer->count,
           answer->count == 1 ? "copy" : "copies", answer->family, answer->revision, answer->group);
    if (answer->placed_count > 0)
        print_placed(answer);
    if (answer->verdicts != NULL)
        print_refusal(answer);
    if (explains)
        print_explained(answer);
}

/* Takes the value. */
static void print_json(json_t *json)
{
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(json);
}

static enum berth_err finish(bool is_all_placed, struct berth_error *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "standard output cannot be written; is the disk full?");
    return is_all_placed ? BERTH_OK : BERTH_ERR_FAILED;
}

static enum berth_err place_files(const struct place_options *options, struct berth_error *err)
{
    json_t *cluster = NULL, *request = NULL;
    struct described_cluster described = {.symbols = NULL};
    struct place_answer answer = {.placed = NULL};
    char cluster_place[ECS_PLACE_MAX], request_place[ECS_PLACE_MAX];
    ecs_place(cluster_place, "%s:", options->cluster);
    ecs_place(request_place, "%s:", options->request);
    enum berth_err code = json_read_file(options->cluster, &cluster, err);
    if (code == BERTH_OK)
        code = json_read_file(options->request, &request, err);
    if (code == BERTH_OK)
        code = described_cluster_read(cluster, cluster_place, &described, err);
    if (code == BERTH_OK)
        code = place_answer_compute(&described, request, request_place, options->seed,
                                    options->explains, &answer, err);
    if (code == BERTH_OK) {
        if (options->as_json)
            print_json(place_answer_to_json(&answer, options->explains));
        else
            print_table(&answer, options->explains);
        code = finish(answer.placed_count == answer.count, err);
    }
    place_answer_free(&answer);
    described_cluster_free(&described);
    json_decref(request);
    json_decref(cluster);
    return code;
}

static const char *name_of(const struct described_cluster *described, instance_id id)
{
    return symbols_text(described->symbols, cluster_instance(described->cluster, id)->name);
}

static void print_causes(const struct drain_answer *drain, const struct drain_task *task)
{
    const char *separator = "";
    printf("\n%s finds no room:", task->group);
    for (int verdict = 1; verdict < PLACEMENT_VERDICT_COUNT; verdict++) {
        if (task->answer.causes[verdict] == 0)
            continue;
        printf("%s %s on %u", separator, placement_verdict_names[verdict],
               task->answer.causes[verdict]);
        separator = ",";
    }
    if (task->answer.closest != INSTANCE_NONE)
        printf("; closest is %s (%s)", name_of(drain->described, task->answer.closest),
               placement_verdict_names[task->answer.closest_why]);
    printf("\n");
}

static void print_drain(const struct drain_answer *drain, bool per_instance)
{
    const struct described_cluster *described = drain->described;
    int width = id_width(described);
    printf("%s drained: %zu %s, %u move, %u without room, %u stay, %u end\n",
           name_of(described, drain->instance), drain->task_count,
           drain->task_count == 1 ? "task" : "tasks", drain->fates[WHAT_IF_MOVES],
           drain->fates[WHAT_IF_NO_ROOM], drain->fates[WHAT_IF_STAYS], drain->fates[WHAT_IF_ENDS]);
    for (size_t i = 0; i < drain->task_count; i++) {
        const struct drain_task *task = &drain->tasks[i];
        printf("  %-32s  %-24s  %s%s%s\n", ecs_last_part(task->arn), task->group,
               what_if_fate_names[task->fate], task->fate == WHAT_IF_MOVES ? " to " : "",
               task->fate == WHAT_IF_MOVES ? name_of(described, task->answer.to) : "");
    }
    const char *told = "";
    bool is_first = true;
    for (size_t i = 0; i < drain->task_count; i++) {
        const struct drain_task *task = &drain->tasks[i];
        if (task->fate != WHAT_IF_NO_ROOM || strcmp(told, task->group) == 0)
            continue;
        print_causes(drain, task);
        told = task->group;
        for (uint32_t id = 0;
             per_instance && is_first && id < cluster_instance_count(described->cluster); id++)
            printf("  %-*s  %s\n", width, name_of(described, id),
                   placement_verdict_names[drain->verdicts[id]]);
        is_first = false;
    }
}

static enum berth_err drain_file(const struct place_options *options, struct berth_error *err)
{
    json_t *cluster = NULL;
    struct described_cluster described = {.symbols = NULL};
    struct drain_answer answer = {.tasks = NULL};
    char place[ECS_PLACE_MAX];
    ecs_place(place, "%s:", options->cluster);
    enum berth_err code = json_read_file(options->cluster, &cluster, err);
    if (code == BERTH_OK)
        code = described_cluster_read(cluster, place, &described, err);
    if (code == BERTH_OK)
        code = drain_answer_compute(&described, cluster, place, options->drain, options->seed,
                                    &answer, err);
    if (code == BERTH_OK) {
        if (options->as_json)
            print_json(drain_answer_to_json(&answer, options->per_instance));
        else
            print_drain(&answer, options->per_instance);
        code = finish(answer.fates[WHAT_IF_NO_ROOM] == 0, err);
    }
    drain_answer_free(&answer);
    described_cluster_free(&described);
    json_decref(cluster);
    return code;
}

static enum berth_err place_run(int argc, char **argv, struct berth_error *err)
{
    struct place_options options = {.seed = 1};
    const char *format = "table", *seed = NULL;
    int explains = 0, per_instance = 0, operands = 0;
    const struct command_flag flags[] = {{"--cluster", &options.cluster, NULL},
                                         {"--request", &options.request, NULL},
                                         {"--format", &format, NULL},
                                         {"--seed", &seed, NULL},
                                         {"--explain", NULL, &explains},
                                         {"--drain", &options.drain, NULL},
                                         {"--per-instance", NULL, &per_instance},
                                         {NULL, NULL, NULL}};
    if (command_parse(&command_place, argc, argv, flags, &operands, err) != BERTH_OK ||
        command_number("--seed", seed, 0, UINT64_MAX, &options.seed, err) != BERTH_OK)
        return err->code;
    if (operands > 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "\"%s\": no such argument; name files with --cluster and --request",
                          argv[0]);
    if (options.cluster == NULL || (options.request == NULL && options.drain == NULL))
        return berth_fail(err, BERTH_ERR_INPUT, "%s FILE is missing; see berth place --help",
                          options.cluster == NULL ? "--cluster" : "--request");
    if (options.drain != NULL && (options.request != NULL || explains))
        return berth_fail(err, BERTH_ERR_INPUT, "--drain takes no %s; ask one question at a time",
                          options.request != NULL ? "--request" : "--explain");
    if (per_instance && options.drain == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "--per-instance is for --drain; a request's failures name every "
                          "instance already");
    if (strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
        return berth_fail(err, BERTH_ERR_INPUT, "--format: \"%s\" is not known; use table or json",
                          format);
    options.as_json = strcmp(format, "json") == 0;
    options.explains = explains != 0;
    options.per_instance = per_instance != 0;
    return options.drain != NULL ? drain_file(&options, err) : place_files(&options, err);
}

const struct command command_place = {
    "place", "where would these tasks go in this cluster, and why not elsewhere?", place_help,
    place_run};
