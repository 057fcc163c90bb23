/*
 * queueing.h -- one copy of a service as an M/M/c/K queue: c servers, room for K requests.
 *
 *     p(n) = p(0) a^n / (1 2 ... c c ...),  a = lambda / mu,  n = 0..K
 *
 * p(K) is the share that is rejected. A request that is taken in finds n others, waits for
 * n - c + 1 of them to leave if all servers are busy, and is then served.
 */
#ifndef BERTH_SIM_WORLD_QUEUEING_H
#define BERTH_SIM_WORLD_QUEUEING_H

#include <stdint.h>

struct queue_figures {
    double rejected;     /* p(K): share of those offered */
    double delayed;      /* share of those taken in that have to wait */
    double in_system;    /* mean number: being served or waiting */
    double busy;         /* mean number of busy servers */
    double time_mean;    /* in the system, of those taken in; in the unit of 1/mu */
    double time_squares; /* mean of its square */
};

/* mu > 0, servers >= 1, room >= servers. With lambda 0: what a first request would meet. */
struct queue_figures queue_mmck(double lambda, double mu, uint32_t servers, uint32_t room);

#endif
