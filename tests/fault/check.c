/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/check.c - what has to hold after whatever went wrong. */
#include "backout/audit.h"
#include "backout/doctor.h"
#include "change/content.h"
#include "fault/scene.h"

static const char *const fault_names[] = {
    [FAULT_NONE] = "no fault",
    [FAULT_KILL_AT_STEP] = "kill at step",
    [FAULT_KILL_AT_CALL] = "kill at driver call",
    [FAULT_KILL_AT_STATEMENT] = "kill at statement",
    [FAULT_KILL_AFTER_US] = "kill after microseconds",
    [FAULT_DRIVER_CALL] = "driver call",
    [FAULT_SERVER_GONE] = "server gone at driver call",
    [FAULT_STATEMENT_FAILS] = "refused statement",
    [FAULT_STATEMENT_LOST] = "unanswered statement",
    [FAULT_COMMIT_ANSWERED] = "answered commit",
    [FAULT_COMMIT_MISSED] = "missed commit",
    [FAULT_ALLOCATION] = "allocation",
    [FAULT_LINK] = "link lost at step",
    [FAULT_LINK_AT_CALL] = "link lost at driver call",
    [FAULT_NETWORK] = "network at message",
    [FAULT_SERVER_AT_STEP] = "server killed at step",
    [FAULT_SERVER_AFTER_US] = "server killed after microseconds",
    [FAULT_FILE_CALL] = "file call",
    [FAULT_FILE_SHORT] = "short write",
    [FAULT_FILE_FULL] = "disk full at file call",
    [FAULT_FILE_GONE] = "disk gone at file call",
    [FAULT_LOSS_AT_STEP] = "power cut at step",
    [FAULT_LOSS_AT_CALL] = "power cut at file call",
    [FAULT_LIE] = "lying disk, power cut at step",
};

void scene_expect(scene *s, bool condition, const char *format, ...)
{
    if (condition)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail_msg("%s on %s, method %d, %s %u, last step '%s', status %s, error '%s', %s:\n%s",
        s->op->name, scene_engine(s), (int)s->setting.method, fault_names[s->fault.kind],
        s->fault.nth, s->found->step,
        s->found->returned ? bo_status_name(s->found->status) : "(killed)", s->found->text,
        s->found->file_call, text);
}

static bool rows_are(scene *s, const char *rows, moment then)
{
    return s->rows[then] && strcmp(rows, s->rows[then]) == 0;
}

static bool is_rollback(const scene *s)
{
    return s->op->from == SCENE_LATER && s->op->to != s->op->from;
}

/* What failed is told: the reason, in the system's words or in SQLite's, or the file. */
static void check_cause(scene *s)
{
    static const char *const reasons[] = {"disk I/O error", "disk is full", "cannot be locked"};
    const finding *found = s->found;
    char file[sizeof found->file_call];
    const char *slash = strrchr(found->file_call, '/');
    scene_expect(s, s->fault.kind != FAULT_FILE_SHORT, "a short write is an error");
    if (found->file_errno == 0)
        return;
    bool told = strstr(found->text, strerror(found->file_errno)) != NULL;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        told |= strstr(found->text, reasons[i]) != NULL;
    (void)snprintf(file, sizeof file, "%s", slash ? slash + 1 : "");
    file[strcspn(file, "'-")] = '\0'; /* "catalog.db-wal" belongs to "catalog.db" */
    told |= file[0] && strstr(found->text, file);
    scene_expect(s, told, "the error names neither the reason nor the file");
}

/* The server still has the session of ours that it does not hear any more, with its locks. */
static bool names_lost_session(const char *text)
{
    return strstr(text, "not rolled back yet") &&
           (strstr(text, "(backout:run_") ||
               strstr(text, "the oldest open transaction is that of connection"));
}

/* A result is never better or worse than what happened. */
static void check_claim(scene *s, const char *rows)
{
    const finding *found = s->found;
    const operation *op = s->op;
    scene_expect(s, rows_are(s, rows, op->from) || rows_are(s, rows, op->other),
        "the rows are neither as before nor as after:\n%s", rows);
    if (!found->returned)
        return;
    if (found->status == BO_OK) {
        scene_expect(s, rows_are(s, rows, op->to), "it says done, and it is not:\n%s", rows);
        return;
    }
    scene_expect(s, found->text[0] != 0, "the error says nothing");
    check_cause(s);
    if (s->fault.kind == FAULT_LINK)
        scene_expect(s, strstr(found->text, "link to the database broke") != NULL,
            "the error does not say that the link broke");
    if (s->fault.kind == FAULT_NETWORK || s->fault.kind == FAULT_SERVER_AT_STEP ||
        s->fault.kind == FAULT_SERVER_AFTER_US)
        scene_expect(s,
            strstr(found->text, "link to the database broke") ||
                strstr(found->text, "cannot connect") ||
                strstr(found->text, "no answer to COMMIT") || names_lost_session(found->text),
            "the error does not say what became of the server");
    bool nothing =
        strstr(found->text, "nothing was changed") || strstr(found->text, "changed nothing");
    if (nothing && !strstr(found->text, "not rolled back yet"))
        scene_expect(s, rows_are(s, rows, op->from), "it says that nothing was changed:\n%s", rows);
    if (is_rollback(s) && rows_are(s, rows, op->to) && found->status != BO_UNKNOWN)
        scene_expect(s, strstr(found->text, "committed") || strstr(found->text, "done"),
            "it was committed, and the error does not say so");
}

static void check_runs(scene *s, const bo_point *point)
{
    for (size_t i = 0; i < point->run_count; i++) {
        const bo_run_info *run = &point->runs[i];
        bool open = strcmp(run->status, "running") == 0 || strcmp(run->status, "died") == 0 ||
                    strcmp(run->status, "unknown") == 0;
        bool running = strcmp(run->status, "running") == 0;
        scene_expect(s, !running || run->dead, "run %s (%s) at step '%s' looks alive", run->id,
            run->kind, run->step);
        bool undone = strcmp(point->status, "rolled-back") == 0; /* nothing is left to do */
        scene_expect(s, !open || (run->explained[0] && (run->next[0] || undone)),
            "run %s (%s, %s) at step '%s' is not explained", run->id, run->kind, run->status,
            run->step);
    }
}

/* A point that one can return to has files that are whole. */
static void check_files(scene *s, const bo_point *point)
{
    if (strcmp(point->status, "ready") != 0 && strcmp(point->status, "sealed") != 0 &&
        strcmp(point->status, "rolled-back") != 0)
        return;
    scene_expect(s, point->file_count > 0, "point %s has no file", point->id);
    for (size_t i = 0; i < point->file_count; i++) {
        bo_error err = {0};
        BO_OWN(bo_content) *content = NULL;
        bo_status st = bo_content_open(s->w->session, point->files[i].name, NULL, &content, &err);
        if (st == BO_OK)
            st = bo_content_verify(s->w->session, content, false, &err);
        scene_expect(s, st == BO_OK, "point %s is %s and its file %s is not whole: %s", point->id,
            point->status, point->files[i].name, err.text);
    }
}

/* A change that is in the database is either ended well or somebody is told what to do. */
static void check_change(scene *s, const char *rows)
{
    if (s->op->other != SCENE_CHANGED || !rows_are(s, rows, SCENE_CHANGED) ||
        s->op->from != SCENE_ORIGINAL)
        return;
    bo_error err = {0};
    bo_point_list *points = NULL;
    bool told = false;
    bo_status st = bo_point_get(s->w->session, "latest", &points, &err);
    scene_expect(s, st == BO_OK, "the change has no point: %s", err.text);
    const bo_point *point = bo_point_list_get(points, 0);
    for (size_t i = 0; i < point->run_count; i++)
        told |= point->runs[i].next[0] || (strcmp(point->runs[i].kind, "run") == 0 &&
                                              strcmp(point->runs[i].status, "done") == 0);
    scene_expect(s, told, "the change stays, and nobody is told");
    bo_point_list_free(points);
}

static bo_point_list *all_points(scene *s)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_query query = {.with_undo = true};
    bo_status st = bo_point_find(s->w->session, &query, &points, &err);
    scene_expect(s, st == BO_OK, "the points cannot be listed: %s", err.text);
    return points;
}

static void check_catalog(scene *s)
{
    bo_error err = {0};
    bo_audit_result audit = {0};
    bo_status st = bo_audit_check_chain(s->w->session, NULL, &audit, &err);
    scene_expect(
        s, st == BO_OK && audit.whole, "the audit log is broken: %s%s", err.text, audit.reason);
    bo_point_list *points = all_points(s);
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        bo_point_list *one = NULL;
        const char *id = bo_point_list_get(points, i)->id;
        st = bo_point_get(s->w->session, id, &one, &err);
        scene_expect(s, st == BO_OK, "point %s cannot be read: %s", id, err.text);
        check_runs(s, bo_point_list_get(one, 0));
        check_files(s, bo_point_list_get(one, 0));
        bo_point_list_free(one);
    }
    bo_point_list_free(points);
}

/* The first undo point that is usable leads back to before the operation. */
static void check_undo(scene *s)
{
    bo_error err = {0};
    bo_rollback *done = NULL;
    bo_point_list *points = all_points(s);
    const bo_point *undo = NULL;
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        const bo_point *point = bo_point_list_get(points, i);
        if (strcmp(point->kind, "undo") == 0 && strcmp(point->status, "sealed") == 0)
            undo = point; /* newest first: the last one wins */
    }
    scene_expect(s, undo != NULL, "there is no undo point");
    bool snapshot = strstr(undo->files[0].name, ".snapshot") != NULL;
    const bo_rollback_options how = {
        .type = snapshot ? BO_ROLLBACK_FULL : BO_ROLLBACK_PARTIAL, .discard_later = true};
    bo_status st = bo_rollback_execute(s->w->session, &s->w->database, undo->id, &how, &done, &err);
    scene_expect(s, st == BO_OK, "the rollback cannot be rolled back: %s", err.text);
    const char *rows = scene_rows(s);
    scene_expect(
        s, rows_are(s, rows, s->op->from), "rolling the rollback back leads elsewhere:\n%s", rows);
    bo_rollback_free(done);
    bo_point_list_free(points);
}

static void check_traces(scene *s)
{
    static const char *const questions[] = {
        [WORLD_SQLITE] = "SELECT name FROM sqlite_schema WHERE name LIKE '%backout%'",
        [WORLD_POSTGRES] = "SELECT nspname::text FROM pg_namespace WHERE nspname = 'backout'"
                           " UNION SELECT tgname FROM pg_trigger WHERE tgname LIKE '%backout%'",
        [WORLD_MARIADB] = "SELECT TABLE_NAME FROM information_schema.TABLES"
                          " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%backout%'"
                          " UNION SELECT TRIGGER_NAME FROM information_schema.TRIGGERS"
                          " WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME LIKE '%backout%'"};
    const char *left = world_value(s->w, questions[s->setting.engine]);
    scene_expect(s, left[0] == 0, "'%s' is left in the database", left);
}

/* Users can write at once, whatever became of us; in sum these change nothing. */
static void check_writes(scene *s)
{
    static const char *const writes[] = {"UPDATE orders SET total = total + 1 WHERE id = 11",
        "UPDATE orders SET total = total - 1 WHERE id = 11",
        "INSERT INTO customers VALUES (77, 'Guy')", "DELETE FROM customers WHERE id = 77",
        "INSERT INTO log VALUES ('tried')", "DELETE FROM log WHERE line = 'tried'"};
    bo_conn *conn = s->w->conn;
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        bo_error err = {0};
        uint64_t rows = 0;
        bo_status st = conn->driver->query(conn, writes[i], NULL, 0, NULL, NULL, &rows, &err);
        scene_expect(
            s, st == BO_OK && rows == 1, "a user cannot write: %s: %s", writes[i], err.text);
    }
}

static uint64_t differences(scene *s, const char *id)
{
    bo_error err = {0};
    bo_verification *found = NULL;
    bo_status st = bo_verify(s->w->session, &s->w->database, id, BO_AGAINST_BEFORE, &found, &err);
    scene_expect(s, st == BO_OK || st == BO_MISMATCH, "%s cannot be verified: %s", id, err.text);
    uint64_t count = 0;
    for (size_t i = 0; i < found->table_count; i++)
        count += found->tables[i].difference_count;
    bo_verification_free(found);
    return count;
}

/* A point that counts as taken misses nothing that users write. */
static void check_noticed(scene *s)
{
    bo_point_list *points = all_points(s);
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        const bo_point *point = bo_point_list_get(points, i);
        if (strcmp(point->method, "snapshot") == 0 || strcmp(point->status, "ready") != 0)
            continue;
        uint64_t before = differences(s, point->id);
        world_sql(s->w, "INSERT INTO customers VALUES (88, 'Hal')");
        scene_expect(
            s, differences(s, point->id) == before + 1, "%s missed a user's write", point->id);
        world_sql(s->w, "DELETE FROM customers WHERE id = 88");
    }
    bo_point_list_free(points);
}

/* ---- the end of it ---- */

static bool is_ours(const bo_finding *found)
{
    static const char *const kinds[] = {"unneeded-capture", "half-capture", "foreign-capture",
        "broken-capture", "still-capturing", "marker", "table-aside"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(found->kind, kinds[i]) == 0)
            return true;
    return false;
}

static void examine(scene *s, bool fix)
{
    bo_error err = {0};
    bo_doctor *doctor = NULL;
    const bo_doctor_options options = {.fix = fix};
    bo_status st = bo_doctor_examine(s->w->session, &s->w->database, &options, &doctor, &err);
    scene_expect(s, st == BO_OK || st == BO_MISMATCH, "the doctor fails: %s", err.text);
    for (size_t i = 0; i < doctor->finding_count; i++) {
        const bo_finding *found = &doctor->findings[i];
        bool left = is_ours(found) && (!fix || (found->fixable && !found->fixed));
        scene_expect(s, !left, "%s after all: %s", found->kind, found->what);
    }
    bo_doctor_free(doctor);
}

void scene_clean(scene *s)
{
    bo_point_list *points = all_points(s);
    if (s->setting.method != BO_METHOD_SNAPSHOT)
        examine(s, true);
    for (size_t i = 0; i < bo_point_list_count(points); i++) {
        const bo_point *point = bo_point_list_get(points, i);
        bo_error err = {0};
        bo_point_list *released = NULL;
        if (strcmp(point->method, "snapshot") == 0 || point->released_us ||
            strcmp(point->status, "creating") == 0 || strcmp(point->status, "failed") == 0)
            continue;
        bo_status st =
            bo_point_release(s->w->session, &s->w->database, point->id, true, &released, &err);
        scene_expect(s, st == BO_OK, "%s cannot be released: %s", point->id, err.text);
        bo_point_list_free(released);
    }
    bo_point_list_free(points);
    if (s->setting.method != BO_METHOD_SNAPSHOT)
        examine(s, false);
    check_traces(s);
}

static bo_status check_file(void *ctx, const char *name, bo_error *err)
{
    scene *s = ctx;
    (void)err;
    if (s->found->file_call[0] && strncmp(name, "intent_", 7) == 0)
        return BO_OK; /* it could not be removed; prune will */
    char id[160];
    bo_point_list *points = NULL;
    bo_error missing = {0};
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(name, "."), name);
    bo_status st = bo_point_get(s->w->session, id, &points, &missing);
    bool known = st == BO_OK && strcmp(bo_point_list_get(points, 0)->id, id) == 0;
    scene_expect(s, known, "file '%s' belongs to no point", name);
    bo_point_list_free(points);
    return BO_OK;
}

/* A process that could clean up did so: no file that nothing knows, no folder of unfinished work.
 * Without its catalog it cannot say what is needed, and leaves it to the next one. */
static void check_strays(scene *s)
{
    bool no_link = s->fault.kind == FAULT_LINK || s->fault.kind == FAULT_NETWORK;
    bool no_catalog = (s->setting.shared && no_link) ||
                      strstr(s->found->text, "could not be written to the audit log");
    if (!s->found->ended || no_catalog || s->fault.kind == FAULT_FILE_GONE)
        return;
    bo_error err = {0};
    uint64_t swept = 0;
    bo_status st = bo_repository_list(s->w->session->repository, check_file, s, &err);
    scene_expect(s, st == BO_OK, "the repository cannot be listed: %s", err.text);
    st = bo_repository_sweep(s->w->session->repository, &swept, &err);
    scene_expect(s, st == BO_OK && swept == 0, "%llu unfinished files are left: %s",
        (unsigned long long)swept, err.text);
}

void scene_check_records(scene *s)
{
    check_writes(s);
    check_strays(s);
    check_catalog(s);
    check_noticed(s);
}

static bo_status check_whole(void *ctx, const char *name, bo_error *err)
{
    scene *s = ctx;
    BO_OWN(bo_content) *content = NULL;
    const char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot, ".jsonl") == 0)
        return BO_OK;
    bo_status st = bo_content_open(s->w->session, name, NULL, &content, err);
    if (st == BO_OK)
        st = bo_content_verify(s->w->session, content, false, err);
    scene_expect(s, st == BO_OK, "file '%s' is not whole: %s", name, err->text);
    return BO_OK;
}

/* A file that has its name is whole, whether or not a point knows it yet. */
static void check_names(scene *s)
{
    bo_error err = {0};
    if (s->fault.kind != FAULT_LOSS_AT_STEP && s->fault.kind != FAULT_LOSS_AT_CALL)
        return;
    bo_status st = bo_repository_list(s->w->session->repository, check_whole, s, &err);
    scene_expect(s, st == BO_OK, "the repository cannot be listed: %s", err.text);
}

/* A server takes its time; of what was killed each is looked at. */
static bool is_cleaned(const scene *s)
{
    return s->setting.engine == WORLD_SQLITE || scene_is_rebuilt(s) ||
           s->fault.kind == FAULT_KILL_AT_STEP || s->attempts % 3 == 0;
}

void scene_check(scene *s)
{
    bo_error err = {0};
    check_writes(s);
    check_claim(s, scene_rows(s));
    check_strays(s);
    check_names(s);
    check_catalog(s);
    check_change(s, scene_rows(s));
    check_noticed(s);
    bo_status st = s->op->again(s, s->w->session, &err);
    scene_expect(s, st == BO_OK, "it cannot be done again: %s", err.text);
    const char *rows = scene_rows(s);
    scene_expect(s, rows_are(s, rows, s->op->end), "done again, it ends elsewhere:\n%s", rows);
    check_catalog(s);
    if (!is_cleaned(s))
        return;
    scene_clean(s);
    if (is_rollback(s) && (s->setting.engine == WORLD_SQLITE || s->attempts % 2 == 0)) {
        check_undo(s);
        check_traces(s);
    }
}
