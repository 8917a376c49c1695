/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture.c - begins and ends the capture of tables.  docs/design/capture.md
 *
 * Both lock the list of what is captured first and then the tables, by OID, so that they wait for
 * one another and not for each other.
 */
#include <string.h>

#include "driver/postgres/journal.h"
#include "driver/postgres/stage.h"

/* ---- the list ---- */

static bo_status make_registry(pg_conn *conn, bo_error *err)
{
    return pg_make_own(conn,
        "CREATE TABLE backout.capture (point text, relation oid, name text NOT NULL,"
        " key text NOT NULL, columns text[] NOT NULL, heaps text[] NOT NULL,"
        " members text[] NOT NULL, triggers text[] NOT NULL, functions text[] NOT NULL,"
        " journal text[] NOT NULL,"
        " began pg_snapshot NOT NULL DEFAULT pg_current_snapshot(),"
        " PRIMARY KEY (point, relation));" PG_MAKE_MARKER,
        err);
}

static bo_status lock_registry(pg_conn *conn, bool make, bool *there_out, bo_error *err)
{
    bool there = false;
    bo_status st = pg_own_table(conn, "capture", &there, err);
    if (st == BO_OK && there)
        st = pg_run(conn, NULL, err, "LOCK TABLE backout.capture IN SHARE ROW EXCLUSIVE MODE");
    else if (st == BO_OK && make)
        st = make_registry(conn, err);
    if (st == BO_BUSY)
        return bo_wrap(err, st, "another backout begins or ends a capture");
    if (st == BO_OK)
        *there_out = there;
    return st == BO_OK ? st : bo_wrap(err, st, "cannot write down what is captured");
}

/* Somebody else made or dropped the list between two looks at it. */
static bool lost_a_race(const bo_error *cause)
{
    static const char *const states[] = {"23505", "42P06", "42P07", "42P01", "3F000"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (strcmp(cause->sqlstate, states[i]) == 0)
            return true;
    }
    return false;
}

/* Runs `work` in a transaction of its own. */
typedef bo_status work_fn(pg_conn *conn, const void *ctx, bo_error *err);
static bo_status alone(pg_conn *conn, work_fn *work, const void *ctx, bo_error *err)
{
    bo_error cause = {0};
    bo_status st = BO_OK;
    for (int attempt = 0; attempt < 3; attempt++) {
        cause = (bo_error){0};
        st = pg_begin(&conn->base, BO_TX_PLAIN, &cause);
        if (st == BO_OK)
            st = pg_refuse_read_only(conn, &cause);
        if (st == BO_OK)
            st = work(conn, ctx, &cause);
        if (st == BO_OK)
            st = pg_commit(&conn->base, &cause);
        pg_rollback(&conn->base);
        if (st == BO_OK || !lost_a_race(&cause))
            break;
    }
    if (st != BO_OK && err)
        *err = cause;
    return st;
}

/* ---- begin ---- */

typedef struct beginning {
    const bo_table *const *tables;
    unsigned count;
    const char *point;
} beginning;

static bo_status check_covered(pg_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) reasons = {0};
    bo_coverage coverage = BO_COVERED;
    bo_status st = pg_capture_coverage(&conn->base, table, &coverage, &reasons, err);
    if (st != BO_OK || coverage != BO_UNCOVERED)
        return st;
    const char *reason = bo_buf_str(&reasons);
    bool denied = strncmp(reason, "a right is missing", 18) == 0;
    return bo_fail(
        err, denied ? BO_DENIED : BO_UNSUPPORTED, "%.*s", (int)strcspn(reason, "\n"), reason);
}

static bo_status capture_table(
    pg_conn *conn, const bo_table *table, const char *point, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) broken = {0};
    BO_OWN_VALUE(bo_buf) other = {0};
    bo_status st = pg_registry_check(conn, table, NULL, &broken, &other, err);
    if (st == BO_OK && broken.size > 0)
        return bo_fail(err, BO_REFUSED, "its capture for point '%s' is broken: %s",
            bo_buf_str(&other), bo_buf_str(&broken));
    if (st == BO_OK && other.size == 0)
        st = pg_journal_make(conn, table, err);
    return st == BO_OK ? pg_registry_add(conn, table, point, err) : st;
}

static bo_status check_new(pg_conn *conn, const char *point, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(
        conn, "SELECT 1 FROM backout.capture WHERE point = $1 LIMIT 1", 1, &point, &found, err);
    return st == BO_OK && PQntuples(found) > 0
               ? bo_fail(err, BO_EXISTS, "changes are captured for a point '%s' already", point)
               : st;
}

static bo_status begin_all(pg_conn *conn, const void *ctx, bo_error *err)
{
    const beginning *b = ctx;
    bool there = false;
    bo_status st = BO_OK;
    for (unsigned i = 0; i < b->count && st == BO_OK; i++) {
        st = check_covered(conn, b->tables[i], err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot capture %s", b->tables[i]->name);
    }
    st = lock_registry(conn, true, &there, err);
    if (st == BO_OK)
        st = check_new(conn, b->point, err);
    if (st == BO_OK)
        st = pg_lock(&conn->base, b->tables, b->count, err);
    for (unsigned i = 0; i < b->count && st == BO_OK; i++) {
        st = capture_table(conn, b->tables[i], b->point, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot capture %s", b->tables[i]->name);
    }
    return st;
}

bo_status pg_capture_begin(
    bo_conn *base, const bo_table *const *tables, unsigned count, const char *point, bo_error *err)
{
    return alone(pg_of(base), begin_all, &(beginning){tables, count, point}, err);
}

/* ---- end ---- */

/* Dropping a trigger waits for readers too. */
static bo_status lock_relation(pg_conn *conn, PGresult *found, int row, bo_error *err)
{
    const bo_table relation = {.id = PQgetvalue(found, row, 1),
        .name = PQgetvalue(found, row, 2),
        .schema = PQgetvalue(found, row, 3),
        .local = PQgetvalue(found, row, 4)};
    BO_OWN_VALUE(bo_buf) name = {0};
    pg_quote_table(&name, &relation);
    bo_status st = bo_buf_check(&name, err);
    if (st == BO_OK)
        st = pg_run(
            conn, NULL, err, "LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE", bo_buf_str(&name));
    if (st == BO_OK)
        return BO_OK;
    st = pg_name_holder(conn, st, &relation, PG_ALONE, err);
    return bo_wrap(err, st, "cannot remove the triggers of %s", relation.name);
}

/* The relations with triggers of journals that only this point needs. */
static const char relations_sql[] =
    "SELECT DISTINCT x.relation, c.oid, CASE WHEN n.nspname = 'public' THEN ''"
    " ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname), n.nspname, c.relname"
    " FROM backout.capture x"
    " JOIN pg_proc p ON starts_with(p.proname, 'journal_' || x.relation::text || '_')"
    " JOIN pg_namespace pn ON pn.oid = p.pronamespace AND pn.nspname = 'backout'"
    " JOIN pg_trigger t ON t.tgfoid = p.oid JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE x.point = $1 AND NOT EXISTS"
    " (SELECT FROM backout.capture o WHERE o.relation = x.relation AND o.point <> x.point)"
    " ORDER BY c.oid";

static const char journals_sql[] =
    "SELECT x.relation FROM backout.capture x WHERE x.point = $1 AND NOT EXISTS"
    " (SELECT FROM backout.capture o WHERE o.relation = x.relation AND o.point <> x.point)";

/* What is left of a journal; the relations with its triggers are locked, or gone. */
static bo_status drop_journal(pg_conn *conn, const char *oid, bo_error *err)
{
    static const char sql[] =
        "WITH ours AS (SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'backout' AND starts_with(p.proname, 'journal_' || $1::text || '_'))"
        " SELECT statement FROM ("
        "SELECT 1, format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)"
        " FROM ours JOIN pg_trigger t ON t.tgfoid = ours.oid JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgparentid = 0"
        " UNION ALL SELECT 2, format('DROP FUNCTION %s', ours.oid::regprocedure) FROM ours"
        " UNION ALL SELECT 3, 'DROP TABLE IF EXISTS backout.journal_' || $1::text"
        ") AS made (rank, statement) ORDER BY rank, statement";
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(conn, sql, 1, &oid, &found, err);
    BO_OWN_VALUE(bo_buf) statements = {0};
    for (int i = 0; st == BO_OK && i < PQntuples(found); i++)
        bo_buf_printf(&statements, "%s;\n", PQgetvalue(found, i, 0));
    return st == BO_OK ? pg_run_buf(conn, &statements, NULL, err) : st;
}

static bo_status drop_journals(pg_conn *conn, const char *point, bo_error *err)
{
    BO_OWN(PGresult) *relations = NULL;
    BO_OWN(PGresult) *journals = NULL;
    bo_status st = pg_ask(conn, relations_sql, 1, &point, &relations, err);
    for (int i = 0; st == BO_OK && i < PQntuples(relations); i++)
        st = lock_relation(conn, relations, i, err);
    if (st == BO_OK)
        st = pg_ask(conn, journals_sql, 1, &point, &journals, err);
    for (int i = 0; st == BO_OK && i < PQntuples(journals); i++)
        st = drop_journal(conn, PQgetvalue(journals, i, 0), err);
    return st;
}

/* Journals that other points still need lose what is older than all of these. */
static bo_status trim_journals(pg_conn *conn, const char *point, bo_error *err)
{
    BO_OWN(PGresult) *shared = NULL;
    bo_status st = pg_ask(conn,
        "SELECT x.relation FROM backout.capture x WHERE x.point = $1 AND EXISTS"
        " (SELECT FROM backout.capture o WHERE o.relation = x.relation AND o.point <> x.point)"
        " AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE n.nspname = 'backout' AND c.relname = 'journal_' || x.relation::text)",
        1, &point, &shared, err);
    for (int i = 0; st == BO_OK && i < PQntuples(shared); i++) {
        const char *relation = PQgetvalue(shared, i, 0);
        char sql[400];
        BO_OWN(PGresult) *trimmed = NULL;
        (void)snprintf(sql, sizeof sql,
            "DELETE FROM backout.journal_%s j WHERE NOT EXISTS (SELECT FROM backout.capture c"
            " WHERE c.relation = %s AND c.point <> $1"
            " AND NOT pg_visible_in_snapshot(j.backout_xid, c.began))",
            relation, relation);
        st = pg_ask(conn, sql, 1, &point, &trimmed, err);
    }
    return st;
}

/* The last one out: the schema goes unless something else is in it. */
static bo_status drop_registry(pg_conn *conn, bo_error *err)
{
    BO_OWN(PGresult) *left = NULL;
    bo_status st = pg_ask(conn, "SELECT 1 FROM backout.capture LIMIT 1", 0, NULL, &left, err);
    if (st != BO_OK || PQntuples(left) > 0)
        return st;
    st = pg_run(conn, NULL, err, "DROP TABLE backout.capture");
    return st == BO_OK ? pg_marker_drop(conn, err) : st;
}

static bo_status end_point(pg_conn *conn, const void *ctx, bo_error *err)
{
    const char *point = ctx;
    bool there = false;
    bo_status st = lock_registry(conn, false, &there, err);
    if (st != BO_OK || !there)
        return st;
    st = drop_journals(conn, point, err);
    if (st == BO_OK)
        st = trim_journals(conn, point, err);
    if (st == BO_OK)
        st = pg_kept_drop(conn, point, err);
    BO_OWN(PGresult) *removed = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, "DELETE FROM backout.capture WHERE point = $1", 1, &point, &removed, err);
    return st == BO_OK ? drop_registry(conn, err) : st;
}

bo_status pg_capture_end(bo_conn *base, const char *point, bo_error *err)
{
    bo_status st = alone(pg_of(base), end_point, point, err);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot end the capture for point '%s'", point);
}

/* ---- list ---- */

bo_status pg_capture_list(bo_conn *base, bo_captured_fn *each, void *ctx, bo_error *err)
{
    static const char sql[] =
        "SELECT point, table_name, gone FROM (SELECT x.point, c.oid IS NULL,"
        " CASE WHEN c.oid IS NULL THEN x.name ELSE CASE WHEN n.nspname = 'public' THEN ''"
        " ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname) END"
        " FROM backout.capture x LEFT JOIN pg_class c ON c.oid = x.relation"
        " LEFT JOIN pg_namespace n ON n.oid = c.relnamespace) AS l (point, gone, table_name)"
        " ORDER BY point COLLATE \"C\", table_name COLLATE \"C\"";
    pg_conn *conn = pg_of(base);
    bool there = false;
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_own_table(conn, "capture", &there, err);
    if (st == BO_OK && there)
        st = pg_ask(conn, sql, 0, NULL, &found, err);
    if (st == BO_NOTFOUND && !conn->in_transaction) /* dropped in between */
        return BO_OK;
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell what is captured");
    for (int i = 0; st == BO_OK && there && i < PQntuples(found); i++) {
        bo_captured captured = {.point = PQgetvalue(found, i, 0),
            .table = PQgetvalue(found, i, 1),
            .gone = PQgetvalue(found, i, 2)[0] == 't'};
        st = each(ctx, &captured, err);
    }
    return st;
}

const bo_capture_driver pg_capture = {
    .coverage = pg_capture_coverage,
    .begin = pg_capture_begin,
    .end = pg_capture_end,
    .list = pg_capture_list,
    .check = pg_capture_check,
    .position = pg_capture_position,
    .changes = pg_capture_changes,
    .walk = pg_capture_walk,
    .tag = pg_capture_tag,
    .keep = pg_capture_keep,
    .undo_kept = pg_capture_undo_kept,
};
