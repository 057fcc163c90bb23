/*
 * source.c -- arrival processes, each a next-time function over its own random streams.
 *
 * The times of a generated source come from one sequential stream of the source ("interval", and
 * "phase" or "thinning" beside it); what an arrival is like comes from streams keyed by its number,
 * so a draw more or less for one arrival moves no other. Times are accumulated in nanoseconds.
 *
 * Bursty is a Poisson process whose rate is switched by a two-state Markov chain, begun in its
 * stationary law. Since an exponential gap has no memory, a gap that would cross a switch is thrown
 * away and drawn again at the new rate from the moment of the switch. Daily is thinned (Lewis and
 * Shedler 1979): candidates come at the peak's rate and are kept with probability rate/peak.
 */
#include "sim/workload/source.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/source_csv.h"

#define DAY_S 86400.0

/* One arrival a nanosecond; beyond it, time would stand still. */
#define RATE_PER_HOUR_MAX 3.6e12

struct source {
    const struct scenario_arrival *arrival; /* borrowed */
    uint64_t key;                           /* of the source */
    berth_ns now_ns, end_ns;
    uint64_t number, limit;
    struct rng interval, phase, thinning;
    bool is_burst;
    berth_ns switch_ns; /* bursty: when the state changes next */
    uint64_t lifetime;  /* purpose of the streams */
    struct source_csv csv;
};

static enum berth_err check_rate(const struct source *source, double rate, struct berth_error *err)
{
    if (rate >= 0 && rate <= RATE_PER_HOUR_MAX)
        return BERTH_OK;
    return source_fail(source, NULL, err, "a rate of %g an hour; write one from 0 to %g", rate,
                       RATE_PER_HOUR_MAX);
}

/* What would make time stand still or turn back; the rest is the scenario's to check. */
static enum berth_err check(const struct source *source, struct berth_error *err)
{
    const struct scenario_arrival *arrival = source->arrival;
    enum berth_err code = check_rate(source, arrival->rate_per_hour, err);
    if (code == BERTH_OK)
        code = check_rate(source, arrival->burst_rate_per_hour, err);
    if (code != BERTH_OK)
        return code;
    if (arrival->process == ARRIVAL_BURSTY &&
        !(arrival->calm_mean_s >= 1e-3 && arrival->burst_mean_s >= 1e-3))
        return source_fail(source, NULL, err,
                           "calmMean and burstMean are times of at least 0.001 s");
    if (arrival->process == ARRIVAL_DAILY && !(arrival->amplitude >= 0 && arrival->amplitude <= 1))
        return source_fail(source, NULL, err, "daily amplitude %g; write one from 0 to 1",
                           arrival->amplitude);
    if (arrival->process == ARRIVAL_RENEWAL && arrival->limit == UINT64_MAX &&
        !(distribution_mean(&arrival->interval) >= 1e-9))
        return source_fail(source, NULL, err,
                           "an interval of 0 never ends; make it longer or set a limit");
    return BERTH_OK;
}

static berth_ns draw_gap(double rate_per_hour, struct rng *stream)
{
    if (rate_per_hour <= 0)
        return BERTH_NS_NEVER;
    const struct distribution gap = {
        .kind = DISTRIBUTION_EXPONENTIAL, .p = {3600 / rate_per_hour}, .max = DBL_MAX};
    return distribution_draw_ns(&gap, stream);
}

/* false: past the end, where nothing comes any more. */
static bool advance(struct source *source, berth_ns gap_ns)
{
    if (gap_ns >= source->end_ns - source->now_ns)
        return false;
    source->now_ns += gap_ns;
    return true;
}

static void draw_switch(struct source *source)
{
    const struct scenario_arrival *arrival = source->arrival;
    const struct distribution sojourn = {
        .kind = DISTRIBUTION_EXPONENTIAL,
        .p = {source->is_burst ? arrival->burst_mean_s : arrival->calm_mean_s},
        .max = DBL_MAX};
    berth_ns length = distribution_draw_ns(&sojourn, &source->phase);
    source->switch_ns =
        length >= source->end_ns - source->now_ns ? source->end_ns : source->now_ns + length;
}

static void begin_bursty(struct source *source)
{
    const struct scenario_arrival *arrival = source->arrival;
    struct rng_gsl wrapper;
    double share = arrival->burst_mean_s / (arrival->burst_mean_s + arrival->calm_mean_s);
    source->is_burst = gsl_rng_uniform(rng_gsl_wrap(&wrapper, &source->phase)) < share;
    draw_switch(source);
}

static bool next_bursty(struct source *source)
{
    for (;;) {
        double rate = source->is_burst ? source->arrival->burst_rate_per_hour
                                       : source->arrival->rate_per_hour;
        berth_ns gap = draw_gap(rate, &source->interval);
        if (gap < source->switch_ns - source->now_ns) {
            source->now_ns += gap;
            return true;
        }
        if (source->switch_ns >= source->end_ns)
            return false;
        source->now_ns = source->switch_ns;
        source->is_burst = !source->is_burst;
        draw_switch(source);
    }
}

static bool next_daily(struct source *source)
{
    const struct scenario_arrival *arrival = source->arrival;
    double peak = 1 + arrival->amplitude;
    struct rng_gsl wrapper;
    const gsl_rng *thinning = rng_gsl_wrap(&wrapper, &source->thinning);
    while (advance(source, draw_gap(arrival->rate_per_hour * peak, &source->interval))) {
        double since_peak_s = (double)(source->now_ns - arrival->peak_ns) / (double)BERTH_NS_PER_S;
        double level = 1 + arrival->amplitude * cos(2 * acos(-1) * since_peak_s / DAY_S);
        if (gsl_rng_uniform(thinning) * peak < level)
            return true;
    }
    return false;
}

/* Move now_ns to the next arrival of a generated process; false when there is none. */
static bool next_time(struct source *source)
{
    const struct scenario_arrival *arrival = source->arrival;
    switch (arrival->process) {
    case ARRIVAL_POISSON:
        return advance(source, draw_gap(arrival->rate_per_hour, &source->interval));
    case ARRIVAL_BURSTY:
        return next_bursty(source);
    case ARRIVAL_DAILY:
        return next_daily(source);
    case ARRIVAL_RENEWAL:
        return advance(source, distribution_draw_ns(&arrival->interval, &source->interval));
    case ARRIVAL_BATCH:
        return source->number < arrival->count && source->now_ns < source->end_ns;
    case ARRIVAL_CSV:
        break;
    }
    assert(arrival->process != ARRIVAL_CSV);
    return false;
}

static enum berth_err open_with(const struct scenario_arrival *arrival, uint64_t key,
                                berth_ns duration_ns, struct csv *csv, struct source **out,
                                struct berth_error *err)
{
    struct source *source = mem_alloc(sizeof *source);
    source->arrival = arrival;
    source->key = rng_key(key, arrival->name, 0);
    source->now_ns = arrival->start_ns;
    source->end_ns = arrival->end_ns < duration_ns ? arrival->end_ns : duration_ns;
    source->limit = arrival->limit;
    source->lifetime = rng_purpose("lifetime");
    source->interval.key = rng_key(source->key, "interval", 0);
    source->phase.key = rng_key(source->key, "phase", 0);
    source->thinning.key = rng_key(source->key, "thinning", 0);
    enum berth_err code =
        csv != NULL ? source_csv_init(&source->csv, csv, err) : check(source, err);
    if (code != BERTH_OK) {
        source_close(source);
        return code;
    }
    if (arrival->process == ARRIVAL_BURSTY)
        begin_bursty(source);
    *out = source;
    return BERTH_OK;
}

enum berth_err source_open(const struct scenario_arrival *arrival, uint64_t key,
                           berth_ns duration_ns, struct source **out, struct berth_error *err)
{
    struct csv *csv = NULL;
    *out = NULL;
    if (arrival->process == ARRIVAL_CSV) {
        enum berth_err code = csv_open(arrival->csv_path, &csv, err);
        if (code != BERTH_OK)
            return code;
    }
    return open_with(arrival, key, duration_ns, csv, out, err);
}

enum berth_err source_open_text(const struct scenario_arrival *arrival, uint64_t key,
                                berth_ns duration_ns, const char *text, size_t length,
                                struct source **out, struct berth_error *err)
{
    struct csv *csv;
    *out = NULL;
    enum berth_err code = csv_open_text(text, length, arrival->csv_path, &csv, err);
    return code == BERTH_OK ? open_with(arrival, key, duration_ns, csv, out, err) : code;
}

void source_close(struct source *source)
{
    if (source == NULL)
        return;
    csv_close(source->csv.csv);
    mem_free(source);
}

/* Whole units or MiB, at least 1, within the model's int32. */
static int32_t draw_size(const struct source *source, const struct distribution *distribution,
                         const char *purpose)
{
    struct rng stream = {.key = rng_key(source->key, purpose, source->number)};
    double size = distribution_draw(distribution, &stream);
    return size >= 0x1p30 ? 1 << 30 : size > 1 ? (int32_t)lround(size) : 1;
}

/* What the scenario says of every arrival, drawn for this one. */
static void describe(const struct source *source, struct source_task *out)
{
    const struct scenario_arrival *arrival = source->arrival;
    bool is_batch = arrival->process == ARRIVAL_BATCH;
    *out = (struct source_task){
        .number = source->number,
        .task_definition = arrival->task_definition,
        .group = arrival->group,
        .count = is_batch || arrival->count == 0 ? 1 : arrival->count,
        .cpu_units = OVERRIDE_NONE,
        .mem_mib = OVERRIDE_NONE,
        .has_lifetime = arrival->has_lifetime,
        .lifetime_ns = BERTH_NS_NEVER,
    };
    if (arrival->has_cpu)
        out->cpu_units = draw_size(source, &arrival->cpu, "cpu");
    if (arrival->has_mem)
        out->mem_mib = draw_size(source, &arrival->mem, "memory");
}

berth_ns source_lifetime(const struct source *source, uint64_t number)
{
    struct rng stream = {.key = rng_key_for(source->key, source->lifetime, number)};
    return distribution_draw_ns(&source->arrival->lifetime, &stream);
}

enum berth_err source_next(struct source *source, struct source_task *out, bool *has_task,
                           struct berth_error *err)
{
    *has_task = false;
    if (source->number >= source->limit)
        return BERTH_OK;
    if (source->csv.csv == NULL) {
        if (!next_time(source)) {
            source->limit = 0;
            return BERTH_OK;
        }
        describe(source, out);
    } else {
        berth_ns arrival_ns = 0;
        bool has_row = false;
        describe(source, out);
        enum berth_err code = source_csv_next(&source->csv, &arrival_ns, out, &has_row, err);
        if (code != BERTH_OK)
            return code;
        if (!has_row || arrival_ns >= source->end_ns - source->arrival->start_ns) {
            source->limit = 0;
            return BERTH_OK;
        }
        source->now_ns = source->arrival->start_ns + arrival_ns;
    }
    out->at_ns = source->now_ns;
    source->number++;
    *has_task = true;
    return BERTH_OK;
}

enum berth_err source_fail(const struct source *source, const char *column, struct berth_error *err,
                           const char *format, ...)
{
    char what[BERTH_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const struct csv *csv = source->csv.csv;
    if (csv == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "arrivals/%s: %s", source->arrival->name, what);
    int at = column == NULL ? CSV_NO_COLUMN : csv_find_column(csv, column);
    return csv_fail(csv, at, err, "%s", what);
}
