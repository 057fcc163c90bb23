/*
 * read_distribution.c -- times and distributions.
 *
 * A distribution is a row of the table below: its parameters by key, in the order in which
 * struct distribution keeps them. Bounds keep every parameter finite and every time below the 95
 * years that READER_TIME_MAX allows, so that a sum of two never overflows a berth_ns.
 */
#include "sim/scenario/reader.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 100000
#define SIZE_MAX_VALUE 2e9 /* CPU units, MiB: below INT32_MAX */
#define SHAPE_MIN 0.01
#define SHAPE_MAX 1000.0

static const struct unit {
    const char *name;
    double seconds;
} units[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

/* "90s", "1.5h": digits, perhaps a fraction, a unit, nothing else. */
static bool parse_time(const char *text, double *seconds)
{
    size_t whole = strspn(text, "0123456789");
    size_t length = whole;
    if (whole > 0 && text[whole] == '.') {
        size_t fraction = strspn(text + whole + 1, "0123456789");
        if (fraction == 0)
            return false;
        length = whole + 1 + fraction;
    }
    if (whole == 0 || length > 40)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + length, units[i].name) == 0) {
            *seconds = strtod(text, NULL) * units[i].seconds;
            return true;
        }
    }
    return false;
}

static double fail_time(const struct at *at, double absent)
{
    char buffer[80];
    at_fail(at,
            "%s is not a time; write seconds from 0 to 3e9, or a text such as \"250ms\", "
            "\"90s\", \"10m\", \"3h\", \"2d\"",
            json_words(at->json, buffer, sizeof buffer));
    return absent;
}

static double read_seconds(const struct at *at, double absent)
{
    double seconds = json_number_value(at->json);
    if (at->json == NULL || at->reader->has_failed)
        return absent;
    if (!json_is_number(at->json) &&
        !(json_is_string(at->json) && parse_time(json_string_value(at->json), &seconds)))
        return fail_time(at, absent);
    if (!(seconds >= 0) || !(seconds <= 3e9))
        return fail_time(at, absent);
    return seconds;
}

berth_ns at_time(const struct at *at, berth_ns min, berth_ns max, berth_ns absent)
{
    if (at->json == NULL || at->reader->has_failed)
        return absent;
    double seconds = read_seconds(at, -1);
    if (seconds < 0)
        return absent;
    berth_ns time = (berth_ns)llround(seconds * 1e9);
    if (time < min || time > max) {
        at_fail(at, "%g s is out of range; write a time from %g s to %g s", seconds,
                (double)min / 1e9, (double)max / 1e9);
        return absent;
    }
    return time;
}

enum role { ROLE_NONE = 0, ROLE_VALUE, ROLE_SCALE, ROLE_SIGMA, ROLE_SHAPE, ROLE_STAGES };

static const struct law {
    struct {
        const char *key;
        enum role role;
    } parameters[2];
} laws[DISTRIBUTION_KIND_COUNT] = {
    [DISTRIBUTION_CONSTANT] = {{{"value", ROLE_VALUE}}},
    [DISTRIBUTION_UNIFORM] = {{{"min", ROLE_VALUE}, {"max", ROLE_VALUE}}},
    [DISTRIBUTION_EXPONENTIAL] = {{{"mean", ROLE_SCALE}}},
    [DISTRIBUTION_NORMAL] = {{{"mean", ROLE_VALUE}, {"sd", ROLE_VALUE}}},
    [DISTRIBUTION_LOGNORMAL] = {{{"median", ROLE_SCALE}, {"sigma", ROLE_SIGMA}}},
    [DISTRIBUTION_WEIBULL] = {{{"scale", ROLE_SCALE}, {"shape", ROLE_SHAPE}}},
    [DISTRIBUTION_PARETO] = {{{"shape", ROLE_SHAPE}, {"minimum", ROLE_SCALE}}},
    [DISTRIBUTION_GAMMA] = {{{"shape", ROLE_SHAPE}, {"scale", ROLE_SCALE}}},
    [DISTRIBUTION_ERLANG] = {{{"stages", ROLE_STAGES}, {"mean", ROLE_SCALE}}},
    [DISTRIBUTION_EMPIRICAL] = {{{NULL, ROLE_NONE}}},
};

/* In the quantity's unit. A size is a plain number; a time may have a unit. */
static double read_quantity(const struct at *at, enum quantity quantity, bool is_positive)
{
    double value =
        quantity == QUANTITY_TIME ? read_seconds(at, 0) : at_real(at, 0, SIZE_MAX_VALUE, 0);
    if (is_positive && value <= 0)
        at_fail(at, "must be above 0");
    return value;
}

static double read_parameter(const struct at *at, enum role role, enum quantity quantity)
{
    at_require(at, "this distribution needs it");
    switch (role) {
    case ROLE_VALUE:
    case ROLE_SCALE:
        return read_quantity(at, quantity, role == ROLE_SCALE);
    case ROLE_SIGMA:
        return at_real(at, 0, 10, 0);
    case ROLE_SHAPE:
        return at_real(at, SHAPE_MIN, SHAPE_MAX, 1);
    case ROLE_STAGES:
        return (double)at_integer(at, 1, 1000, 1);
    case ROLE_NONE:
        break;
    }
    return 0;
}

/* Draws take the first value whose running weight is above a uniform number. */
static void accumulate(const struct at *weights, double total, struct distribution *out)
{
    double sum = 0;
    for (uint32_t i = 0; i < out->value_count; i++) {
        sum += weights->json == NULL ? 1 : json_number_value(json_array_get(weights->json, i));
        out->cumulative[i] = sum / total;
    }
    out->cumulative[out->value_count - 1] = 1;
}

static void read_empirical(const struct at *at, enum quantity quantity, struct distribution *out)
{
    struct at values = at_member(at, "values"), weights = at_member(at, "weights");
    at_require(&values, "list what was observed");
    size_t count = at_list(&values, 1, VALUES_MAX);
    size_t weight_count = at_list(&weights, 1, VALUES_MAX);
    if (weights.json != NULL && weight_count != count)
        at_fail(&weights, "%zu weights for %zu values; write one for each", weight_count, count);
    if (at->reader->has_failed)
        return;
    out->values = mem_alloc(count * sizeof *out->values);
    out->cumulative = mem_alloc(count * sizeof *out->cumulative);
    out->value_count = (uint32_t)count;
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        struct at value = at_item(&values, i), weight = at_item(&weights, i);
        out->values[i] = read_quantity(&value, quantity, false);
        total += weights.json == NULL ? 1 : at_real(&weight, 0, 1e12, 0);
    }
    if (!(total > 0))
        at_fail(&weights, "the weights are all 0; give one that is above");
    if (!at->reader->has_failed)
        accumulate(&weights, total, out);
}

static size_t read_kind(const struct at *at)
{
    struct at kind = at_member(at, "distribution");
    at_require(&kind, "name one, such as \"exponential\"");
    return at_choice(&kind, distribution_names, DISTRIBUTION_CONSTANT);
}

static void read_law(const struct at *at, enum quantity quantity, struct distribution *out)
{
    out->kind = (enum distribution_kind)read_kind(at);
    const struct law *law = &laws[out->kind];
    const char *known[8] = {"distribution", "atLeast", "atMost"};
    size_t count = 3;
    for (size_t i = 0; i < 2 && law->parameters[i].key != NULL; i++)
        known[count++] = law->parameters[i].key;
    if (out->kind == DISTRIBUTION_EMPIRICAL) {
        known[count++] = "values";
        known[count++] = "weights";
    }
    if (at->reader->has_failed || !at_object(at, known))
        return;
    for (size_t i = 0; i < 2 && law->parameters[i].key != NULL; i++) {
        struct at parameter = at_member(at, law->parameters[i].key);
        out->p[i] = read_parameter(&parameter, law->parameters[i].role, quantity);
    }
    if (out->kind == DISTRIBUTION_EMPIRICAL)
        read_empirical(at, quantity, out);
    if (out->kind == DISTRIBUTION_UNIFORM && out->p[0] > out->p[1])
        at_fail(at, "min %g is above max %g; exchange them", out->p[0], out->p[1]);
    struct at least = at_member(at, "atLeast"), most = at_member(at, "atMost");
    if (least.json != NULL)
        out->min = read_quantity(&least, quantity, false);
    if (most.json != NULL)
        out->max = read_quantity(&most, quantity, false);
    if (out->min > out->max)
        at_fail(at, "atLeast %g is above atMost %g; exchange them", out->min, out->max);
}

bool at_distribution(const struct at *at, enum quantity quantity, struct distribution *out)
{
    *out = (struct distribution){.kind = DISTRIBUTION_CONSTANT};
    if (at->json == NULL || at->reader->has_failed)
        return false;
    out->max = DBL_MAX;
    if (json_is_object(at->json))
        read_law(at, quantity, out);
    else if (json_is_number(at->json) || (json_is_string(at->json) && quantity == QUANTITY_TIME))
        out->p[0] = read_quantity(at, quantity, false);
    else
        at_fail(at, "not a distribution; write a number or {\"distribution\": \"exponential\", "
                    "\"mean\": 60}");
    if (!at->reader->has_failed)
        return true;
    distribution_free(out);
    *out = (struct distribution){.kind = DISTRIBUTION_CONSTANT};
    return false;
}

bool at_interval(const struct at *at, struct distribution *out)
{
    if (!at_distribution(at, QUANTITY_TIME, out))
        return false;
    double mean = distribution_mean(out);
    if (!(mean >= 1e-6) || !(out->max >= 1e-6)) {
        at_fail(at, "the mean is below a microsecond, so time would stand still; raise it");
        return false;
    }
    return true;
}
