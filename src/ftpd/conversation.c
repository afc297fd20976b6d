/* The control channel's dialogue: fill the reader, find the row, check what the row asks for, call its handler.
 *
 * It knows neither accounts nor files. One command gets one reply, whatever the command was. */
#include "ftpd/conversation.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static ssize_t receive(int fd, char *data, size_t size, int flags) {
    ssize_t n;
    do
        n = recv(fd, data, size, flags | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int conversation_fill(Conversation *c) {
    char data[COMMAND_LINE_MAX];

    ssize_t n = receive(c->fd, data, command_reader_space(&c->reader), 0);
    if (n <= 0)
        return (int) n;
    command_reader_feed(&c->reader, data, (size_t) n);
    return 1;
}

int conversation_fill_line(Conversation *c) {
    char data[COMMAND_LINE_MAX];

    ssize_t n = receive(c->fd, data, command_reader_space(&c->reader), MSG_PEEK);
    if (n <= 0)
        return (int) n;
    const char *end = memchr(data, '\n', (size_t) n);
    n = receive(c->fd, data, end ? (size_t) (end - data) + 1 : (size_t) n, 0);
    if (n <= 0)
        return (int) n;
    command_reader_feed(&c->reader, data, (size_t) n);
    explicit_bzero(data, (size_t) n); /* it may have been a password */
    return 1;
}

static int dispatch(Conversation *c, const Command *command, bool logged_in) {
    const Verb *v = verb_find(command->verb);
    if (!v)
        return reply(c->fd, 500, "Orden desconocida.");
    if (!logged_in && !v->before)
        return reply(c->fd, 530, "Identifíquese primero con USER y PASS.");
    if (v->flags & VERB_WRITES && !c->may_write)
        return reply(c->fd, 550, "Acceso de solo lectura.");
    VerbHandler handler = logged_in ? v->after : v->before;
    if (!handler)
        return reply(c->fd, 502, "Orden no disponible en este servidor.");
    if (v->flags & VERB_ARGUMENT && (!command->argument || !command->argument[0]))
        return reply(c->fd, 501, "Falta el argumento de %s.", v->name);
    return handler(c, command->argument);
}

int conversation_answer(Conversation *c, bool logged_in) {
    Command command;

    int r = command_reader_next(&c->reader, &command);
    if (r == 0)
        return 0;
    if (r == -E2BIG)
        r = reply(c->fd, 500, "Línea demasiado larga.");
    else if (r == -EBADMSG)
        r = reply(c->fd, 501, "La línea tiene caracteres no permitidos.");
    else
        r = dispatch(c, &command, logged_in);
    return r < 0 ? r : 1;
}

int conversation_quit(Conversation *c, char *argument) {
    c->over = true;
    return reply(c->fd, 221, "Hasta luego.");
}

int conversation_noop(Conversation *c, char *argument) {
    return reply(c->fd, 200, "Aquí seguimos.");
}

int conversation_syst(Conversation *c, char *argument) {
    return reply(c->fd, 215, "UNIX Type: L8");
}

int conversation_clnt(Conversation *c, char *argument) {
    return reply(c->fd, 200, "Gracias.");
}

int conversation_superfluous(Conversation *c, char *argument) {
    return reply(c->fd, 202, "No hace falta aquí.");
}
