/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/schema.c - a few random tables, and values that fit them. */
#include "property/schema.h"

#include <stdio.h>
#include <string.h>

enum { RANDOM_TABLES = TABLES_MAX - 1 }; /* one is the log */

int schema_column(const table_def *t, const char *name)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

static unsigned add_column(table_def *t, const char *name, const kind *of)
{
    column_def *c = &t->columns[t->column_count];
    *c = (column_def){.kind = of};
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    return t->column_count++;
}

/* ---- keys ---- */

static void make_key(table_def *t, engine on, dice *d, dice *more)
{
    unsigned how = dice_roll(d, 20);
    bool letters = dice_chance(more, 30) && on != ON_MARIADB; /* whose keys are told otherwise */
    const kind *names = letters ? kind_of_letters(on) : kind_of_names(on);
    if (how < 10) {
        t->key[t->key_count++] = add_column(t, "id", kind_of_numbers(on));
        t->columns[t->key[0]].counted = how < 3;
    } else if (how < 13) {
        t->key[t->key_count++] = add_column(t, "id", names);
    } else if (how < 16) {
        t->key[t->key_count++] = add_column(t, "a", kind_of_numbers(on));
        t->key[t->key_count++] = add_column(t, "b", names);
    } else if (how < 17) {
        t->key[t->key_count++] = add_column(t, "day", kind_of_days(on));
    }
    for (unsigned i = 0; i < t->key_count; i++)
        t->columns[t->key[i]].required = true;
    t->key_is_unique_only =
        t->key_count > 0 && !t->columns[t->key[0]].counted && dice_chance(d, 12);
    t->options = "";
    if (on == ON_SQLITE && t->key_count > 0 && !t->key_is_unique_only &&
        !t->columns[t->key[0]].counted && dice_chance(d, 25))
        t->options = " WITHOUT ROWID";
}

static void make_uniques(table_def *t, engine on, dice *d, dice *more)
{
    if (dice_chance(d, 50)) {
        unsigned u = add_column(t, "u", kind_of_numbers(on));
        t->uniques[t->unique_count++] =
            (unique_def){{u}, 1, on == ON_POSTGRES && dice_chance(d, 30)};
    }
    if (dice_chance(d, 15)) {
        unsigned x = add_column(t, "x", kind_of_numbers(on));
        unsigned y =
            add_column(t, "y", dice_chance(more, 30) ? kind_of_letters(on) : kind_of_names(on));
        t->uniques[t->unique_count++] =
            (unique_def){{x, y}, PAIR, on == ON_POSTGRES && dice_chance(d, 30)};
    }
    for (unsigned i = 0; on == ON_POSTGRES && i < t->unique_count; i++)
        t->uniques[i].exclusion = dice_chance(more, 15);
}

/* ---- the other columns ---- */

static void make_payload(table_def *t, engine on, dice *d)
{
    static const char *const names[] = {"v", "w", "odd name", "select", "Upper"};
    add_column(t, PLAIN_COLUMN, kind_of_numbers(on));
    unsigned count = dice_roll(d, 4);
    for (unsigned i = 0; i < count; i++) {
        column_def *c =
            &t->columns[add_column(t, names[i], t->strict ? kind_strict(d) : kind_random(on, d))];
        unsigned values = 0;
        while (c->kind->values[values])
            values++;
        if (dice_chance(d, 20)) {
            c->required = true;
            bool expression = strchr(c->kind->values[0], '(') && on != ON_POSTGRES;
            c->fallback =
                dice_chance(d, 50) && !expression && on != ON_MARIADB ? c->kind->values[0] : NULL;
        }
    }
    if (dice_chance(d, 20)) {
        column_def *c = &t->columns[add_column(t, "g", kind_of_numbers(on))];
        c->generated =
            on != ON_POSTGRES && dice_chance(d, 50) ? "(n * 2) VIRTUAL" : "(n * 2) STORED";
    }
}

/* ---- foreign keys ---- */

static const char *random_action(engine on, bool may_be_null, bool may_default, dice *d)
{
    static const char *const actions[] = {
        "NO ACTION", "NO ACTION", "RESTRICT", "CASCADE", "CASCADE", "SET NULL", "SET DEFAULT"};
    unsigned how = dice_roll(d, sizeof actions / sizeof *actions);
    if ((how == 5 && !may_be_null) || (how == 6 && (!may_default || on == ON_MARIADB)))
        how = dice_roll(d, 5);
    return actions[how];
}

/* What a foreign key can refer to: a key, or one unique column. */
static bool find_referred(const table_def *parent, link_def *l)
{
    for (unsigned i = 0; i < parent->key_count; i++)
        l->parent_columns[l->count++] = parent->key[i];
    for (unsigned i = 0; l->count == 0 && i < parent->unique_count; i++)
        if (parent->uniques[i].count == 1 && !parent->uniques[i].deferred &&
            !parent->uniques[i].exclusion)
            l->parent_columns[l->count++] = parent->uniques[i].columns[0];
    return l->count > 0;
}

static void make_link(schema *s, unsigned child, unsigned parent, dice *d)
{
    table_def *t = &s->tables[child];
    const table_def *p = &s->tables[parent];
    link_def l = {.parent = parent};
    if (t->link_count == LINKS_MAX || !find_referred(p, &l))
        return;
    bool required =
        child > parent && p->columns[l.parent_columns[0]].required && dice_chance(d, 30);
    bool fallback = s->engine != ON_MARIADB && dice_chance(d, 25);
    for (unsigned i = 0; i < l.count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "r%u%s", t->link_count + 1, i ? "b" : "");
        l.columns[i] = add_column(t, name, p->columns[l.parent_columns[i]].kind);
        column_def *c = &t->columns[l.columns[i]];
        c->required = required;
        c->fallback = fallback ? c->kind->values[1] : NULL;
    }
    l.on_delete = random_action(s->engine, !required, fallback, d);
    l.on_update = random_action(s->engine, !required, fallback, d);
    l.deferred = s->engine != ON_MARIADB && dice_chance(d, 30);
    t->links[t->link_count++] = l;
}

static void make_links(schema *s, dice *d)
{
    for (unsigned child = 0; child < s->count; child++) {
        unsigned count = dice_roll(d, 3);
        for (unsigned i = 0; i < count; i++) {
            unsigned parent = dice_roll(d, child + 1); /* itself, too */
            if (dice_chance(d, 10))
                parent = dice_roll(d, s->count); /* rings */
            make_link(s, child, parent, d);
        }
    }
}

/* As users' names should not be, and some are. */
static void name_table(schema *s, unsigned number, bool odd, dice *d)
{
    static const char *const names[] = {
        "Odd table ", "order\"; drop ", "T", "", "it's`", "a.t", "ÄÖ -- "};
    const char *mark = s->engine == ON_MARIADB ? "`" : "\"";
    table_def *t = &s->tables[number];
    const char *begin = odd ? names[dice_roll(d, sizeof names / sizeof *names)] : "t";
    (void)snprintf(t->tag, sizeof t->tag, "t%u", number + 1);
    (void)snprintf(t->plain, sizeof t->plain, "%s%u", begin, number + 1);
    BO_OWN_VALUE(bo_buf) quoted = {0};
    for (const char *at = t->plain; *at; at++)
        bo_buf_printf(&quoted, "%s%c", odd && *at == *mark ? mark : "", *at);
    (void)snprintf(
        t->name, sizeof t->name, "%s%s%s", odd ? mark : "", bo_buf_str(&quoted), odd ? mark : "");
}

/* Types that a strict table may have. */
static void settle_options(table_def *t)
{
    static const char allowed[] = " INTEGER TEXT REAL BLOB ANY ";
    char type[64];
    for (unsigned i = 0; t->strict && i < t->column_count; i++) {
        (void)snprintf(type, sizeof type, " %s ", t->columns[i].kind->type);
        t->strict = strstr(allowed, type) != NULL;
    }
    if (t->strict)
        t->options = t->options[0] ? " WITHOUT ROWID, STRICT" : " STRICT";
}

void schema_make(schema *s, engine on, dice *d, dice *more)
{
    *s = (schema){.engine = on, .count = 1 + dice_roll(d, 1 + dice_roll(d, RANDOM_TABLES))};
    for (unsigned i = 0; i < s->count; i++) {
        table_def *t = &s->tables[i];
        t->strict = on == ON_SQLITE && dice_chance(more, 15);
        name_table(s, i, dice_chance(more, 8), more);
        make_key(t, on, d, more);
        make_uniques(t, on, d, more);
        make_payload(t, on, d);
    }
    make_links(s, d);
    for (unsigned i = 0; i < s->count; i++)
        settle_options(&s->tables[i]);
    partitions_choose(s, more);
}

void schema_add_log(schema *s, dice *d)
{
    table_def *t = &s->tables[s->count++];
    (void)snprintf(t->name, sizeof t->name, "log");
    (void)snprintf(t->plain, sizeof t->plain, "log");
    (void)snprintf(t->tag, sizeof t->tag, "log");
    t->split_by = -1;
    t->options = "";
    if (dice_chance(d, 75)) {
        t->key[t->key_count++] = add_column(t, "id", kind_of_numbers(s->engine));
        t->columns[0].required = t->columns[0].counted = true;
    }
    add_column(t, PLAIN_COLUMN, kind_of_numbers(s->engine));
    add_column(t, LOG_WORD, kind_of_names(s->engine));
    if (s->engine != ON_MARIADB && dice_chance(d, 30))
        make_link(s, s->count - 1, dice_roll(d, s->count - 1), d);
}

/* ---- as SQL ---- */

void schema_quote(const schema *s, bo_buf *out, const char *name)
{
    const char *mark = s->engine == ON_MARIADB ? "`" : "\"";
    bool plain = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name) &&
                 strcmp(name, "select") != 0;
    bo_buf_printf(out, "%s%s%s", plain ? "" : mark, name, plain ? "" : mark);
}

static void write_names(
    const schema *s, const table_def *t, const unsigned *columns, unsigned count, bo_buf *out)
{
    for (unsigned i = 0; i < count; i++) {
        bo_buf_add_str(out, i ? ", " : "(");
        schema_quote(s, out, t->columns[columns[i]].name);
    }
    bo_buf_add_str(out, ")");
}

static void write_column(const schema *s, const table_def *t, const column_def *c, bo_buf *out)
{
    schema_quote(s, out, c->name);
    bo_buf_printf(out, " %s", c->kind->type);
    if (c->generated) {
        bo_buf_printf(out, " GENERATED ALWAYS AS %s", c->generated);
        return;
    }
    if (c->required)
        bo_buf_add_str(out, " NOT NULL");
    if (c->fallback)
        bo_buf_printf(out, " DEFAULT %s", c->fallback);
    if (!c->counted)
        return;
    static const char *const counted[] = {
        " PRIMARY KEY AUTOINCREMENT", " GENERATED BY DEFAULT AS IDENTITY", " AUTO_INCREMENT"};
    bo_buf_add_str(out, counted[s->engine]);
    (void)t;
}

static void write_link(const schema *s, const table_def *t, unsigned number, bo_buf *out)
{
    const link_def *l = &t->links[number];
    bo_buf_printf(out, "CONSTRAINT %s_fk%u FOREIGN KEY ", t->tag, number + 1);
    write_names(s, t, l->columns, l->count, out);
    bo_buf_printf(out, " REFERENCES %s ", s->tables[l->parent].name);
    write_names(s, &s->tables[l->parent], l->parent_columns, l->count, out);
    bo_buf_printf(out, " ON DELETE %s ON UPDATE %s%s", l->on_delete, l->on_update,
        l->deferred ? " DEFERRABLE INITIALLY DEFERRED" : "");
}

static void write_unique(const schema *s, const table_def *t, unsigned number, bo_buf *out)
{
    const unique_def *u = &t->uniques[number];
    bo_buf_printf(out, ", CONSTRAINT %s_u%u ", t->tag, number + 1);
    if (!u->exclusion) {
        bo_buf_add_str(out, "UNIQUE ");
        write_names(s, t, u->columns, u->count, out);
        return;
    }
    for (unsigned i = 0; i < u->count; i++)
        bo_buf_printf(
            out, "%s%s WITH =", i ? ", " : "EXCLUDE USING btree (", t->columns[u->columns[i]].name);
    bo_buf_add_str(out, ")");
}

static void write_table(const schema *s, const table_def *t, bo_buf *out)
{
    bo_buf_printf(out, "CREATE TABLE %s (", t->name);
    for (unsigned i = 0; i < t->column_count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        write_column(s, t, &t->columns[i], out);
    }
    bool counted = s->engine == ON_SQLITE && t->key_count && t->columns[t->key[0]].counted;
    if (t->key_count && !counted) {
        bo_buf_add_str(out, t->key_is_unique_only ? ", UNIQUE " : ", PRIMARY KEY ");
        write_names(s, t, t->key, t->key_count, out);
    }
    for (unsigned i = 0; i < t->unique_count; i++) {
        write_unique(s, t, i, out);
        if (t->uniques[i].deferred)
            bo_buf_add_str(out, " DEFERRABLE INITIALLY DEFERRED");
    }
    for (unsigned i = 0; s->engine == ON_SQLITE && i < t->link_count; i++) {
        bo_buf_add_str(out, ", ");
        write_link(s, t, i, out);
    }
    bo_buf_printf(out, ")%s", t->options);
    if (t->split_by >= 0)
        partitions_write(s, t, out);
    bo_buf_add_str(out, ";\n");
}

static void write_types(const schema *s, bo_buf *out)
{
    const char *written[TABLES_MAX * COLUMNS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < s->count * COLUMNS_MAX; i++) {
        const table_def *t = &s->tables[i / COLUMNS_MAX];
        unsigned column = i % COLUMNS_MAX, known = 0;
        const char *type = column < t->column_count ? t->columns[column].kind->before : NULL;
        while (known < count && written[known] != type)
            known++;
        if (!type || known < count)
            continue;
        written[count++] = type;
        bo_buf_printf(out, "%s;\n", type);
    }
}

void schema_write(const schema *s, bo_buf *out)
{
    write_types(s, out);
    for (unsigned i = 0; i < s->count; i++)
        write_table(s, &s->tables[i], out);
    for (unsigned i = 0; s->engine != ON_SQLITE && i < s->count; i++) {
        for (unsigned l = 0; l < s->tables[i].link_count; l++) {
            bo_buf_printf(out, "ALTER TABLE %s ADD ", s->tables[i].name);
            write_link(s, &s->tables[i], l, out);
            bo_buf_add_str(out, ";\n");
        }
    }
}

static bool is_in(const unsigned *columns, unsigned count, unsigned number)
{
    return count && (columns[0] == number || (count == PAIR && columns[1] == number));
}

bool schema_is_key(const table_def *t, unsigned number)
{
    return is_in(t->key, t->key_count, number);
}

bool schema_is_link(const table_def *t, unsigned number)
{
    for (unsigned i = 0; i < t->link_count; i++)
        if (is_in(t->links[i].columns, t->links[i].count, number))
            return true;
    return false;
}

static unsigned count_values(const column_def *c)
{
    unsigned count = 0;
    while (c->kind->values[count])
        count++;
    return count;
}

/* Rows refer to few others, so that most references lead somewhere. */
const char *schema_value(const schema *s, unsigned table, unsigned number, dice *d)
{
    const table_def *t = &s->tables[table];
    const column_def *c = &t->columns[number];
    unsigned count = count_values(c);
    if (!c->required && dice_chance(d, 18))
        return "NULL";
    bool near = schema_is_link(t, number) && dice_chance(d, 85);
    return c->kind->values[dice_roll(d, near && count > 3 ? 3 : count)];
}

const char *schema_first_value(
    const schema *s, unsigned table, unsigned number, unsigned nth, dice *d)
{
    const table_def *t = &s->tables[table];
    const column_def *c = &t->columns[number];
    bool distinct = schema_is_key(t, number);
    for (unsigned i = 0; i < t->unique_count; i++)
        distinct = distinct || is_in(t->uniques[i].columns, t->uniques[i].count, number);
    if (distinct)
        return c->kind->values[nth % count_values(c)];
    if (!schema_is_link(t, number))
        return schema_value(s, table, number, d);
    return !c->required && dice_chance(d, 35)
               ? "NULL"
               : c->kind->values[dice_roll(d, nth < 2 ? nth + 1 : 3)];
}
