/* test_lab.c -- `berth lab`, as far as it goes without making a lab: bad input, and who may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/berth.h"
#include "tests/support/scratch.h"

static void test_bad_input(void **state)
{
    static const struct {
        const char *arguments, *says;
    } rows[] = {
        {"lab", "berth lab: needs an action, as: berth lab up 3; see berth lab --help\n"},
        {"lab up", "berth lab: up needs a number of engines, as: berth lab up 3\n"},
        {"lab up 3 4", "berth lab: up needs a number of engines, as: berth lab up 3\n"},
        {"lab up 0", "berth lab: up: \"0\" is not a whole number from 1 to 16\n"},
        {"lab up 17", "berth lab: up: \"17\" is not a whole number from 1 to 16\n"},
        {"lab up three", "berth lab: up: \"three\" is not a whole number from 1 to 16\n"},
        {"lab up 3 --disk 3",
         "berth lab: \"3\" is no size of a disk; 64M to 1024G, as 512M or 2G\n"},
        {"lab up 3 --name ../x", "berth lab: \"../x\" is no name for a lab; at most 32 letters, "
                                 "digits and '-', a letter or digit first\n"},
        {"lab kil 1", "berth lab: no action \"kil\"; did you mean \"kill\"?\n"},
        {"lab fill 1", "berth lab: no action \"fill\"; did you mean \"kill\"?\n"},
        {"lab something", "berth lab: no action \"something\"; see berth lab --help\n"},
        {"lab kill", "berth lab: kill needs the number of an engine, as: berth lab kill 1\n"},
        {"lab kill one", "berth lab: kill: \"one\" is not a whole number from 1 to 9999\n"},
        {"lab down now", "berth lab: down: \"now\" is one word too many; see berth lab --help\n"},
        {"lab status 1", "berth lab: status: \"1\" is one word too many; see berth lab --help\n"},
        {"lab image A", "berth lab: \"A\" is no name for an image; NAME or NAME:TAG, as web:2\n"},
        {"lab --nam x up 1", "berth lab: unknown option --nam; did you mean --name?\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct berth_answer answer = berth_run(NULL, "%s", rows[i].arguments);
        assert_string_equal(answer.err, rows[i].says);
        assert_string_equal(answer.out, "");
        assert_int_equal(answer.status, 2);
        berth_answer_free(&answer);
    }
}

/* Whoever runs this: root becomes nobody for it, who must be able to run the program. */
static void test_it_needs_root(void **state)
{
    static const char *const actions[] = {"up 1", "down", "status", "kill 1"};
    const char *become = geteuid() == 0 ? "setpriv --reuid 65534 --clear-groups " : "";
    char trial[200];
    (void)state;
    (void)snprintf(trial, sizeof trial, "%s test -x '%s' 2>/dev/null", become,
                   getenv("BERTH") == NULL ? "build/berth" : getenv("BERTH"));
    if (system(trial) != 0) {
        puts("left out: that a lab needs root; nobody cannot run the program from here");
        return;
    }
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        struct berth_answer answer = berth_run(become, "lab %s --name test-of-rights", actions[i]);
        assert_string_equal(answer.err, "berth lab: a lab needs root, for namespaces, mounts and "
                                        "control groups; run it with sudo\n");
        assert_int_equal(answer.status, 3);
        berth_answer_free(&answer);
    }
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_it_needs_root),
    };
    return cmocka_run_group_tests(tests, NULL, remove_scratch);
}
