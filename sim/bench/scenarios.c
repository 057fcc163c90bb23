#include "sim/bench/scenarios.h"

#include <inttypes.h>

#define INSTANCE_MIB 16384

static uint32_t shape_mib(uint32_t shape)
{
    return 512 + shape * 23 % 6 * 256;
}

static void add_shapes(struct text *json)
{
    text_add(json, "\"taskDefinitions\":{");
    for (uint32_t i = 0; i < SCENARIO_SHAPES; i++)
        text_addf(json,
                  "%s\"t%" PRIu32
                  "\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"i%" PRIu32
                  "\",\"cpu\":%" PRIu32 ",\"memory\":%" PRIu32 "}]}",
                  i == 0 ? "" : ",", i, i, 256 + i * 37 % 9 * 64, shape_mib(i));
    text_add(json, "},");
}

static void add_fleet(struct text *json, uint32_t instances)
{
    text_addf(json,
              "{\"version\":1,\"name\":\"bench\",\"fleet\":{\"all\":{\"count\":%" PRIu32
              ",\"cpu\":\"8 vCPU\",\"memory\":\"16 GB\",\"zones\":[\"a\",\"b\",\"c\"]}},",
              instances);
}

double scenario_churn_tasks(const struct churn *churn)
{
    double sum = 0;
    for (uint32_t i = 0; i < SCENARIO_SHAPES; i++)
        sum += shape_mib(i);
    return churn->fill_percent / 100.0 * churn->instances * INSTANCE_MIB * SCENARIO_SHAPES / sum;
}

void scenario_write_churn(const struct churn *churn, struct text *json)
{
    double per_hour = scenario_churn_tasks(churn) / SCENARIO_SHAPES * 3600 / churn->life_s;
    add_fleet(json, churn->instances);
    add_shapes(json);
    text_add(json, "\"arrivals\":{");
    for (uint32_t i = 0; i < SCENARIO_SHAPES; i++)
        text_addf(json,
                  "%s\"a%" PRIu32 "\":{\"ratePerHour\":%.3f,\"taskDefinition\":\"t%" PRIu32
                  "\",\"lifetime\":{\"distribution\":\"exponential\",\"mean\":%" PRIu32 "}}",
                  i == 0 ? "" : ",", i, per_hour, i, churn->life_s);
    text_addf(json,
              "},\"run\":{\"duration\":%" PRIu32 ",\"replications\":1,\"placementStrategy\":"
              "[{\"type\":\"binpack\",\"field\":\"memory\"}]}}",
              churn->duration_s);
}
