/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/statements.c - random statements.  Some of them fail, as users' statements do. */
#include <string.h>

#include "property/statements.h"

/* Bits of the columns that a statement gives values to. */
static unsigned given_columns(const table_def *t, dice *d)
{
    unsigned given = 0;
    for (unsigned i = 0; i < t->column_count; i++) {
        const column_def *c = &t->columns[i];
        bool left_to_database = c->generated || (c->counted && dice_chance(d, 50)) ||
                                (c->fallback && dice_chance(d, 50));
        given |= left_to_database ? 0 : 1u << i;
    }
    return given;
}

/* "id + 30, n": `shift` stands behind the numbers of the key. */
static void add_columns(
    const schema *s, const table_def *t, unsigned given, const char *shift, bo_buf *out)
{
    const char *between = "";
    for (unsigned i = 0; i < t->column_count; i++) {
        if (!(given >> i & 1))
            continue;
        bool moves = schema_is_key(t, i) && t->columns[i].kind == kind_of_numbers(s->engine);
        bo_buf_add_str(out, between);
        schema_quote(s, out, t->columns[i].name);
        bo_buf_add_str(out, moves ? shift : "");
        between = ", ";
    }
}

void statement_list(const schema *s, const table_def *t, unsigned given, bo_buf *out)
{
    bo_buf_add_str(out, "(");
    add_columns(s, t, given, "", out);
    bo_buf_add_str(out, ")");
}

void statement_copy(
    const schema *s, const table_def *t, bool replaced, const char *shift, bo_buf *out)
{
    unsigned given = 0;
    for (unsigned i = 0; i < t->column_count; i++)
        if (!t->columns[i].generated && (replaced || strcmp(t->columns[i].name, "u") != 0))
            given |= 1u << i;
    statement_list(s, t, given, out);
    bo_buf_add_str(out, " SELECT ");
    add_columns(s, t, given, shift, out);
}

void statement_insert(const schema *s, unsigned table, const char *verb, unsigned rows, int first,
    dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    unsigned given = given_columns(t, d);
    bo_buf_printf(out, "%s INTO %s ", verb, t->name);
    statement_list(s, t, given, out);
    bo_buf_add_str(out, " VALUES ");
    for (unsigned r = 0; r < rows; r++) {
        const char *between = r ? ", (" : "(";
        for (unsigned i = 0; i < t->column_count; i++) {
            if (!(given >> i & 1))
                continue;
            bool fresh = first < 0 && dice_chance(d, 75);
            bo_buf_printf(out, "%s%s", between,
                first < 0 && !fresh ? schema_value(s, table, i, d)
                                    : schema_first_value(s, table, i,
                                          fresh ? 6 + dice_roll(d, 7) : (unsigned)first, d));
            between = ", ";
        }
        bo_buf_add_str(out, ")");
    }
}

const char *statement_take(bo_buf *sql, bo_arena *arena)
{
    const char *text = bo_arena_str(arena, bo_buf_str(sql));
    bo_buf_done(sql);
    return text;
}

const char *statement_first(const schema *s, unsigned table, unsigned nth, dice *d, bo_arena *arena)
{
    bo_buf sql = {0};
    statement_insert(s, table, "INSERT", 1, (int)nth, d, &sql);
    return statement_take(&sql, arena);
}

/* Of a row that is there from the beginning, mostly. */
static const char *known_value(const schema *s, unsigned table, unsigned column, dice *d)
{
    return dice_chance(d, 85) ? schema_first_value(s, table, column, dice_roll(d, 6), d)
                              : schema_value(s, table, column, d);
}

void statement_condition(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    unsigned column = t->key_count ? t->key[dice_roll(d, t->key_count)]
                                   : (unsigned)schema_column(t, PLAIN_COLUMN);
    unsigned how = dice_roll(d, 100);
    const char *plain = PLAIN_COLUMN;
    if (how < 50) {
        schema_quote(s, out, t->columns[column].name);
        bo_buf_printf(out, " = %s", known_value(s, table, column, d));
    } else if (how < 76) {
        schema_quote(s, out, t->columns[column].name);
        bo_buf_printf(out, " IN (%s, %s)", known_value(s, table, column, d),
            known_value(s, table, column, d));
    } else if (how < 84) {
        bo_buf_printf(out, "%s > %u", plain, 6 + dice_roll(d, 7));
    } else if (how < 90) {
        bo_buf_printf(out, "%s IS NULL", plain);
    } else if (how < 97 && t->link_count) {
        column = t->links[0].columns[0];
        schema_quote(s, out, t->columns[column].name);
        bo_buf_printf(out, " = %s", known_value(s, table, column, d));
    } else {
        bo_buf_add_str(out, "1 = 1");
    }
}

static void write_assignment(const schema *s, unsigned table, unsigned column, dice *d, bo_buf *out)
{
    const column_def *c = &s->tables[table].columns[column];
    bool number = c->kind == kind_of_numbers(s->engine);
    schema_quote(s, out, c->name);
    bo_buf_add_str(out, " = ");
    if (number && dice_chance(d, 30)) {
        static const char *const sums[] = {" + 1", " + 20", " * -1", " - 1", ""};
        schema_quote(s, out, c->name);
        bo_buf_add_str(out, sums[dice_roll(d, sizeof sums / sizeof *sums)]);
    } else {
        bo_buf_add_str(out, schema_value(s, table, column, d));
    }
}

static void write_update(const schema *s, unsigned table, const char *verb, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    unsigned set = 0, count = 1 + dice_roll(d, 2);
    for (unsigned i = 0; i < 12 && count; i++) {
        unsigned column = dice_roll(d, t->column_count);
        if (t->columns[column].generated || (schema_is_key(t, column) && dice_chance(d, 50)))
            continue;
        count -= !(set >> column & 1);
        set |= 1u << column;
    }
    if (!set)
        set = 1u << schema_column(t, PLAIN_COLUMN);
    bo_buf_printf(out, "%s %s SET ", verb, t->name);
    const char *between = "";
    for (unsigned i = 0; i < t->column_count; i++) {
        if (!(set >> i & 1))
            continue;
        bo_buf_add_str(out, between);
        write_assignment(s, table, i, d, out);
        between = ", ";
    }
    bo_buf_add_str(out, " WHERE ");
    statement_condition(s, table, d, out);
}

/* Keys or unique values of two rows change places, by way of a third value. */
static bool write_exchange(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    int column = schema_column(t, "u");
    if (column < 0 || dice_chance(d, 40))
        column = t->key_count == 1 ? (int)t->key[0] : column;
    if (column < 0 || t->columns[column].kind != kind_of_numbers(s->engine))
        return false;
    const char *name = t->columns[column].name;
    unsigned a = dice_roll(d, 9), b = 1 + dice_roll(d, 9);
    bo_buf_printf(out,
        "UPDATE %s SET %s = 77 WHERE %s = %u; UPDATE %s SET %s = %u WHERE %s = %u;"
        " UPDATE %s SET %s = %u WHERE %s = 77",
        t->name, name, name, a, t->name, name, a, name, b, t->name, name, b, name);
    return true;
}

static void write_upsert(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    unsigned rows = 1 + dice_chance(d, 25), how = dice_roll(d, 3);
    if (s->engine == ON_POSTGRES && s->has_triggers)
        rows = 1; /* docs/guide/limits.md: a statement that both inserts and updates */
    static const char *const verbs[][3] = {{"INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT"},
        {"INSERT", "INSERT", "INSERT"}, {"REPLACE", "INSERT IGNORE", "INSERT"}};
    statement_insert(s, table, verbs[s->engine][how], rows, -1, d, out);
    if (how == 2 && s->engine == ON_MARIADB)
        bo_buf_add_str(out, " ON DUPLICATE KEY UPDATE n = 5");
    else if (how == 1 && s->engine == ON_POSTGRES)
        bo_buf_add_str(out, " ON CONFLICT DO NOTHING");
    else if (t->key_count && (how == 2 || s->engine == ON_POSTGRES)) {
        bo_buf_printf(out, " ON CONFLICT (");
        for (unsigned i = 0; i < t->key_count; i++) {
            bo_buf_add_str(out, i ? ", " : "");
            schema_quote(s, out, t->columns[t->key[i]].name);
        }
        bo_buf_add_str(out, ") DO UPDATE SET n = 5");
    }
}

/* Rows again under other keys. */
static bool write_copy(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    bool numbered = t->key_count == 1 && t->columns[t->key[0]].kind == kind_of_numbers(s->engine);
    if (t->key_count && !numbered)
        return false;
    bo_buf_printf(out, "INSERT INTO %s ", t->name);
    statement_copy(s, t, false, " + 30", out);
    bo_buf_printf(out, " FROM %s WHERE ", t->name);
    statement_condition(s, table, d, out);
    return true;
}

const char *statement_random(const schema *s, dice *d, bo_arena *arena)
{
    unsigned table = dice_roll(d, s->count), how = dice_roll(d, 100);
    bo_buf sql = {0};
    if (how < 6 && write_exchange(s, table, d, &sql))
        return statement_take(&sql, arena);
    if (how >= 6 && how < 10 && write_copy(s, table, d, &sql))
        return statement_take(&sql, arena);
    if (how < 35) {
        statement_insert(s, table, "INSERT", 1 + dice_roll(d, 8) / 6, -1, d, &sql);
    } else if (how < 76) {
        bool replaces = s->engine == ON_SQLITE && dice_chance(d, 15);
        bool ignores = s->engine == ON_MARIADB && dice_chance(d, 10);
        const char *verb = replaces ? "UPDATE OR REPLACE" : ignores ? "UPDATE IGNORE" : "UPDATE";
        write_update(s, table, verb, d, &sql);
    } else if (how < 85) {
        write_upsert(s, table, d, &sql);
    } else {
        bo_buf_printf(&sql, "DELETE FROM %s WHERE ", s->tables[table].name);
        statement_condition(s, table, d, &sql);
    }
    return statement_take(&sql, arena);
}
