/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/partitions.c - tables in three parts, between which rows move. */
#include <string.h>

#include "property/schema.h"

static bool is_referred(const schema *s, unsigned table)
{
    for (unsigned i = 0; i < s->count; i++)
        for (unsigned l = 0; l < s->tables[i].link_count; l++)
            if (s->tables[i].links[l].parent == table)
                return true;
    return false;
}

static bool has_points(const table_def *t)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].kind->type, "point") == 0)
            return true;
    return false;
}

/* Every unique set has to have the column in it; MariaDB has no foreign keys then, and no points.
 */
static bool can_split(const schema *s, unsigned table)
{
    const table_def *t = &s->tables[table];
    if (s->engine == ON_SQLITE || t->unique_count)
        return false;
    if (s->engine == ON_POSTGRES)
        return !t->key_count || !t->columns[t->key[0]].counted;
    return !t->link_count && !is_referred(s, table) && !has_points(t);
}

void partitions_choose(schema *s, dice *d)
{
    for (unsigned i = 0; i < s->count; i++) {
        table_def *t = &s->tables[i];
        bool split = dice_chance(d, 30) && can_split(s, i);
        unsigned part = dice_roll(d, t->key_count);
        t->split_how = dice_roll(d, 16);
        t->split_by = !split         ? -1
                      : t->key_count ? (int)t->key[part]
                                     : schema_column(t, PLAIN_COLUMN);
    }
}

/* ---- as SQL ---- */

typedef enum way { BY_RANGE, BY_LIST, BY_HASH } way;

static void write_mariadb(const schema *s, const table_def *t, const column_def *c, bo_buf *out)
{
    bool number = c->kind == kind_of_numbers(s->engine);
    if (!number)
        bo_buf_printf(out, " PARTITION BY KEY (%s) PARTITIONS %u", c->name, PARTITIONS);
    else if (t->split_how % 2)
        bo_buf_printf(out, " PARTITION BY HASH (%s) PARTITIONS %u", c->name, PARTITIONS);
    else
        bo_buf_printf(out,
            " PARTITION BY RANGE (%s) (PARTITION p1 VALUES LESS THAN (4), PARTITION p2 VALUES"
            " LESS THAN (9), PARTITION p3 VALUES LESS THAN MAXVALUE)",
            c->name);
}

static const char *bounds(way how, unsigned part, bool by_number)
{
    static const char *const range[][2] = {{"FROM (MINVALUE) TO (4)", "FROM (4) TO (9)"},
        {"FROM (MINVALUE) TO ('2024-02-29')", "FROM ('2024-02-29') TO ('2030-01-01')"}};
    static const char *const list[][2] = {
        {"IN (1, 2, 3)", "IN (4, 5, 6, 77)"}, {"IN ('a', 'c')", "IN ('b', 'd', 'h')"}};
    static const char *const hash[] = {"WITH (MODULUS 3, REMAINDER 0)",
        "WITH (MODULUS 3, REMAINDER 1)", "WITH (MODULUS 3, REMAINDER 2)"};
    if (how == BY_HASH)
        return hash[part];
    return part == 2 ? "" : how == BY_RANGE ? range[!by_number][part] : list[!by_number][part];
}

/* One of them may have been a table of its own, with its columns in other places. */
static void write_postgres(const schema *s, const table_def *t, const column_def *c, bo_buf *out)
{
    static const char *const ways[] = {"RANGE", "LIST", "HASH"};
    bool number = c->kind == kind_of_numbers(s->engine), name = c->kind == kind_of_names(s->engine);
    way how = (way)(t->split_how % 3);
    if ((name && how == BY_RANGE) || (!name && !number && how == BY_LIST))
        how = BY_HASH;
    bo_buf_printf(out, " PARTITION BY %s (%s)", ways[how], c->name);
    for (unsigned i = 0; i < PARTITIONS; i++) {
        const char *values = bounds(how, i, number);
        const char *verb = values[0] ? "FOR VALUES " : "DEFAULT";
        if (i == 1 && t->split_how >= 8)
            bo_buf_printf(out,
                ";\nCREATE TABLE %s_p2 (gone int, LIKE %s INCLUDING DEFAULTS INCLUDING "
                "GENERATED);\n"
                "ALTER TABLE %s_p2 DROP gone;\nALTER TABLE %s ATTACH PARTITION %s_p2 %s%s",
                t->tag, t->name, t->tag, t->name, t->tag, verb, values);
        else
            bo_buf_printf(out, ";\nCREATE TABLE %s_p%u PARTITION OF %s %s%s", t->tag, i + 1,
                t->name, verb, values);
    }
}

void partitions_write(const schema *s, const table_def *t, bo_buf *out)
{
    const column_def *c = &t->columns[t->split_by];
    if (s->engine == ON_POSTGRES)
        write_postgres(s, t, c, out);
    else
        write_mariadb(s, t, c, out);
}
