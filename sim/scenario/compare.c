/*
 * compare.c -- variants and axes.
 *
 * Cells are numbered with the last axis fastest and the variant slowest, so a table of results
 * keeps the cells of a variant together. A cell is made in two steps, the variant's merge patch and
 * then the values of the axes, with task definition files read in after each: a pointer may so lead
 * into a definition that a patch has just named by its path.
 */
#include "sim/scenario/compare.h"

#include <stdio.h>
#include <stdint.h>
#include <string.h>

enum { AXIS_VALUES_MAX = 10000, LABEL_MAX = 40 };

/*
 * Short scalars stand for themselves, a path for its last part (the rest would change with the
 * working directory); other values are numbered.
 */
static char *label_of(const json_t *value, size_t index)
{
    struct text label = TEXT_INIT;
    const char *word = json_string_value(value);
    const char *slash = word == NULL ? NULL : strrchr(word, '/');
    word = slash == NULL ? word : slash + 1;
    if (word != NULL && is_name(word, LABEL_MAX)) {
        text_add(&label, word);
    } else if (json_is_number(value) || json_is_boolean(value) || json_is_null(value)) {
        char *number = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        text_add(&label, number);
        mem_free(number);
    } else {
        text_addf(&label, "%zu", index + 1);
    }
    return label.bytes;
}

/* Equal labels would make equal names of cells; equal values would be a cell run twice. */
static void check_label(const struct at *item, struct compare_axis *axis)
{
    for (size_t i = 0; i < item->index; i++) {
        if (strcmp(axis->labels[i], axis->labels[item->index]) != 0)
            continue;
        if (json_equal(json_array_get(axis->values, i), item->json)) {
            at_fail(item, "is the same as item %zu; write each value once", i);
            return;
        }
        struct text label = TEXT_INIT;
        text_addf(&label, "%s_%zu", axis->labels[item->index], item->index + 1);
        mem_free(axis->labels[item->index]);
        axis->labels[item->index] = label.bytes;
    }
}

static void read_values(const struct at *up, struct compare_axis *axis)
{
    struct at list = at_member(up, "values");
    at_require(&list, "list the values to be tried");
    size_t count = at_list(&list, 1, AXIS_VALUES_MAX);
    axis->values = list.json;
    axis->labels = mem_alloc((count + 1) * sizeof *axis->labels);
    for (size_t i = 0; i < count && !up->reader->has_failed; i++) {
        struct at item = at_item(&list, i);
        axis->labels[i] = label_of(item.json, i);
        check_label(&item, axis);
    }
}

/* `compare` and `include` belong to the file, `name` and `version` to every variant alike. */
static const char *const unpatchable[] = {"compare", "include", "name", "version", NULL};

static bool is_unpatchable(const char *key)
{
    for (size_t i = 0; unpatchable[i] != NULL; i++)
        if (strcmp(unpatchable[i], key) == 0)
            return true;
    return false;
}

static void read_axis(const struct at *at, struct compare_axis *axis)
{
    static const char *const known[] = {"pointer", "values", NULL};
    *axis = (struct compare_axis){.name = at->key};
    if (!at_object(at, known)) {
        at_fail(at, "not an axis; write {\"pointer\": \"/run/seed\", \"values\": [1, 2]}");
        return;
    }
    struct at pointer = at_member(at, "pointer");
    at_require(&pointer, "write a JSON Pointer such as \"/services/web/desiredCount\"");
    axis->pointer_text = json_string_value(pointer.json);
    if (pointer.json != NULL &&
        (axis->pointer_text == NULL || !pointer_parse(axis->pointer_text, &axis->pointer) ||
         axis->pointer.list.count == 0)) {
        at_fail(&pointer, "not a JSON Pointer; write \"/\" before each name, ~1 for a / in one");
    }
    if (axis->pointer.list.count > 0 && is_unpatchable(axis->pointer.list.items[0]))
        at_fail(&pointer, "\"%s\" is the same in every variant; point at something else",
                axis->pointer.list.items[0]);
    read_values(at, axis);
}

static void read_axes(struct compare *compare)
{
    struct at all = at_member(&compare->at, "axes");
    size_t count;
    const char **names = at_names(&all, &count);
    if (count > COMPARE_AXES_MAX)
        at_fail(&all, "%zu axes; at most %d are swept", count, COMPARE_AXES_MAX);
    for (size_t i = 0; i < count && !all.reader->has_failed; i++) {
        struct at axis = at_member(&all, names[i]);
        read_axis(&axis, vec_push(&compare->axes));
    }
    mem_free(names);
}

static void read_variants(struct compare *compare)
{
    struct at all = at_member(&compare->at, "variants");
    compare->variants = at_names(&all, &compare->variant_count);
    for (size_t i = 0; i < compare->variant_count; i++) {
        struct at variant = at_member(&all, compare->variants[i]);
        if (!json_is_object(variant.json))
            at_fail(&variant, "not a merge patch; write an object with what differs");
        for (size_t j = 0; unpatchable[j] != NULL; j++) {
            struct at member = at_member(&variant, unpatchable[j]);
            if (member.json != NULL)
                at_fail(&member, "cannot differ between variants; remove it");
        }
    }
}

void compare_read(const struct at *root, struct compare *out)
{
    static const char *const known[] = {"baseline", "variants", "axes", NULL};
    *out = (struct compare){.at = at_member(root, "compare"), .cell_count = 1};
    (void)at_object(&out->at, known);
    read_variants(out);
    read_axes(out);
    if (root->reader->has_failed)
        return;
    size_t cells = out->variant_count > 0 ? out->variant_count : 1;
    for (size_t i = 0; i < out->axes.count && cells <= COMPARE_CELLS_MAX; i++)
        cells *= json_array_size(out->axes.items[i].values);
    if (cells > COMPARE_CELLS_MAX)
        at_fail(&out->at, "variants and axes make more than %d combinations; use fewer values",
                COMPARE_CELLS_MAX);
    out->cell_count = cells;
}

void compare_free(struct compare *compare)
{
    for (size_t i = 0; i < compare->axes.count; i++) {
        struct compare_axis *axis = &compare->axes.items[i];
        for (size_t j = 0; axis->labels != NULL && axis->labels[j] != NULL; j++)
            mem_free(axis->labels[j]);
        mem_free(axis->labels);
        pointer_free(&axis->pointer);
    }
    vec_free(&compare->axes);
    mem_free(compare->variants);
}

/* The cell's number as digits, one for each axis; returns the variant. */
static size_t cell_digits(const struct compare *compare, size_t cell, size_t *digits)
{
    for (size_t i = compare->axes.count; i-- > 0;) {
        size_t radix = json_array_size(compare->axes.items[i].values);
        digits[i] = cell % radix;
        cell /= radix;
    }
    return cell;
}

char *compare_name(const struct compare *compare, size_t cell)
{
    size_t digits[COMPARE_AXES_MAX];
    size_t variant = cell_digits(compare, cell, digits);
    struct text name = TEXT_INIT;
    if (compare->variant_count > 0)
        text_add(&name, compare->variants[variant]);
    else if (compare->axes.count == 0)
        text_add(&name, "base");
    for (size_t i = 0; i < compare->axes.count; i++)
        text_addf(&name, "%s%s=%s",
                  i > 0                        ? ","
                  : compare->variant_count > 0 ? "/"
                                               : "",
                  compare->axes.items[i].name, compare->axes.items[i].labels[digits[i]]);
    return name.bytes;
}

static void push_layer(const struct at *at, const char *target, struct document *document)
{
    struct text mount = TEXT_INIT, place = TEXT_INIT;
    at_pointer(at, &mount);
    at_place(at, &place);
    /* The file is what stands before the mount. */
    const char *path = document->layers.list.items[0].path;
    for (size_t i = 0; i < document->sources.count; i++) {
        size_t length = strlen(document->sources.items[i].path);
        if (strncmp(document->sources.items[i].path, place.bytes, length) == 0 &&
            place.bytes[length] == ':')
            path = document->sources.items[i].path;
    }
    layers_push(&document->layers, path, mount.bytes, target, at->json);
    text_free(&mount);
    text_free(&place);
}

static void fail_pointer(const struct at *axis_at, const struct compare_axis *axis, size_t missing)
{
    struct at pointer = at_member(axis_at, "pointer");
    at_fail(&pointer,
            "leads nowhere: there is no \"%.80s\" in the scenario; name a member that "
            "exists, or a new one of an object that does",
            axis->pointer.list.items[missing]);
}

static bool inline_files(const struct compare *compare, json_t *json, struct document *document)
{
    struct reader *reader = compare->at.reader;
    if (!reader->has_failed && document_inline(document, json, reader->err) != BERTH_OK)
        reader->has_failed = true;
    return !reader->has_failed;
}

static void set_axis(const struct compare *compare, size_t index, size_t digit, json_t *json,
                     struct document *document)
{
    const struct compare_axis *axis = &compare->axes.items[index];
    struct at axes = at_member(&compare->at, "axes"), at = at_member(&axes, axis->name);
    struct at values = at_member(&at, "values"), value = at_item(&values, digit);
    size_t missing;
    if (!pointer_set(json, &axis->pointer, value.json, &missing))
        fail_pointer(&at, axis, missing);
    push_layer(&value, axis->pointer_text, document);
}

json_t *compare_document(const struct compare *compare, size_t cell, const json_t *base,
                         struct document *document)
{
    size_t digits[COMPARE_AXES_MAX];
    size_t variant = cell_digits(compare, cell, digits);
    json_t *json = json_copy((json_t *)(uintptr_t)base);
    if (compare->variant_count > 0) {
        struct at all = at_member(&compare->at, "variants");
        struct at patch = at_member(&all, compare->variants[variant]);
        json = patch_merge(json, patch.json);
        push_layer(&patch, "", document);
    }
    if (inline_files(compare, json, document)) {
        for (size_t i = 0; i < compare->axes.count; i++)
            set_axis(compare, i, digits[i], json, document);
        (void)inline_files(compare, json, document);
    }
    if (!compare->at.reader->has_failed)
        return json;
    json_decref(json);
    return NULL;
}
