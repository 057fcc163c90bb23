/*
 * trial.h -- one scenario document, run under the auditor in a process of its own.
 *
 * A crash is a result like any other, and so is a run that does not end.
 */
#ifndef BERTH_SIM_EXPLORE_TRIAL_H
#define BERTH_SIM_EXPLORE_TRIAL_H

#include <jansson.h>
#include <sys/types.h>

#include "sim/audit/audit.h"

enum trial_status {
    TRIAL_HELD = 0, /* every invariant did */
    TRIAL_VIOLATED, /* one did not: `invariant` */
    TRIAL_CRASHED,  /* an assertion, a signal, no end */
    TRIAL_REFUSED,  /* the document is no scenario, or the run refused it */
};

struct trial_outcome {
    enum trial_status status;
    enum invariant invariant;
    char text[512]; /* one line: what went wrong */
    uint64_t rules[RULE_COUNT];
    uint64_t chaos[CHAOS_KIND_COUNT];
    uint64_t checks[INVARIANT_COUNT];
    double simulated_s, fault_s; /* until the end; until everything healed */
    double cpu_s;
};

struct trial { /* under way */
    pid_t pid;
    int pipe;     /* its outcome */
    FILE *errors; /* what it wrote on standard error */
};

/* False when there is no new process. */
bool trial_begin(json_t *document, struct trial *out);
/* Waits for its end. */
void trial_end(struct trial *trial, struct trial_outcome *out);
void trial_kill(struct trial *trial);

/* Begin and end. */
void trial_run(json_t *document, struct trial_outcome *out);

/* Two failures are the same when they are of one invariant, or of one assertion. */
bool trial_fails_alike(const struct trial_outcome *a, const struct trial_outcome *b);

/* "held", the invariant's name, "crash", "refused" */
const char *trial_verdict(const struct trial_outcome *outcome);

#endif
