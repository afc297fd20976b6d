/* Roles, and the JSON bodies of the calls about users and one-time tokens: form first (422), then rules (400).
 * Whether an address is taken, or a password right, is not known here. */
#include "model/user.h"

#include "basic/strings.h"
#include "model/body.h"
#include "model/texts.h"

#include <errno.h>

static const char *const role_names[ROLE_MAX] = { [ROLE_USUARIO] = "usuario", [ROLE_OPERADOR] = "operador" };

const char *role_name(Role r) {
    return (unsigned) r < ROLE_MAX ? role_names[r] : NULL;
}

int role_parse(const char *name, Role *ret) {
    for (Role r = 0; r < ROLE_MAX; r++)
        if (streq(role_names[r], name)) {
            *ret = r;
            return 0;
        }
    return -EINVAL;
}

static int refuse(Refusal *refusal, const char *message) {
    refusal->status = 400;
    refusal->plain = true;
    refusal->message = message;
    return -EBADMSG;
}

/* 1 to USER_NAME_MAX characters, not all of them spaces, none that would disturb a terminal or a log line. text is UTF-8. */
static bool name_is_valid(const char *text) {
    size_t size = strlen(text), n = 0;

    if (is_blank(text))
        return false;
    for (size_t i = 0; i < size; n++) {
        uint32_t point;
        int length = utf8_decode(text + i, size - i, &point);
        if (length < 0 || point < ' ' || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 || (point >= 0x202a && point <= 0x202e))
            return false;
        i += (size_t) length;
    }
    return n <= USER_NAME_MAX;
}

static bool password_is_valid(const char *text) {
    size_t size = strlen(text);
    return size >= USER_PASSWORD_MIN && size <= USER_PASSWORD_MAX;
}

void new_user_done(NewUser *n) {
    wipe_free(n->password);
    n->password = NULL;
}

int new_user_parse(const char *body, size_t size, NewUser *ret, Refusal *ret_refusal) {
    static const Field fields[] = { { "nombre", TEXT, true }, { "correo", TEXT, true }, { "password", TEXT, true } };
    _cleanup_(json_drop) json_t *root = NULL;
    NewUser n = { 0 };

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const char *name = json_string_value(json_object_get(root, "nombre"));
    const char *email = json_string_value(json_object_get(root, "correo"));
    const char *password = json_string_value(json_object_get(root, "password"));
    if (!name_is_valid(name))
        return refuse(ret_refusal, TEXT_BAD_NAME);
    if (!email_is_valid(email))
        return refuse(ret_refusal, TEXT_BAD_EMAIL);
    if (!password_is_valid(password))
        return refuse(ret_refusal, TEXT_BAD_PASSWORD);
    n.password = strdup(password);
    if (!n.password)
        return -ENOMEM;
    strcpy(n.name, name);
    strcpy(n.email, email);
    email_normalize(n.email);
    *ret = n;
    return 0;
}

int login_body_parse(const char *body, size_t size, NewUser *ret, Refusal *ret_refusal) {
    static const Field fields[] = { { "correo", TEXT, true }, { "password", TEXT, true } };
    _cleanup_(json_drop) json_t *root = NULL;
    NewUser n = { 0 };

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const char *email = json_string_value(json_object_get(root, "correo"));
    n.password = strdup(json_string_value(json_object_get(root, "password")));
    if (!n.password)
        return -ENOMEM;
    if (email_is_valid(email)) {
        strcpy(n.email, email);
        email_normalize(n.email);
    }
    *ret = n;
    return 0;
}

void user_change_done(UserChange *c) {
    wipe_free(c->password);
    c->password = NULL;
}

int user_change_parse(const char *body, size_t size, UserChange *ret, Refusal *ret_refusal) {
    static const Field fields[] = { { "is_active", BOOLEAN, false }, { "rol", TEXT, false }, { "password", TEXT, false } };
    _cleanup_(json_drop) json_t *root = NULL;
    UserChange c = { 0 };

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const json_t *active = json_object_get(root, "is_active");
    const char *role = json_string_value(json_object_get(root, "rol"));
    const char *password = json_string_value(json_object_get(root, "password"));
    if (!active && !role && !password)
        return refuse(ret_refusal, TEXT_NOTHING_TO_CHANGE);
    if (role && role_parse(role, &c.role) < 0)
        return refuse(ret_refusal, TEXT_BAD_ROLE);
    if (password && !password_is_valid(password))
        return refuse(ret_refusal, TEXT_BAD_PASSWORD);
    c.has_active = active != NULL;
    c.active = json_is_true(active);
    c.has_role = role != NULL;
    if (password && !(c.password = strdup(password)))
        return -ENOMEM;
    *ret = c;
    return 0;
}

int token_body_parse(const char *body, size_t size, char ret[static ONETIME_TOKEN_SIZE], Refusal *ret_refusal) {
    static const Field fields[] = { { "token", TEXT, true } };
    _cleanup_(json_drop) json_t *root = NULL;

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;

    const char *token = json_string_value(json_object_get(root, "token"));
    strcpy(ret, strlen(token) < ONETIME_TOKEN_SIZE ? token : "");
    return 0;
}
