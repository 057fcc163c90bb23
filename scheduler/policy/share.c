/* Ratios are compared by cross-multiplication: counts and weights are small enough for 64 bits. */
#include "scheduler/policy/share.h"

const char *share_check(const struct share *shares, size_t count)
{
    size_t bases = 0, weighted = 0;
    if (count > SHARES_MAX)
        return "at most 20 capacity providers are allowed; remove some";
    for (size_t i = 0; i < count; i++) {
        if (shares[i].weight > SHARE_WEIGHT_MAX)
            return "weight: use 0 to 1000";
        if (shares[i].base > SHARE_BASE_MAX)
            return "base: use 0 to 100000";
        bases += shares[i].base > 0;
        weighted += shares[i].weight > 0;
    }
    if (bases > 1)
        return "only one capacity provider may have a base; remove the others";
    if (count > 0 && weighted == 0)
        return "every weight is 0, so nothing could be placed; give one of them a weight";
    return NULL;
}

bool share_is_for_base(const struct share *share)
{
    return share->count < share->base;
}

static uint64_t above_base(const struct share *share)
{
    return share->count > share->base ? share->count - share->base : 0;
}

/* Ties: the higher weight, then the order of the list. */
static bool is_behind(const struct share *share, const struct share *other)
{
    uint64_t mine = above_base(share) * other->weight, theirs = above_base(other) * share->weight;
    return mine != theirs ? mine < theirs : share->weight > other->weight;
}

size_t share_choose(const struct share *shares, size_t count)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (share_is_for_base(&shares[i]))
            return i;
    for (size_t i = 0; i < count; i++)
        if (shares[i].weight > 0 && (best == SIZE_MAX || is_behind(&shares[i], &shares[best])))
            best = i;
    return best;
}

/* Above its share of `total`, in tasks times the sum of weights. */
static int64_t excess(const struct share *share, uint64_t total, uint64_t base, uint64_t weights)
{
    uint64_t rest = total > base ? total - base : 0;
    uint64_t own_base = share->base == 0 ? 0 : share->base < total ? share->base : total;
    return (int64_t)(share->count * weights) - (int64_t)(own_base * weights + rest * share->weight);
}

size_t share_shrink(const struct share *shares, size_t count)
{
    uint64_t total = 0, base = 0, weights = 0;
    size_t best = SIZE_MAX;
    int64_t best_excess = 0;
    for (size_t i = 0; i < count; i++) {
        total += shares[i].count;
        base += shares[i].base;
        weights += shares[i].weight;
    }
    /* What is left after the stop decides: shrinking from n+1 to n takes what growing added. */
    total -= total > 0;
    for (size_t i = 0; i < count; i++) {
        int64_t above = excess(&shares[i], total, base, weights);
        if (shares[i].count > 0 &&
            (best == SIZE_MAX || above > best_excess ||
             (above == best_excess && shares[i].weight <= shares[best].weight))) {
            best = i;
            best_excess = above;
        }
    }
    return best;
}
