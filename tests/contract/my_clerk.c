/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/my_clerk.c - MariaDB: a user with few rights. */
#include "contract/my_clerk.h"

#include <string.h>

bool my_is_super(const contract_world *w)
{
    return strstr(w->url, "//root@") != NULL;
}

bo_conn *my_clerk_connect(contract_world *w, const char *rights, const char *everywhere)
{
    char sql[500], url[700];
    const char *schema = contract_ask(w, "SELECT database()");
    (void)snprintf(sql, sizeof sql,
        "CREATE OR REPLACE USER clerk_%s@localhost; GRANT %s ON *.* TO clerk_%s@localhost;"
        " GRANT %s ON %s.* TO clerk_%s@localhost",
        schema, everywhere ? everywhere : "USAGE", schema, rights, schema, schema);
    contract_do(w, sql);
    (void)snprintf(url, sizeof url, "mariadb://clerk_%s%s", schema, strchr(w->url, '@'));
    bo_error err = {0};
    bo_conn *conn = NULL;
    pg_must(bo_driver_open(&(bo_connect){.url = url, .lock_timeout_ms = 300}, &conn, &err), &err);
    return conn;
}

void my_clerk_drop(contract_world *w, bo_conn *conn)
{
    char sql[200];
    bo_conn_free(conn);
    (void)snprintf(
        sql, sizeof sql, "DROP USER clerk_%s@localhost", contract_ask(w, "SELECT database()"));
    contract_do(w, sql);
}
