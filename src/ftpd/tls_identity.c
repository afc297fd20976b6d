/* Reads certificate and key, puts the key where it belongs, and notices that they were renewed.
 *
 * OpenSSL and the keeper do the work; which error text an operator reads is decided here. */
#include "ftpd/tls_identity.h"

#include "basic/fds.h"
#include "basic/log.h"
#include "basic/strings.h"
#include "ftpd/tls_keeper.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>

typedef struct Stamp {
    ino_t inode;
    off_t size;
    struct timespec changed;
} Stamp;

struct TlsIdentity {
    char *certificate_path, *key_path, *certificate_name, *key_name;
    bool keep_apart;
    const Jail *jail;
    Stamp certificate, key;
    TlsServer *server;
    int keeper_fd;
};

static Stamp stamp_of(const char *path) {
    struct stat st;

    if (stat(path, &st) < 0)
        return (Stamp) { 0 };
    return (Stamp) { st.st_ino, st.st_size, st.st_mtim };
}

static bool same(const Stamp *a, const Stamp *b) {
    return a->inode == b->inode && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static int complain(const TlsIdentity *i, const char *what) {
    log_error("TEMPOFTP_FTP_TLS: a certificate (%s) and its key (%s) are needed, both PEM files: %s", i->certificate_name, i->key_name, what);
    return -EINVAL;
}

/* A blank file is what a unit hands over in place of one that is not there. */
static int read_certificate(const TlsIdentity *i, char **ret) {
    size_t size;

    int r = read_file(i->certificate_path, TLS_PEM_MAX, ret, &size);
    if (r >= 0 && !is_blank(*ret))
        return 0;
    return complain(i, r >= 0 || r == -ENOENT ? "there is no certificate file"
                       : r == -EACCES         ? "this user may not read the certificate file"
                                              : strerror(-r));
}

/* A signature for the rehearsal. */
static int sign_once(void *userdata, int padding, const void *data, size_t size, uint8_t ret[static TLS_SIGN_MAX]) {
    _cleanup_close_ int fd = keeper_admit(*(int *) userdata);
    return fd < 0 ? fd : keeper_ask(&fd, padding, data, size, ret);
}

static int load(const TlsIdentity *i, TlsServer **ret, int *ret_keeper) {
    _cleanup_(tls_server_freep) TlsServer *server = NULL;
    _cleanup_(wipe_freep) char *key = NULL;
    _cleanup_free_ char *certificate = NULL, *error = NULL;
    _cleanup_close_ int keeper = -EBADF;
    size_t size;

    int r = read_certificate(i, &certificate);
    if (r >= 0 && i->keep_apart)
        r = keeper_start(i->key_path, certificate, i->jail, &keeper, &error);
    else if (r >= 0) {
        r = read_file(i->key_path, TLS_PEM_MAX, &key, &size);
        if (r < 0)
            return complain(i, r == -ENOENT ? "there is no key file" : r == -EACCES ? "this user may not read the key file" : strerror(-r));
    } else
        return r;
    if (r >= 0)
        r = tls_server_new(certificate, key, &server, &error);
    if (r >= 0) {
        tls_server_set_signer(server, sign_once, &keeper);
        r = tls_server_rehearse(server);
        tls_server_set_signer(server, NULL, NULL);
    }
    if (r < 0)
        return complain(i, error ? error : r == -EPROTO ? "OpenSSL cannot use them with TLS 1.2 and 1.3" : strerror(-r));
    *ret = TAKE_PTR(server);
    *ret_keeper = TAKE_FD(keeper);
    /* Or every child would, at its first free(3) of something large, join what was freed up to here, and get a copy of twenty pages for it. */
    malloc_trim(0);
    return 0;
}

int identity_new(const TlsFiles *files, bool keep_apart, const Jail *jail, TlsIdentity **ret) {
    _cleanup_(identity_freep) TlsIdentity *i = calloc(1, sizeof(*i));

    if (!i)
        return -ENOMEM;
    *i = (TlsIdentity) {
        strdup(files->certificate_path), strdup(files->key_path), strdup(files->certificate), strdup(files->key), keep_apart, jail,
        .keeper_fd = -EBADF,
    };
    if (!i->certificate_path || !i->key_path || !i->certificate_name || !i->key_name)
        return -ENOMEM;
    i->certificate = stamp_of(i->certificate_path);
    i->key = stamp_of(i->key_path);
    int r = load(i, &i->server, &i->keeper_fd);
    if (r >= 0)
        *ret = TAKE_PTR(i);
    return r;
}

TlsIdentity *identity_free(TlsIdentity *i) {
    if (!i)
        return NULL;
    tls_server_free(i->server);
    cleanup_close_(&i->keeper_fd);
    free(i->certificate_path);
    free(i->key_path);
    free(i->certificate_name);
    free(i->key_name);
    free(i);
    return NULL;
}

TlsServer *identity_server(const TlsIdentity *i) {
    return i->server;
}

int *identity_keeper_fd(TlsIdentity *i) {
    return i->keep_apart ? &i->keeper_fd : NULL;
}

static int load_again(TlsIdentity *i) {
    TlsServer *server = NULL;
    int keeper = -EBADF;

    int r = load(i, &server, &keeper);
    if (r < 0)
        return r;
    tls_server_free(i->server);
    i->server = server;
    if (i->keep_apart && i->keeper_fd >= 0) {
        (void) dup2(keeper, i->keeper_fd); /* in its place: the zygote knows that number */
        close(keeper);
    }
    return 0;
}

static void refresh(TlsIdentity *i) {
    Stamp certificate = stamp_of(i->certificate_path), key = stamp_of(i->key_path);

    if (same(&certificate, &i->certificate) && same(&key, &i->key))
        return;
    /* Once for each change: two files can't be replaced at once, and the second one is a change too. */
    i->certificate = certificate;
    i->key = key;
    if (load_again(i) < 0)
        log_warning("The TLS certificate that was there before stays in use");
    else
        log_notice("A renewed TLS certificate is in use");
}

int identity_prepare(void *userdata) {
    TlsIdentity *i = userdata;

    refresh(i);
    int fd = i->keep_apart ? keeper_admit(i->keeper_fd) : -EBADF;
    if (fd != -EPIPE && fd != -ECONNRESET)
        return fd;
    log_warning("The process that keeps the TLS key has died, starting another one");
    int r = load_again(i);
    return r < 0 ? r : keeper_admit(i->keeper_fd);
}
