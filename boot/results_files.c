// SPDX-License-Identifier: BSD-2-Clause
#include "boot/results_files.h"

#include "lib/bits.h"
#include "lib/crc32c.h"
#include "lib/kept.h"
#include "lib/string.h"

#define MAGIC 0x444e45504c4c4542ull // "BELLPEND"
#define PAGE 4096ull
#define PHYSICAL_END BIT64(52)
#define WORD "results="
#define DIGITS 4

void results_pending_make(struct results_pending *r, uint64_t base, uint64_t nonce)
{
    *r = (struct results_pending){ .magic = MAGIC, .base = base, .nonce = nonce };
    r->crc = crc32c(0, r, offsetof(struct results_pending, crc));
}

bool results_pending_is_good(const struct results_pending *r, size_t bytes)
{
    return bytes == sizeof(*r) && r->magic == MAGIC &&
           r->crc == crc32c(0, r, offsetof(struct results_pending, crc)) && r->base &&
           r->base % PAGE == 0 && r->base <= PHYSICAL_END - KEPT_BYTES;
}

bool results_wanted(const char *words)
{
    bool wanted = false, begins = true;
    for (; *words; words++) {
        const char *value = words + strlen(WORD);
        if (begins && strncmp(words, WORD, strlen(WORD)) == 0)
            wanted = value[0] == '1' && (value[1] == 0 || value[1] == ' ');
        begins = *words == ' ';
    }
    return wanted;
}

void results_name_heed(const uint16_t *name, size_t chars, unsigned *highest)
{
    unsigned number = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        if (i >= chars || name[i] < '0' || name[i] > '9')
            return;
        number = 10 * number + (name[i] - '0');
    }
    *highest = MAX(*highest, number);
}

bool results_name_next(unsigned highest, uint16_t name[RESULTS_NAME_CHARS])
{
    static const char rest[] = ".jsonl";
    unsigned number = highest + 1;
    for (size_t i = DIGITS; i--; number /= 10)
        name[i] = (uint16_t)('0' + number % 10);
    for (size_t i = 0; i < sizeof(rest); i++)
        name[DIGITS + i] = (uint8_t)rest[i];
    return number == 0;
}
