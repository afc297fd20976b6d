/* A partner's server that finished requests are pushed to: its fields, their limits, the bodies of the calls about it, and who gets a request by itself.
 * Pure: bytes in, values out. CONTRACT "Destinations". Lengths in bytes without NUL unless said. */
#pragma once

#include "model/request.h"

#define DESTINATION_NAME_MAX 64  /* characters */
#define DESTINATION_NAME_SIZE (4 * DESTINATION_NAME_MAX + 1)
#define DESTINATION_HOST_MAX 253
#define DESTINATION_USERNAME_MAX 128
#define DESTINATION_PASSWORD_MAX 256
#define DESTINATION_SSH_KEY_MAX 12000 /* an RSA key of 16384 bits as text has 9,500 */
#define DESTINATION_PATH_MAX 1024
#define DESTINATION_GROUP_MAX 253    /* `grupo`, or the domain of an address */
#define HOST_KEY_SIZE 51             /* "SHA256:" and 43 characters of base64, as ssh-keygen -l prints it, and NUL */

typedef enum DestinationType { DESTINATION_FTP, DESTINATION_FTPS, DESTINATION_SFTP, DESTINATION_TYPE_MAX } DestinationType;
const char *destination_type_name(DestinationType t); /* "ftp"…; NULL for others */
int destination_type_parse(const char *name, DestinationType *ret) _must_use_; /* -EINVAL */
uint16_t destination_type_port(DestinationType t);

/* One row. password and ssh_key are Fernet tokens, or NULL. Owns its heap strings: destination_done(). */
typedef struct Destination {
    uint64_t id; /* never used twice; 0: none yet */
    char name[DESTINATION_NAME_SIZE];
    DestinationType type;
    char host[DESTINATION_HOST_MAX + 1]; /* a name or a literal address, without brackets */
    uint16_t port;
    char username[DESTINATION_USERNAME_MAX + 1];
    char *password, *ssh_key;
    char path[DESTINATION_PATH_MAX + 1];   /* beginning with '/', else below the folder of the login */
    char group[DESTINATION_GROUP_MAX + 1]; /* empty: none */
    bool is_default;
    char host_key[HOST_KEY_SIZE]; /* accepted; empty: none */
    char seen_key[HOST_KEY_SIZE]; /* what the last test was shown; likewise */
    int64_t created;              /* UTC seconds */
} Destination;
void destination_done(Destination *d);
#define _cleanup_destination_ _cleanup_(destination_done)

bool host_key_is_valid(const char *text);

/* What a body gives; NULL or false: the key was absent. Owns everything, secrets are wiped. */
typedef struct DestinationBody {
    char *name, *host, *username, *password, *ssh_key, *path, *group, *host_key; /* "" takes away, where that may be */
    bool has_type, has_port, has_default, is_default;
    DestinationType type;
    uint16_t port;
} DestinationBody;
void destination_body_done(DestinationBody *b);
#define _cleanup_destination_body_ _cleanup_(destination_body_done)
/* POST: whole. PUT: what is there changes, the rest stays. 0; -EBADMSG with *ret_refusal filled, 400 with a plain text; -ENOMEM. */
int destination_body_parse(const char *body, size_t size, bool whole, DestinationBody *ret, Refusal *ret_refusal) _must_use_;
/* What the body says into *d, secrets apart (they have to be encrypted first: *d says whether there is one by a pointer that is not NULL). Another host or
 * port forgets the keys, unless the body brings one. -EBADMSG with *ret_refusal: another type; no secret that this type can log in with; a host key with
 * a type that has none. */
int destination_body_apply(const DestinationBody *b, Destination *d, Refusal *ret_refusal) _must_use_;

/* POST /api/jobs/{id}/export/…: {"destination_id"} or {"destination_name"}. */
typedef struct ExportBody {
    uint64_t id; /* 0: by name; one that nobody can have is INT64_MAX */
    char name[DESTINATION_NAME_SIZE]; /* empty: by id, or no name that a destination can have */
} ExportBody;
int export_body_parse(const char *body, size_t size, ExportBody *ret, Refusal *ret_refusal) _must_use_;

/* The group whose destinations get a request: its own, letter for letter; else the domain of its address, of which "UNAM.MX" and "unam.mx" are one (RFC 4343).
 * Points into the request. */
const char *request_export_group(const Request *r, bool *ret_domain);
