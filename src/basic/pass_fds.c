/* One message with fds. What the receiver makes of it, and how many it takes, is for the receiver to check. */
#include "basic/pass_fds.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int pass_fds(int socket, const void *data, size_t size, const int *fds, size_t n, int flags) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
    } control = { .header = { .cmsg_len = CMSG_LEN(n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
    struct iovec bytes = { (void *) data, size };
    struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1 };

    if (n > PASS_FDS_MAX)
        return -E2BIG;
    if (n > 0) {
        memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
    }
    while (sendmsg(socket, &m, flags | MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}
