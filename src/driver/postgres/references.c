/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/references.c - foreign-key violations of whole tables, and emptying a table
 * without any foreign-key action. */
#include "driver/postgres/stage.h"

static bo_status read_graph(pg_conn *conn, const bo_table *const *tables, unsigned count,
    bo_arena *arena, pg_graph *out, bo_error *err)
{
    pg_staged *staged = bo_arena_array(arena, (size_t)count + 1, sizeof *staged);
    if (!staged)
        return bo_nomem(err);
    for (unsigned i = 0; i < count; i++)
        staged[i] = (pg_staged){.was = tables[i], .now = tables[i]};
    return pg_graph_read(conn, staged, count, arena, out, err);
}

static bo_status count_orphans(pg_conn *conn, const pg_edge *edge, uint64_t *out, bo_error *err)
{
    if (!edge->child_readable || !edge->parent_readable)
        return bo_fail(err, BO_DENIED,
            "foreign key '%s' cannot be checked\nneeded: GRANT SELECT ON %s", edge->name,
            edge->child_readable ? edge->parent_name : edge->child_name);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT count(*) FROM %s c WHERE ", edge->child);
    pg_edge_not_null(&sql, edge, false, "c", PG_LIVE);
    bo_buf_printf(&sql, " AND NOT EXISTS (SELECT 1 FROM %s p WHERE ", edge->parent);
    pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
    bo_buf_add_str(&sql, ")");
    return pg_ask_count(conn, &sql, out, err);
}

static bo_status is_locked(pg_conn *conn, const pg_edge *edge, bool *out, bo_error *err)
{
    BO_OWN(PGresult) *lock = NULL;
    bo_status st = pg_ask(conn,
        "SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted"
        " AND relation = $1::regclass"
        " AND mode IN " PG_KEEPS_WRITERS_OUT,
        1, &edge->parent_name, &lock, err);
    if (st == BO_OK)
        *out = PQntuples(lock) > 0;
    return st;
}

/* Rows that our snapshot shows may be gone: to lock one of these fails, and others stay. */
static bo_status hold_parents(pg_conn *conn, const pg_edge *edge, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t rows = 0;
    bo_buf_printf(&sql,
        "SELECT count(*) FROM (SELECT 1 FROM %s p WHERE EXISTS (SELECT 1 FROM %s c WHERE ",
        edge->parent, edge->child);
    pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
    bo_buf_add_str(&sql, ") FOR KEY SHARE) AS held");
    bo_status st = pg_ask_count(conn, &sql, &rows, err);
    if (st == BO_DENIED)
        return bo_detail(err, st, "needed: GRANT UPDATE ON %s", edge->parent_name);
    return st == BO_OK ? BO_OK
                       : bo_wrap(err, st, "cannot hold the rows that foreign key '%s' of %s needs",
                             edge->name, edge->child_name);
}

/* Where the server enforces nothing, what the rows refer to in tables of others has to stay. */
static bo_status hold_all_parents(pg_conn *conn, const pg_graph *graph, bo_error *err)
{
    bool replica = false;
    if (!conn->in_transaction || conn->mode != BO_TX_WRITE)
        return BO_OK;
    bo_status st = pg_replica_allowed(conn, &replica, err);
    for (size_t i = 0; st == BO_OK && replica && i < graph->edge_count; i++) {
        const pg_edge *edge = &graph->edges[i];
        bool held = edge->parent_stage >= 0 || !edge->validated || !edge->child_readable ||
                    !edge->parent_readable;
        if (!held)
            st = is_locked(conn, edge, &held, err);
        if (st == BO_OK && !held)
            st = hold_parents(conn, edge, err);
    }
    return st;
}

bo_status pg_check_references(bo_conn *base, const bo_table *const *tables, unsigned count,
    uint64_t *violations_out, bo_buf *example_out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    pg_graph graph = {0};
    bo_status st = read_graph(pg_of(base), tables, count, arena, &graph, err);
    if (st == BO_OK)
        st = hold_all_parents(pg_of(base), &graph, err);
    uint64_t violations = 0;
    const pg_edge *example = NULL;
    for (size_t i = 0; st == BO_OK && i < graph.edge_count; i++) {
        uint64_t orphans = 0;
        if (graph.edges[i].validated)
            st = count_orphans(pg_of(base), &graph.edges[i], &orphans, err);
        if (orphans > 0 && !example)
            example = &graph.edges[i];
        violations += orphans;
    }
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check foreign keys");
    if (example && example_out)
        bo_buf_printf(example_out, "foreign key '%s' of %s to %s", example->name,
            example->child_name, example->parent_name);
    *violations_out = violations;
    return BO_OK;
}

/* The operators and collations the server itself compares with, column by column.  The key may be
 * that of one partition of the child. */
static const char compare_sql[] =
    "SELECT quote_ident(ca.attname), format('OPERATOR(%I.%s)', n.nspname, o.oprname),"
    " CASE WHEN ca.attcollation <> pa.attcollation AND l.oid IS NOT NULL"
    " THEN format(' COLLATE %I.%I', ln.nspname, l.collname) ELSE '' END "
    "FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid"
    " JOIN pg_namespace rn ON rn.oid = r.relnamespace"
    " CROSS JOIN LATERAL unnest(c.conkey, c.confkey, c.conpfeqop) WITH ORDINALITY"
    " AS k(child, parent, op, n)"
    " JOIN pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = k.child"
    " JOIN pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = k.parent"
    " JOIN pg_operator o ON o.oid = k.op JOIN pg_namespace n ON n.oid = o.oprnamespace"
    " LEFT JOIN pg_collation l ON l.oid = pa.attcollation"
    " LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace "
    "WHERE c.contype = 'f' AND c.conname = $2 AND $1 = CASE WHEN rn.nspname = 'public' THEN ''"
    " ELSE quote_ident(rn.nspname) || '.' END || quote_ident(r.relname) ORDER BY k.n";

bo_status pg_refers(bo_conn *base, const bo_foreign_key *key, const char *const *parent,
    const char *alias, bo_buf *out, bo_error *err)
{
    const char *params[] = {key->child, key->name};
    BO_OWN(PGresult) *pairs = NULL;
    bo_status st = pg_ask(pg_of(base), compare_sql, 2, params, &pairs, err);
    if (st != BO_OK)
        return st;
    if (PQntuples(pairs) != key->count)
        return bo_fail(
            err, BO_CONFLICT, "foreign key '%s' of %s has changed", key->name, key->child);
    for (int i = 0; i < key->count; i++)
        bo_buf_printf(out, "%s%s %s %s.%s%s", i ? " AND " : "", parent[i], PQgetvalue(pairs, i, 1),
            alias, PQgetvalue(pairs, i, 0), PQgetvalue(pairs, i, 2));
    return bo_buf_check(out, err);
}

/* ---- clear ---- */

/* Rows of other tables that an action would destroy or change. */
static bo_status check_actions(
    pg_conn *conn, const pg_graph *graph, const char *name, bo_error *err)
{
    for (size_t i = 0; i < graph->edge_count; i++) {
        const pg_edge *edge = &graph->edges[i];
        if (edge->parent_stage < 0 || edge->child_stage >= 0 || edge->on_delete == 'a' ||
            edge->on_delete == 'r')
            continue; /* the server refuses by itself */
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql, "SELECT count(*) FROM %s c WHERE ", edge->child);
        pg_edge_not_null(&sql, edge, false, "c", PG_LIVE);
        uint64_t rows = 0;
        bo_status st = pg_ask_count(conn, &sql, &rows, err);
        if (st != BO_OK)
            return st;
        if (rows > 0)
            return bo_fail(err, BO_CONFLICT,
                "emptying %s would make foreign key '%s' change %llu rows of %s", name, edge->name,
                (unsigned long long)rows, edge->child_name);
    }
    return BO_OK;
}

/* Nothing but the table itself refers to it, and the right is there. */
static bo_status may_truncate(
    pg_conn *conn, const pg_graph *graph, const bo_table *now, bool *out, bo_error *err)
{
    for (size_t i = 0; i < graph->edge_count; i++) {
        if (graph->edges[i].parent_stage >= 0 && graph->edges[i].child_stage < 0) {
            *out = false;
            return BO_OK;
        }
    }
    const char *params[] = {now->id};
    BO_OWN(PGresult) *right = NULL;
    bo_status st =
        pg_ask(conn, "SELECT has_table_privilege($1::oid, 'TRUNCATE')", 1, params, &right, err);
    if (st == BO_OK)
        *out = PQgetvalue(right, 0, 0)[0] == 't';
    return st;
}

static bo_status empty_table(
    pg_conn *conn, const char *from, bool truncate, uint64_t *rows_out, bo_error *err)
{
    if (!truncate)
        return pg_run(conn, rows_out, err, "DELETE FROM %s", from);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT count(*) FROM %s", from);
    bo_status st = pg_ask_count(conn, &sql, rows_out, err);
    return st == BO_OK ? pg_run(conn, NULL, err, "TRUNCATE %s", from) : st;
}

bo_status pg_clear(bo_conn *base, const bo_table *now, uint64_t *rows_out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const char *from = arena ? pg_from(arena, now) : NULL;
    if (!from)
        return bo_nomem(err);
    pg_graph graph = {0};
    bool truncate = false;
    bool replica = false;
    bo_status st = read_graph(conn, &now, 1, arena, &graph, err);
    if (st == BO_OK)
        st = may_truncate(conn, &graph, now, &truncate, err);
    BO_OWN_VALUE(bo_buf) id = {0};
    bo_buf_printf(&id, "{%s}", now->id);
    if (st == BO_OK)
        st = bo_buf_check(&id, err);
    if (st == BO_OK)
        st = pg_replica_allowed(conn, &replica, err);
    replica = replica && st == BO_OK && pg_neighbours_locked(conn, bo_buf_str(&id), false);
    if (st == BO_OK)
        st = pg_triggers_off_as(conn, &now, 1, replica, err);
    if (st == BO_OK && !truncate && !replica)
        st = check_actions(conn, &graph, now->name, err);
    uint64_t rows = 0;
    if (st == BO_OK)
        st =
            pg_name_holder(conn, empty_table(conn, from, truncate, &rows, err), now, PG_ALONE, err);
    if (st == BO_OK)
        st = pg_triggers_on(conn, &now, 1, replica, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot empty %s", now->name);
    *rows_out = rows;
    return BO_OK;
}
