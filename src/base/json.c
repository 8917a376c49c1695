/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/json.c - JSON as text, whole or not at all. */
#include "base/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/text.h"

/* What fails once stays failed, whoever looks at it in between. */
static int add_text(const char *text, size_t size, void *ctx)
{
    bo_buf *out = ctx;
    bo_buf_add(out, text, size);
    return out->failed ? -1 : 0;
}

char *bo_json_dump(const json_t *json, size_t flags)
{
    BO_OWN_VALUE(bo_buf) out = {0};
    if (!json || json_dump_callback(json, add_text, &out, flags) != 0 || out.failed)
        return NULL;
    return bo_buf_take_str(&out);
}

bool bo_json_no_memory(const json_error_t *why)
{
    return !why->text[0] || json_error_code(why) == json_error_out_of_memory;
}

json_t *bo_json_string(const char *text)
{
    if (!text)
        return json_null();
    size_t size = strlen(text);
    if (bo_text_is_utf8(text, size))
        return json_stringn(text, size);
    BO_OWN_VALUE(bo_buf) safe = {0};
    bo_text_escape(&safe, text, size);
    return safe.failed ? NULL : json_stringn(bo_buf_str(&safe), safe.size);
}
