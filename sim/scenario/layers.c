#include "sim/scenario/reader.h"

#include <stdlib.h>
#include <string.h>

void layers_push(struct layers *layers, const char *path, const char *mount, const char *target,
                 const json_t *json)
{
    *vec_push(&layers->list) =
        (struct layer){path, mem_copy_text(mount), mem_copy_text(target), json};
}

void layers_cut(struct layers *layers, size_t count)
{
    while (layers->list.count > count) {
        struct layer *last = &layers->list.items[--layers->list.count];
        mem_free(last->mount);
        mem_free(last->target);
    }
    if (count == 0)
        vec_free(&layers->list);
}

/* The value of the next token of `*pointer` within `json`, or NULL; moves behind the token. */
static const json_t *next_value(const json_t *json, const char **pointer)
{
    const char *start = *pointer + 1;
    size_t length = strcspn(start, "/");
    *pointer = start + length;
    char *token = mem_copy_text_n(start, length);
    char *out = token;
    for (const char *in = token; *in != '\0'; in++) {
        *out = *in;
        if (*in == '~' && (in[1] == '0' || in[1] == '1'))
            *out = *++in == '0' ? '~' : '/';
        out++;
    }
    *out = '\0';
    const json_t *value = json_is_array(json) ? json_array_get(json, strtoul(token, NULL, 10))
                                              : json_object_get(json, token);
    mem_free(token);
    return value;
}

/* How many bytes of `pointer` lead to something within `json`. */
static size_t depth_of(const json_t *json, const char *pointer)
{
    const char *at = pointer;
    while (*at == '/') {
        const char *behind = at;
        json = next_value(json, &behind);
        if (json == NULL)
            break;
        at = behind;
    }
    return (size_t)(at - pointer);
}

void layers_locate(const struct layers *layers, const char *pointer, struct text *out)
{
    const struct layer *blamed = NULL;
    size_t deepest = 0;
    for (size_t i = 0; i < layers->list.count; i++) {
        const struct layer *layer = &layers->list.items[i];
        size_t skip = strlen(layer->target);
        if (strncmp(pointer, layer->target, skip) != 0 ||
            (pointer[skip] != '\0' && pointer[skip] != '/'))
            continue;
        size_t depth = skip + depth_of(layer->json, pointer + skip);
        if (blamed == NULL || depth >= deepest) {
            blamed = layer;
            deepest = depth;
        }
    }
    text_add(out, blamed == NULL ? "scenario" : blamed->path);
    const char *mount = blamed == NULL ? "" : blamed->mount;
    const char *rest = blamed == NULL ? pointer : pointer + strlen(blamed->target);
    if (*mount != '\0' || *rest != '\0')
        text_addf(out, ":%s%s", mount, rest);
}
