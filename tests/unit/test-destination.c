/* Bodies about destinations: what makes one, what changes one, what is refused and in which words. */
#include "model/destination.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define KEY "SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
#define FTP "\"name\":\"socio\",\"type\":\"ftp\",\"host\":\"ftp.example.org\",\"username\":\"ana\",\"password\":\"x\""
#define SFTP "\"name\":\"socio\",\"type\":\"sftp\",\"host\":\"ftp.example.org\",\"username\":\"ana\",\"password\":\"x\""

static int apply(const char *body, bool whole, Destination *d, Refusal *refusal) {
    _cleanup_destination_body_ DestinationBody b = { 0 };
    int r = destination_body_parse(body, strlen(body), whole, &b, refusal);

    return r < 0 ? r : destination_body_apply(&b, d, refusal);
}

static void types(void **state) {
    DestinationType t;

    for (DestinationType i = 0; i < DESTINATION_TYPE_MAX; i++) {
        assert_int_equal(destination_type_parse(destination_type_name(i), &t), 0);
        assert_int_equal(t, i);
    }
    assert_int_equal(destination_type_parse("FTP", &t), -EINVAL);
    assert_int_equal(destination_type_port(DESTINATION_FTPS), 21);
    assert_int_equal(destination_type_port(DESTINATION_SFTP), 22);
}

static void a_new_one(void **state) {
    Destination d = { 0 };
    Refusal refusal;

    assert_int_equal(apply("{" FTP ",\"otra\":1}", true, &d, &refusal), 0);
    assert_string_equal(d.name, "socio");
    assert_int_equal(d.type, DESTINATION_FTP);
    assert_int_equal(d.port, 21);
    assert_string_equal(d.path, ".");
    assert_string_equal(d.group, "");
    assert_false(d.is_default);
    d = (Destination) { 0 };
    assert_int_equal(apply("{" SFTP ",\"port\":2222,\"path\":\"/en trada/ñ\",\"group\":\"unam.mx\",\"is_default\":true,\"host_key\":\"" KEY "\"}", true, &d, &refusal), 0);
    assert_int_equal(d.port, 2222);
    assert_string_equal(d.path, "/en trada/ñ");
    assert_string_equal(d.group, "unam.mx");
    assert_true(d.is_default);
    assert_string_equal(d.host_key, KEY);
}

static void an_ipv6_address_loses_its_brackets(void **state) {
    Destination d = { 0 };
    Refusal refusal;

    assert_int_equal(apply("{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"[2001:db8::1]\",\"username\":\"u\",\"password\":\"p\"}", true, &d, &refusal), 0);
    assert_string_equal(d.host, "2001:db8::1");
}

static void a_change_keeps_the_rest(void **state) {
    Destination d = { .id = 1, .name = "a", .type = DESTINATION_SFTP, .host = "h", .port = 22, .username = "u", .password = (char *) "token", .path = "/p",
                      .host_key = KEY, .seen_key = KEY };
    Refusal refusal;

    assert_int_equal(apply("{\"username\":\"otro\",\"type\":\"sftp\",\"host\":\"h\"}", false, &d, &refusal), 0);
    assert_string_equal(d.username, "otro");
    assert_string_equal(d.path, "/p");
    assert_string_equal(d.host_key, KEY);
    assert_int_equal(apply("{\"host\":\"h2\"}", false, &d, &refusal), 0); /* another server: its key is another's */
    assert_string_equal(d.host_key, "");
    assert_string_equal(d.seen_key, "");
    assert_int_equal(apply("{\"host_key\":\"" KEY "\"}", false, &d, &refusal), 0);
    assert_int_equal(apply("{\"port\":2022}", false, &d, &refusal), 0);
    assert_string_equal(d.host_key, "");
    assert_int_equal(apply("{\"host\":\"h3\",\"host_key\":\"" KEY "\"}", false, &d, &refusal), 0);
    assert_string_equal(d.host_key, KEY);
    assert_int_equal(apply("{\"host_key\":\"\"}", false, &d, &refusal), 0);
    assert_string_equal(d.host_key, "");
}

static void changes_that_are_refused(void **state) {
    static const struct {
        const char *body, *says;
        DestinationType type;
    } cases[] = {
        { "{\"type\":\"ftps\"}", "no cambia", DESTINATION_FTP },
        { "{\"ssh_key\":\"-----BEGIN PRIVATE KEY-----\\n\"}", "solo para", DESTINATION_FTP },
        { "{\"host_key\":\"" KEY "\"}", "solo para", DESTINATION_FTPS },
        { "{\"password\":\"\"}", "Falta password", DESTINATION_FTP },
        { "{\"password\":\"\"}", "Falta password o ssh_key", DESTINATION_SFTP },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Destination d = { .id = 1, .name = "a", .type = cases[i].type, .host = "h", .port = 21, .password = (char *) "token" };
        Refusal refusal;
        assert_int_equal(apply(cases[i].body, false, &d, &refusal), -EBADMSG);
        assert_int_equal(refusal.status, 400);
        assert_non_null(strstr(refusal.message, cases[i].says));
    }
}

typedef struct Case {
    const char *body;
    int status;
    const char *says; /* 400: in the text; 422: the first field's type */
} Case;

static void bodies_that_are_refused(void **state) {
    static const Case cases[] = {
        { "", 422, "missing" },
        { "[]", 422, "model_attributes_type" },
        { "{", 422, "json_invalid" },
        { "{" FTP ",\"name\":\"x\"}", 422, "json_invalid" },
        { "{\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\"}", 422, "missing" },
        { "{" FTP ",\"port\":\"21\"}", 422, "int_type" },
        { "{" FTP ",\"port\":21.0}", 422, "int_type" },
        { "{" FTP ",\"path\":null}", 422, "string_type" },
        { "{" FTP ",\"is_default\":1}", 422, "bool_type" },
        { "{" FTP ",\"port\":0}", 400, "Puerto" },
        { "{" FTP ",\"port\":65536}", 400, "Puerto" },
        { "{" FTP ",\"path\":\"\"}", 400, "Ruta" },
        { "{" FTP ",\"path\":\"/a/../b\"}", 400, "Ruta" },
        { "{" FTP ",\"path\":\"/a\\r\\nDELE x\"}", 400, "Ruta" },
        { "{" FTP ",\"group\":\"a b\"}", 400, "Grupo" },
        { "{" FTP ",\"group\":\"-a\"}", 400, "Grupo" },
        { "{" FTP ",\"ssh_key\":\"-----BEGIN PRIVATE KEY-----\"}", 400, "ssh_key es solo" },
        { "{" SFTP ",\"ssh_key\":\"secreto\"}", 400, "Clave SSH" },
        { "{" SFTP ",\"ssh_key\":\"-----BEGIN ENCRYPTED PRIVATE KEY-----\"}", 400, "Clave SSH" },
        { "{" SFTP ",\"host_key\":\"SHA256:corta\"}", 400, "Huella" },
        { "{" SFTP ",\"host_key\":\"MD5:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG\"}", 400, "Huella" },
        { "{\"name\":\"7\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\"}", 400, "Nombre" },
        { "{\"name\":\"\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\"}", 400, "Nombre" },
        { "{\"name\":\" a\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\"}", 400, "Nombre" },
        { "{\"name\":\"a\\u0007\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\"}", 400, "Nombre" },
        { "{\"name\":\"a\",\"type\":\"http\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\"}", 400, "Tipo" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"-h\",\"username\":\"u\",\"password\":\"p\"}", 400, "Servidor" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"h/x\",\"username\":\"u\",\"password\":\"p\"}", 400, "Servidor" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"h@b\",\"username\":\"u\",\"password\":\"p\"}", 400, "Servidor" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"fe80::1%1\",\"username\":\"u\",\"password\":\"p\"}", 400, "Servidor" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\\nPASS\",\"password\":\"p\"}", 400, "Usuario" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\",\"password\":\"p\\r\\n\"}", 400, "Contraseña" },
        { "{\"name\":\"a\",\"type\":\"ftp\",\"host\":\"h\",\"username\":\"u\"}", 400, "Falta password" },
        { "{\"name\":\"a\",\"type\":\"sftp\",\"host\":\"h\",\"username\":\"u\"}", 400, "Falta password o ssh_key" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Destination d = { 0 };
        Refusal refusal;
        if (apply(cases[i].body, true, &d, &refusal) != -EBADMSG || refusal.status != cases[i].status)
            fail_msg("%s: %d", cases[i].body, refusal.status);
        if (refusal.status == 400 ? !refusal.plain || !strstr(refusal.message, cases[i].says) : !streq(refusal.errors[0].type, cases[i].says))
            fail_msg("%s: %s", cases[i].body, refusal.status == 400 ? refusal.message : refusal.errors[0].type);
    }
}

static void lengths(void **state) {
    static const struct {
        const char *key;
        size_t max;
        char fill;
    } cases[] = { { "name", 64, 'n' }, { "host", 253, 'h' }, { "username", 128, 'u' }, { "password", 256, 'p' }, { "path", 1024, 'r' }, { "group", 253, 'g' } };

    for (size_t i = 0; i < ELEMENTS(cases); i++)
        for (size_t more = 0; more < 2; more++) {
            char body[2048], text[1100];
            Destination d = { .id = 1, .type = DESTINATION_FTP, .port = 21, .password = (char *) "t" };
            Refusal refusal;
            memset(text, cases[i].fill, cases[i].max + more);
            text[cases[i].max + more] = '\0';
            snprintf(body, sizeof(body), "{\"%s\":\"%s\"}", cases[i].key, text);
            assert_int_equal(apply(body, false, &d, &refusal), more ? -EBADMSG : 0);
        }
}

static void who_is_asked_to_export(void **state) {
    ExportBody b;
    Refusal refusal;
    static const Case refused[] = {
        { "{}", 400, "Indique" }, { "{\"destination_id\":1,\"destination_name\":\"a\"}", 400, "no ambos" },
        { "{\"destination_id\":\"1\"}", 422, "int_type" }, { "{\"destination_name\":1}", 422, "string_type" },
    };

    assert_int_equal(export_body_parse("{\"destination_id\":7}", 20, &b, &refusal), 0);
    assert_int_equal(b.id, 7);
    assert_int_equal(export_body_parse("{\"destination_id\":-7}", 21, &b, &refusal), 0);
    assert_true(b.id == INT64_MAX);
    assert_int_equal(export_body_parse("{\"destination_name\":\"socio\"}", 28, &b, &refusal), 0);
    assert_int_equal(b.id, 0);
    assert_string_equal(b.name, "socio");
    assert_int_equal(export_body_parse("{\"destination_name\":\"7\"}", 24, &b, &refusal), 0);
    assert_string_equal(b.name, "");
    for (size_t i = 0; i < ELEMENTS(refused); i++) {
        assert_int_equal(export_body_parse(refused[i].body, strlen(refused[i].body), &b, &refusal), -EBADMSG);
        assert_int_equal(refusal.status, refused[i].status);
    }
}

static void the_group_of_a_request(void **state) {
    Request r = { .email = "ana@unam.mx" };
    bool domain;

    assert_string_equal(request_export_group(&r, &domain), "unam.mx");
    assert_true(domain);
    strcpy(r.group, "lanot");
    assert_string_equal(request_export_group(&r, &domain), "lanot");
    assert_false(domain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(a_new_one),
        cmocka_unit_test(an_ipv6_address_loses_its_brackets),
        cmocka_unit_test(a_change_keeps_the_rest),
        cmocka_unit_test(changes_that_are_refused),
        cmocka_unit_test(bodies_that_are_refused),
        cmocka_unit_test(lengths),
        cmocka_unit_test(who_is_asked_to_export),
        cmocka_unit_test(the_group_of_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
