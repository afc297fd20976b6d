/* Names in the order of an upload: whatever they are, it is an order, and the volumes of a set stand side by side. */
#include "basic/strings.h"
#include "export/order.h"

#include <assert.h>
#include <stdlib.h>

#define NAMES_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int compare(const void *a, const void *b) {
    return order_compare(*(char *const *) a, *(char *const *) b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = strndup((const char *) data, size);
    char *names[NAMES_MAX], *rest = text;
    size_t n = 0;

    while (n < NAMES_MAX && rest)
        names[n++] = strsep(&rest, "\n");
    qsort(names, n, sizeof(names[0]), compare);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int way = order_compare(names[i], names[j]);

            assert((way > 0) == (order_compare(names[j], names[i]) < 0));
            assert(i >= j || way <= 0);
            assert(way != 0 || streq(names[i], names[j]) || strchr(names[i], '/'));
            for (size_t k = i + 1; i < j && order_same_set(names[i], names[j]) && k < j; k++)
                assert(order_same_set(names[i], names[k]));
        }
    return 0;
}
