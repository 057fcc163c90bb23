#define _GNU_SOURCE /* unshare */
#include "scheduler/lab/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/lab/process.h"

#define IP_SECONDS 20
#define HUB_MS 10000

bool lab_slot_is_free(int slot)
{
    struct ifaddrs *list = NULL;
    struct in_addr network;
    bool is_free = true;
    if (inet_pton(AF_INET, lab_address(slot, 0).text, &network) != 1 || getifaddrs(&list) != 0)
        return false;
    for (struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        struct sockaddr_in address, mask;
        if (at->ifa_addr == NULL || at->ifa_netmask == NULL || at->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&address, at->ifa_addr, sizeof address);
        memcpy(&mask, at->ifa_netmask, sizeof mask);
        /* They overlap when they agree on what the wider of the two masks covers. */
        in_addr_t both = mask.sin_addr.s_addr & htonl(0xffffff00U);
        is_free = is_free && (address.sin_addr.s_addr & both) != (network.s_addr & both);
    }
    freeifaddrs(list);
    return is_free;
}

/* The lines `commands` by ip, in a namespace (a file in /proc or the lab's hub; NULL: here). */
static enum berth_err run_ip(const char *namespace, const char *commands, struct berth_error *err)
{
    static const char *const argv[] = {"ip", "-batch", "-", NULL};
    struct lab_program program = {
        .argv = argv, .input = commands, .netns = -1, .seconds = IP_SECONDS};
    if (namespace != NULL)
        program.netns = open(namespace, O_RDONLY | O_CLOEXEC);
    if (namespace != NULL && program.netns < 0)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", namespace, strerror(errno));
    enum berth_err code = lab_program_run(&program, err);
    if (program.netns >= 0)
        (void)close(program.netns);
    return code;
}

/* A namespace lives as long as something is mounted on it or in it; `file` is to hold it. */
static enum berth_err make_namespace(const char *file, struct berth_error *err)
{
    int made = open(file, O_CREAT | O_RDONLY | O_CLOEXEC, 0600), status = 0;
    if (made >= 0)
        (void)close(made);
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        lab_die_with(self);
        bool good = unshare(CLONE_NEWNET) == 0 &&
                    mount("/proc/self/ns/net", file, NULL, MS_BIND, NULL) == 0;
        _exit(good ? 0 : errno);
    }
    if (child < 0 || !lab_wait_child(child, lab_now_ms() + HUB_MS, &status))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no process to make it", file);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? BERTH_OK
               : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no network namespace: %s", file,
                            strerror(WIFEXITED(status) ? WEXITSTATUS(status) : EINTR));
}

enum berth_err lab_hub_make(const struct lab_plan *plan, struct berth_error *err)
{
    struct lab_name hub = lab_path(plan->name, 0, "hub"), link = lab_link(plan->slot);
    struct text outside = TEXT_INIT;
    enum berth_err code = make_namespace(hub.text, err);
    if (code == BERTH_OK)
        code = run_ip(hub.text,
                      "link set lo up\n"
                      "link add bridge type bridge\n"
                      "link set bridge up\n",
                      err);
    text_addf(&outside,
              "link add %s type veth peer name machine netns %s\n"
              "addr add %s/24 dev %s\n"
              "link set %s up\n",
              link.text, hub.text, lab_address(plan->slot, LAB_MACHINE).text, link.text, link.text);
    if (code == BERTH_OK)
        code = run_ip(NULL, outside.bytes, err);
    if (code == BERTH_OK)
        code = run_ip(hub.text, "link set machine master bridge up\n", err);
    text_free(&outside);
    return code;
}

void lab_hub_remove(const char *name, int slot)
{
    char command[160];
    struct berth_error ignored = BERTH_ERROR_INIT;
    if (slot >= 0) {
        (void)snprintf(command, sizeof command, "link del %s\n", lab_link(slot).text);
        (void)!run_ip(NULL, command, &ignored); /* fails when it is gone, which is what it is for */
    }
    (void)umount2(lab_path(name, 0, "hub").text, MNT_DETACH);
}

enum berth_err lab_link_make(const struct lab_plan *plan, int engine, pid_t pid, bool connected,
                             struct berth_error *err)
{
    char inside[64];
    struct text command = TEXT_INIT;
    (void)snprintf(inside, sizeof inside, "/proc/%ld/ns/net", (long)pid);
    /* A host keeps its hardware address over a death, as a real one does. */
    text_addf(&command,
              "link add host%d type veth peer name eth0 address 02:be:72:00:%02x:%02x netns %ld\n"
              "link set host%d master bridge %s\n",
              engine, (unsigned)plan->slot, (unsigned)engine, (long)pid, engine,
              connected ? "up" : "down");
    enum berth_err code = run_ip(lab_path(plan->name, 0, "hub").text, command.bytes, err);
    text_clear(&command);
    text_addf(&command,
              "link set lo up\n"
              "addr add %s/24 dev eth0\n"
              "link set eth0 up\n",
              lab_address(plan->slot, engine).text);
    if (code == BERTH_OK)
        code = run_ip(inside, command.bytes, err);
    text_free(&command);
    return code;
}

void lab_link_remove(const struct lab_plan *plan, int engine)
{
    char command[160];
    struct berth_error ignored = BERTH_ERROR_INIT;
    (void)snprintf(command, sizeof command, "link del host%d\n", engine);
    (void)!run_ip(lab_path(plan->name, 0, "hub").text, command, &ignored);
}

enum berth_err lab_link_set(const struct lab_plan *plan, int engine, bool connected,
                            struct berth_error *err)
{
    char command[160];
    (void)snprintf(command, sizeof command, "link set host%d %s\n", engine,
                   connected ? "up" : "down");
    return run_ip(lab_path(plan->name, 0, "hub").text, command, err);
}
