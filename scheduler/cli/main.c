/* main.c -- `berth`: a table of subcommands. */
#define _DEFAULT_SOURCE /* sbrk, madvise */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scheduler/base/version.h"
#include "scheduler/cli/command.h"

#define LARGE_PAGE_BYTES ((uintptr_t)2 << 20)
#define HEAP_BYTES (1 << 30)

/*
 * The live state of a large run is touched at random, and with pages of 4 KiB a tenth of the time
 * goes into finding where they lie. So the heap begins as one long stretch, of which only what is
 * used takes memory, and large pages are asked for it; arrays below 32 MiB stay in it. Small pieces
 * that are freed are merged at once: what glibc keeps aside of them it goes through whenever a
 * piece at the end of so long a heap is freed, a quarter of the time of loading a large scenario.
 * Where the system refuses, all is as it was.
 */
static void set_up_heap(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_BYTES);
    (void)mallopt(M_TOP_PAD, HEAP_BYTES);
    (void)mallopt(M_MXFAST, 0);
    void *first = malloc(1); /* makes the heap */
    uintptr_t from = ((uintptr_t)first + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES;
    uintptr_t to = (uintptr_t)sbrk(0) / LARGE_PAGE_BYTES;
    if (first != NULL && from < to)
        (void)madvise((void *)(from * LARGE_PAGE_BYTES), (to - from) * LARGE_PAGE_BYTES,
                      MADV_HUGEPAGE);
    free(first);
#endif
}

/* One row per command, in the order of the help page. */
static const struct command *const commands[] = {
    &command_run,  &command_place,   &command_validate, &command_import, &command_replay,
    &command_gate, &command_explore, &command_bench,    &command_lab,    NULL,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0] - 1)

static void print_help(FILE *out)
{
    fputs("berth: a container scheduler and service controller with Amazon ECS's semantics,\n"
          "simulated or real with one core.\n\nUsage: berth COMMAND [OPTION]... [ARGUMENT]...\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help       this page, or the page of a command: berth help run\n"
          "  version    version and build id\n\n"
          "Exit status: 0 done; 1 a valid request or gate failed; 2 bad input; 3 the environment\n"
          "failed (disk, permissions); 130 interrupted.\n",
          out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 3] = {"help", "version"};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i + 2] = commands[i]->name;
    const char *near = berth_nearest(name, names);
    fprintf(stderr, "berth: unknown command \"%s\"; %s%s%s\n", name,
            near ? "did you mean \"" : "see berth help", near ? near : "", near ? "\"?" : "");
    return BERTH_ERR_INPUT;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stdout);
        return BERTH_OK;
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL)
        return unknown_command(argv[1]);
    fputs(command->help, stdout);
    return BERTH_OK;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(command->help, stdout);
            return BERTH_OK;
        }
    }
    struct berth_error err = BERTH_ERROR_INIT;
    enum berth_err code = command->run(argc, argv, &err);
    if (err.text[0] != '\0')
        fprintf(stderr, "berth %s: %s\n", command->name, err.text);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == BERTH_OK) {
        fprintf(stderr, "berth %s: standard output cannot be written\n", command->name);
        code = BERTH_ERR_ENVIRONMENT;
    }
    return (int)code;
}

int main(int argc, char **argv)
{
    set_up_heap();
    if (argc < 2) {
        print_help(stderr);
        return BERTH_ERR_INPUT;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("berth %s, build %s\n", BERTH_VERSION, berth_build_id);
        return BERTH_OK;
    }
    const struct command *command = find_command(name);
    return command == NULL ? unknown_command(name) : run_command(command, argc - 1, argv + 1);
}
