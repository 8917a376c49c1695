/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/shop.h - a catalog, a repository and a database with a sealed point, put back before
 * each input.
 *
 *     customers (id, name)   orders (id, customer_id -> customers, total)   log (line), no key
 *
 * The point is SHOP_POINT; the change inserted, updated and deleted rows; others wrote since.
 */
#ifndef BO_TESTS_FUZZ_SHOP_H
#define BO_TESTS_FUZZ_SHOP_H

#include <sqlite3.h>

#include "backout/backout.h"
#include "base/buf.h"
#include "base/scope.h"

#define SHOP_POINT    "rb_fuzz_20261120_000000"
#define SHOP_SNAPSHOT "repository/" SHOP_POINT ".snapshot"
#define SHOP_CHANGE   "repository/" SHOP_POINT ".change"

extern const bo_database shop_database;

/** Everything as it was when the point was sealed; the shop is made by the first call. */
void shop_put_back(bo_method method);
/** NULL: the catalog was refused. */
bo_session *shop_session(void);

/** "catalog.db" or "shop.db"; the caller closes it. */
sqlite3 *shop_sqlite(const char *name);

/** What is in a file of the shop as it was. */
const bo_buf *shop_file(const char *name);

/** The rows of the shop's own tables as one text. */
void shop_rows(bo_buf *out);

/* ---- look.c ---- */

/** What is looked at beside the plans of a rollback, and what others wrote since. */
typedef enum shop_parts {
    SHOP_PLANS = 0,
    SHOP_CHANGESET = 1,
    SHOP_CATALOG = 2,
    SHOP_ALL = 3
} shop_parts;

/** Whatever backout says, is said; nothing of it may change the shop's rows. */
void shop_look(bo_session *session, shop_parts parts);

#endif
