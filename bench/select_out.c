/* SPDX-License-Identifier: Apache-2.0 */
/* bench/select_out.c - the yardstick of MariaDB: one unbuffered SELECT *, thrown away. */
#include <mysql.h>
#include <stdio.h>

static int read_all(MYSQL *conn, const char *table)
{
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
    if (mysql_query(conn, sql) != 0)
        return 1;
    MYSQL_RES *result = mysql_use_result(conn);
    if (!result)
        return 1;
    unsigned long long rows = 0;
    while (mysql_fetch_row(result))
        rows++;
    mysql_free_result(result);
    printf("%llu rows\n", rows);
    return mysql_errno(conn) != 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: select_out SOCKET DATABASE TABLE\n");
        return 2;
    }
    MYSQL *conn = mysql_init(NULL);
    if (!conn)
        return 1;
    int failed = !mysql_real_connect(conn, NULL, "root", NULL, argv[2], 0, argv[1], 0) ||
                 read_all(conn, argv[3]);
    if (failed)
        fprintf(stderr, "%s\n", mysql_error(conn));
    mysql_close(conn);
    return failed;
}
