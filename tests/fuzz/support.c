/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/support.c - what several targets need. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static char folder[512];

/* Nothing here outlives the process: waiting for the disk would be most of an input's time. */
__attribute__((visibility("default"))) int fsync(int fd)
{
    (void)fd;
    return 0;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

void fuzz_must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static void remove_folder(void)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
    if (folder[0])
        return folder;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/backout-fuzz-XXXXXX",
        temporary && *temporary ? temporary : "/tmp");
    fuzz_must(mkdtemp(folder) != NULL && atexit(remove_folder) == 0, "a temporary folder");
    return folder;
}

const char *fuzz_path(const char *name)
{
    static char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    return path;
}

void fuzz_write(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(fuzz_path(name), "wb");
    fuzz_must(file && (size == 0 || fwrite(data, size, 1, file) == 1), name);
    fuzz_must(fclose(file) == 0 && chmod(fuzz_path(name), 0600) == 0, name);
}

const char *fuzz_text(bo_buf *out, const uint8_t *data, size_t size)
{
    bo_buf_clear(out);
    bo_buf_add(out, data, size);
    bo_buf_add_byte(out, 0);
    fuzz_must(!out->failed, "memory for the input");
    return (const char *)out->data;
}

uint64_t fuzz_next(uint64_t *random)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * 0x2545f4914f6cdd1du;
}

size_t fuzz_below(uint64_t *random, size_t limit)
{
    return limit ? (size_t)(fuzz_next(random) >> 16) % limit : 0;
}

void fuzz_mutate(bo_buf *buf, size_t more)
{
    if (bo_buf_reserve(buf, more + 1))
        buf->size = LLVMFuzzerMutate(buf->data, buf->size, buf->size + more);
}
