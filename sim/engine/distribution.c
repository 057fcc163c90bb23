/*
 * distribution.c -- GSL's distributions over counter-based streams.
 *
 * GSL draws from a gsl_rng; here that is a type whose state is the caller's struct rng itself, so
 * nothing is allocated or seeded for an entity's few draws. A distribution may take any number of
 * numbers from the stream (rejection methods do); since each entity and purpose has a stream of its
 * own, that moves nobody else's.
 *
 * A cut moves what lies outside to the bound instead of drawing again: one draw per value whatever
 * the bounds, no endless loop for bounds in a far tail, and raising a bound never changes a value
 * that was within it. The price is a point of mass on the bound, which distribution_mean counts.
 */
#include "sim/engine/distribution.h"

#include <assert.h>
#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>

#include "scheduler/base/mem.h"

const char *const distribution_names[DISTRIBUTION_KIND_COUNT + 1] = {
    [DISTRIBUTION_CONSTANT] = "constant",       [DISTRIBUTION_UNIFORM] = "uniform",
    [DISTRIBUTION_EXPONENTIAL] = "exponential", [DISTRIBUTION_NORMAL] = "normal",
    [DISTRIBUTION_LOGNORMAL] = "lognormal",     [DISTRIBUTION_WEIBULL] = "weibull",
    [DISTRIBUTION_PARETO] = "pareto",           [DISTRIBUTION_GAMMA] = "gamma",
    [DISTRIBUTION_ERLANG] = "erlang",           [DISTRIBUTION_EMPIRICAL] = "empirical",
};

_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "gsl_rng gives unsigned long");

static void philox_set(void *state, unsigned long seed)
{
    *(struct rng *)state = (struct rng){.key = seed};
}

static unsigned long philox_get(void *state)
{
    return rng_next(state);
}

/* 53 bits, the most that a double in [0, 1) holds evenly. */
static double philox_get_double(void *state)
{
    return (double)(rng_next(state) >> 11) * 0x1p-53;
}

static const gsl_rng_type philox_type = {
    .name = "philox2x64",
    .max = ULONG_MAX,
    .min = 0,
    .size = sizeof(struct rng),
    .set = philox_set,
    .get = philox_get,
    .get_double = philox_get_double,
};
const gsl_rng_type *const rng_gsl_philox2x64 = &philox_type;

const gsl_rng *rng_gsl_wrap(struct rng_gsl *wrapper, struct rng *stream)
{
    wrapper->rng.type = &philox_type;
    wrapper->rng.state = stream;
    wrapper->stream = stream;
    return &wrapper->rng;
}

void distribution_free(struct distribution *distribution)
{
    mem_free(distribution->values);
    mem_free(distribution->cumulative);
    *distribution = (struct distribution){0};
}

/* The first value whose running weight exceeds a uniform number: O(log values), one draw. */
static double draw_empirical(const struct distribution *distribution, const gsl_rng *rng)
{
    double u = gsl_rng_uniform(rng);
    uint32_t low = 0, high = distribution->value_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (distribution->cumulative[middle] > u)
            high = middle;
        else
            low = middle + 1;
    }
    return distribution->values[low];
}

static double draw_uncut(const struct distribution *distribution, const gsl_rng *rng)
{
    double p = distribution->p[0], q = distribution->p[1];
    switch (distribution->kind) {
    case DISTRIBUTION_CONSTANT:
        return p;
    case DISTRIBUTION_UNIFORM:
        return gsl_ran_flat(rng, p, q);
    case DISTRIBUTION_EXPONENTIAL:
        return gsl_ran_exponential(rng, p);
    case DISTRIBUTION_NORMAL:
        return p + gsl_ran_gaussian(rng, q);
    case DISTRIBUTION_LOGNORMAL:
        return gsl_ran_lognormal(rng, log(p), q);
    case DISTRIBUTION_WEIBULL:
        return gsl_ran_weibull(rng, p, q);
    case DISTRIBUTION_PARETO:
        return gsl_ran_pareto(rng, p, q);
    case DISTRIBUTION_GAMMA:
        return gsl_ran_gamma(rng, p, q);
    case DISTRIBUTION_ERLANG:
        return gsl_ran_gamma(rng, p, q / p);
    case DISTRIBUTION_EMPIRICAL:
        return draw_empirical(distribution, rng);
    case DISTRIBUTION_KIND_COUNT:
        break;
    }
    assert(distribution->kind < DISTRIBUTION_KIND_COUNT);
    return 0;
}

/* A value that is no number (a tail beyond a double) counts as the upper bound. */
static double cut(const struct distribution *distribution, double value)
{
    if (!(value < distribution->max))
        return distribution->max;
    return value < distribution->min ? distribution->min : value;
}

double distribution_draw(const struct distribution *distribution, struct rng *stream)
{
    struct rng_gsl wrapper;
    if (distribution->kind == DISTRIBUTION_CONSTANT)
        return cut(distribution, distribution->p[0]);
    return cut(distribution, draw_uncut(distribution, rng_gsl_wrap(&wrapper, stream)));
}

berth_ns distribution_draw_ns(const struct distribution *distribution, struct rng *stream)
{
    double ns = distribution_draw(distribution, stream) * (double)BERTH_NS_PER_S;
    if (!(ns > 0))
        return 0;
    if (ns >= (double)DISTRIBUTION_NS_MAX)
        return DISTRIBUTION_NS_MAX;
    /* As llround does, and exact: what is left below the whole number is a multiple of its last
     * bit. The function would be called a dozen times for every task. */
    berth_ns whole = (berth_ns)ns;
    return whole + (ns - (double)whole >= 0.5);
}

static double mean_uncut(const struct distribution *distribution)
{
    double p = distribution->p[0], q = distribution->p[1];
    switch (distribution->kind) {
    case DISTRIBUTION_UNIFORM:
        return (p + q) / 2;
    case DISTRIBUTION_LOGNORMAL:
        return p * exp(q * q / 2);
    case DISTRIBUTION_WEIBULL:
        return p * tgamma(1 + 1 / q);
    case DISTRIBUTION_PARETO:
        return p > 1 ? p * q / (p - 1) : HUGE_VAL;
    case DISTRIBUTION_GAMMA:
        return p * q;
    case DISTRIBUTION_ERLANG:
        return q;
    case DISTRIBUTION_CONSTANT:
    case DISTRIBUTION_EXPONENTIAL:
    case DISTRIBUTION_NORMAL:
    case DISTRIBUTION_EMPIRICAL:
    case DISTRIBUTION_KIND_COUNT:
        break;
    }
    return p;
}

/* P(X > x); tail: false gives P(X <= x). */
static double probability(const struct distribution *distribution, double x, bool tail)
{
    double p = distribution->p[0], q = distribution->p[1];
    switch (distribution->kind) {
    case DISTRIBUTION_UNIFORM:
        return tail ? gsl_cdf_flat_Q(x, p, q) : gsl_cdf_flat_P(x, p, q);
    case DISTRIBUTION_EXPONENTIAL:
        return tail ? gsl_cdf_exponential_Q(x, p) : gsl_cdf_exponential_P(x, p);
    case DISTRIBUTION_NORMAL:
        return tail ? gsl_cdf_gaussian_Q(x - p, q) : gsl_cdf_gaussian_P(x - p, q);
    case DISTRIBUTION_LOGNORMAL:
        return tail ? gsl_cdf_lognormal_Q(x, log(p), q) : gsl_cdf_lognormal_P(x, log(p), q);
    case DISTRIBUTION_WEIBULL:
        return tail ? gsl_cdf_weibull_Q(x, p, q) : gsl_cdf_weibull_P(x, p, q);
    case DISTRIBUTION_PARETO:
        return tail ? gsl_cdf_pareto_Q(x, p, q) : gsl_cdf_pareto_P(x, p, q);
    case DISTRIBUTION_GAMMA:
        return tail ? gsl_cdf_gamma_Q(x, p, q) : gsl_cdf_gamma_P(x, p, q);
    case DISTRIBUTION_ERLANG:
        return tail ? gsl_cdf_gamma_Q(x, p, q / p) : gsl_cdf_gamma_P(x, p, q / p);
    case DISTRIBUTION_CONSTANT:
    case DISTRIBUTION_EMPIRICAL:
    case DISTRIBUTION_KIND_COUNT:
        break;
    }
    return 0;
}

struct area {
    const struct distribution *distribution;
    bool tail;
};

/* Over x = e^t: a tail that spans many powers of ten is as smooth as a short one. */
static double area_at(double t, void *data)
{
    const struct area *area = data;
    return probability(area->distribution, exp(t), area->tail) * exp(t);
}

/* The integral of P(X > x), or of P(X <= x), over [from, to], 0 <= from <= to. */
static double area_between(const struct distribution *distribution, bool tail, double from,
                           double to)
{
    struct area area = {distribution, tail};
    gsl_function f = {area_at, &area};
    double scale = fabs(mean_uncut(distribution));
    double floor = (isfinite(scale) && scale > 0 ? scale : distribution->p[1]) * 1e-12;
    if (to <= from || floor <= 0)
        return 0;
    double sum =
        from < floor ? (fmin(to, floor) - from) * probability(distribution, from, tail) : 0;
    double left = log(fmax(from, floor)), right = log(to);
    gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(200);
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    /* A few e-folds at a time, so that no bump falls between the points of the rule. */
    for (double t = left; t < right; t += 4) {
        double piece = 0, error;
        (void)gsl_integration_qag(&f, t, fmin(t + 4, right), 0, 1e-10, 200, GSL_INTEG_GAUSS31,
                                  workspace, &piece, &error);
        sum += piece;
    }
    gsl_set_error_handler(handler);
    gsl_integration_workspace_free(workspace);
    return sum;
}

static double mean_empirical(const struct distribution *distribution)
{
    double sum = 0, before = 0;
    for (uint32_t i = 0; i < distribution->value_count; i++) {
        sum += cut(distribution, distribution->values[i]) * (distribution->cumulative[i] - before);
        before = distribution->cumulative[i];
    }
    return sum;
}

/*
 * E max(X, min) = E X + integral of P(X <= x) below min;  with an upper bound,
 * E cut(X) = min + integral of P(X > x) over [min, max].
 */
double distribution_mean(const struct distribution *distribution)
{
    double min = distribution->min, max = distribution->max;
    double p = distribution->p[0], q = distribution->p[1];
    if (distribution->kind == DISTRIBUTION_EMPIRICAL)
        return mean_empirical(distribution);
    if (distribution->kind == DISTRIBUTION_CONSTANT || min >= max)
        return cut(distribution, p);
    if (max < DBL_MAX)
        return min + area_between(distribution, true, min, max);
    double mean = mean_uncut(distribution);
    if (distribution->kind == DISTRIBUTION_NORMAL && q > 0) {
        double z = (p - min) / q;
        return min + (p - min) * gsl_cdf_ugaussian_P(z) + q * gsl_ran_ugaussian_pdf(z);
    }
    return mean + (min > 0 ? area_between(distribution, false, 0, min) : 0);
}
