/* HASH: SHA-256 of a whole file, so that a client can compare a download of hours without fetching it again. draft-bryan-ftpext-hash-02.
 *
 * While it reads it looks at control and wire as transfers do (ABOR, revocation); one HASH takes at most HASH_MAX_MS. */
#include "crypto/digest.h"
#include "ftpd/jail.h"
#include "ftpd/session.h"

#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define HASH_MAX_MS 60000
#define BUFFER_SIZE (128U << 10)

static int hash_file(Session *s, int fd, uint64_t *ret_size, uint8_t ret[static SHA256_SIZE]) {
    _cleanup_free_ char *buffer = malloc(BUFFER_SIZE);
    uint64_t at = 0, started = monotonic_ms();
    Sha256 hash;

    if (!buffer)
        return -ENOMEM;
    sha256_begin(&hash);
    for (;;) {
        ssize_t n = read_at(fd, buffer, BUFFER_SIZE, at);
        if (n < 0)
            return (int) n;
        if (n == 0)
            break;
        sha256_add(&hash, buffer, (size_t) n);
        at += (uint64_t) n;
        s->data.sent = at; /* shown as progress */
        int r = data_look(&s->data);
        if (r >= 0 && monotonic_ms() - started > HASH_MAX_MS)
            r = -ETIMEDOUT;
        if (r < 0)
            return r;
    }
    sha256_end(&hash, ret);
    *ret_size = at;
    return 0;
}

/* "213 SHA-256 0-49 HEX name"; the range counts from 0 and both its ends are hashed, so that of an empty file is "0-0" as the draft has it. */
static int reply_hash(Session *s, const char *name, int result, uint64_t size, const uint8_t digest[static SHA256_SIZE]) {
    char digits[2 * SHA256_SIZE + 1];
    int fd = s->conversation.fd;

    switch (result) {
    case 0:
        hex_encode(digest, SHA256_SIZE, digits);
        return reply(fd, 213, "SHA-256 0-%" PRIu64 " %s %s", size > 0 ? size - 1 : 0, digits, name);
    case -ESHUTDOWN:
        return 0; /* the session's last word follows */
    case -ECANCELED:
        return reply(fd, 450, "Cálculo cancelado.");
    case -ETIMEDOUT:
        return reply(fd, 450, "El archivo es demasiado grande para calcular su HASH.");
    default:
        return session_reply_errno(s, result);
    }
}

int hash_hash(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    /* A copy: the reader's bytes move when more commands arrive meanwhile. */
    char path[VIRTUAL_PATH_MAX], name[COMMAND_LINE_MAX];
    uint8_t digest[SHA256_SIZE] = { 0 };
    uint64_t size = 0;
    struct stat st;

    strcpy(name, argument);
    int r = session_resolve(s, name, path);
    if (r <= 0)
        return r;
    _cleanup_close_ int fd = path_open(CHILD_HOME_FD, path, O_RDONLY | O_NONBLOCK);
    r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    if (r < 0)
        return session_reply_errno(s, r);
    strcpy(s->file, path); /* a revocation of its request is about us */
    s->file_size = (uint64_t) st.st_size;
    s->file_offset = 0;
    r = hash_file(s, fd, &size, digest);
    s->file[0] = '\0';
    return reply_hash(s, name, r, size, digest);
}
