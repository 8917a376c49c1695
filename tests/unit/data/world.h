/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/world.h - a table with something of everything, to be changed by each test. */
#ifndef TEST_DATA_WORLD_H
#define TEST_DATA_WORLD_H

#include "data/table.h"

#define COUNT(array) ((uint16_t)(sizeof(array) / sizeof(array)[0]))

/** Every part can be changed before it is compared; `table` points to the others. */
typedef struct world {
    bo_column columns[4];
    uint16_t image_columns[3];
    uint16_t key_columns[2];
    bo_key keys[2];
    const char *names[2];
    bo_foreign_key foreign_keys[1];
    bo_foreign_key referenced_by[1];
    bo_trigger triggers[1];
    bo_sequence sequences[1];
    bo_named_sql indexes[1];
    bo_named_sql checks[1];
    const char *texts[2];
    bo_table table;
} world;

static inline void world_fill(world *w)
{
    *w = (world){
        .columns = {{.name = "id",
                        .type = "bigint",
                        .type_oid = 20,
                        .not_null = true,
                        .in_image = true,
                        .identity = 'a'},
            {.name = "na\xefve \"x\"",
                .type = "text",
                .type_oid = 25,
                .in_image = true,
                .default_expr = "'\xff'::text",
                .collation = "C"},
            {.name = "total",
                .type = "numeric(12,2)",
                .type_oid = 1700,
                .default_expr = "id * 2",
                .generated = BO_GENERATED_STORED},
            {.name = "owner", .type = "integer", .type_oid = 4294967295u, .in_image = true}},
        .image_columns = {0, 1, 3},
        .key_columns = {0, 3},
        .names = {"owner", "id"},
        .texts = {"sales.v", "a sentence"},
    };
    w->keys[0] = (bo_key){.name = "orders_pkey",
        .count = 1,
        .columns = w->key_columns,
        .primary = true,
        .is_row_key = true,
        .simple = true,
        .definition = "PRIMARY KEY (id)"};
    w->keys[1] = (bo_key){.name = "u", .count = 2, .columns = w->key_columns, .nulls_equal = true};
    w->foreign_keys[0] = (bo_foreign_key){.name = "fk",
        .child = "sales.orders",
        .parent = "owners",
        .count = 1,
        .child_columns = &w->names[0],
        .parent_columns = &w->names[1],
        .on_delete = 'c',
        .on_update = 'a',
        .deferrable = true,
        .validated = true};
    w->referenced_by[0] = w->foreign_keys[0];
    w->referenced_by[0].definition = "FOREIGN KEY (owner) REFERENCES owners(id)";
    w->triggers[0] = (bo_trigger){"trg", "CREATE TRIGGER trg ...", 'O'};
    w->sequences[0] = (bo_sequence){"sales.s", "id", INT64_MIN, true, -1};
    w->indexes[0] = (bo_named_sql){"ix", "CREATE INDEX ix ..."};
    w->checks[0] = (bo_named_sql){"ck", "CHECK (id > 0)"};
    w->table = (bo_table){.name = "sales.orders",
        .schema = "sales",
        .local = "orders",
        .id = "16384",
        .encoding = BO_ENCODING_PG_BINARY,
        .kind = 'r',
        .row_security = true,
        .column_count = COUNT(w->columns),
        .columns = w->columns,
        .image_count = COUNT(w->image_columns),
        .image_columns = w->image_columns,
        .row_key = &w->keys[0],
        .key_count = COUNT(w->keys),
        .keys = w->keys,
        .foreign_key_count = 1,
        .foreign_keys = w->foreign_keys,
        .referenced_count = 1,
        .referenced_by = w->referenced_by,
        .trigger_count = 1,
        .triggers = w->triggers,
        .sequence_count = 1,
        .sequences = w->sequences,
        .index_count = 1,
        .indexes = w->indexes,
        .check_count = 1,
        .checks = w->checks,
        .view_count = 1,
        .views = w->texts,
        .definition = "CREATE TABLE sales.orders (...)",
        .definition_count = 2,
        .after = w->texts,
        .limit_count = 1,
        .limits = &w->texts[1]};
}

#endif
