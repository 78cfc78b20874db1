// SPDX-License-Identifier: BSD-2-Clause
// Remapping entries, remappable messages and fault sentences, against words worked out by hand from
// the specification's tables (VT-d 5.1.2, 5.1.4.1, 9.9, 9.10, 11.4.7.6).

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/vtd/fault_text.h"
#include "drivers/vtd/irte.h"

static void test_remapped(void **state)
{
    // P 0, vector 23:16, destination 63:32; SID 79:64, SQ 81:80 = 0, SVT 83:82 = 1.
    struct irte e = irte_remapped(0x12345678, 0x41, irte_source_exact(0xabcd));
    assert_int_equal(e.low, 0x1234567800410001);
    assert_int_equal(e.high, 0x000000000004abcd);
    e = irte_remapped(0xffffffff, 0xff, irte_source_exact(0xffff));
    assert_int_equal(e.low, 0xffffffff00ff0001);
    assert_int_equal(e.high, 0x000000000004ffff);
}

static void test_posted(void **state)
{
    // P 0, IM 15, VV 23:16, address 31:6 in 63:38, address 63:32 in 127:96.
    struct irte e = irte_posted(0x0000007b89abcdc0, 0x20, false, irte_source_exact(0x0020));
    assert_int_equal(e.low, 0x89abcdc000208001);
    assert_int_equal(e.high, 0x0000007b00040020);
    e = irte_posted(0xffffffffffffffc0, 0xff, true, irte_source_exact(0));
    assert_int_equal(e.low, 0xffffffc000ffc001); // URG 14
    assert_int_equal(e.high, 0xffffffff00040000);
}

static void test_bus_range(void **state)
{
    // SVT 2; the first bus in SID 15:8, the last in 7:0.
    struct irte e = irte_remapped(1, 0x30, irte_source_buses(0x3a, 0x3f));
    assert_int_equal(e.high, 0x0000000000083a3f);
}

static void test_unpack(void **state)
{
    struct irte_fields f =
        irte_unpack(irte_posted(0x123456789abcdec0, 0x99, true, irte_source_buses(2, 5)));
    assert_true(f.present && f.posted && f.urgent);
    assert_int_equal(f.vector, 0x99);
    assert_int_equal(f.descriptor, 0x123456789abcdec0);
    assert_int_equal(f.destination, 0);
    assert_int_equal(f.source.svt, IRTE_SVT_BUS);
    assert_int_equal(f.source.sid, 0x0205);

    f = irte_unpack(irte_remapped(300, 0x80, irte_source_exact(0x0100)));
    assert_true(f.present && !f.posted && !f.urgent);
    assert_int_equal(f.destination, 300);
    assert_int_equal(f.vector, 0x80);
    assert_int_equal(f.source.svt, IRTE_SVT_SID);
    assert_false(irte_unpack((struct irte){ 0 }).present);
}

static void test_message(void **state)
{
    // FEEh, handle 14:0 in 19:5, format bit 4, SHV bit 3 clear, handle 15 in bit 2.
    assert_int_equal(irte_message(0).address, 0xfee00010);
    assert_int_equal(irte_message(1).address, 0xfee00030);
    assert_int_equal(irte_message(0x7fff).address, 0xfeefffF0);
    assert_int_equal(irte_message(0x8000).address, 0xfee00014);
    assert_int_equal(irte_message(0xffff).address, 0xfeeffff4);
    assert_int_equal(irte_message(0xffff).data, 0);
}

static void test_allows(void **state)
{
    struct irte_source s = irte_source_exact(0x0108); // 01:01.0
    assert_true(irte_source_allows(s, 0x0108));
    assert_false(irte_source_allows(s, 0x0109));
    assert_false(irte_source_allows(s, 0x0208));
    s.sq = 1; // function bit 2 doesn't count
    assert_true(irte_source_allows(s, 0x010c));
    assert_false(irte_source_allows(s, 0x010a));
    s.sq = 2;
    assert_true(irte_source_allows(s, 0x010e));
    assert_false(irte_source_allows(s, 0x0109));
    s.sq = 3;
    assert_true(irte_source_allows(s, 0x010f));
    assert_false(irte_source_allows(s, 0x0110));

    s = irte_source_buses(2, 4);
    assert_false(irte_source_allows(s, 0x01ff));
    assert_true(irte_source_allows(s, 0x0200));
    assert_true(irte_source_allows(s, 0x04ff));
    assert_false(irte_source_allows(s, 0x0500));

    s.svt = IRTE_SVT_NONE;
    assert_true(irte_source_allows(s, 0xffff));
    s.svt = 3; // reserved
    assert_false(irte_source_allows(s, 0x0200));
}

static void test_source_of(void **state)
{
    // Root port 00:1c.0, PCIe-to-PCI bridge 01:00.0 with bus 02, PCI bridge 02:01.0 with bus 03.
    struct pci_dev port = { .bdf = PCI_BDF(0, 28, 0), .secondary = 1 };
    struct pci_dev bridge = { .bdf = PCI_BDF(1, 0, 0), .secondary = 2, .parent = &port };
    struct pci_dev lower = { .bdf = PCI_BDF(2, 1, 0), .secondary = 3, .parent = &bridge };
    struct pci_dev dev = { .bdf = PCI_BDF(1, 0, 0), .parent = &port };
    struct irte_source s;

    // A PCIe device 0 is itself, though its id is also what a bridge there would use.
    dev.requester = dev.bdf;
    s = irte_source_of(&dev);
    assert_int_equal(s.svt, IRTE_SVT_SID);
    assert_int_equal(s.sid, PCI_BDF(1, 0, 0));
    assert_int_equal(s.sq, IRTE_SQ_ALL);

    // Behind the PCIe-to-PCI bridge, directly and one bridge further down.
    dev = (struct pci_dev){ .bdf = PCI_BDF(2, 5, 0), .requester = 0x0200, .parent = &bridge };
    s = irte_source_of(&dev);
    assert_int_equal(s.svt, IRTE_SVT_BUS);
    assert_int_equal(s.sid, 0x0202);
    dev = (struct pci_dev){ .bdf = PCI_BDF(3, 5, 0), .requester = 0x0200, .parent = &lower };
    s = irte_source_of(&dev);
    assert_int_equal(s.svt, IRTE_SVT_BUS);
    assert_int_equal(s.sid, 0x0203);

    // A VMD signals as itself, though its id is also what a bridge behind it would use.
    struct pci_dev vmd = { .bdf = 0x0200, .requester = 0x0200 };
    struct pci_domain domain = { .host = &vmd };
    struct pci_dev behind = { .bdf = PCI_BDF(0, 1, 0), .secondary = 2, .domain = &domain };
    dev = (struct pci_dev){
        .bdf = PCI_BDF(2, 5, 0), .requester = 0x0200, .parent = &behind, .domain = &domain
    };
    s = irte_source_of(&dev);
    assert_int_equal(s.svt, IRTE_SVT_SID);
    assert_int_equal(s.sq, IRTE_SQ_ALL);
    assert_int_equal(s.sid, 0x0200);

    // A conventional bridge signals as itself.
    dev = (struct pci_dev){ .bdf = PCI_BDF(3, 5, 0), .requester = 0x0208, .parent = &lower };
    s = irte_source_of(&dev);
    assert_int_equal(s.svt, IRTE_SVT_SID);
    assert_int_equal(s.sid, 0x0208);

    // A damaged tree ends too.
    port.parent = &port;
    dev = (struct pci_dev){ .bdf = PCI_BDF(5, 5, 0), .requester = 0x0700, .parent = &port };
    assert_int_equal(irte_source_of(&dev).sid, 0x0700);
}

static uint64_t record_high(uint8_t reason, uint16_t source)
{
    return 1ull << 63 | (uint64_t)reason << 32 | source;
}

static void test_decode(void **state)
{
    struct vtd_fault f =
        vtd_fault_decode(0xfed90000, 0, 0x0123ull << 48, record_high(0x26, 0x0020));
    assert_true(f.interrupt && f.has_index);
    assert_int_equal(f.index, 0x0123);
    assert_int_equal(f.source, 0x0020);
    assert_int_equal(f.reason, 0x26);
    assert_string_equal(vtd_fault_what(&f), "irte-source");

    f = vtd_fault_decode(0xfed90000, 0, 0x123456789abcdef0, record_high(0x05, 0x1234));
    assert_false(f.interrupt || f.has_index);
    assert_int_equal(f.address, 0x123456789abcd000);
    assert_string_equal(vtd_fault_what(&f), "dma-write");
    assert_false(f.reads);
    f = vtd_fault_decode(0xfed90000, 0, 0, record_high(0x06, 0x1234) | 1ull << 62);
    assert_true(f.reads);
}

static void test_all_reasons(void **state)
{
    static const char *const whats[] = {
        "msi-reserved",        "irte-range",        "irte-absent",   "irte-unreadable",
        "irte-reserved",       "msi-compatibility", "irte-source",   "descriptor-unreadable",
        "descriptor-reserved", "msi-malformed",     "eime-required", "remapping-required"
    };
    // The unit knows the index of those faults that come after it (VT-d 11.4.7.6).
    static const bool index[] = { 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0 };
    char text[400], code[8];
    for (unsigned i = 0; i < ARRAY_SIZE(whats); i++) {
        uint8_t reason = (uint8_t)(0x20 + i);
        struct vtd_fault f =
            vtd_fault_decode(0xfed90000, 0, 17ull << 48, record_high(reason, 0x0020));
        assert_string_equal(vtd_fault_what(&f), whats[i]);
        assert_int_equal(f.has_index, index[i]);
        int length = vtd_fault_sentence(text, sizeof(text), &f);
        assert_in_range(length, 80, sizeof(text) - 1); // nothing is cut off
        snprintf(code, sizeof(code), "%02xh", reason);
        assert_non_null(strstr(text, "0xfed90000"));
        assert_non_null(strstr(text, "0000:00:04.0"));
        assert_non_null(strstr(text, code));
        assert_int_equal(!!strstr(text, "entry 17"), index[i]);
    }
}

// What later specifications may add is told as DMA, and looked up nowhere.
static void test_unknown_reasons(void **state)
{
    char text[400];
    for (unsigned reason = 0; reason < 256; reason++) {
        struct vtd_fault f =
            vtd_fault_decode(0xfed90000, 0, 17ull << 48, record_high((uint8_t)reason, 0x0020));
        bool known = reason >= 0x20 && reason <= 0x2b;
        assert_int_equal(f.interrupt, known);
        assert_int_equal(!strcmp(vtd_fault_what(&f), "dma"), !known && (!reason || reason > 0xd));
        vtd_fault_sentence(text, sizeof(text), &f);
        assert_int_equal(!!strstr(text, "blocked an interrupt"), known);
    }
}

static void test_sentence(void **state)
{
    char text[400];
    struct vtd_fault f = vtd_fault_decode(0xfed90000, 2, 17ull << 48, record_high(0x26, 0x0020));
    strcpy(f.owner, "nvme0q3");
    f.entry =
        (struct irte_fields){ .present = true, .source = irte_source_exact(PCI_BDF(1, 2, 3)) };
    vtd_fault_sentence(text, sizeof(text), &f);
    assert_string_equal(text, "VT-d unit 0xfed90000 blocked an interrupt of 0002:00:04.0 through "
                              "entry 17 (nvme0q3): the entry belongs to another sender "
                              "(0002:01:02.3) (reason 26h); a bridge or VMD changes the id, or the "
                              "device uses an index that isn't its own");
    f.entry.source = irte_source_buses(3, 5);
    vtd_fault_sentence(text, sizeof(text), &f);
    assert_non_null(strstr(text, "another sender (buses 03 to 05) (reason"));
    f.owner[0] = 0;
    vtd_fault_sentence(text, sizeof(text), &f);
    assert_non_null(strstr(text, "entry 17 (not in use): the entry belongs to another sender ("));

    f = vtd_fault_decode(0xfed90000, 0, 17ull << 48, record_high(0x24, 0x0020));
    strcpy(f.owner, "nvme0q3");
    vtd_fault_sentence(text, sizeof(text), &f);
    assert_non_null(strstr(text, "entry 17 (nvme0q3): the entry has reserved bits set (reason"));
}

// VT-d 7.1.3, table 30: reasons 1h to dh, each with words of its own.
static void test_dma_reasons(void **state)
{
    static const char *const whats[] = {
        "dma-bus",
        "dma-function",
        "dma-context",
        "dma-width",
        "dma-write",
        "dma-read",
        "dma-table",
        "dma-root-table",
        "dma-context-table",
        "dma-root-reserved",
        "dma-context-reserved",
        "dma-page-reserved",
        "dma-translated",
    };
    char text[400], code[16];
    for (unsigned i = 0; i < ARRAY_SIZE(whats); i++) {
        struct vtd_fault f =
            vtd_fault_decode(0xfed90000, 0, 0xabcd123, record_high((uint8_t)(i + 1), 0x0020));
        assert_string_equal(vtd_fault_what(&f), whats[i]);
        f.lies_there = "the kernel's code";
        int length = vtd_fault_sentence(text, sizeof(text), &f);
        assert_in_range(length, 80, sizeof(text) - 1);
        snprintf(code, sizeof(code), "(reason %02xh)", i + 1);
        assert_non_null(strstr(text, "a write of 0000:00:04.0 at 0xabcd000 (the kernel's code): "));
        assert_non_null(strstr(text, code));
    }
    struct vtd_fault f =
        vtd_fault_decode(0xfed90000, 0, 0xabcd123, record_high(0x06, 0x0020) | 1ull << 62);
    vtd_fault_sentence(text, sizeof(text), &f);
    assert_non_null(strstr(text, "blocked a read of 0000:00:04.0 at 0xabcd000: it may not read"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dma_reasons),     cmocka_unit_test(test_remapped),
        cmocka_unit_test(test_posted),          cmocka_unit_test(test_bus_range),
        cmocka_unit_test(test_unpack),          cmocka_unit_test(test_message),
        cmocka_unit_test(test_allows),          cmocka_unit_test(test_source_of),
        cmocka_unit_test(test_decode),          cmocka_unit_test(test_all_reasons),
        cmocka_unit_test(test_unknown_reasons), cmocka_unit_test(test_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
