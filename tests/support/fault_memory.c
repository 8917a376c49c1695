/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/fault_memory.c - malloc() and its relatives, with a fault; free() stays glibc's. */
#include "support/fault_memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static atomic_uint left; /* allocations until the fault; 0: none will fail */
static atomic_bool fired;

void fault_memory_arm(unsigned nth)
{
    atomic_store(&fired, false);
    atomic_store(&left, nth);
}

bool fault_memory_fired(void)
{
    atomic_store(&left, 0);
    return atomic_load(&fired);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#else
#define OWN_MALLOC 1
#endif
#else
#define OWN_MALLOC 1
#endif

/* Hidden, they serve this program only; visible, every shared library as well. */
#ifdef FAULT_MEMORY_OF_LIBRARIES
#define VISIBLE __attribute__((visibility("default")))
#else
#define VISIBLE
#endif

#if OWN_MALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
VISIBLE void *malloc(size_t size);
VISIBLE void *calloc(size_t count, size_t size);
VISIBLE void *realloc(void *old, size_t size);

/* The buffer of jansson's lexer grows to the next power of two, and lex_save() (load.c, 2.14) does
 * not look whether it did: a character is lost, and if that was a closing quote, the lexer writes
 * past the end.  Then the next allocation fails instead. */
static bool is_spared(const void *caller, size_t size)
{
    Dl_info of;
    return size >= 32 && (size & (size - 1)) == 0 && dladdr(caller, &of) != 0 && of.dli_fname &&
           strstr(of.dli_fname, "libjansson");
}

static bool fails(const void *caller, size_t size)
{
    unsigned now = atomic_load(&left);
    do {
        if (now == 1 && is_spared(caller, size))
            return false;
    } while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1));
    if (now != 1)
        return false;
    atomic_store(&fired, true);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0), size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0), count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0), size) ? NULL : __libc_realloc(old, size);
}
#endif
