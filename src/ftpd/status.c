/* STAT: the session in a few lines, or a listing over the control connection. RFC 959 section 4.1.3. */
#include "ftpd/session.h"

#include "basic/fds.h"

int status_stat(Conversation *c, char *argument) {
    Session *s = (Session *) c;
    char peer[ADDRESS_TEXT_MAX];
    Reply r;

    if (argument && *argument)
        return listings_stat(c, argument);
    address_text((const struct sockaddr *) &s->start->peer, peer);
    r.size = 0;
    reply_line(&r, 211, true, "Estado de la sesión:");
    reply_item(&r, "Conexión desde %s", peer);
    reply_item(&r, "Carpeta: %s", s->folder);
    reply_item(&r, "TYPE %s; STRU F; MODE S", s->ascii ? "A" : "I");
    if (c->may_write)
        reply_item(&r, "Se puede escribir en /%s", s->start->drop[0] == '/' ? "" : s->start->drop);
    else
        reply_item(&r, "Solo lectura");
    reply_line(&r, 211, false, "Fin");
    return reply_send(c->fd, &r);
}
