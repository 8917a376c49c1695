/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/name.c - names of tables as users write them. */
#include "driver/postgres/name.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

void pg_name_done(pg_name *name)
{
    free(name->schema);
    free(name->local);
    *name = (pg_name){0};
}

static bool is_letter(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte >= 0x80;
}

/* "quoted "" part": returns what follows it, or NULL when it does not end or is empty. */
static const char *read_quoted(const char *at, bo_buf *out)
{
    for (at++; *at; at++) {
        if (*at == '"' && *++at != '"')
            return out->size > 0 || out->failed ? at : NULL; /* without memory: told later */
        bo_buf_add(out, at, 1);
    }
    return NULL;
}

static const char *read_plain(const char *at, bo_buf *out)
{
    if (!is_letter((unsigned char)*at))
        return NULL;
    for (; is_letter((unsigned char)*at) || (*at >= '0' && *at <= '9') || *at == '$'; at++)
        bo_buf_add_byte(out, (uint8_t)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at));
    return at;
}

static const char *read_part(const char *at, bo_buf *out)
{
    return *at == '"' ? read_quoted(at, out) : read_plain(at, out);
}

bo_status pg_name_parse(const char *text, pg_name *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) first = {0};
    BO_OWN_VALUE(bo_buf) second = {0};
    const char *at = read_part(text, &first);
    const bool qualified = at && *at == '.';
    if (qualified)
        at = read_part(at + 1, &second);
    const bool whole = at && *at == '\0';
    if (!whole) {
        bo_buf_clear(&first);
        bo_buf_add_str(&first, text);
    }

    BO_OWN_VALUE(pg_name) name = {0};
    if (whole && qualified) {
        name.schema = bo_buf_take_str(&first);
        name.local = bo_buf_take_str(&second);
    } else {
        name.local = bo_buf_take_str(&first);
    }
    if (!name.local || (whole && qualified && !name.schema))
        return bo_nomem(err);
    *out = name;
    name = (pg_name){0};
    return BO_OK;
}
