/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/locks.c - who else has a database.
 *
 * None of its files is opened for that: closing it again would drop the locks that this process
 * has.
 */
#include "driver/sqlite/locks.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/scope.h"

/* The list is read in pieces, and one that is there may be missed when others come and go. */
enum { LINE_SIZE = 256, HOLDERS = 64, LOOKS = 3 };

/* "7: POSIX  ADVISORY  WRITE 4711 fe:00:1151 120 120": the locks of SQLite are of this kind.  0
 * when it is no lock of somebody else on the file. */
static int64_t holder_in(const char *line, const struct stat *file, bool writing)
{
    char kind[16], way[16];
    int64_t pid = 0;
    unsigned major_number = 0, minor_number = 0;
    unsigned long inode = 0;
    int fields = sscanf(line, "%*s %15s %*s %15s %" SCNd64 " %x:%x:%lu", kind, way, &pid,
        &major_number, &minor_number, &inode);
    bool it_is = fields == 6 && strcmp(kind, "POSIX") == 0 &&
                 (!writing || strcmp(way, "WRITE") == 0) && inode == file->st_ino &&
                 major_number == major(file->st_dev) && minor_number == minor(file->st_dev);
    return it_is && pid > 0 && pid != getpid() ? pid : 0;
}

/* Up to `room` of them; the same one may be there several times. */
static size_t find_holders(const char *path, bool writing, int64_t *pids, size_t room)
{
    struct stat file;
    FILE *locks = stat(path, &file) == 0 ? fopen("/proc/locks", "re") : NULL;
    if (!locks)
        return 0;
    char line[LINE_SIZE];
    size_t count = 0;
    while (count < room && fgets(line, sizeof line, locks)) {
        pids[count] = holder_in(line, &file, writing);
        count += pids[count] != 0;
    }
    (void)fclose(locks);
    return count;
}

static void add_process(bo_buf *out, int64_t pid)
{
    bo_process_facts facts;
    bo_process_describe(pid, &facts);
    char since[BO_TIME_TEXT_SIZE] = "";
    if (facts.started_us)
        bo_time_format(facts.started_us, since);
    bo_buf_printf(out, "process %" PRId64 "%s%s%s%s%s%s%s", pid, facts.command[0] ? " (" : "",
        facts.command, facts.command[0] ? ")" : "", facts.user[0] ? " of " : "", facts.user,
        since[0] ? ", running since " : "", since);
}

/* In WAL mode the lock is on the shared memory, else on the file, where readers count as well. */
void sq_locks_holder(const char *path, bo_buf *out)
{
    BO_OWN_VALUE(bo_buf) memory = {0};
    int64_t pid = 0;
    bo_buf_printf(&memory, "%s-shm", path);
    if (memory.failed)
        return;
    const bool wal = access(bo_buf_str(&memory), F_OK) == 0;
    size_t found = 0;
    for (int i = 0; found == 0 && i < LOOKS; i++) {
        found = find_holders(bo_buf_str(&memory), true, &pid, 1);
        if (found == 0)
            found = find_holders(path, true, &pid, 1);
        if (found == 0 && !wal)
            found = find_holders(path, false, &pid, 1);
    }
    if (found == 0)
        return;
    bo_buf_add_str(out, "\nit is held by ");
    add_process(out, pid);
}

typedef enum has { HAS, HAS_NOT, NOT_TOLD } has;

/* `name` is what the process calls it. */
static has has_open(int64_t pid, const struct stat *file, char *name, size_t size)
{
    char folder[64], path[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "/proc/%" PRId64 "/fd", pid);
    DIR *open_files = opendir(folder);
    if (!open_files)
        return NOT_TOLD;
    has answer = HAS_NOT;
    for (struct dirent *entry; answer == HAS_NOT && (entry = readdir(open_files));) {
        struct stat found;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &found) != 0 || found.st_ino != file->st_ino || found.st_dev != file->st_dev)
            continue;
        answer = HAS;
        const ssize_t length = readlink(path, name, size - 1);
        name[length > 0 ? length : 0] = '\0';
    }
    (void)closedir(open_files);
    return answer;
}

bool sq_locks_stranger(const char *path, bo_buf *out)
{
    BO_OWN_VALUE(bo_buf) beside = {0};
    struct stat file, log;
    int64_t pids[HOLDERS];
    char name[PATH_MAX];
    bo_buf_printf(&beside, "%s-wal", path);
    if (beside.failed || stat(path, &file) != 0 || stat(bo_buf_str(&beside), &log) != 0)
        return false;
    const size_t count = find_holders(path, false, pids, HOLDERS);
    for (size_t i = 0; i < count; i++) {
        if (has_open(pids[i], &log, name, sizeof name) != HAS_NOT ||
            has_open(pids[i], &file, name, sizeof name) != HAS)
            continue;
        add_process(out, pids[i]);
        bo_buf_printf(out, " has it open as '%s'", name);
        return true;
    }
    return false;
}
