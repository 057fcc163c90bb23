#include "sim/scenario/patch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where in a scenario file a member stands, as far as its nulls are concerned. */
enum place { PLACE_FILE, PLACE_COMPARE, PLACE_VARIANTS, PLACE_VARIANT, PLACE_ELSEWHERE };

static enum place place_within(enum place place, const char *key)
{
    switch (place) {
    case PLACE_FILE:
        return strcmp(key, "compare") == 0 ? PLACE_COMPARE : PLACE_ELSEWHERE;
    case PLACE_COMPARE:
        return strcmp(key, "variants") == 0 ? PLACE_VARIANTS : PLACE_ELSEWHERE;
    case PLACE_VARIANTS:
    case PLACE_VARIANT:
        return PLACE_VARIANT;
    case PLACE_ELSEWHERE:
        break;
    }
    return PLACE_ELSEWHERE;
}

static json_t *merge(json_t *target, const json_t *patch, enum place place)
{
    if (!json_is_object(patch)) {
        json_decref(target);
        return json_deep_copy(patch);
    }
    if (!json_is_object(target)) {
        json_decref(target);
        target = json_object();
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)patch, key, value)
    {
        if (json_is_null(value) && place != PLACE_VARIANT) {
            (void)json_object_del(target, key);
            continue;
        }
        json_t *old = json_incref(json_object_get(target, key));
        (void)json_object_set_new(target, key, merge(old, value, place_within(place, key)));
    }
    return target;
}

json_t *patch_merge(json_t *target, const json_t *patch)
{
    return merge(target, patch, PLACE_ELSEWHERE);
}

json_t *patch_merge_file(json_t *target, const json_t *file)
{
    return merge(target, file, PLACE_FILE);
}

static bool unescape(char *token)
{
    char *out = token;
    for (const char *in = token; *in != '\0'; in++) {
        if (*in == '~' && in[1] != '0' && in[1] != '1')
            return false;
        *out++ = *in != '~' ? *in : *++in == '0' ? '~' : '/';
    }
    *out = '\0';
    return true;
}

bool pointer_parse(const char *text, struct pointer_tokens *out)
{
    *out = (struct pointer_tokens){VEC_INIT};
    while (*text == '/') {
        size_t length = strcspn(++text, "/");
        char *token = mem_copy_text_n(text, length);
        *vec_push(&out->list) = token;
        text += length;
        if (!unescape(token)) {
            pointer_free(out);
            return false;
        }
    }
    if (*text == '\0')
        return true;
    pointer_free(out);
    return false;
}

void pointer_free(struct pointer_tokens *tokens)
{
    for (size_t i = 0; i < tokens->list.count; i++)
        mem_free(tokens->list.items[i]);
    vec_free(&tokens->list);
}

/* An index as RFC 6901 writes it: digits without leading zeros, within the list. */
static bool list_index(const json_t *list, const char *token, size_t *index)
{
    size_t length = strlen(token);
    if (length == 0 || length > 9 || strspn(token, "0123456789") != length ||
        (token[0] == '0' && length > 1))
        return false;
    *index = strtoul(token, NULL, 10);
    return *index < json_array_size(list);
}

static json_t *descend(json_t *json, const char *token)
{
    size_t index;
    if (json_is_array(json))
        return list_index(json, token, &index) ? json_array_get(json, index) : NULL;
    return json_object_get(json, token);
}

bool pointer_set(json_t *document, const struct pointer_tokens *pointer, const json_t *value,
                 size_t *missing)
{
    size_t last = pointer->list.count - 1, index;
    json_t *parent = document;
    *missing = 0;
    if (pointer->list.count == 0)
        return false;
    for (; *missing < last; ++*missing) {
        parent = descend(parent, pointer->list.items[*missing]);
        if (parent == NULL)
            return false;
    }
    const char *token = pointer->list.items[last];
    if (json_is_object(parent)) {
        if (json_is_null(value))
            (void)json_object_del(parent, token);
        else
            (void)json_object_set_new(parent, token, json_deep_copy(value));
        return true;
    }
    if (!json_is_array(parent) || !list_index(parent, token, &index))
        return false;
    if (json_is_null(value))
        (void)json_array_remove(parent, index);
    else
        (void)json_array_set_new(parent, index, json_deep_copy(value));
    return true;
}
