#include "scheduler/docker/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/text.h"
#include "scheduler/ecs/ecs_shapes.h"

#define FILE_BYTES_MAX (1 << 20)

void secret_free(char *secret)
{
    if (secret != NULL)
        memset(secret, 0, strlen(secret));
    mem_free(secret);
}

static void entry_free(struct environment_entry *entry)
{
    mem_free(entry->name);
    secret_free(entry->value);
}

void container_environment_free(struct container_environment *environment)
{
    for (size_t i = 0; i < environment->variables.count; i++)
        entry_free(&environment->variables.items[i]);
    for (size_t i = 0; i < environment->log_options.count; i++)
        entry_free(&environment->log_options.items[i]);
    vec_free(&environment->variables);
    vec_free(&environment->log_options);
}

/* Takes `value`. */
static void set_variable(struct container_environment *out, const char *name, size_t length,
                         char *value, bool overrides)
{
    for (size_t i = 0; i < out->variables.count; i++) {
        struct environment_entry *entry = &out->variables.items[i];
        if (strlen(entry->name) != length || memcmp(entry->name, name, length) != 0)
            continue;
        if (overrides) {
            char *old = entry->value;
            entry->value = value;
            value = old;
        }
        secret_free(value);
        return;
    }
    *vec_push(&out->variables) = (struct environment_entry){mem_copy_text_n(name, length), value};
}

/* Whole, NUL-terminated; a device or a pipe, which might never end, is refused unread. */
static enum berth_err read_all(const char *path, const char *place, char **out,
                               struct berth_error *err)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s: %s", place, path, strerror(errno));
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_BYTES_MAX) {
        (void)close(file);
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s: is not a file of at most 1 MiB",
                          place, path);
    }
    size_t size = (size_t)status.st_size, length = 0;
    char *text = mem_alloc(size + 1);
    for (ssize_t got; length < size && (got = read(file, text + length, size - length)) > 0;)
        length += (size_t)got;
    (void)close(file);
    text[length] = '\0';
    if (length == size && memchr(text, '\0', length) == NULL) {
        *out = text;
        return BERTH_OK;
    }
    memset(text, 0, length);
    mem_free(text);
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s: %s", place, path,
                      length == size ? "holds a NUL character" : "cannot be read whole");
}

/* "FOLDER/name", where the name stays inside the folder. */
static enum berth_err path_in(const char *folder, const char *name, size_t length,
                              const char *place, const char *what, struct text *out,
                              struct berth_error *err)
{
    char *copy = mem_copy_text_n(name, length);
    bool is_inside = length > 0 && strstr(copy, "..") == NULL;
    if (folder != NULL && is_inside)
        text_addf(out, "%s/%s", folder, copy[0] == '/' ? copy + 1 : copy);
    mem_free(copy);
    if (folder == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: no folder of %s is configured", place, what);
    if (!is_inside)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: does not name one of the %s", place, what);
    return BERTH_OK;
}

static bool cut_prefix(const char *text, const char *prefix, const char **rest)
{
    if (strncmp(text, prefix, strlen(prefix)) != 0)
        return false;
    *rest = text + strlen(prefix);
    return true;
}

/* Where a secret stands, and the member of its JSON (key_length 0: the whole file). */
static enum berth_err secret_path(const char *from, const char *place, const char *folder,
                                  struct text *path, const char **key, size_t *key_length,
                                  struct berth_error *err)
{
    const char *rest = from, *parameter = strstr(from, ":parameter/");
    const char *secret = strstr(from, ":secret:");
    size_t length;
    *key_length = 0;
    if (cut_prefix(from, "file:", &rest)) {
        text_add(path, rest);
        return rest[0] == '/' ? BERTH_OK
                              : berth_fail(err, BERTH_ERR_INPUT,
                                           "%s: write the file's whole path, file:/...", place);
    }
    if (parameter != NULL)
        rest = parameter + strlen(":parameter");
    else if (secret != NULL)
        rest = secret + strlen(":secret:");
    length = strcspn(rest, ":");
    if (secret != NULL && rest[length] == ':') {
        *key = rest + length + 1;
        *key_length = strcspn(*key, ":");
    }
    return path_in(folder, rest, length, place, "secrets", path, err);
}

/* One member of a secret that is JSON. Takes `whole`. */
static enum berth_err pick_member(char *whole, const char *key, size_t key_length,
                                  const char *place, char **out, struct berth_error *err)
{
    char *name = mem_copy_text_n(key, key_length);
    json_t *json = json_loads(whole, 0, NULL);
    const json_t *value = json_object_get(json, name);
    secret_free(whole);
    if (json_is_string(value))
        *out = mem_copy_text(json_string_value(value));
    json_decref(json);
    mem_free(name);
    if (*out == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: the secret is not JSON with a text under that key", place);
    return BERTH_OK;
}

enum berth_err secret_read(const char *value_from, const char *place,
                           const struct environment_folders *folders, char **out,
                           struct berth_error *err)
{
    struct text path = TEXT_INIT;
    const char *key = "";
    size_t key_length = 0;
    char *whole = NULL;
    *out = NULL;
    enum berth_err code =
        secret_path(value_from, place, folders->secrets, &path, &key, &key_length, err);
    if (code == BERTH_OK)
        code = read_all(path.bytes, place, &whole, err);
    text_free(&path);
    if (code != BERTH_OK)
        return code;
    if (key_length > 0)
        return pick_member(whole, key, key_length, place, out, err);
    size_t length = strlen(whole);
    if (length > 0 && whole[length - 1] == '\n')
        whole[length - 1] = '\0';
    *out = whole;
    return BERTH_OK;
}

/* NAME=VALUE a line; empty lines and those that start with # say nothing. */
static enum berth_err add_lines(const char *text, const char *place,
                                struct container_environment *out, struct berth_error *err)
{
    size_t number = 1;
    for (const char *line = text; *line != '\0'; number++) {
        size_t length = strcspn(line, "\n");
        size_t used = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
        const char *equals = memchr(line, '=', used);
        if (used > 0 && line[0] != '#') {
            if (equals == NULL || equals == line)
                return berth_fail(err, BERTH_ERR_INPUT, "%s: line %zu is not NAME=VALUE", place,
                                  number);
            set_variable(out, line, (size_t)(equals - line),
                         mem_copy_text_n(equals + 1, used - (size_t)(equals - line) - 1), false);
        }
        line += line[length] == '\n' ? length + 1 : length;
    }
    return BERTH_OK;
}

static enum berth_err add_file(const json_t *item, const char *place,
                               const struct environment_folders *folders,
                               struct container_environment *out, struct berth_error *err)
{
    static const char bucket[] = ":s3:::";
    const char *value = NULL, *rest = NULL;
    struct text path = TEXT_INIT;
    char *text = NULL;
    enum berth_err code = ecs_get_text(item, place, "value", &value, err);
    if (code == BERTH_OK && value == NULL)
        code = berth_fail(err, BERTH_ERR_INPUT, "%s/value: is missing; name a file", place);
    if (code == BERTH_OK && cut_prefix(value, "file:", &rest))
        text_add(&path, rest);
    else if (code == BERTH_OK && (rest = strstr(value, bucket)) != NULL)
        code = path_in(folders->files, rest + strlen(bucket), strlen(rest + strlen(bucket)), place,
                       "environment files", &path, err);
    else if (code == BERTH_OK)
        code = berth_fail(err, BERTH_ERR_INPUT,
                          "%s/value: write file:/PATH or arn:aws:s3:::BUCKET/KEY", place);
    if (code == BERTH_OK)
        code = read_all(path.bytes, place, &text, err);
    if (code == BERTH_OK)
        code = add_lines(text, place, out, err);
    secret_free(text);
    text_free(&path);
    return code;
}

/* `name` and the secret behind `valueFrom`. *value is owned. */
static enum berth_err read_secret(const json_t *item, const char *place,
                                  const struct environment_folders *folders, const char **name,
                                  char **value, struct berth_error *err)
{
    const char *from = NULL;
    *name = NULL;
    if (ecs_get_text(item, place, "name", name, err) != BERTH_OK ||
        ecs_get_text(item, place, "valueFrom", &from, err) != BERTH_OK)
        return err->code;
    if (*name == NULL || **name == '\0' || from == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: needs \"name\" and \"valueFrom\"", place);
    return secret_read(from, place, folders, value, err);
}

static void add_plain(const json_t *list, struct container_environment *out)
{
    size_t at;
    json_t *item;
    json_array_foreach(list, at, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *value = json_string_value(json_object_get(item, "value"));
        if (name != NULL && *name != '\0')
            set_variable(out, name, strlen(name), mem_copy_text(value == NULL ? "" : value), true);
    }
}

enum berth_err container_environment_read(const json_t *container, const char *place,
                                          const struct environment_folders *folders,
                                          struct container_environment *out,
                                          struct berth_error *err)
{
    const json_t *log = json_object_get(container, "logConfiguration");
    enum berth_err code = BERTH_OK;
    char inner[ECS_PLACE_MAX];
    const char *name;
    char *value;
    size_t at;
    json_t *item;
    *out = (struct container_environment){VEC_INIT, VEC_INIT};
    json_array_foreach(json_object_get(container, "environmentFiles"), at, item)
    {
        ecs_place(inner, "%s/environmentFiles/%zu", place, at);
        if (code == BERTH_OK)
            code = add_file(item, inner, folders, out, err);
    }
    add_plain(json_object_get(container, "environment"), out);
    json_array_foreach(json_object_get(container, "secrets"), at, item)
    {
        ecs_place(inner, "%s/secrets/%zu", place, at);
        if (code == BERTH_OK &&
            (code = read_secret(item, inner, folders, &name, &value, err)) == BERTH_OK)
            set_variable(out, name, strlen(name), value, true);
    }
    json_array_foreach(json_object_get(log, "secretOptions"), at, item)
    {
        ecs_place(inner, "%s/logConfiguration/secretOptions/%zu", place, at);
        if (code == BERTH_OK &&
            (code = read_secret(item, inner, folders, &name, &value, err)) == BERTH_OK)
            *vec_push(&out->log_options) = (struct environment_entry){mem_copy_text(name), value};
    }
    if (code != BERTH_OK)
        container_environment_free(out);
    return code;
}
