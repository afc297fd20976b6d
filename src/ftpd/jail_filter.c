/* Which system calls each kind of process may make, as lists, and the seccomp programs that libseccomp makes of them.
 *
 * Only the listener comes here, once: what is built is loaded by others (jail.c). It knows nothing of FTP. What remains possible inside is listed in
 * SECURITY.md and tested. */
#include "ftpd/jail_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#define FILTER_STEPS_MAX 4096 /* BPF_MAXINSNS */

struct JailFilters {
    Jail of[_JAIL_KIND_MAX];
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

/* On what the process opened itself (6 and up; fds end at SESSION_FDS_MAX), never on its wire, control connection or home. */
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

/* Of its own limits; never another's, and none is told. */
#define LIMIT(which) IF3(prlimit64, EQ(0, 0), EQ(1, which), EQ(3, 0))

/* A filter costs more to load than to inherit, so children have their zygote's, which must fork. A child can't: RLIMIT_NPROC is 0 before it hears of any
 * stranger (jail_be_child()), and no limit that was lowered can be raised again. The zygote's own fds lie where no child can have any. */
static const Allow zygote[] = {
    IF2(clone, EQ(0, JAIL_CLONE_FLAGS), EQ(1, 0)),
    LIMIT(RLIMIT_NPROC),
    IF1(recvmsg, BITS(0, 0xffffffff, ZYGOTE_ORDER_FD)),
    IF1(recvmsg, BITS(0, 0xffffffff, CHILD_WIRE_FD)), /* the client comes over it; later the listener passes data connections of active mode, and relays */
    IF3(close_range, BITS(0, 0xffffffff, ZYGOTE_TICK_FD), BITS(1, 0xffffffff, 0xffffffff), EQ(2, 0)),
};

/* What locks a session into its home (jail_lock_home()) takes away and gives nothing, so it may stay: chroot(2) needs the capability that capset(2) has given
 * away by then, landlock can only be made narrower. */
static const Allow session_locks[] = {
    IF1(fchdir, BITS(0, 0xffffffff, CHILD_HOME_FD)),
    ANY(chroot),
    ANY(capset),
    IF2(landlock_create_ruleset, EQ(1, sizeof(uint64_t)), EQ(2, 0)),
    IF2(landlock_add_rule, EQ(1, LANDLOCK_RULE_PATH_BENEATH), EQ(3, 0)),
    IF1(landlock_restrict_self, EQ(1, 0)),
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
    LIMIT(RLIMIT_FSIZE), /* to its quota */
};

/* What OpenSSL needs: memory, randomness, and getpid(), by which its generator notices a fork. */
static const Allow tls_any[] = {
    ANY(getpid),
    ANY(getrandom),
    ALLOCATE,
    ANY(munmap),
    ANY(brk),
};

/* Once a relay stands between it and the client: the client's socket away. */
static const Allow tls_prelogin[] = {
    IF1(close, EQ(0, CHILD_CONTROL_FD)),
};

static const Allow keeper_only[] = {
    IF1(recvmsg, BITS(0, 0xffffffff, CHILD_WIRE_FD)), /* it is handed the sockets of those who may ask */
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
    RULES(zygote, KIND(JAIL_PRELOGIN) | KIND(JAIL_READER) | KIND(JAIL_WRITER)),
    RULES(session_locks, KIND(JAIL_READER) | KIND(JAIL_WRITER)),
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
    for (JailKind kind = 0; kind < (tls ? _JAIL_KIND_MAX : JAIL_RELAY); kind++) {
        f->of[kind] = (Jail) { .kind = kind, .tls = tls };
        int r = build_filter(kind, tls, &f->of[kind].program);
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
        free(f->of[kind].program.filter);
    free(f);
    return NULL;
}

const Jail *jail_filters_get(const JailFilters *f, JailKind kind) {
    return &f->of[kind];
}
