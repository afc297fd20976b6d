/* Reads the command line, by one table. What it means is standalone.c's and main.c's business; what a setting may be is model/settings.c's. */
#include "ftpd/options.h"

#include "basic/strings.h"
#include "ftpd/takeover.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>

typedef enum OptionKind { OPTION_TEXT, OPTION_LIST, OPTION_FLAG, OPTION_SETTING, OPTION_HELP, OPTION_VERSION } OptionKind;

typedef struct Option {
    const char *name, *argument; /* argument NULL: it takes none */
    OptionKind kind;
    size_t offset, n_offset, max; /* in Options; of a list also its number and limit */
    const char *setting;          /* of a setting, its name */
    const char *help;             /* name NULL: the heading of what follows */
    char letter;                  /* its short form, or none */
} Option;

#define TEXT(member) .kind = OPTION_TEXT, .offset = offsetof(Options, member)
#define FLAG(member) .kind = OPTION_FLAG, .offset = offsetof(Options, member)
#define LIST(member, n) .kind = OPTION_LIST, .offset = offsetof(Options, member), .n_offset = offsetof(Options, n), .max = ELEMENTS(((Options *) 0)->member)
#define SETTING(text) .kind = OPTION_SETTING, .setting = text

static const Option table[] = {
    { .help = "Accounts (stand-alone; there is no built-in password):" },
    { "user", "NAME:PASSWORD", LIST(users, n_users), .help = "an account; any number of them (for trials: others see the command line)" },
    { "users-file", "FILE", TEXT(users_file), .help = "accounts, one NAME:HASH[:ro|rw[:BYTES]] a line; read again on SIGHUP" },
    { "hash-password", NULL, FLAG(hash_password), .help = "asks for a password and prints its HASH" },
    { "write", NULL, FLAG(write), .help = "every --user may change what is in the folder" },
    { .help = "Where and what (stand-alone):" },
    { "listen", "ADDRESS:PORT", LIST(listen, n_listen), .help = "default " STANDALONE_ADDRESS "; [::1]:2121…; any number of them" },
    { "root", "FOLDER", TEXT(root), .help = "what is served; default ./" STANDALONE_ROOT ", made when missing" },
    { "pasv-ports", "FROM-TO", SETTING("TEMPOFTP_FTP_PASV_PORTS"), .help = "ports of passive data connections; default 50000-50999" },
    { "pasv-address", "IPV4", SETTING("TEMPOFTP_FTP_PASV_ADDRESS"), .help = "the address that clients see, behind NAT" },
    { .help = "TLS (explicit FTPS):" },
    { "tls", "off|optional|required", SETTING("TEMPOFTP_FTP_TLS"), .help = "default off; optional when a certificate is given" },
    { "tls-cert", "FILE", TEXT(tls_cert), .help = "PEM certificate, its chain after it" },
    { "tls-key", "FILE", TEXT(tls_key), .help = "its PEM key; both are read again when they change" },
    { "tls-reuse", "required|off", SETTING("TEMPOFTP_FTP_TLS_REUSE"), .help = "whether data connections must resume the TLS session" },
    { .help = "Limits:" },
    { "max-connections", "N", SETTING("TEMPOFTP_FTP_MAX_CONNECTIONS"), .help = "clients at a time; default 512" },
    { "max-per-address", "N", SETTING("TEMPOFTP_FTP_MAX_PER_ADDRESS"), .help = "of these, from one address; default 64" },
    { "max-per-account", "N", SETTING("TEMPOFTP_FTP_MAX_PER_ACCOUNT"), .help = "sessions of one account; default 64" },
    { "idle-seconds", "N", SETTING("TEMPOFTP_FTP_IDLE_SECONDS"), .help = "how long a session may say nothing; default 300" },
    { "login-seconds", "N", SETTING("TEMPOFTP_FTP_LOGIN_SECONDS"), .help = "how long a client may take to log in; default 60" },
    { "stall-seconds", "N", SETTING("TEMPOFTP_FTP_STALL_SECONDS"), .help = "how long a transfer may stand still; default 60" },
    { "ban-after", "N", SETTING("TEMPOFTP_FTP_BAN_AFTER"), .help = "refused logins after which an address is turned away; default 20, 0 never" },
    { "ban-seconds", "N", SETTING("TEMPOFTP_FTP_BAN_SECONDS"), .help = "within how long, and for how long; default 600" },
    { "rate", "BYTES", SETTING("TEMPOFTP_FTP_RATE"), .help = "bytes a second that a session may transfer; default 0, no limit" },
    { "account-rate", "BYTES", SETTING("TEMPOFTP_FTP_ACCOUNT_RATE"), .help = "the same for all sessions of an account together" },
    { .help = "Others:" },
    { "env-file", "FILE", TEXT(env_file), .help = "settings from FILE, weaker than the environment" },
    { "help", NULL, .kind = OPTION_HELP, .help = "this page", .letter = 'h' },
    { "version", NULL, .kind = OPTION_VERSION, .help = "its version", .letter = 'V' },
};

static void print_help(void) {
    printf("tempoftp-ftpd - an FTP server that never is root and jails each session by itself\n"
           "\n"
           "Usage: tempoftp-ftpd --user NAME:PASSWORD …   stand-alone, as an ordinary user: serves a folder on " STANDALONE_ADDRESS "\n"
           "       tempoftp-ftpd --hash-password          makes a line for --users-file\n"
           "       tempoftp-ftpd                          as systemd starts it (tempoftp-ftp.socket): accounts are tempoftpd's\n");
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const Option *o = &table[i];
        if (!o->name)
            printf("\n%s\n", o->help);
        else {
            int n = printf("  --%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
            printf("%*s  %s\n", n < 26 ? 26 - n : 0, "", o->help);
        }
    }
    printf("\nExample: tempoftp-ftpd --listen 127.0.0.1:2121 --root files --user user:12345 --write\n"
           "More settings come from the environment (TEMPOFTP_FTP_…): tempoftp.env(5). All of it: tempoftp-ftpd(8).\n");
}

static int add(const Option *o, Options *options, char *value) {
    char **list = (char **) ((char *) options + o->offset);
    size_t *n = (size_t *) ((char *) options + o->n_offset);

    if (*n == o->max) {
        fprintf(stderr, "tempoftp-ftpd: at most %zu times --%s\n", o->max, o->name);
        return -EINVAL;
    }
    list[(*n)++] = value;
    return 0;
}

/* As options_parse(). */
static int take(const Option *o, Options *options, char *value) {
    switch (o->kind) {
    case OPTION_TEXT:
        *(const char **) ((char *) options + o->offset) = value;
        return 0;
    case OPTION_LIST:
        return add(o, options, value);
    case OPTION_FLAG:
        *(bool *) ((char *) options + o->offset) = true;
        return 0;
    case OPTION_SETTING:
        if (is_blank(value)) {
            fprintf(stderr, "tempoftp-ftpd: --%s needs a value\n", o->name);
            return -EINVAL;
        }
        return setenv(o->setting, value, 1) < 0 ? -errno : 0;
    case OPTION_VERSION:
        printf("tempoftp-ftpd %s\n", TEMPOFTP_VERSION TAKEOVER_MARK);
        return 1;
    case OPTION_HELP:
        break;
    }
    print_help();
    return 1;
}

/* What getopt_long() is told and tells: a letter, or a number past all letters. */
static int value_of(size_t i) {
    return table[i].letter ? table[i].letter : UCHAR_MAX + 1 + (int) i;
}

static const Option *by_value(int value) {
    size_t i = 0;
    while (value_of(i) != value)
        i++;
    return &table[i];
}

int options_parse(int argc, char **argv, Options *ret) {
    struct option options[ELEMENTS(table) + 1] = { 0 };
    size_t n = 0;
    int r = 0;

    *ret = (Options) { 0 };
    for (size_t i = 0; i < ELEMENTS(table); i++)
        if (table[i].name)
            options[n++] = (struct option) { table[i].name, table[i].argument ? required_argument : no_argument, NULL, value_of(i) };
    for (int o; r == 0 && (o = getopt_long(argc, argv, "hV", options, NULL)) >= 0;)
        r = o == '?' ? -EINVAL : take(by_value(o), ret, optarg);
    if (r == 0 && optind < argc) {
        fprintf(stderr, "tempoftp-ftpd: unexpected argument '%s', see --help\n", argv[optind]);
        return -EINVAL;
    }
    return r;
}

const char *options_blamed(const char *error) {
    for (size_t i = 0; i < ELEMENTS(table); i++) {
        const Option *o = &table[i];
        size_t n = o->setting ? strlen(o->setting) : 0;
        if (n > 0 && strncmp(error, o->setting, n) == 0 && error[n] == ':')
            return o->name;
    }
    return NULL;
}
