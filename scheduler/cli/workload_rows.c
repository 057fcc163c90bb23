/*
 * workload_rows.c -- rows share few definitions and constraints: each pair is compiled once, and a
 * row then costs one check for each kind of instance of the fleet.
 */
#include "scheduler/cli/workload_rows.h"

#include <stdio.h>

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/cli/command.h"
#include "sim/scenario/fit.h"
#include "sim/workload/source.h"

struct reading {
    const struct scenario *scenario;
    const struct scenario_arrival *arrival;
    struct source *source;
    struct fit *fit;
    struct map plan_at; /* by definition and constraint */
    VEC(struct placement_plan *) plans;
};

static enum berth_err compile(struct reading *reading, const struct scenario_task_def *def,
                              const char *constraint, struct placement_plan **out,
                              struct berth_error *err)
{
    struct placement_constraint_spec constraints[PLACEMENT_CONSTRAINTS_MAX + 1];
    const struct scenario_constraints *own = &reading->arrival->constraints;
    uint16_t count = 0;
    for (; count < own->count && count < PLACEMENT_CONSTRAINTS_MAX; count++)
        constraints[count] = own->items[count];
    if (constraint != NULL)
        constraints[count++] = (struct placement_constraint_spec){"memberOf", constraint};
    if (placement_plan_create(fit_symbols(reading->fit), def->def, NULL, 0, constraints, count,
                              PLACEMENT_DEFAULT_STANDALONE, out, err) == BERTH_OK)
        return BERTH_OK;
    struct berth_error inner = *err;
    return source_fail(reading->source, "constraint", err, "%.500s", inner.text);
}

static enum berth_err plan_of(struct reading *reading, const struct scenario_task_def *def,
                              const char *constraint, const struct placement_plan **out,
                              struct berth_error *err)
{
    symbol text = symbols_add(fit_symbols(reading->fit), constraint);
    uint64_t key = (uint64_t)(def - reading->scenario->task_defs) << 32 | text;
    uint32_t at = map_get(&reading->plan_at, key);
    if (at == MAP_ABSENT) {
        struct placement_plan *plan = NULL;
        if (compile(reading, def, constraint, &plan, err) != BERTH_OK)
            return err->code;
        at = (uint32_t)reading->plans.count;
        *vec_push(&reading->plans) = plan;
        map_put(&reading->plan_at, key, at);
    }
    *out = reading->plans.items[at];
    return BERTH_OK;
}

static struct demand demand_of(const struct task_def *def, const struct source_task *task)
{
    struct demand demand = def->demand;
    if (task->cpu_units != OVERRIDE_NONE)
        demand.cpu_units = task->cpu_units;
    if (task->mem_mib != OVERRIDE_NONE)
        demand.mem_mib = task->mem_mib;
    if (task->overrides_gpus) {
        demand.gpus = task->gpus;
        demand.gpu_count = task->gpu_count;
    }
    return demand;
}

static enum berth_err check_row(struct reading *reading, const struct source_task *task,
                                struct workload_rows *rows, struct berth_error *err)
{
    const struct scenario_task_def *def =
        scenario_find_task_def(reading->scenario, task->task_definition);
    const struct placement_plan *plan = NULL;
    if (def == NULL)
        return source_fail(reading->source, "taskDefinition", err,
                           "there is no task definition \"%.60s\"; add it to taskDefinitions",
                           task->task_definition);
    if (plan_of(reading, def, task->constraint, &plan, err) != BERTH_OK)
        return err->code;
    struct demand demand = demand_of(def->def, task);
    enum placement_verdict verdict = fit_check(reading->fit, plan, &demand);
    rows->count++;
    if (verdict == PLACEMENT_FITS || rows->misfit_count++ > 0)
        return BERTH_OK;
    struct berth_error first = BERTH_ERROR_INIT;
    (void)source_fail(reading->source, NULL, &first, "%s", fit_words(verdict));
    (void)snprintf(rows->misfit, sizeof rows->misfit, "%s", first.text);
    return BERTH_OK;
}

enum berth_err workload_rows_check(const struct scenario *scenario,
                                   const struct scenario_arrival *arrival,
                                   struct workload_rows *rows, struct berth_error *err)
{
    struct reading reading = {.scenario = scenario, .arrival = arrival};
    struct source_task task;
    bool has_task = true;
    if (source_open(arrival, 0, scenario->run.duration_ns, &reading.source, err) != BERTH_OK)
        return err->code;
    reading.fit = fit_create(scenario);
    enum berth_err code = BERTH_OK;
    while (code == BERTH_OK && !command_stop) {
        code = source_next(reading.source, &task, &has_task, err);
        if (code != BERTH_OK || !has_task)
            break;
        code = check_row(&reading, &task, rows, err);
    }
    for (size_t i = 0; i < reading.plans.count; i++)
        placement_plan_destroy(reading.plans.items[i]);
    vec_free(&reading.plans);
    map_free(&reading.plan_at);
    fit_destroy(reading.fit);
    source_close(reading.source);
    return code;
}
