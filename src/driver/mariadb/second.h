/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/second.h - a second link, for statements that would commit the transaction of
 * the first one: LOCK TABLES, CREATE TABLE, DROP TABLE.
 */
#ifndef BO_DRIVER_MARIADB_SECOND_H
#define BO_DRIVER_MARIADB_SECOND_H

#include "driver/mariadb/my.h"

/** Connects `out` as `conn` was connected; it borrows from `conn` and waits `lock_timeout_s` for
 * locks.  my_second_close() in any case. */
bo_status my_second_open(const my_conn *conn, unsigned lock_timeout_s, my_conn *out, bo_error *err);
void my_second_close(my_conn *second);

#endif
