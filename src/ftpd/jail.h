/* Every system call that gives rights away or hands processes, fds and limits over. An audit starts (and mostly ends) here, with the lists of
 * jail_filter.c.
 *
 * In a zygote: jail_seal(), whose walls its children are born with; in a child: jail_be_child(), the client's fds, in a session jail_lock_home(), and
 * only then the first byte from a stranger. A zygote that must open files isn't sealed itself: its children are, before that byte. */
#pragma once

#include "basic/cleanup.h"

#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The sanitizers' runtime needs what a child otherwise must not have or do. */
#if defined(__SANITIZE_ADDRESS__)
#define JAIL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JAIL_SANITIZED 1
#endif
#endif
#ifndef JAIL_SANITIZED
#define JAIL_SANITIZED 0
#endif

/* Who is jailed. A session that may write has a filter of its own: the others' knows no call that changes a file. */
typedef enum JailKind { JAIL_PRELOGIN, JAIL_READER, JAIL_WRITER, JAIL_RELAY, JAIL_KEEPER, _JAIL_KIND_MAX } JailKind;

typedef struct Jail {
    JailKind kind;
    bool tls; /* where TLS is offered */
    struct sock_fprog program;
} Jail;

/* Where a child finds what it may use; everything else is closed. 0, 1 and 2 are /dev/null. */
enum { CHILD_WIRE_FD = 3, CHILD_CONTROL_FD = 4, CHILD_HOME_FD = 5, CHILD_FDS_END = 6 };
enum { CHILD_DROP_FD = CHILD_FDS_END }; /* until jail_lock_home() */
/* A relay has its session's side of a socket pair for a wire, and its way to the keeper for a home. */
enum { RELAY_INNER_FD = CHILD_WIRE_FD, RELAY_KEEPER_FD = CHILD_HOME_FD };
#define SESSION_FDS_MAX 24
/* A zygote's own, past all that a child may open. */
enum { ZYGOTE_TICK_FD = SESSION_FDS_MAX, ZYGOTE_ORDER_FD };

/* fork(), and the child learns its number without asking. */
#define JAIL_CLONE_FLAGS (CLONE_CHILD_SETTID | SIGCHLD)

/* Landlock's ABI version here; 0: the kernel has none. */
int jail_landlock_abi(void);
/* For the listener, before its first fork: no core dumps or ptrace by others of its uid, no new privileges, limits, children reaped
 * by the kernel, SIGPIPE ignored, SIGALRM interrupts system calls. */
int jail_harden_process(void) _must_use_;
/* For everybody but sessions: there is none to lose unless the unit gives the next function's. */
int jail_drop_capabilities(void) _must_use_;
/* Before sessions are forked: keeps or gets the one capability that locks each of them into its home, chroot(2), in a user namespace. -EPERM, -ENOSPC,
 * -ENOSYS: not to be had here, sessions are jailed without it. */
int jail_prepare_sessions(void) _must_use_;
/* Standard output and error become standard input, which main made /dev/null: the journal's stream is the listener's, a session must not write lines of its own making. */
int jail_end_output(void) _must_use_;
/* All that processes of a kind have in common and inherit: limits, signals, no output, the filter. */
int jail_seal(const Jail *j) _must_use_;
/* As fork(2), in a sealed zygote too, and without handlers: a zygote's libraries may be gone. *ret_own: in the child, its pid. Or a negative errno. */
pid_t jail_fork(pid_t *ret_own) _must_use_;
/* In the child of a zygote, first of all: it makes no other process. */
int jail_be_child(void) _must_use_;
/* The folder below a home that a session may write in ("/": the home itself), as an O_PATH fd; no symbolic link leads there. */
int jail_open_drop(int home_fd, const char *drop) _must_use_;
/* In a session: nothing but what lies beneath CHILD_HOME_FD is there, to be read; with a drop_fd (closed here; -EBADF: none) also to be changed what lies
 * beneath that, no file growing past file_max bytes (0: no limit). abi: jail_landlock_abi(). -EOPNOTSUPP: no landlock and not best_effort. */
int jail_lock_home(int drop_fd, uint64_t file_max, int abi, bool best_effort) _must_use_;
/* SIGKILL to the process `pid` whose end of `wire` is still open: never to a later process of the same pid. */
void jail_kill(pid_t pid, int wire);
