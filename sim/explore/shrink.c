#include "sim/explore/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

static const char *const collections[] = {"faults",   "failures", "timeline",
                                          "arrivals", "services", "fleet"};

#define HEAL "heal-" /* timeline entries that end the faults, by name */

struct names {
    char **items; /* owned */
    size_t count;
    size_t capacity;
};

static void names_of(json_t *object, struct names *out)
{
    const char *name;
    json_t *value;
    *out = (struct names){NULL, 0, 0};
    json_object_foreach(object, name, value) * vec_push(out) = mem_copy_text(name);
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->items[i]);
    vec_free(names);
}

static const char *entry_service(json_t *entry)
{
    const char *name;
    json_t *value;
    json_object_foreach(entry, name, value)
    {
        const char *service = json_string_value(json_object_get(value, "service"));
        if (service != NULL)
            return service;
    }
    return NULL;
}

/* What is done to a service that is not there any more is not done. */
static void drop_orphans(json_t *document)
{
    json_t *timeline = json_object_get(document, "timeline");
    const json_t *services = json_object_get(document, "services");
    struct names names;
    names_of(timeline, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *service = entry_service(json_object_get(timeline, names.items[i]));
        if (service != NULL && json_object_get(services, service) == NULL)
            json_object_del(timeline, names.items[i]);
    }
    names_free(&names);
}

/* Takes `candidate`: it becomes the document when it fails alike. */
static bool try(struct shrink *shrink, json_t *candidate)
{
    struct trial_outcome outcome;
    drop_orphans(candidate);
    if (json_equal(candidate, shrink->document)) {
        json_decref(candidate);
        return false;
    }
    trial_run(candidate, &outcome);
    shrink->tried_count++;
    bool is_alike = trial_fails_alike(&outcome, &shrink->outcome);
    if (is_alike) {
        shrink->cut_count++;
        shrink->outcome = outcome;
        json_object_clear(shrink->document);
        json_object_update(shrink->document, candidate);
    }
    json_decref(candidate);
    if (shrink->progress != NULL)
        shrink->progress(shrink->context, shrink);
    return is_alike;
}

static bool must_stop(const struct shrink *shrink)
{
    return shrink->stop != NULL && *shrink->stop;
}

/*
 * Being steady and quiet in the end is promised only to who heals, and has room to spare (see
 * generate.h): such a failure keeps what heals, the fleet and what services ask for.
 */
static bool is_of_end(const struct shrink *shrink)
{
    return shrink->outcome.status == TRIAL_VIOLATED &&
           (shrink->outcome.invariant == INVARIANT_STEADY ||
            shrink->outcome.invariant == INVARIANT_QUIET);
}

static void keep_heal(const struct shrink *shrink, struct names *names)
{
    size_t kept = 0;
    if (!is_of_end(shrink))
        return;
    for (size_t i = 0; i < names->count; i++)
        if (strncmp(names->items[i], HEAL, sizeof HEAL - 1) == 0 ||
            strcmp(names->items[i], "until") == 0)
            mem_free(names->items[i]);
        else
            names->items[kept++] = names->items[i];
    names->count = kept;
}

/* Leave out chunks of a collection, of half its size at first, of one member at last. */
static bool cut_members(struct shrink *shrink, const char *collection)
{
    struct names names;
    bool is_smaller = false;
    names_of(json_object_get(shrink->document, collection), &names);
    keep_heal(shrink, &names);
    for (size_t chunk = (names.count + 1) / 2; chunk > 0; chunk /= 2)
        for (size_t first = 0; first < names.count && !must_stop(shrink);) {
            size_t end = first + chunk < names.count ? first + chunk : names.count;
            json_t *candidate = json_deep_copy(shrink->document);
            for (size_t i = first; i < end; i++)
                json_object_del(json_object_get(candidate, collection), names.items[i]);
            if (!try(shrink, candidate)) {
                first = end;
                continue;
            }
            is_smaller = true;
            for (size_t i = first; i < end; i++)
                mem_free(names.items[i]);
            memmove(names.items + first, names.items + end,
                    (names.count - end) * sizeof *names.items);
            names.count -= end - first;
        }
    names_free(&names);
    return is_smaller;
}

/* Make a number of every member smaller: its half, or one less. */
static bool cut_numbers(struct shrink *shrink, const char *collection, const char *key)
{
    struct names names;
    bool is_smaller = false;
    names_of(json_object_get(shrink->document, collection), &names);
    for (size_t i = 0; i < names.count; i++)
        for (int by_half = 1; by_half >= 0;) {
            const json_t *member =
                json_object_get(json_object_get(shrink->document, collection), names.items[i]);
            json_int_t value = json_integer_value(json_object_get(member, key));
            if (value < 2 || must_stop(shrink))
                break;
            json_t *candidate = json_deep_copy(shrink->document);
            json_object_set_new(
                json_object_get(json_object_get(candidate, collection), names.items[i]), key,
                json_integer(by_half ? value / 2 : value - 1));
            if (try(shrink, candidate))
                is_smaller = true;
            else
                by_half--;
        }
    names_free(&names);
    return is_smaller;
}

/* Optional keys of every member of a collection, or of an object of the root itself. */
static bool cut_keys_of(struct shrink *shrink, const char *collection, const char *member)
{
    struct names names;
    bool is_smaller = false;
    json_t *object = json_object_get(shrink->document, collection);
    names_of(member == NULL ? object : json_object_get(object, member), &names);
    for (size_t i = 0; i < names.count && !must_stop(shrink); i++) {
        json_t *candidate = json_deep_copy(shrink->document);
        json_t *from = json_object_get(candidate, collection);
        json_object_del(member == NULL ? from : json_object_get(from, member), names.items[i]);
        if (try(shrink, candidate))
            is_smaller = true;
    }
    names_free(&names);
    return is_smaller;
}

static bool cut_keys(struct shrink *shrink, const char *collection)
{
    struct names names;
    bool is_smaller = false;
    names_of(json_object_get(shrink->document, collection), &names);
    for (size_t i = 0; i < names.count && !must_stop(shrink); i++)
        if (cut_keys_of(shrink, collection, names.items[i]))
            is_smaller = true;
    names_free(&names);
    return is_smaller;
}

void shrink_run(struct shrink *shrink)
{
    static const char *const optional[] = {"services", "fleet", "arrivals", "taskDefinitions"};
    for (bool is_smaller = true; is_smaller && !must_stop(shrink);) {
        is_smaller = false;
        for (size_t i = 0; i < sizeof collections / sizeof *collections; i++)
            if (strcmp(collections[i], "fleet") != 0 || !is_of_end(shrink))
                is_smaller |= cut_members(shrink, collections[i]);
        is_smaller |= cut_members(shrink, "taskDefinitions");
        is_smaller |= cut_members(shrink, "targetGroups");
        if (!is_of_end(shrink)) {
            is_smaller |= cut_numbers(shrink, "fleet", "count");
            is_smaller |= cut_numbers(shrink, "services", "desiredCount");
        }
        for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
            if (strcmp(optional[i], "taskDefinitions") == 0 || !is_of_end(shrink))
                is_smaller |= cut_keys(shrink, optional[i]);
        is_smaller |= cut_keys_of(shrink, "delays", NULL);
    }
}
