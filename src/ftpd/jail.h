/* Every system call that gives rights away or hands processes, fds and limits over. An audit starts (and mostly ends) here.
 *
 * Order in a child: jail_take_fds(), then jail_enter_prelogin() or jail_enter_session(), and only then the first byte from a stranger. */
#pragma once

#include "basic/cleanup.h"

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

/* Where a child finds what it may use; everything else is closed. 0, 1 and 2 are /dev/null. */
enum { CHILD_CONTROL_FD = 3, CHILD_WIRE_FD = 4, CHILD_HOME_FD = 5, CHILD_FDS_END = 6 };
/* A relay has its session's side of a socket pair for a wire, and its way to the keeper for a home. */
enum { RELAY_INNER_FD = CHILD_WIRE_FD, RELAY_KEEPER_FD = CHILD_HOME_FD };

/* The seccomp filters, compiled once in the listener; libseccomp is not used after that. */
typedef struct JailFilters JailFilters;
int jail_filters_new(bool tls, JailFilters **ret) _must_use_; /* tls: with those for TLS, and what OpenSSL needs in the others */
JailFilters *jail_filters_free(JailFilters *f);
DEFINE_CLEANUP(JailFilters, jail_filters_free)

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
/* In the child: home may be -EBADF (pre-login). */
int jail_take_fds(int control, int wire, int home) _must_use_;
/* May do nothing but talk over its two sockets. */
int jail_enter_prelogin(const JailFilters *f) _must_use_;
/* The folder below CHILD_HOME_FD that a session may write in ("/": the home itself), as an O_PATH fd; no symbolic link leads there. */
int jail_open_drop(const char *drop) _must_use_;
/* May read files beneath CHILD_HOME_FD and serve data connections; with a drop_fd (closed here; -EBADF: none) also change what lies
 * beneath that, no file growing past file_max bytes (0: no limit). -EOPNOTSUPP: no landlock and not best_effort. */
int jail_enter_session(const JailFilters *f, int drop_fd, uint64_t file_max, bool best_effort) _must_use_;
/* May carry bytes between its two sockets and have a signature made. */
int jail_enter_relay(const JailFilters *f) _must_use_;
/* May answer who is handed to it over CHILD_WIRE_FD. */
int jail_enter_keeper(const JailFilters *f) _must_use_;
/* SIGKILL to the process `pid` whose end of `wire` is still open: never to a later process of the same pid. */
void jail_kill(pid_t pid, int wire);
