/* tempoftp-ftp-child: a zygote without TLS as a program of its own, linked statically.
 *
 * With a third of the mappings of tempoftp-ftpd a process is forked and ended in two thirds of the time, and an intruder finds less code: no loader, no library, and of
 * libc only what sessions call. It is started by tempoftp-ftpd alone (birth.c), reads no argument and no environment, opens nothing and says nothing. */
#include "ftpd/birth.h"
#include "ftpd/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int take(void *data, size_t size) {
    ssize_t n = recv(ZYGOTE_TICK_FD, data, size, MSG_WAITALL);
    return n == (ssize_t) size ? 0 : n < 0 ? -errno : -EBADMSG;
}

static int take_charge(BirthCharge *ret, struct sock_filter **ret_steps) {
    int r = take(ret, sizeof(*ret));
    if (r >= 0 && (ret->size != sizeof(SessionStart) || strcmp(ret->version, TEMPOFTP_VERSION) != 0))
        r = -EBADMSG; /* of another build */
    if (r < 0)
        return r;
    *ret_steps = calloc(ret->n_steps, sizeof(**ret_steps));
    r = *ret_steps ? take(*ret_steps, ret->n_steps * sizeof(**ret_steps)) : -ENOMEM;
    return r < 0 ? r : send(ZYGOTE_TICK_FD, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -EPIPE;
}

int main(void) {
    BirthCharge charge;
    struct sock_filter *steps;
    SessionStart start;

    int r = jail_harden_process(); /* dumpable again, since it was executed */
    if (r >= 0)
        r = take_charge(&charge, &steps);
    if (r < 0)
        return EXIT_FAILURE;
    const Jail jail = { .kind = charge.kind, .tls = charge.tls, .program = { .len = charge.n_steps, .filter = steps } };
    const ChildConfig config = { .landlock_abi = charge.landlock_abi, .best_effort = charge.best_effort };
    zygote_live(&jail, NULL, &start);
    child_live(&config, jail.kind != JAIL_PRELOGIN, &start);
}
