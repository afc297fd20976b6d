/* Settings: defaults, every value's limits, the words of errors, sources and their order, the texts made from the table. */
#include "model/settings.h"

#include "basic/buffer.h"
#include "basic/strings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <syslog.h>
#include <cmocka.h>

typedef struct Pair {
    const char *name, *value;
} Pair;

#define PAIRS_MAX 8
typedef struct Fake {
    Pair pairs[PAIRS_MAX];
    char warnings[1024];
} Fake;

static const char *look_up(const char *name, void *userdata) {
    const Fake *f = userdata;
    for (size_t i = 0; i < PAIRS_MAX && f->pairs[i].name; i++)
        if (streq(f->pairs[i].name, name))
            return f->pairs[i].value;
    return NULL;
}

static void warn(const char *text, void *userdata) {
    Fake *f = userdata;
    strncat(f->warnings, text, sizeof(f->warnings) - strlen(f->warnings) - 2);
    strcat(f->warnings, "|");
}

static void defaults(void **state) {
    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    char host[256];
    Fake f = { 0 };

    gethostname(host, sizeof(host));
    assert_int_equal(settings_parse(look_up, warn, &f, &s, &error), 0);
    assert_null(s->encryption_key);
    assert_false(s->simulacro);
    assert_string_equal(s->data_path, "/data");
    assert_int_equal(s->ftp_uid, 2001);
    assert_int_equal(s->ftp_gid, 2001);
    assert_string_equal(s->ssh_user, "lanotadm");
    assert_null(s->origins);
    assert_int_equal(s->vigencia_max, 90);
    assert_int_equal(s->max_transfers, 4);
    assert_false(s->export_internal);
    assert_int_equal(s->export_connections, 4);
    assert_int_equal(s->export_retries, 3);
    assert_int_equal(s->export_retry_seconds, 1);
    assert_int_equal(s->export_ftp_seconds, 30);
    assert_int_equal(s->export_sftp_seconds, 60);
    assert_int_equal(s->export_answer_seconds, 120);
    assert_int_equal(s->auth, AUTH_REQUIRED);
    assert_null(s->jwt_key);
    assert_int_equal(s->registration, REGISTER_APPROVED);
    assert_int_equal(s->access_minutes, 15);
    assert_int_equal(s->onetime_seconds, 10);
    assert_int_equal(s->audit_rows, 100000);
    assert_int_equal(s->audit_days, 400);
    assert_string_equal(s->app_name, "tempoftp");
    assert_int_equal(s->rate_post.calls, 10);
    assert_int_equal(s->rate_post.window_ms, 3600000);
    assert_int_equal(s->rate_register.calls, 5);
    assert_int_equal(s->rate_login.calls, 5);
    assert_int_equal(s->rate_token_create.calls, 10);
    assert_int_equal(s->rate_token_validate.calls, 20);
    assert_int_equal(s->rate_token_validate.window_ms, 60000);
    assert_int_equal(s->max_connections, 4096);
    assert_int_equal(s->max_per_address, 256);
    assert_null(s->cors_origins);
    assert_null(s->proxies);
    assert_null(s->metrics_from);
    assert_string_equal(s->ftp_host, host);
    assert_int_equal(s->ftp_port, 21);
    assert_int_equal(s->pasv_min, 50000);
    assert_int_equal(s->pasv_max, 50999);
    assert_null(s->pasv_address);
    assert_string_equal(s->https_cert, "/etc/tempoftp/https.crt");
    assert_string_equal(s->https_key, "/etc/tempoftp/https.key");
    assert_int_equal(s->ftp_tls, TLS_OFF);
    assert_string_equal(s->ftp_tls_cert, "/etc/tempoftp/ftp.crt");
    assert_string_equal(s->ftp_tls_key, "/etc/tempoftp/ftp.key");
    assert_string_equal(s->pureftpd_program, "/usr/sbin/pure-ftpd-mysql");
    assert_int_equal(s->ftp_tls_reuse, TLS_REUSE_REQUIRED);
    assert_int_equal(s->ftp_jail, JAIL_REQUIRED);
    assert_int_equal(s->ftp_max_connections, 512);
    assert_int_equal(s->ftp_max_per_address, 64);
    assert_int_equal(s->ftp_max_per_account, 64);
    assert_int_equal(s->ftp_ban_after, 20);
    assert_int_equal(s->ftp_ban_seconds, 600);
    assert_int_equal(s->ftp_login_seconds, 60);
    assert_int_equal(s->ftp_idle_seconds, 300);
    assert_int_equal(s->ftp_stall_seconds, 60);
    assert_int_equal(s->ftp_rate, 0);
    assert_int_equal(s->ftp_account_rate, 0);
    assert_null(s->db_host);
    assert_int_equal(s->db_port, 3306);
    assert_string_equal(s->db_user, "tempoftp");
    assert_null(s->db_password);
    assert_string_equal(s->db_name, "pureftpd");
    assert_string_equal(s->db_table, "users");
    assert_int_equal(s->db_tls, DATABASE_TLS_OFF);
    assert_null(s->db_tls_ca);
    assert_int_equal(s->db_timeout, 5);
    assert_int_equal(s->password_format, PASSWORD_ARGON2);
    assert_int_equal(s->password_allowed, PASSWORD_ARGON2);
    assert_null(s->pureftpd_conf);
    assert_string_equal(s->transfer_log, "/var/log/pure-ftpd/transfer.log");
    assert_int_equal(s->idle_seconds, 60);
    assert_int_equal(s->log_level, LOG_INFO);
    assert_int_equal(s->sim_force, SIM_OK);
    assert_int_equal(s->sim_remote_size_bytes, 100000000);
    assert_int_equal(s->sim_data_free_bytes, 1000000000);
    assert_int_equal(s->sim_delay_ms, 0);
    assert_string_equal(f.warnings, "");
}

static void values_arrive(void **state) {
    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    Fake f = { .pairs = {
                   { "TEMPOFTP_ORIGENES", "a, b.c ,[::1]" },
                   { "TEMPOFTP_AUTH", "Off" },
                   { "TEMPOFTP_FTP_PASV_PORTS", "1024-65535" },
                   { "TEMPOFTP_SIM_FORCE", "fail" },
                   { "TEMPOFTP_DATA_PATH", "/srv/datos é//" },
                   { "TEMPOFTP_FTP_JAIL", "best-effort" },
                   { "TEMPOFTP_SIM_DATA_FREE_BYTES", "9223372036854775807" },
                   { "TEMPOFTP_FTP_PORT", "2121" },
               } };

    assert_int_equal(settings_parse(look_up, NULL, &f, &s, &error), 0);
    assert_string_equal(s->origins[0], "a");
    assert_string_equal(s->origins[1], "b.c");
    assert_string_equal(s->origins[2], "[::1]");
    assert_null(s->origins[3]);
    assert_int_equal(s->auth, AUTH_OFF);
    assert_int_equal(s->pasv_min, 1024);
    assert_int_equal(s->pasv_max, 65535);
    assert_int_equal(s->sim_force, SIM_FAIL);
    assert_string_equal(s->data_path, "/srv/datos é");
    assert_int_equal(s->ftp_jail, JAIL_BEST_EFFORT);
    assert_true(s->sim_data_free_bytes == INT64_MAX);
    assert_int_equal(s->ftp_port, 2121);
}

/* One setting at a time: allowed or not. */
static void single_values(void **state) {
    static const struct {
        const char *name, *value;
        bool allowed;
    } cases[] = {
        { "TEMPOFTP_SIMULACRO", "1", true },
        { "TEMPOFTP_SIMULACRO", "0", true },
        { "TEMPOFTP_SIMULACRO", "", true }, /* the same as not set */
        { "TEMPOFTP_SIMULACRO", "2", false },
        { "TEMPOFTP_FTP_MAX_CONNECTIONS", "0", false },
        { "TEMPOFTP_FTP_MAX_CONNECTIONS", "513", false },
        { "TEMPOFTP_FTP_BAN_AFTER", "0", true },
        { "TEMPOFTP_FTP_BAN_AFTER", "1001", false },
        { "TEMPOFTP_FTP_STALL_SECONDS", "0", false },
        { "TEMPOFTP_FTP_RATE", "1000000000000", true },
        { "TEMPOFTP_FTP_RATE", "1000000000001", false },
        { "TEMPOFTP_FTP_RATE", "10M", false },
        { "TEMPOFTP_DATA_PATH", "/", false },
        { "TEMPOFTP_DATA_PATH", "data", false },
        { "TEMPOFTP_DATA_PATH", "/data/", true },
        { "TEMPOFTP_DATA_PATH", "/data//x", false },
        { "TEMPOFTP_DATA_PATH", "/data/../etc", false },
        { "TEMPOFTP_DATA_PATH", "/data/..", false },
        { "TEMPOFTP_DATA_PATH", "/data/./x", false },
        { "TEMPOFTP_DATA_PATH", "/data/...", true },
        { "TEMPOFTP_DATA_PATH", "/data\n", false },
        { "TEMPOFTP_DATA_PATH", "/\xff", false },
        { "FTP_UID", "0", false }, /* never root */
        { "FTP_GID", "0", false },
        { "FTP_UID", "65534", true },
        { "FTP_UID", "4294967295", false },
        { "FTP_UID", "2001x", false },
        { "RSYNC_SSH_USER", "lanot-adm.x", true },
        { "RSYNC_SSH_USER", "-oProxyCommand=id", false },
        { "RSYNC_SSH_USER", "a b", false },
        { "RSYNC_SSH_USER", "a@b", false },
        { "TEMPOFTP_ORIGENES", "h1,10.0.0.1,2001:db8::1,[2001:db8::1]", true },
        { "TEMPOFTP_ORIGENES", "h1,-h2", false },
        { "TEMPOFTP_ORIGENES", "h1:/x", false },
        { "TEMPOFTP_ORIGENES", "[127.0.0.1]", false },
        { "TEMPOFTP_ORIGENES", "*", false },
        { "TEMPOFTP_VIGENCIA_MAX", "0", false },
        { "TEMPOFTP_VIGENCIA_MAX", "36500", true },
        { "TEMPOFTP_VIGENCIA_MAX", "36501", false },
        { "TEMPOFTP_MAX_TRASLADOS", "0", false },
        { "TEMPOFTP_MAX_TRASLADOS", "64", true },
        { "TEMPOFTP_MAX_TRASLADOS", "65", false },
        { "TEMPOFTP_EXPORT_INTERNAL", "sí", true },
        { "TEMPOFTP_EXPORT_INTERNAL", "2", false },
        { "TEMPOFTP_EXPORT_CONNECTIONS", "0", false },
        { "TEMPOFTP_EXPORT_CONNECTIONS", "16", true },
        { "TEMPOFTP_EXPORT_CONNECTIONS", "17", false },
        { "TEMPOFTP_EXPORT_RETRIES", "0", true },
        { "TEMPOFTP_EXPORT_RETRIES", "11", false },
        { "TEMPOFTP_EXPORT_RETRY_SECONDS", "0", false },
        { "TEMPOFTP_EXPORT_RETRY_SECONDS", "601", false },
        { "TEMPOFTP_EXPORT_FTP_SECONDS", "0", false },
        { "TEMPOFTP_EXPORT_FTP_SECONDS", "601", false },
        { "TEMPOFTP_EXPORT_SFTP_SECONDS", "0", false },
        { "TEMPOFTP_EXPORT_SFTP_SECONDS", "601", false },
        { "TEMPOFTP_EXPORT_ANSWER_SECONDS", "0", false },
        { "TEMPOFTP_EXPORT_ANSWER_SECONDS", "3600", true },
        { "TEMPOFTP_EXPORT_ANSWER_SECONDS", "3601", false },
        { "TEMPOFTP_AUTH", "off", true },
        { "TEMPOFTP_AUTH", "no", false },
        { "TEMPOFTP_REGISTRO", "Cerrado", true },
        { "TEMPOFTP_REGISTRO", "open", false },
        { "TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES", "1440", true },
        { "TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES", "1441", false },
        { "TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES", "0", false },
        { "TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS", "0", false },
        { "TEMPOFTP_AUDIT_ROWS", "999", false },
        { "TEMPOFTP_AUDIT_ROWS", "1000", true },
        { "TEMPOFTP_AUDIT_ROWS", "10000001", false },
        { "TEMPOFTP_AUDIT_DAYS", "0", false },
        { "TEMPOFTP_AUDIT_DAYS", "36500", true },
        { "TEMPOFTP_APP_NAME", "Token Service API, ñ", true },
        { "TEMPOFTP_APP_NAME", "a\nb", false },
        { "TEMPOFTP_APP_NAME", "\xff", false },
        { "TEMPOFTP_APP_NAME", "1234567890123456789012345678901234567890123456789012345678901234", true },
        { "TEMPOFTP_APP_NAME", "12345678901234567890123456789012345678901234567890123456789012345", false },
        { "TEMPOFTP_RATE_LIMIT_POST", "5/minute", true },
        { "TEMPOFTP_RATE_LIMIT_POST", "5", false },
        { "TEMPOFTP_CORS_ORIGINS", "https://a.example, http://localhost:8080", true },
        { "TEMPOFTP_CORS_ORIGINS", "*", false },
        { "TEMPOFTP_CORS_ORIGINS", "null", false },
        { "TEMPOFTP_CORS_ORIGINS", "https://A.example", false },
        { "TEMPOFTP_CORS_ORIGINS", "https://a.example/", false },
        { "TEMPOFTP_CORS_ORIGINS", "a.example", false },
        { "TEMPOFTP_CORS_ORIGINS", "https://", false },
        { "TEMPOFTP_PROXIES", "127.0.0.1,10.0.0.0/8,2001:db8::/32,::1", true },
        { "TEMPOFTP_PROXIES", "10.0.0.0/33", false },
        { "TEMPOFTP_PROXIES", "2001:db8::/129", false },
        { "TEMPOFTP_PROXIES", "proxy.example", false },
        { "TEMPOFTP_PROXIES", "10.0.0.0/", false },
        { "TEMPOFTP_METRICS_FROM", "192.0.2.9,10.0.0.0/8", true },
        { "TEMPOFTP_METRICS_FROM", "prometheus.example", false },
        { "TEMPOFTP_FTP_HOST", "ftp.example.org", true },
        { "TEMPOFTP_FTP_HOST", "2001:db8::1", true },
        { "TEMPOFTP_FTP_HOST", "ftp://example.org", false },
        { "TEMPOFTP_FTP_PORT", "0", false },
        { "TEMPOFTP_FTP_PORT", "65536", false },
        { "TEMPOFTP_FTP_PASV_PORTS", "50000", false },
        { "TEMPOFTP_FTP_PASV_PORTS", "1023-2000", false },
        { "TEMPOFTP_FTP_PASV_PORTS", "3000-2000", false },
        { "TEMPOFTP_FTP_PASV_PORTS", "2000-65536", false },
        { "TEMPOFTP_FTP_PASV_PORTS", "2000-2000", true },
        { "TEMPOFTP_FTP_PASV_ADDRESS", "203.0.113.5", true },
        { "TEMPOFTP_FTP_PASV_ADDRESS", "2001:db8::1", false },
        { "TEMPOFTP_FTP_PASV_ADDRESS", "ftp.example.org", false },
        { "TEMPOFTP_FTP_TLS", "optional", true },
        { "TEMPOFTP_FTP_TLS", "on", false },
        { "TEMPOFTP_HTTPS_CERT", "/etc/letsencrypt/live/datos.example.org/fullchain.pem", true },
        { "TEMPOFTP_HTTPS_KEY", "privkey.pem", false },
        { "TEMPOFTP_FTP_TLS_CERT", "/etc/ssl/ftp.pem", true },
        { "TEMPOFTP_FTP_TLS_CERT", "ftp.pem", false },
        { "TEMPOFTP_FTP_TLS_KEY", "/etc/ssl/../ftp.pem", false },
        { "TEMPOFTP_FTP_TLS_REUSE", "off", true },
        { "TEMPOFTP_FTP_TLS_REUSE", "optional", false },
        { "TEMPOFTP_FTP_JAIL", "off", false },
        { "TEMPOFTP_IDLE_SECONDS", "0", true },
        { "TEMPOFTP_IDLE_SECONDS", "-1", false },
        { "TEMPOFTP_IDLE_SECONDS", "86401", false },
        { "TEMPOFTP_LOG_LEVEL", "DEBUG", true },
        { "TEMPOFTP_LOG_LEVEL", "verbose", false },
        { "TEMPOFTP_SIM_FORCE", "maybe", false },
        { "TEMPOFTP_SIM_REMOTE_SIZE_BYTES", "1e9", false },
        { "TEMPOFTP_SIM_REMOTE_SIZE_BYTES", "9223372036854775808", false },
        { "TEMPOFTP_SIM_DELAY_MS", "100", true },
        { "TEMPOFTP_SIM_DELAY_MS", "3600001", false },
        { "FTP_DB_HOST", "localhost", true },
        { "FTP_DB_HOST", "[::1]", true },
        { "FTP_DB_HOST", "/run/mysqld/mysqld.sock", true },
        { "FTP_DB_HOST", "/run/../x", false },
        { "FTP_DB_HOST", "", true },
        { "FTP_DB_HOST", "a b", false },
        { "FTP_DB_PORT", "0", false },
        { "FTP_DB_USER", "any one", false },
        { "FTP_DB_TABLE", "ftp-users", true },
        { "FTP_DB_TLS", "required", true },
        { "FTP_DB_TLS", "optional", false },
        { "FTP_DB_TLS_CA", "ca.pem", false },
        { "FTP_DB_TIMEOUT", "1", false },
        { "FTP_DB_TIMEOUT", "60", true },
        { "FTP_PASSWORD_FORMAT", "crypt", true },
        { "FTP_PASSWORD_FORMAT", "sha1", false },
        { "FTP_PASSWORD_ALLOW", "md5", true },
        { "FTP_PASSWORD_ALLOW", "argon2", false },
        { "PUREFTPD_MYSQL_CONF", "/etc/pure-ftpd/db/mysql.conf", true },
        { "TEMPOFTP_JWT_KEY", "anything", true },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_free_ char *error = NULL;
        Fake f = { .pairs = { { cases[i].name, cases[i].value } } };
        int r = settings_parse(look_up, NULL, &f, &s, &error);
        if ((r == 0) != cases[i].allowed)
            print_error("%s=%s\n", cases[i].name, cases[i].value);
        assert_int_equal(r, cases[i].allowed ? 0 : -EINVAL);
        if (r < 0)
            assert_true(has_prefix(error, cases[i].name));
    }
}

static void errors_say_what_is_allowed(void **state) {
    static const struct {
        Pair pair;
        const char *error;
    } cases[] = {
        { { "TEMPOFTP_VIGENCIA_MAX", "abc" }, "TEMPOFTP_VIGENCIA_MAX: 'abc' is not allowed; expected a whole number from 1 to 36500" },
        { { "TEMPOFTP_AUTH", "x" }, "TEMPOFTP_AUTH: 'x' is not allowed; expected required or off" },
        { { "TEMPOFTP_FTP_TLS", "x" }, "TEMPOFTP_FTP_TLS: 'x' is not allowed; expected off or optional or required" },
        { { "FTP_DB_HOST", "a/b" }, "FTP_DB_HOST: 'a/b' is not allowed; expected a host name, an address, or the path of a Unix socket" },
        { { "FTP_PASSWORD_ALLOW", "crypt" }, "FTP_PASSWORD_ALLOW: 'crypt' is not allowed; expected md5 or cleartext" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        Settings *s = NULL;
        _cleanup_free_ char *error = NULL;
        Fake f = { .pairs = { cases[i].pair } };
        assert_int_equal(settings_parse(look_up, NULL, &f, &s, &error), -EINVAL);
        assert_string_equal(error, cases[i].error);
        assert_null(s);
    }
}

static void secrets_stay_out_of_errors(void **state) {
    char key[2000];
    Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    Fake f = { .pairs = { { "TEMPOFTP_ENCRYPTION_KEY", key } } };

    memset(key, 'K', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    assert_int_equal(settings_parse(look_up, NULL, &f, &s, &error), -EINVAL);
    assert_non_null(strstr(error, "TEMPOFTP_ENCRYPTION_KEY"));
    assert_null(strstr(error, "KK"));
}

static void obsolete_ones_warn(void **state) {
    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    Fake f = { .pairs = { { "SKIP_CHOWN", "1" },
                          { "DATA_OWNER_USER", "x" },
                          { "DATA_OWNER_GROUP", "" },
                          { "TEMPOFTP_REUSE_PASSWORD", "1" } } };

    assert_int_equal(settings_parse(look_up, warn, &f, &s, &error), 0);
    assert_non_null(strstr(f.warnings, "SKIP_CHOWN is obsolete, ignoring"));
    assert_non_null(strstr(f.warnings, "DATA_OWNER_USER is obsolete"));
    assert_null(strstr(f.warnings, "DATA_OWNER_GROUP"));
    assert_non_null(strstr(f.warnings, "TEMPOFTP_REUSE_PASSWORD"));
}

static void put(const char *folder, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Credential before environment before file. */
static void sources(void **state) {
    char folder[] = "/tmp/test-settings.XXXXXX", env_file[64];
    static const struct {
        const char *credential, *environment, *file, *key; /* NULL: not given */
    } cases[] = {
        { "cred\n", "env", "TEMPOFTP_ENCRYPTION_KEY=file", "cred" },
        { NULL, "env", "TEMPOFTP_ENCRYPTION_KEY=file", "env" },
        { "", "env", "", "env" }, /* an empty credential is none */
        { NULL, NULL, "TEMPOFTP_ENCRYPTION_KEY='file'\n", "file" },
        { NULL, "", "TEMPOFTP_ENCRYPTION_KEY=file\n", "file" },
        { NULL, NULL, "# nothing\n", NULL },
    };

    assert_non_null(mkdtemp(folder));
    snprintf(env_file, sizeof(env_file), "%s/env", folder);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_free_ char *error = NULL;
        char path[96];
        snprintf(path, sizeof(path), "%s/tempoftp_encryption_key", folder);
        unlink(path);
        if (cases[i].credential)
            put(folder, "tempoftp_encryption_key", cases[i].credential);
        unsetenv("TEMPOFTP_ENCRYPTION_KEY");
        if (cases[i].environment)
            setenv("TEMPOFTP_ENCRYPTION_KEY", cases[i].environment, 1);
        put(folder, "env", cases[i].file);
        assert_int_equal(settings_load(env_file, NULL, NULL, &s, &error), 0);
        assert_true(streq_null(s->encryption_key, cases[i].key));
    }
    unsetenv("TEMPOFTP_ENCRYPTION_KEY");
    {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_free_ char *error = NULL;
        put(folder, "ftp_db_pass", "of the database\n");
        put(folder, "tempoftp_jwt_key", "for tokens\n");
        put(folder, "env", "FTP_DB_PASS=weaker\n");
        Fake f = { 0 };
        setenv("TEMPOFTP_JWT_KEY", "for tokens", 1); /* the same: nothing to say */
        assert_int_equal(settings_load(env_file, warn, &f, &s, &error), 0);
        unsetenv("TEMPOFTP_JWT_KEY");
        assert_string_equal(f.warnings, "FTP_DB_PASS among the settings is not used: the one in /etc/tempoftp/ftp_db_pass counts|");
        assert_string_equal(s->db_password, "of the database");
        assert_string_equal(s->jwt_key, "for tokens");
    }
    unsetenv("CREDENTIALS_DIRECTORY");

    Settings *s = NULL;
    char *error = NULL;
    Fake f = { 0 };
    put(folder, "env", "TEMPOFTP_IDLE_SECONDS=7\nwhat is this\nSKIP_CHOWN=1\n");
    assert_int_equal(settings_load(env_file, warn, &f, &s, &error), 0);
    assert_int_equal(s->idle_seconds, 7);
    assert_non_null(strstr(f.warnings, "1 lines are not NAME=value"));
    assert_non_null(strstr(f.warnings, "SKIP_CHOWN"));
    settings_free(s);
    put(folder, "env", "TEMPOFTP_IDLE_SECONDS=soon\n");
    assert_int_equal(settings_load(env_file, NULL, NULL, &s, &error), -EINVAL);
    assert_true(has_prefix(error, "TEMPOFTP_IDLE_SECONDS"));
    free(error);
    assert_int_equal(settings_load("/nonexistent/env", NULL, NULL, &s, &error), -EINVAL);
    assert_string_equal(error, "/nonexistent/env: No such file or directory");
    free(error);

    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static bool warned(const char *environment, const char *file) {
    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    char folder[] = "/tmp/test-settings.XXXXXX", env_file[64];
    Fake f = { 0 };

    assert_non_null(mkdtemp(folder));
    snprintf(env_file, sizeof(env_file), "%s/env", folder);
    put(folder, "env", file);
    setenv(environment, "1", 1);
    assert_int_equal(settings_load(env_file, warn, &f, &s, &error), 0);
    unsetenv(environment);
    unlink(env_file);
    rmdir(folder);
    return strstr(f.warnings, "_SLIP is no setting, ignoring: tempoftp.env(5) has all of them|");
}

static void names_that_are_none_warn(void **state) {
    assert_true(warned("TEMPOFTP_SLIP", ""));
    assert_true(warned("FTP_DB_SLIP", ""));
    assert_true(warned("HOME", "PUREFTPD_SLIP=1\n"));
    assert_false(warned("OTHERS_SLIP", "SLIP=1\nMY_TEMPOFTP_SLIP=1\n"));
    assert_false(warned("TEMPOFTP_SIMULACRO", "SKIP_CHOWN=1\n"));
}

/* The example file, uncommented, is accepted and says the defaults. */
static void choices_that_matter(void **state) {
    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    Fake f = { .pairs = {
                   { "TEMPOFTP_REGISTRO", "abierto" },
                   { "TEMPOFTP_AUTH", "required" },            /* the default, said */
                   { "TEMPOFTP_VIGENCIA_MAX", "" },            /* not set */
                   { "TEMPOFTP_PROXIES", "10.0.0.1,\n10.0.0.2 " }, /* one line */
                   { "TEMPOFTP_LOG_LEVEL", "debug" },          /* matters to nobody */
                   { "TEMPOFTP_JWT_KEY", "0123456789012345678901234567890123456789" },
               } };

    assert_int_equal(settings_parse(look_up, NULL, &f, &s, &error), 0);
    assert_string_equal(s->choices[0], "TEMPOFTP_REGISTRO=abierto");
    assert_string_equal(s->choices[1], "TEMPOFTP_PROXIES=10.0.0.1, 10.0.0.2");
    assert_null(s->choices[2]);
}

static void the_example_is_valid(void **state) {
    char path[] = "/tmp/test-settings.XXXXXX";
    char *text = NULL;
    size_t size = 0, settings = 0, helped = 0;
    FILE *memory = open_memstream(&text, &size);

    settings_print_example(memory);
    settings_print_help(memory);
    fclose(memory);
    _cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) < 250);
        helped += line[0] == ' '; /* a line of --help */
        if (line[0] == '#' && line[1] >= 'A' && line[1] <= 'Z') {
            settings++;
            dprintf(fd, "%s\n", line + 1);
        }
    }
    free(text);
    assert_true(settings > 50);
    assert_int_equal(settings, helped);

    _cleanup_(settings_freep) Settings *s = NULL;
    _cleanup_free_ char *error = NULL;
    Fake f = { 0 };
    assert_int_equal(settings_load(path, warn, &f, &s, &error), 0);
    assert_string_equal(f.warnings, "");
    assert_int_equal(s->max_transfers, 4);
    assert_int_equal(s->pasv_max, 50999);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(single_values),
        cmocka_unit_test(errors_say_what_is_allowed),
        cmocka_unit_test(secrets_stay_out_of_errors),
        cmocka_unit_test(obsolete_ones_warn),
        cmocka_unit_test(sources),
        cmocka_unit_test(names_that_are_none_warn),
        cmocka_unit_test(choices_that_matter),
        cmocka_unit_test(the_example_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
