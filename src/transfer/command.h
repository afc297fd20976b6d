/* The argument lists of ssh and rsync. Pure: facts in, argv out; nothing is run, no shell is ever involved.
 *
 * What is user text goes into arguments of its own that no program takes apart, and none of it reaches the source's shell: rsync runs with
 * --secluded-args there, so that the path travels inside its protocol. Source: ssh(1), ssh_config(5), rsync(1). */
#pragma once

#include "transfer/options.h"

#include <stdint.h>

#define ARGV_MAX 64
#define PARTIAL_FOLDER ".~tempoftp-partial~" /* inside each folder of the copy, while there is something in it */
#define NO_PROGRESS_SECONDS 900

typedef struct Command {
    const char *argv[ARGV_MAX + 1];
    char *made[16]; /* strings made for it */
    unsigned n, n_made;
    int error; /* 0, -ENOMEM, -E2BIG; sticks */
} Command;
void command_done(Command *c);
#define _cleanup_command_ _cleanup_(command_done)

/* ssh -G: the configuration that the operator's ssh_config gives for this host. */
void command_ssh_configuration(const Options *o, Command *ret);
/* The line "port N" of its output; 22 when there is none. */
uint16_t ssh_configuration_port(const char *output);

/* The one connection. key, control: paths of ours. */
void command_ssh_master(const Options *o, const char *address, uint16_t port, const char *key, const char *control, Command *ret);
/* rsync through it. */
void command_rsync_size(const Options *o, const char *control, Command *ret);
void command_rsync_copy(const Options *o, const char *control, Command *ret);
