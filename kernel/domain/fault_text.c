// SPDX-License-Identifier: BSD-2-Clause
// SDM vol. 3, 7.13 and 7.15.

#include "kernel/domain/fault_text.h"

#include "kernel/domain/ring_frame.h"
#include "kernel/x86/vectors.h"
#include "lib/format.h"

#define PAGE_FAULT_P BIT64(0) // error code, 5.7
#define PAGE_FAULT_W BIT64(1)
#define PAGE_FAULT_FETCH BIT64(4)
#define SELECTOR_IDT BIT64(1) // error code, 7.13
#define SELECTOR_INDEX BITS64(15, 3)

enum {
    DIVIDE = 0,
    DEBUG = 1,
    NO_FPU = 7,
    SEGMENT = 11,
    STACK = 12,
};

// ---- page faults ----

static const char *what_it_did(uint64_t error)
{
    if (error & PAGE_FAULT_FETCH)
        return "executing";
    return error & PAGE_FAULT_W ? "writing" : "reading";
}

static const char *why_not(uint64_t address, uint64_t error)
{
    if (address >= RING_END)
        return "which is the kernel's";
    if (!(error & PAGE_FAULT_P))
        return "where it has nothing";
    return error & PAGE_FAULT_FETCH ? "which isn't code" : "which it may only read";
}

static void page_fault(const struct trap_frame *f, uint64_t address, char *to)
{
    format_text(to, DOMAIN_FAULT_BYTES, "page fault: %s 0x%llx, %s", what_it_did(f->error),
                (unsigned long long)address, why_not(address, f->error));
}

// ---- general protection faults ----

static bool is_between(uint8_t byte, uint8_t first, uint8_t last)
{
    return byte >= first && byte <= last;
}

// SDM vol. 2, appendix A: instructions of one byte, and those behind 0Fh.
static const char *one_byte(uint8_t opcode)
{
    if (is_between(opcode, 0xe4, 0xe7) || is_between(opcode, 0xec, 0xef) ||
        is_between(opcode, 0x6c, 0x6f))
        return "access to an I/O port";
    switch (opcode) {
    case 0xf4:
        return "HLT";
    case 0xfa:
        return "CLI";
    case 0xfb:
        return "STI";
    default:
        return NULL;
    }
}

static const char *two_bytes(uint8_t opcode)
{
    switch (opcode) {
    case 0x00:
    case 0x01:
        return "a system instruction";
    case 0x06:
        return "CLTS";
    case 0x07:
        return "SYSRET";
    case 0x08:
    case 0x09:
        return "INVD or WBINVD";
    case 0x20:
    case 0x22:
        return "access to a control register";
    case 0x21:
    case 0x23:
        return "access to a debug register";
    case 0x30:
        return "WRMSR";
    case 0x32:
        return "RDMSR";
    case 0x33:
        return "RDPMC";
    case 0x34:
        return "SYSENTER";
    case 0x35:
        return "SYSEXIT";
    default:
        return NULL;
    }
}

// Prefixes that such instructions have: operand size, repetition, REX.
static const char *privileged(const uint8_t *code)
{
    size_t i = 0;
    while (i < DOMAIN_CODE_BYTES - 2 &&
           (code[i] == 0x66 || is_between(code[i], 0xf2, 0xf3) || is_between(code[i], 0x40, 0x4f)))
        i++;
    return code[i] == 0x0f ? two_bytes(code[i + 1]) : one_byte(code[i]);
}

static void general_protection(const struct trap_frame *f, const uint8_t *code, char *to)
{
    const char *name = code ? privileged(code) : NULL;
    unsigned index = (unsigned)field_get(SELECTOR_INDEX, f->error);
    if (f->rip >= RING_END)
        format_text(to, DOMAIN_FAULT_BYTES, "a jump to 0x%llx, which is no address of its own",
                    (unsigned long long)f->rip);
    else if (f->error & SELECTOR_IDT)
        format_text(to, DOMAIN_FAULT_BYTES, "INT 0x%x: calls are SYSCALLs", index);
    else if (f->error)
        format_text(to, DOMAIN_FAULT_BYTES, "segment selector 0x%llx, which it doesn't have",
                    (unsigned long long)f->error);
    else if (name)
        format_text(to, DOMAIN_FAULT_BYTES, "%s, which is the kernel's alone", name);
    else
        format_text(to, DOMAIN_FAULT_BYTES,
                    "general protection fault: an address that isn't canonical, as a rule");
}

// ---- all ----

static const char *plain(uint64_t vector)
{
    switch (vector) {
    case DIVIDE:
        return "a division by zero, or with too large a result";
    case DEBUG:
        return "a debug trap: single steps are nobody's here";
    case VECTOR_INVALID_OPCODE:
        return "an instruction that there isn't, or that is off (SSE and AVX are; so is a panic)";
    case NO_FPU:
        return "an x87 or MMX instruction: there are general registers alone";
    case SEGMENT:
        return "a segment that isn't there";
    case STACK:
        return "its stack pointer isn't canonical";
    default:
        return NULL;
    }
}

const char *domain_fault_text(const struct trap_frame *frame, uint64_t address, const uint8_t *code,
                              char to[DOMAIN_FAULT_BYTES])
{
    const char *text = plain(frame->vector);
    if (frame->vector == VECTOR_PAGE_FAULT)
        page_fault(frame, address, to);
    else if (frame->vector == VECTOR_GENERAL_PROTECTION)
        general_protection(frame, code, to);
    else if (text)
        format_text(to, DOMAIN_FAULT_BYTES, "%s", text);
    else
        format_text(to, DOMAIN_FAULT_BYTES, "exception %llu, error code 0x%llx",
                    (unsigned long long)frame->vector, (unsigned long long)frame->error);
    return to;
}

const char *domain_place_text(const struct symbols *symbols, uint64_t address,
                              char to[DOMAIN_PLACE_BYTES])
{
    uint64_t offset = 0;
    const char *name = symbols_find_in(symbols, address, &offset);
    if (name)
        format_text(to, DOMAIN_PLACE_BYTES, "%.64s+0x%llx", name, (unsigned long long)offset);
    else
        format_text(to, DOMAIN_PLACE_BYTES, "0x%llx", (unsigned long long)address);
    return to;
}
