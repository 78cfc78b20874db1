// SPDX-License-Identifier: BSD-2-Clause
// Whatever a controller says of itself: the rest of the driver relies on what the parsers accept.

#include <stdlib.h>
#include <string.h>

#include "drivers/nvme/identify.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/qpair.h"
#include "drivers/nvme/status.h"
#include "drivers/nvme/virtual_plan.h"

#define LIST_PHYS 0x5000ull

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool is_power_of_two(uint64_t n)
{
    return n && !(n & (n - 1));
}

static void must_be_text(const char *s, size_t room)
{
    must(memchr(s, 0, room) != NULL);
    must(*s != ' ');
    for (; *s; s++)
        must(*s >= ' ' && *s < 127);
}

static void check_cap(const uint8_t page[4096])
{
    struct nvme_limits l;
    struct problem p;
    uint64_t cap;
    uint32_t crto;

    memcpy(&cap, page, 8);
    memcpy(&crto, page + 8, 4);
    if (!nvme_parse_cap("nvme0", cap, crto, &l, &p))
        return;
    must(is_power_of_two(l.queue_entries) && l.queue_entries >= 2);
    must(l.queue_entries <= NVME_QUEUE_ENTRIES);
    must(is_power_of_two(l.stride) && l.stride >= 4 && l.stride <= 4u << 15);
    must(l.ready_ms >= 500 && l.ready_ms <= 65535ull * 500);
}

static void check_cmb(const uint8_t page[4096])
{
    struct nvme_cmb_place place;
    struct problem p;
    uint32_t registers[2];

    memcpy(registers, page, sizeof(registers));
    if (!nvme_parse_cmb(registers[0], registers[1], &place, &p)) {
        must(!place.bytes && strnlen(p.message, sizeof(p.message)) < sizeof(p.message));
        return;
    }
    must(place.bar <= 5 && place.bar != 1);
    must(place.offset % NVME_PAGE == 0 && place.bytes % NVME_PAGE == 0);
    must(place.offset < 1ull << 56 && place.bytes < 1ull << 56);
}

static void check_controller(const uint8_t page[4096])
{
    struct nvme_identify_controller data;
    struct nvme_id id;
    struct problem p;

    memcpy(&data, page, sizeof(data));
    data.sqes = data.sqes & 1 ? 0x66 : data.sqes; // or hardly any input gets through
    data.cqes = data.cqes & 1 ? 0x44 : data.cqes;
    if (!nvme_parse_controller("nvme0", &data, &id, &p))
        return;
    must_be_text(id.serial, sizeof(id.serial));
    must_be_text(id.model, sizeof(id.model));
    must_be_text(id.firmware, sizeof(id.firmware));
    must(is_power_of_two(id.max_transfer));
    must(id.max_transfer >= NVME_PAGE && id.max_transfer <= NVME_TRANSFER_MAX);
    must(id.shutdown_ms >= 5000 && id.shutdown_ms <= 60000);
}

static void check_namespace(const uint8_t page[4096], uint64_t max_transfer)
{
    struct nvme_identify_namespace data;
    struct nvme_format format;
    struct warnings w = { .count = 0 };
    struct problem p;

    memcpy(&data, page, sizeof(data));
    if (!nvme_parse_format("nvme0n1", &data, NULL, max_transfer, &format, &w, &p)) {
        must(!format.blocks && strnlen(p.message, sizeof(p.message)) < sizeof(p.message));
        return;
    }
    must(format.blocks == data.nsze);
    if (!format.blocks)
        return;
    must(format.block_shift >= 9 && format.block_shift <= 16);
    must(1ull << format.block_shift <= max_transfer);
    must(format.blocks << format.block_shift >> format.block_shift == format.blocks);
}

static void check_list(const uint8_t page[4096])
{
    uint32_t list[NVME_NSID_LIST_ENTRIES], after, last;
    memcpy(list, page, sizeof(list));
    memcpy(&after, page + 4092, 4);
    memcpy(&last, page + 4088, 4);
    size_t count;
    if (!nvme_parse_list(list, after, last, &count))
        return;
    must(count <= NVME_NSID_LIST_ENTRIES);
    for (size_t i = 0; i < count; i++) {
        must(list[i] > after && list[i] <= last);
        after = list[i];
    }
}

// Every byte of the transfer is named once, in order, and no entry but the first has an offset.
static void check_prp(const uint8_t page[4096])
{
    static uint64_t list[512];
    uint64_t phys, bytes;

    memcpy(&phys, page, 8);
    memcpy(&bytes, page + 8, 8);
    phys &= BITS64(51, 2);
    bytes = bytes % NVME_TRANSFER_MAX + 1;
    struct nvme_prp prp = nvme_prp_build(phys, bytes, list, LIST_PHYS);
    uint64_t pages = DIV_UP(phys % NVME_PAGE + bytes, NVME_PAGE);
    uint64_t second = ALIGN_DOWN(phys, NVME_PAGE) + NVME_PAGE;
    must(prp.prp1 == phys);
    must(prp.prp2 == (pages == 1 ? 0 : pages == 2 ? second : LIST_PHYS));
    for (uint64_t n = 1; pages > 2 && n < pages; n++)
        must(list[n - 1] == ALIGN_DOWN(phys, NVME_PAGE) + n * NVME_PAGE);
    must(pages <= 2 || pages - 1 <= nvme_prp_list_entries(bytes));
}

// What each function gets is there, and its controller is nobody else's.
static void check_virtual(const uint8_t page[4096])
{
    static struct nvme_primary primary;
    static struct nvme_secondaries list;
    struct nvme_virtual_plan plan;
    struct problem p;
    memcpy(&primary, page, 128);
    memcpy(&list, page + 128, sizeof(list) - 128);
    const unsigned wanted[] = { page[8], page[9] };
    unsigned count = page[6] % NVME_SECONDARIES_MOST + 1; // of reserved bytes, as inputs are short
    for (unsigned i = 0; page[7] & 1 && i < NVME_SECONDARIES_MOST; i++) {
        list.count = NVME_SECONDARIES_MOST;
        list.list[i].function = (uint16_t)(i + 1);
        list.list[i].id = (uint16_t)(primary.cntlid + i + 1);
    }
    if (!nvme_virtual_plan("nvme0", &primary, &list, count, wanted, &plan, &p))
        return;
    for (unsigned i = 0; i < count; i++)
        for (unsigned n = 0; n < i; n++)
            must(plan.ids[i] != plan.ids[n] && plan.ids[i] != primary.cntlid);
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++) {
        const struct nvme_shared_out *out = &primary.kinds[kind];
        must(plan.each[kind] || !(primary.crt & BIT32(kind)));
        must((uint64_t)plan.each[kind] * count <= out->total || !plan.each[kind]);
        must(plan.primary[kind] <= plan.now[kind]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    uint8_t page[4096] = { 0 };
    char text[80];

    memcpy(page, bytes, MIN(count, sizeof(page)));
    check_cap(page);
    check_cmb(page);
    check_controller(page);
    check_namespace(page, NVME_PAGE << page[4000] % 9);
    check_list(page);
    check_virtual(page);
    check_prp(page);
    nvme_status_text(page[0] | (uint32_t)page[1] << 8, text, sizeof(text));
    must_be_text(text, sizeof(text));
    return 0;
}
