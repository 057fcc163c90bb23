/*
 * usage.h -- within sim/import: exact time averages and peaks of what a trace asks for.
 *
 * What a replay on an unlimited cluster would show, summed in whole numbers: times in milliseconds,
 * amounts in thousandths. Memory grows with what is alive at once, never with the trace.
 */
#ifndef BERTH_SIM_IMPORT_USAGE_H
#define BERTH_SIM_IMPORT_USAGE_H

#include <stddef.h>
#include <stdint.h>

#define USAGE_KINDS 5           /* how many amounts are summed side by side */
#define USAGE_ENDLESS INT64_MAX /* still there at the end */

__extension__ typedef __int128 usage_wide;

struct usage;

struct usage *usage_create(void);
void usage_destroy(struct usage *usage);

/*
 * Something arrives at `at_ms`, not before the one added last, and leaves at `end_ms`. Departures
 * come before arrivals at equal times, so what leaves when it comes is never counted.
 */
void usage_add(struct usage *usage, int64_t at_ms, int64_t end_ms,
               const int64_t amounts_milli[USAGE_KINDS]);

/* Let time run to the end of the window; nothing may be added after that. */
void usage_finish(struct usage *usage, int64_t end_ms);

/* Over [0, end_ms], rounded half up to `places` decimals, without trailing zeros. */
const char *usage_mean(const struct usage *usage, int kind, int places, char out[48]);
const char *usage_peak(const struct usage *usage, int kind, int places, char out[48]);
int64_t usage_peak_milli(const struct usage *usage, int kind);
usage_wide usage_area(const struct usage *usage, int kind); /* thousandths x milliseconds */

/* numerator / denominator in the same form; both not negative. */
const char *usage_decimal(usage_wide numerator, usage_wide denominator, int places, char out[48]);

#endif
