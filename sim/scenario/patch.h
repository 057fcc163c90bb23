/*
 * patch.h -- changing JSON: merge patches (RFC 7386) and JSON Pointers (RFC 6901).
 *
 * Documents share what is the same in them: a variant of ten megabytes that changes one number
 * costs a copy of the objects on the way to it. So nothing below the top of a document may be
 * changed in place by anybody; objects on the way are replaced by shallow copies.
 */
#ifndef BERTH_SIM_SCENARIO_PATCH_H
#define BERTH_SIM_SCENARIO_PATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "scheduler/base/error.h"
#include "scheduler/base/mem.h"

/* `target` as patched by `patch`. Takes `target`; the top of what is returned is the caller's own.
 */
json_t *patch_merge(json_t *target, const json_t *patch);

/*
 * The same for a scenario file onto those that it includes, but a null inside of a variant is kept:
 * there it is part of a patch that is still to be applied.
 */
json_t *patch_merge_file(json_t *target, const json_t *file);

struct pointer_tokens {
    VEC(char *) list; /* owned, unescaped */
};

/* False unless `text` is a JSON Pointer ("" has no tokens). */
bool pointer_parse(const char *text, struct pointer_tokens *out);
void pointer_free(struct pointer_tokens *tokens);

/*
 * Put `value` (shared) at the pointer. The place must exist, or be a new member of an object that
 * does; null removes it. False when there is no such place: *missing is the token that leads
 * nowhere.
 */
bool pointer_set(json_t *document, const struct pointer_tokens *pointer, const json_t *value,
                 size_t *missing);

#endif
