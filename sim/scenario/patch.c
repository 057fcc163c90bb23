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

static bool drops_any(const json_t *patch, enum place place)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)patch, key, value)
    {
        if (json_is_null(value) && place != PLACE_VARIANT)
            return true;
        if (json_is_object(value) && drops_any(value, place_within(place, key)))
            return true;
    }
    return false;
}

static json_t *share(const json_t *json)
{
    return json_incref((json_t *)(uintptr_t)json);
}

/* A new reference; what is the same in `target` or `patch` is shared with it. */
static json_t *merge(const json_t *target, const json_t *patch, enum place place)
{
    if (!json_is_object(patch) || (!json_is_object(target) && !drops_any(patch, place)))
        return share(patch);
    json_t *merged =
        json_is_object(target) ? json_copy((json_t *)(uintptr_t)target) : json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)patch, key, value)
    {
        if (json_is_null(value) && place != PLACE_VARIANT)
            (void)json_object_del(merged, key);
        else
            (void)json_object_set_new(
                merged, key, merge(json_object_get(merged, key), value, place_within(place, key)));
    }
    return merged;
}

static json_t *merge_into(json_t *target, const json_t *patch, enum place place)
{
    json_t *merged = merge(target, patch, place);
    json_decref(target);
    if (merged != patch)
        return merged;
    json_t *own = json_copy(merged);
    json_decref(merged);
    return own;
}

json_t *patch_merge(json_t *target, const json_t *patch)
{
    return merge_into(target, patch, PLACE_ELSEWHERE);
}

json_t *patch_merge_file(json_t *target, const json_t *file)
{
    return merge_into(target, file, PLACE_FILE);
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

/* Sets a member or an item that is there, or a new member. */
static bool put(json_t *parent, const char *token, json_t *value)
{
    size_t index;
    if (json_is_object(parent))
        return json_object_set_new(parent, token, value) == 0;
    if (json_is_array(parent) && list_index(parent, token, &index))
        return json_array_set_new(parent, index, value) == 0;
    json_decref(value);
    return false;
}

static bool drop(json_t *parent, const char *token)
{
    size_t index;
    if (json_is_object(parent)) {
        (void)json_object_del(parent, token);
        return true;
    }
    return json_is_array(parent) && list_index(parent, token, &index) &&
           json_array_remove(parent, index) == 0;
}

bool pointer_set(json_t *document, const struct pointer_tokens *pointer, const json_t *value,
                 size_t *missing)
{
    size_t last = pointer->list.count - 1;
    json_t *parent = document;
    *missing = 0;
    if (pointer->list.count == 0)
        return false;
    for (; *missing < last; ++*missing) {
        const char *token = pointer->list.items[*missing];
        json_t *child = descend(parent, token);
        if (child == NULL)
            return false;
        child = json_copy(child);
        (void)put(parent, token, child);
        parent = child;
    }
    const char *token = pointer->list.items[last];
    return json_is_null(value) ? drop(parent, token) : put(parent, token, share(value));
}
