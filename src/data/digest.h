/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/digest.h - a hash of a table's rows that does not depend on their order. */
#ifndef BO_DATA_DIGEST_H
#define BO_DATA_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "data/image.h"

/**
 * The sum, modulo 2^128, of XXH3-128 of each image, and the number of rows.  A sum, not an XOR: an
 * even number of equal rows, or of equal changes, does not cancel.  `{ 0 }` is the digest of no
 * rows.
 */
typedef struct bo_digest {
    uint64_t low;
    uint64_t high;
    uint64_t rows;
} bo_digest;

void bo_digest_add(bo_digest *digest, bo_image row);
void bo_digest_merge(bo_digest *digest, const bo_digest *other);
bool bo_digest_equal(const bo_digest *a, const bo_digest *b);

#define BO_DIGEST_TEXT_SIZE 33
void bo_digest_format(
    const bo_digest *digest, char out[BO_DIGEST_TEXT_SIZE]); /* 32 hex digits, without the rows */

/** XXH3-128 of bytes in a file. */
typedef struct bo_checksum {
    uint8_t bytes[16];
} bo_checksum;
bo_checksum bo_checksum_of(const void *data, size_t size);
bool bo_checksum_equal(const bo_checksum *a, const bo_checksum *b);

#endif
