/*
 * plan.h -- what a lab is to be: its names, addresses, paths and the file that keeps it. Pure.
 *
 * Everything a lab has is found by its name alone, so that what a killed berth left behind can
 * be found as well:
 *
 *     /run/berth-lab/NAME/lab          the plan: one line, written before anything is made
 *     /run/berth-lab/NAME/hub          the network namespace with the bridge
 *     /run/berth-lab/NAME/tls/         ca.pem, cert.pem, key.pem: how to speak to an engine's
 * address /run/berth-lab/NAME/I/           engine I: docker.sock, engine.log, host.log, disk/, and
 *                                      `partitioned` while it is cut off
 *     /var/lib/berth-lab/NAME/I.img    its disk; the file loses its name once it is mounted
 *     berth-lab/NAME/I/engine          cgroup of the host's own processes, in every hierarchy
 *     berth-lab/NAME/I/containers      cgroup of its containers
 *     berth-labSLOT                    the machine's link to the lab, 10.213.SLOT.254
 */
#ifndef BERTH_SCHEDULER_LAB_PLAN_H
#define BERTH_SCHEDULER_LAB_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/error.h"
#include "scheduler/base/text.h"

#define LAB_RUN "/run/berth-lab"
#define LAB_IMAGES "/var/lib/berth-lab"
#define LAB_CGROUP "berth-lab"
#define LAB_ENGINES_MAX 16
#define LAB_PARTITIONED "partitioned"
#define LAB_KEYS "tls"
#define LAB_PORT 2376 /* of every engine's API, over TLS */
#define LAB_NAME_MAX 32
#define LAB_SLOTS 256
#define LAB_DISK_MIN ((uint64_t)64 << 20)
#define LAB_DISK_DEFAULT ((uint64_t)1 << 30)
#define LAB_DISK_MAX ((uint64_t)1 << 40)

struct lab_plan {
    char name[LAB_NAME_MAX + 1];
    int engine_count;    /* 1 to LAB_ENGINES_MAX */
    int slot;            /* which 10.213.SLOT.0/24 */
    uint64_t disk_bytes; /* of each engine */
    bool live_restore;   /* containers outlive their engine */
    bool is_complete;    /* `lab_up` has come to its end */
};

/* Letters, digits and '-', a letter or digit first, at most LAB_NAME_MAX. */
enum berth_err lab_check_name(const char *name, struct berth_error *err) BERTH_MUST_CHECK;

/* "There are engines 1 to 3" otherwise. */
enum berth_err lab_check_engine(const struct lab_plan *plan, int engine,
                                struct berth_error *err) BERTH_MUST_CHECK;

/* "512M", "2G", within LAB_DISK_MIN and LAB_DISK_MAX; NULL keeps *out. */
enum berth_err lab_read_size(const char *text, uint64_t *out,
                             struct berth_error *err) BERTH_MUST_CHECK;

/* The file "lab"; `line` is changed by reading. */
void lab_plan_write(const struct lab_plan *plan, struct text *out);
enum berth_err lab_plan_read(char *line, struct lab_plan *out,
                             struct berth_error *err) BERTH_MUST_CHECK;

/* A path or another short name, by value: lab_path("lab", 2, "docker.sock").text */
struct lab_name {
    char text[128];
};
/* Below LAB_RUN/NAME; engine 0: the lab's own; `below` may be "". */
struct lab_name lab_path(const char *name, int engine, const char *below);
struct lab_name lab_image_path(const char *name, int engine); /* engine 0: the folder */
struct lab_name lab_cgroup(const char *name, int engine, const char *below);
struct lab_name lab_address(int slot, int host);
struct lab_name lab_url(int slot, int engine); /* of its API over the network */
struct lab_name lab_link(int slot);            /* the machine's end */
#define LAB_MACHINE 254                        /* the machine as a host of the lab's network */

#endif
