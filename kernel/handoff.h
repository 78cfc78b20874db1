// SPDX-License-Identifier: BSD-2-Clause
// What the loader leaves to the kernel: the only file that boot/ and kernel/ share.
//
// At the kernel's entry (the ELF entry point): long mode, interrupts off, boot services gone,
// RDI = physical address of struct handoff, RSP undefined. CR3 holds the loader's short-lived
// tables: the firmware's identity map, the same again at HANDOFF_DIRECT_MAP, and the kernel image
// at its linked address with each segment's own permissions. The kernel builds its own tables and
// leaves these before it hands out any memory. With 5-level paging on (CR4.LA57) the same layout
// holds: it only uses addresses that are canonical for 48 bits.
#pragma once

#include "lib/console_words.h"
#include "lib/types.h"

#define HANDOFF_MAGIC 0x4c4c4542454e4f31ull      // "1ONEBELL"
#define HANDOFF_DIRECT_MAP 0xffff800000000000ull // physical address 0
#define HANDOFF_TRAMPOLINE_BYTES 4096
// A start-up vector A0h to BFh is reserved (SDM vol. 3, 11.4.4.1).
#define HANDOFF_TRAMPOLINE_LIMIT 0xa0000ull
#define HANDOFF_CMDLINE_BYTES 4096

enum handoff_kind {
    HANDOFF_FREE,     // conventional memory
    HANDOFF_BOOT,     // boot services' code and data, the loader: free once the kernel has left
                      // the firmware's page tables
    HANDOFF_KEPT,     // the kernel image, this structure, symbols, the trampoline page
    HANDOFF_FIRMWARE, // RAM that stays the firmware's: ACPI tables, ACPI NVS, runtime services
    HANDOFF_OTHER,    // reserved, MMIO, persistent and unusable memory: not RAM to us
};

struct handoff_range {
    uint64_t base;  // 4 KiB aligned
    uint64_t bytes; // multiple of 4 KiB
    uint32_t kind;  // enum handoff_kind
    uint32_t efi_type;
};

struct handoff_framebuffer {
    uint64_t base; // physical; 0: there is none
    uint64_t bytes;
    uint32_t width, height;
    uint32_t stride; // pixels per line
    // Bits of a pixel, little-endian; their highest one says how many bytes it takes.
    uint32_t red, green, blue, reserved;
};

static inline uint32_t handoff_pixel_bytes(const struct handoff_framebuffer *f)
{
    uint32_t bits = f->red | f->green | f->blue | f->reserved;
    return bits ? (32u - (uint32_t)__builtin_clz(bits) + 7) / 8 : 0;
}

// What the loader found wrong and got along with: the kernel tells of it, where people and tools both
// hear it.
enum handoff_warning {
    HANDOFF_WARN_MEMORY_MAP,   // descriptors that can't be; values: the first one's base and pages
    HANDOFF_WARN_LOAD_OPTIONS, // they are no text; value: bytes
    HANDOFF_WARN_SPCR, // it isn't followed; values: enum handoff_spcr, and what stands there
    HANDOFF_WARNINGS,
};

enum handoff_spcr {
    HANDOFF_SPCR_USABLE,
    HANDOFF_SPCR_OFF,       // it names no address: redirection is off in the set-up
    HANDOFF_SPCR_SHORT,     // value: bytes
    HANDOFF_SPCR_INTERFACE, // no 16550; value: the interface type
    HANDOFF_SPCR_SPACE,     // neither ports nor memory; value: the address space
    HANDOFF_SPCR_ADDRESS,   // no UART can be there; value: the address
};

struct handoff_warned {
    uint64_t count; // 0: all is well
    uint64_t values[2];
};

// A PCI function that isn't a bridge and could still write to memory once boot services were gone.
struct handoff_master {
    uint16_t segment, bdf; // bus 15:8, device 7:3, function 2:0
};
#define HANDOFF_MASTERS_MAX 64 // more are counted, and not named

// What a Hardware Security Test Interface says (UEFI 2.10, 11.12; Microsoft's HSTI 1.1a). What a bit stands
// for is its publisher's affair, but bit n of each role is the same thing.
#define HANDOFF_HSTI_MAX 4u
#define HANDOFF_HSTI_BITS 16u // bytes of each field that are kept
struct handoff_hsti {
    uint32_t role; // 1 reference platform, 2 firmware's vendor, 3 OEM, 4 ODM
    uint32_t bytes;
    uint8_t required[HANDOFF_HSTI_BITS], verified[HANDOFF_HSTI_BITS];
    char name[64]; // ASCII
};

// A program for domains, as its file is: what the image carries, and what prog= names on its volume. Those
// that the command line asks for.
#define HANDOFF_PROGRAM_NAME 32
#define HANDOFF_PROGRAMS_MAX 8u
#define HANDOFF_PROGRAM_FOLDER "\\EFI\\onebell\\" // NAME.elf is there, beside cmdline.txt
#define HANDOFF_PROGRAM_BYTES (16 * MIB)          // of a file, at most
enum handoff_program_state {
    HANDOFF_PROGRAM_LOADED,
    HANDOFF_PROGRAM_NO_VOLUME, // the image came from a network, or from a disc whose files firmware can't read
    HANDOFF_PROGRAM_NOT_FOUND,
    HANDOFF_PROGRAM_UNREADABLE, // value: EFI's status
    HANDOFF_PROGRAM_TOO_LONG,   // value: its bytes
    HANDOFF_PROGRAM_NO_MEMORY,
};
struct handoff_program {
    char name[HANDOFF_PROGRAM_NAME]; // empty: the image's own
    uint64_t base, bytes;            // physical, HANDOFF_KEPT; 0 where it isn't loaded
    uint64_t state;                  // enum handoff_program_state
    uint64_t value;
};

struct handoff {
    uint64_t magic;
    uint64_t bytes;  // sizeof(struct handoff), against a loader and kernel of different builds
    uint64_t rsdp;   // physical address of the ACPI root pointer; 0: firmware named none
    uint64_t smbios; // likewise of SMBIOS' entry point
    uint64_t kernel_base, kernel_bytes; // physical place of the image, linked at KERNEL_BASE
    uint64_t trampoline;                // a page below 1 MiB for starting CPUs; 0: none was free
    uint64_t symtab_base, symtab_bytes; // the kernel's ELF64 symbol table, for backtraces
    uint64_t strtab_base, strtab_bytes;
    uint64_t ranges_base; // physical address of struct handoff_range[], sorted by base
    uint64_t ranges;      // how many
    uint64_t tsc_start;   // TSC when the loader began
    uint64_t tsc_exit;    // TSC when boot services had ended
    uint64_t kept_base;   // physical address of a struct kept_block, for results; 0: none are kept
    struct handoff_framebuffer framebuffer;
    struct handoff_warned warnings[HANDOFF_WARNINGS];
    struct console_choice console; // what is named; the kernel settles the rest
    uint32_t bus_masters_stopped;  // PCI functions whose bus mastering the loader turned off
    uint32_t masters;              // of those, how many are named:
    struct handoff_master master[HANDOFF_MASTERS_MAX];
    uint32_t
        menu_chosen; // the last app= comes from the menu: words of another app may stand before it
    uint32_t hstis_bad; // interfaces that give no whole structure
    uint32_t hstis;     // those that do; four of them are kept:
    struct handoff_hsti hsti[HANDOFF_HSTI_MAX];
    uint32_t programs;
    struct handoff_program program[HANDOFF_PROGRAMS_MAX];
    uint32_t cmdline_dropped; // bytes of command line that did not fit; an error if not 0
    char cmdline[HANDOFF_CMDLINE_BYTES]; // the three sources in order, one space between, UTF-8
};
