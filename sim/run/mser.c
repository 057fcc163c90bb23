#include "sim/run/mser.h"

#define BATCH 5

static double batch_mean(const double *values, size_t batch)
{
    double sum = 0;
    for (size_t i = 0; i < BATCH; i++)
        sum += values[batch * BATCH + i];
    return sum / BATCH;
}

/* Running moments from the back (Welford), so that one pass judges every cut. */
size_t mser5_cut(const double *values, size_t count)
{
    size_t batches = count / BATCH, best = 0;
    double mean = 0, squares = 0, best_error = 0;
    for (size_t left = 1; left <= batches; left++) {
        size_t cut = batches - left;
        double value = batch_mean(values, cut), before = value - mean;
        mean += before / (double)left;
        squares += before * (value - mean);
        double error = squares / ((double)left * (double)left);
        if (cut <= batches / 2 && (cut == batches / 2 || error <= best_error)) {
            best_error = error;
            best = cut;
        }
    }
    return best * BATCH;
}
