/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/statements_wide.c - statements that read or write several tables, move many keys,
 * or do several things at once, as each engine has them. */
#include <string.h>

#include "property/statements.h"

enum { MOVED = 20, MOVED_FAR = 30 };

static bool is_number(const schema *s, const column_def *c)
{
    return c->kind == kind_of_numbers(s->engine) && !c->generated;
}

/* A column of numbers: the plain one, a key, a unique one. */
static const char *number_column(const schema *s, const table_def *t, dice *d)
{
    unsigned column = dice_roll(d, t->column_count);
    return is_number(s, &t->columns[column]) ? t->columns[column].name : PLAIN_COLUMN;
}

/* The key, or the unique column, where it is one number. */
static const char *distinct_number(const schema *s, const table_def *t, dice *d)
{
    bool by_key = t->key_count == 1 && is_number(s, &t->columns[t->key[0]]);
    bool has_unique = schema_column(t, "u") >= 0; /* a number */
    if (has_unique && (!by_key || dice_chance(d, 40)))
        return "u";
    return by_key ? t->columns[t->key[0]].name : NULL;
}

static const link_def *single_link(const table_def *t, dice *d)
{
    const link_def *l = t->link_count ? &t->links[dice_roll(d, t->link_count)] : NULL;
    return l && l->count == 1 ? l : NULL;
}

static void write_join(
    const schema *s, const char *child, const table_def *t, const link_def *l, bo_buf *out)
{
    const char *referred = s->tables[l->parent].columns[l->parent_columns[0]].name;
    bo_buf_printf(out, "%s.%s = o.%s", child, t->columns[l->columns[0]].name, referred);
}

/* UPDATE ... FROM; on MariaDB, of both tables. */
static bool write_joined_update(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    const link_def *l = single_link(t, d);
    if (!l)
        return false;
    const char *parent = s->tables[l->parent].name, *set = number_column(s, t, d);
    unsigned more = dice_roll(d, 2) * MOVED;
    if (s->engine == ON_MARIADB) {
        bo_buf_printf(out, "UPDATE %s AS c JOIN %s AS o ON ", t->name, parent);
        write_join(s, "c", t, l, out);
        bo_buf_printf(out, " SET c.%s = o.n + %u", set, more);
        if (dice_chance(d, 50))
            bo_buf_printf(out, ", o.%s = o.%s + %u", number_column(s, &s->tables[l->parent], d),
                PLAIN_COLUMN, more);
        return true;
    }
    bo_buf_printf(
        out, "UPDATE %s SET %s = o.n + %u FROM %s AS o WHERE ", t->name, set, more, parent);
    write_join(s, t->name, t, l, out);
    if (dice_chance(d, 50))
        bo_buf_printf(out, " AND o.n > %u", dice_roll(d, 8));
    return true;
}

static bool write_joined_delete(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    const link_def *l = single_link(t, d);
    if (!l)
        return false;
    const table_def *parent = &s->tables[l->parent];
    if (s->engine == ON_SQLITE) {
        bo_buf_printf(out, "DELETE FROM %s WHERE %s IN (SELECT o.%s FROM %s AS o WHERE ", t->name,
            t->columns[l->columns[0]].name, parent->columns[l->parent_columns[0]].name,
            parent->name);
    } else if (s->engine == ON_POSTGRES) {
        bo_buf_printf(out, "DELETE FROM %s USING %s AS o WHERE ", t->name, parent->name);
        write_join(s, t->name, t, l, out);
        bo_buf_add_str(out, " AND ");
    } else {
        bo_buf_printf(out, "DELETE c%s FROM %s AS c JOIN %s AS o ON ",
            dice_chance(d, 50) ? ", o" : "", t->name, parent->name);
        write_join(s, "c", t, l, out);
        bo_buf_add_str(out, " WHERE ");
    }
    bo_buf_printf(out, "o.n > %u%s", 3 + dice_roll(d, 7), s->engine == ON_SQLITE ? ")" : "");
    return true;
}

/* Every key or unique value moves, some to where another was. */
static bool write_shift(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    static const char *const moves[] = {"%s + 1", "%s - 1", "-%s", "9 - %s", "%s + 40"};
    const table_def *t = &s->tables[table];
    const char *name = distinct_number(s, t, d);
    if (!name)
        return false;
    const char *move = moves[dice_roll(d, sizeof moves / sizeof *moves)], *at = strstr(move, "%s");
    bo_buf_printf(out, "UPDATE %s SET %s = %.*s%s%s WHERE %s %s %u", t->name, name,
        (int)(at - move), move, name, at + 2, name, dice_chance(d, 50) ? ">" : "<",
        dice_roll(d, 8));
    if (s->engine == ON_MARIADB)
        bo_buf_printf(out, " ORDER BY %s%s", name, dice_chance(d, 60) ? " DESC" : "");
    if (s->engine == ON_MARIADB && dice_chance(d, 30))
        bo_buf_add_str(out, " LIMIT 2");
    return true;
}

/* INSERT, and what is there already changes, its key too. */
static bool write_upsert(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    const char *name = distinct_number(s, t, d), *set = number_column(s, t, d);
    bool two = dice_chance(d, 40) && !(s->engine == ON_POSTGRES && s->has_triggers);
    if (!name || strcmp(set, "r1") == 0)
        return false;
    statement_insert(s, table, "INSERT", two ? 2 : 1, -1, d, out);
    if (s->engine == ON_MARIADB)
        bo_buf_printf(out, " ON DUPLICATE KEY UPDATE %s = %s.%s + %u%s", set, t->name, set,
            dice_roll(d, 2) * MOVED, strcmp(set, PLAIN_COLUMN) == 0 ? "" : ", n = VALUES(n)");
    else
        bo_buf_printf(out, " ON CONFLICT (%s) DO UPDATE SET %s = %s.%s + %u%s", name, set, t->name,
            set, dice_roll(d, 2) * MOVED, dice_chance(d, 40) ? " WHERE excluded.n > 4" : "");
    return true;
}

/* Rows take the place of others. */
static bool write_replace(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    static const char *const shifts[] = {"", " + 1", " - 2"};
    const table_def *t = &s->tables[table];
    if (s->engine == ON_POSTGRES || !t->key_count)
        return false;
    bo_buf_printf(out, "REPLACE INTO %s ", t->name);
    statement_copy(s, t, true, shifts[dice_roll(d, 3)], out);
    bo_buf_printf(out, " FROM %s WHERE ", t->name);
    statement_condition(s, table, d, out);
    return true;
}

/* docs/guide/limits.md: of captured tables with triggers, none that writes in more than one way. */
static bool may_mix(const schema *s)
{
    return s->engine == ON_POSTGRES && !s->has_triggers;
}

/* A row goes and comes in one statement of PostgreSQL, under its key or another. */
static bool write_with_delete(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    if (!may_mix(s))
        return false;
    bo_buf_printf(out, "WITH gone AS (DELETE FROM %s WHERE ", t->name);
    statement_condition(s, table, d, out);
    bo_buf_printf(out, " RETURNING *) INSERT INTO %s ", t->name);
    statement_copy(s, t, true, dice_chance(d, 50) ? " + 30" : "", out);
    bo_buf_add_str(out, " FROM gone");
    if (dice_chance(d, 30))
        bo_buf_add_str(out, " LIMIT 1");
    return true;
}

static bool write_with_insert(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *other = &s->tables[dice_roll(d, s->count)];
    if (!may_mix(s))
        return false;
    bo_buf_add_str(out, "WITH made AS (");
    statement_insert(s, table, "INSERT", 1 + dice_roll(d, 2), -1, d, out);
    bo_buf_printf(out, " RETURNING n) UPDATE %s SET n = made.n FROM made WHERE %s.n > %u",
        other->name, other->name, dice_roll(d, 9));
    return true;
}

static bool write_merge(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    const table_def *t = &s->tables[table];
    const char *name = distinct_number(s, t, d);
    bool removes = dice_chance(d, 60), inserts = may_mix(s) && dice_chance(d, 60);
    if (s->engine != ON_POSTGRES || !name)
        return false;
    bo_buf_printf(out, "MERGE INTO %s USING (", t->name);
    if (dice_chance(d, 50))
        bo_buf_printf(out, "SELECT %s + 1, n FROM %s WHERE n > 2", name, t->name);
    else
        bo_buf_printf(out, "VALUES (%u, 8), (%u, 3)", dice_roll(d, 7), 7 + dice_roll(d, 7));
    bo_buf_printf(out, ") AS s (k, v) ON %s.%s = s.k", t->name, name);
    if (removes)
        bo_buf_printf(out, " WHEN MATCHED AND s.v > %u THEN DELETE", 4 + dice_roll(d, 9));
    if (!removes || (may_mix(s) && dice_chance(d, 70)))
        bo_buf_printf(out, " WHEN MATCHED THEN UPDATE SET %s = s.v + %u", number_column(s, t, d),
            dice_roll(d, 2) * MOVED_FAR);
    if (inserts)
        bo_buf_printf(out, " WHEN NOT MATCHED THEN INSERT (%s%s) VALUES (s.k%s)", name,
            strcmp(name, "n") ? ", n" : "", strcmp(name, "n") ? ", s.v" : "");
    return true;
}

static bool write_empty(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    bo_buf_printf(out, "DELETE FROM %s", s->tables[table].name);
    if (s->engine == ON_MARIADB)
        bo_buf_printf(out, " ORDER BY n%s LIMIT 2", dice_chance(d, 50) ? " DESC" : "");
    return true;
}

/* Past the table that it belongs to. */
static bool write_partition(const schema *s, unsigned table, dice *d, bo_buf *out)
{
    schema other = *s;
    table_def *t = &other.tables[table];
    if (s->engine != ON_POSTGRES || t->split_by < 0)
        return false;
    (void)snprintf(
        t->name, sizeof t->name, "%s_p%u", s->tables[table].tag, 1 + dice_roll(d, PARTITIONS));
    unsigned how = dice_roll(d, 3);
    if (how == 0) {
        statement_insert(&other, table, "INSERT", 1 + dice_roll(d, 2), -1, d, out);
        return true;
    }
    if (how == 1)
        bo_buf_printf(out, "DELETE FROM %s WHERE ", t->name);
    else
        bo_buf_printf(out, "UPDATE %s SET n = %u WHERE ", t->name, dice_roll(d, 12));
    statement_condition(&other, table, d, out);
    return true;
}

const char *statement_wide(const schema *s, dice *d, bo_arena *arena)
{
    typedef bool writer(const schema *, unsigned, dice *, bo_buf *);
    static writer *const writers[] = {write_joined_update, write_joined_delete, write_shift,
        write_shift, write_upsert, write_upsert, write_replace, write_replace, write_with_delete,
        write_with_delete, write_with_insert, write_merge, write_merge, write_empty,
        write_partition, write_partition};
    BO_OWN_VALUE(bo_buf) sql = {0};
    while (sql.size == 0)
        (void)writers[dice_roll(d, sizeof writers / sizeof *writers)](
            s, dice_roll(d, s->count), d, &sql);
    return statement_take(&sql, arena);
}

const char *statement_truncate(const schema *s, dice *d, bo_arena *arena)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    unsigned tables = 1 + dice_roll(d, (1u << s->count) - 1);
    const char *between = "TRUNCATE ";
    for (unsigned i = 0; i < s->count; i++) {
        if (!(tables >> i & 1))
            continue;
        bo_buf_printf(&sql, "%s%s", between, s->tables[i].name);
        between = ", ";
    }
    if (dice_chance(d, 30))
        bo_buf_add_str(&sql, " RESTART IDENTITY");
    return statement_take(&sql, arena);
}
