/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/schema.h - a few random tables, and values that fit them. */
#ifndef BO_TESTS_PROPERTY_SCHEMA_H
#define BO_TESTS_PROPERTY_SCHEMA_H

#include "base/buf.h"
#include "driver/driver.h"
#include "property/dice.h"

enum { TABLES_MAX = 5, COLUMNS_MAX = 16, LINKS_MAX = 3, UNIQUES_MAX = 3, PAIR = 2, PARTITIONS = 3 };

typedef enum engine { ON_SQLITE, ON_POSTGRES, ON_MARIADB } engine;

/** A type of an engine. */
typedef struct kind {
    const char *type;
    const char *text;          /* expression that shows every byte of column @ */
    const char *const *values; /* literals; the last one is NULL */
    const char *before;        /* SQL that makes the type, or NULL */
    bool folds;                /* 'a' equals 'A' */
} kind;

typedef struct column_def {
    char name[16];
    const kind *kind;
    bool required;         /* NOT NULL */
    const char *fallback;  /* DEFAULT, or NULL */
    const char *generated; /* GENERATED ALWAYS AS, or NULL */
    bool counted;          /* the database gives numbers */
} column_def;

/** Columns of which no two rows have the same values; NULL is no value. */
typedef struct unique_def {
    unsigned columns[PAIR];
    unsigned count;
    bool deferred;  /* checked at the end of the transaction */
    bool exclusion; /* a constraint that does the same, to which no foreign key can refer */
} unique_def;

typedef struct link_def {
    unsigned columns[PAIR];
    unsigned count;
    unsigned parent;
    unsigned parent_columns[PAIR];
    const char *on_delete, *on_update;
    bool deferred;
} link_def;

typedef struct table_def {
    char name[48];  /* as SQL has it */
    char plain[32]; /* as it is */
    char tag[8];    /* what the names of its constraints and partitions begin with */
    column_def columns[COLUMNS_MAX];
    unsigned column_count;
    unsigned key[PAIR];
    unsigned key_count;      /* 0: rows have no key */
    bool key_is_unique_only; /* NOT NULL UNIQUE, no primary key */
    const char *options;     /* after the closing parenthesis */
    bool strict;             /* SQLite */
    int split_by;            /* the column that its partitions are made by, or -1 */
    unsigned split_how;
    unique_def uniques[UNIQUES_MAX];
    unsigned unique_count;
    link_def links[LINKS_MAX];
    unsigned link_count;
} table_def;

typedef struct schema {
    engine engine;
    table_def tables[TABLES_MAX];
    unsigned count;
    bool has_triggers;
    /* On MariaDB triggers fire in a rollback: */
    unsigned stirred; /* bits of the tables that they write to */
    bool unsettled;   /* they may put another value into the row itself */
} schema;

/** The one column that every table has: a small number, or NULL. */
#define PLAIN_COLUMN "n"
/** Of the log. */
#define LOG_WORD "what"

void schema_make(schema *s, engine on, dice *d, dice *more);
/** One more table, the last: only triggers write to it. */
void schema_add_log(schema *s, dice *d);
/** Statements that make the tables, each ended by a semicolon and a line. */
void schema_write(const schema *s, bo_buf *out);
/** Name of a column as SQL has it. */
void schema_quote(const schema *s, bo_buf *out, const char *name);
/** A value for the column, as SQL has it. */
const char *schema_value(const schema *s, unsigned table, unsigned number, dice *d);
/** The same for the n-th of the first rows: no two of them have one key or unique value. */
const char *schema_first_value(
    const schema *s, unsigned table, unsigned number, unsigned nth, dice *d);
bool schema_is_key(const table_def *t, unsigned number);
bool schema_is_link(const table_def *t, unsigned number);
int schema_column(const table_def *t, const char *name);

/* ---- kinds.c ---- */
const kind *kind_of_numbers(engine on);
const kind *kind_of_names(engine on);
/** Names of which some are equal and have other letters. */
const kind *kind_of_letters(engine on);
const kind *kind_of_days(engine on);
const kind *kind_random(engine on, dice *d);
/** Of a STRICT table. */
const kind *kind_strict(dice *d);

/* ---- partitions.c ---- */
/** Partitions for tables that can have them. */
void partitions_choose(schema *s, dice *d);
/** What follows the closing parenthesis of the table, and the statements that make them. */
void partitions_write(const schema *s, const table_def *t, bo_buf *out);

#endif
