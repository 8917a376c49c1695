/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/triggers.c - random triggers of users: they set values, refuse and leave out rows,
 * keep a log, count in other rows, and write whatever they like. */
#include <assert.h>
#include <string.h>

#include "property/history.h"

enum { TRIGGERS_MAX = 4, TRIES = 8 };

typedef enum event { ON_INSERT, ON_UPDATE, ON_DELETE, EVENTS } event;

struct draft {
    schema *s;
    dice *d;
    bo_arena *arena;
    unsigned table;
    event on;
    bool before, by_statement;
    bool ends;             /* what it writes to has no triggers */
    bool at_insert_too;    /* MariaDB: what holds for each row, whatever writes it */
    const char *condition; /* over NEW and OLD, or NULL */
    bo_buf body;           /* ends without a semicolon */
};

static const table_def *table_of(const struct draft *m)
{
    return &m->s->tables[m->table];
}

static const char *image(const struct draft *m)
{
    return m->on == ON_INSERT ? "NEW" : m->on == ON_DELETE || dice_chance(m->d, 50) ? "OLD" : "NEW";
}

static bool is_number(const struct draft *m, unsigned table, unsigned column)
{
    return m->s->tables[table].columns[column].kind == kind_of_numbers(m->s->engine);
}

/* ---- BEFORE: the row itself ---- */

static void assign(struct draft *m, const char *column, const char *value)
{
    const bool on_mariadb = m->s->engine == ON_MARIADB;
    bo_buf_add_str(&m->body, on_mariadb ? "SET NEW." : "NEW.");
    schema_quote(m->s, &m->body, column);
    bo_buf_printf(&m->body, "%s%s", on_mariadb ? " = " : " := ", value);
}

/* The column of NEW, or the value where that is NULL. */
static const char *or_else(const struct draft *m, const char *column, const char *value)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_buf_add_str(&text, "COALESCE(NEW.");
    schema_quote(m->s, &text, column);
    bo_buf_printf(&text, ", %s)", value);
    return bo_arena_str(m->arena, bo_buf_str(&text));
}

/* A column that is no key, or, as it is inserted, one that is. */
static unsigned payload(const struct draft *m)
{
    const table_def *t = table_of(m);
    unsigned column = dice_roll(m->d, t->column_count);
    bool bound = schema_is_link(t, column) || t->columns[column].generated;
    for (unsigned u = 0; u < t->unique_count; u++)
        for (unsigned i = 0; i < t->uniques[u].count; i++)
            bound = bound || t->uniques[u].columns[i] == column;
    return bound || schema_is_key(t, column) ? (unsigned)schema_column(t, PLAIN_COLUMN) : column;
}

/* A rollback on MariaDB finds nothing to do for a trigger that did its work when the row came. */
static bool sets(struct draft *m)
{
    const table_def *t = table_of(m);
    if (m->s->engine == ON_SQLITE || m->on == ON_DELETE)
        return false;
    m->before = true;
    unsigned key = t->key_count ? t->key[0] : 0;
    if (m->s->engine == ON_POSTGRES && m->on == ON_INSERT && t->key_count &&
        is_number(m, m->table, key) && dice_chance(m->d, 25)) {
        bo_buf_printf(
            &m->body, "NEW.%s := NEW.%s + 30", t->columns[key].name, t->columns[key].name);
        return true;
    }
    unsigned column = payload(m);
    const char *name = t->columns[column].name, *value = "ABS(NEW." PLAIN_COLUMN ")";
    bool plain = strcmp(name, PLAIN_COLUMN) == 0;
    if (!plain)
        value = or_else(m, name, schema_first_value(m->s, m->table, column, 1, m->d));
    else if (m->on == ON_UPDATE && dice_chance(m->d, 40))
        value = "COALESCE(OLD." PLAIN_COLUMN ", 0) + 1";
    bool settled = value[0] != 'C' || !plain;
    m->at_insert_too = settled;
    m->s->unsettled = m->s->unsettled || !settled;
    assign(m, name, value);
    return true;
}

/* Rows that are left out would leave references that lead nowhere, had a foreign key's action
 * written them. */
static bool refuses(struct draft *m)
{
    static const char *const ends[] = {
        "SELECT RAISE(ABORT, 'refused')", "RAISE EXCEPTION 'refused'", "SIGNAL SQLSTATE '45000'"};
    bool leaves_out = m->s->engine != ON_MARIADB && dice_chance(m->d, 60) &&
                      (m->on == ON_INSERT || table_of(m)->link_count == 0);
    if (m->s->engine == ON_MARIADB && m->on == ON_DELETE)
        return false;
    m->before = true;
    m->at_insert_too = true;
    m->condition = bo_arena_printf(m->arena, "%s." PLAIN_COLUMN " = %u",
        m->s->engine == ON_MARIADB ? "NEW" : image(m), 5 + dice_roll(m->d, 3));
    bo_buf_add_str(&m->body, !leaves_out                 ? ends[m->s->engine]
                             : m->s->engine == ON_SQLITE ? "SELECT RAISE(IGNORE)"
                                                         : "RETURN NULL");
    return true;
}

/* ---- AFTER: other rows ---- */

static void stir(struct draft *m, unsigned table)
{
    m->s->stirred |= 1u << table;
}

static bool logs(struct draft *m)
{
    const table_def *log = &m->s->tables[m->s->count - 1], *t = table_of(m);
    static const char *const words[] = {"'a'", "'b'", "'c'"};
    const link_def *l = log->link_count ? &log->links[0] : NULL;
    bool refers = l && l->parent == m->table && m->on != ON_DELETE;
    m->before = m->s->engine != ON_MARIADB && !refers && dice_chance(m->d, 20);
    m->by_statement = m->s->engine == ON_POSTGRES && !m->before && dice_chance(m->d, 25);
    bo_buf_add_str(&m->body, "INSERT INTO log (" PLAIN_COLUMN ", " LOG_WORD);
    for (unsigned i = 0; refers && i < l->count; i++)
        bo_buf_printf(&m->body, ", %s", log->columns[l->columns[i]].name);
    const char *row = m->by_statement ? "" : image(m), *dot = m->by_statement ? "" : ".";
    bo_buf_printf(&m->body, ")%s %s%s" PLAIN_COLUMN ", %s",
        m->by_statement ? " SELECT" : " VALUES (", row, dot, words[m->on]);
    for (unsigned i = 0; refers && i < l->count; i++) {
        bo_buf_printf(&m->body, ", %s%s", m->by_statement ? "" : "NEW", dot);
        schema_quote(m->s, &m->body, t->columns[l->parent_columns[i]].name);
    }
    bo_buf_add_str(&m->body, m->by_statement ? " FROM written" : ")");
    stir(m, m->s->count - 1);
    m->ends = true;
    return true;
}

/* In the row that this one refers to, or in any that has the number; on PostgreSQL and SQLite that
 * may be one of the same table. */
static bool counts(struct draft *m)
{
    const table_def *t = table_of(m);
    const link_def *l = t->link_count ? &t->links[dice_roll(m->d, t->link_count)] : NULL;
    const char *row = image(m), *value = PLAIN_COLUMN;
    unsigned target = l ? l->parent : dice_roll(m->d, m->s->count);
    const table_def *other = &m->s->tables[target];
    bool known = l ? l->count == 1 : other->key_count == 1 && is_number(m, target, other->key[0]);
    if (!known || (m->s->engine == ON_MARIADB && target == m->table))
        return false;
    if (l)
        value = t->columns[l->columns[0]].name;
    unsigned column = l ? l->parent_columns[0] : other->key[0];
    bool may_precede =
        m->s->engine == ON_POSTGRES || (m->s->engine == ON_SQLITE && target != m->table);
    m->before = may_precede && dice_chance(m->d, 20);
    bool removes = m->s->engine != ON_MARIADB && dice_chance(m->d, 20);
    if (removes)
        bo_buf_printf(&m->body, "DELETE FROM %s WHERE ", other->name);
    else
        bo_buf_printf(&m->body,
            "UPDATE %s SET " PLAIN_COLUMN " = COALESCE(" PLAIN_COLUMN ", 0) + 1 WHERE ",
            other->name);
    schema_quote(m->s, &m->body, other->columns[column].name);
    bo_buf_printf(&m->body, " = %s.%s", row, value);
    stir(m, target);
    return true;
}

static bool runs(struct draft *m)
{
    const char *sql = ";";
    if (m->s->engine == ON_MARIADB)
        return false;
    for (unsigned i = 0; i < TRIES && (strchr(sql, ';') || strstr(sql, " SELECT ")); i++)
        sql = statement_random(m->s, m->d, m->arena);
    if (strchr(sql, ';') || strstr(sql, " SELECT ")) /* copies of copies would have no end */
        return false;
    m->before = m->s->engine == ON_POSTGRES && dice_chance(m->d, 20);
    m->by_statement = m->s->engine == ON_POSTGRES && !m->before && dice_chance(m->d, 25);
    bo_buf_add_str(&m->body, sql);
    return true;
}

/* ---- as SQL ---- */

static const char *const event_names[] = {"INSERT", "UPDATE", "DELETE"};

static void write_head(const struct draft *m, unsigned number, const char *options, bo_buf *out)
{
    const char letter = "iud"[m->on];
    const char *when = m->before ? "BEFORE" : "AFTER";
    bo_buf_printf(out, "TRIGGER user_%u%c %s %s%s ON %s ", number, letter, when, event_names[m->on],
        options, table_of(m)->name);
}

static void write_postgres(const struct draft *m, unsigned number, bo_buf *out)
{
    unsigned how = dice_roll(m->d, 100);
    bool deferred = m->ends && !m->before && !m->by_statement && how < 30;
    bo_buf_printf(out, "CREATE FUNCTION user_%u%c() RETURNS trigger LANGUAGE plpgsql%s AS $$BEGIN ",
        number, "iud"[m->on],
        how % 7 ? "" : " SECURITY DEFINER SET search_path = pg_catalog, public");
    bo_buf_printf(out, "%s; RETURN %s; END$$; CREATE %s", bo_buf_str(&m->body),
        m->on == ON_DELETE ? "OLD" : "NEW", deferred ? "CONSTRAINT " : "");
    write_head(m, number, m->on == ON_UPDATE && !m->by_statement && how > 85 ? " OF n" : "", out);
    if (deferred)
        bo_buf_add_str(out, "DEFERRABLE INITIALLY DEFERRED ");
    if (m->by_statement)
        bo_buf_printf(out, "REFERENCING %s TABLE AS written FOR EACH STATEMENT ",
            m->on == ON_DELETE || (m->on == ON_UPDATE && how % 2) ? "OLD" : "NEW");
    else
        bo_buf_add_str(out, "FOR EACH ROW ");
    bo_buf_add_str(out, "WHEN (pg_trigger_depth() < 2");
    if (m->condition && !m->by_statement)
        bo_buf_printf(out, " AND %s", m->condition);
    bo_buf_printf(out, ") EXECUTE FUNCTION user_%u%c()", number, "iud"[m->on]);
    if (dice_chance(m->d, 12))
        bo_buf_printf(out, "; ALTER TABLE %s ENABLE %s TRIGGER user_%u%c", table_of(m)->name,
            how % 2 ? "ALWAYS" : "REPLICA", number, "iud"[m->on]);
}

static void write_sqlite(const struct draft *m, unsigned number, bo_buf *out)
{
    bo_buf_add_str(out, "CREATE ");
    write_head(m, number, m->on == ON_UPDATE && dice_chance(m->d, 15) ? " OF n" : "", out);
    if (m->condition)
        bo_buf_printf(out, "WHEN %s ", m->condition);
    bo_buf_printf(out, "BEGIN %s; END", bo_buf_str(&m->body));
}

static void write_mariadb(const struct draft *m, unsigned number, bo_buf *out)
{
    bo_buf_add_str(out, m->condition ? "DELIMITER //\nCREATE " : "CREATE ");
    write_head(m, number, "", out);
    bo_buf_add_str(out, "FOR EACH ROW ");
    if (m->condition)
        bo_buf_printf(
            out, "IF %s THEN %s; END IF//\nDELIMITER ;", m->condition, bo_buf_str(&m->body));
    else
        bo_buf_add_str(out, bo_buf_str(&m->body));
}

static void add_step(history *h, unsigned at, const char *sql)
{
    assert(h->step_count < STEPS_MAX);
    memmove(&h->steps[at + 1], &h->steps[at], (h->step_count++ - at) * sizeof *h->steps);
    h->steps[at] = (step){.kind = STEP_TRIGGER, .session = 1, .sql = sql};
    h->after++;
}

static unsigned write_trigger(history *h, struct draft *m, unsigned number, unsigned at)
{
    typedef void writer(const struct draft *, unsigned, bo_buf *);
    static writer *const writers[] = {write_sqlite, write_postgres, write_mariadb};
    bool twice = m->s->engine == ON_MARIADB && m->at_insert_too;
    if (!m->condition && dice_chance(m->d, 20) && !twice)
        m->condition = bo_arena_printf(m->arena, "%s." PLAIN_COLUMN " > 4", image(m));
    for (unsigned i = 0; i <= twice; i++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        m->on = twice ? (event)i : m->on;
        writers[m->s->engine](m, number, &sql);
        add_step(h, at++, bo_arena_str(m->arena, bo_buf_str(&sql)));
    }
    return at;
}

/* The log is in some of the points; on MariaDB, where triggers write to it in a rollback, in few.
 */
static void choose_log(history *h, dice *d)
{
    unsigned log = 1u << (h->schema.count - 1);
    if (h->scope && dice_chance(d, 50))
        h->scope |= log;
    else if (!h->scope && h->schema.engine == ON_MARIADB && dice_chance(d, 70))
        h->scope = log - 1;
    if (h->tables && dice_chance(d, 50))
        h->tables |= log;
}

void triggers_make(history *h, dice *d, bo_arena *arena)
{
    typedef bool work(struct draft *);
    static work *const works[] = {sets, refuses, logs, logs, counts, counts, runs};
    unsigned count = 1 + dice_roll(d, TRIGGERS_MAX), made = 0, at = 0;
    schema_add_log(&h->schema, d);
    choose_log(h, d);
    for (unsigned i = 0; i < count * TRIES && made < count; i++) {
        struct draft m = {.s = &h->schema, .d = d, .arena = arena};
        m.table = dice_roll(d, h->schema.count - 1);
        m.on = (event)dice_roll(d, EVENTS);
        if (works[dice_roll(d, sizeof works / sizeof *works)](&m)) {
            at = write_trigger(h, &m, i, at);
            made++;
        }
        bo_buf_done(&m.body);
    }
}
