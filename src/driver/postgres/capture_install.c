/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture_install.c - the journal of a table, and the triggers that write it.
 */
#include <stdio.h>
#include <string.h>

#include "driver/postgres/journal.h"
#include "driver/postgres/pg_sql.h"
#include "driver/postgres/stage.h"

#define FIRST "!backout_" /* triggers fire by name: before users' own, which may write again */
#define LAST  "~backout_" /* and this one after them, which may change the row */

void pg_journal_done(pg_journal *journal)
{
    PQclear(journal->columns);
    *journal = (pg_journal){0};
}

bo_status pg_journal_open(pg_conn *conn, const bo_table *table, pg_journal *out, bo_error *err)
{
    const char *params[] = {table->id, table->row_key ? table->row_key->name : ""};
    BO_OWN(PGresult) *columns = NULL;
    bo_status st = pg_ask(conn, pg_sql_capture_columns, 2, params, &columns, err);
    if (st != BO_OK)
        return st;
    if (!table->row_key || PQntuples(columns) != table->image_count)
        return bo_fail(err, BO_CONFLICT, "the definition of %s changed just now", table->name);
    *out = (pg_journal){.table = table, .count = table->image_count, .columns = BO_TAKE(columns)};
    return BO_OK;
}

/* ---- functions ---- */

/* A trigger function with this body; nobody may call it, and only triggers can. */
static void add_function(
    bo_buf *out, const pg_journal *j, const char *suffix, const char *declare, const bo_buf *body)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_buf_printf(
        &text, "\n#variable_conflict use_column\n%sBEGIN\n%s\nEND", declare, bo_buf_str(body));
    out->failed |= text.failed || body->failed;
    bo_buf_add_str(out, "CREATE FUNCTION ");
    pg_journal_name(out, j->table, suffix);
    bo_buf_add_str(out, "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS ");
    pg_quote_literal(out, bo_buf_str(&text));
    bo_buf_add_str(out, ";\nREVOKE ALL ON FUNCTION ");
    pg_journal_name(out, j->table, suffix);
    bo_buf_add_str(out, "() FROM PUBLIC;\n");
}

/* journal_<oid>_as(value, of the journal's type): the value, or NULL when it is not of that type.
 */
static void add_as(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "CREATE FUNCTION ");
    pg_journal_name(out, j->table, "_as");
    bo_buf_add_str(out, "(anyelement, anycompatible) RETURNS anycompatible LANGUAGE sql IMMUTABLE"
                        " AS 'SELECT $2';\n");
    for (uint16_t i = 0; i < j->count; i++) {
        const char *type = pg_journal_type(j, i);
        bool made = false;
        for (uint16_t k = 0; k < i; k++)
            made |= strcmp(pg_journal_type(j, k), type) == 0;
        if (made)
            continue;
        bo_buf_add_str(out, "CREATE FUNCTION ");
        pg_journal_name(out, j->table, "_as");
        bo_buf_printf(
            out, "(%s, %s) RETURNS %s LANGUAGE sql IMMUTABLE AS 'SELECT $1';\n", type, type, type);
    }
}

/*
 * Fired by rows, with the transition tables: the first row stands for all of its statement, which
 * the statement's own trigger ends.  Of a nested UPDATE it is the first whose key moves.
 */
static void add_batch_guard(bo_buf *out, const pg_journal *j, char operation)
{
    bo_buf_printf(out,
        "backout_done := pg_catalog.concat('backout.done_%s_%c', pg_catalog.pg_trigger_depth());\n"
        "IF TG_LEVEL OPERATOR(pg_catalog.=) 'STATEMENT' THEN\n"
        "PERFORM pg_catalog.set_config(backout_done, '', true);\n",
        j->table->id, operation);
    if (operation == 'u') {
        bo_buf_add_str(out, "IF " PG_JOURNAL_NESTED " THEN\n");
        pg_journal_forget_moved(out, j);
        bo_buf_add_str(out, "END IF;\n");
    }
    bo_buf_add_str(out,
        "RETURN NULL;\n"
        "ELSIF pg_catalog.current_setting(backout_done, true) OPERATOR(pg_catalog.=) 'yes' THEN\n"
        "RETURN NULL;\nEND IF;\n");
    if (operation == 'u') {
        bo_buf_add_str(out, "IF " PG_JOURNAL_NESTED " AND NOT (");
        pg_journal_has_moved(out, j);
        bo_buf_add_str(out, ") THEN\nRETURN NULL;\nEND IF;\n");
    }
    bo_buf_add_str(out, "PERFORM pg_catalog.set_config(backout_done, 'yes', true);\n");
}

static void add_set_function(
    bo_buf *out, const pg_journal *j, const char *suffix, bool batch, const bo_buf *work)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    if (batch)
        add_batch_guard(&body, j, suffix[1]);
    bo_buf_printf(&body, "%sRETURN NULL;", bo_buf_str(work));
    out->failed |= work->failed;
    add_function(out, j, suffix, batch ? "DECLARE backout_done pg_catalog.text;\n" : "", &body);
}

static void add_by_set(bo_buf *out, const pg_journal *j, bool batch)
{
    BO_OWN_VALUE(bo_buf) work = {0};
    bo_buf_add_str(&work, "IF " PG_JOURNAL_NESTED " THEN\n");
    pg_journal_note_came(&work, j);
    bo_buf_add_str(&work, "END IF;\n");
    pg_journal_insert_rows(&work, j, 'I', true, "backout_new");
    add_set_function(out, j, "_insert", batch, &work);

    bo_buf_clear(&work);
    bo_buf_add_str(&work, "IF " PG_JOURNAL_NESTED " THEN\nRETURN NULL;\nEND IF;\n");
    pg_journal_insert_rows(&work, j, 'D', false, "backout_old");
    add_set_function(out, j, "_delete", batch, &work);

    bo_buf_clear(&work);
    pg_journal_insert_updated(&work, j);
    add_set_function(out, j, "_update", batch, &work);
}

/* How often this transaction has changed columns of any table: the same number, the same columns.
 */
#define ALTERED "pg_catalog.pg_stat_get_xact_tuples_updated(1249)::pg_catalog.text"

/* Row by row, OLD and NEW need their columns: where these are others now, nothing is captured. */
static void add_row_guard(bo_buf *out, const pg_journal *j, const char *otherwise)
{
    const bo_table *table = j->table;
    bo_buf_printf(out,
        "IF COALESCE(pg_catalog.substr(pg_catalog.current_setting('backout.fits_%s', true), 4), '')"
        " OPERATOR(pg_catalog.<>) " ALTERED " THEN\n"
        "PERFORM pg_catalog.set_config('backout.fits_%s',"
        " pg_catalog.concat(CASE WHEN EXISTS (SELECT FROM (VALUES ",
        table->id, table->id);
    for (uint16_t i = 0; i < table->image_count; i++) {
        const bo_column *column = &table->columns[table->image_columns[i]];
        bo_buf_add_str(out, i ? ", (" : "(");
        pg_quote_literal(out, column->name);
        bo_buf_printf(out, "::pg_catalog.name, %u::pg_catalog.oid)", column->type_oid);
    }
    bo_buf_printf(out,
        ") AS w (name, type) LEFT JOIN pg_catalog.pg_attribute AS a"
        " ON a.attrelid OPERATOR(pg_catalog.=) TG_RELID"
        " AND a.attname OPERATOR(pg_catalog.=) w.name"
        " AND a.atttypid OPERATOR(pg_catalog.=) w.type AND NOT a.attisdropped"
        " WHERE a.attnum IS NULL) THEN 'no ' ELSE 'yes' END, " ALTERED "), true);\nEND IF;\n"
        "IF pg_catalog.left(pg_catalog.current_setting('backout.fits_%s'), 3)"
        " OPERATOR(pg_catalog.=) 'no ' THEN\n"
        "RETURN %s;\nEND IF;\n",
        table->id, otherwise);
}

static void add_row_moved(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "IF pg_catalog.record_image_ne(ROW(");
    pg_journal_columns(out, j, true, "OLD.");
    bo_buf_add_str(out, "), ROW(");
    pg_journal_columns(out, j, true, "NEW.");
    bo_buf_add_str(out, ")) THEN\n");
}

/*
 * A statement that another trigger runs may write what the statement that fired this one has
 * written and what is not journalled yet.  So its rows are journalled one by one, with who made
 * what was there: the transition tables do not tell.  What a foreign key's action writes belongs to
 * the statement.
 */
static void add_nested(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    bo_buf_add_str(&body, "IF NOT " PG_JOURNAL_NESTED " THEN\nRETURN NULL;\nEND IF;\n");
    add_row_guard(&body, j, "NULL");
    bo_buf_add_str(&body, "IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN\n");
    pg_journal_insert_old(&body, j, 'D');
    bo_buf_add_str(&body, "ELSE\n");
    pg_journal_insert_old(&body, j, 'U');
    add_row_moved(&body, j);
    pg_journal_note_moved(&body, j);
    bo_buf_add_str(&body, "END IF;\nEND IF;\nRETURN NULL;");
    add_function(out, j, "_nested", "", &body);
}

/* A key that moves to where another row of the same statement was: that row's image comes first. */
static void add_by_row(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    add_row_guard(&body, j, "NULL");
    pg_journal_insert_come(&body, j);
    bo_buf_add_str(&body, "RETURN NULL;");
    add_function(out, j, "_insert", "", &body);

    bo_buf_clear(&body);
    add_row_guard(&body, j, "NULL");
    pg_journal_insert_old(&body, j, 'D');
    bo_buf_add_str(&body, "RETURN NULL;");
    add_function(out, j, "_delete", "", &body);

    bo_buf_clear(&body);
    add_row_guard(&body, j, "NEW");
    add_row_moved(&body, j);
    pg_journal_insert_old(&body, j, 'U');
    bo_buf_add_str(&body, "END IF;\nRETURN NEW;");
    add_function(out, j, "_before", "", &body);

    bo_buf_clear(&body);
    add_row_guard(&body, j, "NULL");
    pg_journal_insert_old(&body, j, 'U'); /* again, or moved by a trigger that fired after ours */
    add_row_moved(&body, j);
    pg_journal_insert_come(&body, j);
    bo_buf_add_str(&body, "END IF;\nRETURN NULL;");
    add_function(out, j, "_update", "", &body);
}

static void add_truncate(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    pg_journal_insert_emptied(&body, j);
    bo_buf_add_str(&body, "RETURN NULL;");
    add_function(out, j, "_truncate", "", &body);
}

/* ---- the journal ---- */

static void add_journal(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "CREATE TABLE ");
    pg_journal_name(out, j->table, "");
    bo_buf_add_str(out,
        " (backout_seq bigint GENERATED ALWAYS AS IDENTITY, backout_xid xid8 NOT NULL,"
        " backout_user text, backout_app text, backout_run text, backout_op \"char\" NOT NULL,"
        " backout_made xid");
    for (uint16_t i = 0; i < j->count; i++) {
        bo_buf_add_str(out, ", ");
        pg_quote(out, pg_journal_column(j, i));
        bo_buf_printf(out, " %s%s", pg_journal_type(j, i), pg_journal_collation(j, i));
    }
    bo_buf_add_str(out, ");\n");
}

/* ---- triggers ---- */

typedef struct trigger {
    const char *function; /* the suffix of its name */
    const char *name;
    const char *when;
    const char *rows;
} trigger;

#define OLD_ROWS "REFERENCING OLD TABLE AS backout_old"
#define NEW_ROWS "REFERENCING NEW TABLE AS backout_new"
#define ALL_ROWS "REFERENCING OLD TABLE AS backout_old NEW TABLE AS backout_new"
#define END \
    {       \
        0   \
    }

static const trigger by_statement[] = {
    {"_insert", FIRST "insert", "AFTER INSERT", NEW_ROWS " FOR EACH STATEMENT"},
    {"_update", FIRST "update", "AFTER UPDATE", ALL_ROWS " FOR EACH STATEMENT"},
    {"_delete", FIRST "delete", "AFTER DELETE", OLD_ROWS " FOR EACH STATEMENT"}, END};
static const trigger by_batch[] = {
    {"_insert", FIRST "insert", "AFTER INSERT", NEW_ROWS " FOR EACH ROW"},
    {"_update", FIRST "update", "AFTER UPDATE", ALL_ROWS " FOR EACH ROW"},
    {"_delete", FIRST "delete", "AFTER DELETE", OLD_ROWS " FOR EACH ROW"},
    {"_insert", FIRST "insert_end", "AFTER INSERT", "FOR EACH STATEMENT"},
    {"_update", FIRST "update_end", "AFTER UPDATE", "FOR EACH STATEMENT"},
    {"_delete", FIRST "delete_end", "AFTER DELETE", "FOR EACH STATEMENT"}, END};
static const trigger by_row[] = {{"_insert", FIRST "insert", "AFTER INSERT", "FOR EACH ROW"},
    {"_update", FIRST "update", "AFTER UPDATE", "FOR EACH ROW"},
    {"_delete", FIRST "delete", "AFTER DELETE", "FOR EACH ROW"},
    {"_before", LAST "before", "BEFORE UPDATE", "FOR EACH ROW"}, END};
static const trigger on_nested = {"_nested", FIRST "nested", "AFTER UPDATE OR DELETE",
    "FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() OPERATOR(pg_catalog.>) 0)"};
static const trigger on_truncate = {
    "_truncate", FIRST "truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT"};

static void add_trigger(
    bo_buf *out, const bo_table *table, const trigger *made, const char *relation)
{
    bo_buf_printf(out, "CREATE TRIGGER \"%s_%s\" %s ON %s %s EXECUTE FUNCTION ", made->name,
        table->id, made->when, relation, made->rows);
    pg_journal_name(out, table, made->function);
    bo_buf_printf(out, "();\nALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER \"%s_%s\";\n", relation,
        made->name, table->id);
}

/* Statements fire the triggers of the relation that they name, rows those of the one with them. */
static void add_triggers(bo_buf *out, const bo_table *table, const PGresult *members, char way)
{
    const trigger *all = way == 'r' ? by_row : way == 'b' ? by_batch : by_statement;
    for (int i = 0; i < PQntuples(members); i++) {
        const char *relation = PQgetvalue(members, i, 1);
        bool stores = PQgetvalue(members, i, 2)[0] == 't';
        for (const trigger *t = all; t->name && (stores || way != 'r'); t++)
            add_trigger(out, table, t, relation);
        if (stores)
            add_trigger(out, table, &on_truncate, relation);
        if (stores && way != 'r')
            add_trigger(out, table, &on_nested, relation);
    }
}

/*
 * What the functions read of the table runs code of its owner (the expressions of its indexes when
 * a statement is planned), so they must not have the rights of a superuser who captures it.
 */
static bo_status give_to_owner(pg_conn *conn, const bo_table *table, bo_error *err)
{
    static const char sql[] =
        "WITH owner AS (SELECT quote_ident(pg_get_userbyid(c.relowner)) AS name"
        " FROM pg_class c JOIN pg_roles r ON r.rolname = current_user"
        " WHERE c.oid = $1::oid AND r.rolsuper AND c.relowner <> r.oid)"
        " SELECT format('GRANT USAGE ON SCHEMA backout TO %s;"
        " GRANT INSERT ON backout.journal_%s TO %s', name, $1::text, name) FROM owner"
        " UNION ALL SELECT format('ALTER FUNCTION %s OWNER TO %s', p.oid::regprocedure, owner.name)"
        " FROM owner JOIN pg_proc p ON p.prosecdef"
        " AND starts_with(p.proname, 'journal_' || $1::text || '_')"
        " JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'backout'";
    BO_OWN(PGresult) *given = NULL;
    bo_status st = pg_ask(conn, sql, 1, &table->id, &given, err);
    for (int i = 0; st == BO_OK && i < PQntuples(given); i++)
        st = pg_run(conn, NULL, err, "%s", PQgetvalue(given, i, 0));
    return st;
}

bo_status pg_journal_make(pg_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(pg_journal) journal = {0};
    bo_status st = pg_journal_open(conn, table, &journal, err);
    BO_OWN(PGresult) *members = NULL;
    if (st == BO_OK)
        st = pg_ask(conn, pg_sql_capture_members, 1, &table->id, &members, err);
    if (st != BO_OK)
        return st;
    if (PQntuples(members) == 0)
        return bo_fail(err, BO_CONFLICT, "table %s was dropped just now", table->name);
    char way = PQgetvalue(members, 0, 3)[0];
    BO_OWN_VALUE(bo_buf) sql = {0};
    add_journal(&sql, &journal);
    add_as(&sql, &journal);
    if (way == 'r')
        add_by_row(&sql, &journal);
    else
        add_by_set(&sql, &journal, way == 'b');
    if (way != 'r')
        add_nested(&sql, &journal);
    add_truncate(&sql, &journal);
    add_triggers(&sql, table, members, way);
    st = pg_run_buf(conn, &sql, NULL, err);
    return st == BO_OK ? give_to_owner(conn, table, err) : st;
}
