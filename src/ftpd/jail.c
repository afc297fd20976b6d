/* The walls around a child: landlock, seccomp, limits, closed fds. All risky system calls of the FTP server stand in this file.
 *
 * The seccomp programs come from jail_filter.c; here they are loaded. It knows nothing of FTP, and calls nothing but libc, so that it fits into any child. */
#include "ftpd/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define KEEPER_FDS_MAX 1024
#define CHILD_DATA_MAX (64UL << 20)
#define STACK_MAX (2UL << 20)

int jail_landlock_abi(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int) abi;
}

static void interrupt_only(int signal_number) {
    (void) signal_number;
}

int jail_harden_process(void) {
    static const struct {
        int resource;
        struct rlimit limit;
    } limits[] = {
        { RLIMIT_CORE, { 0, 0 } },
        { RLIMIT_MEMLOCK, { 0, 0 } },
        { RLIMIT_MSGQUEUE, { 0, 0 } },
        { RLIMIT_STACK, { STACK_MAX, STACK_MAX } },
    };

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    for (size_t i = 0; i < ELEMENTS(limits); i++)
        if (setrlimit(limits[i].resource, &limits[i].limit) < 0)
            return -errno;

    struct sigaction ignore = { .sa_handler = SIG_IGN }, tick = { .sa_handler = interrupt_only }; /* no SA_RESTART */
    if (sigaction(SIGCHLD, &ignore, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 || sigaction(SIGALRM, &tick, NULL) < 0 ||
        sigaction(SIGXFSZ, &ignore, NULL) < 0) /* EFBIG instead */
        return -errno;
    return 0;
}

/* Of this process, in its user namespace: all but `kept` (bits) go for good, and what is kept outlives execve(2) if it is made ambient. */
static int keep_capabilities(uint32_t kept) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept, .permitted = kept, .inheritable = kept } };

    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int jail_drop_capabilities(void) {
    return keep_capabilities(0);
}

int jail_prepare_sessions(void) {
    /* The unit gives the right, in its own user namespace; elsewhere a user namespace of ours does. */
    int r = keep_capabilities(1U << CAP_SYS_CHROOT);
    if (r < 0) {
        if (unshare(CLONE_NEWUSER) < 0)
            return -errno;
        r = keep_capabilities(1U << CAP_SYS_CHROOT);
    }
    return r >= 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) < 0 ? -errno : r;
}

/* landlock knows nothing of stat(2), readlink(2) and O_PATH: without this a session could tell whether any file of the system exists, how large it is and
 * when it was changed. */
static int change_root(void) {
    if (fchdir(CHILD_HOME_FD) < 0)
        return -errno;
    if (chroot(".") < 0 && errno != EPERM) /* EPERM: jail_prepare_sessions() has failed and was reported */
        return -errno;
    return jail_drop_capabilities();
}

int jail_end_output(void) {
    if (dup2(STDIN_FILENO, STDOUT_FILENO) < 0 || (!JAIL_SANITIZED && dup2(STDIN_FILENO, STDERR_FILENO) < 0))
        return -errno;
    return 0;
}

/* The listener blocks signals for sd-event; children and zygotes are ended by plain ones. Not by what a terminal sends to all of a program's processes: those
 * are the listener's to heed, and its end is heard over the wire. */
static int set_signals(void) {
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t none;

    if (sigaction(SIGINT, &ignore, NULL) < 0 || sigaction(SIGHUP, &ignore, NULL) < 0)
        return -errno;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int set_limit(int resource, rlim_t value) {
    const struct rlimit limit = { value, value };
    return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static rlim_t fds_max(const Jail *j) {
    static const rlim_t max[_JAIL_KIND_MAX] = {
        [JAIL_PRELOGIN] = CHILD_HOME_FD, [JAIL_READER] = SESSION_FDS_MAX, [JAIL_WRITER] = SESSION_FDS_MAX, [JAIL_RELAY] = CHILD_FDS_END,
        [JAIL_KEEPER] = KEEPER_FDS_MAX,
    };
    return j->kind == JAIL_PRELOGIN && j->tls ? CHILD_HOME_FD + 1 : max[j->kind]; /* a relay may come */
}

int jail_seal(const Jail *j) {
    int r = jail_end_output();
    if (r >= 0)
        r = set_signals();
    if (r >= 0)
        r = set_limit(RLIMIT_NOFILE, fds_max(j));
    if (r >= 0 && !JAIL_SANITIZED)
        r = set_limit(RLIMIT_DATA, CHILD_DATA_MAX);
    if (r >= 0 && !JAIL_SANITIZED && j->kind != JAIL_WRITER)
        r = set_limit(RLIMIT_FSIZE, 0);
    if (r < 0)
        return r;
    umask(0027); /* files 0640, folders 0750: the group of the data reads them */
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &j->program) < 0 ? -errno : 0;
}

pid_t jail_fork(pid_t *ret_own) {
    /* Where the child's own number goes differs from processor to processor; nobody looks at the other one. */
    long pid = syscall(SYS_clone, JAIL_CLONE_FLAGS, NULL, NULL, ret_own, ret_own);
    return pid < 0 ? -errno : (pid_t) pid;
}

int jail_be_child(void) {
    return JAIL_SANITIZED ? 0 : set_limit(RLIMIT_NPROC, 0); /* the sanitizers' runtime forks to report a leak */
}

int jail_open_drop(int home_fd, const char *drop) {
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, home_fd, drop[0] == '/' ? "." : drop, &how, sizeof(how));
    return fd < 0 ? -errno : (int) fd;
}

static int allow_beneath(int ruleset_fd, int folder_fd, uint64_t access) {
    struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = folder_fd };
    return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

/* Reading beneath the home, writing beneath the drop, nothing else in the file system. ABI 2 is what we count on; where there is more, more is taken
 * away: without ABI 3 it is the owner of the files that keeps O_RDONLY | O_TRUNC from truncating what was delivered. */
static int landlock_home(int drop_fd, int abi) {
    const uint64_t abi1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, truncate = 1ULL << 14; /* linux/landlock.h may be older */
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REFER | truncate;
    struct landlock_ruleset_attr ruleset = {
        .handled_access_fs = abi1 | (abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (abi >= 3 ? truncate : 0),
    };

    if (abi == 0)
        return -EOPNOTSUPP;
    _cleanup_close_ int fd = (int) syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(uint64_t), 0); /* later members are not ours */
    if (fd < 0)
        return -errno;
    int r = allow_beneath(fd, CHILD_HOME_FD, reading);
    if (r >= 0 && drop_fd >= 0)
        r = allow_beneath(fd, drop_fd, writing & ruleset.handled_access_fs);
    if (r < 0)
        return r;
    return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

int jail_lock_home(int drop_fd, uint64_t file_max, int abi, bool best_effort) {
    _cleanup_close_ _unused_ int owned = drop_fd; /* clang: used by nothing but its end */

    int r = change_root();
    if (r < 0)
        return r;
    r = landlock_home(drop_fd, abi);
    if (r < 0 && !(best_effort && r == -EOPNOTSUPP))
        return r;
    return drop_fd >= 0 && file_max > 0 && !JAIL_SANITIZED ? set_limit(RLIMIT_FSIZE, file_max) : 0;
}

void jail_kill(pid_t pid, int wire) {
    _cleanup_close_ int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    const bool none_left = fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM);
    struct pollfd pfd = { .fd = wire };

    /* Still open now: so the process that pidfd_open() found is the one that holds the other end. */
    if (poll(&pfd, 1, 0) < 0 || pfd.revents & POLLHUP)
        return;
    if (fd >= 0)
        (void) syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    else if (none_left) /* which must save nobody, and its number can't be another's so soon */
        (void) kill(pid, SIGKILL);
}
