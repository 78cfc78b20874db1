// SPDX-License-Identifier: BSD-2-Clause
// Errors of PCI Express in words: names, packets, what follows.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernel/pci/pci_error_text.h"

#include <cmocka.h>

static struct problem p;

static struct pci_error_log log_of(uint32_t uncorrectable)
{
    return (struct pci_error_log){
        .name = "0000:00:03.0",
        .kind = "root port",
        .uncorrectable = uncorrectable,
    };
}

static void test_what_is_lost(void **state)
{
    struct pci_error_log log = log_of(1u << 14);
    log.severity = 1u << 4;
    pci_error_uncorrectable(&log, &p);
    assert_string_equal(p.what, "pcie-nonfatal");
    assert_string_equal(p.message,
                        "0000:00:03.0 (root port): error: Completion Timeout: the transfer "
                        "is lost, the link works");
    log.severity = 1u << 14;
    log.before = 3;
    pci_error_uncorrectable(&log, &p);
    assert_string_equal(p.what, "pcie-fatal");
    assert_string_equal(p.message,
                        "0000:00:03.0 (root port): fatal error: Completion Timeout (and 3 times "
                        "before): its link is not to be relied on");
}

static void test_what_was_corrected(void **state)
{
    struct pci_error_log log = log_of(0);
    log.correctable = 1u << 0 | 1u << 6 | 1u << 31;
    pci_error_correctable(&log, &p);
    assert_string_equal(p.what, "pcie-correctable");
    assert_string_equal(p.message,
                        "0000:00:03.0 (root port): corrected: Receiver Error, Bad TLP, bit 31: "
                        "nothing is lost; if there are many, look at slot and cable");
}

// Each bit has its name, and no two the same.
static void test_names(void **state)
{
    char seen[32][240];
    for (unsigned bit = 0; bit < 32; bit++) {
        struct pci_error_log log = log_of(1u << bit);
        pci_error_uncorrectable(&log, &p);
        snprintf(seen[bit], sizeof(seen[bit]), "%s", p.message);
        assert_int_equal(strstr(p.message, "error: bit ") == NULL,
                         bit == 4 || bit == 5 || bit >= 12);
        for (unsigned i = 0; i < bit; i++)
            assert_string_not_equal(seen[i], seen[bit]);
    }
}

// All bits at once: cut off, and the end is still said.
static void test_many_at_once(void **state)
{
    struct pci_error_log log = log_of(UINT32_MAX);
    log.header[0] = 0x44000001;
    log.header[2] = 0xffffffff;
    log.before = UINT32_MAX;
    log.kind = "downstream port";
    pci_error_uncorrectable(&log, &p);
    assert_non_null(strstr(p.message, "the transfer is lost"));
}

static const char *packet(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3)
{
    static char text[240];
    struct pci_error_log log = log_of(1u << 20);
    log.control = 20;
    memcpy(log.header, (uint32_t[]){ w0, w1, w2, w3 }, sizeof(log.header));
    pci_error_uncorrectable(&log, &p);
    snprintf(text, sizeof(text), "%s", p.message);
    char *from = strstr(text, "Error ("), *to = strstr(text, "): the transfer");
    if (!from || !to)
        return "";
    *to = 0;
    return from + strlen("Error (");
}

static void test_packets(void **state)
{
    assert_string_equal(packet(0x00000001, 0x0100000f, 0xfebf1003, 0),
                        "memory read by 01:00.0 at 0xfebf1000");
    assert_string_equal(packet(0x60000020, 0x02080aff, 0x00000012, 0x3456789b),
                        "memory write by 02:01.0 at 0x1234567898");
    assert_string_equal(packet(0x01000001, 0x0100000f, 0x1000, 0),
                        "memory read by 01:00.0 at 0x1000");
    assert_string_equal(packet(0x42000001, 0x00180001, 0xcf8, 0), "I/O write by 00:03.0 at 0xcf8");
    assert_string_equal(packet(0x4c000001, 0x0100000f, 0x2000, 0),
                        "atomic operation by 01:00.0 at 0x2000");
    assert_string_equal(packet(0x04000001, 0x0000220f, 0x01000010, 0),
                        "configuration read by 00:00.0 of 01:00.0, register 0x10");
    assert_string_equal(packet(0x45000001, 0x0000220f, 0x02000104, 0),
                        "configuration write by 00:00.0 of 02:00.0, register 0x104");
    assert_string_equal(packet(0x4a000001, 0x00000004, 0x01070000, 0),
                        "completion by 00:00.0 for 01:00.7");
    assert_string_equal(packet(0x30000000, 0x01000030, 0, 0), "message by 01:00.0");
    assert_string_equal(packet(0x80000000, 0, 0, 0), "TLP prefix 80000000");
    assert_string_equal(packet(0x1b000001, 0x0100000f, 0, 0), "TLP 1b000001 0100000f");
    assert_string_equal(packet(0, 0, 0, 0), ""); // none was logged
}

// It is the first error's, and of flit mode nobody reads it.
static void test_whose_packet(void **state)
{
    struct pci_error_log log = log_of(1u << 20);
    log.header[0] = 1;
    log.control = 14;
    pci_error_uncorrectable(&log, &p);
    assert_null(strstr(p.message, "memory"));
    log.control = 20 | 1u << 18;
    pci_error_uncorrectable(&log, &p);
    assert_null(strstr(p.message, "memory"));
}

static void test_messages(void **state)
{
    pci_error_message("0000:00:03.0", PCI_ERR_COR, 0x0100, &p);
    assert_string_equal(p.what, "pcie-correctable");
    pci_error_message("0000:00:03.0", PCI_ERR_NONFATAL, 0x0100, &p);
    assert_string_equal(p.what, "pcie-nonfatal");
    pci_error_message("0000:00:03.0", PCI_ERR_FATAL, 0x0109, &p);
    assert_string_equal(p.what, "pcie-fatal");
    assert_string_equal(p.message,
                        "0000:00:03.0 (root port): 01:01.1 below it reports a fatal error "
                        "(ERR_FATAL): its link is not to be relied on");
}

static const char *dpc(struct pci_dpc_log log)
{
    log.name = "0000:00:03.0";
    pci_error_dpc(&log, &p);
    assert_string_equal(p.what, "pcie-dpc");
    assert_memory_equal(p.message, "0000:00:03.0: its link was brought down by DPC: ", 48);
    return p.message + 48;
}

static void test_dpc(void **state)
{
    assert_string_equal(dpc((struct pci_dpc_log){ .status = 0x01 }),
                        "an uncorrectable error of its own: firmware is to let it up again");
    assert_string_equal(dpc((struct pci_dpc_log){ .status = 0x03, .source = 0x100 }),
                        "ERR_NONFATAL from 01:00.0: firmware is to let it up again");
    assert_string_equal(
        dpc((struct pci_dpc_log){ .status = 0x05, .source = 0x100, .released = true }),
        "ERR_FATAL from 01:00.0: it is let up again");
    assert_string_equal(dpc((struct pci_dpc_log){ .status = 0x27, .released = true }),
                        "software asked for it: it is let up again");
    assert_string_equal(dpc((struct pci_dpc_log){ .status = 0x47, .released = true }),
                        "a reason without a name: it is let up again");
    assert_string_equal(dpc((struct pci_dpc_log){ .status = 0x07,
                                                  .pio = 1u << 18,
                                                  .header = { 0x00000001, 0x0000000f, 0xfe000014 },
                                                  .released = true }),
                        "a request of its own failed: Mem CTO: memory read by 00:00.0 at "
                        "0xfe000014: it is let up again");
    assert_string_equal(
        dpc((struct pci_dpc_log){ .status = 0x07, .pio = 1u << 1, .released = true }),
        "a request of its own failed: Cfg CA Completion: it is let up again");
}

// Known where the packet is: that of the first error, laid out as it was sent.
static void test_who_sent_it(void **state)
{
    uint16_t id;
    struct pci_error_log log = log_of(1u << 20);
    assert_false(pci_error_sender(&log, &id));
    log.header[1] = 0x0108000f;
    log.control = 20;
    assert_true(pci_error_sender(&log, &id));
    assert_int_equal(id, 0x0108);
    log.control = 18;
    assert_false(pci_error_sender(&log, &id));
    log.control = 20 | 1u << 18; // in flit mode
    assert_false(pci_error_sender(&log, &id));
    log.control = 20;
    log.header[0] = 0x80000000; // a prefix
    assert_false(pci_error_sender(&log, &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_lost), cmocka_unit_test(test_what_was_corrected),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_packets),      cmocka_unit_test(test_whose_packet),
        cmocka_unit_test(test_who_sent_it),  cmocka_unit_test(test_messages),
        cmocka_unit_test(test_dpc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
