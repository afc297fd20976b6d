/* Every setting of every program: the one table, and what is made from it (parsing, --help, the example file).
 *
 * How a value is read stands in setting_value.c; where values come from, in settings_load.c. What a setting means, and
 * whether a missing one stops a program (the Fernet key), is for the programs to say. */
#include "model/settings.h"

#include "basic/strings.h"
#include "model/request.h"
#include "model/setting_value.h"

#include <errno.h>
#include <sys/utsname.h>

#define FIELD(member) .offset = offsetof(Settings, member), .size = sizeof(((Settings *) 0)->member)

static const char *const auth_words[] = { [AUTH_REQUIRED] = "required", [AUTH_OFF] = "off", NULL };
static const char *const register_words[] = { [REGISTER_APPROVED] = "aprobacion", [REGISTER_OPEN] = "abierto", [REGISTER_CLOSED] = "cerrado", NULL };
static const char *const tls_words[] = { [TLS_OFF] = "off", [TLS_OPTIONAL] = "optional", [TLS_REQUIRED] = "required", NULL };
static const char *const reuse_words[] = { [TLS_REUSE_REQUIRED] = "required", [TLS_REUSE_OFF] = "off", NULL };
static const char *const jail_words[] = { [JAIL_REQUIRED] = "required", [JAIL_BEST_EFFORT] = "best-effort", NULL };
static const char *const db_tls_words[] = { [DATABASE_TLS_OFF] = "off", [DATABASE_TLS_REQUIRED] = "required", NULL };
static const char *const format_words[] = { [PASSWORD_ARGON2] = "argon2", [PASSWORD_CRYPT] = "crypt", [PASSWORD_MD5] = "md5", [PASSWORD_CLEARTEXT] = "cleartext", NULL };
static const char *const weak_words[] = { [PASSWORD_ARGON2] = "", [PASSWORD_CRYPT] = "", [PASSWORD_MD5] = "md5", [PASSWORD_CLEARTEXT] = "cleartext", NULL };
static const char *const sim_words[] = { [SIM_OK] = "ok", [SIM_FAIL] = "fail", NULL };

static const Setting table[] = {
    { "TEMPOFTP_ENCRYPTION_KEY", setting_secret, FIELD(encryption_key), .secret = true,
      .help = "Fernet key that encrypts FTP passwords in answers; \"new,old\" while changing keys. `tempoftp clave` prints one. "
              "Better kept in /etc/tempoftp/encryption.key" },
    { "TEMPOFTP_DATA_PATH", setting_path, FIELD(data_path), .matters = true, .fallback = "/data",
      .help = "Folder that holds the copies, one folder per FTP account below it" },
    { "TEMPOFTP_ORIGENES", setting_hosts, FIELD(origins), .matters = true,
      .help = "Source hosts that requests may name, separated by commas; empty: any" },
    { "RSYNC_SSH_USER", setting_name, FIELD(ssh_user), .fallback = "lanotadm",
      .help = "User at the source when `ruta` names none" },
    { "TEMPOFTP_VIGENCIA_MAX", setting_number, FIELD(vigencia_max), .matters = true, .fallback = "90", .min = 1, .max = DAYS_MAX,
      .help = "Longest vigencia in days" },
    { "TEMPOFTP_MAX_TRASLADOS", setting_number, FIELD(max_transfers), .fallback = "4", .min = 1, .max = 64,
      .help = "Copies that run at the same time; more wait in line" },
    { "TEMPOFTP_AUTH", setting_word, FIELD(auth), .matters = true, .fallback = "required", .words = auth_words,
      .help = "Whether callers over HTTP must present a token; off: whoever reaches the API may do what the original's did, as the journal warns at every start" },
    { "TEMPOFTP_JWT_KEY", setting_secret, FIELD(jwt_key), .secret = true,
      .help = "Key that signs the tokens of POST /auth/login, at least 32 characters; \"new,old\" while changing keys. `tempoftp clave` prints one. "
              "Better kept in /etc/tempoftp/jwt.key" },
    { "TEMPOFTP_REGISTRO", setting_word, FIELD(registration), .matters = true, .fallback = "aprobacion", .words = register_words,
      .help = "Who may register: everybody, but an operator has to activate them; everybody; only operators register others" },
    { "TEMPOFTP_ACCESS_TOKEN_EXPIRE_MINUTES", setting_number, FIELD(access_minutes), .matters = true, .fallback = "15", .min = 1, .max = 1440,
      .help = "How long a login lasts" },
    { "TEMPOFTP_ONETIME_TOKEN_EXPIRE_SECONDS", setting_number, FIELD(onetime_seconds), .matters = true, .fallback = "10", .min = 1, .max = 86400,
      .help = "How long a token of POST /token/create can be validated" },
    { "TEMPOFTP_AUDIT_ROWS", setting_number, FIELD(audit_rows), .matters = true, .fallback = "100000", .min = 1000, .max = 10000000,
      .help = "Rows that the trail of who did what keeps of each kind: changes, logins and one-time tokens, refusals" },
    { "TEMPOFTP_AUDIT_DAYS", setting_number, FIELD(audit_days), .matters = true, .fallback = "400", .min = 1, .max = 36500,
      .help = "Days that the trail of who did what goes back" },
    { "TEMPOFTP_APP_NAME", setting_title, FIELD(app_name), .fallback = "tempoftp",
      .help = "This service's name: tokens say who issued them (iss), and those of another name are refused" },
    { "TEMPOFTP_RATE_LIMIT_POST", setting_rate, FIELD(rate_post), .matters = true, .fallback = "10/hour",
      .help = "Requests that one caller may submit: N/second, N/minute, N/hour or N/day" },
    { "TEMPOFTP_RATE_LIMIT_REGISTER", setting_rate, FIELD(rate_register), .matters = true, .fallback = "5/minute",
      .help = "Calls of POST /auth/register from one caller" },
    { "TEMPOFTP_RATE_LIMIT_LOGIN", setting_rate, FIELD(rate_login), .matters = true, .fallback = "5/minute",
      .help = "Calls of POST /auth/login from one caller" },
    { "TEMPOFTP_RATE_LIMIT_TOKEN_CREATE", setting_rate, FIELD(rate_token_create), .matters = true, .fallback = "10/minute",
      .help = "Calls of POST /token/create by one user" },
    { "TEMPOFTP_RATE_LIMIT_TOKEN_VALIDATE", setting_rate, FIELD(rate_token_validate), .matters = true, .fallback = "20/minute",
      .help = "Calls of POST /token/validate by one user" },
    { "TEMPOFTP_MAX_CONNECTIONS", setting_number, FIELD(max_connections), .fallback = "4096", .min = 1, .max = 16384,
      .help = "Connections to the API at the same time, api.sock not counted" },
    { "TEMPOFTP_MAX_PER_ADDRESS", setting_number, FIELD(max_per_address), .fallback = "256", .min = 1, .max = 16384,
      .help = "Connections to the API at the same time from one address (IPv6: one /64) that is none of TEMPOFTP_PROXIES" },
    { "TEMPOFTP_CORS_ORIGINS", setting_web_origins, FIELD(cors_origins), .matters = true,
      .help = "Web origins whose pages may call the API, separated by commas; empty: none" },
    { "TEMPOFTP_PROXIES", setting_networks, FIELD(proxies), .matters = true,
      .help = "Reverse proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas" },
    { "TEMPOFTP_METRICS_FROM", setting_networks, FIELD(metrics_from), .matters = true,
      .help = "Who may read GET /metrics without a token: addresses or networks, separated by commas; empty: only operators" },
    { "TEMPOFTP_HTTPS_CERT", setting_path, FIELD(https_cert), .fallback = "/etc/tempoftp/https.crt",
      .help = "PEM file with the API's TLS certificate, its chain after it; used when tempoftp-https.socket is enabled" },
    { "TEMPOFTP_HTTPS_KEY", setting_path, FIELD(https_key), .fallback = "/etc/tempoftp/https.key",
      .help = "PEM file with that certificate's private key, ECDSA or RSA, without a passphrase" },
    { "TEMPOFTP_FTP_HOST", setting_host, FIELD(ftp_host),
      .help = "Host name of the FTP server as answers tell it to people; empty: this machine's name" },
    { "TEMPOFTP_FTP_PORT", setting_number, FIELD(ftp_port), .fallback = "21", .min = 1, .max = UINT16_MAX,
      .help = "Port of the FTP server as answers tell it to people" },
    { "TEMPOFTP_FTP_PASV_PORTS", setting_ports, .offset = offsetof(Settings, pasv_min), .size = 2 * sizeof(uint16_t),
      .fallback = "50000-50999", .help = "Ports of passive data connections; open them in the firewall" },
    { "TEMPOFTP_FTP_PASV_ADDRESS", setting_ipv4, FIELD(pasv_address),
      .help = "IPv4 address that PASV tells clients, behind NAT; empty: the one the client connected to" },
    { "TEMPOFTP_FTP_TLS", setting_word, FIELD(ftp_tls), .matters = true, .fallback = "off", .words = tls_words,
      .help = "TLS on the FTP server: not offered, offered, or demanded before a password and for data" },
    { "TEMPOFTP_FTP_TLS_CERT", setting_path, FIELD(ftp_tls_cert), .fallback = "/etc/tempoftp/ftp.crt",
      .help = "PEM file with the FTP server's certificate, its chain after it" },
    { "TEMPOFTP_FTP_TLS_KEY", setting_path, FIELD(ftp_tls_key), .fallback = "/etc/tempoftp/ftp.key",
      .help = "PEM file with the certificate's private key, ECDSA or RSA, without a passphrase" },
    { "TEMPOFTP_FTP_TLS_REUSE", setting_word, FIELD(ftp_tls_reuse), .matters = true, .fallback = "required", .words = reuse_words,
      .help = "Whether encrypted data connections must resume the control connection's TLS session; off also puts the key into every session" },
    { "TEMPOFTP_FTP_JAIL", setting_word, FIELD(ftp_jail), .matters = true, .fallback = "required", .words = jail_words,
      .help = "What the FTP server does on a machine without landlock: refuse to serve, or serve with the jail it can get" },
    { "TEMPOFTP_FTP_MAX_CONNECTIONS", setting_number, FIELD(ftp_max_connections), .fallback = "512", .min = 1, .max = 512,
      .help = "FTP clients at the same time" },
    { "TEMPOFTP_FTP_MAX_PER_ADDRESS", setting_number, FIELD(ftp_max_per_address), .fallback = "64", .min = 1, .max = 512,
      .help = "FTP clients at the same time from one address (IPv6: one /64)" },
    { "TEMPOFTP_FTP_MAX_PER_ACCOUNT", setting_number, FIELD(ftp_max_per_account), .fallback = "64", .min = 1, .max = 512,
      .help = "FTP sessions of one account at the same time" },
    { "TEMPOFTP_FTP_BAN_AFTER", setting_number, FIELD(ftp_ban_after), .fallback = "20", .min = 0, .max = 1000,
      .help = "Refused FTP logins within TEMPOFTP_FTP_BAN_SECONDS after which an address (IPv6: one /64) is turned away; 0: never" },
    { "TEMPOFTP_FTP_BAN_SECONDS", setting_number, FIELD(ftp_ban_seconds), .fallback = "600", .min = 1, .max = 86400,
      .help = "How long refused FTP logins are remembered, and how long an address is then turned away" },
    { "TEMPOFTP_FTP_LOGIN_SECONDS", setting_number, FIELD(ftp_login_seconds), .fallback = "60", .min = 1, .max = 600,
      .help = "Time that an FTP client has to log in" },
    { "TEMPOFTP_FTP_IDLE_SECONDS", setting_number, FIELD(ftp_idle_seconds), .fallback = "300", .min = 1, .max = 86400,
      .help = "Time between two commands of an FTP session" },
    { "TEMPOFTP_FTP_STALL_SECONDS", setting_number, FIELD(ftp_stall_seconds), .fallback = "60", .min = 1, .max = 86400,
      .help = "Time that an FTP transfer may stand still" },
    { "TEMPOFTP_FTP_RATE", setting_number, FIELD(ftp_rate), .fallback = "0", .min = 0, .max = FTP_RATE_MAX,
      .help = "Bytes a second that one FTP session may send or receive; 0: no limit" },
    { "TEMPOFTP_FTP_ACCOUNT_RATE", setting_number, FIELD(ftp_account_rate), .fallback = "0", .min = 0, .max = FTP_RATE_MAX,
      .help = "Bytes a second that all FTP sessions of one account share; 0: no limit" },
    { "TEMPOFTP_EXPORT_INTERNAL", setting_bool, FIELD(export_internal), .matters = true, .fallback = "0",
      .help = "1: destinations of exports may be this machine itself or link-local addresses" },
    { "TEMPOFTP_EXPORT_MAX", setting_number, FIELD(export_max), .fallback = "2", .min = 1, .max = 16,
      .help = "Exports that run at the same time; more wait in line" },
    { "TEMPOFTP_EXPORT_CONNECTIONS", setting_number, FIELD(export_connections), .fallback = "4", .min = 1, .max = 16,
      .help = "Connections of one export; a destination that takes fewer is served with fewer" },
    { "TEMPOFTP_EXPORT_RETRIES", setting_number, FIELD(export_retries), .fallback = "3", .min = 0, .max = 10,
      .help = "How often an export tries a file again after its first try failed; a refused login never" },
    { "TEMPOFTP_EXPORT_RETRY_SECONDS", setting_number, FIELD(export_retry_seconds), .fallback = "1", .min = 1, .max = 600,
      .help = "Pause of an export before its first retry; each further one is twice as long" },
    { "TEMPOFTP_EXPORT_FTP_SECONDS", setting_number, FIELD(export_ftp_seconds), .fallback = "30", .min = 1, .max = 600,
      .help = "Time that an FTP or FTPS destination has to let an export in" },
    { "TEMPOFTP_EXPORT_SFTP_SECONDS", setting_number, FIELD(export_sftp_seconds), .fallback = "60", .min = 1, .max = 600,
      .help = "The same of an SFTP destination" },
    { "TEMPOFTP_EXPORT_ANSWER_SECONDS", setting_number, FIELD(export_answer_seconds), .fallback = "120", .min = 1, .max = 3600,
      .help = "Time that a destination has to answer afterwards; longer for one that looks through each file before it says that it has it" },
    { "PUREFTPD_TRANSFER_LOG", setting_path, FIELD(transfer_log), .fallback = "/var/log/pure-ftpd/transfer.log",
      .help = "Pure-FTPd's transfer log, in its format w3c (AltLog), out of which tempoftp-xferlog counts downloads" },
    { "FTP_UID", setting_number, FIELD(ftp_uid), .fallback = "2001", .min = 1, .max = UINT32_MAX - 1,
      .help = "User id of FTP sessions" },
    { "FTP_GID", setting_number, FIELD(ftp_gid), .fallback = "2001", .min = 1, .max = UINT32_MAX - 1,
      .help = "Group id that owns the copies and reads them over FTP" },
    { "FTP_DB_HOST", setting_server, FIELD(db_host), .matters = true,
      .help = "MariaDB server whose table of accounts Pure-FTPd reads, or its Unix socket; empty: accounts are tempoftp's own" },
    { "FTP_DB_PORT", setting_number, FIELD(db_port), .fallback = "3306", .min = 1, .max = UINT16_MAX, .help = "Port of MariaDB" },
    { "FTP_DB_USER", setting_name, FIELD(db_user), .fallback = "tempoftp", .help = "User at MariaDB; sql/grants.sql gives the rights" },
    { "FTP_DB_PASS", setting_password, FIELD(db_password), .secret = true,
      .help = "Password of FTP_DB_USER. Better kept in /etc/tempoftp/ftp_db_pass" },
    { "FTP_DB_NAME", setting_name, FIELD(db_name), .fallback = "pureftpd", .help = "Database at MariaDB" },
    { "FTP_DB_TABLE", setting_name, FIELD(db_table), .fallback = "users", .help = "Table of FTP accounts" },
    { "FTP_DB_TLS", setting_word, FIELD(db_tls), .matters = true, .fallback = "off", .words = db_tls_words,
      .help = "TLS to MariaDB; required also checks the server's certificate and name" },
    { "FTP_DB_TLS_CA", setting_path, FIELD(db_tls_ca),
      .help = "PEM file with the certificates that may have signed MariaDB's; empty: the system's" },
    { "FTP_DB_TIMEOUT", setting_number, FIELD(db_timeout), .fallback = "5", .min = 2, .max = 60,
      .help = "Seconds that MariaDB has to let us in, and to answer" },
    { "FTP_PASSWORD_FORMAT", setting_word, FIELD(password_format), .matters = true, .fallback = "argon2", .words = format_words,
      .help = "Hashes in the table of accounts, as MYSQLCrypt of Pure-FTPd: argon2 has 93 characters, crypt (bcrypt) 60" },
    { "FTP_PASSWORD_ALLOW", setting_word, FIELD(password_allowed), .matters = true, .words = weak_words,
      .help = "Names the weak format that FTP_PASSWORD_FORMAT may have nevertheless" },
    { "PUREFTPD_MYSQL_CONF", setting_path, FIELD(pureftpd_conf),
      .help = "Pure-FTPd's MySQL configuration file: the start is refused when its MYSQLCrypt is another format; empty: not compared" },
    { "PUREFTPD_PROGRAM", setting_path, FIELD(pureftpd_program), .fallback = "/usr/sbin/pure-ftpd-mysql",
      .help = "With MariaDB: the program whose processes are FTP sessions on this machine; /dev/null: Pure-FTPd runs on other machines only" },
    { "TEMPOFTP_IDLE_SECONDS", setting_number, FIELD(idle_seconds), .fallback = "60", .min = 0, .max = 86400,
      .help = "A service without anything to do exits after this long, and systemd brings it back; 0: never" },
    { "TEMPOFTP_LOG_LEVEL", setting_log_level, FIELD(log_level), .fallback = "info",
      .help = "Least important messages to log: debug, info, warning or error" },
    { "TEMPOFTP_SIMULACRO", setting_bool, FIELD(simulacro), .fallback = "0",
      .help = "1: simulate copies and accounts; needs no root, systemd, FTP server or network" },
    { "TEMPOFTP_SIM_FORCE", setting_word, FIELD(sim_force), .fallback = "ok", .words = sim_words,
      .help = "Simulator: how requests end" },
    { "TEMPOFTP_SIM_REMOTE_SIZE_BYTES", setting_number, FIELD(sim_remote_size_bytes), .fallback = "100000000", .min = 0,
      .max = INT64_MAX, .help = "Simulator: size of every source" },
    { "TEMPOFTP_SIM_DATA_FREE_BYTES", setting_number, FIELD(sim_data_free_bytes), .fallback = "1000000000", .min = 0,
      .max = INT64_MAX, .help = "Simulator: free space of the data path" },
    { "TEMPOFTP_SIM_DELAY_MS", setting_number, FIELD(sim_delay_ms), .fallback = "0", .min = 0, .max = 3600000,
      .help = "Simulator: milliseconds that each state lasts; 0: finished before POST answers" },
};

/* Those of the original service that mean nothing here any more. */
static const struct {
    const char *name, *why;
} obsolete[] = {
    { "SKIP_CHOWN", "nothing is chowned any more" },
    { "DATA_OWNER_USER", "files belong to tempoftp-transfer and group FTP_GID" },
    { "DATA_OWNER_GROUP", "files belong to tempoftp-transfer and group FTP_GID" },
    { "TEMPOFTP_REUSE_PASSWORD", "an account that is there always keeps its password" },
};

_Static_assert(offsetof(Settings, pasv_max) == offsetof(Settings, pasv_min) + sizeof(uint16_t), "one range, two fields");

/* "NAME: 'x' is not allowed; expected …": never a secret's value. */
static int explain(const Setting *s, const char *value, int r, char **ret_error) {
    char expected[SETTING_EXPECTED_SIZE];

    if (r == -ENOMEM)
        return r;
    setting_expected(s, expected);
    if (s->secret ? asprintf(ret_error, "%s: its value is not allowed; expected %s", s->name, expected) < 0
                  : asprintf(ret_error, "%s: '%.100s' is not allowed; expected %s", s->name, value, expected) < 0) {
        *ret_error = NULL;
        return -ENOMEM;
    }
    return -EINVAL;
}

/* "NAME=value" of those that matter and are not at their default, each one line. */
static int note_choices(SettingsLookup lookup, void *userdata, Settings *ret) {
    size_t n = 0;

    ret->choices = calloc(ELEMENTS(table) + 1, sizeof(char *));
    if (!ret->choices)
        return -ENOMEM;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const char *value = table[i].matters ? lookup(table[i].name, userdata) : NULL;
        if (is_blank(value) || (table[i].fallback && streq(value, table[i].fallback)))
            continue;
        if (asprintf(&ret->choices[n], "%s=%s", table[i].name, value) < 0) {
            ret->choices[n] = NULL;
            return -ENOMEM;
        }
        char *end = ret->choices[n];
        for (char *p = end; *p; p++) {
            if ((unsigned char) *p < ' ') /* lists may have such between their entries */
                *p = ' ';
            if (*p != ' ')
                end = p + 1;
        }
        *end = '\0';
        n++;
    }
    return 0;
}

static int set_host_name(Settings *s) {
    struct utsname u;

    if (uname(&u) < 0)
        return -errno;
    s->ftp_host = strdup(u.nodename);
    return s->ftp_host ? 0 : -ENOMEM;
}

static void warn_obsolete(SettingsLookup lookup, SettingsWarn warn, void *userdata) {
    for (size_t i = 0; warn && i < ELEMENTS(obsolete); i++) {
        char text[160];
        if (is_blank(lookup(obsolete[i].name, userdata)))
            continue;
        snprintf(text, sizeof(text), "%s is obsolete, ignoring: %s", obsolete[i].name, obsolete[i].why);
        warn(text, userdata);
    }
}

bool settings_has(const char *name) {
    for (size_t i = 0; i < ELEMENTS(table); i++)
        if (streq(table[i].name, name))
            return true;
    for (size_t i = 0; i < ELEMENTS(obsolete); i++)
        if (streq(obsolete[i].name, name))
            return true;
    return false;
}

int settings_parse(SettingsLookup lookup, SettingsWarn warn, void *userdata, Settings **ret, char **ret_error) {
    _cleanup_(settings_freep) Settings *s = calloc(1, sizeof(Settings));
    int r;

    if (!s)
        return -ENOMEM;
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const char *value = lookup(table[i].name, userdata);
        if (is_blank(value)) /* "NAME=" in a file is how people write "not set" */
            value = table[i].fallback;
        if (!value)
            continue;
        r = table[i].parse(&table[i], value, (char *) s + table[i].offset);
        if (r < 0)
            return explain(&table[i], value, r, ret_error);
    }
    if (!s->ftp_host) {
        r = set_host_name(s);
        if (r < 0)
            return r;
    }
    r = note_choices(lookup, userdata, s);
    if (r < 0)
        return r;
    warn_obsolete(lookup, warn, userdata);
    *ret = TAKE_PTR(s);
    return 0;
}

Settings *settings_free(Settings *s) {
    if (!s)
        return NULL;
    wipe_free(s->encryption_key);
    wipe_free(s->jwt_key);
    free(s->app_name);
    free(s->data_path);
    free(s->ssh_user);
    strv_free(s->origins);
    strv_free(s->cors_origins);
    strv_free(s->proxies);
    strv_free(s->choices);
    strv_free(s->metrics_from);
    free(s->https_cert);
    free(s->https_key);
    free(s->ftp_host);
    free(s->pasv_address);
    free(s->ftp_tls_cert);
    free(s->ftp_tls_key);
    free(s->db_host);
    free(s->db_user);
    free(s->db_name);
    free(s->db_table);
    wipe_free(s->db_password);
    free(s->db_tls_ca);
    free(s->pureftpd_conf);
    free(s->pureftpd_program);
    free(s->transfer_log);
    free(s);
    return NULL;
}

void settings_print_example(FILE *to) {
    fputs("# Settings of tempoftp. Copy to /etc/default/tempoftp (or /etc/sysconfig/tempoftp), uncomment what you change.\n"
          "# Each line shows the default.\n",
          to);
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        char expected[SETTING_EXPECTED_SIZE];
        setting_expected(&table[i], expected);
        fprintf(to, "\n# %s.\n# Allowed: %s.\n#%s=%s\n", table[i].help, expected, table[i].name,
                table[i].fallback ? table[i].fallback : "");
    }
}

void settings_print_help(FILE *to) {
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        fprintf(to, "  %-31s %s", table[i].name, table[i].help);
        if (table[i].fallback)
            fprintf(to, " (%s)", table[i].fallback);
        fputc('\n', to);
    }
}
