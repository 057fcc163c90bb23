/*
 * member.c -- the plainest expressions of the cluster query language, read by other means than
 * placement's: attribute:NAME ==, !=, in [..], not_in [..], exists. Everything else is "not read".
 */
#include <stdio.h>
#include <string.h>

#include "sim/audit/audit_internal.h"

#define WORD_MAX 128

static const char *skip(const char *at)
{
    return at + strspn(at, " \t");
}

/* A name or a value: letters, digits and - _ . / ; false when there is none or it is too long. */
static bool take_word(const char **at, char word[WORD_MAX])
{
    *at = skip(*at);
    size_t length =
        strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./");
    if (length == 0 || length >= WORD_MAX)
        return false;
    memcpy(word, *at, length);
    word[length] = '\0';
    *at += length;
    return true;
}

static bool is_among(const struct audit_attribute *attribute, const char *value)
{
    return attribute != NULL && attribute->value != NULL && strcmp(attribute->value, value) == 0;
}

/* [a, b, c]: 1 when the attribute's value is among them. */
static int read_list(const struct audit_attribute *attribute, const char **at)
{
    char word[WORD_MAX];
    int found = 0;
    *at = skip(*at);
    if (**at != '[')
        return -1;
    do {
        ++*at;
        if (!take_word(at, word))
            return -1;
        if (is_among(attribute, word))
            found = 1;
        *at = skip(*at);
    } while (**at == ',');
    if (**at != ']')
        return -1;
    ++*at;
    return found;
}

static int compare(const struct audit_attribute *attribute, const char **at)
{
    char word[WORD_MAX];
    bool is_not;
    *at = skip(*at);
    if (strncmp(*at, "==", 2) == 0 || strncmp(*at, "!=", 2) == 0) {
        is_not = **at == '!';
        *at += 2;
        if (!take_word(at, word))
            return -1;
        return is_among(attribute, word) != is_not;
    }
    if (!take_word(at, word))
        return -1;
    if (strcmp(word, "exists") == 0)
        return attribute != NULL;
    is_not = strcmp(word, "not_in") == 0;
    if (!is_not && strcmp(word, "in") != 0)
        return -1;
    int found = read_list(attribute, at);
    return found < 0 ? found : (found == 1) != is_not;
}

int member_of(const struct audit_host *host, const char *expression)
{
    static const char prefix[] = "attribute:";
    const struct audit_attribute *attribute = NULL;
    char name[WORD_MAX];
    const char *at = skip(expression);
    if (strncmp(at, prefix, sizeof prefix - 1) != 0)
        return -1;
    at += sizeof prefix - 1;
    if (!take_word(&at, name))
        return -1;
    for (size_t i = 0; i < host->attributes.count; i++)
        if (strcmp(host->attributes.items[i].name, name) == 0)
            attribute = &host->attributes.items[i];
    int holds = compare(attribute, &at);
    return *skip(at) == '\0' ? holds : -1;
}
