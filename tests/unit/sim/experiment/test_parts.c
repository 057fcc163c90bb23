#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/experiment/parts.h"
#include "tests/support/scratch.h"

#define ORIGIN "berth-parts 2 abc def 5\n"

static struct parts *open_parts(const char *origin, bool expects_discard)
{
    struct parts *parts;
    struct berth_error err = BERTH_ERROR_INIT;
    bool discarded;
    if (parts_open(scratch_path("p"), origin, &parts, &discarded, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(discarded, expects_discard);
    return parts;
}

static void add(struct parts *parts, uint32_t task, const char *words)
{
    struct text part = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    text_add(&part, words);
    assert_int_equal(parts_add(parts, task, &part, &err), BERTH_OK);
    text_free(&part);
}

static void assert_part(const struct parts *parts, uint32_t task, const char *words)
{
    struct text part = TEXT_INIT;
    assert_true(parts_has(parts, task));
    assert_true(parts_get(parts, task, &part));
    assert_string_equal(part.bytes, words);
    text_free(&part);
}

static void write_three(void)
{
    files_empty_folder(scratch_path("p"));
    struct parts *parts = open_parts(ORIGIN, false);
    add(parts, 7, "seven");
    add(parts, 0, "");
    add(parts, 2, "two and two");
    assert_part(parts, 7, "seven");
    parts_close(parts);
}

static void test_kept(void **state)
{
    (void)state;
    write_three();
    struct parts *parts = open_parts(ORIGIN, false);
    assert_part(parts, 7, "seven");
    assert_part(parts, 0, "");
    assert_part(parts, 2, "two and two");
    assert_false(parts_has(parts, 1));
    assert_false(parts_has(parts, 8));
    parts_close(parts);
}

static void test_of_another_run(void **state)
{
    (void)state;
    write_three();
    scratch_write_text("p/0.events", "{}");
    struct parts *parts = open_parts("berth-parts 2 abc def 6\n", true);
    assert_false(parts_has(parts, 7));
    assert_false(files_exist(scratch_path("p/0.events")));
    parts_close(parts);
}

/* However much a kill leaves of the file: what is whole is there, and more can be added. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    write_three();
    size_t length;
    char *bytes = scratch_read(scratch_path("p/parts"), &length);
    for (size_t cut = strlen(ORIGIN); cut < length; cut++) {
        scratch_write("p/parts", bytes, cut);
        struct parts *parts = open_parts(ORIGIN, false);
        assert_false(parts_has(parts, 2));
        if (cut >= strlen(ORIGIN) + 12 + strlen("seven"))
            assert_part(parts, 7, "seven");
        add(parts, 5, "five");
        parts_close(parts);
        parts = open_parts(ORIGIN, false);
        assert_part(parts, 5, "five");
        parts_close(parts);
    }
    mem_free(bytes);
}

/* A byte that the disk turned: that part is gone, a wrong one never comes of it. */
static void test_one_byte_is_another(void **state)
{
    (void)state;
    static const char *const words[] = {[0] = "", [2] = "two and two", [7] = "seven"};
    write_three();
    size_t length;
    char *bytes = scratch_read(scratch_path("p/parts"), &length);
    for (size_t i = strlen(ORIGIN); i < length; i++) {
        bytes[i] ^= 0x21;
        scratch_write("p/parts", bytes, length);
        struct parts *parts = open_parts(ORIGIN, false);
        uint32_t kept = 0;
        for (uint32_t task = 0; task < 100; task++) {
            if (!parts_has(parts, task))
                continue;
            assert_part(parts, task, words[task]);
            kept++;
        }
        assert_true(kept < 3);
        parts_close(parts);
        bytes[i] ^= 0x21;
    }
    mem_free(bytes);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_of_another_run),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_one_byte_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
