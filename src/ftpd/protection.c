/* Which protection the client asks for and may have. The TLS itself is elsewhere: the control connection's in a relay, the data connections' in data_tls.c. */
#include "ftpd/protection.h"

#include "basic/strings.h"

#include <string.h>

/* 0: answered, or a negative errno. 1: TLS is offered here. */
static int offered(Conversation *c) {
    if (c->tls_mode != TLS_OFF)
        return 1;
    return reply(c->fd, 502, "Orden no disponible en este servidor.");
}

int protection_auth_late(Conversation *c, char *argument) {
    int r = offered(c);
    return r <= 0 ? r : reply(c->fd, 503, c->tls ? "La conexión ya va cifrada." : "AUTH TLS va antes de USER.");
}

int protection_check_auth(Conversation *c, const char *argument) {
    int r = offered(c);
    if (r <= 0)
        return r;
    if (c->tls)
        return reply(c->fd, 503, "La conexión ya va cifrada.");
    if (!argument || !*argument)
        return reply(c->fd, 501, "Falta el argumento de AUTH.");
    if (strcasecmp(argument, "TLS") == 0 || strcasecmp(argument, "TLS-C") == 0)
        return 1;
    return reply(c->fd, 504, "Solo se admite AUTH TLS.");
}

int protection_pbsz(Conversation *c, char *argument) {
    uint64_t size;

    int r = offered(c);
    if (r <= 0)
        return r;
    if (!c->tls)
        return reply(c->fd, 503, "Antes AUTH TLS.");
    if (!argument || parse_u64(argument, UINT32_MAX, &size) < 0)
        return reply(c->fd, 501, "PBSZ espera un número.");
    c->pbsz = true;
    return reply(c->fd, 200, "PBSZ=0");
}

/* RFC 2228 section 3: Clear and Private are what TLS has. */
int protection_prot(Conversation *c, char *argument) {
    int r = offered(c);
    if (r <= 0)
        return r;
    if (!c->tls || !c->pbsz)
        return reply(c->fd, 503, c->tls ? "Antes PBSZ 0." : "Antes AUTH TLS.");
    if (!argument || !*argument)
        return reply(c->fd, 501, "Falta el argumento de PROT.");
    const char level = !argument[1] ? (char) (argument[0] & ~0x20) : '\0';
    switch (level) {
    case 'P':
        c->protect = true;
        return reply(c->fd, 200, "Los datos van cifrados.");
    case 'C':
        if (c->tls_mode == TLS_REQUIRED)
            return reply(c->fd, 534, "Este servidor exige PROT P.");
        c->protect = false;
        return reply(c->fd, 200, "Los datos van sin cifrar.");
    case 'S':
    case 'E':
        return reply(c->fd, 536, "Con TLS solo hay PROT C y PROT P.");
    default:
        return reply(c->fd, 504, "Solo hay PROT C y PROT P.");
    }
}
