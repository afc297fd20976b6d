/* What a child that was taken over can do: the code of these tests is the intruder's, run inside the real jails.
 *
 * Every attempt runs in a process of its own. Its outcome is the errno it got (0: it worked), or KILLED. */
#include "jail-enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

#define KILLED (-1)
#define NOBODY 65534
#define SEEN (-2) /* EACCES; where there are no user namespaces it works */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

typedef int (*Attempt)(void); /* 0 or errno */

static int abi; /* landlock's, read before anybody is jailed */
static bool by_root; /* of the test itself */
static bool rooted; /* sessions get their home as their root: there are user namespaces */

#define RESULT(r) ((r) < 0 ? errno : 0)

static int open_how(int dir, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = { .flags = flags, .mode = flags & O_CREAT ? 0600 : 0, .resolve = resolve };
    return RESULT(syscall(SYS_openat2, dir, path, &how, sizeof(how)));
}

/* ---- the file system ---- */

static int read_own_file(void) {
    return open_how(CHILD_HOME_FD, "file", O_RDONLY, 0);
}
static int read_own_folder(void) {
    return open_how(CHILD_HOME_FD, ".", O_RDONLY | O_DIRECTORY, 0);
}
static int read_neighbour(void) {
    return open_how(CHILD_HOME_FD, "../other/secret", O_RDONLY, 0);
}
static int list_neighbour(void) {
    return open_how(CHILD_HOME_FD, "../other", O_RDONLY | O_DIRECTORY, 0);
}
/* With a root of its own the way up leads to where it began. */
static int list_all_accounts(void) {
    struct stat up, home;
    if (fstatat(CHILD_HOME_FD, "..", &up, 0) == 0 && fstatat(CHILD_HOME_FD, ".", &home, 0) == 0 && up.st_ino == home.st_ino)
        return ENOENT;
    return open_how(CHILD_HOME_FD, "..", O_RDONLY | O_DIRECTORY, 0);
}
static int read_by_link_up(void) {
    return open_how(CHILD_HOME_FD, "up", O_RDONLY, 0);
}
static int read_by_absolute_link(void) {
    return open_how(CHILD_HOME_FD, "absolute", O_RDONLY, 0);
}
static int read_passwd(void) {
    return open_how(AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
}
static int read_own_memory(void) {
    return open_how(AT_FDCWD, "/proc/self/mem", O_RDONLY, 0);
}
/* What landlock has no word for. */
static int see_neighbour(void) {
    struct stat st;
    return RESULT(fstatat(CHILD_HOME_FD, "../other/secret", &st, 0));
}
static int see_passwd(void) {
    struct statx st;
    return RESULT(statx(AT_FDCWD, "/etc/passwd", 0, STATX_BASIC_STATS, &st));
}
static int hold_passwd(void) {
    return open_how(AT_FDCWD, "/etc/passwd", O_PATH, 0);
}
static int see_own_fds(void) {
    char target[64];
    return RESULT(readlinkat(AT_FDCWD, "/proc/self/fd/0", target, sizeof(target)));
}
static int write_own_file(void) {
    return open_how(CHILD_HOME_FD, "file", O_WRONLY, 0);
}
/* Landlock learned to refuse this with ABI 3; before that the owner and mode of what is served do. */
static int truncate_own_file(void) {
    int r = open_how(CHILD_HOME_FD, "file", O_RDONLY | O_TRUNC, 0);
    return abi >= 3 || r != 0 ? r : EACCES;
}
static int create_file(void) {
    return open_how(CHILD_HOME_FD, "new", O_WRONLY | O_CREAT, 0);
}
static int create_in_tmp(void) {
    return open_how(AT_FDCWD, "/tmp/test-ftp-jail-new", O_WRONLY | O_CREAT, 0);
}
static int plain_open(void) {
    return RESULT(syscall(SYS_openat, CHILD_HOME_FD, "file", O_RDONLY));
}
static int unlink_file(void) {
    return RESULT(syscall(SYS_unlinkat, CHILD_HOME_FD, "file", 0));
}
static int make_folder(void) {
    return RESULT(syscall(SYS_mkdirat, CHILD_HOME_FD, "new", 0700));
}
static int rename_file(void) {
    return RESULT(syscall(SYS_renameat2, CHILD_HOME_FD, "file", CHILD_HOME_FD, "other", 0));
}
static int change_mode(void) {
    return RESULT(syscall(SYS_fchmodat, CHILD_HOME_FD, "file", 0777));
}
static int change_times(void) {
    return RESULT(syscall(SYS_utimensat, CHILD_HOME_FD, "file", NULL, 0));
}
static int change_root(void) {
    return RESULT(syscall(SYS_chdir, "/"));
}

/* ---- the network ---- */

static int open_listener(void) {
    return RESULT(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}
static int open_unix(void) {
    return RESULT(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}
static int open_udp(void) {
    return RESULT(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}
static int open_netlink(void) {
    return RESULT(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}
static int connect_out(void) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return RESULT(connect(CHILD_CONTROL_FD, (struct sockaddr *) &a, sizeof(a)));
}
static int send_to_address(void) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return RESULT(sendto(CHILD_CONTROL_FD, "x", 1, MSG_NOSIGNAL, (struct sockaddr *) &a, sizeof(a)));
}
static int fast_open(void) {
    return RESULT(send(CHILD_CONTROL_FD, "x", 1, MSG_NOSIGNAL | MSG_FASTOPEN));
}
static int send_plain(void) {
    return RESULT(send(CHILD_CONTROL_FD, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
}
static int send_message(void) {
    struct msghdr m = { 0 };
    return RESULT(sendmsg(CHILD_CONTROL_FD, &m, 0));
}
static int receive_fds(void) {
    struct msghdr m = { 0 };
    return RESULT(recvmsg(CHILD_WIRE_FD, &m, MSG_DONTWAIT));
}
static int receive_fds_elsewhere(void) {
    struct msghdr m = { 0 };
    return RESULT(recvmsg(CHILD_CONTROL_FD, &m, MSG_DONTWAIT));
}
static int accept_one(void) {
    return RESULT(accept4(CHILD_CONTROL_FD, NULL, NULL, 0));
}

/* ---- processes and memory ---- */

static int fork_process(void) {
    return RESULT(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static int clone3_process(void) {
    return RESULT(syscall(SYS_clone3, NULL, 0));
}
static int execute(void) {
    char *const argv[] = { (char[]) { "sh" }, NULL };
    return RESULT(execve("/bin/sh", argv, NULL));
}
static int kill_parent(void) {
    return RESULT(syscall(SYS_kill, 1, 0));
}
static int trace(void) {
    return RESULT(ptrace(PTRACE_ATTACH, 1, NULL, NULL));
}
static int write_memory_of_another(void) {
    return RESULT(syscall(SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0));
}
static int new_namespace(void) {
    return RESULT(unshare(CLONE_NEWUSER));
}
static int executable_memory(void) {
    return RESULT(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
static int plain_memory(void) {
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}
static int too_much_memory(void) {
    void *p = mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}
static int make_executable(void) {
    return RESULT(syscall(SYS_mprotect, 0, 0, PROT_EXEC));
}
static int become_dumpable(void) {
    return RESULT(syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static int raise_limit(void) {
    return RESULT(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
}

static int more_processes(void) {
    const struct rlimit some = { 10, 10 };
    return by_root ? EPERM : RESULT(setrlimit(RLIMIT_NPROC, &some)); /* root may; the server is never root */
}
static int limit_another(void) {
    return RESULT(syscall(SYS_prlimit64, 1, RLIMIT_NPROC, NULL, NULL));
}

/* ---- a session's locks, again ---- */

static int turn_the_root(void) {
    return RESULT(chroot("/"));
}
static int regain_capability(void) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = 1U << CAP_SYS_CHROOT, .permitted = 1U << CAP_SYS_CHROOT } };
    return RESULT(syscall(SYS_capset, &header, data));
}
/* A second domain that allows all beneath the home adds nothing to the first. */
static int open_more_to_landlock(void) {
    struct landlock_ruleset_attr ruleset = { .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE };
    int fd = (int) syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(uint64_t), 0);
    struct landlock_path_beneath_attr beneath = { .allowed_access = ruleset.handled_access_fs, .parent_fd = CHILD_HOME_FD };
    if (fd < 0 || syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        return EBADE;
    return open_how(CHILD_HOME_FD, "file", O_WRONLY, 0);
}
static int enter_another_folder(void) {
    return RESULT(fchdir(CHILD_CONTROL_FD));
}

/* ---- its own fds ---- */

static int close_wire(void) {
    return RESULT(syscall(SYS_close, CHILD_WIRE_FD));
}
static int close_wire_in_disguise(void) {
    return RESULT(syscall(SYS_close, (1UL << 32) + CHILD_WIRE_FD)); /* the kernel looks at the low half */
}
static int shut_wire(void) {
    return RESULT(shutdown(CHILD_WIRE_FD, SHUT_RDWR));
}
static int replace_wire(void) {
    return RESULT(syscall(SYS_dup2, CHILD_CONTROL_FD, CHILD_WIRE_FD));
}
static int close_opened(void) {
    struct open_how how = { .flags = O_RDONLY };
    long fd = syscall(SYS_openat2, CHILD_HOME_FD, "file", &how, sizeof(how));
    return fd < 0 ? errno : RESULT(syscall(SYS_close, fd));
}
static int write_log(void) {
    return RESULT(syscall(SYS_write, STDERR_FILENO, "", 0));
}
/* Nothing above the last of ours came along. The limit of open files is above what the test opened. */
static int find_other_fds(void) {
    char byte;
    for (int fd = CHILD_FDS_END; fd < 64; fd++)
        if (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno != EBADF)
            return EEXIST;
    return 0;
}

/* ---- running them ---- */

typedef struct Fixture {
    char root[64];
    int home, control[2], wire[2];
    JailFilters *filters;
} Fixture;

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));
    snprintf(f->root, sizeof(f->root), "/tmp/test-ftp-jail-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    int root = open(f->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    assert_int_equal(mkdirat(root, "home", 0700), 0);
    assert_int_equal(mkdirat(root, "other", 0700), 0);
    f->home = openat(root, "home", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int file = openat(f->home, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int secret = openat(root, "other/secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0 && secret >= 0);
    char target[96];
    snprintf(target, sizeof(target), "%s/other/secret", f->root);
    assert_int_equal(symlinkat("../other/secret", f->home, "up"), 0);
    assert_int_equal(symlinkat(target, f->home, "absolute"), 0);
    close(file);
    close(secret);
    close(root);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->control), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->wire), 0);
    assert_int_equal(jail_filters_new(false, &f->filters), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    Fixture *f = *state;
    char command[96];

    snprintf(command, sizeof(command), "rm -r %s", f->root);
    assert_int_equal(system(command), 0);
    jail_filters_free(f->filters);
    int fds[] = { f->home, f->control[0], f->control[1], f->wire[0], f->wire[1] };
    for (size_t i = 0; i < ELEMENTS(fds); i++)
        close(fds[i]);
    free(f);
    return 0;
}

/* In the child. 200 and up: the jail itself failed. */
static _Noreturn void intrude(const Fixture *f, bool session, Attempt attempt) {
    const int fds[] = { f->wire[1], f->control[1], session ? f->home : -EBADF, -EBADF };

    if (jail_harden_process() < 0 || (session && rooted && jail_prepare_sessions() < 0) ||
        enter_jail(f->filters, session ? JAIL_READER : JAIL_PRELOGIN, fds) < 0)
        _exit(200);
    if (session && jail_lock_home(-EBADF, 0, abi, false) < 0)
        _exit(201);
    _exit(attempt());
}

static int outcome(const Fixture *f, bool session, Attempt attempt) {
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        intrude(f, session, attempt);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGSYS);
        return KILLED;
    }
    assert_true(WEXITSTATUS(status) < 200);
    return rooted && WEXITSTATUS(status) == ENOENT ? EACCES : WEXITSTATUS(status); /* no such file or none to be read: both will do */
}

/* `runtime`: the sanitizers' runtime needs this call, so a build with them allows it. */
typedef struct Case {
    const char *name;
    Attempt attempt;
    int prelogin, session;
    bool runtime;
} Case;

#define CASE(f, prelogin, session) { #f, f, prelogin, session, false }
#define CASE_RUNTIME(f, prelogin, session) { #f, f, prelogin, session, true }

static const Case cases[] = {
    /* what it is for */
    CASE(send_plain, 0, 0),
    CASE(read_own_file, KILLED, 0),
    CASE(read_own_folder, KILLED, 0),
    CASE_RUNTIME(close_opened, KILLED, 0),
    CASE(open_listener, KILLED, 0),
    CASE_RUNTIME(plain_memory, KILLED, 0),
    /* other people's files, and changing anything */
    CASE(read_neighbour, KILLED, EACCES),
    CASE(list_neighbour, KILLED, EACCES),
    CASE(list_all_accounts, KILLED, EACCES),
    CASE(read_by_link_up, KILLED, EACCES),
    CASE(read_by_absolute_link, KILLED, EACCES),
    CASE(read_passwd, KILLED, EACCES),
    CASE(read_own_memory, KILLED, EACCES),
    CASE_RUNTIME(see_neighbour, KILLED, SEEN),
    CASE(see_passwd, KILLED, SEEN),
    CASE(hold_passwd, KILLED, SEEN),
    CASE(see_own_fds, KILLED, SEEN),
    CASE(write_own_file, KILLED, EACCES),
    CASE(truncate_own_file, KILLED, EACCES),
    CASE(create_file, KILLED, EACCES),
    CASE(create_in_tmp, KILLED, EACCES),
    CASE_RUNTIME(plain_open, KILLED, KILLED),
    CASE(unlink_file, KILLED, KILLED),
    CASE(make_folder, KILLED, KILLED),
    CASE(rename_file, KILLED, KILLED),
    CASE(change_mode, KILLED, KILLED),
    CASE(change_times, KILLED, KILLED),
    CASE(change_root, KILLED, KILLED),
    /* reaching anybody */
    CASE(open_unix, KILLED, KILLED),
    CASE(open_udp, KILLED, KILLED),
    CASE(open_netlink, KILLED, KILLED),
    CASE(connect_out, KILLED, KILLED),
    CASE(send_to_address, KILLED, KILLED),
    CASE(fast_open, KILLED, KILLED),
    CASE(send_message, KILLED, KILLED),
    CASE(receive_fds, EAGAIN, EAGAIN), /* its client; data connections of active mode, from the listener */
    CASE(receive_fds_elsewhere, KILLED, KILLED),
    CASE(accept_one, KILLED, EINVAL),
    /* more of itself */
    CASE_RUNTIME(fork_process, KILLED, KILLED),
    CASE(clone3_process, KILLED, KILLED),
    CASE(execute, KILLED, KILLED),
    CASE(kill_parent, KILLED, KILLED),
    CASE_RUNTIME(trace, KILLED, KILLED),
    CASE(write_memory_of_another, KILLED, KILLED),
    CASE(new_namespace, KILLED, KILLED),
    CASE_RUNTIME(executable_memory, KILLED, KILLED),
    CASE_RUNTIME(too_much_memory, KILLED, ENOMEM),
    CASE_RUNTIME(make_executable, KILLED, KILLED),
    CASE_RUNTIME(become_dumpable, KILLED, KILLED),
    CASE_RUNTIME(raise_limit, KILLED, KILLED),
    CASE_RUNTIME(more_processes, EPERM, EPERM),
    CASE_RUNTIME(limit_another, KILLED, KILLED),
    /* the locks of a session that is locked in */
    CASE(turn_the_root, KILLED, EPERM),
    CASE(regain_capability, KILLED, EPERM),
    CASE(open_more_to_landlock, KILLED, EACCES),
    CASE(enter_another_folder, KILLED, KILLED),
    /* hiding from the listener */
    CASE_RUNTIME(close_wire, KILLED, KILLED),
    CASE_RUNTIME(close_wire_in_disguise, KILLED, KILLED),
    CASE(shut_wire, KILLED, KILLED),
    CASE(replace_wire, KILLED, KILLED),
    CASE_RUNTIME(write_log, KILLED, KILLED),
    CASE(find_other_fds, 0, 0),
};

static void run_cases(const Fixture *f, bool session) {
    int failed = 0;

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        if (SANITIZED && cases[i].runtime)
            continue;
        int expected = session ? cases[i].session : cases[i].prelogin;
        if (expected == SEEN)
            expected = rooted ? EACCES : 0;
        int got = outcome(f, session, cases[i].attempt);
        if (got == expected)
            continue;
        print_error("%s: expected %d, got %d\n", cases[i].name, expected, got);
        failed++;
    }
    assert_int_equal(failed, 0);
}

static void before_login_nothing(void **state) {
    run_cases(*state, false);
}

/* What a session comes to where there is no landlock. */
static int without_landlock(const Fixture *f) {
    const int fds[] = { f->wire[1], f->control[1], f->home, -EBADF };
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(enter_jail(f->filters, JAIL_READER, fds) < 0 ? 200 : -jail_lock_home(-EBADF, 0, 0, false));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void after_login_its_own_files(void **state) {
    if (abi > 0)
        run_cases(*state, true);
    else /* what a session on such a machine must not do is begin */
        assert_int_equal(without_landlock(*state), EOPNOTSUPP);
}

/* Its filter lets a zygote fork, and its children have the same. */
static void a_zygote_forks_and_its_child_does_not(void **state) {
    const Fixture *f = *state;
    const int fds[] = { f->wire[1], f->control[1], -EBADF, -EBADF };
    int status;

    if (JAIL_SANITIZED)
        return; /* there the runtime may fork */
    pid_t pid = fork(), own;
    assert_true(pid >= 0);
    if (pid == 0) {
        if (by_root && setresuid(NOBODY, NOBODY, NOBODY) < 0) /* the server is never root, whom no such limit holds */
            _exit(1);
        if (jail_harden_process() < 0 || jail_seal(jail_filters_get(f->filters, JAIL_PRELOGIN)) < 0)
            _exit(2);
        pid_t child = jail_fork(&own);
        if (child != 0)
            _exit(child < 0 ? 3 : recv(fds[0], &own, sizeof(own), 0) == 1 ? 0 : 4);
        char answer = own > 0 && jail_be_child() == 0 && jail_fork(&own) == -EAGAIN ? '0' : '1';
        _exit(answer == '0' && send(f->wire[0], &answer, 1, MSG_NOSIGNAL) == 1 ? 0 : 5);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define FDS 64
#define PATIENCE_SECONDS 20

static void allow_fds(rlim_t n) {
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = n;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* jail_kill() ends the holder of the wire's other end and nobody else. */
static void check_kill(rlim_t few) {
    int wire[2], status;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(wire[0]);
        for (;;)
            pause();
    }
    close(wire[1]);
    allow_fds(few);
    jail_kill(pid, wire[0]);
    allow_fds(FDS);
    alarm(PATIENCE_SECONDS);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    alarm(0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    pid = fork(); /* "the same pid later": it doesn't hold the wire */
    assert_true(pid >= 0);
    if (pid == 0) {
        close(wire[0]);
        for (;;)
            pause();
    }
    allow_fds(few);
    jail_kill(pid, wire[0]);
    allow_fds(FDS);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(wire[0]);
}

static void kills_only_while_the_wire_is_held(void **state) {
    check_kill(FDS);
    check_kill(STDERR_FILENO + 1); /* none is left for it */
}

static bool prepares_sessions(void) {
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(jail_prepare_sessions() < 0);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void) {
    abi = jail_landlock_abi();
    by_root = geteuid() == 0;
    rooted = prepares_sessions();
    printf("sessions' root is %s\n", rooted ? "their home" : "the machine's: there are no user namespaces");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(before_login_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_login_its_own_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_zygote_forks_and_its_child_does_not, set_up, tear_down),
        cmocka_unit_test(kills_only_while_the_wire_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
