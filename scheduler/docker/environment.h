/*
 * environment.h -- a container's environment, with what stands in files on berth's own machine:
 * environmentFiles, secrets, and the secret options of its log driver.
 *
 * Where ECS names a place in AWS, berth has a folder. Of secrets: "arn:aws:secretsmanager:...:
 * secret:NAME:KEY::" is the member KEY of the JSON in SECRETS/NAME (without KEY the whole file),
 * "arn:aws:ssm:...:parameter/NAME" and a bare NAME are SECRETS/NAME. Of environment files:
 * "arn:aws:s3:::BUCKET/KEY" is FILES/BUCKET/KEY. "file:/ABSOLUTE" is that file, in both.
 *
 * As ECS has it: `environment` wins over files, an earlier file over a later one, a secret over
 * all. Files are small, local and read at once; anything but a regular file is refused. No message
 * ever shows what a file holds.
 */
#ifndef BERTH_SCHEDULER_DOCKER_ENVIRONMENT_H
#define BERTH_SCHEDULER_DOCKER_ENVIRONMENT_H

#include <jansson.h>

#include "scheduler/base/error.h"
#include "scheduler/base/mem.h"

struct environment_entry {
    char *name, *value; /* owned; the value may be a secret */
};

struct container_environment {
    VEC(struct environment_entry) variables;
    VEC(struct environment_entry) log_options; /* logConfiguration's secretOptions */
};

struct environment_folders {
    const char *secrets, *files; /* NULL: there is none, and what needs it fails */
};

/* `container` is its definition, at `place` for messages. On failure *out is empty. */
enum berth_err container_environment_read(const json_t *container, const char *place,
                                          const struct environment_folders *folders,
                                          struct container_environment *out,
                                          struct berth_error *err) BERTH_MUST_CHECK;
void container_environment_free(struct container_environment *environment); /* wiped */

/*
 * The text that `value_from` names ("secrets" or repositoryCredentials' credentialsParameter),
 * without the newline at its end. *out is owned; wipe it with secret_free.
 */
enum berth_err secret_read(const char *value_from, const char *place,
                           const struct environment_folders *folders, char **out,
                           struct berth_error *err) BERTH_MUST_CHECK;
void secret_free(char *secret);

#endif
