/*
 * document.c -- reading, including, merging.
 *
 * Files are merged depth first: what a file includes, in order, then the file itself. A merged
 * document is therefore a fold over a flat list of sources, which is also the list that messages
 * look up to say which file a wrong value came from.
 *
 * A file may be included twice by different ways (two variants of a fleet that share a base), so
 * only a cycle is refused; a count bounds the exponential growth of nested double includes.
 */
#include "sim/scenario/document.h"

#include <string.h>
#include <sys/stat.h>

#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/task_def_json.h"

enum { SOURCES_MAX = 1000, INCLUDE_DEPTH_MAX = 32 };

struct chain { /* the files being included, the innermost first */
    const struct chain *up;
    const char *shown;
    struct stat identity; /* device and number; zero for text in memory */
    size_t depth;
};

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? mem_copy_text(".") : mem_copy_text_n(path, (size_t)(slash - path) + 1);
}

static char *join_path(const char *folder, const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    if (path[0] == '/' || strcmp(folder, ".") == 0 || folder[0] == '\0')
        return mem_copy_text(path);
    struct text joined = TEXT_INIT;
    text_addf(&joined, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", path);
    return joined.bytes;
}

/* Where a scenario names files. "*" is every member. */
static const char *const path_places[][4] = {
    {"taskDefinitions", "*", NULL},
    {"taskDefinitions", "*", "definition", NULL},
    {"arrivals", "*", "csv", NULL},
};
#define PATH_PLACES (sizeof path_places / sizeof path_places[0])

static json_t *resolved(json_t *value, const char *const *place, const char *folder);

static void resolve_member(json_t *object, const char *key, const char *const *place,
                           const char *folder)
{
    json_t *new_value = resolved(json_object_get(object, key), place, folder);
    if (new_value != NULL)
        (void)json_object_set_new(object, key, new_value);
}

/* Resolves within `value`; when it is itself a path, returns what to put in its place. */
static json_t *resolved(json_t *value, const char *const *place, const char *folder)
{
    if (place[0] == NULL) {
        if (!json_is_string(value) || json_string_length(value) == 0)
            return NULL;
        char *joined = join_path(folder, json_string_value(value));
        json_t *path = json_string(joined);
        mem_free(joined);
        return path;
    }
    if (!json_is_object(value))
        return NULL;
    if (strcmp(place[0], "*") != 0) {
        if (json_object_get(value, place[0]) != NULL)
            resolve_member(value, place[0], place + 1, folder);
        return NULL;
    }
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        if (!is_ignored_key(key))
            resolve_member(value, key, place + 1, folder);
    }
    return NULL;
}

static void resolve_scenario(json_t *json, const char *folder)
{
    for (size_t i = 0; i < PATH_PLACES; i++)
        (void)resolved(json, path_places[i], folder);
}

/* The values of an axis stand where its pointer says, which may be at, above or below a path. */
static void resolve_axis(json_t *axis, const char *folder)
{
    const char *pointer = json_string_value(json_object_get(axis, "pointer"));
    json_t *values = json_object_get(axis, "values");
    struct pointer_tokens tokens;
    if (pointer == NULL || !pointer_parse(pointer, &tokens))
        return;
    for (size_t i = 0; i < PATH_PLACES; i++) {
        const char *const *place = path_places[i];
        size_t depth = 0;
        while (
            depth < tokens.list.count && place[depth] != NULL &&
            (strcmp(place[depth], "*") == 0 || strcmp(place[depth], tokens.list.items[depth]) == 0))
            depth++;
        if (depth < tokens.list.count)
            continue;
        for (size_t j = 0; j < json_array_size(values); j++) {
            json_t *new_value = resolved(json_array_get(values, j), place + depth, folder);
            if (new_value != NULL)
                (void)json_array_set_new(values, j, new_value);
        }
    }
    pointer_free(&tokens);
}

static void resolve_paths(json_t *json, const char *folder)
{
    json_t *compare = json_object_get(json, "compare");
    const char *key;
    json_t *member;
    resolve_scenario(json, folder);
    json_object_foreach(json_object_get(compare, "variants"), key, member)
        resolve_scenario(member, folder);
    json_object_foreach(json_object_get(compare, "axes"), key, member) resolve_axis(member, folder);
}

/* The definition of a file: wrapped as describe-task-definition prints it, or bare. */
static json_t *unwrapped(json_t *json)
{
    json_t *inner = json_object_get(json, "taskDefinition");
    return json_is_object(inner) && json_object_get(json, "containerDefinitions") == NULL ? inner
                                                                                          : json;
}

json_t *document_definition(json_t *json, const char *family)
{
    json_t *copy = json_copy(unwrapped(json));
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(copy, next, key, value)
    {
        if (is_ignored_key(key))
            (void)json_object_del(copy, key);
    }
    if (json_object_get(copy, "family") == NULL)
        (void)json_object_set_new(copy, "family", json_string(family));
    return copy;
}

/* Checked on its own, so that messages name the file and not where it was put. */
static enum berth_err check_definition(json_t *json, const char *path, struct berth_error *err)
{
    struct task_def *def = NULL;
    if (!json_is_object(json))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: not a task definition; it must hold one JSON object", path);
    json_t *copy = document_definition(json, "task");
    struct text place = TEXT_INIT;
    text_addf(&place, "%s:", path);
    enum berth_err code = task_def_from_json(copy, place.bytes, &def, err);
    text_free(&place);
    json_decref(copy);
    if (def != NULL)
        task_def_destroy(def);
    return code;
}

static enum berth_err read_definition(struct document *document, const char *path, json_t **out,
                                      struct berth_error *err)
{
    for (size_t i = 0; i < document->definitions.count; i++) {
        if (strcmp(document->definitions.items[i].path, path) == 0) {
            *out = json_incref(document->definitions.items[i].json);
            return BERTH_OK;
        }
    }
    json_t *json = NULL;
    enum berth_err code = json_read_file(path, &json, err);
    if (code == BERTH_OK)
        code = check_definition(json, path, err);
    if (code != BERTH_OK) {
        json_decref(json);
        return code;
    }
    *vec_push(&document->definitions) =
        (struct document_file){mem_copy_text(path), json_incref(unwrapped(json))};
    *out = json_incref(unwrapped(json));
    json_decref(json);
    return BERTH_OK;
}

/* The member with what its file holds in place of the path, in *out; NULL when it has no path. */
static enum berth_err inline_one(struct document *document, const char *name, json_t *member,
                                 json_t **out, struct berth_error *err)
{
    bool is_short = json_is_string(member);
    json_t *path = is_short ? member : json_object_get(member, "definition");
    json_t *content = NULL;
    *out = NULL;
    if (!json_is_string(path) || is_ignored_key(name))
        return BERTH_OK;
    enum berth_err code = read_definition(document, json_string_value(path), &content, err);
    if (code != BERTH_OK) {
        struct text place = TEXT_INIT, pointer = TEXT_INIT;
        text_add(&pointer, "/taskDefinitions");
        pointer_add(&pointer, name);
        layers_locate(&document->layers, pointer.bytes, &place);
        (void)berth_fail_in(err, "%.300s: ", place.bytes);
        text_free(&place);
        text_free(&pointer);
        return code;
    }
    *out = is_short ? json_object() : json_copy(member);
    (void)json_object_set_new(*out, "definition", content);
    return BERTH_OK;
}

enum berth_err document_inline(struct document *document, json_t *json, struct berth_error *err)
{
    json_t *all = json_object_get(json, "taskDefinitions"), *member, *inlined, *own = NULL;
    enum berth_err code = BERTH_OK;
    const char *name;
    json_object_foreach(all, name, member)
    {
        code = inline_one(document, name, member, &inlined, err);
        if (code != BERTH_OK)
            break;
        if (inlined == NULL)
            continue;
        if (own == NULL)
            own = json_copy(all);
        (void)json_object_set_new(own, name, inlined);
    }
    if (own != NULL)
        (void)json_object_set_new(json, "taskDefinitions", own);
    return code;
}

static enum berth_err include_file(struct document *document, const char *path,
                                   const struct chain *up, struct berth_error *err);

static enum berth_err include_all(struct document *document, const json_t *list, const char *folder,
                                  const struct chain *chain, struct berth_error *err)
{
    if (list == NULL || json_is_null(list))
        return BERTH_OK;
    if (!json_is_array(list))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s:/include: not a list; write [\"file.json\", ...]", chain->shown);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL || name[0] == '\0')
            return berth_fail(err, BERTH_ERR_INPUT, "%s:/include/%zu: not a path; write a text",
                              chain->shown, i);
        char *path = join_path(folder, name);
        enum berth_err code = include_file(document, path, chain, err);
        mem_free(path);
        if (code != BERTH_OK)
            return code;
    }
    return BERTH_OK;
}

/* Takes `json`. */
static enum berth_err merge_source(struct document *document, json_t *json, const char *folder,
                                   const struct chain *chain, struct berth_error *err)
{
    if (!json_is_object(json)) {
        json_decref(json);
        return berth_fail(err, BERTH_ERR_INPUT, "%s: not a scenario; it must hold one JSON object",
                          chain->shown);
    }
    if (document->sources.count + chain->depth >= SOURCES_MAX) {
        json_decref(json);
        return berth_fail(err, BERTH_ERR_INPUT, "%s: more than %d files are included; include less",
                          chain->shown, SOURCES_MAX);
    }
    enum berth_err code =
        include_all(document, json_object_get(json, "include"), folder, chain, err);
    if (code != BERTH_OK) {
        json_decref(json);
        return code;
    }
    (void)json_object_del(json, "include");
    resolve_paths(json, folder);
    struct document_file *source = vec_push(&document->sources);
    *source = (struct document_file){mem_copy_text(chain->shown), json};
    layers_push(&document->layers, source->path, "", "", json);
    document->merged = patch_merge_file(document->merged, json);
    return document_inline(document, document->merged, err);
}

/* By device and number, so that links and "a/../b" do not hide a cycle. */
static bool is_same_file(const struct chain *a, const struct chain *b)
{
    return a->identity.st_ino != 0 && a->identity.st_ino == b->identity.st_ino &&
           a->identity.st_dev == b->identity.st_dev;
}

static enum berth_err fail_cycle(const struct chain *chain, struct berth_error *err)
{
    struct text text = TEXT_INIT;
    text_add(&text, chain->shown);
    /* Told from the innermost outwards, which is the order in which the chain is at hand. */
    for (const struct chain *link = chain->up; link != NULL; link = link->up) {
        text_addf(&text, ", which is included by %s", link->shown);
        if (is_same_file(link, chain))
            break;
    }
    (void)berth_fail(err, BERTH_ERR_INPUT,
                     "%s:/include: a cycle: %.700s; remove one of these includes", chain->up->shown,
                     text.bytes);
    text_free(&text);
    return err->code;
}

static enum berth_err include_file(struct document *document, const char *path,
                                   const struct chain *up, struct berth_error *err)
{
    json_t *json = NULL;
    struct chain chain = {.up = up, .shown = path, .depth = up == NULL ? 0 : up->depth + 1};
    enum berth_err code = json_read_file(path, &json, err);
    if (code != BERTH_OK)
        return up == NULL ? code : berth_fail_in(err, "%.300s:/include: ", up->shown);
    (void)stat(path, &chain.identity);
    for (const struct chain *link = up; link != NULL && code == BERTH_OK; link = link->up)
        if (is_same_file(link, &chain))
            code = fail_cycle(&chain, err);
    if (code == BERTH_OK && chain.depth > INCLUDE_DEPTH_MAX)
        code = berth_fail(err, BERTH_ERR_INPUT, "%s:/include: nested deeper than %d; include less",
                          up->shown, INCLUDE_DEPTH_MAX);
    if (code == BERTH_OK) {
        char *folder = folder_of(path);
        code = merge_source(document, json_incref(json), folder, &chain, err);
        mem_free(folder);
    }
    json_decref(json);
    return code;
}

enum berth_err document_load(const char *path, struct document *out, struct berth_error *err)
{
    *out = (struct document)DOCUMENT_INIT;
    enum berth_err code = include_file(out, path, NULL, err);
    if (code != BERTH_OK)
        document_free(out);
    return code;
}

enum berth_err document_load_text(const char *text, size_t length, const char *folder,
                                  struct document *out, struct berth_error *err)
{
    json_t *json = NULL;
    struct chain chain = {.shown = "scenario"};
    *out = (struct document)DOCUMENT_INIT;
    enum berth_err code = json_read_text(text, length, chain.shown, &json, err);
    if (code == BERTH_OK)
        code = merge_source(out, json, folder, &chain, err);
    if (code != BERTH_OK)
        document_free(out);
    return code;
}

static void free_files(struct document_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mem_free(files[i].path);
        json_decref(files[i].json);
    }
}

void document_free(struct document *document)
{
    layers_cut(&document->layers, 0);
    free_files(document->sources.items, document->sources.count);
    free_files(document->definitions.items, document->definitions.count);
    vec_free(&document->sources);
    vec_free(&document->definitions);
    json_decref(document->merged);
    document->merged = NULL;
}
