/* Asking the service and telling a person when it says no.
 *
 * Results go to stdout, every message to stderr: "tempoftp: …". */
#pragma once

#include "cli/args.h"
#include "cli/client.h"

/* A message that is always shown. */
void complain(const char *format, ...) _printf_(1, 2);
/* One that -q silences. */
void note(const Args *args, const char *format, ...) _printf_(2, 3);

/* A member of an object that is a string, else NULL. */
const char *json_text(const json_t *object, const char *key);

/* Makes the call. Other than EXIT_OK only when there is no answer at all; that has been told. */
ExitCode service_call(Client *client, const char *method, const char *path, const char *body, Reply *ret);
/* The same for a result of client_call() or client_stream(). */
ExitCode service_reached(const Client *client, int r);
/* EXIT_OK for 2xx; else says why it was refused and how to go on. */
ExitCode service_judge(const Reply *reply);
/* Both; with args->json the body is printed, whatever the status. EXIT_OK: a 2xx with a JSON body in ret->json. */
ExitCode service_ask(const Args *args, Client *client, const char *method, const char *path, const char *body, Reply *ret);

/* What the service gave as its reason: {"detail": text | {"mensaje"} | [{"loc", "msg"}]}. */
void service_reason(const Reply *reply, Buffer *to);

/* ["/tmpftp/" + id + rest], checked: an id that none can have never becomes a path (there are calls named "expired" and "user"). Heap;
 * NULL: told, exit code in *ret_code. */
char *request_path(const char *id, const char *rest, ExitCode *ret_code);

/* An option that is a query parameter. */
typedef struct QueryOption {
    OptionId option;
    const char *parameter;
} QueryOption;
/* path + query ("" or "?…", ours) + the options that were given. Heap; NULL: told. */
char *query_path(const char *path, const char *query, const Args *args, const QueryOption *options, size_t n);

/* A JSON object as text for a body, from json_pack()'s arguments; heap; NULL: told. */
char *body_text(json_t *owned);
