/* Listens to a stranger until there is a user and a password, hands both to the listener and waits for its word.
 *
 * It knows no account and can't check a password; it reads no byte past the line that it answers, so that everything after PASS stays in the
 * socket for the session. What it may do is in jail.c. */
#include "ftpd/prelogin.h"

#include "basic/strings.h"
#include "basic/time.h"
#include "ftpd/extensions.h"
#include "ftpd/jail.h"
#include "ftpd/protection.h"

#include <errno.h>
#include <poll.h>

#define GREETING "Servidor FTP de tempoftp."
#define STOPPING "El servidor se detiene."
#define ANSWER_TIMEOUT_MS 120000 /* the listener has its own, shorter one for the bus */

int prelogin_user(Conversation *c, char *argument) {
    Prelogin *p = (Prelogin *) c;

    if (protection_is_missing(c))
        return reply(c->fd, 530, "Este servidor exige TLS: envíe antes AUTH TLS.");

    /* A name that is too long is no account of ours; the answer is that of any other wrong name. */
    size_t n = strlen(argument);
    p->named = true;
    p->user[0] = '\0';
    if (n < sizeof(p->user))
        memcpy(p->user, argument, n + 1);
    return reply(c->fd, 331, "Indique la contraseña con PASS.");
}

/* The listener's word; the client's bytes wait meanwhile, its hanging up does not. */
static int wait_for_answer(Prelogin *p, WireMessage *ret, int *ret_fd) {
    struct pollfd fds[] = {
        { .fd = p->wire_fd, .events = POLLIN },
        { .fd = p->conversation.fd, .events = POLLRDHUP },
    };

    for (;;) {
        int r = poll(fds, ELEMENTS(fds), ANSWER_TIMEOUT_MS);
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r == 0)
            return -ETIMEDOUT;
        if (fds[0].revents) {
            r = ret_fd ? wire_receive_fd(p->wire_fd, WIRE_LISTENER, ret, ret_fd) : wire_receive(p->wire_fd, WIRE_LISTENER, ret);
            if (r != -EAGAIN)
                return r == 0 ? -ECONNRESET : r;
        }
        if (fds[1].revents & (POLLHUP | POLLERR))
            return -ECONNRESET;
        fds[1].events = 0; /* only half closed: what it sent before may be all it wants to say */
    }
}

int prelogin_pass(Conversation *c, char *argument) {
    Prelogin *p = (Prelogin *) c;
    WireMessage m = { .login = { .header = { .type = WIRE_LOGIN } } };

    if (!argument)
        argument = (char[]) { "" };
    if (!p->named)
        return reply(c->fd, 503, "Primero USER.");
    strcpy(m.login.user, p->user);
    m.login.protect = c->protect;
    size_t n = strlen(argument);
    if (n < sizeof(m.login.password))
        memcpy(m.login.password, argument, n + 1);
    wipe(argument, n);
    p->named = false;

    int r = wire_send(p->wire_fd, &m);
    wipe(&m, sizeof(m));
    if (r >= 0)
        r = wait_for_answer(p, &m, NULL);
    if (r < 0) {
        (void) !reply(c->fd, 421, STOPPING);
        return r;
    }
    if (m.header.type == WIRE_DENIED)
        return reply(c->fd, 530, "Usuario o contraseña incorrectos.");
    c->over = true;
    if (m.header.type == WIRE_CLOSE)
        return reply(c->fd, 421, "Demasiados intentos; conexión cerrada.");
    if (m.header.type == WIRE_FULL)
        return reply(c->fd, 421, "Demasiadas sesiones de esta cuenta; cierre alguna o intente más tarde.");
    return reply(c->fd, 421, "El servicio no está disponible; intente más tarde.");
}

/* The listener gives the client to a relay, and this process the relay's inner side. Nothing is known any more of what was said in clear; what was sent
 * in clear after AUTH's own line is still in the client's socket, where the relay finds that it is no TLS. RFC 4217 sections 4 and 15. */
int prelogin_auth(Conversation *c, char *argument) {
    Prelogin *p = (Prelogin *) c;
    WireMessage m = { .header = { .type = WIRE_AUTH_TLS } };
    int inner = -EBADF;

    int r = protection_check_auth(c, argument);
    if (r <= 0)
        return r;
    r = reply(c->fd, 234, "Comience TLS.");
    if (r >= 0)
        r = wire_send(p->wire_fd, &m);
    if (r >= 0)
        r = wait_for_answer(p, &m, &inner);
    if (r < 0)
        return r;
    if (inner < 0)
        return -ECONNRESET; /* and no word about it: the client waits for TLS */
    close(c->fd);
    c->fd = inner;
    c->tls = true;
    command_reader_wipe(&c->reader);
    wipe(p->user, sizeof(p->user));
    p->named = false;
    return 0;
}

int prelogin_feat(Conversation *c, char *argument) {
    return extensions_reply(c, FACTS_DEFAULT);
}

int prelogin_opts(Conversation *c, char *argument) {
    if (extensions_is_utf8(argument))
        return reply(c->fd, 200, "Los nombres van en UTF-8.");
    return reply(c->fd, 530, "Identifíquese primero con USER y PASS.");
}

int prelogin_rein(Conversation *c, char *argument) {
    Prelogin *p = (Prelogin *) c;

    if (c->tls)
        return reply(c->fd, 502, "Con TLS, abra otra conexión.");
    p->named = false;
    return reply(c->fd, 220, GREETING);
}

int prelogin_unavailable(Conversation *c, char *argument) {
    return reply(c->fd, 502, "Orden no disponible en este servidor.");
}

/* 1: there may be a command. 0: it is over. */
static int wait_for_client(Prelogin *p, uint64_t deadline_ms) {
    struct pollfd fds[] = {
        { .fd = p->conversation.fd, .events = POLLIN },
        { .fd = p->wire_fd, .events = POLLIN },
    };
    uint64_t now = monotonic_ms();

    int r = now >= deadline_ms ? 0 : poll(fds, ELEMENTS(fds), (int) (deadline_ms - now));
    if (r < 0)
        return errno == EINTR ? 1 : -errno;
    if (r == 0) {
        (void) !reply(p->conversation.fd, 421, "Tiempo agotado para identificarse.");
        return 0;
    }
    if (fds[1].revents) { /* the listener says nothing unasked: it is gone */
        (void) !reply(p->conversation.fd, 421, STOPPING);
        return 0;
    }
    r = conversation_fill_line(&p->conversation);
    return r == -EAGAIN ? 1 : r;
}

int prelogin_run(const SessionStart *start) {
    Prelogin p = {
        .conversation = { .fd = CHILD_CONTROL_FD, .tls_mode = start->tls_mode },
        .wire_fd = CHILD_WIRE_FD,
    };
    uint64_t deadline = monotonic_ms() + start->login_ms;
    unsigned commands = 0;

    int r = reply(p.conversation.fd, 220, GREETING);
    while (r >= 0 && !p.conversation.over) {
        r = conversation_answer(&p.conversation, false);
        if (r > 0 && ++commands >= PRELOGIN_COMMANDS_MAX) {
            r = reply(p.conversation.fd, 421, "Demasiadas órdenes sin identificarse.");
            break;
        }
        if (r == 0) {
            r = wait_for_client(&p, deadline);
            if (r == 0)
                break;
        }
    }
    command_reader_wipe(&p.conversation.reader);
    return r < 0 ? r : 0;
}
