/*
 * command.h -- the subcommands of `berth`: one file and one table row (main.c) each.
 *
 * The cli is the roof over both houses: the only part of scheduler/ that may include sim/.
 */
#ifndef BERTH_SCHEDULER_CLI_COMMAND_H
#define BERTH_SCHEDULER_CLI_COMMAND_H

#include <signal.h>

#include "scheduler/base/error.h"

struct command {
    const char *name;
    const char *summary; /* one line, for `berth help` */
    const char *help;    /* what `berth NAME --help` prints: usage, options, files, examples */
    /*
     * argv[0] is the command's name. Prints results on stdout, and nothing on failure: main prints
     * err->text on stderr, if any, and exits with the returned code.
     */
    enum berth_err (*run)(int argc, char **argv, struct berth_error *err);
};

extern const struct command command_run, command_place, command_validate, command_import,
    command_replay, command_gate, command_explore, command_bench, command_lab;

/*
 * The flags of one command: {"--out", &out, NULL} takes a value ("--out DIR", "--out=DIR"),
 * {"--quiet", NULL, &quiet} does not. Ends with an entry without a name. What is not a flag is
 * moved to the front of argv and counted in *operands (argv[0..operands-1]). An unknown flag, a
 * missing value or a value that was not asked for fails with BERTH_ERR_INPUT and a "did you mean".
 */
struct command_flag {
    const char *name;
    const char **value;
    int *is_set;
};
enum berth_err command_parse(const struct command *command, int argc, char **argv,
                             const struct command_flag *flags, int *operands,
                             struct berth_error *err) BERTH_MUST_CHECK;

/* A whole number within [min, max], or BERTH_ERR_INPUT naming the flag. NULL text keeps *out. */
enum berth_err command_number(const char *flag, const char *text, unsigned long long min,
                              unsigned long long max, unsigned long long *out,
                              struct berth_error *err) BERTH_MUST_CHECK;

/* Set by SIGINT and SIGTERM once command_catch_signals was called. */

extern volatile sig_atomic_t command_stop;
void command_catch_signals(void);

#endif
