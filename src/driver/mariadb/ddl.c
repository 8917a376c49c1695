/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/ddl.c - what SHOW CREATE TABLE says, taken apart.
 *
 * It is the only place where a definition is whole: options, invisible columns, partitions and the
 * order of keys are in no table of information_schema.
 */
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/describe.h"

/* Past the quoted text that begins at `at`. */
static const char *skip_quoted(const char *at)
{
    const char quote = *at;
    for (at++; *at && *at != quote; at++) {
        if (*at == '\\' && quote == '\'' && at[1])
            at++;
    }
    return *at ? at + 1 : at; /* a doubled quote begins the next one at once */
}

static bo_status add_item(my_ddl *out, const char *from, const char *to, bo_arena *arena)
{
    while (from < to && bo_text_is_space(*from))
        from++;
    while (to > from && bo_text_is_space(to[-1]))
        to--;
    my_ddl_item *items = bo_arena_grow(arena, out->items, out->count, sizeof *items);
    const char *text = bo_arena_strn(arena, from, (size_t)(to - from));
    if (!items || !text)
        return BO_NOMEM;
    items[out->count++] = (my_ddl_item){text};
    out->items = items;
    return BO_OK;
}

/* "CREATE TABLE `t` (item, item, ...) options" */
static bo_status parse(const char *text, bo_arena *arena, my_ddl *out)
{
    const char *from = NULL;
    unsigned depth = 0;
    bo_status st = BO_OK;
    for (const char *at = text; *at && st == BO_OK;) {
        if (*at == '`' || *at == '\'') {
            at = skip_quoted(at);
            continue;
        }
        if (*at == '(' && ++depth == 1) {
            from = at + 1;
        } else if (depth == 1 && (*at == ',' || *at == ')')) {
            st = add_item(out, from, at, arena);
            from = at + 1;
        }
        if (*at == ')' && --depth == 0)
            break;
        at++;
    }
    out->temporary = strncmp(text, "CREATE TEMPORARY", 16) == 0;
    out->options = st == BO_OK ? bo_arena_str(arena, from ? from : "") : NULL;
    return out->options ? BO_OK : BO_NOMEM;
}

bo_status my_ddl_read(my_conn *conn, const char *schema, const char *local, bo_arena *arena,
    my_ddl *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_buf_add_str(&sql, "SHOW CREATE TABLE ");
    my_quote(&sql, schema);
    bo_buf_add_byte(&sql, '.');
    my_quote(&sql, local);
    bo_status st = my_ask_buf(conn, &sql, &result, err);
    if (st != BO_OK)
        return st;
    MYSQL_ROW row = mysql_fetch_row(result);
    if (!row || !row[1])
        return bo_fail(err, BO_DATABASE, "SHOW CREATE TABLE said nothing");
    my_ddl ddl = {0};
    if (parse(row[1], arena, &ddl) != BO_OK)
        return bo_nomem(err);
    *out = ddl;
    return BO_OK;
}

/* ---- foreign keys: CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES [`s`.]`p` (`b`) ON DELETE ... ----
 */

/* Takes `word` and the blank after it. */
static bool take(const char **at, const char *word)
{
    const size_t size = strlen(word);
    if (strncmp(*at, word, size) != 0)
        return false;
    *at += size;
    *at += **at == ' ';
    return true;
}

/* Takes a name in backticks; NULL: there is none, or no memory. */
static const char *take_name(my_description *about, const char **at)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    if (**at != '`')
        return NULL;
    for ((*at)++; **at && (**at != '`' || (*at)[1] == '`'); (*at)++) {
        *at += **at == '`';
        bo_buf_add_byte(&name, (uint8_t) * *at);
    }
    if (**at == '`')
        (*at)++;
    bo_buf_add_str(&name, "");
    about->failed = about->failed || name.failed;
    return name.failed ? NULL : my_cell(about, bo_buf_str(&name));
}

/* Takes "(`a`, `b`)"; 0: it is none. */
static uint16_t take_names(my_description *about, const char **at, const char *const **out)
{
    const char **names = NULL;
    uint16_t count = 0;
    if (!take(at, "("))
        return 0;
    do {
        names = my_grow(about, (void *)names, count, sizeof *names);
        const char *name = names ? take_name(about, at) : NULL;
        if (!name)
            return 0;
        names[count++] = name;
    } while (take(at, ","));
    *out = names;
    return take(at, ")") || take(at, ") ") ? count : 0;
}

static char take_action(const char **at, const char *event)
{
    static const struct {
        const char *words;
        char action;
    } actions[] = {{"CASCADE", 'c'}, {"SET NULL", 'n'}, {"SET DEFAULT", 'd'}, {"NO ACTION", 'a'},
        {"RESTRICT", 'r'}};
    *at += strspn(*at, " ");
    if (!take(at, event))
        return 'r';
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (take(at, actions[i].words))
            return actions[i].action;
    }
    return 'r';
}

bool my_ddl_is_reference(const char *item)
{
    if (strncmp(item, "CONSTRAINT `", 12) != 0)
        return false;
    const char *after = skip_quoted(item + 11);
    while (*after == '`') /* the name has a backtick in it */
        after = skip_quoted(after);
    return strncmp(after, " FOREIGN KEY ", 13) == 0;
}

static const char *reference_sql(my_description *about, const bo_foreign_key *key,
    const char *schema, const char *local, const char *parent_schema, const char *parent,
    const char *actions)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "ALTER TABLE ");
    my_quote_recorded(&sql, about->conn, schema, local);
    bo_buf_add_str(&sql, " ADD CONSTRAINT ");
    my_quote(&sql, key->name);
    bo_buf_add_str(&sql, " FOREIGN KEY (");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, i > 0 ? ", " : "");
        my_quote(&sql, key->child_columns[i]);
    }
    bo_buf_add_str(&sql, ") REFERENCES ");
    my_quote_recorded(&sql, about->conn, parent_schema, parent);
    bo_buf_add_str(&sql, " (");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, i > 0 ? ", " : "");
        my_quote(&sql, key->parent_columns[i]);
    }
    bo_buf_printf(&sql, ")%s%s", *actions ? " " : "", actions);
    return sql.failed ? NULL : my_cell(about, bo_buf_str(&sql));
}

bo_status my_ddl_reference(my_description *about, const char *item, const char *schema,
    const char *local, bo_foreign_key *out, bo_error *err)
{
    bo_foreign_key key = {.validated = true};
    const char *at = item;
    const char *parent_schema = schema;
    (void)take(&at, "CONSTRAINT");
    key.name = take_name(about, &at);
    at += strspn(at, " ");
    (void)take(&at, "FOREIGN KEY");
    key.count = take_names(about, &at, &key.child_columns);
    at += strspn(at, " ");
    (void)take(&at, "REFERENCES");
    const char *parent = take_name(about, &at);
    if (take(&at, ".")) {
        parent_schema = parent;
        parent = take_name(about, &at);
    }
    at += strspn(at, " ");
    const uint16_t parents = take_names(about, &at, &key.parent_columns);
    const char *actions = at + strspn(at, " ");
    key.on_delete = take_action(&at, "ON DELETE");
    key.on_update = take_action(&at, "ON UPDATE");
    if (about->failed)
        return bo_nomem(err);
    if (!key.name || !parent || !parent_schema || key.count == 0 || key.count != parents)
        return bo_fail(err, BO_DATABASE, "a foreign key of '%s' cannot be read", local);
    key.child = my_display_name(about->conn, about->arena, schema, local);
    key.parent = my_display_name(about->conn, about->arena, parent_schema, parent);
    key.definition = reference_sql(about, &key, schema, local, parent_schema, parent, actions);
    if (!key.child || !key.parent || !key.definition)
        return bo_nomem(err);
    *out = key;
    return BO_OK;
}

/* ---- the table without what comes after its rows ---- */

/* Options without the counter, which is a matter of its own: " AUTO_INCREMENT=7". */
static void add_options(bo_buf *out, const char *options)
{
    static const char counter[] = " AUTO_INCREMENT=";
    for (const char *at = options; *at;) {
        if (*at == '\'' || *at == '`') {
            const char *after = skip_quoted(at);
            bo_buf_add(out, at, (size_t)(after - at));
            at = after;
        } else if (strncmp(at, counter, sizeof counter - 1) == 0) {
            at += sizeof counter - 1;
            at += strspn(at, "0123456789");
        } else {
            bo_buf_add_byte(out, (uint8_t)*at++);
        }
    }
    bo_buf_add_str(out, "");
}

bo_status my_ddl_bare(my_description *about, const my_ddl *ddl, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "CREATE TABLE ");
    my_quote_recorded(&sql, about->conn, about->table->schema, about->table->local);
    bo_buf_add_str(&sql, " (");
    bool first = true;
    for (size_t i = 0; i < ddl->count; i++) {
        if (my_ddl_is_reference(ddl->items[i].text))
            continue;
        bo_buf_printf(&sql, "%s\n  ", first ? "" : ",");
        bo_buf_add_str(&sql, ddl->items[i].text);
        first = false;
    }
    bo_buf_add_str(&sql, "\n)");
    add_options(&sql, ddl->options);
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        about->table->definition = my_cell(about, bo_buf_str(&sql));
    return st;
}
