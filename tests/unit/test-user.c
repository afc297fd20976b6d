/* Users: roles, and what may stand in the bodies that are sent about them. */
#include "model/user.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void roles_have_names(void **state) {
    Role r = ROLE_MAX;

    for (Role i = 0; i < ROLE_MAX; i++) {
        assert_int_equal(role_parse(role_name(i), &r), 0);
        assert_int_equal(r, i);
    }
    assert_int_equal(role_parse("Operador", &r), -EINVAL);
    assert_int_equal(role_parse("", &r), -EINVAL);
    assert_null(role_name(ROLE_MAX));
}

static void a_registration(void **state) {
    static const char body[] = "{\"nombre\":\"Ana Ñúñez\",\"correo\":\"Ana@Example.org\",\"password\":\"doce letras!\",\"más\":1}";
    _cleanup_new_user_ NewUser n = { 0 };
    Refusal refusal;

    assert_int_equal(new_user_parse(body, strlen(body), &n, &refusal), 0);
    assert_string_equal(n.name, "Ana Ñúñez");
    assert_string_equal(n.email, "ana@example.org");
    assert_string_equal(n.password, "doce letras!");
}

typedef struct Case {
    const char *body;
    int status;
    const char *says; /* 400: the text; 422: the first field's type */
} Case;

static void check(int r, const Refusal *refusal, const Case *c) {
    assert_int_equal(r, -EBADMSG);
    assert_int_equal(refusal->status, c->status);
    if (c->status == 400) {
        assert_true(refusal->plain);
        assert_non_null(strstr(refusal->message, c->says));
    } else
        assert_string_equal(refusal->errors[0].type, c->says);
}

#define P11 "12345678901"
#define P64 "1234567890123456789012345678901234567890123456789012345678901234"
#define N101 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static void registrations_that_are_refused(void **state) {
    static const Case cases[] = {
        { "", 422, "missing" },
        { "[]", 422, "model_attributes_type" },
        { "{", 422, "json_invalid" },
        { "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\"}", 422, "missing" },
        { "{\"nombre\":null,\"correo\":\"a@b.org\",\"password\":\"" P64 "\"}", 422, "string_type" },
        { "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"password\":123456789012}", 422, "string_type" },
        { "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"correo\":\"c@d.org\",\"password\":\"" P64 "\"}", 422, "json_invalid" },
        { "{\"nombre\":\"\",\"correo\":\"a@b.org\",\"password\":\"" P64 "\"}", 400, "Nombre inválido" },
        { "{\"nombre\":\"  \",\"correo\":\"a@b.org\",\"password\":\"" P64 "\"}", 400, "Nombre inválido" },
        { "{\"nombre\":\"a\\u001bb\",\"correo\":\"a@b.org\",\"password\":\"" P64 "\"}", 400, "Nombre inválido" },
        { "{\"nombre\":\"a\\u202eb\",\"correo\":\"a@b.org\",\"password\":\"" P64 "\"}", 400, "Nombre inválido" },
        { "{\"nombre\":\"" N101 "\",\"correo\":\"a@b.org\",\"password\":\"" P64 "\"}", 400, "Nombre inválido" },
        { "{\"nombre\":\"Ana\",\"correo\":\"a b@c.org\",\"password\":\"" P64 "\"}", 400, "Correo inválido" },
        { "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"password\":\"" P11 "\"}", 400, "de 12 a 128 bytes" },
        { "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"password\":\"" P64 P64 "1\"}", 400, "de 12 a 128 bytes" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        NewUser n = { 0 };
        Refusal refusal;
        int r = new_user_parse(cases[i].body, strlen(cases[i].body), &n, &refusal);
        check(r, &refusal, &cases[i]);
        assert_null(n.password);
    }
}

static void passwords_from_12_to_128_bytes(void **state) {
    static const char *const bodies[] = {
        "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"password\":\"" P11 "2\"}",
        "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"password\":\"" P64 P64 "\"}",
        "{\"nombre\":\"Ana\",\"correo\":\"a@b.org\",\"password\":\"ññññññ\"}", /* 12 bytes, 6 characters */
    };

    for (size_t i = 0; i < ELEMENTS(bodies); i++) {
        _cleanup_new_user_ NewUser n = { 0 };
        Refusal refusal;
        assert_int_equal(new_user_parse(bodies[i], strlen(bodies[i]), &n, &refusal), 0);
    }
}

static void a_login_is_never_a_400(void **state) {
    static const char *const bodies[] = { "{\"correo\":\"\",\"password\":\"\"}", "{\"correo\":\"no address\",\"password\":\"x\"}",
                                          "{\"correo\":\"A@B.org\",\"password\":\"" P64 P64 P64 "\"}" };
    static const char *const emails[] = { "", "", "a@b.org" };
    static const Case wrong = { "{\"correo\":\"a@b.org\"}", 422, "missing" };
    Refusal refusal;

    for (size_t i = 0; i < ELEMENTS(bodies); i++) {
        _cleanup_new_user_ NewUser n = { 0 };
        assert_int_equal(login_body_parse(bodies[i], strlen(bodies[i]), &n, &refusal), 0);
        assert_string_equal(n.email, emails[i]);
        assert_non_null(n.password);
    }
    NewUser n = { 0 };
    check(login_body_parse(wrong.body, strlen(wrong.body), &n, &refusal), &refusal, &wrong);
}

static void changes(void **state) {
    static const char good[] = "{\"is_active\":false,\"rol\":\"operador\",\"password\":\"" P64 "\"}", one[] = "{\"is_active\":true}";
    static const Case cases[] = {
        { "{}", 400, "Nada que cambiar" },
        { "{\"rol\":\"jefe\"}", 400, "Rol inválido" },
        { "{\"password\":\"" P11 "\"}", 400, "de 12 a 128 bytes" },
        { "{\"is_active\":1}", 422, "bool_type" },
        { "{\"is_active\":\"true\"}", 422, "bool_type" },
        { "{\"is_active\":null}", 422, "bool_type" },
        { "{\"rol\":true}", 422, "string_type" },
    };
    _cleanup_user_change_ UserChange c = { 0 }, d = { 0 };
    Refusal refusal;

    assert_int_equal(user_change_parse(good, strlen(good), &c, &refusal), 0);
    assert_true(c.has_active && !c.active && c.has_role && c.role == ROLE_OPERADOR);
    assert_string_equal(c.password, P64);
    assert_int_equal(user_change_parse(one, strlen(one), &d, &refusal), 0);
    assert_true(d.has_active && d.active && !d.has_role && !d.password);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        UserChange e = { 0 };
        check(user_change_parse(cases[i].body, strlen(cases[i].body), &e, &refusal), &refusal, &cases[i]);
    }
}

static void a_token_is_taken_or_is_none(void **state) {
    static const char good[] = "{\"token\":\"abc\"}", long_one[] = "{\"token\":\"" P64 "\"}";
    static const Case wrong = { "{\"token\":5}", 422, "string_type" };
    char token[ONETIME_TOKEN_SIZE];
    Refusal refusal;

    assert_int_equal(token_body_parse(good, strlen(good), token, &refusal), 0);
    assert_string_equal(token, "abc");
    assert_int_equal(token_body_parse(long_one, strlen(long_one), token, &refusal), 0);
    assert_string_equal(token, "");
    check(token_body_parse(wrong.body, strlen(wrong.body), token, &refusal), &refusal, &wrong);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_have_names), cmocka_unit_test(a_registration),
        cmocka_unit_test(registrations_that_are_refused), cmocka_unit_test(passwords_from_12_to_128_bytes),
        cmocka_unit_test(a_login_is_never_a_400), cmocka_unit_test(changes),
        cmocka_unit_test(a_token_is_taken_or_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
