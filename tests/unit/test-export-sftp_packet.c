/* SFTP's bytes: what is asked, and what strangers answer. */
#include "export/sftp_packet.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void requests_are_as_the_draft_has_them(void **state) {
    _cleanup_buffer_ Buffer b = { 0 };
    char hex[256];

    sftp_put_init(&b);
    hex_encode(b.data, b.size, hex);
    assert_string_equal(hex, "000000050100000003");
    buffer_clear(&b);
    sftp_put_open(&b, 7, "a", SFTP_WRITE | SFTP_CREATE | SFTP_TRUNCATE);
    hex_encode(b.data, b.size, hex);
    assert_string_equal(hex, "00000012" "03" "00000007" "00000001" "61" "0000001a" "00000000");
    buffer_clear(&b);
    sftp_put_write(&b, 8, "h", 1, UINT64_C(0x100000002), "xy", 2);
    hex_encode(b.data, b.size, hex);
    assert_string_equal(hex, "00000018" "06" "00000008" "00000001" "68" "0000000100000002" "00000002" "7879");
    buffer_clear(&b);
    sftp_put_rename(&b, 9, "a", "b", false);
    hex_encode(b.data, b.size, hex);
    assert_string_equal(hex, "0000000f" "12" "00000009" "00000001" "61" "00000001" "62");
}

static void every_request_says_its_length(void **state) {
    for (int i = 0; i < 9; i++) {
        _cleanup_buffer_ Buffer b = { 0 };
        uint32_t length;

        switch (i) {
        case 0: sftp_put_close(&b, 1, "handle", 6); break;
        case 1: sftp_put_fstat(&b, 1, "handle", 6); break;
        case 2: sftp_put_stat(&b, 1, "path"); break;
        case 3: sftp_put_mkdir(&b, 1, "path"); break;
        case 4: sftp_put_remove(&b, 1, "path"); break;
        case 5: sftp_put_rename(&b, 1, "from", "to", true); break;
        case 6: sftp_put_rename(&b, 1, "from", "to", false); break;
        case 7: sftp_put_space(&b, 1, "path"); break;
        default: sftp_put_write(&b, 1, "handle", 6, 5, "data", 4);
        }
        memcpy(&length, b.data, sizeof(length));
        assert_int_equal(__builtin_bswap32(length) + 4, b.size);
    }
}

static int parse(const char *hex, SftpReply *ret) {
    uint8_t bytes[512];

    assert_int_equal(hex_decode(hex, bytes, strlen(hex) / 2), 0);
    return sftp_reply_parse(bytes, strlen(hex) / 2, ret);
}

static void replies(void **state) {
    SftpReply r;

    assert_int_equal(parse("00000017" "65" "00000007" "00000004" "00000006" "6675656c6c65" "00000000", &r), 27);
    assert_int_equal(r.kind, SFTP_IS_STATUS);
    assert_int_equal(r.id, 7);
    assert_int_equal(r.status, SFTP_FAILURE);
    assert_string_equal(r.text, "fuelle");
    assert_int_equal(parse("00000009" "65" "00000007" "00000000", &r), 13); /* of an old server: no text */
    assert_int_equal(r.status, SFTP_OK);
    assert_int_equal(parse("0000000b" "66" "00000008" "00000002" "6869", &r), 15);
    assert_int_equal(r.kind, SFTP_IS_HANDLE);
    assert_int_equal(r.handle_size, 2);
    assert_int_equal(parse("00000015" "69" "00000009" "00000005" "0000000100000000" "000041ed", &r), 25);
    assert_int_equal(r.kind, SFTP_IS_ATTRIBUTES);
    assert_true(r.has_size && r.is_folder && r.size == UINT64_C(1) << 32);
}

static void a_version_with_extensions(void **state) {
    SftpReply r;

    assert_int_equal(parse("00000005" "02" "00000003", &r), 9);
    assert_int_equal(r.version, 3);
    assert_false(r.posix_rename);
    /* "posix-rename@openssh.com" = "1" */
    assert_int_equal(parse("00000026" "02" "00000003" "00000018" "706f7369782d72656e616d65406f70656e7373682e636f6d" "00000001" "31", &r), 42);
    assert_true(r.posix_rename && !r.statvfs);
}

static void what_is_not_whole_is_waited_for(void **state) {
    SftpReply r;

    assert_int_equal(parse("", &r), 0);
    assert_int_equal(parse("000000", &r), 0);
    assert_int_equal(parse("0000000965000000070000", &r), 0);
}

static void nonsense_is_refused(void **state) {
    static const char *const hex[] = {
        "00000004" "65000000",                               /* too short for an id */
        "00010001" "65",                                     /* longer than any answer */
        "ffffffff" "65",                                     /* likewise */
        "00000009" "63" "00000007" "00000000",               /* no such kind */
        "0000000d" "65" "00000007" "00000000" "ffffffff",    /* a text past its end */
        "00000009" "66" "00000008" "00000101",               /* a handle past its end */
        "00000009" "69" "00000009" "00000001",               /* a size that is not there */
        "00000009" "02" "00000003" "00000018",               /* half an extension */
        "00000009" "c9" "00000003" "00000018",               /* a disk without numbers */
    };
    SftpReply r;

    for (size_t i = 0; i < ELEMENTS(hex); i++)
        if (parse(hex[i], &r) != -EBADMSG)
            fail_msg("%s", hex[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_as_the_draft_has_them),
        cmocka_unit_test(every_request_says_its_length),
        cmocka_unit_test(replies),
        cmocka_unit_test(a_version_with_extensions),
        cmocka_unit_test(what_is_not_whole_is_waited_for),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
