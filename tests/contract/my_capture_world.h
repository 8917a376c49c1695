/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/my_capture_world.h - what the journals of MariaDB tell, compared with what there
 * was and what there is, row by row.
 */
#ifndef BO_TESTS_CONTRACT_MY_CAPTURE_WORLD_H
#define BO_TESTS_CONTRACT_MY_CAPTURE_WORLD_H

#include "contract/capture_world.h"

#define ROWS_T                                                                  \
    "CREATE TABLE t (id integer PRIMARY KEY, u integer UNIQUE, a varchar(40));" \
    "INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three')"

/** Rows of one table, sorted. */
typedef struct watch_images watch_images;
watch_images *watch_scan(bo_conn *conn, const bo_table *table);
void watch_free(watch_images *set);

/** What the journal tells between two moments is what lies between the rows of then and now. */
void watch_told(bo_conn *conn, const bo_table *table, const bo_journal_filter *filter,
    const watch_images *was, const watch_images *is);

enum { WATCHED_MAX = 12 };

typedef struct watched {
    contract_world *w;
    const char *from;
    unsigned count;
    const bo_table *tables[WATCHED_MAX];
    watch_images *was[WATCHED_MAX];
} watched;

/** Captures tables for point "p" and keeps their rows. */
watched watch_begin(contract_world *w, const char *const *names);
/** Everything is told since watch_begin(), nothing else is, and the capture is trusted. */
void watch_check(watched *self);
/** Checks once more and ends the capture, of which nothing stays. */
void watch_end(watched *self);

#endif
