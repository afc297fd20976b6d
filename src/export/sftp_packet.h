/* Packets of SFTP version 3, the one that all servers speak: written, and read back from a stranger's bytes. Pure.
 *
 * Source: draft-ietf-secsh-filexfer-02; OpenSSH's PROTOCOL, 4.3 (posix-rename@openssh.com) and 4.4 (statvfs@openssh.com). */
#pragma once

#include "basic/buffer.h"

#define SFTP_REPLY_MAX 65536   /* bytes of one; nothing that is asked here has a longer answer */
#define SFTP_HANDLE_MAX 256    /* the draft's limit */
#define SFTP_TEXT_MAX 256
#define SFTP_VERSION 3

/* SSH_FXF_… */
#define SFTP_WRITE 0x02u
#define SFTP_CREATE 0x08u
#define SFTP_TRUNCATE 0x10u

enum { SFTP_OK = 0, SFTP_NO_SUCH_FILE = 2, SFTP_PERMISSION_DENIED = 3, SFTP_FAILURE = 4, SFTP_UNSUPPORTED = 8 }; /* SSH_FX_… */

/* Requests. Errors stick in the Buffer. */
void sftp_put_init(Buffer *to);
void sftp_put_open(Buffer *to, uint32_t id, const char *path, uint32_t flags);
void sftp_put_write(Buffer *to, uint32_t id, const char *handle, size_t handle_size, uint64_t offset, const void *data, size_t size);
void sftp_put_close(Buffer *to, uint32_t id, const char *handle, size_t handle_size);
void sftp_put_fstat(Buffer *to, uint32_t id, const char *handle, size_t handle_size);
void sftp_put_stat(Buffer *to, uint32_t id, const char *path);
void sftp_put_mkdir(Buffer *to, uint32_t id, const char *path);
void sftp_put_remove(Buffer *to, uint32_t id, const char *path);
void sftp_put_rename(Buffer *to, uint32_t id, const char *from, const char *to_path, bool posix);

void sftp_put_space(Buffer *to, uint32_t id, const char *path); /* statvfs@openssh.com */

typedef enum SftpKind { SFTP_IS_VERSION, SFTP_IS_STATUS, SFTP_IS_HANDLE, SFTP_IS_ATTRIBUTES, SFTP_IS_SPACE } SftpKind;
typedef struct SftpReply {
    SftpKind kind;
    uint32_t id;                  /* of the request; not of a version */
    uint32_t status;              /* SFTP_IS_STATUS */
    char text[SFTP_TEXT_MAX];     /* likewise; cut */
    char handle[SFTP_HANDLE_MAX]; /* SFTP_IS_HANDLE */
    size_t handle_size;
    bool has_size, is_folder;     /* SFTP_IS_ATTRIBUTES */
    uint64_t size;
    uint32_t version;             /* SFTP_IS_VERSION */
    bool posix_rename, statvfs;   /* likewise: does it know these? */
    uint64_t free;                /* SFTP_IS_SPACE: bytes that we may still write */
} SftpReply;

/* The first reply in `bytes`: how many bytes it has, 0 when it is not whole yet, -EBADMSG when it is none. */
int sftp_reply_parse(const void *bytes, size_t size, SftpReply *ret) _must_use_;
