/* How the value of one setting is read and checked: the columns of settings.c's table. Private to model/'s settings files. */
#pragma once

#include "basic/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_EXPECTED_SIZE 160
#define SETTING_LIST_MAX 256 /* entries of a list */
#define SETTING_TEXT_MAX 1024
#define SETTING_TITLE_MAX 64 /* JWT_ISSUER_MAX */

typedef struct Setting Setting;
/* Writes the member at `field`. -EINVAL: not allowed; -ENOMEM. */
typedef int (*SettingParse)(const Setting *s, const char *text, void *field);

struct Setting {
    const char *name;
    SettingParse parse;
    size_t offset, size; /* of the member in Settings */
    const char *fallback; /* as one would write it; NULL: the member stays empty */
    uint64_t min, max;          /* setting_number */
    const char *const *words;   /* setting_word: index = value; an empty one can't be said */
    bool matters;               /* who may do what, or what becomes of data: another value goes into the audit trail */
    bool secret;                /* taken from a credential first; never printed */
    const char *help;
};

int setting_bool(const Setting *s, const char *text, void *field);        /* bool */
int setting_number(const Setting *s, const char *text, void *field);      /* any integer type, by size */
int setting_word(const Setting *s, const char *text, void *field);        /* an enum */
int setting_log_level(const Setting *s, const char *text, void *field);   /* int */
int setting_rate(const Setting *s, const char *text, void *field);        /* RateLimit */
int setting_ports(const Setting *s, const char *text, void *field);       /* uint16_t[2] */
int setting_secret(const Setting *s, const char *text, void *field);      /* char *, so are all below up to the lists */
int setting_password(const Setting *s, const char *text, void *field);
int setting_title(const Setting *s, const char *text, void *field);
int setting_path(const Setting *s, const char *text, void *field);
int setting_name(const Setting *s, const char *text, void *field);
int setting_host(const Setting *s, const char *text, void *field);
int setting_server(const Setting *s, const char *text, void *field); /* a host, or the path of a Unix socket */
int setting_ipv4(const Setting *s, const char *text, void *field);
int setting_hosts(const Setting *s, const char *text, void *field);       /* char **, so are all below */
int setting_networks(const Setting *s, const char *text, void *field);
int setting_web_origins(const Setting *s, const char *text, void *field);

/* What the error and the example file say is allowed: "a whole number from 1 to 64". */
void setting_expected(const Setting *s, char ret[static SETTING_EXPECTED_SIZE]);
