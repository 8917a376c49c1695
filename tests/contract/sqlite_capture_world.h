/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/sqlite_capture_world.h - what the journals of SQLite tell, compared with all rows
 * before and after: just what differs must be told, nothing more is promised to anybody.
 */
#ifndef BO_TESTS_CONTRACT_SQLITE_CAPTURE_WORLD_H
#define BO_TESTS_CONTRACT_SQLITE_CAPTURE_WORLD_H

#include "contract/capture_world.h"

#define ROWS_T                                                                                  \
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b UNIQUE, c, d NOT NULL DEFAULT 7);"       \
    "INSERT INTO t VALUES (1, 'one', 10, x'00ff', 1), (2, 'two', 20, 2.5, 2), (3, 'three', 30," \
    " char(97, 0, 98), 3), (4, NULL, NULL, CAST(x'ff41' AS TEXT), 4), (5, '', 50, 1e300, 5);"

/* The names of all that the capture made in the database. */
#define OURS "SELECT group_concat(name) FROM sqlite_schema WHERE name GLOB 'backout*'"

typedef struct tell_rows {
    const bo_table *table;
    contract_rows all;
} tell_rows;

/* One table of a story. */
typedef struct tell_table {
    const char *story;
    tell_rows was;
    tell_rows is;
    contract_rows seen; /* of the journal: a row of each key */
    unsigned wrong;
} tell_table;

/* A story that was begun: its tables as they were, captured for point "p". */
typedef struct tell_state {
    contract_world *world;
    tell_table tables[4];
    unsigned count;
    const char *from;
} tell_state;

/** `tables` are names, separated by blanks. */
void tell_begin(tell_state *self, contract_world *w, const char *title, const char *tables);
/** How much of what was told since is wrong; what it is is printed. */
unsigned tell_end(tell_state *self);

#endif
