/* Finds the log's files and recognises them. It reads no line. */
#include "xferlog/files.h"

#include "basic/strings.h"
#include "xferlog/read.h"

#include <dirent.h>
#include <fcntl.h>

void log_files_done(LogFiles *f) {
    for (size_t i = 0; i < f->n; i++)
        close(f->at[i].fd);
    f->n = 0;
}

/* "transfer.log.1", "transfer.log-20261121", not "transfer.log.1.gz": lines of those can't be read from a position on. */
static bool is_sibling(const char *name, const char *log) {
    static const char *const compressed[] = { ".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip" };

    if (!has_prefix(name, log) || (name[strlen(log)] != '.' && name[strlen(log)] != '-'))
        return false;
    for (size_t i = 0; i < ELEMENTS(compressed); i++)
        if (has_suffix(name, compressed[i]))
            return false;
    return true;
}

_Static_assert(LOG_FILES_MAX < LOG_POSITIONS_MAX, "every file that is looked at has its position");

static bool is_older(const LogFile *a, const LogFile *b) {
    return !a->current && (b->current || a->modified_ns < b->modified_ns);
}

/* Takes the fd over. Where there are too many files the oldest gives way, the log itself never. */
static void add(LogFiles *f, int fd, const struct stat *st, bool current) {
    LogFile file = {
        .fd = fd, .file = { .device = st->st_dev, .inode = st->st_ino }, .size = (uint64_t) st->st_size, .current = current,
        .modified_ns = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec
    };
    size_t oldest = 0;

    if (f->n < LOG_FILES_MAX) {
        f->at[f->n++] = file;
        return;
    }
    for (size_t i = 1; i < f->n; i++)
        if (is_older(&f->at[i], &f->at[oldest]))
            oldest = i;
    if (is_older(&f->at[oldest], &file)) {
        LogFile gone = f->at[oldest];
        f->at[oldest] = file;
        file = gone;
    }
    close(file.fd);
}

static bool is_there(const LogFiles *f, const struct stat *st) {
    for (size_t i = 0; i < f->n; i++)
        if (f->at[i].file.device == st->st_dev && f->at[i].file.inode == st->st_ino)
            return true;
    return false;
}

/* 0 also when it isn't there any more, or is no plain file: that is nobody's log. */
static int open_one(LogFiles *f, int folder, const char *name, bool current) {
    struct stat st;

    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || is_there(f, &st)) {
        close(fd);
        return 0;
    }
    add(f, fd, &st, current);
    return 0;
}

static int add_held(LogFiles *f, int held) {
    struct stat st;

    if (held < 0 || fstat(held, &st) < 0 || is_there(f, &st))
        return 0;
    int fd = fcntl(held, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    add(f, fd, &st, false);
    return 0;
}

static int compare(const void *a, const void *b) {
    const LogFile *x = a, *y = b;

    if (x->current != y->current)
        return x->current ? 1 : -1;
    if (x->modified_ns != y->modified_ns)
        return x->modified_ns < y->modified_ns ? -1 : 1;
    return x->file.inode < y->file.inode ? -1 : x->file.inode > y->file.inode;
}

static void close_folder(DIR **d) {
    if (*d)
        closedir(*d);
}

static int find_siblings(LogFiles *f, DIR *folder, const char *log) {
    const struct dirent *entry;
    int r = 0;

    while (r >= 0 && (errno = 0, entry = readdir(folder)))
        if (is_sibling(entry->d_name, log))
            r = open_one(f, dirfd(folder), entry->d_name, false);
    return r < 0 ? r : -errno;
}

char *log_folder(const char *path) {
    return strndup(path, (size_t) (strrchr(path, '/') + 1 - path));
}

int log_files_find(const char *path, int held, LogFiles *ret) {
    _cleanup_log_files_ LogFiles f = { 0 };
    _cleanup_(close_folder) DIR *folder = NULL;
    _cleanup_free_ char *folder_path = log_folder(path);
    const char *log = strrchr(path, '/') + 1;

    if (!folder_path)
        return -ENOMEM;
    folder = opendir(folder_path);
    if (!folder && errno != ENOENT)
        return -errno;
    int r = 0;
    if (folder)
        r = open_one(&f, dirfd(folder), log, true); /* first: what is rotated meanwhile is found once more, not missed */
    if (r >= 0 && folder)
        r = find_siblings(&f, folder, log);
    if (r >= 0)
        r = add_held(&f, held);
    if (r < 0)
        return r;
    qsort(f.at, f.n, sizeof(f.at[0]), compare);
    *ret = f;
    f.n = 0;
    return 0;
}

/* 1: the file holds just the bytes that were read up to that position. */
static int holds(const LogFile *f, const LogPosition *p) {
    char digest[LOG_DIGEST_SIZE];

    if (p->offset > f->size)
        return 0;
    int r = log_digest(f->fd, p->offset, digest);
    return r == -ENODATA ? 0 : r < 0 ? r : streq(digest, p->digest);
}

static int match_by_inode(LogFile *f, const LogPositions *p, bool *found) {
    for (size_t i = 0; i < p->n; i++) {
        if (!log_position_same_file(&p->at[i], &f->file))
            continue;
        int r = holds(f, &p->at[i]);
        if (r > 0) {
            f->known = p->at[i];
            found[i] = true;
        }
        return r;
    }
    return 0;
}

static int match_by_content(LogFile *f, const LogPositions *p, bool *found) {
    for (size_t i = 0; i < p->n; i++) {
        if (p->at[i].offset == 0)
            continue;
        int r = holds(f, &p->at[i]);
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        f->known = p->at[i];
        f->second = found[i];
        found[i] = true;
        if (!f->second)
            return 0;
    }
    return 0;
}

int log_files_match(LogFiles *f, const LogPositions *p) {
    bool found[LOG_POSITIONS_MAX] = { false };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < f->n; i++)
        r = match_by_inode(&f->at[i], p, found);
    for (size_t i = 0; r >= 0 && i < f->n; i++)
        if (f->at[i].known.inode == 0)
            r = match_by_content(&f->at[i], p, found);
    return r < 0 ? r : 0;
}
