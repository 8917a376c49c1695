/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/foreign_keys.h - walking the keys of described tables, for drivers that ask about one
 * at a time. */
#ifndef BO_DRIVER_FOREIGN_KEYS_H
#define BO_DRIVER_FOREIGN_KEYS_H

#include "driver/driver.h"

/** Adds the rows of `key` that refer to nothing to *violations; `example` gets words for the first
 * ones that any key has. */
typedef bo_status bo_dangling_fn(
    bo_conn *conn, const bo_foreign_key *key, uint64_t *violations, bo_buf *example, bo_error *err);
/** bo_driver.check_references: each key of these tables once, both ways. */
bo_status bo_foreign_keys_check(bo_conn *conn, const bo_table *const *tables, unsigned count,
    bo_dangling_fn *check, uint64_t *violations_out, bo_buf *example_out, bo_error *err);

/** What blocks an entry, by its ordinal from 1: the keys that refer to the table, then its own
 * foreign keys, then its unique keys. */
bo_blocked bo_blocked_by(const bo_table *now, unsigned position, uint64_t id, unsigned ordinal);

#endif
