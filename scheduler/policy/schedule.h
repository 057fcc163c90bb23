/*
 * schedule.h -- when a scheduled action is due (semantics 6.5), in UTC.
 *
 *     at(2026-03-01T08:00:00)      once
 *     rate(5 minutes)              every so long, counted from an anchor; minute, hour, day
 *     cron(0 8 ? * MON-FRI *)      minute hour day-of-month month day-of-week year
 *
 * A cron field is `*`, numbers, ranges, steps and lists of them; months and weekdays may be names,
 * 1 is Sunday; `L` is the last day of a month; one of the two days is `?`.
 */
#ifndef BERTH_SCHEDULER_POLICY_SCHEDULE_H
#define BERTH_SCHEDULER_POLICY_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/units.h"

enum schedule_kind { SCHEDULE_AT = 0, SCHEDULE_RATE, SCHEDULE_CRON };

#define SCHEDULE_YEAR_MIN 1970
#define SCHEDULE_YEAR_MAX 2199

struct schedule {
    enum schedule_kind kind;
    berth_ns at_ns;     /* AT: wall clock */
    berth_ns period_ns; /* RATE */
    /* CRON: bit sets */
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* days and months from bit 1; weekdays: bit 1 Sunday */
    bool last_day;                          /* of the month, beside `days` */
    bool any_day, any_weekday;              /* `?` */
    uint64_t years[4];                      /* from 1970 */
};

/* NULL, or what is wrong and how to mend it. */
const char *schedule_parse(const char *text, struct schedule *out);

/*
 * The first time after `after_wall_ns`; BERTH_NS_NEVER when there is none any more. A rate counts
 * from `anchor_wall_ns`.
 */
berth_ns schedule_next(const struct schedule *schedule, berth_ns after_wall_ns,
                       berth_ns anchor_wall_ns);

#endif
