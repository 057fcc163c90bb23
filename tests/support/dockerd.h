/*
 * dockerd.h -- a real Docker engine of a test's own, in the test's scratch folder.
 *
 * It needs root, Debian's docker.io and busybox-static. It has a network of its own that leads
 * nowhere, its containers outlive it (live restore), and it ends with the test, however that ends.
 */
#ifndef BERTH_TESTS_SUPPORT_DOCKERD_H
#define BERTH_TESTS_SUPPORT_DOCKERD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct dockerd;

/* Why no engine can be run here, or NULL. */
const char *dockerd_missing(void);

struct dockerd *dockerd_create(const char *name); /* a folder of the scratch folder; not started */
void dockerd_start(struct dockerd *dockerd); /* fails the test when it does not answer in 30 s */
void dockerd_signal(struct dockerd *dockerd, int signal); /* SIGSTOP, SIGCONT */
void dockerd_kill(struct dockerd *dockerd);               /* SIGKILL, and waits for its end */
bool dockerd_runs(const struct dockerd *dockerd);         /* started, and not killed since */
void dockerd_destroy(struct dockerd *dockerd);            /* SIGTERM; its containers must be gone */

pid_t dockerd_pid(const struct dockerd *dockerd);
void dockerd_kill_runtime(struct dockerd *dockerd);         /* its containerd; it starts another */
const char *dockerd_address(const struct dockerd *dockerd); /* "unix://..." */

/* The last lines of its log, for the message of a failed test; owned: mem_free(). */
char *dockerd_log(const struct dockerd *dockerd);

#endif
