/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/graph.c - foreign keys and unique keys around staged tables, read from the
 * catalog with the operators and collations that the server itself compares with.
 */
#include <string.h>

#include "driver/postgres/stage.h"

/* The staged tables and their partitions; $1 is an array of OIDs in stage order. */
#define WITH_STAGED                                                   \
    "WITH staged AS (SELECT (i.ord - 1)::int AS stage, i.id AS root," \
    " coalesce(p.relid::oid, i.id) AS id"                             \
    " FROM unnest($1::oid[]) WITH ORDINALITY AS i(id, ord)"           \
    " LEFT JOIN LATERAL pg_partition_tree(i.id::regclass) p ON true) "

static const char edge_sql[] = WITH_STAGED
    "SELECT c.oid, c.conname,"
    " CASE WHEN cr.relkind = 'p' THEN '' ELSE 'ONLY ' END"
    " || format('%I.%I', cn.nspname, cr.relname),"
    " CASE WHEN pr.relkind = 'p' THEN '' ELSE 'ONLY ' END"
    " || format('%I.%I', pn.nspname, pr.relname),"
    " format('%I.%I', cn.nspname, cr.relname), format('%I.%I', pn.nspname, pr.relname),"
    " coalesce(cs.stage, -1), coalesce(ps.stage, -1), c.convalidated,"
    " bool_and(has_column_privilege(cr.oid, k.child, 'SELECT')) OVER same,"
    " bool_and(has_column_privilege(pr.oid, k.parent, 'SELECT')) OVER same,"
    " coalesce(cs.root = cs.id, true) AND coalesce(ps.root = ps.id, true),"
    " c.confdeltype, c.confupdtype, ca.attname, pa.attname,"
    " format('OPERATOR(%I.%s)', onsp.nspname, o.oprname),"
    " CASE WHEN ca.attcollation <> pa.attcollation AND pl.oid IS NOT NULL"
    " THEN format(' COLLATE %I.%I', pln.nspname, pl.collname) ELSE '' END,"
    " c.condeferrable AND c.confdeltype = 'a' AND c.confupdtype = 'a' "
    "FROM pg_constraint c"
    " JOIN pg_class cr ON cr.oid = c.conrelid JOIN pg_namespace cn ON cn.oid = cr.relnamespace"
    " JOIN pg_class pr ON pr.oid = c.confrelid JOIN pg_namespace pn ON pn.oid = pr.relnamespace"
    " LEFT JOIN staged cs ON cs.id = c.conrelid LEFT JOIN staged ps ON ps.id = c.confrelid"
    " CROSS JOIN LATERAL unnest(c.conkey, c.confkey, c.conpfeqop) WITH ORDINALITY"
    " AS k(child, parent, op, n)"
    " JOIN pg_attribute ca ON ca.attrelid = cr.oid AND ca.attnum = k.child"
    " JOIN pg_attribute pa ON pa.attrelid = pr.oid AND pa.attnum = k.parent"
    " JOIN pg_operator o ON o.oid = k.op JOIN pg_namespace onsp ON onsp.oid = o.oprnamespace"
    " LEFT JOIN pg_collation pl ON pl.oid = pa.attcollation"
    " LEFT JOIN pg_namespace pln ON pln.oid = pl.collnamespace "
    "WHERE c.contype = 'f' AND c.conparentid = 0 AND (cs.id IS NOT NULL OR ps.id IS NOT NULL) "
    "WINDOW same AS (PARTITION BY c.oid) ORDER BY c.oid, k.n";

/* Steps that depend on each other only by OID are subqueries: joined, they take the planner longer
 * than the rest of a small undo takes the server. */
static const char unique_sql[] = WITH_STAGED
    ", keys AS MATERIALIZED (SELECT s.stage, i.* FROM staged s"
    " JOIN pg_index i ON i.indrelid = s.id WHERE s.id = s.root AND i.indisvalid"
    " AND (i.indisunique OR i.indisexclusion)"
    " AND i.indpred IS NULL AND i.indexprs IS NULL) "
    "SELECT k.indexrelid, (SELECT relname FROM pg_class WHERE oid = k.indexrelid), k.stage,"
    " k.indimmediate AND k.indisunique, coalesce((to_jsonb(k) ->> 'indnullsnotdistinct')::boolean, "
    "false),"
    " a.attname, a.attnotnull,"
    " CASE WHEN k.indisexclusion THEN (SELECT format('OPERATOR(%I.%s)', onsp.nspname, o.oprname)"
    " FROM pg_constraint c JOIN pg_operator o ON o.oid = c.conexclop[n + 1]"
    " JOIN pg_namespace onsp ON onsp.oid = o.oprnamespace"
    " WHERE c.conindid = k.indexrelid AND c.contype = 'x') ELSE"
    " (SELECT format('OPERATOR(%I.%s)', onsp.nspname, o.oprname) FROM pg_opclass oc"
    " JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3"
    " AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype"
    " JOIN pg_operator o ON o.oid = ao.amopopr JOIN pg_namespace onsp ON onsp.oid = o.oprnamespace"
    " WHERE oc.oid = k.indclass[n]) END "
    "FROM keys k CROSS JOIN generate_series(0, k.indnkeyatts - 1) AS n"
    " CROSS JOIN LATERAL (SELECT attname, attnotnull FROM pg_attribute"
    " WHERE attrelid = k.indrelid AND attnum = k.indkey[n] OFFSET 0) AS a "
    "ORDER BY k.indexrelid, n";

static const char deferrable_sql[] =
    WITH_STAGED "SELECT count(*) FROM staged s JOIN pg_index i ON i.indrelid = s.id"
                " WHERE NOT i.indimmediate";

const char *pg_from(bo_arena *arena, const bo_table *table)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    if (table->kind != 'p')
        bo_buf_add_str(&text, "ONLY ");
    pg_quote_table(&text, table);
    return text.failed ? NULL : bo_arena_str(arena, bo_buf_str(&text));
}

/* ---- reading ---- */

typedef struct reader {
    const PGresult *rows;
    const pg_staged *tables;
    bo_arena *arena;
} reader;

static const char *text_at(const reader *r, int row, int column)
{
    return bo_arena_str(r->arena, PQgetvalue(r->rows, row, column));
}

static bool true_at(const reader *r, int row, int column)
{
    return PQgetvalue(r->rows, row, column)[0] == 't';
}

static bool same_object(const reader *r, int row)
{
    return row > 0 && strcmp(PQgetvalue(r->rows, row, 0), PQgetvalue(r->rows, row - 1, 0)) == 0;
}

static const char *quoted(bo_arena *arena, const char *name)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    pg_quote(&text, name);
    return text.failed ? NULL : bo_arena_str(arena, bo_buf_str(&text));
}

static int image_position(const reader *r, int stage, const char *column)
{
    if (stage < 0)
        return -1;
    const bo_table *was = r->tables[stage].was;
    int position = bo_table_column(was, column);
    return position < 0 ? -1 : bo_table_image_position(was, (uint16_t)position);
}

static bo_status read_edge(const reader *r, int row, pg_edge *edge, bo_error *err)
{
    *edge = (pg_edge){
        .name = text_at(r, row, 1),
        .child = text_at(r, row, 2),
        .parent = text_at(r, row, 3),
        .child_name = text_at(r, row, 4),
        .parent_name = text_at(r, row, 5),
        .child_stage = atoi(PQgetvalue(r->rows, row, 6)),
        .parent_stage = atoi(PQgetvalue(r->rows, row, 7)),
        .validated = true_at(r, row, 8),
        .waits = true_at(r, row, 18),
        .child_readable = true_at(r, row, 9),
        .parent_readable = true_at(r, row, 10),
        .staged_whole = true_at(r, row, 11),
        .on_delete = PQgetvalue(r->rows, row, 12)[0],
        .on_update = PQgetvalue(r->rows, row, 13)[0],
    };
    return edge->name && edge->child && edge->parent && edge->child_name && edge->parent_name
               ? BO_OK
               : bo_nomem(err);
}

static bo_status add_edge_pair(const reader *r, int row, pg_edge *edge, bo_error *err)
{
    pg_pair *pairs = bo_arena_grow(r->arena, edge->pairs, edge->count, sizeof *pairs);
    if (!pairs)
        return bo_nomem(err);
    const char *child = PQgetvalue(r->rows, row, 14);
    const char *parent = PQgetvalue(r->rows, row, 15);
    pg_pair pair = {
        .child = quoted(r->arena, child),
        .parent = quoted(r->arena, parent),
        .child_at = image_position(r, edge->child_stage, child),
        .parent_at = image_position(r, edge->parent_stage, parent),
        .equal = text_at(r, row, 16),
        .collate = text_at(r, row, 17),
    };
    if (!pair.child || !pair.parent || !pair.equal || !pair.collate)
        return bo_nomem(err);
    edge->pairs = pairs;
    edge->pairs[edge->count++] = pair;
    if ((edge->child_stage >= 0 && pair.child_at < 0) ||
        (edge->parent_stage >= 0 && pair.parent_at < 0))
        edge->staged_whole = false;
    return BO_OK;
}

static bo_status read_edges(const reader *r, pg_graph *out, bo_error *err)
{
    bo_status st = BO_OK;
    for (int row = 0; row < PQntuples(r->rows) && st == BO_OK; row++) {
        if (!same_object(r, row)) {
            pg_edge *edges = bo_arena_grow(r->arena, out->edges, out->edge_count, sizeof *edges);
            if (!edges)
                return bo_nomem(err);
            out->edges = edges;
            st = read_edge(r, row, &out->edges[out->edge_count++], err);
        }
        if (st == BO_OK)
            st = add_edge_pair(r, row, &out->edges[out->edge_count - 1], err);
    }
    return st;
}

static bo_status add_unique_pair(const reader *r, int row, pg_unique *key, bo_error *err)
{
    pg_pair *pairs = bo_arena_grow(r->arena, key->pairs, key->count, sizeof *pairs);
    if (!pairs)
        return bo_nomem(err);
    const char *column = PQgetvalue(r->rows, row, 5);
    int position = bo_table_column(r->tables[key->stage].now, column);
    pg_pair pair = {
        .child = quoted(r->arena, column),
        .child_at = image_position(r, key->stage, column),
        .equal = text_at(r, row, 7),
        .collate = "",
        .not_null = true_at(r, row, 6),
        .position = position < 0 ? 0 : (uint16_t)position,
    };
    if (!pair.child || !pair.equal)
        return bo_nomem(err);
    key->pairs = pairs;
    key->pairs[key->count++] = pair;
    if (pair.child_at < 0 || position < 0)
        key->in_image = false;
    return BO_OK;
}

static bo_status read_uniques(const reader *r, pg_graph *out, bo_error *err)
{
    bo_status st = BO_OK;
    for (int row = 0; row < PQntuples(r->rows) && st == BO_OK; row++) {
        if (!same_object(r, row)) {
            pg_unique *keys =
                bo_arena_grow(r->arena, out->uniques, out->unique_count, sizeof *keys);
            if (!keys)
                return bo_nomem(err);
            out->uniques = keys;
            keys[out->unique_count++] = (pg_unique){
                .name = text_at(r, row, 1),
                .stage = atoi(PQgetvalue(r->rows, row, 2)),
                .immediate = true_at(r, row, 3),
                .nulls_equal = true_at(r, row, 4),
                .in_image = true,
            };
            if (!keys[out->unique_count - 1].name)
                return bo_nomem(err);
        }
        st = add_unique_pair(r, row, &out->uniques[out->unique_count - 1], err);
    }
    return st;
}

/* Most tables have none, and the question takes longer than all others together. */
static bool has_foreign_keys(const pg_staged *tables, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const bo_table *now = tables[i].now;
        if (now->kind != 'r' || now->foreign_key_count || now->referenced_count)
            return true;
    }
    return false;
}

bo_status pg_graph_read(pg_conn *conn, const pg_staged *tables, unsigned count, bo_arena *arena,
    pg_graph *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) ids = {0};
    for (unsigned i = 0; i < count; i++)
        bo_buf_printf(&ids, "%s%s", i ? "," : "{", tables[i].now->id);
    bo_buf_add_str(&ids, count ? "}" : "{}");
    bo_status st = bo_buf_check(&ids, err);
    const char *params[] = {bo_buf_str(&ids)};
    pg_graph graph = {0};

    BO_OWN(PGresult) *edges = NULL;
    bool linked = has_foreign_keys(tables, count);
    if (st == BO_OK && linked)
        st = pg_ask(conn, edge_sql, 1, params, &edges, err);
    if (st == BO_OK && linked)
        st = read_edges(&(reader){edges, tables, arena}, &graph, err);
    BO_OWN(PGresult) *uniques = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, unique_sql, 1, params, &uniques, err);
    if (st == BO_OK)
        st = read_uniques(&(reader){uniques, tables, arena}, &graph, err);
    BO_OWN(PGresult) *deferrable = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, deferrable_sql, 1, params, &deferrable, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the keys and foreign keys");
    graph.deferrable_unique = strcmp(PQgetvalue(deferrable, 0, 0), "0") != 0;
    *out = graph;
    return BO_OK;
}

/* ---- conditions ---- */

static void add_value(
    bo_buf *out, const char *alias, pg_place place, const char *name, int at, uint16_t index)
{
    if (place == PG_LIVE)
        bo_buf_printf(out, "%s.%s", alias, name);
    else if (place == PG_STAGED)
        bo_buf_printf(out, "%s.c%d", alias, at);
    else
        bo_buf_printf(out, "%s.r%u", alias, index);
}

static void add_side(
    bo_buf *out, const pg_edge *edge, uint16_t i, bool parent, const char *alias, pg_place place)
{
    const pg_pair *pair = &edge->pairs[i];
    if (parent)
        add_value(out, alias, place, pair->parent, pair->parent_at, i);
    else
        add_value(out, alias, place, pair->child, pair->child_at, i);
}

void pg_edge_match(bo_buf *out, const pg_edge *edge, const char *parent, pg_place parent_place,
    const char *child, pg_place child_place)
{
    for (uint16_t i = 0; i < edge->count; i++) {
        bo_buf_add_str(out, i ? " AND " : "");
        add_side(out, edge, i, true, parent, parent_place);
        bo_buf_printf(out, " %s ", edge->pairs[i].equal);
        add_side(out, edge, i, false, child, child_place);
        bo_buf_add_str(out, edge->pairs[i].collate);
    }
}

void pg_edge_row(bo_buf *out, const pg_edge *edge, bool parent, const char *alias, pg_place place)
{
    bo_buf_add_str(out, "ROW(");
    for (uint16_t i = 0; i < edge->count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        add_side(out, edge, i, parent, alias, place);
    }
    bo_buf_add_str(out, ")::record");
}

void pg_edge_referenced(bo_buf *out, const pg_stage *stage, const pg_edge *edge)
{
    bo_buf_add_str(out, "SELECT ");
    for (uint16_t i = 0; i < edge->count; i++)
        bo_buf_printf(out, "%sp.%s AS r%u", i ? ", " : "", edge->pairs[i].parent, i);
    bo_buf_printf(
        out, " FROM %s s JOIN %s p ON ", stage->tables[edge->parent_stage].stage, edge->parent);
    pg_located(out, "s", "p");
}

void pg_edge_not_null(
    bo_buf *out, const pg_edge *edge, bool parent, const char *alias, pg_place place)
{
    for (uint16_t i = 0; i < edge->count; i++) {
        bo_buf_add_str(out, i ? " AND " : "");
        add_side(out, edge, i, parent, alias, place);
        bo_buf_add_str(out, " IS NOT NULL");
    }
}

void pg_unique_match(bo_buf *out, const pg_unique *key, const char *a, pg_place a_place,
    const char *b, pg_place b_place)
{
    for (uint16_t i = 0; i < key->count; i++) {
        const pg_pair *pair = &key->pairs[i];
        bo_buf_add_str(out, i ? " AND (" : "(");
        add_value(out, a, a_place, pair->child, pair->child_at, i);
        bo_buf_printf(out, " %s ", pair->equal);
        add_value(out, b, b_place, pair->child, pair->child_at, i);
        if (key->nulls_equal && !pair->not_null) {
            bo_buf_add_str(out, " OR (");
            add_value(out, a, a_place, pair->child, pair->child_at, i);
            bo_buf_add_str(out, " IS NULL AND ");
            add_value(out, b, b_place, pair->child, pair->child_at, i);
            bo_buf_add_str(out, " IS NULL)");
        }
        bo_buf_add_str(out, ")");
    }
}
