/*
 * collect_deployments.c -- how deployments went: how long they took, how deep capacity fell while
 * they did, how long it took to take a bad one back.
 *
 * The states are the controller's (core/deployment.h), the capacity is the truth of the fleet. A
 * service's first deployment is its creation: nobody waits for it and nothing served before it.
 */
#include <math.h>

#include "sim/run/collect_internal.h"

static struct deployment_figures *find(struct collect *collect, uint32_t service,
                                       const struct deployment_view *view)
{
    uint32_t place = collect->services[service].newest;
    while (place != 0 && collect->deployments.items[place - 1].deployment != view->deployment)
        place = collect->deployments.items[place - 1].before;
    return place == 0 ? NULL : &collect->deployments.items[place - 1];
}

static void set_rolling_out(struct collect *collect, struct deployment_figures *figures, bool is)
{
    if (figures->is_rolling_out == is || figures->is_first)
        return;
    figures->is_rolling_out = is;
    collect->services[figures->service].rolling_out += is ? 1 : UINT32_MAX;
    collect_dip(collect, figures->service);
}

static struct deployment_figures *add(struct collect *collect, berth_ns now_ns, uint32_t service,
                                      const struct deployment_view *view)
{
    uint32_t *newest = &collect->services[service].newest;
    struct deployment_figures *figures = vec_push(&collect->deployments);
    *figures = (struct deployment_figures){.deployment = view->deployment,
                                           .service = service,
                                           .before = *newest,
                                           .begun_ns = now_ns,
                                           .failed_ns = BERTH_NS_NEVER,
                                           .is_first = *newest == 0};
    *newest = (uint32_t)collect->deployments.count;
    return figures;
}

static void completed(struct collect *collect, berth_ns now_ns,
                      const struct deployment_figures *figures)
{
    struct deployment_sums *sums = &collect->deployment_sums;
    berth_ns took_ns = now_ns - figures->begun_ns;
    if (figures->is_first || !collect->is_in_window)
        return;
    sums->completed++;
    sums->duration_ns += took_ns;
    if (took_ns > sums->duration_max_ns)
        sums->duration_max_ns = took_ns;
}

static void changed(struct collect *collect, berth_ns now_ns, struct deployment_figures *figures,
                    const struct deployment_view *view)
{
    struct deployment_sums *sums = &collect->deployment_sums;
    switch (view->rollout) {
    case ROLLOUT_IN_PROGRESS: /* again: it is what another one is rolled back to */
        figures->is_first = false;
        figures->begun_ns = now_ns;
        set_rolling_out(collect, figures, true);
        break;
    case ROLLOUT_COMPLETED:
        completed(collect, now_ns, figures);
        set_rolling_out(collect, figures, false);
        break;
    case ROLLOUT_FAILED:
        figures->failed_ns = now_ns;
        sums->failed += collect->is_in_window;
        set_rolling_out(collect, figures, false);
        break;
    case ROLLOUT_COUNT:
        break;
    }
}

void collect_deployment(struct collect *collect, berth_ns now_ns, uint32_t service,
                        const struct deployment_view *view)
{
    story_deployment(collect->teller, now_ns, service, view);
    if (service == UINT32_MAX)
        return;
    /* Most changes are of counts alone, of the one that the last change was of. */
    bool is_calm = view->rollout == view->previous_rollout &&
                   view->status != SERVICE_DEPLOYMENT_STOPPED &&
                   view->status != SERVICE_DEPLOYMENT_ROLLBACK_SUCCESSFUL;
    if (is_calm && collect->services[service].told == view->deployment)
        return;
    collect->services[service].told = view->deployment;
    struct deployment_sums *sums = &collect->deployment_sums;
    struct deployment_figures *figures = find(collect, service, view);
    bool is_new = figures == NULL;
    if (is_new)
        figures = add(collect, now_ns, service, view);
    if (is_new && view->rollout == ROLLOUT_IN_PROGRESS)
        set_rolling_out(collect, figures, true);
    else if (view->rollout != view->previous_rollout)
        changed(collect, now_ns, figures, view);
    if (view->status == SERVICE_DEPLOYMENT_STOPPED)
        set_rolling_out(collect, figures, false);
    if (view->status != SERVICE_DEPLOYMENT_ROLLBACK_SUCCESSFUL ||
        figures->failed_ns == BERTH_NS_NEVER)
        return;
    sums->rolled_back += collect->is_in_window;
    sums->rollback_ns += collect->is_in_window ? now_ns - figures->failed_ns : 0;
    figures->failed_ns = BERTH_NS_NEVER;
}

void collect_dip(struct collect *collect, uint32_t service)
{
    const struct service_figures *figures = &collect->services[service];
    if (figures->rolling_out == 0 || figures->desired <= 0 || !collect->is_in_window)
        return;
    int32_t missing = figures->desired - figures->serving;
    double dip = missing > 0 ? (double)missing / (double)figures->desired : 0;
    collect->deployment_sums.has_dip = true;
    collect->deployment_sums.dip_max = fmax(collect->deployment_sums.dip_max, dip);
}

static double mean_s(level_integral sum_ns, uint64_t count)
{
    return count > 0 ? (double)sum_ns / (double)BERTH_NS_PER_S / (double)count : NAN;
}

void collect_deployments_finish(const struct collect *collect, double *metrics)
{
    const struct deployment_sums *sums = &collect->deployment_sums;
    metrics[METRIC_DEPLOYMENTS_COMPLETED] = (double)sums->completed;
    metrics[METRIC_DEPLOYMENTS_FAILED] = (double)sums->failed;
    metrics[METRIC_DEPLOYMENT_DURATION_MEAN] = mean_s(sums->duration_ns, sums->completed);
    metrics[METRIC_DEPLOYMENT_DURATION_MAX] =
        sums->completed > 0 ? (double)sums->duration_max_ns / (double)BERTH_NS_PER_S : NAN;
    metrics[METRIC_DEPLOYMENT_DIP_MAX] = sums->has_dip ? sums->dip_max : NAN;
    metrics[METRIC_ROLLBACK_TIME_MEAN] = mean_s(sums->rollback_ns, sums->rolled_back);
}
