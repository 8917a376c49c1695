/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture_read.c - what the journal tells: positions, changes, its rows.
 *
 * A position is a snapshot, "812:820:815", and the transaction that took it when that had a number:
 * "812:820:815+817".  What the snapshot does not see is later, and so is all of that transaction.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "driver/postgres/journal.h"
#include "driver/postgres/stage.h"

/* ---- positions ---- */

bo_status pg_capture_position(
    bo_conn *base, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err)
{
    (void)tables; /* the snapshot is of all */
    (void)count;
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(pg_of(base),
        "SELECT pg_catalog.pg_current_snapshot(), pg_catalog.pg_current_xact_id_if_assigned()", 0,
        NULL, &found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell the position in the journals");
    bo_buf_add_str(out, PQgetvalue(found, 0, 0));
    if (!PQgetisnull(found, 0, 1))
        bo_buf_printf(out, "+%s", PQgetvalue(found, 0, 1));
    return bo_buf_check(out, err);
}

/* ---- changes ---- */

typedef struct reading {
    pg_conn *conn;
    const pg_journal *journal;
    const bo_journal_filter *filter;
    bool by_index; /* few rows: each is looked up in the table */
    bo_buf rows;   /* what stands for the journal's name where its order is not the writes' */
    bo_journal_change_fn *each;
    void *ctx;
    bo_buf before; /* images that are made of tuples */
    bo_buf after;
} reading;

/* FROM backout.journal_<oid> AS j WHERE it is after filter->from */
static bo_status add_source(bo_buf *out, const reading *r, bo_error *err)
{
    bo_buf_printf(out, " FROM %s AS j WHERE ", bo_buf_str(&r->rows));
    return pg_journal_later(out, r->filter->from, "j.backout_xid", err);
}

/* picked (f, n, mixed): for each key the first row that is meant, the next after the last, or NULL
 */
static bo_status add_picked(bo_buf *out, const reading *r, bo_error *err)
{
    const pg_journal *j = r->journal;
    bo_buf_add_str(out, "WITH j AS MATERIALIZED (SELECT j.backout_seq AS s, ");
    pg_journal_identities(out, j, "j", true);
    bo_buf_add_str(out, ", ");
    bo_status st = pg_journal_match(out, r->filter, err);
    bo_buf_add_str(out, " AS m, ");
    pg_journal_own(out, r->filter);
    bo_buf_add_str(out, " AS own");
    if (st == BO_OK)
        st = add_source(out, r, err);
    bo_buf_add_str(out, "), hit AS MATERIALIZED (SELECT min(s) AS f, max(s) AS l, ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out, " FROM j WHERE m GROUP BY ");
    pg_journal_identity_names(out, j);
    bo_buf_add_str(out,
        "), picked AS MATERIALIZED (SELECT hit.f, min(j.s) FILTER (WHERE j.s > hit.l) AS n,"
        " bool_or(NOT j.m AND NOT j.own AND j.s > hit.f AND j.s < hit.l) AS mixed"
        " FROM hit JOIN j ON true");
    pg_journal_same_identity(out, j, "hit", "j");
    bo_buf_add_str(out, " GROUP BY hit.f)");
    return st;
}

/* b: where every row is meant, the first of each key; what comes next is always the table's row. */
static bo_status add_first(bo_buf *out, const reading *r, bo_error *err)
{
    bo_buf_add_str(out, " FROM (SELECT DISTINCT ON (");
    pg_journal_identities(out, r->journal, "j", false);
    bo_buf_add_str(out, ") j.*");
    bo_status st = add_source(out, r, err);
    bo_buf_add_str(out, " ORDER BY ");
    pg_journal_identities(out, r->journal, "j", false);
    bo_buf_add_str(out, ", j.backout_seq) AS b");
    return st;
}

static void add_table(bo_buf *out, const bo_table *table)
{
    bo_buf_add_str(out, table->kind == 'p' ? "" : "ONLY ");
    pg_quote_table(out, table);
    bo_buf_add_str(out, " AS t");
}

/* t: the row of now with b's key, where `wanted` */
static void add_live_row(bo_buf *out, const reading *r, const char *wanted)
{
    const bo_table *table = r->journal->table;
    if (!r->by_index) {
        bo_buf_add_str(out, " LEFT JOIN ");
        add_table(out, table);
        bo_buf_printf(out, " ON %s", wanted);
        pg_journal_same_key(out, r->journal);
        return;
    }
    bo_buf_add_str(out, " LEFT JOIN LATERAL (SELECT t.tableoid, ");
    pg_column_list(out, table, "t");
    bo_buf_add_str(out, " FROM ");
    add_table(out, table);
    bo_buf_printf(out, " WHERE %s", wanted);
    pg_journal_same_key(out, r->journal);
    bo_buf_add_str(out, " LIMIT 1) AS t ON true"); /* LIMIT: never the table as a whole */
}

/* a: the row that comes next, of the journal or of the table */
static void add_next_row(bo_buf *out, const bo_table *table)
{
    bo_buf_add_str(out, " CROSS JOIN LATERAL (SELECT ");
    for (uint16_t i = 0; i < table->image_count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        pg_quote(&name, table->columns[table->image_columns[i]].name);
        out->failed |= name.failed;
        bo_buf_printf(out, "%sCASE WHEN p.n IS NULL THEN t.%s ELSE n.%s END AS %s", i ? ", " : "",
            bo_buf_str(&name), bo_buf_str(&name), bo_buf_str(&name));
    }
    bo_buf_add_str(out, ") AS a");
}

/*
 * What a change is read from, after add_picked() where not every row is meant: `b` is the row of
 * the journal with the image before, after_row() that after, is_there_after() whether there is one.
 */
static bo_status add_from(bo_buf *out, const reading *r, bo_error *err)
{
    if (pg_journal_takes_all(r->filter)) {
        bo_status st = add_first(out, r, err);
        add_live_row(out, r, "true");
        return st;
    }
    const char *journal = bo_buf_str(&r->rows);
    bo_buf_printf(out,
        " FROM picked AS p JOIN %s AS b ON b.backout_seq = p.f"
        " LEFT JOIN %s AS n ON n.backout_seq = p.n",
        journal, journal);
    add_live_row(out, r, "p.n IS NULL");
    add_next_row(out, r->journal->table);
    return bo_buf_check(out, err);
}

static const char *after_row(const bo_journal_filter *filter)
{
    return pg_journal_takes_all(filter) ? "t" : "a";
}

static const char *is_there_after(const bo_journal_filter *filter)
{
    return pg_journal_takes_all(filter)
               ? "t.tableoid IS NOT NULL"
               : "CASE WHEN p.n IS NULL THEN t.tableoid IS NOT NULL ELSE n.backout_op <> 'I' END";
}

static bo_status make_copy(const reading *r, bo_buf *out, bo_error *err)
{
    const bo_table *table = r->journal->table;
    bool all = pg_journal_takes_all(r->filter);
    bo_buf_add_str(out, "COPY (");
    bo_status st = all ? BO_OK : add_picked(out, r, err);
    bo_buf_printf(out, " SELECT (b.backout_op <> 'I')::int + 2 * (%s)::int%s, ",
        is_there_after(r->filter), all ? "" : " + 4 * p.mixed::int");
    pg_image_list(out, table, "b");
    bo_buf_add_str(out, ", ");
    pg_image_list(out, table, after_row(r->filter));
    if (st == BO_OK)
        st = add_from(out, r, err);
    bo_buf_add_str(out, ") TO STDOUT (FORMAT binary)");
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

/* ---- a tuple: what is there (1 before, 2 after, 4 mixed), the row before, the row after ---- */

static size_t skip_values(bo_image tuple, size_t at, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        uint32_t size = bo_get_u32(tuple.data + at);
        at += 4 + (size == UINT32_MAX ? 0 : size);
    }
    return at;
}

static bo_image image_of(bo_buf *out, bo_image tuple, size_t from, size_t to, uint16_t count)
{
    bo_buf_clear(out);
    bo_image_begin(out, count);
    bo_buf_add(out, tuple.data + from, to - from);
    return (bo_image){out->data, out->size};
}

static bo_status give_change(void *ctx, bo_image tuple, bo_error *err)
{
    reading *r = ctx;
    uint16_t count = r->journal->count;
    if (bo_image_count(tuple) != 1 + 2 * (unsigned)count)
        return bo_fail(err, BO_DATABASE, "the server sent %u values of a change instead of %u",
            bo_image_count(tuple), 1 + 2 * (unsigned)count);
    uint32_t there = bo_get_u32(tuple.data + 6);
    if ((there & 3) == 0)
        return BO_OK;
    size_t before = skip_values(tuple, 2, 1);
    size_t after = skip_values(tuple, before, count);
    bo_journal_change change = {.mixed = (there & 4) != 0};
    if (there & 1)
        change.before = image_of(&r->before, tuple, before, after, count);
    if (there & 2)
        change.after = image_of(&r->after, tuple, after, tuple.size, count);
    if (r->before.failed || r->after.failed)
        return bo_nomem(err);
    return r->each(r->ctx, &change, err);
}

/* ---- few or many ---- */

/* Looking a row up by its key costs about as much as reading twenty in a row. */
static bo_status choose_way(reading *r, bo_error *err)
{
    enum { LOOKUP = 20 };
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(PGresult) *found = NULL;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    bo_buf_add_str(&sql, "SELECT count(*) FILTER (WHERE ");
    bo_status st = pg_journal_match(&sql, r->filter, err);
    bo_buf_add_str(&sql, "), bool_or(j.backout_made IS NOT NULL), bool_or(j.backout_op = 'I') AND"
                         " bool_or(j.backout_op = 'D')");
    pg_journal_name(&r->rows, r->journal->table, "");
    if (st == BO_OK)
        st = add_source(&sql, r, err);
    if (st == BO_OK)
        st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        st = pg_ask(r->conn, bo_buf_str(&sql), 0, NULL, &found, err);
    if (st == BO_OK)
        st = pg_estimate(&r->conn->base, r->journal->table, &rows, &bytes, err);
    if (st != BO_OK)
        return st;
    uint64_t meant = strtoull(PQgetvalue(found, 0, 0), NULL, 10);
    r->by_index = meant < rows / LOOKUP || meant < LOOKUP;
    bo_buf_clear(&r->rows);
    return pg_journal_in_order(r->conn, r->journal, r->filter->from,
        PQgetvalue(found, 0, 1)[0] == 't', PQgetvalue(found, 0, 2)[0] == 't', &r->rows, err);
}

/* The planner knows nothing of the journal: it must not take it for small. */
static bo_status plan_for_many(pg_conn *conn, bool on, bo_error *err)
{
    return pg_run(conn, NULL, err,
        on ? "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
           : "SET LOCAL enable_nestloop TO DEFAULT; SET LOCAL work_mem TO DEFAULT");
}

static bo_status read_changes(reading *r, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_status st = plan_for_many(r->conn, true, err);
    if (st == BO_OK)
        st = choose_way(r, err);
    if (st == BO_OK)
        st = make_copy(r, &sql, err);
    if (st != BO_OK)
        return st;
    st = pg_copy_images(r->conn, bo_buf_str(&sql), r->journal->table, 1, give_change, r, err);
    return st == BO_OK ? plan_for_many(r->conn, false, err) : st;
}

static bo_status add_sum(reading *r, bo_buf *out, bo_error *err)
{
    const pg_journal *journal = r->journal;
    const char *after = after_row(r->filter);
    bo_status st = choose_way(r, err);
    if (st == BO_OK && !pg_journal_takes_all(r->filter))
        st = add_picked(out, r, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(out, " SELECT b.backout_op <> 'I' AS had, %s AS has", is_there_after(r->filter));
    for (uint16_t i = 0; i < journal->count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        pg_quote(&name, pg_journal_column(journal, i));
        bo_buf_printf(
            out, ", b.%s AS b%u, %s.%s AS a%u", bo_buf_str(&name), i, after, bo_buf_str(&name), i);
        out->failed |= name.failed;
    }
    st = add_from(out, r, err);
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

bo_status pg_journal_add_sum(pg_conn *conn, const pg_journal *journal,
    const bo_journal_filter *filter, bo_buf *out, bo_error *err)
{
    reading r = {.conn = conn, .journal = journal, .filter = filter};
    bo_status st = add_sum(&r, out, err);
    bo_buf_done(&r.rows);
    return st;
}

static bo_status gone_journal(bo_status st, const bo_table *now, bo_error *err)
{
    if (st == BO_NOTFOUND)
        st = bo_fail(err, BO_CONFLICT, "its journal is gone");
    return bo_wrap(err, st, "cannot read the journal of %s", now->name);
}

bo_status pg_capture_changes(bo_conn *base, const bo_table *now, const bo_journal_filter *filter,
    bo_journal_change_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(pg_journal) journal = {0};
    bo_status st = pg_journal_open(pg_of(base), now, &journal, err);
    reading r = {
        .conn = pg_of(base), .journal = &journal, .filter = filter, .each = each, .ctx = ctx};
    if (st == BO_OK)
        st = read_changes(&r, err);
    bo_buf_done(&r.rows);
    bo_buf_done(&r.before);
    bo_buf_done(&r.after);
    return st == BO_OK ? st : gone_journal(st, now, err);
}

/* ---- the rows of the journal ---- */

enum { SEQUENCE, XID, USER, APPLICATION, RUN, OPERATION, KEY };

typedef struct walking {
    uint16_t key_count;
    bo_journal_row_fn *each;
    void *ctx;
    bo_buf texts;
    bo_buf key;
} walking;

static size_t keep_text(bo_buf *out, bo_value value)
{
    size_t at = out->size;
    if (value.size > 0)
        bo_buf_add(out, value.data, (size_t)value.size);
    bo_buf_add_byte(out, '\0');
    return at;
}

static bo_status give_row(void *ctx, bo_image tuple, bo_error *err)
{
    walking *w = ctx;
    if (bo_image_count(tuple) != KEY + w->key_count)
        return bo_fail(err, BO_DATABASE, "the server sent other columns than were asked for");
    bo_buf_clear(&w->texts);
    size_t at[KEY] = {0};
    for (uint16_t i = XID; i <= OPERATION; i++)
        at[i] = keep_text(&w->texts, bo_image_value(tuple, i));
    size_t from = skip_values(tuple, 2, KEY);
    bo_image key = image_of(&w->key, tuple, from, tuple.size, w->key_count);
    if (w->texts.failed || w->key.failed)
        return bo_nomem(err);
    const char *texts = (const char *)w->texts.data;
    bo_journal_row row = {
        .sequence = bo_get_u64(bo_image_value(tuple, SEQUENCE).data),
        .transaction = texts + at[XID],
        .user = texts + at[USER],
        .application = texts + at[APPLICATION],
        .run = texts + at[RUN],
        .operation = texts[at[OPERATION]],
        .key = key,
    };
    return w->each(w->ctx, &row, err);
}

bo_status pg_capture_walk(bo_conn *base, const bo_table *now, const char *from,
    bo_journal_row_fn *each, void *ctx, bo_error *err)
{
    uint16_t positions[BO_COLUMNS_MAX];
    if (!now->row_key)
        return bo_fail(err, BO_UNSUPPORTED, "%s has no key, so it has no journal", now->name);
    bo_table keys = *now; /* of which only the key is read */
    keys.image_columns = now->row_key->columns;
    keys.image_count = bo_table_key_positions(now, positions);

    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql,
        "COPY (SELECT j.backout_seq, j.backout_xid::text, j.backout_user, j.backout_app,"
        " j.backout_run, j.backout_op::text, ");
    pg_image_list(&sql, &keys, "j");
    bo_buf_add_str(&sql, " FROM ");
    pg_journal_name(&sql, now, "");
    bo_buf_add_str(&sql, " AS j WHERE ");
    bo_status st = pg_journal_later(&sql, from, "j.backout_xid", err);
    bo_buf_add_str(&sql, " ORDER BY j.backout_seq) TO STDOUT (FORMAT binary)");
    if (st == BO_OK)
        st = bo_buf_check(&sql, err);
    walking w = {.key_count = keys.image_count, .each = each, .ctx = ctx};
    if (st == BO_OK)
        st = pg_copy_images(pg_of(base), bo_buf_str(&sql), &keys, KEY, give_row, &w, err);
    bo_buf_done(&w.texts);
    bo_buf_done(&w.key);
    return st == BO_OK ? st : gone_journal(st, now, err);
}
