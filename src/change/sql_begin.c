/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sql_begin.c - how a script begins: settings, the transaction, the guards' tables. */
#include "change/sql_rows.h"

static void add_begin_sqlite(bo_buf *out, bool guards)
{
    bo_buf_add_str(out, ".bail on\n"
                        "PRAGMA foreign_keys = OFF;\n"
                        "BEGIN IMMEDIATE;\n");
    if (!guards)
        return;
    bo_buf_add_str(out,
        "CREATE TEMP TABLE " BO_GUARD_ROWS " (rows INTEGER NOT NULL, change INTEGER,\n"
        "    CONSTRAINT \"the row is not as expected\" CHECK (rows = 1));\n"
        "CREATE TEMP TABLE " BO_GUARD_REFERENCES " (rows INTEGER NOT NULL,\n"
        "    CONSTRAINT \"a foreign key would be violated\" CHECK (rows = 0));\n"
        "CREATE TEMP TABLE backout_violated AS\n"
        "    SELECT \"table\", rowid AS row, parent, fkid FROM pragma_foreign_key_check;\n");
}

static void add_begin_postgres(bo_buf *out, bool guards)
{
    bo_buf_add_str(out, "\\set ON_ERROR_STOP on\n"
                        "\\encoding UTF8\n"
                        "BEGIN;\n"
                        "DO $$ BEGIN PERFORM pg_catalog.set_config('search_path', 'pg_catalog, '"
                        " || pg_catalog.current_setting('search_path'), true); END $$;\n"
                        "SET LOCAL array_nulls = on;\n"
                        "SET LOCAL TimeZone = 'UTC';\n"
                        "SET LOCAL DateStyle = 'ISO, YMD';\n"
                        "SET LOCAL IntervalStyle = 'postgres';\n"
                        "SET LOCAL extra_float_digits = 3;\n"
                        "SET LOCAL bytea_output = 'hex';\n"
                        "SET LOCAL lc_monetary = 'C';\n"
                        "SET LOCAL xmloption = 'content';\n"
                        "SET LOCAL standard_conforming_strings = on;\n"
                        "SET LOCAL row_security = off;\n");
    if (!guards)
        return;
    bo_buf_add_str(out,
        "CREATE TEMP TABLE " BO_GUARD_ROWS " (rows bigint NOT NULL, change bigint,\n"
        "    CONSTRAINT \"the row is not as expected\" CHECK (rows = 1)) ON COMMIT DROP;\n"
        "CREATE TEMP TABLE " BO_GUARD_REFERENCES " (rows bigint NOT NULL, change bigint,\n"
        "    CONSTRAINT \"rows that stay refer to this row\" CHECK (rows = 0)) ON COMMIT DROP;\n");
}

static void add_begin_mariadb(bo_buf *out, bool guards)
{
    bo_buf_add_str(out, "SET NAMES utf8mb4;\n"
                        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';\n"
                        "SET SESSION time_zone = '+00:00';\n"
                        "SET SESSION foreign_key_checks = OFF;\n"
                        "SET SESSION check_constraint_checks = ON;\n");
    if (guards)
        bo_buf_add_str(out,
            "CREATE TEMPORARY TABLE " BO_GUARD_ROWS " (`rows` bigint NOT NULL, `change` bigint,\n"
            "    CONSTRAINT `the row is not as expected` CHECK (`rows` = 1));\n"
            "CREATE TEMPORARY TABLE " BO_GUARD_REFERENCES " (`rows` bigint NOT NULL,\n"
            "    CONSTRAINT `a foreign key would be violated` CHECK (`rows` = 0));\n");
    bo_buf_add_str(out, "START TRANSACTION;\n");
}

void bo_sql_begin(bo_buf *out, bo_sql_dialect dialect, bool guards)
{
    if (dialect == BO_SQL_SQLITE)
        add_begin_sqlite(out, guards);
    else if (dialect == BO_SQL_POSTGRESQL)
        add_begin_postgres(out, guards);
    else
        add_begin_mariadb(out, guards);
}
