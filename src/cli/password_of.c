/* Finds the Fernet key and opens one token with it.
 *
 * Knows where keys are kept; prints no password and keeps none. */
#include "cli/password_of.h"

#include "basic/fds.h"
#include "basic/strings.h"
#include "basic/time.h"
#include "cli/service.h"
#include "cli/text.h"
#include "crypto/fernet.h"
#include "model/env_file.h"

#include <errno.h>

#define KEY_VARIABLE "TEMPOFTP_ENCRYPTION_KEY"
#define _cleanup_secret_ _cleanup_(wipe_freep)

/* -ENOENT: that source has none. */
static int key_from_env_file(const char *path, char **ret) {
    _cleanup_(env_file_freep) EnvFile *file = NULL;
    _cleanup_secret_ char *text = NULL;
    size_t size;

    int r = read_file(path, ENV_FILE_MAX, &text, &size);
    if (r == 0)
        r = env_file_parse(text, size, &file);
    if (r < 0) {
        complain("No se puede leer %s: %s", path, text_errno(-r));
        return r == -ENOENT ? -EIO : r; /* a file that was named has to be there */
    }
    const char *value = env_file_get(file, KEY_VARIABLE);
    if (is_blank(value))
        return -ENOENT;
    *ret = strdup(value);
    return *ret ? 0 : -ENOMEM;
}

static int key_from_file(char **ret) {
    size_t size = 0;
    int r = read_file(KEY_FILE, KEY_FILE_MAX, ret, &size);

    if (r == -EACCES || r == -EPERM)
        return -ENOENT;
    if (r < 0)
        return r;
    while (size > 0 && strchr(" \t\r\n", (*ret)[size - 1]))
        (*ret)[--size] = '\0';
    return 0;
}

static int key_text(const Args *args, char **ret) {
    const char *env_file = args->value[OPTION_ENV_FILE], *value = getenv(KEY_VARIABLE);

    if (!is_blank(value)) {
        *ret = strdup(value);
        return *ret ? 0 : -ENOMEM;
    }
    int r = env_file ? key_from_env_file(env_file, ret) : -ENOENT;
    return r == -ENOENT ? key_from_file(ret) : r;
}

char *password_of_token(const Args *args, const char *token) {
    _cleanup_(fernet_keys_freep) FernetKeys *keys = NULL;
    _cleanup_secret_ char *text = NULL;
    const char *rule = NULL;
    char *plain = NULL;
    size_t size;

    int r = key_text(args, &text);
    if (r == -ENOENT) {
        note(args, "La contraseña sigue cifrada: ponga la clave en %s, o lea %s como root", KEY_VARIABLE, KEY_FILE);
        return NULL;
    }
    if (r < 0) {
        if (!args->value[OPTION_ENV_FILE]) /* else told there */
            complain("No se puede leer %s: %s", KEY_FILE, text_errno(-r));
        return NULL;
    }
    r = fernet_keys_parse(text, &keys, &rule);
    if (r < 0) {
        complain("La clave de cifrado no vale: %s", rule ? rule : text_errno(-r));
        return NULL;
    }
    r = fernet_decrypt(keys, token, utc_now(), 0, &plain, &size, NULL);
    if (r < 0) {
        note(args, "La contraseña sigue cifrada: esta clave no la abre, es de otro servicio o ya se cambió");
        return NULL;
    }
    return plain;
}
