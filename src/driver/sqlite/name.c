/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/name.c - the one function that quotes identifiers, and names users write. */
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

void sq_quote(bo_buf *out, const char *identifier)
{
    bo_buf_add_byte(out, '"');
    for (const char *p = identifier; *p; p++) {
        if (*p == '"')
            bo_buf_add_byte(out, '"');
        bo_buf_add_byte(out, (uint8_t)*p);
    }
    bo_buf_add_str(out, "\"");
}

void sq_quote_table(bo_buf *out, const bo_table *table)
{
    bo_buf_add_str(out, "main.");
    sq_quote(out, table->local);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_plain(const char *name)
{
    if (!is_letter(name[0]) || sqlite3_keyword_check(name, (int)strlen(name)))
        return false;
    for (const char *p = name; *p; p++) {
        if (!is_letter(*p) && !(*p >= '0' && *p <= '9'))
            return false;
    }
    return true;
}

const char *sq_display_name(bo_arena *arena, const char *local)
{
    if (is_plain(local))
        return bo_arena_str(arena, local);
    BO_OWN_VALUE(bo_buf) quoted = {0};
    sq_quote(&quoted, local);
    return quoted.failed ? NULL : bo_arena_str(arena, bo_buf_str(&quoted));
}

/* One part of a name, quoted or up to a dot; returns what follows it, or NULL: not closed. */
static const char *parse_part(const char *name, bo_buf *out)
{
    if (*name != '"') {
        size_t length = strcspn(name, ".");
        bo_buf_add(out, name, length);
        return name + length;
    }
    for (name++; *name; name++) {
        if (*name == '"' && name[1] != '"')
            return name + 1;
        if (*name == '"')
            name++;
        bo_buf_add_byte(out, (uint8_t)*name);
    }
    return NULL;
}

bo_status sq_parse_name(const char *name, bo_arena *arena, const char **local_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) first = {0};
    BO_OWN_VALUE(bo_buf) second = {0};
    const char *rest = parse_part(name, &first);
    bool two = rest && *rest == '.';
    if (two)
        rest = parse_part(rest + 1, &second);
    bo_buf_add(&first, "", 1);
    bo_buf_add(&second, "", 1);
    if (first.failed || second.failed)
        return bo_nomem(err);

    const char *local = (const char *)(two ? second.data : first.data);
    const bool empty =
        rest && rest > name && rest[-1] == '"' && !*local; /* "", a name like any other */
    if (!rest || *rest || (!*local && !empty)) { /* not of that form: the name itself, as it is */
        local = name;
        two = false;
    }
    if (!*local && !empty)
        return bo_fail(err, BO_INVALID, "the name of a table is empty");
    if (two && !bo_text_same((const char *)first.data, "main"))
        return bo_fail(err, BO_NOTFOUND, "no such table: %s", name);
    char *copy = bo_arena_str(arena, local);
    if (!copy)
        return bo_nomem(err);
    *local_out = copy;
    return BO_OK;
}
