/* The command line of tempoftp-export: each number arrives in its place, within its bounds. */
#include "export/options.h"

#include "basic/strings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define ARGUMENTS_MAX 32

static const struct {
    const char *option;
    size_t offset;
    uint64_t min, max;
} numbers[] = {
    { "--life", offsetof(Options, life), 1, INT64_MAX },
    { "--number", offsetof(Options, number), 1, UINT32_MAX },
    { "--connections", offsetof(Options, connections), 1, 16 },
    { "--retries", offsetof(Options, retries), 0, 10 },
    { "--retry-seconds", offsetof(Options, retry_seconds), 1, 600 },
    { "--ftp-seconds", offsetof(Options, ftp_seconds), 1, 600 },
    { "--sftp-seconds", offsetof(Options, sftp_seconds), 1, 600 },
    { "--answer-seconds", offsetof(Options, answer_seconds), 1, 3600 },
};

static int parse(const char *const *words, Options *ret) {
    char *argv[ARGUMENTS_MAX + 1] = { (char *) "tempoftp-export" };
    const char *error = NULL;
    int argc = 1, r;

    for (; *words && argc < ARGUMENTS_MAX; words++)
        argv[argc++] = (char *) *words;
    r = options_parse(argc, argv, ret, &error);
    assert_true(r == 0 || (r == -EINVAL && error));
    return r;
}

/* A whole command; of `odd` the value is another one, or with NULL it is missing. The values are 1, 2, 3, … */
static int parse_upload(size_t odd, const char *value, Options *ret) {
    const char *words[ARGUMENTS_MAX] = { "upload", "--id", "p1", "--folder", "/data/a/p1" };
    char texts[ELEMENTS(numbers)][8];
    size_t n = 5;

    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%zu", i + 1);
        if (i == odd && !value)
            continue;
        words[n++] = numbers[i].option;
        words[n++] = i == odd ? value : texts[i];
    }
    return parse(words, ret);
}

static uint64_t value_of(const Options *o, size_t i) {
    return *(const uint64_t *) ((const char *) o + numbers[i].offset);
}

static void each_number_arrives_in_its_place(void **state) {
    Options o;

    assert_int_equal(parse_upload(SIZE_MAX, NULL, &o), 0);
    assert_int_equal(o.verb, OPTIONS_UPLOAD);
    assert_string_equal(o.id, "p1");
    assert_string_equal(o.folder, "/data/a/p1");
    assert_false(o.internal);
    for (size_t i = 0; i < ELEMENTS(numbers); i++)
        assert_int_equal(value_of(&o, i), i + 1);
}

static void numbers_have_bounds_and_are_needed(void **state) {
    char text[24];
    Options o;

    for (size_t i = 0; i < ELEMENTS(numbers); i++) {
        const uint64_t good[] = { numbers[i].min, numbers[i].max };
        for (size_t k = 0; k < ELEMENTS(good); k++) {
            snprintf(text, sizeof(text), "%llu", (unsigned long long) good[k]);
            assert_int_equal(parse_upload(i, text, &o), 0);
            assert_int_equal(value_of(&o, i), good[k]);
        }
        snprintf(text, sizeof(text), "%llu", (unsigned long long) numbers[i].max + 1);
        assert_int_equal(parse_upload(i, text, &o), -EINVAL);
        assert_int_equal(parse_upload(i, "-1", &o), -EINVAL);
        assert_int_equal(parse_upload(i, "", &o), -EINVAL);
        if (numbers[i].min > 0) {
            assert_int_equal(parse_upload(i, "0", &o), -EINVAL);
            assert_int_equal(parse_upload(i, NULL, &o), -EINVAL);
        }
    }
}

static void a_test_needs_none(void **state) {
    Options o;

    assert_int_equal(parse((const char *const[]) { "test", "--internal", NULL }, &o), 0);
    assert_int_equal(o.verb, OPTIONS_TEST);
    assert_true(o.internal);
    assert_int_equal(parse((const char *const[]) { "look", NULL }, &o), -EINVAL);
    assert_int_equal(parse((const char *const[]) { "test", "upload", NULL }, &o), -EINVAL);
    assert_int_equal(parse((const char *const[]) { "test", "--color", NULL }, &o), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_arrives_in_its_place),
        cmocka_unit_test(numbers_have_bounds_and_are_needed),
        cmocka_unit_test(a_test_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
