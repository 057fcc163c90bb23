#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>

#include "scheduler/lab/image.h"

static void test_names(void **state)
{
    static const char *const good[] = {"busybox", "web:2", "team/web:1.2-rc", "b_b:latest"};
    static const char *const bad[] = {"",    "Web", ":2",  "web:",     "web:1:2",
                                      "a b", "/a",  "a?b", "web&tag=x"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(lab_check_image(good[i], &err), BERTH_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(lab_check_image(bad[i], &err), BERTH_ERR_INPUT);
    }
}

/* A program of two parts, the second of the given kind. */
static void make_program(char *out, Elf64_Word second, Elf64_Half count)
{
    Elf64_Ehdr head = {.e_phoff = sizeof head, .e_phnum = count};
    Elf64_Phdr parts[2] = {{.p_type = PT_LOAD}, {.p_type = second}};
    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, parts, sizeof parts);
}

static void test_static_programs(void **state)
{
    char program[sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr)];
    (void)state;
    make_program(program, PT_NOTE, 2);
    assert_true(lab_is_static(program, sizeof program));
    assert_false(lab_is_static(program, sizeof program - 1));
    assert_false(lab_is_static(program, 10));
    make_program(program, PT_INTERP, 2);
    assert_false(lab_is_static(program, sizeof program));
    make_program(program, PT_NOTE, 3);
    assert_false(lab_is_static(program, sizeof program));
    assert_false(lab_is_static("#!/bin/sh\n", 10));
    assert_false(lab_is_static("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_static_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
