#include "tests/support/tiny.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

const char *tiny_text(const char *run)
{
    static char text[4000];
    const char *replications = strstr(run, "\"replications\"") == NULL ? ",\"replications\":4" : "";
    (void)snprintf(
        text, sizeof text,
        "{\"version\":1,\"name\":\"tiny\",\"question\":\"Which one?\","
        "\"fleet\":{\"m\":{\"count\":6,\"cpu\":2048,\"memory\":4096,"
        "\"zones\":[\"a\",\"b\",\"c\"],\"pricePerHour\":0.1}},"
        "\"taskDefinitions\":{"
        "\"web\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"w\",\"image\":\"w\","
        "\"cpu\":256,\"memory\":512}]},\"start\":1},"
        "\"job\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"j\",\"image\":\"j\","
        "\"cpu\":700,\"memory\":900}]},\"lifetime\":{\"distribution\":\"exponential\","
        "\"mean\":120}}},"
        "\"services\":{\"web\":{\"taskDefinition\":\"web\",\"desiredCount\":6}},"
        "\"arrivals\":{\"jobs\":{\"taskDefinition\":\"job\",\"ratePerHour\":300,"
        "\"onFull\":\"wait\"}},"
        "\"timeline\":{\"dies\":{\"at\":300,\"fail\":{\"instance\":1,\"mode\":\"terminate\","
        "\"for\":200}}},"
        "\"run\":{\"duration\":900%s%s},"
        "\"compare\":{\"variants\":{"
        "\"spread\":{\"run\":{\"placementStrategy\":[{\"type\":\"spread\","
        "\"field\":\"attribute:ecs.availability-zone\"}]}},"
        "\"binpack\":{\"run\":{\"placementStrategy\":[{\"type\":\"binpack\","
        "\"field\":\"memory\"}]}}}}}",
        replications, run);
    return text;
}

struct scenario_set *tiny_load(const char *run)
{
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    const char *text = tiny_text(run);
    if (scenario_load_text(text, strlen(text), ".", &set, &err) != BERTH_OK)
        fail_msg("tiny scenario: %s", err.text);
    return set;
}
