/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/dial.c - from a URL to a connection of libpq, or to why there is none. */
#include <string.h>

#include "driver/postgres/pg.h"

static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    }
    return NULL;
}

/*
 * A password with an unescaped '@', '/' or ':' ends up in host, port or database name, and from
 * there in libpq's texts: such URLs are refused before libpq can quote a part of them.
 */
static bool looks_torn(const char *url, const PQconninfoOption *options)
{
    const char *host = option_of(options, "host");
    const char *port = option_of(options, "port");
    const char *name = option_of(options, "dbname");
    if (host && strpbrk(host, "@:") && host[0] != '/' && !strchr(url, '['))
        return true;
    if (port && port[strspn(port, "0123456789,")] != '\0')
        return true;
    return name && strchr(name, '@') && !strstr(url, "%40");
}

/*
 * How long is waited for a host that is gone and answers nothing, not even with a reset.  A
 * statement itself may take as long as it does.
 */
static const struct {
    const char *keyword, *value;
} patience[] = {
    {"connect_timeout", "10"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "60000"},
};
enum { PATIENCES = sizeof patience / sizeof *patience };

/* The bits of those of `patience` that `options` say. */
static unsigned said_in(const PQconninfoOption *options)
{
    unsigned said = 0;
    for (unsigned i = 0; i < PATIENCES; i++)
        said |= option_of(options, patience[i].keyword) ? 1u << i : 0;
    return said;
}

static bo_status check_url(const char *url, unsigned *said_out, bo_error *err)
{
    if (strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0)
        return bo_fail(err, BO_INVALID, "a PostgreSQL URL begins with postgresql://");
    char *wrong = NULL; /* what libpq says quotes the URL, and with it the password */
    PQconninfoOption *options = PQconninfoParse(url, &wrong);
    bool no_memory = !options && !wrong;
    bool bad = !options || looks_torn(url, options);
    unsigned said = said_in(options);
    PQfreemem(wrong);
    PQconninfoFree(options);
    if (no_memory)
        return bo_nomem(err);
    if (bad)
        return bo_fail(err, BO_INVALID,
            "the PostgreSQL URL is malformed (special characters in a password are written %%40, "
            "%%2F, %%3A ...)");

    PQconninfoOption *defaults = PQconndefaults();
    said |= said_in(defaults);
    PQconninfoFree(defaults);
    *said_out = said;
    return BO_OK;
}

void pg_name_target(PGconn *pg, bo_buf *out)
{
    const char *host = PQhost(pg);
    const char *port = PQport(pg);
    const char *name = PQdb(pg);
    bo_buf_printf(out, "%s@%s", name ? name : "", host && *host ? host : "local");
    if (port && *port)
        bo_buf_printf(out, ":%s", port);
}

bo_status pg_dial_failed(PGconn *pg, bo_error *err)
{
    const char *text = PQerrorMessage(pg);
    const char *fatal = strstr(text, "FATAL:");
    if (fatal)
        text = fatal + strlen("FATAL:");
    text += strspn(text, " \n");
    const char *secret = PQpass(pg);
    BO_OWN_VALUE(bo_buf) line = {0};
    bool hidden = secret && *secret && strstr(text, secret);
    for (const char *c = hidden ? "(the reason is not shown: it has the password in it)" : text;
         *c && *c != '\n'; c++)
        bo_buf_add_byte(&line, *c == '"' ? '\'' : (uint8_t)*c);
    bo_buf_add_byte(&line, '\0');

    BO_OWN_VALUE(bo_buf) target = {0};
    pg_name_target(pg, &target);
    bo_status st =
        bo_fail(err, BO_DATABASE, "%s", line.failed ? "out of memory" : (const char *)line.data);
    return bo_wrap(err, st, "cannot connect to '%s'", bo_buf_str(&target));
}

bo_status pg_dial(const bo_connect *how, PGconn *beside, PGconn **out, bo_error *err)
{
    unsigned said = 0;
    bo_status st = check_url(how->url, &said, err);
    if (st != BO_OK)
        return st;

    const char *keywords[7 + PATIENCES] = {"dbname", "fallback_application_name"};
    const char *values[7 + PATIENCES] = {
        how->url, how->application_name ? how->application_name : "backout"};
    unsigned count = 2;
    if (how->password) {
        keywords[count] = "password";
        values[count++] = how->password;
    }
    for (unsigned i = 0; i < PATIENCES; i++) {
        if (said >> i & 1u)
            continue;
        keywords[count] = patience[i].keyword;
        values[count++] = patience[i].value;
    }
    if (beside) { /* one of several hosts, or one of the addresses of a name */
        keywords[count] = "host";
        values[count++] = PQhost(beside);
        keywords[count] = "hostaddr";
        values[count++] = PQhostaddr(beside);
        keywords[count] = "port";
        values[count++] = PQport(beside);
    }
    *out = PQconnectdbParams(keywords, values, 1);
    return *out ? BO_OK : bo_nomem(err);
}
