/*
 * iso_time.h -- ISO 8601 dates and times as nanoseconds since 1970, and back.
 *
 * 2018-06-18, 2018-06-18T22:28:28, the same with a fraction, and a zone: Z, +02:00 or +0200.
 * Without a zone it is UTC. Years 1970 to 2261, which 64-bit nanoseconds hold.
 */
#ifndef BERTH_SCHEDULER_BASE_ISO_TIME_H
#define BERTH_SCHEDULER_BASE_ISO_TIME_H

#include <stdbool.h>

#include "scheduler/base/units.h"

/* False when `text` is not wholly of that form or names no real moment; *out is then untouched. */
bool iso_time_parse(const char *text, berth_ns *out);

#define ISO_TIME_BYTES 40

/* "2025-01-01T00:00:12.500Z": UTC, with so many digits of the fraction (0..9), cut off. */
void iso_time_format(berth_ns wall_ns, int decimals, char out[ISO_TIME_BYTES]);

#endif
