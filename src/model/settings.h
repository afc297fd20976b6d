/* Every setting of every program: one table in settings.c (name, type, default, check, help), from which `--help`, the example file and the man page
 * are made. CONTRACT "Configuration".
 *
 * Sources, strongest first: systemd credential (lower-case name), environment, --env-file. An unknown value is an error that names the setting.
 * Ownership: settings_free(). Secrets are wiped there. */
#pragma once

#include "basic/cleanup.h"
#include "model/rate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FTP_RATE_MAX 1000000000000ull

typedef enum AuthMode { AUTH_REQUIRED, AUTH_OFF } AuthMode;
typedef enum RegisterMode { REGISTER_APPROVED, REGISTER_OPEN, REGISTER_CLOSED } RegisterMode;
typedef enum TlsMode { TLS_OFF, TLS_OPTIONAL, TLS_REQUIRED } TlsMode;
typedef enum TlsReuse { TLS_REUSE_REQUIRED, TLS_REUSE_OFF } TlsReuse;
typedef enum JailMode { JAIL_REQUIRED, JAIL_BEST_EFFORT } JailMode;
typedef enum DatabaseTls { DATABASE_TLS_OFF, DATABASE_TLS_REQUIRED } DatabaseTls;
typedef enum PasswordFormat { PASSWORD_ARGON2, PASSWORD_CRYPT, PASSWORD_MD5, PASSWORD_CLEARTEXT } PasswordFormat;
typedef enum SimForce { SIM_OK, SIM_FAIL } SimForce;

typedef struct Settings {
    char *encryption_key; /* TEMPOFTP_ENCRYPTION_KEY, secret: "new,old" */
    bool simulacro;       /* TEMPOFTP_SIMULACRO */
    char *data_path;      /* TEMPOFTP_DATA_PATH, absolute, "/data" */
    uint32_t ftp_uid, ftp_gid; /* FTP_UID, FTP_GID: 2001 */
    char *ssh_user;       /* RSYNC_SSH_USER: lanotadm */
    char **origins;       /* TEMPOFTP_ORIGENES */
    int vigencia_max;     /* TEMPOFTP_VIGENCIA_MAX: 90 */
    int max_transfers;    /* TEMPOFTP_MAX_TRASLADOS: 4 */
    AuthMode auth;        /* TEMPOFTP_AUTH: required */
    char *jwt_key;        /* TEMPOFTP_JWT_KEY, secret: "new,old" */
    RegisterMode registration; /* TEMPOFTP_REGISTRO: aprobacion */
    uint32_t access_minutes;   /* TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES: 15 */
    uint32_t onetime_seconds;  /* TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS: 10 */
    uint32_t audit_rows, audit_days; /* TEMPOFTP_AUDIT_ROWS, TEMPOFTP_AUDIT_DAYS: 100000, 400 */
    char *app_name;            /* TEMPOFTP_APP_NAME: tempoftp */
    RateLimit rate_post;  /* TEMPOFTP_RATE_LIMIT_POST: 10/hour */
    RateLimit rate_register, rate_login; /* TEMPOFTP_RATE_LIMIT_REGISTER, …_LOGIN: 5/minute */
    RateLimit rate_token_create, rate_token_validate; /* TEMPOFTP_RATE_LIMIT_TOKEN_CREATE, …_TOKEN_VALIDATE: 10/minute, 20/minute */
    uint32_t max_connections, max_per_address; /* TEMPOFTP_MAX_CONNECTIONS: 4096, TEMPOFTP_MAX_PER_ADDRESS: 256 */
    char **cors_origins;  /* TEMPOFTP_CORS_ORIGINS */
    char **proxies;       /* TEMPOFTP_PROXIES */
    char **metrics_from;  /* TEMPOFTP_METRICS_FROM */
    char *https_cert, *https_key; /* TEMPOFTP_HTTPS_CERT, TEMPOFTP_HTTPS_KEY: /etc/tempoftp/https.crt, https.key */
    char *ftp_host;       /* TEMPOFTP_FTP_HOST: the machine's name */
    uint16_t ftp_port;    /* TEMPOFTP_FTP_PORT: 21: what answers tell clients */
    uint16_t pasv_min, pasv_max; /* TEMPOFTP_FTP_PASV_PORTS: 50000-50999 */
    char *pasv_address;   /* TEMPOFTP_FTP_PASV_ADDRESS: NULL = the control connection's */
    TlsMode ftp_tls;      /* TEMPOFTP_FTP_TLS: off */
    TlsReuse ftp_tls_reuse; /* TEMPOFTP_FTP_TLS_REUSE: required */
    char *ftp_tls_cert, *ftp_tls_key; /* TEMPOFTP_FTP_TLS_CERT, TEMPOFTP_FTP_TLS_KEY: /etc/tempoftp/ftp.crt, ftp.key */
    JailMode ftp_jail;    /* TEMPOFTP_FTP_JAIL: required | best-effort */
    uint32_t ftp_max_connections; /* TEMPOFTP_FTP_MAX_CONNECTIONS: 512 */
    uint32_t ftp_max_per_address; /* TEMPOFTP_FTP_MAX_PER_ADDRESS: 64 */
    uint32_t ftp_max_per_account; /* TEMPOFTP_FTP_MAX_PER_ACCOUNT: 64 */
    uint32_t ftp_ban_after, ftp_ban_seconds; /* TEMPOFTP_FTP_BAN_AFTER: 20, 0 = never; TEMPOFTP_FTP_BAN_SECONDS: 600 */
    uint32_t ftp_login_seconds, ftp_idle_seconds, ftp_stall_seconds; /* TEMPOFTP_FTP_LOGIN_SECONDS… 60, 300, 60 */
    uint64_t ftp_rate, ftp_account_rate; /* TEMPOFTP_FTP_RATE, TEMPOFTP_FTP_ACCOUNT_RATE: bytes/s, 0 = no limit */
    bool export_internal;        /* TEMPOFTP_EXPORT_INTERNAL: 0 */
    uint32_t export_max;         /* TEMPOFTP_EXPORT_MAX: 2 */
    uint32_t export_connections; /* TEMPOFTP_EXPORT_CONNECTIONS: 4 */
    uint32_t export_retries, export_retry_seconds; /* TEMPOFTP_EXPORT_RETRIES, TEMPOFTP_EXPORT_RETRY_SECONDS: 3, 1 */
    uint32_t export_ftp_seconds, export_sftp_seconds, export_answer_seconds; /* TEMPOFTP_EXPORT_FTP_SECONDS… 30, 60, 120 */
    char *db_host;        /* FTP_DB_HOST: host, address or path of a Unix socket; NULL: accounts are tempoftp's own */
    uint16_t db_port;     /* FTP_DB_PORT: 3306 */
    char *db_user, *db_name, *db_table; /* FTP_DB_USER, FTP_DB_NAME, FTP_DB_TABLE: tempoftp, pureftpd, users */
    char *db_password;    /* FTP_DB_PASS, secret; NULL: none */
    DatabaseTls db_tls;   /* FTP_DB_TLS: off */
    char *db_tls_ca;      /* FTP_DB_TLS_CA: NULL = the system's */
    uint32_t db_timeout;  /* FTP_DB_TIMEOUT: seconds, 5 */
    PasswordFormat password_format;  /* FTP_PASSWORD_FORMAT: argon2 */
    PasswordFormat password_allowed; /* FTP_PASSWORD_ALLOW: the weak one that an operator named, else argon2 */
    char *pureftpd_conf;  /* PUREFTPD_MYSQL_CONF: NULL = not compared */
    char *pureftpd_program; /* PUREFTPD_PROGRAM: /usr/sbin/pure-ftpd-mysql */
    char *transfer_log;   /* PUREFTPD_TRANSFER_LOG: /var/log/pure-ftpd/transfer.log */
    int idle_seconds;     /* TEMPOFTP_IDLE_SECONDS: 60, 0 = stay; tempoftpd, broker, FTP listener and transfer log reader */
    char **choices;       /* "NAME=value" of settings that matter and are not at their default, as written; no secrets */
    int log_level;        /* TEMPOFTP_LOG_LEVEL: info */
    SimForce sim_force;   /* TEMPOFTP_SIM_FORCE */
    uint64_t sim_remote_size_bytes, sim_data_free_bytes; /* TEMPOFTP_SIM_… */
    uint32_t sim_delay_ms;
} Settings;

/* `lookup` gives the value of an environment variable or NULL (getenv in programs, a table in tests). *ret_error (heap, caller frees) is a
 * sentence that names the setting and says what is allowed. Obsolete settings that are set are named through `warn` (may be NULL). -EINVAL, -ENOMEM. */
typedef const char *(*SettingsLookup)(const char *name, void *userdata);
typedef void (*SettingsWarn)(const char *text, void *userdata);
int settings_parse(SettingsLookup lookup, SettingsWarn warn, void *userdata, Settings **ret, char **ret_error) _must_use_;
/* Credentials, then the environment, then env_file (may be NULL: KEY=value lines as systemd's EnvironmentFile=). */
int settings_load(const char *env_file, SettingsWarn warn, void *userdata, Settings **ret, char **ret_error) _must_use_;
Settings *settings_free(Settings *s);
DEFINE_CLEANUP(Settings, settings_free)

/* Whether that is the name of a setting, or was one. */
bool settings_has(const char *name);

/* The example file, made from the table: every setting commented out with its help and default. */
void settings_print_example(FILE *to);
/* One line a setting, for --help. */
void settings_print_help(FILE *to);
