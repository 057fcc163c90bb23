#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/iso_time.h"
#include "scheduler/base/rng.h"
#include "scheduler/placement/expression.h"

/*
 * Two instances. "full" has everything, "bare" has no attribute, no EC2 id and no agent version.
 */
struct world {
    struct symbols *symbols;
    struct cluster *cluster;
    instance_id full, bare;
};

static int set_up(void **state)
{
    static struct world world;
    world.symbols = symbols_create();
    world.cluster = cluster_create(world.symbols);
    static const char *const texts[][2] = {{"ecs.availability-zone", "us-east-1a"},
                                           {"ecs.instance-type", "g2.2xlarge"},
                                           {"stack", "production"},
                                           {"rack/row\\col", "r 1"},
                                           {"flag", NULL},
                                           {"odd", "a)b,c]d"}};
    struct attribute attributes[6];
    for (size_t i = 0; i < 6; i++)
        attributes[i] = (struct attribute){symbols_add(world.symbols, texts[i][0]),
                                           symbols_add(world.symbols, texts[i][1])};
    struct instance_spec spec = {.name = "0a",
                                 .ec2_id = "i-0123",
                                 .agent_version = "1.86.2",
                                 .cpu_units = 1024,
                                 .mem_mib = 1024,
                                 .attributes = attributes,
                                 .attribute_count = 6};
    assert_true(iso_time_parse("2018-06-18T22:28:28Z", &spec.registered_wall_ns));
    spec.registered_wall_ns += 500000000; /* half a second does not count */
    world.full = cluster_add_instance(world.cluster, &spec);
    world.bare = cluster_add_instance(
        world.cluster, &(struct instance_spec){.name = "0b", .cpu_units = 1024, .mem_mib = 1024});
    cluster_set_connected(world.cluster, world.bare, false);
    cluster_set_running_tasks(world.cluster, world.full, 3);
    cluster_join(world.cluster, world.full,
                 cluster_group(world.cluster, symbols_add(world.symbols, "service:web")));
    cluster_join(world.cluster, world.full,
                 cluster_group(world.cluster, symbols_add(world.symbols, "family:job")));
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    cluster_destroy(world->cluster);
    symbols_destroy(world->symbols);
    return 0;
}

struct answer {
    const char *text;
    bool full, bare;
};

static const struct answer answers[] = {
    /* equality, both spellings, every kind of quoting */
    {"attribute:stack == production", true, false},
    {"attribute:stack equals production", true, false},
    {"attribute:stack=='production'", true, false},
    {"attribute:stack == \"production\"", true, false},
    {"attribute:stack != production", false, true}, /* missing: != is true */
    {"attribute:stack not_equals test", true, true},
    {"attribute:stack == Production", false, false},
    {"attribute:rack/row\\col == 'r 1'", true, false},
    {"attribute:odd == 'a)b,c]d'", true, false},
    {"attribute:stack == ''", false, false},
    /* order of attributes is bytewise */
    {"attribute:stack > prod", true, false},
    {"attribute:stack < q", true, false},
    {"attribute:stack >= production", true, false},
    {"attribute:stack less_than_equal production", true, false},
    {"attribute:stack greater_than production", false, false},
    {"attribute:stack less_than production", false, false},
    {"attribute:stack greater_than_equal q", false, false},
    {"attribute:stack <= a", false, false},
    /* lists */
    {"attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", true, false},
    {"attribute:ecs.availability-zone in[us-east-1b,us-east-1a]", true, false},
    {"attribute:ecs.availability-zone !in [us-east-1a]", false, true},
    {"attribute:ecs.availability-zone not_in [ 'us-east-1c' ]", true, true},
    /* patterns match the whole value */
    {"attribute:ecs.instance-type =~ g2.*", true, false},
    {"attribute:ecs.instance-type =~ g2", false, false},
    {"attribute:ecs.instance-type matches '(g2|p3)\\.[0-9]*x?large'", true, false},
    {"attribute:ecs.instance-type !~ t2.*", true, true},
    {"attribute:ecs.instance-type not_matches g.*", false, true},
    {"attribute:ecs.instance-type =~ '(?i)G2\\.2XLARGE'", true, false},
    {"attribute:ecs.instance-type =~ '\\Qg2.2xlarge\\E'", true, false},
    {"attribute:ecs.instance-type =~ 'g2.2xlarge|t2'", true, false},
    /* existence */
    {"attribute:stack exists", true, false},
    {"attribute:stack !exists", false, true},
    {"attribute:stack not_exists", false, true},
    {"attribute:flag exists", true, false},
    {"attribute:flag == x", false, false},
    {"attribute:flag != x", true, true},
    /* other subjects */
    {"agentConnected == true", true, false},
    {"agentConnected != true", false, true},
    {"agentConnected in [true, false]", true, true},
    {"agentConnected =~ tr.e", true, false},
    {"agentVersion == 1.86.2", true, false},
    {"agentVersion == 1.86.2.0", true, false},
    {"agentVersion > 1.9", true, false}, /* 86 > 9: by number */
    {"agentVersion < 1.100", true, false},
    {"agentVersion >= 1.86.3", false, false},
    {"agentVersion != 1.86.2", false, true},
    {"agentVersion < 99999999999999999999999.0", true, false},
    {"ec2InstanceId == i-0123", true, false},
    {"ec2InstanceId in ['i-0123', 'i-9']", true, false},
    {"ec2InstanceId != i-0123", false, true},
    {"ec2InstanceId =~ i-.*", true, false},
    {"registeredAt == 2018-06-18T22:28:28+00:00", true, false},
    {"registeredAt == 2018-06-18T22:28:28Z", true, false},
    {"registeredAt == 2018-06-18T22:28:28", true, false},
    {"registeredAt == '2018-06-19T00:28:28+02:00'", true, false},
    {"registeredAt > 2018-06-18", true, false},
    {"registeredAt < 2018-06-19", true, true}, /* bare registered in 1970 */
    {"registeredAt <= 2018-06-18T22:28:28Z", true, true},
    {"registeredAt != 2018-06-18T22:28:28Z", false, true},
    {"runningTasksCount == 3", true, false},
    {"runningTasksCount < 3", false, true},
    {"runningTasksCount >= 3", true, false},
    {"runningTasksCount <= 2", false, true},
    {"runningTasksCount > 2", true, false},
    {"runningTasksCount != 3", false, true},
    {"task:group == service:web", true, false},
    {"task:group == family:job", true, false},
    {"task:group != service:web", false, true},
    {"not(task:group == service:web)", false, true},
    {"task:group in [service:x, family:job]", true, false},
    {"task:group !in [service:x, family:job]", false, true},
    {"task:group =~ service:.*", true, false},
    {"task:group !~ service:.*", false, true},
    /* not over and over or; left to right */
    {"attribute:stack == production && agentConnected == true", true, false},
    {"attribute:stack == production and agentConnected == false", false, false},
    {"attribute:stack == test || agentConnected == true", true, false},
    {"agentConnected == false or attribute:stack == test", false, true},
    {"agentConnected == true || agentConnected == false && attribute:stack == test", true, false},
    {"(agentConnected == true || agentConnected == false) && attribute:stack == test", false,
     false},
    {"attribute:stack == test && agentConnected == true || runningTasksCount == 0", false, true},
    {"!attribute:stack == production", false, true},
    {"! (attribute:stack == production)", false, true},
    {"!!attribute:stack == production", true, false},
    {"not not not attribute:stack exists", false, true},
    {"!(agentConnected == true && runningTasksCount == 3) || attribute:stack == production", true,
     true},
    {"!(agentConnected == true || runningTasksCount == 0)", false, false},
    {"((attribute:stack exists))", true, false},
    {"attribute:stack==production&&agentConnected==true||agentConnected==false", true, true},
    {"  attribute:stack\texists\n", true, false},
};

static bool ask(struct world *world, const char *text, instance_id id)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct expression *expression = NULL;
    if (expression_parse(world->symbols, text, &expression, &err) != BERTH_OK)
        fail_msg("%s: %s", text, err.text);
    bool answer = expression_matches(expression, world->cluster, id);
    /* Asked twice, remembered or not, the answer is the same. */
    assert_int_equal(expression_matches(expression, world->cluster, id), answer);
    expression_destroy(expression);
    return answer;
}

static void test_answers(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (ask(world, answers[i].text, world->full) != answers[i].full ||
            ask(world, answers[i].text, world->bare) != answers[i].bare)
            fail_msg("%s", answers[i].text);
    }
}

static const struct {
    const char *text, *message;
} refusals[] = {
    {"", "column 1: a subject is expected; write attribute:NAME, task:group, ec2InstanceId, "
         "agentConnected, agentVersion, registeredAt or runningTasksCount"},
    {"attribute: == x", "column 11: the attribute's name is missing; write attribute:NAME"},
    {"atribute:x == 1", "column 1: \"atribute:x\" is not a subject; did you mean \"attribute:\"?"},
    {"stack == production",
     "column 1: \"stack\" is not a subject; for an attribute write attribute:stack"},
    {"attribute:x = 1", "column 13: = is not an operator; write == for equality"},
    {"attribute:x equal 1", "column 13: \"equal\" is not an operator; did you mean \"equals\"?"},
    {"attribute:x", "column 12: an operator is expected; write ==, !=, <, <=, >, >=, =~, !~, in, "
                    "!in, exists or !exists"},
    {"attribute:x ==", "column 15: a value is expected; write one, in quotes if it is empty, "
                       "begins with ( or holds blanks, ) , ] && or ||"},
    {"attribute:x == 'abc", "column 16: the quotation is not closed; add the closing quote"},
    {"attribute:x in a", "column 16: a list is expected; write [a, b, c]"},
    {"attribute:x in []", "column 17: a value is expected; write one, in quotes if it is empty, "
                          "begins with ( or holds blanks, ) , ] && or ||"},
    {"attribute:x in [a b]", "column 19: the list goes on with , or ends with ]"},
    {"attribute:x in [a", "column 18: the list goes on with , or ends with ]"},
    {"attribute:x == a b",
     "column 18: the expression goes on with && or ||, or a value needs quotes"},
    {"attribute:x == a)", "column 17: a ) without its (; remove it"},
    {"(attribute:x == a", "column 18: a parenthesis is not closed; add )"},
    {"attribute:x == (", "column 16: a value is expected; write one, in quotes if it is empty, "
                         "begins with ( or holds blanks, ) , ] && or ||"},
    {"(attribute:x == a b", "column 19: the expression goes on with &&, || or )"},
    {"attribute:x == a &&", "column 20: a subject is expected; write attribute:NAME, task:group, "
                            "ec2InstanceId, agentConnected, agentVersion, registeredAt or "
                            "runningTasksCount"},
    {"agentConnected == yes", "column 19: agentConnected is true or false; write one of them"},
    {"agentConnected > true", "column 16: agentConnected cannot be asked with >; see the operators "
                              "of the cluster query language"},
    {"task:group exists", "column 12: task:group cannot be asked with exists; see the operators of "
                          "the cluster query language"},
    {"agentVersion > latest", "column 16: not a version; write numbers and dots, as in 1.86.2"},
    {"agentVersion > 1..2", "column 16: not a version; write numbers and dots, as in 1.86.2"},
    {"runningTasksCount < -1", "column 21: not a whole number; write digits only"},
    {"registeredAt > yesterday", "column 16: not a time; write 2018-06-18 or 2018-06-18T22:28:28Z"},
    {"attribute:é == 1", "column 11: the attribute's name is missing; write attribute:NAME"},
    {"attribute:x == 'é' &", "column 20: the expression goes on with && or ||, or a value needs "
                             "quotes"},
    /* patterns */
    {"attribute:x =~ 'a(?=b)'",
     "column 18: look-around is not supported; combine terms with && and !"},
    {"attribute:x =~ '(?<!b)a'",
     "column 17: look-around is not supported; combine terms with && and !"},
    {"attribute:x =~ '(a)\\1'",
     "column 20: back-references are not supported; write the alternatives out"},
    {"attribute:x =~ '(?<n>a)\\k<n>'",
     "column 24: back-references are not supported; write the alternatives out"},
    {"attribute:x =~ '(*UTF)a'", "column 17: nothing to repeat; write \\* for the star itself"},
    {"attribute:x =~ '(?R)'", "column 17: this kind of group is not supported; use (..) or (?:..)"},
    {"attribute:x =~ '[a-z&&[^b]]'",
     "column 21: intersections of classes are not supported; write the set out"},
    {"attribute:x =~ '[a[b]]'",
     "column 19: a class inside a class; write \\[ for the bracket itself"},
    {"attribute:x =~ 'a{,3}'",
     "column 18: not a repetition such as {2,3}; write \\{ for the brace itself"},
    {"attribute:x =~ 'a\\'", "column 18: a pattern ends in a single backslash; write \\\\ for one"},
    {"attribute:x =~ [abc", "column 20: a class is not closed; add ] (a pattern with blanks ) , ] "
                            "&& or || goes in quotes)"},
    {"attribute:x =~ 'a**b**'", "column 19: the pattern does not compile: quantifier does not "
                                "follow a repeatable item; correct it here"},
};

static void test_refusals(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct expression *expression = NULL;
        if (expression_parse(world->symbols, refusals[i].text, &expression, &err) == BERTH_OK)
            fail_msg("%s: was taken", refusals[i].text);
        assert_string_equal(err.text, refusals[i].message);
        assert_null(expression);
    }
}

static bool parses(struct world *world, const char *text, struct berth_error *err)
{
    struct expression *expression = NULL;
    bool is_fine = expression_parse(world->symbols, text, &expression, err) == BERTH_OK;
    expression_destroy(expression);
    return is_fine;
}

static void nested(char *out, size_t depth)
{
    memset(out, '(', depth);
    (void)snprintf(out + depth, 30, "agentConnected==true");
    size_t length = strlen(out);
    memset(out + length, ')', depth);
    out[length + depth] = '\0';
}

static void test_nesting_and_length_are_bounded(void **state)
{
    struct world *world = *state;
    struct berth_error err = BERTH_ERROR_INIT;
    char text[EXPRESSION_BYTES_MAX + 100];
    nested(text, 100);
    assert_true(parses(world, text, &err));
    nested(text, 101);
    assert_false(parses(world, text, &err));
    assert_string_equal(err.text, "column 101: parentheses nest deeper than 100; flatten them");
    /* Negations and chains do not nest. */
    memset(text, '!', 1980);
    (void)snprintf(text + 1980, 21, "agentConnected==true");
    assert_true(parses(world, text, &err));
    assert_true(ask(world, text, world->full));
    text[2000] = ' ';
    text[2001] = '\0';
    assert_false(parses(world, text, &err));
    assert_string_equal(err.text, "column 2001: longer than 2000 characters; shorten it");
}

/* A pattern that backtracks without end gives up: no match, and soon. */
static void test_catastrophic_pattern_gives_up(void **state)
{
    struct world *world = *state;
    char value[200];
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    cluster_set_attribute(world->cluster, world->bare, symbols_add(world->symbols, "long"),
                          symbols_add(world->symbols, value));
    assert_false(ask(world, "attribute:long =~ '(a+)+b'", world->bare));
    assert_true(ask(world, "attribute:long =~ '(a+)+'", world->bare));
}

static void test_what_may_be_kept(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *text;
        bool is_static;
    } cases[] = {
        {"attribute:a == b && ec2InstanceId =~ i.* || attribute:c !exists", true},
        {"attribute:a == b && task:group == x", false},
        {"runningTasksCount > 1", false},
        {"agentConnected == true", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct expression *expression = NULL;
        assert_int_equal(expression_parse(world->symbols, cases[i].text, &expression, &err),
                         BERTH_OK);
        assert_int_equal(expression_is_static(expression), cases[i].is_static);
        expression_destroy(expression);
    }
}

/* Random formulas over three facts, written with random spelling, against plain evaluation. */
struct formula {
    struct rng rng;
    char text[1900];
    size_t length;
};

static void put(struct formula *formula, const char *piece)
{
    size_t length = strlen(piece);
    assert_true(formula->length + length < sizeof formula->text);
    memcpy(formula->text + formula->length, piece, length + 1);
    formula->length += length;
}

static bool grow(struct formula *formula, unsigned depth)
{
    static const struct {
        const char *text;
        bool value;
    } facts[] = {{"attribute:stack==production", true},
                 {"attribute:none exists", false},
                 {"runningTasksCount > 2", true},
                 {"task:group == service:none", false}};
    uint64_t kind = depth == 0 ? 0 : rng_below(&formula->rng, 4);
    if (kind == 0) {
        uint64_t fact = rng_below(&formula->rng, 4);
        put(formula, facts[fact].text);
        return facts[fact].value;
    }
    if (kind == 1) {
        put(formula, rng_below(&formula->rng, 2) ? "!(" : "not (");
        bool value = grow(formula, depth - 1);
        put(formula, ")");
        return !value;
    }
    /* Each side in parentheses, so the value does not depend on precedence. */
    bool is_and = kind == 2;
    put(formula, "(");
    bool left = grow(formula, depth - 1);
    put(formula, is_and ? (rng_below(&formula->rng, 2) ? ")&&(" : ") and (")
                        : (rng_below(&formula->rng, 2) ? ") || (" : ")or("));
    bool right = grow(formula, depth - 1);
    put(formula, ")");
    return is_and ? left && right : left || right;
}

static void test_random_formulas(void **state)
{
    struct world *world = *state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct formula formula = {.rng = {seed, 0}};
        bool value = grow(&formula, (unsigned)rng_below(&formula.rng, 5));
        if (ask(world, formula.text, world->full) != value)
            fail_msg("seed %u: %s", (unsigned)seed, formula.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nesting_and_length_are_bounded),
        cmocka_unit_test(test_catastrophic_pattern_gives_up),
        cmocka_unit_test(test_what_may_be_kept),
        cmocka_unit_test(test_random_formulas),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
