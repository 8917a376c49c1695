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
#include "shop.h"

/* fuzz.h: nothing is mutated here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)data, (void)max_size;
    return size;
}

static int copy(const char *corpus, const char *seed, const char *name)
{
    char path[4096];
    bo_error err = {0};
    const bo_buf *file = shop_file(name);
    (void)snprintf(path, sizeof path, "%s/%s", corpus, seed);
    bo_status st = bo_file_write(path, file->data, file->size, true, &err);
    if (st != BO_OK)
        (void)fprintf(stderr, "%s: %s\n", path, err.text);
    return st != BO_OK;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    shop_put_back(BO_METHOD_SNAPSHOT);
    return copy(argv[1], "snapshot/shop", SHOP_SNAPSHOT) |
           copy(argv[1], "changeset/shop", SHOP_CHANGE);
}
