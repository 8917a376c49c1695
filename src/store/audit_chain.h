/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/audit_chain.h - the chain of the audit log, wherever its records come from; every byte
 * of it is in docs/design/audit.md. */
#ifndef BO_STORE_AUDIT_CHAIN_H
#define BO_STORE_AUDIT_CHAIN_H

#include <sodium.h>

#include "store/catalog.h"

enum { BO_CHAIN_HASH = 32, BO_CHAIN_HEX = 2 * BO_CHAIN_HASH + 1 };

/* A record as texts, in this order: those before BO_AUDIT_SIGNED go into the hash. */
enum {
    BO_AUDIT_SEQUENCE,
    BO_AUDIT_TIME,
    BO_AUDIT_EVENT,
    BO_AUDIT_ACTOR,
    BO_AUDIT_OBJECT,
    BO_AUDIT_OUTCOME,
    BO_AUDIT_DETAILS,
    BO_AUDIT_SIGNED,
    BO_AUDIT_PREVIOUS = BO_AUDIT_SIGNED,
    BO_AUDIT_HASH,
    BO_AUDIT_FIELDS
};
#define BO_AUDIT_COLUMNS "sequence, time_us, event, actor, object, outcome, details, previous, hash"

/** Hex of the first record's previous hash. */
void bo_chain_begin(char hash_out[BO_CHAIN_HEX]);
/** Hash of a record that follows one with the hash `previous`. */
void bo_chain_next(
    const char previous[BO_CHAIN_HEX], const bo_text_value *fields, char hash_out[BO_CHAIN_HEX]);

/** A check on its way through the records, oldest first. */
typedef struct bo_chain {
    bo_audit_check found;
    char hash[BO_CHAIN_HEX]; /* of the last record that was whole */
} bo_chain;
void bo_chain_open(bo_chain *chain);
/** Looks at the next record, of BO_AUDIT_FIELDS texts; nothing after a broken link. */
void bo_chain_add(bo_chain *chain, const bo_text_value *fields);
void bo_chain_break(bo_chain *chain, uint64_t sequence, const char *format, ...) BO_PRINTF(3, 4);

/** The text of `details` that is hashed and stored; NULL stands for {}.  The caller frees it. */
char *bo_audit_canonical(const json_t *details); /* NULL: no memory */

/** Each record, oldest first, a page at a time; inside one read transaction. */
bo_status bo_audit_each(bo_catalog *catalog, bo_query_fn *each, void *ctx, bo_error *err);

#endif
