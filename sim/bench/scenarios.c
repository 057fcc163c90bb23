#include "sim/bench/scenarios.h"

#include <inttypes.h>

#define SHAPES 40
#define INSTANCE_MIB 16384

static uint32_t shape_mib(uint32_t shape)
{
    return 512 + shape * 23 % 6 * 256;
}

static uint32_t shape_cpu(uint32_t shape)
{
    return 256 + shape * 37 % 9 * 64;
}

static void begin(struct text *json, uint32_t instances, const char *size)
{
    text_addf(json,
              "{\"version\":1,\"name\":\"bench\",\"fleet\":{\"all\":{\"count\":%" PRIu32
              ",%s,\"zones\":[\"a\",\"b\",\"c\"]}},\"taskDefinitions\":{",
              instances, size);
}

static void end_with(struct text *json, uint32_t duration_s, const char *strategy)
{
    text_addf(json,
              "\"run\":{\"duration\":%" PRIu32 ",\"replications\":1,\"placementStrategy\":[%s]}}",
              duration_s, strategy);
}

static void end(struct text *json, uint32_t duration_s)
{
    end_with(json, duration_s, "{\"type\":\"binpack\",\"field\":\"memory\"}");
}

static const char *comma(uint32_t i)
{
    return i == 0 ? "" : ",";
}

/* `container`: further keys of it. */
static void add_definition(struct text *json, uint32_t image, uint32_t cpu, uint32_t mib,
                           const char *container)
{
    text_addf(json,
              "{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i%" PRIu32
              "\",\"cpu\":%" PRIu32 ",\"memory\":%" PRIu32 "%s}]}",
              image, cpu, mib, container);
}

double scenario_churn_tasks(const struct churn *churn)
{
    double sum = 0;
    for (uint32_t i = 0; i < SHAPES; i++)
        sum += shape_mib(i);
    return churn->fill_percent / 100.0 * churn->instances * INSTANCE_MIB * SHAPES / sum;
}

void scenario_write_churn(const struct churn *churn, struct text *json)
{
    double per_hour = scenario_churn_tasks(churn) / SHAPES * 3600 / churn->life_s;
    begin(json, churn->instances, "\"cpu\":\"8 vCPU\",\"memory\":\"16 GB\"");
    for (uint32_t i = 0; i < SHAPES; i++) {
        text_addf(json, "%s\"t%" PRIu32 "\":", comma(i), i);
        add_definition(json, i, shape_cpu(i), shape_mib(i), "");
    }
    text_add(json, "},\"arrivals\":{");
    for (uint32_t i = 0; i < SHAPES; i++)
        text_addf(json,
                  "%s\"a%" PRIu32 "\":{\"ratePerHour\":%.3f,\"taskDefinition\":\"t%" PRIu32
                  "\",\"lifetime\":{\"distribution\":\"exponential\",\"mean\":%" PRIu32 "}}",
                  comma(i), i, per_hour, i, churn->life_s);
    text_add(json, "},");
    end(json, churn->duration_s);
}

/* Each quarter of the definitions falls ill: half an hour well, ill for five minutes (means). */
static void add_mortal_definitions(struct text *json, uint32_t life_s)
{
    for (uint32_t i = 0; i < SHAPES; i++) {
        text_addf(json, "%s\"t%" PRIu32 "\":{\"definition\":", comma(i), i);
        add_definition(json, i, shape_cpu(i), shape_mib(i),
                       ",\"healthCheck\":{\"command\":[\"CMD\",\"x\"],\"interval\":30,"
                       "\"timeout\":5,\"retries\":3}");
        text_addf(json, ",\"lifetime\":{\"distribution\":\"exponential\",\"mean\":%" PRIu32 "}%s}",
                  life_s,
                  i % 4 != 0
                      ? ""
                      : ",\"unhealthyAfter\":{\"distribution\":\"exponential\",\"mean\":1800},"
                        "\"recoversAfter\":{\"distribution\":\"exponential\",\"mean\":300}");
    }
}

/* Behind the definitions. */
static void add_services(struct text *json, uint32_t count, uint32_t copies)
{
    text_add(json, "},\"services\":{");
    for (uint32_t i = 0; i < count; i++)
        text_addf(json,
                  "%s\"s%" PRIu32 "\":{\"taskDefinition\":\"t%" PRIu32
                  "\",\"desiredCount\":%" PRIu32 "}",
                  comma(i), i, i % SHAPES, copies);
}

void scenario_write_services(const struct service_churn *churn, struct text *json)
{
    begin(json, churn->instances, "\"cpu\":\"8 vCPU\",\"memory\":\"16 GB\"");
    add_mortal_definitions(json, churn->life_s);
    add_services(json, churn->services, churn->copies);
    text_add(json, "},\"timeline\":{");
    for (uint32_t i = 0; i < churn->deployed; i++)
        text_addf(json,
                  "%s\"d%" PRIu32 "\":{\"at\":%" PRIu32 ",\"deploy\":{\"service\":\"s%" PRIu32
                  "\",\"taskDefinition\":\"t%" PRIu32 "\"}}",
                  comma(i), i, churn->duration_s / 3 + i, i, (i + 1) % SHAPES);
    text_add(json, "},");
    end(json, churn->duration_s);
}

void scenario_write_start_up(const struct start_up *start_up, struct text *json)
{
    begin(json, start_up->instances, "\"cpu\":\"64 vCPU\",\"memory\":\"128 GB\"");
    for (uint32_t i = 0; i < SHAPES; i++) {
        text_addf(json, "%s\"t%" PRIu32 "\":{\"definition\":", comma(i), i);
        add_definition(json, i, 256, 512, "");
        text_add(json, ",\"imageMiB\":200,\"start\":{\"distribution\":\"exponential\","
                       "\"mean\":2}}");
    }
    add_services(json, start_up->services, start_up->copies);
    text_add(json, "},");
    end(json, start_up->duration_s);
}

void scenario_write_machines(uint32_t instances, const char *csv, uint32_t duration_s,
                             struct text *json)
{
    begin(json, instances, "\"cpu\":\"64 vCPU\",\"memory\":\"256 GB\"");
    for (uint32_t i = 0; i < 4; i++)
        text_addf(json,
                  "%s\"vm%" PRIu32
                  "\":{\"containerDefinitions\":[{\"name\":\"vm\",\"image\":\"vm\","
                  "\"cpu\":%" PRIu32 ",\"memory\":%" PRIu32 "}]}",
                  comma(i), i, UINT32_C(1024) << i, UINT32_C(4096) << i);
    text_addf(json, "},\"arrivals\":{\"trace\":{\"csv\":\"%s\"}},", csv);
    end(json, duration_s);
}

void scenario_write_population(const struct population *population, struct text *json)
{
    begin(json, population->instances, "\"cpu\":\"8 vCPU\",\"memory\":\"16 GB\"");
    for (uint32_t i = 0; i < SHAPES; i++) {
        text_addf(json, "%s\"t%" PRIu32 "\":", comma(i), i);
        add_definition(json, i, 256, 512, "");
    }
    text_add(json, ",\"hourly\":{\"definition\":");
    add_definition(json, 0, 256, 512, "");
    text_addf(json,
              ",\"lifetime\":3600}},\"services\":{\"s\":{\"taskDefinition\":\"hourly\","
              "\"desiredCount\":%" PRIu32 "}},\"arrivals\":{",
              population->copies);
    for (uint32_t i = 0; i < SHAPES; i++)
        text_addf(json,
                  "%s\"b%" PRIu32 "\":{\"batch\":%" PRIu32 ",\"startAt\":%" PRIu32
                  ",\"taskDefinition\":\"t%" PRIu32 "\",\"lifetime\":%" PRIu32 "}",
                  comma(i), i, population->at_once / SHAPES + (population->at_once == 0), i, i,
                  population->at_once_life_s);
    for (uint32_t i = 0; i < SHAPES; i++)
        text_addf(json,
                  ",\"r%" PRIu32 "\":{\"ratePerHour\":%.6f,\"taskDefinition\":\"t%" PRIu32
                  "\",\"lifetime\":%" PRIu32 "}",
                  i, population->per_hour / SHAPES, i, population->life_s);
    text_add(json, "},");
    end_with(json, population->duration_s, "{\"type\":\"spread\",\"field\":\"instanceId\"}");
}

void scenario_write_large(uint32_t count, struct text *json)
{
    text_add(json, "{\"version\":1,\"name\":\"large\",\"fleet\":{");
    for (uint32_t i = 0; i < count; i++)
        text_addf(json,
                  "%s\"group-%" PRIu32 "\":{\"count\":1,\"cpu\":\"4 vCPU\",\"memory\":\"16 GB\","
                  "\"zones\":[\"eu-west-1a\",\"eu-west-1b\"]}",
                  comma(i), i);
    text_add(json, "},\"taskDefinitions\":{");
    for (uint32_t i = 0; i < count; i++) {
        text_addf(json, "%s\"definition-%" PRIu32 "\":{\"definition\":", comma(i), i);
        add_definition(json, i, 64, 128,
                       ",\"essential\":true,\"environment\":[{\"name\":\"REGION\",\"value\":"
                       "\"eu-west-1\"},{\"name\":\"STAGE\",\"value\":\"production\"}],"
                       "\"portMappings\":[{\"containerPort\":8080,\"protocol\":\"tcp\"}]");
        text_add(json, "}");
    }
    text_add(json, "},\"services\":{");
    for (uint32_t i = 0; i < count; i++)
        text_addf(json,
                  "%s\"service-%" PRIu32 "\":{\"taskDefinition\":\"definition-%" PRIu32
                  "\",\"desiredCount\":0,\"placementStrategy\":[{\"type\":\"spread\",\"field\":"
                  "\"attribute:ecs.availability-zone\"},{\"type\":\"binpack\",\"field\":"
                  "\"memory\"}]}",
                  comma(i), i, count - 1 - i);
    text_add(json, "},\"timeline\":{");
    for (uint32_t i = 0; i < count / 5; i++)
        text_addf(json,
                  "%s\"entry-%" PRIu32 "\":{\"at\":1,\"scale\":{\"service\":\"service-%" PRIu32
                  "\",\"desiredCount\":0}}",
                  comma(i), i, i);
    text_add(json, "},");
    end(json, 60);
}
