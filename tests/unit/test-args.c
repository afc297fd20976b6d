/* The command line: ours and the original client's, and what is refused. */
#include "cli/args.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const Verb verbs[] = {
    { "crear", "USUARIO ID RUTA [DÍAS]", "…", 3, 4, OPTION_BIT(OPTION_GROUP) | OPTION_BIT(OPTION_FOLLOW), NULL },
    { "ver", "ID", "…", 1, 1, 0, NULL },
    { "lista", "", "…", 0, 0, OPTION_BIT(OPTION_STATE) | OPTION_BIT(OPTION_LIMIT), NULL },
    { "extender", "ID DÍAS", "…", 2, 2, 0, NULL },
    {},
};

#define WORDS_MAX (ARGS_WORDS_MAX + 8)

/* argv from a line; words are separated by '|'. */
static int parse(const char *line, Args *ret, char **ret_error) {
    static char buffer[512];
    char *argv[WORDS_MAX] = { (char *) "tempoftp" };
    int argc = 1;

    snprintf(buffer, sizeof(buffer), "%s", line);
    for (char *rest = buffer; *line && rest;)
        argv[argc++] = strsep(&rest, "|");
    return args_parse(argc, argv, verbs, ret, ret_error);
}

static Args parsed(const char *line) {
    char *error = NULL;
    Args a = {};

    int r = parse(line, &a, &error);
    if (r < 0)
        fail_msg("%s: %s", line, error);
    return a;
}

static void a_verb_with_words_and_options(void **state) {
    Args a = parsed("crear|ana@example.org|--seguir|p1|host:/a|5|--grupo=g|--url|http://h");

    assert_string_equal(a.verb->name, "crear");
    assert_int_equal(a.n_words, 4);
    assert_string_equal(a.words[3], "5");
    assert_true(a.given[OPTION_FOLLOW]);
    assert_string_equal(a.value[OPTION_GROUP], "g");
    assert_string_equal(a.value[OPTION_URL], "http://h");
    assert_false(a.json);
    assert_false(a.original);
}

static void json_is_a_switch_with_a_verb(void **state) {
    static const char *const lines[] = { "--json|ver|x", "ver|--json|x", "ver|x|--json", "ver|x|-j", "--salida|json|ver|x", "--socket|ver|--json|ver|x" };

    for (size_t i = 0; i < ELEMENTS(lines); i++) {
        Args a = parsed(lines[i]);
        assert_true(a.json);
        assert_string_equal(a.verb->name, "ver");
        assert_string_equal(a.words[0], "x");
        assert_null(a.value[OPTION_JSON]);
    }
    assert_false(parsed("ver|x|--salida|texto").json);
}

static void json_is_a_file_with_the_originals_flags(void **state) {
    static const char *const lines[] = { "--json|body.json", "--json=body.json", "--create|--json|body.json", "--url|http://h|--json|body.json", "--json=ver",
                                         "--json|body.json|-q" };

    for (size_t i = 0; i < ELEMENTS(lines); i++) {
        Args a = parsed(lines[i]);
        assert_true(a.original);
        assert_false(a.json);
        assert_string_equal(a.value[OPTION_JSON], i == 4 ? "ver" : "body.json");
    }
    Args a = parsed("--get|x|--json"); /* no file follows: the switch */
    assert_true(a.original && a.json);
    assert_null(a.value[OPTION_JSON]);
    assert_true(parsed("--get|x|-j").json);
}

static void the_originals_flags(void **state) {
    assert_true(parsed("--status").given[OPTION_STATUS]);
    assert_true(parsed("--url|http://h|--health").given[OPTION_HEALTH]);
    assert_string_equal(parsed("--get|ver").value[OPTION_GET], "ver");

    Args a = parsed("--create|ver|lista|host:/a|5|--url|http://h");
    assert_true(a.original);
    assert_int_equal(a.n_words, 4);
    assert_string_equal(a.words[0], "ver");
    assert_string_equal(a.words[3], "5");
    assert_string_equal(a.value[OPTION_URL], "http://h");
}

static void words_that_look_like_options(void **state) {
    Args a = parsed("extender|x|-3");
    assert_string_equal(a.words[1], "-3");
    a = parsed("ver|--|--help");
    assert_string_equal(a.words[0], "--help");
    assert_false(a.given[OPTION_HELP]);
}

static void help_and_version_need_no_more(void **state) {
    assert_true(parsed("--help").given[OPTION_HELP]);
    assert_true(parsed("-h").given[OPTION_HELP]);
    assert_true(parsed("--version").given[OPTION_VERSION]);
    Args a = parsed("crear|--help");
    assert_string_equal(a.verb->name, "crear");
}

static void refusals(void **state) {
    static const struct {
        const char *line, *says;
    } refused[] = {
        { "", "Falta un verbo" },
        { "--json", "Falta un verbo" },
        { "--json|", "vacío" },
        { "borrar|x", "Verbo desconocido: 'borrar'" },
        { "ver", "Uso: tempoftp ver ID" },
        { "ver|a|b", "Uso: tempoftp ver ID" },
        { "ver|", "vacío" },
        { "lista|x", "Uso: tempoftp lista" },
        { "crear|a|b", "Uso: tempoftp crear" },
        { "ver|x|--seguir", "--seguir no es de 'ver'" },
        { "ver|x|--status", "--status no es de 'ver'" },
        { "--seguir", "no tiene sentido" },
        { "ver|x|--nada", "Opción desconocida: --nada" },
        { "ver|x|-z", "Opción desconocida: -z" },
        { "ver|x|--url", "le falta su valor: URL" },
        { "ver|x|--url=", "está vacío" },
        { "ver|x|--quiet=1", "no lleva valor" },
        { "ver|x|--salida|xml", "Formato desconocido" },
        { "ver|x|--url|http://h|--socket|/s", "a la vez" },
        { "--get", "le falta su valor: ID" },
        { "--status|--health", "Sólo una" },
        { "--get|x|--json|f", "Sólo una" },
        { "--get|x|y", "Sobra 'y'" },
        { "--create|a|b", "--create usuario id ruta vigencia" },
        { "--create|a|b|c|4|5", "--create usuario id ruta vigencia" },
        { "--create|a|b|c|4|--json|f", "no de ambas" },
        { "--create|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17", "Demasiados" },
    };

    for (size_t i = 0; i < ELEMENTS(refused); i++) {
        _cleanup_free_ char *error = NULL;
        Args a;
        int r = parse(refused[i].line, &a, &error);
        if (r != -EINVAL || !error || !strstr(error, refused[i].says))
            fail_msg("'%s': %d, %s", refused[i].line, r, error ? error : "no text");
    }
}

static void every_exit_code_is_in_the_help(void **state) {
    char text[16384] = "", line[128];
    FILE *to = fmemopen(text, sizeof(text), "w");

    args_print_help(to, verbs);
    fclose(to);
    for (ExitCode code = 0; code < EXIT_CODE_MAX; code++) {
        snprintf(line, sizeof(line), "\n  %d  %s\n", (int) code, exit_code_help(code));
        assert_non_null(strstr(text, line));
    }
    assert_non_null(strstr(text, "  crear USUARIO ID RUTA [DÍAS]"));
    assert_non_null(strstr(text, "  -q, --quiet"));
}

static void exit_codes_of_answers(void **state) {
    static const struct {
        long status;
        ExitCode code;
    } cases[] = { { 200, EXIT_OK },      { 202, EXIT_OK },      { 400, EXIT_REFUSED }, { 404, EXIT_NOT_FOUND }, { 422, EXIT_REFUSED },
                  { 429, EXIT_REFUSED }, { 500, EXIT_UNWELL }, { 503, EXIT_UNWELL },  { 302, EXIT_UNWELL } };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(exit_code_of_status(cases[i].status), cases[i].code);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verb_with_words_and_options),
        cmocka_unit_test(json_is_a_switch_with_a_verb),
        cmocka_unit_test(json_is_a_file_with_the_originals_flags),
        cmocka_unit_test(the_originals_flags),
        cmocka_unit_test(words_that_look_like_options),
        cmocka_unit_test(help_and_version_need_no_more),
        cmocka_unit_test(refusals),
        cmocka_unit_test(every_exit_code_is_in_the_help),
        cmocka_unit_test(exit_codes_of_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
