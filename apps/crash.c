// SPDX-License-Identifier: BSD-2-Clause
// app=crash: ends the run by a chosen exception, to see what a panic shows, or has VT-d refuse an
// interrupt. Each function is kept out of line and is no tail call, so that the backtrace has all of
// them.
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/run/trap.h"
#include "kernel/x86/msr_read.h"

#define OUT_OF_LINE __attribute__((noinline))
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")
// A function that calls nobody would get no frame, and its caller would be missed.
#define HAS_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)) : "memory")
// The compiler must not see where a pointer points to.
#define HIDE(pointer) __asm__ volatile("" : "+r"(pointer))

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
    HIDE(at);
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

// The stack's guard page has no room for the page fault's own frame either. Frames are so large that
// a backtrace shows all of them.
static OUT_OF_LINE void crash_recurse(uint64_t depth)
{
    volatile uint8_t room[KIB];
    room[0] = 0;
    if (depth)
        crash_recurse(depth - 1);
    (void)room[0]; // still needed: no tail call
}

static OUT_OF_LINE void crash_stack_overflow(void)
{
    crash_recurse(UINT64_MAX);
    NO_TAIL_CALL();
}

static OUT_OF_LINE void crash_here(struct cpu_msg *msg)
{
    crash_stack_overflow();
    NO_TAIL_CALL();
}

// The last CPU's stack, which is not in the image as the boot CPU's is.
static OUT_OF_LINE void crash_last_cpu(void)
{
    static struct cpu_msg msg = { .fn = crash_here };
    bool never = false;
    cpu_post(cpu_count() - 1, &msg);
    cpu_run_until(&never);
}

static OUT_OF_LINE void crash_write_code(void)
{
    uintptr_t at = (uintptr_t)crash_write;
    HIDE(at);
    crash_write((volatile uint32_t *)at);
    NO_TAIL_CALL();
}

static OUT_OF_LINE void crash_execute_data(void)
{
    static const uint8_t code[] = { 0xc3 }; // ret
    uintptr_t at = (uintptr_t)code;
    HIDE(at);
    ((void (*)(void))at)();
    NO_TAIL_CALL();
}

// Up to the saved frame pointer, and so over the canary below it.
static OUT_OF_LINE void crash_overrun(void)
{
    uint8_t room[16], *at = room;
    HIDE(at);
    while (at < (uint8_t *)__builtin_frame_address(0))
        *at++ = 0xaa;
    NO_TAIL_CALL();
}

// While another CPU has the console's lock, most likely.
static unsigned printed;

static OUT_OF_LINE void crash_print_on(struct cpu_msg *msg)
{
    for (;;) {
        info("CPU %u goes on printing", cpu_index());
        __atomic_fetch_add(&printed, 1, __ATOMIC_RELAXED);
    }
}

static OUT_OF_LINE void crash_while_printing(void)
{
    static struct cpu_msg msg = { .fn = crash_print_on };
    if (cpu_count() < 2)
        fail("crash-locked", "crash=locked needs a second CPU");
    cpu_post(cpu_count() - 1, &msg);
    while (__atomic_load_n(&printed, __ATOMIC_RELAXED) < 10)
        __asm__ volatile("pause");
    panic("app=crash asked for a panic while another CPU prints");
}

static OUT_OF_LINE void crash_panic(void)
{
    panic("app=crash asked for a panic");
}

// ---- a VT-d fault: no crash, but an interrupt that doesn't come ----

static void read_done(struct block_req *req)
{
    bool *done = req->arg;
    *done = true;
}

static enum block_status read_block(struct block_dev *dev, void *buffer)
{
    bool done = false;
    struct block_req req = {
        .dev = dev, .op = BLOCK_READ, .blocks = 1, .buffer = buffer, .done = read_done, .arg = &done
    };
    block_submit(&req);
    cpu_run_until(&done);
    return req.status;
}

static void send_faults(uint64_t faults, unsigned reads)
{
    char text[128];
    struct json j;
    json_begin(&j, text, sizeof(text), "test");
    json_text(&j, "name", "fault");
    json_bool(&j, "ok", !report_failed());
    json_u64(&j, "faults", faults);
    json_u64(&j, "reads", reads);
    report_json(&j);
}

// A unit refuses to post into a descriptor with reserved bits set (VT-d 9.11). Twice, since the
// second fault is told only if the first one was cleared; then the descriptor is as it was.
static void crash_vtd_fault(void)
{
    struct pi_desc *descriptor = irq_pi_desc(0);
    struct block_dev *dev = block_first();
    bool posts = irq_get_mode() != IRQ_REMAPPED && irq_get_mode() != IRQ_MSI;
    if (!posts || !descriptor || !dev)
        fail("crash-fault",
             "crash=fault needs a disk and interrupts that are posted, and this is irq=%s",
             irq_mode_name(irq_get_mode()));
    void *buffer = mem_alloc_dma(dev->block_size, PAGE_BYTES, block_buffer_node(dev, 0));
    uint64_t before = cpu_stats(0)->faults;
    unsigned reads = 0;
    for (unsigned i = 0; i < 3; i++) {
        descriptor->reserved[0] = i < 2;
        reads += read_block(dev, buffer) == BLOCK_OK;
    }
    send_faults(cpu_stats(0)->faults - before, reads);
}

// ---- the choice ----

// ---- an MSR that isn't there: no crash either ----

#define MSR_RESERVED 0x804 // of the x2APIC's: SDM vol. 3, table 11-6
#define MSR_APIC_BASE 0x1b

static void crash_not_by_an_msr(void)
{
    uint64_t value = 0;
    struct json j;
    char text[128];
    bool ok = !msr_read(MSR_RESERVED, &value) && !value && msr_read(MSR_APIC_BASE, &value) && value;
    json_begin(&j, text, sizeof(text), "test");
    json_text(&j, "name", "msr");
    json_bool(&j, "ok", ok);
    report_json(&j);
}

static const struct {
    const char *name;
    void (*crash)(void);
} ways[] = {
    { "page", crash_page_fault },   { "double", crash_double_fault },
    { "ud", crash_invalid_opcode }, { "stack", crash_stack_overflow },
    { "other", crash_last_cpu },    { "text", crash_write_code },
    { "nx", crash_execute_data },   { "canary", crash_overrun },
    { "fault", crash_vtd_fault },   { "locked", crash_while_printing },
    { "panic", crash_panic },       { "msr", crash_not_by_an_msr },
};

static OUT_OF_LINE void crash_by(const struct cmdline *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
        if (cmdline_is(c, "crash", ways[i].name))
            ways[i].crash();
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
      .choices = "page|double|ud|stack|other|text|nx|canary|fault|locked|panic|msr",
      .help = "what goes wrong" },
    { .name = NULL },
};

APP(app_crash) = {
    .name = "crash",
    .help = "a deliberate crash, for testing",
    .options = options,
    .run = run,
};
