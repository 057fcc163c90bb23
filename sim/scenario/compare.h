/*
 * compare.h -- the cells of a comparison: every variant with every combination of the axes' values.
 */
#ifndef BERTH_SIM_SCENARIO_COMPARE_H
#define BERTH_SIM_SCENARIO_COMPARE_H

#include "sim/scenario/document.h"

#define COMPARE_CELLS_MAX 10000
#define COMPARE_AXES_MAX 16

struct compare_axis {
    const char *name; /* lent by the document */
    const char *pointer_text;
    struct pointer_tokens pointer;
    json_t *values; /* lent; a list */
    char **labels;  /* owned; one for each value, distinct */
};

struct compare {
    struct at at;          /* "compare" itself; its root must outlive this */
    const char **variants; /* NULL-terminated; owned array of lent names */
    size_t variant_count;  /* 0: axes only, or nothing */
    VEC(struct compare_axis) axes;
    size_t cell_count; /* at least 1 */
};

/* Check `compare` of the document at `root`. Sticky errors; free in any case. */
void compare_read(const struct at *root, struct compare *out);
void compare_free(struct compare *compare);

/* "variant/axis=value,axis=value", "base" when there is nothing to compare. Owned by the caller. */
char *compare_name(const struct compare *compare, size_t cell);

/*
 * The document of one cell: `base` with its patches, files inlined. What was put on it is pushed on
 * the document's layers, for messages, until the caller cuts them. NULL after a sticky error.
 */
json_t *compare_document(const struct compare *compare, size_t cell, const json_t *base,
                         struct document *document);

#endif
