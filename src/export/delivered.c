/* A list of marks on disk: only ever appended to, read once. What a mark stands for is not known to it. */
#include "export/delivered.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void file_mark(const char *id, uint64_t life, uint64_t number, const SourceFile *file, FileMark *ret) {
    uint8_t digest[SHA256_SIZE];
    Sha256 h;

    sha256_begin(&h);
    sha256_add(&h, id, strlen(id) + 1);
    sha256_add(&h, &life, sizeof(life));
    sha256_add(&h, &number, sizeof(number));
    sha256_add(&h, file->path, strlen(file->path) + 1);
    sha256_add(&h, &file->size, sizeof(file->size));
    sha256_add(&h, &file->modified_ns, sizeof(file->modified_ns));
    sha256_end(&h, digest);
    memcpy(ret->bytes, digest, sizeof(ret->bytes));
}

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(FileMark));
}

static int load(Delivered *d) {
    struct stat st;
    size_t got = 0;

    if (fstat(d->fd, &st) < 0)
        return -errno;
    d->n = (size_t) st.st_size / sizeof(FileMark);
    /* What a kill or a power cut left of a mark goes, or all behind it would be askew. */
    if (ftruncate(d->fd, (off_t) (d->n * sizeof(FileMark))) < 0)
        return -errno;
    d->marks = calloc(d->n + 1, sizeof(FileMark));
    if (!d->marks)
        return -ENOMEM;
    while (got < d->n * sizeof(FileMark)) {
        ssize_t n = read_at(d->fd, (char *) d->marks + got, d->n * sizeof(FileMark) - got, got);
        if (n <= 0)
            return n < 0 ? (int) n : -EIO;
        got += (size_t) n;
    }
    qsort(d->marks, d->n, sizeof(FileMark), compare);
    return 0;
}

int delivered_open(const char *path, Delivered *ret) {
    _cleanup_delivered_ Delivered d = DELIVERED_NONE;
    int r;

    d.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d.fd < 0)
        return -errno;
    r = load(&d);
    if (r < 0)
        return r;
    *ret = d;
    d = DELIVERED_NONE;
    return 0;
}

bool delivered_has(const Delivered *d, const FileMark *m) {
    return d->n > 0 && bsearch(m, d->marks, d->n, sizeof(FileMark), compare);
}

int delivered_add(const Delivered *d, const FileMark *m) {
    return write_all(d->fd, m, sizeof(*m)); /* O_APPEND: in one piece */
}

void delivered_close(Delivered *d) {
    cleanup_close_(&d->fd);
    free(d->marks);
    *d = DELIVERED_NONE;
}
