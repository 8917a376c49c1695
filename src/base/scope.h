/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/scope.h - ownership bound to the scope (gcc and clang "cleanup" attribute). */
#ifndef BO_BASE_SCOPE_H
#define BO_BASE_SCOPE_H

#include <stdlib.h>
#include <unistd.h>

/**
 * BO_OWN(T) *x = NULL;  runs T_free(x) on every way out of the scope, last declared first.
 * The type needs BO_DEFINE_SCOPE(T) once, after the declaration of `void T_free(T *)`.
 */
#define BO_DEFINE_SCOPE(T)                      \
    static inline void T##_scope_end(T **owned) \
    {                                           \
        T##_free(*owned);                       \
    }                                           \
    struct bo_scope_needs_semicolon
#define BO_OWN(T) __attribute__((cleanup(T##_scope_end))) T

/** Plain malloc()ed memory: BO_OWN_MEM char *text = NULL; */
static inline void bo_mem_scope_end(void *owned)
{
    free(*(void **)owned);
}
#define BO_OWN_MEM __attribute__((cleanup(bo_mem_scope_end)))

/** A file descriptor, closed unless it is negative: BO_OWN_FD int fd = -1; */
static inline void bo_fd_scope_end(int *owned)
{
    if (*owned >= 0)
        close(*owned);
}
#define BO_OWN_FD __attribute__((cleanup(bo_fd_scope_end)))

/** A value with `void T_done(T *)`, not a pointer: BO_OWN_VALUE(bo_buf) line = { 0 }; */
#define BO_OWN_VALUE(T) __attribute__((cleanup(T##_done))) T

/** Hands ownership on: *out = BO_TAKE(x); leaves x NULL. */
#define BO_TAKE(x)                     \
    __extension__({                    \
        __typeof__(x) bo_taken_ = (x); \
        (x) = NULL;                    \
        bo_taken_;                     \
    })

#endif
