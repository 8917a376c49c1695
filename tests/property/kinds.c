/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/kinds.c - types of each engine, with the values that are lost most easily. */
#include "property/schema.h"

#define VALUES(...)  ((const char *const[]){__VA_ARGS__, NULL})
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define SMALL_NUMBERS \
    VALUES("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "0", "-1")
#define SMALL_NAMES VALUES("'a'", "'b'", "'c'", "'d'", "'e'", "'f'", "'g'", "'h'", "'i'", "'j'")
#define SMALL_LETTERS \
    VALUES(           \
        "'a'", "'B'", "'c'", "'d'", "'E'", "'f'", "'g'", "'H'", "'i'", "'j'", "'A'", "'b'", "'C'")
#define DAYS VALUES("'2024-02-28'", "'2024-02-29'", "'2024-03-01'", "'1999-12-31'", "'2038-01-19'")

/* ---- SQLite: a class belongs to a value, a type is a hint ---- */

#define SQLITE_TEXT                                                                    \
    "CASE typeof(@) WHEN 'integer' THEN @ WHEN 'real' THEN 'r' || printf('%!.17g', @)" \
    " WHEN 'text' THEN 't' || hex(@) WHEN 'blob' THEN 'b' || hex(@) END"
#define SQLITE_VALUES                                                                              \
    VALUES("0", "1", "1.0", "-0.0", "'1'", "x'31'", "''", "x''", "'a'", "'A'", "'a '",             \
        "9223372036854775807", "-9223372036854775808", "1e300", "0.1", "9e999", "-9e999", "'1.0'", \
        "'ä€😀'", "x'00ff00'", "char(97, 0, 98)", "zeroblob(9)",                                    \
        "replace(hex(zeroblob(3000)), '00', 'wide ')", "'it''s'")

static const kind on_sqlite[] = {
    {"INTEGER", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"TEXT", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"REAL", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"NUMERIC", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"BLOB", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"VARCHAR(5) COLLATE NOCASE", SQLITE_TEXT, SQLITE_VALUES, NULL},
};
static const kind sqlite_strict[] = {
    {"ANY", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"ANY", SQLITE_TEXT, SQLITE_VALUES, NULL},
    {"INTEGER", SQLITE_TEXT,
        VALUES("0", "'1'", "2.0", "9223372036854775807", "-9223372036854775808"), NULL},
    {"REAL", SQLITE_TEXT, VALUES("0", "-0.0", "'1.5'", "1e300", "0.1", "9e999", "-9e999"), NULL},
    {"TEXT", SQLITE_TEXT, VALUES("1", "1.0", "''", "'a'", "'A'", "'ä€😀'", "char(97, 0, 98)"), NULL},
    {"BLOB", SQLITE_TEXT, VALUES("x''", "x'31'", "x'00ff00'", "zeroblob(9)"), NULL},
};
static const kind sqlite_numbers = {"INTEGER", SQLITE_TEXT, SMALL_NUMBERS, NULL};
static const kind sqlite_names = {"TEXT", SQLITE_TEXT, SMALL_NAMES, NULL};
static const kind sqlite_letters = {
    "TEXT COLLATE NOCASE", "CAST(@ AS TEXT)", SMALL_LETTERS, NULL, true};
static const kind sqlite_days = {"DATE", SQLITE_TEXT, DAYS, NULL};

/* ---- PostgreSQL ---- */

#define PG_TEXT "@::text"

static const kind on_postgres[] = {
    {"bigint", PG_TEXT, VALUES("0", "-1", "9223372036854775807", "-9223372036854775808"), NULL},
    {"numeric", PG_TEXT,
        VALUES("0", "1.0", "1.00", "-0.001", "'NaN'", "'Infinity'", "'-Infinity'", "1e-30",
            "123456789012345678901234567890.123456789"),
        NULL},
    {"numeric(12,2)", PG_TEXT, VALUES("0", "9.5", "-1.25", "9999999999.99", "'NaN'"), NULL},
    {"double precision", PG_TEXT,
        VALUES("0", "'-0'", "0.1", "1e300", "5e-324", "'NaN'", "'Infinity'", "'-Infinity'"), NULL},
    {"real", PG_TEXT, VALUES("0", "'-0'", "0.1", "16777217", "'NaN'", "'-Infinity'"), NULL},
    {"text", PG_TEXT,
        VALUES("''", "'a'", "'A'", "'a '", "'ä€😀'", "E'tab\\tline\\nend\\\\'", "'\\N'", "'NULL'",
            "repeat('wide ', 3000)"),
        NULL},
    {"varchar(6)", PG_TEXT, VALUES("''", "'a'", "'a '", "'ä€'"), NULL},
    {"char(5)", "('[' || (@::bpchar)::text || ']')", VALUES("''", "'a'", "'ab '"), NULL},
    {"bytea", PG_TEXT, VALUES("''", "'\\x00'", "'\\x00ff5c'", "decode(repeat('0a', 2000), 'hex')"),
        NULL},
    {"boolean", PG_TEXT, VALUES("true", "false"), NULL},
    {"date", PG_TEXT,
        VALUES("'2024-02-29'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'9999-12-31'"),
        NULL},
    {"timestamp", PG_TEXT,
        VALUES("'2024-02-29 23:59:59.999999'", "'infinity'", "'-infinity'", "'1900-01-01'"), NULL},
    {"timestamptz(3)", PG_TEXT,
        VALUES("'2024-03-31 02:30:00+01'", "'1969-12-31 23:59:59.999Z'", "'infinity'"), NULL},
    {"timetz", PG_TEXT, VALUES("'00:00:00+00'", "'24:00:00-15'", "'12:34:56.000001+05:45'"), NULL},
    {"interval", PG_TEXT,
        VALUES("'0'", "'1 day'", "'24:00:00'", "'1 mon -1 day'", "'30 days'", "'-0.000001 s'"),
        NULL},
    {"uuid", PG_TEXT,
        VALUES("'00000000-0000-0000-0000-000000000000'", "'123e4567-e89b-12d3-a456-426614174000'"),
        NULL},
    {"json", PG_TEXT, VALUES("'{}'", "'{\"a\": 1, \"a\":2}'", "'null'", "'[1.0, 1.00]'"), NULL},
    {"jsonb", PG_TEXT, VALUES("'{}'", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'", "'null'"), NULL},
    {"xml", PG_TEXT, VALUES("'<a/>'", "'<a></a>'", "''"), NULL},
    {"int[]", PG_TEXT, VALUES("'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'[0:1]={5,6}'"), NULL},
    {"text[]", PG_TEXT, VALUES("'{}'", "'{NULL,\"NULL\",\"\"}'", "'{a,\"b c\"}'"), NULL},
    {"inet", PG_TEXT, VALUES("'::1'", "'10.0.0.1'", "'10.0.0.1/8'"), NULL},
    {"int4range", PG_TEXT, VALUES("'empty'", "'[1,5)'", "'(,3]'"), NULL},
    {"point", PG_TEXT, VALUES("'(0,-0)'", "'(1,2)'", "'(NaN,Infinity)'"), NULL},
    {"varbit", PG_TEXT, VALUES("B''", "B'0'", "B'00'", "B'101'"), NULL},
    {"tsvector", PG_TEXT, VALUES("''", "'a:1 b:2A'", "'cat'"), NULL},
    {"mood", PG_TEXT, VALUES("'sad'", "'ok'", "'very happy'"),
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy')"},
    {"price", PG_TEXT, VALUES("0", "1.50", "12"),
        "CREATE DOMAIN price AS numeric(9,2) CHECK (VALUE >= 0)"},
    {"spot", PG_TEXT, VALUES("'(1,a)'", "'(,)'", "'(2,\"\")'"),
        "CREATE TYPE spot AS (x int, label text)"},
    {"regclass", PG_TEXT, VALUES("'pg_class'", "'pg_type'", "0"), NULL},
};
static const kind postgres_numbers = {"integer", PG_TEXT, SMALL_NUMBERS, NULL};
static const kind postgres_names = {"text", PG_TEXT, SMALL_NAMES, NULL};
static const kind postgres_letters = {
    "citext", PG_TEXT, SMALL_LETTERS, "CREATE EXTENSION citext", true};
static const kind postgres_days = {"date", PG_TEXT, DAYS, NULL};

/* ---- MariaDB ---- */

#define MY_BYTES  "HEX(@)"
#define MY_TEXT   "CAST(@ AS CHAR)"
#define MY_DOUBLE "CAST(CAST(@ AS DOUBLE) AS CHAR)"

static const kind on_mariadb[] = {
    {"bigint", MY_TEXT, VALUES("0", "-1", "9223372036854775807", "-9223372036854775808"), NULL},
    {"bigint unsigned", MY_TEXT, VALUES("0", "18446744073709551615"), NULL},
    {"tinyint(1)", MY_TEXT, VALUES("0", "1", "-128"), NULL},
    {"int(6) zerofill", MY_TEXT, VALUES("0", "7", "1234567"), NULL},
    {"decimal(30,4)", MY_TEXT, VALUES("0", "1.5", "-0.0001", "12345678901234567890123456.7891"),
        NULL},
    {"double", MY_DOUBLE, VALUES("0", "-0e0", "0.1e0", "1e300", "5e-324", "1.7976931348623157e308"),
        NULL},
    {"float", MY_DOUBLE, VALUES("0", "0.1", "16777217", "3.4e38", "-1e-40"), NULL},
    {"varchar(20)", MY_BYTES,
        VALUES("''", "'a'", "'A'", "'a '", "'ä€😀'", "'it''s'", "'back\\\\slash\\0nul'"), NULL},
    {"varchar(9) CHARACTER SET latin1", MY_BYTES, VALUES("''", "'ä'", "'€'"), NULL},
    {"char(5)", MY_BYTES, VALUES("''", "'a'", "'ab'"), NULL},
    {"text", MY_BYTES, VALUES("''", "'a '", "REPEAT('wide ', 3000)"), NULL},
    {"mediumtext CHARACTER SET utf16", MY_BYTES, VALUES("''", "'a'", "'ä€😀'"), NULL},
    {"blob", MY_BYTES, VALUES("''", "x'00'", "x'00ff5c27'", "REPEAT(x'0a', 2000)"), NULL},
    {"varbinary(16)", MY_BYTES, VALUES("''", "x'00'", "x'6100'"), NULL},
    {"binary(4)", MY_BYTES, VALUES("''", "x'00'", "x'61626364'"), NULL},
    {"bit(5)", MY_BYTES, VALUES("b'0'", "b'10101'", "b'11111'"), NULL},
    {"date", MY_TEXT,
        VALUES("'0000-00-00'", "'2024-00-00'", "'2024-02-29'", "'1000-01-01'", "'9999-12-31'"),
        NULL},
    {"datetime(6)", MY_TEXT,
        VALUES("'0000-00-00 00:00:00'", "'2024-02-29 23:59:59.999999'", "'1000-01-01 00:00:00'"),
        NULL},
    {"timestamp(3) NULL", MY_TEXT,
        VALUES("'0000-00-00 00:00:00'", "'2024-03-31 02:30:00.125'", "'1970-01-01 00:00:01'"),
        NULL},
    {"time(2)", MY_TEXT, VALUES("'00:00:00'", "'-838:59:59'", "'12:34:56.78'"), NULL},
    {"year", MY_TEXT, VALUES("0", "1901", "2155"), NULL},
    {"enum('', 'a', 'b c')", "CAST(@ + 0 AS CHAR)", VALUES("''", "'a'", "'b c'"), NULL},
    {"set('x', 'y', 'z')", "CAST(@ + 0 AS CHAR)", VALUES("''", "'x'", "'x,z'"), NULL},
    {"json", MY_BYTES, VALUES("'{}'", "'{\"a\": 1, \"a\":2}'", "'[1.0, 1.00]'"), NULL},
    {"inet6", MY_TEXT, VALUES("'::1'", "'::ffff:10.0.0.1'"), NULL},
    {"point", "HEX(ST_AsWKB(@))", VALUES("ST_GeomFromText('POINT(1 2)')"), NULL},
};
static const kind mariadb_numbers = {"int", MY_TEXT, SMALL_NUMBERS, NULL};
static const kind mariadb_names = {"varchar(8)", MY_TEXT, SMALL_NAMES, NULL};
static const kind mariadb_letters = {
    "varchar(8) COLLATE utf8mb4_general_ci", MY_TEXT, SMALL_LETTERS, NULL, true};
static const kind mariadb_days = {"date", MY_TEXT, DAYS, NULL};

/* ---- the choice ---- */

const kind *kind_of_numbers(engine on)
{
    static const kind *const all[] = {&sqlite_numbers, &postgres_numbers, &mariadb_numbers};
    return all[on];
}

const kind *kind_of_names(engine on)
{
    static const kind *const all[] = {&sqlite_names, &postgres_names, &mariadb_names};
    return all[on];
}

const kind *kind_of_letters(engine on)
{
    static const kind *const all[] = {&sqlite_letters, &postgres_letters, &mariadb_letters};
    return all[on];
}

const kind *kind_of_days(engine on)
{
    static const kind *const all[] = {&sqlite_days, &postgres_days, &mariadb_days};
    return all[on];
}

const kind *kind_random(engine on, dice *d)
{
    static const kind *const all[] = {on_sqlite, on_postgres, on_mariadb};
    static const unsigned counts[] = {COUNT(on_sqlite), COUNT(on_postgres), COUNT(on_mariadb)};
    return &all[on][dice_roll(d, counts[on])];
}

const kind *kind_strict(dice *d)
{
    return &sqlite_strict[dice_roll(d, COUNT(sqlite_strict))];
}
