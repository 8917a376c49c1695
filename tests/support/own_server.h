/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/own_server.h - a server of a test's own, which may be killed.
 *
 * Made by pg-server or mariadb-server, whose programs are found by BACKOUT_SOURCE.  What is
 * committed there outlives the death of the server, as it does with the settings that it is shipped
 * with.
 */
#ifndef BO_TESTS_OWN_SERVER_H
#define BO_TESTS_OWN_SERVER_H

#include <stdbool.h>

/** Starts one; from then on the variables of its kind (support/README.md) mean this one.  False:
 * there are to be no such servers. */
bool own_server_start(bool mariadb);
/** Ends it and waits until it is gone: PostgreSQL's immediate mode, or SIGKILL to all its
 * processes; MariaDB has one.  Also in a child of the process that started it. */
void own_server_kill(bool hard);
/** Starts it again, on its port. */
void own_server_again(void);
/** Stops it and removes its folder; nothing without one. */
void own_server_stop(void);

#endif
