/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/mariadb_url.c - the parts of a MariaDB URL. */
#include "cli/mariadb_url.h"

#include <string.h>

#include "base/text.h"

void cli_mariadb_url_done(cli_mariadb_url *url)
{
    bo_buf_done(&url->user);
    bo_buf_done(&url->host);
    bo_buf_done(&url->port);
    bo_buf_done(&url->database);
    bo_buf_done(&url->socket);
}

/* What %XX stands for in the text. */
static void decode(bo_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%' && size - i > 2 && bo_text_unhex(out, text + i + 1, 2))
            i += 2;
        else
            bo_buf_add_byte(out, (uint8_t)text[i]);
    }
}

/* [user[:password]@][host[:port]], the host perhaps [in brackets] */
static void read_server(const char *text, size_t size, cli_mariadb_url *out)
{
    const char *at = memrchr(text, '@', size);
    if (at) {
        decode(&out->user, text, strcspn(text, ":@"));
        size -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    const char *end = text + size;
    const char *close = size && *text == '[' ? memchr(text, ']', size) : NULL;
    const char *after = close ? close : text;
    const char *colon = memchr(after, ':', (size_t)(end - after));
    const char *host = close ? text + 1 : text;
    decode(&out->host, host, (size_t)((close ? close : colon ? colon : end) - host));
    if (!colon)
        return;
    for (colon++; *colon == '0' && colon + 1 < end;) /* 03306 is 3306 to the driver */
        colon++;
    decode(&out->port, colon, (size_t)(end - colon));
}

/* The last one counts. */
static void read_options(const char *options, cli_mariadb_url *out)
{
    static const char socket[] = "socket=";
    while (*options) {
        size_t size = strcspn(options, "&");
        if (bo_text_starts(options, socket)) {
            bo_buf_clear(&out->socket);
            decode(&out->socket, options + strlen(socket), size - strlen(socket));
        }
        options += size + (options[size] != '\0');
    }
}

bool cli_mariadb_url_read(const char *url, cli_mariadb_url *out)
{
    if (!bo_text_starts(url, "mariadb://") && !bo_text_starts(url, "mysql://"))
        return false;
    const char *server = strstr(url, "://") + strlen("://");
    size_t size = strcspn(server, "/?#");
    read_server(server, size, out);
    const char *path = server + size;
    if (*path == '/')
        decode(&out->database, path + 1, strcspn(path + 1, "/?#"));
    const char *question = strchr(path, '?');
    if (question)
        read_options(question + 1, out);
    return !(out->user.failed || out->host.failed || out->port.failed || out->database.failed ||
             out->socket.failed);
}

static const char *text_or(const bo_buf *text, const char *otherwise)
{
    return text->size ? bo_buf_str(text) : otherwise;
}

bool cli_mariadb_url_same(const cli_mariadb_url *a, const cli_mariadb_url *b)
{
    return bo_text_same(text_or(&a->host, "localhost"), text_or(&b->host, "localhost")) &&
           strcmp(text_or(&a->port, "3306"), text_or(&b->port, "3306")) == 0 &&
           strcmp(text_or(&a->socket, ""), text_or(&b->socket, "")) == 0 &&
           strcmp(text_or(&a->database, ""), text_or(&b->database, "")) == 0;
}
