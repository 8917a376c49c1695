/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/lock.c - who holds a lock of the catalog. */
#include "store/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/step.h"
#include "driver/sqlite/url.h"
#include "store/process.h"

enum { PAUSE_US = 25000, LISTED = 3, LINE_SIZE = 256 };

/* ---- the holder, as the operating system or the server knows it ---- */

struct holder {
    bool found;
    char text[LINE_SIZE];
};

/* "7: POSIX  ADVISORY  WRITE 4711 fe:00:1151 120 120", proc(5): the locks of SQLite are of this
 * kind.  0 when it is no lock of somebody else for writing to the file. */
static int64_t writer_of(const char *line, const struct stat *file)
{
    char kind[16], way[16];
    int64_t pid = 0;
    unsigned major_number = 0, minor_number = 0;
    unsigned long inode = 0;
    int fields = sscanf(line, "%*s %15s %*s %15s %" SCNd64 " %x:%x:%lu", kind, way, &pid,
        &major_number, &minor_number, &inode);
    bool it_is = fields == 6 && strcmp(kind, "POSIX") == 0 && strcmp(way, "WRITE") == 0 &&
                 inode == file->st_ino && major_number == major(file->st_dev) &&
                 minor_number == minor(file->st_dev);
    return it_is && pid > 0 && pid != getpid() ? pid : 0;
}

/* The file itself is never opened: closing it again would drop the locks that this process has. */
static int64_t find_writer(const char *path)
{
    struct stat file;
    FILE *locks = stat(path, &file) == 0 ? fopen("/proc/locks", "re") : NULL;
    if (!locks)
        return 0;
    char line[LINE_SIZE];
    int64_t pid = 0;
    while (pid == 0 && fgets(line, sizeof line, locks))
        pid = writer_of(line, &file);
    (void)fclose(locks);
    return pid;
}

static void name_process(int64_t pid, struct holder *out)
{
    bo_process_facts facts;
    bo_process_describe(pid, &facts);
    char since[BO_TIME_TEXT_SIZE] = "";
    if (facts.started_us)
        bo_time_format(facts.started_us, since);
    out->found = true;
    (void)snprintf(out->text, sizeof out->text, "\nit is held by process %" PRId64 "%s%s%s%s%s%s%s",
        pid, facts.command[0] ? " (" : "", facts.command, facts.command[0] ? ")" : "",
        facts.user[0] ? " of " : "", facts.user, since[0] ? ", running since " : "", since);
}

/* In WAL mode the lock is on the shared memory, before that on the file. */
static void find_on_sqlite(bo_catalog *catalog, struct holder *out)
{
    BO_OWN(sq_url) *url = NULL;
    bo_error ignored = {0};
    if (sq_url_parse(catalog->url, &url, &ignored) != BO_OK)
        return;
    BO_OWN_VALUE(bo_buf) memory = {0};
    bo_buf_printf(&memory, "%s-shm", url->path);
    int64_t pid = memory.failed ? 0 : find_writer(bo_buf_str(&memory));
    if (pid == 0)
        pid = find_writer(url->path);
    if (pid != 0)
        name_process(pid, out);
}

static bo_status read_holder(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct holder *out = ctx;
    (void)count;
    (void)err;
    out->found = true;
    (void)snprintf(out->text, sizeof out->text, "\nit is held by %.*s of %.*s, since %.*s",
        (int)values[0].size, values[0].data ? values[0].data : "", (int)values[1].size,
        values[1].data ? values[1].data : "", (int)values[2].size,
        values[2].data ? values[2].data : "");
    return BO_OK;
}

/* The two halves of BO_CATALOG_LOCK; a session's application name says which process it is. */
static void find_on_server(bo_catalog *catalog, struct holder *out)
{
    bo_error ignored = {0};
    (void)bo_catalog_query(catalog,
        "SELECT COALESCE(NULLIF(a.application_name, ''), 'a program'), a.usename,"
        " to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()"
        " AND l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = " BO_CATALOG_LOCK
        " LIMIT 1",
        NULL, 0, read_holder, out, NULL, &ignored);
}

/* ---- the runs ---- */

static void add_run(bo_buf *out, const bo_run_record *run)
{
    char since[BO_TIME_TEXT_SIZE];
    bo_time_format(run->started_us, since);
    bo_buf_printf(out,
        "\nrun %s (%s) is at step '%s', process %" PRId64 " on %s, begun by %s, since %s", run->id,
        run->kind, run->step, run->pid, run->host, run->actor, since);
}

static void list_runs(bo_catalog *catalog, bo_buf *out)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_error ignored = {0};
    if (!arena || bo_catalog_runs(catalog, NULL, 0, arena, &runs, &count, &ignored) != BO_OK)
        return;
    unsigned listed = 0;
    for (size_t i = 0; i < count && listed < LISTED; i++) {
        if (!bo_run_is_live(&runs[i]))
            continue;
        add_run(out, &runs[i]);
        listed++;
    }
}

bo_status bo_catalog_busy(bo_catalog *catalog, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) runs = {0};
    struct holder holder = {0};
    if (catalog->conn->driver->caps & BO_CAP_SCHEMAS)
        find_on_server(catalog, &holder);
    else
        find_on_sqlite(catalog, &holder);
    list_runs(catalog, &runs);
    return bo_fail(err, BO_BUSY, "another backout process is writing to the catalog '%s'%s%s",
        catalog->name, holder.found ? holder.text : "", bo_buf_str(&runs));
}

bo_status bo_point_busy(const char *point, const bo_run_record *run, bo_error *err)
{
    char since[BO_TIME_TEXT_SIZE];
    bo_time_format(run->started_us, since);
    const char *of = run->point && strcmp(run->point, point) != 0 ? run->point : "";
    return bo_fail(err, BO_BUSY,
        "'%s' is in use: run %s (%s)%s%s of process %" PRId64
        " on %s is at step '%s', since %s\nit was begun by %s",
        point, run->id, run->kind, of[0] ? " of " : "", of, run->pid, run->host, run->step, since,
        run->actor);
}

bo_status bo_lock_pause(bo_error *err)
{
    (void)usleep(PAUSE_US);
    return bo_interrupt_check(err);
}
