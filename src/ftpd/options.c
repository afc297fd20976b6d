/* Reads the command line. What it means is main.c's business. */
#include "ftpd/options.h"

#include "model/settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

static void print_help(void) {
    printf("tempoftp-ftpd - serves delivered datasets by FTP, each session alone in a jail\n"
           "\n"
           "Usage: tempoftp-ftpd                         started by tempoftp-ftp.socket; accounts are tempoftpd's\n"
           "       tempoftp-ftpd --user NAME:PASSWORD    stand-alone, as an ordinary user\n"
           "\n"
           "Stand-alone options:\n"
           "  --user NAME:PASSWORD   an account, any number of them (for trials: the command line is visible)\n"
           "  --listen ADDRESS       127.0.0.1:2121 (default), [::1]:2121…; any number of them\n"
           "  --root FOLDER          what it serves; default ./" STANDALONE_ROOT ", made when missing\n"
           "  --write                every account may also write in it\n"
           "Options:\n"
           "  --env-file FILE        settings from FILE, weaker than the environment\n"
           "  --help, --version\n"
           "\n"
           "Settings (environment) of this program: TEMPOFTP_DATA_PATH, TEMPOFTP_FTP_*, TEMPOFTP_IDLE_SECONDS, TEMPOFTP_LOG_LEVEL\n"
           "out of these:\n");
    settings_print_help(stdout);
}

static int add(const char **list, size_t *n, size_t max, const char *value, const char *name) {
    if (*n == max) {
        fprintf(stderr, "tempoftp-ftpd: at most %zu times %s\n", max, name);
        return -EINVAL;
    }
    list[(*n)++] = value;
    return 0;
}

int options_parse(int argc, char **argv, Options *ret) {
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' },   { "root", required_argument, NULL, 'r' }, { "user", required_argument, NULL, 'u' },
        { "write", no_argument, NULL, 'w' },
        { "env-file", required_argument, NULL, 'e' }, { "help", no_argument, NULL, 'h' },       { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    int r = 0;

    *ret = (Options) { 0 };
    for (int o; r >= 0 && (o = getopt_long(argc, argv, "hV", options, NULL)) >= 0;)
        switch (o) {
        case 'l':
            r = add(ret->listen, &ret->n_listen, OPTION_LISTEN_MAX, optarg, "--listen");
            break;
        case 'u':
            r = add((const char **) ret->users, &ret->n_users, OPTION_USERS_MAX, optarg, "--user");
            break;
        case 'r':
            ret->root = optarg;
            break;
        case 'w':
            ret->write = true;
            break;
        case 'e':
            ret->env_file = optarg;
            break;
        case 'h':
            print_help();
            return 1;
        case 'V':
            printf("tempoftp-ftpd %s\n", TEMPOFTP_VERSION);
            return 1;
        default:
            return -EINVAL;
        }
    if (r >= 0 && optind < argc) {
        fprintf(stderr, "tempoftp-ftpd: unexpected argument '%s', see --help\n", argv[optind]);
        return -EINVAL;
    }
    return r;
}
