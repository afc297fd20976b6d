/* Whole files, addresses as text, sockets: real ones, in a folder of the test's own. */
#include "basic/fds.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>
#include <cmocka.h>

static int make_folder(void **state) {
    char *folder = strdup("/tmp/test-fds.XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", (char *) *state);
    free(*state);
    return system(command);
}

static void write_file(const char *path, const void *data, size_t size) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, data, size), 0);
}

static void whole_files(void **state) {
    char path[64];
    _cleanup_free_ char *large = malloc(100000);

    snprintf(path, sizeof(path), "%s/f", (char *) *state);
    for (size_t i = 0; i < 100000; i++)
        large[i] = (char) (i * 7);
    static const size_t sizes[] = { 0, 1, 4094, 4095, 4096, 4097, 100000 };
    for (size_t i = 0; i < ELEMENTS(sizes); i++) {
        _cleanup_free_ char *text = NULL;
        char *untouched = NULL;
        size_t size;
        write_file(path, large, sizes[i]);
        assert_int_equal(read_file(path, sizes[i], &text, &size), 0);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(text, large, size);
        assert_int_equal(text[size], '\0');
        if (sizes[i] > 0)
            assert_int_equal(read_file(path, sizes[i] - 1, &untouched, &size), -E2BIG);
        assert_null(untouched);
    }
    char *text;
    assert_int_equal(read_file("/nonexistent", 10, &text, NULL), -ENOENT);
    assert_int_equal(read_file("/proc/version", 4096, &text, NULL), 0); /* says its size is 0 */
    assert_true(has_prefix(text, "Linux"));
    free(text);
    assert_int_equal(write_all(-1, "x", 1), -EBADF);
}

static void addresses(void **state) {
    static const struct {
        int family;
        const char *given, *text;
    } cases[] = {
        { AF_INET, "203.0.113.5", "203.0.113.5" },
        { AF_INET6, "2001:db8::1", "2001:db8::1" },
        { AF_INET6, "::ffff:203.0.113.5", "203.0.113.5" },
        { AF_UNIX, "", "unix" },
        { AF_UNSPEC, "", "unknown" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct sockaddr_storage s = { .ss_family = (sa_family_t) cases[i].family };
        char text[ADDRESS_TEXT_MAX];
        if (cases[i].family == AF_INET)
            inet_pton(AF_INET, cases[i].given, &((struct sockaddr_in *) &s)->sin_addr);
        if (cases[i].family == AF_INET6)
            inet_pton(AF_INET6, cases[i].given, &((struct sockaddr_in6 *) &s)->sin6_addr);
        address_text((struct sockaddr *) &s, text);
        assert_string_equal(text, cases[i].text);
    }
    char text[ADDRESS_TEXT_MAX];
    peer_text(-1, text);
    assert_string_equal(text, "unknown");
}

static void listens_on_tcp(void **state) {
    static const struct {
        const char *address, *peer;
    } cases[] = { { "127.0.0.1:0", "127.0.0.1" }, { "[::1]:0", "::1" } };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        struct sockaddr_storage s;
        socklen_t size = sizeof(s);
        char text[ADDRESS_TEXT_MAX];
        _cleanup_close_ int fd = listen_on(cases[i].address);
        if (i == 1 && fd == -EADDRNOTAVAIL)
            continue; /* a machine without IPv6 */
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &s, &size), 0);
        _cleanup_close_ int client = socket(s.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, (struct sockaddr *) &s, size), 0);
        peer_text(client, text);
        assert_string_equal(text, cases[i].peer);
    }
}

static void listens_on_a_path_and_replaces_a_dead_socket(void **state) {
    char path[64], text[ADDRESS_TEXT_MAX];
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    snprintf(path, sizeof(path), "%s/s", (char *) *state);
    strcpy(un.sun_path, path);
    int fd = listen_on(path);
    assert_true(fd >= 0);
    _cleanup_close_ int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *) &un, sizeof(un)), 0);
    peer_text(client, text);
    assert_string_equal(text, "unix");
    assert_int_equal(listen_on(path), -EADDRINUSE); /* someone lives there */

    close(fd);
    fd = listen_on(path); /* nobody does any more */
    assert_true(fd >= 0);
    close(fd);

    assert_int_equal(unlink(path), 0);
    write_file(path, "", 0);
    assert_int_equal(listen_on(path), -EADDRINUSE); /* a plain file is not ours to remove */
}

static void refuses_other_addresses(void **state) {
    static const char *const cases[] = { "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "localhost:80",
                                         "[::1]", "::1:80", "[::1:80", "[]:80", "[::1%lo]:80", "1.2.3:80", "127.0.0.1:-1",
                                         "9043", "[127.0.0.1]:80" };
    char far[200];

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        int r = listen_on(cases[i]);
        assert_true(r == -EINVAL || r == -ERANGE);
    }
    memset(far, 'x', sizeof(far) - 1);
    far[0] = '/';
    far[sizeof(far) - 1] = '\0';
    assert_int_equal(listen_on(far), -ENAMETOOLONG);
}

static void blocking_mode(void **state) {
    int pair[2];
    char c;

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    assert_int_equal(set_nonblocking(pair[0], true), 0);
    assert_int_equal(read(pair[0], &c, 1), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(set_nonblocking(pair[0], false), 0);
    assert_false(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(set_nonblocking(pair[0], true), -EBADF);
}

static void passed_sockets_are_taken_by_name(void **state) {
    char pid[16];
    ListenFds *l;

    unsetenv("LISTEN_FDS");
    assert_int_equal(listen_fds_new(&l), 0);
    assert_int_equal(listen_fds_take(l, "api"), -ENOENT);
    assert_null(listen_fds_free(l));

    for (int i = 0; i < 3; i++) /* systemd passes from 3 on */
        assert_int_equal(dup2(STDERR_FILENO, 3 + i), 3 + i);
    snprintf(pid, sizeof(pid), "%d", getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "api:unix:api", 1);
    assert_int_equal(listen_fds_new(&l), 0);
    assert_null(getenv("LISTEN_FDS"));
    assert_int_equal(listen_fds_take(l, "api"), 3);
    assert_int_equal(listen_fds_take(l, "api"), 5);
    assert_int_equal(listen_fds_take(l, "api"), -ENOENT);
    assert_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
    assert_null(listen_fds_free(l));
    assert_int_equal(fcntl(4, F_GETFD), -1); /* nobody took it */
    assert_int_equal(fcntl(5, F_GETFD), FD_CLOEXEC);
    close(3);
    close(5);
}

static void passed_sockets_of_any_name(void **state) {
    char pid[16];
    const char *name = NULL;
    ListenFds *l;

    for (int i = 0; i < 2; i++)
        assert_int_equal(dup2(STDERR_FILENO, 3 + i), 3 + i);
    snprintf(pid, sizeof(pid), "%d", getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "ftp:session-1", 1);
    assert_int_equal(listen_fds_new(&l), 0);
    assert_int_equal(listen_fds_take(l, "ftp"), 3);
    assert_int_equal(listen_fds_take_any(l, &name), 4);
    assert_string_equal(name, "session-1");
    assert_int_equal(listen_fds_take_any(l, &name), -ENOENT);
    listen_fds_free(l);
    close(3);
    close(4);
}

static void credentials(void **state) {
    char path[64], *text = NULL;

    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(read_credential("key", 100, &text), -ENOENT);
    setenv("CREDENTIALS_DIRECTORY", *state, 1);
    assert_int_equal(read_credential("key", 100, &text), -ENOENT);
    assert_int_equal(read_credential("../key", 100, &text), -EINVAL);
    snprintf(path, sizeof(path), "%s/key", (char *) *state);
    static const struct {
        const char *content, *text;
    } cases[] = { { "abc", "abc" }, { "abc\n", "abc" }, { "abc\n\n", "abc\n" }, { "\n", "" }, { "", "" } };
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        write_file(path, cases[i].content, strlen(cases[i].content));
        assert_int_equal(read_credential("key", 100, &text), 0);
        assert_string_equal(text, cases[i].text);
        wipe_free(text);
    }
    write_file(path, "12345", 5);
    assert_int_equal(read_credential("key", 4, &text), -E2BIG);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void closing_keeps_errno(void **state) {
    int fd = dup(STDERR_FILENO), taken;

    errno = EXDEV;
    cleanup_close_(&fd);
    assert_int_equal(errno, EXDEV);
    assert_int_equal(fd, -EBADF);
    cleanup_close_(&fd);
    fd = 99;
    taken = TAKE_FD(fd);
    assert_int_equal(taken, 99);
    assert_int_equal(fd, -EBADF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_files, make_folder, remove_folder),
        cmocka_unit_test(addresses),
        cmocka_unit_test(listens_on_tcp),
        cmocka_unit_test_setup_teardown(listens_on_a_path_and_replaces_a_dead_socket, make_folder, remove_folder),
        cmocka_unit_test(refuses_other_addresses),
        cmocka_unit_test(blocking_mode),
        cmocka_unit_test(passed_sockets_are_taken_by_name),
        cmocka_unit_test(passed_sockets_of_any_name),
        cmocka_unit_test_setup_teardown(credentials, make_folder, remove_folder),
        cmocka_unit_test(closing_keeps_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
