/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/process.c - the identity of a process from /proc; see proc(5). */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { STAT_SIZE = 1024, AFTER_COMMAND = 22 - 3 }; /* fields 3.. come after the command's ')' */

/* The first bytes of a small file as a string without its line end; "" when it cannot be read. */
static void read_small(const char *path, char *out, size_t size)
{
    out[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, out, size - 1);
    (void)close(fd);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* Start time in clock ticks since the boot; "" when the process cannot be seen, "dead" for a zombie
 * that only waits to be collected. */
static void read_start(int64_t pid, char *out, size_t size)
{
    char path[64];
    char text[STAT_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    read_small(path, text, sizeof text);
    out[0] = '\0';
    const char *field = strrchr(text, ')'); /* the command before it may hold anything */
    if (!field || strlen(field) < 3)
        return;
    field += 2; /* the state */
    if (strchr("ZXx", *field)) {
        (void)snprintf(out, size, "dead");
        return;
    }
    for (int i = 0; i < AFTER_COMMAND && field; i++)
        if ((field = strchr(field, ' ')))
            field++;
    if (field)
        (void)snprintf(out, size, "%.*s", (int)strcspn(field, " "), field);
}

/* "<boot id>/<pid namespace>/": processes with the same one can see each other. */
static void read_surroundings(char *out, size_t size)
{
    char boot[64];
    char space[64] = "";
    read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t got = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[got > 0 ? got : 0] = '\0';
    (void)snprintf(out, size, "%s/%s/", boot, space);
}

static void read_host(char *out, size_t size)
{
    if (gethostname(out, size) != 0)
        out[0] = '\0';
    out[size - 1] = '\0';
}

void bo_process_self(bo_process *out)
{
    char around[128];
    char start[32];
    read_host(out->host, sizeof out->host);
    out->pid = getpid();
    read_surroundings(around, sizeof around);
    read_start(out->pid, start, sizeof start);
    out->identity[0] = '\0';
    if (start[0] && around[0] != '/')
        (void)snprintf(out->identity, sizeof out->identity, "%.90s%s", around, start);
}

bo_process_state bo_process_look(const char *host, int64_t pid, const char *identity)
{
    bo_process self;
    bo_process_self(&self);
    if (strcmp(host, self.host) != 0 || !identity[0] || !self.identity[0])
        return BO_PROCESS_UNSEEN;

    size_t boot = strcspn(self.identity, "/") + 1;
    if (strncmp(identity, self.identity, boot) != 0)
        return BO_PROCESS_GONE; /* the host was started again since */
    size_t around = boot + strcspn(self.identity + boot, "/") + 1;
    if (strncmp(identity, self.identity, around) != 0)
        return BO_PROCESS_UNSEEN;

    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return BO_PROCESS_GONE;
    char start[32];
    read_start(pid, start, sizeof start);
    if (!start[0])
        return BO_PROCESS_UNSEEN;
    return strcmp(identity + around, start) == 0 ? BO_PROCESS_LIVES : BO_PROCESS_GONE;
}

/* A name of the system, or the number of the user. */
static void read_user(int64_t pid, char *out, size_t size)
{
    char path[64];
    struct stat about;
    (void)snprintf(path, sizeof path, "/proc/%lld", (long long)pid);
    out[0] = '\0';
    if (stat(path, &about) != 0)
        return;
    struct passwd entry, *found = NULL;
    char names[4096];
    if (getpwuid_r(about.st_uid, &entry, names, sizeof names, &found) == 0 && found)
        (void)snprintf(out, size, "%s", found->pw_name);
    else
        (void)snprintf(out, size, "user %u", (unsigned)about.st_uid);
}

/* The start is counted from the boot. */
static int64_t read_started(int64_t pid)
{
    char start[32];
    struct timespec up;
    long ticks = sysconf(_SC_CLK_TCK);
    read_start(pid, start, sizeof start);
    long long since_boot = strtoll(start, NULL, 10);
    if (since_boot <= 0 || ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return 0;
    int64_t up_us = (int64_t)up.tv_sec * 1000000 + up.tv_nsec / 1000;
    return bo_clock_now_us() - up_us + (int64_t)since_boot * 1000000 / ticks;
}

void bo_process_describe(int64_t pid, bo_process_facts *out)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
    read_small(path, out->command, sizeof out->command);
    read_user(pid, out->user, sizeof out->user);
    out->started_us = read_started(pid);
}
