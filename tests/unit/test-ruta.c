/* `ruta`: what is taken apart how, what is refused with which sentence, and hostile ones. */
#include "model/request.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FORM "Ruta remota inválida, use 'host:/ruta' o 'usuario@host:/ruta'"
#define NO_HOST "Ruta remota inválida: falta host antes de ':'"
#define NO_SLASH "Ruta remota inválida: la ruta debe iniciar con '/'"
#define USER_HOST "Ruta remota inválida: formato de usuario@host incorrecto"
#define CHARACTERS "Ruta remota inválida: caracteres no permitidos"

static void good_ones(void **state) {
    static const struct {
        const char *text, *user, *host, *path;
    } cases[] = {
        { "10.0.0.1:/data/source", NULL, "10.0.0.1", "/data/source" },
        { "lanotadm@host:/ruta/origen", "lanotadm", "host", "/ruta/origen" },
        { "h:/", NULL, "h", "/" },
        { "h.example.org:/a/b/", NULL, "h.example.org", "/a/b/" },
        { "h:/a b/c.d_e-f+g=h,i:j@k%l~m", NULL, "h", "/a b/c.d_e-f+g=h,i:j@k%l~m" },
        { "h:/a@b:/c", NULL, "h", "/a@b:/c" },
        { "u@h:/a@b", "u", "h", "/a@b" },
        { "[2001:db8::1]:/x", NULL, "2001:db8::1", "/x" },
        { "u@[::1]:/x", "u", "::1", "/x" },
        { "h:/año/café", NULL, "h", "/año/café" },
        { "h:/cafe\u0301", NULL, "h", "/cafe\u0301" }, /* é as e and a combining acute accent */
        { "h:/中文/данные/日本語/العربية", NULL, "h", "/中文/данные/日本語/العربية" },
        { "h:/a/..b/c../.../d", NULL, "h", "/a/..b/c../.../d" },
        { "h:/.hidden/-rf", NULL, "h", "/.hidden/-rf" },
        { "_h:/x", NULL, "_h", "/x" },
        { "rsync://host/x", NULL, "rsync", "//host/x" }, /* a host named rsync: nothing speaks rsync's own protocol */
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_ruta_ Ruta r = { 0 };
        const char *text = NULL;
        int e = ruta_parse(cases[i].text, &r, &text);
        if (e < 0)
            print_error("%s: %s\n", cases[i].text, text);
        assert_int_equal(e, 0);
        assert_true(streq_null(r.user, cases[i].user));
        assert_string_equal(r.host, cases[i].host);
        assert_string_equal(r.path, cases[i].path);
        assert_int_equal(r.ipv6, strchr(cases[i].host, ':') != NULL);
    }
}

static void refused_ones(void **state) {
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        { "", FORM },
        { "host", FORM },
        { "/local/path", FORM },
        { "[::1]/x", FORM },
        { "[::1]x:/y", FORM },
        { ":/x", NO_HOST },
        { ":", NO_HOST },
        { "::/x", NO_HOST },
        { "host:", NO_SLASH },
        { "host:relative", NO_SLASH },
        { "host::module/x", NO_SLASH },
        { "host: /x", NO_SLASH },
        { "C:\\data", NO_SLASH },
        { "::1:/x", NO_HOST },
        { "2001:db8::1:/x", NO_SLASH }, /* IPv6 needs its brackets */
        { "@host:/x", USER_HOST },
        { "user@:/x", USER_HOST },
        { "@:/x", USER_HOST },
        { "a@b@c:/x", USER_HOST },
        { "-oProxyCommand=id:/x", CHARACTERS },
        { "-h:/x", CHARACTERS },
        { "-u@h:/x", CHARACTERS },
        { "u@-h:/x", CHARACTERS },
        { "h h:/x", CHARACTERS },
        { "h;id:/x", CHARACTERS },
        { "h$(id):/x", CHARACTERS },
        { "h`id`:/x", CHARACTERS },
        { "hóst:/x", CHARACTERS },
        { "h/x:/y", CHARACTERS },
        { "[]:/x", CHARACTERS },
        { "[::1%lo]:/x", CHARACTERS },
        { "[::1", NO_SLASH },
        { "[127.0.0.1]:/x", CHARACTERS },
        { "[host]:/x", CHARACTERS },
        { "h:/..", CHARACTERS },
        { "h:/../x", CHARACTERS },
        { "h:/a/../b", CHARACTERS },
        { "h:/a/..", CHARACTERS },
        { "h:/a/../", CHARACTERS },
        { "h://..//x", CHARACTERS },
        { "h:/a*", CHARACTERS },
        { "h:/a?", CHARACTERS },
        { "h:/[a]", CHARACTERS },
        { "h:/{a,b}", CHARACTERS },
        { "h:/a;id", CHARACTERS },
        { "h:/a|id", CHARACTERS },
        { "h:/a&id", CHARACTERS },
        { "h:/$HOME", CHARACTERS },
        { "h:/`id`", CHARACTERS },
        { "h:/a'b", CHARACTERS },
        { "h:/a\"b", CHARACTERS },
        { "h:/a\\b", CHARACTERS },
        { "h:/a<b", CHARACTERS },
        { "h:/a>b", CHARACTERS },
        { "h:/a(b)", CHARACTERS },
        { "h:/a!b", CHARACTERS },
        { "h:/a#b", CHARACTERS },
        { "h:/a^b", CHARACTERS },
        { "h:/a\nb", CHARACTERS },
        { "h:/a\tb", CHARACTERS },
        { "h:/a\rb", CHARACTERS },
        { "h:/a\x1b[31m", CHARACTERS },
        { "h:/a\x7f", CHARACTERS },
        { "h:/a\xff", CHARACTERS },           /* not UTF-8 */
        { "h:/a\xc0\xae\xc0\xae/b", CHARACTERS }, /* overlong ".." */
        { "h:/a\u00a0b", CHARACTERS },        /* no-break space */
        { "h:/a\u202eb", CHARACTERS },        /* right-to-left override */
        { "h:/a\u2028b", CHARACTERS },        /* line separator */
        { "h:/a\u200bb", CHARACTERS },        /* zero width space */
        { "h:/a\uff0f..\uff0fb", CHARACTERS }, /* full-width slashes */
        { "h:/😀", CHARACTERS },
        { "h:/a\u20ac", CHARACTERS },         /* a currency sign is no letter */
        { "h:/a\ue000", CHARACTERS },         /* private use */
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Ruta r = { 0 };
        const char *text = NULL;
        int e = ruta_parse(cases[i].text, &r, &text);
        if (e != -EINVAL || !streq(text, cases[i].sentence))
            print_error("%s → %s\n", cases[i].text, text);
        assert_int_equal(e, -EINVAL);
        assert_string_equal(text, cases[i].sentence);
        assert_null(r.host); /* untouched */
    }
}

static void length(void **state) {
    char text[RUTA_MAX + 2];
    const char *sentence = NULL;

    memset(text, 'a', sizeof(text));
    memcpy(text, "h:/", 3);
    text[RUTA_MAX] = '\0';
    _cleanup_ruta_ Ruta r = { 0 };
    assert_int_equal(ruta_parse(text, &r, &sentence), 0);
    text[RUTA_MAX] = 'a';
    text[RUTA_MAX + 1] = '\0';
    Ruta none;
    assert_int_equal(ruta_parse(text, &none, &sentence), -EINVAL);
    assert_string_equal(sentence, FORM);
}

static void the_slash(void **state) {
    static const struct {
        const char *path, *id, *source;
    } cases[] = {
        { "/a/b", "x", "/a/b" },   { "/a/b/", "x", "/a/b/" }, { "/a/x", "x", "/a/x/" }, { "/a/x/", "x", "/a/x/" },
        { "/x", "x", "/x/" },      { "/", "x", "/" },         { "/a/X", "x", "/a/X" },  { "/a/yx", "x", "/a/yx" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Ruta r = { .path = (char *) cases[i].path };
        _cleanup_free_ char *source = ruta_source_path(&r, cases[i].id);
        assert_string_equal(source, cases[i].source);
    }
}

static void origins(void **state) {
    char *list[] = { (char[]) { "Host.example.org" }, (char[]) { "[2001:DB8::1]" }, (char[]) { "::2" }, (char[]) { "10.0.0.1" }, NULL };
    char *none[] = { NULL };
    static const struct {
        const char *host;
        bool allowed;
    } cases[] = {
        { "host.example.org", true }, { "HOST.EXAMPLE.ORG", true }, { "2001:db8:0::1", true }, { "0:0::2", true }, { "10.0.0.1", true },
        { "host.example.or", false }, { "host", false },            { "10.0.0.10", false },    { "::3", false },   { "", false },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        assert_int_equal(origin_is_allowed(list, cases[i].host), cases[i].allowed);
    assert_true(origin_is_allowed(NULL, "any"));
    assert_true(origin_is_allowed(none, "any"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones), cmocka_unit_test(refused_ones), cmocka_unit_test(length),
        cmocka_unit_test(the_slash), cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
