/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/ask.c - what the catalogs say about one table, in one round trip.
 *
 * The queries are prepared under names, once per connection, and planned once: plan_cache_mode is
 * pinned.  Prepared statements outlive a rollback, and those before the one that failed are kept.
 * A raw session gets none: what it has prepared is its user's.
 * Source: PostgreSQL manual, "libpq - Pipeline Mode"; PREPARE.
 */
#include "driver/postgres/describe.h"
#include "driver/postgres/pg_sql.h"

static const struct {
    const char *name;
    const char *sql;
} queries[] = {
    [PG_PART_RELATION] = {"backout_relation", pg_sql_relation},
    [PG_PART_COLUMNS] = {"backout_columns", pg_sql_columns},
    [PG_PART_KEYS] = {"backout_keys", pg_sql_keys},
    [PG_PART_FOREIGN_KEYS] = {"backout_foreign_keys", pg_sql_foreign_keys},
    [PG_PART_TRIGGERS] = {"backout_triggers", pg_sql_triggers},
    [PG_PART_SEQUENCES] = {"backout_sequences", pg_sql_sequences},
    [PG_PART_INDEXES] = {"backout_indexes", pg_sql_indexes},
    [PG_PART_CHECKS] = {"backout_checks", pg_sql_checks},
    [PG_PART_VIEWS] = {"backout_views", pg_sql_views},
    [PG_PART_PARTITIONS] = {"backout_partitions", pg_sql_partitions},
    [PG_PART_LIMITS] = {"backout_limits", pg_sql_limits},
    [PG_PART_DEFINE] = {"backout_define", pg_sql_define},
    [PG_PART_DEFINE_AFTER] = {"backout_define_after", pg_sql_define_after},
    [PG_PART_COUNT] = {"backout_resolve", pg_sql_resolve}, /* which table: asked by itself */
};

void pg_answers_done(pg_answers *answers)
{
    for (int part = 0; part < PG_PART_COUNT; part++)
        PQclear(answers->of[part]);
    *answers = (pg_answers){0};
}

static bool send_query(pg_conn *conn, int query, int count, const char *const *params)
{
    const char *name = queries[query].name;
    const char *sql = queries[query].sql;
    if (conn->raw)
        return PQsendQueryParams(conn->pg, sql, count, NULL, params, NULL, NULL, 0);
    if (!(conn->prepared >> query & 1u) && !PQsendPrepare(conn->pg, name, sql, count, NULL))
        return false;
    return PQsendQueryPrepared(conn->pg, name, count, params, NULL, NULL, 0);
}

/* Reads up to the end of the batch, whatever comes; the first failure counts. */
static bo_status take_answers(pg_conn *conn, int query, PGresult **out, bo_error *err)
{
    bo_status st = BO_OK;
    while (PQstatus(conn->pg) == CONNECTION_OK) {
        BO_OWN(PGresult) *result = PQgetResult(conn->pg);
        if (!result)
            continue; /* between two queries */
        switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
            conn->prepared |= 1u << query;
            break;
        case PGRES_TUPLES_OK:
            *out++ = BO_TAKE(result);
            query++;
            break;
        case PGRES_PIPELINE_SYNC:
            return st;
        default:
            st = st == BO_OK ? pg_failure(conn, result, err) : st;
        }
    }
    return st == BO_OK ? pg_failure(conn, NULL, err) : st;
}

/* Asks queries [first, end), each with the same parameters; `out` has room for as many answers. */
static bo_status ask(pg_conn *conn, int first, int end, int count, const char *const *params,
    PGresult **out, bo_error *err)
{
    if (!PQenterPipelineMode(conn->pg))
        return pg_failure(conn, NULL, err);
    bool sent = true;
    for (int query = first; sent && query < end; query++)
        sent = send_query(conn, query, count, params);
    bo_status st = sent ? BO_OK : pg_failure(conn, NULL, err);
    if (!PQpipelineSync(conn->pg)) /* nothing will come: the link is of no use any more */
        return sent ? pg_failure(conn, NULL, err) : st;
    bo_status taken = take_answers(conn, first, out, sent ? err : NULL);
    (void)PQexitPipelineMode(conn->pg);
    return sent ? taken : st;
}

bo_status pg_ask_relations(
    pg_conn *conn, const char *schema, const char *local, PGresult **out, bo_error *err)
{
    const char *const params[] = {schema, local};
    BO_OWN(PGresult) *found = NULL;
    bo_status st = ask(conn, PG_PART_COUNT, PG_PART_COUNT + 1, 2, params, &found, err);
    if (st == BO_OK)
        *out = BO_TAKE(found);
    return st;
}

bo_status pg_ask_parts(
    pg_conn *conn, const char *oid, pg_part count, pg_answers *out, bo_error *err)
{
    return ask(conn, 0, (int)count, 1, &oid, out->of, err);
}

bo_status pg_own_table(pg_conn *conn, const char *name, bool *out, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(conn,
        "SELECT 1 FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'backout' AND c.relname = $1",
        1, &name, &found, err);
    if (st == BO_OK)
        *out = PQntuples(found) > 0;
    return st;
}

/* What default privileges would give others on a schema that we make; NULL: nothing, or it is
 * there. */
static const char given_sql[] =
    "SELECT pg_catalog.string_agg(CASE x.grantee WHEN 0 THEN 'PUBLIC'"
    "  ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END, ', ')"
    " FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) x"
    " WHERE d.defaclobjtype = 'n' AND d.defaclnamespace = 0 AND x.grantee <> d.defaclrole"
    " AND pg_catalog.pg_get_userbyid(d.defaclrole) = current_user"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'backout')";

bo_status pg_make_own(pg_conn *conn, const char *tables, bo_error *err)
{
    BO_OWN(PGresult) *given = NULL;
    bo_status st = pg_ask(conn, given_sql, 0, NULL, &given, err);
    if (st != BO_OK)
        return st;
    const bool any = !PQgetisnull(given, 0, 0);
    return pg_run(conn, NULL, err, "CREATE SCHEMA IF NOT EXISTS backout;%s%s;%s",
        any ? "REVOKE ALL ON SCHEMA backout FROM " : "", PQgetvalue(given, 0, 0), tables);
}

bo_status pg_refuse_published(pg_conn *conn, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st =
        pg_ask(conn, "SELECT pubname FROM pg_catalog.pg_publication WHERE puballtables LIMIT 1", 0,
            NULL, &found, err);
    if (st == BO_OK && PQntuples(found) > 0)
        return bo_fail(err, BO_UNSUPPORTED, "publication '%s' sends all tables to its subscribers",
            PQgetvalue(found, 0, 0));
    return st;
}
