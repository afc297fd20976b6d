/* Level by level instead of down into it: the folders in a folder are moved up beside it before it is removed. So neither depth nor the length of a path
 * matters, and two open folders are enough. It knows nothing of requests and drop folders. */
#include "purge/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#define MODE_OWN 0700

typedef struct Removal {
    DIR *top;
    uint64_t number; /* of the next folder that is moved up */
    uint64_t entries;
} Removal;

static void closedirp(DIR **d) {
    if (*d)
        closedir(*d);
}

static bool is_dot(const char *name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Whatever modes the stranger gave a folder: it is ours, so we may read, empty and move it. One of another owner is taken as it is. Through a handle, not
 * through the name: a name may be a link by now. */
static int own_folder(int parent, const char *name) {
    char handle[sizeof("/proc/self/fd/") + 10];
    struct stat st;

    _cleanup_close_ int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    snprintf(handle, sizeof(handle), "/proc/self/fd/%d", fd);
    if (st.st_uid == geteuid() && (st.st_mode & MODE_OWN) != MODE_OWN && chmod(handle, MODE_OWN) < 0)
        return -errno;
    return 0;
}

static int open_folder(int parent, const char *name, DIR **ret) {
    int r = own_folder(parent, name);

    if (r < 0)
        return r;
    _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || !(*ret = fdopendir(fd)))
        return -errno;
    TAKE_FD(fd);
    return 0;
}

/* 0: gone; 1: it is a folder. */
static int remove_file(Removal *r, int parent, const char *name) {
    if (unlinkat(parent, name, 0) == 0) {
        r->entries++;
        return 0;
    }
    return errno == EISDIR ? 1 : errno == ENOENT ? 0 : -errno;
}

static int move_up(Removal *r, int parent, const char *name) {
    char target[32];
    int k = own_folder(parent, name); /* moving a folder changes its "..": it must be writable itself */

    while (k >= 0) {
        snprintf(target, sizeof(target), ".%llu", (unsigned long long) r->number++);
        if (renameat2(parent, name, dirfd(r->top), target, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST) /* what an earlier run moved up */
            k = -errno;
    }
    return k == -ENOENT ? 0 : k;
}

static int empty_folder(Removal *r, const char *name) {
    _cleanup_(closedirp) DIR *d = NULL;
    const struct dirent *e;
    int k = open_folder(dirfd(r->top), name, &d);

    while (k >= 0 && (e = readdir(d))) {
        if (is_dot(e->d_name))
            continue;
        k = remove_file(r, dirfd(d), e->d_name);
        if (k > 0)
            k = move_up(r, dirfd(d), e->d_name);
    }
    return k;
}

/* One pass over the top; *ret_found: something was there, so one more is needed. */
static int pass(Removal *r, bool *ret_found) {
    const struct dirent *e;
    int first = 0;

    *ret_found = false;
    rewinddir(r->top);
    while ((e = readdir(r->top))) {
        if (is_dot(e->d_name))
            continue;
        *ret_found = true;
        int k = remove_file(r, dirfd(r->top), e->d_name);
        if (k > 0)
            k = empty_folder(r, e->d_name);
        if (k == 0 && unlinkat(dirfd(r->top), e->d_name, AT_REMOVEDIR) == 0)
            r->entries++;
        else if (k == 0 && errno != ENOENT && errno != ENOTDIR)
            k = -errno;
        if (k < 0 && first == 0)
            first = k; /* the rest goes all the same */
    }
    return first;
}

int remove_tree(const char *path, uint64_t *ret_entries) {
    Removal r = { 0 };
    bool found = true;
    int k;

    *ret_entries = 0;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    r.top = fdopendir(fd);
    if (!r.top)
        return -errno;
    TAKE_FD(fd);
    do
        k = pass(&r, &found);
    while (k >= 0 && found);
    closedir(r.top);
    if (k >= 0 && rmdir(path) < 0 && errno != ENOENT)
        k = -errno;
    r.entries += k >= 0;
    *ret_entries = r.entries;
    return k;
}
