#include "scheduler/base/iso_time.h"

#include <stddef.h>

/* Days from 1970-01-01 in the Gregorian calendar; eras of 400 years begin on 1 March (Hinnant). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static bool take_digits(const char **at, int count, int64_t *out)
{
    int64_t number = 0;
    for (; count > 0; count--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        number = number * 10 + (**at - '0');
    }
    *out = number;
    return true;
}

static bool take(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at, int64_t *days)
{
    int64_t year, month, day;
    if (!take_digits(at, 4, &year) || !take(at, '-') || !take_digits(at, 2, &month) ||
        !take(at, '-') || !take_digits(at, 2, &day))
        return false;
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* Digits beyond nanoseconds are dropped. */
static bool take_fraction(const char **at, int64_t *ns)
{
    *ns = 0;
    if (!take(at, '.'))
        return true;
    int64_t unit = BERTH_NS_PER_S / 10;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        *ns += (**at - '0') * unit;
    return true;
}

static bool take_clock(const char **at, int64_t *seconds, int64_t *ns)
{
    int64_t hour, minute, second;
    if (!take_digits(at, 2, &hour) || !take(at, ':') || !take_digits(at, 2, &minute) ||
        !take(at, ':') || !take_digits(at, 2, &second) || !take_fraction(at, ns))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

static bool take_zone(const char **at, int64_t *offset_seconds)
{
    int64_t hour, minute;
    *offset_seconds = 0;
    if (**at == '\0' || take(at, 'Z'))
        return true;
    int64_t sign = **at == '-' ? -1 : 1;
    if (!take(at, '+') && !take(at, '-'))
        return false;
    if (!take_digits(at, 2, &hour))
        return false;
    (void)take(at, ':');
    if (!take_digits(at, 2, &minute) || hour > 18 || minute > 59)
        return false;
    *offset_seconds = sign * (hour * 3600 + minute * 60);
    return true;
}

bool iso_time_parse(const char *text, berth_ns *out)
{
    int64_t days, seconds = 0, offset = 0, ns = 0;
    if (!take_date(&text, &days))
        return false;
    if (take(&text, 'T') && (!take_clock(&text, &seconds, &ns) || !take_zone(&text, &offset)))
        return false;
    if (*text != '\0')
        return false;
    *out = (days * 86400 + seconds - offset) * BERTH_NS_PER_S + ns;
    return true;
}

/* Civil date of a day number, proleptic Gregorian (Howard Hinnant, chrono-compatible date). */
static void civil_date(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * of_year + 2) / 153;
    *day = of_year - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static char *put(char *at, int64_t number, int digits, char after)
{
    for (int i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[digits] = after;
    return at + digits + 1;
}

void iso_time_format(berth_ns wall_ns, int decimals, char out[ISO_TIME_BYTES])
{
    int64_t second = wall_ns / BERTH_NS_PER_S, ns = wall_ns % BERTH_NS_PER_S;
    if (ns < 0) {
        second--;
        ns += BERTH_NS_PER_S;
    }
    int64_t days = second / 86400, of_day = second % 86400, year, month, day;
    if (of_day < 0) {
        days--;
        of_day += 86400;
    }
    civil_date(days, &year, &month, &day);
    char *at = put(out, year, 4, '-');
    at = put(at, month, 2, '-');
    at = put(at, day, 2, 'T');
    at = put(at, of_day / 3600, 2, ':');
    at = put(at, of_day / 60 % 60, 2, ':');
    at = put(at, of_day % 60, 2, decimals > 0 ? '.' : 'Z');
    for (int i = decimals; i < 9; i++)
        ns /= 10;
    if (decimals > 0)
        at = put(at, ns, decimals, 'Z');
    *at = '\0';
}
