/*
 * expression.c -- the Cluster Query Language: parsed once, asked of every instance.
 *
 * A recursive descent over the grammar of the reference (1.9) emits a short program for a machine
 * of one boolean: TEST sets it, NOT flips it, and a jump skips the right side of && or || when the
 * left has decided. So evaluation is a loop without recursion, chains of any length cost nothing,
 * and only parentheses and negations nest (bounded below).
 *
 *     a && (b || !c)      TEST a; JUMP_IF_FALSE end; TEST b; JUMP_IF_TRUE end; TEST c; NOT; end:
 *
 * Names and literals become symbols at parse time: a test compares numbers. What a pattern said of
 * a value is remembered by the value's symbol, since a fleet has few distinct values.
 *
 * Every comparison is reduced to its positive form and a flip, so that rule U6 on missing values
 * has one place: whatever is asked of nothing is false, and the negative operators are its flip.
 */
#include "scheduler/placement/expression.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/iso_time.h"
#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/placement/pattern.h"

#define NESTING_MAX 100
#define ATTRIBUTE_NAME_CHARACTERS \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/\\."

enum subject {
    SUBJECT_AGENT_CONNECTED = 0,
    SUBJECT_AGENT_VERSION,
    SUBJECT_ATTRIBUTE,
    SUBJECT_EC2_INSTANCE_ID,
    SUBJECT_REGISTERED_AT,
    SUBJECT_RUNNING_TASKS_COUNT,
    SUBJECT_TASK_GROUP,
    SUBJECT_COUNT
};

enum comparison { EQUAL = 0, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, MATCHES, IN, EXISTS };

#define BIT(comparison) (1u << (comparison))
#define ORDER (BIT(GREATER) | BIT(GREATER_EQUAL) | BIT(LESS) | BIT(LESS_EQUAL))
#define TEXT_LIKE (BIT(EQUAL) | BIT(IN) | BIT(MATCHES))

static const struct {
    const char *name;
    unsigned comparisons; /* the positive forms; a negative one is allowed with its positive */
} subjects[SUBJECT_COUNT] = {
    {"agentConnected", TEXT_LIKE},
    {"agentVersion", BIT(EQUAL) | ORDER},
    {"attribute:", TEXT_LIKE | ORDER | BIT(EXISTS)},
    {"ec2InstanceId", TEXT_LIKE},
    {"registeredAt", BIT(EQUAL) | ORDER},
    {"runningTasksCount", BIT(EQUAL) | ORDER},
    {"task:group", TEXT_LIKE},
};

/* Longest first where one spelling begins another. */
static const struct {
    const char *spelling;
    enum comparison comparison;
    bool is_negative;
} operators[] = {
    {"==", EQUAL, false},
    {"=~", MATCHES, false},
    {"!=", EQUAL, true},
    {"!~", MATCHES, true},
    {">=", GREATER_EQUAL, false},
    {">", GREATER, false},
    {"<=", LESS_EQUAL, false},
    {"<", LESS, false},
    {"!in", IN, true},
    {"!exists", EXISTS, true},
    {"equals", EQUAL, false},
    {"not_equals", EQUAL, true},
    {"greater_than", GREATER, false},
    {"greater_than_equal", GREATER_EQUAL, false},
    {"less_than", LESS, false},
    {"less_than_equal", LESS_EQUAL, false},
    {"matches", MATCHES, false},
    {"not_matches", MATCHES, true},
    {"in", IN, false},
    {"not_in", IN, true},
    {"exists", EXISTS, false},
    {"not_exists", EXISTS, true},
};
#define OPERATOR_COUNT (sizeof operators / sizeof operators[0])

struct term {
    enum subject subject;
    enum comparison comparison;
    symbol attribute; /* SUBJECT_ATTRIBUTE */
    VEC(symbol) literals;
    int64_t number;          /* registeredAt in seconds, runningTasksCount */
    struct pattern *pattern; /* owned; MATCHES */
    struct map *remembered;  /* owned; MATCHES: value's symbol -> 0 or 1 */
};

enum op_kind { OP_TEST, OP_NOT, OP_JUMP_IF_TRUE, OP_JUMP_IF_FALSE };

struct op {
    enum op_kind kind;
    uint32_t target; /* OP_TEST: a term; jumps: an op */
};

struct expression {
    const struct symbols *symbols; /* borrowed */
    VEC(struct op) ops;
    VEC(struct term) terms;
    symbol true_text, false_text;
};

struct parser {
    struct symbols *symbols;
    const char *text;
    size_t at; /* byte offset */
    unsigned nesting;
    struct expression *out;
    struct berth_error *err;
};

/* --- parsing -------------------------------------------------------------------------------- */

/* Columns count characters, as an editor does. */
static size_t column_of(const struct parser *parser, size_t offset)
{
    size_t column = 1;
    for (size_t i = 0; i < offset; i++)
        column += ((unsigned char)parser->text[i] & 0xC0) != 0x80;
    return column;
}

static enum berth_err fail_at(const struct parser *parser, size_t offset, const char *what)
{
    return berth_fail(parser->err, BERTH_ERR_INPUT, "column %zu: %s", column_of(parser, offset),
                      what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct parser *parser)
{
    while (is_blank(parser->text[parser->at]))
        parser->at++;
}

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* A symbol such as && wherever it stands; a word such as `and` only as a whole word. */
static bool take(struct parser *parser, const char *token)
{
    const char *here = parser->text + parser->at;
    size_t length = strlen(token);
    if (!starts_with(here, token))
        return false;
    if (is_word_character(token[length - 1]) && is_word_character(here[length]))
        return false;
    parser->at += length;
    return true;
}

static uint32_t emit(struct parser *parser, enum op_kind kind, uint32_t target)
{
    *vec_push(&parser->out->ops) = (struct op){kind, target};
    return (uint32_t)parser->out->ops.count - 1;
}

static enum berth_err expect_known_subject(const struct parser *parser)
{
    const char *names[SUBJECT_COUNT + 1] = {NULL};
    char word[40];
    const char *here = parser->text + parser->at;
    size_t length = 0;
    while (length + 1 < sizeof word && (is_word_character(here[length]) || here[length] == ':'))
        length++;
    memcpy(word, here, length);
    word[length] = '\0';
    for (size_t i = 0; i < SUBJECT_COUNT; i++)
        names[i] = subjects[i].name;
    if (length == 0)
        return fail_at(parser, parser->at,
                       "a subject is expected; write attribute:NAME, task:group, ec2InstanceId, "
                       "agentConnected, agentVersion, registeredAt or runningTasksCount");
    const char *near = berth_nearest(word, names);
    return berth_fail(parser->err, BERTH_ERR_INPUT, "column %zu: \"%s\" is not a subject; %s%s%s",
                      column_of(parser, parser->at), word,
                      near == NULL ? "for an attribute write attribute:" : "did you mean \"",
                      near == NULL ? word : near, near == NULL ? "" : "\"?");
}

static enum berth_err parse_subject(struct parser *parser, struct term *term)
{
    size_t subject = 0;
    while (subject < SUBJECT_COUNT && !take(parser, subjects[subject].name))
        subject++;
    if (subject == SUBJECT_COUNT)
        return expect_known_subject(parser);
    term->subject = (enum subject)subject;
    if (subject != SUBJECT_ATTRIBUTE)
        return BERTH_OK;
    const char *name = parser->text + parser->at;
    size_t length = strspn(name, ATTRIBUTE_NAME_CHARACTERS);
    if (length == 0 || length > 128)
        return fail_at(parser, parser->at,
                       length == 0 ? "the attribute's name is missing; write attribute:NAME"
                                   : "an attribute's name has at most 128 characters; shorten it");
    term->attribute = symbols_add_n(parser->symbols, name, length);
    parser->at += length;
    return BERTH_OK;
}

static enum berth_err unknown_operator(const struct parser *parser)
{
    const char *here = parser->text + parser->at;
    const char *names[OPERATOR_COUNT + 1] = {NULL};
    char word[40];
    size_t length = 0;
    while (length + 1 < sizeof word && is_word_character(here[length]))
        length++;
    memcpy(word, here, length);
    word[length] = '\0';
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        names[i] = operators[i].spelling;
    const char *near = length == 0 ? NULL : berth_nearest(word, names);
    if (near != NULL)
        return berth_fail(parser->err, BERTH_ERR_INPUT,
                          "column %zu: \"%s\" is not an operator; did you mean \"%s\"?",
                          column_of(parser, parser->at), word, near);
    return fail_at(parser, parser->at,
                   *here == '=' ? "= is not an operator; write == for equality"
                                : "an operator is expected; write ==, !=, <, <=, >, >=, =~, !~, "
                                  "in, !in, exists or !exists");
}

static enum berth_err parse_operator(struct parser *parser, struct term *term, bool *is_negative)
{
    size_t start = parser->at, index = 0;
    while (index < OPERATOR_COUNT && !take(parser, operators[index].spelling))
        index++;
    if (index == OPERATOR_COUNT)
        return unknown_operator(parser);
    term->comparison = operators[index].comparison;
    *is_negative = operators[index].is_negative;
    if ((subjects[term->subject].comparisons & BIT(term->comparison)) == 0)
        return berth_fail(parser->err, BERTH_ERR_INPUT,
                          "column %zu: %s cannot be asked with %s; see the operators of the "
                          "cluster query language",
                          column_of(parser, start), subjects[term->subject].name,
                          operators[index].spelling);
    return BERTH_OK;
}

static size_t bareword_length(const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0' && !is_blank(text[length]); length++)
        if (strchr("),]", text[length]) != NULL || starts_with(text + length, "&&") ||
            starts_with(text + length, "||"))
            break;
    return length;
}

/* A literal's bytes, quotes taken off. */
static enum berth_err parse_literal(struct parser *parser, const char **literal, size_t *length)
{
    const char *here = parser->text + parser->at;
    char quote = *here;
    if (quote != '\'' && quote != '"') {
        *literal = here;
        *length = bareword_length(here);
        if (*length == 0 || *here == '(')
            return fail_at(parser, parser->at,
                           "a value is expected; write one, in quotes if it is "
                           "empty, begins with ( or holds blanks, ) , ] && or ||");
        parser->at += *length;
        return BERTH_OK;
    }
    const char *end = strchr(here + 1, quote);
    if (end == NULL)
        return fail_at(parser, parser->at, "the quotation is not closed; add the closing quote");
    *literal = here + 1;
    *length = (size_t)(end - here) - 1;
    parser->at += *length + 2;
    return BERTH_OK;
}

static bool is_version(const char *text)
{
    bool has_digit = false;
    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9')
            has_digit = true;
        else if (*text == '.' && has_digit)
            has_digit = false;
        else
            return false;
    }
    return has_digit;
}

static bool parse_count(const char *text, int64_t *out)
{
    int64_t number = 0;
    size_t length = strlen(text);
    if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
        return false;
    for (; *text != '\0'; text++)
        number = number * 10 + (*text - '0');
    *out = number;
    return true;
}

/* Whether the literal means something for the subject; fills term->number where one is compared. */
static const char *check_literal(struct term *term, const char *text)
{
    berth_ns registered;
    switch (term->subject) {
    case SUBJECT_AGENT_CONNECTED:
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0
                   ? NULL
                   : "agentConnected is true or false; write one of them";
    case SUBJECT_AGENT_VERSION:
        return is_version(text) ? NULL : "not a version; write numbers and dots, as in 1.86.2";
    case SUBJECT_REGISTERED_AT:
        if (!iso_time_parse(text, &registered))
            return "not a time; write 2018-06-18 or 2018-06-18T22:28:28Z";
        term->number = registered / BERTH_NS_PER_S;
        return NULL;
    case SUBJECT_RUNNING_TASKS_COUNT:
        return parse_count(text, &term->number) ? NULL : "not a whole number; write digits only";
    case SUBJECT_ATTRIBUTE:
    case SUBJECT_EC2_INSTANCE_ID:
    case SUBJECT_TASK_GROUP:
    case SUBJECT_COUNT:
        break;
    }
    return NULL;
}

static enum berth_err parse_value(struct parser *parser, struct term *term)
{
    const char *literal;
    size_t length, start = parser->at;
    if (parse_literal(parser, &literal, &length) != BERTH_OK)
        return parser->err->code;
    symbol value = symbols_add_n(parser->symbols, literal, length);
    const char *wrong = check_literal(term, symbols_text(parser->symbols, value));
    if (wrong != NULL)
        return fail_at(parser, start, wrong);
    *vec_push(&term->literals) = value;
    return BERTH_OK;
}

static enum berth_err parse_list(struct parser *parser, struct term *term)
{
    if (!take(parser, "["))
        return fail_at(parser, parser->at, "a list is expected; write [a, b, c]");
    do {
        skip_blanks(parser);
        if (parse_value(parser, term) != BERTH_OK)
            return parser->err->code;
        skip_blanks(parser);
    } while (take(parser, ","));
    if (!take(parser, "]"))
        return fail_at(parser, parser->at, "the list goes on with , or ends with ]");
    return BERTH_OK;
}

static enum berth_err parse_pattern(struct parser *parser, struct term *term)
{
    const char *literal;
    char why[PATTERN_WHY_MAX];
    size_t length, wrong = 0;
    bool is_bare = parser->text[parser->at] != '"' && parser->text[parser->at] != '\'';
    if (parse_literal(parser, &literal, &length) != BERTH_OK)
        return parser->err->code;
    term->pattern = pattern_create(literal, length, &wrong, why);
    if (term->pattern == NULL)
        return berth_fail(parser->err, BERTH_ERR_INPUT, "column %zu: %s%s",
                          column_of(parser, (size_t)(literal - parser->text) + wrong), why,
                          is_bare ? " (a pattern with blanks ) , ] && or || goes in quotes)" : "");
    term->remembered = mem_alloc(sizeof *term->remembered);
    return BERTH_OK;
}

static enum berth_err parse_argument(struct parser *parser, struct term *term)
{
    skip_blanks(parser);
    switch (term->comparison) {
    case EXISTS:
        return BERTH_OK;
    case IN:
        return parse_list(parser, term);
    case MATCHES:
        return parse_pattern(parser, term);
    case EQUAL:
    case GREATER:
    case GREATER_EQUAL:
    case LESS:
    case LESS_EQUAL:
        break;
    }
    return parse_value(parser, term);
}

static enum berth_err parse_term(struct parser *parser)
{
    bool is_negative = false;
    struct term *term = vec_push(&parser->out->terms);
    *term = (struct term){.literals = VEC_INIT};
    uint32_t index = (uint32_t)parser->out->terms.count - 1;
    if (parse_subject(parser, term) != BERTH_OK)
        return parser->err->code;
    skip_blanks(parser);
    if (parse_operator(parser, term, &is_negative) != BERTH_OK ||
        parse_argument(parser, term) != BERTH_OK)
        return parser->err->code;
    (void)emit(parser, OP_TEST, index);
    if (is_negative)
        (void)emit(parser, OP_NOT, 0);
    return BERTH_OK;
}

static enum berth_err parse_or(struct parser *parser);

static enum berth_err parse_unary(struct parser *parser)
{
    bool flips = false;
    skip_blanks(parser);
    while (take(parser, "!") || take(parser, "not")) {
        flips = !flips;
        skip_blanks(parser);
    }
    size_t start = parser->at;
    if (!take(parser, "(")) {
        if (parse_term(parser) != BERTH_OK)
            return parser->err->code;
    } else {
        if (++parser->nesting > NESTING_MAX)
            return fail_at(parser, start, "parentheses nest deeper than 100; flatten them");
        if (parse_or(parser) != BERTH_OK)
            return parser->err->code;
        skip_blanks(parser);
        if (!take(parser, ")"))
            return fail_at(parser, parser->at,
                           parser->text[parser->at] == '\0'
                               ? "a parenthesis is not closed; add )"
                               : "the expression goes on with &&, || or )");
        parser->nesting--;
    }
    if (flips)
        (void)emit(parser, OP_NOT, 0);
    return BERTH_OK;
}

/* A chain of one connective: each link but the last jumps to the end once it has decided. The jumps
 * not yet aimed are linked through their own targets, so no list of them is needed. */
static enum berth_err parse_chain(struct parser *parser, enum op_kind jump, const char *sign,
                                  const char *word,
                                  enum berth_err (*parse_link)(struct parser *parser))
{
    uint32_t unaimed = UINT32_MAX;
    for (;;) {
        if (parse_link(parser) != BERTH_OK)
            return parser->err->code;
        skip_blanks(parser);
        if (!take(parser, sign) && !take(parser, word))
            break;
        unaimed = emit(parser, jump, unaimed);
    }
    while (unaimed != UINT32_MAX) {
        struct op *op = &parser->out->ops.items[unaimed];
        unaimed = op->target;
        op->target = (uint32_t)parser->out->ops.count;
    }
    return BERTH_OK;
}

static enum berth_err parse_and(struct parser *parser)
{
    return parse_chain(parser, OP_JUMP_IF_FALSE, "&&", "and", parse_unary);
}

static enum berth_err parse_or(struct parser *parser)
{
    return parse_chain(parser, OP_JUMP_IF_TRUE, "||", "or", parse_and);
}

enum berth_err expression_parse(struct symbols *symbols, const char *text, struct expression **out,
                                struct berth_error *err)
{
    *out = NULL;
    if (strlen(text) > EXPRESSION_BYTES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "column %d: longer than %d characters; shorten it",
                          EXPRESSION_BYTES_MAX + 1, EXPRESSION_BYTES_MAX);
    struct expression *expression = mem_alloc(sizeof *expression);
    struct parser parser = {symbols, text, 0, 0, expression, err};
    expression->symbols = symbols;
    expression->true_text = symbols_add(symbols, "true");
    expression->false_text = symbols_add(symbols, "false");
    enum berth_err code = parse_or(&parser);
    if (code == BERTH_OK && text[parser.at] != '\0')
        code = fail_at(&parser, parser.at,
                       text[parser.at] == ')'
                           ? "a ) without its (; remove it"
                           : "the expression goes on with && or ||, or a value needs quotes");
    if (code != BERTH_OK) {
        expression_destroy(expression);
        return code;
    }
    *out = expression;
    return BERTH_OK;
}

void expression_destroy(struct expression *expression)
{
    if (expression == NULL)
        return;
    for (size_t i = 0; i < expression->terms.count; i++) {
        struct term *term = &expression->terms.items[i];
        vec_free(&term->literals);
        pattern_destroy(term->pattern);
        if (term->remembered != NULL)
            map_free(term->remembered);
        mem_free(term->remembered);
    }
    vec_free(&expression->terms);
    vec_free(&expression->ops);
    mem_free(expression);
}

/* --- asking --------------------------------------------------------------------------------- */

static bool holds(enum comparison comparison, int order)
{
    switch (comparison) {
    case EQUAL:
        return order == 0;
    case GREATER:
        return order > 0;
    case GREATER_EQUAL:
        return order >= 0;
    case LESS:
        return order < 0;
    case LESS_EQUAL:
        return order <= 0;
    case MATCHES:
    case IN:
    case EXISTS:
        break;
    }
    assert(0);
    return false;
}

static bool matches_pattern(const struct expression *expression, const struct term *term,
                            symbol value)
{
    uint32_t known = map_get(term->remembered, value);
    if (known == MAP_ABSENT) {
        known = pattern_matches(term->pattern, symbols_text(expression->symbols, value));
        map_put(term->remembered, value, known);
    }
    return known != 0;
}

static bool test_text(const struct expression *expression, const struct term *term, symbol value)
{
    if (value == SYMBOL_NONE)
        return false;
    switch (term->comparison) {
    case EQUAL:
    case IN:
        for (size_t i = 0; i < term->literals.count; i++)
            if (term->literals.items[i] == value)
                return true;
        return false;
    case MATCHES:
        return matches_pattern(expression, term, value);
    case GREATER:
    case GREATER_EQUAL:
    case LESS:
    case LESS_EQUAL:
        return holds(term->comparison,
                     strcmp(symbols_text(expression->symbols, value),
                            symbols_text(expression->symbols, term->literals.items[0])));
    case EXISTS:
        break;
    }
    return true;
}

/* One component, leading zeros dropped: longer is larger, so no number is too large. */
static const char *component(const char *text, size_t *length)
{
    while (*text == '0')
        text++;
    *length = strspn(text, "0123456789");
    return text;
}

/* Component by component; a missing one is 0. */
static int compare_versions(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        size_t a_length, b_length;
        a = component(a, &a_length);
        b = component(b, &b_length);
        int order = a_length != b_length ? (a_length > b_length ? 1 : -1) : strncmp(a, b, a_length);
        if (order != 0)
            return order;
        a += a_length;
        b += b_length;
        a += *a == '.';
        b += *b == '.';
    }
    return 0;
}

static bool test_version(const struct expression *expression, const struct term *term,
                         symbol version)
{
    const char *text = symbols_text(expression->symbols, version);
    return text != NULL && is_version(text) &&
           holds(term->comparison, compare_versions(text, symbols_text(expression->symbols,
                                                                       term->literals.items[0])));
}

static bool test_number(const struct term *term, int64_t value)
{
    return holds(term->comparison, (value > term->number) - (value < term->number));
}

static bool test_groups(const struct expression *expression, const struct term *term,
                        const struct cluster *cluster, const struct instance *instance)
{
    for (uint32_t i = 0; i < instance->group_count; i++)
        if (test_text(expression, term, cluster_group_name(cluster, instance->groups[i].group)))
            return true;
    return false;
}

static bool test(const struct expression *expression, const struct term *term,
                 const struct cluster *cluster, const struct instance *instance)
{
    bool exists = false;
    switch (term->subject) {
    case SUBJECT_AGENT_CONNECTED:
        return test_text(expression, term,
                         instance->is_agent_connected ? expression->true_text
                                                      : expression->false_text);
    case SUBJECT_AGENT_VERSION:
        return test_version(expression, term, instance->agent_version);
    case SUBJECT_ATTRIBUTE: {
        symbol value = instance_attribute(instance, term->attribute, &exists);
        return term->comparison == EXISTS ? exists : test_text(expression, term, value);
    }
    case SUBJECT_EC2_INSTANCE_ID:
        return test_text(expression, term, instance->ec2_id);
    case SUBJECT_REGISTERED_AT:
        return test_number(term, instance->registered_wall_ns / BERTH_NS_PER_S);
    case SUBJECT_RUNNING_TASKS_COUNT:
        return test_number(term, instance->running_tasks);
    case SUBJECT_TASK_GROUP:
        return test_groups(expression, term, cluster, instance);
    case SUBJECT_COUNT:
        break;
    }
    assert(0);
    return false;
}

bool expression_matches(const struct expression *expression, const struct cluster *cluster,
                        instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    const struct op *ops = expression->ops.items;
    bool value = false;
    for (size_t at = 0; at < expression->ops.count;) {
        const struct op *op = &ops[at++];
        switch (op->kind) {
        case OP_TEST:
            value = test(expression, &expression->terms.items[op->target], cluster, instance);
            break;
        case OP_NOT:
            value = !value;
            break;
        case OP_JUMP_IF_TRUE:
            at = value ? op->target : at;
            break;
        case OP_JUMP_IF_FALSE:
            at = value ? at : op->target;
            break;
        }
    }
    return value;
}

bool expression_is_static(const struct expression *expression)
{
    for (size_t i = 0; i < expression->terms.count; i++) {
        enum subject subject = expression->terms.items[i].subject;
        if (subject != SUBJECT_ATTRIBUTE && subject != SUBJECT_EC2_INSTANCE_ID)
            return false;
    }
    return true;
}
