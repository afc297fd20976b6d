/* Finds the action that was typed and checks how many words it was given. What it does is the verb's own. */
#include "cli/action.h"

#include "basic/strings.h"
#include "cli/service.h"

ExitCode actions_run(const char *verb, const Action *actions, size_t n, const Args *args, Client *client) {
    const char *name = args->n_words > 0 ? args->words[0] : "lista";
    size_t words = args->n_words > 0 ? args->n_words - 1 : 0;

    for (size_t i = 0; i < n; i++) {
        if (!streq(actions[i].name, name))
            continue;
        if (words >= actions[i].words_min && words <= actions[i].words_max)
            return actions[i].run(args, client);
        complain("Uso: tempoftp %s %s%s", verb, actions[i].name, actions[i].arguments);
        return EXIT_USAGE;
    }
    complain("%s: acción desconocida: '%s' (vea tempoftp %s --help)", verb, name, verb);
    return EXIT_USAGE;
}

void actions_print(const char *verb, const Action *actions, size_t n, FILE *to) {
    for (size_t i = 0; i < n; i++)
        fprintf(to, "  tempoftp %s %s%s\n", verb, actions[i].name, actions[i].arguments);
}
