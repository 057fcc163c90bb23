#include "sim/bench/naive_scan.h"

#include <assert.h>

#include "scheduler/base/mem.h"

enum { BLOCK = 64, NEVER = INT32_MAX };

/* Zones in order of first sight. */
static uint32_t find_zones(struct naive_fleet *fleet, const struct cluster *cluster, bool has_zones)
{
    symbol seen[NAIVE_ZONES_MAX];
    for (instance_id id = 0; id < fleet->count; id++) {
        symbol zone = has_zones ? cluster_instance(cluster, id)->zone : SYMBOL_NONE;
        uint32_t z = 0;
        while (z < fleet->zone_count && seen[z] != zone)
            z++;
        if (z == fleet->zone_count) {
            assert(z < NAIVE_ZONES_MAX);
            seen[fleet->zone_count++] = zone;
        }
        fleet->zones_of[id] = z;
        fleet->begins[z + 1]++;
    }
    for (uint32_t z = 0; z < fleet->zone_count; z++)
        fleet->begins[z + 1] =
            fleet->begins[z] + (fleet->begins[z + 1] + BLOCK - 1) / BLOCK * BLOCK;
    return fleet->begins[fleet->zone_count];
}

static void take_state(struct naive_fleet *fleet, const struct cluster *cluster)
{
    uint32_t next[NAIVE_ZONES_MAX];
    for (uint32_t z = 0; z < fleet->zone_count; z++)
        next[z] = fleet->begins[z];
    for (uint32_t place = 0; place < fleet->padded; place++) {
        fleet->ids[place] = INSTANCE_NONE;
        fleet->cpu[place] = -1;
    }
    for (instance_id id = 0; id < fleet->count; id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        uint32_t place = next[fleet->zones_of[id]]++;
        fleet->ids[place] = id;
        fleet->places[id] = place;
        fleet->cpu[place] = instance->cpu_remaining;
        fleet->mem[place] = instance->mem_remaining;
    }
}

struct naive_fleet *naive_fleet_of(const struct cluster *cluster, uint32_t group_count,
                                   bool has_zones)
{
    struct naive_fleet *fleet = mem_alloc(sizeof *fleet);
    fleet->count = cluster_instance_count(cluster);
    fleet->group_count = group_count;
    fleet->zones_of = mem_alloc(fleet->count * sizeof *fleet->zones_of);
    fleet->places = mem_alloc(fleet->count * sizeof *fleet->places);
    fleet->padded = find_zones(fleet, cluster, has_zones);
    fleet->ids = mem_alloc(fleet->padded * sizeof *fleet->ids);
    fleet->cpu = mem_alloc(fleet->padded * sizeof *fleet->cpu);
    fleet->mem = mem_alloc(fleet->padded * sizeof *fleet->mem);
    fleet->tasks = mem_alloc((size_t)group_count * fleet->padded * sizeof *fleet->tasks);
    fleet->zone_tasks =
        mem_alloc((size_t)group_count * fleet->zone_count * sizeof *fleet->zone_tasks);
    fleet->least = mem_alloc(fleet->padded / BLOCK * sizeof *fleet->least);
    take_state(fleet, cluster);
    return fleet;
}

void naive_fleet_destroy(struct naive_fleet *fleet)
{
    if (fleet == NULL)
        return;
    mem_free(fleet->zones_of);
    mem_free(fleet->places);
    mem_free(fleet->ids);
    mem_free(fleet->cpu);
    mem_free(fleet->mem);
    mem_free(fleet->tasks);
    mem_free(fleet->zone_tasks);
    mem_free(fleet->least);
    mem_free(fleet);
}

/* The least score of those that fit. A constant count and no branch: compilers vectorise it. */
static int32_t least_of_block(const int32_t *restrict free_cpu, const int32_t *restrict free_mem,
                              const int32_t *restrict scores, int32_t cpu, int32_t mem)
{
    int32_t least = NEVER;
    for (int i = 0; i < BLOCK; i++) {
        int32_t misfit = -(int32_t)((free_cpu[i] < cpu) | (free_mem[i] < mem));
        int32_t score = scores[i] | (misfit & NEVER);
        least = score < least ? score : least;
    }
    return least;
}

struct naive_best {
    instance_id id;
    int32_t score, tasks;
};

/* The best of places [begin, end) against `best`: score, then tasks of the group, then id. */
static void scan(struct naive_fleet *fleet, uint32_t begin, uint32_t end, const int32_t *scores,
                 const int32_t *tasks, int32_t cpu, int32_t mem, struct naive_best *best)
{
    int32_t least = best->score;
    for (uint32_t at = begin; at < end; at += BLOCK) {
        int32_t here = fleet->least[at / BLOCK] =
            least_of_block(fleet->cpu + at, fleet->mem + at, scores + at, cpu, mem);
        least = here < least ? here : least;
    }
    if (least == NEVER)
        return;
    for (uint32_t at = begin; at < end; at += BLOCK) {
        if (fleet->least[at / BLOCK] != least)
            continue;
        for (uint32_t i = at; i < at + BLOCK; i++) {
            if (scores[i] != least || fleet->cpu[i] < cpu || fleet->mem[i] < mem)
                continue;
            struct naive_best mine = {fleet->ids[i], least, tasks[i]};
            if (mine.score < best->score || mine.tasks < best->tasks ||
                (mine.tasks == best->tasks && mine.id < best->id))
                *best = mine;
        }
    }
}

instance_id naive_binpack(struct naive_fleet *fleet, uint32_t group, int32_t cpu, int32_t mem)
{
    struct naive_best best = {INSTANCE_NONE, NEVER, NEVER};
    scan(fleet, 0, fleet->padded, fleet->mem, fleet->tasks + (size_t)group * fleet->padded, cpu,
         mem, &best);
    return best.id;
}

/* Zones from the fewest tasks of the group on; those of equal count are one choice. */
instance_id naive_spread(struct naive_fleet *fleet, uint32_t group, int32_t cpu, int32_t mem)
{
    const int32_t *zone_tasks = fleet->zone_tasks + (size_t)group * fleet->zone_count;
    const int32_t *tasks = fleet->tasks + (size_t)group * fleet->padded;
    struct naive_best best = {INSTANCE_NONE, NEVER, NEVER};
    for (int32_t above = -1; best.id == INSTANCE_NONE;) {
        int32_t fewest = NEVER;
        for (uint32_t z = 0; z < fleet->zone_count; z++)
            if (zone_tasks[z] > above && zone_tasks[z] < fewest)
                fewest = zone_tasks[z];
        if (fewest == NEVER)
            break;
        for (uint32_t z = 0; z < fleet->zone_count; z++)
            if (zone_tasks[z] == fewest)
                scan(fleet, fleet->begins[z], fleet->begins[z + 1], tasks, tasks, cpu, mem, &best);
        above = fewest;
    }
    return best.id;
}

void naive_charge(struct naive_fleet *fleet, instance_id id, uint32_t group, int32_t cpu,
                  int32_t mem, int32_t sign)
{
    uint32_t place = fleet->places[id];
    fleet->cpu[place] -= sign * cpu;
    fleet->mem[place] -= sign * mem;
    fleet->tasks[(size_t)group * fleet->padded + place] += sign;
    fleet->zone_tasks[(size_t)group * fleet->zone_count + fleet->zones_of[id]] += sign;
}
