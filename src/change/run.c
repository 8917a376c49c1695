/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/run.c - a protected change: rolled back on any way out but success. */
#include "backout/run.h"

#include <string.h>
#include <unistd.h>

#include "base/step.h"
#include "change/captured.h"
#include "change/release.h"
#include "change/seal.h"
#include "change/undo.h"
#include "change/watch.h"

struct bo_run {
    bo_session *session;
    bo_database database;
    char *password; /* of it */
    bo_arena *arena;
    bo_point_record point;
    char id[64];
    pid_t owner; /* a child that frees its copy undoes nothing */
    const char *step;
    bool trusted; /* all of the change carries the mark */
    bool sealed;
    enum { NOT_BEGUN, CHANGING, DONE, FAILED } state;
};
BO_DEFINE_SCOPE(bo_run);

/* Ends the record of a run that goes wrong for another reason, so that the point is free. */
static void end_record(bo_run *run, const char *status)
{
    bo_error error = {0};
    if (run->id[0] &&
        bo_catalog_run_end(run->session->catalog, run->id, status, NULL, &error) != BO_OK)
        bo_session_warn(run->session, "the outcome could not be recorded: %s", error.text);
}

/* The caller's may be gone when the run ends. */
static bo_status keep_database(bo_run *run, const bo_database *database, bo_error *err)
{
    run->arena = bo_arena_create();
    if (!run->arena)
        return bo_nomem(err);
    run->database = *database;
    run->database.url = bo_arena_str(run->arena, database->url);
    run->database.name = database->name ? bo_arena_str(run->arena, database->name) : NULL;
    run->password = database->password ? strdup(database->password) : NULL;
    run->database.password = run->password;
    return run->database.url && !run->database.name == !database->name &&
                   !run->password == !database->password
               ? BO_OK
               : bo_nomem(err);
}

/* A standby, a read-only file: said before the tables are read. */
static bo_status check_writable(bo_target *target, bo_error *err)
{
    bo_conn *conn = target->conn;
    bo_status st = conn->driver->begin(conn, BO_TX_WRITE, err);
    conn->driver->rollback(conn);
    return st;
}

bo_status bo_run_begin(bo_session *session, const bo_database *database,
    const bo_point_options *options, bo_run **out, bo_error *err)
{
    bo_run *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return bo_nomem(err);
    fresh->session = session;
    fresh->owner = getpid();
    BO_OWN(bo_run) *run = fresh;
    BO_OWN(bo_target) *target = NULL;
    char point[BO_ID_SIZE];
    bo_status st = keep_database(run, database, err);
    if (st == BO_OK)
        st = bo_target_open(&run->database, &target, err);
    if (st == BO_OK)
        st = check_writable(target, err);
    if (st == BO_OK)
        st = bo_point_take(session, target, options, point, err);
    if (st == BO_OK)
        st = bo_point_hold(session, "run", point, run->arena, run->id, &run->point, err);
    if (st == BO_OK)
        st = bo_session_audit(
            session, "run.begin", point, "begun", json_pack("{s:s}", "run", run->id), err);
    if (st == BO_OK)
        st =
            bo_catalog_run_step(session->catalog, run->id, run->step = "changing", NULL, NULL, err);
    if (st != BO_OK) {
        end_record(run, "failed");
        return bo_wrap(err, st, "the change was not begun");
    }
    run->state = CHANGING;
    *out = BO_TAKE(run);
    return BO_OK;
}

const char *bo_run_id(const bo_run *run)
{
    return run->id;
}

const char *bo_run_point_id(const bo_run *run)
{
    return run->point.id;
}

void bo_run_trust_mark(bo_run *run)
{
    run->trusted = true;
}

bo_status bo_run_alive(bo_run *run, bo_error *err)
{
    return bo_catalog_run_step(run->session->catalog, run->id, run->step, NULL, NULL, err);
}

/* What was sealed stays so: a rollback after it does not seal again. */
static bo_status seal(bo_run *run, bo_error *err)
{
    if (run->sealed)
        return BO_OK;
    BO_OWN(bo_target) *target = NULL;
    bo_point_record point = run->point;
    run->step = "sealing";
    bo_status st = bo_catalog_run_step(run->session->catalog, run->id, run->step, NULL, NULL, err);
    if (st == BO_OK)
        st = bo_target_open(&run->database, &target, err);
    if (st == BO_OK)
        st = bo_point_seal_record(run->session, target, run->id, &point,
            (bo_writer){run->id, run->trusted}, run->arena, err);
    if (st != BO_OK)
        return st;
    run->point = point;
    run->sealed = true;
    return BO_OK;
}

/* The change is made and sealed: a record that cannot be written takes nothing of that back. */
static void record_end(bo_run *run)
{
    bo_session *session = run->session;
    bo_error error = {0};
    run->state = DONE;
    end_record(run, "done");
    if (bo_session_audit_end(session, "run.end", run->point.id, BO_OK,
            json_pack("{s:s}", "run", run->id), &error) != BO_OK)
        bo_session_warn(session, "the change is %s", error.text);
}

bo_status bo_run_end(bo_run *run, bo_point_list **out, bo_error *err)
{
    bo_session *session = run->session;
    if (run->state == FAILED)
        return bo_fail(
            err, BO_INVALID, "the run '%s' has ended: it failed or was abandoned", run->id);
    bo_status st = seal(run, err);
    if (st != BO_OK) {
        st = bo_session_audit_end(
            session, "run.end", run->point.id, st, json_pack("{s:s}", "run", run->id), err);
        return bo_wrap(err, st, "the change was made, but the point could not be sealed");
    }
    if (run->state != DONE)
        record_end(run);
    return out ? bo_point_view_one(session, run->point.id, false, out, err) : BO_OK;
}

/* "untagged": rows that were written during the run, when none of them is known to be the change's;
 * "others": what others wrote meanwhile to tables that are undone as a whole. */
static uint64_t counted(const bo_point_record *point, const char *what)
{
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    return (uint64_t)json_integer_value(json_object_get(details, what));
}

/* After a rollback nothing has to be captured; what fails here is found again by an examination. */
static void end_capture(bo_run *run)
{
    bo_error error = {0};
    if (bo_point_captures(&run->point) &&
        bo_point_release_alone(run->session, &run->database, run->point.id, true, &error) != BO_OK)
        bo_session_warn(
            run->session, "changes are still captured for %s: %s", run->point.id, error.text);
}

static bo_status roll_back(bo_run *run, bo_rollback **out, bo_error *err)
{
    uint64_t unknown = counted(&run->point, "untagged");
    if (unknown)
        return bo_fail(err, BO_FAILED,
            "%llu row%s written meanwhile and none carries the run's mark: whether they are the "
            "change's is not known",
            (unsigned long long)unknown, unknown == 1 ? " was" : "s were");
    bool whole =
        bo_point_has_table(&run->point, "open"); /* sealed a moment ago: all else is the change's */
    if (whole && counted(&run->point, "others"))
        return bo_fail(err, BO_REFUSED,
            "the change altered a table's shape and can only be undone as a whole, and others "
            "wrote to the tables meanwhile\ntype full with --discard-later gives that up");
    bo_rollback_options options = {
        .type = whole ? BO_ROLLBACK_FULL : BO_ROLLBACK_PARTIAL, .discard_later = whole};
    bo_status st = bo_rollback_follow(
        run->session, &run->database, run->point.id, run->id, &options, out, err);
    if (st == BO_OK)
        end_capture(run);
    return st;
}

bo_status bo_run_fail(bo_run *run, const char *why, bo_rollback **out, bo_error *err)
{
    bo_session *session = run->session;
    run->state = FAILED;
    bo_status st = bo_session_audit(session, "run.end", run->point.id, "failed",
        json_pack("{s:s, s:s}", "run", run->id, "why", why ? why : ""), err);
    if (st == BO_OK)
        st = seal(run, err);
    if (st == BO_OK)
        st = roll_back(run, out, err);
    if (st != BO_OK) /* the rollback ended it, if it began */
        end_record(run, "failed");
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "the change failed and was not rolled back yet");
}

bo_status bo_run_abandon(bo_run *run, const char *why, bo_error *err)
{
    bo_session *session = run->session;
    run->state = FAILED;
    bo_status st = seal(run, err);
    if (st == BO_OK)
        st = bo_catalog_run_end(session->catalog, run->id, "failed", NULL, err);
    else
        end_record(run, "failed");
    return bo_session_audit_end(session, "run.abandon", run->point.id, st,
        json_pack("{s:s, s:s}", "run", run->id, "why", why ? why : ""), err);
}

void bo_run_free(bo_run *run)
{
    if (!run)
        return;
    if (run->state == CHANGING && run->owner == getpid()) {
        bo_error error = {0};
        BO_OWN(bo_rollback) *rollback = NULL;
        if (bo_run_fail(run, "the protected change was left without an end", &rollback, &error) !=
            BO_OK)
            bo_session_warn(run->session, "%s", error.text);
    }
    if (run->password)
        explicit_bzero(run->password, strlen(run->password));
    free(run->password);
    bo_arena_free(run->arena);
    free(run);
}

/* ---- a user's SQL ---- */

static bo_status run_script(bo_conn *conn, const char *sql, size_t size, bo_error *err)
{
    bo_watch watch;
    bo_watch_begin(&watch, conn);
    return bo_watch_end(&watch, conn->driver->script(conn, sql, size, err), err);
}

bo_status bo_sql_execute(const bo_database *database, const char *run_id, const char *sql,
    size_t size, bool one_transaction, bool keep, bo_error *err)
{
    BO_OWN(bo_conn) *conn = NULL;
    bo_status st = bo_target_connect(database, run_id ? run_id : "sql", &conn, err);
    if (st == BO_OK && one_transaction)
        st = conn->driver->begin(conn, BO_TX_PLAIN, err);
    if (st == BO_OK)
        st = run_script(conn, sql, size, err);
    if (st != BO_OK || !one_transaction)
        return st; /* closing the connection rolls back what it left open */
    if (keep)
        return conn->driver->commit(conn, err);
    conn->driver->rollback(conn);
    return BO_OK;
}
