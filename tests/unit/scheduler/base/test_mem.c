#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

static void test_alloc_is_zeroed(void **state)
{
    (void)state;
    unsigned char *memory = mem_alloc(4096);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(memory[i], 0);
    mem_free(memory);
    mem_free(NULL);
    mem_free(mem_alloc(0));
}

static void test_texts(void **state)
{
    (void)state;
    char *copy = mem_copy_text("abc");
    assert_string_equal(copy, "abc");
    mem_free(copy);
    copy = mem_copy_text_n("abcdef", 2);
    assert_string_equal(copy, "ab");
    mem_free(copy);
    copy = mem_copy_text("");
    assert_string_equal(copy, "");
    mem_free(copy);
    assert_null(mem_copy_text(NULL));
}

static void test_vector(void **state)
{
    (void)state;
    VEC(uint32_t) numbers = VEC_INIT;
    size_t moves = 0, capacity = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        *vec_push(&numbers) = i;
        moves += numbers.capacity != capacity;
        capacity = numbers.capacity;
    }
    assert_int_equal(numbers.count, 100000);
    assert_true(moves < 30); /* grows by half again: about log1.5(100000/8) */
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(numbers.items[i], i);
    vec_clear(&numbers);
    assert_int_equal(numbers.count, 0);
    assert_int_equal(numbers.capacity, capacity);
    vec_reserve(&numbers, 10); /* there already */
    assert_int_equal(numbers.capacity, capacity);
    vec_reserve(&numbers, capacity * 3);
    assert_true(numbers.capacity >= capacity * 3);
    vec_free(&numbers);
    assert_null(numbers.items);
    assert_int_equal(numbers.capacity, 0);
}

/* In a child without room for a core file: the process must end by abort(). */
static void assert_aborts(void (*ask)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL); /* not the test library's */
        (void)close(STDERR_FILENO);
        ask();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void ask_for_an_overflow(void)
{
    mem_free(mem_resize(NULL, SIZE_MAX / 4 + 2, 4)); /* wraps to 4 bytes if unchecked */
}

static void test_overflow_ends_the_process(void **state)
{
    (void)state;
    assert_aborts(ask_for_an_overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_is_zeroed),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_overflow_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
