/* Counts a tree in constant memory and with one fd: folders that wait to be counted stand as paths in one buffer, the last one comes next.
 *
 * What vanishes meanwhile or can't be read is not counted. Symbolic links are names and nothing else. It knows no session. */
#include "ftpd/usage.h"

#include "basic/strings.h"
#include "ftpd/folder.h"
#include "ftpd/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAMES_SIZE 32768

typedef struct Count {
    uint64_t bytes, names, names_max;
    char *waiting; /* paths, each with its NUL, the newest last */
    size_t used;
    char path[VIRTUAL_PATH_MAX]; /* of the folder being read */
} Count;

static int wait_folder(Count *c, const char *folder, const char *name) {
    char path[VIRTUAL_PATH_MAX];

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

static int count_folder(Count *c, int home_fd) {
    _Alignas(struct dirent64_record) char names[NAMES_SIZE];
    ssize_t n;

    _cleanup_close_ int fd = path_open(home_fd, c->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return 0;
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

int usage_of(int home_fd, const char *folder, uint64_t names_max, uint64_t *ret_bytes, uint64_t *ret_names) {
    Count c = { .names_max = names_max };
    _cleanup_free_ char *waiting = malloc(USAGE_FOLDERS_SIZE);

    if (!waiting)
        return -ENOMEM;
    c.waiting = waiting;
    size_t n = strlen(folder) + 1;
    memcpy(waiting, folder, n);
    c.used = n;
    while (next_folder(&c)) {
        int r = count_folder(&c, home_fd);
        if (r < 0)
            return r;
    }
    *ret_bytes = c.bytes;
    *ret_names = c.names;
    return 0;
}
