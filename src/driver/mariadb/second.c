/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/second.c - a second link of the same user. */
#include "driver/mariadb/second.h"

#include "base/error.h"

bo_status my_second_open(const my_conn *conn, unsigned lock_timeout_s, my_conn *out, bo_error *err)
{
    *out = (my_conn){.base = conn->base,
        .url = conn->url,
        .server = conn->server,
        .schema = conn->schema,
        .lock_timeout_ms = conn->lock_timeout_ms};
    bo_status st = my_connect_again(conn, &out->my, err);
    if (st == BO_OK)
        st = my_run(out, NULL, err,
            "SET SESSION lock_wait_timeout = %u, innodb_lock_wait_timeout = %u, autocommit = ON,"
            " max_statement_time = 0",
            lock_timeout_s, lock_timeout_s);
    if (st == BO_OK)
        st = my_run(out, NULL, err, "SET SESSION TRANSACTION READ WRITE");
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot open a second connection");
}

void my_second_close(my_conn *second)
{
    if (second->my)
        mysql_close(second->my);
    second->my = NULL;
}
