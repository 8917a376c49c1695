/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/remake.h - a pack taken apart, and put together again with every size, count, digest
 * and checksum right, so that what reads its content meets what was changed in it.
 */
#ifndef BO_TESTS_FUZZ_REMAKE_H
#define BO_TESTS_FUZZ_REMAKE_H

#include "base/scope.h"
#include "format/pack.h"

enum { REMAKE_MOST = 16 };

typedef struct remake_range {
    uint32_t table;
    bo_buf id;
} remake_range;

typedef struct remake_frame {
    uint32_t table, range;
    bo_buf raw; /* rows, or changes */
} remake_frame;

typedef struct remake {
    bo_pack_kind kind;
    uint8_t uuid[16];
    bo_buf meta; /* JSON */
    bo_buf tail; /* JSON, or empty */
    uint32_t range_count;
    remake_range ranges[REMAKE_MOST];
    uint32_t frame_count;
    remake_frame frames[REMAKE_MOST];
} remake;

/** False: it cannot be opened, is encrypted, or has more ranges or frames than REMAKE_MOST. */
bool remake_take(bo_span file, remake *out);
void remake_done(remake *pack);
/** Appends the pack. */
void remake_put(const remake *pack, bo_buf *out);

#endif
