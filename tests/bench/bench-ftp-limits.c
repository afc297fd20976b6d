/* What the work of an FTP server costs without FTP: the "limit" column of the FTP figures.
 *
 * For each connection: `send` hands a file over with sendfile(2); `list` reads a folder and asks for each name's size and time, as LIST must; `files` answers
 * PASV with a port of its own and RETR with a small file, in as few system calls as a server that waits for one client alone can; `login` forks, checks a
 * password against a hash of Argon2id's lowest cost, and enters landlock and a seccomp filter of 60 steps, as a session must.
 * Then it closes the connection. It knows nothing of tempoftp and serves nobody in earnest. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILTER_STEPS 60
#define NAMES_SIZE (1 << 14) /* more at once is slower: the kernel's entries leave the processor's cache */
#define SMALL_SIZE 8192
#define PASSWORD "bench-secret-118"

static char hash[crypto_pwhash_STRBYTES];

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

static void send_file(int fd, const char *path) {
    struct stat st;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0 || fstat(file, &st) < 0)
        fail(path);
    for (off_t at = 0; at < st.st_size;)
        if (sendfile(fd, file, &at, (size_t) (st.st_size - at)) <= 0)
            break;
    close(file);
}

static void list_folder(int fd, const char *path) {
    static char names[NAMES_SIZE];
    struct stat st;
    long n;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        fail(path);
    while ((n = syscall(SYS_getdents64, folder, names, sizeof(names))) > 0)
        for (long at = 0; at < n;) {
            const struct dirent64 *e = (const void *) (names + at);
            (void) !fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
            at += e->d_reclen;
        }
    close(folder);
}

static void say(int fd, const char *text) {
    (void) !send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Any free port: what a random one of a range costs is not counted. */
static int answer_pasv(int control) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    char text[64];

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, size) < 0 || listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *) &address, &size) < 0)
        fail("port");
    unsigned port = ntohs(address.sin_port);
    snprintf(text, sizeof(text), "227 (127,0,0,1,%u,%u)\r\n", port >> 8, port & 255);
    say(control, text);
    return fd;
}

static void answer_retr(int control, int listening, const char *path) {
    char data[SMALL_SIZE];
    struct stat st;

    int file = open(path, O_RDONLY | O_CLOEXEC), fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (file < 0 || fd < 0 || fstat(file, &st) < 0)
        fail(path);
    ssize_t n = read(file, data, sizeof(data));
    (void) !send(fd, data, n > 0 ? (size_t) n : 0, MSG_NOSIGNAL | MSG_MORE);
    close(fd);
    close(listening);
    close(file);
    say(control, "150 \r\n226 \r\n");
}

/* One command at a time, as bench-ftp-load.c sends them; `path`: where relative ones begin. */
static void serve_files(int control, const char *path) {
    char line[256];
    ssize_t n;
    int listening = -1;

    if (chdir(path) < 0)
        fail(path);
    say(control, "220 \r\n");
    while ((n = recv(control, line, sizeof(line) - 1, 0)) > 2) {
        line[n - 2] = '\0';
        if (strcmp(line, "PASV") == 0)
            listening = answer_pasv(control);
        else if (strncmp(line, "RETR ", 5) == 0)
            answer_retr(control, listening, line + 5);
        else if (strncmp(line, "USER ", 5) == 0)
            say(control, "331 \r\n");
        else
            say(control, "200 \r\n");
        if (strcmp(line, "QUIT") == 0)
            return;
    }
}

static void enter_landlock(const char *path) {
    struct landlock_ruleset_attr ruleset = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
    struct landlock_path_beneath_attr beneath = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

    beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
    int fd = (int) syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset.handled_access_fs), 0);
    if (fd < 0 || syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        fail("landlock");
}

/* As long as a session's, and allows everything. */
static void enter_seccomp(void) {
    struct sock_filter steps[FILTER_STEPS] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
    const struct sock_fprog program = { FILTER_STEPS, steps };

    for (unsigned i = 1; i < FILTER_STEPS - 1; i++)
        steps[i] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000 + i, 0, 0);
    steps[FILTER_STEPS - 1] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        fail("seccomp");
}

static void log_in(int fd, const char *path) {
    pid_t pid = fork();
    if (pid != 0)
        return;
    if (crypto_pwhash_str_verify(hash, PASSWORD, strlen(PASSWORD)) != 0)
        fail("password");
    enter_landlock(path);
    enter_seccomp();
    (void) !send(fd, "230 \r\n", 6, MSG_NOSIGNAL);
    _exit(EXIT_SUCCESS);
}

static const struct {
    const char *name;
    void (*serve)(int fd, const char *path);
} kinds[] = { { "send", send_file }, { "list", list_folder }, { "files", serve_files }, { "login", log_in } };

int main(int argc, char **argv) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    void (*serve)(int fd, const char *path) = NULL;

    for (size_t i = 0; argc == 4 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            serve = kinds[i].serve;
    if (!serve) {
        fprintf(stderr, "Usage: bench-ftp-limits send|list|files|login PORT PATH\n");
        return 64;
    }
    if (sodium_init() < 0 ||
        crypto_pwhash_str(hash, PASSWORD, strlen(PASSWORD), crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN) != 0)
        fail("sodium");
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    address.sin_port = htons((uint16_t) strtoul(argv[2], NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int)) < 0 ||
        bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail("listen");
    for (;;) {
        int control = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (control < 0)
            fail("accept");
        serve(control, argv[3]);
        close(control);
    }
}
