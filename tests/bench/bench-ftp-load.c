/* The client of the FTP figures: makes one kind of load on a server and prints "SECONDS COUNT BYTES". The same program for every server.
 *
 * It costs as little as it can, because it shares the cores with what it measures: what arrives over a plain data connection is dropped in the kernel
 * (MSG_TRUNC), what is sent comes from a memfd. It knows nothing of tempoftp; any reply that isn't the expected class ends it with exit code 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define SESSIONS_OF_ONE_ADDRESS 32
#define BUFFER_SIZE (2 << 20)

typedef struct Load {
    struct sockaddr_in server;
    const char *user, *password, *argument;
    unsigned long n;
    SSL_CTX *tls; /* NULL: plain */
    atomic_ulong left;
    atomic_ullong bytes;
} Load;

typedef struct Client {
    Load *load;
    int fd;
    SSL *tls;
    char line[4096];
    size_t have;
} Client;

static _Noreturn void fail(const char *what, const char *detail) {
    fprintf(stderr, "bench-ftp-load: %s: %s\n", what, detail);
    exit(EXIT_FAILURE);
}

static int connect_from(uint32_t source, const struct sockaddr_in *address) {
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(source) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &from, sizeof(from)) < 0 || connect(fd, (const struct sockaddr *) address, sizeof(*address)) < 0)
        fail("connect", strerror(errno));
    return fd;
}

static int connect_to(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *) address, sizeof(*address)) < 0)
        fail("connect", strerror(errno));
    return fd;
}

/* ---- the control connection ---- */

static void send_line(Client *c, const char *verb, const char *argument) {
    char text[4096];
    int n = snprintf(text, sizeof(text), "%s%s%s\r\n", verb, argument ? " " : "", argument ? argument : "");
    if (c->tls ? SSL_write(c->tls, text, n) != n : send(c->fd, text, (size_t) n, MSG_NOSIGNAL) != n)
        fail(verb, "cannot send");
}

/* The last line of a reply, whose first digit must be `class`. */
static void expect(Client *c, char class, char *ret, size_t size) {
    for (;;) {
        char *end = memchr(c->line, '\n', c->have);
        if (!end) {
            size_t room = sizeof(c->line) - c->have;
            ssize_t n = c->tls ? SSL_read(c->tls, c->line + c->have, (int) room) : recv(c->fd, c->line + c->have, room, 0);
            if (n <= 0)
                fail("the server closed", c->have ? c->line : "");
            c->have += (size_t) n;
            continue;
        }
        size_t length = (size_t) (end - c->line) + 1;
        bool last = length > 3 && c->line[3] == ' ' && c->line[0] >= '1' && c->line[0] <= '5';
        if (last && c->line[0] != class) {
            *end = '\0';
            fail("unexpected reply", c->line);
        }
        if (last && ret)
            snprintf(ret, size, "%.*s", (int) length, c->line);
        c->have -= length;
        memmove(c->line, end + 1, c->have);
        if (last)
            return;
    }
}

static void command(Client *c, const char *verb, const char *argument, char class) {
    send_line(c, verb, argument);
    expect(c, class, NULL, 0);
}

static void start_tls(Client *c) {
    command(c, "AUTH", "TLS", '2');
    c->have = 0;
    SSL *tls = SSL_new(c->load->tls);
    if (!tls || !SSL_set_fd(tls, c->fd) || SSL_connect(tls) != 1)
        fail("TLS", "no handshake");
    c->tls = tls;
}

static void log_in_over(Client *c, Load *load, int fd) {
    *c = (Client) { .load = load, .fd = fd };
    expect(c, '2', NULL, 0);
    if (load->tls)
        start_tls(c);
    command(c, "USER", load->user, '3');
    command(c, "PASS", load->password, '2');
}

static void log_in(Client *c, Load *load) {
    log_in_over(c, load, connect_to(&load->server));
}

/* Waits for the server's end, so that its side is what rests in TIME_WAIT, as with most clients. */
static void quit(Client *c) {
    char rest[256];

    command(c, "QUIT", NULL, '2');
    while (recv(c->fd, rest, sizeof(rest), 0) > 0)
        ;
    SSL_free(c->tls);
    close(c->fd);
}

/* ---- data connections ---- */

static int open_passive(Client *c) {
    struct sockaddr_in address = c->load->server;
    unsigned a[6];
    char reply[512];

    send_line(c, "PASV", NULL);
    expect(c, '2', reply, sizeof(reply));
    const char *open = strchr(reply, '(');
    if (!open || sscanf(open + 1, "%u,%u,%u,%u,%u,%u", a, a + 1, a + 2, a + 3, a + 4, a + 5) != 6)
        fail("PASV", reply);
    address.sin_port = htons((uint16_t) (a[4] << 8 | a[5]));
    return connect_to(&address);
}

static SSL *open_data_tls(Client *c, int fd) {
    SSL *tls = SSL_new(c->load->tls);
    SSL_SESSION *session = SSL_get1_session(c->tls); /* with TLS 1.3 its ticket came with the first replies */
    if (!tls || !SSL_set_fd(tls, fd) || !SSL_set_session(tls, session) || SSL_connect(tls) != 1)
        fail("TLS", "no handshake on the data connection");
    SSL_SESSION_free(session);
    return tls;
}

static void receive_all(Client *c, int fd, SSL *tls, char *buffer) {
    ssize_t n;
    while ((n = tls ? SSL_read(tls, buffer, BUFFER_SIZE) : recv(fd, buffer, BUFFER_SIZE, MSG_TRUNC)) > 0)
        c->load->bytes += (unsigned long long) n;
    if (n < 0 && !tls)
        fail("data", strerror(errno));
}

static void send_all(Client *c, int fd, SSL *tls, unsigned long long size) {
    static char zeros[256 * 1024];
    const size_t block = BUFFER_SIZE;

    int source = memfd_create("source", MFD_CLOEXEC);
    if (source < 0 || ftruncate(source, (off_t) block) < 0)
        fail("memfd", strerror(errno));
    void *touched = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, source, 0);
    if (touched == MAP_FAILED)
        fail("mmap", strerror(errno));
    memset(touched, 1, block);
    while (size > 0) {
        off_t at = 0;
        size_t part = size < block ? (size_t) size : block;
        ssize_t n = tls ? SSL_write(tls, zeros, (int) (part < sizeof(zeros) ? part : sizeof(zeros))) : sendfile(fd, source, &at, part);
        if (n <= 0)
            fail("data", "cannot send");
        size -= (unsigned long long) n;
        c->load->bytes += (unsigned long long) n;
    }
    munmap(touched, block);
    close(source);
}

/* upload: bytes to send, 0 for what the server sends. */
static void transfer(Client *c, const char *verb, const char *argument, unsigned long long upload, char *buffer) {
    int fd = open_passive(c);
    SSL *tls = NULL;

    send_line(c, verb, argument);
    expect(c, '1', NULL, 0);
    if (c->tls)
        tls = open_data_tls(c, fd);
    if (upload > 0)
        send_all(c, fd, tls, upload);
    else
        receive_all(c, fd, tls, buffer);
    if (tls) {
        SSL_shutdown(tls);
        SSL_free(tls);
    }
    close(fd);
    expect(c, '2', NULL, 0);
}

/* ---- kinds of load; each returns how often it did its thing ---- */

static void begin_transfers(Client *c, Load *load) {
    log_in(c, load);
    if (load->tls) {
        command(c, "PBSZ", "0", '2');
        command(c, "PROT", "P", '2');
    }
    command(c, "TYPE", "I", '2');
}

static unsigned long repeat(Load *load, const char *verb, unsigned long long upload) {
    static char buffer[BUFFER_SIZE];
    Client c;

    begin_transfers(&c, load);
    for (unsigned long i = 0; i < load->n; i++)
        transfer(&c, verb, load->argument, upload, buffer);
    quit(&c);
    return load->n;
}

static unsigned long run_retr(Load *load) {
    return repeat(load, "RETR", 0);
}

static unsigned long run_stor(Load *load) {
    return repeat(load, "STOR", 1ULL << 30);
}

static unsigned long run_list(Load *load) {
    return repeat(load, "LIST", 0);
}

static unsigned long run_mlsd(Load *load) {
    return repeat(load, "MLSD", 0);
}

/* Files 0…n-1 of a folder, one data connection each. */
static unsigned long run_files(Load *load) {
    static char buffer[BUFFER_SIZE];
    char path[4096];
    Client c;

    begin_transfers(&c, load);
    for (unsigned long i = 0; i < load->n; i++) {
        snprintf(path, sizeof(path), "%s/%lu", load->argument, i);
        transfer(&c, "RETR", path, 0, buffer);
    }
    quit(&c);
    return load->n;
}

static void *log_in_and_out(void *userdata) {
    Load *load = userdata;
    Client c;

    for (;;) {
        unsigned long left = load->left;
        while (left > 0 && !atomic_compare_exchange_weak(&load->left, &left, left - 1))
            ;
        if (left == 0)
            return NULL;
        log_in(&c, load);
        quit(&c);
    }
}

/* argument: how many clients share the n logins. */
static unsigned long run_login(Load *load) {
    pthread_t threads[CLIENTS_MAX];
    unsigned long clients = strtoul(load->argument, NULL, 10);

    load->left = load->n;
    for (unsigned long i = 0; i < clients && i < CLIENTS_MAX; i++)
        if (pthread_create(&threads[i], NULL, log_in_and_out, load) != 0)
            fail("thread", "cannot start");
    for (unsigned long i = 0; i < clients && i < CLIENTS_MAX; i++)
        pthread_join(threads[i], NULL);
    return load->n;
}

/* From several addresses, because servers limit each: sessions that do nothing until standard input ends. */
static unsigned long run_hold(Load *load) {
    static Client clients[CLIENTS_MAX];
    char byte;

    for (unsigned long i = 0; i < load->n && i < CLIENTS_MAX; i++)
        log_in_over(&clients[i], load, connect_from(INADDR_LOOPBACK + 1 + (uint32_t) i / SESSIONS_OF_ONE_ADDRESS, &load->server));
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    for (unsigned long i = 0; i < load->n && i < CLIENTS_MAX; i++)
        quit(&clients[i]);
    return load->n;
}

/* No FTP: what one connection to a server that only sends costs. bench-ftp-limits.c is the other side. */
static unsigned long run_raw(Load *load) {
    static char buffer[BUFFER_SIZE];
    Client c = { .load = load };

    for (unsigned long i = 0; i < load->n; i++) {
        c.fd = connect_to(&load->server);
        receive_all(&c, c.fd, NULL, buffer);
        close(c.fd);
    }
    return load->n;
}

static const struct {
    const char *name;
    unsigned long (*run)(Load *load);
} kinds[] = {
    { "retr", run_retr }, { "stor", run_stor },   { "list", run_list }, { "mlsd", run_mlsd },
    { "files", run_files }, { "login", run_login }, { "hold", run_hold }, { "raw", run_raw },
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "Usage: bench-ftp-load KIND PORT USER PASSWORD N ARGUMENT [tls]\n"
                        "KIND: retr, stor, list, mlsd (ARGUMENT: the path), files (a folder with files 0…N-1), login (ARGUMENT: clients), hold, raw\n");
        return 64;
    }
    static Load load;
    load.server = (struct sockaddr_in) {
        .sin_family = AF_INET, .sin_port = htons((uint16_t) strtoul(argv[2], NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    load.user = argv[3];
    load.password = argv[4];
    load.n = strtoul(argv[5], NULL, 10);
    load.argument = argv[6];
    if (argc > 7) {
        load.tls = SSL_CTX_new(TLS_client_method());
        if (!load.tls)
            fail("TLS", "no context");
        SSL_CTX_set_options(load.tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            double start = now();
            unsigned long count = kinds[i].run(&load);
            printf("%.6f %lu %llu\n", now() - start, count, (unsigned long long) load.bytes);
            return EXIT_SUCCESS;
        }
    fail(argv[1], "no such load");
}
