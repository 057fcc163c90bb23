/* fixture.h -- small clusters for tests: instances from one line each, plans from texts. */
#ifndef BERTH_TESTS_PLACEMENT_FIXTURE_H
#define BERTH_TESTS_PLACEMENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/model/values.h"
#include "scheduler/placement/placement.h"

struct fixture {
    struct symbols *symbols;
    struct cluster *cluster;
    group_id group;
    struct rng stream;
};

static inline struct fixture fixture_begin(void)
{
    struct fixture fixture = {.symbols = symbols_create()};
    fixture.cluster = cluster_create(fixture.symbols);
    fixture.group = cluster_group(fixture.cluster, symbols_add(fixture.symbols, "service:web"));
    fixture.stream.key = rng_key(1, "test", 0);
    return fixture;
}

static inline void fixture_end(struct fixture *fixture)
{
    cluster_audit(fixture->cluster);
    cluster_destroy(fixture->cluster);
    symbols_destroy(fixture->symbols);
}

/* zone NULL: without the attribute. Returns the number, which the name spells: i00000007. */
static inline instance_id fixture_add(struct fixture *fixture, int32_t cpu_units, int32_t mem_mib,
                                      const char *zone)
{
    char name[16];
    uint32_t next = cluster_instance_count(fixture->cluster);
    snprintf(name, sizeof name, "i%08u", next);
    struct attribute attribute = {symbols_add(fixture->symbols, "ecs.availability-zone"),
                                  symbols_add(fixture->symbols, zone)};
    struct instance_spec spec = {.name = name,
                                 .ec2_id = "i-0",
                                 .agent_version = "1.0.0",
                                 .cpu_units = cpu_units,
                                 .mem_mib = mem_mib,
                                 .attributes = &attribute,
                                 .attribute_count = zone != NULL};
    instance_id id = cluster_add_instance(fixture->cluster, &spec);
    assert_int_equal(id, next);
    return id;
}

/* "spread attribute:rack, binpack memory"; NULL: the default of a service. */
static inline struct placement_plan *fixture_plan(struct fixture *fixture, const char *chain)
{
    char copy[256] = "";
    struct placement_strategy_spec specs[8];
    size_t count = 0;
    struct berth_error err = BERTH_ERROR_INIT;
    struct placement_plan *plan = NULL;
    snprintf(copy, sizeof copy, "%s", chain == NULL ? "" : chain);
    for (char *rest = copy; *rest != '\0';) {
        char *type = rest + strspn(rest, " ");
        rest = type + strcspn(type, ",");
        if (*rest == ',')
            *rest++ = '\0';
        char *field = strchr(type, ' ');
        if (field != NULL)
            *field++ = '\0';
        specs[count++] = (struct placement_strategy_spec){type, field};
    }
    assert_int_equal(placement_plan_create(fixture->symbols, NULL, specs, count, NULL, 0,
                                           PLACEMENT_DEFAULT_SERVICE, &plan, &err),
                     BERTH_OK);
    return plan;
}

static inline struct placement_request fixture_request(struct fixture *fixture,
                                                       const struct placement_plan *plan,
                                                       const struct demand *demand)
{
    return (struct placement_request){
        .plan = plan, .demand = demand, .group = fixture->group, .stream = &fixture->stream};
}

static inline void fixture_take(struct fixture *fixture, instance_id id,
                                const struct demand *demand)
{
    struct gpu_grant grants[GPU_DEVICES_MAX];
    cluster_reserve(fixture->cluster, id, demand, grants);
    cluster_join(fixture->cluster, id, fixture->group);
}

#endif
