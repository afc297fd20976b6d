/* The one destructor that needs a body: closing a file descriptor without disturbing the error that is on its way up. */
#include "basic/cleanup.h"

void cleanup_close_(int *fd) {
    if (*fd < 0)
        return;

    int saved = errno;
    (void) close(*fd); /* nobody is left to hear of it; whoever must know (fsync, NFS) closes by hand */
    *fd = -EBADF;
    errno = saved;
}
