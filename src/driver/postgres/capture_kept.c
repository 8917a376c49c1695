/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture_kept.c - a big change kept as a table of both images, and undone from
 * it: no row leaves the server.  docs/design/capture.md
 *
 *     backout.kept_<oid of the table>_<hash of the point>
 *     had, has         there before, there after
 *     b0, a0, b1, ...  the values before and after; of the key, b is always there
 */
#include <stdio.h>
#include <string.h>

#include "driver/postgres/journal.h"
#include "driver/postgres/stage.h"

/* ---- names ---- */

/* A point's id is too long for a name. */
static bo_status point_hash(pg_conn *conn, const char *point, char out[33], bo_error *err)
{
    BO_OWN(PGresult) *hash = NULL;
    bo_status st = pg_ask(conn, "SELECT pg_catalog.md5($1)", 1, &point, &hash, err);
    if (st == BO_OK)
        memcpy(out, PQgetvalue(hash, 0, 0), 33);
    return st;
}

bo_status pg_kept_drop(pg_conn *conn, const char *point, bo_error *err)
{
    BO_OWN(PGresult) *kept = NULL;
    bo_status st = pg_ask(conn,
        "SELECT quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
        "c.relnamespace"
        " WHERE n.nspname = 'backout' AND c.relname ~ ('^kept_[0-9]+_' || md5($1) || '$')",
        1, &point, &kept, err);
    for (int i = 0; st == BO_OK && i < PQntuples(kept); i++)
        st = pg_run(conn, NULL, err, "DROP TABLE backout.%s", PQgetvalue(kept, i, 0));
    return st;
}

/* ---- byte for byte the same ---- */

static void add_live(bo_buf *out, const pg_journal *j, uint16_t i, bool as_base)
{
    bo_buf_add_str(out, "t.");
    pg_quote(out, pg_journal_column(j, i));
    if (as_base)
        bo_buf_printf(out, "::%s", pg_journal_type(j, i));
}

/* Every value on the left is that on the right: plainly where equal values are the same bytes. */
static void add_same(bo_buf *out, const pg_journal *j, const char *left, char right)
{
    BO_OWN_VALUE(bo_buf) ours = {0};
    BO_OWN_VALUE(bo_buf) theirs = {0};
    bo_buf_add_str(out, "true");
    for (uint16_t i = 0; i < j->count; i++) {
        bool exact = pg_journal_exact(j, i);
        bo_buf *to = exact ? out : &ours;
        bo_buf_add_str(to, exact ? " AND " : ours.size ? ", " : "");
        if (left)
            bo_buf_printf(to, "%s%u", left, i);
        else
            add_live(to, j, i, !exact);
        if (exact)
            bo_buf_printf(to, " IS NOT DISTINCT FROM k.%c%u", right, i);
        else
            bo_buf_printf(&theirs, "%sk.%c%u", theirs.size ? ", " : "", right, i);
    }
    if (ours.size)
        bo_buf_printf(
            out, " AND record_image_eq(ROW(%s), ROW(%s))", bo_buf_str(&ours), bo_buf_str(&theirs));
    out->failed |= ours.failed || theirs.failed;
}

/* The index finds the row. */
static void add_same_key(bo_buf *out, const pg_journal *j)
{
    const char *separator = "";
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_add_str(out, separator);
        add_live(out, j, i, false);
        bo_buf_printf(out, " %s k.b%u", pg_journal_equal(j, i), i);
        separator = " AND ";
    }
}

/* ---- keeping ---- */

static void add_key_names(bo_buf *out, const pg_journal *j)
{
    const char *separator = "";
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_printf(out, "%sb%u", separator, i);
        separator = ", ";
    }
}

/* The key of an added row is in the journal's own row, so `b` of a key is always there.  In the
 * order of the key, rows are put back twice as fast.  A seal that failed may have left such a
 * table. */
static bo_status make_table(pg_conn *conn, const pg_journal *j, const bo_journal_filter *filter,
    const char *hash, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "DROP TABLE IF EXISTS backout.kept_%s_%s;", j->table->id, hash);
    bo_buf_printf(&sql, "CREATE TABLE backout.kept_%s_%s AS SELECT * FROM (", j->table->id, hash);
    bo_status st = pg_journal_add_sum(conn, j, filter, &sql, err);
    bo_buf_add_str(&sql, ") AS k WHERE (had OR has) AND NOT (had AND has AND ");
    add_same(&sql, j, "k.b", 'a');
    bo_buf_add_str(&sql, ") ORDER BY ");
    add_key_names(&sql, j);
    bo_buf_printf(&sql, "; ANALYZE backout.kept_%s_%s", j->table->id, hash);
    return st == BO_OK ? pg_run_buf(conn, &sql, NULL, err) : st;
}

static bo_status keep(pg_conn *conn, const char *token, const bo_table *now,
    const bo_journal_filter *filter, const char *point, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) quoted = {0};
    BO_OWN_VALUE(pg_journal) journal = {0};
    char hash[33];
    pg_quote_literal(&quoted, token);
    bo_status st = bo_buf_check(&quoted, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "SET TRANSACTION SNAPSHOT %s", bo_buf_str(&quoted));
    if (st == BO_OK)
        st =
            pg_run(conn, NULL, err, "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'");
    if (st == BO_OK)
        st = point_hash(conn, point, hash, err);
    if (st == BO_OK)
        st = pg_journal_open(conn, now, &journal, err);
    return st == BO_OK ? make_table(conn, &journal, filter, hash, err) : st;
}

bo_status pg_capture_keep(bo_conn *base, const char *token, const bo_table *now,
    const bo_journal_filter *filter, const char *point, bo_error *err)
{
    bo_status st = pg_begin(base, BO_TX_WRITE, err);
    if (st == BO_OK)
        st = keep(pg_of(base), token, now, filter, point, err);
    if (st == BO_OK)
        st = pg_commit(base, err);
    pg_rollback(base);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot keep the change of %s", now->name);
}

/* ---- undoing ---- */

typedef struct undoing {
    pg_conn *conn;
    const bo_table *table;
    pg_journal journal;
    char kept[80];
    uint64_t had, has; /* rows there before the change, and after it */
    bool by_index;     /* rows are looked up one by one */
} undoing;

/* Rows are deleted and inserted as sets: what a foreign key or a rule would make of that is not
 * what is wanted.  A key that may be checked later would not be checked at all in the role of a
 * replica, and keeps triggers from being switched otherwise. */
static bool is_plain(const bo_table *table)
{
    return table->kind == 'r' && table->row_key && !table->row_security &&
           table->foreign_key_count == 0 && table->referenced_count == 0;
}

static bo_status find_kept(undoing *u, const char *hash, bool *out, bo_error *err)
{
    (void)snprintf(u->kept, sizeof u->kept, "kept_%s_%s", u->table->id, hash);
    const char *params[] = {u->kept, u->table->id};
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(u->conn,
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'backout' AND c.relname = $1 AND NOT EXISTS"
        " (SELECT FROM pg_rewrite r WHERE r.ev_class = $2::oid) AND NOT EXISTS"
        " (SELECT FROM pg_inherits i WHERE $2::oid IN (i.inhrelid, i.inhparent)) AND NOT EXISTS"
        " (SELECT FROM pg_index i WHERE i.indrelid = $2::oid AND NOT i.indimmediate)",
        2, params, &found, err);
    if (st == BO_OK)
        *out = PQntuples(found) > 0;
    return st;
}

static bo_status expect(
    const undoing *u, const char *what, uint64_t rows, uint64_t wanted, bo_error *err)
{
    return rows == wanted
               ? BO_OK
               : bo_fail(err, BO_CONFLICT, "%llu rows of %s were %s instead of %llu",
                     (unsigned long long)rows, u->table->name, what, (unsigned long long)wanted);
}

/* What is kept lies in the order of the key, so that one look into the index for each row beats
 * reading the whole table, up to half of it; but not when each may have to come from the disk. */
static bo_status choose_join(undoing *u, bo_error *err)
{
    char most[32];
    const char *params[] = {u->table->id, most};
    BO_OWN(PGresult) *found = NULL;
    (void)snprintf(
        most, sizeof most, "%llu", 2 * (unsigned long long)(u->had > u->has ? u->had : u->has));
    bo_status st = pg_ask(u->conn,
        "SELECT 1 FROM pg_class c WHERE c.oid = $1::oid AND c.reltuples > $2::float8 AND"
        " pg_table_size(c.oid) < pg_size_bytes(current_setting('effective_cache_size'))",
        2, params, &found, err);
    if (st == BO_OK)
        u->by_index = PQntuples(found) > 0;
    return st;
}

static bo_status use_join(const undoing *u, bo_error *err)
{
    const char *others = u->by_index ? "off" : "on";
    return pg_run(u->conn, NULL, err,
        "SET LOCAL enable_hashjoin = %s; SET LOCAL enable_mergejoin = %s", others, others);
}

static bo_status take_away(undoing *u, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t rows = 0;
    bo_buf_add_str(&sql, "DELETE FROM ONLY ");
    pg_quote_table(&sql, u->table);
    bo_buf_printf(&sql, " AS t USING backout.%s AS k WHERE k.has AND ", u->kept);
    add_same_key(&sql, &u->journal);
    bo_buf_add_str(&sql, " AND ");
    add_same(&sql, &u->journal, NULL, 'a');
    bo_status st = pg_run_buf(u->conn, &sql, &rows, err);
    return st == BO_OK ? expect(u, "as the change left them", rows, u->has, err) : st;
}

static bo_status put_back(undoing *u, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t rows = 0;
    bo_buf_add_str(&sql, "INSERT INTO ");
    pg_quote_table(&sql, u->table);
    bo_buf_add_str(&sql, " (");
    pg_column_list(&sql, u->table, NULL);
    bo_buf_add_str(&sql, ") OVERRIDING SYSTEM VALUE SELECT ");
    for (uint16_t i = 0; i < u->journal.count; i++)
        bo_buf_printf(&sql, "%sk.b%u", i ? ", " : "", i);
    bo_buf_printf(&sql, " FROM backout.%s AS k WHERE k.had", u->kept);
    bo_status st = pg_run_buf(u->conn, &sql, &rows, err);
    return st == BO_OK ? expect(u, "put back", rows, u->had, err) : st;
}

static bo_status read_back(undoing *u, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t rows = 0;
    bo_status st = use_join(u, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "SELECT count(*) FROM backout.%s AS k JOIN ONLY ", u->kept);
    pg_quote_table(&sql, u->table);
    bo_buf_add_str(&sql, " AS t ON ");
    add_same_key(&sql, &u->journal);
    bo_buf_add_str(&sql, " WHERE k.had AND ");
    add_same(&sql, &u->journal, NULL, 'b');
    st = pg_ask_count(u->conn, &sql, &rows, err);
    return st == BO_OK ? expect(u, "read back as they should be", rows, u->had, err) : st;
}

/* Whoever begins or ends a capture holds the list first and then waits for our tables. */
static bo_status lock_list(pg_conn *conn, bo_error *err)
{
    bo_status st =
        pg_run(conn, NULL, err, "LOCK TABLE backout.capture IN ROW EXCLUSIVE MODE NOWAIT");
    return st == BO_BUSY ? bo_fail(err, BO_UNSUPPORTED, "another backout begins or ends a capture")
                         : st;
}

/* While this point alone needs the journal nothing is written into it: what it says of these rows
 * is where they go back to.  A trigger that was switched is another version of itself, which the
 * list of what is captured gets. */
static bo_status quiet(undoing *u, bool on, bo_error *err)
{
    BO_OWN(PGresult) *ours = NULL;
    bo_status st = pg_ask(u->conn,
        "SELECT quote_ident(t.tgname) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'backout'"
        " WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND"
        " (SELECT count(*) FROM backout.capture x WHERE x.relation = $1::oid) = 1",
        1, &u->table->id, &ours, err);
    BO_OWN_VALUE(bo_buf) name = {0};
    pg_quote_table(&name, u->table);
    if (st == BO_OK)
        st = bo_buf_check(&name, err);
    if (st != BO_OK || PQntuples(ours) == 0)
        return st;
    st = on ? BO_OK : lock_list(u->conn, err);
    for (int i = 0; st == BO_OK && i < PQntuples(ours); i++)
        st = pg_run(u->conn, NULL, err, "ALTER TABLE ONLY %s %s TRIGGER %s", bo_buf_str(&name),
            on ? "ENABLE ALWAYS" : "DISABLE", PQgetvalue(ours, i, 0));
    return st == BO_OK && on ? pg_registry_renew(u->conn, u->table, err) : st;
}

static bo_status undo_table(undoing *u, bo_error *err)
{
    bo_status st = quiet(u, false, err);
    if (st == BO_OK)
        st = use_join(u, err);
    if (st == BO_OK)
        st = take_away(u, err);
    if (st == BO_OK)
        st = put_back(u, err);
    return st == BO_OK ? quiet(u, true, err) : st;
}

/* Users' triggers must be back before rows are counted as read back: nothing fires between. */
static bo_status undo_all(
    pg_conn *conn, undoing *all, unsigned count, const bo_table *const *tables, bo_error *err)
{
    bool replica = false;
    bo_status st = pg_triggers_off(conn, tables, count, &replica, err);
    for (unsigned i = 0; st == BO_OK && i < count; i++)
        st = undo_table(&all[i], err);
    if (st == BO_OK)
        st = pg_triggers_on(conn, tables, count, replica, err);
    for (unsigned i = 0; st == BO_OK && i < count; i++)
        st = read_back(&all[i], err);
    return st;
}

static bo_status prepare(pg_conn *conn, undoing *all, const bo_table *const *tables, unsigned count,
    const char *point, const bo_applied *wanted, bo_error *err)
{
    char hash[33];
    bo_status st = point_hash(conn, point, hash, err);
    for (unsigned i = 0; st == BO_OK && i < count; i++) {
        bool kept = false;
        all[i] = (undoing){.conn = conn,
            .table = tables[i],
            .had = wanted[i].inserted + wanted[i].updated,
            .has = wanted[i].deleted + wanted[i].updated};
        st = is_plain(tables[i]) ? find_kept(&all[i], hash, &kept, err) : BO_OK;
        if (st == BO_OK && !kept)
            st = bo_fail(err, BO_UNSUPPORTED, "%s cannot be undone where it is", tables[i]->name);
        if (st == BO_OK)
            st = pg_journal_open(conn, tables[i], &all[i].journal, err);
        if (st == BO_OK)
            st = choose_join(&all[i], err);
    }
    return st;
}

static bo_status undo_or_leave(
    pg_conn *conn, undoing *all, unsigned count, const bo_table *const *tables, bo_error *err)
{
    bo_status st = pg_run(conn, NULL, err, "SAVEPOINT backout_kept; SET LOCAL work_mem = '128MB'");
    if (st != BO_OK)
        return st;
    st = undo_all(conn, all, count, tables, err);
    bo_status ended = pg_run(conn, NULL, st == BO_OK ? err : NULL,
        st == BO_OK ? "SET LOCAL work_mem TO DEFAULT; SET LOCAL enable_hashjoin TO DEFAULT;"
                      "SET LOCAL enable_mergejoin TO DEFAULT; RELEASE SAVEPOINT backout_kept"
                    : "ROLLBACK TO SAVEPOINT backout_kept; RELEASE SAVEPOINT backout_kept");
    return st == BO_OK ? ended : st;
}

bo_status pg_capture_undo_kept(bo_conn *base, const bo_table *const *tables, unsigned count,
    const char *point, const bo_applied *wanted, bo_error *err)
{
    BO_OWN_MEM undoing *all = calloc((size_t)count + 1, sizeof *all);
    if (!all)
        return bo_nomem(err);
    bo_status st = prepare(pg_of(base), all, tables, count, point, wanted, err);
    if (st == BO_OK)
        st = undo_or_leave(pg_of(base), all, count, tables, err);
    for (unsigned i = 0; i < count; i++)
        pg_journal_done(&all[i].journal);
    return st;
}
