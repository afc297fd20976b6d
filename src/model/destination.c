/* Destinations: the words of their bodies, form first (422), then rules (400). What a name resolves to, whether it is taken, and how secrets are kept is
 * not known here.
 *
 * Everything that ends up in a command of FTP or SFTP (user, password, path) is free of control characters: a line of FTP ends where a CR LF says so. */
#include "model/destination.h"

#include "basic/strings.h"
#include "model/body.h"
#include "model/texts.h"

#include <errno.h>

static const struct {
    const char *name;
    uint16_t port;
} types[DESTINATION_TYPE_MAX] = {
    [DESTINATION_FTP] = { "ftp", 21 },
    [DESTINATION_FTPS] = { "ftps", 21 }, /* explicit: AUTH TLS on the usual port */
    [DESTINATION_SFTP] = { "sftp", 22 },
};

const char *destination_type_name(DestinationType t) {
    return (unsigned) t < DESTINATION_TYPE_MAX ? types[t].name : NULL;
}

int destination_type_parse(const char *name, DestinationType *ret) {
    for (DestinationType t = 0; t < DESTINATION_TYPE_MAX; t++)
        if (streq(types[t].name, name)) {
            *ret = t;
            return 0;
        }
    return -EINVAL;
}

uint16_t destination_type_port(DestinationType t) {
    return types[t].port;
}

void destination_done(Destination *d) {
    free(d->password);
    free(d->ssh_key);
    d->password = d->ssh_key = NULL;
}

/* ---- single rules ---- */

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool host_key_is_valid(const char *text) {
    if (!has_prefix(text, "SHA256:") || strlen(text) != HOST_KEY_SIZE - 1)
        return false;
    for (const char *p = text + strlen("SHA256:"); *p; p++)
        if (!is_alnum(*p) && *p != '+' && *p != '/')
            return false;
    return true;
}

/* UTF-8 of 1 to max characters that would disturb neither a terminal nor a protocol of lines. */
static bool is_plain(const char *text, size_t max) {
    size_t size = strlen(text), n = 0;

    for (size_t i = 0; i < size; n++) {
        uint32_t point;
        int length = utf8_decode(text + i, size - i, &point);
        if (length < 0 || point < ' ' || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 || (point >= 0x202a && point <= 0x202e))
            return false;
        i += (size_t) length;
    }
    return n > 0 && n <= max;
}

/* A number alone is an id in the client's command line, and a name never begins or ends with a space. */
static bool name_is_valid(const char *text) {
    return is_plain(text, DESTINATION_NAME_MAX) && text[strspn(text, "0123456789")] != '\0' && text[0] != ' ' && text[strlen(text) - 1] != ' ';
}

/* A name, an IPv4 address, or an IPv6 address without brackets. */
static bool host_is_valid(const char *text) {
    bool colon = strchr(text, ':');

    if (!text[0] || text[0] == '-' || strlen(text) > DESTINATION_HOST_MAX)
        return false;
    for (const char *p = text; *p; p++)
        if (colon ? !(strchr("0123456789abcdefABCDEF:.", *p)) : !is_alnum(*p) && !strchr("._-", *p))
            return false;
    return true;
}

static bool username_is_valid(const char *text) {
    return strlen(text) <= DESTINATION_USERNAME_MAX && is_plain(text, DESTINATION_USERNAME_MAX);
}

static bool password_is_valid(const char *text) {
    return !text[0] || (strlen(text) <= DESTINATION_PASSWORD_MAX && is_plain(text, DESTINATION_PASSWORD_MAX));
}

/* The text of a private key file, without a passphrase as nobody could type it; whether a key is in it the server's library says. */
static bool ssh_key_is_valid(const char *text) {
    return !text[0] || (strlen(text) <= DESTINATION_SSH_KEY_MAX && has_prefix(text, "-----BEGIN ") && strstr(text, "PRIVATE KEY-----") &&
                        !strstr(text, "ENCRYPTED"));
}

static bool path_is_valid(const char *text) {
    return strlen(text) <= DESTINATION_PATH_MAX && is_plain(text, DESTINATION_PATH_MAX) && !path_climbs(text);
}

static bool group_is_fine(const char *text) {
    if (strlen(text) > DESTINATION_GROUP_MAX || (text[0] && !is_alnum(text[0])))
        return false;
    for (const char *p = text; *p; p++)
        if (!is_alnum(*p) && !strchr("._-", *p))
            return false;
    return true;
}

static bool host_key_is_fine(const char *text) {
    return !text[0] || host_key_is_valid(text);
}

/* ---- bodies ---- */

void destination_body_done(DestinationBody *b) {
    free(b->name);
    free(b->host);
    free(b->username);
    wipe_free(b->password);
    wipe_free(b->ssh_key);
    free(b->path);
    free(b->group);
    free(b->host_key);
    *b = (DestinationBody) { 0 };
}

static int refuse(Refusal *refusal, const char *message) {
    *refusal = (Refusal) { .status = 400, .plain = true, .message = message };
    return -EBADMSG;
}

static const struct {
    const char *key;
    size_t offset;
    bool (*is_valid)(const char *text);
    const char *refusal;
} texts[] = {
    { "name", offsetof(DestinationBody, name), name_is_valid, "Nombre inválido: de 1 a 64 caracteres, no solo dígitos" },
    { "host", offsetof(DestinationBody, host), host_is_valid, "Servidor inválido: un nombre o una dirección IP" },
    { "username", offsetof(DestinationBody, username), username_is_valid, "Usuario inválido: de 1 a 128 bytes sin caracteres de control" },
    { "password", offsetof(DestinationBody, password), password_is_valid, "Contraseña inválida: hasta 256 bytes sin caracteres de control" },
    { "ssh_key", offsetof(DestinationBody, ssh_key), ssh_key_is_valid,
      "Clave SSH inválida: el texto de una clave privada sin frase de paso, de hasta 12000 bytes" },
    { "path", offsetof(DestinationBody, path), path_is_valid, "Ruta inválida: de 1 a 1024 bytes, sin '..' ni caracteres de control" },
    { "group", offsetof(DestinationBody, group), group_is_fine, "Grupo inválido: use letras, dígitos, '.', '_' o '-'" },
    { "host_key", offsetof(DestinationBody, host_key), host_key_is_fine, "Huella inválida: se espera SHA256: y 43 caracteres, como la muestra ssh-keygen -l" },
};

static int take_texts(const json_t *root, DestinationBody *b, Refusal *refusal) {
    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        const char *given = json_string_value(json_object_get(root, texts[i].key));
        char **to = (char **) ((char *) b + texts[i].offset);
        size_t size = given ? strlen(given) : 0;

        if (!given)
            continue;
        if (texts[i].is_valid == host_is_valid && size > 2 && given[0] == '[' && given[size - 1] == ']') {
            given++;
            size -= 2;
        }
        *to = strndup(given, size);
        if (!*to)
            return -ENOMEM;
        if (!texts[i].is_valid(*to))
            return refuse(refusal, texts[i].refusal);
    }
    return 0;
}

static int take_values(const json_t *root, DestinationBody *b, Refusal *refusal) {
    const char *type = json_string_value(json_object_get(root, "type"));
    const json_t *port = json_object_get(root, "port"), *is_default = json_object_get(root, "is_default");
    json_int_t number = json_integer_value(port);

    if (type && destination_type_parse(type, &b->type) < 0)
        return refuse(refusal, "Tipo inválido: ftp, ftps o sftp");
    if (port && (number < 1 || number > UINT16_MAX))
        return refuse(refusal, "Puerto inválido: de 1 a 65535");
    b->has_type = type;
    b->has_port = port;
    b->port = (uint16_t) number;
    b->has_default = is_default;
    b->is_default = json_is_true(is_default);
    return 0;
}

int destination_body_parse(const char *body, size_t size, bool whole, DestinationBody *ret, Refusal *ret_refusal) {
    const Field fields[] = {
        { "name", TEXT, whole },     { "type", TEXT, whole },     { "host", TEXT, whole },     { "port", INTEGER, false },
        { "username", TEXT, whole }, { "password", TEXT, false }, { "ssh_key", TEXT, false },  { "path", TEXT, false },
        { "group", TEXT, false },    { "host_key", TEXT, false }, { "is_default", BOOLEAN, false },
    };
    _cleanup_(json_drop) json_t *root = NULL;
    _cleanup_destination_body_ DestinationBody b = { 0 };

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r >= 0)
        r = take_values(root, &b, ret_refusal);
    if (r >= 0)
        r = take_texts(root, &b, ret_refusal);
    if (r < 0)
        return r;
    *ret = b;
    b = (DestinationBody) { 0 };
    return 0;
}

/* Is there one after the change? */
static bool has_secret(const char *given, const char *kept) {
    return given ? given[0] : kept != NULL;
}

static void set(char *to, const char *given) {
    if (given)
        strcpy(to, given); /* as long as its rule allows: never longer than its field */
}

int destination_body_apply(const DestinationBody *b, Destination *d, Refusal *ret_refusal) {
    bool is_new = d->id == 0;
    DestinationType type = is_new ? b->type : d->type;
    uint16_t port = b->has_port ? b->port : is_new ? destination_type_port(type) : d->port;

    if (!is_new && b->has_type && b->type != d->type)
        return refuse(ret_refusal, TEXT_DESTINATION_TYPE);
    if (type != DESTINATION_SFTP && has_secret(b->ssh_key, NULL))
        return refuse(ret_refusal, "ssh_key es solo para el tipo sftp");
    if (type != DESTINATION_SFTP && has_secret(b->host_key, NULL))
        return refuse(ret_refusal, "host_key es solo para el tipo sftp");
    if (!has_secret(b->password, d->password) && !(type == DESTINATION_SFTP && has_secret(b->ssh_key, d->ssh_key)))
        return refuse(ret_refusal, type == DESTINATION_SFTP ? "Falta password o ssh_key" : "Falta password");
    if (!is_new && ((b->host && !streq(b->host, d->host)) || port != d->port))
        d->host_key[0] = d->seen_key[0] = '\0'; /* another server: nobody has seen its key */
    d->type = type;
    d->port = port;
    if (b->has_default)
        d->is_default = b->is_default;
    set(d->name, b->name);
    set(d->host, b->host);
    set(d->username, b->username);
    set(d->group, b->group);
    set(d->host_key, b->host_key);
    set(d->path, b->path ? b->path : is_new ? "." : NULL);
    return 0;
}

int export_body_parse(const char *body, size_t size, ExportBody *ret, Refusal *ret_refusal) {
    static const Field fields[] = { { "destination_id", INTEGER, false }, { "destination_name", TEXT, false } };
    _cleanup_(json_drop) json_t *root = NULL;
    ExportBody b = { 0 };

    int r = body_load(body, size, fields, ELEMENTS(fields), &root, ret_refusal);
    if (r < 0)
        return r;
    const json_t *id = json_object_get(root, "destination_id");
    const char *name = json_string_value(json_object_get(root, "destination_name"));
    json_int_t number = json_integer_value(id);
    if (!id && !name)
        return refuse(ret_refusal, TEXT_EXPORT_WHERE);
    if (id && name)
        return refuse(ret_refusal, "Indique destination_id o destination_name, no ambos");
    if (id)
        b.id = number > 0 ? (uint64_t) number : INT64_MAX;
    else if (name_is_valid(name))
        strcpy(b.name, name);
    *ret = b;
    return 0;
}

const char *request_export_group(const Request *r, bool *ret_domain) {
    const char *at = strrchr(r->email, '@');

    *ret_domain = !r->group[0] && at;
    return *ret_domain ? at + 1 : r->group;
}
