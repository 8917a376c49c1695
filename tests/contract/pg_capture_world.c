/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/pg_capture_world.c - see pg_capture_world.h. */
#include "contract/pg_capture_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pg_capture_make_t(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, n integer);"
                   "INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)");
}

bo_conn *pg_capture_super(const contract_world *w)
{
    const char *like = getenv("BACKOUT_TEST_PG_SUPER_URL");
    char url[600];
    const char *database = strstr(w->url, "///") + 3;
    snprintf(url, sizeof url, "postgresql:///%.*s%s", (int)strcspn(database, "?"), database,
        strchr(like, '?'));
    return pg_world_connect(url, true);
}

bo_status pg_capture_try(contract_world *w, const char *table, bo_error *err)
{
    const bo_table *t = contract_table(w, table);
    return w->driver->capture->begin(w->conn, &t, 1, "p", err);
}

const char *pg_capture_clerk(void)
{
    static char name[40];
    snprintf(name, sizeof name, "clerk_%ld", (long)getpid());
    return name;
}

void pg_capture_do_about_clerk(bo_conn *conn, const char *sql)
{
    bo_buf text = {0};
    for (const char *c = sql; *c; c++) {
        if (*c == '%')
            bo_buf_add_str(&text, pg_capture_clerk());
        else
            bo_buf_add_byte(&text, (uint8_t)*c);
    }
    bo_buf_add_str(&text, "");
    pg_do(conn, bo_buf_str(&text));
    bo_buf_done(&text);
}

void pg_capture_make_parts(contract_world *w)
{
    contract_do(w,
        "CREATE TABLE t (id integer, part integer, a text, PRIMARY KEY (part, id))"
        " PARTITION BY LIST (part);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        "CREATE TABLE t2 (a text, id integer NOT NULL, dropped integer, part integer NOT NULL);"
        "ALTER TABLE t2 DROP COLUMN dropped; ALTER TABLE t ATTACH PARTITION t2 FOR VALUES IN (2);"
        "CREATE TABLE tn PARTITION OF t FOR VALUES IN (3, 4) PARTITION BY LIST (part);"
        "CREATE TABLE t3 PARTITION OF tn FOR VALUES IN (3);"
        "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 1, 'd')");
}
