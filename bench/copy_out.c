/* SPDX-License-Identifier: Apache-2.0 */
/* bench/copy_out.c - the yardstick: one plain COPY ... TO STDOUT through libpq, thrown away. */
#include <libpq-fe.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: copy_out URL TABLE\n");
        return 2;
    }
    PGconn *conn = PQconnectdb(argv[1]);
    char sql[512];
    snprintf(sql, sizeof sql, "COPY %s TO STDOUT", argv[2]);
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COPY_OUT) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        return 1;
    }
    PQclear(result);
    unsigned long long bytes = 0;
    char *row = NULL;
    int size;
    while ((size = PQgetCopyData(conn, &row, 0)) > 0) {
        bytes += (unsigned long long)size;
        PQfreemem(row);
    }
    result = PQgetResult(conn);
    int failed = PQresultStatus(result) != PGRES_COMMAND_OK;
    PQclear(result);
    PQfinish(conn);
    printf("%llu bytes\n", bytes);
    return failed;
}
