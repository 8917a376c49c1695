/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/together.c - two acts at once, and the ways in which they may end. */
#include "fault/together.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backout/audit.h"

enum { DELAY_US_SQLITE = 40000, DELAY_US_SERVER = 150000, SHORT_WAIT_MS = 40, PATIENCE_S = 90 };

/* One process; shared memory. */
struct part {
    atomic_bool ready;
    bool returned;
    pid_t pid;
    bo_status status;
    char text[sizeof((bo_error *)0)->text];
};

/* In which order, or which alone. */
typedef enum way { FIRST_SECOND, SECOND_FIRST, FIRST_ONLY, SECOND_ONLY, NEITHER, WAYS } way;

struct ending {
    bool known;
    bo_status status[2];
    const char *rows;
    const char *points; /* of both catalogs */
};

static unsigned next(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* ---- what can go wrong ---- */

static void fail_meeting(const meeting *m, const char *format, ...) BO_PRINTF(2, 3);
static void fail_meeting(const meeting *m, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail_msg("%s meets %s on %s, method %d, catalogs %d, shared %d, seed %u\n"
             "first: %s: %s\nsecond: %s: %s\n%s",
        m->acts[0]->name, m->acts[1]->name, scene_engine(m->s), (int)m->s->setting.method,
        (int)m->other, m->s->setting.shared, m->seed, bo_status_name(m->parts[0].status),
        m->parts[0].text, bo_status_name(m->parts[1].status), m->parts[1].text, text);
}

/* ---- the second catalog ---- */

static bo_settings settings_of(const meeting *m, unsigned which)
{
    bo_settings settings = m->s->w->settings;
    settings.warn = NULL;
    if (which == 1 && m->other != OTHER_SAME_CATALOG) {
        settings.catalog_url = m->other_catalog;
        settings.repository = m->other_repository;
    }
    return settings;
}

static bo_session *open_other(meeting *m)
{
    bo_error err = {0};
    bo_session *session = NULL;
    const bo_settings settings = settings_of(m, 1);
    world_ok(bo_session_open(&settings, &session, &err), &err);
    return session;
}

static meeting *being_opened; /* scene_open() has no argument for it */

/* After everything else: a change of its own, of another row. */
static void make_other_point(scene *s)
{
    static const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}, {"log", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 3, .migration = "theirs", .method = s->setting.method};
    meeting *m = being_opened;
    bo_error err = {0};
    bo_point_list *points = NULL;
    m->s = s;
    (void)snprintf(
        m->other_catalog, sizeof m->other_catalog, "sqlite:%s/theirs/catalog.db", s->w->folder);
    (void)snprintf(m->other_repository, sizeof m->other_repository, "%s/%s", s->w->folder,
        m->other == OTHER_CATALOG ? "theirs/repository" : "state/repository");
    bo_session *session = open_other(m);
    world_ok(bo_point_create(session, &s->w->database, &options, &points, &err), &err);
    (void)snprintf(m->other_point, sizeof m->other_point, "%s", bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    world_sql(s->w, "UPDATE orders SET total = 33 WHERE id = 11");
    world_ok(bo_point_seal(session, &s->w->database, m->other_point, &points, &err), &err);
    bo_point_list_free(points);
    bo_session_free(session);
}

/* ---- opening ---- */

meeting *meeting_open(const operation *before, const setting *at, second_catalog other)
{
    meeting *m = calloc(1, sizeof *m);
    operation *own = calloc(1, sizeof *own);
    assert_non_null(m);
    assert_non_null(own);
    *own = *before;
    /* What is built anew for each meeting is cleaned when it is opened, and theirs is not ours. */
    const scene there = {.setting = *at};
    if (other != OTHER_SAME_CATALOG && !scene_is_rebuilt(&there))
        own->prepare = make_other_point;
    m->other = other;
    m->parts =
        mmap(NULL, 2 * sizeof *m->parts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(m->parts, MAP_FAILED);
    m->known = calloc(WAYS, sizeof *m->known);
    assert_non_null(m->known);
    being_opened = m;
    m->s = scene_open(own, at);
    if (!m->s) {
        free(m->known);
        free(m);
        free(own);
        return NULL;
    }
    if (other != OTHER_SAME_CATALOG)
        own->prepare = make_other_point;
    return m;
}

void meeting_close(meeting *m)
{
    operation *own = (operation *)(uintptr_t)m->s->op;
    scene_close(m->s);
    assert_int_equal(munmap(m->parts, 2 * sizeof *m->parts), 0);
    free(m->known);
    free(own);
    free(m);
}

void meeting_choose(meeting *m, const act *first, const act *second)
{
    m->acts[0] = first;
    m->acts[1] = second;
    m->known[FIRST_SECOND].known = m->known[SECOND_FIRST].known = false;
    m->known[FIRST_ONLY].known = m->known[SECOND_ONLY].known = false;
}

/* ---- in the processes ---- */

/* The other catalog's process works on the other catalog's point. */
static void act_as(meeting *m, unsigned which, uint32_t lock_timeout_ms, bool wait, unsigned us)
{
    struct part *part = &m->parts[which];
    const act *does = m->acts[which];
    scene s = *m->s;
    world w = *m->s->w;
    bo_settings settings = settings_of(m, which);
    bo_error err = {0};
    bo_session *session = NULL;
    settings.lock_timeout_ms = lock_timeout_ms;
    w.settings = settings;
    w.database.lock_timeout_ms = lock_timeout_ms;
    if (which == 1 && m->other != OTHER_SAME_CATALOG) {
        (void)snprintf(w.repository, sizeof w.repository, "%.*s", (int)sizeof w.repository - 1,
            settings.repository);
        (void)snprintf(s.point, sizeof s.point, "%s", m->other_point);
    }
    s.w = &w;
    part->pid = getpid();
    bo_status st = bo_session_open(&settings, &session, &err);
    atomic_store(&part->ready, true);
    while (wait && !atomic_load(&m->parts[1 - which].ready))
        (void)usleep(100);
    (void)usleep(us);
    if (st == BO_OK)
        st = (does->run ? does->run : scene_operation(does->name)->run)(&s, session, &err);
    bo_session_free(session);
    part->status = st;
    (void)snprintf(part->text, sizeof part->text, "%s", st == BO_OK ? "" : err.text);
    part->returned = true;
}

static pid_t start(void)
{
    (void)fflush(NULL);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0)
        (void)alarm(PATIENCE_S); /* two that wait for each other are found out */
    return child;
}

static void wait_for(const meeting *m, pid_t child)
{
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        fail_meeting(m, "a process ended with status %#x", (unsigned)how);
}

/* ---- how it ended ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Kind, status and files of each; a point that could not be taken has left nothing. */
static void list_points(meeting *m, bo_session *session, bo_buf *out)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_query query = {.with_undo = true};
    const char *lines[64];
    size_t count = 0;
    world_ok(bo_point_find(session, &query, &points, &err), &err);
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        const bo_point *point = bo_point_list_get(points, i);
        if (strcmp(point->status, "failed") == 0)
            continue;
        assert_true(count < sizeof lines / sizeof *lines);
        lines[count] = bo_arena_printf(m->s->w->arena, "%s %s, %zu files%s\n", point->kind,
            point->status, point->file_count, point->released_us ? ", released" : "");
        assert_non_null(lines[count++]);
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        bo_buf_add_str(out, lines[i]);
    bo_point_list_free(points);
}

static struct ending look(meeting *m)
{
    BO_OWN_VALUE(bo_buf) points = {0};
    struct ending ending = {.known = true};
    list_points(m, m->s->w->session, &points);
    if (m->other != OTHER_SAME_CATALOG) {
        bo_session *session = open_other(m);
        bo_buf_add_str(&points, "-- theirs\n");
        list_points(m, session, &points);
        bo_session_free(session);
    }
    for (int i = 0; i < 2; i++)
        ending.status[i] = m->parts[i].status;
    ending.rows = scene_rows(m->s);
    ending.points = bo_arena_str(m->s->w->arena, bo_buf_str(&points));
    assert_non_null(ending.points);
    return ending;
}

/* ---- what has to hold ---- */

static void check_ended(meeting *m, bo_session *session)
{
    bo_error err = {0};
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_audit_result audit = {0};
    world_ok(bo_catalog_runs(session->catalog, NULL, 0, m->s->w->arena, &runs, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        if (strcmp(runs[i].status, "running") == 0 || strcmp(runs[i].status, "died") == 0)
            fail_meeting(m, "run %s (%s) of %s is left %s at '%s'", runs[i].id, runs[i].kind,
                runs[i].point, runs[i].status, runs[i].step);
    if (bo_audit_check_chain(session, NULL, &audit, &err) != BO_OK || !audit.whole)
        fail_meeting(m, "the audit log is broken: %s%s", err.text, audit.reason);
}

/* Nothing of ours stays in the database once all points are released. */
static void check_clean(meeting *m, bool servers_too)
{
    if (m->other != OTHER_SAME_CATALOG) {
        bo_session *session = open_other(m);
        bo_point_list *released = NULL;
        bo_error err = {0};
        const bo_point_query query = {.with_undo = false};
        bo_point_list *points = NULL;
        check_ended(m, session);
        world_ok(bo_point_find(session, &query, &points, &err), &err);
        for (size_t i = 0; i < bo_point_list_count(points); i++) {
            const bo_point *point = bo_point_list_get(points, i);
            if (strcmp(point->method, "snapshot") == 0 || point->released_us ||
                strcmp(point->status, "failed") == 0)
                continue;
            bo_status st =
                bo_point_release(session, &m->s->w->database, point->id, true, &released, &err);
            if (st != BO_OK)
                fail_meeting(
                    m, "%s of the other catalog cannot be released: %s", point->id, err.text);
            bo_point_list_free(released);
        }
        bo_point_list_free(points);
        bo_session_free(session);
    }
    if (servers_too)
        scene_clean(m->s);
}

/* One process does it, the one after the other. */
static const struct ending *known(meeting *m, way how)
{
    static const signed char orders[WAYS][2] = {{0, 1}, {1, 0}, {0, -1}, {1, -1}, {-1, -1}};
    struct ending *ending = &m->known[how];
    if (ending->known)
        return ending;
    scene_put_back(m->s);
    memset(m->parts, 0, 2 * sizeof *m->parts);
    pid_t child = start();
    if (child == 0) {
        for (int i = 0; i < 2; i++)
            if (orders[how][i] >= 0)
                act_as(m, (unsigned)orders[how][i], 0, false, 0);
        _exit(0);
    }
    wait_for(m, child);
    world_reopen(m->s->w);
    *ending = look(m);
    check_clean(m, scene_is_rebuilt(m->s));
    return ending;
}

static bool same_state(const struct ending *a, const struct ending *b)
{
    return strcmp(a->rows, b->rows) == 0 && strcmp(a->points, b->points) == 0;
}

static bool is_refused(bo_status st)
{
    return bo_status_exit_code(st) == 3;
}

/* Who holds what is waited for: a process of ours by its number; in the database whoever it names,
 * unless that one is gone already. */
static void check_refusal(const meeting *m, int which)
{
    const struct part *part = &m->parts[which];
    char process[64];
    if (part->status != BO_BUSY)
        return;
    (void)snprintf(process, sizeof process, "process %ld", (long)m->parts[1 - which].pid);
    static const char *const holders[] = {"connection", "process", "transaction", "session",
        "another program", "is locked", "became", "begins or ends capture", "lock timeout",
        "Lock wait timeout"};
    bool ours = strstr(part->text, "is in use: run") != NULL;
    bool named = false;
    for (size_t i = 0; i < sizeof holders / sizeof *holders; i++)
        named = named || strstr(part->text, holders[i]);
    if (ours ? !strstr(part->text, process) : !named)
        fail_meeting(
            m, "the refusal of the %s does not name who holds it", which ? "second" : "first");
}

/* As after some order; or without those that were refused. */
static bool is_allowed(meeting *m, const struct ending *now)
{
    for (way how = FIRST_SECOND; how <= SECOND_FIRST; how++) {
        const struct ending *then = known(m, how);
        if (same_state(now, then) && now->status[0] == then->status[0] &&
            now->status[1] == then->status[1])
            return true;
    }
    for (int refused = 0; refused < 2; refused++) {
        const struct ending *alone = known(m, refused == 0 ? SECOND_ONLY : FIRST_ONLY);
        const bool left = m->acts[refused]->leaves && now->status[refused] == BO_OK;
        if ((left || is_refused(now->status[refused])) && same_state(now, alone) &&
            now->status[1 - refused] == alone->status[1 - refused])
            return true;
    }
    return is_refused(now->status[0]) && is_refused(now->status[1]) &&
           same_state(now, known(m, NEITHER));
}

static void tell(const meeting *m, const struct ending *now, bo_buf *out)
{
    static const char *const names[] = {
        "first, second", "second, first", "first only", "second only", "neither"};
    bo_buf_printf(out, "it ended otherwise than in any order:\n%s%s", now->rows, now->points);
    for (way how = FIRST_SECOND; how < WAYS; how++)
        if (m->known[how].known)
            bo_buf_printf(out, "-- %s (%s, %s):\n%s%s", names[how],
                bo_status_name(m->known[how].status[0]), bo_status_name(m->known[how].status[1]),
                m->known[how].rows, m->known[how].points);
}

/* ---- the meeting ---- */

void meeting_take_place(meeting *m, unsigned seed)
{
    const unsigned longest =
        m->s->setting.engine == WORLD_SQLITE ? DELAY_US_SQLITE : DELAY_US_SERVER;
    m->seed = seed;
    const uint32_t wait_ms = next(&seed, 4) == 0 ? SHORT_WAIT_MS : 0;
    unsigned us[2] = {0, 0};
    us[next(&seed, 2)] = next(&seed, 3) == 0 ? 0 : next(&seed, longest);
    scene_put_back(m->s);
    memset(m->parts, 0, 2 * sizeof *m->parts);
    pid_t children[2];
    for (unsigned i = 0; i < 2; i++) {
        children[i] = start();
        if (children[i] == 0) {
            act_as(m, i, wait_ms, true, us[i]);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < 2; i++)
        wait_for(m, children[i]);
    const struct part parts[2] = {m->parts[0], m->parts[1]};
    world_reopen(m->s->w);
    *m->s->found = (finding){.returned = true, .ended = true, .step = "none"};
    const struct ending now = look(m);
    check_ended(m, m->s->w->session);
    for (int i = 0; i < 2; i++)
        check_refusal(m, i);
    if (m->other == OTHER_SAME_CATALOG)
        scene_check_records(m->s);
    check_clean(m, true);
    bool allowed = is_allowed(m, &now);
    memcpy(m->parts, parts, sizeof parts);
    if (!allowed) {
        BO_OWN_VALUE(bo_buf) text = {0};
        tell(m, &now, &text);
        fail_meeting(m, "%s", bo_buf_str(&text));
    }
}
