/* The protocol as one table: every command we know, who answers it before and after login, whether it writes.
 *
 * A row without a handler after login is a command that exists and is not offered here (502); a command that is not in the table is
 * unknown (500). HELP is made from this table. */
#include "basic/strings.h"
#include "ftpd/conversation.h"
#include "ftpd/prelogin.h"
#include "ftpd/protection.h"
#include "ftpd/session.h"
#include "ftpd/takeover.h"

static const Verb verbs[] = {
    /* name, flags, before login, after login, arguments */
    { "USER", VERB_ARGUMENT, prelogin_user, session_again, "cuenta" },
    { "PASS", 0, prelogin_pass, session_again, "contraseña" },
    { "QUIT", 0, conversation_quit, conversation_quit, "" },
    { "REIN", 0, prelogin_rein, session_rein, "" },
    { "FEAT", 0, prelogin_feat, session_feat, "" },
    { "SYST", 0, conversation_syst, conversation_syst, "" },
    { "HELP", 0, conversation_help, conversation_help, "[orden]" },
    { "NOOP", 0, conversation_noop, conversation_noop, "" },
    { "CLNT", 0, conversation_clnt, conversation_clnt, "programa" },
    { "OPTS", VERB_ARGUMENT, prelogin_opts, session_opts, "UTF8 ON | MLST datos | HASH SHA-256" },
    { "ACCT", 0, NULL, conversation_superfluous, "" },
    { "ALLO", VERB_ARGUMENT, NULL, upload_allo, "bytes" },
    { "STAT", 0, NULL, status_stat, "[ruta]" },
    /* protection: 502 where there is no TLS */
    { "AUTH", 0, prelogin_auth, protection_auth_late, "TLS" },
    { "PBSZ", 0, protection_pbsz, protection_pbsz, "0" },
    { "PROT", 0, protection_prot, protection_prot, "P | C" },
    /* where we are */
    { "PWD", 0, NULL, navigate_pwd, "" },
    { "XPWD", 0, NULL, navigate_pwd, "" },
    { "CWD", VERB_ARGUMENT, NULL, navigate_cwd, "carpeta" },
    { "XCWD", VERB_ARGUMENT, NULL, navigate_cwd, "carpeta" },
    { "CDUP", 0, NULL, navigate_cdup, "" },
    { "XCUP", 0, NULL, navigate_cdup, "" },
    /* about one file */
    { "SIZE", VERB_ARGUMENT, NULL, navigate_size, "archivo" },
    { "MDTM", VERB_ARGUMENT, NULL, navigate_mdtm, "archivo" },
    { "MLST", 0, NULL, navigate_mlst, "[ruta]" },
    { "HASH", VERB_ARGUMENT, NULL, hash_hash, "archivo" },
    /* how things are sent */
    { "TYPE", VERB_ARGUMENT, NULL, transfer_type, "A | I" },
    { "MODE", VERB_ARGUMENT, NULL, transfer_mode, "S" },
    { "STRU", VERB_ARGUMENT, NULL, transfer_stru, "F" },
    { "PASV", 0, NULL, transfer_pasv, "" },
    { "EPSV", 0, NULL, transfer_epsv, "[1 | 2 | ALL]" },
    { "PORT", VERB_ARGUMENT, NULL, active_port, "h1,h2,h3,h4,p1,p2" },
    { "EPRT", VERB_ARGUMENT, NULL, active_eprt, "|1|dirección|puerto|" },
    { "REST", VERB_ARGUMENT, NULL, transfer_rest, "byte" },
    /* sending */
    { "RETR", VERB_ARGUMENT, NULL, transfer_retr, "archivo" },
    { "LIST", 0, NULL, listings_list, "[-R] [ruta]" },
    { "NLST", 0, NULL, listings_nlst, "[ruta]" },
    { "MLSD", 0, NULL, listings_mlsd, "[carpeta]" },
    { "ABOR", 0, NULL, transfer_abor, "" },
    /* what changes something */
    { "STOR", VERB_WRITES | VERB_ARGUMENT, NULL, upload_stor, "archivo" },
    { "STOU", VERB_WRITES, NULL, upload_stou, "[comienzo del nombre]" },
    { "APPE", VERB_WRITES | VERB_ARGUMENT, NULL, upload_appe, "archivo" },
    { "DELE", VERB_WRITES | VERB_ARGUMENT, NULL, files_dele, "archivo" },
    { "MKD", VERB_WRITES | VERB_ARGUMENT, NULL, files_mkd, "carpeta" },
    { "XMKD", VERB_WRITES | VERB_ARGUMENT, NULL, files_mkd, "carpeta" },
    { "RMD", VERB_WRITES | VERB_ARGUMENT, NULL, files_rmd, "carpeta" },
    { "XRMD", VERB_WRITES | VERB_ARGUMENT, NULL, files_rmd, "carpeta" },
    { "RNFR", VERB_WRITES | VERB_ARGUMENT, NULL, files_rnfr, "ruta" },
    { "RNTO", VERB_WRITES | VERB_ARGUMENT, NULL, files_rnto, "ruta" },
    { "MFMT", VERB_WRITES | VERB_ARGUMENT, NULL, files_mfmt, "AAAAMMDDhhmmss ruta" },
    /* known, not offered */
    { "HOST", 0, prelogin_unavailable, NULL, "" },
    { "SITE", 0, NULL, NULL, "" },
    { "SMNT", 0, NULL, NULL, "" },
    TAKEOVER_VERBS
};

const Verb *verb_find(const char *name) {
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        if (streq(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static bool verb_is_offered(const Conversation *c, const Verb *v) {
    return v->after && (c->may_write || !(v->flags & VERB_WRITES));
}

static int help_one(Conversation *c, char *name) {
    for (char *p = name; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char) (*p - 'a' + 'A');
    const Verb *v = verb_find(name);
    if (!v)
        return reply(c->fd, 502, "Orden desconocida.");
    if (!verb_is_offered(c, v))
        return reply(c->fd, 214, "%s: no disponible.", v->name);
    return reply(c->fd, 214, "%s%s%s", v->name, v->help[0] ? " " : "", v->help);
}

int conversation_help(Conversation *c, char *argument) {
    Reply r;
    char line[128] = "";
    size_t used = 0, on_line = 0;

    if (argument && *argument)
        return help_one(c, argument);
    r.size = 0;
    reply_line(&r, 214, true, "Órdenes disponibles:");
    for (size_t i = 0; i < ELEMENTS(verbs); i++) {
        if (!verb_is_offered(c, &verbs[i]))
            continue;
        for (const char *p = verbs[i].name; *p; p++)
            line[used++] = *p;
        line[used++] = ' ';
        line[used] = '\0';
        if (++on_line == 8) {
            reply_item(&r, "%s", line);
            used = on_line = 0;
        }
    }
    if (on_line > 0)
        reply_item(&r, "%s", line);
    reply_line(&r, 214, false, "Fin de la ayuda.");
    return reply_send(c->fd, &r);
}
