/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/table_shape.c - the list of members that goes into JSON. */
#include "data/table_shape.h"

#define ONE(type, KIND, field)                                                 \
    {                                                                          \
        .name = #field, .kind = MEMBER_##KIND, .offset = offsetof(type, field) \
    }
#define WORD(type, field, list)                                                             \
    {                                                                                       \
        .name = #field, .kind = MEMBER_ENUM, .offset = offsetof(type, field), .words = list \
    }
#define MANY(type, KIND, field, num)                                            \
    {                                                                           \
        .name = #field, .kind = MEMBER_##KIND, .offset = offsetof(type, field), \
        .count_offset = offsetof(type, num)                                     \
    }
#define PAIRED(type, KIND, field, num)                                          \
    {                                                                           \
        .name = #field, .kind = MEMBER_##KIND, .offset = offsetof(type, field), \
        .count_offset = offsetof(type, num), .paired = true                     \
    }
#define OBJECTS(field, num, of)                                                      \
    {                                                                                \
        .name = #field, .kind = MEMBER_OBJECTS, .offset = offsetof(bo_table, field), \
        .count_offset = offsetof(bo_table, num), .objects = of                       \
    }
#define END          \
    {                \
        .name = NULL \
    }

/* In the order of the enums; there is no encoding 0. */
static const char *const encodings[] = {"", "sqlite", "pg-binary", "pg-text", "mariadb", NULL};
static const char *const generations[] = {"no", "stored", "virtual", NULL};

static const member column_members[] = {
    ONE(bo_column, TEXT, name),
    ONE(bo_column, TEXT, type),
    ONE(bo_column, U32, type_oid),
    ONE(bo_column, BOOL, not_null),
    ONE(bo_column, BOOL, in_image),
    ONE(bo_column, TEXT_NULL, default_expr),
    WORD(bo_column, generated, generations),
    ONE(bo_column, CHAR, identity),
    ONE(bo_column, TEXT_NULL, collation),
    END,
};
static const shape column_shape = {sizeof(bo_column), column_members};

static const member key_members[] = {
    ONE(bo_key, TEXT, name),
    MANY(bo_key, POSITIONS, columns, count),
    ONE(bo_key, BOOL, primary),
    ONE(bo_key, BOOL, is_row_key),
    ONE(bo_key, BOOL, nulls_equal),
    ONE(bo_key, BOOL, simple),
    ONE(bo_key, TEXT_NULL, definition),
    END,
};
static const shape key_shape = {sizeof(bo_key), key_members};

static const member foreign_key_members[] = {
    ONE(bo_foreign_key, TEXT, name),
    ONE(bo_foreign_key, TEXT, child),
    ONE(bo_foreign_key, TEXT, parent),
    MANY(bo_foreign_key, TEXTS, child_columns, count),
    PAIRED(bo_foreign_key, TEXTS, parent_columns, count),
    ONE(bo_foreign_key, CHAR, on_delete),
    ONE(bo_foreign_key, CHAR, on_update),
    ONE(bo_foreign_key, BOOL, deferrable),
    ONE(bo_foreign_key, BOOL, deferred),
    ONE(bo_foreign_key, BOOL, validated),
    ONE(bo_foreign_key, TEXT_NULL, definition),
    END,
};
static const shape foreign_key_shape = {sizeof(bo_foreign_key), foreign_key_members};

static const member trigger_members[] = {
    ONE(bo_trigger, TEXT, name),
    ONE(bo_trigger, TEXT_NULL, definition),
    ONE(bo_trigger, CHAR, enabled),
    END,
};
static const shape trigger_shape = {sizeof(bo_trigger), trigger_members};

static const member sequence_members[] = {
    ONE(bo_sequence, TEXT, name),
    ONE(bo_sequence, TEXT_NULL, column),
    ONE(bo_sequence, I64, last_value),
    ONE(bo_sequence, BOOL, is_called),
    ONE(bo_sequence, I64, increment),
    END,
};
static const shape sequence_shape = {sizeof(bo_sequence), sequence_members};

static const member named_sql_members[] = {
    ONE(bo_named_sql, TEXT, name),
    ONE(bo_named_sql, TEXT_NULL, definition),
    END,
};
static const shape named_sql_shape = {sizeof(bo_named_sql), named_sql_members};

static const member table_members[] = {
    ONE(bo_table, TEXT, name),
    ONE(bo_table, TEXT, schema),
    ONE(bo_table, TEXT, local),
    ONE(bo_table, TEXT, id),
    WORD(bo_table, encoding, encodings),
    ONE(bo_table, CHAR, kind),
    ONE(bo_table, BOOL, without_rowid),
    ONE(bo_table, BOOL, row_hint),
    ONE(bo_table, BOOL, strict),
    ONE(bo_table, BOOL, row_security),
    ONE(bo_table, BOOL, system_versioned),
    OBJECTS(columns, column_count, &column_shape),
    MANY(bo_table, POSITIONS, image_columns, image_count),
    OBJECTS(keys, key_count, &key_shape),
    OBJECTS(foreign_keys, foreign_key_count, &foreign_key_shape),
    OBJECTS(referenced_by, referenced_count, &foreign_key_shape),
    OBJECTS(triggers, trigger_count, &trigger_shape),
    OBJECTS(sequences, sequence_count, &sequence_shape),
    OBJECTS(indexes, index_count, &named_sql_shape),
    OBJECTS(checks, check_count, &named_sql_shape),
    MANY(bo_table, TEXTS, views, view_count),
    MANY(bo_table, TEXTS, partitions, partition_count),
    ONE(bo_table, TEXT_NULL, definition),
    MANY(bo_table, TEXTS, after, definition_count),
    MANY(bo_table, TEXTS, limits, limit_count),
    ONE(bo_table, BOOL, uncovered),
    END,
};
const shape bo_table_shape = {sizeof(bo_table), table_members};
