/* records.h -- lists inside a field of a record: written by records.c, read by load.c. */
#ifndef BERTH_SCHEDULER_CORE_RECORDS_H
#define BERTH_SCHEDULER_CORE_RECORDS_H

#include "scheduler/base/text.h"

/*
 * A list is its items joined by ','; in an item ',' and '%' are written %XX, so lists nest. An
 * empty list is an absent field; an empty item is allowed.
 */
void list_add(struct text *list, const char *item);
void list_add_u64(struct text *list, uint64_t item);

/* Cut the next item off `*rest`, in place; NULL at the end. `*rest` begins as the list or NULL. */
char *list_next(char **rest);
bool list_next_u64(char **rest, uint64_t max, uint64_t *out); /* false: no such number */

bool number_parse(const char *text, uint64_t max, uint64_t *out); /* wholly decimal, <= max */

#endif
