/* How a child gets into its jail in tests: as after zygote_live(), without a zygote. */
#pragma once

#include "basic/strings.h"
#include "ftpd/jail_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* fds: wire, control, home, drop; the last ones may be -EBADF. Everything else is closed. */
static inline int enter_jail(const JailFilters *filters, JailKind kind, const int fds[static 4]) {
    int moved[4];

    for (int i = 0; i < 4; i++) /* out of each other's way */
        if (fds[i] >= 0 && (moved[i] = fcntl(fds[i], F_DUPFD, CHILD_DROP_FD + 1)) < 0)
            return -errno;
    int n = 0;
    for (; n < 4 && fds[n] >= 0; n++)
        if (dup2(moved[n], CHILD_WIRE_FD + n) < 0)
            return -errno;
    if (close_range((unsigned) (CHILD_WIRE_FD + n), ~0U, 0) < 0)
        return -errno;
    int r = jail_seal(jail_filters_get(filters, kind));
    return r < 0 ? r : jail_be_child();
}
