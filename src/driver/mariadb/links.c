/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/links.c - which tables refer to which, and the texts of views.
 *
 * information_schema answers either question only by opening every table of the server.  Many
 * tables are described in a row, so the answers are kept: until a transaction begins or ends, a
 * statement of somebody else runs, or a second has gone by.
 */
#include <string.h>

#include "base/clock.h"
#include "driver/mariadb/describe.h"

#define KEPT_US 1000000

void my_links_free(my_links *links)
{
    if (!links)
        return;
    mysql_free_result(links->references);
    mysql_free_result(links->views);
    free(links);
}

void my_forget_links(my_conn *conn)
{
    my_links_free(conn->links);
    conn->links = NULL;
}

static bo_status ask(my_conn *conn, my_links *links, bo_error *err)
{
    bo_status st = my_ask(conn, &links->references, err,
        "SELECT DISTINCT REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, TABLE_SCHEMA, TABLE_NAME"
        " FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL"
        " ORDER BY 3, 4");
    return st == BO_OK ? my_ask(conn, &links->views, err,
                             "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION"
                             " FROM information_schema.VIEWS WHERE TABLE_SCHEMA <> 'sys'"
                             " ORDER BY 1, 2")
                       : st;
}

bo_status my_get_links(my_conn *conn, const my_links **out, bo_error *err)
{
    if (conn->links && bo_clock_monotonic_us() > conn->links->until_us)
        my_forget_links(conn);
    if (!conn->links) {
        BO_OWN(my_links) *links = calloc(1, sizeof *links);
        if (!links)
            return bo_nomem(err);
        bo_status st = ask(conn, links, err);
        if (st != BO_OK)
            return st;
        links->until_us = bo_clock_monotonic_us() + KEPT_US;
        conn->links = BO_TAKE(links);
    }
    mysql_data_seek(conn->links->references, 0);
    mysql_data_seek(conn->links->views, 0);
    *out = conn->links;
    return BO_OK;
}
