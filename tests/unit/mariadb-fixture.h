/* A private mariadbd for tests of the MariaDB back end: its own data in a folder of /tmp, its own socket, a user `tempoftp` with exactly the rights of
 * sql/grants.sql. Ends with the test. Include once, in a test's .c. */
#pragma once

#include "accounts/backend.h"
#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mysql.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#define SERVER_WAIT_MS 120000 /* machines may be loaded */
#define ARGUMENTS_MAX 32

typedef struct Server {
    char folder[40], socket[64];
    uint16_t port; /* 0: none */
    pid_t pid;
    MYSQL *root;
} Server;

static void run_program(const char *const *argv, const char *log) {
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execvp(argv[0], (char *const *) argv);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s ended with %d, see %s", argv[0], status, log);
}

static void server_try_root(Server *s) {
    s->root = mysql_init(NULL);
    assert_non_null(s->root);
    if (!mysql_real_connect(s->root, NULL, "root", NULL, NULL, 0, s->socket, CLIENT_MULTI_STATEMENTS)) {
        mysql_close(s->root);
        s->root = NULL;
    }
}

/* mariadbd refuses to be root. */
static void become_nobody(void) {
    const struct passwd *nobody = getpwnam("nobody");

    if (geteuid() != 0)
        return;
    if (!nobody || setgroups(0, NULL) < 0 || setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) < 0 ||
        setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) < 0)
        _exit(126);
}

/* Returns when it answers. `options`: further ones of mariadbd, or NULL: then no TCP. */
static void server_start(Server *s, const char *const *options) {
    char datadir[64], socket[80], pid_file[80], log[80], temporary[64];
    const char *argv[ARGUMENTS_MAX] = {
        "mariadbd", "--no-defaults", datadir, socket, pid_file, log, temporary, "--skip-log-bin", "--performance-schema=OFF", "--innodb-buffer-pool-size=16M",
        "--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve", "--sql-mode=", /* as careless as servers come */
    };
    size_t n = 13;

    snprintf(datadir, sizeof(datadir), "--datadir=%s/data", s->folder);
    snprintf(socket, sizeof(socket), "--socket=%s", s->socket);
    snprintf(pid_file, sizeof(pid_file), "--pid-file=%s/pid", s->folder);
    snprintf(log, sizeof(log), "--log-error=%s/log", s->folder);
    snprintf(temporary, sizeof(temporary), "--tmpdir=%s", s->folder);
    if (!options)
        argv[n++] = "--skip-networking";
    for (size_t i = 0; options && options[i]; i++)
        argv[n++] = options[i];
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        become_nobody();
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* after it, or it would be forgotten: a test that is killed leaves no server behind */
        execvp(argv[0], (char *const *) argv);
        execv("/usr/sbin/mariadbd", (char *const *) argv);
        _exit(127);
    }
    for (uint64_t by = monotonic_ms() + SERVER_WAIT_MS; !s->root && monotonic_ms() < by; poll(NULL, 0, 20)) {
        assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
        server_try_root(s);
    }
    assert_non_null(s->root);
}

static void server_kill(Server *s) {
    mysql_close(s->root);
    s->root = NULL;
    kill(s->pid, SIGKILL);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    s->pid = 0;
}

/* kill(2) returns before the last thread has stopped: such a server may answer once more. */
static void server_freeze(Server *s) {
    siginfo_t info;

    kill(s->pid, SIGSTOP);
    assert_int_equal(waitid(P_PID, (id_t) s->pid, &info, WSTOPPED), 0);
    assert_int_equal(info.si_code, CLD_STOPPED);
}

static void server_thaw(Server *s) {
    kill(s->pid, SIGCONT);
}

/* A listening socket on a free port of 127.0.0.1. */
static int listen_anywhere(uint16_t *ret_port) {
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(any);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &any, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &any, &size), 0);
    *ret_port = ntohs(any.sin_port);
    return fd;
}

/* The same, on a port of 127.0.0.1 that was free a moment ago. */
static void server_start_tcp(Server *s, const char *const *options) {
    const char *all[ARGUMENTS_MAX] = { "--bind-address=127.0.0.1" };
    char port[24];
    size_t n = 1;

    close(listen_anywhere(&s->port));
    snprintf(port, sizeof(port), "--port=%u", s->port);
    all[n++] = port;
    while (*options)
        all[n++] = *options++;
    server_start(s, all);
}

static void sql(Server *s, const char *text) {
    if (mysql_query(s->root, text) != 0)
        fail_msg("%s: %s", text, mysql_error(s->root));
    do { /* every answer of several statements */
        MYSQL_RES *rows = mysql_store_result(s->root);
        mysql_free_result(rows);
        int r = mysql_next_result(s->root);
        if (r > 0)
            fail_msg("%s: %s", text, mysql_error(s->root));
        if (r != 0)
            return;
    } while (true);
}

static void sql_file(Server *s, const char *path) {
    char *text;
    size_t size;

    assert_int_equal(read_file(path, 65536, &text, &size), 0);
    sql(s, text);
    free(text);
}

/* The first column of the first row, "(none)" without one, "NULL"; valid until the next call. */
static const char *sql_value(Server *s, const char *text) {
    static char value[512];

    if (mysql_query(s->root, text) != 0)
        fail_msg("%s: %s", text, mysql_error(s->root));
    MYSQL_RES *rows = mysql_store_result(s->root);
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
    snprintf(value, sizeof(value), "%s", !row ? "(none)" : row[0] ? row[0] : "NULL");
    mysql_free_result(rows);
    return value;
}

static void server_make(Server *s) {
    char datadir[64], log[64];
    const char *argv[] = { "mariadb-install-db", "--no-defaults", datadir, "--auth-root-authentication-method=normal", "--skip-test-db",
                           geteuid() == 0 ? "--user=nobody" : NULL, NULL };

    strcpy(s->folder, "/tmp/test-mariadb.XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    const struct passwd *nobody = getpwnam("nobody");
    if (geteuid() == 0 && nobody)
        assert_int_equal(chown(s->folder, nobody->pw_uid, nobody->pw_gid), 0);
    snprintf(s->socket, sizeof(s->socket), "%s/socket", s->folder);
    snprintf(datadir, sizeof(datadir), "--datadir=%s/data", s->folder);
    snprintf(log, sizeof(log), "%s/install-log", s->folder);
    run_program(argv, log);
    server_start(s, NULL);
}

static void server_unmake(Server *s) {
    if (s->pid > 0)
        server_kill(s);
    const char *argv[] = { "rm", "-r", s->folder, NULL };
    run_program(argv, "/dev/null");
}
