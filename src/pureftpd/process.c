/* Reads what the kernel says of processes, and signals the very process that it read of. Which process is meant is decided by the caller.
 *
 * Source: proc(5), pidfd_send_signal(2). */
#include "pureftpd/process.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define STAT_MAX 4096 /* bytes of /proc/PID/stat */

int program_find(const char *path, Program *ret) {
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    *ret = (Program) { .path = path, .device = st.st_dev, .inode = st.st_ino };
    return 0;
}

void process_done(Process *p) {
    cleanup_close_(&p->fd);
}

static int read_link(int fd, const char *name, char ret[static PATH_MAX]) {
    ssize_t n = readlinkat(fd, name, ret, PATH_MAX);

    if (n < 0)
        return -errno;
    if (n == PATH_MAX)
        return -ENAMETOOLONG;
    ret[n] = '\0';
    return 0;
}

/* Fields of /proc/PID/stat, counted as proc(5) does. The second is a name that anybody may choose, so they are counted from the last ')' on. */
static int read_stat(const Process *p, unsigned field, uint64_t *ret) {
    _cleanup_close_ int fd = openat(p->fd, "stat", O_RDONLY | O_CLOEXEC);
    char text[STAT_MAX], *rest, *word = NULL;

    if (fd < 0)
        return -errno;
    ssize_t n = read_at(fd, text, sizeof(text) - 1, 0);
    if (n < 0)
        return (int) n;
    text[n] = '\0';
    rest = strrchr(text, ')');
    for (unsigned i = 2; rest && i <= field; i++)
        word = strsep(&rest, " \n");
    return word ? parse_u64(word, UINT64_MAX, ret) : -EINVAL;
}

int process_open(pid_t pid, Process *ret) {
    char path[32];
    uint64_t parent;

    snprintf(path, sizeof(path), "/proc/%d", (int) pid);
    ret->pid = pid;
    ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret->fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    int r = read_link(ret->fd, "root", ret->root);
    if (r >= 0)
        r = read_link(ret->fd, "cwd", ret->folder);
    if (r >= 0 && (fstatat(ret->fd, "root", &ret->root_stat, 0) < 0 || fstatat(ret->fd, "cwd", &ret->folder_stat, 0) < 0))
        r = -errno;
    if (r >= 0)
        r = read_stat(ret, 4, &parent);
    if (r >= 0)
        ret->parent = (pid_t) parent;
    else
        process_done(ret);
    return r == -ENOENT ? -ESRCH : r; /* a zombie has no links */
}

bool process_runs(const Process *p, const Program *program) {
    static const char replaced[] = " (deleted)";
    char link[PATH_MAX];
    struct stat st;

    if (fstatat(p->fd, "exe", &st, 0) >= 0 && st.st_dev == program->device && st.st_ino == program->inode)
        return true;
    return read_link(p->fd, "exe", link) >= 0 && has_prefix(link, program->path) && streq(link + strlen(program->path), replaced);
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool process_is_in(const Process *p, const struct stat *folder) {
    return is_same(&p->root_stat, folder) || is_same(&p->folder_stat, folder);
}

int process_signal(const Process *p, int number) {
    return syscall(SYS_pidfd_send_signal, p->fd, number, NULL, 0) < 0 ? -errno : 0;
}

uint64_t process_began(const Process *p) {
    struct timespec up;
    uint64_t ticks;
    long per_second = sysconf(_SC_CLK_TCK);

    if (per_second <= 0 || read_stat(p, 22, &ticks) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
        return 0;
    int64_t age = (int64_t) up.tv_sec - (int64_t) (ticks / (uint64_t) per_second), now = utc_now();
    return age >= 0 && age < now ? (uint64_t) (now - age) : 0;
}

static void closedir_p(DIR **d) {
    if (*d)
        closedir(*d);
}

/* The next entry whose name is a number, or -1 at the end. */
static int next_number(DIR *d) {
    const struct dirent *entry;
    uint64_t number;

    while ((entry = readdir(d)))
        if (parse_u64(entry->d_name, INT32_MAX, &number) >= 0)
            return (int) number;
    return -1;
}

static int visit(pid_t pid, const Program *program, ProcessWalk walk, void *userdata) {
    _cleanup_process_ Process p = { .fd = -EBADF };
    int r = process_open(pid, &p);

    if (r == -ESRCH || r == -EACCES || r == -EPERM) /* not ours to look at, even with the right to: outside of a container */
        return 0;
    if (r < 0)
        return r;
    return process_runs(&p, program) ? walk(&p, userdata) : 0;
}

int processes_walk(const Program *program, ProcessWalk walk, void *userdata) {
    _cleanup_(closedir_p) DIR *d = opendir("/proc");
    int pid, r = 0;

    if (!d)
        return -errno;
    while (r == 0 && (pid = next_number(d)) >= 0)
        r = visit(pid, program, walk, userdata);
    return r;
}

int process_walk_files(const Process *p, FileWalk walk, void *userdata) {
    _cleanup_close_ int fd = openat(p->fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(closedir_p) DIR *d = fd < 0 ? NULL : fdopendir(fd);
    int number, r = 0;

    if (!d)
        return errno == ENOENT ? -ESRCH : -errno;
    fd = -EBADF; /* the DIR's now */
    while (r == 0 && (number = next_number(d)) >= 0) {
        char name[16], link[PATH_MAX];
        snprintf(name, sizeof(name), "%d", number);
        if (read_link(dirfd(d), name, link) >= 0)
            r = walk(p, number, link, userdata);
    }
    return r;
}
