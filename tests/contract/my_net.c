/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/my_net.c - statements over a net of foreign keys, most of which reach further;
 * those that the engine refuses are part of it.
 */
#include "contract/my_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const net[] = {
    "CREATE TABLE a (x int, y int, n int, PRIMARY KEY (x, y))",
    "CREATE TABLE b (id int PRIMARY KEY, x int, y int, k int UNIQUE, FOREIGN KEY (x, y)"
    " REFERENCES a (x, y) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE c (x int, y int, z int, PRIMARY KEY (x, y, z), FOREIGN KEY (x, y)"
    " REFERENCES a (x, y) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE d (id int PRIMARY KEY, x int, y int, z int, FOREIGN KEY (x, y, z)"
    " REFERENCES c (x, y, z) ON DELETE SET NULL ON UPDATE CASCADE, UNIQUE (z, id))",
    "CREATE TABLE e (id int PRIMARY KEY, up int, bk int, FOREIGN KEY (up) REFERENCES e (id)"
    " ON DELETE CASCADE, FOREIGN KEY (bk) REFERENCES b (k) ON DELETE SET NULL ON UPDATE CASCADE)",
    "CREATE TABLE f (id int PRIMARY KEY, e int, bk int UNIQUE, FOREIGN KEY (e) REFERENCES e (id)"
    " ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (bk) REFERENCES b (k) ON DELETE SET NULL"
    " ON UPDATE SET NULL)",
    "CREATE TABLE g (bk int, i int, PRIMARY KEY (i), FOREIGN KEY (bk) REFERENCES f (bk)"
    " ON DELETE CASCADE ON UPDATE SET NULL)",
    "CREATE TABLE h (id int PRIMARY KEY, d int, g int, FOREIGN KEY (d) REFERENCES d (id)"
    " ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (g) REFERENCES g (i) ON DELETE CASCADE)",
};

static const char *const net_writes[] = {
    "INSERT IGNORE INTO a VALUES (%u, %u, 0)",
    "INSERT INTO b VALUES (%u * 6 + %u, %u, %u, %u)",
    "INSERT IGNORE INTO c VALUES (%u, %u, %u)",
    "INSERT INTO d VALUES (%u * 6 + %u, %u, %u, %u)",
    "INSERT INTO e VALUES (%u * 6 + %u, NULLIF(%u, 0), NULLIF(%u, 0))",
    "INSERT INTO f VALUES (%u * 6 + %u, %u, NULLIF(%u, 0))",
    "INSERT INTO g VALUES (%u, %u)",
    "INSERT INTO h VALUES (%u * 6 + %u, %u, %u)",
    "DELETE FROM a WHERE x = %u AND y = %u",
    "DELETE FROM b WHERE k = %u OR id = %u",
    "DELETE FROM c WHERE y = %u AND z = %u",
    "DELETE FROM e WHERE id = %u * 6 + %u",
    "DELETE FROM f WHERE id %% 6 = %u AND e > %u",
    "UPDATE a SET y = %u + 6 WHERE x = %u",
    "UPDATE a SET x = %u + 3, n = n + 1 WHERE y = %u",
    "UPDATE IGNORE a SET y = y %% 6, x = x %% 6 WHERE x > %u",
    "UPDATE b SET k = NULLIF(%u, 0) WHERE id %% 6 = %u",
    "UPDATE c SET z = z + %u WHERE x = %u AND y = %u",
    "UPDATE d SET id = id + %u WHERE id %% 6 = %u",
    "UPDATE e SET up = NULLIF(%u, 0), bk = NULLIF(%u, 0) WHERE id %% 5 = %u",
    "UPDATE f SET bk = NULL WHERE e = %u",
    "REPLACE INTO a VALUES (%u, %u, %u)",
    "REPLACE INTO e VALUES (%u, NULL, NULLIF(%u, 0))",
    "DELETE a, b FROM a JOIN b ON b.x = a.x AND b.k = %u",
};

void net_write(bo_conn *conn, unsigned *seed)
{
    char sql[300];
    bo_error err = {0};
    const size_t kinds = sizeof net_writes / sizeof *net_writes;
    const char *form = net_writes[(unsigned)rand_r(seed) % kinds];
    unsigned n[5];
    for (int i = 0; i < 5; i++)
        n[i] = (unsigned)rand_r(seed) % 6;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sql, sizeof sql, form, n[0], n[1], n[2], n[3], n[4]);
#pragma GCC diagnostic pop
    bo_status st = conn->driver->exec(conn, sql, &err);
    if (st != BO_OK && st != BO_CONFLICT && st != BO_BUSY && !strstr(err.text, "error 193"))
        fail_msg("%s: %s", sql, err.text);
}

void net_make(contract_world *w)
{
    for (size_t i = 0; i < sizeof net / sizeof *net; i++)
        contract_do(w, net[i]);
    unsigned seed = 1;
    for (int i = 0; i < 400; i++)
        net_write(w->user, &seed);
}
