/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/url.c - which file a URL means, and how to open it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "driver/sqlite/url.h"

static bo_status set_option(sq_url *url, const char *option, size_t size, bo_error *err)
{
    static const char *const known[] = {
        "mode=ro", "mode=rw", "foreign_keys=on", "foreign_keys=off"};
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i]) != size || memcmp(known[i], option, size) != 0)
            continue;
        if (i < 2)
            url->read_only = i == 0;
        else
            url->foreign_keys = i == 2;
        return BO_OK;
    }
    return bo_fail(err, BO_INVALID,
        "unknown option in the URL; there are mode=ro, mode=rw, foreign_keys=on, foreign_keys=off;"
        " a '?' in a name is %%3F in a file: URL");
}

static bo_status set_options(sq_url *url, const char *options, bo_error *err)
{
    while (*options) {
        size_t size = strcspn(options, "&");
        bo_status st = set_option(url, options, size, err);
        if (st != BO_OK)
            return st;
        options += size + (options[size] == '&');
    }
    return BO_OK;
}

/* %XX becomes its byte; false: broken, or a zero byte. */
static bool decode(bo_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '%') {
            bo_buf_add_byte(out, (uint8_t)text[i]);
            continue;
        }
        char digits[3] = {0};
        if (size - i > 2)
            memcpy(digits, text + i + 1, 2);
        size_t before = out->size;
        if (!digits[0] || !bo_text_unhex(out, digits, 2) || out->size != before + 1 ||
            out->data[before] == 0)
            return false;
        i += 2;
    }
    return true;
}

/* Skips the `//` and host of a URL with an absolute path; NULL: another host. */
static const char *skip_host(const char *path)
{
    if (!bo_text_starts(path, "//"))
        return path;
    path += 2;
    if (bo_text_starts(path, "localhost/"))
        path += strlen("localhost");
    return *path == '/' ? path : NULL;
}

/* ":memory:", "file:..." : SQLite has other ideas about these. */
static bo_status set_path(sq_url *url, bo_buf *name, bo_error *err)
{
    bo_status st = bo_buf_check(name, err);
    if (st != BO_OK)
        return st;
    const char *path = bo_buf_str(name);
    const bool meant_otherwise = path[0] == ':' || bo_text_starts(path, "file:");
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_buf_printf(&out, "%s%s", meant_otherwise ? "./" : "", path);
    url->path = bo_buf_take_str(&out);
    return url->path ? BO_OK : bo_nomem(err);
}

static bo_status parse(const char *text, sq_url *url, bo_error *err)
{
    bool is_file = bo_text_starts(text, "file:");
    bool is_url = is_file || bo_text_starts(text, "sqlite:");
    const char *path = text;
    size_t size = strlen(path);
    if (is_url) {
        path = skip_host(strchr(text, ':') + 1);
        if (!path)
            return bo_fail(err, BO_INVALID, "a SQLite URL has no host: 'sqlite:/folder/file.db'");
        const char *options = is_file ? strchr(path, '?') : strrchr(path, '?');
        size = options ? (size_t)(options - path) : strlen(path);
        bo_status st = options ? set_options(url, options + 1, err) : BO_OK;
        if (st != BO_OK)
            return st;
    }
    if (size == 0)
        return bo_fail(err, BO_INVALID, "the URL of the database has no path");

    BO_OWN_VALUE(bo_buf) name = {0};
    if (is_file && !decode(&name, path, size))
        return bo_fail(err, BO_INVALID, "a '%%' in the URL is not followed by two hex digits");
    if (!is_file)
        bo_buf_add(&name, path, size);
    return set_path(url, &name, err);
}

bo_status sq_url_parse(const char *text, sq_url **out, bo_error *err)
{
    BO_OWN(sq_url) *url = calloc(1, sizeof *url);
    if (!url)
        return bo_nomem(err);
    bo_status st = parse(text, url, err);
    if (st == BO_OK)
        *out = BO_TAKE(url);
    return st;
}

void sq_url_free(sq_url *url)
{
    if (!url)
        return;
    free(url->path);
    free(url);
}
