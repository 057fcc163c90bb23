/*
 * plan.c -- compiling strategies and constraints: every mistake is found here, by its place in the
 * request, so that placing cannot fail on input.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/placement/plan.h"

#define ATTRIBUTE_PREFIX "attribute:"

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* ASCII only, whatever the locale; `name` is in lower case. */
static bool equals_ignoring_case(const char *text, const char *name)
{
    while (*text != '\0' && lower(*text) == *name) {
        text++;
        name++;
    }
    return *text == *name;
}

static enum strategy_field field_of(const char *text)
{
    size_t prefix = strlen(ATTRIBUTE_PREFIX);
    if (equals_ignoring_case(text, "cpu"))
        return FIELD_CPU;
    if (equals_ignoring_case(text, "memory"))
        return FIELD_MEMORY;
    if (strcmp(text, "instanceId") == 0 || strcmp(text, "host") == 0)
        return FIELD_INSTANCE;
    if (strncmp(text, ATTRIBUTE_PREFIX, prefix) == 0 && text[prefix] != '\0')
        return FIELD_ATTRIBUTE;
    return FIELD_NONE;
}

/* The fields of a strategy in words. */
static const char *field_words(const struct strategy *strategy)
{
    switch (strategy->fields) {
    case FIELD_CPU | FIELD_MEMORY:
        return "cpu or memory";
    case FIELD_INSTANCE | FIELD_ATTRIBUTE:
        return "instanceId, host or attribute:NAME";
    case FIELD_CPU:
        return "cpu";
    case FIELD_MEMORY:
        return "memory";
    case FIELD_ATTRIBUTE:
        return "attribute:NAME";
    case FIELD_INSTANCE:
        return "instanceId or host";
    }
    return "cpu, memory, instanceId, host or attribute:NAME";
}

static enum berth_err compile_field(struct symbols *symbols, size_t index, const char *text,
                                    struct strategy_step *step, struct berth_error *err)
{
    const struct strategy *strategy = step->strategy;
    bool is_absent = text == NULL || text[0] == '\0';
    if ((strategy->fields & FIELD_IGNORED) != 0 || (strategy->fields == 0 && is_absent))
        return BERTH_OK;
    if (strategy->fields == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementStrategy[%zu].field: %s takes no field; leave it out", index,
                          strategy->name);
    if (is_absent)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementStrategy[%zu].field: missing; %s needs %s", index,
                          strategy->name, field_words(strategy));
    step->field = field_of(text);
    if ((step->field & strategy->fields) == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementStrategy[%zu].field: \"%.128s\" is not a field of %s; use %s",
                          index, text, strategy->name, field_words(strategy));
    if (step->field == FIELD_ATTRIBUTE)
        step->attribute = symbols_add(symbols, text + strlen(ATTRIBUTE_PREFIX));
    return BERTH_OK;
}

static enum berth_err fail_name(struct berth_error *err, const char *place, const char *wrong,
                                const char *what, const char *const *names)
{
    const char *nearest = berth_nearest(wrong, names);
    if (nearest != NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: \"%.128s\" is not a %s; did you mean %s?",
                          place, wrong, what, nearest);
    char list[256] = "";
    size_t length = 0;
    for (size_t i = 0; names[i] != NULL && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i > 0 ? ", " : "",
                                   names[i]);
    return berth_fail(err, BERTH_ERR_INPUT, "%s: \"%.128s\" is not a %s; use one of %s", place,
                      wrong, what, list);
}

static enum berth_err compile_strategies(struct placement_plan *plan, struct symbols *symbols,
                                         const struct placement_strategy_spec *specs, size_t count,
                                         struct berth_error *err)
{
    if (count > PLACEMENT_STRATEGIES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "placementStrategy: %zu entries; use at most %d",
                          count, PLACEMENT_STRATEGIES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct strategy_step *step = &plan->steps[i];
        char place[64];
        snprintf(place, sizeof place, "placementStrategy[%zu].type", i);
        if (specs[i].type == NULL)
            return berth_fail(err, BERTH_ERR_INPUT, "%s: missing; name a strategy", place);
        step->strategy = strategy_find(specs[i].type);
        if (step->strategy == NULL)
            return fail_name(err, place, specs[i].type, "placement strategy",
                             placement_strategy_names);
        enum berth_err code = compile_field(symbols, i, specs[i].field, step, err);
        if (code != BERTH_OK)
            return code;
    }
    plan->step_count = count;
    return BERTH_OK;
}

/* ECS's defaults (semantics 1.5): over zones, then over instances; or by chance. */
static void fill_default(struct placement_plan *plan, struct symbols *symbols,
                         enum placement_default when_empty)
{
    if (when_empty == PLACEMENT_DEFAULT_STANDALONE) {
        plan->steps[0] = (struct strategy_step){&strategy_random, FIELD_NONE, SYMBOL_NONE};
        plan->step_count = 1;
        return;
    }
    symbol zone = symbols_add(symbols, "ecs.availability-zone");
    plan->steps[0] = (struct strategy_step){&strategy_spread, FIELD_ATTRIBUTE, zone};
    plan->steps[1] = (struct strategy_step){&strategy_spread, FIELD_INSTANCE, SYMBOL_NONE};
    plan->step_count = 2;
}

/* The symbol of a filter and one condition more. */
static symbol filter_with(struct symbols *symbols, symbol filter, const char *condition)
{
    struct text key = TEXT_INIT;
    text_addf(&key, "%lu\x1f", (unsigned long)filter);
    text_add(&key, condition);
    symbol with = symbols_add(symbols, key.bytes);
    text_free(&key);
    return with;
}

static enum berth_err compile_expression(struct placement_plan *plan, struct symbols *symbols,
                                         const char *text, const char *place,
                                         struct berth_error *err)
{
    assert(plan->expression_count < PLACEMENT_CONSTRAINTS_MAX);
    struct expression *expression = NULL;
    if (expression_parse(symbols, text, &expression, err) != BERTH_OK)
        return berth_fail_in(err, "%s: ", place);
    if (expression_is_static(expression))
        plan->member_filter = filter_with(symbols, plan->member_filter, text);
    else
        plan->dynamic_count++;
    plan->is_dynamic[plan->expression_count] = !expression_is_static(expression);
    plan->expressions[plan->expression_count++] = expression;
    return BERTH_OK;
}

static enum berth_err compile_constraint(struct placement_plan *plan, struct symbols *symbols,
                                         const struct placement_constraint_spec *spec, size_t index,
                                         struct berth_error *err)
{
    static const char *const types[] = {"memberOf", "distinctInstance", NULL};
    bool has_expression = spec->expression != NULL && spec->expression[0] != '\0';
    char place[64];
    snprintf(place, sizeof place, "placementConstraints[%zu].type", index);
    if (spec->type == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: missing; use memberOf or distinctInstance",
                          place);
    bool is_distinct = strcmp(spec->type, "distinctInstance") == 0;
    if (!is_distinct && strcmp(spec->type, "memberOf") != 0)
        return fail_name(err, place, spec->type, "placement constraint", types);
    snprintf(place, sizeof place, "placementConstraints[%zu].expression", index);
    if (is_distinct && has_expression)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: distinctInstance takes no expression; leave it out", place);
    if (is_distinct) {
        plan->is_distinct_instance = true;
        return BERTH_OK;
    }
    if (!has_expression)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: missing; memberOf needs one in the cluster query language", place);
    return compile_expression(plan, symbols, spec->expression, place, err);
}

/* The definition's own requirements: memberOf expressions, and attributes as "name[=value]". */
static enum berth_err compile_definition(struct placement_plan *plan, struct symbols *symbols,
                                         const struct task_def *def, struct berth_error *err)
{
    plan->required = mem_alloc(def->required_attribute_count * sizeof *plan->required);
    for (size_t i = 0; i < def->required_attribute_count; i++) {
        const char *text = def->required_attributes[i];
        const char *equals = strchr(text, '=');
        size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
        plan->required[plan->required_count++] = (struct required_attribute){
            symbols_add_n(symbols, text, length),
            equals == NULL ? SYMBOL_NONE : symbols_add(symbols, equals + 1)};
        plan->required_filter = filter_with(symbols, plan->required_filter, text);
    }
    for (size_t i = 0; i < def->member_of_count; i++) {
        char place[80];
        snprintf(place, sizeof place, "taskDefinition.placementConstraints[%zu].expression", i);
        enum berth_err code = compile_expression(plan, symbols, def->member_of[i], place, err);
        if (code != BERTH_OK)
            return code;
    }
    return BERTH_OK;
}

static enum berth_err compile(struct placement_plan *plan, struct symbols *symbols,
                              const struct task_def *def,
                              const struct placement_strategy_spec *strategies,
                              size_t strategy_count,
                              const struct placement_constraint_spec *constraints,
                              size_t constraint_count, struct berth_error *err)
{
    size_t from_def = def == NULL ? 0 : def->member_of_count;
    enum berth_err code = compile_strategies(plan, symbols, strategies, strategy_count, err);
    if (code != BERTH_OK)
        return code;
    if (from_def > PLACEMENT_CONSTRAINTS_MAX ||
        constraint_count > PLACEMENT_CONSTRAINTS_MAX - from_def)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "placementConstraints: %zu with the %zu of the task definition; use at "
                          "most %d together",
                          constraint_count, from_def, PLACEMENT_CONSTRAINTS_MAX);
    if (def != NULL && (code = compile_definition(plan, symbols, def, err)) != BERTH_OK)
        return code;
    for (size_t i = 0; i < constraint_count; i++) {
        code = compile_constraint(plan, symbols, &constraints[i], i, err);
        if (code != BERTH_OK)
            return code;
    }
    return BERTH_OK;
}

enum berth_err placement_plan_create(struct symbols *symbols, const struct task_def *def,
                                     const struct placement_strategy_spec *strategies,
                                     size_t strategy_count,
                                     const struct placement_constraint_spec *constraints,
                                     size_t constraint_count, enum placement_default when_empty,
                                     struct placement_plan **out, struct berth_error *err)
{
    struct placement_plan *plan = mem_alloc(sizeof *plan);
    enum berth_err code =
        compile(plan, symbols, def, strategies, strategy_count, constraints, constraint_count, err);
    if (code != BERTH_OK) {
        placement_plan_destroy(plan);
        return code;
    }
    if (plan->step_count == 0)
        fill_default(plan, symbols, when_empty);
    *out = plan;
    return BERTH_OK;
}

void placement_plan_destroy(struct placement_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->expression_count; i++)
        expression_destroy(plan->expressions[i]);
    mem_free(plan->required);
    mem_free(plan);
}

void strategy_step_format(const struct symbols *symbols, const struct strategy_step *step,
                          char *out, size_t out_bytes)
{
    const char *name = step->strategy->name;
    switch (step->field) {
    case FIELD_CPU:
        snprintf(out, out_bytes, "%s(cpu)", name);
        return;
    case FIELD_MEMORY:
        snprintf(out, out_bytes, "%s(memory)", name);
        return;
    case FIELD_INSTANCE:
        snprintf(out, out_bytes, "%s(instanceId)", name);
        return;
    case FIELD_ATTRIBUTE:
        snprintf(out, out_bytes, "%s(attribute:%s)", name, symbols_text(symbols, step->attribute));
        return;
    case FIELD_NONE:
    case FIELD_IGNORED:
        break;
    }
    snprintf(out, out_bytes, "%s", name);
}
