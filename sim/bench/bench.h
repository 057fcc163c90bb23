/*
 * bench.h -- how fast the product is, and what was checked while that was measured.
 *
 * A line of the table is a workload with one or more figures. It is measured in rounds, each in a
 * process of its own: memory and CPU time are that round's alone, and what crashes is one line.
 * A round also measures a naive way to the same answers (a plain scan, a binary heap) right beside,
 * built with the same flags; the ratio of the two hardly depends on the machine. What can fail is a
 * check, or a ratio below its least: never an absolute time, which is only told.
 */
#ifndef BERTH_SIM_BENCH_BENCH_H
#define BERTH_SIM_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

#define BENCH_ROUNDS_MAX 5
#define BENCH_FIGURES_MAX 4
#define BENCH_CHECKS_MAX 8
#define BENCH_TEXT_MAX 200

struct bench_figure {
    const char *what; /* "peak memory"; NULL: what the line is about */
    const char *unit; /* "M/s" */
    double must, aim;
    bool is_lower_better;
    bool must_hold;     /* the figure is itself a ratio: beyond `must` the bench fails */
    const char *naive;  /* what the ratio is to, in words; NULL: there is none */
    double ratio_least; /* below it the bench fails; 0: the ratio is only told */
};

struct bench_setting {
    bool is_quick; /* less of everything: for CI */
    uint64_t seed;
    const char *traces; /* folder of public traces, or NULL */
};

/* What one round found: plain bytes, since it comes through a pipe. */
struct bench_round {
    char workload[BENCH_TEXT_MAX]; /* in words, with its size */
    char left_out[BENCH_TEXT_MAX]; /* why nothing was measured; else "" */
    bool is_smaller;               /* than the line's workload: not held against must and aim */
    double values[BENCH_FIGURES_MAX];
    double ratios[BENCH_FIGURES_MAX]; /* to the naive, above 1 when faster than it; 0: none */
    struct bench_check {
        bool holds;
        char what[BENCH_TEXT_MAX];
    } checks[BENCH_CHECKS_MAX];
    uint32_t check_count;
    double cpu_s; /* of the whole round, its setting up included */
};

struct bench_line {
    const char *id; /* "P1" */
    struct bench_figure figures[BENCH_FIGURES_MAX];
    uint32_t figure_count;
    bool is_long; /* left out of a quick bench */
    void (*measure)(const struct bench_setting *setting, struct bench_round *round);
};

/* In the order of the table; ends with a line without id. */
extern const struct bench_line bench_lines[];

struct bench_result {
    const struct bench_line *line;
    struct bench_round rounds[BENCH_ROUNDS_MAX];
    uint32_t round_count;
};

enum bench_verdict { BENCH_AIMED = 0, BENCH_MET, BENCH_MISSED, BENCH_NOT_JUDGED };
extern const char *const bench_verdict_names[];

/* Five rounds; three when one takes over ten seconds, one when it takes a minute. */
void bench_measure(const struct bench_line *line, const struct bench_setting *setting,
                   struct bench_result *out);

/* Of the rounds: the median, and (largest - least) / median. Ratios likewise. */
struct bench_number {
    double median, spread;
};
struct bench_number bench_number_of(const double *values, uint32_t count); /* 1 to ROUNDS_MAX */
struct bench_number bench_value(const struct bench_result *result, uint32_t figure);
struct bench_number bench_ratio(const struct bench_result *result, uint32_t figure);
enum bench_verdict bench_judge(const struct bench_result *result, uint32_t figure);

/*
 * A check that does not hold, or a ratio below its least. Ratios are judged in an optimised build
 * without sanitizers only: elsewhere they say nothing of the product.
 */
extern const bool bench_judges_ratios;
bool bench_has_failed(const struct bench_result *result);
bool bench_figure_has_failed(const struct bench_result *result, uint32_t figure);

/* A paragraph for people: figures, goals, ratio, what was checked. */
void bench_format(const struct bench_result *result, struct text *out);
/* The last words: how many goals were aimed, met, missed, and what failed. */
void bench_format_summary(const struct bench_result *results, size_t count, struct text *out);

/* For measuring: CPU seconds of this process and of its children that have ended. */
double bench_cpu_s(void);
double bench_peak_gib(void);

void bench_describe(struct bench_round *round, const char *format, ...) BERTH_PRINTF(2, 3);
void bench_leave_out(struct bench_round *round, const char *format, ...) BERTH_PRINTF(2, 3);
/* Returns `holds`. */
bool bench_check(struct bench_round *round, bool holds, const char *format, ...) BERTH_PRINTF(3, 4);

/*
 * Do the work in a process of its own; what it leaves in `result`, which lies anywhere in the
 * memory of both, is brought back. False when it did not live to say so; *status is then its exit
 * status.
 */
bool bench_in_child(void (*work)(void *context), void *context, void *result, size_t bytes,
                    int *status);
double bench_resident_bytes(void); /* of this process, now */

/* A cheap generator, so that what is measured is not the dice. */
struct bench_dice {
    uint64_t state;
};
uint32_t bench_roll(struct bench_dice *dice, uint32_t limit); /* uniform in [0, limit) */

#endif
