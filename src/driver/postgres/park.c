/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/park.c - unique values that two rows exchange in place: the one that has the
 * value lets go of it first, for NULL or for a value that nobody has.
 *
 * Which free value a column takes depends on its checks, domains and foreign keys, so each
 * candidate is tried behind a savepoint.
 */
#include <string.h>

#include "driver/postgres/stage.h"

/* Rows in place that hold a value of `key` which another entry comes with: bo_id, bo_rel, bo_loc.
 */
static void add_holders(bo_buf *sql, const pg_stage *stage, const pg_unique *key)
{
    const pg_staged *table = &stage->tables[key->stage];
    bo_buf_printf(sql, "SELECT DISTINCT s.bo_id, s.bo_rel, s.bo_loc FROM %s s JOIN %s t ON ",
        table->stage, table->from);
    pg_located(sql, "s", "t");
    bo_buf_printf(sql,
        " JOIN %s x ON x.bo_skip IS NULL AND x.bo_target AND x.bo_id <> s.bo_id AND ",
        table->stage);
    pg_unique_match(sql, key, "x", PG_STAGED, "t", PG_LIVE);
    bo_buf_add_str(sql, " WHERE s.bo_skip IS NULL AND s.bo_keep");
}

/* Changes `column` of the holders to `value` (an expression that may use k.n: 1, 2, ...). */
static bo_status move_holders(pg_stage *stage, const pg_unique *key, const pg_pair *pair,
    const char *value, uint64_t *rows_out, bo_error *err)
{
    const pg_staged *table = &stage->tables[key->stage];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "WITH k AS (SELECT h.*, row_number() OVER (ORDER BY h.bo_id) AS n FROM (");
    add_holders(&sql, stage, key);
    bo_buf_printf(&sql, ") h), u AS (UPDATE %s t SET %s = (%s)::%s FROM k WHERE ", table->from,
        pair->child, value, table->now->columns[pair->position].type);
    pg_located(&sql, "k", "t");
    bo_buf_printf(&sql,
        " RETURNING k.bo_id, t.tableoid AS rel, t.ctid AS loc)"
        " UPDATE %s s SET bo_rel = u.rel, bo_loc = u.loc FROM u WHERE u.bo_id = s.bo_id",
        table->stage);
    return pg_run_buf(stage->conn, &sql, rows_out, err);
}

/* Expression for values of the column's type that are free by construction or by chance. */
static bo_status free_value(
    pg_stage *stage, const pg_unique *key, const pg_pair *pair, bo_buf *out, bo_error *err)
{
    static const char sql[] = "SELECT t.typcategory, coalesce(b.typname, t.typname),"
                              " CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 WHEN t.typtypmod > 4"
                              " THEN t.typtypmod - 4 ELSE 32 END"
                              " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
                              " LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'"
                              " WHERE a.attrelid = $1::oid AND a.attname = $2";
    const pg_staged *table = &stage->tables[key->stage];
    const char *params[] = {table->now->id, table->now->columns[pair->position].name};
    BO_OWN(PGresult) *type = NULL;
    bo_status st = pg_ask(stage->conn, sql, 2, params, &type, err);
    if (st != BO_OK)
        return st;
    if (PQntuples(type) != 1)
        return BO_OK;
    char category = PQgetvalue(type, 0, 0)[0];
    const char *name = PQgetvalue(type, 0, 1);
    if (category == 'N')
        bo_buf_printf(out,
            "(SELECT least(0, min(m.v)) FROM (SELECT min(l.%s) FROM %s l UNION ALL"
            " SELECT min(e.c%d) FROM %s e) m(v)) - k.n",
            pair->child, table->from, pair->child_at, table->stage);
    else if (category == 'S')
        bo_buf_printf(out, "left(md5(random()::text || k.n::text), %s)", PQgetvalue(type, 0, 2));
    else if (strcmp(name, "uuid") == 0)
        bo_buf_add_str(out, "gen_random_uuid()");
    else if (strcmp(name, "bytea") == 0)
        bo_buf_add_str(out, "decode(md5(random()::text || k.n::text), 'hex')");
    else if (category == 'D' && strcmp(name, "time") != 0 && strcmp(name, "timetz") != 0)
        bo_buf_add_str(out, "timestamp '4000-01-01 00:00:00 BC' + k.n * interval '1 day'");
    return bo_buf_check(out, err);
}

/* Whether rows refer to values of the column that the holders have: letting go of those would make
 * the foreign key act. */
static bo_status is_referenced(
    pg_stage *stage, const pg_unique *key, const pg_pair *pair, bool *out, bo_error *err)
{
    for (size_t i = 0; i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        bool has_column = false;
        for (uint16_t j = 0; edge->parent_stage == key->stage && j < edge->count; j++)
            has_column = has_column || strcmp(edge->pairs[j].parent, pair->child) == 0;
        if (!has_column)
            continue;
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_add_str(&sql, "SELECT count(*) FROM (");
        add_holders(&sql, stage, key);
        bo_buf_printf(&sql, ") h JOIN %s p ON ", edge->parent);
        pg_located(&sql, "h", "p");
        bo_buf_printf(&sql, " WHERE EXISTS (SELECT 1 FROM %s c WHERE ", edge->child);
        pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
        bo_buf_add_str(&sql, ")");
        uint64_t count = 0;
        bo_status st = pg_ask_count(stage->conn, &sql, &count, err);
        if (st != BO_OK)
            return st;
        if (count > 0) {
            *out = true;
            return BO_OK;
        }
    }
    *out = false;
    return BO_OK;
}

/* One candidate behind a savepoint; *done_out: every holder has let go. */
static bo_status try_value(pg_stage *stage, const pg_unique *key, const pg_pair *pair,
    const char *value, uint64_t holders, bool *done_out, bo_error *err)
{
    bo_status st = pg_run(stage->conn, NULL, err, "SAVEPOINT bo_park");
    if (st != BO_OK)
        return st;
    uint64_t moved = 0;
    bo_error why = {0};
    bo_status tried = move_holders(stage, key, pair, value, &moved, &why);
    PGTransactionStatusType state = PQtransactionStatus(stage->conn->pg);
    bool alive = state == PQTRANS_INTRANS || state == PQTRANS_INERROR;
    if (!alive || tried == BO_NOMEM || tried == BO_INTERRUPTED) {
        if (err)
            *err = why;
        return tried;
    }
    *done_out = tried == BO_OK && moved == holders;
    return pg_run(stage->conn, NULL, err, "%sRELEASE SAVEPOINT bo_park",
        *done_out ? "" : "ROLLBACK TO SAVEPOINT bo_park; ");
}

/* NULL first, then free values; column by column. */
static bo_status park_column(pg_stage *stage, const pg_unique *key, const pg_pair *pair,
    uint64_t holders, bool *done_out, bo_error *err)
{
    const bo_column *column = &stage->tables[key->stage].now->columns[pair->position];
    bool fixed = column->identity == 'a';
    bo_status st = fixed ? BO_OK : is_referenced(stage, key, pair, &fixed, err);
    if (st != BO_OK || fixed)
        return st;
    if (!pair->not_null && !key->nulls_equal)
        st = try_value(stage, key, pair, "NULL", holders, done_out, err);
    if (st != BO_OK || *done_out)
        return st;
    BO_OWN_VALUE(bo_buf) value = {0};
    st = free_value(stage, key, pair, &value, err);
    if (st == BO_OK && value.size > 0)
        st = try_value(stage, key, pair, bo_buf_str(&value), holders, done_out, err);
    return st;
}

static bo_status park_key(pg_stage *stage, const pg_unique *key, uint64_t holders, bo_error *err)
{
    bool done = false;
    for (uint16_t i = 0; i < key->count; i++) {
        bo_status st = park_column(stage, key, &key->pairs[i], holders, &done, err);
        if (st != BO_OK || done)
            return st;
    }
    return bo_fail(err, BO_CONFLICT,
        "rows of %s exchange values of unique key '%s', and no free value was found to go through",
        stage->tables[key->stage].now->name, key->name);
}

bo_status pg_park(pg_stage *stage, bo_error *err)
{
    for (size_t i = 0; stage->kept && i < stage->graph.unique_count; i++) {
        const pg_unique *key = &stage->graph.uniques[i];
        if (!key->immediate || !key->in_image || stage->tables[key->stage].entries == 0)
            continue;
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_add_str(&sql, "SELECT count(*) FROM (");
        add_holders(&sql, stage, key);
        bo_buf_add_str(&sql, ") h");
        uint64_t holders = 0;
        bo_status st = pg_ask_count(stage->conn, &sql, &holders, err);
        if (st == BO_OK && holders > 0)
            st = park_key(stage, key, holders, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}
