/* version.h -- who made an output: berth's version and the id of this build. */
#ifndef BERTH_SCHEDULER_BASE_VERSION_H
#define BERTH_SCHEDULER_BASE_VERSION_H

#define BERTH_VERSION "0.1.0"

/*
 * 16 hex digits: a hash of the source files and of the libraries' versions. Compiler and flags have
 * no part in it, since they have no part in what a run computes.
 */
extern const char berth_build_id[];

#endif
