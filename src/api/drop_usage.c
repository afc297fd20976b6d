/* Measures a tree that a stranger fills while it is being measured: no link is followed, depth and number have limits, and what its owner hid from the
 * group is not counted. Opens folders, never a file. */
#include "api/drop_usage.h"

#include "basic/strings.h"
#include "model/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

typedef struct Usage {
    uint64_t bytes;
    unsigned entries;
} Usage;

static int measure(int parent, const char *name, unsigned depth, Usage *u) {
    const struct dirent *e;
    struct stat st;
    int r = 0;

    _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return depth == 0 ? -errno : 0;
    TAKE_FD(fd);
    while (r >= 0 && (e = readdir(d))) {
        if (streq(e->d_name, ".") || streq(e->d_name, ".."))
            continue;
        if (++u->entries > DROP_USAGE_ENTRIES_MAX)
            r = -E2BIG;
        else if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue; /* gone meanwhile, or not ours to see */
        else if (S_ISDIR(st.st_mode) && depth < DROP_USAGE_DEPTH_MAX)
            r = measure(dirfd(d), e->d_name, depth + 1, u);
        else if (S_ISREG(st.st_mode))
            u->bytes += (uint64_t) st.st_size;
    }
    closedir(d);
    return r;
}

int drop_usage(int data_fd, const char *account, uint64_t *ret_bytes) {
    char path[REL_PATH_SIZE];
    Usage u = { 0 };

    path_drop(account, path);
    int r = measure(data_fd, path, 0, &u);
    if (r >= 0)
        *ret_bytes = u.bytes;
    return r;
}
