/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/write_seeds.c - writes the seeds that are the shop's own packs.
 *
 * usage: write-seeds CORPUS      Run again when the content of packs changes.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"
#include "remake.h"
#include "shop.h"

/* fuzz.h: nothing is mutated here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)data, (void)max_size;
    return size;
}

static int write_seed(const char *corpus, const char *seed, const bo_buf *file)
{
    char path[4096];
    bo_error err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", corpus, seed);
    bo_status st = bo_file_write(path, file->data, file->size, true, &err);
    if (st != BO_OK)
        (void)fprintf(stderr, "%s: %s\n", path, err.text);
    return st != BO_OK;
}

/** The pack with one row in each frame, which has no values at all. */
static void empty_rows(const bo_buf *file, bo_buf *out)
{
    remake pack;
    fuzz_must(remake_take((bo_span){file->data, file->size}, &pack), "a pack");
    for (uint32_t i = 0; i < pack.frame_count; i++) {
        bo_buf_clear(&pack.frames[i].raw);
        if (pack.kind == BO_PACK_CHANGESET)
            bo_buf_add_byte(&pack.frames[i].raw, 1);
        bo_image_begin(&pack.frames[i].raw, 0);
    }
    remake_put(&pack, out);
    remake_done(&pack);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    shop_put_back(BO_METHOD_SNAPSHOT);
    const bo_buf *snapshot = shop_file(SHOP_SNAPSHOT);
    const bo_buf *change = shop_file(SHOP_CHANGE);
    BO_OWN_VALUE(bo_buf) no_values = {0};
    BO_OWN_VALUE(bo_buf) no_values_changed = {0};
    empty_rows(snapshot, &no_values);
    empty_rows(change, &no_values_changed);
    return write_seed(argv[1], "snapshot/shop", snapshot) |
           write_seed(argv[1], "changeset/shop", change) |
           write_seed(argv[1], "snapshot/rows-without-values", &no_values) |
           write_seed(argv[1], "changeset/rows-without-values", &no_values_changed);
}
