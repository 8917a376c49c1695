/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/capture_world.h - what captured tables tell, as text.
 *
 * A row is its values between "(" and ")", separated by "|", NULL as "~"; no row is "-".
 */
#ifndef BO_TESTS_CONTRACT_CAPTURE_WORLD_H
#define BO_TESTS_CONTRACT_CAPTURE_WORLD_H

#include "contract/contract.h"

/** Captures `tables` for `point` and returns the position, in the world's arena. */
const char *capture_begin(contract_world *world, const char *point, const char *const *tables);
const char *capture_position(contract_world *world, const char *const *tables);
void capture_end(contract_world *world, const char *point);

/**
 * What the writes of the filter did to a table: one change a line, "(1|a) > (1|b)", those that are
 * mixed with " mixed" after it, sorted.  A change that left the row as it was is not among them.
 */
const char *capture_changes(
    contract_world *world, const char *table, const bo_journal_filter *filter);
/** The same of everything after `from`. */
const char *capture_since(contract_world *world, const char *table, const char *from);

/** The journal after `from`, a row a line: operation and key, "U (1)". */
const char *capture_journal(contract_world *world, const char *table, const char *from);
/** The last row of the journal after `from`; its texts are in the world's arena. */
bo_journal_row capture_last(contract_world *world, const char *table, const char *from);

/** Why the capture cannot be trusted; "" when it can. */
const char *capture_broken(contract_world *world, const char *table, const char *point);
/** These words are in it, for point "p". */
void capture_expect_broken(contract_world *world, const char *table, const char *words);
/** The list: "point table" a line, " gone" after a table that is. */
const char *capture_list(contract_world *world);
/** The reasons that go with the coverage, which must be `wanted`. */
const char *capture_coverage(contract_world *world, const char *table, bo_coverage wanted);

void capture_tag(contract_world *world, bo_conn *conn, const char *run);

#endif
