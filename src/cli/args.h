/* The command line: verbs with words and options, or the flags of the original client.
 *
 * Two ways to write the same calls, told apart before anything else is read:
 *   tempoftp [options] VERB words…          ours. `--json` is a switch: print the service's JSON.
 *   tempoftp [options] --get ID (and so on)  the original's. `--json FILE` is the body of a POST, and answers are printed as Python shows them.
 * The second is meant when --status, --health, --create, --get or --json=FILE is there, or `--json` with a first word that is no verb. `-j` and
 * `--salida json` are the switch in both.
 *
 * Pure: nothing is opened, nothing is printed. All strings in Args point into argv. */
#pragma once

#include "basic/cleanup.h"
#include "cli/exit_code.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARGS_WORDS_MAX 16

typedef struct Client Client;
typedef struct Args Args;

typedef enum OptionId {
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_QUIET,
    OPTION_JSON,
    OPTION_OUTPUT,
    OPTION_SOCKET,
    OPTION_URL,
    OPTION_CA,
    OPTION_ENV_FILE,
    OPTION_GROUP, /* of some verbs from here on */
    OPTION_FOLLOW,
    OPTION_STATE,
    OPTION_LIMIT,
    OPTION_AFTER,
    OPTION_REASON,
    OPTION_END,
    OPTION_BYTES,
    OPTION_REMOVE,
    OPTION_WHO,
    OPTION_ACTION,
    OPTION_TARGET,
    OPTION_CALL,
    OPTION_SINCE,
    OPTION_UNTIL,
    OPTION_CANCEL,
    OPTION_LOG,
    OPTION_STATUS, /* the original client's from here on */
    OPTION_HEALTH,
    OPTION_CREATE,
    OPTION_GET,
    OPTION_MAX,
} OptionId;

#define OPTION_BIT(id) (UINT64_C(1) << (id))
_Static_assert(OPTION_MAX <= 64, "one bit each");

typedef struct Verb {
    const char *name;
    const char *arguments; /* "USUARIO ID RUTA [DÍAS]" */
    const char *help;
    unsigned words_min, words_max;
    uint64_t options; /* OPTION_BIT()s beyond the global ones */
    ExitCode (*run)(const Args *args, Client *client);
} Verb;

struct Args {
    const Verb *verb;                  /* NULL: the original's flags, or --help and --version alone */
    bool original;                     /* the original's flags */
    bool json;                         /* the service's JSON as it is */
    bool given[OPTION_MAX];
    const char *value[OPTION_MAX];     /* of options that take one; the last one counts */
    const char *words[ARGS_WORDS_MAX]; /* of the verb, or of --create */
    size_t n_words;
};

/* `verbs` ends with a row whose name is NULL. 0; -EINVAL with *ret_error a sentence (heap, caller frees); -ENOMEM. */
int args_parse(int argc, char *const argv[], const Verb *verbs, Args *ret, char **ret_error) _must_use_;

void args_print_help(FILE *to, const Verb *verbs);
void args_print_verb_help(FILE *to, const Verb *verb);
