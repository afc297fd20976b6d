/* Looks up a destination's host and refuses what leads back to this machine; puts the secret, in clear for the first time since it was stored, into a pipe
 * and forgets it. The worker checks every address once more when it connects. */
#include "api/export_host.h"

#include "basic/fds.h"
#include "basic/own_addresses.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "model/inner_address.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>

static int is_own(const struct sockaddr *own, void *userdata) {
    InetAddress a;

    return inet_address_of(own, &a) >= 0 && inet_address_is_inner(userdata, &a, 1);
}

/* Also when own addresses can't be listed: fails closed. */
static bool is_inner(const InetAddress *a) {
    return inet_address_is_inner(a, NULL, 0) || own_addresses_walk(is_own, (void *) a) != 0;
}

bool export_host_is_inner(const Manager *m, const char *host) {
    static const char domain[] = ".localhost";
    size_t size = strlen(host), tail = sizeof(domain) - 1;
    InetAddress a;

    if (m->settings->export_internal)
        return false;
    if (inet_address_parse(host, &a) >= 0)
        return is_inner(&a);
    return strcasecmp(host, domain + 1) == 0 || (size > tail && strcasecmp(host + size - tail, domain) == 0); /* RFC 6761, 6.3 */
}

/* ---- look-up ---- */

void host_lookup_init(HostLookup *l, const Manager *m, const char *host) {
    *l = (HostLookup) { .inner_allowed = m->settings->export_internal };
    snprintf(l->host, sizeof(l->host), "%s", host);
}

void host_lookup_done(HostLookup *l) {
    for (size_t i = 0; i < EXPORT_ADDRESSES_MAX; i++) {
        free(l->addresses[i]);
        l->addresses[i] = NULL;
    }
}

static void fail(HostLookup *l, ExportCause cause, const char *detail) {
    host_lookup_done(l);
    l->cause = cause;
    snprintf(l->detail, sizeof(l->detail), "%s", detail);
}

/* False: told. */
static bool take_address(HostLookup *l, size_t n, const struct addrinfo *found) {
    char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
    InetAddress a;

    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0 || inet_address_of(found->ai_addr, &a) < 0) {
        fail(l, EXPORT_RESOLVE, l->host);
        return false;
    }
    if (!l->inner_allowed && is_inner(&a)) {
        fail(l, EXPORT_ADDRESS, text);
        return false;
    }
    text[strcspn(text, "%")] = '\0';
    l->addresses[n] = strdup(text);
    return true;
}

void host_lookup_run(HostLookup *l) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
    InetAddress literal;
    size_t n = 0;

    if (inet_address_parse(l->host, &literal) >= 0)
        hints.ai_flags = AI_NUMERICHOST; /* also where no interface has that family */
    int r = getaddrinfo(l->host, NULL, &hints, &list);
    l->temporary = r == EAI_AGAIN || r == EAI_SYSTEM || r == EAI_MEMORY;
    l->ok = r == 0;
    for (const struct addrinfo *a = list; l->ok && a && n < EXPORT_ADDRESSES_MAX; a = a->ai_next, n++)
        l->ok = take_address(l, n, a) && l->addresses[n];
    if (r != 0)
        fail(l, EXPORT_RESOLVE, l->host);
    if (list)
        freeaddrinfo(list);
}

/* ---- the run credential ---- */

static int decrypt(Manager *m, const char *token, char **ret) {
    size_t size;

    return token ? fernet_decrypt(m->keys, token, utc_now(), 0, ret, &size, NULL) : 0;
}

/* All of it at once into a pipe that holds so much: nobody reads it yet. */
static int fill_pipe(const char *bytes, size_t size) {
    _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    read_end = fds[0];
    write_end = fds[1];
    if (fcntl(write_end, F_GETPIPE_SZ) < (int) size && fcntl(write_end, F_SETPIPE_SZ, (int) size) < 0)
        return -errno;
    int r = write_all(write_end, bytes, size);
    if (r >= 0)
        r = set_nonblocking(read_end, false);
    return r < 0 ? r : TAKE_FD(read_end);
}

int export_order_pipe(Manager *m, const Destination *d, const HostLookup *l, const char *token) {
    _cleanup_(wipe_freep) char *password = NULL, *ssh_key = NULL;
    ExportOrder o = {
        .type = d->type, .host = (char *) d->host, .port = d->port, .username = (char *) d->username, .path = (char *) d->path,
    };
    size_t size = 0;
    int r;

    r = decrypt(m, d->password, &password);
    if (r >= 0)
        r = decrypt(m, d->ssh_key, &ssh_key);
    if (r < 0)
        return r;
    o.password = password;
    o.ssh_key = ssh_key;
    snprintf(o.token, sizeof(o.token), "%s", token ? token : "");
    strcpy(o.host_key, d->host_key);
    memcpy(o.addresses, l->addresses, sizeof(o.addresses));
    char *bytes = malloc(EXPORT_ORDER_SIZE);
    if (!bytes)
        return -ENOMEM;
    r = export_order_format(&o, bytes, EXPORT_ORDER_SIZE, &size);
    if (r >= 0)
        r = fill_pipe(bytes, size);
    wipe(bytes, EXPORT_ORDER_SIZE);
    free(bytes);
    wipe(o.token, sizeof(o.token));
    return r;
}
