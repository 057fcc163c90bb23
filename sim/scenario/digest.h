/* digest.h -- the identity of a scenario: SHA-256 over all that it says, wherever it is written. */
#ifndef BERTH_SIM_SCENARIO_DIGEST_H
#define BERTH_SIM_SCENARIO_DIGEST_H

#include <jansson.h>

#include "scheduler/base/error.h"
#include "sim/scenario/reader.h"

struct digest; /* a running hash, with the files that it has read already */

struct digest *digest_create(void);
void digest_destroy(struct digest *digest);

/*
 * Add one cell: its name and its document in canonical form, in which a CSV stands for its content
 * (inflated), so that neither folder nor compression changes the hash. A file that cannot be read
 * is a sticky error of `root`.
 */
void digest_add(struct digest *digest, const char *name, const struct at *root);

size_t digest_bytes(const struct digest *digest); /* of the documents so far */
void digest_finish(struct digest *digest, char hex[65]);

#endif
