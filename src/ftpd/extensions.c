/* What this server offers beyond RFC 959, as FEAT says it. It keeps no state: chosen facts are the session's. */
#include "ftpd/extensions.h"

#include "basic/strings.h"

#include <string.h>

int extensions_reply(Conversation *c, unsigned facts) {
    static const char *const features[] = { "EPRT", "EPSV", "HASH SHA-256*", "MDTM", "MFMT", "PASV", "REST STREAM", "SIZE", "TVFS", "UTF8" };
    static const char *const tls_features[] = { "AUTH TLS", "PBSZ", "PROT" };
    char text[FACTS_TEXT_MAX];
    Reply r;

    r.size = 0;
    reply_line(&r, 211, true, "Extensiones:");
    for (size_t i = 0; i < ELEMENTS(tls_features) && c->tls_mode != TLS_OFF; i++)
        reply_item(&r, "%s", tls_features[i]);
    for (size_t i = 0; i < ELEMENTS(features); i++)
        reply_item(&r, "%s", features[i]);
    facts_text(facts, true, text);
    reply_item(&r, "MLST %s", text);
    reply_line(&r, 211, false, "Fin");
    return reply_send(c->fd, &r);
}

bool extensions_is_utf8(const char *argument) {
    return strcasecmp(argument, "UTF8 ON") == 0 || strcasecmp(argument, "UTF8") == 0 || strcasecmp(argument, "UTF-8 ON") == 0;
}
