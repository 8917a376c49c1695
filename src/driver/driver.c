/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/driver.c - which driver a URL is for, and what of a URL may be shown. */
#include "driver/driver.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const bo_driver *const drivers[] = {
    &bo_driver_sqlite, &bo_driver_postgres, &bo_driver_mariadb};
#define DRIVER_COUNT (sizeof drivers / sizeof *drivers)

bo_conn *(*bo_driver_wrap)(bo_conn *conn) = NULL;

/* The length of the scheme before ':', 0: a plain path ("C-3:x" and "./a:b" are none either). */
static size_t scheme_size(const char *url)
{
    size_t size = 0;
    while ((url[size] >= 'a' && url[size] <= 'z') || (url[size] >= 'A' && url[size] <= 'Z') ||
           (size > 0 && url[size] && strchr("0123456789+.", url[size])))
        size++;
    return url[size] == ':' ? size : 0;
}

static bool has_scheme(const bo_driver *driver, const char *scheme, size_t size)
{
    for (const char *p = driver->schemes; *p;) {
        size_t length = strcspn(p, " ");
        if (length == size && strncmp(p, scheme, size) == 0)
            return true;
        p += length + strspn(p + length, " ");
    }
    return false;
}

bo_status bo_driver_find(const char *url, const bo_driver **out, bo_error *err)
{
    size_t size = scheme_size(url);
    if (size == 0 && bo_text_find(url, "password="))
        return bo_fail(err, BO_INVALID, "not a URL or path of a database; write postgresql://...");
    if (*url && size == 0) {
        *out = &bo_driver_sqlite;
        return BO_OK;
    }
    for (size_t i = 0; i < DRIVER_COUNT; i++) {
        if (size > 0 && has_scheme(drivers[i], url, size)) {
            *out = drivers[i];
            return BO_OK;
        }
    }
    BO_OWN_VALUE(bo_buf) known = {0};
    for (size_t i = 0; i < DRIVER_COUNT; i++)
        bo_buf_printf(&known, "%s%s", i == 0 ? "" : " ", drivers[i]->schemes);
    return bo_fail(err, BO_INVALID, "no driver for '%.*s:'; a database is a path or a URL of: %s",
        (int)(size < 32 ? size : 32), url, bo_buf_str(&known));
}

bo_status bo_driver_open(const bo_connect *how, bo_conn **out, bo_error *err)
{
    const bo_driver *driver = NULL;
    bo_conn *conn = NULL;
    bo_connect within = *how;
    if (within.lock_timeout_ms > INT32_MAX) /* PostgreSQL takes no more */
        within.lock_timeout_ms = INT32_MAX;
    bo_status st = bo_driver_find(how->url, &driver, err);
    if (st == BO_OK)
        st = driver->open(&within, &conn, err);
    if (st != BO_OK)
        return st;
    if (bo_driver_wrap)
        conn = bo_driver_wrap(conn);
    if (!conn)
        return bo_nomem(err);
    *out = conn;
    return BO_OK;
}

void bo_conn_free(bo_conn *conn)
{
    if (conn)
        conn->driver->close(conn);
}

/* Adds the options after '?' whose names do not say that their value is a secret. */
static void redact_options(bo_buf *out, const char *options)
{
    static const char *const shown[] = {"host", "hostaddr", "port", "dbname", "user", "sslmode",
        "application_name", "connect_timeout", "target_session_attrs", "service", "mode",
        "foreign_keys", "socket", "ssl", "ssl_ca", "link_timeout", "keepalives", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "tcp_user_timeout"};
    char separator = '?';
    while (*options) {
        size_t size = strcspn(options, "&");
        size_t name = strcspn(options, "=&");
        bool show = false;
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
            show |= strlen(shown[i]) == name && bo_text_same_part(options, shown[i], name);
        if (show) {
            bo_buf_add_byte(out, (uint8_t)separator);
            bo_buf_add(out, options, size);
            separator = '&';
        }
        options += size + (options[size] == '&');
    }
}

/* "user=": whether options begin here. */
static bool is_option(const char *text)
{
    size_t name = 0;
    while ((text[name] >= 'a' && text[name] <= 'z') || (text[name] >= 'A' && text[name] <= 'Z') ||
           text[name] == '_')
        name++;
    return name > 0 && text[name] == '=';
}

/*
 * Adds the user; returns what follows: "@host/name?options", or "" when only a guess would tell the
 * password from the rest.  The last '@' ends it, because it may hold one, and '/', '?' and '#' too;
 * but one after "?name=" may be in an option.  To libpq it is not, unless a '/' comes before the
 * '?'.
 */
static const char *redact_user(bo_buf *out, const char *rest, bool libpq)
{
    const char *host = strrchr(rest, '@');
    const char *options = strchr(rest, '?');
    bool clear = true;
    if (host && options && options < host && is_option(options + 1)) {
        host = memrchr(rest, '@', (size_t)(options - rest));
        clear = !memchr(rest, ':', (size_t)((host ? host : options) - rest)) &&
                (!libpq || memchr(rest, '/', (size_t)(options - rest)));
    }
    if (host || !clear)
        bo_buf_add(out, rest, strcspn(rest, ":@/?#"));
    return !clear ? "" : host ? host : rest;
}

bo_status bo_url_redact(const char *url, bo_buf *out, bo_error *err)
{
    const bo_driver *driver = NULL;
    const char *scheme = strstr(url, "://");
    bo_status st = bo_driver_find(url, &driver, err);
    if (st != BO_OK)
        return st;
    if (scheme_size(url) == 0) {
        bo_buf_add_str(out, url); /* a path */
        return bo_buf_check(out, err);
    }
    const char *rest = url;
    if (driver != &bo_driver_sqlite && scheme) {
        rest = scheme + 3;
        bo_buf_add(out, url, (size_t)(rest - url));
        rest = redact_user(out, rest, driver == &bo_driver_postgres);
    }
    const bool file = driver == &bo_driver_sqlite && !bo_text_starts(url, "file:");
    const char *options = file ? strrchr(rest, '?') : strchr(rest, '?'); /* see its url.c */
    bo_buf_add(out, rest, options ? (size_t)(options - rest) : strlen(rest));
    const size_t size = out->size;
    if (options)
        redact_options(out, options + 1);
    if (options && size == out->size && memchr(rest, '?', (size_t)(options - rest)))
        bo_buf_add_str(out, "?"); /* else the one in the name would begin options */
    bo_buf_add_str(out, "");
    return bo_buf_check(out, err);
}
