/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/pg_capture_world.h - tables of PostgreSQL to capture, and who captures them. */
#ifndef BO_TESTS_CONTRACT_PG_CAPTURE_WORLD_H
#define BO_TESTS_CONTRACT_PG_CAPTURE_WORLD_H

#include "contract/capture_world.h"

/** t (id, a, n), of three rows. */
void pg_capture_make_t(contract_world *w);
/** t (id, part, a), of four rows: partitions t1, t2 (whose columns stand otherwise), and t3 below
 * tn. */
void pg_capture_make_parts(contract_world *w);

/** A superuser's session in the same database. */
bo_conn *pg_capture_super(const contract_world *w);
/** A role of this program's: roles are the server's, which other programs use at the same time. */
const char *pg_capture_clerk(void);
/** Runs SQL in which each "%" is that role. */
void pg_capture_do_about_clerk(bo_conn *conn, const char *sql);
/** Captures a table for point "p". */
bo_status pg_capture_try(contract_world *w, const char *table, bo_error *err);

#endif
