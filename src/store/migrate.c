/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/migrate.c - the tables of the catalog and how older ones become today's. */
#include <inttypes.h>
#include <stdio.h>

#include "store/catalog_sql.h"

/*
 * One text per version, oldest first; a published one is never changed.  The same SQL runs on every
 * database: TEXT and BIGINT only, no ids made by the database.  docs/design/catalog.md explains
 * every column.
 */
static const char *const migrations[] = {
    "CREATE TABLE backout_point ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " number BIGINT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL,"
    " migration TEXT NOT NULL,"
    " description TEXT NOT NULL,"
    " database TEXT NOT NULL,"
    " url TEXT NOT NULL,"
    " server TEXT NOT NULL,"
    " engine TEXT NOT NULL,"
    " method TEXT NOT NULL,"
    " status TEXT NOT NULL,"
    " created_us BIGINT NOT NULL,"
    " sealed_us BIGINT NOT NULL,"
    " file TEXT NOT NULL,"
    " change_file TEXT,"
    " root TEXT NOT NULL,"
    " change_root TEXT NOT NULL,"
    " parent TEXT,"
    " run TEXT,"
    " entities TEXT NOT NULL,"
    " details TEXT NOT NULL);"
    "CREATE TABLE backout_run ("
    " id TEXT NOT NULL PRIMARY KEY,"
    " number BIGINT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL,"
    " point TEXT,"
    " status TEXT NOT NULL,"
    " step TEXT NOT NULL,"
    " started_us BIGINT NOT NULL,"
    " ended_us BIGINT NOT NULL,"
    " lease_us BIGINT NOT NULL,"
    " host TEXT NOT NULL,"
    " pid BIGINT NOT NULL,"
    " process TEXT NOT NULL,"
    " actor TEXT NOT NULL,"
    " token TEXT,"
    " details TEXT NOT NULL);"
    "CREATE INDEX backout_run_point ON backout_run (point, number);"
    "CREATE TABLE backout_audit ("
    " sequence BIGINT NOT NULL PRIMARY KEY,"
    " time_us BIGINT NOT NULL,"
    " event TEXT NOT NULL,"
    " actor TEXT NOT NULL,"
    " object TEXT NOT NULL,"
    " outcome TEXT NOT NULL,"
    " details TEXT NOT NULL,"
    " previous TEXT NOT NULL,"
    " hash TEXT NOT NULL);"
    "INSERT INTO backout_meta (key, value) VALUES ('audit_head', '0 "
    "0000000000000000000000000000000000000000000000000000000000000000')",
};

enum { VERSION = sizeof migrations / sizeof *migrations };

static bo_status read_version(bo_catalog *catalog, int64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bool found = false;
    int64_t version = 0;
    bo_status st = bo_catalog_meta_get(catalog, "schema_version", &text, &found, err);
    if (st == BO_OK && found)
        version = strtoll(bo_buf_str(&text), NULL, 10);
    if (st == BO_OK && (version < 0 || version > VERSION))
        return bo_fail(err, BO_UNSUPPORTED,
            "it was written by a later version of backout (schema %" PRId64 ", this one knows %d)",
            version, VERSION);
    if (st == BO_OK)
        *out = version;
    return st;
}

bo_status bo_catalog_check_version(bo_catalog *catalog, bo_error *err)
{
    int64_t version = 0;
    bo_status st = read_version(catalog, &version, err);
    return st != BO_OK || version == VERSION
               ? st
               : bo_fail(err, BO_UNSUPPORTED,
                     "it was written by an earlier version of backout, and cannot be brought up to "
                     "date where it cannot be written");
}

/* At most one migration, inside the transaction; *version_out is then what the catalog has. */
static bo_status step(bo_catalog *catalog, int64_t *version_out, bo_error *err)
{
    int64_t version = 0;
    bo_status st = catalog->conn->driver->exec(catalog->conn,
        "CREATE TABLE IF NOT EXISTS backout_meta"
        " (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        err);
    if (st == BO_OK)
        st = read_version(catalog, &version, err);
    if (st != BO_OK)
        return st;
    if (version < VERSION) {
        bo_digits digits;
        st = catalog->conn->driver->exec(catalog->conn, migrations[version], err);
        if (st == BO_OK)
            st = bo_catalog_meta_set(
                catalog, "schema_version", bo_bind_number(version + 1, &digits).data, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot bring it to schema %" PRId64, version + 1);
        version++;
    }
    *version_out = version;
    return BO_OK;
}

bo_status bo_catalog_migrate(bo_catalog *catalog, bo_error *err)
{
    int64_t version = 0;
    while (version < VERSION) {
        bo_status st = bo_catalog_begin(catalog, err);
        if (st != BO_OK)
            return st;
        st = bo_catalog_finish(catalog, step(catalog, &version, err), err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}
