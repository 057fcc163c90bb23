/*
 * image_json.h -- an image's reference taken apart, and a registry's credentials as Docker's
 * header.
 */
#ifndef BERTH_SCHEDULER_DOCKER_IMAGE_JSON_H
#define BERTH_SCHEDULER_DOCKER_IMAGE_JSON_H

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

/*
 * "host:5000/team/web:7" is host:5000/team/web and "7"; "web@sha256:0a.." is web and "sha256:0a..";
 * without a tag it is "latest", as without one an engine would pull every tag there is.
 */
struct image_reference {
    char *repository; /* owned */
    char *tag;        /* owned; a tag or a digest */
};

struct image_reference image_reference_read(const char *image);
void image_reference_free(struct image_reference *reference);

/* The registry's host: "host:5000", or "docker.io" when the image names none; owned. */
char *image_registry(const char *image);

/*
 * The value of X-Registry-Auth from a secret's text, which is what ECS's repositoryCredentials
 * name:
 * {"username": "...", "password": "..."} (or {"identitytoken": "..."}). `place` names the secret in
 * messages, which never show any of it. *out is owned, and a secret.
 */
enum berth_err registry_auth_from_secret(const char *secret, const char *image, const char *place,
                                         char **out, struct berth_error *err) BERTH_MUST_CHECK;

/* base64 with - and _, padded; appended to `out`. */
void text_add_base64url(struct text *out, const void *bytes, size_t length);

#endif
