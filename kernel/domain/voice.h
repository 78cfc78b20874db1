// SPDX-License-Identifier: BSD-2-Clause
// What a domain's program says to people and tools: in its own name, and no more than they can take.
// Inside kernel/domain only.
#pragma once

#include "kernel/domain/abi.h"
#include "lib/problem.h"
#include "lib/spinlock.h"

// What all CPUs of the domain may say, in bytes: so much at once, and so much a second, which is a third of
// what a UART sends at 115,200 bit/s.
#define DOMAIN_VOICE_BURST (64 * KIB)
#define DOMAIN_VOICE_RATE (4 * KIB)
#define DOMAIN_VOICE_LINE 32 // what each line costs besides its text

#define DOMAIN_VOICE_BYTES 64 // of room behind a text, for what is put into it

struct domain_voice {
    struct spinlock lock;
    uint64_t left; // bytes
    uint64_t at_ns;
};

// All of the budget: once, as lives may be short, and many.
void domain_voice_begin(struct domain_voice *v, uint64_t now_ns);

// Takes so many bytes of text from the budget; false: it isn't enough yet, or the console has not sent what it has:
// there is to be room for the kernel's own lines. Any CPU.
bool domain_voice_may(struct domain_voice *v, size_t bytes, uint64_t now_ns);

// Prints, or sends, a text of up to DOMAIN_TEXT_BYTES bytes as that kind, in the name of the domain. It is
// changed, and DOMAIN_VOICE_BYTES behind it are. False ("domain-call"): it is nothing of that kind.
bool domain_say(const char *name, enum domain_text kind, char *text, size_t bytes,
                struct problem *p);
