/* Finds the other end of a process's TCP connection: a socket's number from its open files, the address from the table of its network. */
#include "pureftpd/peer.h"

#include "basic/fds.h"
#include "basic/strings.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ESTABLISHED 1

typedef struct Search {
    int best; /* lowest number so far: the control connection is older than any of data */
    char *peer;
} Search;

static int address_parse(const char *hex, char ret[static PEER_SIZE]) {
    uint8_t bytes[16];
    size_t size = strlen(hex) == 32 ? 16 : 4;
    struct sockaddr_storage address = { 0 };

    if (hex_decode(hex, bytes, size) < 0)
        return -EINVAL;
    for (size_t i = 0; i < size; i += 4) { /* each word was printed as a number of this machine */
        uint32_t word;
        memcpy(&word, bytes + i, sizeof(word));
        word = ntohl(word);
        memcpy(bytes + i, &word, sizeof(word));
    }
    if (size == 16) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &address;
        in6->sin6_family = AF_INET6;
        memcpy(&in6->sin6_addr, bytes, 16);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *) &address;
        in->sin_family = AF_INET;
        memcpy(&in->sin_addr, bytes, 4);
    }
    char text[ADDRESS_TEXT_MAX];
    address_text((const struct sockaddr *) &address, text);
    snprintf(ret, PEER_SIZE, "%.*s", PEER_SIZE - 1, text);
    return 0;
}

int peer_parse(const char *line, uint64_t socket, char ret[static PEER_SIZE]) {
    char address[33];
    unsigned state;
    uint64_t inode;

    if (sscanf(line, " %*u: %*32[0-9A-Fa-f]:%*4[0-9A-Fa-f] %32[0-9A-Fa-f]:%*4[0-9A-Fa-f] %2x %*s %*s %*s %*u %*u %" SCNu64, address, &state, &inode) != 3)
        return -EINVAL;
    if (inode != socket || state != ESTABLISHED)
        return -ENOENT;
    return address_parse(address, ret);
}

static bool find_in(const Process *p, const char *table, uint64_t socket, char ret[static PEER_SIZE]) {
    int fd = openat(p->fd, table, O_RDONLY | O_CLOEXEC);
    FILE *from = fd < 0 ? NULL : fdopen(fd, "re");
    char line[512];
    bool found = false;

    if (!from) {
        cleanup_close_(&fd);
        return false;
    }
    while (!found && fgets(line, sizeof(line), from))
        found = peer_parse(line, socket, ret) >= 0;
    fclose(from);
    return found;
}

static int look_at_socket(const Process *p, int number, const char *link, void *userdata) {
    Search *s = userdata;
    uint64_t socket;

    if (number < s->best && sscanf(link, "socket:[%" SCNu64 "]", &socket) == 1 &&
        (find_in(p, "net/tcp", socket, s->peer) || find_in(p, "net/tcp6", socket, s->peer)))
        s->best = number;
    return 0;
}

void process_peer(const Process *p, char ret[static PEER_SIZE]) {
    Search s = { .best = INT_MAX, .peer = ret };

    ret[0] = '\0';
    if (process_walk_files(p, look_at_socket, &s) < 0)
        ret[0] = '\0';
}
