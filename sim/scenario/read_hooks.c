/* hooks.NAME: how the life-cycle functions of deployments behave. */
#include <float.h>

#include "sim/scenario/parts.h"

static void read_hook(const struct at *at, struct scenario_hook *out)
{
    static const char *const known[] = {"delay", "failureProbability", "inProgressProbability",
                                        NULL};
    out->name = mem_copy_text(at->key);
    out->delay = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .p = {1}, .max = DBL_MAX};
    if (!at_object(at, known))
        return;
    struct at delay = at_member(at, "delay"), failure = at_member(at, "failureProbability");
    struct at progress = at_member(at, "inProgressProbability");
    struct distribution given;
    if (at_distribution(&delay, QUANTITY_TIME, &given))
        out->delay = given;
    out->failure_probability = at_real(&failure, 0, 1, 0);
    out->in_progress_probability = at_real(&progress, 0, 1, 0);
}

void read_hook_functions(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "hooks");
    size_t count;
    const char **names = at_names(&all, &count);
    out->hooks = mem_alloc((count + 1) * sizeof *out->hooks);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at hook = at_member(&all, names[i]);
        read_hook(&hook, &out->hooks[i]);
        out->hook_count++;
    }
    mem_free(names);
}

void free_hook_functions(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->hook_count; i++) {
        distribution_free(&scenario->hooks[i].delay);
        mem_free(scenario->hooks[i].name);
    }
    mem_free(scenario->hooks);
}
