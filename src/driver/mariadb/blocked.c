/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/blocked.c - entries that cannot be carried out beside the rows that stay.
 *
 * A row of now stays unless an entry has located it.  Each constraint of a table is one UPDATE that
 * writes the constraint's ordinal into `blocked` of the entries that violate it: first the foreign
 * keys that refer to the table, then its own, then its keys.  What an UPDATE reads it locks, so
 * nobody can break until the end of the transaction what was found whole here.
 */
#include <stdlib.h>

#include "base/error.h"
#include "driver/foreign_keys.h"
#include "driver/mariadb/stage.h"

/* Where the columns of one side of a comparison are. */
typedef struct side {
    const char *alias;
    const bo_table *staged; /* the stage of this table, or NULL: the table itself */
} side;

static void add_column(bo_buf *out, side of, const char *column)
{
    bo_buf_printf(out, "%s.", of.alias);
    if (of.staged)
        bo_buf_printf(out, "c%d", bo_table_column(of.staged, column));
    else
        my_quote(out, column);
}

static void add_match(bo_buf *out, const bo_foreign_key *key, side parent, side child)
{
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(out, i == 0 ? "" : " AND ");
        add_column(out, parent, key->parent_columns[i]);
        bo_buf_add_str(out, " = ");
        add_column(out, child, key->child_columns[i]);
    }
}

static bool in_images(const bo_table *table, const char *const *names, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        int column = bo_table_column(table, names[i]);
        if (column < 0 || !table->columns[column].in_image)
            return false;
    }
    return true;
}

/* ` AND NOT EXISTS (an entry brings the row that this child refers to)`. */
static void add_not_coming(
    bo_buf *sql, const my_staged *parent, const bo_foreign_key *key, side child)
{
    if (!parent)
        return;
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS n WHERE n.target AND ", parent->name);
    add_match(sql, key, (side){.alias = "n", .staged = parent->now}, child);
    bo_buf_add_str(sql, ")");
}

/* ` AND NOT EXISTS (a row that stays is what this child refers to)`. */
static void add_not_staying(bo_buf *sql, const char *parent_name, const my_staged *parent,
    const bo_foreign_key *key, side child)
{
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS q WHERE ", parent_name);
    add_match(sql, key, (side){.alias = "q"}, child);
    my_staged_stays(sql, parent, "q");
    bo_buf_add_str(sql, ")");
}

static void begin_update(bo_buf *sql, const my_staged *table, unsigned ordinal)
{
    bo_buf_printf(
        sql, "UPDATE %s AS s SET s.blocked = %u WHERE s.blocked = 0", table->name, ordinal);
}

/* All of these columns belong to the key: who is found by it has the same values in them. */
static bool in_key(const my_staged *table, const bo_foreign_key *key)
{
    for (uint16_t i = 0; i < key->count; i++) {
        int column = bo_table_column(table->now, key->parent_columns[i]);
        bool found = false;
        for (uint16_t k = 0; table->key && k < table->key->count; k++)
            found |= table->key->columns[k] == column;
        if (!found)
            return false;
    }
    return true;
}

/* A row goes, or changes what is referred to, and a row that stays still refers to it. */
static bo_status block_parents(my_stage *self, const my_staged *table, unsigned ordinal,
    const bo_foreign_key *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) child_name = {0};
    const side child = {.alias = "k"};
    if (!in_images(table->now, key->parent_columns, key->count))
        return BO_OK;
    bo_status st = my_quote_name(self->conn, key->child, &child_name, err);
    if (st != BO_OK)
        return st;
    begin_update(&sql, table, ordinal);
    bo_buf_add_str(&sql, in_key(table, key) ? " AND NOT s.target" : "");
    bo_buf_printf(&sql, " AND s.found AND EXISTS (SELECT 1 FROM %s AS p STRAIGHT_JOIN %s AS k ON ",
        table->live, bo_buf_str(&child_name));
    add_match(&sql, key, (side){.alias = "p"}, child);
    bo_buf_add_str(&sql, " WHERE ");
    if (table->key) {
        my_staged_same_key(&sql, table, "s", "p");
    } else {
        bo_buf_add_str(&sql, "s.image = ");
        my_staged_image(&sql, table, "p");
    }
    my_staged_stays(&sql, my_staged_find(self, key->child), "k");
    add_not_staying(&sql, table->live, table, key, child);
    add_not_coming(&sql, table, key, child);
    bo_buf_add_str(&sql, ")");
    return my_run_buf(self->conn, &sql, NULL, err);
}

/* ` AND NOT (the row that is there has the same values, and they refer to nothing already)`. */
static void add_not_dangling_before(bo_buf *sql, const char *parent_name, const my_staged *table,
    const bo_foreign_key *key, side entry)
{
    const side row = {.alias = "l"};
    if (!table->key)
        return;
    bo_buf_printf(sql, " AND NOT (s.found AND EXISTS (SELECT 1 FROM %s AS l WHERE ", table->live);
    my_staged_same_key(sql, table, "s", "l");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(sql, " AND ");
        add_column(sql, row, key->child_columns[i]);
        bo_buf_add_str(sql, " <=> ");
        add_column(sql, entry, key->child_columns[i]);
    }
    add_not_staying(sql, parent_name, NULL, key, row);
    bo_buf_add_str(sql, "))");
}

/* A row comes whose parent neither stays nor comes. */
static bo_status block_children(my_stage *self, const my_staged *table, unsigned ordinal,
    const bo_foreign_key *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) parent_name = {0};
    const side entry = {.alias = "s", .staged = table->now};
    const my_staged *parent = my_staged_find(self, key->parent);
    if (!in_images(table->now, key->child_columns, key->count) ||
        (parent && !in_images(parent->now, key->parent_columns, key->count)))
        return BO_OK;
    bo_status st = my_quote_name(self->conn, key->parent, &parent_name, err);
    if (st != BO_OK)
        return st;
    begin_update(&sql, table, ordinal);
    bo_buf_add_str(&sql, " AND s.target");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, " AND ");
        add_column(&sql, entry, key->child_columns[i]);
        bo_buf_add_str(&sql, " IS NOT NULL");
    }
    add_not_staying(&sql, bo_buf_str(&parent_name), parent, key, entry);
    add_not_coming(&sql, parent, key, entry);
    add_not_dangling_before(&sql, bo_buf_str(&parent_name), table, key, entry);
    return my_run_buf(self->conn, &sql, NULL, err);
}

/* ` AND NOT EXISTS (an entry that takes the values of `key` from this row)`.  By column, a row can
 * change and keep a value that it has got since. */
static void add_not_taken(bo_buf *sql, const my_staged *table, const bo_key *key)
{
    if (!table->key) {
        my_staged_stays(sql, table, "l"); /* rows come and go, and none changes */
        return;
    }
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS g WHERE g.found AND ", table->name);
    my_staged_same_key(sql, table, "g", "l");
    bo_buf_add_str(sql, " AND (g.id = s.id OR NOT g.target");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(sql, " OR NOT l.");
        my_quote(sql, table->now->columns[key->columns[i]].name);
        bo_buf_printf(sql, " <=> g.c%u", key->columns[i]);
    }
    bo_buf_add_str(sql, "))");
}

/* A row comes whose unique value is held by a row that keeps it. */
static bo_status block_unique(
    my_stage *self, const my_staged *table, unsigned ordinal, const bo_key *key, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (uint16_t i = 0; i < key->count; i++) {
        if (!table->now->columns[key->columns[i]].in_image)
            return BO_OK;
    }
    if (!key->simple)
        return BO_OK; /* the insert itself tells */
    begin_update(&sql, table, ordinal);
    bo_buf_add_str(&sql, key == table->key ? " AND NOT s.found" : "");
    bo_buf_printf(&sql, " AND s.target AND EXISTS (SELECT 1 FROM %s AS l WHERE ", table->live);
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, i == 0 ? "l." : " AND l.");
        my_quote(&sql, table->now->columns[key->columns[i]].name);
        bo_buf_printf(&sql, " = s.c%u", key->columns[i]);
    }
    add_not_taken(&sql, table, key);
    bo_buf_add_str(&sql, ")");
    return my_run_buf(self->conn, &sql, NULL, err);
}

static bo_status block_table(my_stage *self, const my_staged *table, bool keys, bo_error *err)
{
    const bo_table *now = table->now;
    unsigned ordinal = 1;
    bo_status st =
        my_run(self->conn, NULL, err, "UPDATE %s SET blocked = 0 WHERE blocked <> 0", table->name);
    for (uint16_t i = 0; st == BO_OK && i < now->referenced_count; i++)
        st = block_parents(self, table, ordinal++, &now->referenced_by[i], err);
    for (uint16_t i = 0; st == BO_OK && i < now->foreign_key_count; i++)
        st = block_children(self, table, ordinal++, &now->foreign_keys[i], err);
    for (uint16_t i = 0; st == BO_OK && keys && i < now->key_count; i++)
        st = block_unique(self, table, ordinal++, &now->keys[i], err);
    return st;
}

static bo_status report(
    my_stage *self, unsigned position, bo_blocked_fn *each, void *ctx, bo_error *err)
{
    const my_staged *table = &self->tables[position];
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(self->conn, &result, err,
        "SELECT id, blocked FROM %s WHERE blocked <> 0 ORDER BY id", table->name);
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(result)) != NULL) {
        self->checked = false;
        bo_blocked blocked = bo_blocked_by(
            table->now, position, strtoull(row[0], NULL, 10), (unsigned)strtoul(row[1], NULL, 10));
        st = each(ctx, &blocked, err);
    }
    return st;
}

bo_status my_stage_blocked(bo_stage *stage, bo_blocked_fn *each, void *ctx, bo_error *err)
{
    my_stage *self = my_stage_of(stage);
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        st = block_table(self, &self->tables[i], true, err);
    st = my_name_holder(self->conn, st, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot find what is in the way of the rollback");
    self->checked = true;
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        st = report(self, i, each, ctx, err);
    return st;
}

static bo_status fail_on_block(void *ctx, const bo_blocked *blocked, bo_error *err)
{
    const my_stage *self = ctx;
    return bo_fail(err, BO_CONFLICT, "foreign key '%s' between %s and %s would be broken",
        blocked->constraint, self->tables[blocked->table].now->name, blocked->other);
}

bo_status my_check_edges(my_stage *self, bo_error *err)
{
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        st = block_table(self, &self->tables[i], false, err);
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        st = report(self, i, fail_on_block, self, err);
    return st;
}
