/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture_triggers.c - journals and the triggers that write them.
 *
 * Nothing tells a trigger which transaction it is in.  Where the server writes no binary log, a
 * journal is kept by its transaction-precise system versioning, whose ROW START is the number of
 * the engine's transaction.  Of such a table no rows are logged, but the statements of triggers, at
 * which replicas stop.  So where there is a binary log, the session counts: @@last_gtid is another
 * one after each transaction of it that was logged.
 */
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

#include "driver/mariadb/journal.h"

static const struct {
    const char *suffix;
    const char *when;
} hooks[MY_HOOK_COUNT] = {
    [MY_HOOK_AI] = {"ai", "AFTER INSERT"},
    [MY_HOOK_AU] = {"au", "AFTER UPDATE"},
    [MY_HOOK_AD] = {"ad", "AFTER DELETE"},
    [MY_HOOK_BU] = {"bu", "BEFORE UPDATE"},
    [MY_HOOK_BD] = {"bd", "BEFORE DELETE"},
};

void my_hook_name(bo_buf *out, my_hook hook, unsigned number)
{
    bo_buf_printf(out, "backout_%u_%s", number, hooks[hook].suffix);
}

/* ---- bodies ---- */

void my_add_missed(bo_buf *out, unsigned number)
{
    bo_buf_printf(out,
        "INSERT INTO " MY_JOURNAL " (`backout_seq`, `backout_op`) VALUES (NEXTVAL(" MY_NUMBERS
        "), 'X');\n",
        number, number);
}

#define COUNT_TX                                    \
    "IF NOT (@backout_gtid <=> @@last_gtid) THEN\n" \
    "SET @backout_gtid = @@last_gtid, @backout_tx = UUID_SHORT();\nEND IF;\n"

void my_body_begin(bo_buf *out, const my_scheme *scheme, const bo_buf *missed)
{
    bo_buf_printf(out,
        "BEGIN\nDECLARE EXIT HANDLER FOR 1054, 1118, 1146, 1176, 4091 BEGIN\n"
        "DECLARE CONTINUE HANDLER FOR 1146, 4091 BEGIN END;\n%sEND;\n%s",
        bo_buf_str(missed), scheme->logged ? COUNT_TX : "");
    out->failed = out->failed || missed->failed;
}

/* All columns as they were; or, when the row came, its key. */
static void add_write(bo_buf *out, const my_entry *entry, char operation)
{
    const bool came = operation == 'I';
    bo_buf_printf(out, "INSERT INTO " MY_JOURNAL " (" MY_WRITE_COLUMNS, entry->number);
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (came && !entry->columns[i].in_key)
            continue;
        bo_buf_add_str(out, ", ");
        my_quote(out, entry->columns[i].name);
    }
    bo_buf_printf(out, ") VALUES (" MY_WRITE_VALUES, entry->number, operation);
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (came && !entry->columns[i].in_key)
            continue;
        bo_buf_add_str(out, came ? ", NEW." : ", OLD.");
        my_quote(out, entry->columns[i].name);
    }
    bo_buf_add_str(out, ")");
}

/* `before`.key = OLD.key and ... */
static void add_key(bo_buf *out, const my_entry *entry, const char *before, const char *equal)
{
    const char *separator = "";
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (!entry->columns[i].in_key)
            continue;
        bo_buf_printf(out, "%s%s.", separator, before);
        my_quote(out, entry->columns[i].name);
        bo_buf_printf(out, "%sOLD.", equal);
        my_quote(out, entry->columns[i].name);
        separator = " AND ";
    }
}

/* A key that moves: the row with the old one is another, or none, from now on.  After UPDATE IGNORE
 * the trigger fires for a row that stayed as it was, too; then the old key is still there. */
static void add_update(bo_buf *out, const my_entry *entry)
{
    add_write(out, entry, 'U');
    bo_buf_add_str(out, ";\nIF NOT (");
    add_key(out, entry, "NEW", " <=> ");
    bo_buf_add_str(out, ") AND NOT EXISTS (SELECT 1 FROM ");
    my_quote(out, entry->table);
    bo_buf_add_str(out, " k" MY_NO_VIEW " WHERE ");
    add_key(out, entry, "k", " = ");
    bo_buf_add_str(out, " LOCK IN SHARE MODE) THEN\n");
    add_write(out, entry, 'I');
    bo_buf_add_str(out, ";\nEND IF");
}

static bo_status add_body(
    bo_buf *out, const my_scheme *scheme, const my_entry *entry, my_hook hook, bo_error *err)
{
    if (hook == MY_HOOK_BU || hook == MY_HOOK_BD)
        return my_closure_body(
            out, scheme, entry->table, hook == MY_HOOK_BU ? MY_UPDATED : MY_DELETED, err);
    if (entry->watched)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) missed = {0};
    my_add_missed(&missed, entry->number);
    my_body_begin(out, scheme, &missed);
    if (hook == MY_HOOK_AU)
        add_update(out, entry);
    else
        add_write(out, entry, hook == MY_HOOK_AI ? 'I' : 'D');
    bo_buf_add_str(out, ";\nEND");
    return bo_buf_check(out, err);
}

bo_status my_hook_bodies(const my_scheme *scheme, const my_entry *entry, bo_arena *arena,
    const char *bodies[MY_HOOK_COUNT], bo_error *err)
{
    for (my_hook hook = 0; hook < MY_HOOK_COUNT; hook++) {
        BO_OWN_VALUE(bo_buf) body = {0};
        bo_status st = add_body(&body, scheme, entry, hook, err);
        if (st != BO_OK)
            return st;
        bodies[hook] = body.size > 0 ? bo_arena_str(arena, bo_buf_str(&body)) : NULL;
        if (body.size > 0 && !bodies[hook])
            return bo_nomem(err);
    }
    return BO_OK;
}

/* ---- making them ---- */

/* `backout_tx` is the transaction, by the engine or by the session. */
#define TX_OF_ENGINE                                                         \
    " `backout_tx` bigint unsigned GENERATED ALWAYS AS ROW START INVISIBLE," \
    " `backout_end` bigint unsigned GENERATED ALWAYS AS ROW END INVISIBLE,"  \
    " PERIOD FOR SYSTEM_TIME (`backout_tx`, `backout_end`),"
#define TX_OF_SESSION " `backout_tx` bigint unsigned AS (`backout_session_tx`) VIRTUAL,"

/* A stock of numbers that is taken is logged at once, amid the transaction, whose @@last_gtid is
 * another one then.  So the stock is large, and the first one, with the number 0, is taken here. */
static bo_status create_numbers(my_conn *conn, unsigned number, bo_error *err)
{
    bo_status st = my_run(conn, NULL, err,
        "CREATE SEQUENCE " MY_NUMBERS " MINVALUE 0 CACHE 1000000000 ENGINE=InnoDB", number);
    return st == BO_OK ? my_run(conn, NULL, err, "DO NEXTVAL(" MY_NUMBERS ")", number) : st;
}

bo_status my_journal_create(my_conn *conn, const bo_table *table, unsigned number, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    const bool logged = conn->log != MY_LOG_NOTHING;
    bo_buf_printf(&sql,
        "%sCREATE TABLE " MY_JOURNAL " ("
        "`backout_seq` bigint unsigned NOT NULL,"
        " `backout_session_tx` bigint unsigned NULL,%s"
        " `backout_user` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,"
        " `backout_run` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,"
        " `backout_op` char(1) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL",
        my_strictly(logged), number, logged ? TX_OF_SESSION : TX_OF_ENGINE);
    for (uint16_t i = 0; i < table->image_count; i++) {
        const bo_column *column = &table->columns[table->image_columns[i]];
        bo_buf_add_str(&sql, ", ");
        my_quote(&sql, column->name);
        my_add_type(&sql, column);
        bo_buf_add_str(&sql, " NULL DEFAULT NULL");
    }
    bo_buf_printf(&sql, ", PRIMARY KEY (`backout_seq`)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC%s",
        logged ? "" : " WITH SYSTEM VERSIONING");
    bo_status st = create_numbers(conn, number, err);
    if (st == BO_OK)
        st = my_run_buf(conn, &sql, NULL, err);
    if (st != BO_OK && mysql_errno(conn->my) == ER_TOO_BIG_ROWSIZE)
        st = bo_detail(
            err, BO_UNSUPPORTED, "replicas would not take it: --method snapshot keeps the rows");
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot make a journal of %s", table->name);
}

bo_status my_hooks_create(
    my_conn *conn, const my_entry *entry, const char *const bodies[MY_HOOK_COUNT], bo_error *err)
{
    for (my_hook hook = 0; hook < MY_HOOK_COUNT; hook++) {
        if (!bodies[hook])
            continue;
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_add_str(&sql, "SET STATEMENT sql_mode = '" MY_TRIGGER_MODE "' FOR CREATE TRIGGER ");
        my_hook_name(&sql, hook, entry->number);
        bo_buf_printf(&sql, " %s ON ", hooks[hook].when);
        my_quote(&sql, entry->table);
        bo_buf_printf(&sql, " FOR EACH ROW %s", bodies[hook]);
        bo_status st = my_run_buf(conn, &sql, NULL, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot make a trigger on '%s'", entry->table);
    }
    return BO_OK;
}

bo_status my_hooks_drop(my_conn *conn, unsigned number, bo_error *err)
{
    bo_status st = BO_OK;
    for (my_hook hook = 0; st == BO_OK && hook < MY_HOOK_COUNT; hook++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_add_str(&sql, "DROP TRIGGER IF EXISTS ");
        my_hook_name(&sql, hook, number);
        st = my_run_buf(conn, &sql, NULL, err);
    }
    return st;
}

/* ---- what nobody needs any more ---- */

#define NEEDED(NUMBER)                                          \
    "(CAST(REGEXP_SUBSTR(" NUMBER ", '[0-9]+') AS UNSIGNED) IN" \
    " (SELECT r.`number` FROM " MY_REGISTRY " AS r WHERE r.`state` = 'on'))"

/* Runs `<before>`<name>`` for each name of the answer; the second column is the table it is of. */
static bo_status run_each(my_conn *conn, const char *question, const char *before, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err, "%s", question);
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(result)) != NULL) {
        st = my_run(conn, NULL, err, "%s`%s`", before, row[0]);
        if (st == BO_BUSY)
            st = bo_wrap(err, st, "'%s' is in use", row[1]);
    }
    return st;
}

/* Triggers first, all of them: one that writes to a journal which is gone would stop a writer. */
bo_status my_capture_sweep(my_conn *conn, bo_error *err)
{
    bo_status st = run_each(conn,
        "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS"
        " WHERE EVENT_OBJECT_SCHEMA = DATABASE()"
        " AND TRIGGER_NAME REGEXP " MY_OUR_TRIGGERS " AND NOT " NEEDED("TRIGGER_NAME"),
        "DROP TRIGGER IF EXISTS ", err);
    if (st == BO_OK)
        st = run_each(conn,
            "SELECT TABLE_NAME, TABLE_NAME FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME REGEXP "
            "'^backout_(journal|numbers)_[0-9]+$'"
            " AND NOT " NEEDED("TABLE_NAME"),
            "DROP TABLE IF EXISTS ", err);
    return st == BO_OK
               ? my_run(conn, NULL, err, "DELETE FROM " MY_REGISTRY " WHERE `state` <> 'on'")
               : st;
}
