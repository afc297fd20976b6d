/* Verbs of several actions: the word behind the verb says which. */
#pragma once

#include "cli/args.h"
#include "cli/client.h"

#include <stdio.h>

typedef struct Action {
    const char *name, *arguments;
    size_t words_min, words_max; /* after the name */
    ExitCode (*run)(const Args *args, Client *client);
} Action;

/* The one that was typed, "lista" when none was. What is wrong is told. */
ExitCode actions_run(const char *verb, const Action *actions, size_t n, const Args *args, Client *client);
/* One form a line, for --help. */
void actions_print(const char *verb, const Action *actions, size_t n, FILE *to);
