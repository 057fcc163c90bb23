#include "scheduler/cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

volatile sig_atomic_t command_stop;

static void on_signal(int number)
{
    (void)number;
    command_stop = 1;
}

void command_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static enum berth_err unknown_flag(const struct command *command, const char *word,
                                   const struct command_flag *flags, struct berth_error *err)
{
    const char *names[32] = {"--help"};
    size_t count = 1;
    for (; flags->name != NULL && count + 1 < sizeof names / sizeof names[0]; flags++)
        names[count++] = flags->name;
    const char *near = berth_nearest(word, names);
    return near == NULL ? berth_fail(err, BERTH_ERR_INPUT, "unknown option %s; see berth %s --help",
                                     word, command->name)
                        : berth_fail(err, BERTH_ERR_INPUT, "unknown option %s; did you mean %s?",
                                     word, near);
}

enum berth_err command_parse(const struct command *command, int argc, char **argv,
                             const struct command_flag *flags, int *operands,
                             struct berth_error *err)
{
    int kept = 0;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            while (++i < argc)
                argv[kept++] = argv[i];
            break;
        }
        if (word[0] != '-' || word[1] == '\0') {
            argv[kept++] = word;
            continue;
        }
        size_t length = strcspn(word, "=");
        const struct command_flag *flag = flags;
        while (flag->name != NULL &&
               (strlen(flag->name) != length || strncmp(flag->name, word, length) != 0))
            flag++;
        if (flag->name == NULL)
            return unknown_flag(command, word, flags, err);
        if (flag->value == NULL) {
            if (word[length] == '=')
                return berth_fail(err, BERTH_ERR_INPUT, "%s takes no value", flag->name);
            *flag->is_set = 1;
        } else if (word[length] == '=') {
            *flag->value = word + length + 1;
        } else if (i + 1 < argc) {
            *flag->value = argv[++i];
        } else {
            return berth_fail(err, BERTH_ERR_INPUT, "%s needs a value; see berth %s --help",
                              flag->name, command->name);
        }
    }
    *operands = kept;
    return BERTH_OK;
}

enum berth_err command_number(const char *flag, const char *text, unsigned long long min,
                              unsigned long long max, unsigned long long *out,
                              struct berth_error *err)
{
    if (text == NULL)
        return BERTH_OK;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno == ERANGE || number < min ||
        number > max)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: \"%s\" is not a whole number from %llu to %llu", flag, text, min,
                          max);
    *out = number;
    return BERTH_OK;
}
