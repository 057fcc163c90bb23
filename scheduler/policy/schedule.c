#include "scheduler/policy/schedule.h"

#include <string.h>

#include "scheduler/base/iso_time.h"

#define NS_PER_MINUTE (60 * BERTH_NS_PER_S)
#define NS_PER_DAY (86400 * BERTH_NS_PER_S)
#define RATE_MAX 1000000

static bool take_number(const char **at, int64_t *out)
{
    int64_t number = 0;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        if (number <= RATE_MAX)
            number = number * 10 + (**at - '0');
    *out = number;
    return true;
}

/* The inside of "word(...)", or false. */
static bool take_inside(const char *text, const char *word, char *out, size_t size)
{
    size_t length = strlen(word), total = strlen(text);
    if (strncmp(text, word, length) != 0 || text[length] != '(' || text[total - 1] != ')' ||
        total - length - 2 >= size)
        return false;
    memcpy(out, text + length + 1, total - length - 2);
    out[total - length - 2] = '\0';
    return true;
}

static const char *parse_rate(const char *inside, struct schedule *out)
{
    static const struct {
        const char *name;
        berth_ns unit_ns;
    } units[] = {{"minute", NS_PER_MINUTE},    {"minutes", NS_PER_MINUTE},
                 {"hour", 60 * NS_PER_MINUTE}, {"hours", 60 * NS_PER_MINUTE},
                 {"day", NS_PER_DAY},          {"days", NS_PER_DAY}};
    static const char *const wrong =
        "a rate is written rate(5 minutes), rate(1 hour), rate(2 days)";
    int64_t number = 0;
    if (!take_number(&inside, &number) || *inside != ' ' || number < 1 || number > 10000)
        return wrong;
    out->kind = SCHEDULE_RATE;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(inside + 1, units[i].name) == 0) {
            out->period_ns = number * units[i].unit_ns;
            return NULL;
        }
    return wrong;
}

/* One of the six fields: its range, and names that stand for numbers from `low` on. */
struct cron_field {
    int64_t low, high;
    const char *const *names;
    int64_t name_count;
};

static bool take_value(const struct cron_field *field, const char **at, int64_t *out)
{
    for (int64_t i = 0; i < field->name_count; i++)
        if (strncmp(*at, field->names[i], 3) == 0) {
            *at += 3;
            *out = field->low + i;
            return true;
        }
    return take_number(at, out) && *out >= field->low && *out <= field->high;
}

static void set_bit(uint64_t bits[4], int64_t bit)
{
    bits[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* "3", "1-5", "*", "0/15", "MON-FRI": adds to the bits, which count from `base`. */
static bool take_range(const struct cron_field *field, const char **at, int64_t base,
                       uint64_t bits[4])
{
    int64_t first = field->low, last = field->high, step = 1;
    if (**at == '*') {
        (*at)++;
    } else {
        if (!take_value(field, at, &first))
            return false;
        last = first;
        if (**at == '-') {
            (*at)++;
            if (!take_value(field, at, &last) || last < first)
                return false;
        } else if (**at == '/') {
            last = field->high;
        }
    }
    if (**at == '/') {
        (*at)++;
        if (!take_number(at, &step) || step < 1)
            return false;
    }
    for (int64_t value = first; value <= last; value += step)
        set_bit(bits, value - base);
    return true;
}

static bool parse_field(const struct cron_field *field, const char *text, int64_t base,
                        uint64_t bits[4])
{
    memset(bits, 0, 4 * sizeof *bits);
    for (;;) {
        if (!take_range(field, &text, base, bits))
            return false;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

enum { CRON_FIELDS = 6, CRON_TEXT_MAX = 256 };

static bool split(char *inside, char *fields[CRON_FIELDS])
{
    size_t count = 0;
    for (char *at = inside; *at != '\0';) {
        if (count == CRON_FIELDS)
            return false;
        fields[count++] = at;
        at += strcspn(at, " ");
        while (*at == ' ')
            *at++ = '\0';
    }
    return count == CRON_FIELDS;
}

static const char *parse_days(char *fields[CRON_FIELDS], struct schedule *out)
{
    static const char *const weekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    static const struct cron_field day = {1, 31, NULL, 0}, weekday = {1, 7, weekdays, 7};
    uint64_t bits[4];
    out->any_day = strcmp(fields[2], "?") == 0;
    out->any_weekday = strcmp(fields[4], "?") == 0;
    out->last_day = strcmp(fields[2], "L") == 0;
    if (out->any_day == out->any_weekday)
        return "write ? for exactly one of day-of-month and day-of-week";
    if (!out->any_day && !out->last_day) {
        if (!parse_field(&day, fields[2], 0, bits))
            return "day-of-month: use 1-31, *, ?, L, lists, ranges, steps; W is not supported";
        out->days = (uint32_t)bits[0];
    }
    if (!out->any_weekday) {
        if (!parse_field(&weekday, fields[4], 0, bits))
            return "day-of-week: use 1-7 or SUN-SAT, *, ?, lists, ranges; L and # are not "
                   "supported";
        out->weekdays = (uint32_t)bits[0];
    }
    return NULL;
}

static const char *parse_cron(char *inside, struct schedule *out)
{
    static const char *const months[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                         "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
    static const struct cron_field minute = {0, 59, NULL, 0}, hour = {0, 23, NULL, 0},
                                   month = {1, 12, months, 12},
                                   year = {SCHEDULE_YEAR_MIN, SCHEDULE_YEAR_MAX, NULL, 0};
    char *fields[CRON_FIELDS];
    uint64_t bits[4];
    out->kind = SCHEDULE_CRON;
    if (!split(inside, fields))
        return "cron has six fields: minute hour day-of-month month day-of-week year";
    if (!parse_field(&minute, fields[0], 0, bits))
        return "minute: use 0-59, *, lists, ranges, steps";
    out->minutes = bits[0];
    if (!parse_field(&hour, fields[1], 0, bits))
        return "hour: use 0-23, *, lists, ranges, steps";
    out->hours = (uint32_t)bits[0];
    if (!parse_field(&month, fields[3], 0, bits))
        return "month: use 1-12 or JAN-DEC, *, lists, ranges, steps";
    out->months = (uint32_t)bits[0];
    if (!parse_field(&year, fields[5], SCHEDULE_YEAR_MIN, out->years))
        return "year: use 1970-2199, *, lists, ranges, steps";
    return parse_days(fields, out);
}

const char *schedule_parse(const char *text, struct schedule *out)
{
    char inside[CRON_TEXT_MAX];
    memset(out, 0, sizeof *out);
    if (text[0] == '\0')
        return "a schedule is written at(...), rate(...) or cron(...)";
    if (take_inside(text, "at", inside, sizeof inside)) {
        out->kind = SCHEDULE_AT;
        bool is_whole = strlen(inside) == strlen("yyyy-mm-ddThh:mm:ss");
        return is_whole && iso_time_parse(inside, &out->at_ns)
                   ? NULL
                   : "a time is written at(2026-03-01T08:00:00)";
    }
    if (take_inside(text, "rate", inside, sizeof inside))
        return parse_rate(inside, out);
    if (take_inside(text, "cron", inside, sizeof inside))
        return parse_cron(inside, out);
    return "a schedule is written at(...), rate(...) or cron(...)";
}

struct day { /* of the Gregorian calendar */
    int64_t year, month, day;
};

/* Days since 1970-01-01 to a date: eras of 400 years begin on 1 March. */
static struct day day_of(int64_t days)
{
    days += 719468;
    int64_t era = days / 146097, in_era = days % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * in_year + 2) / 153; /* months from March */
    int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (struct day){year + era * 400 + (month <= 2), month,
                        in_year - (153 * shifted + 2) / 5 + 1};
}

static bool matches_day(const struct schedule *schedule, int64_t days)
{
    struct day day = day_of(days);
    int64_t year = day.year - SCHEDULE_YEAR_MIN, weekday = (days + 4) % 7 + 1;
    if ((schedule->years[year / 64] >> (year % 64) & 1) == 0 ||
        (schedule->months >> day.month & 1) == 0)
        return false;
    if (schedule->any_day)
        return (schedule->weekdays >> weekday & 1) != 0;
    if (schedule->last_day)
        return day_of(days + 1).day == 1;
    return (schedule->days >> day.day & 1) != 0;
}

/* The first minute of a matching day that is at `from` or later; -1: none. */
static int64_t minute_from(const struct schedule *schedule, int64_t from)
{
    for (int64_t minute = from; minute < 24 * 60; minute++)
        if ((schedule->hours >> (minute / 60) & 1) != 0 &&
            (schedule->minutes >> (minute % 60) & 1) != 0)
            return minute;
    return -1;
}

static berth_ns next_cron(const struct schedule *schedule, berth_ns after_ns)
{
    static const int64_t days_max = 84006; /* to the end of 2199 */
    int64_t first = after_ns < 0 ? 0 : after_ns / NS_PER_MINUTE + 1;
    int64_t from = first % (24 * 60);
    for (int64_t days = first / (24 * 60); days < days_max; days++, from = 0) {
        int64_t minute = matches_day(schedule, days) ? minute_from(schedule, from) : -1;
        if (minute >= 0)
            return days * NS_PER_DAY + minute * NS_PER_MINUTE;
    }
    return BERTH_NS_NEVER;
}

berth_ns schedule_next(const struct schedule *schedule, berth_ns after_wall_ns,
                       berth_ns anchor_wall_ns)
{
    switch (schedule->kind) {
    case SCHEDULE_AT:
        return schedule->at_ns > after_wall_ns ? schedule->at_ns : BERTH_NS_NEVER;
    case SCHEDULE_RATE:
        if (after_wall_ns < anchor_wall_ns)
            return anchor_wall_ns;
        return anchor_wall_ns +
               ((after_wall_ns - anchor_wall_ns) / schedule->period_ns + 1) * schedule->period_ns;
    case SCHEDULE_CRON:
        return next_cron(schedule, after_wall_ns);
    }
    return BERTH_NS_NEVER;
}
