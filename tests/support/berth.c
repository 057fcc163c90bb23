#include "tests/support/berth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "tests/support/scratch.h"

static int run_shell(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct berth_answer berth_run(const char *before, const char *arguments, ...)
{
    char line[3000];
    va_list args;
    va_start(args, arguments);
    (void)vsnprintf(line, sizeof line, arguments, args);
    va_end(args);
    const char *program = getenv("BERTH");
    struct text command = TEXT_INIT;
    char *out = mem_copy_text(scratch_path("berth.out"));
    char *err = mem_copy_text(scratch_path("berth.err"));
    text_addf(&command, "%s timeout 300 '%s' %s >'%s' 2>'%s'", before == NULL ? "" : before,
              program == NULL ? "build/berth" : program, line, out, err);
    size_t length;
    struct berth_answer answer = {run_shell(command.bytes), NULL, NULL};
    answer.out = scratch_read(out, &length);
    answer.err = scratch_read(err, &length);
    text_free(&command);
    mem_free(out);
    mem_free(err);
    return answer;
}

void berth_answer_free(struct berth_answer *answer)
{
    mem_free(answer->out);
    mem_free(answer->err);
}

void berth_assert_same_file(const char *path, const char *other)
{
    struct text command = TEXT_INIT;
    text_addf(&command, "cmp '%s' '%s' >&2", path, other);
    int status = run_shell(command.bytes);
    text_free(&command);
    if (status != 0)
        fail_msg("%s and %s differ", path, other);
}

void berth_assert_same_folder(const char *folder, const char *other)
{
    struct text command = TEXT_INIT;
    text_addf(&command,
              "diff -r -q -x '*.png' '%s' '%s' >&2 && "
              "test \"$(cd '%s' && find . | sort)\" = \"$(cd '%s' && find . | sort)\"",
              folder, other, folder, other);
    int status = run_shell(command.bytes);
    text_free(&command);
    if (status != 0)
        fail_msg("%s and %s differ", folder, other);
}
