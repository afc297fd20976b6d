/* Whole reads and writes, socket addresses as text, sockets from systemd, listening without it.
 *
 * What is said over a socket and what stands in a file is not known here. */
#include "basic/fds.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#define READ_FIRST_SIZE 4096

/* realloc() would leave copies of a secret behind in freed memory. */
static int grow(char **data, size_t used, size_t *allocated, size_t to) {
    char *larger = malloc(to);
    if (!larger)
        return -ENOMEM;
    if (*data) {
        memcpy(larger, *data, used);
        wipe(*data, used);
        free(*data);
    }
    *data = larger;
    *allocated = to;
    return 0;
}

static int read_all(int fd, size_t max, char **data, size_t *used) {
    size_t allocated = 0;

    for (;;) {
        if (*used + 1 >= allocated) {
            size_t to = allocated > 0 ? allocated * 2 : READ_FIRST_SIZE;
            int r = grow(data, *used, &allocated, to);
            if (r < 0)
                return r;
        }
        ssize_t n = read(fd, *data + *used, allocated - *used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        *used += (size_t) n;
        if (*used > max)
            return -E2BIG;
    }
    (*data)[*used] = '\0';
    return 0;
}

ssize_t read_at(int fd, void *data, size_t size, uint64_t offset) {
    ssize_t n;

    do
        n = pread(fd, data, size, (off_t) offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int read_file(const char *path, size_t max, char **ret, size_t *ret_size) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;

    char *data = NULL;
    size_t used = 0;
    int r = read_all(fd, max, &data, &used);
    if (r < 0) {
        if (data)
            wipe(data, used);
        free(data);
        return r;
    }
    *ret = data;
    if (ret_size)
        *ret_size = used;
    return 0;
}

int write_all(int fd, const void *data, size_t size) {
    const char *p = data;

    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        p += n;
        size -= (size_t) n;
    }
    return 0;
}

int set_nonblocking(int fd, bool on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0)
        return -errno;
    return 0;
}

void raise_fd_limit(void) {
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &files);
    }
}

void address_text(const struct sockaddr *address, char ret[static ADDRESS_TEXT_MAX]) {
    const char *fixed = "unknown";

    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in)); /* the caller's storage may be aligned for sockaddr only */
        if (inet_ntop(AF_INET, &in.sin_addr, ret, ADDRESS_TEXT_MAX))
            return;
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        if (mapped ? inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], ret, ADDRESS_TEXT_MAX)
                   : inet_ntop(AF_INET6, &in6.sin6_addr, ret, ADDRESS_TEXT_MAX))
            return;
    } else if (address->sa_family == AF_UNIX)
        fixed = "unix";
    snprintf(ret, ADDRESS_TEXT_MAX, "%s", fixed);
}

void peer_text(int fd, char ret[static ADDRESS_TEXT_MAX]) {
    struct sockaddr_storage storage = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof(storage);

    if (getpeername(fd, (struct sockaddr *) &storage, &size) < 0)
        storage.ss_family = AF_UNSPEC;
    address_text((const struct sockaddr *) &storage, ret);
}

/* ---- sockets from systemd ---- */

struct ListenFds {
    char **names; /* as sd_listen_fds_with_names() made them; fds[i] is SD_LISTEN_FDS_START + i, or -EBADF once taken */
    int *fds;
    size_t n;
};

int listen_fds_new(ListenFds **ret) {
    _cleanup_(listen_fds_freep) ListenFds *l = calloc(1, sizeof(ListenFds));
    if (!l)
        return -ENOMEM;

    int n = sd_listen_fds_with_names(1, &l->names);
    if (n < 0)
        return n;
    if (n > 0) {
        l->fds = calloc((size_t) n, sizeof(int));
        if (!l->fds)
            return -ENOMEM;
        for (l->n = 0; l->n < (size_t) n; l->n++)
            l->fds[l->n] = SD_LISTEN_FDS_START + (int) l->n;
    }
    *ret = TAKE_PTR(l);
    return 0;
}

int listen_fds_take(ListenFds *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (l->fds[i] >= 0 && streq(l->names[i], name))
            return TAKE_FD(l->fds[i]);
    return -ENOENT;
}

int listen_fds_take_any(ListenFds *l, const char **ret_name) {
    for (size_t i = 0; i < l->n; i++)
        if (l->fds[i] >= 0) {
            *ret_name = l->names[i];
            return TAKE_FD(l->fds[i]);
        }
    return -ENOENT;
}

ListenFds *listen_fds_free(ListenFds *l) {
    if (!l)
        return NULL;
    for (size_t i = 0; i < l->n; i++)
        cleanup_close_(&l->fds[i]);
    free(l->fds);
    strv_free(l->names);
    free(l);
    return NULL;
}

/* ---- listening without systemd ---- */

typedef union SocketAddress {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
} SocketAddress;

static int parse_host_port(const char *text, SocketAddress *ret, socklen_t *ret_size) {
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    uint64_t port;

    if (!colon || (size_t) (colon - text) >= sizeof(host))
        return -EINVAL;
    int r = parse_u64(colon + 1, UINT16_MAX, &port);
    if (r < 0)
        return r;
    size_t length = (size_t) (colon - text);
    memcpy(host, text, length);
    host[length] = '\0';

    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        ret->in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port) };
        *ret_size = sizeof(ret->in6);
        return inet_pton(AF_INET6, host + 1, &ret->in6.sin6_addr) == 1 ? 0 : -EINVAL;
    }
    ret->in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
    *ret_size = sizeof(ret->in);
    return inet_pton(AF_INET, host, &ret->in.sin_addr) == 1 ? 0 : -EINVAL;
}

/* A socket file that nobody listens on any more is a leftover of a killed process. */
static void remove_stale_socket(const SocketAddress *a, socklen_t size) {
    struct stat st;
    if (lstat(a->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return;

    _cleanup_close_ int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe >= 0 && connect(probe, &a->any, size) < 0 && errno == ECONNREFUSED)
        (void) unlink(a->un.sun_path);
}

int listen_on(const char *address) {
    SocketAddress a = { 0 };
    socklen_t size;

    if (address[0] == '/') {
        if (strlen(address) >= sizeof(a.un.sun_path))
            return -ENAMETOOLONG;
        a.un.sun_family = AF_UNIX;
        strcpy(a.un.sun_path, address);
        size = sizeof(a.un);
        remove_stale_socket(&a, size);
    } else {
        int r = parse_host_port(address, &a, &size);
        if (r < 0)
            return r;
    }

    _cleanup_close_ int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (a.any.sa_family != AF_UNIX && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int)) < 0)
        return -errno;
    if (bind(fd, &a.any, size) < 0 || listen(fd, SOMAXCONN) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* ---- credentials ---- */

int read_credential(const char *name, size_t max, char **ret) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    _cleanup_free_ char *path = NULL;
    char *text;
    size_t size;

    if (!folder)
        return -ENOENT;
    if (strchr(name, '/'))
        return -EINVAL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return -ENOMEM;
    int r = read_file(path, max, &text, &size);
    if (r < 0)
        return r;
    if (size > 0 && text[size - 1] == '\n')
        text[size - 1] = '\0';
    *ret = text;
    return 0;
}
