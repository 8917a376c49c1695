/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture_install.c - the journal of a table, and the triggers that write it.
 *
 * The functions run with the rights of whoever made them and with the writer's search path, so
 * every name in them is qualified.  They must never make a user's write fail, also when the table's
 * columns are others by then: a column that is gone is NULL, for its name is found in `missing`
 * instead; one whose type changed is NULL, for then the second journal_<oid>_as() takes it.  Both
 * cost nothing: they are resolved when the statement is planned.
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

void pg_journal_name(bo_buf *out, const bo_table *table, const char *suffix)
{
    bo_buf_printf(out, "backout.journal_%s%s", table->id, suffix);
}

/* ---- parts of statements ---- */

static void add_separator(bo_buf *out, bool *first)
{
    bo_buf_add_str(out, *first ? "" : ", ");
    *first = false;
}

/* Adds the chosen columns' names, each with `prefix` before it. */
static void add_columns(bo_buf *out, const pg_journal *j, bool keys, const char *prefix)
{
    bool first = true;
    for (uint16_t i = 0; i < j->count; i++) {
        if (keys && !pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        bo_buf_add_str(out, prefix);
        pg_quote(out, pg_journal_column(j, i));
    }
}

/* The value of a column in the rows that add_rows_*() read, as the journal's type. */
static void add_value(bo_buf *out, const pg_journal *j, uint16_t i, const char *rows)
{
    pg_journal_name(out, j->table, "_as");
    bo_buf_printf(out, "(%s.c%u, NULL::%s)", rows, i, pg_journal_type(j, i));
}

/* What stands for a key's column where rows are told apart. */
static void add_identity(bo_buf *out, const pg_journal *j, uint16_t i, const char *rows)
{
    bool exact = pg_journal_exact(j, i);
    bool text = j->table->encoding == BO_ENCODING_PG_TEXT;
    bo_buf_add_str(out, exact ? "" : text ? "ROW(" : "pg_catalog.record_send(ROW(");
    add_value(out, j, i, rows);
    bo_buf_add_str(out, exact ? "" : text ? ")::pg_catalog.text" : "))");
}

/* `missing`, and the beginning of what reads from the relation whose name follows. */
static void add_rows_head(bo_buf *out, const pg_journal *j, bool keys)
{
    bool first = true;
    bo_buf_add_str(out, "(SELECT ");
    for (uint16_t i = 0; i < j->count; i++) {
        if (keys && !pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        bo_buf_printf(out, "NULL::%s AS ", pg_journal_type(j, i));
        pg_quote(out, pg_journal_column(j, i));
    }
    bo_buf_add_str(out, ") AS missing CROSS JOIN LATERAL (SELECT ");
    add_columns(out, j, keys, "");
    bo_buf_add_str(out, " FROM ");
}

static void add_rows_tail(bo_buf *out, const pg_journal *j, bool keys, const char *rows)
{
    bool first = true;
    bo_buf_printf(out, ") AS %s (", rows);
    for (uint16_t i = 0; i < j->count; i++) {
        if (keys && !pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        bo_buf_printf(out, "c%u", i);
    }
    bo_buf_add_str(out, ")");
}

static void add_rows(
    bo_buf *out, const pg_journal *j, bool keys, const char *from, const char *rows)
{
    add_rows_head(out, j, keys);
    bo_buf_add_str(out, from);
    add_rows_tail(out, j, keys, rows);
}

static void add_insert(bo_buf *out, const pg_journal *j, char operation, bool keys)
{
    bo_buf_add_str(out, "INSERT INTO ");
    pg_journal_name(out, j->table, "");
    bo_buf_add_str(out, " (backout_xid, backout_user, backout_app, backout_run, backout_op, ");
    add_columns(out, j, keys, "");
    bo_buf_printf(out,
        ") SELECT (SELECT pg_catalog.pg_current_xact_id()),"
        " (SELECT SESSION_USER::pg_catalog.text),"
        " (SELECT pg_catalog.current_setting('application_name')),"
        " (SELECT pg_catalog.current_setting('backout.run', true)), '%c'::pg_catalog.\"char\", ",
        operation);
}

/* INSERT ... SELECT of rows of a transition table */
static void add_insert_rows(
    bo_buf *out, const pg_journal *j, char operation, bool keys, const char *from)
{
    bool first = true;
    add_insert(out, j, operation, keys);
    for (uint16_t i = 0; i < j->count; i++) {
        if (keys && !pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        add_value(out, j, i, "r");
    }
    bo_buf_add_str(out, " FROM ");
    add_rows(out, j, keys, from, "r");
}

/* INSERT ... of one row, OLD or NEW */
static void add_insert_row(
    bo_buf *out, const pg_journal *j, char operation, bool keys, const char *row)
{
    add_insert(out, j, operation, keys);
    add_columns(out, j, keys, row);
    bo_buf_add_str(out, ";\n");
}

/* ---- keys that move ---- */

/* A hash of all keys of a transition table, whatever their order.  The hash of a column is the seed
 * for that of the next. */
static void add_key_hash(bo_buf *out, const pg_journal *j, const char *from)
{
    BO_OWN_VALUE(bo_buf) hash = {0};
    bo_buf_add_str(&hash, "backout_seed");
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        const char *function = pg_journal_hash(j, i);
        BO_OWN_VALUE(bo_buf) seed = hash;
        hash = (bo_buf){0};
        bo_buf_printf(&hash, "pg_catalog.%s(", *function ? function : "hash_record_extended(ROW");
        add_identity(&hash, j, i, "r");
        bo_buf_printf(&hash, "%s, %s)", *function ? "" : ")", bo_buf_str(&seed));
        out->failed |= seed.failed;
    }
    bo_buf_printf(out, "(SELECT pg_catalog.bit_xor(%s) FROM ", bo_buf_str(&hash));
    out->failed |= hash.failed;
    add_rows(out, j, true, from, "r");
    bo_buf_add_str(out, ")");
}

static uint16_t first_key(const pg_journal *j)
{
    uint16_t i = 0;
    while (!pg_journal_is_key(j, i))
        i++;
    return i;
}

/* i0, v0, ...: identity and value of the key's columns */
static void add_key_columns(bo_buf *out, const pg_journal *j, const char *rows)
{
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        add_identity(out, j, i, rows);
        bo_buf_printf(out, " AS i%u, ", i);
        add_value(out, j, i, rows);
        bo_buf_printf(out, " AS v%u, ", i);
    }
}

static void add_key_names(bo_buf *out, const pg_journal *j, const char *format)
{
    bool first = true;
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        for (const char *c = format; *c; c++) {
            if (*c == '#')
                bo_buf_printf(out, "%u", i);
            else
                bo_buf_add_byte(out, (uint8_t)*c);
        }
    }
}

/*
 * The keys that were free before the statement and that some row has had since: rows came to a key
 * as often as `came` says more than they left it, and it is taken now or not.  A statement moves a
 * row more than once when foreign keys cascade.  `after` is what follows the name of the table.
 */
static void add_came(bo_buf *out, bo_buf *after, const pg_journal *j)
{
    add_insert(out, j, 'I', true);
    add_key_names(out, j, "k.v#");
    bo_buf_add_str(out, " FROM (SELECT ");
    add_key_names(out, j, "x.i#, x.v#");
    bo_buf_add_str(out, ", pg_catalog.sum(x.d) AS came FROM (SELECT ");
    add_key_columns(out, j, "r");
    bo_buf_add_str(out, "1 AS d FROM ");
    add_rows(out, j, true, "backout_new", "r");
    bo_buf_add_str(out, " UNION ALL SELECT ");
    add_key_columns(out, j, "r");
    bo_buf_add_str(out, "-1 FROM ");
    add_rows(out, j, true, "backout_old", "r");
    bo_buf_add_str(out, ") AS x GROUP BY ");
    add_key_names(out, j, "x.i#, x.v#");
    bo_buf_add_str(out, " HAVING pg_catalog.max(x.d) OPERATOR(pg_catalog.>) 0) AS k LEFT JOIN (");
    add_rows_head(out, j, true);
    bo_buf_add_str(out, j->table->kind == 'p' ? "" : "ONLY ");
    add_rows_tail(after, j, true, "t");
    bo_buf_add_str(after, ") ON true");
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_add_str(after, " AND ");
        add_value(after, j, i, "t");
        bo_buf_printf(after, " %s k.v%u AND ", pg_journal_equal(j, i), i);
        add_identity(after, j, i, "t");
        bo_buf_printf(after, " OPERATOR(pg_catalog.=) k.i%u", i);
    }
    bo_buf_printf(after,
        " WHERE k.came OPERATOR(pg_catalog.=) CASE WHEN t.c%u IS NULL THEN 0 ELSE 1 END",
        first_key(j));
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
 * the statement's own trigger ends.
 */
static void add_batch_guard(bo_buf *out, const pg_journal *j, char operation)
{
    bo_buf_printf(out,
        "backout_done := pg_catalog.concat('backout.done_%s_%c', pg_catalog.pg_trigger_depth());\n"
        "IF TG_LEVEL OPERATOR(pg_catalog.=) 'STATEMENT' THEN\n"
        "PERFORM pg_catalog.set_config(backout_done, '', true);\nRETURN NULL;\n"
        "ELSIF pg_catalog.current_setting(backout_done, true) OPERATOR(pg_catalog.=) 'yes' THEN\n"
        "RETURN NULL;\nEND IF;\n"
        "PERFORM pg_catalog.set_config(backout_done, 'yes', true);\n",
        j->table->id, operation);
}

static void add_set_function(bo_buf *out, const pg_journal *j, const char *suffix, bool batch,
    const char *declare, const bo_buf *work)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    BO_OWN_VALUE(bo_buf) head = {0};
    bo_buf_printf(&head, "%s%s%s", batch || *declare ? "DECLARE " : "", declare,
        batch ? "backout_done pg_catalog.text;\n" : "");
    if (batch)
        add_batch_guard(&body, j, suffix[1]);
    bo_buf_printf(&body, "%sRETURN NULL;", bo_buf_str(work));
    out->failed |= head.failed || work->failed;
    add_function(out, j, suffix, bo_buf_str(&head), &body);
}

/* Transition tables need no right; the table may belong to somebody else by then. */
static void add_may_read(bo_buf *out, const char *relation)
{
    bo_buf_printf(out,
        "pg_catalog.has_table_privilege(%s, 'SELECT') AND NOT pg_catalog.row_security_active(%s)",
        relation, relation);
}

static void add_update_work(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) came = {0};
    BO_OWN_VALUE(bo_buf) after = {0};
    BO_OWN_VALUE(bo_buf) relation = {0};
    add_came(&came, &after, j);
    out->failed |= came.failed || after.failed;
    bo_buf_add_str(out, "IF ");
    add_key_hash(out, j, "backout_old");
    bo_buf_add_str(out, " OPERATOR(pg_catalog.<>) ");
    add_key_hash(out, j, "backout_new");
    bo_buf_printf(&relation, "%s::pg_catalog.oid", j->table->id);
    bo_buf_add_str(out, " AND ");
    add_may_read(out, bo_buf_str(&relation));
    out->failed |= relation.failed;
    bo_buf_add_str(out, " THEN\nEXECUTE pg_catalog.concat("); /* planned anew: by its size */
    pg_quote_literal(out, bo_buf_str(&came));
    bo_buf_printf(out, ", %s::pg_catalog.oid::pg_catalog.regclass, ", j->table->id);
    pg_quote_literal(out, bo_buf_str(&after));
    bo_buf_add_str(out, ");\nEND IF;\n");
    add_insert_rows(out, j, 'U', false, "backout_old");
    bo_buf_add_str(out, ";\n");
}

static void add_by_set(bo_buf *out, const pg_journal *j, bool batch)
{
    BO_OWN_VALUE(bo_buf) work = {0};
    add_insert_rows(&work, j, 'I', true, "backout_new");
    bo_buf_add_str(&work, ";\n");
    add_set_function(out, j, "_insert", batch, "", &work);

    bo_buf_clear(&work);
    add_insert_rows(&work, j, 'D', false, "backout_old");
    bo_buf_add_str(&work, ";\n");
    add_set_function(out, j, "_delete", batch, "", &work);

    bo_buf_clear(&work);
    add_update_work(&work, j);
    add_set_function(out, j, "_update", batch,
        "backout_seed pg_catalog.int8 :="
        " pg_catalog.uuid_hash_extended(pg_catalog.gen_random_uuid(), 0);\n",
        &work);
}

/* Row by row, OLD and NEW need their columns: where these are others now, nothing is captured. */
static void add_row_guard(bo_buf *out, const pg_journal *j, const char *otherwise)
{
    const bo_table *table = j->table;
    bo_buf_printf(out,
        "IF COALESCE(pg_catalog.current_setting('backout.fits_%s', true), '')"
        " OPERATOR(pg_catalog.=) '' THEN\n"
        "PERFORM pg_catalog.set_config('backout.fits_%s', CASE WHEN EXISTS (SELECT FROM (VALUES ",
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
        " WHERE a.attnum IS NULL) THEN 'no' ELSE 'yes' END, true);\nEND IF;\n"
        "IF pg_catalog.current_setting('backout.fits_%s') OPERATOR(pg_catalog.=) 'no' THEN\n"
        "RETURN %s;\nEND IF;\n",
        table->id, otherwise);
}

static void add_row_moved(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "IF pg_catalog.record_image_ne(ROW(");
    add_columns(out, j, true, "OLD.");
    bo_buf_add_str(out, "), ROW(");
    add_columns(out, j, true, "NEW.");
    bo_buf_add_str(out, ")) THEN\n");
}

/* A key that moves to where another row of the same statement was: that row's image comes first. */
static void add_by_row(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    add_row_guard(&body, j, "NULL");
    add_insert_row(&body, j, 'I', true, "NEW.");
    bo_buf_add_str(&body, "RETURN NULL;");
    add_function(out, j, "_insert", "", &body);

    bo_buf_clear(&body);
    add_row_guard(&body, j, "NULL");
    add_insert_row(&body, j, 'D', false, "OLD.");
    bo_buf_add_str(&body, "RETURN NULL;");
    add_function(out, j, "_delete", "", &body);

    bo_buf_clear(&body);
    add_row_guard(&body, j, "NEW");
    add_row_moved(&body, j);
    add_insert_row(&body, j, 'U', false, "OLD.");
    bo_buf_add_str(&body, "END IF;\nRETURN NEW;");
    add_function(out, j, "_before", "", &body);

    bo_buf_clear(&body);
    add_row_guard(&body, j, "NULL");
    add_row_moved(&body, j);
    add_insert_row(&body, j, 'I', true, "NEW.");
    bo_buf_add_str(&body, "ELSE\n");
    add_insert_row(&body, j, 'U', false, "OLD.");
    bo_buf_add_str(&body, "END IF;\nRETURN NULL;");
    add_function(out, j, "_update", "", &body);
}

/* What an action of a foreign key is about to change: users' triggers fire before ours after it.  A
 * key that a row moves to is free by then. */
static void add_acted(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    add_row_guard(&body, j, "NEW");
    add_insert_row(&body, j, 'U', false, "OLD.");
    add_row_moved(&body, j);
    add_insert_row(&body, j, 'I', true, "NEW.");
    bo_buf_add_str(&body, "END IF;\nRETURN NEW;");
    add_function(out, j, "_acted", "", &body);
}

/* The name of the table that is emptied is known only then: a partition, or renamed since. */
static void add_truncate(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) body = {0};
    BO_OWN_VALUE(bo_buf) part = {0};
    bool first = true;
    add_insert(&part, j, 'T', false);
    for (uint16_t i = 0; i < j->count; i++) {
        add_separator(&part, &first);
        add_value(&part, j, i, "r");
    }
    bo_buf_add_str(&part, " FROM ");
    add_rows_head(&part, j, false);
    bo_buf_add_str(&part, "ONLY ");
    bo_buf_add_str(&body, "IF ");
    add_may_read(&body, "TG_RELID");
    bo_buf_add_str(&body, " THEN\nEXECUTE pg_catalog.concat(");
    pg_quote_literal(&body, bo_buf_str(&part));
    bo_buf_add_str(&body, ", pg_catalog.quote_ident(TG_TABLE_SCHEMA), '.',"
                          " pg_catalog.quote_ident(TG_TABLE_NAME), ");
    out->failed |= part.failed;
    bo_buf_clear(&part);
    add_rows_tail(&part, j, false, "r");
    out->failed |= part.failed;
    pg_quote_literal(&body, bo_buf_str(&part));
    bo_buf_add_str(&body, ");\nEND IF;\nRETURN NULL;");
    add_function(out, j, "_truncate", "", &body);
}

/* ---- the journal ---- */

static void add_journal(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "CREATE TABLE ");
    pg_journal_name(out, j->table, "");
    bo_buf_add_str(out,
        " (backout_seq bigint GENERATED ALWAYS AS IDENTITY, backout_xid xid8 NOT NULL,"
        " backout_user text, backout_app text, backout_run text, backout_op \"char\" NOT NULL");
    for (uint16_t i = 0; i < j->count; i++) {
        bo_buf_add_str(out, ", ");
        pg_quote(out, pg_journal_column(j, i));
        bo_buf_printf(out, " %s%s", pg_journal_type(j, i), pg_journal_collation(j, i));
    }
    bo_buf_add_str(out, ");\n");
}

/* ---- triggers ---- */

typedef struct trigger {
    const char *function; /* and part of the name */
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
    {"insert", FIRST "insert", "AFTER INSERT", NEW_ROWS " FOR EACH STATEMENT"},
    {"update", FIRST "update", "AFTER UPDATE", ALL_ROWS " FOR EACH STATEMENT"},
    {"delete", FIRST "delete", "AFTER DELETE", OLD_ROWS " FOR EACH STATEMENT"}, END};
static const trigger by_batch[] = {
    {"insert", FIRST "insert", "AFTER INSERT", NEW_ROWS " FOR EACH ROW"},
    {"update", FIRST "update", "AFTER UPDATE", ALL_ROWS " FOR EACH ROW"},
    {"delete", FIRST "delete", "AFTER DELETE", OLD_ROWS " FOR EACH ROW"},
    {"insert", FIRST "insert_end", "AFTER INSERT", "FOR EACH STATEMENT"},
    {"update", FIRST "update_end", "AFTER UPDATE", "FOR EACH STATEMENT"},
    {"delete", FIRST "delete_end", "AFTER DELETE", "FOR EACH STATEMENT"}, END};
static const trigger by_row[] = {{"insert", FIRST "insert", "AFTER INSERT", "FOR EACH ROW"},
    {"update", FIRST "update", "AFTER UPDATE", "FOR EACH ROW"},
    {"delete", FIRST "delete", "AFTER DELETE", "FOR EACH ROW"},
    {"before", LAST "before", "BEFORE UPDATE", "FOR EACH ROW"}, END};
static const trigger on_action = {"acted", LAST "acted", "BEFORE UPDATE",
    "FOR EACH ROW WHEN (pg_catalog.pg_trigger_depth() OPERATOR(pg_catalog.>) 0)"};
static const trigger on_truncate = {
    "truncate", FIRST "truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT"};

static void add_trigger(
    bo_buf *out, const bo_table *table, const trigger *made, const char *relation)
{
    bo_buf_printf(out,
        "CREATE TRIGGER \"%s_%s\" %s ON %s %s EXECUTE FUNCTION backout.journal_%s_%s();\n"
        "ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER \"%s_%s\";\n",
        made->name, table->id, made->when, relation, made->rows, table->id, made->function,
        relation, made->name, table->id);
}

/* Statements fire the triggers of the relation that they name, rows those of the one with them. */
static void add_triggers(
    bo_buf *out, const bo_table *table, const PGresult *members, char way, bool acted)
{
    const trigger *all = way == 'r' ? by_row : way == 'b' ? by_batch : by_statement;
    for (int i = 0; i < PQntuples(members); i++) {
        const char *relation = PQgetvalue(members, i, 1);
        bool stores = PQgetvalue(members, i, 2)[0] == 't';
        for (const trigger *t = all; t->name && (stores || way != 'r'); t++)
            add_trigger(out, table, t, relation);
        if (stores)
            add_trigger(out, table, &on_truncate, relation);
        if (stores && acted)
            add_trigger(out, table, &on_action, relation);
    }
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
    bool acted = PQgetvalue(members, 0, 4)[0] == 't';
    BO_OWN_VALUE(bo_buf) sql = {0};
    add_journal(&sql, &journal);
    add_as(&sql, &journal);
    if (way == 'r')
        add_by_row(&sql, &journal);
    else
        add_by_set(&sql, &journal, way == 'b');
    add_truncate(&sql, &journal);
    if (acted)
        add_acted(&sql, &journal);
    add_triggers(&sql, table, members, way, acted);
    return pg_run_buf(conn, &sql, NULL, err);
}
