/* The walls around a child: landlock, seccomp, limits, closed fds. All risky system calls of the FTP server stand in this file.
 *
 * The seccomp programs are built by libseccomp once, in the listener; a child only loads one (a single system call). It knows
 * nothing of FTP. What remains possible inside is listed in docs/SECURITY.md and tested. */
#include "ftpd/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define SESSION_FDS_MAX 24
#define KEEPER_FDS_MAX 1024
#define CHILD_DATA_MAX (64UL << 20)
#define STACK_MAX (2UL << 20)
#define FILTER_STEPS_MAX 4096 /* BPF_MAXINSNS */

struct JailFilters {
    struct sock_fprog of[_JAIL_KIND_MAX];
    bool tls;
};

/* One allowed system call, with conditions on its arguments. */
typedef struct Allow {
    int call;
    unsigned n;
    struct scmp_arg_cmp args[3];
} Allow;

#define ANY(name) { .call = SCMP_SYS(name) }
#define IF1(name, a) { .call = SCMP_SYS(name), .n = 1, .args = { a } }
#define IF2(name, a, b) { .call = SCMP_SYS(name), .n = 2, .args = { a, b } }
#define IF3(name, a, b, c) { .call = SCMP_SYS(name), .n = 3, .args = { a, b, c } }
#define EQ(index, value) { index, SCMP_CMP_EQ, (scmp_datum_t) (value), 0 }
/* The kernel looks at the low half of an int only: so does this. */
#define BITS(index, mask, value) { index, SCMP_CMP_MASKED_EQ, mask, value }
/* No bit outside `allowed`. */
#define ONLY(index, allowed) { index, SCMP_CMP_MASKED_EQ, 0xffffffff & ~(scmp_datum_t) (allowed), 0 }

/* On what the process opened itself (6 and up; fds end at SESSION_FDS_MAX), never on its control connection, wire or home. */
#define OPENED(name) \
    IF1(name, BITS(0, 0xffffffff, 6)), IF1(name, BITS(0, 0xffffffff, 7)), IF1(name, BITS(0, 8, 8)), IF1(name, BITS(0, 16, 16))

/* malloc. Without mprotect() no memory becomes code; no shared, growing or locked memory, because CHILD_DATA_MAX does not count that. */
#define ALLOCATE IF2(mmap, ONLY(2, PROT_READ | PROT_WRITE), EQ(3, MAP_PRIVATE | MAP_ANONYMOUS))

/* No address (so no TCP fast open: sendto() can't connect), no flag but these. */
#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE)

/* Both kinds: talk over sockets that are there, wait, end. */
static const Allow common[] = {
    IF2(sendto, EQ(4, 0), ONLY(3, SEND_FLAGS)),
    ANY(recvfrom),
    ANY(poll),
    ANY(ppoll),
    ANY(clock_gettime),
    ANY(gettimeofday),
    ANY(restart_syscall),
    ANY(rt_sigreturn),
    ANY(exit_group),
    ANY(exit),
};

static const Allow session_only[] = {
    ANY(openat2), /* what it opens is landlock's business */
    OPENED(close), /* so the listener sees EOF on the wire when the process is dead, and only then */
    OPENED(pread64), /* HASH, and RETR in TYPE A, which sendfile can't change on the way */
    ANY(newfstatat),
    ANY(fstat),
    ANY(statx),
    ANY(getdents64),
    ANY(readlinkat),
    ANY(sendfile),
    IF3(socket, EQ(0, AF_INET), EQ(1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), EQ(2, 0)),
    IF3(socket, EQ(0, AF_INET6), EQ(1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK), EQ(2, 0)),
    ANY(bind),
    ANY(listen),
    IF1(recvmsg, BITS(0, 0xffffffff, CHILD_WIRE_FD)), /* the listener passes data connections of active mode */
    ANY(accept4),
    IF2(setsockopt, EQ(1, SOL_SOCKET), EQ(2, SO_REUSEADDR)),
    IF2(setsockopt, EQ(1, SOL_SOCKET), EQ(2, SO_LINGER)),
    IF2(setsockopt, EQ(1, SOL_SOCKET), EQ(2, SO_MAX_PACING_RATE)),
    IF2(fcntl, EQ(1, F_SETFL), ONLY(2, O_NONBLOCK | O_RDWR)),
    IF1(setitimer, EQ(0, ITIMER_REAL)),
    ANY(getrandom),
    ANY(sysinfo), /* glibc's qsort asks how much memory there is before it sorts a long listing */
    ALLOCATE,
    ANY(munmap),
    ANY(brk),
};

/* Changing files: beneath the drop, says landlock. No mode, owner, link or device is ever changed or made. */
static const Allow writer_only[] = {
    OPENED(pwrite64),
    OPENED(ftruncate),
    ANY(unlinkat),
    ANY(mkdirat),
    ANY(renameat2),
    /* MFMT, of a file that was opened: landlock doesn't look at times, but nothing outside the home can be opened. */
    IF1(utimensat, EQ(1, 0)),
};

/* What OpenSSL needs: memory, randomness, and getpid(), by which its generator notices a fork. */
static const Allow tls_any[] = {
    ANY(getpid),
    ANY(getrandom),
    ALLOCATE,
    ANY(munmap),
    ANY(brk),
};

/* Once a relay stands between it and the client: the relay's inner side in, the client's socket away. */
static const Allow tls_prelogin[] = {
    IF1(recvmsg, BITS(0, 0xffffffff, CHILD_WIRE_FD)),
    IF1(close, EQ(0, CHILD_CONTROL_FD)),
};

static const Allow keeper_only[] = {
    ANY(recvmsg), /* it is handed the sockets of those who may ask */
    ANY(close),
};

/* What the sanitizers' runtime needs to report; never in a real build. */
static const Allow sanitizers[] = {
    ANY(close), ANY(mmap), ANY(munmap), ANY(mprotect), ANY(madvise), ANY(brk), ANY(write), ANY(openat), ANY(read), ANY(readlink),
    ANY(sigaltstack), ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(futex), ANY(getpid), ANY(gettid), ANY(sched_yield), ANY(fcntl),
    ANY(lseek), ANY(prctl), ANY(ioctl), ANY(clone), ANY(wait4), ANY(dup), ANY(getrlimit), ANY(prlimit64), ANY(sched_getaffinity),
    ANY(newfstatat), ANY(fstat), ANY(process_vm_readv), ANY(tgkill), ANY(set_robust_list), ANY(ptrace),
};

static int add_rules(scmp_filter_ctx ctx, const Allow *rules, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call, rules[i].n, rules[i].args);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* libseccomp writes a program to an fd only. */
static int export_program(scmp_filter_ctx ctx, struct sock_fprog *ret) {
    _cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = seccomp_export_bpf(ctx, fd);
    if (r < 0)
        return r;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    size_t size = (size_t) st.st_size;
    if (size == 0 || size % sizeof(struct sock_filter) != 0 || size / sizeof(struct sock_filter) > FILTER_STEPS_MAX)
        return -EINVAL;

    _cleanup_free_ struct sock_filter *steps = malloc(size);
    if (!steps)
        return -ENOMEM;
    if (pread(fd, steps, size, 0) != (ssize_t) size)
        return -EIO;
    ret->len = (unsigned short) (size / sizeof(struct sock_filter));
    ret->filter = TAKE_PTR(steps);
    return 0;
}

#define KIND(k) (1U << (k))
#define RULES(array, kinds) { array, ELEMENTS(array), kinds, false }
#define TLS_RULES(array, kinds) { array, ELEMENTS(array), kinds, true }
#define EVERY_KIND (KIND(_JAIL_KIND_MAX) - 1)
static const struct {
    const Allow *rules;
    size_t n;
    unsigned kinds; /* that they belong to */
    bool tls;       /* only where TLS is offered */
} rule_sets[] = {
    RULES(common, EVERY_KIND),
    RULES(session_only, KIND(JAIL_READER) | KIND(JAIL_WRITER)),
    RULES(writer_only, KIND(JAIL_WRITER)),
    RULES(tls_any, KIND(JAIL_RELAY) | KIND(JAIL_KEEPER)),
    TLS_RULES(tls_any, KIND(JAIL_READER) | KIND(JAIL_WRITER)),
    TLS_RULES(tls_prelogin, KIND(JAIL_PRELOGIN)),
    RULES(keeper_only, KIND(JAIL_KEEPER)),
    RULES(sanitizers, JAIL_SANITIZED ? EVERY_KIND : 0),
};

static int build_filter(JailKind kind, bool tls, struct sock_fprog *ret) {
    int r = 0;

    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!ctx)
        return -ENOMEM;
    for (size_t i = 0; i < ELEMENTS(rule_sets) && r >= 0; i++)
        if (rule_sets[i].kinds & KIND(kind) && (tls || !rule_sets[i].tls))
            r = add_rules(ctx, rule_sets[i].rules, rule_sets[i].n);
    if (r >= 0)
        r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
    if (r >= 0)
        r = export_program(ctx, ret);
    seccomp_release(ctx);
    return r;
}

int jail_filters_new(bool tls, JailFilters **ret) {
    _cleanup_(jail_filters_freep) JailFilters *f = calloc(1, sizeof(JailFilters));
    if (!f)
        return -ENOMEM;
    f->tls = tls;
    for (JailKind kind = 0; kind < (tls ? _JAIL_KIND_MAX : JAIL_RELAY); kind++) {
        int r = build_filter(kind, tls, &f->of[kind]);
        if (r < 0)
            return r;
    }
    *ret = TAKE_PTR(f);
    return 0;
}

JailFilters *jail_filters_free(JailFilters *f) {
    if (!f)
        return NULL;
    for (JailKind kind = 0; kind < _JAIL_KIND_MAX; kind++)
        free(f->of[kind].filter);
    free(f);
    return NULL;
}

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

/* Of this process, in its user namespace: all but `kept` (bits) go for good. */
static int keep_capabilities(uint32_t kept) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept, .permitted = kept } };

    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int jail_drop_capabilities(void) {
    return keep_capabilities(0);
}

int jail_prepare_sessions(void) {
    /* The unit gives the right, in its own user namespace; elsewhere a user namespace of ours does. */
    if (keep_capabilities(1U << CAP_SYS_CHROOT) >= 0)
        return 0;
    if (unshare(CLONE_NEWUSER) < 0)
        return -errno;
    return keep_capabilities(1U << CAP_SYS_CHROOT);
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

int jail_take_fds(int control, int wire, int home) {
    /* Out of the way first: a source may sit on another's target number. */
    int from[] = { control, wire, home };
    for (size_t i = 0; i < ELEMENTS(from); i++)
        if (from[i] >= 0 && from[i] < CHILD_FDS_END && from[i] != CHILD_CONTROL_FD + (int) i) {
            from[i] = fcntl(from[i], F_DUPFD, CHILD_FDS_END);
            if (from[i] < 0)
                return -errno;
        }
    for (size_t i = 0; i < ELEMENTS(from); i++)
        if (from[i] >= 0 && from[i] != CHILD_CONTROL_FD + (int) i && dup2(from[i], CHILD_CONTROL_FD + (int) i) < 0)
            return -errno;
    /* The journal's stream is the listener's: a session must not write lines of its own making. main made 0 /dev/null. */
    if (dup2(STDIN_FILENO, STDOUT_FILENO) < 0)
        return -errno;
    if (!JAIL_SANITIZED && dup2(STDIN_FILENO, STDERR_FILENO) < 0)
        return -errno;
    if (close_range(home >= 0 ? CHILD_FDS_END : CHILD_HOME_FD, ~0U, 0) < 0)
        return -errno;
    return 0;
}

/* The listener blocks signals for sd-event; a child is ended by plain ones. Not by what a terminal sends to all of a program's processes: those are the
 * listener's to heed, and its end is heard over the wire. */
static int child_defaults(rlim_t fds, rlim_t file_max) {
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t none;
    struct rlimit files = { fds, fds }, data = { CHILD_DATA_MAX, CHILD_DATA_MAX }, growth = { file_max, file_max };

    if (sigaction(SIGINT, &ignore, NULL) < 0 || sigaction(SIGHUP, &ignore, NULL) < 0)
        return -errno;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return -errno;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        return -errno;
    if (!JAIL_SANITIZED && (setrlimit(RLIMIT_DATA, &data) < 0 || setrlimit(RLIMIT_FSIZE, &growth) < 0))
        return -errno;
    return 0;
}

static int load_filter(const struct sock_fprog *program) {
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) < 0)
        return -errno;
    return 0;
}

int jail_enter_prelogin(const JailFilters *f) {
    int r = child_defaults(f->tls ? CHILD_HOME_FD + 1 : CHILD_HOME_FD, 0); /* with TLS, one may come */
    return r < 0 ? r : load_filter(&f->of[JAIL_PRELOGIN]);
}

int jail_enter_relay(const JailFilters *f) {
    int r = child_defaults(CHILD_FDS_END, 0);
    return r < 0 ? r : load_filter(&f->of[JAIL_RELAY]);
}

int jail_enter_keeper(const JailFilters *f) {
    int r = child_defaults(KEEPER_FDS_MAX, 0);
    return r < 0 ? r : load_filter(&f->of[JAIL_KEEPER]);
}

int jail_open_drop(const char *drop) {
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall(SYS_openat2, CHILD_HOME_FD, drop[0] == '/' ? "." : drop, &how, sizeof(how));
    return fd < 0 ? -errno : (int) fd;
}

static int allow_beneath(int ruleset_fd, int folder_fd, uint64_t access) {
    struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = folder_fd };
    return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

/* Reading beneath the home, writing beneath the drop, nothing else in the file system. ABI 2 is what we count on; where there is more, more is taken
 * away: without ABI 3 it is the owner of the files that keeps O_RDONLY | O_TRUNC from truncating what was delivered. */
static int landlock_home(int drop_fd) {
    const uint64_t abi1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, truncate = 1ULL << 14; /* linux/landlock.h may be older */
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REFER | truncate;
    int abi = jail_landlock_abi();
    struct landlock_ruleset_attr ruleset = {
        .handled_access_fs = abi1 | (abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (abi >= 3 ? truncate : 0),
    };

    _cleanup_close_ int fd =
        (int) syscall(SYS_landlock_create_ruleset, &ruleset, offsetof(struct landlock_ruleset_attr, handled_access_fs) + 8, 0);
    if (fd < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? -EOPNOTSUPP : -errno;
    int r = allow_beneath(fd, CHILD_HOME_FD, reading);
    if (r >= 0 && drop_fd >= 0)
        r = allow_beneath(fd, drop_fd, writing & ruleset.handled_access_fs);
    if (r < 0)
        return r;
    return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

int jail_enter_session(const JailFilters *f, int drop_fd, uint64_t file_max, bool best_effort) {
    _cleanup_close_ int owned = drop_fd;
    bool writes = drop_fd >= 0;

    int r = change_root();
    if (r < 0)
        return r;
    r = landlock_home(drop_fd);
    if (r < 0 && !(best_effort && r == -EOPNOTSUPP))
        return r;
    cleanup_close_(&owned);
    owned = -EBADF;
    umask(0027); /* files 0640, folders 0750: the group of the data reads them */
    r = child_defaults(SESSION_FDS_MAX, !writes ? 0 : file_max > 0 ? file_max : RLIM_INFINITY);
    return r < 0 ? r : load_filter(&f->of[writes ? JAIL_WRITER : JAIL_READER]);
}

void jail_kill(pid_t pid, int wire) {
    _cleanup_close_ int fd = (int) syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return;
    /* Still open now: so the process that pidfd_open() found is the one that holds the other end. */
    struct pollfd pfd = { .fd = wire };
    if (poll(&pfd, 1, 0) >= 0 && !(pfd.revents & POLLHUP))
        (void) syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}
