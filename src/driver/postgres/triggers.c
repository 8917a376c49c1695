/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/triggers.c - keeps users' triggers from firing, and puts each one back to the
 * state it had.
 *
 * What was switched off is written down in a setting of the transaction, so it is forgotten exactly
 * when the server forgets the switching.
 */
#include <string.h>

#include "driver/postgres/stage.h"

/*
 * Each partition by itself: a state of its own must not be lost.  Ours fire on: what an undo does
 * is captured as well.  $3: where foreign keys act, an action runs its statement also for no rows,
 * and that fires triggers by statement of the table that refers.
 */
static const char triggers_sql[] =
    "WITH x AS (SELECT i.id AS id FROM unnest($1::oid[]) i(id)"
    " UNION SELECT p.relid::oid FROM unnest($1::oid[]) i(id), pg_partition_tree(i.id::regclass) p) "
    "SELECT format('%I.%I', n.nspname, r.relname), format('%I', t.tgname), t.tgenabled "
    "FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid"
    " JOIN pg_namespace n ON n.oid = r.relnamespace "
    "WHERE NOT t.tgisinternal AND t.tgenabled = ANY ($2::\"char\"[])"
    " AND (t.tgrelid IN (SELECT id FROM x) OR $3 AND t.tgtype & 1 = 0 AND t.tgtype & 24 <> 0"
    "      AND t.tgrelid IN (SELECT f.conrelid FROM pg_constraint f JOIN x ON x.id = f.confrelid"
    "       WHERE f.contype = 'f' AND ARRAY[f.confdeltype, f.confupdtype] && '{c,n,d}'))"
    " AND NOT EXISTS (SELECT FROM pg_proc f JOIN pg_namespace o ON o.oid = f.pronamespace"
    "  WHERE f.oid = t.tgfoid AND o.nspname = 'backout') ORDER BY 1, 2";

/* relation, trigger and state, as they are now, of everything switched off so far */
static const char recorded_sql[] =
    "SELECT x ->> 0, x ->> 1, x ->> 2 FROM json_array_elements("
    "coalesce(nullif(current_setting('backout.triggers', true), ''), '[]')::json) AS x";

static const char record_sql[] =
    "SELECT set_config('backout.triggers',"
    " (coalesce(nullif(current_setting('backout.triggers', true), ''), '[]')::jsonb"
    " || jsonb_build_array(jsonb_build_array($1::text, $2::text, $3::text)))::text, true)";

bo_status pg_replica_allowed(pg_conn *conn, bool *out, bo_error *err)
{
    BO_OWN(PGresult) *result = NULL;
    bo_status st = pg_ask(conn,
        conn->version >= 150000
            ? "SELECT has_parameter_privilege('session_replication_role', 'SET')"
            : "SELECT current_setting('is_superuser')::boolean",
        0, NULL, &result, err);
    if (st == BO_OK)
        *out = PQgetvalue(result, 0, 0)[0] == 't';
    return st;
}

static bo_status switch_off(
    pg_conn *conn, const char *table, const char *trigger, const char *state, bo_error *err)
{
    const char *params[] = {table, trigger, state};
    BO_OWN(PGresult) *recorded = NULL;
    bo_status st = pg_ask(conn, record_sql, 3, params, &recorded, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "ALTER TABLE ONLY %s DISABLE TRIGGER %s", table, trigger);
    if (st == BO_DENIED)
        return bo_wrap(err, st,
            "trigger %s of %s would fire; only the owner of the table can "
            "switch it off, or a role with GRANT SET ON PARAMETER session_replication_role",
            trigger, table);
    return st == BO_OK ? BO_OK
                       : bo_wrap(err, st, "cannot switch off trigger %s of %s", trigger, table);
}

bo_status pg_triggers_off_as(
    pg_conn *conn, const bo_table *const *tables, unsigned count, bool replica, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) ids = {0};
    for (unsigned i = 0; i < count; i++)
        bo_buf_printf(&ids, "%s%s", i ? "," : "{", tables[i]->id);
    bo_buf_add_str(&ids, count ? "}" : "{}");
    bo_status st = bo_buf_check(&ids, err);
    /* ALWAYS and REPLICA ones fire in the role of a replica, ORIGIN and ALWAYS ones otherwise. */
    const char *params[] = {
        bo_buf_str(&ids), replica ? "{A,R}" : "{A,O}", replica ? "false" : "true"};
    BO_OWN(PGresult) *found = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, triggers_sql, 3, params, &found, err);
    for (int i = 0; st == BO_OK && i < PQntuples(found); i++)
        st = switch_off(
            conn, PQgetvalue(found, i, 0), PQgetvalue(found, i, 1), PQgetvalue(found, i, 2), err);
    if (st == BO_OK && replica)
        st = pg_run(conn, NULL, err, "SET LOCAL session_replication_role = replica");
    return st;
}

bo_status pg_triggers_off(
    pg_conn *conn, const bo_table *const *tables, unsigned count, bool *replica_out, bo_error *err)
{
    bool replica = false;
    bo_status st = pg_replica_allowed(conn, &replica, err);
    if (st == BO_OK)
        st = pg_triggers_off_as(conn, tables, count, replica, err);
    if (st == BO_OK)
        *replica_out = replica;
    return st;
}

bo_status pg_triggers_on(
    pg_conn *conn, const bo_table *const *tables, unsigned count, bool replica, bo_error *err)
{
    (void)tables; /* what was switched off is on record */
    (void)count;
    BO_OWN(PGresult) *recorded = NULL;
    bo_status st = BO_OK;
    if (replica)
        st = pg_run(conn, NULL, err, "SET LOCAL session_replication_role TO DEFAULT");
    if (st == BO_OK)
        st = pg_ask(conn, recorded_sql, 0, NULL, &recorded, err);
    for (int i = 0; st == BO_OK && i < PQntuples(recorded); i++) {
        const char *state = PQgetvalue(recorded, i, 2);
        st = pg_run(conn, NULL, err, "ALTER TABLE ONLY %s ENABLE %sTRIGGER %s",
            PQgetvalue(recorded, i, 0),
            state[0] == 'A'   ? "ALWAYS "
            : state[0] == 'R' ? "REPLICA "
                              : "",
            PQgetvalue(recorded, i, 1));
    }
    if (st == BO_OK && PQntuples(recorded) > 0)
        st = pg_run(conn, NULL, err, "SET LOCAL backout.triggers = ''");
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot put the triggers back");
}
