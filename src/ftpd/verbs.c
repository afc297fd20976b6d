/* The protocol as one table: every command we know, who answers it before and after login, whether it writes.
 *
 * A row without a handler after login is a command that exists and is not offered here (502); a command that is not in the table is
 * unknown (500). HELP is made from this table. */
#include "basic/strings.h"
#include "ftpd/conversation.h"
#include "ftpd/prelogin.h"
#include "ftpd/session.h"

static const Verb verbs[] = {
    /* name, flags, before login, after login, arguments */
    { "USER", VERB_ARGUMENT, prelogin_user, session_again, "cuenta" },
    { "PASS", 0, prelogin_pass, session_again, "contraseña" },
    { "QUIT", 0, conversation_quit, conversation_quit, "" },
    { "FEAT", 0, prelogin_feat, session_feat, "" },
    { "SYST", 0, conversation_syst, conversation_syst, "" },
    { "HELP", 0, conversation_help, conversation_help, "[orden]" },
    { "NOOP", 0, conversation_noop, conversation_noop, "" },
    { "CLNT", 0, conversation_clnt, conversation_clnt, "programa" },
    { "OPTS", VERB_ARGUMENT, prelogin_opts, session_opts, "UTF8 ON | MLST datos" },
    { "ACCT", 0, NULL, conversation_superfluous, "" },
    { "ALLO", 0, NULL, conversation_superfluous, "" },
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
    /* how things are sent */
    { "TYPE", VERB_ARGUMENT, NULL, transfer_type, "A | I" },
    { "MODE", VERB_ARGUMENT, NULL, transfer_mode, "S" },
    { "STRU", VERB_ARGUMENT, NULL, transfer_stru, "F" },
    { "PASV", 0, NULL, transfer_pasv, "" },
    { "EPSV", 0, NULL, transfer_epsv, "[1 | 2 | ALL]" },
    { "PORT", 0, NULL, NULL, "" },
    { "EPRT", 0, NULL, NULL, "" },
    { "REST", VERB_ARGUMENT, NULL, transfer_rest, "byte" },
    /* sending */
    { "RETR", VERB_ARGUMENT, NULL, transfer_retr, "archivo" },
    { "LIST", 0, NULL, transfer_list, "[ruta]" },
    { "NLST", 0, NULL, transfer_nlst, "[ruta]" },
    { "MLSD", 0, NULL, transfer_mlsd, "[carpeta]" },
    { "ABOR", 0, NULL, transfer_abor, "" },
    /* what changes something */
    { "STOR", VERB_WRITES, NULL, NULL, "" },
    { "STOU", VERB_WRITES, NULL, NULL, "" },
    { "APPE", VERB_WRITES, NULL, NULL, "" },
    { "DELE", VERB_WRITES, NULL, NULL, "" },
    { "MKD", VERB_WRITES, NULL, NULL, "" },
    { "XMKD", VERB_WRITES, NULL, NULL, "" },
    { "RMD", VERB_WRITES, NULL, NULL, "" },
    { "XRMD", VERB_WRITES, NULL, NULL, "" },
    { "RNFR", VERB_WRITES, NULL, NULL, "" },
    { "RNTO", VERB_WRITES, NULL, NULL, "" },
    { "MFMT", VERB_WRITES, NULL, NULL, "" },
    /* known, not offered */
    { "AUTH", 0, prelogin_unavailable, NULL, "" },
    { "PBSZ", 0, prelogin_unavailable, NULL, "" },
    { "PROT", 0, prelogin_unavailable, NULL, "" },
    { "HOST", 0, prelogin_unavailable, NULL, "" },
    { "REIN", 0, prelogin_unavailable, NULL, "" },
    { "SITE", 0, NULL, NULL, "" },
    { "STAT", 0, NULL, NULL, "" },
    { "SMNT", 0, NULL, NULL, "" },
};

const Verb *verb_find(const char *name) {
    for (size_t i = 0; i < ELEMENTS(verbs); i++)
        if (streq(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static int help_one(Conversation *c, char *name) {
    for (char *p = name; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char) (*p - 'a' + 'A');
    const Verb *v = verb_find(name);
    if (!v)
        return reply(c->fd, 502, "Orden desconocida.");
    if (!v->after)
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
        if (!verbs[i].after)
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
