/*
 * batch_bytes.h -- a batch as it lies on a disk, so that a torn one is known for what it is.
 *
 *     batch NUMBER LENGTH CHECKSUM\n     then LENGTH bytes: for each write its key, and its value
 *                                        after '=' or nothing after '-', each ended by a zero byte
 *
 * A process that dies while it writes leaves a first part of the bytes. A batch is read whole or
 * not at all: length and checksum (FNV-1a, 64 bit) must hold.
 */
#ifndef BERTH_SCHEDULER_STORE_BATCH_BYTES_H
#define BERTH_SCHEDULER_STORE_BATCH_BYTES_H

#include "scheduler/base/text.h"
#include "scheduler/store/store.h"

struct batch_writes {
    struct store_write *items; /* owned; texts lent by the bytes; revisions are not kept */
    size_t count;
    size_t capacity;
};

void batch_bytes_add(struct text *out, uint64_t batch, const struct store_write *writes,
                     size_t write_count);

/* How many bytes batch number `batch` takes at the start of `bytes`; 0: it is torn or another. */
size_t batch_bytes_read(const char *bytes, size_t length, uint64_t batch, struct batch_writes *out);

#endif
