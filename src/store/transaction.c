/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/transaction.c - transactions of the catalog: they nest, and wait for one lock. */
#include "base/step.h"
#include "store/catalog_sql.h"
#include "store/live.h"
#include "store/lock.h"

/* SQLite's BEGIN has the write lock already; a server's does not. */
static bo_status take_write_lock(bo_catalog *catalog, bo_error *err)
{
    const bo_driver *driver = catalog->conn->driver;
    if (!(driver->caps & BO_CAP_SCHEMAS))
        return BO_OK;
    return driver->exec(catalog->conn, "SELECT pg_advisory_xact_lock(" BO_CATALOG_LOCK ")", err);
}

bo_status bo_catalog_begin(bo_catalog *catalog, bo_error *err)
{
    if (catalog->depth > 0) {
        catalog->depth++;
        return BO_OK;
    }
    const bo_driver *driver = catalog->conn->driver;
    bo_status st = driver->begin(catalog->conn, BO_TX_PLAIN, err);
    if (st == BO_OK) {
        st = take_write_lock(catalog, err);
        if (st != BO_OK)
            driver->rollback(catalog->conn);
    }
    if (st == BO_BUSY)
        return bo_catalog_busy(catalog, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write to the catalog '%s'", catalog->name);
    catalog->depth = 1;
    catalog->doomed = false;
    return BO_OK;
}

bo_status bo_catalog_end(bo_catalog *catalog, bool keep, bo_error *err)
{
    if (!keep)
        catalog->doomed = true;
    if (--catalog->depth > 0)
        return BO_OK;
    const bo_driver *driver = catalog->conn->driver;
    if (catalog->doomed) {
        driver->rollback(catalog->conn);
        bo_live_settle(catalog, false);
        return keep ? bo_fail(err, BO_FAILED, "a part of this change of the catalog failed")
                    : BO_OK;
    }
    bo_status st = driver->commit(catalog->conn, err);
    bo_live_settle(catalog, st == BO_OK);
    if (st != BO_OK) {
        driver->rollback(catalog->conn);
        return bo_wrap(err, st, "cannot write to the catalog '%s'", catalog->name);
    }
    bo_step("catalog.committed");
    return BO_OK;
}

bo_status bo_catalog_finish(bo_catalog *catalog, bo_status st, bo_error *err)
{
    if (st == BO_OK)
        return bo_catalog_end(catalog, true, err);
    (void)bo_catalog_end(catalog, false, NULL);
    return st;
}

bo_status bo_catalog_read_begin(bo_catalog *catalog, bo_error *err)
{
    const bo_driver *driver = catalog->conn->driver;
    return catalog->depth > 0 ? BO_OK : driver->begin(catalog->conn, BO_TX_READ, err);
}

void bo_catalog_read_end(bo_catalog *catalog)
{
    if (catalog->depth == 0)
        catalog->conn->driver->rollback(catalog->conn);
}

bo_status bo_catalog_write_one(bo_catalog *catalog, const char *sql, const bo_text_value *params,
    uint16_t count, bo_status none, const char *complaint, bo_error *err)
{
    bo_status st = bo_catalog_begin(catalog, err);
    if (st != BO_OK)
        return st;
    uint64_t rows = 0;
    st = bo_catalog_query(catalog, sql, params, count, NULL, NULL, &rows, err);
    if (st == BO_OK && rows != 1)
        st = bo_fail(err, none, "%s", complaint);
    return bo_catalog_finish(catalog, st, err);
}
