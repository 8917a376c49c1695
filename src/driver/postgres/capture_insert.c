/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/capture_insert.c - what the functions of the triggers do: rows into the
 * journal.
 *
 * The functions run with the rights of whoever made them and with the writer's search path, so
 * every name in them is qualified.  They must never make a user's write fail, also when the table's
 * columns are others by then: a column that is gone is NULL, for its name is found in `missing`
 * instead; one whose type changed is NULL, for then the second journal_<oid>_as() takes it.  Both
 * cost nothing: they are resolved when the statement is planned.
 */
#include "driver/postgres/journal.h"
#include "driver/postgres/pg_sql.h"
#include "driver/postgres/stage.h"

static void add_separator(bo_buf *out, bool *first)
{
    bo_buf_add_str(out, *first ? "" : ", ");
    *first = false;
}

void pg_journal_columns(bo_buf *out, const pg_journal *j, bool keys, const char *prefix)
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
    bo_buf_add_str(out, pg_journal_is_array(j, i) ? "::pg_catalog.text" : "");
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
    pg_journal_columns(out, j, keys, "");
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

/* Who writes: evaluated for a row, or once as parameters of EXECUTE or by begin_many(). */
#define WRITER                                                        \
    "pg_catalog.pg_current_xact_id(), SESSION_USER::pg_catalog.text," \
    " pg_catalog.current_setting('application_name'),"                \
    " pg_catalog.current_setting('backout.run', true)"
#define WRITER_KNOWN "writer.xid, writer.name, writer.app, writer.run"
#define WRITER_GIVEN "$1, $2, $3, $4"

/* `made`: what backout_made is; NULL: nothing */
static void add_insert_made(bo_buf *out, const pg_journal *j, char operation, bool keys,
    const char *writer, const char *made)
{
    bo_buf_add_str(out, "INSERT INTO ");
    pg_journal_name(out, j->table, "");
    bo_buf_printf(out, " (backout_xid, backout_user, backout_app, backout_run, backout_op, %s",
        made ? "backout_made, " : "");
    pg_journal_columns(out, j, keys, "");
    bo_buf_printf(out, ") SELECT %s, '%c'::pg_catalog.\"char\", %s%s", writer, operation,
        made ? made : "", made ? ", " : "");
}

static void add_insert(
    bo_buf *out, const pg_journal *j, char operation, bool keys, const char *writer)
{
    add_insert_made(out, j, operation, keys, writer, NULL);
}

void pg_journal_insert_come(bo_buf *out, const pg_journal *j)
{
    add_insert(out, j, 'I', true, WRITER);
    pg_journal_columns(out, j, true, "NEW.");
    bo_buf_add_str(out, ";\n");
}

/* age(): what is not older than this transaction may be a version that itself has made. */
void pg_journal_insert_old(bo_buf *out, const pg_journal *j, char operation)
{
    add_insert_made(out, j, operation, false, WRITER,
        "CASE WHEN pg_catalog.age(OLD.xmin) OPERATOR(pg_catalog.<=) 0 THEN OLD.xmin END");
    pg_journal_columns(out, j, false, "OLD.");
    bo_buf_add_str(out, ";\n");
}

/* INSERT ... SELECT of the rows `r` of a transition table */
static void add_insert_rows(bo_buf *out, const pg_journal *j, char operation, bool keys,
    const char *from, const char *writer)
{
    bool first = true;
    add_insert(out, j, operation, keys, writer);
    for (uint16_t i = 0; i < j->count; i++) {
        if (keys && !pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        add_value(out, j, i, "r");
    }
    bo_buf_add_str(out, " FROM ");
    add_rows(out, j, keys, from, "r");
}

/* ---- one row, or many ---- */

/*
 * Most statements write one row, and then every node of a plan is seen in the rate of transactions.
 * So there is a statement for a single row, without anything that is reckoned once for all of them;
 * where it does nothing there was no row, or there were many.
 */
static void add_insert_one(
    bo_buf *out, const pg_journal *j, char operation, bool keys, const char *from)
{
    add_insert_rows(out, j, operation, keys, from, WRITER);
    bo_buf_printf(out, " WHERE NOT EXISTS (SELECT FROM %s OFFSET 1)", from);
}

static void begin_many(bo_buf *out, const char *from, const char *variables)
{
    bo_buf_printf(out,
        ";\nIF NOT FOUND THEN\nIF EXISTS (SELECT FROM %s) THEN\n<<writer>>\nDECLARE\n"
        "xid pg_catalog.xid8 := pg_catalog.pg_current_xact_id();\n"
        "name pg_catalog.text := SESSION_USER;\n"
        "app pg_catalog.text := pg_catalog.current_setting('application_name');\n"
        "run pg_catalog.text := pg_catalog.current_setting('backout.run', true);\n"
        "%sBEGIN\n",
        from, variables);
}

static void end_many(bo_buf *out)
{
    bo_buf_add_str(out, ";\nEND;\nEND IF;\nEND IF;\n");
}

void pg_journal_insert_rows(
    bo_buf *out, const pg_journal *j, char operation, bool keys, const char *from)
{
    add_insert_one(out, j, operation, keys, from);
    begin_many(out, from, "");
    add_insert_rows(out, j, operation, keys, from, WRITER_KNOWN);
    end_many(out);
}

/* ---- keys that move ---- */

/* A hash of the key `k`.  That of a column is the seed for that of the next; the first seed is new
 * for each statement. */
static void add_key_hash(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) hash = {0};
    bo_buf_add_str(&hash, "writer.seed");
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        const char *function = pg_journal_hash(j, i);
        BO_OWN_VALUE(bo_buf) seed = hash;
        hash = (bo_buf){0};
        bo_buf_printf(&hash, "pg_catalog.%s(%sk.i%u%s, %s)",
            *function ? function : "hash_record_extended", *function ? "" : "ROW(", i,
            *function ? "" : ")", bo_buf_str(&seed));
        out->failed |= seed.failed;
    }
    bo_buf_add_str(out, bo_buf_str(&hash));
    out->failed |= hash.failed;
}

/* i0, ...: the identities of a transition table's keys */
static void add_identities(bo_buf *out, const pg_journal *j, const char *from)
{
    bool first = true;
    bo_buf_add_str(out, "SELECT ");
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        add_separator(out, &first);
        add_identity(out, j, i, "r");
        bo_buf_printf(out, " AS i%u", i);
    }
    bo_buf_add_str(out, " FROM ");
    add_rows(out, j, true, from, "r");
}

/* 0: the keys before the statement and after it are the same ones. */
static void add_difference(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "(SELECT pg_catalog.bit_xor(");
    add_key_hash(out, j);
    bo_buf_add_str(out, ") FROM (");
    add_identities(out, j, "backout_old");
    bo_buf_add_str(out, " UNION ALL ");
    add_identities(out, j, "backout_new");
    bo_buf_add_str(out, ") AS k)");
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
 * row more than once when foreign keys cascade; where rows came as often as they left, the key was
 * free if the first of them came: `o` numbers old and new rows alike.  `after` is what follows the
 * name of the table.
 */
static void add_came(bo_buf *out, bo_buf *after, const pg_journal *j)
{
    add_insert(out, j, 'I', true, WRITER_GIVEN);
    add_key_names(out, j, "k.v#");
    bo_buf_add_str(out, " FROM (SELECT ");
    add_key_names(out, j, "x.i#, x.v#");
    bo_buf_add_str(out, ", pg_catalog.sum(x.d) AS came FROM (SELECT ");
    add_key_columns(out, j, "r");
    bo_buf_add_str(out, "1 AS d, pg_catalog.row_number() OVER () AS o FROM ");
    add_rows(out, j, true, "backout_new", "r");
    bo_buf_add_str(out, " UNION ALL SELECT ");
    add_key_columns(out, j, "r");
    bo_buf_add_str(out, "-1, pg_catalog.row_number() OVER () FROM ");
    add_rows(out, j, true, "backout_old", "r");
    bo_buf_add_str(out, ") AS x GROUP BY ");
    add_key_names(out, j, "x.i#, x.v#");
    bo_buf_add_str(out, " HAVING pg_catalog.max(x.d) OPERATOR(pg_catalog.>) 0"
                        " AND (pg_catalog.sum(x.d) OPERATOR(pg_catalog.<>) 0"
                        " OR pg_catalog.min(x.o) FILTER (WHERE x.d OPERATOR(pg_catalog.>) 0)"
                        " OPERATOR(pg_catalog.<)"
                        " pg_catalog.min(x.o) FILTER (WHERE x.d OPERATOR(pg_catalog.<) 0)))"
                        " AS k LEFT JOIN (");
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
        " WHERE k.came OPERATOR(pg_catalog.>=) CASE WHEN t.c%u IS NULL THEN 0 ELSE 1 END",
        first_key(j));
}

static void add_same(
    bo_buf *out, const pg_journal *j, uint16_t i, const char *rows, const char *others)
{
    bo_buf_add_str(out, " AND ");
    add_identity(out, j, i, rows);
    bo_buf_add_str(out, " OPERATOR(pg_catalog.=) ");
    add_identity(out, j, i, others);
}

/*
 * The rows whose key left and is taken again: by a nested statement, whose `I` is journalled
 * already. A `D` says that the key was free then.
 */
static void add_left(bo_buf *out, bo_buf *after, const pg_journal *j)
{
    add_insert_rows(out, j, 'D', false, "backout_old", WRITER_GIVEN);
    bo_buf_add_str(out, " WHERE NOT EXISTS (SELECT FROM ");
    add_rows(out, j, true, "backout_new", "n");
    bo_buf_add_str(out, " WHERE true");
    for (uint16_t i = 0; i < j->count; i++) {
        if (pg_journal_is_key(j, i))
            add_same(out, j, i, "r", "n");
    }
    bo_buf_add_str(out, ") AND EXISTS (SELECT FROM ");
    add_rows_head(out, j, true);
    bo_buf_add_str(out, j->table->kind == 'p' ? "" : "ONLY ");
    add_rows_tail(after, j, true, "t");
    bo_buf_add_str(after, " WHERE true");
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_add_str(after, " AND ");
        add_value(after, j, i, "t");
        bo_buf_printf(after, " %s ", pg_journal_equal(j, i));
        add_value(after, j, i, "r");
        add_same(after, j, i, "t", "r");
    }
    bo_buf_add_str(after, ")");
}

/* Transition tables need no right; the table may belong to somebody else by then. */
static void add_may_read(bo_buf *out, const char *relation)
{
    bo_buf_printf(out,
        "pg_catalog.has_table_privilege(%s, 'SELECT') AND NOT pg_catalog.row_security_active(%s)",
        relation, relation);
}

/* EXECUTE, planned anew by its size: `before`, the name of the table, `after`. */
static void add_execute(
    bo_buf *out, const bo_buf *before, const char *relation, const bo_buf *after)
{
    bo_buf_add_str(out, "EXECUTE pg_catalog.concat(");
    pg_quote_literal(out, bo_buf_str(before));
    bo_buf_printf(out, ", %s::pg_catalog.regclass, ", relation);
    pg_quote_literal(out, bo_buf_str(after));
    bo_buf_add_str(out, ") USING " WRITER ";\n");
    out->failed |= before->failed || after->failed;
}

/* A nested statement of this transaction has brought keys. */
#define CAME "'backout.came_%s'"

void pg_journal_note_came(bo_buf *out, const pg_journal *j)
{
    bo_buf_printf(out, "PERFORM pg_catalog.set_config(" CAME ", 'yes', true);\n", j->table->id);
}

/* Journals what came, if the table may be read.  `if_moved`: "", of a nested statement, or
 * "CONDITION AND ". */
static void add_moved(bo_buf *out, const pg_journal *j, const char *if_moved)
{
    BO_OWN_VALUE(bo_buf) before = {0};
    BO_OWN_VALUE(bo_buf) after = {0};
    BO_OWN_VALUE(bo_buf) relation = {0};
    add_came(&before, &after, j);
    bo_buf_printf(&relation, "%s::pg_catalog.oid", j->table->id);
    out->failed |= relation.failed;
    bo_buf_printf(out, "IF %s", if_moved);
    add_may_read(out, bo_buf_str(&relation));
    bo_buf_add_str(out, " THEN\n");
    add_execute(out, &before, bo_buf_str(&relation), &after);
    if (*if_moved) {
        bo_buf_clear(&before);
        bo_buf_clear(&after);
        add_left(&before, &after, j);
        bo_buf_printf(out,
            "IF pg_catalog.current_setting(" CAME ", true) OPERATOR(pg_catalog.=) 'yes' THEN\n",
            j->table->id);
        add_execute(out, &before, bo_buf_str(&relation), &after);
        bo_buf_add_str(out, "END IF;\n");
    } else {
        pg_journal_note_came(out, j);
    }
    bo_buf_add_str(out, "END IF;\n");
}

/* The row `r` has the key that the first of backout_new has. */
static void add_key_stayed(bo_buf *out, const pg_journal *j)
{
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_add_str(out, " AND ");
        add_identity(out, j, i, "r");
        bo_buf_add_str(out, " OPERATOR(pg_catalog.=) (SELECT ");
        add_identity(out, j, i, "n");
        bo_buf_add_str(out, " FROM ");
        add_rows(out, j, true, "backout_new", "n");
        bo_buf_add_str(out, " LIMIT 1)");
    }
}

/* Which of the statements that are under way, one in the other, has moved a key. */
static void add_moved_name(bo_buf *out, const pg_journal *j)
{
    bo_buf_printf(
        out, "pg_catalog.concat('backout.moved_%s_', pg_catalog.pg_trigger_depth())", j->table->id);
}

static void set_moved(bo_buf *out, const pg_journal *j, const char *value)
{
    bo_buf_add_str(out, "PERFORM pg_catalog.set_config(");
    add_moved_name(out, j);
    bo_buf_printf(out, ", '%s', true);\n", value);
}

void pg_journal_note_moved(bo_buf *out, const pg_journal *j)
{
    set_moved(out, j, "yes");
}

void pg_journal_forget_moved(bo_buf *out, const pg_journal *j)
{
    set_moved(out, j, "");
}

void pg_journal_has_moved(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "COALESCE(pg_catalog.current_setting(");
    add_moved_name(out, j);
    bo_buf_add_str(out, ", true), '') OPERATOR(pg_catalog.=) 'yes'");
}

static void insert_updated_nested(bo_buf *out, const pg_journal *j)
{
    bo_buf_add_str(out, "IF ");
    pg_journal_has_moved(out, j);
    bo_buf_add_str(out, " THEN\n");
    pg_journal_forget_moved(out, j);
    add_moved(out, j, "");
    bo_buf_add_str(out, "END IF;\n");
}

void pg_journal_insert_updated(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) difference = {0};
    add_difference(&difference, j);
    bo_buf_add_str(&difference, " OPERATOR(pg_catalog.<>) 0 AND ");
    out->failed |= difference.failed;
    bo_buf_add_str(out, "IF " PG_JOURNAL_NESTED " THEN\n");
    insert_updated_nested(out, j);
    bo_buf_add_str(out, "RETURN NULL;\nEND IF;\n");
    add_insert_one(out, j, 'U', false, "backout_old");
    add_key_stayed(out, j);
    begin_many(out, "backout_old",
        "seed pg_catalog.int8 := pg_catalog.hashfloat8extended("
        "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()), 0);\n");
    add_moved(out, j, bo_buf_str(&difference));
    add_insert_rows(out, j, 'U', false, "backout_old", WRITER_KNOWN);
    end_many(out);
}

/* The name of the table that is emptied is known only then: a partition, or renamed since. */
void pg_journal_insert_emptied(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) before = {0};
    BO_OWN_VALUE(bo_buf) after = {0};
    bool first = true;
    add_insert(&before, j, 'T', false, WRITER_GIVEN);
    for (uint16_t i = 0; i < j->count; i++) {
        add_separator(&before, &first);
        add_value(&before, j, i, "r");
    }
    bo_buf_add_str(&before, " FROM ");
    add_rows_head(&before, j, false);
    bo_buf_add_str(&before, "ONLY ");
    add_rows_tail(&after, j, false, "r");
    bo_buf_add_str(out, "IF ");
    add_may_read(out, "TG_RELID");
    bo_buf_add_str(out, " THEN\n");
    add_execute(out, &before, "TG_RELID", &after);
    bo_buf_add_str(out, "END IF;\n");
}
