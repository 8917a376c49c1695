/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture_trace.c - rows that went without a trace.
 *
 * TRUNCATE fires no triggers and changes nothing that a user without the right PROCESS can see. But
 * of some rows it is known that they were there: one of each partition, noted when a point begins
 * ('S' in the journal), and the first one that came since.  They are there still, or the first word
 * of the journal about them says how they went; and the newest row of the journal tells what its
 * row is now.
 */
#include <string.h>

#include "driver/mariadb/journal.h"

/* ---- noting rows ---- */

static void add_keys(bo_buf *out, const bo_table *now, const char *prefix)
{
    for (uint16_t i = 0; i < now->row_key->count; i++) {
        bo_buf_add_str(out, i > 0 ? ", " : prefix);
        my_quote(out, now->columns[now->row_key->columns[i]].name);
    }
}

/* The first row that no writer holds; a writer of it waits, so what is written later comes later.
 */
static bo_status note_row(
    my_conn *conn, const my_entry *entry, const bo_table *now, const char *partition, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "INSERT INTO " MY_JOURNAL " (`backout_seq`, `backout_op`", entry->number);
    add_keys(&sql, now, ", ");
    bo_buf_printf(&sql, ") SELECT NEXTVAL(" MY_NUMBERS "), 'S'", entry->number);
    add_keys(&sql, now, ", ");
    add_keys(&sql, now, " FROM (SELECT ");
    bo_buf_add_str(&sql, " FROM ");
    my_quote_table(&sql, now);
    if (partition) {
        bo_buf_add_str(&sql, " PARTITION (");
        my_quote(&sql, partition);
        bo_buf_add_str(&sql, ")");
    }
    bo_buf_add_str(&sql, " FORCE INDEX (");
    my_quote(&sql, now->row_key->name);
    bo_buf_add_str(&sql, ")");
    add_keys(&sql, now, " ORDER BY ");
    bo_buf_add_str(&sql, " LIMIT 1 LOCK IN SHARE MODE SKIP LOCKED) AS s");
    return my_run_buf(conn, &sql, NULL, err);
}

bo_status my_note_rows(my_conn *conn, const my_entry *entry, const bo_table *now, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint16_t i = 0; st == BO_OK && i < now->partition_count; i++)
        st = note_row(conn, entry, now, now->partitions[i], err);
    return now->partition_count > 0 ? st : note_row(conn, entry, now, NULL, err);
}

/* ---- looking after them ---- */

/* a.key = b.key */
static void add_match(bo_buf *out, const my_entry *entry, const char *a, const char *b)
{
    const char *separator = "";
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (!entry->columns[i].in_key)
            continue;
        bo_buf_printf(out, "%s%s.", separator, a);
        my_quote(out, entry->columns[i].name);
        bo_buf_printf(out, " = %s.", b);
        my_quote(out, entry->columns[i].name);
        separator = " AND ";
    }
}

static void add_there(bo_buf *out, const my_entry *entry)
{
    bo_buf_add_str(out, "EXISTS (SELECT 1 FROM ");
    my_quote(out, entry->table);
    bo_buf_add_str(out, " AS t WHERE ");
    add_match(out, entry, "t", "j");
    bo_buf_add_str(out, ")");
}

/* 1 when the newest row of the journal does not fit the table; an action ('C', 'i') may not have
 * been taken. */
static void add_newest(bo_buf *out, const my_entry *entry)
{
    bo_buf_add_str(out, "SELECT COALESCE(CASE j.`backout_op` WHEN 'D' THEN ");
    add_there(out, entry);
    bo_buf_add_str(out, " WHEN 'C' THEN 0 WHEN 'i' THEN 0 ELSE NOT ");
    add_there(out, entry);
    bo_buf_printf(out, " END, 0) FROM " MY_JOURNAL " AS j ORDER BY j.`backout_seq` DESC LIMIT 1",
        entry->number);
}

/* The rows of which it is known that they were there.  A union is made before it is looked at:
 * otherwise every row of the journal might be asked what only these are. */
static void add_known(bo_buf *out, const my_entry *entry)
{
    BO_OWN_VALUE(bo_buf) columns = {0};
    bo_buf_add_str(&columns, "`backout_seq`");
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (!entry->columns[i].in_key)
            continue;
        bo_buf_add_str(&columns, ", ");
        my_quote(&columns, entry->columns[i].name);
    }
    bo_buf_printf(out,
        "(SELECT %s FROM " MY_JOURNAL " WHERE `backout_op` = 'S' UNION ALL (SELECT %s"
        " FROM " MY_JOURNAL " WHERE `backout_op` = 'I' ORDER BY `backout_seq` LIMIT 1))",
        bo_buf_str(&columns), entry->number, bo_buf_str(&columns), entry->number);
    out->failed |= columns.failed;
}

/* How many of these do not fit. */
static void add_noted(bo_buf *out, const my_entry *entry)
{
    bo_buf_add_str(out, "SELECT COUNT(*) FROM (SELECT ");
    add_there(out, entry);
    bo_buf_printf(out,
        " AS there, (SELECT w.`backout_op` FROM " MY_JOURNAL
        " AS w WHERE w.`backout_seq` > j.`backout_seq` AND w.`backout_op` NOT IN ('S', 'X') AND ",
        entry->number);
    add_match(out, entry, "w", "j");
    bo_buf_add_str(out, " ORDER BY w.`backout_seq` LIMIT 1) AS word FROM ");
    add_known(out, entry);
    bo_buf_add_str(out, " AS j) AS noted WHERE (word IS NULL AND NOT there) OR word = 'I'");
}

bo_status my_check_rows(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) newest = {0};
    BO_OWN_VALUE(bo_buf) noted = {0};
    uint64_t wrong = 0;
    add_newest(&newest, entry);
    add_noted(&noted, entry);
    bo_status st = my_ask_count(conn, &newest, &wrong, err);
    if (st == BO_OK && !wrong)
        st = my_ask_count(conn, &noted, &wrong, err);
    if (st == BO_OK && wrong)
        bo_buf_add_str(broken,
            "rows went or came without a trace: by TRUNCATE, or by writers that fire no triggers");
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}
