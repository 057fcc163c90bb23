/*
 * expression.h -- ECS's Cluster Query Language: is it true for this instance?
 *
 * Grammar, subjects and what a missing attribute means: reference "ECS scheduling semantics" 1.9,
 * rule U6. `=~` is a whole-string match of a regular expression (PCRE2; look-around and
 * back-references are refused, since Java's own engine is not at hand to agree with).
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_EXPRESSION_H
#define BERTH_SCHEDULER_PLACEMENT_EXPRESSION_H

#include <stdbool.h>

#include "scheduler/base/error.h"
#include "scheduler/model/cluster.h"

#define EXPRESSION_BYTES_MAX 2000

struct expression;

/*
 * Parse. On failure err says "column N: what; cure" (columns from 1). Names and literals are added
 * to `symbols`, the table of every cluster it will be asked about. *out is owned by the caller.
 */
enum berth_err expression_parse(struct symbols *symbols, const char *text, struct expression **out,
                                struct berth_error *err) BERTH_MUST_CHECK;
void expression_destroy(struct expression *expression);

bool expression_matches(const struct expression *expression, const struct cluster *cluster,
                        instance_id id);

/* True when the answer depends on ids and attributes only, so it may be kept until they change. */
bool expression_is_static(const struct expression *expression);

#endif
