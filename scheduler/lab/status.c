#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/lab/disk.h"
#include "scheduler/lab/image.h"
#include "scheduler/lab/lab.h"
#include "scheduler/lab/open.h"

#define PING_MS 2000

const char *const lab_state_names[] = {"up", "engine down", "frozen", "dead"};

static enum lab_state find_state(const struct lab *lab, int engine)
{
    if (lab_host_find(lab, engine, LAB_HOST_COMM) == 0)
        return LAB_STATE_DEAD;
    if (lab_cgroup_is_frozen(&lab->cgroups, lab_cgroup(lab->plan.name, engine, "").text))
        return LAB_STATE_FROZEN;
    return lab_engine_answers(&lab->plan, engine, PING_MS) ? LAB_STATE_UP : LAB_STATE_ENGINE_DOWN;
}

static void look_at(const struct lab *lab, int engine, struct lab_engine *out)
{
    const struct lab_plan *plan = &lab->plan;
    lab_pids pids = VEC_INIT;
    lab_cgroup_pids(&lab->cgroups, lab_cgroup(plan->name, engine, "").text, &pids);
    *out = (struct lab_engine){
        .number = engine,
        .state = find_state(lab, engine),
        .is_partitioned = access(lab_path(plan->name, engine, LAB_PARTITIONED).text, F_OK) == 0,
        .is_disk_full = lab_disk_is_full(plan, engine),
        .socket = lab_path(plan->name, engine, "docker.sock"),
        .address = lab_address(plan->slot, engine),
        .url = lab_url(plan->slot, engine),
        .cgroup = lab_cgroup(plan->name, engine, "containers"),
        .process_count = (int)pids.count,
    };
    lab_disk_room(plan, engine, &out->disk_used_bytes, &out->disk_total_bytes);
    vec_free(&pids);
}

enum berth_err lab_status(const char *name, struct lab_status *out, struct berth_error *err)
{
    struct lab lab = {.lock = -1};
    *out = (struct lab_status){.plan = {.name = ""}};
    enum berth_err code = lab_check_root(err);
    if (code == BERTH_OK)
        code = lab_load_plan(name, &lab.plan, err);
    if (code == BERTH_OK)
        code = lab_cgroups_find(&lab.cgroups, err);
    if (code != BERTH_OK)
        return code;
    out->plan = lab.plan;
    for (int i = 1; i <= lab.plan.engine_count; i++)
        look_at(&lab, i, &out->engines[i - 1]);
    return BERTH_OK;
}

enum berth_err lab_image(const char *name, const char *image, int *count, struct berth_error *err)
{
    struct lab lab;
    struct text tar = TEXT_INIT;
    *count = 0;
    enum berth_err code = lab_check_image(image, err);
    if (code == BERTH_OK)
        code = lab_image_make(&tar, err);
    if (code == BERTH_OK)
        code = lab_open(name, &lab, err);
    if (code == BERTH_OK) {
        for (int i = 1; i <= lab.plan.engine_count && code == BERTH_OK; i++) {
            if (find_state(&lab, i) != LAB_STATE_UP)
                continue;
            code = lab_image_load(lab_path(name, i, "docker.sock").text, &tar, image, err);
            *count += code == BERTH_OK ? 1 : 0;
        }
        lab_close(&lab);
    }
    text_free(&tar);
    return code;
}

void lab_list(struct text *out)
{
    struct dirent **entries = NULL;
    int count = scandir(LAB_RUN, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            text_addf(out, "%s\n", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}
