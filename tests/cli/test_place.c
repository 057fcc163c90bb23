/* The built berth, run as a user runs it: files in, text and exit status out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define ARN "arn:aws:ecs:eu-west-1:111122223333:container-instance/prod/"

static char folder[] = "/tmp/berth-place-XXXXXX";
static char output[1 << 20];

static void put_files(const char *name, const char *const *pieces)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (; *pieces != NULL; pieces++)
        for (const char *quoted = *pieces; *quoted != '\0'; quoted++)
            fputc(*quoted == '`' ? '"' : *quoted, file);
    fclose(file);
}

static void put_file(const char *name, const char *quoted)
{
    const char *const pieces[] = {quoted, NULL};
    put_files(name, pieces);
}

/* Runs berth place in the folder; standard error is joined to `output`. */
static int place(const char *arguments)
{
    char command[1000];
    const char *berth = getenv("BERTH");
    berth = berth == NULL ? "build/berth" : berth;
    (void)snprintf(command, sizeof command,
                   "program=$(cd \"$(dirname '%s')\" && pwd)/$(basename '%s') && cd %s && "
                   "\"$program\" place %s 2>&1",
                   berth, berth, folder, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, sizeof output - 1, pipe);
    output[length] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Asserts the exit status and gives the JSON answer; the caller releases it. */
static json_t *answer(int status, const char *more)
{
    char arguments[200];
    (void)snprintf(arguments, sizeof arguments,
                   "--cluster C.json --request R.json --format json %s", more);
    int got = place(arguments);
    if (got != status)
        fail_msg("exit status %d: %s", got, output);
    json_error_t failure;
    json_t *json = json_loads(output, 0, &failure);
    if (json == NULL)
        fail_msg("%s: %s", failure.text, output);
    return json;
}

/* The ids of the placed copies, or of the failures with their reasons, joined by blanks. */
static const char *placed(const json_t *json)
{
    static char text[4000];
    size_t index;
    json_t *task;
    text[0] = '\0';
    json_array_foreach(json_object_get(json, "tasks"), index, task)
    {
        const char *arn = json_string_value(json_object_get(task, "containerInstanceArn"));
        assert_int_equal(strncmp(arn, ARN, strlen(ARN)), 0);
        assert_int_equal(json_object_size(task), 1);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                       index == 0 ? "" : " ", arn + strlen(ARN));
    }
    return text;
}

static const char *refused(const json_t *json)
{
    static char text[4000];
    size_t index;
    json_t *failure;
    text[0] = '\0';
    json_array_foreach(json_object_get(json, "failures"), index, failure)
    {
        const char *arn = json_string_value(json_object_get(failure, "arn"));
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s",
                       index == 0 ? "" : "; ",
                       strncmp(arn, ARN, strlen(ARN)) == 0 ? arn + strlen(ARN) : arn,
                       json_string_value(json_object_get(failure, "reason")));
    }
    return text;
}

static void check_answer(int status, const char *request, const char *tasks, const char *failures)
{
    put_file("R.json", request);
    json_t *json = answer(status, "");
    assert_string_equal(placed(json), tasks);
    assert_string_equal(refused(json), failures);
    assert_null(json_object_get(json, "explain"));
    json_decref(json);
}

#define RESOURCES(cpu, memory, ports, gpus)                                                \
    "[{`name`:`CPU`,`type`:`INTEGER`,`doubleValue`:0.0,`longValue`:0,`integerValue`:" #cpu \
    "},{`name`:`MEMORY`,`type`:`INTEGER`,`integerValue`:" #memory                          \
    "},{`name`:`PORTS`,`type`:`STRINGSET`,`stringSetValue`:[" ports                        \
    "]},{`name`:`PORTS_UDP`,`type`:`STRINGSET`,`stringSetValue`:[]},{`name`:`GPU`,`type`:" \
    "`STRINGSET`,`stringSetValue`:[" gpus "]}]"

/* Given in falling order of id. c has GPUs, one busy; d is draining, e has lost its agent. */
static const char *const cluster[] = {
    "{`containerInstances`:["
    "{`containerInstanceArn`:`" ARN "e`,`status`:`ACTIVE`,`agentConnected`:false,",
    "`registeredResources`:" RESOURCES(4096, 8192, "", ""),
    ",`remainingResources`:" RESOURCES(4096, 8192, "", "") "},",
    "{`containerInstanceArn`:`" ARN "d`,`status`:`DRAINING`,`agentConnected`:true,",
    "`remainingResources`:" RESOURCES(4096, 8192, "", "") "},",
    "{`containerInstanceArn`:`" ARN "c`,`status`:`ACTIVE`,`agentConnected`:true,",
    "`attributes`:[{`name`:`ecs.availability-zone`,`value`:`z2`},{`name`:`disk`,`value`:`ssd`},",
    "{`name`:`ecs.subnet-id`,`value`:`subnet-2`}],",
    "`registeredResources`:" RESOURCES(4096, 8192, "`22`", "`g0`,`g1`,`g2`"),
    ",`remainingResources`:" RESOURCES(1024, 2048, "`22`", "`g0`,`g2`") "},",
    "{`containerInstanceArn`:`" ARN "b`,`status`:`ACTIVE`,`agentConnected`:true,",
    "`registeredAt`:1716546464.123,`futureMember`:{`x`:1},",
    "`attributes`:[{`name`:`ecs.availability-zone`,`value`:`z1`},",
    "{`name`:`ecs.subnet-id`,`value`:`subnet-1`}],",
    "`registeredResources`:" RESOURCES(4096, 8192, "`22`", ""),
    ",`remainingResources`:" RESOURCES(2048, 3072, "`22`,`8080`", "") "},",
    "{`containerInstanceArn`:`" ARN "a`,`status`:`ACTIVE`,`agentConnected`:true,",
    "`registeredAt`:`2024-05-24T12:27:44.123000+02:00`,",
    "`attributes`:[{`name`:`ecs.availability-zone`,`value`:`z1`},",
    "{`name`:`ecs.subnet-id`,`value`:`subnet-1`}],",
    "`registeredResources`:" RESOURCES(4096, 8192, "`22`", ""),
    ",`remainingResources`:" RESOURCES(2048, 4096, "`22`", "") "}],",
    "`tasks`:[{`taskArn`:`t1`,`containerInstanceArn`:`" ARN "a`,`group`:`family:web`,",
    "`desiredStatus`:`RUNNING`,`lastStatus`:`PENDING`,`createdAt`:1.5},",
    "{`taskArn`:`t2`,`containerInstanceArn`:`" ARN "c`,`group`:`family:web`,",
    "`desiredStatus`:`STOPPED`,`lastStatus`:`RUNNING`},",
    "{`taskArn`:`t3`,`containerInstanceArn`:`" ARN "c`,`group`:`service:db`,",
    "`desiredStatus`:`RUNNING`},",
    "{`taskArn`:`t4`,`group`:`family:web`,`desiredStatus`:`RUNNING`,`launchType`:`FARGATE`}],",
    "`taskDefinitions`:[",
    "{`taskDefinition`:{`family`:`web`,`revision`:2,`status`:`ACTIVE`,`containerDefinitions`:[",
    "{`name`:`app`,`image`:`i`,`cpu`:512,`memory`:1024,`essential`:true}]},`tags`:[]},",
    "{`family`:`web`,`revision`:1,`status`:`INACTIVE`,`containerDefinitions`:[",
    "{`name`:`app`,`image`:`i`,`cpu`:512,`memory`:1024}]},",
    "{`family`:`gpu`,`containerDefinitions`:[{`name`:`app`,`image`:`i`,`memory`:10,",
    "`resourceRequirements`:[{`type`:`GPU`,`value`:`1`}]}]},",
    "{`family`:`port`,`containerDefinitions`:[{`name`:`app`,`image`:`i`,`memory`:10,",
    "`portMappings`:[{`containerPort`:80,`hostPort`:8080}]}]},",
    "{`family`:`ssd`,`requiresAttributes`:[{`name`:`disk`,`value`:`ssd`}],",
    "`containerDefinitions`:[{`name`:`app`,`image`:`i`,`memory`:10}]},",
    "{`family`:`eni`,`networkMode`:`awsvpc`,`containerDefinitions`:[{`name`:`app`,`image`:`i`,",
    "`memory`:10}]}]}",
    NULL,
};

#define DOWN "d=INACTIVE; e=AGENT"

static void test_strategies(void **state)
{
    (void)state;
    /* a: 2048/4096 left, b: 2048/3072, c: 1024/2048. */
    check_answer(0,
                 "{`taskDefinition`:`web`,`count`:3,`placementStrategy`:[{`type`:`binpack`,"
                 "`field`:`memory`}]}",
                 "c c b", "");
    /* a hosts a running task of the group; the stopped one on c does not count. */
    check_answer(0,
                 "{`taskDefinition`:`web`,`count`:4,`placementStrategy`:[{`type`:`spread`,"
                 "`field`:`instanceId`}]}",
                 "b c a b", "");
    /* z1 has a task (on a), so c; then both have one, and c has the least memory; then z1. */
    check_answer(0,
                 "{`taskDefinition`:`web:2`,`count`:4,`placementStrategy`:[{`type`:`spread`,"
                 "`field`:`attribute:ecs.availability-zone`},{`type`:`binpack`,`field`:`memory`}]}",
                 "c c b b", "");
    /* In a group of its own nothing counts yet. */
    check_answer(0,
                 "{`taskDefinition`:`web`,`group`:`mine`,`count`:2,`placementStrategy`:[{`type`:"
                 "`spread`,`field`:`host`}]}",
                 "a b", "");
    check_answer(0, "{`taskDefinition`:`web`,`count`:2,`placementStrategy`:[{`type`:`firstFit`}]}",
                 "a a", "");
}

static void test_failures_name_every_instance_in_order(void **state)
{
    (void)state;
    /* Ten copies: CPU 512 each, so 4 on a and 3 on b (memory), 2 on c. */
    check_answer(1,
                 "{`taskDefinition`:`arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2`,"
                 "`count`:10,`placementStrategy`:[{`type`:`firstFit`}]}",
                 "a a a a b b b c c", "a=RESOURCE:CPU; b=RESOURCE:MEMORY; c=RESOURCE:CPU; " DOWN);
    check_answer(1, "{`taskDefinition`:`gpu`,`count`:3}", "c c",
                 "a=RESOURCE:GPU; b=RESOURCE:GPU; c=RESOURCE:GPU; " DOWN);
    check_answer(1, "{`taskDefinition`:`port`,`count`:3,`placementStrategy`:[{`type`:`firstFit`}]}",
                 "a c", "a=RESOURCE:PORTS; b=RESOURCE:PORTS; c=RESOURCE:PORTS; " DOWN);
    check_answer(
        1,
        "{`taskDefinition`:`ssd`,`count`:2,`placementConstraints`:[{`type`:"
        "`distinctInstance`}]}",
        "c",
        "a=ATTRIBUTE; b=ATTRIBUTE; c=DistinctInstance placement constraint unsatisfied; " DOWN);
    check_answer(1,
                 "{`taskDefinition`:`web`,`placementConstraints`:[{`type`:`memberOf`,`expression`:"
                 "`attribute:disk == hdd`}]}",
                 "",
                 "a=MemberOf placement constraint unsatisfied; "
                 "b=MemberOf placement constraint unsatisfied; "
                 "c=MemberOf placement constraint unsatisfied; " DOWN);
    check_answer(0,
                 "{`taskDefinition`:`web`,`placementConstraints`:[{`type`:`memberOf`,`expression`:"
                 "`task:group == service:db`}]}",
                 "c", "");
    check_answer(
        1,
        "{`taskDefinition`:`eni`,`count`:2,`placementConstraints`:[{`type`:"
        "`distinctInstance`}],`networkConfiguration`:{`awsvpcConfiguration`:{`subnets`:"
        "[`subnet-2`]}}}",
        "c", "a=LOCATION; b=LOCATION; c=DistinctInstance placement constraint unsatisfied; " DOWN);
}

static void test_overrides(void **state)
{
    (void)state;
    check_answer(
        1,
        "{`taskDefinition`:`web`,`count`:2,`overrides`:{`containerOverrides`:[{`name`:"
        "`app`,`cpu`:2000,`command`:[`x`]}]},`placementStrategy`:[{`type`:`binpack`,"
        "`field`:`memory`}],`placementConstraints`:[{`type`:`memberOf`,`expression`:"
        "`attribute:ecs.availability-zone != z9`},{`type`:`distinctInstance`},"
        "{`type`:`memberOf`,`expression`:`task:group != family:web`}]}",
        "b", "a=MemberOf placement constraint unsatisfied; b=RESOURCE:CPU; c=RESOURCE:CPU; " DOWN);
    check_answer(1, "{`taskDefinition`:`web`,`overrides`:{`memory`:`4 GB`,`cpu`:`3 vCPU`}}", "",
                 "a=RESOURCE:CPU; b=RESOURCE:CPU; c=RESOURCE:CPU; " DOWN);
    check_answer(0, "{`taskDefinition`:`web`,`overrides`:{`memory`:`4 GB`}}", "a", "");
    check_answer(0,
                 "{`taskDefinition`:`web`,`count`:4,`placementStrategy`:[{`type`:`binpack`,"
                 "`field`:`MEMORY`}],`overrides`:{`containerOverrides`:[{`name`:`app`,"
                 "`memoryReservation`:700}]}}",
                 "c c b b", "");
    check_answer(1,
                 "{`taskDefinition`:`web`,`count`:3,`overrides`:{`containerOverrides`:[{`name`:"
                 "`app`,`cpu`:0,`memory`:1,`resourceRequirements`:[{`type`:`GPU`,`value`:`2`}]}]}}",
                 "c", "a=RESOURCE:GPU; b=RESOURCE:GPU; c=RESOURCE:GPU; " DOWN);
}

static void test_no_instances(void **state)
{
    (void)state;
    put_file("C.json", "{`containerInstances`:[],`tasks`:[],`taskDefinitions`:[{`family`:`web`,"
                       "`containerDefinitions`:[{`name`:`a`,`image`:`i`,`memory`:1}]}]}");
    check_answer(1, "{`taskDefinition`:`web`,`cluster`:`prod`,`count`:2}", "",
                 "prod=NO ACTIVE INSTANCES");
    check_answer(1, "{`taskDefinition`:`web`}", "", "default=NO ACTIVE INSTANCES");
    put_file("C.json", "{`containerInstances`:[],`clusterArn`:`arn:c`,`taskDefinitions`:[{"
                       "`family`:`web`,`containerDefinitions`:[{`name`:`a`,`image`:`i`}]}]}");
    check_answer(1, "{`taskDefinition`:`web`,`cluster`:`prod`}", "", "arn:c=NO ACTIVE INSTANCES");
    put_files("C.json", cluster);
}

static void test_random_follows_the_seed(void **state)
{
    (void)state;
    char first[4000];
    bool differs = false;
    put_file("R.json", "{`taskDefinition`:`web`,`count`:6}");
    json_t *json = answer(0, "");
    (void)snprintf(first, sizeof first, "%s", placed(json));
    json_decref(json);
    json = answer(0, "--seed 1");
    assert_string_equal(placed(json), first);
    json_decref(json);
    for (int seed = 2; seed < 8; seed++) {
        char flag[20];
        (void)snprintf(flag, sizeof flag, "--seed=%d", seed);
        json = answer(0, flag);
        differs = differs || strcmp(placed(json), first) != 0;
        json_decref(json);
    }
    assert_true(differs);
}

static void test_explain(void **state)
{
    (void)state;
    put_file("R.json", "{`taskDefinition`:`ssd`,`count`:2,`placementStrategy`:[{`type`:`spread`,"
                       "`field`:`attribute:ecs.availability-zone`},{`type`:`binpack`,`field`:"
                       "`cpu`}],`placementConstraints`:[{`type`:`distinctInstance`}]}");
    json_t *json = answer(1, "--explain");
    const json_t *explain = json_object_get(json, "explain");
    assert_int_equal(json_array_size(explain), 2);
    const json_t *one = json_array_get(explain, 0), *two = json_array_get(explain, 1);
    assert_int_equal(json_integer_value(json_object_get(one, "copy")), 1);
    assert_string_equal(json_string_value(json_object_get(one, "containerInstanceArn")), ARN "c");
    assert_true(json_array_size(json_object_get(one, "steps")) >= 3);
    const json_t *counts = json_object_get(two, "refused");
    assert_int_equal(json_integer_value(json_object_get(counts, "ATTRIBUTE")), 2);
    assert_int_equal(json_integer_value(json_object_get(counts, "INACTIVE")), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(two, "closest"), "containerInstanceArn")),
        ARN "a");
    json_decref(json);
    assert_int_equal(place("--cluster C.json --request R.json --explain"), 1);
    assert_non_null(strstr(output, "1 of 2 copies of ssd:1 placed, group family:ssd"));
    assert_non_null(strstr(output, "copy 2 refused:"));
    assert_non_null(strstr(output, "ATTRIBUTE on 2"));
}

static void test_many_copies(void **state)
{
    (void)state;
    put_file("C.json",
             "{`containerInstances`:[{`containerInstanceArn`:`" ARN
             "a`,`remainingResources`:" RESOURCES(
                 200000, 1, "",
                 "") "}],`taskDefinitions`:[{`family`:`t`,`containerDefinitions`:[{`name`:`a`,"
                     "`image`:`i`,`cpu`:2}]}]}");
    put_file("R.json", "{`taskDefinition`:`t`,`count`:100000}");
    assert_int_equal(place("--cluster C.json --request R.json"), 0);
    assert_non_null(strstr(output, "100000 of 100000 copies of t:1 placed"));
    put_files("C.json", cluster);
}

static const struct {
    const char *name, *content; /* a file to write first, or NULL */
    const char *arguments, *message;
} refusals[] = {
    {NULL, NULL, "", "berth place: --cluster FILE is missing; see berth place --help\n"},
    {NULL, NULL, "--cluster C.json",
     "berth place: --request FILE is missing; see berth place "
     "--help\n"},
    {NULL, NULL, "C.json R.json",
     "berth place: \"C.json\": no such argument; name files with --cluster and --request\n"},
    {NULL, NULL, "--clustre x", "berth place: unknown option --clustre; did you mean --cluster?\n"},
    {NULL, NULL, "--cluster C.json --request R.json --format yaml",
     "berth place: --format: \"yaml\" is not known; use table or json\n"},
    {NULL, NULL, "--cluster C.json --request R.json --seed -1",
     "berth place: --seed: \"-1\" is not a whole number from 0 to 18446744073709551615\n"},
    {NULL, NULL, "--cluster none.json --request R.json",
     "berth place: none.json: no such file; check the path\n"},
    {NULL, NULL, "--cluster . --request R.json", "berth place: .: is a folder; name a file\n"},
    {"X", "{`taskDefinition`:`web`,`cuont`:3}", "--cluster C.json --request X",
     "berth place: X:/cuont: unknown key; did you mean \"count\"?\n"},
    {"X", "{`taskDefinition`:`web`,`count`:100001}", "--cluster C.json --request X",
     "berth place: X:/count: 100001 is out of range; write a whole number from 1 to 100000\n"},
    {"X", "{`taskDefinition`:`web`,`count`:9223372036854775808}", "--cluster C.json --request X",
     "berth place: X:1:51: too big integer near '9223372036854775808'; write a whole number within "
     "64 bits, or a real one below 1.8e308\n"},
    {"X", "{`taskDefinition`:`wbe`}", "--cluster C.json --request X",
     "berth place: X:/taskDefinition: \"wbe\" is not among the cluster's taskDefinitions; add what "
     "aws ecs describe-task-definition prints\n"},
    {"X", "{`taskDefinition`:`web:1`}", "--cluster C.json --request X",
     "berth place: X:/taskDefinition: web:1 is not ACTIVE, and ECS starts no task of it; use "
     "another revision\n"},
    {"X", "{`taskDefinition`:`web`,`launchType`:`FARGATE`}", "--cluster C.json --request X",
     "berth place: X:/launchType: FARGATE has no container instances; use EC2\n"},
    {"X", "{`taskDefinition`:`web`,`overrides`:{`containerOverrides`:[{`name`:`ap`,`cpu`:1}]}}",
     "--cluster C.json --request X",
     "berth place: X:/overrides/containerOverrides/0/name: \"ap\" is not a container of the "
     "definition; use one of its names\n"},
    {"X", "{`containerInstances`:[{`containerInstanceArn`:`" ARN "a`}]}",
     "--cluster X --request R.json",
     "berth place: X:/containerInstances/0/remainingResources: is missing; use the whole output of "
     "aws ecs describe-container-instances\n"},
    {"X", "{`containerInstance`:[]}", "--cluster X --request R.json",
     "berth place: X:/containerInstance: unknown key; did you mean \"containerInstances\"?\n"},
    {"X",
     "{`containerInstances`:[{`containerInstanceArn`:`" ARN "a`,`remainingResources`:["
     "{`name`:`PORTS`,`type`:`STRINGSET`,`stringSetValue`:[`70000`]}]}]}",
     "--cluster X --request R.json",
     "berth place: X:/containerInstances/0/remainingResources/0/stringSetValue/0: \"70000\" is not "
     "a port; write 0 to 65535\n"},
    {"X",
     "{`containerInstances`:[{`containerInstanceArn`:`a/x`,`remainingResources`:[]},"
     "{`containerInstanceArn`:`b/x`,`remainingResources`:[]}]}",
     "--cluster X --request R.json",
     "berth place: X:/containerInstances: instance \"x\" stands there twice; keep one\n"},
};

static void test_refusals(void **state)
{
    (void)state;
    put_file("R.json", "{`taskDefinition`:`web`}");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].name != NULL)
            put_file(refusals[i].name, refusals[i].content);
        assert_int_equal(place(refusals[i].arguments), 2);
        assert_string_equal(output, refusals[i].message);
    }
}

/* The words of a strategy's or an expression's mistake are the engine's; the place is ours. */
static void test_strategy_and_expression_mistakes_say_where(void **state)
{
    (void)state;
    put_file("X",
             "{`taskDefinition`:`web`,`placementStrategy`:[{`type`:`binpack`,`field`:`mem`}]}");
    assert_int_equal(place("--cluster C.json --request X"), 2);
    assert_int_equal(strncmp(output, "berth place: X: ", 16), 0);
    assert_non_null(strstr(output, "placementStrategy[0].field"));
    put_file("X", "{`taskDefinition`:`web`,`placementStrategy`:[{`type`:`binpak`}]}");
    assert_int_equal(place("--cluster C.json --request X"), 2);
    assert_non_null(strstr(output, "did you mean"));
    put_file("X", "{`taskDefinition`:`web`,`placementConstraints`:[{`type`:`memberOf`,"
                  "`expression`:`attribute:x = 1`}]}");
    assert_int_equal(place("--cluster C.json --request X"), 2);
    assert_non_null(strstr(output, "column 13: = is not an operator; write == for equality"));
}

static void test_a_full_disk_is_the_environments_fault(void **state)
{
    (void)state;
    put_file("R.json", "{`taskDefinition`:`web`,`count`:10}");
    assert_int_equal(place("--cluster C.json --request R.json >/dev/full"), 3);
}

/* a holds two services' tasks, a daemon's, a job and one that stops; b has room for web, not db. */
static const char *const drained[] = {
    "{`containerInstances`:["
    "{`containerInstanceArn`:`" ARN "a`,`status`:`ACTIVE`,`agentConnected`:true,",
    "`registeredResources`:" RESOURCES(4096, 8192, "", ""),
    ",`remainingResources`:" RESOURCES(1024, 2048, "", "") "},",
    "{`containerInstanceArn`:`" ARN "b`,`status`:`ACTIVE`,`agentConnected`:true,",
    "`registeredResources`:" RESOURCES(4096, 8192, "", ""),
    ",`remainingResources`:" RESOURCES(1024, 1536, "", "") "},",
    "{`containerInstanceArn`:`" ARN "c`,`status`:`ACTIVE`,`agentConnected`:false,",
    "`registeredResources`:" RESOURCES(4096, 8192, "", ""),
    ",`remainingResources`:" RESOURCES(4096, 8192, "", "") "}],",
    "`tasks`:[{`taskArn`:`t1`,`containerInstanceArn`:`" ARN "a`,`group`:`service:web`,",
    "`taskDefinitionArn`:`web:1`,`desiredStatus`:`RUNNING`},",
    "{`taskArn`:`t2`,`containerInstanceArn`:`" ARN "a`,`group`:`service:db`,",
    "`taskDefinitionArn`:`db:1`,`desiredStatus`:`RUNNING`},",
    "{`taskArn`:`t3`,`containerInstanceArn`:`" ARN "a`,`group`:`family:job`,",
    "`taskDefinitionArn`:`web:1`,`desiredStatus`:`RUNNING`},",
    "{`taskArn`:`t4`,`containerInstanceArn`:`" ARN "a`,`group`:`service:logs`,",
    "`taskDefinitionArn`:`web:1`,`desiredStatus`:`RUNNING`},",
    "{`taskArn`:`t5`,`containerInstanceArn`:`" ARN "a`,`group`:`service:web`,",
    "`taskDefinitionArn`:`web:1`,`desiredStatus`:`STOPPED`},",
    "{`taskArn`:`t6`,`containerInstanceArn`:`" ARN "b`,`group`:`service:web`,",
    "`taskDefinitionArn`:`web:1`,`desiredStatus`:`RUNNING`}],",
    "`services`:[{`serviceName`:`logs`,`schedulingStrategy`:`DAEMON`},",
    "{`serviceName`:`web`,`taskDefinition`:`web:1`,",
    "`placementStrategy`:[{`type`:`binpack`,`field`:`memory`}]}],",
    "`taskDefinitions`:[",
    "{`family`:`web`,`revision`:1,`containerDefinitions`:[",
    "{`name`:`app`,`image`:`i`,`cpu`:512,`memory`:1024}]},",
    "{`family`:`db`,`revision`:1,`containerDefinitions`:[",
    "{`name`:`app`,`image`:`i`,`cpu`:512,`memory`:3072}]}]}",
    NULL,
};

static void test_drain(void **state)
{
    (void)state;
    put_files("D.json", drained);
    assert_int_equal(place("--cluster D.json --drain a"), 1);
    assert_non_null(strstr(output, "a drained: 5 tasks, 1 move, 1 without room, 1 stay, 2 end"));
    assert_non_null(strstr(output, "moves to b"));
    assert_non_null(strstr(output, "service:db finds no room: INACTIVE on 1, AGENT on 1, "
                                   "RESOURCE:MEMORY on 1; closest is "));
    assert_null(strstr(output, "\n  c "));
    assert_int_equal(place("--cluster D.json --drain " ARN "a --per-instance"), 1);
    assert_non_null(strstr(output, "\n  a         INACTIVE\n  b         RESOURCE:MEMORY\n"
                                   "  c         AGENT\n"));
    assert_int_equal(place("--cluster D.json --drain b"), 0);
    assert_non_null(strstr(output, "b drained: 1 task, 1 move, 0 without room"));
    assert_non_null(strstr(output, "moves to a"));
    assert_int_equal(place("--cluster D.json --drain c"), 0);
    assert_non_null(strstr(output, "c drained: 0 tasks"));
}

static void test_drain_as_json(void **state)
{
    (void)state;
    json_error_t failure;
    put_files("D.json", drained);
    assert_int_equal(place("--cluster D.json --drain a --format json --per-instance"), 1);
    json_t *json = json_loads(output, 0, &failure);
    assert_non_null(json);
    json_t *tasks = json_object_get(json, "tasks");
    assert_int_equal(json_array_size(tasks), 5);
    const json_t *refused_task = json_array_get(tasks, 0), *moved = json_array_get(tasks, 1);
    assert_string_equal(json_string_value(json_object_get(refused_task, "group")), "service:db");
    assert_string_equal(json_string_value(json_object_get(refused_task, "fate")), "no room");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(refused_task, "refused"), "AGENT")), 1);
    assert_string_equal(json_string_value(json_object_get(moved, "taskArn")), "t1");
    assert_string_equal(json_string_value(json_object_get(moved, "containerInstanceArn")), ARN "b");
    assert_string_equal(refused(json), "a=INACTIVE; b=RESOURCE:MEMORY; c=AGENT");
    json_decref(json);
}

static void test_drain_refusals(void **state)
{
    static const struct {
        const char *arguments, *text;
    } rows[] = {
        {"--cluster D.json --drain zz", "--drain: \"zz\" is not among the containerInstances"},
        {"--cluster D.json --drain a --request R.json", "--drain takes no --request"},
        {"--cluster D.json --drain a --explain", "--drain takes no --explain"},
        {"--cluster D.json --request R.json --per-instance", "--per-instance is for --drain"},
        {"--cluster E.json --drain a", "E.json:/taskDefinitions: db:1 of service:db is not there"},
    };
    (void)state;
    const char *pieces[sizeof drained / sizeof drained[0]];
    memcpy(pieces, drained, sizeof drained);
    pieces[sizeof drained / sizeof drained[0] - 3] = "{`family`:`other`,`containerDefinitions`:[";
    put_files("D.json", drained);
    put_files("E.json", pieces);
    put_file("R.json", "{`taskDefinition`:`web`}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(place(rows[i].arguments), 2);
        if (strstr(output, rows[i].text) == NULL)
            fail_msg("%s: %s", rows[i].arguments, output);
    }
}

static void test_help(void **state)
{
    (void)state;
    assert_int_equal(place("--help"), 0);
    assert_non_null(strstr(output, "Usage: berth place"));
    assert_non_null(strstr(output, "Example"));
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    put_files("C.json", cluster);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"C.json", "D.json", "E.json", "R.json", "X"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strategies),
        cmocka_unit_test(test_failures_name_every_instance_in_order),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_no_instances),
        cmocka_unit_test(test_random_follows_the_seed),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_many_copies),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_strategy_and_expression_mistakes_say_where),
        cmocka_unit_test(test_a_full_disk_is_the_environments_fault),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_as_json),
        cmocka_unit_test(test_drain_refusals),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
