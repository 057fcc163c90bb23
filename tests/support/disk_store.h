/*
 * disk_store.h -- the store on disk (store_sqlite.h), for tests of what stands above it.
 */
#ifndef BERTH_TESTS_SUPPORT_DISK_STORE_H
#define BERTH_TESTS_SUPPORT_DISK_STORE_H

#include "scheduler/store/store_sqlite.h"

/* A disk whose sync costs nothing, where there is one: for tests of logic, before any scratch. */
void disk_store_use_memory(void);

/* Every file of this process stays below 64 bytes until it is allowed to grow: writing fails. */
void disk_store_forbid(bool is_forbidden);

/* Wait as a driver does, until the batch is durable or the store has failed. */
struct store_progress disk_store_await(struct store *store, uint64_t batch);

/*
 * Durable when append returns, as store_memory_open(0) is; each reset closes the file and opens it
 * anew, as a new process would.
 */
struct store disk_store_open(const char *path);
void disk_store_fail_next(struct store *store, bool fails); /* the next batch is not written */

#endif
