#include "scheduler/docker/image_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

struct image_reference image_reference_read(const char *image)
{
    const char *digest = strchr(image, '@');
    size_t length = digest == NULL ? strlen(image) : (size_t)(digest - image);
    const char *slash = image; /* a colon before the last slash is a registry's port */
    for (size_t i = 0; i < length; i++)
        if (image[i] == '/')
            slash = image + i;
    const char *colon = memchr(slash, ':', length - (size_t)(slash - image));
    size_t repository = colon == NULL ? length : (size_t)(colon - image);
    const char *tag = colon == NULL ? "latest" : colon + 1;
    size_t tag_length = colon == NULL ? strlen(tag) : length - repository - 1;
    if (digest != NULL) {
        tag = digest + 1;
        tag_length = strlen(tag);
    }
    return (struct image_reference){mem_copy_text_n(image, repository),
                                    mem_copy_text_n(tag, tag_length)};
}

void image_reference_free(struct image_reference *reference)
{
    mem_free(reference->repository);
    mem_free(reference->tag);
    *reference = (struct image_reference){NULL, NULL};
}

/* The first part names a registry when it could not be a user of Docker's own. */
char *image_registry(const char *image)
{
    const char *slash = strchr(image, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - image);
    bool is_host = memchr(image, '.', length) != NULL || memchr(image, ':', length) != NULL ||
                   (length == strlen("localhost") && strncmp(image, "localhost", length) == 0);
    return is_host ? mem_copy_text_n(image, length) : mem_copy_text("docker.io");
}

void text_add_base64url(struct text *out, const void *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = bytes;
    for (size_t i = 0; i < length; i += 3) {
        size_t rest = length - i;
        uint32_t word = (uint32_t)in[i] << 16 | (rest > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                        (rest > 2 ? in[i + 2] : 0);
        char four[4] = {digits[word >> 18 & 63], digits[word >> 12 & 63],
                        rest > 1 ? digits[word >> 6 & 63] : '=',
                        rest > 2 ? digits[word & 63] : '='};
        text_add_n(out, four, sizeof four);
    }
}

enum berth_err registry_auth_from_secret(const char *secret, const char *image, const char *place,
                                         char **out, struct berth_error *err)
{
    json_t *json = json_loads(secret, 0, NULL);
    bool has_password = json_is_string(json_object_get(json, "username")) &&
                        json_is_string(json_object_get(json, "password"));
    bool has_token = json_is_string(json_object_get(json, "identitytoken"));
    *out = NULL;
    if (!has_password && !has_token) {
        json_decref(json);
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: is no registry's credentials; write {\"username\": ..., "
                          "\"password\": ...}",
                          place);
    }
    char *registry = image_registry(image);
    (void)json_object_set_new(json, "serveraddress", json_string(registry));
    char *text = json_dumps(json, JSON_COMPACT);
    struct text header = TEXT_INIT;
    text_add_base64url(&header, text, strlen(text));
    memset(text, 0, strlen(text));
    free(text);
    mem_free(registry);
    json_decref(json);
    *out = header.bytes;
    return BERTH_OK;
}
