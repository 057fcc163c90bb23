/*
 * error.h -- the one way a failure travels to the user.
 *
 * Three kinds are never mixed: a bug is an assert; a refusal is data (a verdict, a reason); what is
 * left, bad input and a failing environment, is an `enum berth_err` returned, with the text in a
 * caller-owned `struct berth_error`, last parameter. Nothing is allocated to report an error.
 *
 * The text is one line: FILE:PLACE: what is wrong; how to mend it.
 */
#ifndef BERTH_SCHEDULER_BASE_ERROR_H
#define BERTH_SCHEDULER_BASE_ERROR_H

#include <stdarg.h>

#define BERTH_ERROR_TEXT_MAX 1024

#if defined(__GNUC__)
#define BERTH_MUST_CHECK __attribute__((warn_unused_result))
#define BERTH_PRINTF(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))
#else
#define BERTH_MUST_CHECK
#define BERTH_PRINTF(format_index, first_index)
#endif

/* The values are the process's exit codes. */
enum berth_err {
    BERTH_OK = 0,
    BERTH_ERR_FAILED = 1,        /* A valid request or gate that failed. */
    BERTH_ERR_INPUT = 2,         /* Bad input: file, flag, expression. */
    BERTH_ERR_ENVIRONMENT = 3,   /* Unwritable folder, full disk, no such tool. */
    BERTH_ERR_INTERRUPTED = 130, /* SIGINT or SIGTERM. */
};

struct berth_error {
    enum berth_err code;
    char text[BERTH_ERROR_TEXT_MAX]; /* One line, no newline; cut at the end when too long. */
};

#define BERTH_ERROR_INIT \
    {                    \
        BERTH_OK, ""     \
    }

/* The same for what runs a million times a second: the text is not zeroed to its end. */
static inline void berth_error_clear(struct berth_error *err)
{
    err->code = BERTH_OK;
    err->text[0] = '\0';
}

/* Fill `err` and return `code`, so that a failing function ends in `return berth_fail(...)`. */
enum berth_err berth_fail(struct berth_error *err, enum berth_err code, const char *format, ...)
    BERTH_PRINTF(3, 4);

/* Prepend context ("scenarios/a.json: ") to the text already in `err`; returns its code. */
enum berth_err berth_fail_in(struct berth_error *err, const char *format, ...) BERTH_PRINTF(2, 3);

/*
 * The name in `names` (NULL-terminated) nearest to `wrong` by edit distance, for "did you mean";
 * NULL when none is near enough (distance over 1 + length/3).
 */
const char *berth_nearest(const char *wrong, const char *const *names);

#endif
