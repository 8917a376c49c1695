/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/lock.c - locks on tables, in one order, and who stands in the way. */
#include <stdio.h>
#include <string.h>

#include "driver/postgres/name.h"
#include "driver/postgres/stage.h"

static uint32_t oid_of(const bo_table *table)
{
    return (uint32_t)strtoul(table->id, NULL, 10);
}

static int compare_oid(const void *a, const void *b)
{
    uint32_t x = oid_of(*(const bo_table *const *)a);
    uint32_t y = oid_of(*(const bo_table *const *)b);
    return (x > y) - (x < y);
}

static void PQconninfoOption_free(PQconninfoOption *options)
{
    PQconninfoFree(options);
}
BO_DEFINE_SCOPE(PQconninfoOption);

/* A second link like that of `conn`: a transaction that failed answers nothing. */
static PGconn *connect_again(const pg_conn *conn)
{
    enum { LIMIT = 100 };
    const char *keywords[LIMIT + 1], *values[LIMIT + 1];
    BO_OWN(PQconninfoOption) *options = PQconninfo(conn->pg);
    unsigned count = 0;
    for (const PQconninfoOption *o = options; o && o->keyword && count < LIMIT; o++) {
        if (!o->val)
            continue;
        keywords[count] = o->keyword;
        values[count++] = o->val;
    }
    keywords[count] = NULL;
    values[count] = NULL;
    return PQconnectdbParams(keywords, values, 0);
}

static bo_status ask_holder(
    pg_conn *conn, const char *sql, const char *const *params, PGresult **out)
{
    if (PQtransactionStatus(conn->pg) != PQTRANS_INERROR)
        return pg_ask(conn, sql, 3, params, out, NULL);
    pg_conn second = {.pg = connect_again(conn)};
    bo_status st = pg_ask(&second, sql, 3, params, out, NULL);
    PQfinish(second.pg);
    return st;
}

bo_status pg_name_holder(
    pg_conn *conn, bo_status st, const bo_table *table, pg_wanted wanted, bo_error *err)
{
    if (st != BO_BUSY)
        return st;
    static const char sql[] =
        "SELECT a.pid, pg_catalog.concat(a.usename, x.owner), a.application_name, l.granted, x.gid"
        " FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
        " LEFT JOIN (pg_catalog.pg_locks o JOIN pg_catalog.pg_prepared_xacts x"
        "   ON o.transactionid = x.transaction AND o.pid IS NULL AND o.mode = 'ExclusiveLock')"
        " ON l.pid IS NULL AND o.virtualtransaction = l.virtualtransaction"
        " WHERE l.locktype = 'relation' AND l.pid IS DISTINCT FROM $3::pg_catalog.int4"
        " AND (a.pid IS NOT NULL OR x.gid IS NOT NULL)"
        " AND l.database = (SELECT oid FROM pg_catalog.pg_database"
        "   WHERE datname = pg_catalog.current_database())"
        " AND l.relation IN (SELECT $1::pg_catalog.regclass::pg_catalog.oid UNION ALL SELECT relid"
        "   FROM pg_catalog.pg_partition_tree($1::pg_catalog.regclass))"
        " AND (l.mode = 'AccessExclusiveLock' OR $2::pg_catalog.int4 = 2"
        "   OR $2::pg_catalog.int4 = 1 AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'))"
        " ORDER BY l.granted DESC, a.pid LIMIT 1";
    char own[16];
    (void)snprintf(own, sizeof own, "%d", PQbackendPID(conn->pg));
    static const char *const levels[] = {[PG_TO_READ] = "0", [PG_TO_WRITE] = "1", [PG_ALONE] = "2"};
    const char *params[] = {table->id, levels[wanted], own};
    BO_OWN(PGresult) *holder = NULL;
    if (ask_holder(conn, sql, params, &holder) != BO_OK || PQntuples(holder) == 0)
        return st;
    if (!PQgetisnull(holder, 0, 4))
        return bo_detail(err, st,
            "held by the prepared transaction '%s' of user '%s', which COMMIT PREPARED or ROLLBACK "
            "PREPARED ends",
            PQgetvalue(holder, 0, 4), PQgetvalue(holder, 0, 1));
    const char *application = PQgetvalue(holder, 0, 2);
    return bo_detail(err, st, "%s by process %s of user '%s'%s%s%s",
        PQgetvalue(holder, 0, 3)[0] == 't' ? "held" : "wanted before us", PQgetvalue(holder, 0, 0),
        PQgetvalue(holder, 0, 1), *application ? " (" : "", application, *application ? ")" : "");
}

/* A savepoint keeps the transaction usable after a refusal.  Neither it nor LOCK takes the
 * transaction's snapshot. */
static bo_status lock_one(pg_conn *conn, const bo_table *table, bo_error *err)
{
    bool reads = conn->mode == BO_TX_READ;
    bool whole_tree = table->kind == 'p';
    BO_OWN_VALUE(bo_buf) name = {0};
    pg_quote_table(&name, table);
    bo_status st = bo_buf_check(&name, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "SAVEPOINT backout_lock");
    if (st != BO_OK)
        return st;
    st = pg_run(conn, NULL, err, "LOCK TABLE %s%s IN %s MODE", whole_tree ? "" : "ONLY ",
        bo_buf_str(&name), reads ? "ACCESS SHARE" : "SHARE ROW EXCLUSIVE");
    if (st == BO_OK)
        return pg_run(conn, NULL, err, "RELEASE SAVEPOINT backout_lock");

    bo_status undone = pg_run(conn, NULL, NULL, "ROLLBACK TO SAVEPOINT backout_lock");
    if (undone == BO_OK)
        st = pg_name_holder(conn, st, table, reads ? PG_TO_READ : PG_TO_WRITE, err);
    st = pg_denied_hint(conn, st, table, reads ? "SELECT" : "INSERT, UPDATE, DELETE", err);
    return bo_wrap(err, st, "cannot lock %s", table->name);
}

bo_status pg_lock(bo_conn *base, const bo_table *const *tables, unsigned count, bo_error *err)
{
    BO_OWN_MEM const bo_table **order = calloc((size_t)count + 1, sizeof *order);
    if (!order)
        return bo_nomem(err);
    memcpy(order, tables, count * sizeof *order);
    qsort(order, count, sizeof *order, compare_oid);
    bo_status st = BO_OK;
    for (unsigned i = 0; i < count && st == BO_OK; i++)
        st = lock_one(pg_of(base), order[i], err);
    return st;
}

/* ---- on the other side of foreign keys ---- */

bool pg_neighbours_locked(pg_conn *conn, const char *ids, bool both)
{
    /* Foreign keys that a partition has from its parent are not among what we ask; it has none when
     * its point is taken, but may get some. */
    static const char sql[] =
        "WITH own AS (SELECT i.id FROM unnest($1::oid[]) AS i (id)"
        " UNION SELECT t.relid FROM unnest($1::oid[]) AS i (id), pg_partition_tree(i.id) AS t)"
        " SELECT 1 FROM pg_constraint c CROSS JOIN LATERAL"
        " unnest(CASE WHEN $2 THEN ARRAY[c.conrelid, c.confrelid] ELSE ARRAY[c.conrelid] END)"
        " AS r (id) WHERE c.contype = 'f' AND c.conparentid = 0"
        " AND (c.confrelid IN (SELECT id FROM own) OR $2 AND c.conrelid IN (SELECT id FROM own))"
        " AND NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = pg_backend_pid()"
        "  AND l.locktype = 'relation' AND l.relation = r.id AND l.granted AND l.mode IN"
        "  " PG_KEEPS_WRITERS_OUT ")"
        " UNION ALL SELECT 1 FROM pg_class p"
        " JOIN pg_constraint c ON p.oid IN (c.conrelid, c.confrelid)"
        " WHERE p.oid = ANY ($1::oid[]) AND p.relispartition AND c.contype = 'f'"
        " AND c.conparentid <> 0 LIMIT 1";
    const char *params[] = {ids, both ? "t" : "f"};
    BO_OWN(PGresult) *unlocked = NULL;
    bo_error ignored = {0};
    return pg_ask(conn, sql, 2, params, &unlocked, &ignored) == BO_OK && PQntuples(unlocked) == 0;
}

/* Asked by trying: a question would take the transaction's snapshot. */
static bo_status may_be_replica(pg_conn *conn, bool *out, bo_error *err)
{
    bo_error refused = {0};
    bo_status st = pg_run(conn, NULL, err, "SAVEPOINT backout_role");
    if (st != BO_OK)
        return st;
    *out = pg_run(conn, NULL, &refused, "SET LOCAL session_replication_role = replica") == BO_OK;
    st = pg_run(conn, NULL, err, "ROLLBACK TO SAVEPOINT backout_role");
    return st == BO_OK ? pg_run(conn, NULL, err, "RELEASE SAVEPOINT backout_role") : st;
}

static bool is_among(const char *name, const bo_table *const *tables, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(tables[i]->name, name) == 0)
            return true;
    return false;
}

static bo_status lock_named(pg_conn *conn, const char *text, bo_error *err)
{
    BO_OWN_VALUE(pg_name) name = {0};
    BO_OWN_VALUE(bo_buf) id = {0};
    bo_status st = pg_name_parse(text, &name, err);
    if (st != BO_OK)
        return st;
    bo_table table = {.name = text,
        .schema = name.schema ? name.schema : "public",
        .local = name.local,
        .kind = 'p'};
    pg_quote_table(&id, &table);
    st = bo_buf_check(&id, err);
    if (st != BO_OK)
        return st;
    table.id = bo_buf_str(&id); /* which can be read as one */
    bo_error failure = {0};
    st = lock_one(conn, &table, &failure);
    if (st == BO_OK || st == BO_DENIED) /* without the right the server has to check */
        return BO_OK;
    if (err)
        *err = failure;
    return st;
}

bo_status pg_lock_referring(
    bo_conn *base, const bo_table *const *tables, unsigned count, bo_error *err)
{
    bool replica = false;
    bo_status st = may_be_replica(pg_of(base), &replica, err);
    for (unsigned i = 0; st == BO_OK && replica && i < count; i++)
        for (uint16_t k = 0; st == BO_OK && k < tables[i]->referenced_count; k++)
            if (!is_among(tables[i]->referenced_by[k].child, tables, count))
                st = lock_named(pg_of(base), tables[i]->referenced_by[k].child, err);
    return st;
}
