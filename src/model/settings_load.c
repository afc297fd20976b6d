/* Where settings come from: systemd credentials, the environment, a file. The only part of the settings that reads anything
 * outside its arguments; what the values mean is settings.c's business. */
#include "basic/fds.h"
#include "basic/strings.h"
#include "model/env_file.h"
#include "model/setting_value.h"
#include "model/settings.h"

#include <errno.h>

/* Settings that come as a credential when there is one: the setting's name in lower case (CONTRACT "Configuration"). */
static const struct {
    const char *setting, *credential, *file;
} secrets[] = {
    { "TEMPOFTP_ENCRYPTION_KEY", "tempoftp_encryption_key", "/etc/tempoftp/encryption.key" },
    { "TEMPOFTP_JWT_KEY", "tempoftp_jwt_key", "/etc/tempoftp/jwt.key" },
    { "FTP_DB_PASS", "ftp_db_pass", "/etc/tempoftp/ftp_db_pass" },
};

typedef struct Sources {
    EnvFile *file;
    char *credentials[ELEMENTS(secrets)]; /* NULL: none */
    SettingsWarn warn;
    void *userdata;
} Sources;

static void sources_done(Sources *s) {
    env_file_free(s->file);
    for (size_t i = 0; i < ELEMENTS(secrets); i++)
        wipe_free(s->credentials[i]);
}

static const char *look_up_open(const Sources *s, const char *name) {
    const char *value = getenv(name);
    if (is_blank(value) && s->file)
        value = env_file_get(s->file, name);
    return value;
}

static const char *look_up(const char *name, void *userdata) {
    const Sources *s = userdata;

    for (size_t i = 0; i < ELEMENTS(secrets); i++)
        if (s->credentials[i] && streq(name, secrets[i].setting))
            return s->credentials[i];
    return look_up_open(s, name);
}

static void pass_warning(const char *text, void *userdata) {
    const Sources *s = userdata;
    if (s->warn)
        s->warn(text, s->userdata);
}

/* How the names of our settings begin: others in the environment and in the file are not for us. */
static const char *const prefixes[] = { "TEMPOFTP_", "FTP_DB_", "FTP_PASSWORD_", "PUREFTPD_" };

/* A name with a slip in it would leave the default where somebody believes otherwise. `size`: what stands before a '='. */
static void warn_unknown(Sources *s, const char *text, size_t size) {
    char name[64], warning[160];

    if (size >= sizeof(name))
        return;
    memcpy(name, text, size);
    name[size] = '\0';
    for (size_t i = 0; i < ELEMENTS(prefixes); i++)
        if (has_prefix(name, prefixes[i]) && !settings_has(name)) {
            snprintf(warning, sizeof(warning), "%s is no setting, ignoring: tempoftp.env(5) has all of them", name);
            pass_warning(warning, s);
        }
}

static void warn_unknown_names(Sources *s) {
    for (char **e = environ; e && *e; e++)
        warn_unknown(s, *e, strcspn(*e, "="));
    for (size_t i = 0; s->file && env_file_key(s->file, i); i++)
        warn_unknown(s, env_file_key(s->file, i), strlen(env_file_key(s->file, i)));
}

/* Who writes a key among the settings must learn that the one of its own file counts. */
static void warn_unused_secrets(Sources *s) {
    char warning[160];

    for (size_t i = 0; i < ELEMENTS(secrets); i++) {
        const char *value = look_up_open(s, secrets[i].setting);
        if (!s->credentials[i] || is_blank(value) || streq(value, s->credentials[i]))
            continue;
        snprintf(warning, sizeof(warning), "%s among the settings is not used: the one in %s counts", secrets[i].setting, secrets[i].file);
        pass_warning(warning, s);
    }
}

static int fail(int r, const char *what, char **ret_error) {
    char reason[128];

    if (r != -ENOMEM && asprintf(ret_error, "%s: %s", what, strerror_r(-r, reason, sizeof(reason))) < 0) {
        *ret_error = NULL;
        return -ENOMEM;
    }
    return r == -ENOMEM ? r : -EINVAL;
}

static int load_file(const char *path, Sources *s, char **ret_error) {
    char *text;
    size_t size;

    int r = read_file(path, ENV_FILE_MAX, &text, &size);
    if (r < 0)
        return fail(r, path, ret_error);
    r = env_file_parse(text, size, &s->file);
    wipe(text, size); /* it may hold the key, and a NUL byte before it */
    free(text);
    if (r < 0)
        return fail(r, path, ret_error);
    if (env_file_ignored(s->file) > 0) {
        char warning[256];
        snprintf(warning, sizeof(warning), "%.180s: %zu lines are not NAME=value, ignoring", path, env_file_ignored(s->file));
        pass_warning(warning, s);
    }
    return 0;
}

static int load_credential(size_t i, Sources *s, char **ret_error) {
    char what[64];

    int r = read_credential(secrets[i].credential, SETTING_TEXT_MAX, &s->credentials[i]);
    if (r == -ENOENT)
        return 0;
    snprintf(what, sizeof(what), "Credential %s", secrets[i].credential);
    if (r < 0)
        return fail(r, what, ret_error);
    if (is_blank(s->credentials[i])) { /* an empty file is none: say so where a missing one is reported */
        wipe_free(s->credentials[i]);
        s->credentials[i] = NULL;
    }
    return 0;
}

int settings_load(const char *env_file, SettingsWarn warn, void *userdata, Settings **ret, char **ret_error) {
    _cleanup_(sources_done) Sources s = { .warn = warn, .userdata = userdata };

    int r = 0;

    for (size_t i = 0; i < ELEMENTS(secrets) && r == 0; i++)
        r = load_credential(i, &s, ret_error);
    if (r == 0 && env_file)
        r = load_file(env_file, &s, ret_error);
    if (r == 0)
        r = settings_parse(look_up, pass_warning, &s, ret, ret_error);
    if (r == 0) {
        warn_unknown_names(&s);
        warn_unused_secrets(&s);
    }
    return r;
}
