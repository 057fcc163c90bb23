/*
 * json_input.h -- reading JSON that people wrote: strict, bounded, with messages that say where.
 *
 * Duplicate keys, invalid UTF-8, trailing text, NaN, numbers beyond a double or an int64 and
 * nesting deeper than 200 are refused. Messages read  FILE:LINE:COLUMN: what; cure  for syntax and
 * FILE:/json/pointer: what; cure  for content.
 */
#ifndef BERTH_SCHEDULER_ECS_JSON_INPUT_H
#define BERTH_SCHEDULER_ECS_JSON_INPUT_H

#include <jansson.h>

#include "scheduler/base/error.h"

/* Read a whole file; gzip is inflated when the content says so. *out: new reference. */
enum berth_err json_read_file(const char *path, json_t **out,
                              struct berth_error *err) BERTH_MUST_CHECK;

/* The same for text in memory; `place` stands for the file name. */
enum berth_err json_read_text(const char *text, size_t length, const char *place, json_t **out,
                              struct berth_error *err) BERTH_MUST_CHECK;

/*
 * Refuse members of `object` that are not in `names` (NULL-terminated); "$..." is always allowed:
 *   PLACE/instnces: unknown key; did you mean "instances"?
 */
enum berth_err json_check_keys(const json_t *object, const char *place, const char *const *names,
                               struct berth_error *err) BERTH_MUST_CHECK;

/*
 * A text that a user wrote, fit for a message: control characters as '?', cut with "..." to fit
 * `out_bytes` (at least 8).
 */
void json_show(char *out, size_t out_bytes, const char *text, size_t length);

/* Deterministic output: members sorted by key, reals with 17 significant digits, given indent. */
char *json_write_sorted(const json_t *json, int indent); /* owned by the caller: free() */

#endif
