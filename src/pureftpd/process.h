/* Processes by what they really are: /proc's links, which only the kernel writes. Their names, titles and numbers say nothing here.
 *
 * One fd holds a process: all that is read is of that very process, and a signal reaches it or nobody, whatever becomes of its number (pidfd_send_signal(2)
 * takes an fd of /proc/PID). Reading needs CAP_SYS_PTRACE, signalling CAP_KILL. Errors: negative errno; -ESRCH: it has ended. */
#pragma once

#include "basic/cleanup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A program's file. */
typedef struct Program {
    const char *path; /* borrowed */
    dev_t device;
    ino_t inode;
} Program;

/* path: absolute. -ENOENT… */
int program_find(const char *path, Program *ret) _must_use_;

typedef struct Process {
    pid_t pid;
    pid_t parent;
    int fd; /* of /proc/PID */
    char root[PATH_MAX], folder[PATH_MAX]; /* as the kernel names them: place.h */
    struct stat root_stat, folder_stat;
} Process;

void process_done(Process *p);
#define _cleanup_process_ _cleanup_(process_done)

int process_open(pid_t pid, Process *ret) _must_use_;
/* Whether it runs that file, or one that stood in its place before an upgrade. */
bool process_runs(const Process *p, const Program *program);
/* Whether its root or its working folder is that one, by device and inode. */
bool process_is_in(const Process *p, const struct stat *folder);
/* The process that was opened, never another one. */
int process_signal(const Process *p, int signal) _must_use_;
/* UTC seconds, 0: unknown. */
uint64_t process_began(const Process *p);

/* Calls for each process that may be looked at and runs the program, until it returns something else than 0; that is returned. The process is closed after the call. */
typedef int (*ProcessWalk)(Process *p, void *userdata);
int processes_walk(const Program *program, ProcessWalk walk, void *userdata) _must_use_;

/* Calls for each open file of it with its number and what /proc says it is ("/data/…", "socket:[123]"), until it returns something else than 0. */
typedef int (*FileWalk)(const Process *p, int number, const char *link, void *userdata);
int process_walk_files(const Process *p, FileWalk walk, void *userdata) _must_use_;
