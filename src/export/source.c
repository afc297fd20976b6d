/* Walks a folder whose names strangers chose. Every path is opened from the top with openat2(2), RESOLVE_BENEATH: no link leads out.
 *
 * It knows neither destinations nor what has been sent. */
#include "export/source.h"

#include "basic/strings.h"
#include "export/order.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int open_beneath(int folder, const char *path, int flags) {
    struct open_how how = { .flags = (uint64_t) (unsigned) flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));

    return fd < 0 ? -errno : (int) fd;
}

/* A folder that is being walked, or was: those above it are needed to see that a link does not lead back. */
typedef struct Visit {
    char *path; /* "" for the top */
    size_t above;
    dev_t device;
    ino_t inode;
} Visit;

typedef struct Walk {
    Source source;
    Visit *visits; /* the first is the top */
    size_t n_visits, visits_room, files_room;
    char *bad;
} Walk;

static void walk_done(Walk *w) {
    for (size_t i = 0; i < w->n_visits; i++)
        free(w->visits[i].path);
    free(w->visits);
    free(w->bad);
    source_done(&w->source);
}

static int make_room(void **array, size_t *room, size_t n, size_t size) {
    size_t wanted = *room ? *room * 2 : 64;
    void *grown;

    if (n < *room)
        return 0;
    grown = reallocarray(*array, wanted, size);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *room = wanted;
    return 0;
}

static int leads_back(const Walk *w, size_t above, const struct stat *st) {
    for (;; above = w->visits[above].above) {
        if (w->visits[above].device == st->st_dev && w->visits[above].inode == st->st_ino)
            return -ELOOP;
        if (above == 0)
            return 0;
    }
}

static int add_folder(Walk *w, size_t above, char **path, const struct stat *st) {
    int r = w->n_visits > 0 ? leads_back(w, above, st) : 0;

    if (r < 0 || (r = make_room((void **) &w->visits, &w->visits_room, w->n_visits, sizeof(Visit))) < 0)
        return r;
    w->visits[w->n_visits++] = (Visit) { .path = TAKE_PTR(*path), .above = above, .device = st->st_dev, .inode = st->st_ino };
    return 0;
}

static int64_t modified_ns(const struct stat *st) {
    return (int64_t) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int add_file(Walk *w, char **path, const struct stat *st) {
    Source *s = &w->source;
    int r = make_room((void **) &s->files, &w->files_room, s->n_files, sizeof(SourceFile));

    if (r < 0)
        return r;
    s->files[s->n_files++] = (SourceFile) { .path = TAKE_PTR(*path), .size = (uint64_t) st->st_size, .modified_ns = modified_ns(st) };
    s->bytes += (uint64_t) st->st_size;
    return 0;
}

static int look_at(Walk *w, size_t above, char **path) {
    _cleanup_close_ int fd = open_beneath(w->source.folder, *path, O_PATH);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (w->n_visits + w->source.n_files > SOURCE_ENTRIES_MAX)
        return -E2BIG;
    if (S_ISDIR(st.st_mode))
        return add_folder(w, above, path, &st);
    return S_ISREG(st.st_mode) ? add_file(w, path, &st) : -ENOTSUP;
}

static void closedirp(DIR **d) {
    if (*d)
        closedir(*d);
}

static int read_folder(Walk *w, size_t at) {
    _cleanup_close_ int fd = open_beneath(w->source.folder, at == 0 ? "." : w->visits[at].path, O_RDONLY | O_DIRECTORY);
    _cleanup_(closedirp) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    int r = fd < 0 ? fd : folder ? 0 : -errno;

    if (folder)
        (void) TAKE_FD(fd); /* closedir() closes it */
    else
        w->bad = strdup(w->visits[at].path);
    while (r >= 0) {
        _cleanup_free_ char *path = NULL;
        const char *above = w->visits[at].path;

        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry)
            return -errno;
        if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
            continue;
        if (asprintf(&path, "%s%s%s", above, *above ? "/" : "", entry->d_name) < 0) {
            path = NULL;
            return -ENOMEM;
        }
        r = strlen(path) < PATH_MAX ? look_at(w, at, &path) : -ENAMETOOLONG;
        if (r < 0)
            w->bad = TAKE_PTR(path);
    }
    return r;
}

static int compare_files(const void *a, const void *b) {
    return order_compare(((const SourceFile *) a)->path, ((const SourceFile *) b)->path);
}

static int walk(Walk *w) {
    _cleanup_free_ char *top = strdup("");
    struct stat st;
    int r;

    if (!top)
        return -ENOMEM;
    if (fstat(w->source.folder, &st) < 0)
        return -errno;
    r = add_folder(w, 0, &top, &st);
    for (size_t i = 0; r >= 0 && i < w->n_visits; i++)
        r = read_folder(w, i);
    if (r < 0)
        return r;
    w->source.folders = calloc(w->n_visits, sizeof(char *));
    if (!w->source.folders)
        return -ENOMEM;
    for (size_t i = 1; i < w->n_visits; i++)
        w->source.folders[w->source.n_folders++] = TAKE_PTR(w->visits[i].path);
    if (w->source.n_files > 0)
        qsort(w->source.files, w->source.n_files, sizeof(SourceFile), compare_files);
    return 0;
}

int source_read(const char *folder, Source *ret, char **ret_bad) {
    _cleanup_(walk_done) Walk w = { .source = SOURCE_NONE };
    int r;

    w.source.folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w.source.folder < 0)
        return -errno;
    r = walk(&w);
    if (r < 0) {
        *ret_bad = TAKE_PTR(w.bad);
        return r;
    }
    *ret = w.source;
    w.source = SOURCE_NONE;
    return 0;
}

int source_open(const Source *s, const SourceFile *file) {
    _cleanup_close_ int fd = open_beneath(s->folder, file->path, O_RDONLY | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size != file->size || modified_ns(&st) != file->modified_ns)
        return -ESTALE;
    return TAKE_FD(fd);
}

void source_done(Source *s) {
    for (size_t i = 0; i < s->n_files; i++)
        free(s->files[i].path);
    free(s->files);
    for (size_t i = 0; i < s->n_folders; i++)
        free(s->folders[i]);
    free(s->folders);
    cleanup_close_(&s->folder);
    *s = SOURCE_NONE;
}
