/*
 * csv.h -- a table of text, plain or gzip, read row by row in constant memory.
 *
 * RFC 4180 with these bounds: a row is one line (a quoted cell holds no line break) of at most
 * CSV_LINE_MAX bytes; the first line names the columns; every row has as many cells as it. Lines
 * end with LF or CRLF, the last may lack its end; a byte order mark and empty lines are passed
 * over. Whether the file is gzip is seen from its content, never from its name.
 *
 * Messages read  FILE:LINE: column "cpu": what; cure.
 */
#ifndef BERTH_SIM_WORKLOAD_CSV_H
#define BERTH_SIM_WORKLOAD_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/error.h"
#include "scheduler/base/units.h"

#define CSV_LINE_MAX 65536
#define CSV_COLUMNS_MAX 256
#define CSV_NO_COLUMN (-1)

struct csv;

/* Opens the file and reads the header. */
enum berth_err csv_open(const char *path, struct csv **out,
                        struct berth_error *err) BERTH_MUST_CHECK;

/* Plain text in memory, borrowed until csv_close; `name` stands for the file in messages. */
enum berth_err csv_open_text(const char *text, size_t length, const char *name, struct csv **out,
                             struct berth_error *err) BERTH_MUST_CHECK;
void csv_close(struct csv *csv); /* NULL is allowed */

/* A column by its name: CSV_NO_COLUMN when there is none; csv_need_column fails then. */
const char *csv_column_name(const struct csv *csv, int column); /* NULL past the last */
int csv_find_column(const struct csv *csv, const char *name);
enum berth_err csv_need_column(const struct csv *csv, const char *name, int *column,
                               struct berth_error *err) BERTH_MUST_CHECK;

/* The next row; *has_row is false at the end of the file. */
enum berth_err csv_next(struct csv *csv, bool *has_row, struct berth_error *err) BERTH_MUST_CHECK;
uint64_t csv_line(const struct csv *csv); /* of the current row, from 1 */

/* A cell of the current row, lent until csv_next; "" for CSV_NO_COLUMN. */
const char *csv_text(const struct csv *csv, int column);
bool csv_is_empty(const struct csv *csv, int column); /* nothing but blanks, or no column */

/*
 * A cell as a number without sign, times 10^places, exactly; `2`, `2.50`, `.5` and `1.2e3` are
 * numbers. Fails beyond `max` (of the result) and on an empty cell. Digits past `places` are
 * rounded when `rounds`, else refused. `cure` ends the message: "write whole CPU units".
 */
struct csv_number {
    unsigned places; /* 0..9 */
    bool rounds;
    int64_t max;
    const char *cure;
};
enum berth_err csv_number(const struct csv *csv, int column, const struct csv_number *form,
                          int64_t *out, struct berth_error *err) BERTH_MUST_CHECK;

/* The same for text that is a part of a cell; NULL when it is well, else what is wrong with it. */
const char *csv_parse_number(const char *text, const struct csv_number *form, int64_t *out);

/* Fail with the place of the current row, and of `column` unless it is CSV_NO_COLUMN. */
enum berth_err csv_fail(const struct csv *csv, int column, struct berth_error *err,
                        const char *format, ...) BERTH_PRINTF(4, 5);

#endif
