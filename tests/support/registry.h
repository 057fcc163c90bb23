/*
 * registry.h -- a registry that has an image's manifest and none of its blobs: what a pull meets
 * when it fails in the middle. A process of its own, in the network of a test's engine; it wants
 * the user "u" with the password "p".
 */
#ifndef BERTH_TESTS_SUPPORT_REGISTRY_H
#define BERTH_TESTS_SUPPORT_REGISTRY_H

#include <sys/types.h>

/* Listens on 127.0.0.1:5000 in the network of process `neighbour`; ends with the test. */
pid_t registry_start(pid_t neighbour);
void registry_stop(pid_t registry);

#endif
