/*
 * fuzz_main.c -- a fuzz target as an ordinary test: its corpus, and mutations of it that are the
 * same on every run.
 *
 * Linked into every test program, so both ends are weak: a test has a main of its own, and only a
 * fuzz target has LLVMFuzzerTestOneInput. libFuzzer's build leaves this file out. The corpus of
 * build/tests/fuzz/fuzz_X is tests/fuzz/corpus/X (or $BERTH_FUZZ_CORPUS/X). FUZZ_TRACE=1 names each
 * input before it runs.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/rng.h"

#define INPUT_BYTES_MAX 65536
#define MUTATIONS_PER_FILE 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) __attribute__((weak));
int main(int argc, char **argv) __attribute__((weak));

struct input {
    char *name;
    uint8_t *bytes;
    size_t size;
};

static VEC(struct input) corpus;
static const char *target;

static int compare_inputs(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

static void read_input(const char *folder, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct input input = {mem_copy_text(name), mem_alloc(INPUT_BYTES_MAX), 0};
    input.size = fread(input.bytes, 1, INPUT_BYTES_MAX, file);
    fclose(file);
    *vec_push(&corpus) = input;
}

static void read_corpus(void)
{
    char folder[512];
    const char *base = getenv("BERTH_FUZZ_CORPUS");
    (void)snprintf(folder, sizeof folder, "%s/%s", base == NULL ? "tests/fuzz/corpus" : base,
                   target);
    DIR *listing = opendir(folder);
    if (listing == NULL)
        fail_msg("%s: no such folder; run it from berth's root", folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            read_input(folder, entry->d_name);
    (void)closedir(listing);
    if (corpus.count == 0)
        fail_msg("%s: no input in it", folder);
    qsort(corpus.items, corpus.count, sizeof corpus.items[0], compare_inputs);
}

/* A copy of exact size on the heap, so that a sanitizer sees one byte too many. */
static void run_input(const uint8_t *bytes, size_t size, const char *name, unsigned mutation)
{
    if (getenv("FUZZ_TRACE") != NULL)
        fprintf(stderr, "%s: %s, mutation %u, %zu bytes\n", target, name, mutation, size);
    uint8_t *copy = mem_alloc(size == 0 ? 1 : size);
    memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    mem_free(copy);
}

/* Bytes that break parsers: ends of numbers, of texts, of nesting, of UTF-8. */
static const char *const pieces[] = {
    "\"",    "'",   "\\",   "{",    "}",          "[",
    "]",     ",",   ":",    "(",    ")",          "-1",
    "1e309", "NaN", "null", "true", "2147483648", "9223372036854775808",
    "0",     "\n",  "\r\n", "\xff", "\xc3",       "\xe2\x82\xac",
    "&&",    "||",  "!",    "=~",   "in",         "/",
    "%s",    " ",
};

static size_t insert(uint8_t *bytes, size_t size, size_t at, const uint8_t *more, size_t length)
{
    if (size + length > INPUT_BYTES_MAX)
        return size;
    memmove(bytes + at + length, bytes + at, size - at);
    memcpy(bytes + at, more, length);
    return size + length;
}

static size_t mutate_once(uint8_t *bytes, size_t size, struct rng *rng)
{
    static uint8_t chunk[INPUT_BYTES_MAX];
    size_t at = (size_t)rng_below(rng, size + 1);
    size_t rest = size - at;
    size_t length = (size_t)rng_below(rng, (rest < 64 ? rest : 64) + 1);
    const struct input *other = &corpus.items[rng_below(rng, corpus.count)];
    const char *piece = pieces[rng_below(rng, sizeof pieces / sizeof pieces[0])];
    switch (rng_below(rng, 7)) {
    case 0: /* flip a bit */
        if (rest > 0)
            bytes[at] ^= (uint8_t)(1u << rng_below(rng, 8));
        return size;
    case 1: /* any byte */
        if (rest > 0)
            bytes[at] = (uint8_t)rng_below(rng, 256);
        return size;
    case 2: /* take out */
        memmove(bytes + at, bytes + at + length, rest - length);
        return size - length;
    case 3: /* double */
        memcpy(chunk, bytes + at, length);
        return insert(bytes, size, at, chunk, length);
    case 4: /* cut off */
        return at;
    case 5: /* splice with another of the corpus */
        length = (size_t)rng_below(rng, (other->size < 256 ? other->size : 256) + 1);
        return insert(bytes, size, at, other->bytes + rng_below(rng, other->size - length + 1),
                      length);
    default:
        return insert(bytes, size, at, (const uint8_t *)piece, strlen(piece));
    }
}

static void test_corpus_and_mutations(void **state)
{
    (void)state;
    static uint8_t bytes[INPUT_BYTES_MAX];
    read_corpus();
    for (size_t i = 0; i < corpus.count; i++)
        run_input(corpus.items[i].bytes, corpus.items[i].size, corpus.items[i].name, 0);
    for (size_t i = 0; i < corpus.count; i++) {
        const struct input *input = &corpus.items[i];
        struct rng rng = {rng_key(1, input->name, 0), 0};
        for (unsigned mutation = 1; mutation <= MUTATIONS_PER_FILE; mutation++) {
            size_t size = input->size;
            memcpy(bytes, input->bytes, size);
            for (uint64_t times = 1 + rng_below(&rng, 4); times > 0; times--)
                size = mutate_once(bytes, size, &rng);
            run_input(bytes, size, input->name, mutation);
        }
    }
    for (size_t i = 0; i < corpus.count; i++) {
        mem_free(corpus.items[i].name);
        mem_free(corpus.items[i].bytes);
    }
    vec_free(&corpus);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    target = slash == NULL ? argv[0] : slash + 1;
    if (strncmp(target, "fuzz_", strlen("fuzz_")) == 0)
        target += strlen("fuzz_");
    (void)argc;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus_and_mutations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
