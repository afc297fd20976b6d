/* Bodies: what makes a request, what is 422 with which field and type, what is 400 with which sentence. */
#include "model/request.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const RequestRules open_rules = { .vigencia_max = 90 };

static int parse(const char *body, const RequestRules *rules, NewRequest *n, Refusal *refusal) {
    return new_request_parse(body, strlen(body), rules, n, refusal);
}

static void a_good_body(void **state) {
    _cleanup_new_request_ NewRequest n = { 0 };
    Refusal refusal;

    assert_int_equal(parse("{\"usuario\":\"Test.User@Example.com\",\"id\":\"proyecto_test_1\",\"ruta\":\"10.0.0.1:/data/source\","
                           "\"vigencia\":5,\"grupo\":\"lanot\",\"otra\":{\"x\":[1,2.5,null]}}",
                           &open_rules, &n, &refusal),
                     0);
    assert_string_equal(n.id, "proyecto_test_1");
    assert_string_equal(n.email, "test.user@example.com");
    assert_string_equal(n.ruta, "10.0.0.1:/data/source");
    assert_string_equal(n.group, "lanot");
    assert_int_equal(n.vigencia, 5);
}

static void defaults(void **state) {
    static const struct {
        int max, vigencia;
    } cases[] = { { 90, 10 }, { 10, 10 }, { 3, 3 } };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_new_request_ NewRequest n = { 0 };
        Refusal refusal;
        RequestRules rules = { .vigencia_max = cases[i].max };
        assert_int_equal(parse("{\"usuario\":\"a@b\",\"id\":\"i\",\"ruta\":\"h:/x\"}", &rules, &n, &refusal), 0);
        assert_int_equal(n.vigencia, cases[i].vigencia);
        assert_string_equal(n.group, "");
    }
}

/* 422: "field/type" of every entry; "-" is the body itself. */
static void malformed(void **state) {
    static const struct {
        const char *body, *errors;
    } cases[] = {
        { "", "-/missing " },
        { " ", "-/json_invalid " },
        { "{", "-/json_invalid " },
        { "nope", "-/json_invalid " },
        { "{}x", "-/json_invalid " },
        { "{'id':1}", "-/json_invalid " },
        { "{\"a\":1,}", "-/json_invalid " },
        { "{\"a\":\"\xff\"}", "-/json_invalid " },
        { "{\"a\":\"\\u0000\"}", "-/json_invalid " },
        { "{\"a\":\"\\ud800\"}", "-/json_invalid " },
        { "{\"a\":1,\"a\":2}", "-/json_invalid " },
        { "{\"x\":{\"a\":1,\"a\":2}}", "-/json_invalid " },
        { "{\"a\":1e999}", "-/json_invalid " },
        { "{\"a\":99999999999999999999}", "-/json_invalid " },
        { "\xef\xbb\xbf{}", "-/json_invalid " },
        { "[]", "-/model_attributes_type " },
        { "[{\"usuario\":\"a@b\"}]", "-/model_attributes_type " },
        { "null", "-/json_invalid " },
        { "{}", "usuario/missing id/missing ruta/missing " },
        { "{\"usuario\":null,\"id\":null,\"ruta\":null,\"vigencia\":null,\"grupo\":null}",
          "usuario/string_type id/string_type ruta/string_type vigencia/int_type grupo/string_type " },
        { "{\"usuario\":1,\"id\":true,\"ruta\":[],\"vigencia\":\"5\",\"grupo\":{}}",
          "usuario/string_type id/string_type ruta/string_type vigencia/int_type grupo/string_type " },
        { "{\"usuario\":\"a@b\",\"id\":\"i\",\"ruta\":\"h:/x\",\"vigencia\":1.5}", "vigencia/int_type " },
        { "{\"usuario\":\"a@b\",\"id\":\"i\",\"ruta\":\"h:/x\",\"vigencia\":5.0}", "vigencia/int_type " },
        { "{\"usuario\":\"a@b\",\"id\":\"i\",\"ruta\":\"h:/x\",\"vigencia\":true}", "vigencia/int_type " },
        { "{\"usuario\":\"no\",\"id\":\"..\",\"ruta\":5}", "ruta/string_type " }, /* form before rules */
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        NewRequest n = { 0 };
        Refusal refusal;
        char errors[256] = "";
        assert_int_equal(parse(cases[i].body, &open_rules, &n, &refusal), -EBADMSG);
        assert_int_equal(refusal.status, 422);
        for (size_t e = 0; e < refusal.n_errors; e++) {
            const FieldError *f = &refusal.errors[e];
            snprintf(errors + strlen(errors), sizeof(errors) - strlen(errors), "%s/%s ", f->field ? f->field : "-", f->type);
            assert_false(is_blank(f->message));
        }
        assert_string_equal(errors, cases[i].errors);
        assert_null(n.ruta);
    }
}

static void size_and_depth(void **state) {
    _cleanup_free_ char *body = malloc(REQUEST_BODY_MAX + 2);
    NewRequest n;
    Refusal refusal;

    memset(body, '[', REQUEST_BODY_MAX + 1);
    assert_int_equal(new_request_parse(body, REQUEST_BODY_MAX, &open_rules, &n, &refusal), -EBADMSG);
    assert_int_equal(new_request_parse(body, REQUEST_BODY_MAX + 1, &open_rules, &n, &refusal), -EBADMSG);
    assert_int_equal(refusal.status, 422);
}

/* 400, in the contract's order: id, usuario, vigencia, grupo, ruta, origin. */
static void refused(void **state) {
    char *origins[] = { (char[]) { "good" }, NULL };
    const RequestRules rules = { .vigencia_max = 90, .origins = origins };
    static const struct {
        const char *usuario, *id, *ruta;
        long long vigencia;
        const char *grupo, *message;
    } cases[] = {
        { "x", "a/b", "x", 0, "-", "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'" },
        { "x", "", "x", 0, "-", "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'" },
        { "x", "user", "x", 0, "-", "ID inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'" },
        { "x", "i", "x", 0, "-", "Correo inválido" },
        { "", "i", "x", 0, "-", "Correo inválido" },
        { "a@b", "i", "x", 0, "-", "Vigencia inválida: de 1 a 90 días" },
        { "a@b", "i", "x", -5, "-", "Vigencia inválida: de 1 a 90 días" },
        { "a@b", "i", "x", 91, "-", "Vigencia inválida: de 1 a 90 días" },
        { "a@b", "i", "x", 4294967297, "-", "Vigencia inválida: de 1 a 90 días" },
        { "a@b", "i", "x", INT64_MAX, "-", "Vigencia inválida: de 1 a 90 días" },
        { "a@b", "i", "x", 1, "-", "Grupo inválido: use de 1 a 64 letras, dígitos, '.', '_' o '-'" },
        { "a@b", "i", "x", 1, "g", "Ruta remota inválida, use 'host:/ruta' o 'usuario@host:/ruta'" },
        { "a@b", "i", "bad:x", 1, "g", "Ruta remota inválida: la ruta debe iniciar con '/'" },
        { "a@b", "i", "bad:/x", 90, "g", "Origen no permitido: bad" },
        { "a@b", "i", "u@bad:/x", 90, "g", "Origen no permitido: bad" },
        { "a@b", "i", "good:/x", 90, "g", NULL },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_new_request_ NewRequest n = { 0 };
        Refusal refusal;
        char body[512];
        snprintf(body, sizeof(body), "{\"usuario\":\"%s\",\"id\":\"%s\",\"ruta\":\"%s\",\"vigencia\":%lld,\"grupo\":\"%s\"}",
                 cases[i].usuario, cases[i].id, cases[i].ruta, cases[i].vigencia, cases[i].grupo);
        int r = parse(body, &rules, &n, &refusal);
        assert_int_equal(r, cases[i].message ? -EBADMSG : 0);
        if (r == 0)
            continue;
        assert_int_equal(refusal.status, 400);
        assert_string_equal(refusal.message, cases[i].message);
        assert_string_equal(refusal.cut_id, cases[i].id);
        assert_string_equal(refusal.id, cases[i].id);
    }
}

static void the_id_is_cut(void **state) {
    char body[1024], id[400] = "", expected[400] = "";
    NewRequest n;
    Refusal refusal;

    for (int i = 0; i < 70; i++) {
        strcat(id, "€");
        if (i < 64)
            strcat(expected, "€");
    }
    snprintf(body, sizeof(body), "{\"usuario\":\"a@b\",\"id\":\"%s\",\"ruta\":\"h:/x\"}", id);
    assert_int_equal(parse(body, &open_rules, &n, &refusal), -EBADMSG);
    assert_string_equal(refusal.cut_id, expected);
    assert_int_equal(strlen(refusal.id), 63); /* 21 whole characters of three bytes */
    assert_true(utf8_is_valid(refusal.id, strlen(refusal.id)));
}

static void block_bodies(void **state) {
    char long_reason[900], fits[900];
    static const struct {
        const char *body, *reason;
        bool refused;
    } cases[] = {
        { "", NULL, false },
        { "{}", NULL, false },
        { "{\"razon\":\"abuso\"}", "abuso", false },
        { "{\"razon\":\"\"}", NULL, false },
        { "{\"razon\":\"  \",\"descargas\":3}", NULL, false },
        { "{\"razon\":null}", NULL, true },
        { "{\"razon\":5}", NULL, true },
        { "{\"descargas\":\"3\"}", NULL, true },
        { "[]", NULL, true },
        { "x", NULL, true },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_free_ char *reason = NULL;
        Refusal refusal;
        int r = block_body_parse(cases[i].body, strlen(cases[i].body), &reason, &refusal);
        assert_int_equal(r, cases[i].refused ? -EBADMSG : 0);
        assert_true(streq_null(reason, cases[i].reason));
    }

    strcpy(fits, "{\"razon\":\"");
    for (int i = 0; i < REASON_MAX; i++) /* characters, not bytes */
        strcat(fits, "ñ");
    strcpy(long_reason, fits);
    strcat(fits, "\"}");
    strcat(long_reason, "n\"}");
    _cleanup_free_ char *reason = NULL;
    Refusal refusal;
    assert_int_equal(block_body_parse(fits, strlen(fits), &reason, &refusal), 0);
    assert_int_equal(strlen(reason), 400);
    assert_int_equal(block_body_parse(long_reason, strlen(long_reason), &reason, &refusal), -EBADMSG);
    assert_string_equal(refusal.errors[0].type, "string_too_long");
    assert_string_equal(refusal.errors[0].field, "razon");
}

static void extend_bodies(void **state) {
    static const struct {
        const char *body;
        int days;
        const char *type; /* of the refusal */
    } cases[] = {
        { "{\"dias\":1}", 1, NULL },
        { "{\"dias\":36500,\"x\":1}", 36500, NULL },
        { "{\"dias\":0}", 0, "greater_than_equal" },
        { "{\"dias\":-3}", 0, "greater_than_equal" },
        { "{\"dias\":36501}", 0, "less_than_equal" },
        { "{\"dias\":9223372036854775807}", 0, "less_than_equal" },
        { "{\"dias\":1.5}", 0, "int_type" },
        { "{\"dias\":\"1\"}", 0, "int_type" },
        { "{}", 0, "missing" },
        { "", 0, "missing" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        int days = 0;
        Refusal refusal;
        int r = extend_body_parse(cases[i].body, strlen(cases[i].body), &days, &refusal);
        assert_int_equal(r, cases[i].type ? -EBADMSG : 0);
        assert_int_equal(days, cases[i].days);
        if (r < 0) {
            assert_int_equal(refusal.status, 422);
            assert_int_equal(refusal.n_errors, 1);
            assert_string_equal(refusal.errors[0].type, cases[i].type);
        }
    }
}

static void drop_bodies(void **state) {
    static const struct {
        const char *body;
        uint64_t bytes;
        const char *type; /* NULL: fine */
    } cases[] = {
        { "", DROP_BYTES_DEFAULT, NULL },
        { "{}", DROP_BYTES_DEFAULT, NULL },
        { "{\"bytes\":1}", 1, NULL },
        { "{\"bytes\":1000000000000000}", DROP_BYTES_MAX, NULL },
        { "{\"bytes\":1000000000000001}", 0, "less_than_equal" },
        { "{\"bytes\":0}", 0, "greater_than_equal" },
        { "{\"bytes\":-5}", 0, "greater_than_equal" },
        { "{\"bytes\":\"10G\"}", 0, "int_type" },
        { "{\"bytes\":null}", 0, "int_type" },
        { "{\"bytes\":1.5}", 0, "int_type" },
        { "{\"bytes\":99999999999999999999}", 0, "json_invalid" },
        { "nonsense", 0, "json_invalid" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Refusal refusal = { 0 };
        uint64_t bytes = 0;
        int r = drop_body_parse(cases[i].body, strlen(cases[i].body), &bytes, &refusal);
        assert_int_equal(r, cases[i].type ? -EBADMSG : 0);
        if (r < 0) {
            assert_int_equal(refusal.status, 422);
            assert_int_equal(refusal.n_errors, 1);
            assert_string_equal(refusal.errors[0].type, cases[i].type);
        } else
            assert_true(bytes == cases[i].bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_body), cmocka_unit_test(defaults),      cmocka_unit_test(malformed),    cmocka_unit_test(size_and_depth),
        cmocka_unit_test(refused),     cmocka_unit_test(the_id_is_cut), cmocka_unit_test(block_bodies), cmocka_unit_test(extend_bodies),
        cmocka_unit_test(drop_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
