/*
 * json_compact.h -- JSON in its shortest form, as fast as it can be copied.
 *
 * The bytes are those of jansson's own writer (compact, 17 significant digits), which goes through
 * a text character by character and takes four times as long: a scenario of 10 MB is written twice
 * while it is read, once for its hash and once definition by definition.
 */
#ifndef BERTH_SCHEDULER_ECS_JSON_COMPACT_H
#define BERTH_SCHEDULER_ECS_JSON_COMPACT_H

#include <jansson.h>
#include <stdbool.h>

#include "scheduler/base/text.h"

enum json_order {
    JSON_AS_WRITTEN = 0, /* members in the order in which they were added */
    JSON_BY_KEY          /* members by their keys' bytes */
};

void json_write_compact(struct text *out, const json_t *json, enum json_order order);

/* The same, handed over in pieces of some 64 KiB: a large document is never in memory as a text. */
typedef void json_taker(void *context, const char *bytes, size_t length);
void json_write_pieces(const json_t *json, enum json_order order, json_taker *take, void *context);

#endif
