/*
 * Blue/green, linear and canary deployments: the stages of semantics 4.12, one after the other.
 *
 *     stage                            what it does                             function  pause
 *     RECONCILE_SERVICE                leftovers of others go; blue has all     yes       yes
 *     PRE_SCALE_UP                                                              yes       yes
 *     SCALE_UP                         green grows to the desired count
 *     POST_SCALE_UP                                                             yes       yes
 *     TEST_TRAFFIC_SHIFT               test traffic to green                    yes
 *     POST_TEST_TRAFFIC_SHIFT                                                   yes       yes
 *     PRE_PRODUCTION_TRAFFIC_SHIFT                                              yes       yes
 *     PRODUCTION_TRAFFIC_SHIFT         a step to green; bakes; back to PRE_     yes
 *     POST_PRODUCTION_TRAFFIC_SHIFT                                             yes       yes
 *     BAKE_TIME                        both run, alarms are watched
 *     CLEAN_UP                         blue goes
 *
 * Green is the new deployment, blue the one that served before; sets.c keeps each at its count. A
 * stage ends when its work is done and all of its hooks have passed; they run side by side. On the
 * way back the two shifts are undone in reverse order, their hooks called once more, and green
 * goes. What a stage waits for is asked for by requests (outside.h), and again after EVENT_RESUME.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"
#include "scheduler/policy/shift.h"

#define STAGE_LIMIT_NS (24 * 3600 * BERTH_NS_PER_S)
#define HOOK_AGAIN_NS (30 * BERTH_NS_PER_S)
#define NS_PER_MINUTE (60 * BERTH_NS_PER_S)

enum { PRODUCTION = 0, TEST = 1 };

bool stages_are_meant(const struct service *service, const struct deployment *deployment)
{
    return service->settings.strategy != DEPLOY_ROLLING && deployment->target_group_count > 0 &&
           service->scheduling == SCHEDULING_REPLICA && service->controller == CONTROLLER_ECS;
}

void stages_set_active(struct deployment *deployment, bool is_active)
{
    struct service *service = deployment->service;
    assert(service->green == NULL || service->green == deployment);
    deployment->staging.is_active = is_active;
    service->green = is_active ? deployment : NULL;
}

struct deployment *stages_blue(const struct service *service, const struct deployment *green)
{
    for (size_t i = 0; i < service->deployments.count; i++)
        if (service->deployments.items[i] != green &&
            service->deployments.items[i]->number == green->staging.blue)
            return service->deployments.items[i];
    return NULL;
}

/* The one that serves: completed, or else whoever has production traffic. */
static uint64_t find_blue(const struct service *service, const struct deployment *green)
{
    uint64_t found = 0;
    for (size_t i = service->deployments.count; i-- > 0;) {
        const struct deployment *other = service->deployments.items[i];
        if (other != green && other->rollout == ROLLOUT_COMPLETED)
            return other->number;
        if (other != green && other->staging.listeners[PRODUCTION].permille > 0)
            found = other->number;
    }
    return found;
}

static void ask_traffic(struct controller *controller, const struct deployment *green, int listener)
{
    const struct deployment *blue = stages_blue(green->service, green);
    struct request *request =
        emit_request(controller, REQUEST_SHIFT_TRAFFIC, green->service->id, green->number);
    uint32_t permille = green->staging.listeners[listener].asked;
    request->u.traffic.is_test = listener == TEST;
    request->u.traffic.weights[0] = (struct traffic_weight){green->number, permille};
    request->u.traffic.weights[1] = (struct traffic_weight){0, 0};
    request->u.traffic.count = 1;
    if (blue != NULL) {
        request->u.traffic.weights[1] = (struct traffic_weight){blue->number, 1000 - permille};
        request->u.traffic.count = 2;
    }
}

static void shift(struct controller *controller, struct deployment *green, int listener,
                  uint32_t permille)
{
    struct listener *at = &green->staging.listeners[listener];
    at->asked = permille;
    at->is_pending = true;
    if ((green->service->weighted & 1u << listener) == 0)
        green->service->is_record_dirty = true;
    green->service->weighted |= (uint8_t)(1u << listener);
    green->service->clearing &= (uint8_t) ~(1u << listener);
    if (listener == PRODUCTION)
        rule_fired(controller, RULE_SHIFT);
    ask_traffic(controller, green, listener);
}

static void ask_for_no_weights(struct controller *controller, const struct service *service,
                               int listener)
{
    struct request *request = emit_request(controller, REQUEST_SHIFT_TRAFFIC, service->id,
                                           service->deployments.items[0]->number);
    request->u.traffic.is_test = listener == TEST;
    request->u.traffic.weights[0] = request->u.traffic.weights[1] = (struct traffic_weight){0, 0};
    request->u.traffic.count = 0;
}

/*
 * PRIMARY goes by no stages. Old weights would leave its tasks without a request, and send all of
 * them to deployments that have no task any more.
 */
void stages_clear_weights(struct controller *controller, struct service *service)
{
    for (int listener = PRODUCTION; listener <= TEST; listener++)
        if ((service->weighted & 1u << listener) != 0)
            ask_for_no_weights(controller, service, listener);
    service->is_record_dirty |= service->weighted != 0;
    service->clearing |= service->weighted;
    service->weighted = 0;
}

static void invoke(struct controller *controller, const struct deployment *green,
                   const struct hook_run *run)
{
    struct request *request =
        emit_request(controller, REQUEST_INVOKE_HOOK, green->service->id, green->number);
    rule_fired(controller, RULE_HOOK);
    request->u.hook.name = symbols_text(controller->symbols, run->name);
    request->u.hook.stage = green->staging.stage;
    request->u.hook.call = run->call;
}

/* Of a pause hook: an operator is to act, has, or has not. */
static void tell_hook(struct controller *controller, const struct deployment *green,
                      const struct hook_run *run, enum service_event_kind kind)
{
    if (!run->is_pause)
        return;
    struct service_event event = {.kind = kind,
                                  .service = green->service->id,
                                  .deployment = green->number,
                                  .hook = run->name,
                                  .stage = green->staging.stage,
                                  .expires_wall_ns = controller->now.wall_ns + run->deadline_ns -
                                                     controller->now.mono_ns};
    emit_event(controller, &event);
}

static void begin_hooks(struct controller *controller, struct deployment *green)
{
    const struct deployment_settings *settings = &green->service->settings;
    struct staging *staging = &green->staging;
    staging->run_count = 0;
    for (uint16_t i = 0; i < settings->hook_count; i++) {
        const struct deployment_hook *hook = &settings->hooks[i];
        if ((hook->stages & 1u << staging->stage) == 0)
            continue;
        struct hook_run *run = &staging->runs[staging->run_count++];
        *run = (struct hook_run){.name = symbols_add(controller->symbols, hook->name),
                                 .call = ++staging->calls,
                                 .deadline_ns =
                                     controller->now.mono_ns + hook->minutes * NS_PER_MINUTE,
                                 .again_ns = BERTH_NS_NEVER,
                                 .is_pause = hook->is_pause,
                                 .continues = hook->continues};
        tell_hook(controller, green, run, SERVICE_EVENT_HOOK_AWAITING);
        if (!hook->is_pause)
            invoke(controller, green, run);
    }
}

static enum shift_kind kind_of(const struct service *service)
{
    switch (service->settings.strategy) {
    case DEPLOY_LINEAR:
        return SHIFT_LINEAR;
    case DEPLOY_CANARY:
        return SHIFT_CANARY;
    case DEPLOY_ROLLING:
    case DEPLOY_BLUE_GREEN:
    case DEPLOYMENT_STRATEGY_COUNT:
        break;
    }
    return SHIFT_ALL_AT_ONCE;
}

/* Others than these two are still there, from deployments that were cut short. */
static bool has_leftovers(const struct service *service, const struct deployment *green)
{
    size_t known = 1 + (stages_blue(service, green) != NULL);
    return service->deployments.count > known;
}

/* Without a blue there is nobody to leave the rest to: a service's first deployment has it all. */
static uint32_t next_share(const struct deployment *green)
{
    const struct service *service = green->service;
    if (stages_blue(service, green) == NULL)
        return 1000;
    return shift_permille(kind_of(service), service->settings.step_permille, green->staging.step);
}

/* Only blue has traffic: nobody else is there, and green will not share in it once it is healthy.
 */
static bool is_blue_alone(const struct service *service, const struct deployment *green)
{
    return !has_leftovers(service, green) &&
           (green->staging.blue == 0 || (service->weighted & 1u << PRODUCTION) != 0);
}

static void enter(struct controller *controller, struct deployment *green,
                  enum deployment_stage stage)
{
    const struct service *service = green->service;
    struct staging *staging = &green->staging;
    staging->stage = stage;
    staging->since_ns = controller->now.mono_ns;
    green->bake_until_ns = BERTH_NS_NEVER;
    staging->run_count = 0;
    if (stage != STAGE_RECONCILE_SERVICE || has_leftovers(service, green))
        begin_hooks(controller, green);
    if (stage == STAGE_RECONCILE_SERVICE && !is_blue_alone(service, green)) {
        shift(controller, green, TEST, 0);
        shift(controller, green, PRODUCTION, 0);
    } else if (stage == STAGE_TEST_TRAFFIC_SHIFT) {
        shift(controller, green, TEST, staging->is_reversing ? 0 : 1000);
    } else if (stage == STAGE_PRODUCTION_TRAFFIC_SHIFT) {
        shift(controller, green, PRODUCTION, staging->is_reversing ? 0 : next_share(green));
    }
    deployment_changed(controller, green);
}

void stages_begin(struct controller *controller, struct deployment *green)
{
    stages_set_active(green, true);
    green->staging.blue = find_blue(green->service, green);
    enter(controller, green, STAGE_RECONCILE_SERVICE);
}

/* A newer deployment takes over: nothing is waited for any more. */
void stages_cut(struct controller *controller, struct deployment *green)
{
    stages_set_active(green, false);
    green->staging.run_count = 0;
    green->staging.listeners[PRODUCTION].is_pending = false;
    green->staging.listeners[TEST].is_pending = false;
    if (green->staging.is_reversing)
        green->status = SERVICE_DEPLOYMENT_ROLLBACK_FAILED;
    deployment_changed(controller, green);
}

static bool has_all_healthy(const struct deployment *green)
{
    return green->tally[0].healthy == green->service->desired_count &&
           green->tally[0].pending + green->tally[0].young + green->tally[0].unhealthy == 0;
}

/* Some time in which both run; begins when it is first asked about. */
static bool has_waited(struct controller *controller, struct deployment *green, berth_ns wait_ns)
{
    if (wait_ns == 0)
        return true;
    if (green->bake_until_ns == BERTH_NS_NEVER) {
        green->bake_until_ns = controller->now.mono_ns + wait_ns;
        deployment_changed(controller, green);
    }
    return controller->now.mono_ns >= green->bake_until_ns;
}

static bool has_shifted(struct controller *controller, struct deployment *green)
{
    const struct service *service = green->service;
    const struct listener *production = &green->staging.listeners[PRODUCTION];
    if (production->is_pending)
        return false;
    if (green->staging.is_reversing || production->asked == 1000)
        return true;
    return has_waited(controller, green,
                      shift_bake_ns(kind_of(service), service->settings.has_step_bake,
                                    service->settings.step_bake_ns));
}

static bool is_work_done(struct controller *controller, struct deployment *green)
{
    const struct staging *staging = &green->staging;
    switch (staging->stage) {
    case STAGE_RECONCILE_SERVICE:
        return !staging->listeners[PRODUCTION].is_pending && !staging->listeners[TEST].is_pending &&
               !has_leftovers(green->service, green);
    case STAGE_SCALE_UP:
        return has_all_healthy(green);
    case STAGE_TEST_TRAFFIC_SHIFT:
        return !staging->listeners[TEST].is_pending;
    case STAGE_PRODUCTION_TRAFFIC_SHIFT:
        return has_shifted(controller, green);
    case STAGE_BAKE_TIME:
        return has_waited(controller, green, deployment_bake_ns(green->service));
    case STAGE_CLEAN_UP:
        return false; /* The deployment's end: deployments.c. */
    case STAGE_PRE_SCALE_UP:
    case STAGE_POST_SCALE_UP:
    case STAGE_POST_TEST_TRAFFIC_SHIFT:
    case STAGE_PRE_PRODUCTION_TRAFFIC_SHIFT:
    case STAGE_POST_PRODUCTION_TRAFFIC_SHIFT:
    case STAGE_COUNT:
        break;
    }
    return true;
}

static bool are_hooks_done(const struct staging *staging)
{
    for (uint16_t i = 0; i < staging->run_count; i++)
        if (!staging->runs[i].is_done)
            return false;
    return true;
}

static enum deployment_stage next_stage(struct staging *staging)
{
    if (staging->is_reversing)
        return staging->stage == STAGE_PRODUCTION_TRAFFIC_SHIFT &&
                       staging->listeners[TEST].asked > 0
                   ? STAGE_TEST_TRAFFIC_SHIFT
                   : STAGE_CLEAN_UP;
    if (staging->stage == STAGE_PRODUCTION_TRAFFIC_SHIFT &&
        staging->listeners[PRODUCTION].asked < 1000) {
        staging->step++;
        return STAGE_PRE_PRODUCTION_TRAFFIC_SHIFT;
    }
    return staging->stage + 1;
}

/* A hook says no, or nothing for too long. On the way back there is nowhere further to go. */
static void hook_failed(struct controller *controller, struct deployment *green,
                        struct hook_run *run)
{
    rule_fired(controller, RULE_HOOK_FAILED);
    run->is_done = true;
    deployment_changed(controller, green);
    if (!green->staging.is_reversing && green->rollout == ROLLOUT_IN_PROGRESS)
        deployment_fail(controller, green, ROLLOUT_CAUSE_HOOK, true);
}

/* What is due of the hooks; false when one of them has changed the stage. */
static bool tend_hooks(struct controller *controller, struct deployment *green)
{
    struct staging *staging = &green->staging;
    enum deployment_stage stage = staging->stage;
    berth_ns now_ns = controller->now.mono_ns;
    for (uint16_t i = 0; i < staging->run_count; i++) {
        struct hook_run *run = &staging->runs[i];
        if (run->is_done)
            continue;
        if (run->deadline_ns <= now_ns)
            tell_hook(controller, green, run, SERVICE_EVENT_HOOK_TIMED_OUT);
        if (run->deadline_ns <= now_ns && run->continues) {
            run->is_done = true;
            deployment_changed(controller, green);
        } else if (run->deadline_ns <= now_ns) {
            hook_failed(controller, green, run);
            if (!staging->is_active || staging->stage != stage || staging->run_count <= i)
                return false;
        } else if (run->again_ns <= now_ns) {
            run->again_ns = BERTH_NS_NEVER;
            run->call = ++staging->calls;
            deployment_changed(controller, green);
            invoke(controller, green, run);
        }
    }
    return true;
}

void stages_pass(struct controller *controller, struct service *service)
{
    struct deployment *green = stages_green(service);
    if (green == NULL || (green->rollout == ROLLOUT_FAILED && !green->staging.is_reversing))
        return;
    struct staging *staging = &green->staging;
    (void)tend_hooks(controller, green);
    if (green->rollout == ROLLOUT_FAILED && !staging->is_reversing)
        return;
    while (staging->stage != STAGE_CLEAN_UP && are_hooks_done(staging) &&
           is_work_done(controller, green))
        enter(controller, green, next_stage(staging));
    if (!staging->is_reversing && staging->stage != STAGE_CLEAN_UP &&
        controller->now.mono_ns - staging->since_ns >= STAGE_LIMIT_NS)
        deployment_fail(controller, green, ROLLOUT_CAUSE_STAGE_TIMEOUT, true);
}

void stages_reverse(struct controller *controller, struct deployment *green)
{
    struct staging *staging = &green->staging;
    staging->is_reversing = true;
    if (staging->listeners[PRODUCTION].asked > 0)
        enter(controller, green, STAGE_PRODUCTION_TRAFFIC_SHIFT);
    else if (staging->listeners[TEST].asked > 0)
        enter(controller, green, STAGE_TEST_TRAFFIC_SHIFT);
    else
        enter(controller, green, STAGE_CLEAN_UP);
}

berth_ns stages_deadline(const struct service *service)
{
    const struct deployment *green = stages_green(service);
    berth_ns next_ns = BERTH_NS_NEVER;
    if (green == NULL || (green->rollout == ROLLOUT_FAILED && !green->staging.is_reversing))
        return next_ns;
    const struct staging *staging = &green->staging;
    if (!staging->is_reversing && staging->stage != STAGE_CLEAN_UP)
        next_ns = staging->since_ns + STAGE_LIMIT_NS;
    for (uint16_t i = 0; i < staging->run_count; i++) {
        const struct hook_run *run = &staging->runs[i];
        if (!run->is_done && run->deadline_ns < next_ns)
            next_ns = run->deadline_ns;
        if (!run->is_done && run->again_ns < next_ns)
            next_ns = run->again_ns;
    }
    return next_ns;
}

static struct deployment *find_green(const struct controller *controller, service_id id)
{
    const struct service *service =
        id < controller->services.count ? controller->services.items[id] : NULL;
    return service == NULL ? NULL : stages_green(service);
}

void stages_hook_answered(struct controller *controller, const struct answer *answer)
{
    struct deployment *green = find_green(controller, answer->u.hook.service);
    if (green == NULL || green->number != answer->u.hook.deployment)
        return;
    for (uint16_t i = 0; i < green->staging.run_count; i++) {
        struct hook_run *run = &green->staging.runs[i];
        if (run->call != answer->u.hook.call || run->is_done || run->is_pause ||
            run->again_ns != BERTH_NS_NEVER)
            continue;
        deployment_changed(controller, green);
        if (answer->u.hook.status == HOOK_SUCCEEDED)
            run->is_done = true;
        else if (answer->u.hook.status == HOOK_IN_PROGRESS)
            run->again_ns = controller->now.mono_ns + HOOK_AGAIN_NS;
        else
            hook_failed(controller, green, run);
        return;
    }
}

/* True when it answers a request for no weights. */
static bool has_cleared(struct controller *controller, const struct answer *answer)
{
    service_id id = answer->u.traffic.service;
    struct service *service =
        id < controller->services.count ? controller->services.items[id] : NULL;
    const struct deployment *asker =
        service == NULL ? NULL : deployment_find(service, answer->u.traffic.deployment);
    uint8_t bit = answer->u.traffic.is_test ? 1u << TEST : 1u << PRODUCTION;
    if (asker == NULL || asker->staging.since_ns != BERTH_NS_NEVER ||
        (service->clearing & bit) == 0 || answer->u.traffic.permille != 1000)
        return false;
    service->clearing &= (uint8_t)~bit;
    service->is_record_dirty = true;
    service_mark(controller, service);
    return true;
}

void stages_traffic_answered(struct controller *controller, const struct answer *answer)
{
    struct deployment *green = find_green(controller, answer->u.traffic.service);
    if (has_cleared(controller, answer) || green == NULL || answer->u.traffic.permille > 1000)
        return;
    struct listener *listener =
        &green->staging.listeners[answer->u.traffic.is_test ? TEST : PRODUCTION];
    uint32_t permille = answer->u.traffic.permille;
    if (answer->u.traffic.deployment == green->staging.blue)
        permille = 1000 - permille;
    else if (answer->u.traffic.deployment != green->number)
        return;
    if (!listener->is_pending || permille != listener->asked)
        return;
    listener->permille = permille;
    listener->is_pending = false;
    deployment_changed(controller, green);
}

void stages_continue(struct controller *controller, const struct event *event)
{
    const struct event_service_deployment *wanted = &event->u.service_deployment;
    struct service *service = service_find(controller, wanted->service);
    struct deployment *green = service == NULL ? NULL : stages_green(service);
    uint32_t found = 0;
    bool is_meant =
        green != NULL && (wanted->deployment == 0 || wanted->deployment == green->number);
    for (uint16_t i = 0; is_meant && i < green->staging.run_count; i++) {
        struct hook_run *run = &green->staging.runs[i];
        if (!run->is_pause || run->is_done ||
            (wanted->hook != NULL &&
             strcmp(wanted->hook, symbols_text(controller->symbols, run->name)) != 0))
            continue;
        found++;
        run->is_done = true;
        tell_hook(controller, green, run,
                  wanted->rolls_back ? SERVICE_EVENT_HOOK_FAILED : SERVICE_EVENT_HOOK_SUCCEEDED);
        deployment_changed(controller, green);
    }
    if (found == 0) {
        emit_refusal(controller, event, service == NULL ? REPLY_NOT_FOUND : REPLY_REFUSED,
                     "hookId: no pause hook%s%.256s of %.256s waits",
                     wanted->hook == NULL ? "" : " ", wanted->hook == NULL ? "" : wanted->hook,
                     wanted->service == NULL ? "no service" : wanted->service);
        return;
    }
    if (wanted->rolls_back && green->rollout == ROLLOUT_IN_PROGRESS)
        deployment_fail(controller, green, ROLLOUT_CAUSE_HOOK, true);
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.service = service->id;
}

void stages_resumed(struct controller *controller)
{
    for (service_id id = 0; id < controller->services.count; id++) {
        const struct service *service = controller->services.items[id];
        for (int listener = PRODUCTION; service != NULL && listener <= TEST; listener++)
            if ((service->clearing & 1u << listener) != 0) {
                rule_fired(controller, RULE_RESUMED);
                ask_for_no_weights(controller, service, listener);
            }
        const struct deployment *green = find_green(controller, id);
        if (green == NULL)
            continue;
        for (int listener = PRODUCTION; listener <= TEST; listener++)
            if (green->staging.listeners[listener].is_pending) {
                rule_fired(controller, RULE_RESUMED);
                ask_traffic(controller, green, listener);
            }
        for (uint16_t i = 0; i < green->staging.run_count; i++) {
            const struct hook_run *run = &green->staging.runs[i];
            if (run->is_done || run->is_pause || run->again_ns != BERTH_NS_NEVER)
                continue;
            rule_fired(controller, RULE_RESUMED);
            invoke(controller, green, run);
        }
    }
}
