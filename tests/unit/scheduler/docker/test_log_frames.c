#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/text.h"
#include "scheduler/docker/log_frames.h"

static const char stream[] =
    "\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\3err\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1x";

/* Fed in pieces of `piece` bytes, the same comes out. */
static void feed(size_t piece_bytes)
{
    struct log_frames frames = {.left = 0};
    struct text out = TEXT_INIT, err = TEXT_INIT;
    for (size_t at = 0; at < sizeof stream - 1; at += piece_bytes) {
        size_t left = sizeof stream - 1 - at < piece_bytes ? sizeof stream - 1 - at : piece_bytes;
        const char *bytes = stream + at;
        while (left > 0) {
            enum log_stream which = LOG_STDIN;
            const char *piece;
            size_t used, length;
            assert_true(log_frames_next(&frames, bytes, left, &used, &which, &piece, &length));
            assert_true(used > 0);
            if (length > 0)
                text_add_n(which == LOG_STDERR ? &err : &out, piece, length);
            bytes += used;
            left -= used;
        }
    }
    assert_string_equal(out.bytes, "out\nx");
    assert_string_equal(err.bytes, "err");
    text_free(&out);
    text_free(&err);
}

static void test_frames_split_anywhere(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof stream; piece++)
        feed(piece);
}

static void test_what_is_no_frame(void **state)
{
    (void)state;
    struct log_frames frames = {.left = 0};
    enum log_stream which;
    const char *piece;
    size_t used, length;
    assert_false(log_frames_next(&frames, "plain text", 10, &used, &which, &piece, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_split_anywhere),
        cmocka_unit_test(test_what_is_no_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
