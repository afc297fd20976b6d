/* People who may call the API: who they are, what they send about themselves. Pure: bytes in, values out. CONTRACT "Access".
 *
 * Not to be mixed up with accounts (model/account.h): those belong to the FTP server. */
#pragma once

#include "model/request.h"

#define USER_NAME_MAX 100          /* characters */
#define USER_NAME_SIZE (4 * USER_NAME_MAX + 1)
#define USER_PASSWORD_MIN 12       /* bytes */
#define USER_PASSWORD_MAX 128
#define ONETIME_TOKEN_SIZE 44      /* 32 random bytes in base64url, and NUL */

typedef enum Role { ROLE_USUARIO, ROLE_OPERADOR, ROLE_MAX } Role;
const char *role_name(Role r);
int role_parse(const char *name, Role *ret) _must_use_; /* -EINVAL */

/* One row as programs hold it, without its password's hash. */
typedef struct User {
    uint64_t id; /* 0: nobody */
    char name[USER_NAME_SIZE];
    char email[EMAIL_MAX + 1]; /* normalized */
    Role role;
    bool active;
    uint64_t generation; /* grows when its sessions end: logout, deactivation, another password */
    int64_t created;     /* UTC seconds */
} User;

/* ---- bodies; refusals as in request.h, 400 with a plain text ---- */
typedef struct NewUser {
    char name[USER_NAME_SIZE];
    char email[EMAIL_MAX + 1]; /* normalized */
    char *password;            /* heap */
} NewUser;
void new_user_done(NewUser *n); /* wipes */
#define _cleanup_new_user_ _cleanup_(new_user_done)
/* {"nombre","correo","password"} */
int new_user_parse(const char *body, size_t size, NewUser *ret, Refusal *ret_refusal) _must_use_;

/* {"correo","password"}: an address that nobody can have, or a password that nobody may have, is simply wrong later. `name` stays empty. */
int login_body_parse(const char *body, size_t size, NewUser *ret, Refusal *ret_refusal) _must_use_;

typedef struct UserChange {
    bool has_active, active;
    bool has_role;
    Role role;
    char *password; /* heap; NULL: stays */
} UserChange;
void user_change_done(UserChange *c); /* wipes */
#define _cleanup_user_change_ _cleanup_(user_change_done)
/* {"is_active"?,"rol"?,"password"?}, at least one of them. */
int user_change_parse(const char *body, size_t size, UserChange *ret, Refusal *ret_refusal) _must_use_;

/* {"token"}; one that is too long to be any comes back as "". */
int token_body_parse(const char *body, size_t size, char ret[static ONETIME_TOKEN_SIZE], Refusal *ret_refusal) _must_use_;
