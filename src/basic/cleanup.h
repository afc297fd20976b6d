/* Scope-bound ownership: every owning local says how it is released.
 *
 * Source: GCC's cleanup attribute, in the manner of systemd's _cleanup_ macros. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _must_use_ __attribute__((warn_unused_result))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* Hands ownership on: the variable is NULL (-1 for an fd) afterwards. */
#define TAKE_PTR(p)                                                                                \
    ({                                                                                             \
        __auto_type _p = (p);                                                                      \
        (p) = NULL;                                                                                \
        _p;                                                                                        \
    })
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int _fd = (fd);                                                                            \
        (fd) = -EBADF;                                                                             \
        _fd;                                                                                       \
    })

/* Makes `static void namep(type **p)` for _cleanup_(namep); the free function takes NULL. */
#define DEFINE_CLEANUP(type, free_function)                                                        \
    static inline _unused_ void free_function##p(type **p) {                                       \
        if (*p)                                                                                    \
            free_function(*p);                                                                     \
    }

static inline void cleanup_free_(void *p) {
    free(*(void **) p);
}

/* Closes *fd when it is one; keeps errno. */
void cleanup_close_(int *fd);

#define _cleanup_free_ _cleanup_(cleanup_free_)
#define _cleanup_close_ _cleanup_(cleanup_close_)
