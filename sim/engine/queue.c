/*
 * queue.c -- a wheel of wheels, with a short sorted front.
 *
 * A time is a key of eight digits of eight bits. With `base`, a time that is not after the next
 * event, an event's bucket is given by the highest digit in which its key differs from the base's:
 * the digit's place is the level, its value the slot. So a bucket of level L holds the events of a
 * range of 256^L ns, and all of a level come before all of the level above.
 *
 *     level 2   |slot 3      |slot 4      | ...        65,536 ns each
 *     level 1   |s 7|s 8|     ...                      256 ns each, within the base's slot above
 *
 * Events are moved from the nearest buckets to `front`, an array that is sorted by insertion, and
 * taken from there. A bucket with many events is first spread over the levels below it. Whatever
 * the delays are, an event only ever moves down: at most once per level, nearly always once or
 * twice in all, and each time as a part of a stream from one list to 256 others, which is what
 * caches like. A heap moves an event log n times, each time to or from a line that has gone cold;
 * and no width has to be guessed from the pending times, as in a calendar, nor can it be wrong.
 *
 * Within a bucket events stay in the order in which they came, and so do those of equal time all
 * the way to the front, since they are always together. No sequence number is kept.
 *
 * What is put in before the end of the front is inserted there. When that makes the front long, it
 * goes back into the wheel, with `base` at the present: what differs from it by less is on a lower
 * level than before.
 */
#include "sim/engine/queue.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/mem.h"

enum {
    DIGIT_BITS = 8,
    LEVELS = 64 / DIGIT_BITS,
    SLOTS = 1 << DIGIT_BITS,
    WORD_BITS = 64,
    CHUNK = 16,       /* entries of one bucket that lie side by side */
    FRONT_LEAST = 8,  /* buckets are added to the front until it has so many */
    BUCKET_MOST = 24, /* a bucket with more is spread first */
    FRONT_MOST = 64,  /* beyond this, inserting is dearer than spreading */
};
#define CHUNK_NONE UINT32_MAX

_Static_assert(sizeof(struct sim_entry) == 32, "two entries fill a cache line");

/* A list of chunks. */
struct bucket {
    uint32_t first; /* entry; a chunk's first */
    uint32_t end;   /* one past the last entry: a chunk's first when the last chunk is full */
    uint32_t count;
};

struct sim_queue {
    uint64_t front_last;     /* a key up to this one belongs to the front */
    struct sim_entry *front; /* sorted; [head, end) */
    uint32_t head, end, front_capacity;
    uint32_t used_levels; /* a bit for each with an event */
    uint64_t now;         /* key of the last event taken */
    uint64_t base;
    uint64_t least; /* key of the wheel, or 0: not known. Only for peeking */
    uint64_t count;
    struct sim_entry *entries; /* in chunks */
    uint32_t *next_chunk;      /* by chunk: of the same bucket, or of the free list */
    uint32_t chunk_count, chunk_capacity, free_chunk;
    uint64_t used[LEVELS][SLOTS / WORD_BITS]; /* a bit for each slot with an event */
    struct bucket buckets[LEVELS][SLOTS];
};

/* The sign bit is flipped so that the order of the unsigned keys is that of the signed times. */
static uint64_t key_of(berth_ns at_ns)
{
    return (uint64_t)at_ns ^ UINT64_C(1) << 63;
}

static berth_ns time_of(uint64_t key)
{
    return (berth_ns)(key ^ UINT64_C(1) << 63);
}

struct sim_queue *sim_queue_create(void)
{
    struct sim_queue *queue = mem_alloc(sizeof *queue);
    queue->front_capacity = 4 * FRONT_MOST;
    queue->front = mem_resize(NULL, queue->front_capacity, sizeof *queue->front);
    queue->free_chunk = CHUNK_NONE;
    return queue;
}

void sim_queue_destroy(struct sim_queue *queue)
{
    if (queue == NULL)
        return;
    mem_free(queue->front);
    mem_free(queue->entries);
    mem_free(queue->next_chunk);
    mem_free(queue);
}

static uint32_t take_chunk(struct sim_queue *queue)
{
    uint32_t chunk = queue->free_chunk;
    if (chunk != CHUNK_NONE) {
        queue->free_chunk = queue->next_chunk[chunk];
        return chunk;
    }
    if (queue->chunk_count == queue->chunk_capacity) {
        uint32_t capacity = queue->chunk_capacity == 0 ? 64 : queue->chunk_capacity * 2;
        assert(capacity < UINT32_MAX / CHUNK);
        queue->entries =
            mem_resize(queue->entries, (size_t)capacity * CHUNK, sizeof *queue->entries);
        queue->next_chunk = mem_resize(queue->next_chunk, capacity, sizeof *queue->next_chunk);
        queue->chunk_capacity = capacity;
    }
    return queue->chunk_count++;
}

static void free_chunk(struct sim_queue *queue, uint32_t chunk)
{
    queue->next_chunk[chunk] = queue->free_chunk;
    queue->free_chunk = chunk;
}

/* The bucket is empty or its last chunk is full. */
static void add_chunk(struct sim_queue *queue, struct bucket *bucket)
{
    uint32_t chunk = take_chunk(queue);
    if (bucket->count == 0)
        bucket->first = chunk * CHUNK;
    else
        queue->next_chunk[(bucket->end - 1) / CHUNK] = chunk;
    bucket->end = chunk * CHUNK;
}

static void put_wheel(struct sim_queue *queue, const struct sim_entry *entry)
{
    /* The lowest bit may differ or not: either way it is level 0. */
    uint32_t highest = 63 - (uint32_t)__builtin_clzll((entry->key ^ queue->base) | 1);
    uint32_t level = highest / DIGIT_BITS;
    uint32_t slot = (uint32_t)(entry->key >> (level * DIGIT_BITS)) % SLOTS;
    struct bucket *bucket = &queue->buckets[level][slot];
    if (bucket->end % CHUNK == 0) {
        add_chunk(queue, bucket);
        queue->used[level][slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
        queue->used_levels |= UINT32_C(1) << level;
    }
    queue->entries[bucket->end++] = *entry;
    bucket->count++;
    if (entry->key < queue->least)
        queue->least = entry->key;
}

/* Room for one entry more behind the last. */
static void make_room(struct sim_queue *queue)
{
    uint32_t length = queue->end - queue->head;
    if (length > queue->front_capacity / 2) {
        queue->front_capacity *= 2;
        queue->front = mem_resize(queue->front, queue->front_capacity, sizeof *queue->front);
    }
    memmove(queue->front, queue->front + queue->head, length * sizeof *queue->front);
    queue->head = 0;
    queue->end = length;
}

/* What comes soon moves the few before it down, the rest moves those behind it up. */
static void put_front(struct sim_queue *queue, const struct sim_entry *entry)
{
    if (queue->end == queue->front_capacity)
        make_room(queue);
    struct sim_entry *front = queue->front;
    uint32_t middle = queue->head + (queue->end - queue->head) / 2;
    if (queue->head > 0 && middle < queue->end && entry->key < front[middle].key) {
        uint32_t at = --queue->head;
        for (; front[at + 1].key <= entry->key; at++)
            front[at] = front[at + 1];
        front[at] = *entry;
        return;
    }
    uint32_t at = queue->end++;
    for (; at > queue->head && front[at - 1].key > entry->key; at--)
        front[at] = front[at - 1];
    front[at] = *entry;
}

/*
 * Back to the wheel, all that is after the present. The base only rises: it is the start of the
 * first bucket that was moved here, and the first event of that may have been taken already.
 */
static void unload_front(struct sim_queue *queue)
{
    uint32_t kept = queue->head, end = queue->end;
    if (queue->now > queue->base)
        queue->base = queue->now;
    while (kept < end && queue->front[kept].key <= queue->base)
        kept++;
    queue->front_last = queue->base;
    queue->end = kept;
    for (uint32_t i = kept; i < end; i++)
        put_wheel(queue, &queue->front[i]);
}

void sim_queue_put(struct sim_queue *queue, berth_ns at_ns, struct sim_event event)
{
    const struct sim_entry entry = {key_of(at_ns), event};
    queue->count++;
    /* Any number of one time may be in the front: they are appended, and need no search. */
    if (queue->end - queue->head >= FRONT_MOST && entry.key <= queue->front_last &&
        queue->front[queue->end - 1].key > queue->now)
        unload_front(queue);
    if (entry.key <= queue->front_last)
        put_front(queue, &entry);
    else
        put_wheel(queue, &entry);
}

/* The nearest bucket in use; there is one. */
static void find_first(const struct sim_queue *queue, uint32_t *level, uint32_t *slot)
{
    uint32_t word = 0;
    *level = (uint32_t)__builtin_ctz(queue->used_levels);
    while (queue->used[*level][word] == 0)
        word++;
    *slot = word * WORD_BITS + (uint32_t)__builtin_ctzll(queue->used[*level][word]);
}

/* The bucket, which is empty in the wheel from now on. */
static struct bucket take_bucket(struct sim_queue *queue, uint32_t level, uint32_t slot)
{
    struct bucket bucket = queue->buckets[level][slot];
    uint64_t *used = queue->used[level], all = 0;
    queue->buckets[level][slot] = (struct bucket){0, 0, 0};
    used[slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
    for (uint32_t word = 0; word < SLOTS / WORD_BITS; word++)
        all |= used[word];
    if (all == 0)
        queue->used_levels &= ~(UINT32_C(1) << level);
    return bucket;
}

/* Hand every entry of a bucket to `put`, in order, and give its chunks back. */
static inline void empty_bucket(struct sim_queue *queue, struct bucket bucket,
                                void (*put)(struct sim_queue *, const struct sim_entry *))
{
    uint32_t at = bucket.first;
    while (bucket.count > 0) {
        uint32_t chunk = at / CHUNK, next = queue->next_chunk[chunk];
        uint32_t length = bucket.count < CHUNK ? bucket.count : CHUNK;
        for (uint32_t i = 0; i < length; i++) {
            const struct sim_entry entry = queue->entries[at + i]; /* putting may move them all */
            put(queue, &entry);
        }
        free_chunk(queue, chunk);
        bucket.count -= length;
        at = next * CHUNK;
    }
}

/*
 * Fill the front, which is short, from the wheel, which is not empty. A bucket that has to be
 * spread first waits until the front is empty: `base` must not be after the next event.
 */
static void fill_front(struct sim_queue *queue)
{
    if (queue->head == queue->end)
        queue->head = queue->end = 0;
    queue->least = 0;
    do {
        uint32_t level, slot;
        find_first(queue, &level, &slot);
        uint32_t shift = level * DIGIT_BITS;
        uint64_t above = shift + DIGIT_BITS < 64 ? UINT64_MAX << (shift + DIGIT_BITS) : 0;
        uint64_t start = (queue->base & above) | (uint64_t)slot << shift;
        bool is_long = level > 0 && queue->buckets[level][slot].count > BUCKET_MOST;
        if (is_long && queue->end > 0)
            return;
        /* What is in the other buckets differs from `start` in the digit in which it did. */
        if (queue->end == 0)
            queue->base = start;
        if (is_long) {
            empty_bucket(queue, take_bucket(queue, level, slot), put_wheel);
            continue;
        }
        empty_bucket(queue, take_bucket(queue, level, slot), put_front);
        queue->front_last = start | ((UINT64_C(1) << shift) - 1);
    } while (queue->end - queue->head < FRONT_LEAST && queue->used_levels != 0);
}

/* The least key of the nearest bucket. Remembered, as a caller may look often and never take. */
static uint64_t least_of_wheel(struct sim_queue *queue)
{
    if (queue->least != 0)
        return queue->least;
    uint32_t level, slot;
    find_first(queue, &level, &slot);
    const struct bucket *bucket = &queue->buckets[level][slot];
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0, at = bucket->first; i < bucket->count; i++) {
        if (queue->entries[at].key < least)
            least = queue->entries[at].key;
        at = (at + 1) % CHUNK != 0 ? at + 1 : queue->next_chunk[at / CHUNK] * CHUNK;
    }
    return queue->least = least;
}

bool sim_queue_peek(struct sim_queue *queue, berth_ns *at_ns)
{
    if (queue->count == 0)
        return false;
    bool has_front = queue->head < queue->end;
    *at_ns = time_of(has_front ? queue->front[queue->head].key : least_of_wheel(queue));
    return true;
}

bool sim_queue_take(struct sim_queue *queue, berth_ns *at_ns, struct sim_event *event)
{
    if (queue->count == 0)
        return false;
    if (queue->end - queue->head < FRONT_LEAST && queue->used_levels != 0)
        fill_front(queue);
    const struct sim_entry *first = &queue->front[queue->head++];
    queue->count--;
    queue->now = first->key;
    *at_ns = time_of(first->key);
    *event = first->event;
    return true;
}

uint64_t sim_queue_count(const struct sim_queue *queue)
{
    return queue->count;
}

const struct sim_entry *sim_queue_ahead(const struct sim_queue *queue, uint32_t *count)
{
    *count = queue->end - queue->head;
    return queue->front + queue->head;
}
