/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/definition.h - a table with something of everything, to be changed by each test.
 */
#ifndef TEST_DATA_DEFINITION_H
#define TEST_DATA_DEFINITION_H

#include "data/table.h"

#define COUNT(array) ((uint16_t)(sizeof(array) / sizeof(array)[0]))

/** Every part can be changed before it is compared; `table` points to the others. */
typedef struct definition {
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
} definition;

static inline void definition_fill(definition *d)
{
    *d = (definition){
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
    d->keys[0] = (bo_key){.name = "orders_pkey",
        .count = 1,
        .columns = d->key_columns,
        .primary = true,
        .is_row_key = true,
        .simple = true,
        .definition = "PRIMARY KEY (id)"};
    d->keys[1] = (bo_key){.name = "u", .count = 2, .columns = d->key_columns, .nulls_equal = true};
    d->foreign_keys[0] = (bo_foreign_key){.name = "fk",
        .child = "sales.orders",
        .parent = "owners",
        .count = 1,
        .child_columns = &d->names[0],
        .parent_columns = &d->names[1],
        .on_delete = 'c',
        .on_update = 'a',
        .deferrable = true,
        .validated = true};
    d->referenced_by[0] = d->foreign_keys[0];
    d->referenced_by[0].definition = "FOREIGN KEY (owner) REFERENCES owners(id)";
    d->triggers[0] = (bo_trigger){"trg", "CREATE TRIGGER trg ...", 'O'};
    d->sequences[0] = (bo_sequence){"sales.s", "id", INT64_MIN, true, -1};
    d->indexes[0] = (bo_named_sql){"ix", "CREATE INDEX ix ..."};
    d->checks[0] = (bo_named_sql){"ck", "CHECK (id > 0)"};
    d->table = (bo_table){.name = "sales.orders",
        .schema = "sales",
        .local = "orders",
        .id = "16384",
        .encoding = BO_ENCODING_PG_BINARY,
        .kind = 'r',
        .row_security = true,
        .column_count = COUNT(d->columns),
        .columns = d->columns,
        .image_count = COUNT(d->image_columns),
        .image_columns = d->image_columns,
        .row_key = &d->keys[0],
        .key_count = COUNT(d->keys),
        .keys = d->keys,
        .foreign_key_count = 1,
        .foreign_keys = d->foreign_keys,
        .referenced_count = 1,
        .referenced_by = d->referenced_by,
        .trigger_count = 1,
        .triggers = d->triggers,
        .sequence_count = 1,
        .sequences = d->sequences,
        .index_count = 1,
        .indexes = d->indexes,
        .check_count = 1,
        .checks = d->checks,
        .view_count = 1,
        .views = d->texts,
        .definition = "CREATE TABLE sales.orders (...)",
        .definition_count = 2,
        .after = d->texts,
        .limit_count = 1,
        .limits = &d->texts[1]};
}

#endif
