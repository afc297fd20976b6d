/* Serves run tokens to systemd, one a connection. Only a request in flight has one; anything else gets an empty answer,
 * with which the unit's program fails clearly. */
#include "api/credentials.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "model/unit_name.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

#define ACCEPTS_PER_TURN 16

int credentials_parse_peer(const char *name, size_t size, char *ret_unit, size_t unit_size, char *ret_credential, size_t credential_size) {
    static const char marker[] = "/unit/";
    char text[sizeof(((struct sockaddr_un *) NULL)->sun_path) + 1];

    if (size < 2 || name[0] != '\0' || size >= sizeof(text))
        return -EINVAL;
    memcpy(text, name + 1, size - 1);
    text[size - 1] = '\0';
    if (strlen(text) != size - 1)
        return -EINVAL;
    char *unit = strstr(text, marker);
    if (!unit)
        return -EINVAL;
    unit += sizeof(marker) - 1;
    char *credential = strchr(unit, '/');
    if (!credential)
        return -EINVAL;
    *credential++ = '\0';
    if (strlen(unit) >= unit_size || strlen(credential) >= credential_size || !*unit || !*credential || strchr(credential, '/'))
        return -EINVAL;
    strcpy(ret_unit, unit);
    strcpy(ret_credential, credential);
    return 0;
}

static int find_token(Manager *m, int fd, char ret_token[static 33]) {
    struct sockaddr_un peer;
    socklen_t size = sizeof(peer);
    char unit[UNIT_NAME_SIZE], credential[64], id[ID_MAX + 1];
    UnitKind kind;
    _cleanup_request_ Request r = { 0 };

    if (getpeername(fd, (struct sockaddr *) &peer, &size) < 0)
        return -errno;
    if (size <= offsetof(struct sockaddr_un, sun_path))
        return -EINVAL;
    int k = credentials_parse_peer(peer.sun_path, size - offsetof(struct sockaddr_un, sun_path), unit, sizeof(unit), credential, sizeof(credential));
    if (k >= 0)
        k = unit_name_parse(unit, &kind, id);
    if (k >= 0 && (kind != UNIT_TRANSFER || !streq(credential, "run")))
        k = -EINVAL;
    if (k >= 0)
        k = store_get(m->store, id, &r);
    if (k < 0)
        return k;
    if (!state_is_in_flight(r.state) || !r.token[0])
        return -ESTALE;
    memcpy(ret_token, r.token, sizeof(r.token));
    wipe(r.token, sizeof(r.token));
    return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Manager *m = userdata;
    char token[33] = "";

    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        _cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0)
            return 0;
        int r = find_token(m, peer, token);
        if (r < 0)
            log_errno(r, "A unit asked for a run token that there is not");
        else
            (void) send(peer, token, strlen(token), MSG_NOSIGNAL); /* fits every socket buffer */
        wipe(token, sizeof(token));
    }
    return 0;
}

int credentials_listen(Manager *m, int fd) {
    int r = set_nonblocking(fd, true);

    if (r >= 0)
        r = sd_event_add_io(m->event, NULL, fd, 1 /* EPOLLIN */, on_connection, m);
    if (r < 0)
        close(fd);
    return r;
}
