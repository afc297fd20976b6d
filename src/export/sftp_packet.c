/* SFTP's requests and replies as bytes: a length, a type, an id, and fields in network order. What they are for is sftp.c's business. */
#include "export/sftp_packet.h"

#include "basic/strings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    TYPE_INIT = 1,
    TYPE_VERSION = 2,
    TYPE_OPEN = 3,
    TYPE_CLOSE = 4,
    TYPE_WRITE = 6,
    TYPE_FSTAT = 8,
    TYPE_REMOVE = 13,
    TYPE_MKDIR = 14,
    TYPE_STAT = 17,
    TYPE_RENAME = 18,
    TYPE_STATUS = 101,
    TYPE_HANDLE = 102,
    TYPE_ATTRS = 105,
    TYPE_EXTENDED = 200,
    TYPE_EXTENDED_REPLY = 201,
};

#define ATTRIBUTE_SIZE 0x1u
#define ATTRIBUTE_UIDGID 0x2u
#define ATTRIBUTE_PERMISSIONS 0x4u
#define POSIX_RENAME "posix-rename@openssh.com"
#define STATVFS "statvfs@openssh.com"

/* ---- requests ---- */

static void put_u32(Buffer *to, uint32_t value) {
    uint32_t bytes = htonl(value);
    buffer_append(to, &bytes, sizeof(bytes));
}

static void put_u64(Buffer *to, uint64_t value) {
    put_u32(to, (uint32_t) (value >> 32));
    put_u32(to, (uint32_t) value);
}

static void put_bytes(Buffer *to, const void *data, size_t size) {
    put_u32(to, (uint32_t) size);
    buffer_append(to, data, size);
}

static void put_text(Buffer *to, const char *text) {
    put_bytes(to, text, strlen(text));
}

/* `size`: of what follows type and id. */
static void put_head(Buffer *to, uint8_t type, uint32_t id, size_t size) {
    put_u32(to, (uint32_t) (1 + 4 + size));
    buffer_append(to, &type, 1);
    put_u32(to, id);
}

void sftp_put_init(Buffer *to) {
    put_head(to, TYPE_INIT, SFTP_VERSION, 0); /* the version in the place of an id */
}

void sftp_put_open(Buffer *to, uint32_t id, const char *path, uint32_t flags) {
    put_head(to, TYPE_OPEN, id, 4 + strlen(path) + 4 + 4);
    put_text(to, path);
    put_u32(to, flags);
    put_u32(to, 0); /* no attributes: the server's own */
}

void sftp_put_write(Buffer *to, uint32_t id, const char *handle, size_t handle_size, uint64_t offset, const void *data, size_t size) {
    put_head(to, TYPE_WRITE, id, 4 + handle_size + 8 + 4 + size);
    put_bytes(to, handle, handle_size);
    put_u64(to, offset);
    put_bytes(to, data, size);
}

static void put_about_handle(Buffer *to, uint8_t type, uint32_t id, const char *handle, size_t handle_size) {
    put_head(to, type, id, 4 + handle_size);
    put_bytes(to, handle, handle_size);
}

void sftp_put_close(Buffer *to, uint32_t id, const char *handle, size_t handle_size) {
    put_about_handle(to, TYPE_CLOSE, id, handle, handle_size);
}

void sftp_put_fstat(Buffer *to, uint32_t id, const char *handle, size_t handle_size) {
    put_about_handle(to, TYPE_FSTAT, id, handle, handle_size);
}

static void put_about_path(Buffer *to, uint8_t type, uint32_t id, const char *path) {
    put_head(to, type, id, 4 + strlen(path));
    put_text(to, path);
}

void sftp_put_stat(Buffer *to, uint32_t id, const char *path) {
    put_about_path(to, TYPE_STAT, id, path);
}

void sftp_put_remove(Buffer *to, uint32_t id, const char *path) {
    put_about_path(to, TYPE_REMOVE, id, path);
}

void sftp_put_mkdir(Buffer *to, uint32_t id, const char *path) {
    put_head(to, TYPE_MKDIR, id, 4 + strlen(path) + 4);
    put_text(to, path);
    put_u32(to, 0);
}

void sftp_put_rename(Buffer *to, uint32_t id, const char *from, const char *to_path, bool posix) {
    size_t paths = 4 + strlen(from) + 4 + strlen(to_path);

    put_head(to, posix ? TYPE_EXTENDED : TYPE_RENAME, id, posix ? 4 + strlen(POSIX_RENAME) + paths : paths);
    if (posix)
        put_text(to, POSIX_RENAME);
    put_text(to, from);
    put_text(to, to_path);
}

void sftp_put_space(Buffer *to, uint32_t id, const char *path) {
    put_head(to, TYPE_EXTENDED, id, 4 + strlen(STATVFS) + 4 + strlen(path));
    put_text(to, STATVFS);
    put_text(to, path);
}

/* ---- replies ---- */

typedef struct Reader {
    const uint8_t *p, *end;
    bool bad;
} Reader;

static uint32_t take_u32(Reader *r) {
    uint32_t value = 0;

    if (r->end - r->p < 4) {
        r->bad = true;
        return 0;
    }
    memcpy(&value, r->p, sizeof(value));
    r->p += 4;
    return ntohl(value);
}

static uint64_t take_u64(Reader *r) {
    uint64_t high = take_u32(r);
    return high << 32 | take_u32(r);
}

static const uint8_t *take_bytes(Reader *r, size_t *ret_size) {
    size_t size = take_u32(r);
    const uint8_t *bytes = r->p;

    if (r->bad || (size_t) (r->end - r->p) < size) {
        r->bad = true;
        *ret_size = 0;
        return bytes;
    }
    r->p += size;
    *ret_size = size;
    return bytes;
}

static void take_status(Reader *r, SftpReply *reply) {
    size_t size = 0;
    const uint8_t *text = NULL;

    reply->kind = SFTP_IS_STATUS;
    reply->status = take_u32(r);
    if (r->p < r->end) /* old servers end here */
        text = take_bytes(r, &size);
    snprintf(reply->text, sizeof(reply->text), "%.*s", (int) (size < SFTP_TEXT_MAX ? size : SFTP_TEXT_MAX - 1), text ? (const char *) text : "");
}

static void take_handle(Reader *r, SftpReply *reply) {
    const uint8_t *bytes = take_bytes(r, &reply->handle_size);

    reply->kind = SFTP_IS_HANDLE;
    if (reply->handle_size > SFTP_HANDLE_MAX)
        r->bad = true;
    else if (!r->bad)
        memcpy(reply->handle, bytes, reply->handle_size);
}

static void take_attributes(Reader *r, SftpReply *reply) {
    uint32_t flags = take_u32(r);

    reply->kind = SFTP_IS_ATTRIBUTES;
    reply->has_size = flags & ATTRIBUTE_SIZE;
    if (reply->has_size)
        reply->size = take_u64(r);
    if (flags & ATTRIBUTE_UIDGID)
        (void) take_u64(r);
    if (flags & ATTRIBUTE_PERMISSIONS)
        reply->is_folder = S_ISDIR(take_u32(r));
}

static bool is_text(const uint8_t *bytes, size_t size, const char *text) {
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

/* Pairs of name and value up to the end. */
static void take_extensions(Reader *r, SftpReply *reply) {
    while (!r->bad && r->p < r->end) {
        size_t name_size, value_size;
        const uint8_t *name = take_bytes(r, &name_size), *value = take_bytes(r, &value_size);

        if (r->bad)
            return;
        if (is_text(name, name_size, POSIX_RENAME) && is_text(value, value_size, "1"))
            reply->posix_rename = true;
        if (is_text(name, name_size, STATVFS) && is_text(value, value_size, "2"))
            reply->statvfs = true;
    }
}

/* Of its eleven numbers the size of a block and how many are free for others than root. */
static void take_space(Reader *r, SftpReply *reply) {
    uint64_t numbers[5];

    reply->kind = SFTP_IS_SPACE;
    for (size_t i = 0; i < ELEMENTS(numbers); i++)
        numbers[i] = take_u64(r);
    if (__builtin_mul_overflow(numbers[1], numbers[4], &reply->free))
        reply->free = UINT64_MAX;
}

int sftp_reply_parse(const void *bytes, size_t size, SftpReply *ret) {
    Reader r = { .p = bytes, .end = (const uint8_t *) bytes + size };
    SftpReply reply = { 0 };
    uint32_t length;
    uint8_t type;

    if (size < 4)
        return 0;
    length = take_u32(&r);
    if (length < 5 || length > SFTP_REPLY_MAX)
        return -EBADMSG;
    if (size - 4 < length)
        return 0;
    r.end = r.p + length;
    type = *r.p++;
    reply.id = take_u32(&r);
    if (type == TYPE_VERSION) {
        reply.kind = SFTP_IS_VERSION;
        reply.version = reply.id;
        take_extensions(&r, &reply);
    } else if (type == TYPE_STATUS)
        take_status(&r, &reply);
    else if (type == TYPE_HANDLE)
        take_handle(&r, &reply);
    else if (type == TYPE_ATTRS)
        take_attributes(&r, &reply);
    else if (type == TYPE_EXTENDED_REPLY)
        take_space(&r, &reply);
    else
        r.bad = true;
    if (r.bad)
        return -EBADMSG;
    *ret = reply;
    return (int) (4 + length);
}
