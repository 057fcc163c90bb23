/*
 * collect_services.c -- services: what is missing, how they are spread, when they are steady.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim/run/collect_internal.h"

/* A service is settled when the controller says so and its copies really serve. */
static void judge(struct collect *collect, berth_ns now_ns, struct service_figures *service)
{
    int32_t below = service->desired > service->serving ? service->desired - service->serving : 0;
    if (below != service->below)
        level_add(&collect->levels, LEVEL_BELOW_DESIRED, now_ns, below - service->below);
    service->below = below;
    if (collect->is_in_window && service->desired > 0 && below > 0)
        collect->missing_max = fmax(collect->missing_max, (double)below / (double)service->desired);
    bool is_unsettled = service->is_active && (!service->is_steady || below > 0);
    if (is_unsettled && !service->is_unsettled)
        collect->unsettled_count++;
    else if (!is_unsettled && service->is_unsettled)
        collect->unsettled_count--;
    service->is_unsettled = is_unsettled;
}

bool collect_is_measured(const struct collect *collect, uint32_t service)
{
    return service != UINT32_MAX && collect->services[service].is_measured;
}

void collect_serving(struct collect *collect, berth_ns now_ns, uint32_t service, int change)
{
    if (service == UINT32_MAX)
        return;
    story_serving(collect->teller, service, change);
    collect->services[service].serving += change;
    if (collect_is_measured(collect, service))
        judge(collect, now_ns, &collect->services[service]);
    collect_dip(collect, service);
}

static uint32_t find_service(const struct collect *collect, symbol name)
{
    const char *text = symbols_text(cluster_symbols(controller_cluster(collect->controller)), name);
    for (uint32_t i = 0; text != NULL && i < collect->scenario->service_count; i++)
        if (strcmp(collect->scenario->services[i].name, text) == 0)
            return i;
    return UINT32_MAX;
}

/* A service's first tasks may be told of before the service itself: the controller is asked. */
uint32_t collect_ask_service(struct collect *collect, service_id id)
{
    struct service_view view = controller_service(collect->controller, id);
    uint32_t index = find_service(collect, view.name);
    while (collect->service_of.count <= id)
        *vec_push(&collect->service_of) = UINT32_MAX;
    collect->service_of.items[id] = index;
    while (collect->service_of_group.count <= view.group)
        *vec_push(&collect->service_of_group) = UINT32_MAX;
    collect->service_of_group.items[view.group] = index;
    return index;
}

void collect_service(struct collect *collect, berth_ns now_ns, const struct change *change)
{
    const struct service_view *view = &change->u.service;
    uint32_t index = collect_service_index(collect, view->service);
    story_service(collect->teller, index, view);
    if (index == UINT32_MAX)
        return;
    struct service_figures *service = &collect->services[index];
    int32_t desired = view->is_active ? (int32_t)view->desired_count : 0;
    if (!collect_is_measured(collect, index)) {
        service->desired = desired;
        return;
    }
    if (desired != service->desired) {
        level_add(&collect->levels, LEVEL_DESIRED, now_ns, desired - service->desired);
        collect->is_blast_due = true;
    }
    service->desired = desired;
    service->is_active = view->is_active && !change->is_deleted;
    service->is_steady = view->is_steady;
    judge(collect, now_ns, service);
}

/*
 * What rebalancing has won, from one moment with exactly the desired count to the next: between
 * them it has tasks in both zones.
 */
static void gain(struct collect *collect, struct service_figures *figures)
{
    if (figures->placed != figures->desired)
        return;
    if (collect->is_in_window && figures->rebalanced > 0) {
        collect->skew_gained += figures->level_skew - figures->skew;
        collect->rebalanced += figures->rebalanced;
    }
    figures->rebalanced = 0;
    figures->level_skew = figures->skew;
}

void collect_rebalanced(struct collect *collect, uint32_t service)
{
    collect->services[service].rebalanced++;
}

void collect_zone_count(struct collect *collect, berth_ns now_ns, uint32_t service, uint32_t zone,
                        int change)
{
    struct service_figures *figures = &collect->services[service];
    figures->by_zone[zone] += (uint32_t)change; /* wraps to one less */
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < collect->zone_count; i++) {
        least = figures->by_zone[i] < least ? figures->by_zone[i] : least;
        most = figures->by_zone[i] > most ? figures->by_zone[i] : most;
    }
    int32_t skew = (int32_t)(most - least);
    if (skew != figures->skew)
        level_add(&collect->levels, LEVEL_ZONE_SKEW, now_ns, skew - figures->skew);
    figures->skew = skew;
    figures->placed += change;
    gain(collect, figures);
}

/* Shares are compared as fractions, by cross-multiplication. */
void collect_blast(struct collect *collect, uint32_t service, int64_t tasks)
{
    int64_t desired = collect->services[service].desired;
    if (desired <= 0)
        return;
    if (tasks > desired)
        tasks = desired;
    if (tasks * collect->blast_desired > collect->blast_tasks * desired) {
        collect->blast_tasks = tasks;
        collect->blast_desired = desired;
    }
}

/* After a desired count has changed, placements alone no longer show the largest share. */
void collect_blast_scan(struct collect *collect)
{
    const struct cluster *cluster = controller_cluster(collect->controller);
    uint32_t instance_count = cluster_instance_count(cluster);
    if (!collect->is_blast_due)
        return;
    collect->is_blast_due = false;
    for (instance_id id = 0; id < instance_count; id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        for (uint32_t i = 0; i < instance->group_count; i++) {
            group_id group = instance->groups[i].group;
            if (group < collect->service_of_group.count &&
                collect_is_measured(collect, collect->service_of_group.items[group]))
                collect_blast(collect, collect->service_of_group.items[group],
                              instance->groups[i].tasks);
        }
    }
}

/* What the last disturbance came to, now that it is over or another one begins. */
static void close_convergence(struct convergence *convergence, berth_ns now_ns, bool is_unsettled)
{
    if (convergence->disturbed_ns == BERTH_NS_NEVER || now_ns <= convergence->disturbed_ns)
        return;
    berth_ns end_ns = is_unsettled ? now_ns : convergence->settled_ns;
    berth_ns took_ns = end_ns > convergence->disturbed_ns ? end_ns - convergence->disturbed_ns : 0;
    convergence->count++;
    convergence->sum_ns += took_ns;
    if (took_ns > convergence->max_ns)
        convergence->max_ns = took_ns;
}

void collect_disturbed(struct collect *collect, berth_ns now_ns)
{
    if (collect->measured_count == 0 || !collect->is_in_window)
        return;
    close_convergence(&collect->convergence, now_ns, collect->unsettled_count > 0);
    collect->convergence.disturbed_ns = now_ns;
    *vec_push(&collect->disturbances) = now_ns;
}

static void close_disturbances(struct collect *collect, berth_ns now_ns)
{
    for (size_t i = 0; i < collect->disturbances.count; i++) {
        berth_ns took_ns = now_ns - collect->disturbances.items[i];
        collect->steady_count++;
        collect->steady_sum_ns += took_ns;
        if (took_ns > collect->steady_max_ns)
            collect->steady_max_ns = took_ns;
    }
    vec_clear(&collect->disturbances);
}

void collect_settled(struct collect *collect, berth_ns now_ns)
{
    struct convergence *convergence = &collect->convergence;
    bool is_unsettled = collect->unsettled_count > 0;
    if (is_unsettled == convergence->was_unsettled && now_ns < collect->duration_ns &&
        (is_unsettled || collect->disturbances.count == 0))
        return; /* asked after every event */
    if (convergence->was_unsettled && !is_unsettled)
        convergence->settled_ns = now_ns;
    convergence->was_unsettled = is_unsettled;
    if (now_ns >= collect->duration_ns)
        close_convergence(convergence, now_ns, is_unsettled);
    if (collect->disturbances.count > 0 &&
        (collect->unsettled_count == 0 || now_ns >= collect->duration_ns))
        close_disturbances(collect, now_ns);
}
