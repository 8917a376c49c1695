/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/dial.c - from a URL to a connection of the client library, and a second one.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "driver/mariadb/my.h"
#include "driver/mariadb/url.h"

#define CONNECT_TIMEOUT_S 10u
#define LINK_TIMEOUT_S    60u
#define OLDEST_SERVER     100500ul

static void set_options(MYSQL *my, const my_url *url, const char *application_name)
{
    const unsigned seconds = url->connect_timeout_s ? url->connect_timeout_s : CONNECT_TIMEOUT_S;
    const my_bool yes = 1;
    const unsigned no = 0;
    (void)mysql_options(my, MYSQL_READ_DEFAULT_GROUP, "client");
    (void)mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    (void)mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &no); /* no file of ours is for the server */
    (void)mysql_options4(my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", application_name);
    if (url->ssl || url->ssl_ca)
        (void)mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &yes);
    if (url->ssl_ca) {
        (void)mysql_options(my, MYSQL_OPT_SSL_CA, url->ssl_ca);
        (void)mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
}

/*
 * A host that is gone answers nothing, not even with a reset: the kernel asks whether it is there
 * while a statement runs, and gives up.  A statement itself may take as long as it does.  On a
 * socket of this host there is nothing to set, and that is refused.
 * Source: Linux manual, tcp(7).
 */
static void watch_link(MYSQL *my, const my_url *url)
{
    const int seconds = (int)(url->link_timeout_s ? url->link_timeout_s : LINK_TIMEOUT_S);
    const int on = 1, idle = (seconds + 1) / 2, interval = (seconds + 5) / 6, count = 3;
    const unsigned timeout_ms = (unsigned)seconds * 1000;
    const int fd = (int)mysql_get_socket(my);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static bool connect_once(
    const my_url *url, const char *password, const char *application_name, MYSQL *my)
{
    set_options(my, url, application_name);
    /* Rows are counted as matched: an UPDATE that finds its row as it shall be has found it. */
    if (!mysql_real_connect(my, url->host, url->user, password, url->database, url->port,
            url->socket, CLIENT_FOUND_ROWS | CLIENT_REMEMBER_OPTIONS))
        return false;
    watch_link(my, url);
    return true;
}

void my_name_target(const my_conn *conn, bo_buf *out)
{
    const my_url *url = conn->url;
    bo_buf_printf(out, "%s@%s", url->database, url->host ? url->host : "localhost");
    if (url->port)
        bo_buf_printf(out, ":%u", url->port);
}

static bo_status connect_failed(my_conn *conn, const char *password, bo_error *err)
{
    const char *text = mysql_error(conn->my);
    const bool hidden = password && *password && strstr(text, password);
    bo_status st = bo_fail(err, BO_DATABASE, "%s",
        hidden ? "(the reason is not shown: it has the password in it)" : text);
    if (err)
        (void)snprintf(err->sqlstate, sizeof err->sqlstate, "%s", mysql_sqlstate(conn->my));
    BO_OWN_VALUE(bo_buf) target = {0};
    my_name_target(conn, &target);
    return bo_wrap(err, st, "cannot connect to '%s'", bo_buf_str(&target));
}

bo_status my_dial(const bo_connect *how, my_conn *conn, bo_error *err)
{
    const char *password = how->password ? how->password : conn->url->password;
    conn->my = mysql_init(NULL);
    if (!conn->my)
        return bo_nomem(err);
    if (!connect_once(conn->url, password,
            how->application_name ? how->application_name : "backout", conn->my))
        return connect_failed(conn, password, err);
    if (!mariadb_connection(conn->my))
        return bo_fail(
            err, BO_UNSUPPORTED, "the server is not MariaDB: %s", mysql_get_server_info(conn->my));
    conn->server = mysql_get_server_version(conn->my);
    if (conn->server < OLDEST_SERVER)
        return bo_fail(err, BO_UNSUPPORTED, "MariaDB 10.5 or later is needed; this server is %s",
            mysql_get_server_info(conn->my));
    conn->schema = conn->url->database;
    return BO_OK;
}

/* The client library has kept the password. */
bo_status my_connect_again(const my_conn *conn, MYSQL **out, bo_error *err)
{
    MYSQL *other = conn->my ? mysql_init(NULL) : NULL;
    if (!other)
        return conn->my ? bo_nomem(err) : bo_fail(err, BO_DATABASE, "the connection is closed");
    if (!connect_once(conn->url, conn->my->passwd, "backout", other)) {
        my_conn failed = {.my = other, .url = conn->url};
        bo_status st = connect_failed(&failed, conn->my->passwd, err);
        mysql_close(other);
        return st;
    }
    *out = other;
    return BO_OK;
}

/* Another connection of the same user asks for it. */
void my_cancel(bo_conn *base)
{
    my_conn *conn = my_of(base);
    MYSQL *other = NULL;
    if (my_connect_again(conn, &other, NULL) != BO_OK)
        return;
    char sql[64];
    (void)snprintf(sql, sizeof sql, "KILL QUERY %lu", mysql_thread_id(conn->my));
    (void)mysql_query(other, sql);
    mysql_close(other);
}
