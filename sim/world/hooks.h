/*
 * hooks.h -- life-cycle functions of deployments: how long each takes, and what it says.
 *
 * A function is called by REQUEST_INVOKE_HOOK and answers after its delay: FAILED with its
 * probability, else IN_PROGRESS with its own, else SUCCEEDED. A repeat of a call is answered
 * likewise.
 */
#ifndef BERTH_SIM_WORLD_HOOKS_H
#define BERTH_SIM_WORLD_HOOKS_H

#include "sim/world/world.h"

struct hooks;

/* All is borrowed. `key`: parent of their streams. Nothing at or after `end_ns` is queued. */
struct hooks *hooks_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct sim_queue *queue);
void hooks_destroy(struct hooks *hooks);

void hooks_invoke(struct hooks *hooks, berth_ns now_ns, const struct request *request);

/* What the function of a WORLD_HOOK says. */
struct answer hooks_answer(const struct hooks *hooks, const struct sim_event *event);

#endif
