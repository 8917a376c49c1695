/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/blocked.c - entries that cannot be carried out beside the rows that stay.
 *
 * A row of now stays unless an entry has located it.  Each constraint of a table is one UPDATE that
 * writes the constraint's ordinal into `blocked` of the entries that violate it: first the foreign
 * keys that refer to the table, then its own, then its keys.
 */
#include "driver/foreign_keys.h"
#include "driver/sqlite/stage.h"

static bool in_images(const bo_table *table, const char *const *names, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        int column = bo_table_column(table, names[i]);
        if (column < 0 || !table->columns[column].in_image)
            return false;
    }
    return true;
}

static bo_status create_index(
    sq_stage *self, const sq_staged *table, unsigned serial, const char *columns, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE INDEX %s_%u ON %s (%s)", table->name, serial,
        table->name + sizeof "temp." - 1, columns);
    return sq_run_buf(self->conn, &sql, NULL, err);
}

static void add_column_numbers(bo_buf *out, const bo_table *table, const bo_foreign_key *key)
{
    for (uint16_t i = 0; i < key->count; i++)
        bo_buf_printf(
            out, "%sc%d", i == 0 ? "" : ", ", bo_table_column(table, key->parent_columns[i]));
}

/* What the queries look entries up by: the located row, and the values that children refer to. */
static bo_status create_indexes(sq_stage *self, const sq_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) columns = {0};
    BO_OWN_VALUE(bo_buf) before = {0};
    if (table->rowid)
        bo_buf_add_str(&columns, "live");
    for (uint16_t i = 0; !table->rowid && i < table->key->count; i++)
        bo_buf_printf(&columns, "%sc%u", i == 0 ? "" : ", ", table->key->columns[i]);
    bo_status st = create_index(self, table, 0, bo_buf_str(&columns), err);
    for (uint16_t i = 0; st == BO_OK && i < table->now->referenced_count; i++) {
        const bo_foreign_key *key = &table->now->referenced_by[i];
        if (!in_images(table->now, key->parent_columns, key->count))
            continue;
        bo_buf_clear(&columns);
        add_column_numbers(&columns, table->now, key);
        bool same =
            columns.size == before.size && bo_span_compare((bo_span){columns.data, columns.size},
                                               (bo_span){before.data, before.size}) == 0;
        if (same) /* most keys refer to the primary key */
            continue;
        st = create_index(self, table, i + 1u, bo_buf_str(&columns), err);
        bo_buf_clear(&before);
        bo_buf_add(&before, columns.data, columns.size);
    }
    if (columns.failed || before.failed)
        return bo_nomem(err);
    return st;
}

/* ` AND NOT EXISTS (an entry has located this row)`; nothing when the table is not staged. */
static void add_stays(bo_buf *sql, const sq_staged *table, const char *row)
{
    if (!table)
        return;
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS g WHERE g.found AND ", table->name);
    sq_staged_address(sql, table, "g", row);
    bo_buf_add_str(sql, ")");
}

/* ` AND NOT EXISTS (an entry brings the row that this child refers to)`. */
static void add_not_coming(
    bo_buf *sql, const sq_staged *parent, const bo_foreign_key *key, sq_side child)
{
    if (!parent)
        return;
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS n WHERE n.target AND ", parent->name);
    sq_reference_match(sql, key, (sq_side){.alias = "n", .staged = parent->now}, child, false);
    bo_buf_add_str(sql, ")");
}

static void begin_update(bo_buf *sql, const sq_staged *table, unsigned ordinal)
{
    bo_buf_printf(
        sql, "UPDATE %s SET blocked = %u WHERE blocked = 0 AND id IN (", table->name, ordinal);
}

/* A row goes, or changes what is referred to, and a row that stays still refers to it. */
static bo_status block_parents(sq_stage *self, const sq_staged *table, unsigned ordinal,
    const bo_foreign_key *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bool usable = false, indexed = false;
    sq_side parent = {.alias = "p"}, child = {.alias = "k"};
    bo_status st = sq_reference_usable(self->conn, key, &usable, err);
    if (st != BO_OK || !usable || !in_images(table->now, key->parent_columns, key->count))
        return st;
    st = sq_reference_indexed(self->conn, key, &indexed, err);
    if (st != BO_OK)
        return st;

    begin_update(&sql, table, ordinal);
    bo_buf_add_str(&sql, "SELECT s.id FROM ");
    /* from the few entries when children are found by index, else in one pass over the children */
    if (indexed)
        bo_buf_printf(&sql, "%s AS s CROSS JOIN main.%s AS p CROSS JOIN main.%s AS k", table->name,
            key->parent, key->child);
    else
        bo_buf_printf(&sql, "main.%s AS k CROSS JOIN main.%s AS p CROSS JOIN %s AS s", key->child,
            key->parent, table->name);
    bo_buf_add_str(&sql, " WHERE s.found AND ");
    sq_staged_address(&sql, table, "s", "p");
    bo_buf_add_str(&sql, " AND ");
    sq_reference_match(&sql, key, parent, child, indexed);
    add_stays(&sql, sq_staged_find(self, key->child), "k");
    add_not_coming(&sql, table, key, child);
    bo_buf_add_str(&sql, ")");
    return sq_run_buf(self->conn, &sql, NULL, err);
}

/* ` AND NOT (the row that is there has the same values, and they refer to nothing already)`. */
static void add_not_dangling_before(
    bo_buf *sql, const sq_staged *table, const bo_foreign_key *key, sq_side entry)
{
    sq_side row = {.alias = "l"};
    bo_buf_printf(
        sql, " AND NOT (t.found AND EXISTS (SELECT 1 FROM main.%s AS l WHERE ", key->child);
    sq_staged_address(sql, table, "t", "l");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(sql, " AND ");
        sq_side_column(sql, row, key->child_columns[i]);
        bo_buf_add_str(sql, " IS ");
        sq_side_column(sql, entry, key->child_columns[i]);
    }
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM main.%s AS q WHERE ", key->parent);
    sq_reference_match(sql, key, (sq_side){.alias = "q"}, row, false);
    bo_buf_add_str(sql, ")))");
}

/* A row comes whose parent neither stays nor comes. */
static bo_status block_children(sq_stage *self, const sq_staged *table, unsigned ordinal,
    const bo_foreign_key *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bool usable = false;
    sq_side entry = {.alias = "t", .staged = table->now};
    const sq_staged *parent = sq_staged_find(self, key->parent);
    bo_status st = sq_reference_usable(self->conn, key, &usable, err);
    if (st != BO_OK || !usable || !in_images(table->now, key->child_columns, key->count) ||
        (parent && !in_images(parent->now, key->parent_columns, key->count)))
        return st;

    begin_update(&sql, table, ordinal);
    bo_buf_printf(&sql, "SELECT t.id FROM %s AS t WHERE t.target", table->name);
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, " AND ");
        sq_side_column(&sql, entry, key->child_columns[i]);
        bo_buf_add_str(&sql, " IS NOT NULL");
    }
    bo_buf_printf(&sql, " AND NOT EXISTS (SELECT 1 FROM main.%s AS p WHERE ", key->parent);
    sq_reference_match(&sql, key, (sq_side){.alias = "p"}, entry, false);
    add_stays(&sql, parent, "p");
    bo_buf_add_str(&sql, ")");
    add_not_coming(&sql, parent, key, entry);
    add_not_dangling_before(&sql, table, key, entry);
    bo_buf_add_str(&sql, ")");
    return sq_run_buf(self->conn, &sql, NULL, err);
}

/* ` AND NOT EXISTS (an entry that takes the values of `key` from this row)`.  By column, a row can
 * change and keep a value that it has got since. */
static void add_not_taken(bo_buf *sql, const sq_staged *table, const bo_key *key)
{
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS g WHERE g.found AND ", table->name);
    sq_staged_address(sql, table, "g", "l");
    bo_buf_add_str(sql, " AND (g.id = t.id OR NOT g.target");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(sql, " OR l.");
        sq_quote(sql, table->now->columns[key->columns[i]].name);
        bo_buf_printf(sql, " IS NOT g.c%u", key->columns[i]);
    }
    bo_buf_add_str(sql, "))");
}

/* A row comes whose unique value is held by a row that keeps it. */
static bo_status block_unique(
    sq_stage *self, const sq_staged *table, unsigned ordinal, const bo_key *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (uint16_t i = 0; i < key->count; i++) {
        if (!table->now->columns[key->columns[i]].in_image)
            return BO_OK;
    }
    if (!key->simple)
        return BO_OK; /* the insert itself tells */
    begin_update(&sql, table, ordinal);
    bo_buf_printf(&sql, "SELECT t.id FROM %s AS t CROSS JOIN ", table->name);
    sq_quote_table(&sql, table->now);
    bo_buf_add_str(&sql, " AS l WHERE t.target");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, " AND l.");
        sq_quote(&sql, table->now->columns[key->columns[i]].name);
        bo_buf_printf(&sql, " = t.c%u", key->columns[i]);
    }
    add_not_taken(&sql, table, key);
    bo_buf_add_str(&sql, ")");
    return sq_run_buf(self->conn, &sql, NULL, err);
}

static bo_status block_table(sq_stage *self, const sq_staged *table, bo_error *err)
{
    const bo_table *now = table->now;
    unsigned ordinal = 1;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "UPDATE %s SET blocked = 0 WHERE blocked <> 0", table->name);
    bo_status st = sq_run_buf(self->conn, &sql, NULL, err);
    for (uint16_t i = 0; st == BO_OK && i < now->referenced_count; i++)
        st = block_parents(self, table, ordinal++, &now->referenced_by[i], err);
    for (uint16_t i = 0; st == BO_OK && i < now->foreign_key_count; i++)
        st = block_children(self, table, ordinal++, &now->foreign_keys[i], err);
    for (uint16_t i = 0; st == BO_OK && i < now->key_count; i++)
        st = block_unique(self, table, ordinal++, &now->keys[i], err);
    return st;
}

static bo_status report(
    sq_stage *self, unsigned position, bo_blocked_fn *each, void *ctx, bo_error *err)
{
    const sq_staged *table = &self->tables[position];
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_buf_printf(&sql, "SELECT id, blocked FROM %s WHERE blocked <> 0 ORDER BY id", table->name);
    bo_status st = sq_prepare_buf(self->conn, &sql, &statement, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, err);
        if (st != BO_OK || !row)
            break;
        bo_blocked blocked =
            bo_blocked_by(table->now, position, (uint64_t)sqlite3_column_int64(statement, 0),
                (unsigned)sqlite3_column_int(statement, 1));
        st = each(ctx, &blocked, err);
    }
    return st;
}

bo_status sq_stage_blocked(bo_stage *stage, bo_blocked_fn *each, void *ctx, bo_error *err)
{
    sq_stage *self = sq_stage_of(stage);
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && !self->indexed && i < self->count; i++)
        st = create_indexes(self, &self->tables[i], err);
    self->indexed |= st == BO_OK;
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        st = block_table(self, &self->tables[i], err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot find what is in the way of the rollback");
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        st = report(self, i, each, ctx, err);
    return st;
}
