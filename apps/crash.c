// SPDX-License-Identifier: BSD-2-Clause
// app=crash: ends the run by a chosen exception, to see what a panic shows. Each function is kept
// out of line and is no tail call, so that the backtrace has all of them.
#include "apps/apps.h"
#include "kernel/trap.h"

#define OUT_OF_LINE __attribute__((noinline))
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")
// A function that calls nobody would get no frame, and its caller would be missed.
#define HAS_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)) : "memory")

// Nothing is mapped in the lower half: canonical with four and with five levels of page tables.
#define UNMAPPED 0x00000dead0000000ull

static OUT_OF_LINE void crash_write(volatile uint32_t *at)
{
    HAS_FRAME();
    *at = 1;
    NO_TAIL_CALL();
}

static OUT_OF_LINE void crash_page_fault(void)
{
    uintptr_t at = UNMAPPED;
    __asm__ volatile("" : "+r"(at)); // the compiler must not see that nothing is there
    crash_write((volatile uint32_t *)at);
    NO_TAIL_CALL();
}

// The push faults, and so does the push of the page fault's own frame: SDM vol. 3, table 6-5.
static OUT_OF_LINE void crash_double_fault(void)
{
    HAS_FRAME();
    __asm__ volatile("movq %0, %%rsp\n\tpushq %%rax" : : "r"(UNMAPPED) : "memory");
    NO_TAIL_CALL();
}

static OUT_OF_LINE void crash_invalid_opcode(void)
{
    HAS_FRAME();
    __asm__ volatile("ud2");
}

static OUT_OF_LINE void crash_panic(void)
{
    panic("app=crash asked for a panic");
}

static OUT_OF_LINE void crash_by(const struct cmdline *c)
{
    if (cmdline_is(c, "crash", "page"))
        crash_page_fault();
    else if (cmdline_is(c, "crash", "double"))
        crash_double_fault();
    else if (cmdline_is(c, "crash", "ud"))
        crash_invalid_opcode();
    else
        crash_panic();
    NO_TAIL_CALL();
}

static void run(const struct cmdline *c)
{
    crash_by(c);
    NO_TAIL_CALL();
}

static const struct option options[] = {
    { .name = "crash",
      .kind = OPTION_CHOICE,
      .fallback = "panic",
      .choices = "page|double|ud|panic",
      .help = "page fault, double fault, invalid opcode, or a panic" },
    { .name = NULL },
};

const struct app app_crash = {
    .name = "crash",
    .help = "a deliberate crash, for testing",
    .options = options,
    .run = run,
};
