/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/golden/write_packs.c - writes the golden files of this version's format.
 *
 * usage: write-packs FOLDER     Run once for a new format version; what is committed stays as it
 * is.
 */
#include <stdio.h>

#include "base/file.h"
#include "unit/format/world.h"

static int write_pack(
    const char *folder, const char *name, bo_pack_kind kind, const bo_pack_key *key)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    char path[4096];
    bo_error err = {0};
    (void)snprintf(path, sizeof path, "%s/v%u%s", folder, BO_PACK_VERSION, name);
    bo_status st = world_pack(&file, kind, key, &err);
    if (st == BO_OK)
        st = bo_file_write(path, file.data, file.size, false, &err);
    if (st != BO_OK)
        (void)fprintf(stderr, "%s: %s\n", path, err.text);
    return st != BO_OK;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    bo_pack_key key = {.kind = BO_KEY_BYTES};
    memset(key.bytes, 7, sizeof key.bytes);
    const bo_pack_key passphrase = {.kind = BO_KEY_PASSPHRASE, .passphrase = "golden"};
    return write_pack(argv[1], ".snapshot", BO_PACK_SNAPSHOT, NULL) |
           write_pack(argv[1], ".changeset", BO_PACK_CHANGESET, NULL) |
           write_pack(argv[1], "-key.snapshot", BO_PACK_SNAPSHOT, &key) |
           write_pack(argv[1], "-passphrase.changeset", BO_PACK_CHANGESET, &passphrase);
}
