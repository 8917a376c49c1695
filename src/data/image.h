/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/data/image.h - the image of a row: its exact values in one run of bytes.
 *
 * An image is what backout compares, stores and puts back; two rows are equal when their images
 * are the same bytes, never because SQL's "=" says so.  The framing is that of a tuple in
 * PostgreSQL's COPY BINARY, so such a stream is a stream of images as it is:
 *
 *     u16 number of values, then for each: i32 length in bytes (-1: NULL), the bytes     (big
 * endian)
 *
 * What the bytes mean is the driver's business (bo_table.encoding):
 *   PostgreSQL binary  the type's send() form       PostgreSQL text  the type's output text
 *   SQLite             a storage-class byte (BO_SQLITE_*), then i64, f64 bits, or the bytes
 *   MariaDB            stored bytes of strings, the number of labels, exact text of all else
 */
#ifndef BO_DATA_IMAGE_H
#define BO_DATA_IMAGE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

#define BO_COLUMNS_MAX 4096u

typedef bo_span bo_image; /* borrowed; data NULL: no image */

typedef struct bo_value {
    const uint8_t *data;
    int32_t size; /* -1: NULL */
} bo_value;

/* First byte of a non-NULL value of SQLite. */
enum { BO_SQLITE_INTEGER = 1, BO_SQLITE_REAL = 2, BO_SQLITE_TEXT = 3, BO_SQLITE_BLOB = 4 };

/* Writing: begin, then exactly `count` values. */
void bo_image_begin(bo_buf *out, uint16_t count);
void bo_image_add(bo_buf *out, const void *data, int32_t size);
void bo_image_add_null(bo_buf *out);

/**
 * The image at the start of `bytes`, checked in full.
 * @param size_out  how long it is.
 * @retval BO_CORRUPT  cut short, a negative length other than -1, or more than BO_COLUMNS_MAX
 * values.
 */
bo_status bo_image_measure(bo_span bytes, size_t *size_out, bo_error *err);
uint16_t bo_image_count(bo_image image);
/** The values of a checked image; `values` has room for bo_image_count() of them. */
void bo_image_values(bo_image image, bo_value *values);
bo_value bo_image_value(bo_image image, uint16_t column);

bool bo_image_equal(bo_image a, bo_image b);
bool bo_value_equal(bo_value a, bo_value b);
/** memcmp order of the bytes, shorter first on a tie: a total order for sorting, not SQL's. */
int bo_span_compare(bo_span a, bo_span b);

/** A copy in `arena`; of an empty span too. */
bo_status bo_span_keep(bo_arena *arena, bo_span from, bo_span *out, bo_error *err);

/** Appends the image of the chosen columns (a key) of `image` to `out`. */
void bo_image_project(bo_buf *out, bo_image image, const uint16_t *columns, uint16_t count);

#endif
