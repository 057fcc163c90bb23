#include "sim/world/queueing.h"

#define LARGE 1e200 /* sums are scaled down beyond this */

struct sums {
    double weight;         /* of the state at hand */
    double all, number;    /* sum of weights, of n x weight */
    double busy;           /* of busy servers x weight */
    double taken, delayed; /* of states that a request may find when it is taken in */
    double square;         /* of those, x the mean square of its time in the system */
};

static void scale(struct sums *sums)
{
    sums->weight /= LARGE;
    sums->all /= LARGE;
    sums->number /= LARGE;
    sums->busy /= LARGE;
    sums->taken /= LARGE;
    sums->delayed /= LARGE;
    sums->square /= LARGE;
}

/* Mean square of (k exponential steps of mean s) + (one exponential of mean 1/mu). */
static double mean_square(uint32_t steps, double step, double service)
{
    double mean = steps * step + service;
    return steps * step * step + service * service + mean * mean;
}

struct queue_figures queue_mmck(double lambda, double mu, uint32_t servers, uint32_t room)
{
    struct sums sums = {.weight = 1};
    double offered = lambda / mu, service = 1 / mu, step = service / servers;
    for (uint32_t n = 0; n <= room; n++) {
        uint32_t busy = n < servers ? n : servers;
        if (n > 0)
            sums.weight *= offered / busy;
        if (sums.all > LARGE)
            scale(&sums);
        sums.all += sums.weight;
        sums.number += n * sums.weight;
        sums.busy += busy * sums.weight;
        if (n == room)
            break;
        uint32_t steps = n < servers ? 0 : n - servers + 1;
        sums.taken += sums.weight;
        sums.delayed += steps > 0 ? sums.weight : 0;
        sums.square += sums.weight * mean_square(steps, step, service);
    }
    double accepted = lambda * sums.taken / sums.all;
    return (struct queue_figures){
        .rejected = sums.weight / sums.all,
        .delayed = sums.delayed / sums.taken,
        .in_system = sums.number / sums.all,
        .busy = sums.busy / sums.all,
        .time_mean = lambda > 0 ? sums.number / sums.all / accepted : service,
        .time_squares = sums.square / sums.taken,
    };
}
