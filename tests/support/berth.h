/* berth.h -- run the built program as a user does: $BERTH, default build/berth. */
#ifndef BERTH_TESTS_SUPPORT_BERTH_H
#define BERTH_TESTS_SUPPORT_BERTH_H

struct berth_answer {
    int status;      /* exit status; 128 + signal, as a shell says it */
    char *out, *err; /* owned, NUL-terminated */
};

/* `arguments` as a shell reads them; `before` (may be NULL) stands before the program's name. */
struct berth_answer berth_run(const char *before, const char *arguments, ...)
    __attribute__((format(printf, 2, 3)));
void berth_answer_free(struct berth_answer *answer);

/* Same bytes in both files; fails the test, naming the first line that differs. */
void berth_assert_same_file(const char *path, const char *other);

/* The same names with the same bytes in both folders, sub-folders too; PNG by name only. */
void berth_assert_same_folder(const char *folder, const char *other);

#endif
