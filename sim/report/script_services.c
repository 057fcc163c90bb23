/*
 * script_services.c -- replication 0, service by service: what was wanted, what ran, what was
 * healthy, what really served, and what happened meanwhile.
 *
 * A panel for a strategy and a service, at most eight: of many strategies the baseline and the best
 * of each column are shown, of many services those that had the most deployments.
 */
#include <inttypes.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/report/script.h"
#include "sim/run/story.h"

#define PANELS_MAX 8
#define PANEL_WIDTH 450
#define PANEL_HEIGHT 170
#define LEFT 56
#define GUTTER 58
#define HEAD 70
#define TITLE_HEIGHT 58
#define FOOT 34
#define REQUESTS_HEIGHT 64
#define REQUESTS_GAP 40
#define POINTS_MAX 300
#define LABELS_MAX 12

static const char *const areas[STORY_DEPLOYMENTS_MAX] = {"#c6d9ee", "#7fa8d6", "#3b6fb6",
                                                         "#b9a6d8", "#8a6fc0", "#5d4494"};

struct panel {
    uint32_t variant;
    uint32_t service; /* of the story */
};

static bool has_story(const struct experiment_variant *variant)
{
    return variant->story != NULL && variant->story->service_count > 0 &&
           variant->story->point_count > 0;
}

static bool is_chosen(const struct panel *panels, uint32_t count, uint32_t variant)
{
    for (uint32_t i = 0; i < count; i++)
        if (panels[i].variant == variant)
            return true;
    return false;
}

/* The services with the most deployments, in the order of the scenario among equals. */
static uint32_t choose_services(const struct story *story, uint32_t most, uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t deployments = STORY_DEPLOYMENTS_MAX + 1; deployments-- > 0;)
        for (uint32_t i = 0; i < story->service_count && count < most; i++)
            if (story->services[i].deployment_count == deployments)
                out[count++] = i;
    return count;
}

static void add_variant(const struct ranking *ranking, uint32_t variant, uint32_t services,
                        struct panel *panels, uint32_t *count)
{
    uint32_t chosen[PANELS_MAX];
    if (variant == RANKING_NOBODY || is_chosen(panels, *count, variant) ||
        !has_story(&ranking->experiment->variants[variant]))
        return;
    uint32_t found =
        choose_services(ranking->experiment->variants[variant].story, services, chosen);
    for (uint32_t i = 0; i < found && *count < PANELS_MAX; i++)
        panels[(*count)++] = (struct panel){variant, chosen[i]};
}

static uint32_t choose(const struct ranking *ranking, struct panel *panels)
{
    const struct experiment *experiment = ranking->experiment;
    uint32_t count = 0;
    uint32_t services =
        PANELS_MAX / (experiment->variant_count < 4 ? experiment->variant_count : 4);
    if (experiment->variant_count > 4)
        services = 1;
    add_variant(ranking, experiment->baseline, services, panels, &count);
    if (experiment->variant_count > PANELS_MAX)
        for (uint32_t c = 0; c < ranking->column_count; c++)
            add_variant(ranking, ranking->columns[c].best, services, panels, &count);
    for (uint32_t v = 0; v < experiment->variant_count; v++)
        add_variant(ranking, v, services, panels, &count);
    return count;
}

static uint32_t running_up_to(const struct story_point *point, uint32_t deployment)
{
    uint32_t sum = 0;
    for (uint32_t d = 0; d <= deployment; d++)
        sum += point->running[d];
    return sum;
}

static uint32_t highest(const struct story *story, const struct story_service *service)
{
    uint32_t high = 1;
    for (uint32_t i = 0; i < story->point_count; i++) {
        const struct story_point *point = &service->points[i];
        uint32_t all = running_up_to(point, STORY_DEPLOYMENTS_MAX - 1) + point->pending;
        high = all > high ? all : high;
        high = point->desired > high ? point->desired : high;
        high = point->serving > high ? point->serving : high; /* silent ones serve, too */
    }
    return high;
}

static double time_of(const struct experiment_variant *variant, uint32_t sample,
                      const struct script_time *time)
{
    return (double)variant->samples[sample].at_ns / (double)BERTH_NS_PER_S / time->seconds;
}

/* The area from `low` to `high` of each point; -1: from 0. Deployment MAX is what is pending. */
static void draw_area(const struct script *script, const struct script_time *time,
                      const struct experiment_variant *variant, const struct story_service *service,
                      uint32_t deployment)
{
    uint32_t stride = 1 + variant->story->point_count / POINTS_MAX;
    for (uint32_t i = 0; i < variant->story->point_count; i += stride) {
        const struct story_point *point = &service->points[i];
        uint32_t low = deployment == 0 ? 0 : running_up_to(point, deployment - 1);
        uint32_t high = deployment < STORY_DEPLOYMENTS_MAX ? running_up_to(point, deployment)
                                                           : low + point->pending;
        text_addf(script->out, "%.6g %" PRIu32 " %" PRIu32 "\n", time_of(variant, i, time), low,
                  high);
    }
    text_add(script->out, "e\n");
}

enum line { LINE_DESIRED = 0, LINE_SERVING, LINE_HEALTHY };

static uint32_t value_of(const struct story_point *point, enum line line)
{
    switch (line) {
    case LINE_SERVING:
        return point->serving;
    case LINE_HEALTHY:
        return point->healthy;
    case LINE_DESIRED:
        break;
    }
    return point->desired;
}

/* What dips shows its lowest value between two points. */
static void draw_line(const struct script *script, const struct script_time *time,
                      const struct experiment_variant *variant, const struct story_service *service,
                      enum line line)
{
    uint32_t stride = 1 + variant->story->point_count / POINTS_MAX;
    for (uint32_t i = 0; i < variant->story->point_count; i += stride) {
        uint32_t value = value_of(&service->points[i], line);
        for (uint32_t k = i; k < i + stride && k < variant->story->point_count; k++)
            if (line != LINE_DESIRED && value_of(&service->points[k], line) < value)
                value = value_of(&service->points[k], line);
        text_addf(script->out, "%.6g %" PRIu32 "\n", time_of(variant, i, time), value);
    }
    text_add(script->out, "e\n");
}

static const char *mark_colour(enum story_mark_kind kind)
{
    switch (kind) {
    case MARK_FAULT:
    case MARK_FAILED:
        return "#c0392b";
    case MARK_DEPLOYMENT:
    case MARK_COMPLETED:
    case MARK_ROLLBACK:
        return "#2a5db0";
    case MARK_TIMELINE:
    case MARK_REPAIR:
    case MARK_KIND_COUNT:
        break;
    }
    return SCRIPT_FAINT;
}

static void format_mark(const struct story_mark *mark, struct text *out)
{
    if (mark->kind == MARK_TIMELINE || mark->kind == MARK_FAULT)
        text_add(out, mark->text);
    else if (mark->kind == MARK_FAILED)
        text_addf(out, "failed: %s", mark->text);
    else
        text_addf(out, "%s %s", story_mark_names[mark->kind], mark->text);
}

/* Lines for what concerns the service; names on two lines above, as far as there is room. */
static void draw_marks(struct script *script, const struct script_time *time,
                       const struct story *story, uint32_t service, int left, int top)
{
    int free_from[2] = {0, 0}, said = 0;
    for (uint32_t i = 0; i < story->mark_count; i++) {
        const struct story_mark *mark = &story->marks[i];
        double at = (double)mark->at_ns / (double)BERTH_NS_PER_S / time->seconds;
        if (mark->service != UINT32_MAX && mark->service != service)
            continue;
        text_addf(script->out,
                  "set arrow from first %.6f, graph 0 to first %.6f, graph 1 nohead lw 1 dt '%s' "
                  "lc rgb '%s' front\n",
                  at, at, mark->kind == MARK_TIMELINE ? "-" : ".", mark_colour(mark->kind));
        struct text name = TEXT_INIT;
        format_mark(mark, &name);
        int width = 5 * (int)name.length + 8, x = left + (int)(at / time->end * PANEL_WIDTH);
        if (x + width > left + PANEL_WIDTH + GUTTER - 8)
            x = left + PANEL_WIDTH + GUTTER - 8 - width;
        for (int line = 0; line < 2 && said < LABELS_MAX; line++) {
            if (x < free_from[line] || x < left)
                continue;
            script_label(script, name.bytes, x, top - 8 - 11 * line, "left", 8,
                         mark_colour(mark->kind));
            free_from[line] = x + width;
            said++;
            break;
        }
        text_free(&name);
    }
}

static double most_requests(const struct story *story, const struct story_service *service)
{
    double most = 0;
    for (uint32_t i = 0; i < story->point_count; i++)
        if (service->points[i].offered > most)
            most = service->points[i].offered;
    return most > 0 ? most : 1;
}

/* Served requests from 0 up, failed ones on top of them: together what was offered. */
static void draw_requests_area(const struct script *script, const struct script_time *time,
                               const struct experiment_variant *variant,
                               const struct story_service *service, bool is_failed)
{
    uint32_t stride = 1 + variant->story->point_count / POINTS_MAX;
    for (uint32_t i = 0; i < variant->story->point_count; i += stride) {
        const struct story_point *point = &service->points[i];
        double served = point->offered - point->failed;
        text_addf(script->out, "%.6g %.6g %.6g\n", time_of(variant, i, time),
                  is_failed ? served : 0, is_failed ? point->offered : served);
    }
    text_add(script->out, "e\n");
}

static void draw_requests(struct script *script, const struct script_time *time,
                          const struct panel *panel, int left, int top)
{
    const struct experiment_variant *variant =
        &script->ranking->experiment->variants[panel->variant];
    const struct story_service *service = &variant->story->services[panel->service];
    double high = most_requests(variant->story, service) * 1.08;
    double step = script_step(0, high, 3);
    if (!service->has_load)
        return;
    text_add(script->out, "unset label\nunset object\nunset arrow\n");
    script_panel(script, left, top, PANEL_WIDTH, REQUESTS_HEIGHT);
    script_label(script, "requests per second: served, failed (red)", left, top - 9, "left", 9,
                 SCRIPT_FAINT);
    text_addf(script->out,
              "set yrange [0:%.10g]\nset ytics 0,%.10g format '%%.%df'\n"
              "plot '-' using 1:2:3 with filledcurves fs solid lc rgb '#9ccfc6' notitle, "
              "'-' using 1:2:3 with filledcurves fs solid lc rgb '#d1495b' notitle\n",
              high, step, script_step_decimals(step));
    draw_requests_area(script, time, variant, service, false);
    draw_requests_area(script, time, variant, service, true);
}

static bool any_load(const struct ranking *ranking, const struct panel *panels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ranking->experiment->variants[panels[i].variant]
                .story->services[panels[i].service]
                .has_load)
            return true;
    return false;
}

static void label_panel(struct script *script, const struct panel *panel, int left, int top)
{
    const struct experiment_variant *variant =
        &script->ranking->experiment->variants[panel->variant];
    const struct story_service *service = &variant->story->services[panel->service];
    struct text label = TEXT_INIT;
    text_addf(&label, "%s: %s", variant->name, variant->scenario->services[service->service].name);
    script_label(script, label.bytes, left, top - 36, "left", 12, SCRIPT_INK);
    text_free(&label);
}

static void draw_panel(struct script *script, const struct script_time *time,
                       const struct panel *panel, int left, int top)
{
    const struct experiment_variant *variant =
        &script->ranking->experiment->variants[panel->variant];
    const struct story_service *service = &variant->story->services[panel->service];
    double high = highest(variant->story, service) * 1.08;
    script_panel(script, left, top, PANEL_WIDTH, PANEL_HEIGHT);
    label_panel(script, panel, left, top);
    draw_marks(script, time, variant->story, service->service, left, top);
    script_label(script, time->unit, left + PANEL_WIDTH + 12, top + PANEL_HEIGHT + 14, "left", 10,
                 SCRIPT_FAINT);
    text_addf(script->out,
              "set xrange [0:%.10g]\nset xtics 0,%.10g format '%%g'\n"
              "set yrange [0:%.10g]\nset ytics 0,%.10g format '%%g'\nplot ",
              time->end, time->step * 2, high, script_step(0, high, 5));
    for (uint32_t d = 0; d < service->deployment_count; d++)
        text_addf(script->out, "'-' using 1:2:3 with filledcurves fs solid lc rgb '%s' notitle, ",
                  areas[d]);
    text_add(script->out, "'-' using 1:2:3 with filledcurves fs solid lc rgb '#f0a35e' notitle, "
                          "'-' with steps lw 1.5 dt '-' lc rgb '" SCRIPT_INK "' notitle, "
                          "'-' with lines lw 2 lc rgb '#2e8b57' notitle, "
                          "'-' with lines lw 1.5 lc rgb '#b0206a' notitle\n");
    for (uint32_t d = 0; d < service->deployment_count; d++)
        draw_area(script, time, variant, service, d);
    draw_area(script, time, variant, service, STORY_DEPLOYMENTS_MAX);
    draw_line(script, time, variant, service, LINE_DESIRED);
    draw_line(script, time, variant, service, LINE_HEALTHY);
    draw_line(script, time, variant, service, LINE_SERVING);
}

static void draw_key(struct script *script)
{
    static const struct {
        const char *name, *colour;
    } keys[] = {{"first deployment", "#c6d9ee"}, {"second", "#7fa8d6"},  {"third", "#3b6fb6"},
                {"pending", "#f0a35e"},          {"healthy", "#2e8b57"}, {"serving", "#b0206a"}};
    int x = script->width - 580;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        text_addf(script->out,
                  "set object rect from screen %.6f,%.6f to screen %.6f,%.6f fc rgb '%s' "
                  "fs solid noborder front\n",
                  (double)x / script->width, 1 - 32.0 / script->height,
                  (double)(x + 14) / script->width, 1 - 22.0 / script->height, keys[i].colour);
        script_label(script, keys[i].name, x + 19, 27, "left", 9, SCRIPT_FAINT);
        x += 40 + 6 * (int)strlen(keys[i].name);
    }
}

bool script_services(struct script *script)
{
    struct panel panels[PANELS_MAX];
    uint32_t count = choose(script->ranking, panels);
    if (count == 0)
        return false;
    struct script_time time = script_time(script->ranking->experiment);
    int rows = (int)(count + 1) / 2;
    script->width = LEFT + 2 * (PANEL_WIDTH + GUTTER);
    int below = any_load(script->ranking, panels, count) ? REQUESTS_GAP + REQUESTS_HEIGHT : 0;
    int row_height = TITLE_HEIGHT + PANEL_HEIGHT + below + FOOT;
    script->height = HEAD + rows * row_height + 20;
    script_begin(script, "Tasks of each service over time (replication 0)");
    draw_key(script);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text_add(script->out, "unset label\nunset object\nunset arrow\n");
        int left = LEFT + (int)(i % 2) * (PANEL_WIDTH + GUTTER);
        int top = HEAD + TITLE_HEIGHT + (int)(i / 2) * row_height;
        draw_panel(script, &time, &panels[i], left, top);
        draw_requests(script, &time, &panels[i], left, top + PANEL_HEIGHT + REQUESTS_GAP);
    }
    script_end(script);
    return true;
}
