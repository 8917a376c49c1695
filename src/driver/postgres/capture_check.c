/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/capture_check.c - what can be captured, and whether it still is. */
#include <string.h>

#include "driver/postgres/journal.h"
#include "driver/postgres/pg_sql.h"
#include "driver/postgres/stage.h"

/* ---- coverage ---- */

static bool describes_no_point(const bo_table *now, bo_buf *reasons)
{
    if (!now->uncovered && now->row_key)
        return false;
    bo_buf_printf(reasons, "%s\n",
        now->uncovered ? now->limits[0] : "it has no key: a row cannot be followed");
    return true;
}

bo_status pg_capture_coverage(
    bo_conn *conn, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err)
{
    bo_coverage coverage = BO_COVERED;
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(pg_of(conn), pg_sql_capture_coverage, 1, &now->id, &found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell whether %s can be captured", now->name);
    if (describes_no_point(now, reasons))
        coverage = BO_UNCOVERED;
    for (int i = 0; coverage != BO_UNCOVERED && i < PQntuples(found); i++) {
        coverage = PQgetvalue(found, i, 0)[0] == 'l' ? BO_COVERED_WITH_LIMITS : BO_UNCOVERED;
        bo_buf_printf(reasons, "%s\n", PQgetvalue(found, i, 1));
    }
    st = bo_buf_check(reasons, err);
    if (st == BO_OK)
        *out = coverage;
    return st;
}

/* ---- what is written down of a capture ---- */

static bo_status add_key(bo_buf *out, const bo_table *table, bo_error *err)
{
    const bo_key *key = table->row_key;
    for (uint16_t i = 0; key && i < key->count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        pg_quote(out, table->columns[key->columns[i]].name);
    }
    return bo_buf_check(out, err);
}

bo_status pg_registry_add(pg_conn *conn, const bo_table *table, const char *point, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) key = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "INSERT INTO backout.capture (relation, point, name, key, columns, heaps, members,"
        " triggers, functions, journal) SELECT $1::oid, $2, $3, $4, s.* FROM (%s) AS s"
        " ON CONFLICT DO NOTHING",
        pg_sql_capture_state);
    bo_status st = add_key(&key, table, err);
    if (st == BO_OK)
        st = bo_buf_check(&sql, err);
    const char *params[] = {table->id, point, table->name, bo_buf_str(&key)};
    BO_OWN(PGresult) *added = NULL;
    return st == BO_OK ? pg_ask(conn, bo_buf_str(&sql), 4, params, &added, err) : st;
}

bo_status pg_registry_renew(pg_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(PGresult) *renewed = NULL;
    bo_buf_printf(&sql,
        "UPDATE backout.capture AS c SET triggers = s.triggers FROM (%s) AS s"
        " WHERE c.relation = $1::oid",
        pg_sql_capture_state);
    bo_status st = bo_buf_check(&sql, err);
    return st == BO_OK ? pg_ask(conn, bo_buf_str(&sql), 1, &table->id, &renewed, err) : st;
}

/* ---- check ---- */

bo_status pg_registry_check(pg_conn *conn, const bo_table *table, const char *point, bo_buf *broken,
    bo_buf *point_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) key = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "WITH state AS (%s) %s", pg_sql_capture_state, pg_sql_capture_check);
    bo_status st = add_key(&key, table, err);
    if (st == BO_OK)
        st = bo_buf_check(&sql, err);
    const char *params[] = {table->id, point, bo_buf_str(&key)};
    BO_OWN(PGresult) *found = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, bo_buf_str(&sql), 3, params, &found, err);
    if (st != BO_OK)
        return st;
    if (PQntuples(found) > 0) {
        bo_buf_add_str(broken, PQgetvalue(found, 0, 0)); /* NULL is "" */
        if (point_out)
            bo_buf_add_str(point_out, PQgetvalue(found, 0, 1));
    } else if (!point_out) {
        bo_buf_add_str(broken, "it is not captured");
    }
    return bo_buf_check(broken, err);
}

/* The table of then is gone when one of its name is in the list under another OID. */
static bo_status say_missing(
    pg_conn *conn, const bo_table *now, const char *point, bo_buf *broken, bo_error *err)
{
    const char *params[] = {point, now->name, now->id};
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(conn,
        "SELECT 1 FROM backout.capture WHERE point = $1 AND name = $2 AND relation <> $3::oid", 3,
        params, &found, err);
    if (st == BO_OK && PQntuples(found) > 0) {
        bo_buf_clear(broken);
        bo_buf_add_str(broken, "the table was dropped and made again");
        st = bo_buf_check(broken, err);
    }
    return st;
}

bo_status pg_capture_check(
    bo_conn *base, const bo_table *now, const char *point, bo_buf *broken, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_VALUE(bo_buf) reason = {0};
    bool there = false;
    bo_status st = pg_own_table(conn, "capture", &there, err);
    if (st == BO_OK && !there)
        bo_buf_add_str(&reason, "it is not captured");
    if (st == BO_OK && there)
        st = pg_registry_check(conn, now, point, &reason, NULL, err);
    if (st == BO_OK && there && strcmp(bo_buf_str(&reason), "it is not captured") == 0)
        st = say_missing(conn, now, point, &reason, err);
    if (st == BO_OK)
        st = bo_buf_check(&reason, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check the capture of %s", now->name);
    if (reason.size > 0)
        bo_buf_printf(broken, "%s: %s", now->name, bo_buf_str(&reason));
    return bo_buf_check(broken, err);
}
