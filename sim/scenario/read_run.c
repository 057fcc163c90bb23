#include "sim/scenario/parts.h"

#include <float.h>
#include <string.h>

enum { SAMPLES_MAX = 100000, REPLICATIONS_MAX = 100000, METRICS_MAX = 100 };

static void read_delay(const struct at *up, const char *key, double absent_s,
                       struct distribution *out)
{
    struct at at = at_member(up, key);
    if (!at_distribution(&at, QUANTITY_TIME, out))
        *out = (struct distribution){.p = {absent_s, 0}, .max = DBL_MAX};
}

void read_delays(const struct at *root, struct scenario *out)
{
    static const char *const known[] = {
        "boot",         "network",          "containerStart",   "containerStop",
        "pullOverhead", "networkInterface", "disconnectDetect", NULL};
    struct at at = at_member(root, "delays");
    (void)at_object(&at, known);
    struct scenario_delays *delays = &out->delays;
    read_delay(&at, "boot", 0, &delays->boot);
    read_delay(&at, "network", 0.01, &delays->network);
    read_delay(&at, "containerStart", 0.5, &delays->container_start);
    read_delay(&at, "containerStop", 0.2, &delays->container_stop);
    read_delay(&at, "pullOverhead", 0.1, &delays->pull_overhead);
    read_delay(&at, "networkInterface", 0, &delays->interface);
    struct at detect = at_member(&at, "disconnectDetect");
    delays->disconnect_detect_ns = at_time(&detect, 0, READER_TIME_MAX, 180 * BERTH_NS_PER_S);
}

static void read_warm_up(const struct at *at, struct scenario_run *out)
{
    const char *word = json_string_value(at->json);
    if (word != NULL && strcmp(word, "mser5") == 0) {
        out->warm_up_kind = WARM_UP_MSER5;
        return;
    }
    out->warm_up_ns = at_time(at, 0, READER_TIME_MAX, 0);
    if (out->warm_up_ns >= out->duration_ns)
        at_fail(at, "the warm-up is not shorter than run.duration; shorten it");
}

static void read_precision(const struct at *at, struct scenario_run *out)
{
    static const char *const known[] = {"metric", "relativeHalfWidth", "maximumReplications", NULL};
    out->replications_max = 200;
    if (!at_object(at, known))
        return;
    struct at metric = at_member(at, "metric"), ratio = at_member(at, "relativeHalfWidth");
    struct at most = at_member(at, "maximumReplications");
    at_require(&metric, "name the metric whose interval is to be narrow");
    at_require(&ratio, "write half the interval's width over the mean, such as 0.05");
    out->precision_metric = at_text(&metric);
    out->precision_ratio = at_real_above(&ratio, 0, 1, 0.05);
    out->replications_max = (uint32_t)at_integer(&most, 2, REPLICATIONS_MAX, 200);
    if (out->replications_max < out->replications) {
        if (most.json != NULL)
            at_fail(&most, "below run.replications (%u), which are always made; raise it",
                    out->replications);
        out->replications_max = out->replications;
    }
}

static void read_metrics(const struct at *up, struct scenario_run *out)
{
    struct at list = at_member(up, "metrics");
    size_t count = at_list(&list, 1, METRICS_MAX);
    if (count == 0)
        return;
    out->metrics = mem_alloc(count * sizeof *out->metrics);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i);
        out->metrics[out->metric_count++] = at_text(&item);
    }
}

/* What the auditor asks of the end of a run: when all is to be steady, and then quiet. */
static void read_audit(const struct at *up, struct scenario_run *out)
{
    static const char *const known[] = {"steadyBy", "quietFrom", NULL};
    struct at at = at_member(up, "audit");
    (void)at_object(&at, known);
    struct at steady = at_member(&at, "steadyBy"), quiet = at_member(&at, "quietFrom");
    out->steady_by_ns = at_time(&steady, 0, READER_TIME_MAX, BERTH_NS_NEVER);
    out->quiet_from_ns = at_time(&quiet, 0, READER_TIME_MAX, BERTH_NS_NEVER);
}

void read_run(const struct at *root, struct scenario *out)
{
    static const char *const known[] = {"duration",
                                        "warmUp",
                                        "seed",
                                        "replications",
                                        "precision",
                                        "instanceLostSeconds",
                                        "sample",
                                        "events",
                                        "metrics",
                                        "placementStrategy",
                                        "massDisconnectBrakePercent",
                                        "audit",
                                        NULL};
    struct at at = at_member(root, "run");
    struct scenario_run *run = &out->run;
    at_require(&at, "write {\"duration\": \"1h\"}");
    (void)at_object(&at, known);
    struct at duration = at_member(&at, "duration"), warm_up = at_member(&at, "warmUp");
    struct at seed = at_member(&at, "seed"), replications = at_member(&at, "replications");
    struct at precision = at_member(&at, "precision"), sample = at_member(&at, "sample");
    struct at lost = at_member(&at, "instanceLostSeconds"), events = at_member(&at, "events");
    if (at.json != NULL)
        at_require(&duration, "write how long a run is, such as \"1h\"");
    run->duration_ns = at_time(&duration, BERTH_NS_PER_MS, READER_TIME_MAX, BERTH_NS_PER_S);
    read_warm_up(&warm_up, run);
    run->seed = (uint64_t)at_integer(&seed, 0, INT64_MAX, 1);
    run->replications = (uint32_t)at_integer(&replications, 1, REPLICATIONS_MAX, 30);
    read_precision(&precision, run);
    struct at brake = at_member(&at, "massDisconnectBrakePercent");
    run->brake_percent = (uint32_t)at_integer(&brake, 0, 100, 0);
    run->instance_lost_ns = at_time(&lost, 0, READER_TIME_MAX, BERTH_NS_NEVER);
    run->sample_ns =
        at_time(&sample, 1, READER_TIME_MAX, run->duration_ns < 200 ? 1 : run->duration_ns / 200);
    if (run->duration_ns / run->sample_ns > SAMPLES_MAX)
        at_fail(&sample, "gives more than %d rows of timeline.csv; lengthen it", SAMPLES_MAX);
    run->writes_events = at_boolean(&events, false);
    read_strategies(&at, &run->strategies);
    read_audit(&at, run);
    read_metrics(&at, run);
}
