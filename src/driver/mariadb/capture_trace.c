/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture_trace.c - rows that went, and values that changed, without a trace.
 *
 * TRUNCATE fires no triggers and changes nothing that a user without the right PROCESS can see. But
 * of some rows it is known that they were there: one of each partition, noted when a point begins
 * ('S' in the journal), and the first one that came since.  They are there still, or the first word
 * of the journal about them says how they went; and the newest row of the journal tells what its
 * row is now.
 *
 * ALTER TABLE fires none, either, and may give a column other values and leave it the same name and
 * type: it is dropped and added, or narrowed and widened.  When a table was last altered is known
 * to the second; what has come to it since, an index, a constraint, a partition, explains that.
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
 * been taken, and a row that was noted ('S') is looked after below. */
static void add_newest(bo_buf *out, const my_entry *entry)
{
    bo_buf_add_str(out, "SELECT COALESCE(CASE j.`backout_op` WHEN 'D' THEN ");
    add_there(out, entry);
    bo_buf_add_str(out, " WHEN 'C' THEN 0 WHEN 'i' THEN 0 WHEN 'S' THEN 0 ELSE NOT ");
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

/* The next word of the journal about a row, or the last one before it was noted. */
static void add_word(bo_buf *out, const my_entry *entry, bool next)
{
    bo_buf_printf(out,
        "(SELECT w.`backout_op` FROM " MY_JOURNAL
        " AS w WHERE w.`backout_seq` %s j.`backout_seq` AND w.`backout_op` NOT IN ('S', 'X') AND ",
        entry->number, next ? ">" : "<");
    add_match(out, entry, "w", "j");
    bo_buf_printf(out, " ORDER BY w.`backout_seq`%s LIMIT 1)", next ? "" : " DESC");
}

/* How many of these do not fit.  An action that was announced before the row was noted may have
 * been taken after it: the writer had not come to the row yet. */
static void add_noted(bo_buf *out, const my_entry *entry)
{
    bo_buf_add_str(out, "SELECT COUNT(*) FROM (SELECT ");
    add_there(out, entry);
    bo_buf_add_str(out, " AS there, ");
    add_word(out, entry, true);
    bo_buf_add_str(out, " AS word, ");
    add_word(out, entry, false);
    bo_buf_add_str(out, " AS before_it FROM ");
    add_known(out, entry);
    bo_buf_add_str(out, " AS j) AS noted WHERE word = 'I' OR (word IS NULL AND NOT there"
                        " AND COALESCE(before_it NOT IN ('C', 'i'), TRUE))");
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

/* ---- altered tables ---- */

/* A line of each row of the answer: "t 1763651870", "i name columns", "r 1 0-1-7". */
static bo_status add_lines(MYSQL_RES *result, bo_buf *out, bo_error *err)
{
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result)) != NULL)
        bo_buf_printf(out, "%s %s\n", row[0], row[1]);
    return bo_buf_check(out, err);
}

bo_status my_mark_read(my_conn *conn, const char *table, bo_buf *out, bo_error *err)
{
    static const char *const parts[] = {
        "SELECT 't', COALESCE(UNIX_TIMESTAMP(CREATE_TIME), 0) FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ",
        " UNION ALL SELECT 'i', CONCAT(INDEX_NAME, ' ', GROUP_CONCAT(COLUMN_NAME ORDER BY"
        " SEQ_IN_INDEX)) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND"
        " TABLE_NAME = ",
        " GROUP BY INDEX_NAME UNION ALL SELECT 'c', CONSTRAINT_NAME FROM"
        " information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ",
        " UNION ALL SELECT DISTINCT 'p', PARTITION_NAME FROM information_schema.PARTITIONS WHERE"
        " PARTITION_NAME IS NOT NULL AND TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ",
        " UNION ALL SELECT 'r', CONCAT(@@GLOBAL.server_id, ' ', @@GLOBAL.gtid_slave_pos) FROM DUAL"
        " WHERE (@@log_bin OR @@GLOBAL.gtid_slave_pos <> '') AND '' <> ",
    };
    BO_OWN(MYSQL_RES) *result = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bo_buf_add_str(&sql, parts[i]);
        my_quote_literal(&sql, table);
    }
    bo_status st = my_ask_buf(conn, &sql, &result, err);
    return st == BO_OK ? add_lines(result, out, err) : st;
}

static bool has_line(const char *text, const char *line, size_t size)
{
    for (; *text; text += strcspn(text, "\n") + 1) {
        if (strncmp(text, line, size) == 0)
            return true;
    }
    return false;
}

/* How many lines of `text` are not in `other`. */
static size_t count_missing(const char *text, const char *other)
{
    size_t count = 0;
    for (size_t size = 0; *text; text += size) {
        size = strcspn(text, "\n") + 1;
        count += !has_line(other, text, size);
    }
    return count;
}

bo_status my_check_mark(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) mark = {0};
    bo_status st = my_mark_read(conn, entry->table, &mark, err);
    if (st != BO_OK)
        return st;
    const char *was = entry->mark, *is = bo_buf_str(&mark);
    const bool altered = strncmp(is, was, strcspn(was, "\n") + 1) != 0;
    /* one that came and one that is gone are the two times */
    if (altered && (count_missing(was, is) > 1 || count_missing(is, was) == 1))
        bo_buf_add_str(broken, "the table was altered: values may have changed without a trace");
    return bo_buf_check(broken, err);
}

bo_status my_check_received(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t received = 0;
    const char *then = strstr(entry->mark, "\nr ");
    then = then ? strchr(then + 3, ' ') : NULL;
    bo_buf_add_str(&sql, "SELECT @@GLOBAL.slave_run_triggers_for_rbr = 'NO'"
                         " AND CONCAT(@@GLOBAL.gtid_slave_pos, '\n') <> ");
    my_quote_literal(&sql, then ? then + 1 : "\n");
    bo_status st = my_ask_count(conn, &sql, &received, err);
    if (st == BO_OK && received)
        bo_buf_add_str(
            broken, "the server was a replica since: what it was sent fired no triggers");
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}

void my_mark_again(my_conn *conn, const char *table, const char *was)
{
    BO_OWN_VALUE(bo_buf) mark = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    if (my_mark_read(conn, table, &mark, NULL) != BO_OK)
        return;
    bo_buf_add_str(&sql, "UPDATE " MY_REGISTRY " SET `mark` = ");
    my_quote_literal(&sql, bo_buf_str(&mark));
    bo_buf_add_str(&sql, " WHERE `table` = ");
    my_quote_literal(&sql, table);
    bo_buf_add_str(&sql, " AND `mark` = ");
    my_quote_literal(&sql, was);
    (void)my_run_buf(conn, &sql, NULL, NULL); /* in most databases nothing is captured */
}
