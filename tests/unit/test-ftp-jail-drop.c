/* What a session that may write can change once it was taken over: what lies in its drop, and nothing else. test-ftp-jail.c has the rest of the jail.
 *
 * The code of these tests is the intruder's. Every attempt runs in a process of its own, in a home of its own; its outcome is the errno it got (0: it
 * worked), or KILLED. */
#include "jail-enter.h"

#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define KILLED (-1)
#define JAIL_FAILED 200
#define FILE_MAX 100000 /* the quota of these sessions */
#define RESULT(r) ((r) < 0 ? errno : 0)

typedef int (*Attempt)(void); /* 0 or errno */

static long open_at(const char *path, uint64_t flags) {
    struct open_how how = { .flags = flags, .mode = flags & O_CREAT ? 0666 : 0 };
    return syscall(SYS_openat2, CHILD_HOME_FD, path, &how, sizeof(how));
}

static int rename_to(const char *from, const char *to, unsigned flags) {
    return RESULT(syscall(SYS_renameat2, CHILD_HOME_FD, from, CHILD_HOME_FD, to, flags));
}

/* ---- in the drop ---- */

static int read_file_in_home(void) {
    return RESULT(open_at("file", O_RDONLY));
}
static int make_file(void) {
    return RESULT(open_at("drop/new", O_WRONLY | O_CREAT | O_EXCL));
}
static int write_file(void) {
    long fd = open_at("drop/mine", O_WRONLY);
    return fd < 0 ? errno : RESULT(pwrite((int) fd, "x", 1, 0));
}
static int cut_file(void) {
    long fd = open_at("drop/mine", O_WRONLY);
    return fd < 0 ? errno : RESULT(ftruncate((int) fd, 0));
}
static int cut_file_at_open(void) {
    return RESULT(open_at("drop/mine", O_WRONLY | O_TRUNC));
}
static int make_folder(void) {
    return RESULT(mkdirat(CHILD_HOME_FD, "drop/new", 0777));
}
static int remove_file(void) {
    return RESULT(unlinkat(CHILD_HOME_FD, "drop/mine", 0));
}
static int remove_folder(void) {
    return RESULT(unlinkat(CHILD_HOME_FD, "drop/folder", AT_REMOVEDIR));
}
static int rename_file(void) {
    return rename_to("drop/mine", "drop/other", 0);
}
static int move_file(void) {
    return rename_to("drop/mine", "drop/folder/mine", 0);
}
static int date_file(void) {
    struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    long fd = open_at("drop/mine", O_RDONLY);
    return fd < 0 ? errno : RESULT(futimens((int) fd, times));
}
static int grow_past_the_quota(void) {
    long fd = open_at("drop/mine", O_WRONLY);
    return fd < 0 ? errno : RESULT(pwrite((int) fd, "x", 1, FILE_MAX));
}
static int make_file_for_the_group(void) {
    struct stat st;
    long fd = open_at("drop/new", O_WRONLY | O_CREAT);
    if (fd < 0 || fstat((int) fd, &st) < 0)
        return errno;
    return (st.st_mode & 07777) == 0640 ? 0 : EINVAL;
}

/* ---- outside ---- */

static int write_in_home(void) {
    return RESULT(open_at("file", O_WRONLY));
}
static int append_in_home(void) {
    return RESULT(open_at("file", O_RDWR | O_APPEND));
}
static int make_in_home(void) {
    return RESULT(open_at("new", O_WRONLY | O_CREAT));
}
static int make_folder_in_home(void) {
    return RESULT(mkdirat(CHILD_HOME_FD, "new", 0777));
}
static int remove_in_home(void) {
    return RESULT(unlinkat(CHILD_HOME_FD, "file", 0));
}
static int remove_drop(void) {
    return RESULT(unlinkat(CHILD_HOME_FD, "empty", AT_REMOVEDIR));
}
static int rename_drop(void) {
    return rename_to("drop", "moved", 0);
}
static int move_into_drop(void) {
    return rename_to("file", "drop/file", 0);
}
static int move_out_of_drop(void) {
    return rename_to("drop/mine", "mine", 0);
}
static int replace_in_home(void) {
    return rename_to("drop/mine", "file", 0);
}
static int exchange_with_home(void) {
    return rename_to("drop/mine", "file", RENAME_EXCHANGE);
}
static int write_through_link(void) {
    return RESULT(open_at("drop/to-file", O_WRONLY));
}
static int make_through_link(void) {
    return RESULT(open_at("drop/up/new", O_WRONLY | O_CREAT));
}
static int make_beside_home(void) {
    return RESULT(open_at("../new", O_WRONLY | O_CREAT));
}
/* The home may be this process's root, and has no /tmp. */
static int make_in_tmp(void) {
    int r = RESULT(open_at("/tmp/test-ftp-jail-drop", O_WRONLY | O_CREAT));
    return r == ENOENT ? EACCES : r;
}

/* ---- other ways ---- */

static int change_mode(void) {
    return RESULT(syscall(SYS_fchmodat, CHILD_HOME_FD, "drop/mine", 0777));
}
static int change_owner(void) {
    return RESULT(syscall(SYS_fchownat, CHILD_HOME_FD, "drop/mine", 0, 0, 0));
}
static int make_symbolic_link(void) {
    return RESULT(symlinkat("../file", CHILD_HOME_FD, "drop/link"));
}
static int make_link(void) {
    return RESULT(linkat(CHILD_HOME_FD, "file", CHILD_HOME_FD, "drop/link", 0));
}
static int make_fifo(void) {
    return RESULT(syscall(SYS_mknodat, CHILD_HOME_FD, "drop/fifo", S_IFIFO | 0600, 0));
}
static int date_by_name(void) {
    struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    return RESULT(syscall(SYS_utimensat, CHILD_HOME_FD, "drop/mine", times, 0));
}
static int write_wire(void) {
    return RESULT(pwrite(CHILD_WIRE_FD, "x", 1, 0));
}
static int write_plainly(void) {
    long fd = open_at("drop/mine", O_WRONLY);
    return fd < 0 ? errno : RESULT(syscall(SYS_write, fd, "x", 1));
}
static int allocate(void) {
    long fd = open_at("drop/mine", O_WRONLY);
    return fd < 0 ? errno : RESULT(syscall(SYS_fallocate, fd, 0, 0, 1 << 20));
}
static int set_attribute(void) {
    return RESULT(syscall(SYS_fsetxattr, CHILD_HOME_FD, "user.a", "x", 1, 0));
}

typedef struct Case {
    const char *name;
    Attempt attempt;
    int expected;
    bool runtime; /* the sanitizers' runtime needs this call, so a build with them allows it */
} Case;

#define CASE(f, expected) { #f, f, expected, false }
#define CASE_RUNTIME(f, expected) { #f, f, expected, true }

static const Case cases[] = {
    CASE(read_file_in_home, 0),
    CASE(make_file, 0),
    CASE(write_file, 0),
    CASE(cut_file, 0),
    CASE(cut_file_at_open, 0),
    CASE(make_folder, 0),
    CASE(remove_file, 0),
    CASE(remove_folder, 0),
    CASE(rename_file, 0),
    CASE(move_file, 0),
    CASE(date_file, 0),
    CASE_RUNTIME(grow_past_the_quota, EFBIG),
    CASE(make_file_for_the_group, 0),
    CASE(write_in_home, EACCES),
    CASE(append_in_home, EACCES),
    CASE(make_in_home, EACCES),
    CASE(make_folder_in_home, EACCES),
    CASE(remove_in_home, EACCES),
    CASE(remove_drop, EACCES),
    CASE(rename_drop, EACCES),
    CASE(move_into_drop, EACCES),
    CASE(move_out_of_drop, EACCES),
    CASE(replace_in_home, EACCES),
    CASE(exchange_with_home, EACCES),
    CASE(write_through_link, EACCES),
    CASE(make_through_link, EACCES),
    CASE(make_beside_home, EACCES),
    CASE(make_in_tmp, EACCES),
    CASE(change_mode, KILLED),
    CASE(change_owner, KILLED),
    CASE(make_symbolic_link, KILLED),
    CASE(make_link, KILLED),
    CASE(make_fifo, KILLED),
    CASE(date_by_name, KILLED),
    CASE(write_wire, KILLED),
    CASE_RUNTIME(write_plainly, KILLED),
    CASE(allocate, KILLED),
    CASE(set_attribute, KILLED),
};

/* ---- running them ---- */

typedef struct Home {
    char root[64];
    int fd;
} Home;

static void touch(int folder, const char *name) {
    _cleanup_close_ int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "secret", 6), 6);
}

static void make_home(Home *h) {
    *h = (Home) { .root = "/tmp/test-ftp-jail-drop-XXXXXX" };
    assert_non_null(mkdtemp(h->root));
    _cleanup_close_ int root = open(h->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(root, "home", 0700), 0);
    h->fd = openat(root, "home", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(h->fd, "empty", 0700), 0);
    assert_int_equal(mkdirat(h->fd, "drop", 0700), 0);
    assert_int_equal(mkdirat(h->fd, "drop/folder", 0700), 0);
    touch(h->fd, "file");
    touch(h->fd, "drop/mine");
    assert_int_equal(symlinkat("../file", h->fd, "drop/to-file"), 0);
    assert_int_equal(symlinkat("..", h->fd, "drop/up"), 0);
}

static void remove_home(Home *h) {
    char command[96];

    close(h->fd);
    snprintf(command, sizeof(command), "rm -r %s", h->root);
    assert_int_equal(system(command), 0);
}

static _Noreturn void intrude(const JailFilters *f, int home, const int control[2], const int wire[2], Attempt attempt) {
    const int abi = jail_landlock_abi(), fds[] = { wire[1], control[1], home, jail_open_drop(home, "drop") };

    if (jail_harden_process() < 0 || fds[3] < 0 || enter_jail(f, JAIL_WRITER, fds) < 0 || jail_lock_home(CHILD_DROP_FD, FILE_MAX, abi, false) < 0)
        _exit(JAIL_FAILED);
    _exit(attempt());
}

static int outcome(const JailFilters *f, const int control[2], const int wire[2], Attempt attempt) {
    int status;
    Home home;

    make_home(&home);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        intrude(f, home.fd, control, wire, attempt);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    remove_home(&home);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGSYS);
        return KILLED;
    }
    assert_true(WEXITSTATUS(status) < JAIL_FAILED);
    return WEXITSTATUS(status);
}

static void only_the_drop_can_be_changed(void **state) {
    int control[2], wire[2], failed = 0;
    JailFilters *filters;

    if (jail_landlock_abi() == 0) {
        print_message("no landlock here: such a session does not begin\n");
        return;
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire), 0);
    assert_int_equal(jail_filters_new(false, &filters), 0);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        if (JAIL_SANITIZED && cases[i].runtime)
            continue;
        int got = outcome(filters, control, wire, cases[i].attempt);
        if (got == cases[i].expected)
            continue;
        print_error("%s: expected %d, got %d\n", cases[i].name, cases[i].expected, got);
        failed++;
    }
    jail_filters_free(filters);
    assert_int_equal(failed, 0);
}

/* A link in the drop's place leads nowhere: the drop is a folder of the home, or there is none. */
static void the_drop_is_no_link(void **state) {
    static const struct {
        const char *drop;
        int error;
    } drops[] = { { "link", -ELOOP }, { "none", -ENOENT }, { "file", -ENOTDIR }, { "drop", 0 }, { "/", 0 } };
    Home home;

    make_home(&home);
    assert_int_equal(symlinkat("drop", home.fd, "link"), 0);
    for (size_t i = 0; i < ELEMENTS(drops); i++) {
        _cleanup_close_ int fd = jail_open_drop(home.fd, drops[i].drop);
        assert_int_equal(fd < 0 ? fd : 0, drops[i].error);
    }
    remove_home(&home);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_drop_can_be_changed),
        cmocka_unit_test(the_drop_is_no_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
