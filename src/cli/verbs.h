/* The verbs: one file each, one table of all (main.c). Each returns what the program exits with; results are on stdout, messages on stderr. */
#pragma once

#include "cli/args.h"
#include "cli/client.h"

extern const Verb verbs[]; /* verbs.c; ends with a row of NULLs */

ExitCode verb_crear(const Args *args, Client *client);
ExitCode verb_ver(const Args *args, Client *client);
ExitCode verb_lista(const Args *args, Client *client);
ExitCode verb_eliminar(const Args *args, Client *client);
ExitCode verb_eliminar_usuario(const Args *args, Client *client);
ExitCode verb_bloquear(const Args *args, Client *client);
ExitCode verb_desbloquear(const Args *args, Client *client);
ExitCode verb_extender(const Args *args, Client *client);
ExitCode verb_buzon(const Args *args, Client *client);
ExitCode verb_exportar(const Args *args, Client *client);
ExitCode verb_destinos(const Args *args, Client *client);
ExitCode verb_eventos(const Args *args, Client *client);
ExitCode verb_sesiones(const Args *args, Client *client);
ExitCode verb_expirar(const Args *args, Client *client);
ExitCode verb_estado(const Args *args, Client *client);
ExitCode verb_salud(const Args *args, Client *client);
ExitCode verb_login(const Args *args, Client *client);
ExitCode verb_logout(const Args *args, Client *client);
ExitCode verb_usuarios(const Args *args, Client *client);
ExitCode verb_token(const Args *args, Client *client);
ExitCode verb_auditoria(const Args *args, Client *client);
ExitCode verb_clave(const Args *args, Client *client); /* asks nobody */

/* For their --help: what may stand behind the verb, one form a line. */
void print_actions_destinos(FILE *to);
void print_actions_usuarios(FILE *to);

/* The original client's flags. */
ExitCode original_run(const Args *args, Client *client);

/* Whole days as typed; false: told. */
bool days_parse(const char *text, int *ret);
/* The body of a POST /tmpftp; days and group may be NULL. Heap; NULL: told. */
char *new_request_body(const char *user, const char *id, const char *ruta, const char *days, const char *group);
