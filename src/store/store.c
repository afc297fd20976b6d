/* The store as a whole: opening, closing, and the reader's side of a commit.
 *
 * Makes sure of what the other files rely on: the file is private, one process has it open, it
 * has today's tables, and a callback that runs finds its effect in the next read. Knows no table
 * and no thread. */
#include "store/store.h"

#include "basic/log.h"
#include "store/handles.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Who else could write into the folder could put another database (or log) in the place of ours.
 * Reading it shows names only: the files are 0600. */
static int check_folder(const char *folder) {
    struct stat st;

    if (stat(folder, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        log_debug("%s belongs to uid %u with mode %04o: others could replace the database", folder, (unsigned) st.st_uid, st.st_mode & 07777u);
        return -EPERM;
    }
    return 0;
}

/* Absolute and without symbolic links: SQLite reads a leading "file:" as a URI, and a later
 * chdir() must not matter. */
static int resolve(const char *path, char **ret_folder, char **ret_path) {
    _cleanup_free_ char *copy = strdup(path), *copy2 = strdup(path), *folder = NULL, *whole = NULL;

    if (!copy || !copy2)
        return -ENOMEM;
    folder = realpath(dirname(copy), NULL);
    if (!folder)
        return -errno;
    if (asprintf(&whole, "%s/%s", folder, basename(copy2)) < 0) {
        whole = NULL;
        return -ENOMEM;
    }
    *ret_folder = TAKE_PTR(folder);
    *ret_path = TAKE_PTR(whole);
    return 0;
}

/* Made by us first, so that it is never wider than 0600; SQLite gives the log and the index the same mode. */
static int open_file(const char *path, int *ret) {
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    *ret = TAKE_FD(fd);
    return 0;
}

static int open_writer(Store *s) {
    _cleanup_(connection_freep) Connection *c = NULL;
    int r;

    r = connection_open(s->path, CONNECTION_WRITER, NULL, &c);
    if (r < 0)
        return r;
    r = schema_migrate(c, schema_migrations, schema_version);
    if (r < 0)
        return r;
    return writer_new(TAKE_PTR(c), &s->writer);
}

int store_open(const char *path, Store **ret) {
    _cleanup_(store_freep) Store *s = NULL;
    _cleanup_free_ char *folder = NULL;
    int r;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->file = -EBADF;
    r = resolve(path, &folder, &s->path);
    if (r >= 0)
        r = check_folder(folder);
    if (r >= 0)
        r = open_file(s->path, &s->file);
    if (r >= 0)
        r = open_writer(s);
    if (r >= 0)
        r = connection_open(s->path, CONNECTION_READER, writer_news(s->writer), &s->reader);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

Store *store_free(Store *s) {
    if (!s)
        return NULL;
    connection_free(s->reader); /* first: the writer's close then checkpoints and removes the log */
    writer_free(s->writer);
    if (s->file >= 0)
        (void) close(s->file);
    free(s->path);
    free(s);
    return NULL;
}

int store_fd(const Store *s) {
    return writer_fd(s->writer);
}

void store_dispatch(Store *s) {
    /* Each read sees for itself whether its snapshot is current; but an idle reader must not
     * keep the log from beginning anew. */
    connection_release_snapshot(s->reader);
    writer_dispatch(s->writer);
}

void store_on_change(Store *s, StoreChanged changed, void *userdata) {
    writer_on_change(s->writer, changed, userdata);
}

bool store_is_idle(const Store *s) {
    return writer_is_idle(s->writer);
}

size_t store_queue_length(const Store *s) {
    return writer_pending(s->writer);
}

void store_statistics(const Store *s, StoreStatistics *ret) {
    writer_statistics(s->writer, ret);
}

int store_write(Store *s, StoreJob run, StoreDone done, void *job) {
    return writer_submit(s->writer, run, done, job);
}

int store_write_wait(Store *s, StoreJob run, void *job) {
    return writer_submit_wait(s->writer, run, job);
}

int store_probe(Store *s) {
    struct stat held, named;
    int r;

    /* Mapped pages and an old snapshot would go on answering for a file that is gone. */
    if (fstat(s->file, &held) < 0 || stat(s->path, &named) < 0)
        return -errno;
    if (held.st_ino != named.st_ino || held.st_dev != named.st_dev)
        return -ESTALE;
    connection_release_snapshot(s->reader);
    _cleanup_query_ Query q = query_start(s->reader, SQL_PROBE);
    r = query_step(&q);
    return r < 0 ? r : r == 1 ? 0 : -EBADMSG;
}
