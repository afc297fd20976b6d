/* Settings that are allowed one by one and wrong together. Nothing here talks to MariaDB. */
#include "accounts/mariadb_start.h"

#include "accounts/pureftpd_conf.h"
#include "basic/fds.h"
#include "basic/strings.h"
#include "crypto/password_format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define PUREFTPD_CREDENTIAL "pureftpd_mysql_conf" /* tempoftp-generator hands the file over: Pure-FTPd's is root's alone */

static int refuse(char **ret_error, const char *format, ...) _printf_(2, 3);
static int refuse(char **ret_error, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    int r = vasprintf(ret_error, format, ap);
    va_end(ap);
    if (r >= 0)
        return -EINVAL;
    *ret_error = NULL;
    return -ENOMEM;
}

static int check_format(const Settings *s, char **ret_error) {
    const char *name = password_format_name(s->password_format), *weakness = password_format_weakness(s->password_format);

    if (!weakness || s->password_format == s->password_allowed)
        return 0;
    return refuse(ret_error, "FTP_PASSWORD_FORMAT=%s: %s. Use argon2 or crypt; who must have it all the same sets FTP_PASSWORD_ALLOW=%s too", name, weakness, name);
}

/* Hashes and names of accounts would cross a network in clear, and whoever sits in it could change them. */
static void warn_without_tls(const Settings *s, SettingsWarn warn, void *userdata) {
    static const char *const local[] = { "/", "127.", "localhost", "[::1]" };

    for (size_t i = 0; i < ELEMENTS(local); i++)
        if (has_prefix(s->db_host, local[i]))
            return;
    if (warn && s->db_tls == DATABASE_TLS_OFF)
        warn("FTP_DB_TLS=off, and FTP_DB_HOST is another machine: whoever is on the way reads and alters accounts", userdata);
}

static int read_pureftpd_conf(const char *path, char **ret, size_t *ret_size) {
    int r = read_credential(PUREFTPD_CREDENTIAL, PUREFTPD_CONF_MAX, ret);

    if (r >= 0 && !is_blank(*ret)) {
        *ret_size = strlen(*ret);
        return 0;
    }
    if (r >= 0)
        wipe_free(*ret);
    return read_file(path, PUREFTPD_CONF_MAX, ret, ret_size);
}

static int check_pureftpd(const Settings *s, SettingsWarn warn, void *userdata, char **ret_error) {
    const char *format = password_format_name(s->password_format), *path = s->pureftpd_conf;
    PureftpdConf conf = { 0 };
    char *text, reason[128];
    size_t size;

    if (!path)
        return 0;
    int r = read_pureftpd_conf(path, &text, &size);
    if (r < 0)
        return refuse(ret_error, "PUREFTPD_MYSQL_CONF: %s: %s. User tempoftp must be able to read it, or leave the setting empty", path,
                      strerror_r(-r, reason, sizeof(reason)));
    r = pureftpd_conf_parse(text, size, &conf);
    wipe(text, size); /* Pure-FTPd's own password is in it */
    free(text);
    if (r < 0 || conf.crypt[0] == '\0')
        return refuse(ret_error, "PUREFTPD_MYSQL_CONF: %s has no MYSQLCrypt, or more than one; it must be %s", path, format);
    if (!password_format_is_taken(s->password_format, conf.crypt))
        return refuse(ret_error, "FTP_PASSWORD_FORMAT=%s, but MYSQLCrypt is %s in %s: nobody could log in. Make them the same", format, conf.crypt, path);
    if (warn && !conf.asks_status)
        warn("PUREFTPD_MYSQL_CONF: MYSQLGetPW does not look at Status, so blocked accounts may log in; see sql/pureftpd-mysql.conf", userdata);
    if (warn && !conf.asks_expires)
        warn("PUREFTPD_MYSQL_CONF: MYSQLGetPW does not look at Expires, so accounts do not expire while tempoftp is stopped; see sql/pureftpd-mysql.conf", userdata);
    return 0;
}

int mariadb_check_start(const Settings *s, SettingsWarn warn, void *userdata, char **ret_error) {
    int r = check_format(s, ret_error);

    if (r >= 0)
        r = check_pureftpd(s, warn, userdata, ret_error);
    if (r >= 0)
        warn_without_tls(s, warn, userdata);
    return r;
}
