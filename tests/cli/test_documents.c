/*
 * test_documents.c -- the documents say what the program has: every command, scenario key, metric
 * and invariant is named where a reader looks for it, and every file that a README names is there.
 */
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/audit/invariant.h"
#include "sim/bench/bench.h"
#include "sim/run/metrics.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"

static const char *const readmes[] = {"README.md", "scheduler/README.md", "sim/README.md",
                                      "scenarios/README.md", "results/README.md"};
#define README_COUNT (sizeof readmes / sizeof readmes[0])

/* Places that a README names and that a run makes. */
static const char *const made_by_a_run[] = {
    "build/", "results/first-look", "results/convergence/", "convergence/", ".parts/", "plots/"};

static char *read_document(const char *path)
{
    size_t length = 0;
    char *text = scratch_read(path, &length);
    if (text == NULL)
        fail_msg("%s: no such file", path);
    return text;
}

/* From the heading to the next one of its level or above; owned. */
static char *read_section(const char *path, const char *heading)
{
    char *text = read_document(path);
    char *begin = strstr(text, heading);
    if (begin == NULL)
        fail_msg("%s: no heading \"%s\"", path, heading);
    char *end = strstr(begin + 1, "\n## ");
    if (end != NULL)
        *end = '\0';
    char *section = mem_copy_text(begin);
    mem_free(text);
    return section;
}

static void test_every_top_level_key_is_in_the_table(void **state)
{
    (void)state;
    char *section = read_section("sim/README.md", "## The scenario file");
    json_t *schema = json_load_file("scenarios/scenario.schema.json", 0, NULL);
    assert_non_null(schema);
    const char *key;
    json_t *value;
    int count = 0;
    json_object_foreach(json_object_get(schema, "properties"), key, value)
    {
        struct text row = TEXT_INIT;
        text_addf(&row, "\n| `%s` |", key);
        if (strcmp(key, "description") != 0 && strstr(section, row.bytes) == NULL)
            fail_msg("sim/README.md: no row for the top-level key %s", key);
        text_free(&row);
        count++;
    }
    assert_true(count > 15);
    json_decref(schema);
    mem_free(section);
}

/* Every member of "properties" below `node`, but for ECS's own JSON; counts them. */
static int check_keys(const char *document, const json_t *node)
{
    int count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        if (strcmp(key, "ecsTaskDefinition") != 0)
            count += check_keys(document, value);
        const char *inner;
        json_t *property;
        if (strcmp(key, "properties") != 0)
            continue;
        json_object_foreach(value, inner, property)
        {
            struct text code = TEXT_INIT, quoted = TEXT_INIT;
            text_addf(&code, "`%s`", inner);
            text_addf(&quoted, "\"%s\"", inner);
            if (strstr(document, code.bytes) == NULL && strstr(document, quoted.bytes) == NULL)
                fail_msg("sim/README.md does not name the key %s", inner);
            text_free(&code);
            text_free(&quoted);
            count++;
        }
    }
    size_t index;
    json_array_foreach(node, index, value) count += check_keys(document, value);
    return count;
}

static void test_every_key_is_named(void **state)
{
    (void)state;
    char *document = read_document("sim/README.md");
    json_t *schema = json_load_file("scenarios/scenario.schema.json", 0, NULL);
    assert_non_null(schema);
    assert_true(check_keys(document, schema) > 300);
    json_decref(schema);
    mem_free(document);
}

static bool has_description(const json_t *definitions, const json_t *node)
{
    for (int depth = 0; depth < 5; depth++) {
        const char *reference = json_string_value(json_object_get(node, "$ref"));
        if (json_object_get(node, "description") != NULL || json_is_boolean(node))
            return true;
        if (reference == NULL)
            return false;
        node = json_object_get(definitions, reference + strlen("#/definitions/"));
    }
    return false;
}

/* Editors show a key's description: every key of a patch, which is every key there is, has one. */
static void test_every_key_is_described(void **state)
{
    (void)state;
    json_t *schema = json_load_file("scenarios/scenario.schema.json", 0, NULL);
    assert_non_null(schema);
    json_t *definitions = json_object_get(schema, "definitions"), *definition, *property;
    const char *name, *key;
    int count = 0;
    json_object_foreach(definitions, name, definition)
    {
        if (strlen(name) < 5 || strcmp(name + strlen(name) - 5, "Patch") != 0)
            continue;
        json_object_foreach(json_object_get(definition, "properties"), key, property)
        {
            if (!has_description(definitions, property))
                fail_msg("scenario.schema.json: no description of %s in %s", key, name);
            count++;
        }
    }
    assert_true(count > 100);
    json_decref(schema);
}

static enum metric find_metric(const char *name, size_t length)
{
    char copy[100];
    assert_true(length < sizeof copy);
    memcpy(copy, name, length);
    copy[length] = '\0';
    return metric_find(copy);
}

/* `Max` after `placementWaitMean` is placementWaitMax: the last word of the first is replaced. */
static enum metric find_short_metric(const char *first, size_t first_length, const char *last,
                                     size_t last_length)
{
    char whole[100];
    while (first_length > 0 && !isupper((unsigned char)first[first_length - 1]))
        first_length--;
    if (first_length == 0)
        return METRIC_COUNT;
    (void)snprintf(whole, sizeof whole, "%.*s%.*s", (int)first_length - 1, first, (int)last_length,
                   last);
    return metric_find(whole);
}

/* The names in the first cell of a row of the table of metrics, counted in `rows`. */
static void read_metric_row(const char *row, int *rows)
{
    const char *end = strchr(row + 2, '|'), *first = strchr(row, '`') + 1;
    size_t first_length = strcspn(first, "`");
    for (const char *at = first; at != NULL && at < end;) {
        size_t length = strcspn(at, "`");
        enum metric metric = isupper((unsigned char)*at)
                                 ? find_short_metric(first, first_length, at, length)
                                 : find_metric(at, length);
        if (metric == METRIC_COUNT)
            fail_msg("sim/README.md: there is no metric %.*s", (int)length, at);
        rows[metric]++;
        at = strchr(at + length + 1, '`');
        at = at == NULL ? NULL : at + 1;
    }
}

static void test_every_metric_has_its_formula(void **state)
{
    (void)state;
    char *section = read_section("sim/README.md", "## Metrics");
    int rows[METRIC_COUNT] = {0};
    for (const char *at = section; (at = strstr(at, "\n| `")) != NULL; at++)
        read_metric_row(at + 1, rows);
    for (int i = 0; i < METRIC_COUNT; i++)
        if (rows[i] != 1)
            fail_msg("sim/README.md: %d rows for the metric %s", rows[i], metric_infos[i].name);
    mem_free(section);
}

static void test_every_invariant_is_listed(void **state)
{
    (void)state;
    char *section = read_section("sim/README.md", "## Invariants");
    size_t count = 0;
    for (int i = 0; i < INVARIANT_COUNT; i++) {
        struct text row = TEXT_INIT;
        text_addf(&row, "\n| `%s` | %s |", invariant_infos[i].name, invariant_infos[i].what);
        if (strstr(section, row.bytes) == NULL)
            fail_msg("sim/README.md: the row of an invariant is not:%s", row.bytes);
        text_free(&row);
    }
    for (const char *at = section; (at = strstr(at, "\n| `")) != NULL; at++)
        count++;
    assert_int_equal(count, INVARIANT_COUNT);
    mem_free(section);
}

static void test_every_line_of_the_bench_is_told(void **state)
{
    (void)state;
    char *section = read_section("sim/README.md", "## The bench");
    for (const struct bench_line *line = bench_lines; line->id != NULL; line++) {
        struct text word = TEXT_INIT;
        text_addf(&word, "`%s`", line->id);
        if (strstr(section, word.bytes) == NULL)
            fail_msg("sim/README.md: no row for the line %s", line->id);
        text_free(&word);
    }
    mem_free(section);
}

/* Names of the commands, from the table of `berth help`; each is told by README.md and its own
 * page. */
static void test_every_command_is_told(void **state)
{
    (void)state;
    char *readme = read_document("README.md");
    struct berth_answer help = berth_run(NULL, "help");
    assert_int_equal(help.status, 0);
    int count = 0;
    for (const char *at = help.out; (at = strstr(at, "\n  ")) != NULL; at++) {
        char name[32] = "";
        if (sscanf(at, "\n  %31[a-z]", name) != 1 || strcmp(name, "help") == 0 ||
            strcmp(name, "version") == 0)
            continue;
        struct text word = TEXT_INIT, usage = TEXT_INIT;
        text_addf(&word, "berth %s", name);
        text_addf(&usage, "Usage: berth %s ", name);
        struct berth_answer page = berth_run(NULL, "%s --help", name);
        assert_int_equal(page.status, 0);
        if (strstr(readme, word.bytes) == NULL)
            fail_msg("README.md does not name berth %s", name);
        if (strncmp(page.out, usage.bytes, usage.length) != 0 ||
            strstr(page.out, "\nExit status: 0 ") == NULL || strstr(page.out, "\n  berth ") == NULL)
            fail_msg("berth %s --help: not all of usage, exit status and example", name);
        text_free(&word);
        text_free(&usage);
        berth_answer_free(&page);
        count++;
    }
    assert_true(count >= 7);
    berth_answer_free(&help);
    mem_free(readme);
}

static bool is_made_by_a_run(const char *path)
{
    for (size_t i = 0; i < sizeof made_by_a_run / sizeof made_by_a_run[0]; i++)
        if (strncmp(path, made_by_a_run[i], strlen(made_by_a_run[i])) == 0)
            return true;
    return false;
}

/* Relative to the README's folder, or to the repository's. */
static void check_path(const char *readme, const char *path, size_t length)
{
    struct text beside = TEXT_INIT, whole = TEXT_INIT;
    const char *slash = strrchr(readme, '/');
    text_add_n(&whole, path, length);
    text_addf(&beside, "%.*s%s", slash == NULL ? 0 : (int)(slash + 1 - readme), readme,
              whole.bytes);
    if (!is_made_by_a_run(whole.bytes) && access(whole.bytes, F_OK) != 0 &&
        access(beside.bytes, F_OK) != 0)
        fail_msg("%s names %s, and there is no such file", readme, whole.bytes);
    text_free(&beside);
    text_free(&whole);
}

/* Letters, digits and "._/-", with a slash: "core/rule.h", "scenarios/"; no option, no placeholder.
 */
static bool is_path(const char *word, size_t length)
{
    const char *slash = memchr(word, '/', length);
    bool has_lower = false;
    for (size_t i = 0; i < length; i++) {
        if (length - i >= 4 && memcmp(word + i, "NAME", 4) == 0)
            return false;
        has_lower = has_lower || islower((unsigned char)word[i]);
        if (!isalnum((unsigned char)word[i]) && strchr("._/-", word[i]) == NULL)
            return false;
    }
    if (slash == NULL || slash == word || !has_lower || strncmp(word, "..", 2) == 0)
        return false;
    const char *last = word + length - 1;
    while (last > word && *last != '/' && *last != '.')
        last--;
    return islower((unsigned char)*word) && (*last == '.' || word[length - 1] == '/');
}

/* Paths in `code` and the targets of [links](path#heading). */
static int check_paths(const char *readme, const char *text)
{
    int count = 0;
    for (const char *at = text; (at = strchr(at, '`')) != NULL;) {
        const char *end = strchr(++at, '`');
        if (end == NULL)
            break;
        while (at < end) {
            size_t length = strcspn(at, " `");
            if (is_path(at, length)) {
                check_path(readme, at, length);
                count++;
            }
            at += length < (size_t)(end - at) ? length + 1 : length;
        }
        at = end + 1;
    }
    for (const char *at = text; (at = strstr(at, "](")) != NULL; count++) {
        size_t length = strcspn(at + 2, "#)");
        if (length > 0 && strncmp(at + 2, "http", 4) != 0)
            check_path(readme, at + 2, length);
        at += 2 + length;
    }
    return count;
}

static void test_every_file_that_is_named_exists(void **state)
{
    (void)state;
    int count = 0;
    for (size_t i = 0; i < README_COUNT; i++) {
        char *text = read_document(readmes[i]);
        count += check_paths(readmes[i], text);
        mem_free(text);
    }
    assert_true(count > 30);
}

/* The map at the top of controller_internal.h has every file of the controller. */
static void test_the_map_of_the_core(void **state)
{
    (void)state;
    char *map = read_document("scheduler/core/controller_internal.h");
    *strstr(map, "#ifndef") = '\0';
    DIR *folder = opendir("scheduler/core");
    assert_non_null(folder);
    for (struct dirent *file; (file = readdir(folder)) != NULL;) {
        size_t length = strlen(file->d_name);
        struct text word = TEXT_INIT;
        text_addf(&word, " %s", file->d_name);
        if (length > 2 && strcmp(file->d_name + length - 2, ".c") == 0 &&
            strstr(map, word.bytes) == NULL)
            fail_msg("controller_internal.h: the map does not name %s", file->d_name);
        text_free(&word);
    }
    (void)closedir(folder);
    mem_free(map);
}

/* The table of layers in scheduler/README.md is that of the lint. */
static void test_the_layers(void **state)
{
    (void)state;
    char *readme = read_section("scheduler/README.md", "## Layers");
    char *layers = read_document("tests/lint/layers.txt");
    int count = 0;
    for (char *line = layers, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        int layer = 0;
        char folder[64];
        if (sscanf(line, "%d scheduler/%63[a-z]", &layer, folder) != 2 ||
            strstr(line, "/strategies") != NULL || strcmp(folder, "cli") == 0)
            continue;
        struct text row = TEXT_INIT;
        text_addf(&row, "| %d | `%s/` |", layer, folder);
        if (strstr(readme, row.bytes) == NULL)
            fail_msg("scheduler/README.md: no row %s", row.bytes);
        text_free(&row);
        count++;
    }
    assert_int_equal(count, 10);
    mem_free(layers);
    mem_free(readme);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_top_level_key_is_in_the_table),
        cmocka_unit_test(test_every_key_is_named),
        cmocka_unit_test(test_every_key_is_described),
        cmocka_unit_test(test_every_metric_has_its_formula),
        cmocka_unit_test(test_every_invariant_is_listed),
        cmocka_unit_test(test_every_line_of_the_bench_is_told),
        cmocka_unit_test(test_every_command_is_told),
        cmocka_unit_test(test_every_file_that_is_named_exists),
        cmocka_unit_test(test_the_map_of_the_core),
        cmocka_unit_test(test_the_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
