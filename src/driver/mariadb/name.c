/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/name.c - the one function that quotes identifiers, and names users write. */
#include <string.h>

#include "driver/mariadb/my.h"

void my_quote(bo_buf *out, const char *identifier)
{
    bo_buf_add_byte(out, '`');
    for (const char *p = identifier; *p; p++) {
        if (*p == '`')
            bo_buf_add_byte(out, '`');
        bo_buf_add_byte(out, (uint8_t)*p);
    }
    bo_buf_add_str(out, "`");
}

void my_quote_table(bo_buf *out, const bo_table *table)
{
    my_quote(out, table->schema);
    bo_buf_add_byte(out, '.');
    my_quote(out, table->local);
}

void my_quote_recorded(bo_buf *out, const my_conn *conn, const char *schema, const char *local)
{
    if (strcmp(schema, conn->schema) != 0) {
        my_quote(out, schema);
        bo_buf_add_byte(out, '.');
    }
    my_quote(out, local);
}

void my_quote_literal(bo_buf *out, const char *text)
{
    bo_buf_add_str(out, "_utf8mb4 x'");
    for (const char *p = text; *p; p++)
        bo_buf_printf(out, "%02x", (unsigned)(uint8_t)*p);
    bo_buf_add_str(out, "'");
}

/* ---- names as users write them ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/* Names in the letters of a bare identifier are shown bare: the server reads keywords after a dot
 * as names, and we read them everywhere. */
static bool is_plain(const char *name)
{
    if (!is_letter(name[0]))
        return false;
    for (const char *p = name; *p; p++) {
        if (!is_letter(*p) && !(*p >= '0' && *p <= '9'))
            return false;
    }
    return true;
}

static void add_part(bo_buf *out, const char *name)
{
    if (is_plain(name))
        bo_buf_add_str(out, name);
    else
        my_quote(out, name);
}

const char *my_display_name(
    const my_conn *conn, bo_arena *arena, const char *schema, const char *local)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    if (strcmp(schema, conn->schema) != 0) {
        add_part(&name, schema);
        bo_buf_add_str(&name, ".");
    }
    add_part(&name, local);
    return name.failed ? NULL : bo_arena_str(arena, bo_buf_str(&name));
}

/* One part of a name, in `...`, in "...", or up to a dot; returns what follows it, or NULL: not
 * closed. */
static const char *parse_part(const char *name, bo_buf *out)
{
    const char quote = *name;
    if (quote != '"' && quote != '`') {
        size_t length = strcspn(name, ".");
        bo_buf_add(out, name, length);
        return name + length;
    }
    for (name++; *name; name++) {
        if (*name == quote && name[1] != quote)
            return name + 1;
        if (*name == quote)
            name++;
        bo_buf_add_byte(out, (uint8_t)*name);
    }
    return NULL;
}

bo_status my_parse_name(const my_conn *conn, const char *name, bo_arena *arena,
    const char **schema_out, const char **local_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) first = {0};
    BO_OWN_VALUE(bo_buf) second = {0};
    const char *rest = parse_part(name, &first);
    const bool two = rest && *rest == '.';
    if (two)
        rest = parse_part(rest + 1, &second);
    bo_buf_add_byte(&first, 0);
    bo_buf_add_byte(&second, 0);
    if (first.failed || second.failed)
        return bo_nomem(err);

    const char *local = (const char *)(two ? second.data : first.data);
    const char *schema = two ? (const char *)first.data : conn->schema;
    if (!rest || *rest || !*local || !*schema)
        return bo_fail(err, BO_INVALID, "'%s' is not the name of a table", name);
    const char *schema_copy = bo_arena_str(arena, schema);
    const char *local_copy = bo_arena_str(arena, local);
    if (!schema_copy || !local_copy)
        return bo_nomem(err);
    *schema_out = schema_copy;
    *local_out = local_copy;
    return BO_OK;
}
