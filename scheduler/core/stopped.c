/*
 * Tasks that have ended, kept for exactly an hour (U20), in order of their end.
 *
 * In a busy cluster they are many more than those that live, so what describes one is packed into
 * some fifty bytes: times as differences from each other, numbers as differences from the block's
 * first, what is usual as nothing at all. Blocks are filled one after another; the first to end is
 * the first to go, and a block goes with its last. The table of tasks finds each by its place.
 */
#include "scheduler/core/stopped.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/pack.h"

/*
 * A place is a block's number and an offset of bytes. In the table it takes 31 bits, by units and
 * with the number cut off: never all ones, since no task is as short as a unit.
 */
enum { BLOCK_BITS = 14, BLOCK_BYTES = 1 << BLOCK_BITS, UNIT_BYTES = 2, BLOCKS_FIRST = 16 };

#define SHORT_MASK (STOPPED_FLAG - 1)

/* What is packed, likely first: those behind the last that is not 0 cost nothing. */
enum field {
    FIELD_ID = 0, /* these three as differences from the block's first */
    FIELD_MONO,
    FIELD_REVISION,
    FIELD_BITS,  /* what is small, and which times are set */
    FIELD_TIMES, /* TIMES of them */
    FIELD_REFERENCE = FIELD_TIMES + 5,
    FIELD_DEF,
    FIELD_GROUP,
    FIELD_INSTANCE, /* plus 1 */
    FIELD_VERSION,
    FIELD_CLOCKS, /* from the monotonic clock to the wall's, beyond the block's first */
    FIELD_EXIT_CODE,
    FIELD_CPU, /* beyond the definition's */
    FIELD_MEM,
    FIELD_SERVICE, /* plus 1 */
    FIELD_DEPLOYMENT,
    FIELD_GPU_MILLI,
    FIELD_STOP_TEXT,
    FIELD_PROVIDER,
    FIELD_TARGET_GROUPS,
    FIELD_COUNT
};

enum {
    TIMES = FIELD_REFERENCE - FIELD_TIMES,
    FIRST_FIELDS = FIELD_MONO + 1, /* whole pairs: all that a deadline takes */
    TASK_BYTES_MAX = PACK_BYTES_MAX(FIELD_COUNT)
};

struct stopped_block {
    uint64_t id, revision;
    berth_ns mono_ns, wall_ns;
    uint32_t used_bytes;
    unsigned char bytes[BLOCK_BYTES];
};

static struct stopped_block **block_at(const struct stopped *past, uint64_t place)
{
    return &past->blocks[(place >> BLOCK_BITS) & (past->capacity - 1)];
}

static unsigned char *bytes_at(const struct stopped *past, uint64_t place)
{
    return (*block_at(past, place))->bytes + place % BLOCK_BYTES;
}

void stopped_free(struct controller *controller)
{
    struct stopped *past = &controller->past;
    if (past->capacity > 0)
        for (uint64_t at = past->first; at >> BLOCK_BITS <= past->next >> BLOCK_BITS;
             at += BLOCK_BYTES)
            mem_free(*block_at(past, at));
    mem_free(past->blocks);
    mem_free(past->loaded);
}

uint32_t stopped_count(const struct controller *controller)
{
    return controller->past.count;
}

/* Small things in one number. Not above what their enums need: see the counts asserted. */
static uint64_t bits_of(const struct stopped_task *task)
{
    return (uint64_t)task->stop_code | (uint64_t)task->stop_reason << 3 |
           (uint64_t)task->health << 13 | (uint64_t)task->leaves_interface << 15 |
           (uint64_t)task->leaves_targets << 16 | (uint64_t)task->target_count << 17 |
           (uint64_t)task->verdict << 20;
}

static void set_bits(struct stopped_task *task, uint64_t bits)
{
    task->stop_code = bits & 7;
    task->stop_reason = bits >> 3 & 31;
    task->health = bits >> 13 & 3;
    task->leaves_interface = bits >> 15 & 1;
    task->leaves_targets = bits >> 16 & 1;
    task->target_count = bits >> 17 & 7;
    task->verdict = bits >> 20 & 15;
}

_Static_assert(STOP_CODE_COUNT <= 8 && STOP_REASON_COUNT <= 32 && TASK_HEALTH_COUNT <= 4, "bits");
_Static_assert(TARGET_GROUPS_MAX <= 7 && PLACEMENT_VERDICT_COUNT <= 16, "bits");
enum { BIT_TIMES = 8 }; /* TIMES of them: it is set */

/* Each time as its difference from the one before it that is set. */
static void write_times(const struct stopped_task *task, uint64_t *fields)
{
    const berth_ns times_ns[TIMES] = {task->stopping_ns, task->started_ns, task->pull_stopped_ns,
                                      task->pull_started_ns, task->created_wall_ns};
    berth_ns before_ns = task->stopped_ns;
    for (int i = 0; i < TIMES; i++) {
        fields[FIELD_TIMES + i] = 0;
        if (times_ns[i] == 0)
            continue;
        fields[FIELD_TIMES + i] = pack_difference((uint64_t)before_ns, (uint64_t)times_ns[i]);
        fields[FIELD_BITS] |= UINT64_C(1) << (BIT_TIMES + i);
        before_ns = times_ns[i];
    }
}

static void read_times(const uint64_t *fields, struct stopped_task *task)
{
    berth_ns *const times_ns[TIMES] = {&task->stopping_ns, &task->started_ns,
                                       &task->pull_stopped_ns, &task->pull_started_ns,
                                       &task->created_wall_ns};
    uint64_t before = (uint64_t)task->stopped_ns;
    for (int i = 0; i < TIMES; i++) {
        *times_ns[i] = 0;
        if ((fields[FIELD_BITS] >> (BIT_TIMES + i) & 1) == 0)
            continue;
        before = before - unpack_difference(fields[FIELD_TIMES + i], 0);
        *times_ns[i] = (berth_ns)before;
    }
}

static uint64_t clocks_of(berth_ns wall_ns, berth_ns mono_ns)
{
    return (uint64_t)wall_ns - (uint64_t)mono_ns;
}

static void write_fields(const struct stopped_block *block, const struct stopped_task *task,
                         uint64_t *fields)
{
    const struct demand *usual = &task->def->demand;
    fields[FIELD_ID] = pack_difference(task->id, block->id);
    fields[FIELD_MONO] = (uint64_t)(task->stopped_mono_ns - block->mono_ns);
    fields[FIELD_REVISION] = task->revision - block->revision;
    fields[FIELD_CLOCKS] = pack_difference(clocks_of(task->stopped_ns, task->stopped_mono_ns),
                                           clocks_of(block->wall_ns, block->mono_ns));
    fields[FIELD_BITS] = bits_of(task);
    write_times(task, fields);
    fields[FIELD_REFERENCE] = task->reference;
    fields[FIELD_DEF] = task->def->number;
    fields[FIELD_GROUP] = task->group;
    fields[FIELD_INSTANCE] = (uint32_t)(task->instance + 1);
    fields[FIELD_VERSION] = task->version;
    fields[FIELD_EXIT_CODE] = pack_difference((uint64_t)task->exit_code, 0);
    fields[FIELD_CPU] = pack_difference((uint64_t)task->cpu_units, (uint64_t)usual->cpu_units);
    fields[FIELD_MEM] = pack_difference((uint64_t)task->mem_mib, (uint64_t)usual->mem_mib);
    fields[FIELD_SERVICE] = (uint32_t)(task->service + 1);
    fields[FIELD_DEPLOYMENT] = task->deployment;
    fields[FIELD_GPU_MILLI] = task->gpu_milli;
    fields[FIELD_STOP_TEXT] = task->stop_text;
    fields[FIELD_PROVIDER] = task->provider;
    fields[FIELD_TARGET_GROUPS] = (uintptr_t)task->target_groups;
}

static void read_fields(const struct controller *controller, const struct stopped_block *block,
                        const uint64_t *fields, struct stopped_task *task)
{
    task->id = unpack_difference(fields[FIELD_ID], block->id);
    task->stopped_mono_ns = block->mono_ns + (berth_ns)fields[FIELD_MONO];
    task->revision = block->revision + fields[FIELD_REVISION];
    task->stopped_ns = (berth_ns)((uint64_t)task->stopped_mono_ns +
                                  unpack_difference(fields[FIELD_CLOCKS],
                                                    clocks_of(block->wall_ns, block->mono_ns)));
    set_bits(task, fields[FIELD_BITS]);
    read_times(fields, task);
    task->reference = fields[FIELD_REFERENCE];
    task->def = task_def_at(controller->task_defs, (uint32_t)fields[FIELD_DEF]);
    task->group = (group_id)fields[FIELD_GROUP];
    task->instance = (instance_id)fields[FIELD_INSTANCE] - 1;
    task->version = (uint32_t)fields[FIELD_VERSION];
    task->exit_code = (int32_t)unpack_difference(fields[FIELD_EXIT_CODE], 0);
    task->cpu_units =
        (int32_t)unpack_difference(fields[FIELD_CPU], (uint64_t)task->def->demand.cpu_units);
    task->mem_mib =
        (int32_t)unpack_difference(fields[FIELD_MEM], (uint64_t)task->def->demand.mem_mib);
    task->service = (service_id)fields[FIELD_SERVICE] - 1;
    task->deployment = fields[FIELD_DEPLOYMENT];
    task->gpu_milli = (uint32_t)fields[FIELD_GPU_MILLI];
    task->stop_text = (symbol)fields[FIELD_STOP_TEXT];
    task->provider = (symbol)fields[FIELD_PROVIDER];
    task->target_groups = (const symbol *)(uintptr_t)fields[FIELD_TARGET_GROUPS];
}

/* Returns the place behind it. */
static uint64_t read_at(const struct controller *controller, uint64_t place,
                        struct stopped_task *out)
{
    const struct stopped *past = &controller->past;
    const struct stopped_block *block = *block_at(past, place);
    uint64_t fields[FIELD_COUNT];
    size_t size_bytes = unpack_numbers(bytes_at(past, place), fields, FIELD_COUNT);
    read_fields(controller, block, fields, out);
    place += (size_bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    bool is_last = place != past->next && place % BLOCK_BYTES >= block->used_bytes;
    return is_last ? (place | (BLOCK_BYTES - 1)) + 1 : place;
}

static void make_room(struct stopped *past)
{
    uint64_t from = past->first >> BLOCK_BITS, to = past->next >> BLOCK_BITS;
    if (past->capacity > 0 && to - from + 1 < past->capacity)
        return;
    struct stopped grown = *past;
    grown.capacity = past->capacity == 0 ? BLOCKS_FIRST : 2 * past->capacity;
    grown.blocks = mem_alloc(grown.capacity * sizeof *grown.blocks);
    assert((uint64_t)grown.capacity * (BLOCK_BYTES / UNIT_BYTES) <= SHORT_MASK);
    for (uint64_t at = from; past->capacity > 0 && at <= to; at++)
        *block_at(&grown, at << BLOCK_BITS) = *block_at(past, at << BLOCK_BITS);
    mem_free(past->blocks);
    *past = grown;
}

static void begin_block(struct stopped *past, const struct stopped_task *task)
{
    bool is_first = past->capacity == 0;
    make_room(past);
    if (!is_first)
        past->next = (past->next | (BLOCK_BYTES - 1)) + 1;
    struct stopped_block *block = mem_resize(NULL, 1, sizeof *block);
    block->id = task->id;
    block->revision = task->revision;
    block->mono_ns = task->stopped_mono_ns;
    block->wall_ns = task->stopped_ns;
    block->used_bytes = 0;
    *block_at(past, past->next) = block;
    if (past->count > 0 || is_first)
        return;
    mem_free(*block_at(past, past->first));
    past->first = past->next;
}

static void append(struct controller *controller, const struct stopped_task *task)
{
    struct stopped *past = &controller->past;
    uint64_t fields[FIELD_COUNT];
    if (past->capacity == 0 || past->next % BLOCK_BYTES + TASK_BYTES_MAX > BLOCK_BYTES)
        begin_block(past, task);
    struct stopped_block *block = *block_at(past, past->next);
    write_fields(block, task, fields);
    size_t size_bytes = pack_numbers(fields, FIELD_COUNT, bytes_at(past, past->next));
    id_table_put(&controller->tasks, task->id,
                 STOPPED_FLAG | (past->next / UNIT_BYTES & SHORT_MASK));
    past->next += (size_bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    block->used_bytes = past->next % BLOCK_BYTES;
    if (past->count++ == 0)
        past->deadline_ns = task->stopped_mono_ns + STOPPED_KEPT_NS;
}

void stopped_keep(struct controller *controller, const struct task *task, bool leaves_interface)
{
    struct stopped_task kept = {
        .id = task->id,
        .stopped_mono_ns = controller->now.mono_ns,
        .revision = task->revision,
        .reference = task->reference,
        .deployment = task->deployment_number,
        .def = task->def,
        .created_wall_ns = task->created_wall_ns,
        .pull_started_ns = task->pull_started_ns,
        .pull_stopped_ns = task->pull_stopped_ns,
        .started_ns = task->started_ns,
        .stopping_ns = task->stopping_ns,
        .stopped_ns = task->stopped_ns,
        .target_groups = task->target_groups,
        .service = task->service,
        .group = task->group,
        .instance = task->instance,
        .cpu_units = task->cpu_units,
        .mem_mib = task->mem_mib,
        .exit_code = task->exit_code,
        .version = task->version,
        .stop_text = task->stop_text,
        .provider = task->provider,
        .stop_code = (uint8_t)task->stop_code,
        .stop_reason = (uint8_t)task->stop_reason,
        .verdict = (uint8_t)task->verdict,
        .health = (uint8_t)task_health_of(task),
        .target_count = task->target_count,
        .leaves_targets = targets_are_left(task),
        .leaves_interface = leaves_interface,
    };
    for (uint16_t i = 0; i < task->gpu_count; i++)
        kept.gpu_milli += task->gpus[i].milli;
    append(controller, &kept);
}

bool stopped_find(const struct controller *controller, task_id task, struct stopped_task *out)
{
    const struct stopped *past = &controller->past;
    uint32_t found = id_table_get(&controller->tasks, task);
    if (found == ID_ABSENT || (found & STOPPED_FLAG) == 0)
        return false;
    uint64_t after = ((found & SHORT_MASK) - past->first / UNIT_BYTES) & SHORT_MASK;
    (void)read_at(controller, past->first + after * UNIT_BYTES, out);
    return true;
}

bool stopped_next(const struct controller *controller, uint64_t *place, struct stopped_task *out)
{
    const struct stopped *past = &controller->past;
    if (*place < past->first)
        *place = past->first;
    if (past->count == 0 || *place >= past->next)
        return false;
    *place = read_at(controller, *place, out);
    return true;
}

void stopped_view(const struct stopped_task *kept, struct task_view *out)
{
    *out = (struct task_view){
        .task = kept->id,
        .instance = kept->instance,
        .service = kept->service,
        .group = kept->group,
        .def = kept->def,
        .deployment = kept->deployment,
        .reference = kept->reference,
        .last_status = TASK_STOPPED,
        .previous_status = TASK_STOPPED,
        .stop_code = (enum stop_code)kept->stop_code,
        .stop_reason = (enum stop_reason)kept->stop_reason,
        .stop_text = kept->stop_text,
        .provider = kept->provider,
        .verdict = (enum placement_verdict)kept->verdict,
        .exit_code = kept->exit_code,
        .cpu_units = kept->cpu_units,
        .mem_mib = kept->mem_mib,
        .gpu_milli = kept->gpu_milli,
        .version = kept->version,
        .created_wall_ns = kept->created_wall_ns,
        .pull_started_ns = kept->pull_started_ns,
        .pull_stopped_ns = kept->pull_stopped_ns,
        .started_ns = kept->started_ns,
        .stopping_ns = kept->stopping_ns,
        .stopped_ns = kept->stopped_ns,
        .health = (enum task_health)kept->health,
        .previous_health = (enum task_health)kept->health,
    };
}

bool controller_stopped_task(const struct controller *controller, task_id task,
                             struct task_view *out)
{
    struct stopped_task kept;
    if (!stopped_find(controller, task, &kept))
        return false;
    stopped_view(&kept, out);
    return true;
}

uint32_t controller_stopped_count(const struct controller *controller)
{
    return stopped_count(controller);
}

/* When the first has been kept for long enough: its time stands among the first numbers. */
static berth_ns deadline_of(const struct stopped *past)
{
    uint64_t fields[FIRST_FIELDS];
    if (past->count == 0)
        return BERTH_NS_NEVER;
    (void)unpack_numbers(bytes_at(past, past->first), fields, FIRST_FIELDS);
    return (*block_at(past, past->first))->mono_ns + (berth_ns)fields[FIELD_MONO] + STOPPED_KEPT_NS;
}

static void drop_first(struct controller *controller, uint64_t next)
{
    struct stopped *past = &controller->past;
    if (next >> BLOCK_BITS != past->first >> BLOCK_BITS)
        mem_free(*block_at(past, past->first));
    past->first = next;
    past->count--;
    past->deadline_ns = deadline_of(past);
}

void stopped_timer(struct controller *controller)
{
    while (controller->past.deadline_ns <= controller->now.mono_ns) {
        struct stopped_task kept;
        struct task_view view;
        uint64_t next = read_at(controller, controller->past.first, &kept);
        id_table_remove(&controller->tasks, kept.id);
        drop_first(controller, next);
        stopped_view(&kept, &view);
        emit_task_gone(controller, &view);
    }
}

struct stopped_task *stopped_push(struct controller *controller, task_id task)
{
    struct stopped *past = &controller->past;
    if (past->loaded_count == past->loaded_capacity)
        past->loaded = mem_grow(past->loaded, &past->loaded_capacity, past->loaded_count + 1,
                                sizeof *past->loaded);
    id_table_put(&controller->tasks, task, STOPPED_FLAG); /* settled: its place */
    struct stopped_task *kept = &past->loaded[past->loaded_count++];
    memset(kept, 0, sizeof *kept);
    kept->id = task;
    return kept;
}

static int by_revision(const void *left, const void *right)
{
    uint64_t a = ((const struct stopped_task *)left)->revision;
    uint64_t b = ((const struct stopped_task *)right)->revision;
    return (a > b) - (a < b);
}

bool stopped_settle(struct controller *controller)
{
    struct stopped *past = &controller->past;
    berth_ns before_ns = 0;
    if (past->loaded_count > 0)
        qsort(past->loaded, past->loaded_count, sizeof *past->loaded, by_revision);
    for (size_t i = 0; i < past->loaded_count; i++) {
        if (past->loaded[i].stopped_mono_ns < before_ns)
            return false;
        before_ns = past->loaded[i].stopped_mono_ns;
        append(controller, &past->loaded[i]);
    }
    mem_free(past->loaded);
    past->loaded = NULL;
    past->loaded_count = past->loaded_capacity = 0;
    return true;
}
