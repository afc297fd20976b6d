/* Counts a tree: folders that wait to be counted stand as paths in one buffer, the last one comes next.
 *
 * It opens folders, never a file, and knows neither whose they are nor what may lie there. */
#include "basic/usage.h"

#include "basic/folder.h"
#include "basic/strings.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_SIZE 32768

typedef struct Count {
    uint64_t bytes, names, names_max;
    char *waiting; /* paths, each with its NUL, the newest last */
    size_t used;
    char path[PATH_MAX]; /* of the folder being read */
} Count;

static int open_folder(int dir_fd, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    path += strspn(path, "/");

    for (;;) {
        long fd = syscall(SYS_openat2, dir_fd, *path ? path : ".", &how, sizeof(how));
        if (fd >= 0)
            return (int) fd;
        if (errno != EINTR && errno != EAGAIN) /* EAGAIN: a rename on the way; openat2(2) says to ask again */
            return -errno;
    }
}

static int wait_folder(Count *c, const char *folder, const char *name) {
    char path[PATH_MAX];

    int n = snprintf(path, sizeof(path), "%s/%s", streq(folder, "/") ? "" : folder, name);
    if (n < 0 || (size_t) n >= sizeof(path) || c->used + (size_t) n + 1 > USAGE_FOLDERS_SIZE)
        return -E2BIG;
    memcpy(c->waiting + c->used, path, (size_t) n + 1);
    c->used += (size_t) n + 1;
    return 0;
}

/* The newest path that waits, into c->path. */
static bool next_folder(Count *c) {
    if (c->used == 0)
        return false;
    size_t start = c->used - 1;
    while (start > 0 && c->waiting[start - 1] != '\0')
        start--;
    memcpy(c->path, c->waiting + start, c->used - start);
    c->used = start;
    return true;
}

static int count_entry(Count *c, int fd, const struct dirent64_record *e) {
    struct stat st;

    if (streq(e->name, ".") || streq(e->name, ".."))
        return 0;
    if (++c->names > c->names_max)
        return -E2BIG;
    if (e->type == DT_DIR)
        return wait_folder(c, c->path, e->name);
    if (fstatat(fd, e->name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return wait_folder(c, c->path, e->name);
    if (S_ISREG(st.st_mode))
        c->bytes += (uint64_t) st.st_size;
    return 0;
}

static int count_names(Count *c, int fd) {
    _Alignas(struct dirent64_record) char names[NAMES_SIZE];
    ssize_t n;

    while ((n = folder_read(fd, names, sizeof(names))) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct dirent64_record *e = (const void *) (names + at);
            int r = count_entry(c, fd, e);
            if (r < 0)
                return r;
            at += e->length;
        }
    return 0;
}

int usage_of(int dir_fd, const char *folder, uint64_t names_max, uint64_t *ret_bytes, uint64_t *ret_names) {
    _cleanup_free_ char *waiting = malloc(USAGE_FOLDERS_SIZE);
    Count c = { .names_max = names_max, .waiting = waiting };
    int r = 0;

    if (!waiting)
        return -ENOMEM;
    if (strlen(folder) >= sizeof(c.path))
        return -ENAMETOOLONG;
    strcpy(c.path, folder);
    for (bool top = true; r >= 0 && (top || next_folder(&c)); top = false) {
        _cleanup_close_ int fd = open_folder(dir_fd, c.path);
        if (fd >= 0)
            r = count_names(&c, fd);
        else if (top)
            r = fd;
    }
    if (r < 0)
        return r;
    *ret_bytes = c.bytes;
    *ret_names = c.names;
    return 0;
}
