/*
 * pattern.h -- the regular expressions of `=~`: the part on which Java's engine and PCRE2 agree.
 *
 * A match is of the whole text, like Java's matches(). Look-around, back-references and whatever
 * only one of the two engines knows is refused. Work is bounded: a match that would take more steps
 * than the limit counts as none.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_PATTERN_H
#define BERTH_SCHEDULER_PLACEMENT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_WHY_MAX 200

struct pattern;

/* NULL when refused: `why` says what and the cure, *offset_bytes where in `text`. */
struct pattern *pattern_create(const char *text, size_t length_bytes, size_t *offset_bytes,
                               char why[PATTERN_WHY_MAX]);
void pattern_destroy(struct pattern *pattern);

/* Not for two threads at once: the pattern holds its own scratch memory. */
bool pattern_matches(const struct pattern *pattern, const char *text);

#endif
