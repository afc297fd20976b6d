/* Numbers, booleans, UTF-8, hex, lists: tables of what is accepted and what is not. */
#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void comparisons(void **state) {
    assert_true(streq_null(NULL, NULL));
    assert_false(streq_null("", NULL));
    assert_false(streq_null(NULL, "a"));
    assert_true(streq_null("a", "a"));
    assert_true(has_prefix("abc", "ab"));
    assert_true(has_prefix("abc", ""));
    assert_false(has_prefix("ab", "abc"));
    assert_true(has_suffix("a.service", ".service"));
    assert_false(has_suffix("service", ".service"));
    assert_true(is_blank(NULL));
    assert_true(is_blank(" \t\r\n"));
    assert_false(is_blank(" a "));
}

static void whole_numbers(void **state) {
    static const struct {
        const char *text;
        uint64_t max;
        int r;
        uint64_t value;
    } cases[] = {
        { "0", 10, 0, 0 },
        { "10", 10, 0, 10 },
        { "0010", 10, 0, 10 },
        { "11", 10, -ERANGE, 0 },
        { "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
        { "99999999999999999999999999", UINT64_MAX, -ERANGE, 0 },
        { "99999999999999999999999999x", UINT64_MAX, -EINVAL, 0 },
        { "", 10, -EINVAL, 0 },
        { "+1", 10, -EINVAL, 0 },
        { "-1", 10, -EINVAL, 0 },
        { " 1", 10, -EINVAL, 0 },
        { "1 ", 10, -EINVAL, 0 },
        { "1.0", 10, -EINVAL, 0 },
        { "0x1", 10, -EINVAL, 0 },
        { "١", 10, -EINVAL, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        uint64_t value = 77;
        assert_int_equal(parse_u64(cases[i].text, cases[i].max, &value), cases[i].r);
        assert_int_equal(value, cases[i].r == 0 ? cases[i].value : 77);
    }
}

static void booleans(void **state) {
    static const char *const yes[] = { "1", "yes", "TRUE", "on", "si", "sí", "SÍ" }, *const no[] = { "0", "no", "False", "OFF" },
                             *const neither[] = { "", "2", "y", "yes ", "truee", "ja" };
    bool value;

    for (size_t i = 0; i < ELEMENTS(yes); i++) {
        value = false;
        assert_int_equal(parse_bool(yes[i], &value), 0);
        assert_true(value);
    }
    for (size_t i = 0; i < ELEMENTS(no); i++) {
        value = true;
        assert_int_equal(parse_bool(no[i], &value), 0);
        assert_false(value);
    }
    for (size_t i = 0; i < ELEMENTS(neither); i++)
        assert_int_equal(parse_bool(neither[i], &value), -EINVAL);
}

/* RFC 3629: what is one character, what is none. */
static void utf8(void **state) {
    static const struct {
        const char *bytes;
        int length;
        uint32_t point;
    } cases[] = {
        { "a", 1, 'a' },
        { "\x7f", 1, 0x7f },
        { "\xc2\x80", 2, 0x80 },
        { "\xdf\xbf", 2, 0x7ff },
        { "\xe0\xa0\x80", 3, 0x800 },
        { "\xed\x9f\xbf", 3, 0xd7ff },
        { "\xee\x80\x80", 3, 0xe000 },
        { "\xef\xbf\xbf", 3, 0xffff },
        { "\xf0\x90\x80\x80", 4, 0x10000 },
        { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
        { "\x80", -EILSEQ, 0 },             /* a continuation alone */
        { "\xc0\x80", -EILSEQ, 0 },         /* overlong */
        { "\xc1\xbf", -EILSEQ, 0 },
        { "\xe0\x9f\xbf", -EILSEQ, 0 },
        { "\xf0\x8f\xbf\xbf", -EILSEQ, 0 },
        { "\xed\xa0\x80", -EILSEQ, 0 },     /* a surrogate */
        { "\xf4\x90\x80\x80", -EILSEQ, 0 }, /* beyond U+10FFFF */
        { "\xf5\x80\x80\x80", -EILSEQ, 0 },
        { "\xff", -EILSEQ, 0 },
        { "\xc2", -EILSEQ, 0 },             /* cut */
        { "\xe2\x82", -EILSEQ, 0 },
        { "\xf0\x90\x80", -EILSEQ, 0 },
        { "\xc2" "a", -EILSEQ, 0 },
        { "\xe2\x82" "a", -EILSEQ, 0 },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        uint32_t point = 0;
        size_t size = strlen(cases[i].bytes);
        assert_int_equal(utf8_decode(cases[i].bytes, size, &point), cases[i].length);
        assert_int_equal(point, cases[i].point);
        assert_int_equal(utf8_is_valid(cases[i].bytes, size), cases[i].length > 0);
    }
    uint32_t point;
    assert_int_equal(utf8_decode("", 0, &point), -EILSEQ);
    assert_true(utf8_is_valid("", 0));
    assert_true(utf8_is_valid("a\0ñ", 4));
    assert_false(utf8_is_valid("ok\xff", 3));
}

static void hex(void **state) {
    char text[7];
    uint8_t bytes[3] = { 1, 2, 3 };

    hex_encode("\x00\xab\xff", 3, text);
    assert_string_equal(text, "00abff");
    assert_int_equal(hex_decode("00aBFf", bytes, 3), 0);
    assert_memory_equal(bytes, "\x00\xab\xff", 3);
    assert_int_equal(hex_decode("00aBF", bytes, 3), -EINVAL);
    assert_int_equal(hex_decode("00aBFf0", bytes, 3), -EINVAL);
    assert_int_equal(hex_decode("1111g1", bytes, 3), -EINVAL);
    assert_memory_equal(bytes, "\x00\xab\xff", 3);
    assert_int_equal(hex_decode("", bytes, 0), 0);
}

static void lists(void **state) {
    static const struct {
        const char *text, *joined;
    } cases[] = {
        { "", "" }, { ",, ,", "" }, { "a", "a" }, { "a, b,,c ", "a|b|c" }, { " a b ,c", "a b|c" }, { ",a", "a" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        _cleanup_strv_ char **list = NULL;
        char joined[64] = "";
        assert_int_equal(strv_split(cases[i].text, ',', 3, &list), 0);
        for (char **p = list; *p; p++) {
            strcat(joined, *joined ? "|" : "");
            strcat(joined, *p);
        }
        assert_string_equal(joined, cases[i].joined);
    }

    char **untouched = (char **) cases;
    assert_int_equal(strv_split("a,b,c,d", ',', 3, &untouched), -E2BIG);
    assert_ptr_equal(untouched, cases);

    char *list[] = { (char[]) { "a" }, (char[]) { "b" }, NULL };
    assert_true(strv_contains(list, "b"));
    assert_false(strv_contains(list, "B"));
    assert_false(strv_contains(NULL, "a"));
    assert_null(strv_free(NULL));
}

static void wiping(void **state) {
    char secret[] = "hunter2";

    wipe(secret, sizeof(secret));
    assert_memory_equal(secret, "\0\0\0\0\0\0\0", sizeof(secret));
    wipe(NULL, 0);
    wipe_free(NULL);
    wipe_free(strdup("x"));
}

static void climbing_paths(void **state) {
    static const char *const climb[] = { "..", "../a", "/..", "a/..", "a/../b", "/a/b/.." };
    static const char *const stay[] = { "", "/", ".", "...", "..a", "a..", "a..1", "/a../b", ".staging/b..1", "./a" };

    for (size_t i = 0; i < ELEMENTS(climb); i++)
        assert_true(path_climbs(climb[i]));
    for (size_t i = 0; i < ELEMENTS(stay); i++)
        assert_false(path_climbs(stay[i]));
}

static void texts_are_cut_between_letters(void **state) {
    static const struct {
        const char *text;
        size_t size;
        const char *expected;
    } cases[] = {
        { "abc", 4, "abc" }, { "abc", 3, "ab" },  { "abc", 1, "" },  { "", 1, "" }, { "añb", 5, "añb" },
        { "añb", 4, "añ" },  { "añb", 3, "a" },   { "€", 3, "" },    { "€", 4, "€" }, { "a\xff" "b", 4, "a" },
    };

    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        char cut[8];
        text_cut(cases[i].text, cut, cases[i].size);
        assert_string_equal(cut, cases[i].expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cut_between_letters),
        cmocka_unit_test(comparisons), cmocka_unit_test(whole_numbers), cmocka_unit_test(booleans), cmocka_unit_test(utf8),
        cmocka_unit_test(hex),         cmocka_unit_test(lists),         cmocka_unit_test(wiping),
        cmocka_unit_test(climbing_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
