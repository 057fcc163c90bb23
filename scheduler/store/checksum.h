/* checksum.h -- FNV-1a, 64 bit: tells bytes that were changed or torn from those written. */
#ifndef BERTH_SCHEDULER_STORE_CHECKSUM_H
#define BERTH_SCHEDULER_STORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define CHECKSUM_INIT UINT64_C(0xcbf29ce484222325)

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t length);

#endif
