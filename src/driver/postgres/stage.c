/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/stage.c - rows of a rollback in temporary tables: fill, locate, drop, read
 * back. */
#include <string.h>

#include "driver/postgres/stage.h"

/* ---- statements ---- */

bo_status pg_run_buf(pg_conn *conn, const bo_buf *sql, uint64_t *rows_out, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    return st == BO_OK ? pg_run(conn, rows_out, err, "%s", bo_buf_str(sql)) : st;
}

bo_status pg_ask_count(pg_conn *conn, const bo_buf *sql, uint64_t *out, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    BO_OWN(PGresult) *result = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, bo_buf_str(sql), 0, NULL, &result, err);
    if (st == BO_OK)
        *out = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return st;
}

void pg_located(bo_buf *out, const char *alias, const char *row)
{
    bo_buf_printf(out, "%s.ctid = %s.bo_loc AND %s.tableoid = %s.bo_rel", row, alias, row, alias);
}

void pg_stage_columns(bo_buf *out, const pg_staged *table, const char *alias)
{
    for (uint16_t i = 0; i < table->was->image_count; i++)
        bo_buf_printf(out, "%s%s.c%u", i ? ", " : "", alias, i);
}

/* ---- open and close ---- */

static bo_status check_temporary(pg_conn *conn, bo_error *err)
{
    BO_OWN(PGresult) *result = NULL;
    bo_status st = pg_ask(conn,
        "SELECT has_database_privilege(oid, 'TEMPORARY'),"
        " format('GRANT TEMPORARY ON DATABASE %I TO %I', datname, current_user)"
        " FROM pg_database WHERE datname = current_database()",
        0, NULL, &result, err);
    if (st == BO_OK && PQgetvalue(result, 0, 0)[0] != 't')
        st = bo_fail(err, BO_DENIED, "temporary tables are not allowed here\nneeded: %s",
            PQgetvalue(result, 0, 1));
    return st;
}

/* Columns of now that images of was do not have keep the values they have. */
static bo_status find_extra(pg_staged *table, bo_arena *arena, bo_error *err)
{
    const bo_table *now = table->now;
    uint16_t *extra = bo_arena_array(arena, (size_t)now->image_count + 1, sizeof *extra);
    if (!extra)
        return bo_nomem(err);
    for (uint16_t i = 0; i < now->image_count; i++) {
        int was = bo_table_column(table->was, now->columns[now->image_columns[i]].name);
        if (was < 0 || !table->was->columns[was].in_image)
            extra[table->extra_count++] = now->image_columns[i];
    }
    table->extra_columns = extra;

    for (uint16_t i = 0; i < table->was->image_count; i++) {
        const char *name = table->was->columns[table->was->image_columns[i]].name;
        int position = bo_table_column(now, name);
        if (position < 0 || !now->columns[position].in_image)
            return bo_fail(
                err, BO_REFUSED, "column '%s' of %s can no longer be written", name, now->name);
    }
    return BO_OK;
}

static bo_status create_stage(pg_stage *stage, pg_staged *table, bo_error *err)
{
    unsigned serial = stage->conn->serial++;
    BO_OWN_VALUE(bo_buf) live = {0};
    pg_quote_table(&live, table->now);
    table->live = bo_arena_str(stage->arena, bo_buf_str(&live));
    table->from = pg_from(stage->arena, table->now);
    table->stage = bo_arena_printf(stage->arena, "pg_temp.bo_stage_%u", serial);
    if (live.failed || !table->live || !table->from || !table->stage)
        return bo_nomem(err);
    bo_status st = find_extra(table, stage->arena, err);
    if (st != BO_OK)
        return st;

    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "CREATE TEMPORARY TABLE bo_stage_%u ON COMMIT DROP AS SELECT NULL::bigint AS bo_id,"
        " NULL::boolean AS bo_target, NULL::boolean AS bo_skip, NULL::boolean AS bo_keep,"
        " NULL::oid AS bo_rel, NULL::tid AS bo_loc",
        serial);
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        bo_buf_add_str(&sql, ", t.");
        pg_quote(&sql, table->was->columns[table->was->image_columns[i]].name);
        bo_buf_printf(&sql, " AS c%u", i);
    }
    bo_buf_printf(&sql, " FROM %s t WITH NO DATA", table->from);
    st = pg_run_buf(stage->conn, &sql, NULL, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot stage rows of %s", table->now->name);
}

static void pg_stage_free(pg_stage *stage)
{
    if (!stage)
        return;
    bo_arena_free(stage->arena);
    free(stage);
}
BO_DEFINE_SCOPE(pg_stage);

bo_status pg_stage_open(
    bo_conn *base, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN(pg_stage) *stage = calloc(1, sizeof *stage);
    if (!stage)
        return bo_nomem(err);
    stage->base.driver = base->driver;
    stage->conn = conn;
    stage->arena = bo_arena_create();
    if (!stage->arena)
        return bo_nomem(err);
    stage->tables = bo_arena_array(stage->arena, (size_t)count + 1, sizeof *stage->tables);
    if (!stage->tables)
        return bo_nomem(err);
    stage->count = count;

    bo_status st = check_temporary(conn, err);
    for (unsigned i = 0; i < count && st == BO_OK; i++) {
        stage->tables[i].was = tables[i].was;
        stage->tables[i].now = tables[i].now;
        st = create_stage(stage, &stage->tables[i], err);
    }
    if (st == BO_OK)
        st = pg_graph_read(conn, stage->tables, count, stage->arena, &stage->graph, err);
    if (st == BO_OK)
        *out = &BO_TAKE(stage)->base;
    return st;
}

void pg_stage_close(bo_stage *base)
{
    if (!base)
        return;
    BO_OWN(pg_stage) *stage = pg_stage_of(base);
    /* An aborted transaction puts triggers and settings back by itself. */
    if (stage->triggers_off && PQtransactionStatus(stage->conn->pg) == PQTRANS_INTRANS)
        (void)pg_triggers_on(stage->conn, NULL, 0, stage->replica, NULL);
}

/* ---- fill ---- */

typedef struct filler {
    const pg_staged *table;
    bo_stage_next_fn *next;
    void *ctx;
    bo_buf row;
} filler;

static void add_lead_binary(bo_buf *row, const bo_stage_entry *entry)
{
    bo_buf_add_u32(row, 8);
    bo_buf_add_u64(row, entry->id);
    bo_buf_add_u32(row, 1);
    bo_buf_add_byte(row, entry->has_target);
}

static void add_lead_text(bo_buf *row, const bo_stage_entry *entry)
{
    char id[24];
    int size = snprintf(id, sizeof id, "%llu", (unsigned long long)entry->id);
    bo_image_add(row, id, size);
    bo_image_add(row, entry->has_target ? "t" : "f", 1);
}

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    filler *f = ctx;
    bo_stage_entry entry = {0};
    bool end = false;
    bo_status st = f->next(f->ctx, &entry, &end, err);
    if (st != BO_OK)
        return st;
    *end_out = end;
    if (end)
        return BO_OK;
    uint16_t count = bo_image_count(entry.row);
    if (count != f->table->was->image_count)
        return bo_fail(err, BO_CORRUPT, "row %llu for %s has %u values instead of %u",
            (unsigned long long)entry.id, f->table->was->name, count, f->table->was->image_count);
    bo_buf_clear(&f->row);
    bo_image_begin(&f->row, (uint16_t)(count + 2));
    if (f->table->was->encoding == BO_ENCODING_PG_BINARY)
        add_lead_binary(&f->row, &entry);
    else
        add_lead_text(&f->row, &entry);
    bo_buf_add(&f->row, entry.row.data + 2, entry.row.size - 2);
    *row_out = (bo_image){f->row.data, f->row.size};
    return bo_buf_check(&f->row, err);
}

/* The planner chooses between an index and a hash by what it knows of the entries. */
bo_status pg_analyze_stage(pg_conn *conn, const pg_staged *table, bo_error *err)
{
    uint16_t positions[BO_COLUMNS_MAX];
    uint16_t count = table->was->row_key ? bo_table_key_positions(table->was, positions) : 0;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(
        &sql, "ANALYZE %s (bo_id, bo_target, bo_skip, bo_keep, bo_rel, bo_loc", table->stage);
    for (uint16_t i = 0; i < count; i++)
        bo_buf_printf(&sql, ", c%u", positions[i]);
    bo_buf_add_str(&sql, ")");
    return pg_run_buf(conn, &sql, NULL, err);
}

bo_status pg_stage_fill(
    bo_stage *base, unsigned index, bo_stage_next_fn *next, void *ctx, bo_error *err)
{
    pg_stage *stage = pg_stage_of(base);
    pg_staged *table = &stage->tables[index];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "COPY %s (bo_id, bo_target", table->stage);
    for (uint16_t i = 0; i < table->was->image_count; i++)
        bo_buf_printf(&sql, ", c%u", i);
    bo_buf_printf(&sql, ") FROM STDIN (FORMAT %s)",
        table->was->encoding == BO_ENCODING_PG_BINARY ? "binary" : "text");
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;

    filler f = {.table = table, .next = next, .ctx = ctx};
    uint64_t rows = 0;
    st = pg_copy_in(stage->conn, bo_buf_str(&sql), table->was->encoding, next_row, &f, &rows, err);
    bo_buf_done(&f.row);
    if (st == BO_OK)
        st = pg_analyze_stage(stage->conn, table, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot stage rows of %s", table->now->name);
    table->entries += rows;
    return BO_OK;
}

/* ---- locate ---- */

/* The unique key of now with exactly the columns that the row key had: its operators find rows. */
static const pg_unique *find_row_key(const pg_stage *stage, unsigned index)
{
    uint16_t positions[BO_COLUMNS_MAX];
    uint16_t count = bo_table_key_positions(stage->tables[index].was, positions);
    for (size_t k = 0; k < stage->graph.unique_count; k++) {
        const pg_unique *key = &stage->graph.uniques[k];
        if (key->stage != (int)index || !key->immediate || key->count != count)
            continue;
        unsigned found = 0;
        for (uint16_t i = 0; i < count; i++) {
            for (uint16_t j = 0; j < count; j++)
                found += key->pairs[j].child_at == positions[i] ? 1 : 0;
        }
        if (found == count)
            return key;
    }
    return NULL;
}

/* Types whose "=" is true for equal bytes only. */
static bool compares_bytes(const bo_table *table, const pg_unique *key)
{
    static const uint32_t exact[] = {16, 17, 20, 21, 23, 25, 26, 1043, 1082, 1114, 1184, 2950};
    for (uint16_t i = 0; i < key->count; i++) {
        const bo_column *column = &table->columns[key->pairs[i].position];
        bool found = false;
        for (size_t k = 0; k < sizeof exact / sizeof exact[0]; k++)
            found = found || column->type_oid == exact[k];
        if (!found || column->collation)
            return false;
    }
    return true;
}

bool pg_locates(const pg_stage *stage, const pg_unique *key)
{
    const pg_staged *table = &stage->tables[key->stage];
    return table->was->row_key && find_row_key(stage, (unsigned)key->stage) == key &&
           compares_bytes(table->now, key);
}

/* Whether the key of the entry `entry` has the bytes of the key of the row t. */
static void add_same_key(bo_buf *sql, const pg_unique *key, const char *entry)
{
    bo_buf_add_str(sql, "ROW(");
    for (uint16_t i = 0; i < key->count; i++)
        bo_buf_printf(sql, "%s%s.c%d", i ? ", " : "", entry, key->pairs[i].child_at);
    bo_buf_add_str(sql, ")::record *= ROW(");
    for (uint16_t i = 0; i < key->count; i++)
        bo_buf_printf(sql, "%st.%s", i ? ", " : "", key->pairs[i].child);
    bo_buf_add_str(sql, ")::record");
}

/* Two entries can mean one row to SQL ('Foo' and 'foo' as citext): it belongs to the one whose key
 * has its bytes. */
static bo_status give_up_doubles(
    pg_stage *stage, const pg_staged *table, const pg_unique *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "UPDATE %s s SET bo_rel = NULL, bo_loc = NULL FROM (SELECT f.bo_id, row_number()"
        " OVER (PARTITION BY f.bo_rel, f.bo_loc ORDER BY ",
        table->stage);
    add_same_key(&sql, key, "f");
    bo_buf_printf(&sql, " DESC, f.bo_id) AS n FROM %s f JOIN %s t ON ", table->stage, table->from);
    pg_located(&sql, "f", "t");
    bo_buf_add_str(&sql, ") d WHERE d.bo_id = s.bo_id AND d.n > 1");
    return pg_run_buf(stage->conn, &sql, NULL, err);
}

static bo_status locate_by_key(
    pg_stage *stage, const pg_staged *table, const pg_unique *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "UPDATE %s s SET bo_rel = t.tableoid, bo_loc = t.ctid FROM %s t WHERE s.bo_skip IS NULL"
        " AND ",
        table->stage, table->from);
    pg_unique_match(&sql, key, "s", PG_STAGED, "t", PG_LIVE);
    bo_status st = pg_run_buf(stage->conn, &sql, NULL, err);
    if (st == BO_OK && !compares_bytes(table->now, key))
        st = give_up_doubles(stage, table, key, err);
    return st;
}

/*
 * Without a key the n-th entry with an image takes the n-th row with it.  Output text tells them
 * apart: it can be sorted and hashed, and what is stored may be another form of the same bytes
 * (tsquery, arrays).
 */
static void add_twins(bo_buf *sql, const pg_staged *table, bool target)
{
    bo_buf_printf(sql, "(SELECT e.bo_id, e.image::text AS words, row_number()"
                       " OVER (PARTITION BY e.image::text ORDER BY e.bo_id) AS n"
                       " FROM (SELECT s.bo_id, ROW(");
    pg_stage_columns(sql, table, "s");
    bo_buf_printf(sql, ") AS image FROM %s s WHERE s.bo_skip IS NULL AND %ss.bo_target) e) e JOIN",
        table->stage, target ? "" : "NOT ");
    bo_buf_add_str(sql, " (SELECT l.rel, l.loc, l.image::text AS words, row_number()"
                        " OVER (PARTITION BY l.image::text ORDER BY l.rel, l.loc) AS n"
                        " FROM (SELECT t.tableoid AS rel, t.ctid AS loc, ROW(");
    pg_column_list(sql, table->was, "t");
    bo_buf_printf(sql, ") AS image FROM %s t) l WHERE l.image::text IN (SELECT ROW(", table->from);
    pg_stage_columns(sql, table, "w");
    bo_buf_printf(sql,
        ")::text FROM %s w)) l"
        " ON l.words = e.words AND l.n = e.n",
        table->stage);
}

static bo_status locate_by_image(pg_stage *stage, const pg_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "UPDATE %s u SET bo_rel = m.rel, bo_loc = m.loc FROM (SELECT e.bo_id, l.rel, l.loc FROM ",
        table->stage);
    add_twins(&sql, table, false);
    bo_buf_add_str(&sql, ") m WHERE m.bo_id = u.bo_id");
    return pg_run_buf(stage->conn, &sql, NULL, err);
}

/* ---- reports ---- */

typedef struct reporter {
    bo_stage_row_fn *each;
    void *ctx;
    bo_buf row;
} reporter;

/* A tuple is the id and then the image. */
static bo_status report_row(void *ctx, bo_image tuple, bo_error *err)
{
    reporter *r = ctx;
    uint64_t id = bo_get_u64(tuple.data + 6);
    bo_buf_clear(&r->row);
    bo_image_begin(&r->row, (uint16_t)(bo_image_count(tuple) - 1));
    bo_buf_add(&r->row, tuple.data + 14, tuple.size - 14);
    bo_status st = bo_buf_check(&r->row, err);
    return st == BO_OK ? r->each(r->ctx, id, (bo_image){r->row.data, r->row.size}, err) : st;
}

static bo_status report(pg_stage *stage, const bo_table *shape, bo_buf *sql, bo_stage_row_fn *each,
    void *ctx, bo_error *err)
{
    bo_status st = bo_buf_check(sql, err);
    if (st != BO_OK)
        return st;
    reporter r = {.each = each, .ctx = ctx};
    st = pg_copy_images(stage->conn, bo_buf_str(sql), shape, 1, report_row, &r, err);
    bo_buf_done(&r.row);
    return st;
}

static void begin_report(bo_buf *sql, const pg_staged *table)
{
    bo_buf_add_str(sql, "COPY (SELECT s.bo_id");
    if (table->was->image_count > 0)
        bo_buf_add_str(sql, ", ");
    pg_image_list(sql, table->was, "t");
    bo_buf_printf(sql, " FROM %s s JOIN %s t ON ", table->stage, table->from);
}

/* As in locate, a row that two entries mean to SQL belongs to the one with its bytes. */
static void add_readback_by_key(bo_buf *sql, const pg_staged *table, const pg_unique *key)
{
    pg_unique_match(sql, key, "s", PG_STAGED, "t", PG_LIVE);
    if (compares_bytes(table->now, key))
        return;
    bo_buf_add_str(sql, " AND (");
    add_same_key(sql, key, "s");
    bo_buf_printf(
        sql, " OR NOT EXISTS (SELECT 1 FROM %s o WHERE o.bo_skip IS NULL AND ", table->stage);
    pg_unique_match(sql, key, "o", PG_STAGED, "t", PG_LIVE);
    bo_buf_add_str(sql, " AND ");
    add_same_key(sql, key, "o");
    bo_buf_add_str(sql, "))");
}

static bo_status no_key(const pg_staged *table, bo_error *err)
{
    return bo_fail(
        err, BO_REFUSED, "%s has no longer the key that its rows were known by", table->now->name);
}

bo_status pg_stage_locate(
    bo_stage *base, unsigned index, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    pg_stage *stage = pg_stage_of(base);
    const pg_staged *table = &stage->tables[index];
    if (table->entries == 0)
        return BO_OK;
    bo_status st;
    if (table->was->row_key) {
        const pg_unique *key = find_row_key(stage, index);
        st = key ? locate_by_key(stage, table, key, err) : no_key(table, err);
    } else {
        st = locate_by_image(stage, table, err);
    }
    if (st == BO_OK)
        st = pg_analyze_stage(stage->conn, table, err);
    if (st == BO_OK) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        begin_report(&sql, table);
        pg_located(&sql, "s", "t");
        bo_buf_add_str(
            &sql, " WHERE s.bo_skip IS NULL ORDER BY s.bo_id) TO STDOUT (FORMAT binary)");
        st = report(stage, table->was, &sql, each, ctx, err);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot find the rows of %s", table->now->name);
}

bo_status pg_stage_readback(
    bo_stage *base, unsigned index, bo_stage_row_fn *each, void *ctx, bo_error *err)
{
    pg_stage *stage = pg_stage_of(base);
    const pg_staged *table = &stage->tables[index];
    if (table->entries == 0)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) sql = {0};
    begin_report(&sql, table);
    bo_status st = BO_OK;
    if (table->was->row_key) {
        const pg_unique *key = find_row_key(stage, index);
        if (key)
            add_readback_by_key(&sql, table, key);
        else
            st = no_key(table, err);
    } else {
        bo_buf_add_str(&sql, "s.bo_target JOIN (SELECT e.bo_id, l.rel, l.loc FROM ");
        add_twins(&sql, table, true);
        bo_buf_add_str(&sql, ") m ON m.bo_id = s.bo_id AND t.tableoid = m.rel AND t.ctid = m.loc");
    }
    bo_buf_add_str(&sql, " WHERE s.bo_skip IS NULL ORDER BY s.bo_id) TO STDOUT (FORMAT binary)");
    if (st == BO_OK)
        st = report(stage, table->was, &sql, each, ctx, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot read back %s", table->now->name);
}

/* ---- drop ---- */

bo_status pg_stage_drop(
    bo_stage *base, unsigned index, const uint64_t *ids, size_t count, bo_error *err)
{
    if (count == 0)
        return BO_OK;
    pg_stage *stage = pg_stage_of(base);
    BO_OWN_VALUE(bo_buf) list = {0};
    for (size_t i = 0; i < count; i++)
        bo_buf_printf(&list, "%s%llu", i ? "," : "{", (unsigned long long)ids[i]);
    bo_buf_add_str(&list, "}");
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "UPDATE %s s SET bo_skip = true FROM unnest($1::bigint[]) AS d(id) WHERE s.bo_id = d.id",
        stage->tables[index].stage);
    bo_status st = bo_buf_check(list.failed ? &list : &sql, err);
    const char *params[] = {bo_buf_str(&list)};
    BO_OWN(PGresult) *result = NULL;
    return st == BO_OK ? pg_ask(stage->conn, bo_buf_str(&sql), 1, params, &result, err) : st;
}
