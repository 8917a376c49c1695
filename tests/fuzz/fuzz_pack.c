/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_pack.c - open a pack and read all of it: as it is, then with its hashes made
 * right.
 *
 * Packs of the corpus are opened with the key of world.h's golden files: 32 times 7.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/scope.h"
#include "unit/format/repair.h"
#include "unit/format/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bo_pack_key key = {.kind = BO_KEY_BYTES};
    memset(key.bytes, 7, sizeof key.bytes);
    BO_OWN_VALUE(bo_buf) file = {0};
    bo_buf_add(&file, data, size);
    if (file.failed)
        return 0;
    (void)world_read_all(&file, &key, NULL);
    repair(file.data, file.size);
    (void)world_read_all(&file, &key, NULL);
    return 0;
}
