/*
 * check.c -- what one part of a scenario says of another.
 *
 * Names are looked up, expressions and strategies compiled by the very functions that the
 * controller uses, so that a scenario that passes here cannot be refused there. What is legal but
 * can never matter becomes a warning: a task that fits on no instance even if it were empty, an
 * entry after the end of the run, a selector that selects nothing.
 */
#include "sim/scenario/parts.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/placement/expression.h"
#include "sim/scenario/fit.h"

struct names { /* NULL at the end */
    const char **items;
    size_t count;
    size_t capacity;
};

struct check {
    const struct at *root;
    struct scenario *scenario;
    struct fit *fit;
    struct symbols *symbols;                 /* of the fit */
    struct symbols *zones_seen, *racks_seen; /* sets: a fleet may name very many */
    struct names definitions, services, groups, zones, racks, hooks;
};

static void warn(struct check *check, const char *format, ...) BERTH_PRINTF(2, 3);
static void warn(struct check *check, const char *format, ...)
{
    struct scenario *scenario = check->scenario;
    char text[BERTH_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    scenario->warnings =
        mem_resize(scenario->warnings, scenario->warning_count + 1, sizeof *scenario->warnings);
    scenario->warnings[scenario->warning_count++] = mem_copy_text(text);
}

void check_name(const struct at *at, const char *name, const char *kind, const char *where,
                const char *const *names)
{
    if (name == NULL || at->reader->has_failed)
        return;
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return;
    const char *near = berth_nearest(name, names);
    if (near != NULL)
        at_fail(at, "there is no %s \"%.60s\"; did you mean \"%.60s\"?", kind, name, near);
    else
        at_fail(at, "there is no %s \"%.60s\"; add it to %s or name another", kind, name, where);
}

/* The name of a member of a collection: found by the JSON's own hash, however many there are. */
static void check_member(const struct check *check, const struct at *at, const char *name,
                         const char *kind, const char *collection, const struct names *names)
{
    struct at all = at_member(check->root, collection);
    if (name != NULL && (json_object_get(all.json, name) == NULL || is_ignored_key(name)))
        check_name(at, name, kind, collection, names->items);
}

static void check_definition_name(struct check *check, const struct at *up, const char *name)
{
    struct at at = at_member(up, "taskDefinition");
    check_member(check, &at, name, "task definition", "taskDefinitions", &check->definitions);
}

/* "placementStrategy[0].field: what" stands at `up`, as ".../placementStrategy/0/field: what". */
static void fail_plan(const struct at *up, const struct berth_error *err)
{
    char text[BERTH_ERROR_TEXT_MAX];
    const char *what = strstr(err->text, ": ");
    if (strncmp(err->text, "placement", 9) != 0 || what == NULL) {
        at_fail(up, "%s", err->text);
        return;
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)(what - err->text), err->text);
    struct at levels[4] = {*up};
    int depth = 0;
    for (char *token = text; token != NULL && *token != '\0' && depth < 3;) {
        char *next = strpbrk(token, "[].");
        if (next != NULL)
            *next++ = '\0';
        while (next != NULL && (*next == '.' || *next == ']' || *next == '['))
            *next++ = '\0';
        if (json_is_array(levels[depth].json)) {
            size_t index = 0;
            (void)sscanf(token, "%zu", &index);
            levels[depth + 1] = at_item(&levels[depth], index);
        } else {
            levels[depth + 1] = at_member(&levels[depth], token);
        }
        depth++;
        token = next;
    }
    at_fail(&levels[depth], "%s", what + 2);
}

/* NULL after a sticky error. The caller destroys the plan. */
static struct placement_plan *compile(struct check *check, const struct at *up,
                                      const struct task_def *def,
                                      const struct scenario_strategies *strategies,
                                      const struct scenario_constraints *constraints,
                                      enum placement_default when_empty)
{
    struct placement_plan *plan = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    if (check->root->reader->has_failed)
        return NULL;
    if (placement_plan_create(check->symbols, def, strategies->items, strategies->count,
                              constraints->items, constraints->count, when_empty, &plan,
                              &err) == BERTH_OK)
        return plan;
    fail_plan(up, &err);
    return NULL;
}

static void check_definitions(struct check *check)
{
    static const struct scenario_strategies no_strategies;
    static const struct scenario_constraints no_constraints;
    struct at all = at_member(check->root, "taskDefinitions");
    for (uint32_t i = 0; i < check->scenario->task_def_count; i++) {
        const struct scenario_task_def *def = &check->scenario->task_defs[i];
        struct at one = at_member(&all, def->name), inner = at_member(&one, "definition");
        struct placement_plan *plan =
            compile(check, inner.json != NULL ? &inner : &one, def->def, &no_strategies,
                    &no_constraints, PLACEMENT_DEFAULT_SERVICE);
        if (plan != NULL)
            placement_plan_destroy(plan);
    }
}

static void check_fit(struct check *check, const char *collection, const char *name,
                      const struct placement_plan *plan, const struct demand *demand)
{
    enum placement_verdict verdict = fit_check(check->fit, plan, demand);
    if (verdict != PLACEMENT_FITS)
        warn(check, "%s/%s: a task of it fits on no instance of the fleet, even an empty one: %s",
             collection, name, fit_words(verdict));
}

static const struct scenario_strategies *strategies_of(const struct check *check,
                                                       const struct scenario_strategies *own)
{
    return own->is_set ? own : &check->scenario->run.strategies;
}

/* Reference 4.3: with no room to stop below and none to start above, a rollout stands still. */
static void check_rollout(struct check *check, const struct scenario_timeline *entry)
{
    const struct scenario_service *service = scenario_find_service(check->scenario, entry->service);
    if (service == NULL || service->scheduling == SCHEDULING_DAEMON)
        return;
    int64_t desired = service->desired_count;
    int64_t minimum = service->minimum_healthy_percent, maximum = service->maximum_percent;
    minimum = minimum == OVERRIDE_NONE ? 100 : minimum;
    maximum = maximum == OVERRIDE_NONE ? 200 : maximum;
    if (desired > 0 && (desired * minimum + 99) / 100 >= desired &&
        desired * maximum / 100 <= desired)
        warn(check,
             "timeline/%s: services/%s can neither stop nor start a task within its "
             "deploymentConfiguration, so the deployment will not move",
             entry->name, service->name);
}

/* Fargate has machines of every size; the fleet's do not matter. */
static bool is_for_fargate(const struct check *check, const struct scenario_shares *shares)
{
    if (shares->count == 0)
        shares = &check->scenario->default_shares;
    return shares->count > 0 && strncmp(shares->items[0].provider, "FARGATE", 7) == 0;
}

/* A pause is no function: any name will do. */
static void check_hooks(struct check *check, const struct at *up,
                        const struct deployment_settings *settings)
{
    struct at configuration = at_member(up, "deploymentConfiguration");
    struct at list = at_member(&configuration, "lifecycleHooks");
    for (uint16_t i = 0; i < settings->hook_count; i++) {
        struct at item = at_item(&list, i), name = at_member(&item, "name");
        if (!settings->hooks[i].is_pause)
            check_member(check, &name, settings->hooks[i].name, "hook", "hooks", &check->hooks);
    }
}

static void check_service(struct check *check, const struct at *at,
                          const struct scenario_service *service)
{
    if (service->controller == CONTROLLER_EXTERNAL)
        return; /* Its task sets say what runs. */
    check_definition_name(check, at, service->task_definition);
    check_hooks(check, at, &service->settings);
    const struct scenario_task_def *def =
        scenario_find_task_def(check->scenario, service->task_definition);
    if (def == NULL || check->root->reader->has_failed)
        return;
    struct placement_plan *plan =
        compile(check, at, def->def, strategies_of(check, &service->strategies),
                &service->constraints, PLACEMENT_DEFAULT_SERVICE);
    if (plan == NULL)
        return;
    bool is_placed = service->desired_count > 0 || service->scheduling == SCHEDULING_DAEMON;
    if (is_placed && !is_for_fargate(check, &service->shares))
        check_fit(check, "services", service->name, plan, &def->def->demand);
    if (service->start_ns >= check->scenario->run.duration_ns)
        warn(check, "services/%s: starts after the end of the run", service->name);
    placement_plan_destroy(plan);
}

/* The least that a size may be drawn as; only a constant or a bound says anything. */
static int32_t least_size(const struct distribution *size)
{
    double least =
        size->kind == DISTRIBUTION_CONSTANT || size->kind == DISTRIBUTION_UNIFORM ? size->p[0] : 0;
    least = least < size->min ? size->min : least > size->max ? size->max : least;
    return least < 1 ? 1 : least > 1e9 ? 1000000000 : (int32_t)least;
}

static void check_arrival(struct check *check, const struct at *at,
                          const struct scenario_arrival *arrival)
{
    check_definition_name(check, at, arrival->task_definition);
    const struct scenario_task_def *def =
        arrival->task_definition == NULL
            ? NULL
            : scenario_find_task_def(check->scenario, arrival->task_definition);
    struct placement_plan *plan = compile(check, at, def == NULL ? NULL : def->def,
                                          strategies_of(check, &arrival->strategies),
                                          &arrival->constraints, PLACEMENT_DEFAULT_STANDALONE);
    if (plan == NULL)
        return;
    /* The rows of a CSV say their own sizes; the run will tell. */
    if (def != NULL && arrival->process != ARRIVAL_CSV &&
        !is_for_fargate(check, &arrival->shares)) {
        struct demand demand = def->def->demand;
        if (arrival->has_cpu)
            demand.cpu_units = least_size(&arrival->cpu);
        if (arrival->has_mem)
            demand.mem_mib = least_size(&arrival->mem);
        check_fit(check, "arrivals", arrival->name, plan, &demand);
    }
    if (arrival->start_ns >= check->scenario->run.duration_ns)
        warn(check, "arrivals/%s: starts after the end of the run", arrival->name);
    placement_plan_destroy(plan);
}

static bool has_zone(const struct scenario_group *group, const char *zone)
{
    for (uint32_t i = 0; i < group->zone_count; i++)
        if (strcmp(group->zones[i], zone) == 0)
            return true;
    return false;
}

static bool has_rack(const struct scenario_group *group, const char *rack)
{
    for (uint32_t i = 0; i < group->rack_count; i++)
        if (strcmp(group->racks[i], rack) == 0)
            return true;
    return false;
}

static void check_selector(struct check *check, const struct at *at, const char *collection,
                           const struct scenario_selector *select)
{
    struct at fleet = at_member(at, "fleet"), zone = at_member(at, "zone");
    struct at expression_at = at_member(at, "expression"), rack = at_member(at, "rack");
    check_name(&rack, select->rack, "rack", "the fleet", check->racks.items);
    check_member(check, &fleet, select->group, "group", "fleet", &check->groups);
    check_name(&zone, select->zone, "zone", "the fleet", check->zones.items);
    if (check->root->reader->has_failed)
        return;
    if (select->expression != NULL) {
        struct expression *expression = NULL;
        struct berth_error err = BERTH_ERROR_INIT;
        if (expression_parse(check->symbols, select->expression, &expression, &err) != BERTH_OK)
            at_fail(&expression_at, "%s", err.text);
        else
            expression_destroy(expression);
    }
    uint64_t upper_bound = 0;
    for (uint32_t i = 0; i < check->scenario->group_count; i++) {
        const struct scenario_group *group = &check->scenario->groups[i];
        if ((select->group == NULL || strcmp(select->group, group->name) == 0) &&
            (select->zone == NULL || has_zone(group, select->zone)) &&
            (select->rack == NULL || has_rack(group, select->rack)))
            upper_bound += group->count;
    }
    if (upper_bound == 0 || (select->instance >= 0 && (uint64_t)select->instance >= upper_bound))
        warn(check, "%s: selects no instance of the fleet", collection);
}

/* Task sets are for EXTERNAL services, deployments for the others; a task set is made by an entry.
 */
static void check_controller(struct check *check, const struct at *at,
                             const struct scenario_timeline *entry,
                             const struct scenario_service *service)
{
    bool is_of_set =
        entry->kind >= TIMELINE_CREATE_TASK_SET && entry->kind <= TIMELINE_DELETE_TASK_SET;
    bool is_of_deployment = entry->kind == TIMELINE_DEPLOY ||
                            entry->kind == TIMELINE_STOP_DEPLOYMENT ||
                            entry->kind == TIMELINE_CONTINUE_DEPLOYMENT;
    bool is_external = service->controller == CONTROLLER_EXTERNAL;
    struct at name = at_member(at, "service");
    struct at set =
        at_member(at, entry->kind == TIMELINE_PRIMARY_TASK_SET ? "primaryTaskSet" : "taskSet");
    if (is_of_set && !is_external)
        at_fail(&name, "its deploymentController is ECS; task sets belong to EXTERNAL, write that");
    if (is_of_deployment && is_external)
        at_fail(&name, "its deploymentController is EXTERNAL; write an entry about a task set");
    if (!is_of_set || entry->kind == TIMELINE_CREATE_TASK_SET)
        return;
    struct names made = {NULL, 0, 0};
    for (uint32_t i = 0; i < check->scenario->timeline_count; i++) {
        const struct scenario_timeline *other = &check->scenario->timeline[i];
        if (other->kind == TIMELINE_CREATE_TASK_SET && strcmp(other->service, service->name) == 0)
            *vec_push(&made) = other->task_set;
    }
    *vec_push(&made) = NULL;
    check_name(&set, entry->task_set, "task set", "a createTaskSet", made.items);
    vec_free(&made);
}

static void check_entry(struct check *check, const struct at *at,
                        const struct scenario_timeline *entry)
{
    char where[READER_NAME_MAX + 16];
    struct at inner = at_member(at, timeline_kind_names[entry->kind]);
    (void)snprintf(where, sizeof where, "timeline/%s", entry->name);
    if (entry->service != NULL) {
        struct at service_at = at_member(&inner, "service");
        check_member(check, &service_at, entry->service, "service", "services", &check->services);
        check_definition_name(check, &inner, entry->task_definition);
        if (check->root->reader->has_failed)
            return;
        const struct scenario_service *service =
            scenario_find_service(check->scenario, entry->service);
        if (entry->kind == TIMELINE_SCALE && service->scheduling == SCHEDULING_DAEMON)
            at_fail(&service_at, "a DAEMON service has no desired count; remove the entry");
        check_controller(check, &inner, entry, service);
        if (entry->kind == TIMELINE_DEPLOY)
            check_rollout(check, entry);
    } else if (entry->kind != TIMELINE_ALARM) {
        check_selector(check, &inner, where, &entry->select);
    }
    if (entry->at_ns >= check->scenario->run.duration_ns)
        warn(check, "%s: comes after the end of the run", where);
}

static void check_faults(struct check *check, const struct at *faults)
{
    char where[READER_NAME_MAX + 16];
    const struct scenario_faults *all = &check->scenario->faults;
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        struct at at = at_member(faults, fault_kind_names[kind]);
        if (at.json == NULL)
            continue;
        (void)snprintf(where, sizeof where, "faults/%s", fault_kind_names[kind]);
        check_selector(check, &at, where, &all->kinds[kind].select);
    }
    if (faults->json != NULL && all->from_ns >= check->scenario->run.duration_ns)
        warn(check, "faults: begin after the end of the run");
}

static void check_failure(struct check *check, const struct at *at,
                          const struct scenario_failure *failure)
{
    char where[READER_NAME_MAX + 16];
    (void)snprintf(where, sizeof where, "failures/%s", failure->name);
    check_selector(check, at, where, &failure->select);
    if (failure->kind != FAILURE_SPOT || failure->select.group == NULL)
        return;
    for (uint32_t i = 0; i < check->scenario->group_count; i++) {
        const struct scenario_group *group = &check->scenario->groups[i];
        if (strcmp(group->name, failure->select.group) == 0 && !group->is_spot)
            warn(check, "%s: fleet/%s is not spot, so it is never interrupted", where, group->name);
    }
}

static void add_place(struct names *list, struct symbols *seen, const char *name)
{
    if (symbols_find(seen, name) != SYMBOL_NONE)
        return;
    (void)symbols_add(seen, name);
    *vec_push(list) = name;
}

static void check_begin(struct check *check, const struct at *root, struct scenario *scenario)
{
    *check = (struct check){.root = root, .scenario = scenario};
    check->fit = fit_create(scenario);
    check->symbols = fit_symbols(check->fit);
    check->zones_seen = symbols_create();
    check->racks_seen = symbols_create();
    for (uint32_t i = 0; i < scenario->group_count; i++) {
        const struct scenario_group *group = &scenario->groups[i];
        *vec_push(&check->groups) = group->name;
        for (uint32_t j = 0; j < group->zone_count; j++)
            add_place(&check->zones, check->zones_seen, group->zones[j]);
        for (uint32_t j = 0; j < group->rack_count; j++)
            add_place(&check->racks, check->racks_seen, group->racks[j]);
    }
    for (uint32_t i = 0; i < scenario->task_def_count; i++)
        *vec_push(&check->definitions) = scenario->task_defs[i].name;
    for (uint32_t i = 0; i < scenario->service_count; i++)
        *vec_push(&check->services) = scenario->services[i].name;
    for (uint32_t i = 0; i < scenario->hook_count; i++)
        *vec_push(&check->hooks) = scenario->hooks[i].name;
    *vec_push(&check->groups) = NULL;
    *vec_push(&check->zones) = NULL;
    *vec_push(&check->racks) = NULL;
    *vec_push(&check->definitions) = NULL;
    *vec_push(&check->services) = NULL;
    *vec_push(&check->hooks) = NULL;
}

static void check_end(struct check *check)
{
    fit_destroy(check->fit);
    symbols_destroy(check->zones_seen);
    symbols_destroy(check->racks_seen);
    vec_free(&check->definitions);
    vec_free(&check->services);
    vec_free(&check->hooks);
    vec_free(&check->groups);
    vec_free(&check->zones);
    vec_free(&check->racks);
}

/* The default strategies are checked once, where they are written. */
static void check_run(struct check *check)
{
    static const struct scenario_constraints none;
    struct at run = at_member(check->root, "run");
    struct placement_plan *plan = compile(check, &run, NULL, &check->scenario->run.strategies,
                                          &none, PLACEMENT_DEFAULT_SERVICE);
    if (plan != NULL)
        placement_plan_destroy(plan);
}

void check_scenario(const struct at *root, struct scenario *out)
{
    if (root->reader->has_failed)
        return;
    struct check check;
    struct at services = at_member(root, "services"), arrivals = at_member(root, "arrivals");
    struct at timeline = at_member(root, "timeline"), failures = at_member(root, "failures");
    check_begin(&check, root, out);
    check_run(&check);
    check_definitions(&check);
    for (uint32_t i = 0; i < out->service_count; i++) {
        struct at at = at_member(&services, out->services[i].name);
        check_service(&check, &at, &out->services[i]);
    }
    for (uint32_t i = 0; i < out->arrival_count; i++) {
        struct at at = at_member(&arrivals, out->arrivals[i].name);
        check_arrival(&check, &at, &out->arrivals[i]);
    }
    for (uint32_t i = 0; i < out->timeline_count; i++) {
        struct at at = at_member(&timeline, out->timeline[i].name);
        check_entry(&check, &at, &out->timeline[i]);
    }
    for (uint32_t i = 0; i < out->failure_count; i++) {
        struct at at = at_member(&failures, out->failures[i].name);
        check_failure(&check, &at, &out->failures[i]);
    }
    struct at faults = at_member(root, "faults");
    check_faults(&check, &faults);
    check_end(&check);
}
