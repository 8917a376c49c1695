/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/url.c - which server and database a URL means. */
#include "driver/mariadb/url.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define PORT_MAX    65535u
#define SECONDS_MAX 86400u

static bo_status malformed(bo_error *err)
{
    return bo_fail(err, BO_INVALID,
        "the MariaDB URL is malformed (special characters in a password are written %%40, %%2F, "
        "%%3A ...)");
}

/* A new text of `size` bytes with %XX decoded; malformed: also with a zero byte in it. */
static bo_status decode(const char *text, size_t size, char **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) plain = {0};
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '%') {
            bo_buf_add_byte(&plain, (uint8_t)text[i]);
            continue;
        }
        const size_t before = plain.size;
        if (size - i < 3 || !bo_text_unhex(&plain, text + i + 1, 2))
            return malformed(err);
        if (plain.failed)
            break;
        if (plain.size != before + 1 || plain.data[before] == 0)
            return malformed(err);
        i += 2;
    }
    bo_buf_add_str(&plain, "");
    free(*out);
    *out = bo_buf_take_str(&plain);
    return *out ? BO_OK : bo_nomem(err);
}

static bool read_number(const char *text, size_t size, unsigned most, unsigned *out)
{
    unsigned value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || value > most)
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return size > 0 && value > 0 && value <= most;
}

static bool option_is(const char *option, size_t size, const char *name)
{
    return strlen(name) == size && memcmp(option, name, size) == 0;
}

static bo_status set_option(my_url *url, const char *option, size_t size, bo_error *err)
{
    const char *equal = memchr(option, '=', size);
    const size_t name = equal ? (size_t)(equal - option) : size;
    const char *value = equal ? equal + 1 : option + size;
    const size_t left = size - (size_t)(value - option);
    bool good = true;
    if (equal && option_is(option, name, "socket"))
        return decode(value, left, &url->socket, err);
    if (equal && option_is(option, name, "ssl_ca"))
        return decode(value, left, &url->ssl_ca, err);
    if (option_is(option, size, "ssl=on"))
        url->ssl = true;
    else if (option_is(option, name, "connect_timeout"))
        good = read_number(value, left, SECONDS_MAX, &url->connect_timeout_s);
    else if (option_is(option, name, "link_timeout"))
        good = read_number(value, left, SECONDS_MAX, &url->link_timeout_s);
    else
        return bo_fail(err, BO_INVALID,
            "unknown option in the URL; there are socket=PATH, connect_timeout=SECONDS, "
            "link_timeout=SECONDS, ssl=on, ssl_ca=FILE");
    return good ? BO_OK : malformed(err);
}

static bo_status set_options(my_url *url, const char *options, bo_error *err)
{
    while (*options) {
        const size_t size = strcspn(options, "&");
        bo_status st = set_option(url, options, size, err);
        if (st != BO_OK)
            return st;
        options += size + (options[size] == '&');
    }
    return BO_OK;
}

/* [user[:password]@]host[:port], or [v6 address] as the host. */
static bo_status set_authority(my_url *url, const char *text, size_t size, bo_error *err)
{
    const char *at = memchr(text, '@', size);
    if (at) {
        const size_t user = strcspn(text, ":@");
        bo_status st = user > 0 ? decode(text, user, &url->user, err) : BO_OK;
        if (st == BO_OK && text[user] == ':')
            st = decode(text + user + 1, (size_t)(at - text) - user - 1, &url->password, err);
        if (st != BO_OK)
            return st;
        size -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    if (memchr(text, '@', size))
        return malformed(err);
    const char *close = size > 0 && *text == '[' ? memchr(text, ']', size) : NULL;
    const char *end = text + size;
    const char *colon = close ? close + 1 : memchr(text, ':', size);
    if (!colon)
        colon = end;
    if (colon < end &&
        (*colon != ':' || !read_number(colon + 1, (size_t)(end - colon - 1), PORT_MAX, &url->port)))
        return malformed(err);
    const char *host = close ? text + 1 : text;
    const size_t length = (size_t)((close ? close : colon) - host);
    return length > 0 ? decode(host, length, &url->host, err) : BO_OK;
}

static bo_status parse(const char *text, my_url *url, bo_error *err)
{
    const char *rest = text + strcspn(text, ":");
    if (!bo_text_starts(rest, "://"))
        return bo_fail(err, BO_INVALID, "a MariaDB URL begins with mariadb://");
    rest += 3;
    const size_t authority = strcspn(rest, "/?#");
    bo_status st = set_authority(url, rest, authority, err);
    if (st != BO_OK)
        return st;
    const char *path = rest + authority;
    const size_t name = *path == '/' ? strcspn(path + 1, "/?#") : 0;
    if (name == 0)
        return bo_fail(err, BO_INVALID, "the MariaDB URL names no database: mariadb://host/name");
    st = decode(path + 1, name, &url->database, err);
    if (st != BO_OK)
        return st;
    const char *options = path + 1 + name;
    if (*options && *options != '?')
        return malformed(err);
    st = *options ? set_options(url, options + 1, err) : BO_OK;
    if (st == BO_OK && url->socket && url->host && strcmp(url->host, "localhost") != 0)
        return bo_fail(err, BO_INVALID, "a socket is on this host: leave the host out of the URL");
    return st;
}

bo_status my_url_parse(const char *text, my_url **out, bo_error *err)
{
    BO_OWN(my_url) *url = calloc(1, sizeof *url);
    if (!url)
        return bo_nomem(err);
    bo_status st = parse(text, url, err);
    if (st == BO_OK)
        *out = BO_TAKE(url);
    return st;
}

void my_url_free(my_url *url)
{
    if (!url)
        return;
    free(url->user);
    free(url->password);
    free(url->host);
    free(url->database);
    free(url->socket);
    free(url->ssl_ca);
    free(url);
}
