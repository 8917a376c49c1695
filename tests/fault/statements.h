/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/statements.h - what goes wrong at the n-th statement that is sent to a MariaDB
 * server.
 *
 * Much of what the driver does there commits itself, statement by statement, so every place between
 * two of them is a state in which a process can die.
 */
#ifndef BO_TESTS_FAULT_STATEMENTS_H
#define BO_TESTS_FAULT_STATEMENTS_H

#include <stdbool.h>

typedef enum statement_fault {
    STATEMENT_NONE,
    STATEMENT_KILL, /* the process is killed before it is sent */
    STATEMENT_LOST, /* it is carried out, and the link breaks before its answer comes */
    STATEMENT_FAILS /* the server refuses it; prepared ones are left alone */
} statement_fault;

/** The n-th statement from now on, of any connection; `fired` is set before anything happens. */
void fault_statement_arm(statement_fault how, unsigned nth, volatile bool *fired);

#endif
