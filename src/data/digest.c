/* SPDX-License-Identifier: Apache-2.0 */
/* src/data/digest.c - XXH3-128, inlined: this runs once for every row that is read. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "data/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add(bo_digest *digest, uint64_t low, uint64_t high)
{
    digest->low += low;
    digest->high += high + (digest->low < low);
}

void bo_digest_add(bo_digest *digest, bo_image row)
{
    XXH128_hash_t hash = XXH3_128bits(row.data, row.size);
    add(digest, hash.low64, hash.high64);
    digest->rows++;
}

void bo_digest_merge(bo_digest *digest, const bo_digest *other)
{
    add(digest, other->low, other->high);
    digest->rows += other->rows;
}

bool bo_digest_equal(const bo_digest *a, const bo_digest *b)
{
    return a->low == b->low && a->high == b->high && a->rows == b->rows;
}

void bo_digest_format(const bo_digest *digest, char out[BO_DIGEST_TEXT_SIZE])
{
    (void)snprintf(
        out, BO_DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, digest->high, digest->low);
}

bo_checksum bo_checksum_of(const void *data, size_t size)
{
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits(data, size));
    bo_checksum sum;
    memcpy(sum.bytes, bytes.digest, sizeof sum.bytes);
    return sum;
}

bool bo_checksum_equal(const bo_checksum *a, const bo_checksum *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
