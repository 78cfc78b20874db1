// SPDX-License-Identifier: BSD-2-Clause
// Which PCI functions the loader stops, and where MCFG says that their registers are.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "boot/bus_masters.h"
#include "boot/mcfg.h"

#include <cmocka.h>

enum { NETWORK = 0x02, DISPLAY = 0x03, BRIDGE = 0x06, SYSTEM = 0x08, STORAGE = 0x01 };

static struct pci_function function(uint16_t segment, uint8_t bus, uint8_t base_class,
                                    uint8_t sub_class)
{
    return (struct pci_function){ .segment = segment,
                                  .bus = bus,
                                  .base_class = base_class,
                                  .sub_class = sub_class,
                                  .master = true };
}

static struct pci_function bridge(uint16_t segment, uint8_t bus)
{
    struct pci_function f = function(segment, bus, BRIDGE, 4);
    f.bridge = true;
    return f;
}

static void test_decodes_endpoint(void **state)
{
    // An NVMe controller of several functions, bus mastering and memory on.
    const uint32_t header[16] = {
        0xa822144d, 0x00100006, 0x01080200, 0x00800010, 0, 0, 0x00ffff00
    };
    struct pci_function f = { .segment = 3, .bus = 4, .device = 5, .function = 6, .config = 7 };
    bus_masters_decode(header, &f);
    assert_int_equal(f.id, 0xa822144d);
    assert_int_equal(f.base_class, STORAGE);
    assert_int_equal(f.sub_class, 8);
    assert_false(f.bridge);
    assert_true(f.master);
    assert_true(f.segment == 3 && f.bus == 4 && f.device == 5 && f.function == 6 && f.config == 7);
}

static void test_decodes_bridge(void **state)
{
    // A root port with buses 0x12 to 0x34 behind it, bus mastering off.
    const uint32_t header[16] = {
        0x34208086, 0x00100003, 0x06040001, 0x00810010, 0, 0, 0x00341200
    };
    struct pci_function f = { 0 };
    bus_masters_decode(header, &f);
    assert_int_equal(f.base_class, BRIDGE);
    assert_int_equal(f.sub_class, 4);
    assert_true(f.bridge);
    assert_false(f.master);
}

static void test_stops_what_is_not_needed(void **state)
{
    struct pci_function f[] = {
        function(0, 0, STORAGE, 8),    function(0, 0, NETWORK, 0), bridge(0, 0),
        function(0, 0, SYSTEM, 0),     function(0, 0, DISPLAY, 0), // what it decodes is still seen
        function(0, 0, DISPLAY, 0x80),
    };
    bus_masters_choose(f, ARRAY_SIZE(f));
    for (size_t i = 0; i < ARRAY_SIZE(f); i++)
        assert_true(f[i].stop);
}

static void test_spares_what_is_needed(void **state)
{
    struct pci_function f[] = {
        function(0, 0, BRIDGE, 0),  // host
        function(0, 0, BRIDGE, 1),  // ISA
        function(0, 0, SYSTEM, 6),  // IOMMU
        function(0, 0, STORAGE, 8), // off already
    };
    f[3].master = false;
    bus_masters_choose(f, ARRAY_SIZE(f));
    for (size_t i = 0; i < ARRAY_SIZE(f); i++)
        assert_false(f[i].stop);
}

// Bridges too, whatever is behind them, a display included.
static void test_stops_bridges(void **state)
{
    struct pci_function f[] = {
        bridge(0, 0),
        bridge(0, 1),
        function(0, 3, DISPLAY, 0),
    };
    bus_masters_choose(f, ARRAY_SIZE(f));
    for (size_t i = 0; i < ARRAY_SIZE(f); i++)
        assert_true(f[i].stop);
}

// ---- MCFG ----

static struct PACKED {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt, length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} rsdp;

static struct {
    uint8_t bytes[128];
    uint32_t length;
} xsdt, other, mcfg;

#define RESET(t) (memset(&(t), 0, sizeof(t)), (t).length = 36)

static void put(void *table, uint64_t value, size_t bytes)
{
    __typeof__(mcfg) *t = table;
    memcpy(t->bytes + t->length, &value, bytes);
    t->length += (uint32_t)bytes;
}

static void make_sum_zero(uint8_t *bytes, size_t count, size_t at)
{
    uint8_t sum = 0;
    bytes[at] = 0;
    for (size_t i = 0; i < count; i++)
        sum += bytes[i];
    bytes[at] = (uint8_t)-sum;
}

static void finish(void *table, const char *signature)
{
    __typeof__(mcfg) *t = table;
    memcpy(t->bytes, signature, 4);
    memcpy(t->bytes + 4, &t->length, 4);
    make_sum_zero(t->bytes, t->length, 9);
}

static void add_segment(uint64_t base, uint16_t segment, uint8_t first, uint8_t last)
{
    put(&mcfg, base, 8);
    put(&mcfg, segment, 2);
    put(&mcfg, first, 1);
    put(&mcfg, last, 1);
    put(&mcfg, 0, 4);
}

static int build_acpi(void **state)
{
    RESET(mcfg);
    put(&mcfg, 0, 8);
    add_segment(0xb0000000, 0, 0, 255);
    add_segment(0x2000000000, 1, 0x20, 0x3f);
    finish(&mcfg, "MCFG");
    RESET(other);
    finish(&other, "APIC");
    RESET(xsdt);
    put(&xsdt, (uint64_t)other.bytes, 8);
    put(&xsdt, 0, 8);
    put(&xsdt, (uint64_t)mcfg.bytes, 8);
    finish(&xsdt, "XSDT");
    memset(&rsdp, 0, sizeof(rsdp));
    memcpy(rsdp.signature, "RSD PTR ", 8);
    rsdp.revision = 2;
    rsdp.length = sizeof(rsdp);
    rsdp.xsdt = (uint64_t)xsdt.bytes;
    make_sum_zero((uint8_t *)&rsdp, 20, 8);
    return 0;
}

static uint64_t find(uint16_t segment, uint8_t bus)
{
    return mcfg_config_address((uint64_t)&rsdp, segment, bus, 31, 7);
}

static void test_mcfg_addresses(void **state)
{
    assert_int_equal(find(0, 0), 0xb0000000 + 0xff000);
    assert_int_equal(find(0, 255), 0xb0000000 + 0xffff000);
    assert_int_equal(find(1, 0x20), 0x2000000000 + 0x20ff000); // the base is bus 0's
    assert_int_equal(find(1, 0x3f), 0x2000000000 + 0x3fff000);
    assert_int_equal(find(1, 0x1f), 0);
    assert_int_equal(find(1, 0x40), 0);
    assert_int_equal(find(2, 0x20), 0);
    assert_int_equal(mcfg_config_address(0, 0, 0, 0, 0), 0);
}

static void test_mcfg_damaged(void **state)
{
    mcfg.bytes[40] ^= 1; // checksum
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    xsdt.bytes[30] ^= 1;
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    finish(&xsdt, "RSDT");
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    rsdp.oem_id[0] ^= 1;
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    rsdp.signature[0]++, rsdp.signature[1]--;
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    rsdp.revision = 0; // ACPI 1.0: what would be the XSDT's address isn't
    make_sum_zero((uint8_t *)&rsdp, 20, 8);
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    memcpy(other.bytes + 44, mcfg.bytes + 44, 16); // a table of nearly that name, listed before it
    other.bytes[44 + 3] = 0xc0;
    other.length = 60;
    finish(&other, "MCFH");
    assert_int_equal(find(0, 0), 0xb0000000 + 0xff000);
    xsdt.length -= 4; // half an address, whose other half is behind the table
    finish(&xsdt, "XSDT");
    assert_int_equal(find(0, 0), 0);
    build_acpi(NULL);
    mcfg.length -= 4; // half an entry counts for nothing
    finish(&mcfg, "MCFG");
    assert_int_equal(find(1, 0x20), 0);
    assert_int_not_equal(find(0, 0), 0);
    mcfg.length = 40; // no entries' header
    finish(&mcfg, "MCFG");
    assert_int_equal(find(0, 0), 0);
    mcfg.length = 0x7fffffff;
    memcpy(mcfg.bytes + 4, &mcfg.length, 4);
    assert_int_equal(find(0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_endpoint),
        cmocka_unit_test(test_decodes_bridge),
        cmocka_unit_test(test_stops_what_is_not_needed),
        cmocka_unit_test(test_spares_what_is_needed),
        cmocka_unit_test(test_stops_bridges),
        cmocka_unit_test_setup(test_mcfg_addresses, build_acpi),
        cmocka_unit_test_setup(test_mcfg_damaged, build_acpi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
