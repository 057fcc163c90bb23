/*
 * select.c -- which hosts a selector means.
 *
 * Conditions first (group, zone, rack, expression), then the order of registration, then `instance`
 * or `share` of what is left. An expression is asked about the last instance that a host registered
 * as, in the controller's own cluster. Before anything runs there is none: the fleet's slots are
 * then registered with a cluster of their own, so that a failure's hosts can be told at the start.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/placement/expression.h"
#include "sim/run/driver.h"

struct candidate {
    uint32_t host;
    instance_id instance;
};

struct question { /* an expression and the cluster that it is asked of */
    struct expression *expression;
    const struct cluster *cluster;
};

static bool is_candidate(const struct host_view *view, enum select_among among, bool is_partial)
{
    switch (among) {
    case SELECT_SLOTS:
        return true;
    case SELECT_TO_FAIL:
        return !is_partial || !view->is_lost;
    case SELECT_LOST:
        return view->is_lost;
    case SELECT_REGISTERED:
        return view->is_registered;
    }
    return false;
}

static bool meets(const struct run *run, const struct scenario_selector *selector,
                  const struct host_view *view, const struct question *question,
                  instance_id instance)
{
    if (selector->group != NULL &&
        strcmp(selector->group, run->scenario->groups[view->group].name) != 0)
        return false;
    if (selector->zone != NULL && strcmp(selector->zone, view->zone) != 0)
        return false;
    if (selector->rack != NULL && (view->rack == NULL || strcmp(selector->rack, view->rack) != 0))
        return false;
    if (question->expression == NULL)
        return true;
    return instance < cluster_instance_count(question->cluster) &&
           expression_matches(question->expression, question->cluster, instance);
}

static int by_registration(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->instance != y->instance)
        return x->instance < y->instance ? -1 : 1;
    return x->host < y->host ? -1 : x->host > y->host;
}

/* Every slot as the instance that it would be: number i of the cluster is host i. */
static struct cluster *cluster_of_slots(const struct run *run, struct symbols *symbols)
{
    struct cluster *cluster = cluster_create(symbols);
    symbol zone_name = symbols_add(symbols, "ecs.availability-zone");
    symbol type_name = symbols_add(symbols, "ecs.instance-type");
    for (uint32_t i = 0; i < fleet_host_count(run->fleet); i++) {
        struct host_view view = fleet_host(run->fleet, i);
        const struct scenario_group *group = &run->scenario->groups[view.group];
        struct attribute *attributes = mem_alloc((group->attribute_count + 3) * sizeof *attributes);
        uint32_t count = 0;
        attributes[count++] = (struct attribute){zone_name, symbols_add(symbols, view.zone)};
        if (group->instance_type != NULL && group->instance_type[0] != '\0')
            attributes[count++] =
                (struct attribute){type_name, symbols_add(symbols, group->instance_type)};
        if (view.rack != NULL)
            attributes[count++] = (struct attribute){symbols_add(symbols, "berth.rack"),
                                                     symbols_add(symbols, view.rack)};
        for (uint32_t j = 0; j < group->attribute_count; j++)
            attributes[count++] =
                (struct attribute){symbols_add(symbols, group->attributes[j].name),
                                   symbols_add(symbols, group->attributes[j].value)};
        char name[33];
        id_format((uint64_t)i + 1, name);
        cluster_add_instance(cluster, &(struct instance_spec){.name = name,
                                                              .cpu_units = group->cpu_units,
                                                              .mem_mib = group->mem_mib,
                                                              .attributes = attributes,
                                                              .attribute_count = count});
        mem_free(attributes);
    }
    return cluster;
}

/* `instance` is one of those that are left, `share` the first part of them, rounded up. */
static void narrow(const struct scenario_selector *selector, struct candidate *items, size_t count,
                   struct host_list *out)
{
    size_t first = 0;
    if (selector->instance >= 0) {
        first = (uint64_t)selector->instance < count ? (size_t)selector->instance : count;
        count = first < count ? first + 1 : count;
    }
    if (selector->share < 1) {
        double wanted = ceil(selector->share * (double)(count - first) - 1e-9);
        count = first + (wanted > 0 ? (size_t)wanted : 0);
    }
    for (size_t i = first; i < count; i++)
        *vec_push(out) = items[i].host;
}

static void gather(struct run *run, const struct scenario_selector *selector,
                   enum select_among among, const struct question *question, struct host_list *out)
{
    uint32_t host_count = fleet_host_count(run->fleet);
    bool is_partial = selector->instance >= 0 || selector->share < 1;
    struct candidate *items = mem_alloc((host_count + 1) * sizeof *items);
    size_t count = 0;
    for (uint32_t i = 0; i < host_count; i++) {
        struct host_view view = fleet_host(run->fleet, i);
        instance_id instance = among == SELECT_SLOTS ? i : view.instance;
        if (is_candidate(&view, among, is_partial) &&
            meets(run, selector, &view, question, instance))
            items[count++] = (struct candidate){i, instance};
    }
    qsort(items, count, sizeof *items, by_registration);
    narrow(selector, items, count, out);
    mem_free(items);
}

void select_hosts(struct run *run, const struct scenario_selector *selector,
                  enum select_among among, struct host_list *out)
{
    struct question question = {NULL, NULL};
    struct symbols *symbols = NULL;
    struct cluster *slots = NULL;
    vec_clear(out);
    if (selector->expression != NULL) {
        if (among == SELECT_SLOTS) {
            symbols = symbols_create();
            slots = cluster_of_slots(run, symbols);
            question.cluster = slots;
        } else {
            question.cluster = controller_cluster(loop_controller(run->loop));
            symbols = cluster_symbols(question.cluster);
        }
        struct berth_error err = BERTH_ERROR_INIT;
        if (expression_parse(symbols, selector->expression, &question.expression, &err) != BERTH_OK)
            run_fail(run, "expression", selector->expression, err.text);
    }
    if (run->code == BERTH_OK)
        gather(run, selector, among, &question, out);
    if (question.expression != NULL)
        expression_destroy(question.expression);
    if (slots != NULL) {
        cluster_destroy(slots);
        symbols_destroy(symbols);
    }
}
