/*
 * experiment.c -- rounds of replications until the scenario is content.
 *
 * Tasks are numbered replication by replication, not variant by variant: whenever a run ends early,
 * what it has is a smaller experiment and not a part of one. With a wanted precision, the next
 * round is as large as the spread seen so far asks for (n grows with the square of the ratio of the
 * widths), at most doubling, so that an unlucky first round does not decide.
 */
#include "sim/experiment/experiment.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/audit/audit.h"
#include "sim/experiment/files.h"
#include "sim/experiment/part.h"
#include "sim/experiment/parts.h"
#include "sim/experiment/pool.h"

struct plan {
    const struct scenario_set *set;
    const struct experiment_options *options;
    uint64_t seed;
    uint32_t baseline;
    const char *metric; /* of the precision; NULL: a fixed number of replications */
    uint32_t replications, replications_max;
    struct parts *parts; /* owned; what is done */
    uint32_t *tasks;     /* of this round: replication x variant count + variant */
    uint32_t task_count;
    uint32_t done_before; /* tasks that needed no computing */
};

char *experiment_events_path(const char *parts, uint32_t variant)
{
    char name[48];
    snprintf(name, sizeof name, "%" PRIu32 ".events", variant);
    return files_join(parts, name);
}

static bool load_part(const struct plan *plan, uint32_t variant, uint32_t replication,
                      struct run_result *out)
{
    struct text bytes = TEXT_INIT;
    bool is_there =
        parts_get(plan->parts, replication * plan->set->variant_count + variant, &bytes) &&
        part_parse(&bytes, out);
    text_free(&bytes);
    return is_there;
}

/* In a worker. */
static enum berth_err run_and_format(const struct plan *plan, uint32_t variant,
                                     uint32_t replication, FILE *events, struct text *product,
                                     struct berth_error *err)
{
    struct run_options run = {.seed = plan->seed,
                              .replication = replication,
                              .events = events,
                              .wants_heat = replication == 0,
                              .stop = plan->options->stop};
    struct run_result result = {.samples = NULL};
    struct audit *audit = NULL;
    if (plan->options->audits) {
        audit = audit_create(plan->set->variants[variant]);
        run.observer = audit_observer(audit);
    }
    enum berth_err code = run_replication(plan->set->variants[variant], &run, &result, err);
    audit_destroy(audit);
    if (code != BERTH_OK)
        return code;
    part_format(&result, product);
    run_result_free(&result);
    return code;
}

static enum berth_err run_task(void *context, uint32_t task, const char *folder,
                               struct text *product, struct berth_error *err)
{
    const struct plan *plan = context;
    uint32_t variant = task % plan->set->variant_count;
    uint32_t replication = task / plan->set->variant_count;
    if (replication != 0 || !plan->set->variants[variant]->run.writes_events)
        return run_and_format(plan, variant, replication, NULL, product, err);
    struct files_writer events;
    char *path = experiment_events_path(folder, variant);
    enum berth_err code = files_create(path, &events, err);
    mem_free(path);
    if (code != BERTH_OK)
        return code;
    code = run_and_format(plan, variant, replication, events.out, product, err);
    if (code == BERTH_OK)
        return files_commit(&events, err);
    files_abandon(&events);
    return code;
}

static enum berth_err keep_part(void *context, uint32_t task, const struct text *product,
                                struct berth_error *err)
{
    const struct plan *plan = context;
    return parts_add(plan->parts, task, product, err);
}

static void report_progress(void *context, uint32_t done)
{
    const struct plan *plan = context;
    if (plan->options->progress != NULL)
        plan->options->progress(plan->options->context, plan->done_before + done,
                                plan->done_before + plan->task_count);
}

static bool has_events(const struct plan *plan, uint32_t variant)
{
    if (!plan->set->variants[variant]->run.writes_events)
        return true;
    char *path = experiment_events_path(plan->options->parts, variant);
    bool is_there = files_exist(path);
    mem_free(path);
    return is_there;
}

static void list_missing(struct plan *plan)
{
    uint32_t variant_count = plan->set->variant_count;
    uint32_t total = plan->replications * variant_count;
    plan->tasks = mem_resize(plan->tasks, total, sizeof *plan->tasks);
    plan->task_count = 0;
    for (uint32_t task = 0; task < total; task++) {
        uint32_t variant = task % variant_count, replication = task / variant_count;
        if (parts_has(plan->parts, task) && (replication > 0 || has_events(plan, variant)))
            continue;
        plan->tasks[plan->task_count++] = task;
    }
    plan->done_before = total - plan->task_count;
}

static enum berth_err say_which(const struct plan *plan, struct farm_failure failure,
                                struct berth_error *err)
{
    if (failure.task == FARM_NO_TASK)
        return err->code;
    uint32_t replication = failure.task / plan->set->variant_count;
    const char *variant = plan->set->variants[failure.task % plan->set->variant_count]->variant;
    enum berth_err code =
        berth_fail_in(err, "variant \"%s\", replication %" PRIu32 ", seed %" PRIu64 ": ", variant,
                      replication, plan->seed);
    if (!failure.is_crash)
        return code;
    char text[BERTH_ERROR_TEXT_MAX];
    memcpy(text, err->text, sizeof text);
    return berth_fail(err, code,
                      "%s; to see it again: berth replay %s --seed %" PRIu64
                      " --variant '%s' --replication %" PRIu32,
                      text, plan->set->path, plan->seed, variant, replication);
}

static enum berth_err run_round(struct plan *plan, struct berth_error *err)
{
    list_missing(plan);
    if (plan->task_count == 0)
        return BERTH_OK;
    if (plan->done_before > 0 && plan->options->notice != NULL) {
        char line[96];
        snprintf(line, sizeof line, "continuing: %" PRIu32 " of %" PRIu32 " replications are done",
                 plan->done_before, plan->done_before + plan->task_count);
        plan->options->notice(plan->options->context, line);
    }
    const struct farm *farm = plan->options->farm != NULL ? plan->options->farm : &pool_farm;
    struct farm_work work = {.run = run_task,
                             .keep = keep_part,
                             .progress = report_progress,
                             .context = plan,
                             .tasks = plan->tasks,
                             .task_count = plan->task_count,
                             .folder = plan->options->parts,
                             .jobs = plan->options->jobs,
                             .stop = plan->options->stop};
    if (work.jobs == 0)
        work.jobs = pool_core_count();
    struct farm_failure failure;
    enum berth_err code = farm->run(farm->context, &work, &failure, err);
    return code == BERTH_OK || code == BERTH_ERR_INTERRUPTED ? code : say_which(plan, failure, err);
}

static void format_origin(const struct plan *plan, struct text *out)
{
    text_addf(out, "berth-parts 2 %s %s %" PRIu64 "\n", plan->set->hash, berth_build_id,
              plan->seed);
}

/* The parts' folder holds the parts of one scenario, build and seed; others are thrown away. */
static enum berth_err claim_parts(struct plan *plan, struct berth_error *err)
{
    struct text origin = TEXT_INIT;
    bool discarded;
    format_origin(plan, &origin);
    enum berth_err code =
        parts_open(plan->options->parts, origin.bytes, &plan->parts, &discarded, err);
    text_free(&origin);
    if (discarded && plan->options->notice != NULL)
        plan->options->notice(plan->options->context,
                              "an unfinished run of another scenario, build or "
                              "seed was discarded");
    return code;
}

static enum berth_err merge(const struct plan *plan, uint32_t replications, struct experiment **out,
                            struct berth_error *err)
{
    struct experiment *experiment =
        experiment_create(plan->set, plan->seed, plan->baseline, replications);
    for (uint32_t v = 0; v < plan->set->variant_count; v++) {
        for (uint32_t k = 0; k < replications; k++) {
            struct run_result result;
            if (!load_part(plan, v, k, &result)) {
                experiment_destroy(experiment);
                return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                                  "%s: a part that was just written cannot be read; is another "
                                  "program at work in that folder?",
                                  plan->options->parts);
            }
            experiment_add(experiment, v, k, &result);
            run_result_free(&result);
        }
    }
    experiment_conclude(experiment);
    *out = experiment;
    return BERTH_OK;
}

static bool is_precise(const struct plan *plan, const struct experiment *experiment, uint32_t *next)
{
    enum metric metric = metric_find(plan->metric);
    const struct scenario_run *run = &plan->set->variants[plan->baseline]->run;
    double needed = 0;
    for (uint32_t v = 0; v < experiment->variant_count && metric < METRIC_COUNT; v++) {
        struct statistics_summary summary = experiment->variants[v].summaries[metric];
        double half = (summary.high - summary.low) / 2;
        double wanted = run->precision_ratio * fabs(summary.mean);
        if (summary.count < 2 || half <= wanted)
            continue;
        double ratio = wanted > 0 ? half / wanted : HUGE_VAL;
        needed = fmax(needed, ceil(plan->replications * ratio * ratio));
    }
    double n = plan->replications;
    *next = (uint32_t)fmin(fmin(fmax(needed, n + 1), 2 * n), plan->replications_max);
    return needed == 0 || plan->replications >= plan->replications_max;
}

/* How many replications every variant has finished. */
static uint32_t count_whole(struct plan *plan)
{
    list_missing(plan);
    return plan->task_count == 0 ? plan->replications : plan->tasks[0] / plan->set->variant_count;
}

static uint32_t find_baseline(const struct scenario_set *set)
{
    for (uint32_t v = 0; v < set->variant_count; v++)
        if (set->baseline != NULL && strcmp(set->variants[v]->variant, set->baseline) == 0)
            return v;
    return 0;
}

static struct plan make_plan(const struct scenario_set *set,
                             const struct experiment_options *options)
{
    struct plan plan = {.set = set, .options = options, .baseline = find_baseline(set)};
    const struct scenario_run *run = &set->variants[plan.baseline]->run;
    plan.seed = options->seed != NULL ? *options->seed : run->seed;
    plan.replications = options->replications != 0 ? options->replications : run->replications;
    if (options->replications == 0 && run->precision_metric != NULL) {
        plan.metric = run->precision_metric;
        plan.replications_max = run->replications_max;
        if (plan.replications < 2)
            plan.replications = 2;
        if (plan.replications > plan.replications_max)
            plan.replications = plan.replications_max;
    }
    return plan;
}

static enum berth_err run_rounds(struct plan *plan, struct experiment **out,
                                 struct berth_error *err)
{
    for (;;) {
        uint32_t next = 0;
        enum berth_err code = run_round(plan, err);
        if (code != BERTH_OK)
            return code;
        code = merge(plan, plan->replications, out, err);
        if (code != BERTH_OK || plan->metric == NULL || is_precise(plan, *out, &next))
            return code;
        experiment_destroy(*out);
        *out = NULL;
        plan->replications = next;
    }
}

static enum berth_err report_interruption(struct plan *plan, struct experiment **out,
                                          struct berth_error *err)
{
    uint32_t whole = count_whole(plan);
    uint32_t done = plan->done_before, total = plan->done_before + plan->task_count;
    enum berth_err code = whole == 0 ? BERTH_OK : merge(plan, whole, out, err);
    if (code != BERTH_OK)
        return code;
    return berth_fail(err, BERTH_ERR_INTERRUPTED,
                      "interrupted: %" PRIu32 " of %" PRIu32
                      " replications are finished and kept in %s; the same command continues",
                      done, total, plan->options->parts);
}

enum berth_err experiment_run(const struct scenario_set *set,
                              const struct experiment_options *options, struct experiment **out,
                              struct berth_error *err)
{
    *out = NULL;
    struct plan plan = make_plan(set, options);
    enum berth_err code = claim_parts(&plan, err);
    if (code == BERTH_OK)
        code = run_rounds(&plan, out, err);
    if (code == BERTH_ERR_INTERRUPTED)
        code = report_interruption(&plan, out, err);
    parts_close(plan.parts);
    mem_free(plan.tasks);
    return code;
}

struct farm_work experiment_work(const struct scenario_set *set,
                                 const struct experiment_options *options)
{
    struct plan *plan = mem_alloc(sizeof *plan);
    *plan = make_plan(set, options);
    return (struct farm_work){.run = run_task, .context = plan, .stop = options->stop};
}

void experiment_work_free(struct farm_work *work)
{
    mem_free(work->context);
    work->context = NULL;
}

void experiment_origin(const struct scenario_set *set, const struct experiment_options *options,
                       struct text *out)
{
    struct plan plan = make_plan(set, options);
    format_origin(&plan, out);
}
