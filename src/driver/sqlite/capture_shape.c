/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/capture_shape.c - the SQL of a journal and of the triggers that write to it.
 *
 * A row that goes or changes is kept BEFORE: no trigger of a user can have changed it by then.  So
 * is a key that a row gets by an UPDATE: AFTER it, foreign keys have acted on the row already.  A
 * row that came is known AFTER, with the key it got; of all triggers the one that was made last
 * fires first, so it is known before triggers of users change it again.  REPLACE removes rows
 * without a trigger (unless recursive_triggers is on): all it could remove is kept BEFORE.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "driver/sqlite/capture.h"

void sq_journal_name(sq_journal *journal, int64_t number)
{
    journal->number = number;
    snprintf(journal->name, sizeof journal->name, SQ_JOURNAL "%" PRId64, number);
}

void sq_journal_list(bo_buf *out, const bo_table *table)
{
    for (uint16_t i = 0; i < table->image_count; i++)
        bo_buf_printf(out, "%sc%u", i == 0 ? "" : ", ", i);
    bo_buf_add_str(out, table->row_hint ? ", r" : "");
}

void sq_journal_key_list(bo_buf *out, const bo_table *table)
{
    const bo_key *key = table->row_key;
    for (uint16_t i = 0; i < key->count; i++)
        bo_buf_printf(
            out, "%sc%d", i == 0 ? "" : ", ", bo_table_image_position(table, key->columns[i]));
}

void sq_journal_sql(bo_buf *out, const sq_journal *journal, const bo_table *table)
{
    bo_buf_printf(out, "%s (seq INTEGER PRIMARY KEY, op, ", journal->name);
    sq_journal_list(out, table);
    bo_buf_add_str(out, ")");
}

/* `OLD."a", OLD."b", OLD."rowid"`: the values of an image. */
static void add_values(bo_buf *out, const bo_table *table, const char *of)
{
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_printf(out, "%s%s", i == 0 ? "" : ", ", of);
        sq_quote(out, table->columns[table->image_columns[i]].name);
    }
    if (table->row_hint) {
        bo_buf_printf(out, ", %s", of);
        sq_quote(out, sq_rowid(table));
    }
}

bool sq_hides_row(const bo_table *table)
{
    return bo_text_same(table->local, "new") || bo_text_same(table->local, "old");
}

void sq_add_from(bo_buf *out, const bo_table *table)
{
    bo_buf_add_str(out, " FROM ");
    sq_quote(out, table->local);
    bo_buf_add_str(out, sq_hides_row(table) ? " AS backout_row" : "");
}

/* Without seq, even as NULL: then the statement cannot fail, and SQLite need not be able to undo
 * the user's statement by copies of all the pages that it changes. */
static void add_insert(bo_buf *out, const sq_journal *journal, const bo_table *table)
{
    bo_buf_printf(out, "INSERT INTO %s (op, ", journal->name);
    sq_journal_list(out, table);
    bo_buf_add_str(out, ") ");
}

/* Of the row that has the key: what was there is kept as a victim. */
static void add_unless_taken(bo_buf *out, const bo_table *table)
{
    const bo_key *key = table->row_key;
    bo_buf_add_str(out, " WHERE NOT EXISTS (SELECT 1");
    sq_add_from(out, table);
    for (uint16_t i = 0; i < key->count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        sq_quote(&name, table->columns[key->columns[i]].name);
        out->failed |= name.failed;
        const char *text = bo_buf_str(&name);
        bo_buf_printf(out,
            "%s%s = NEW.%s AND %s IS NEW.%s COLLATE BINARY AND typeof(%s) = typeof(NEW.%s)",
            i == 0 ? " WHERE " : " AND ", text, text, text, text, text, text);
    }
    bo_buf_add_str(out, ")");
}

static void add_came(bo_buf *out, const sq_journal *journal, const bo_table *table, bool moved)
{
    const bo_key *key = table->row_key;
    bo_buf_printf(out, "INSERT INTO %s (op, ", journal->name);
    sq_journal_key_list(out, table);
    bo_buf_add_str(out, moved ? ") SELECT 'I'" : ") VALUES ('I'");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(out, ", NEW.");
        sq_quote(out, table->columns[key->columns[i]].name);
    }
    if (moved)
        add_unless_taken(out, table);
    bo_buf_add_str(out, moved ? "; " : "); ");
}

static void add_kept(bo_buf *out, const sq_journal *journal, const bo_table *table, char operation)
{
    add_insert(out, journal, table);
    bo_buf_printf(out, "VALUES ('%c', ", operation);
    add_values(out, table, "OLD.");
    bo_buf_add_str(out, "); ");
}

/* The row that is updated is no victim of its own. */
static void add_not_itself(bo_buf *out, const bo_table *table)
{
    const char *rowid = sq_rowid(table);
    bo_buf_add_str(out, " AND NOT (");
    for (uint16_t i = 0; i < (rowid ? 1 : table->row_key->count); i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        sq_quote(&name, rowid ? rowid : table->columns[table->row_key->columns[i]].name);
        out->failed |= name.failed;
        bo_buf_printf(
            out, "%s%s = OLD.%s", i == 0 ? "" : " AND ", bo_buf_str(&name), bo_buf_str(&name));
    }
    bo_buf_add_str(out, ")");
}

static void add_victims(bo_buf *out, const sq_journal *journal, const bo_table *table,
    const sq_uniques *uniques, bool update)
{
    for (uint16_t i = 0; i < uniques->count; i++) {
        add_insert(out, journal, table);
        bo_buf_add_str(out, "SELECT 'C', ");
        add_values(out, table, "");
        sq_add_from(out, table);
        bo_buf_printf(out, " WHERE %s", uniques->matches[i]);
        if (update)
            add_not_itself(out, table);
        bo_buf_add_str(out, "; ");
    }
}

/* ` OF a, b`: SQLite goes by the names in SET, and the row number has several. */
static void add_columns(bo_buf *out, const bo_table *table, const bool *columns, bool rowid)
{
    const char *separator = " OF ";
    for (uint16_t i = 0; i < table->column_count; i++) {
        if (!columns[i])
            continue;
        bo_buf_add_str(out, separator);
        sq_quote(out, table->columns[i].name);
        separator = ", ";
    }
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    for (size_t i = 0; rowid && i < sizeof names / sizeof *names; i++) {
        bo_buf_printf(out, "%s%s", separator, names[i]);
        separator = ", ";
    }
}

/* SQL's "=" finds 1 and 1.0, or 'a' and 'A', to be one key; we do not. */
static void add_moved_when(bo_buf *out, const bo_table *table)
{
    bo_buf_add_str(out, " WHEN ");
    for (uint16_t i = 0; i < table->row_key->count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        sq_quote(&name, table->columns[table->row_key->columns[i]].name);
        out->failed |= name.failed;
        const char *text = bo_buf_str(&name);
        bo_buf_printf(out,
            "%sNEW.%s IS NOT OLD.%s COLLATE BINARY OR typeof(NEW.%s) <> typeof(OLD.%s)",
            i == 0 ? "" : " OR ", text, text, text, text);
    }
}

typedef enum trigger_kind { CAME, CHANGED, WENT, REPLACED, COLLIDED, MOVED } trigger_kind;

static const struct {
    const char *name;
    const char *event;
} triggers[SQ_TRIGGER_COUNT] = {
    [CAME] = {"came", "AFTER INSERT"},
    [CHANGED] = {"changed", "BEFORE UPDATE"},
    [WENT] = {"went", "BEFORE DELETE"},
    [REPLACED] = {"replaced", "BEFORE INSERT"},
    [COLLIDED] = {"collided", "BEFORE UPDATE"},
    [MOVED] = {"moved", "BEFORE UPDATE"},
};

void sq_trigger_name(bo_buf *out, const sq_journal *journal, unsigned index)
{
    bo_buf_printf(out, "%s_%s", journal->name, triggers[index].name);
}

static bo_status add_moved_columns(bo_buf *out, const bo_table *table, bo_error *err)
{
    BO_OWN_MEM bool *columns = calloc(table->column_count + 1u, sizeof *columns);
    if (!columns)
        return bo_nomem(err);
    for (uint16_t i = 0; i < table->row_key->count; i++)
        columns[table->row_key->columns[i]] = true;
    add_columns(out, table, columns, sq_rowid_is_column(table));
    return BO_OK;
}

bo_status sq_trigger_sql(bo_buf *out, const sq_journal *journal, const bo_table *table,
    const sq_uniques *uniques, unsigned index, bo_error *err)
{
    bo_status st = BO_OK;
    sq_trigger_name(out, journal, index);
    bo_buf_printf(out, " %s", triggers[index].event);
    if (index == COLLIDED && !uniques->derived)
        add_columns(out, table, uniques->columns, !table->without_rowid);
    else if (index == MOVED)
        st = add_moved_columns(out, table, err);
    bo_buf_add_str(out, " ON ");
    sq_quote(out, table->local);
    if (index == MOVED)
        add_moved_when(out, table);
    bo_buf_add_str(out, " BEGIN ");
    if (index == CAME || index == MOVED)
        add_came(out, journal, table, index == MOVED);
    else if (index == CHANGED || index == WENT)
        add_kept(out, journal, table, index == WENT ? 'D' : 'U');
    else
        add_victims(out, journal, table, uniques, index == COLLIDED);
    bo_buf_add_str(out, "END");
    return st;
}
