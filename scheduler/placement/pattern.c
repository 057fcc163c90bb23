/*
 * pattern.c -- a strict reader in front of PCRE2.
 *
 * ECS evaluates `=~` with java.util.regex. PCRE2 agrees with it on the ordinary language and
 * differs at the edges (set operations in classes, verbs, recursion, which escapes exist), where a
 * silent difference would place a task on the wrong instance. So only what both read alike is let
 * through, by one pass over the text; the rest is refused with its place.
 */
#include "scheduler/placement/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

/* One value is at most 255 characters; honest patterns need a few hundred steps for one. */
#define MATCH_STEPS_MAX 100000u
#define MATCH_HEAP_KIB_MAX 4096u

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

struct scan {
    const char *text;
    size_t length, at;
    const char *why; /* set when refused */
};

static bool refuse(struct scan *scan, const char *why)
{
    scan->why = why;
    return false;
}

static char peek(const struct scan *scan, size_t ahead)
{
    return scan->at + ahead < scan->length ? scan->text[scan->at + ahead] : '\0';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool scan_escape(struct scan *scan)
{
    char c = peek(scan, 1);
    if (c == '\0')
        return refuse(scan, "a pattern ends in a single backslash; write \\\\ for one");
    if ((c >= '1' && c <= '9') || c == 'k' || c == 'g')
        return refuse(scan, "back-references are not supported; write the alternatives out");
    if (is_letter(c) && strchr("dDwWsSbBAzZtnrfaexpPhHvV", c) == NULL)
        return refuse(scan, "this escape is not supported; escape only \\d \\w \\s \\b \\p{..} "
                            "\\x.. and punctuation");
    scan->at += 2;
    return true;
}

/* \Q...\E, in both engines: what is between stands for itself. */
static void scan_quotation(struct scan *scan)
{
    for (scan->at += 2; scan->at < scan->length; scan->at++) {
        if (peek(scan, 0) == '\\' && peek(scan, 1) == 'E') {
            scan->at += 2;
            return;
        }
    }
}

static bool scan_class(struct scan *scan)
{
    scan->at += peek(scan, 1) == '^' ? 2 : 1;
    if (peek(scan, 0) == ']')
        return refuse(scan, "an empty class; write \\] for the bracket itself");
    while (scan->at < scan->length) {
        char c = peek(scan, 0);
        if (c == ']') {
            scan->at++;
            return true;
        }
        if (c == '[')
            return refuse(scan, "a class inside a class; write \\[ for the bracket itself");
        if (c == '&' && peek(scan, 1) == '&')
            return refuse(scan, "intersections of classes are not supported; write the set out");
        if (c != '\\')
            scan->at++;
        else if (!scan_escape(scan))
            return false;
    }
    return refuse(scan, "a class is not closed; add ]");
}

/* "(?" groups that both know: (?:..) (?>..) (?<name>..) and the flags i m s. */
static bool scan_group(struct scan *scan)
{
    if (peek(scan, 1) == '*')
        return refuse(scan, "nothing to repeat; write \\* for the star itself");
    if (peek(scan, 1) != '?') {
        scan->at++;
        return true;
    }
    char c = peek(scan, 2), after = peek(scan, 3);
    if (c == '=' || c == '!' || (c == '<' && (after == '=' || after == '!')))
        return refuse(scan, "look-around is not supported; combine terms with && and !");
    if (c == ':' || c == '>' || (c == '<' && is_letter(after))) {
        scan->at += 3;
        return true;
    }
    size_t flags = 2;
    while (peek(scan, flags) != '\0' && strchr("ims-", peek(scan, flags)) != NULL)
        flags++;
    if (flags == 2 || (peek(scan, flags) != ')' && peek(scan, flags) != ':'))
        return refuse(scan, "this kind of group is not supported; use (..) or (?:..)");
    scan->at += flags;
    return true;
}

/* {n} {n,} {n,m}; elsewhere a brace is an error in Java and a letter in PCRE2. */
static bool scan_repetition(struct scan *scan)
{
    size_t at = 1;
    while (is_digit(peek(scan, at)))
        at++;
    bool has_minimum = at > 1;
    if (peek(scan, at) == ',')
        at++;
    while (is_digit(peek(scan, at)))
        at++;
    if (!has_minimum || peek(scan, at) != '}')
        return refuse(scan, "not a repetition such as {2,3}; write \\{ for the brace itself");
    scan->at += at + 1;
    return true;
}

static bool scan_pattern(struct scan *scan)
{
    while (scan->at < scan->length) {
        bool is_fine = true;
        switch (peek(scan, 0)) {
        case '\\':
            if (peek(scan, 1) == 'Q')
                scan_quotation(scan);
            else
                is_fine = scan_escape(scan);
            break;
        case '[':
            is_fine = scan_class(scan);
            break;
        case '(':
            is_fine = scan_group(scan);
            break;
        case '{':
            is_fine = scan_repetition(scan);
            break;
        case '\0':
            return refuse(scan, "a NUL character; remove it");
        default:
            scan->at++;
        }
        if (!is_fine)
            return false;
    }
    return true;
}

struct pattern *pattern_create(const char *text, size_t length_bytes, size_t *offset_bytes,
                               char why[PATTERN_WHY_MAX])
{
    struct scan scan = {text, length_bytes, 0, NULL};
    if (!scan_pattern(&scan)) {
        *offset_bytes = scan.at;
        (void)snprintf(why, PATTERN_WHY_MAX, "%s", scan.why);
        return NULL;
    }
    int code = 0;
    PCRE2_SIZE offset = 0;
    struct pattern *pattern = mem_alloc(sizeof *pattern);
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, length_bytes,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                      &code, &offset, NULL);
    if (pattern->code == NULL) {
        unsigned char message[120] = "";
        (void)pcre2_get_error_message(code, message, sizeof message);
        (void)snprintf(why, PATTERN_WHY_MAX, "the pattern does not compile: %s; correct it here",
                       (const char *)message);
        *offset_bytes = offset < length_bytes ? offset : length_bytes;
        mem_free(pattern);
        return NULL;
    }
    pattern->data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    pattern->limits = pcre2_match_context_create(NULL);
    if (pattern->data == NULL || pattern->limits == NULL)
        abort(); /* Out of memory, as in mem.c. */
    (void)pcre2_set_match_limit(pattern->limits, MATCH_STEPS_MAX);
    (void)pcre2_set_heap_limit(pattern->limits, MATCH_HEAP_KIB_MAX);
    return pattern;
}

void pattern_destroy(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_match_data_free(pattern->data);
    pcre2_code_free(pattern->code);
    mem_free(pattern);
}

bool pattern_matches(const struct pattern *pattern, const char *text)
{
    return pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, pattern->data,
                       pattern->limits) >= 0;
}
