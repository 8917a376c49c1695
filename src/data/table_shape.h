/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/data/table_shape.h - the members of bo_table and of what hangs on it, as data.
 *
 * The writer and the reader of JSON walk the same list, so neither can know a member that the other
 * does not.
 */
#ifndef BO_DATA_TABLE_SHAPE_H
#define BO_DATA_TABLE_SHAPE_H

#include "data/table.h"

typedef enum member_kind {
    MEMBER_TEXT,      /* const char *, never NULL */
    MEMBER_TEXT_NULL, /* const char *, or NULL */
    MEMBER_BOOL,
    MEMBER_CHAR, /* "" for 0 */
    MEMBER_U32,
    MEMBER_I64,
    MEMBER_ENUM,      /* one of `words`, by position */
    MEMBER_POSITIONS, /* const uint16_t *, in bo_table.columns */
    MEMBER_TEXTS,     /* const char *const * */
    MEMBER_OBJECTS,   /* array of `shape` */
} member_kind;

typedef struct member {
    const char *name; /* in JSON; NULL ends a list of members */
    member_kind kind;
    size_t offset;
    size_t count_offset;         /* of the uint16_t with the number of elements */
    const char *const *words;    /* MEMBER_ENUM; NULL-terminated, NULL words are "" */
    const struct shape *objects; /* MEMBER_OBJECTS */
    bool paired;                 /* an array as long as the one before it: they share the count */
} member;

typedef struct shape {
    size_t size;
    const member *members;
} shape;

/** All of bo_table but `row_key`, which is a position in `keys`. */
extern const shape bo_table_shape;

#endif
