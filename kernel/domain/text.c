// SPDX-License-Identifier: BSD-2-Clause
// The program's memory is read as it may itself, through its tables: nothing that it says is believed.

#include "kernel/domain/text.h"

#include "kernel/base/report.h"
#include "kernel/domain/fault_text.h"
#include "kernel/domain/space.h"
#include "kernel/run/trap_print.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define BACKTRACE_MOST 32
#define SENTENCE_BYTES 320
#define DETAILS_BYTES (2 * KIB) // of registers and a backtrace, as a rule

static void print_place(const struct domain_cpu *dc, const char *what, uint64_t address)
{
    char place[DOMAIN_PLACE_BYTES];
    info("  %s %016llx %s", what, (unsigned long long)address,
         domain_place_text(dc->team->symbols, address, place));
}

// Frame pointers, as long as they are the program's own memory and go up.
static void print_backtrace(const struct domain_cpu *dc)
{
    uint64_t rbp = dc->frame.rbp;
    info("backtrace of domain %s, its CPU %u:", dc->team->name, dc->index);
    print_place(dc, "at  ", dc->frame.rip);
    for (unsigned i = 0; i < BACKTRACE_MOST; i++) {
        const uint64_t *at = rbp % 8 ? NULL : space_at(dc->team->space, rbp, 16, false);
        uint64_t frame[2];
        if (!at)
            return;
        memcpy(frame, at, sizeof(frame));
        if (!frame[1])
            return;
        print_place(dc, "from", frame[1] - 1); // within the call, not behind it
        if (frame[0] <= rbp)
            return;
        rbp = frame[0];
    }
}

static void tell(const struct domain_cpu *dc, const char *what, const char *text)
{
    char sentence[SENTENCE_BYTES], place[DOMAIN_PLACE_BYTES];
    format_text(sentence, sizeof(sentence), "its CPU %u (CPU %u): %s, at %s: the domain ends",
                dc->index, dc->cpu, text,
                domain_place_text(dc->team->symbols, dc->frame.rip, place));
    error_by(dc->team->name, what, sentence);
    if (!domain_voice_may(&dc->team->voice, DETAILS_BYTES, time_ns()))
        return; // it has said, or had us say, more than people can read
    trap_print_registers(&dc->frame);
    print_backtrace(dc);
}

void domain_tell_fault(const struct domain_cpu *dc, uint64_t address)
{
    char text[DOMAIN_FAULT_BYTES];
    uint8_t code[DOMAIN_CODE_BYTES];
    const void *at = space_at(dc->team->space, dc->frame.rip, sizeof(code), false);
    if (at)
        memcpy(code, at, sizeof(code));
    tell(dc, "domain-fault", domain_fault_text(&dc->frame, address, at ? code : NULL, text));
}

void domain_tell_nonsense(const struct domain_cpu *dc, const struct problem *p)
{
    tell(dc, p->what, p->message);
}

void domain_tell_stuck(const struct domain_cpu *dc)
{
    char text[DOMAIN_FAULT_BYTES];
    format_text(text, sizeof(text), "it has not come round its loop for %llu s (patience=)",
                (unsigned long long)(dc->team->patience_ns / NS_PER_S));
    tell(dc, "domain-stuck", text);
}
