// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the translation of scan codes: whatever a keyboard sends, few bytes come of it, all of which a
// terminal may send.
#include "kernel/base/keys.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keys keys = { .is_set2 = size && data[0] & 1 };
    for (size_t i = 1; i < size; i++) {
        char bytes[KEYS_BYTES_MAX];
        size_t count = keys_take(&keys, data[i], bytes);
        require(count <= KEYS_BYTES_MAX);
        for (size_t j = 0; j < count; j++)
            require(bytes[j] > 0);
    }
    return 0;
}
