#define _GNU_SOURCE /* setns */
#include "tests/support/registry.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT 5000
#define MANIFEST_TYPE "application/vnd.docker.distribution.manifest.v2+json"
#define DIGEST "1111111111111111111111111111111111111111111111111111111111111111"

/* No layers: those an engine would try for five times, with growing pauses. */
static const char manifest[] =
    "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"config\":{\"mediaType\":"
    "\"application/vnd.docker.container.image.v1+json\",\"size\":10,\"digest\":\"sha256:" DIGEST
    "\"},\"layers\":[]}";

static void answer(int connection, const char *status, const char *header, const char *body,
                   bool has_body)
{
    char out[2048];
    int length = snprintf(out, sizeof out,
                          "HTTP/1.1 %s\r\nDocker-Distribution-Api-Version: registry/2.0\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n%s\r\n\r\n%s",
                          status, strlen(body), header, has_body ? body : "");
    if (write(connection, out, (size_t)length) != length)
        _exit(1);
}

static void serve(int connection)
{
    char in[8192] = "";
    size_t used = 0;
    ssize_t got;
    while (in[0] != 0x16 && strstr(in, "\r\n\r\n") == NULL && used + 1 < sizeof in &&
           (got = read(connection, in + used, sizeof in - 1 - used)) > 0)
        used += (size_t)got;
    if (in[0] == 0x16) /* TLS is tried first */
        return;
    bool has_body = strncmp(in, "HEAD", 4) != 0;
    if (strstr(in, "Authorization: Basic dTpw\r\n") == NULL) /* u:p */
        answer(connection, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"test\"", "{}",
               has_body);
    else if (strstr(in, "/manifests/") != NULL)
        answer(connection, "200 OK", "Content-Type: " MANIFEST_TYPE, manifest, has_body);
    else if (strstr(in, "/blobs/") != NULL)
        answer(connection, "404 Not Found", "Content-Type: application/json",
               "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"blob unknown\"}]}", has_body);
    else
        answer(connection, "200 OK", "Content-Type: application/json", "{}", has_body);
}

static void run(pid_t neighbour, int ready)
{
    char path[64];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)neighbour);
    int network = open(path, O_RDONLY | O_CLOEXEC);
    if (network < 0 || setns(network, CLONE_NEWNET) != 0)
        _exit(1);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 16) != 0 || write(ready, "r", 1) != 1)
        _exit(1);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        serve(connection);
        (void)close(connection);
    }
}

pid_t registry_start(pid_t neighbour)
{
    int ends[2];
    char byte;
    if (pipe(ends) != 0)
        abort();
    pid_t registry = fork();
    if (registry == 0)
        run(neighbour, ends[1]);
    (void)close(ends[1]);
    bool is_ready = read(ends[0], &byte, 1) == 1;
    (void)close(ends[0]);
    if (!is_ready)
        abort();
    return registry;
}

void registry_stop(pid_t registry)
{
    (void)kill(registry, SIGKILL);
    (void)waitpid(registry, NULL, 0);
}
