/* process.h -- other programs, run without a shell and with a time limit; small files; waiting. */
#ifndef BERTH_SCHEDULER_LAB_PROCESS_H
#define BERTH_SCHEDULER_LAB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

#define LAB_PROGRAM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct lab_program {
    const char *const *argv; /* argv[0] is looked for in LAB_PROGRAM_PATH */
    const char *input;       /* standard input, at most 4 KiB; NULL: empty */
    int netns;               /* the network namespace it runs in; -1: this one */
    struct text *output;     /* what it printed, added; NULL: not kept */
    int seconds;             /* it is killed after so many, which is a failure */
};

/* Fails with what the program printed. It dies with this process. */
enum berth_err lab_program_run(const struct lab_program *program,
                               struct berth_error *err) BERTH_MUST_CHECK;

bool lab_program_exists(const char *name, char *path, size_t size); /* path may be NULL */

/* Dies when its parent does; ends at once when the parent is gone already. After fork(). */
void lab_die_with(pid_t parent);

int64_t lab_now_ms(void); /* monotonic */
void lab_sleep_ms(int64_t ms);

/* True when the child has ended by `deadline`; else it is killed. *status as of waitpid. */
bool lab_wait_child(pid_t child, int64_t deadline, int *status);

/* A whole small file; false with errno. `replace`: by a new file and a rename. */
bool lab_write_file(const char *path, const char *bytes);
bool lab_replace_file(const char *path, const char *bytes);
bool lab_read_file(const char *path, struct text *out);
bool lab_make_folders(const char *path); /* with all above it */

#endif
