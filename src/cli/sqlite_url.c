/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/sqlite_url.c - the path of a SQLite URL. */
#include "cli/sqlite_url.h"

#include <string.h>

#include "base/text.h"

static bool decode(bo_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '%')
            bo_buf_add_byte(out, (uint8_t)text[i]);
        else if (size - i > 2 && bo_text_unhex(out, text + i + 1, 2))
            i += 2;
        else
            return false;
    }
    return true;
}

/* Past the `//` and host of a URL with an absolute path; NULL: another host. */
static const char *skip_host(const char *path)
{
    if (!bo_text_starts(path, "//"))
        return path;
    path += strlen("//");
    if (bo_text_starts(path, "localhost/"))
        path += strlen("localhost");
    return *path == '/' ? path : NULL;
}

bool cli_sqlite_url_path(const char *url, bo_buf *out)
{
    const bool is_file = bo_text_starts(url, "file:");
    bo_buf_clear(out);
    if (!is_file && !bo_text_starts(url, "sqlite:"))
        return false;
    const char *path = skip_host(strchr(url, ':') + 1);
    if (!path)
        return false;
    const char *options = is_file ? strchr(path, '?') : strrchr(path, '?');
    const size_t size = options ? (size_t)(options - path) : strlen(path);
    bool good = true;
    if (is_file)
        good = decode(out, path, size);
    else
        bo_buf_add(out, path, size);
    bo_buf_add_str(out, "");
    return good && out->size > 0 && !out->failed && !memchr(out->data, '\0', out->size);
}
