/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/describe.h - what the files that read definitions share. */
#ifndef BO_DRIVER_MARIADB_DESCRIBE_H
#define BO_DRIVER_MARIADB_DESCRIBE_H

#include "driver/mariadb/my.h"

typedef struct my_description {
    my_conn *conn;
    bo_arena *arena;
    bo_table *table;
    const struct my_links *links;
    bool failed; /* no memory */
} my_description;

/* ---- describe_parts.c ---- */
/** A copy of a value of the row in the arena; NULL for NULL. */
const char *my_cell(my_description *about, const char *value);
/** One more element, zeroed, of an array in the arena; NULL: no memory. */
void *my_grow(my_description *about, const void *items, size_t count, size_t size);
void my_add_limit(my_description *about, const char *sentence);
/** SQL that is executed after the rows are in. */
void my_add_after(my_description *about, const char *sql);
/** "TABLE_SCHEMA = ... AND TABLE_NAME = ..." with `prefix` before both names. */
void my_where_table(bo_buf *out, const char *prefix, const char *schema, const char *local);

/* ---- ddl.c: what SHOW CREATE TABLE says, taken apart ---- */

typedef struct my_ddl_item {
    const char *text; /* a column, a key, a constraint; with a NUL at its end */
} my_ddl_item;

typedef struct my_ddl {
    bool temporary;
    size_t count;
    my_ddl_item *items;
    const char *options; /* what follows the list */
} my_ddl;

bo_status my_ddl_read(my_conn *conn, const char *schema, const char *local, bo_arena *arena,
    my_ddl *out, bo_error *err);
/** The item is a foreign key. */
bool my_ddl_is_reference(const char *item);
/** Reads the foreign key `item` of the child schema.local. @retval BO_DATABASE it is written in
 * another way than expected */
bo_status my_ddl_reference(my_description *about, const char *item, const char *schema,
    const char *local, bo_foreign_key *out, bo_error *err);
/** CREATE TABLE with all but the foreign keys and the counter of AUTO_INCREMENT. */
bo_status my_ddl_bare(my_description *about, const my_ddl *ddl, bo_error *err);

/* ---- links.c ---- */

typedef struct my_links {
    MYSQL_RES *references; /* parent's schema and name, child's schema and name */
    MYSQL_RES *views;      /* schema, name, text */
    uint64_t changes;      /* of definitions, before they were asked */
    int64_t until_us;
} my_links;

void my_links_free(my_links *links); /* NULL is ignored */
BO_DEFINE_SCOPE(my_links);
/** Borrowed until the next call. */
bo_status my_get_links(my_conn *conn, const my_links **out, bo_error *err);

/* ---- describe_keys.c ---- */
bo_status my_describe_keys(my_description *about, const my_ddl *ddl, bo_error *err);
bo_status my_describe_references(my_description *about, const my_ddl *ddl, bo_error *err);
/* ---- describe_links.c ---- */
bo_status my_describe_checks(my_description *about, bo_error *err);
bo_status my_describe_triggers(my_description *about, bo_error *err);
bo_status my_describe_views(my_description *about, bo_error *err);
bo_status my_describe_partitions(my_description *about, bo_error *err);
bo_status my_describe_sequences(my_description *about, bo_error *err);
/** SQL after the rows are in: foreign keys, triggers. */
bo_status my_describe_after(my_description *about, bo_error *err);

#endif
