#include "scheduler/model/cluster_internal.h"

/* More notes than this many per instance are not worth catching up with. */
#define NOTES_PER_INSTANCE_MAX 4
#define NOTES_MIN 1024

void *cluster_follower(const struct cluster *cluster)
{
    return cluster->changes.follower;
}

void cluster_follow(struct cluster *cluster, void *follower, void (*destroy)(void *follower))
{
    struct changes *changes = &cluster->changes;
    if (changes->follower != NULL)
        changes->destroy(changes->follower);
    changes->follower = follower;
    changes->destroy = destroy;
    cluster_changes_clear(cluster);
}

const struct changes *cluster_changes(const struct cluster *cluster)
{
    return &cluster->changes;
}

void cluster_changes_clear(struct cluster *cluster)
{
    struct changes *changes = &cluster->changes;
    for (size_t i = 0; i < changes->instances.count; i++)
        changes->is_listed.items[changes->instances.items[i]] = 0;
    vec_clear(&changes->instances);
    vec_clear(&changes->groups);
    changes->is_incomplete = false;
}

void cluster_touch(struct cluster *cluster, instance_id id)
{
    struct changes *changes = &cluster->changes;
    if (changes->follower == NULL)
        return;
    while (changes->is_listed.count <= id)
        *vec_push(&changes->is_listed) = 0;
    if (changes->is_listed.items[id])
        return;
    changes->is_listed.items[id] = 1;
    *vec_push(&changes->instances) = id;
}

void changes_note_group(struct cluster *cluster, instance_id id, group_id group, uint32_t tasks,
                        bool is_join)
{
    struct changes *changes = &cluster->changes;
    if (changes->follower == NULL || changes->is_incomplete)
        return;
    if (changes->groups.count >=
        NOTES_MIN + NOTES_PER_INSTANCE_MAX * cluster->head.instance_count) {
        changes->is_incomplete = true;
        return;
    }
    *vec_push(&changes->groups) = (struct group_change){id, group, tasks, is_join};
}

void changes_free(struct changes *changes)
{
    if (changes->follower != NULL)
        changes->destroy(changes->follower);
    vec_free(&changes->instances);
    vec_free(&changes->is_listed);
    vec_free(&changes->groups);
}
