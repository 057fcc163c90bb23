/*
 * distribution.h -- a constant, or a distribution of GSL with parameters, drawn from a stream.
 *
 * Values are real numbers in the caller's unit (seconds, units, MiB); delays are rounded to whole
 * nanoseconds by distribution_draw_ns. Draws come from counter-based streams (rng.h) wrapped as a
 * gsl_rng, so one draw never moves another entity's.
 */
#ifndef BERTH_SIM_ENGINE_DISTRIBUTION_H
#define BERTH_SIM_ENGINE_DISTRIBUTION_H

#include <gsl/gsl_rng.h>

#include "scheduler/base/error.h"
#include "scheduler/base/rng.h"
#include "scheduler/base/units.h"

enum distribution_kind {
    DISTRIBUTION_CONSTANT = 0, /* value */
    DISTRIBUTION_UNIFORM,      /* min, max                       gsl_ran_flat */
    DISTRIBUTION_EXPONENTIAL,  /* mean                           gsl_ran_exponential */
    DISTRIBUTION_NORMAL,       /* mean, sd; cut at 0             gsl_ran_gaussian */
    DISTRIBUTION_LOGNORMAL,    /* median, sigma                  gsl_ran_lognormal */
    DISTRIBUTION_WEIBULL,      /* scale, shape                   gsl_ran_weibull */
    DISTRIBUTION_PARETO,       /* shape, min                     gsl_ran_pareto */
    DISTRIBUTION_GAMMA,        /* shape, scale                   gsl_ran_gamma */
    DISTRIBUTION_ERLANG,       /* stages, mean                   gsl_ran_gamma */
    DISTRIBUTION_EMPIRICAL,    /* values[], weights[]?           inverse of cumulative[] */
    DISTRIBUTION_KIND_COUNT
};

extern const char *const distribution_names[DISTRIBUTION_KIND_COUNT + 1]; /* ends with NULL */

struct distribution {
    enum distribution_kind kind;
    double p[2];        /* parameters in the order of the table above */
    double min, max;    /* what is drawn is moved into [min, max]; defaults 0 and DBL_MAX */
    double *values;     /* owned: empirical */
    double *cumulative; /* owned: normalised running weights, the last is 1 */
    uint32_t value_count;
};

/* Empty values free; a zeroed struct is the constant 0. */
void distribution_free(struct distribution *distribution);
double distribution_draw(const struct distribution *distribution, struct rng *stream);

/* Seconds to the nearest nanosecond, at most 2^61 (73 years), so that adding to now is safe. */
#define DISTRIBUTION_NS_MAX (INT64_C(1) << 61)
berth_ns distribution_draw_ns(const struct distribution *distribution, struct rng *stream);

/* Of what distribution_draw gives, cuts included; HUGE_VAL when infinite. */
double distribution_mean(const struct distribution *distribution);

/*
 * The stream as a gsl_rng: `rng_gsl` holds a pointer to it and forwards every draw. The type can
 * be given to gsl_rng_alloc too; the seed is then the stream's key.
 */
extern const gsl_rng_type *const rng_gsl_philox2x64;
struct rng_gsl {
    gsl_rng rng;
    struct rng *stream;
};
const gsl_rng *rng_gsl_wrap(struct rng_gsl *wrapper, struct rng *stream);

#endif
