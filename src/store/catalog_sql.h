/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/catalog_sql.h - what the files of the catalog share: the connection and bound values.
 */
#ifndef BO_STORE_CATALOG_SQL_H
#define BO_STORE_CATALOG_SQL_H

#include <sys/types.h>

#include "store/catalog.h"

struct bo_catalog {
    bo_conn *conn;
    char *name;               /* redacted URL, for errors */
    char *url, *password;     /* to open it again; the path of a file is absolute */
    pid_t owner;              /* who opened it: a child must not use its connection */
    struct bo_keeper *keeper; /* of the leases, once a run has begun */
    uint32_t lock_timeout_ms;
    bool read_only; /* it could not be written when it was opened */
    unsigned depth; /* of bo_catalog_begin() */
    bool doomed;    /* an inner transaction was given up: so is the outermost */
};

/* The write lock on a server: "backout" in ASCII; it ends with the transaction. */
#define BO_CATALOG_LOCK "27691627349767540"

/* Where it is on a server. */
#define BO_CATALOG_SCHEMA "backout_catalog"

/* ---- catalog.c, migrate.c ---- */
/** One more connection to the same catalog, wherever the process is now.  Creates and migrates
 * nothing; on a server its SQL names BO_CATALOG_SCHEMA. */
bo_status bo_catalog_again(
    const bo_catalog *other, uint32_t lock_timeout_ms, bo_catalog **out, bo_error *err);

/** Makes the tables, or brings those of an older version up to date; BO_UNSUPPORTED for a later. */
bo_status bo_catalog_migrate(bo_catalog *catalog, bo_error *err);

/** BO_UNSUPPORTED unless its tables are those of this version. */
bo_status bo_catalog_check_version(bo_catalog *catalog, bo_error *err);

/* ---- transaction.c ---- */
/** A read transaction: all questions until its end are answered as of one instant.  Within a write
 * transaction it is part of that. */
bo_status bo_catalog_read_begin(bo_catalog *catalog, bo_error *err);
void bo_catalog_read_end(bo_catalog *catalog);

/** One statement, in a transaction of its own or in that of the caller, that must change one row;
 * if it does not: `none`, with `complaint` as its text. */
bo_status bo_catalog_write_one(bo_catalog *catalog, const char *sql, const bo_text_value *params,
    uint16_t count, bo_status none, const char *complaint, bo_error *err);

/* ---- catalog_sql.c ---- */
/** driver->query() on the catalog's connection. */
bo_status bo_catalog_query(bo_catalog *catalog, const char *sql, const bo_text_value *params,
    uint16_t count, bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err);

/** One value of backout_meta; *out is empty and *found_out false when there is none. */
bo_status bo_catalog_meta_get(
    bo_catalog *catalog, const char *key, bo_buf *out, bool *found_out, bo_error *err);
bo_status bo_catalog_meta_set(
    bo_catalog *catalog, const char *key, const char *value, bo_error *err);

/* Values to bind: text (NULL is SQL NULL), and numbers with the memory for their digits. */
typedef struct bo_digits {
    char text[24];
} bo_digits;
bo_text_value bo_bind_text(const char *text);
bo_text_value bo_bind_number(int64_t value, bo_digits *memory);

/** A copy of a result; NULL for SQL NULL or, with *nomem set, for no memory. */
const char *bo_read_text(bo_arena *arena, bo_text_value value, bool *nomem);
/** A BIGINT of a result; 0 for SQL NULL or what is no number. */
int64_t bo_read_number(bo_text_value value);

#endif
