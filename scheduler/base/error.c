#include "scheduler/base/error.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A message quotes what people wrote, and must stay one line whatever that holds. */
static void keep_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

enum berth_err berth_fail(struct berth_error *err, enum berth_err code, const char *format, ...)
{
    va_list args;
    err->code = code;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    keep_one_line(err->text);
    return code;
}

enum berth_err berth_fail_in(struct berth_error *err, const char *format, ...)
{
    char inner[BERTH_ERROR_TEXT_MAX];
    va_list args;
    memcpy(inner, err->text, sizeof inner);
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    keep_one_line(err->text);
    if (used >= 0 && (size_t)used < sizeof err->text)
        (void)snprintf(err->text + used, sizeof err->text - (size_t)used, "%s", inner);
    return err->code;
}

/* Levenshtein distance by two rows; names here are short, so longer ones simply never match. */
static unsigned edit_distance(const char *a, const char *b)
{
    enum { LENGTH_MAX = 64 };
    unsigned row[LENGTH_MAX + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > LENGTH_MAX || b_length > LENGTH_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *berth_nearest(const char *wrong, const char *const *names)
{
    const char *nearest = NULL;
    unsigned nearest_distance = 1 + (unsigned)(strlen(wrong) / 3);
    for (; *names != NULL; names++) {
        unsigned distance = edit_distance(wrong, *names);
        if (distance < nearest_distance || (distance == nearest_distance && nearest == NULL)) {
            nearest = *names;
            nearest_distance = distance;
        }
    }
    return nearest;
}
