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

#endif
