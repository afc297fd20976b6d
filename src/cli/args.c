/* Reads the command line by two tables: the options (here) and the verbs (the caller's).
 *
 * Decides what was meant; whether an id or a number makes sense is for the verbs and the service. */
#include "cli/args.h"

#include "basic/strings.h"
#include "cli/text.h"

#include <ctype.h>
#include <errno.h>

typedef enum Scope { SCOPE_GLOBAL, SCOPE_VERB, SCOPE_ORIGINAL } Scope;

typedef struct Option {
    const char *name;
    char letter;
    Scope scope;
    const char *value; /* NULL: a switch */
    const char *help;
} Option;

static const Option options[OPTION_MAX] = {
    [OPTION_HELP] = { "help", 'h', SCOPE_GLOBAL, NULL, "esta ayuda; tras un verbo, la suya" },
    [OPTION_VERSION] = { "version", 0, SCOPE_GLOBAL, NULL, "la versión" },
    [OPTION_QUIET] = { "quiet", 'q', SCOPE_GLOBAL, NULL, "sin avisos ni barra de progreso" },
    [OPTION_JSON] = { "json", 'j', SCOPE_GLOBAL, NULL, "con un verbo: imprime el JSON del servicio" },
    [OPTION_OUTPUT] = { "salida", 0, SCOPE_GLOBAL, "FORMATO", "texto o json" },
    [OPTION_SOCKET] = { "socket", 0, SCOPE_GLOBAL, "RUTA", "el socket Unix del servicio (/run/tempoftp/api.sock)" },
    [OPTION_URL] = { "url", 0, SCOPE_GLOBAL, "URL", "hablar por HTTP, p. ej. https://servidor:9443" },
    [OPTION_CA] = { "ca", 0, SCOPE_GLOBAL, "ARCHIVO", "con https: la CA que ha firmado el certificado del servicio, en vez de las del sistema" },
    [OPTION_ENV_FILE] = { "env-file", 0, SCOPE_GLOBAL, "ARCHIVO", "de dónde leer TEMPOFTP_ENCRYPTION_KEY" },
    [OPTION_GROUP] = { "grupo", 0, SCOPE_VERB, "GRUPO", "el grupo de la solicitud" },
    [OPTION_FOLLOW] = { "seguir", 0, SCOPE_VERB, NULL, "seguir en vivo hasta el final" },
    [OPTION_STATE] = { "estado", 0, SCOPE_VERB, "ESTADO", "sólo las que están en ese estado" },
    [OPTION_LIMIT] = { "limite", 0, SCOPE_VERB, "N", "cuántas como mucho (1 a 1000)" },
    [OPTION_AFTER] = { "despues", 0, SCOPE_VERB, "ID", "las que siguen a esa" },
    [OPTION_REASON] = { "razon", 0, SCOPE_VERB, "TEXTO", "por qué se bloquea" },
    [OPTION_END] = { "terminar", 0, SCOPE_VERB, "PID|CUENTA", "termina esa sesión, o todas las de la cuenta" },
    [OPTION_BYTES] = { "bytes", 0, SCOPE_VERB, "N", "cuánto cabe en el buzón: bytes, o con k, M, G o T detrás; si no se dice, 10G" },
    [OPTION_REMOVE] = { "quitar", 0, SCOPE_VERB, NULL, "retira el buzón y lo que hay en él" },
    [OPTION_WHO] = { "quien", 0, SCOPE_VERB, "ACTOR", "lo que hizo: user:CORREO, unix:USUARIO, api:DIRECCIÓN, o sólo lo que sigue a ':'" },
    [OPTION_ACTION] = { "accion", 0, SCOPE_VERB, "ACCIÓN", "sólo esas llamadas: 'DELETE /tmpftp/{}', o su método" },
    [OPTION_TARGET] = { "objeto", 0, SCOPE_VERB, "ID|CORREO", "lo que se hizo con esa solicitud, o con ese usuario" },
    [OPTION_CALL] = { "llamada", 0, SCOPE_VERB, "X-REQUEST-ID", "sólo esa llamada" },
    [OPTION_SINCE] = { "desde", 0, SCOPE_VERB, "MOMENTO", "desde entonces: 2026-11-21, o 2026-11-21T11:30:00Z (UTC)" },
    [OPTION_UNTIL] = { "hasta", 0, SCOPE_VERB, "MOMENTO", "hasta entonces; un día, con todo él" },
    [OPTION_CANCEL] = { "cancelar", 0, SCOPE_VERB, "N", "deja de enviar: el número del envío" },
    [OPTION_LOG] = { "registro", 0, SCOPE_VERB, NULL, "qué se cuenta de los envíos" },
    [OPTION_STATUS] = { "status", 0, SCOPE_ORIGINAL, NULL, "GET /" },
    [OPTION_HEALTH] = { "health", 0, SCOPE_ORIGINAL, NULL, "GET /health" },
    [OPTION_CREATE] = { "create", 0, SCOPE_ORIGINAL, NULL, "POST /tmpftp: usuario id ruta vigencia, o con --json ARCHIVO" },
    [OPTION_GET] = { "get", 0, SCOPE_ORIGINAL, "ID", "GET /tmpftp/ID" },
};

static int refuse(char **ret_error, const char *format, ...) _printf_(2, 3);
static int refuse(char **ret_error, const char *format, ...) {
    va_list list;

    va_start(list, format);
    int n = vasprintf(ret_error, format, list);
    va_end(list);
    return n < 0 ? -ENOMEM : -EINVAL;
}

/* "-1" is a word: a number that the verb will look at. So is "-": standard input. */
static bool is_option(const char *arg) {
    return arg[0] == '-' && arg[1] != '\0' && !isdigit((unsigned char) arg[1]);
}

/* OPTION_MAX when there is none of that name; *ret_value is what stands after '=' or NULL. */
static OptionId find_option(const char *arg, const char **ret_value) {
    *ret_value = NULL;
    for (OptionId id = 0; id < OPTION_MAX; id++) {
        const Option *o = &options[id];
        if (arg[1] != '-') {
            if (o->letter && arg[1] == o->letter && arg[2] == '\0')
                return id;
            continue;
        }
        size_t size = strlen(o->name);
        if (strncmp(arg + 2, o->name, size) != 0)
            continue;
        if (arg[2 + size] == '=')
            *ret_value = arg + 2 + size + 1;
        if (arg[2 + size] == '\0' || arg[2 + size] == '=')
            return id;
    }
    return OPTION_MAX;
}

static const Verb *find_verb(const Verb *verbs, const char *name) {
    for (const Verb *v = verbs; v->name; v++)
        if (streq(v->name, name))
            return v;
    return NULL;
}

static bool is_json_switch(const char *arg) {
    return streq(arg, "-j");
}

/* Which of the two ways of writing is this? The first word, or a flag only the original has, tells. */
static bool is_original(int argc, char *const argv[], const Verb *verbs) {
    bool json_seen = false;

    for (int i = 1; i < argc; i++) {
        const char *value;
        if (!is_option(argv[i]))
            return json_seen && !find_verb(verbs, argv[i]);
        if (streq(argv[i], "--"))
            return false;
        OptionId id = find_option(argv[i], &value);
        if (id == OPTION_MAX)
            return false;
        if (options[id].scope == SCOPE_ORIGINAL || (id == OPTION_JSON && value))
            return true;
        if (id == OPTION_JSON && !is_json_switch(argv[i]))
            json_seen = true;
        if (options[id].value && !value)
            i++;
    }
    return false;
}

static int add_word(Args *a, const char *word, char **ret_error) {
    if (a->n_words == ARGS_WORDS_MAX)
        return refuse(ret_error, "Demasiados argumentos");
    a->words[a->n_words++] = word;
    return 0;
}

static int option_is_allowed(const Args *a, OptionId id, const char *arg, char **ret_error) {
    if (id == OPTION_MAX)
        return refuse(ret_error, "Opción desconocida: %s", arg);
    if (options[id].scope == SCOPE_GLOBAL || (a->original && options[id].scope == SCOPE_ORIGINAL))
        return 0;
    if (options[id].scope == SCOPE_VERB && a->verb && (a->verb->options & OPTION_BIT(id)))
        return 0;
    if (a->verb)
        return refuse(ret_error, "La opción --%s no es de '%s'", options[id].name, a->verb->name);
    return refuse(ret_error, "La opción --%s no tiene sentido aquí", options[id].name);
}

/* `--json` of the original takes the file that follows, when one does. */
static bool takes_value(const Args *a, OptionId id, const char *arg, const char *next) {
    if (options[id].value)
        return true;
    return id == OPTION_JSON && a->original && !is_json_switch(arg) && next && !is_option(next);
}

static int take_option(Args *a, int argc, char *const argv[], int *i, char **ret_error) {
    const char *arg = argv[*i], *next = *i + 1 < argc ? argv[*i + 1] : NULL, *value;
    OptionId id = find_option(arg, &value);

    int r = option_is_allowed(a, id, arg, ret_error);
    if (r < 0)
        return r;
    if (!value && takes_value(a, id, arg, next)) {
        if (!next)
            return refuse(ret_error, "A la opción --%s le falta su valor: %s", options[id].name, options[id].value);
        value = next;
        (*i)++;
    } else if (value && !options[id].value && !(a->original && id == OPTION_JSON)) {
        return refuse(ret_error, "La opción --%s no lleva valor", options[id].name);
    }
    if (value && *value == '\0')
        return refuse(ret_error, "El valor de --%s está vacío", options[id].name);

    a->given[id] = true;
    if (value)
        a->value[id] = value;
    if (id == OPTION_CREATE) /* its words follow it */
        while (*i + 1 < argc && !is_option(argv[*i + 1])) {
            r = add_word(a, argv[++*i], ret_error);
            if (r < 0)
                return r;
        }
    return 0;
}

static int take_word(Args *a, const Verb *verbs, const char *word, char **ret_error) {
    if (a->verb)
        return add_word(a, word, ret_error);
    if (a->original)
        return refuse(ret_error, "Sobra '%s'", word);
    a->verb = find_verb(verbs, word);
    if (!a->verb)
        return refuse(ret_error, "Verbo desconocido: '%s' (vea tempoftp --help)", word);
    return 0;
}

static int check_output(Args *a, char **ret_error) {
    const char *format = a->value[OPTION_OUTPUT];

    if (format && !streq(format, "json") && !streq(format, "texto"))
        return refuse(ret_error, "Formato desconocido: '%s' (texto o json)", format);
    a->json = (a->given[OPTION_JSON] && !a->value[OPTION_JSON]) || (format && streq(format, "json"));
    if (a->given[OPTION_SOCKET] && a->given[OPTION_URL])
        return refuse(ret_error, "--socket y --url a la vez no pueden ser");
    return 0;
}

static int check_original(const Args *a, char **ret_error) {
    bool file = a->value[OPTION_JSON] != NULL, create = a->given[OPTION_CREATE] || file;
    int actions = a->given[OPTION_STATUS] + a->given[OPTION_HEALTH] + a->given[OPTION_GET] + create;

    if (actions != 1)
        return refuse(ret_error, "Sólo una de --status, --health, --create, --get");
    if (a->given[OPTION_CREATE] && file && a->n_words > 0)
        return refuse(ret_error, "--create toma sus datos de la línea o de --json ARCHIVO, no de ambas");
    if (a->given[OPTION_CREATE] && !file && (a->n_words < 3 || a->n_words > 4))
        return refuse(ret_error, "Uso: tempoftp --create usuario id ruta vigencia");
    return 0;
}

static int check_verb(const Args *a, char **ret_error) {
    const Verb *v = a->verb;

    if (a->n_words < v->words_min || a->n_words > v->words_max)
        return refuse(ret_error, "Uso: tempoftp %s%s%s", v->name, *v->arguments ? " " : "", v->arguments);
    for (size_t i = 0; i < a->n_words; i++)
        if (*a->words[i] == '\0')
            return refuse(ret_error, "Un argumento vacío no vale");
    return 0;
}

int args_parse(int argc, char *const argv[], const Verb *verbs, Args *ret, char **ret_error) {
    Args a = { .original = is_original(argc, argv, verbs) };
    bool words_only = false;

    for (int i = 1; i < argc; i++) {
        int r;
        if (!words_only && streq(argv[i], "--")) {
            words_only = true;
            continue;
        }
        if (!words_only && is_option(argv[i]))
            r = take_option(&a, argc, argv, &i, ret_error);
        else
            r = take_word(&a, verbs, argv[i], ret_error);
        if (r < 0)
            return r;
    }

    int r = check_output(&a, ret_error);
    if (r == 0 && !a.given[OPTION_HELP] && !a.given[OPTION_VERSION]) {
        if (a.original)
            r = check_original(&a, ret_error);
        else if (a.verb)
            r = check_verb(&a, ret_error);
        else
            r = refuse(ret_error, "Falta un verbo (vea tempoftp --help)");
    }
    if (r < 0)
        return r;
    *ret = a;
    return 0;
}

static void print_row(FILE *to, const char *left, const char *help) {
    size_t width = text_width(left);
    fprintf(to, "  %s%*s%s\n", left, width < 38 ? (int) (38 - width) : 2, "", help);
}

static void print_options(FILE *to, Scope scope, unsigned only) {
    for (OptionId id = 0; id < OPTION_MAX; id++) {
        const Option *o = &options[id];
        char left[64], letter[8] = "";
        if (o->scope != scope || !(only & OPTION_BIT(id)))
            continue;
        if (o->letter)
            snprintf(letter, sizeof(letter), "-%c, ", o->letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
        print_row(to, left, o->help);
    }
}

void args_print_verb_help(FILE *to, const Verb *verb) {
    fprintf(to, "Uso: tempoftp [opciones] %s%s%s\n\n%s.\n", verb->name, *verb->arguments ? " " : "", verb->arguments, verb->help);
    if (verb->options) {
        fputs("\nOpciones de este verbo:\n", to);
        print_options(to, SCOPE_VERB, verb->options);
    }
    fputs("\nOpciones de todos:\n", to);
    print_options(to, SCOPE_GLOBAL, ~0u);
}

void args_print_help(FILE *to, const Verb *verbs) {
    fputs("Uso: tempoftp [opciones] VERBO [argumentos]\n\nCuentas FTP temporales: entrega un conjunto de datos por unos días.\n\nVerbos:\n", to);
    for (const Verb *v = verbs; v->name; v++) {
        char left[96];
        snprintf(left, sizeof(left), "%s%s%s", v->name, *v->arguments ? " " : "", v->arguments);
        print_row(to, left, v->help);
    }
    fputs("\nOpciones:\n", to);
    print_options(to, SCOPE_GLOBAL, ~0u);
    fputs("\nOpciones de algunos verbos:\n", to);
    print_options(to, SCOPE_VERB, ~0u);
    fputs("\nLas del cliente original (la respuesta, como la imprimía Python; --json ARCHIVO es el cuerpo de un POST):\n", to);
    print_options(to, SCOPE_ORIGINAL, ~0u);
    fputs("\nCódigos de salida:\n", to);
    for (ExitCode code = 0; code < EXIT_CODE_MAX; code++)
        fprintf(to, "  %d  %s\n", (int) code, exit_code_help(code));
}
